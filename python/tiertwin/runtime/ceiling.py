"""The ceiling on a process's memory (R42): above it the process ends, and its next life begins where it began.

What an admitted peer can make libzmq hold is bounded by nothing else: parts of a message that never ends are in no
queue with a limit. So the loop looks at its own resident memory, and ends at once where it has grown by more than
`ALLOWED_MB` since everything was built. That is fixed and not a share: what grows with the network, its tables and
models, is there when the loop begins.
"""

from __future__ import annotations

from collections.abc import Callable

from tiertwin.runtime.memory import resident_mb

ALLOWED_MB = 256.0  # 10⁶ bytes; P10
MEMORY_EXIT = 75  # exit code of a process that went over it: EX_TEMPFAIL of sysexits(3), start it again


class Ceiling:
    """Looks at resident memory; the first look says what the process needs.

    Parameters
    ----------
    allowed_mb
        Growth since then, 10⁶ bytes, > 0.
    resident
        Resident memory now, 10⁶ bytes; 0 where the system does not say: then there is no ceiling.
    """

    def __init__(self, allowed_mb: float = ALLOWED_MB, resident: Callable[[], float] = resident_mb) -> None:
        self._allowed, self._resident = allowed_mb, resident
        self.began_mb = 0.0
        """What the process had at the first look."""

    def begin(self) -> None:
        """Everything is built: what is there now is needed."""
        self.began_mb = self._resident()

    def exceeded(self) -> float:
        """Return what is resident now, 10⁶ bytes, where that is above the ceiling; else 0."""
        now = self._resident()
        return now if self.began_mb > 0.0 and now > self.began_mb + self._allowed else 0.0
