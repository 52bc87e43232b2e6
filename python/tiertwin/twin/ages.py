"""How old a twin's inputs are (P14): the age a neighbour tells, plus the time since on our own clock.

Clocks of two hosts are never compared. The one exception is the last hop: a device says when it sampled by its own
clock, and nothing else is known of when that was.

    device ──time of sample──▸ edge ──age of each group's oldest sample──▸ fog ──age by class──▸ cloud
    every heartbeat and every lease: age of the oldest input in use
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.twin.twin import Twin

    F64 = npt.NDArray[np.float64]

MILLISECOND = 1_000_000
OLDEST_SAMPLE = 2_500 * MILLISECOND  # older task rates say nothing about the coming epoch: they are not in use
UNKNOWN_AGE_MS = 2**32 - 1
_NEVER = -(2**63)  # of a cell that was not written


class TableAges:
    """Ages of the rows of a child's table.

    Parameters
    ----------
    table
        What the child tells: samples of devices, or sums over them with the age of the oldest.
    by_exception
        It tells what moved and nothing else, so the time of a sample is not its age: only heartbeats tell that.
    """

    def __init__(self, table: _core.StateTable, *, by_exception: bool = False) -> None:
        self._table = table
        self.sampled = int(A.TASK_RATE) in table.attributes and not by_exception
        self._told = int(A.OLDEST) in table.attributes
        self.newest = _NEVER  # time of the newest age, on the child's clock
        self._came = 0  # when it came, on ours

    def note(self, came: int) -> bool:
        """Records came at `came` (ns, our clock); return whether they told a newer age."""
        if not self._told:
            return False
        newest = int(self._table.times(A.OLDEST).max())
        if newest == self.newest:
            return False
        self.newest, self._came = newest, came
        return True

    def of_rows(self, now: int) -> F64:
        """Age of each row's oldest sample at `now`, ms, [rows]; NaN where nothing was told."""
        if self.sampled:
            return self._since(A.TASK_RATE, now)
        if not self._told or self.newest == _NEVER:  # also of what a log restored: nobody says how long ago that was
            return np.full(self._table.rows, np.nan)
        at_child = self._since(A.OLDEST, self.newest)
        return np.asarray(self._table.column(A.OLDEST) + at_child + (now - self._came) / MILLISECOND)

    def _since(self, attribute: A, now: int) -> F64:
        times = self._table.times(attribute)
        return np.where(times == _NEVER, np.nan, (now - times) / MILLISECOND)

    def in_use(self, now: int) -> float:
        """Age of the oldest sample of a device that is young enough to be used, ms; NaN: there is none."""
        oldest = self._table.oldest(A.TASK_RATE, now - OLDEST_SAMPLE)
        return float("nan") if oldest == _NEVER else max(now - oldest, 0) / MILLISECOND


def input_age_ms(twin: Twin, now: int) -> int:
    """Return the age of the oldest input that `twin` uses, ms; ``UNKNOWN_AGE_MS`` while there is none.

    Of devices, samples that are too old to be used do not count; of twins, those whose session has ended.
    """
    oldest = 0
    for child in twin.children:
        if child.ages is not None and child.ages.sampled:
            age = child.ages.in_use(now)
            oldest = max(oldest, UNKNOWN_AGE_MS if age != age else int(age))
        elif child.live:
            oldest = max(oldest, child.peer.peer_age(now))
    return oldest
