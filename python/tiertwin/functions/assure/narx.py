"""Forecasts by regression on lags and profiles, one linear model a lead, shared by all series."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tiertwin.functions.assure.features import COUNT, DAYS_BACK, WEEKS_BACK, Features, neighbours
from tiertwin.functions.assure.forecast import Forecaster
from tiertwin.functions.assure.past import Past

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]


class Regressor(Forecaster):
    """What regressions on `Features` share: the past, the neighbours, which rows to learn from."""

    weeks: ClassVar[int] = 3

    def _learn(self, z: F64, first_slot: int) -> None:
        self._nearest = neighbours(z)
        self._past = Past(z, first_slot, max((WEEKS_BACK + 3) * 7, DAYS_BACK + 14) * self.calendar.per_day)
        self._made: Features | None = None
        self._train(Features(z, first_slot, self.calendar, self._nearest))

    def _origins(self, features: Features, lead: int) -> NDArray[np.int64]:
        """Slots after which the target and two weeks before it are known."""
        first = features.first_slot + 2 * self.calendar.per_week
        return np.arange(first, features.first_slot + features.z.shape[1] - lead)

    def _append(self, z: F64, slot: int) -> None:
        self._past.append(z)
        self._made = None

    def _features(self) -> Features:
        if self._made is None:
            newest = (WEEKS_BACK + 2) * self.calendar.per_week
            values = self._past.values[:, -newest:]
            self._made = Features(values, self._past.next_slot - values.shape[1], self.calendar, self._nearest)
        return self._made

    def _rows(self, lead: int) -> F64:
        """Features of the slot `lead` after the newest, [series, COUNT]."""
        rows = self._features().ahead(np.array([self._past.next_slot - 1]), lead)[:, 0]
        return np.nan_to_num(rows)

    @abstractmethod
    def _train(self, features: Features) -> None:
        """Learn from the features of a history without holes."""


class RidgeNarx(Regressor):
    """Ridge regression a lead: as many as a day has slots are learned; farther ahead, that of the same slot of the day.

    Parameters
    ----------
    ridge
        Strength, as a share of the mean square of the features.
    others
        As for `Forecaster`.
    """

    name: ClassVar[str] = "ridge"
    RIDGE: ClassVar[float] = 1e-3
    EVERY: ClassVar[int] = 3  # origins of leads above 1: each third slot, which changes little and costs a third

    def _train(self, features: Features) -> None:
        self._weights = np.stack([self._weights_of(features, lead) for lead in range(1, self.calendar.per_day + 1)])

    def _weights_of(self, features: Features, lead: int) -> F64:
        origins = self._origins(features, lead)[:: 1 if lead == 1 else self.EVERY]
        rows = np.nan_to_num(features.ahead(origins, lead)).reshape(-1, COUNT)
        target = features.z[:, origins + lead - features.first_slot].ravel()
        gram = rows.T @ rows
        gram[np.diag_indices(COUNT)] += self.RIDGE * np.trace(gram) / COUNT
        return np.linalg.solve(gram, rows.T @ target).astype(np.float64)

    def _ahead(self, horizon: int) -> F64:
        per_day = self.calendar.per_day
        return np.stack([self._rows(h) @ self._weights[(h - 1) % per_day] for h in range(1, horizon + 1)], axis=1)
