"""When the nodes of a process report under the real clock: at intervals, and sooner where something came from below.

Each process has ticks of its own, and none knows when those of its children are: what comes a moment after a tick would
wait a whole interval, at every tier again. So what comes half an interval after the last report or later is told at
once, and the intervals begin anew there; what comes sooner waits for that half. A process falls into step with one
below it and then reports no more often than it; with several out of step it reports twice an interval at most (P14).
"""

from __future__ import annotations


class ReportClock:
    """See the module. Times are ns on one clock that does not go back.

    Parameters
    ----------
    interval
        Between two reports while nothing comes, ns, at least 2.
    """

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._next = self._early = 0
        self._news = False

    def begin(self, now: int) -> None:
        """Report at `now` first."""
        self._next = self._early = now

    def came(self) -> None:
        """Records of a child in another process took effect: our own reports do not have them yet."""
        self._news = True

    @property
    def next_ns(self) -> int:
        """When the next report is due, by what is known now."""
        return min(self._early, self._next) if self._news else self._next

    def due(self, now: int) -> bool:
        """Whether to report at `now`; asked once a turn, as what is due counts as done."""
        if now < self.next_ns:
            return False
        on_time = self._next + self._interval
        self._next = now + self._interval if self._news else max(on_time, now)
        self._early = now + self._interval // 2
        self._news = False
        return True
