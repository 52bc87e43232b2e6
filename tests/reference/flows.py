"""A station shared by flows in proportion to weights, naively: every task's work counts down at every change.

Oracle of `cpp/plant/flows.hpp` inside `reference.plant`. Flows are named by any hashable key; rates come from filling
the flow that saturates first, then the next.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import Any

_NEVER = 1 << 62


class FlowQueue:
    """`servers` of `speed` shared by flows; inside a flow "ps" (a task has one server at most) or "fifo"."""

    def __init__(self, within: str, servers: float, speed: float, buffer_s: float, flows: Iterable[Hashable]) -> None:
        self.within, self.servers, self.speed, self.buffer_s = within, servers, speed, buffer_s
        self.capacity = servers * speed
        self.share: dict[Hashable, float | None] = dict.fromkeys(flows)
        self.flows: dict[Hashable, list[list[Any]]] = {flow: [] for flow in self.share}  # [work left, order, task]
        self.last, self.busy_s, self.order, self.up, self.announced = 0, 0.0, 0, True, 0

    @property
    def tasks(self) -> list[list[Any]]:
        """Return every task here."""
        return [entry for tasks in self.flows.values() for entry in tasks]

    def weight(self, flow: Hashable) -> float:
        """Return what was granted (an equal part if nothing was) and a floor."""
        equal, share = self.capacity / len(self.share), self.share[flow]
        return (equal if share is None else min(share, self.capacity)) + 1e-3 * equal

    def servers_of(self) -> dict[Hashable, float]:
        """Return the servers each flow has now."""
        usable = {f: (len(t) if self.within == "ps" else 1) for f, t in self.flows.items() if t}
        out: dict[Hashable, float] = {}
        left = self.servers
        order = sorted(usable, key=lambda f: usable[f] / self.weight(f))
        for k, flow in enumerate(order):
            part = left * self.weight(flow) / sum(self.weight(f) for f in order[k:])
            out[flow] = min(usable[flow], part)
            left -= out[flow]
        return out

    def advance(self, now: int) -> None:
        """Serve what is here up to `now`."""
        elapsed = (now - self.last) * 1e-9
        self.last = now
        for flow, servers in self.servers_of().items():
            self.busy_s += servers * elapsed
            tasks = self.flows[flow]
            for entry in tasks if self.within == "ps" else tasks[:1]:
                entry[0] -= self.speed * servers * elapsed / (len(tasks) if self.within == "ps" else 1)

    def grant(self, now: int, shares: dict[Hashable, float]) -> None:
        """Grant shares from now on."""
        self.advance(now)
        self.share.update(shares)

    def set_speed(self, now: int, speed: float) -> None:
        """Change the speed from now on."""
        self.advance(now)
        self.speed = speed

    def join(self, now: int, task: Any, work: float, flow: Hashable) -> bool:
        """Let a task in, or refuse it."""
        self.advance(now)
        if not self.up:
            return False
        full = self.buffer_s * self.servers * self.speed
        guaranteed = self.weight(flow) / sum(self.weight(f) for f in self.share)
        backlog = sum(max(0.0, entry[0]) for entry in self.flows[flow])
        if sum(max(0.0, entry[0]) for entry in self.tasks) > full and backlog > full * guaranteed:
            return False
        self.order += 1
        self.flows[flow].append([work, self.order, task])
        return True

    def _next(self) -> tuple[int, Hashable]:
        best: tuple[int, Hashable] = (_NEVER, None)
        for flow, servers in self.servers_of().items():
            tasks = self.flows[flow]
            left = min(tasks)[0] if self.within == "ps" else tasks[0][0]
            rate = self.speed * servers / (len(tasks) if self.within == "ps" else 1)
            time = self.last + math.ceil(max(0.0, left) / rate * 1e9)
            if time < best[0]:
                best = (time, flow)
        return best

    def next(self) -> int:
        """Return the time of the next departure."""
        return self._next()[0]

    def depart(self, now: int) -> Any:
        """Return the task that leaves now."""
        _, flow = self._next()
        self.advance(now)
        tasks = self.flows[flow]
        first = min(tasks) if self.within == "ps" else tasks[0]
        tasks.remove(first)
        return first[2]

    def evict(self, now: int) -> list[Any]:
        """Forget every task and return them."""
        self.advance(now)
        gone = [entry[2] for entry in self.tasks]
        for tasks in self.flows.values():
            tasks.clear()
        return gone
