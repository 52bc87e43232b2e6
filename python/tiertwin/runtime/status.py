"""What a node says of itself, as one table: row 0 is the node, then one row a neighbour in roster order.

:func:`status_of` looks at a twin and changes nothing. The names of the rows never travel: whoever reads the table knows
the roster.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.inner import InnerController
from tiertwin.twin.attributes import A, TableId
from tiertwin.twin.lease import NO_LEASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.twin.effects import Record
    from tiertwin.twin.lease import Lease
    from tiertwin.twin.twin import Neighbour, Twin

MILLISECOND = 1_000_000
NONE = -1.0
LIVE = _core.SESSION_STATES["live"]
_ORDINARY = (_core.REASONS["duplicate"], _core.REASONS["gap"])  # what is sent again, or asked for again


class Waiting(IntEnum):
    """What a node waits for; nothing most of the time."""

    NOTHING = 0
    PARENT = 1  # a session with its parent
    CHILDREN = 2  # what its children say of this round
    SOLVER = 3  # answers of the solver pool
    BUDGET = 4  # the parent's budget of this epoch


def _is(attribute: A) -> Any:
    return field(default=NONE, metadata={"attribute": attribute})


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """A neighbour as the node sees it; `peer` is known from the roster. -1: none, or never.

    `age_ms` is that of the data held from it, the 99th percentile over their rows; `term` the highest authority between
    the two.
    """

    peer: str
    session: float = _is(A.LINK_SESSION)
    attached: float = _is(A.LINK_ATTACHED)
    suspect: float = _is(A.LINK_SUSPECT)
    awaited: float = _is(A.LINK_AWAITED)
    silent_ms: float = _is(A.LINK_SILENT)
    rtt_ms: float = _is(A.LINK_RTT)
    epoch: float = _is(A.LINK_EPOCH)
    age_ms: float = _is(A.LINK_AGE)
    incarnation: float = _is(A.LINK_INCARNATION)
    unacknowledged: float = _is(A.LINK_UNACKED)
    held_units: float = _is(A.LINK_HELD)
    bytes_in: float = _is(A.LINK_BYTES_IN)
    bytes_out: float = _is(A.LINK_BYTES_OUT)
    term: float = _is(A.LINK_TERM)


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node as it sees itself; pool counters and memory are of its process. -1: none."""

    node: str
    links: tuple[LinkStatus, ...] = ()
    epoch: float = _is(A.STATUS_EPOCH)
    decided: float = _is(A.STATUS_DECIDED)
    alone: float = _is(A.STATUS_ALONE)
    lease_epoch: float = _is(A.STATUS_LEASE_EPOCH)
    lease_left_ms: float = _is(A.STATUS_LEASE_LEFT)
    gap: float = _is(A.STATUS_GAP)
    waiting: float = _is(A.STATUS_WAITING)
    waiting_since_ms: float = _is(A.STATUS_WAITING_SINCE)
    incarnation: float = _is(A.STATUS_INCARNATION)
    rss_mb: float = _is(A.STATUS_RSS)
    frames_in: float = _is(A.STATUS_FRAMES_IN)
    frames_out: float = _is(A.STATUS_FRAMES_OUT)
    refused: float = _is(A.STATUS_REFUSED)
    pool_asked: float = _is(A.STATUS_POOL_ASKED)
    pool_late: float = _is(A.STATUS_POOL_LATE)


_NODE = {f.name: f.metadata["attribute"] for f in fields(NodeStatus) if f.metadata}
_LINK = {f.name: f.metadata["attribute"] for f in fields(LinkStatus) if f.metadata}


# -- what only the host knows ------------------------------------------------------------------------------------------
@dataclass(slots=True)
class LinkBook:
    """What went over a link, counted at one end; `heard` is the time of the last frame, ns (-1: none)."""

    frames_in: int = 0
    bytes_in: int = 0
    frames_out: int = 0
    bytes_out: int = 0
    heard: int = -1

    def came(self, length: int, now: int) -> None:
        """Count a frame of the peer."""
        self.frames_in += 1
        self.bytes_in += length
        self.heard = now

    def went(self, length: int) -> None:
        """Count a frame to the peer."""
        self.frames_out += 1
        self.bytes_out += length


@dataclass(slots=True)
class NodeBook:
    """What the host noted of one node: its links, what its log said how often, and since when it waits for what, ns."""

    links: dict[str, LinkBook] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)
    waiting: Waiting = Waiting.NOTHING
    since: int = 0
    _turn: tuple[int, int] = (-1, 0)  # epoch and ticket: another one is another wait

    def link(self, peer: str) -> LinkBook:
        """The book of a link."""
        return self.links.setdefault(peer, LinkBook())

    def logged(self, record: Record) -> None:
        """Count an entry of the node's log."""
        what = record.what
        self.notes[f"timeout.{record.fields['name']}" if what == "timeout" else what] += 1
        if what == "bounds":
            self.notes["stale"] += int(record.fields["stale"])

    def note(self, twin: Twin, now: int) -> None:
        """Note what the node waits for."""
        waiting = waits_for(twin, now)[0]
        turn = (0, 0) if waiting == Waiting.PARENT else (twin.epoch, getattr(twin.controller, "solving", 0))
        if waiting != self.waiting or turn != self._turn or waiting == Waiting.NOTHING:
            self.waiting, self.since, self._turn = waiting, now, turn


@dataclass(frozen=True, slots=True)
class ProcessBook:
    """What a process knows of itself: resident memory (10⁶ bytes), problems asked of the pool, those too late."""

    rss_mb: float = 0.0
    pool_asked: int = 0
    pool_late: int = 0


# -- looking -----------------------------------------------------------------------------------------------------------
def waits_for(twin: Twin, now: int) -> tuple[Waiting, frozenset[str]]:
    """Return what a node waits for now, and for which neighbours."""
    parent, controller = twin.parent, twin.controller
    if parent is not None and parent.peer.state != LIVE:
        return Waiting.PARENT, frozenset({parent.name})
    if isinstance(controller, InnerController):
        return _inner_waits(controller)
    if isinstance(controller, EdgeController) and parent is not None:
        under_way = controller.version == twin.epoch + 1 and controller.decided < twin.epoch
        if twin.epoch >= 0 and under_way:
            return Waiting.BUDGET, frozenset({parent.name})
    return Waiting.NOTHING, frozenset()


def _inner_waits(controller: InnerController) -> tuple[Waiting, frozenset[str]]:
    held = controller.gathering
    if held.stamp.epoch < 0 or controller.committed >= held.stamp.epoch:
        return Waiting.NOTHING, frozenset()
    if controller.solving:
        return Waiting.SOLVER, frozenset()
    if not held.done:
        missing = [c for c in controller.domain.children if c not in held.cuts or c not in held.points]
        return Waiting.CHILDREN, frozenset(missing)
    return (Waiting.BUDGET, frozenset({controller.parent})) if controller.parent else (Waiting.NOTHING, frozenset())


def status_of(twin: Twin, now: int, book: NodeBook, process: ProcessBook) -> NodeStatus:
    """Return how a node stands at `now` (ns on its clock)."""
    controller: Any = twin.controller
    lease: Lease = getattr(controller, "lease", NO_LEASE)
    held = lease.epoch >= 0
    waiting, awaited = waits_for(twin, now)
    since = book.since if waiting == book.waiting else now
    bounds = getattr(controller, "last_bounds", None)
    return NodeStatus(
        node=twin.name,
        links=tuple(_link(n, now, book.link(n.name), n.name in awaited) for n in twin.neighbours.values()),
        epoch=twin.epoch,
        decided=getattr(controller, "committed", getattr(controller, "decided", NONE)),
        alone=float(_decides_alone(twin, lease, now)),
        lease_epoch=lease.epoch if held else NONE,
        lease_left_ms=(lease.until - now) / MILLISECOND if held else 0.0,
        gap=NONE if bounds is None or twin.parent is not None else bounds.gap,
        waiting=float(waiting),
        waiting_since_ms=0.0 if waiting == Waiting.NOTHING else (now - since) / MILLISECOND,
        incarnation=twin.config.incarnation,
        rss_mb=process.rss_mb,
        frames_in=twin.counters.frames_in,
        frames_out=sum(link.frames_out for link in book.links.values()),
        refused=sum(count for reason, count in twin.counters.refused.items() if reason not in _ORDINARY),
        pool_asked=process.pool_asked,
        pool_late=process.pool_late,
    )


def _decides_alone(twin: Twin, lease: Lease, now: int) -> bool:
    """Whether nobody leads the node now; the root is led by nobody and is not alone."""
    return twin.parent is not None and hasattr(twin.controller, "lease") and not lease.holds(now)


def _link(neighbour: Neighbour, now: int, book: LinkBook, awaited: bool) -> LinkStatus:
    peer = neighbour.peer
    return LinkStatus(
        peer=neighbour.name,
        session=peer.state,
        attached=float(peer.attached),
        suspect=float(peer.suspect),
        awaited=float(awaited),
        silent_ms=NONE if book.heard < 0 else max(now - book.heard, 0) / MILLISECOND,
        rtt_ms=peer.rtt_ns / MILLISECOND if peer.rtt_ns >= 0 else NONE,
        epoch=float(peer.peer_epoch & 0xFFFF_FFFF),
        age_ms=_age_ms(neighbour, now),
        incarnation=peer.peer_incarnation,
        unacknowledged=max(peer.last - peer.acked, 0),
        held_units=peer.held_units,
        bytes_in=book.bytes_in,
        bytes_out=book.bytes_out,
        term=peer.term,
    )


def _age_ms(neighbour: Neighbour, now: int) -> float:
    """How old the samples are that a child told, or the oldest in each of its sums: 99th percentile, ms; -1: none."""
    if neighbour.ages is None:
        return NONE
    ages = neighbour.ages.of_rows(now)
    told = ages[~np.isnan(ages)]
    return max(float(np.percentile(told, 99)), 0.0) if len(told) else NONE


# -- as a table --------------------------------------------------------------------------------------------------------
def status_table(registry: _core.AttributeRegistry, neighbours: int) -> _core.StateTable:
    """Return an empty status table of a node with so many neighbours; both ends make the same."""
    return _core.StateTable(
        registry, TableId.STATUS, [int(a) for a in (*_NODE.values(), *_LINK.values())], 1 + neighbours
    )


def write_status(table: _core.StateTable, status: NodeStatus, order: Sequence[str], now: int) -> None:
    """Put a status into its table; `order` are the neighbours in roster order."""
    first = np.zeros(1, dtype=np.uint32)
    for name, attribute in _NODE.items():
        table.set(attribute, first, np.array([getattr(status, name)], dtype=np.float64), now)
    by_peer = {link.peer: link for link in status.links}
    rows = np.arange(1, 1 + len(order), dtype=np.uint32)
    if not len(rows):
        return
    for name, attribute in _LINK.items():
        table.set(attribute, rows, np.array([getattr(by_peer[p], name) for p in order], dtype=np.float64), now)


def read_status(table: _core.StateTable, node: str, order: Sequence[str]) -> NodeStatus | None:
    """Return what a table says; None while it says nothing."""
    if not np.isfinite(table.column(A.STATUS_EPOCH)[0]):
        return None
    columns = {name: table.column(attribute) for name, attribute in _LINK.items()}
    links = tuple(LinkStatus(peer, **{n: float(c[1 + k]) for n, c in columns.items()}) for k, peer in enumerate(order))
    return NodeStatus(node, links, **{name: float(table.column(a)[0]) for name, a in _NODE.items()})


def written_at(table: _core.StateTable) -> int:
    """When the node wrote the status, ns since 1970 on its own clock."""
    return int(table.times(A.STATUS_EPOCH)[0])


SESSION_WORDS = {code: word for word, code in _core.SESSION_STATES.items()}
