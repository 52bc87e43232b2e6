"""The nodes of one process under the real clock: sockets to nodes elsewhere, a queue between those here.

The same twins as in virtual time, fed by what happens: frames, links, timers, answers of the solver pool. The loop
waits for the first of them and never for a solver, a disk or a person.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from tiertwin.runtime import logs
from tiertwin.runtime.linklog import LinkLog
from tiertwin.runtime.observed import Observation, observe
from tiertwin.runtime.observers import Counted, Observers
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.reportclock import ReportClock
from tiertwin.runtime.traffic import Traffic
from tiertwin.twin.effects import Actuate, Ban, Effect, Keep, Persist, Reconnect, Record, Send, SetTimer, StartSolve
from tiertwin.twin.events import (
    EpochBegan,
    FrameReceived,
    LinkDown,
    LinkUp,
    Reported,
    Started,
    TimerFired,
)
from tiertwin.twin.keeping import DELTA
from tiertwin.wire.keys import OBSERVER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiertwin.runtime.clock import EpochClock
    from tiertwin.runtime.durablenodes import DurableNodes
    from tiertwin.runtime.livepool import LivePool
    from tiertwin.runtime.nodestate import StateFile
    from tiertwin.runtime.roster import Roster
    from tiertwin.runtime.southbound import PhysicalSide
    from tiertwin.runtime.switchboard import Switchboard
    from tiertwin.twin.twin import Twin

MILLISECOND = 1_000_000
LEAVING = 1  # reason of a BYE
BAN_NS = 10_000_000_000  # at the door; the session itself doubles its own


class LiveHost:
    """Nodes, their timers and their links.

    Parameters
    ----------
    roster
        Every node of the tree.
    twins
        The nodes here.
    board
        Sockets to nodes elsewhere.
    pool
        The way to the solver pool.
    epochs
        Base epochs on this process's clock.
    report_ms
        How often nodes report; sooner where something came from below (:class:`.ReportClock`).
    states
        What each node keeps on disk.
    southbound, origin
        The plant where it is here, and when its time is 0, ns.
    durable
        Logs of the nodes that keep one.
    """

    def __init__(
        self,
        roster: Roster,
        twins: Mapping[str, Twin],
        board: Switchboard,
        pool: LivePool,
        epochs: EpochClock,
        report_ms: int,
        states: Mapping[str, StateFile],
        southbound: PhysicalSide | None,
        origin: int,
        durable: DurableNodes | None = None,
    ) -> None:
        self.roster, self.twins, self.board, self.pool = roster, dict(twins), board, pool
        self.epochs, self.states, self.southbound, self.durable = epochs, states, southbound, durable
        self._reports = ReportClock(report_ms * MILLISECOND)
        self._origin = origin
        self._timers: list[tuple[int, int, str, TimerFired]] = []
        self._entered = 0
        self._local: deque[tuple[str, Any]] = deque()
        self._upward = sorted(self.twins, key=lambda n: (roster.tier(n), roster.index(n)))
        self.traffic = Traffic(roster)
        self.records: list[tuple[str, Record]] = []
        self.counters: Counter[str] = Counter()
        self._links = LinkLog(roster)
        logged = () if durable is None else (durable.counters,)
        counted = Counted(board.counters_of, board.wire.counters, self.counters, *logged)
        self.observers = Observers(roster, self.twins, pool, board.send, board.ban, counted)

    # -- time ----------------------------------------------------------------------------------------------------------
    def start(self, now: int) -> None:
        """Start the nodes; links between those here stand at once."""
        self._reports.begin(now)
        for name, recovered in () if self.durable is None else self.durable.recover():
            self._feed(name, recovered, now)
        for name in self.twins:
            self._feed(name, Started(), now)
        for name in self.twins:
            parent = self.roster.parent(name)
            if parent in self.twins:
                self._feed(name, LinkUp(parent), now)
        self._drain(now)

    def next_ns(self) -> int:
        """When something is due by the clock."""
        due = [self._reports.next_ns, self.epochs.next_ns()]
        if self._timers:
            due.append(self._timers[0][0])
        if (deadline := self.pool.next_ns()) is not None:
            due.append(deadline)
        if self.durable is not None and (again := self.durable.next_ns()) is not None:
            due.append(again)
        return min(due)

    def turn(self, now: int) -> int | None:
        """Handle what came and what is due; return the epoch that ended, None when none did."""
        for name, synced in () if self.durable is None else self.durable.collect(now):
            self._feed(name, synced, now)
        ended = self._turn(now)
        if self.durable is not None:
            self.durable.submit(now)
        return ended

    def _turn(self, now: int) -> int | None:
        self._take_links(now)
        self._take_frames(now)
        for node, solved in self.pool.expired(now):
            self._feed(node, solved, now)
        while self._timers and self._timers[0][0] <= now:
            _, _, name, fired = heapq.heappop(self._timers)
            self._feed(name, fired, now)
        self._drain(now)
        if self._reports.due(now):
            self._report_all(now)
        before = self.epochs.epoch
        if (epoch := self.epochs.begun(now)) is None:
            return None
        self._begin(epoch, now)
        return before if before >= 0 else None

    def _take_links(self, now: int) -> None:
        while self.board.events:
            node, event = self.board.events.popleft()
            self._links.happened(node, event)
            if event.peer == POOL:
                continue
            if event.peer not in self.twins[node].neighbours:
                if event.kind != "up":  # an observer begins with its first frame
                    self.observers.gone(node, event.peer)
                continue
            self._feed(node, LinkUp(event.peer) if event.kind == "up" else LinkDown(event.peer), now)

    def _take_frames(self, now: int) -> None:
        frames = self.board.frames
        while frames:
            sender, receiver, frame = frames.popleft()
            if sender == POOL:
                if (done := self.pool.take(frame)) is not None:
                    self._feed(done[0], done[1], now)
            elif self.board.role(receiver, sender) == OBSERVER:
                self.observers.take(receiver, sender, frame, now)
            else:
                self.observers.came(receiver, sender, frame, now)
                self._feed(receiver, FrameReceived(sender, frame), now)
                if frame[3] == DELTA and self.roster.parent(sender) == receiver:
                    self._reports.came()

    def _report_all(self, now: int) -> None:
        if self.southbound is not None and now >= self._origin:
            for name, samples in self.southbound.telemetry(now - self._origin, max(self.epochs.epoch, 0)):
                self._feed(name, samples, now)
        for name in self._upward:
            self._feed(name, Reported(), now)
            self._drain(now)
        self._follow(now)
        self._look_at_sessions()
        self.observers.report(now)

    def _look_at_sessions(self) -> None:
        for name, twin in self.twins.items():
            for neighbour in twin.neighbours.values():
                if neighbour.name not in self.twins:
                    self._links.look(name, neighbour)

    def _follow(self, now: int) -> None:
        """Take the epoch from a parent in another process that is ahead."""
        for twin in self.twins.values():
            if twin.parent is not None and twin.parent.name not in self.twins and twin.parent.live:
                self.epochs.follow(int(twin.parent.peer.peer_epoch), now)

    def _begin(self, epoch: int, now: int) -> None:
        logs.began(epoch)
        if self.southbound is not None:
            self.southbound.turn(max(now - self._origin, 0), epoch)
        for name in self.twins:
            if name in self.states:
                self.states[name].note_epoch(epoch)
            self._feed(name, EpochBegan(epoch), now)
        self._drain(now)

    # -- effects -------------------------------------------------------------------------------------------------------
    def _feed(self, name: str, event: Any, now: int) -> None:
        for effect in self.twins[name].handle(event, now):
            self._carry_out(name, effect, now)

    def _drain(self, now: int) -> None:
        """Deliver what nodes here sent to each other, in order."""
        while self._local:
            receiver, event = self._local.popleft()
            if isinstance(event, FrameReceived):
                self.observers.came(receiver, event.peer, event.frame, now)
            self._feed(receiver, event, now)

    def _carry_out(self, name: str, effect: Effect, now: int) -> None:
        if isinstance(effect, Send):
            self._send(name, effect)
        elif isinstance(effect, Record):
            self.records.append((name, effect))
            self.observers.books[name].logged(effect)
        elif isinstance(effect, SetTimer):
            self._entered += 1
            heapq.heappush(self._timers, (effect.at, self._entered, name, TimerFired(effect.name, effect.epoch)))
        elif isinstance(effect, StartSolve):
            if (done := self.pool.start(name, effect.ticket, effect.requests, now)) is not None:
                self._local.append(done)
        elif isinstance(effect, Reconnect):
            self.observers.books[name].notes["reconnect"] += 1
            self._reconnect(name, effect.peer)
        elif isinstance(effect, Ban):
            self.board.ban(name, effect.peer, BAN_NS)
        elif isinstance(effect, Persist):
            if name in self.states:
                self.states[name].raise_term(effect.peer, effect.term)
        elif isinstance(effect, Keep):
            assert self.durable is not None, f"{name} keeps a log that is not here"
            self.durable.keep(name, effect, now)
        elif isinstance(effect, Actuate):
            assert self.southbound is not None, f"{name} has set-points for a plant that is not here"
            self.southbound.actuate(max(now - self._origin, 0), max(self.epochs.epoch, 0), effect)

    def _send(self, name: str, effect: Send) -> None:
        self.observers.went(name, effect.peer, effect.frame)
        self.traffic.count(name, effect.peer, len(effect.frame))
        if effect.peer in self.twins:
            self._local.append((effect.peer, FrameReceived(name, effect.frame)))
        elif not self.board.send(name, effect.peer, effect.frame):
            self.counters["R25 not sent"] += 1  # what counts is sent again by its session

    def _reconnect(self, name: str, peer: str) -> None:
        if peer in self.twins:
            self._local.append((name, LinkUp(peer)))
        else:
            self.board.reopen(name, peer)

    # -- the end, and what is seen -------------------------------------------------------------------------------------
    def leave(self, now: int) -> None:
        """Say goodbye to every neighbour elsewhere and write what only memory holds."""
        for name, twin in self.twins.items():
            for neighbour in twin.neighbours.values():
                if neighbour.name not in self.twins:
                    for frame in neighbour.peer.bye(LEAVING, "ends in order", now):
                        self.board.send(name, neighbour.name, frame)
        if self.durable is not None:
            self.durable.close(now)
        for state in self.states.values():
            state.close()

    def orphans(self) -> list[str]:
        """Nodes that have no session with their parent now."""
        return [name for name, twin in self.twins.items() if twin.parent is not None and not twin.parent.live]

    def sessions(self) -> dict[str, float]:
        """What sessions with nodes elsewhere cost: frames sent once and again, longest waits for an acknowledgement."""
        peers = [
            (neighbour.peer, neighbour.peer.counters())
            for twin in self.twins.values()
            for neighbour in twin.neighbours.values()
            if neighbour.name not in self.twins
        ]
        return {
            "fresh": sum(counted["fresh_frames"] for _, counted in peers),
            "again": sum(counted["again_frames"] for _, counted in peers),
            "snapshots": sum(counted["snapshots"] for _, counted in peers),
            "acknowledged_ms": max((peer.acknowledged_in_ns for peer, _ in peers), default=-MILLISECOND) / MILLISECOND,
            "patience_ms": max((peer.patience_ns for peer, _ in peers), default=0) / MILLISECOND,
        }

    def observe(self, epoch: int, now: int) -> Observation:
        """Look at the nodes here."""
        seen = observe(self.twins.values(), epoch, now)
        self.traffic.tell(seen)
        return seen
