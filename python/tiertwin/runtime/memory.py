"""Peak resident memory of a stretch of a run.

Linux keeps a high-water mark that can be reset (``/proc/self/clear_refs``); elsewhere the process's own maximum is
taken, which includes whatever ran before.
"""

from __future__ import annotations

import resource
from pathlib import Path

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class PeakMemory:
    """Resets the high-water mark when made; :meth:`mb` reads it."""

    def __init__(self) -> None:
        try:
            _RESET.write_text("5")
            self._own = True
        except OSError:
            self._own = False

    def mb(self) -> float:
        """Peak resident memory since this was made, 10⁶ bytes."""
        if self._own:
            for line in _STATUS.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / 1e6
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
