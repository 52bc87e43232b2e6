"""The front of the solver pool: takes SOLVE frames of orchestrators, gives each worker one at a time, returns answers.

It looks into no frame but for its kind, and keeps nothing but who waits for which worker: workers are stateless, so any
answer is as good from one as from the other (R44).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tiertwin.wire.endpoint import Buffer


KIND = 3  # offset of the kind in a frame
HELLO, SOLVE = 1, 16


class PoolFront:
    """Who asked, who works.

    Parameters
    ----------
    workers
        Names of the solvers, in the order in which they are preferred.
    send
        Hands a frame to a peer; False when it takes nothing now.
    clock
        Monotonic seconds.
    """

    def __init__(self, workers: Iterable[str], send: Callable[[str, Buffer], bool], clock: Callable[[], float]) -> None:
        self._workers = list(workers)
        self._send, self._clock = send, clock
        self._idle: deque[str] = deque()  # a worker announces itself by HELLO
        self._busy: dict[str, tuple[str, float]] = {}  # worker → who asked, and since when (s)
        self._waiting: deque[tuple[str, Buffer]] = deque()
        self._outgoing: deque[tuple[str, Buffer]] = deque()
        self.served: dict[str, int] = {}

    @property
    def depth(self) -> int:
        """Requests that wait for a worker."""
        return len(self._waiting)

    def take(self, sender: str, frame: Buffer) -> None:
        """Take a frame of a peer: a request, or a worker's greeting or answer."""
        if sender in self._workers and frame[KIND] == HELLO:
            self.lost(sender)
            self._idle.append(sender)
        elif sender in self._workers:
            held = self._busy.pop(sender, None)
            if held is not None:
                self._idle.append(sender)
                self.served[sender] = self.served.get(sender, 0) + 1
                self._outgoing.append((held[0], frame))
        elif frame[KIND] == SOLVE:
            self._waiting.append((sender, frame))
        self.flush()

    def flush(self) -> None:
        """Send what can be sent."""
        while self._outgoing and self._send(*self._outgoing[0]):
            self._outgoing.popleft()
        while self._waiting and self._idle:
            worker = self._idle[0]
            asker, frame = self._waiting[0]
            if not self._send(worker, frame):
                return
            self._idle.popleft()
            self._waiting.popleft()
            self._busy[worker] = (asker, self._clock())

    def lost(self, worker: str) -> list[str]:
        """Take a worker out; return who waited for it (their request is gone)."""
        if worker in self._idle:
            self._idle.remove(worker)
        held = self._busy.pop(worker, None)
        return [] if held is None else [held[0]]

    def knows(self, worker: str) -> bool:
        """Whether a worker has said that it is there."""
        return worker in self._idle or worker in self._busy

    def overdue(self, now: float, limit_s: float) -> list[str]:
        """Return the workers that have held a problem for longer than `limit_s`."""
        return [worker for worker, (_, since) in self._busy.items() if now - since > limit_s]
