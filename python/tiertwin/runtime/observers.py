"""Observers of the nodes of a process: each gets the node's status table, writes nothing, and is never waited for.

Frames of an observer end here and never reach the twin. A session is a :class:`tiertwin._core.Peer` like a child's, so
one that stops reading gets no more than its credit, and 2 s later it is forgotten.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.runtime.memory import resident_mb
from tiertwin.runtime.status import NodeBook, ProcessBook, status_of, status_table, write_status
from tiertwin.twin.attributes import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    table: _core.StateTable


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
    """

    def __init__(
        self,
        roster: Roster,
        twins: Mapping[str, Twin],
        pool: LivePool,
        send: Callable[[str, str, Buffer], bool],
        ban: Callable[[str, str, int], None],
    ) -> None:
        self._twins, self._pool, self._send, self._ban = twins, pool, send, ban
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
                self._write(node, session.table, process, now)
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
        session = _Session(peer, status_table(self._registry, len(self._order[node])))
        peer.add_out(session.table)
        self._write(node, session.table, self._process(), now)
        self._sessions[node, observer] = session
        self.counters["observers"] += 1
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

    def _process(self) -> ProcessBook:
        counted = self._pool.counters
        return ProcessBook(resident_mb(), counted["asked"], counted["S6 for lateness"])

    def _write(self, node: str, table: _core.StateTable, process: ProcessBook, now: int) -> None:
        write_status(table, status_of(self._twins[node], now, self.books[node], process), self._order[node], now)
