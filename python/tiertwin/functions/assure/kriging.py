"""Forecasts by a Gaussian process in time that all series share: `covariance` has its law, `GrowingFactor` keeps it.

The forecast is the best linear one for that covariance: how many weeks to average, how far a day resembles the one
before, how long a surprise lingers all follow from it, and nothing is tuned by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tiertwin._core import GrowingFactor
from tiertwin.functions.assure import covariance
from tiertwin.functions.assure.forecast import Forecaster
from tiertwin.functions.assure.past import Past

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

KEPT_WEEKS = 8


class Kriging(Forecaster):
    """Best linear forecast for a covariance fitted to all series; with parameters as for `Forecaster`.

    A sample costs n² operations, n ≤ 9 weeks of slots; then the oldest week is dropped and the factor made anew.
    """

    name: ClassVar[str] = "kriging"

    def _learn(self, z: F64, first_slot: int) -> None:
        self.theta = covariance.fit(z, first_slot, self.calendar)
        """Logarithms of the covariance's parameters, as `covariance.START`."""
        length = (KEPT_WEEKS + 3) * self.calendar.per_week
        self._tables = covariance.tables(self.theta, length, self.calendar)
        self._past = Past(z, first_slot, KEPT_WEEKS * self.calendar.per_week)
        self._renew()

    def _renew(self) -> None:
        slots = np.arange(self._past.next_slot - KEPT_WEEKS * self.calendar.per_week, self._past.next_slot)
        slots = slots[slots >= self._past.first_slot]
        values = np.ascontiguousarray(self._past.at(slots).T)
        self._factor = GrowingFactor(values.shape[1], *self._tables, covariance.noise(self.theta))
        for slot, kind, row in zip(slots.tolist(), self.calendar.kind(slots).tolist(), values, strict=True):
            self._factor.append(slot, kind, row)

    def _append(self, z: F64, slot: int) -> None:
        self._past.append(z)
        self._factor.append(slot, int(self.calendar.kind(slot)), z)
        if self._factor.samples >= (KEPT_WEEKS + 1) * self.calendar.per_week:
            self._renew()

    def _ahead(self, horizon: int) -> F64:
        slots = self._past.next_slot + np.arange(horizon)
        mean, _ = self._factor.ahead(slots, self.calendar.kind(slots))
        return np.ascontiguousarray(mean.T)
