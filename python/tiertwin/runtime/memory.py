"""Peak resident memory of a stretch of a run.

Linux keeps a high-water mark that can be reset (``/proc/self/clear_refs``); elsewhere the process's own maximum is
taken, which includes whatever ran before.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_STATM = Path("/proc/self/statm")


def high_water_mb() -> float:
    """Peak resident memory of this process since it began (VmHWM), 10⁶ bytes."""
    return _high_water() or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def resident_mb() -> float:
    """Resident memory of this process now, 10⁶ bytes; 0 where the system does not say."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * resource.getpagesize() / 1e6


def usage_of(pid: int) -> tuple[float, float]:
    """CPU time (user + system, s) and resident memory (bytes) of a process; zeros where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        ticks, pages = int(fields[11]) + int(fields[12]), int(fields[21])
    except (OSError, IndexError, ValueError):
        return 0.0, 0.0
    return ticks / os.sysconf("SC_CLK_TCK"), float(pages * resource.getpagesize())


def _high_water() -> float:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), 0.0)


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
        if self._own and (found := _high_water()):
            return found
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
