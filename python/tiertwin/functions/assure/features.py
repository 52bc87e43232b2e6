"""What a regression of traffic is given: lags of slots, days and weeks, profiles, and what the neighbours do.

For the slot u = t + h, h slots after the newest t, with k = ceil(h/day) whole days:

    x(u − week), x(u − 2 week)          the weeks before           m_w(u)   mean of up to 5 weeks before
    x(u − k day), x(u − (k+1) day)      the days before            m_d(u)   mean of up to 10 days of u's kind before
    x(t), x(t−1), x(t−2)                the newest                 r = x − p,  p(u) = (m_w(u) + m_d(u))/2:
    r(t), mean of r over the last 3, 24 and 168 slots;  r(u − k day);  of the neighbours: r(t), mean of r over 6

The neighbours of a series are the `NEIGHBOURS` others whose newest weeks correlate most with its own. Ours, after the
additive autoregression with exogenous lags of the literature (NARX on what STL leaves: R. B. Cleveland et al., J. Off.
Stat. 6 (1990) 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.calendar import Calendar

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

NEIGHBOURS = 8
WEEKS_BACK, DAYS_BACK = 5, 14
COUNT = 17


def neighbours(z: F64) -> I64:
    """Return the series most alike to each, by correlation. [series, up to 8]"""
    count = min(NEIGHBOURS, len(z) - 1)
    alike = np.atleast_2d(np.corrcoef(z))
    alike[np.diag_indices(len(z))] = -np.inf
    result: I64 = np.argsort(-np.nan_to_num(alike, nan=-1.0, neginf=-2.0), axis=1, kind="stable")[:, :count]
    return result


class Features:
    """Features of a stretch of samples without holes; all of them from what is known at each slot.

    Parameters
    ----------
    z
        Samples, [series, n].
    first_slot
        Of the first column.
    calendar
        Days and weeks.
    nearest
        As from `neighbours`.
    """

    def __init__(self, z: F64, first_slot: int, calendar: Calendar, nearest: I64) -> None:
        self.z, self.first_slot, self.calendar = z, first_slot, calendar
        rest = z - self.profile(first_slot + np.arange(z.shape[1]), 1)
        rest = np.where(np.isnan(rest), 0.0, rest)
        around = rest[nearest].mean(axis=1) if nearest.shape[1] else np.zeros_like(rest)
        day, week = calendar.per_day, calendar.per_week
        self._rest = rest
        self._running = [_mean(rest, 3), _mean(rest, day), _mean(rest, week), around, _mean(around, max(day // 4, 1))]

    def profile(self, slots: I64, days: int) -> F64:
        """Return p of slots, from what lies `days` or more before; NaN where that is not known. [series, slots]"""
        weekly, daily = self._means(slots, days)
        return 0.5 * (weekly + daily)

    def _means(self, slots: I64, days: int) -> tuple[F64, F64]:
        day, week = self.calendar.per_day, self.calendar.per_week
        kind = self.calendar.kind(slots)
        weekly = [self._at(slots - k * week) for k in range(1, WEEKS_BACK + 1)]
        daily = []
        for k in range(days, days + DAYS_BACK):
            before = slots - k * day
            daily.append(np.where(self.calendar.kind(np.maximum(before, 0)) == kind, self._at(before), np.nan))
        return _known_mean(weekly), _known_mean(daily)

    def _at(self, slots: I64) -> F64:
        """Return samples of slots; NaN where they are not held."""
        column = slots - self.first_slot
        held = (column >= 0) & (column < self.z.shape[1])
        return np.where(held, self.z[:, np.where(held, column, 0)], np.nan)

    def ahead(self, newest: I64, lead: int) -> F64:
        """Return the features of the slots `lead` after each of `newest`. [series, newest, COUNT]"""
        day, week = self.calendar.per_day, self.calendar.per_week
        days = -(-lead // day)
        slots, column = newest + lead, newest - self.first_slot
        weekly, daily = self._means(slots, days)
        the_day_before = self._at(slots - days * day)
        rows = [self._at(slots - week), self._at(slots - 2 * week), weekly, daily, the_day_before]
        rows += [self._at(slots - (days + 1) * day), *(self._at(newest - k) for k in range(3))]
        rows += [self._rest[:, column], *(mean[:, column] for mean in self._running)]
        rows.append(the_day_before - self.profile(slots - days * day, 1))
        rows.append(np.ones_like(weekly))
        return np.stack(rows, axis=-1)


def _mean(values: F64, count: int) -> F64:
    """Running mean over the last `count` columns."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    end = np.arange(1, values.shape[1] + 1)
    start = np.maximum(end - count, 0)
    result: F64 = (total[:, end] - total[:, start]) / (end - start)
    return result


def _known_mean(rows: list[F64]) -> F64:
    stacked = np.stack(rows)
    known = ~np.isnan(stacked)
    count = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    result: F64 = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return result
