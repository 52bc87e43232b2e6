"""The nodes of one process under the virtual clock: what happens to them, and what they want done, in virtual time.

One process may host the whole tree (then it is a run by itself) or a part of it (then others tell it how far time may
go, and carry what it has for nodes elsewhere). Either way a node sees the same events in the same order:

    by time, then kind (see schedule.py), then sender in roster order, then order of sending.

A frame takes the delay of its link and a solve a modelled time; nothing depends on how fast the machine is.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tiertwin.runtime.observed import Observation, observe
from tiertwin.runtime.schedule import ANSWER, DELIVERY, EPOCH, REPORT, SENSE, TIMER, Schedule
from tiertwin.runtime.traffic import Traffic
from tiertwin.twin.effects import Actuate, Effect, Reconnect, Record, Send, SetTimer, StartSolve
from tiertwin.twin.events import EpochBegan, FrameReceived, LinkUp, Reported, Solved, Started, TimerFired
from tiertwin.wire.memory import Faults, MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tiertwin.allocate.nodeside import MasterSolver
    from tiertwin.runtime.roster import Roster
    from tiertwin.runtime.southbound import Southbound
    from tiertwin.twin.twin import Twin

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
ORIGIN = SECOND  # the twins' clock when the plant's is 0: sessions open before
MODELLED_SOLVE = 3 * MILLISECOND  # virtual time one master problem takes
LINK_DELAY = {0: MILLISECOND, 1: MILLISECOND, 2: 3 * MILLISECOND, 3: 5 * MILLISECOND}  # by tier of the upper end
LOOKAHEAD = min(LINK_DELAY.values())  # nothing sent now is felt elsewhere before


class Solver(Protocol):
    """Who solves master problems for the nodes here."""

    def start(self, node: str, ticket: int, requests: Sequence[Any]) -> None:
        """Take problems; answers are asked for later."""
        ...

    def answers(self, node: str, ticket: int) -> list[Any]:
        """Return the answers, waiting for them if need be; None in place of one that nobody could give."""
        ...


class SolveHere:
    """Solves in this process, at once.

    Parameters
    ----------
    masters
        What solves them, one after the other.
    """

    def __init__(self, masters: MasterSolver) -> None:
        self._masters = masters
        self._held: dict[tuple[str, int], list[Any]] = {}

    def start(self, node: str, ticket: int, requests: Sequence[Any]) -> None:
        self._held[node, ticket] = [self._masters.solve(request) for request in requests]

    def answers(self, node: str, ticket: int) -> list[Any]:
        return self._held.pop((node, ticket))


@dataclass(frozen=True, slots=True)
class Away:
    """A frame for a node of another process, and when it arrives there."""

    sender: str
    receiver: str
    at: int
    frame: bytes


class Host:
    """The nodes of one process.

    Parameters
    ----------
    roster
        Every node of the tree: index, tier, parent.
    twins
        The nodes here, in roster order.
    network
        In-memory network between them.
    solver
        Who solves master problems.
    report_ms
        How often twins report.
    southbound
        The plant and how it is spoken to, where it lives in this process.
    faults
        Extra behaviour of links, for tests.
    """

    def __init__(
        self,
        roster: Roster,
        twins: Mapping[str, Twin],
        network: MemoryNetwork,
        solver: Solver,
        report_ms: int,
        southbound: Southbound | None = None,
        faults: Callable[[str, str], Faults | None] | None = None,
    ) -> None:
        self.roster, self.twins, self.network, self.southbound = roster, dict(twins), network, southbound
        self.schedule = Schedule(network)
        self._solver = solver
        self._report = report_ms * MILLISECOND
        self._upward = sorted(self.twins, key=lambda n: (roster.tier(n), roster.index(n)))
        self._sensing = [n for n in self._upward if roster.is_plant(n)]
        self._reporting = [n for n in self._upward if not roster.is_plant(n)]
        self.traffic = Traffic(roster)
        self.away: deque[Away] = deque()
        self.records: list[tuple[str, Record]] = []
        self.paused: set[str] = set()
        self.now, self.epoch = 0, -1
        self.cpu_s = 0.0
        for name in roster.names:
            network.endpoint(name)
        for name in roster.names:
            self._set_delays(name, faults)

    def _set_delays(self, name: str, faults: Callable[[str, str], Faults | None] | None) -> None:
        parent = self.roster.parent(name)
        if parent is None:
            return
        plain = Faults(delay=self.delay(name, parent))
        for pair in ((name, parent), (parent, name)):
            self.network.set_faults(*pair, (faults and faults(*pair)) or plain)

    def delay(self, one: str, other: str) -> int:
        """Virtual time a frame takes between two neighbours, ns."""
        return LINK_DELAY[max(self.roster.tier(one), self.roster.tier(other))]

    # -- time ----------------------------------------------------------------------------------------------------------
    def open(self) -> None:
        """Start every node: sessions and first heartbeats are planned up to the first epoch."""
        for name in self.twins:
            self._feed(name, Started())
            parent = self.roster.parent(name)
            if parent is not None:
                self._feed(name, LinkUp(parent))
        for at in range(0, ORIGIN, self._report):
            self.schedule.add(at, REPORT, None)
            self._sense_at(at)

    def begin_epoch(self, epoch: int, start: int, end: int) -> None:
        """Plan a base epoch from `start` to `end` (ns)."""
        self.epoch = epoch
        self.schedule.add(start, EPOCH, epoch)
        for at in range(start, end, self._report):
            self.schedule.add(at, REPORT, None)
            self._sense_at(at + self._report)

    def _sense_at(self, report: int) -> None:
        """Have the plant report so that its frames are there when their gateway reports at `report`."""
        if self._sensing:
            self.schedule.add(max(report - LINK_DELAY[0], 0), SENSE, None)

    def next_time(self) -> int | None:
        """When something happens here next, ns; None: only when somebody sends a frame."""
        return self.schedule.next_time()

    def run_until(self, end: int) -> None:
        """Let everything happen that is due before `end`."""
        began, plant = time.process_time(), self._plant_s()
        while (item := self.schedule.pop(end)) is not None:
            self.now, kind, what = item
            self._happen(kind, what)
        self.cpu_s += time.process_time() - began - (self._plant_s() - plant)

    def _plant_s(self) -> float:
        return 0.0 if self.southbound is None else self.southbound.cpu_s

    def _happen(self, kind: int, what: Any) -> None:
        if kind == DELIVERY:
            sender, receiver, frame = what
            self._feed(receiver, FrameReceived(sender, frame))
        elif kind == SENSE:
            self._sense()
        elif kind == REPORT:
            for name in self._reporting:
                self._feed(name, Reported())
        elif kind == EPOCH:
            if self.southbound is not None:
                self.southbound.turn(self.now - ORIGIN, what)
            for name in self.twins:
                self._feed(name, EpochBegan(what))
        elif kind == ANSWER:
            name, ticket = what
            self._feed(name, Solved(ticket, self._solver.answers(name, ticket)))
        elif kind == TIMER:
            name, event = what
            self._feed(name, event)

    def _sense(self) -> None:
        assert self.southbound is not None
        if self.now >= ORIGIN:
            for name, samples in self.southbound.telemetry(self.now - ORIGIN, max(self.epoch, 0)):
                self._feed(name, samples)
        for name in self._sensing:
            self._feed(name, Reported())

    # -- effects -------------------------------------------------------------------------------------------------------
    def _feed(self, name: str, event: Any) -> None:
        if name in self.paused:
            return
        for effect in self.twins[name].handle(event, self.now):
            self._carry_out(name, effect)

    def _carry_out(self, name: str, effect: Effect) -> None:
        if isinstance(effect, Send):
            self.traffic.count(name, effect.peer, len(effect.frame))
            if effect.peer in self.twins:
                self.network.send(name, effect.peer, effect.frame, self.now)
            else:
                at = self.now + self.delay(name, effect.peer)
                self.away.append(Away(name, effect.peer, at, effect.frame))
        elif isinstance(effect, Reconnect):
            self._feed(name, LinkUp(effect.peer))  # in virtual time a link stands at once
        elif isinstance(effect, Record):
            self.records.append((name, effect))
        elif isinstance(effect, SetTimer):
            self.schedule.add(effect.at, TIMER, (name, TimerFired(effect.name, effect.epoch)))
        elif isinstance(effect, StartSolve):
            self._solver.start(name, effect.ticket, effect.requests)
            self.schedule.add(self.now + MODELLED_SOLVE * len(effect.requests), ANSWER, (name, effect.ticket))
        elif isinstance(effect, Actuate):
            assert self.southbound is not None, f"{name} has set-points for a plant that is not here"
            self.southbound.actuate(self.now - ORIGIN, max(self.epoch, 0), effect)

    # -- what is seen --------------------------------------------------------------------------------------------------
    def observe(self) -> Observation:
        """Look at the twins here, now."""
        seen = observe(self.twins.values(), self.epoch, self.now)
        self.traffic.tell(seen)
        seen.cpu_s = self.cpu_s
        return seen

    def take_records(self) -> list[dict[str, Any]]:
        """Return the log entries of the nodes here since the last call, then a digest of each one's tables.

        Each has `epoch`, `tier`, `node`, `n` and what the node said; :func:`in_log_order` puts those of several
        processes in order.
        """
        taken, self.records = self.records, []
        lines: list[dict[str, Any]] = []
        for name, record in taken:
            lines.append(entry(self.roster, name, record))
        for name in self._reporting:
            digests = {key: f"{value:016x}" for key, value in self.twins[name].digests().items()}
            lines.append(entry(self.roster, name, Record("tables", self.epoch, {"digest": digests})))
        return [line for line in lines if line["tier"] >= 0]


def entry(roster: Roster, name: str, record: Record, **more: Any) -> dict[str, Any]:
    """Return a log entry of a node: where it happened and `more`, then what the node said.

    No field of the record takes the place of what says whose entry it is.
    """
    place = {"epoch": record.epoch, "tier": roster.tier(name), "node": roster.index(name), **more, "what": record.what}
    return {**place, **record.fields, **place}


def in_log_order(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order entries of one epoch as the event log has them: by tier, node and order of entry, digests last.

    Entries of one node must come in their order; entries of different nodes in any.
    """
    said = sorted((line for line in lines if line["what"] != "tables"), key=_place)
    tables = sorted((line for line in lines if line["what"] == "tables"), key=_place)
    return [{**line, "n": number} for number, line in enumerate(said)] + tables


def _place(line: dict[str, Any]) -> tuple[int, int]:
    return line["tier"], line["node"]
