"""Observers of the nodes of a process: each gets the node's status and counts, writes nothing, and is never waited for.

Frames of an observer end here and never reach the twin. A session is a :class:`tiertwin._core.Peer` like a child's, so
one that stops reading gets no more than its credit, and 2 s later it is forgotten.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.runtime.countertable import counter_table, write_counts
from tiertwin.runtime.counting import node_counts, process_counts
from tiertwin.runtime.memory import resident_mb
from tiertwin.runtime.status import NodeBook, ProcessBook, status_of, status_table, write_status
from tiertwin.twin.attributes import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt

    from tiertwin.runtime.livepool import LivePool
    from tiertwin.runtime.roster import Roster
    from tiertwin.twin.twin import Twin
    from tiertwin.wire.endpoint import Buffer

MOST = 8  # observers a node; one more, and the oldest has to leave
EVERY_NS = 200_000_000  # between two looks
BAN_NS = 10_000_000_000
SNAPSHOT_MS = 500  # between two snapshots for one observer: its table is small, and people look again at once
_LEAVE = 1  # reason of a BYE
_LOST, _BYE, _BANNED = (_core.PEER_EVENTS[word] for word in ("lost", "bye", "banned"))


@dataclass(slots=True)
class _Session:
    peer: _core.Peer
    status: _core.StateTable
    counts: _core.StateTable


def _nothing(*_: str) -> dict[str, int]:
    return {}


@dataclass(frozen=True, slots=True)
class Counted:
    """Where an observer's counts come from besides twins and pool.

    Parameters
    ----------
    endpoint
        What the sockets of a node counted.
    door
        Handshakes of the process.
    host
        What its loop counted.
    log
        What the log of a node counted.
    """

    endpoint: Callable[[str], Mapping[str, int]] = _nothing
    door: Callable[[], Mapping[str, int]] = _nothing
    host: Mapping[str, int] = field(default_factory=dict)
    log: Callable[[str], Mapping[str, int]] = _nothing


class Observers:
    """Sessions of observers.

    Parameters
    ----------
    roster
        Who is in the tree.
    twins
        The nodes here.
    pool
        For what it counted.
    send
        ``send(node, observer, frame) -> bool``.
    ban
        ``ban(node, observer, for_ns)`` at the door.
    counted
        What sockets and loop counted.
    """

    def __init__(
        self,
        roster: Roster,
        twins: Mapping[str, Twin],
        pool: LivePool,
        send: Callable[[str, str, Buffer], bool],
        ban: Callable[[str, str, int], None],
        counted: Counted | None = None,
    ) -> None:
        self._twins, self._pool, self._send, self._ban = twins, pool, send, ban
        self._counted = counted or Counted()
        self._order = {name: sorted(twin.neighbours, key=roster.index) for name, twin in twins.items()}
        self._registry = registry()
        self.books = {name: NodeBook() for name in twins}
        self._sessions: dict[tuple[str, str], _Session] = {}  # oldest first
        self._next = 0
        self.counters: Counter[str] = Counter()

    # -- what the host tells -------------------------------------------------------------------------------------------
    def came(self, node: str, peer: str, frame: Buffer, now: int) -> None:
        """Count a frame that a neighbour sent to a node here."""
        self.books[node].link(peer).came(len(frame), now)

    def went(self, node: str, peer: str, frame: Buffer) -> None:
        """Count a frame from a node here to a neighbour."""
        self.books[node].link(peer).went(len(frame))

    def take(self, node: str, observer: str, frame: Buffer, now: int) -> None:
        """Take a frame of an observer."""
        session = self._sessions.get((node, observer)) or self._begin(node, observer, now)
        self._after(node, observer, session.peer.receive(frame, now))

    def gone(self, node: str, observer: str) -> None:
        """The observer's connection is over."""
        self._sessions.pop((node, observer), None)

    def report(self, now: int) -> None:
        """Note what nodes wait for; every 200 ms say to those who look how it stands."""
        for name, twin in self._twins.items():
            self.books[name].note(twin, now)
        if not self._sessions:
            return
        process = None
        if now >= self._next:
            self._next = now + EVERY_NS
            process = self._process()
        for (node, observer), session in list(self._sessions.items()):
            if process is not None:
                self._write(node, session, *process, now)
            if now >= session.peer.next_ns:
                self._after(node, observer, session.peer.tick(now))
            for frame in session.peer.publish(now):
                self._send(node, observer, frame)

    # -- sessions ------------------------------------------------------------------------------------------------------
    def _begin(self, node: str, observer: str, now: int) -> _Session:
        here = [key for key in self._sessions if key[0] == node]
        if len(here) == MOST:
            self._refuse(*here[0], now)
        peer = _core.Peer(
            self._registry,
            is_child=False,
            incarnation=self._twins[node].config.incarnation,
            stream_id=secrets.randbits(63),
            heartbeat_ms=self._twins[node].config.heartbeat_ms,
            snapshot_every_ms=SNAPSHOT_MS,
        )
        known = self._registry
        session = _Session(peer, status_table(known, len(self._order[node])), counter_table(known))
        peer.add_out(session.status)
        peer.add_out(session.counts)
        self.counters["observers"] += 1
        self._write(node, session, *self._process(), now)
        self._sessions[node, observer] = session
        return session

    def _refuse(self, node: str, observer: str, now: int) -> None:
        for frame in self._sessions[node, observer].peer.bye(_LEAVE, "too many observers", now):
            self._send(node, observer, frame)
        self.gone(node, observer)
        self.counters["observers refused"] += 1

    def _after(self, node: str, observer: str, received: _core.Received) -> None:
        for frame in received.reply:
            self._send(node, observer, frame)
        if received.reason:
            self.counters["refused frames of observers"] += 1
        if _BANNED in received.events:
            self._ban(node, observer, BAN_NS)
        if _LOST in received.events or _BYE in received.events:
            self.gone(node, observer)

    def _process(self) -> tuple[ProcessBook, npt.NDArray[np.float64]]:
        pool, counted = self._pool.counters, self._counted
        book = ProcessBook(resident_mb(), pool["asked"], pool["S6 for lateness"])
        return book, process_counts(counted.door(), pool, self.counters, counted.host)

    def _write(
        self, node: str, session: _Session, process: ProcessBook, counts: npt.NDArray[np.float64], now: int
    ) -> None:
        twin, book = self._twins[node], self.books[node]
        write_status(session.status, status_of(twin, now, book, process), self._order[node], now)
        counted = node_counts(twin, book.notes, self._counted.endpoint(node), self._counted.log(node))
        write_counts(session.counts, counts + counted, now)
