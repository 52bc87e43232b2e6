"""The virtual clock: what happens next, and in which order things of the same instant happen."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiertwin.wire.memory import MemoryNetwork

# At one instant: frames are delivered, the plant reports, twins report, epochs begin, answers come, timers fire.
DELIVERY, SENSE, REPORT, EPOCH, ANSWER, TIMER = range(6)


class Schedule:
    """A heap of (time, kind, order of entry); deliveries are taken from the network.

    Ties are broken by the order of entry, never by a name or an address, so that a run repeats exactly.
    """

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network
        self._heap: list[tuple[int, int, int, Any]] = []
        self._number = 0

    def add(self, at: int, kind: int, what: Any) -> None:
        """Enter `what` at virtual time `at` (ns)."""
        self._number += 1
        heapq.heappush(self._heap, (at, kind, self._number, what))

    def next_time(self) -> int | None:
        """Virtual time of the next thing, None when there is none."""
        times = [t for t in (self._network.next_time(), self._heap[0][0] if self._heap else None) if t is not None]
        return min(times, default=None)

    def pop(self, until: int) -> tuple[int, int, Any] | None:
        """Take the next thing before `until` as (time, kind, what); None when there is none."""
        delivery = self._network.next_time()
        own = self._heap[0] if self._heap else None
        if delivery is not None and (own is None or (delivery, DELIVERY) <= own[:2]):
            if delivery >= until:
                return None
            at, sender, receiver, frame = self._network.pop()
            return at, DELIVERY, (sender, receiver, frame)
        if own is None or own[0] >= until:
            return None
        at, kind, _, what = heapq.heappop(self._heap)
        return at, kind, what
