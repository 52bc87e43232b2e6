"""Watches a running tree for as long as it runs: one session with every node, held in a thread of its own.

The thread has its own sockets and tables, and nobody else touches them (R3). Whoever wants to know asks for a
:class:`Seen`, which the thread puts together and hands over; it is never changed afterwards.
"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.runtime.lookout import ProcessLook, Session, connected, look_at_processes, send
from tiertwin.runtime.memory import usage_of
from tiertwin.runtime.status import written_at
from tiertwin.runtime.treefile import read_tree
from tiertwin.twin.attributes import A, registry
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext

if TYPE_CHECKING:
    from pathlib import Path

    from tiertwin.runtime.lookout import Report
    from tiertwin.runtime.switchboard import Switchboard
    from tiertwin.runtime.treefile import RunningTree
    from tiertwin.wire.keys import NodeKey

TURN_MS = 50
FRESH_NS = 2_000_000_000  # a node that told nothing for so long does not answer
AGES_NS = 1_000_000_000  # between two looks at the ages of data
ANSWER_S = 2.0  # timeout of a question to the thread
STOP_S = 5.0
BOUNDS_S = (0.05, 0.1, 0.25, 0.4, 0.5, 1.0, 2.5, 5.0, 10.0)  # of the histogram of ages
_LEAVE = 1
_OVER = {_core.PEER_EVENTS[word] for word in ("lost", "bye", "banned")}


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """A process, its CPU time (s) and resident memory (bytes) so far; zeros where it is not ours to see."""

    look: ProcessLook
    cpu_s: float
    rss_bytes: float


@dataclass(slots=True)
class Ages:
    """Histogram of the ages of data held by the nodes of one tier: counts per bucket, the last one for all above."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    total_s: float = 0.0

    def add(self, age_s: float) -> None:
        """Count one age."""
        self.counts[bisect_left(BOUNDS_S, age_s)] += 1
        self.total_s += age_s

    def copy(self) -> Ages:
        """Return one that stays as it is."""
        return Ages(list(self.counts), self.total_s)


@dataclass(frozen=True, slots=True)
class Seen:
    """The tree at one moment.

    Parameters
    ----------
    reports
        What each node that answers said; nodes that do not are missing.
    ages
        By tier number: ages of the data that nodes hold of their children, looked at once a second.
    """

    tree: RunningTree
    reports: dict[str, Report]
    processes: list[ProcessSeen]
    ages: dict[int, Ages]


class TreeWatch:
    """Sessions with every node of a tree; a context manager that leaves no thread behind.

    Parameters
    ----------
    folder
        Run directory of a running tree.
    key
        Of an observer that nobody else is at the same time.
    """

    def __init__(self, folder: Path, key: NodeKey) -> None:
        self._folder = folder
        self._tree = read_tree(folder)
        self._key = key
        self._stop = threading.Event()
        self._asked: list[_Question] = []
        self._ages: dict[int, Ages] = {}
        self._heard: dict[str, tuple[int, int]] = {}  # when it wrote, and when we saw that, ns
        self._thread = threading.Thread(target=self._run, name="tree watch", daemon=True)

    def __enter__(self) -> TreeWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the nodes and end the thread. Twice is harmless."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def seen(self, timeout_s: float = ANSWER_S) -> Seen | None:
        """Return how the tree stands now; None when the thread does not answer in time, or has ended."""
        if not self._thread.is_alive():
            return None
        question = _Question()
        self._asked.append(question)
        question.answered.wait(timeout_s)
        return question.answer

    # -- the thread ----------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        known = registry()
        listening = [node for node in self._tree.nodes if node.port]
        sessions = {node.name: Session(self._tree, node, known) for node in listening}
        tiers = {node.name: node.tier for node in listening}
        next_ages = 0
        with WireContext(Access(), now_ns=time.monotonic_ns(), now_s=time.time()) as wire:
            board = connected(wire, self._key, listening, sessions)
            while not self._stop.is_set():
                board.turn(TURN_MS)
                now = time.monotonic_ns()
                self._turn(board, sessions, now)
                if now >= next_ages:
                    next_ages = now + AGES_NS
                    self._look_at_ages(sessions, tiers, now)
                while self._asked:
                    self._asked.pop(0).give(self._seen(sessions, now))
            for name, session in sessions.items():
                send(board, self._key.node, name, session.peer.bye(_LEAVE, "looked", time.monotonic_ns()))
        for question in self._asked:
            question.answered.set()  # there is no answer any more

    def _turn(self, board: Switchboard, sessions: dict[str, Session], now: int) -> None:
        us = self._key.node
        while board.events:
            _, event = board.events.popleft()
            peer = sessions[event.peer].peer
            send(board, us, event.peer, peer.connect(now) if event.kind == "up" else peer.lost(now).reply)
        while board.frames:
            sender, _, frame = board.frames.popleft()
            self._after(board, sender, sessions[sender].take(frame, now))
            self._note(sender, sessions[sender], now)
        for name, session in sessions.items():
            if now >= session.peer.next_ns:
                self._after(board, name, session.peer.tick(now))

    def _after(self, board: Switchboard, node: str, received: _core.Received) -> None:
        send(board, self._key.node, node, received.reply)
        if _OVER & set(received.events):
            board.reopen(self._key.node, node)  # knock again, ever slower

    def _note(self, name: str, session: Session, now: int) -> None:
        wrote = written_at(session.table)
        if wrote != self._heard.get(name, (0, 0))[0]:
            self._heard[name] = wrote, now

    def _fresh(self, name: str, now: int) -> bool:
        wrote, heard = self._heard.get(name, (0, 0))
        return wrote > 0 and now - heard < FRESH_NS

    def _look_at_ages(self, sessions: dict[str, Session], tiers: dict[str, int], now: int) -> None:
        for name, session in sessions.items():
            if not self._fresh(name, now):
                continue
            ages = session.table.column(A.LINK_AGE)[1:]
            for age_ms in ages[ages >= 0].tolist():
                self._ages.setdefault(tiers[name], Ages()).add(age_ms / 1e3)

    def _seen(self, sessions: dict[str, Session], now: int) -> Seen:
        reports = {}
        for name, session in sessions.items():
            if self._fresh(name, now):
                session.read(now, now)
                reports[name] = replace(session.report)
        ages = {tier: found.copy() for tier, found in self._ages.items()}
        return Seen(self._tree, reports, self._look_at_processes(), ages)

    def _look_at_processes(self) -> list[ProcessSeen]:
        try:
            tree = read_tree(self._folder)  # a solver may have been replaced
        except InputError:
            tree = self._tree
        return [
            ProcessSeen(p, *(usage_of(p.pid) if p.pid and p.state in ("running", "stopped") else (0.0, 0.0)))
            for p in look_at_processes(tree)
        ]


class _Question:
    """Somebody waits for how the tree stands."""

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.answer: Seen | None = None

    def give(self, answer: Seen) -> None:
        """Answer it."""
        self.answer = answer
        self.answered.set()
