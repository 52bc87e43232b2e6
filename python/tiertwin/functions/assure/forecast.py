"""Forecasts of many series behind one interface, with bands that are calibrated series by series.

    model = Kriging(Calendar(per_day=24, first_day=4)).fit(history)     # [series, time]
    model.update(sample)                                               # [series]; NaN: not seen
    ahead = model.predict(24)                                          # ahead.mean, .lower, .upper: [series, 24]

A method works on one scale (`Scale`) and says where it expects the next slots; all else is here: checks, holes, the
clock, and the bands. `fit` learns from all but the newest `calibration_days`, forecasts those as they came, and what
these forecasts missed makes the bands (`ScoreBook`: docs/assurance-forecast.md#bands); then it learns anew from all.
There are two books: of forecasts of the next slot, and of forecasts made at the start of a day for its slots.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tiertwin._core import ScoreBook
from tiertwin.errors import InputError
from tiertwin.functions.assure.calendar import Calendar
from tiertwin.functions.assure.history import Scale, checked, filled

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]

MEMORY_DAYS = 28  # whose scores make a band
HALF_LIFE_DAYS = 21.0  # of a score's weight
ADAPT = 0.005  # step of the adapting level, by the series' own misses
ADAPT_SHARED = 0.05  # and by those of all series
LEAST_SPREAD = 1e-6  # of a slot of the day, on the scale of the models


@dataclass(frozen=True)
class Forecast:
    """Centres and bands, each [series, horizon], in the unit of the history.

    `mean` is the centre of the forecast on the scale of the model: with the square root it is the median rather than
    the mean of what may come (it minimises absolute errors). A bound is infinite (below: 0, with the square root) while
    there are too few forecasts to calibrate its level: 2/(1 − level) − 1 of each book.
    """

    mean: F64
    lower: F64
    upper: F64


class Forecaster(ABC):
    """What all methods share.

    Parameters
    ----------
    calendar
        Days and weeks of the slots.
    level
        Share of future values that a band is to hold, (0, 1).
    scale
        'root': models work on square roots (counts, rates; values ≥ 0); 'plain': on the values.
    calibration_days
        Newest days of a history kept for the bands, at least 2.
    """

    name: ClassVar[str] = ""
    weeks: ClassVar[int] = 2  # a method learns from at least so many

    def __init__(
        self,
        calendar: Calendar | None = None,
        *,
        level: float = 0.9,
        scale: str = "root",
        calibration_days: int = 14,
    ) -> None:
        where, problems = type(self).__name__, []
        if not 0.0 < level < 1.0:
            problems.append(f"level: expected a share in (0, 1), got {level}")
        if scale not in ("root", "plain"):
            problems.append(f"scale: expected 'root' or 'plain', got {scale!r}")
        if calibration_days < 2:
            problems.append(f"calibration_days: expected at least 2, got {calibration_days}")
        if problems:
            raise InputError(problems, where)
        self.calendar = Calendar() if calendar is None else calendar
        self.level, self.root, self.calibration_days = level, scale == "root", calibration_days
        self._next = -1  # slot of the next sample

    @property
    def least_samples(self) -> int:
        """Samples that `fit` needs."""
        return self.weeks * self.calendar.per_week + self.calibration_days * self.calendar.per_day

    def fit(self, history: ArrayLike, first_slot: int = 0) -> Self:
        """Learn from a history, [series, time]; the first column is slot `first_slot`. Raises InputError."""
        where = f"{type(self).__name__}.fit"
        values = checked(history, self.least_samples, counts=self.root, where=where)
        if first_slot < 0:
            raise InputError(f"first_slot: expected at least 0, got {first_slot}", where)
        held = self.calibration_days * self.calendar.per_day
        slots = first_slot + np.arange(values.shape[1])
        early = values[:, :-held]
        if np.isnan(early).all(axis=1).any():
            rows = np.flatnonzero(np.isnan(early).all(axis=1))[:5].tolist()
            raise InputError(f"history: series {rows} have values in their last days only; leave them out", where)
        self._scale = Scale.of(early, root=self.root)
        z = self._scale.into(values)
        self._learn(np.ascontiguousarray(filled(z[:, :-held], slots[:-held], self.calendar)), first_slot)
        self._next = first_slot + early.shape[1]
        self._calibrate(z[:, -held:])
        self._learn(np.ascontiguousarray(filled(z, slots, self.calendar)), first_slot)
        return self

    def update(self, sample: ArrayLike, slot: int | None = None) -> None:
        """Take the sample of one slot, [series]; NaN: not seen. Slots that are skipped count as not seen.

        Raises InputError: before `fit`, another number of series, or a clock that goes backwards.
        """
        where = f"{type(self).__name__}.update"
        self._fitted(where)
        slot = self._next if slot is None else slot
        if slot < self._next:
            raise InputError(
                f"slot: expected {self._next} or later, got {slot}: the clock went backwards; sort the samples, or fit "
                "anew from the history you trust",
                where,
            )
        if slot - self._next > self.calendar.per_week:
            raise InputError(
                f"slot: expected at most a week after {self._next}, got {slot}; fit anew with the gap as NaN", where
            )
        values = np.asarray(sample, dtype=np.float64)
        if values.shape != self._scale.centre.shape or np.isinf(values).any() or (self.root and (values < 0.0).any()):
            kind = "of at least 0" if self.root else "finite"
            raise InputError(
                f"sample: expected {len(self._scale.centre)} values {kind} or NaN (one a series), got {values.shape}",
                where,
            )
        while self._next < slot:
            self._take(np.full_like(values, np.nan))
        self._take(self._scale.into(values))

    def predict(self, horizon: int) -> Forecast:
        """Return the next `horizon` slots; beyond a day the bands are those of the day before, and not calibrated."""
        where = f"{type(self).__name__}.predict"
        self._fitted(where)
        if not 1 <= horizon <= self.calendar.per_week:
            raise InputError(f"horizon: expected 1 … {self.calendar.per_week} slots (a week), got {horizon}", where)
        z = self._ahead(horizon)
        lower, upper = np.empty_like(z), np.empty_like(z)
        place = self.calendar.slot_of_day(self._next + np.arange(horizon))
        for book, spread, columns in (
            (self._soon, self._spread[0], slice(0, 1)),
            (self._later, self._spread[1], slice(1, horizon)),
        ):
            low, high = book.bounds()
            lower[:, columns] = z[:, columns] + low[:, None] * spread[place[columns]]
            upper[:, columns] = z[:, columns] + high[:, None] * spread[place[columns]]
        back = self._scale.back
        return Forecast(back(z), back(lower), back(upper))

    def _fitted(self, where: str) -> None:
        if self._next < 0:
            raise InputError("expected fit(history) before", where)

    def _calibrate(self, z: F64) -> None:
        """Forecast the days that were kept as they came, and make the books of what was missed."""
        series, per_day = len(z), self.calendar.per_day
        self._plan, self._plan_start = np.empty((series, 0)), 0
        self._spread = np.ones((2, per_day))
        decay = 0.5 ** (1.0 / (HALF_LIFE_DAYS * per_day))
        books = [ScoreBook(series, MEMORY_DAYS * per_day, self.level, decay, ADAPT, ADAPT_SHARED) for _ in range(2)]
        self._soon, self._later = books
        place = self.calendar.slot_of_day(self._next + np.arange(z.shape[1]))
        missed = np.stack([self._follow(z[:, t]) for t in range(z.shape[1])], axis=-1)  # [2, series, time]
        for book, left, spread in zip(books, missed, self._spread, strict=True):
            for k in range(per_day):
                size = np.abs(left[:, place == k])
                spread[k] = max(float(size[~np.isnan(size)].mean()), LEAST_SPREAD) if (~np.isnan(size)).any() else 1.0
            for t in range(z.shape[1]):
                book.push(np.ascontiguousarray(left[:, t] / spread[place[t]]))

    def _take(self, sample: F64) -> None:
        place = int(self.calendar.slot_of_day(self._next))
        missed = self._follow(sample)
        for book, left, spread in zip((self._soon, self._later), missed, self._spread, strict=True):
            book.push(np.ascontiguousarray(left / spread[place]))

    def _follow(self, sample: F64) -> F64:
        """Hand a sample to the method; return what was missed: of the next slot, and at the day's start. [2, series]"""
        if self.calendar.slot_of_day(self._next) == 0:
            self._plan, self._plan_start = self._ahead(self.calendar.per_day), self._next
            soon = self._plan[:, 0]
        else:
            soon = self._ahead(1)[:, 0]
        lead = self._next - self._plan_start
        later = self._plan[:, lead] if 0 < lead < self._plan.shape[1] else np.full_like(sample, np.nan)
        missed = np.stack([sample - soon, sample - later])
        self._append(np.ascontiguousarray(np.where(np.isnan(sample), soon, sample)), self._next)
        self._next += 1
        return missed

    @abstractmethod
    def _learn(self, z: F64, first_slot: int) -> None:
        """Learn from a history without holes, on the models' scale, [series, time]."""

    @abstractmethod
    def _append(self, z: F64, slot: int) -> None:
        """Take the sample of the next slot, without holes. [series]"""

    @abstractmethod
    def _ahead(self, horizon: int) -> F64:
        """Return where the next slots are expected. [series, horizon]"""
