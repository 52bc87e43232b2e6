"""The real clock of a process: wall time at the start, counted on by the monotonic clock, so that it never steps."""

from __future__ import annotations

import time

SECOND = 1_000_000_000


class RealClock:
    """Nanoseconds since 1970, monotonic within the process.

    Between hosts it is as good as their wall clocks were when the processes started; nothing that must be safe depends
    on that: leases are counted on one process's own clock (R17).
    """

    def __init__(self) -> None:
        self._offset = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Time, ns."""
        return time.monotonic_ns() + self._offset


class EpochClock:
    """Base epochs under the real clock: counted by the own clock, following a parent that is ahead, never backwards.

    Parameters
    ----------
    origin
        When epoch 0 begins, ns.
    base_s
        Length of a base epoch, s.
    """

    def __init__(self, origin: int, base_s: float) -> None:
        self._origin = origin
        self._base = int(base_s * SECOND)
        self.epoch = -1

    def next_ns(self) -> int:
        """When the next epoch begins."""
        return self._origin + (self.epoch + 1) * self._base

    def begun(self, now: int) -> int | None:
        """Return the epoch that has begun by `now`, None when there is no new one; those slept through are left out."""
        if now < self.next_ns():
            return None
        self.epoch = (now - self._origin) // self._base
        return self.epoch

    def follow(self, epoch: int, now: int) -> None:
        """The parent is in `epoch`: if that is ahead of us, it begins here now. Epoch 0 is said before it begins."""
        if epoch > max(self.epoch, 0) and self.next_ns() > now:
            self._origin = now - epoch * self._base
