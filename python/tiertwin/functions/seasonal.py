"""What returns every day or week, followed slot by slot, beside an `Aligner` of what is left.

    x(t) = p(t) + r(t)     p: running mean of each slot of the period (gain max(1/visits, 0.2)), straight lines between
                           the middles of slots;  r: an `Aligner`

Each row uses the profile only while that is better by a tenth: the running squared error `horizon_s` ahead, with the
profile and without, is judged as within `Aligner`. Until its slots were visited once a row does without.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tiertwin.errors import InputError
from tiertwin.functions.align import F64, I64, Aligner

GAIN = 0.2
MARGIN = 0.9


class SeasonalAligner:
    """An `Aligner` around a profile that repeats, and one without.

    Parameters
    ----------
    rows, method, horizon_s, memory
        As for `Aligner`.
    period_s
        Of the profile, s.
    slots
        Parts of a period, each with a value of its own, at least 2.
    """

    def __init__(
        self,
        rows: int,
        period_s: float,
        slots: int,
        method: str = "best",
        *,
        horizon_s: float = 0.0,
        memory: float = 100.0,
    ) -> None:
        if not (np.isfinite(period_s) and period_s > 0.0):
            raise InputError(f"period_s: expected a positive, finite number, got {period_s}", "SeasonalAligner")
        if slots < 2:
            raise InputError(f"slots: expected at least 2, got {slots}", "SeasonalAligner")
        self.plain = Aligner(rows, method, horizon_s=horizon_s, memory=memory)
        self.rest = Aligner(rows, method, horizon_s=horizon_s, memory=memory)
        self.period_s, self.slots = float(period_s), slots
        self._profile = np.zeros((rows, slots))
        self._visits = np.zeros((rows, slots), dtype=np.int64)

    def observe(self, rows: I64, values: ArrayLike, times_s: ArrayLike) -> int:
        """Take samples as `Aligner.observe` does."""
        rows, value, time = self.plain.checked(rows, values, times_s)
        newer = ~(self.plain.age(0.0)[rows] <= -time)  # age at 0 is minus the time of the newest
        late = self.plain.observe(rows, value, time)
        rows, value, time = rows[newer], value[newer], time[newer]
        base = self._base(rows, time)
        known = ~np.isnan(base)
        self.rest.observe(rows[known], value[known] - base[known], time[known])
        self._learn(rows, value, time)
        return late

    def at(self, time_s: float) -> F64:
        """Return every row at one time, [rows]; NaN as in `Aligner.at`."""
        plain = self.plain.at(time_s)
        seasonal = self.rest.at(time_s) + self._base(np.arange(self.plain.rows), np.full(self.plain.rows, time_s))
        result: F64 = np.where(self.seasonal() & ~np.isnan(seasonal), seasonal, plain)
        return result

    def age(self, time_s: float) -> F64:
        """Return the age of information of every row, s. [rows]"""
        return self.plain.age(time_s)

    def seasonal(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return which rows use the profile. [rows]"""
        return self.rest.error() < MARGIN * self.plain.error()

    def _base(self, rows: I64, time: F64) -> F64:
        """Return the profile; NaN next to a slot not visited."""
        place = np.mod(time, self.period_s) / self.period_s * self.slots - 0.5
        low = np.floor(place)
        share = place - low
        before = np.mod(low, self.slots).astype(np.int64)
        after = np.mod(before + 1, self.slots)
        value = (1.0 - share) * self._profile[rows, before] + share * self._profile[rows, after]
        known = (self._visits[rows, before] > 0) & ((self._visits[rows, after] > 0) | (share == 0.0))
        result: F64 = np.where(known, value, np.nan)
        return result

    def _learn(self, rows: I64, value: F64, time: F64) -> None:
        slot = np.floor(np.mod(time, self.period_s) / self.period_s * self.slots).astype(np.int64) % self.slots
        self._visits[rows, slot] += 1
        gain = np.maximum(1.0 / self._visits[rows, slot], GAIN)
        self._profile[rows, slot] += gain * (value - self._profile[rows, slot])
