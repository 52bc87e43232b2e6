"""Forecasts without regression: the week before, and exponential smoothing with two cycles."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tiertwin._core import DoubleSeason
from tiertwin.functions.assure.forecast import Forecaster
from tiertwin.functions.assure.past import Past

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]


class SeasonalNaive(Forecaster):
    """As it was a week ago: the baseline of every table."""

    name: ClassVar[str] = "weekly naive"
    weeks: ClassVar[int] = 1

    def _learn(self, z: F64, first_slot: int) -> None:
        self._past = Past(z, first_slot, self.calendar.per_week)

    def _append(self, z: F64, slot: int) -> None:
        self._past.append(z)

    def _ahead(self, horizon: int) -> F64:
        start = self._past.next_slot - self.calendar.per_week
        return self._past.at(start + np.arange(horizon))


class HoltWinters(Forecaster):
    """Level, day and week smoothed exponentially, errors carried over; gains fitted a series by one-step errors.

    J. W. Taylor, J. Oper. Res. Soc. 54 (2003) 799. The gains are searched on a grid and then coordinate by coordinate.
    """

    name: ClassVar[str] = "Holt-Winters"
    GRID: ClassVar[tuple[tuple[float, ...], ...]] = ((0.005, 0.03, 0.1), (0.02, 0.1), (0.05, 0.2), (0.05, 0.25))
    ROUNDS: ClassVar[int] = 4

    def _learn(self, z: F64, first_slot: int) -> None:
        series = len(z)
        self._model = DoubleSeason(series, self.calendar.per_day, self.calendar.per_week)
        gains, best = np.zeros((series, 4)), np.full(series, np.inf)
        for point in product(*self.GRID):
            gains, best = self._better(z, np.tile(point, (series, 1)), gains, best)
        factor = 2.0
        for _ in range(self.ROUNDS):
            for k in range(4):
                for step in (factor, 1.0 / factor):
                    tried = gains.copy()
                    tried[:, k] = np.minimum(tried[:, k] * step, 0.95)
                    gains, best = self._better(z, tried, gains, best)
            factor = factor**0.6
        self._model.follow(z, gains)
        self.gains = gains
        """alpha, delta, omega, phi of each series."""

    def _better(self, z: F64, tried: F64, gains: F64, best: F64) -> tuple[F64, F64]:
        square = self._model.follow(z, tried)
        won = square < best
        return np.where(won[:, None], tried, gains), np.where(won, square, best)

    def _append(self, z: F64, slot: int) -> None:
        self._model.update(z)

    def _ahead(self, horizon: int) -> F64:
        return self._model.ahead(horizon)
