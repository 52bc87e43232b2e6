"""A twin: the state of one domain and its place in the tree, as a pure state machine.

``handle(event, now) -> list[Effect]``: no socket, no clock, no thread inside. What arrives is one frame or one batch of
samples, what leaves are effects that the runtime carries out. The policy (what to allocate) is the twin's *controller*;
the twin itself keeps the sessions, the tables and the order of things:

    frame  → session (one call into the core) → table or unit → controller
    report → abstraction (members → groups) → uplink table → delta to the parent

`now` is in ns on the twin's own monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tiertwin import _core
from tiertwin.errors import PeerError
from tiertwin.twin.ages import TableAges, input_age_ms
from tiertwin.twin.attributes import TableId
from tiertwin.twin.effects import Ban, Effect, Keep, Persist, Reconnect, Record, Send
from tiertwin.twin.events import (
    EpochBegan,
    Event,
    FrameReceived,
    LinkDown,
    LinkUp,
    Recovered,
    Reported,
    Sampled,
    Solved,
    Started,
    Synced,
    TimerFired,
)
from tiertwin.twin.keeping import Keeping, RootMarks
from tiertwin.twin.lease import Lease
from tiertwin.twin.snapshotgate import SnapshotGate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tiertwin.twin.lease import Lease as LeaseType

REFUSED_UNKNOWN_PEER, REFUSED_UNIT = -1, -2  # counted beside the codec's own reasons
EVENT_LIVE, EVENT_LOST, EVENT_BANNED, EVENT_WELL, EVENT_TERM = 1, 4, 5, 7, 10


@dataclass(frozen=True)
class TableShape:
    """One table between two neighbours: both ends declare the same."""

    table: int
    attributes: Sequence[int]
    rows: int


@dataclass(frozen=True)
class NeighbourSpec:
    """What flows between a twin and one neighbour, seen from the twin."""

    name: str
    is_parent: bool
    table_in: TableShape | None = None
    table_out: TableShape | None = None
    units_in: Sequence[TableShape] = ()
    units_out: Sequence[TableShape] = ()
    border: tuple[int, list[int]] | None = None  # of a domain: highest privacy class that crosses, unknown ones that do
    by_exception: bool = False  # it tells what moved: a cell it does not tell is as old as its heartbeat says


@dataclass(frozen=True)
class TwinConfig:
    """Everything a twin is made of besides its policy."""

    name: str
    tier: int
    stream_ids: Sequence[int]  # one a neighbour, in order of `neighbours`
    neighbours: Sequence[NeighbourSpec]
    incarnation: int = 1
    heartbeat_ms: int = 250
    virtual_clock: bool = True
    terms: Mapping[str, int] = field(default_factory=dict)  # highest authority known of each neighbour
    durable: bool = False  # there is a log: whoever carries effects out keeps and syncs what it is told to


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows of a unit table that take effect together, with the lease when they are a budget."""

    peer: str
    table: int
    cells: dict[int, Any]
    lease: LeaseType | None


class Controller(Protocol):
    """The policy of a twin. Pure like the twin: what it wants done, it returns."""

    def summarise(self, twin: Twin, now: int) -> None:
        """Bring the uplink table up to date with what changed since the last report."""
        ...

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        """A base epoch began."""
        ...

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        """A neighbour's cut, point, query or budget arrived complete."""
        ...

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        """Answers of the solver came back."""
        ...

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        """A waiting state ran out of time."""
        ...

    def fork(self) -> Controller:
        """Return an independent copy."""
        ...


@dataclass
class Neighbour:
    """One neighbour: its session and the tables between us."""

    spec: NeighbourSpec
    peer: _core.Peer
    table_in: _core.StateTable | None = None
    table_out: _core.StateTable | None = None
    live: bool = False
    ages: TableAges | None = None  # of what it tells
    told_bytes: int = 0  # of its table, sent so far

    @property
    def name(self) -> str:
        return self.spec.name


@dataclass
class Counters:
    """What happened and is not an event of its own; by reason, so that nothing is dropped in silence."""

    refused: dict[int, int] = field(default_factory=dict)
    frames_in: int = 0
    records_in: int = 0

    def refuse(self, reason: int) -> None:
        self.refused[reason] = self.refused.get(reason, 0) + 1


class Twin:
    """State of one node of the tree.

    Parameters
    ----------
    config
        Name, tier, neighbours and tables.
    controller
        Policy; see :class:`Controller`.
    """

    def __init__(self, config: TwinConfig, controller: Controller, registry: _core.AttributeRegistry) -> None:
        self.config = config
        self.name = config.name
        self.tier = config.tier
        self.controller = controller
        self.counters = Counters()
        self.epoch = -1
        self._keeping = Keeping() if config.durable else None
        self._marks = RootMarks()
        self._registry = registry
        self.neighbours: dict[str, Neighbour] = {}
        for spec, stream in zip(config.neighbours, config.stream_ids, strict=True):
            self.neighbours[spec.name] = self._make_neighbour(spec, stream)
        self.parent = next((n for n in self.neighbours.values() if n.spec.is_parent), None)
        self.children = [n for n in self.neighbours.values() if not n.spec.is_parent]
        self._gate = SnapshotGate({child.name: child.peer for child in self.children})
        self._handlers: dict[type, Callable[[Any, int], list[Effect]]] = {
            FrameReceived: self._on_frame,
            Reported: self._on_report,
            Sampled: self._on_samples,
            EpochBegan: self._on_epoch,
            Started: lambda event, now: [],
            LinkUp: self._on_link_up,
            LinkDown: self._on_link_down,
            Solved: lambda event, now: self.controller.solved(self, event, now),
            TimerFired: lambda event, now: self.controller.timed_out(self, event, now),
            Recovered: self._on_recovered,
            Synced: self._on_synced,
        }

    # -- construction ------------------------------------------------------------------------------------------------
    def _make_table(self, shape: TableShape | None) -> _core.StateTable | None:
        if shape is None:
            return None
        return _core.StateTable(self._registry, shape.table, [int(a) for a in shape.attributes], shape.rows)

    def _make_neighbour(self, spec: NeighbourSpec, stream: int) -> Neighbour:
        config = self.config
        peer = _core.Peer(
            self._registry,
            is_child=spec.is_parent,
            incarnation=config.incarnation,
            stream_id=stream,
            heartbeat_ms=config.heartbeat_ms,
            virtual_clock=config.virtual_clock,
            term=config.terms.get(spec.name, 0),
            durable=config.durable,
            border=spec.border,
        )
        made = Neighbour(spec, peer, self._make_table(spec.table_in), self._make_table(spec.table_out))
        if made.table_in is not None:
            peer.add_in(made.table_in)
            made.ages = TableAges(made.table_in, by_exception=spec.by_exception)
        if made.table_out is not None:
            peer.add_out(made.table_out)
        for shape in spec.units_in:
            peer.add_unit_in(shape.table, [int(a) for a in shape.attributes], shape.rows)
        for shape in spec.units_out:
            peer.add_unit_out(shape.table, [int(a) for a in shape.attributes], shape.rows)
        return made

    # -- the one entry -------------------------------------------------------------------------------------------------
    def handle(self, event: Event, now: int) -> list[Effect]:
        """Take one event at time `now` (ns) and return what is to be done about it."""
        effects = self._handlers[type(event)](event, now)
        if self._keeping is not None and self.parent is not None:  # behind what they were made of
            return [*effects, *(Keep("", frame) for frame in self.parent.peer.take_unlogged())]
        return effects

    def _on_link_up(self, event: LinkUp, now: int) -> list[Effect]:
        if self.parent is None or event.peer != self.parent.name:
            return []  # a child speaks first
        return self._sends(self.parent, self.parent.peer.connect(now))

    def _on_link_down(self, event: LinkDown, now: int) -> list[Effect]:
        neighbour = self.neighbours.get(event.peer)
        if neighbour is None:
            return []
        lost = neighbour.peer.lost(now)
        self._gate.after(neighbour.name, now)
        return self._after(neighbour, lost, now)

    def _on_frame(self, event: FrameReceived, now: int) -> list[Effect]:
        neighbour = self.neighbours.get(event.peer)
        if neighbour is None:
            self.counters.refuse(REFUSED_UNKNOWN_PEER)
            return []
        self._gate.before(neighbour.name, now)
        received = neighbour.peer.receive(event.frame, now)
        self._gate.after(neighbour.name, now)
        self.counters.frames_in += 1
        self.counters.records_in += received.count
        if received.reason:
            self.counters.refuse(received.reason)
        elif received.count and neighbour.ages is not None:
            neighbour.ages.note(now)
        effects = self._after(neighbour, received, now)
        if self._keeping is not None and not neighbour.spec.is_parent:
            effects = [*self._keeping.of_frame(neighbour.name, received, event.frame), *effects]
        return effects + self._begin_next(now) if self._gate.waiting else effects

    def _begin_next(self, now: int) -> list[Effect]:
        effects: list[Effect] = []
        for name in self._gate.next_in_line(now):
            self._gate.before(name, now)
            effects += self._sends(self.neighbours[name], self.neighbours[name].peer.publish(now))
            self._gate.after(name, now)
        return effects

    def _after(self, neighbour: Neighbour, received: _core.Received, now: int) -> list[Effect]:
        if received.quiet:  # most frames
            return self._sends(neighbour, received.reply)
        events = received.events
        effects: list[Effect] = []
        if EVENT_TERM in events:
            effects.append(Persist(neighbour.name, neighbour.peer.term))
        effects += self._sends(neighbour, received.reply)
        for code in events:
            effects += self._session_changed(neighbour, code, now)
        for unit in received.units():
            lease = None if unit.lease is None else _lease(unit.lease)
            try:
                effects += self.controller.told(self, Unit(neighbour.name, unit.table, unit.cells, lease), now)
            except PeerError as error:  # the peer's fault: told in the log, nothing of it taken
                self.counters.refuse(REFUSED_UNIT)
                effects.append(Record("bad_unit", self.epoch, {"peer": neighbour.name, "why": str(error)}))
        return effects

    def _session_changed(self, neighbour: Neighbour, code: int, now: int) -> list[Effect]:
        if code == EVENT_LIVE:
            neighbour.live = True
        elif code == EVENT_LOST:
            neighbour.live = False
            lost: list[Effect] = [Record("lost", self.epoch, {"peer": neighbour.name})]
            if neighbour.spec.is_parent:  # go on knocking; the lease decides how long the budget holds meanwhile
                lost.append(Reconnect(neighbour.name))
            return lost
        if code == EVENT_BANNED:
            neighbour.live = False
            return [Record("banned", self.epoch, {"peer": neighbour.name}), Ban(neighbour.name)]
        return []

    def _on_samples(self, event: Sampled, now: int) -> list[Effect]:
        table = self.parent.table_out if self.parent is not None else None
        assert table is not None, f"{self.name} has no parent to report to, but was given samples"
        table.set_rows(event.attributes, event.rows, event.values, event.times)  # NaN: not sent, the last one stays
        return []

    def _on_report(self, event: Reported, now: int) -> list[Effect]:
        effects: list[Effect] = []
        self.controller.summarise(self, now)
        age: int | None = None
        for neighbour in self.neighbours.values():
            peer = neighbour.peer
            peer.epoch = max(self.epoch, 0)
            self._gate.before(neighbour.name, now)
            if neighbour.table_out is not None:
                frames = peer.publish(now)
                neighbour.told_bytes += sum(map(len, frames))
                effects += self._sends(neighbour, frames)
            if now >= peer.next_ns:
                age = input_age_ms(self, now) if age is None else age
                peer.age_ms = age
                effects += self._after(neighbour, peer.tick(now), now)
            self._gate.after(neighbour.name, now)
        if self._keeping is not None and self.parent is not None:
            told = self.parent.table_out
            if told is not None and told.dirty_count == 0:
                self._marks.note(self.parent.peer.last, self.children)
        return effects

    def _on_epoch(self, event: EpochBegan, now: int) -> list[Effect]:
        self.epoch = event.epoch
        return self.controller.began(self, event.epoch, now)

    # -- with a log ----------------------------------------------------------------------------------------------------
    def _on_recovered(self, event: Recovered, now: int) -> list[Effect]:
        effects: list[Effect] = []
        for name, (stream, cursor) in event.streams.items():
            neighbour = self.neighbours[name]
            effects += self._after(neighbour, neighbour.peer.resume_in(stream, cursor), now)
        if self.parent is not None:
            self.parent.peer.resume_out(event.last, list(event.frames))
        return effects

    def _on_synced(self, event: Synced, now: int) -> list[Effect]:
        effects: list[Effect] = []
        parent = self.parent
        root = event.streams if parent is None else self._marks.reached(parent.peer.at_root_out)
        for name, (stream, durable) in event.streams.items():
            neighbour = self.neighbours[name]
            known, number = root.get(name, (stream, 0))
            frames = neighbour.peer.logged(stream, durable, number if known == stream else 0, now)
            effects += self._sends(neighbour, frames)
        if parent is not None:
            effects += self._sends(parent, parent.peer.released(event.own, now))
        return effects

    # -- for controllers ---------------------------------------------------------------------------------------------
    def send_unit(
        self, peer: str, table: TableId, cells: Any, now: int, lease: tuple[int, int, int, int, int] | None = None
    ) -> list[Effect]:
        """Send rows that take effect together (`cells` has attributes, rows, values)."""
        neighbour = self.neighbours[peer]
        frames = neighbour.peer.send_unit(int(table), cells.attributes, cells.rows, cells.values, now, now, lease)
        return self._sends(neighbour, frames)

    def _sends(self, neighbour: Neighbour, frames: Sequence[bytes]) -> list[Effect]:
        name = neighbour.spec.name
        return [Send(name, frame) for frame in frames] if frames else []

    def digests(self) -> dict[str, int]:
        """Return the digest of every table this twin holds, by neighbour and direction."""
        held: dict[str, int] = {}
        for neighbour in self.neighbours.values():
            if neighbour.table_in is not None:
                held[f"{neighbour.name}>"] = neighbour.table_in.digest()
            if neighbour.table_out is not None:
                held[f">{neighbour.name}"] = neighbour.table_out.digest()
        return held


def _lease(lease: _core.Lease) -> Lease:
    return Lease(epoch=lease.epoch, term=lease.term, basis=lease.basis, until=lease.until_ns, age_ms=lease.age_ms)
