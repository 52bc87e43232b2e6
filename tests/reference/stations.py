"""A station that all its tasks share or wait for, naively: the work left of each task counts down at every change."""

from __future__ import annotations

import math
from typing import Any

NEVER = 1 << 62


class Queue:
    """A station (`kind` "ps" or "fifo") with `servers` servers of `speed`."""

    def __init__(self, kind: str, servers: float, speed: float, buffer_s: float) -> None:
        self.kind, self.servers, self.speed, self.buffer_s = kind, servers, speed, buffer_s
        self.tasks: list[list[Any]] = []  # [work left, order, task] (ps) or [departure, order, task] (fifo)
        self.free = [0] * int(servers)
        self.last, self.busy_s, self.order, self.up = 0, 0.0, 0, True
        self.announced = 0  # the last departure put into the heap; earlier ones are out of date

    def advance(self, now: int) -> None:
        """Serve what is here up to `now`."""
        elapsed = (now - self.last) * 1e-9
        self.last = now
        if not self.tasks:
            return
        busy = min(len(self.tasks), self.servers)
        self.busy_s += busy * elapsed
        if self.kind == "ps":
            for entry in self.tasks:
                entry[0] -= self.speed * busy / len(self.tasks) * elapsed

    def join(self, now: int, task: Any, work: float, _flow: Any) -> bool:
        """Let a task in, or refuse it; flows are not told apart."""
        self.advance(now)
        if not self.up:
            return False
        self.order += 1
        if self.kind == "ps":
            if sum(entry[0] for entry in self.tasks) > self.buffer_s * self.servers * self.speed:
                return False
            self.tasks.append([work, self.order, task])
            return True
        first = min(range(len(self.free)), key=self.free.__getitem__)
        start = max(now, self.free[first])
        if (start - now) * 1e-9 > self.buffer_s:
            return False
        self.free[first] = start + math.ceil(work / self.speed * 1e9)
        self.tasks.append([self.free[first], self.order, task])
        return True

    def next(self) -> int:
        """Return the time of the next departure."""
        if not self.tasks:
            return NEVER
        least = min(self.tasks)[0]
        if self.kind == "fifo":
            return int(least)
        rate = self.speed * min(len(self.tasks), self.servers) / len(self.tasks)
        return self.last + math.ceil(max(0.0, least) / rate * 1e9)

    def depart(self, now: int) -> Any:
        """Return the task that leaves now."""
        self.advance(now)
        first = min(self.tasks)
        self.tasks.remove(first)
        return first[2]

    def evict(self, now: int) -> list[Any]:
        """Forget every task and return them."""
        self.advance(now)
        gone = [entry[2] for entry in self.tasks]
        self.tasks.clear()
        self.free = [now] * len(self.free)
        return gone
