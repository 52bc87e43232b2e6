"""Boosted trees behind the extra `ml`: the same features and interfaces, scikit-learn's histogram trees inside."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tiertwin.errors import MissingExtraError
from tiertwin.functions.assure.features import COUNT, Features
from tiertwin.functions.assure.narx import Regressor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]


def booster(loss: str = "squared_error", seed: int = 0, **options: Any) -> Any:
    """Return a fresh `sklearn.ensemble.HistGradientBoostingRegressor`; MissingExtraError without scikit-learn."""
    try:
        ensemble = importlib.import_module("sklearn.ensemble")
    except ImportError:
        raise MissingExtraError(
            'Boosted trees need scikit-learn, which is not installed: `pip install "tiertwin[ml]"`; '
            "kriging and ridge regression need nothing more"
        ) from None
    return ensemble.HistGradientBoostingRegressor(loss=loss, random_state=seed, **options)


class BoostedTrees(Regressor):
    """Boosted trees on the features of `RidgeNarx`, with the lead and the slots of day and week; one model for all."""

    name: ClassVar[str] = "boosted trees"
    ORIGINS: ClassVar[int] = 30  # of a lead that are learned from

    def _train(self, features: Features) -> None:
        model = booster(max_iter=200, learning_rate=0.05, max_leaf_nodes=31, min_samples_leaf=100)
        rows, targets = [], []
        for lead in range(1, self.calendar.per_day + 1):
            origins = self._origins(features, lead)
            chosen = origins if lead == 1 else origins[:: max(len(origins) // self.ORIGINS, 1)]
            rows.append(self._with_time(np.nan_to_num(features.ahead(chosen, lead)), chosen, lead))
            targets.append(features.z[:, chosen + lead - features.first_slot].ravel())
        self._model = model.fit(np.concatenate(rows), np.concatenate(targets))

    def _with_time(self, rows: F64, newest: NDArray[np.int64], lead: int) -> F64:
        slots = newest + lead
        time = np.stack([self.calendar.slot_of_day(slots), self.calendar.kind(slots), np.full_like(slots, lead)], -1)
        whole = np.concatenate([rows, np.broadcast_to(time, (len(rows), *time.shape))], axis=-1)
        return whole.reshape(-1, COUNT + time.shape[-1])

    def _ahead(self, horizon: int) -> F64:
        newest = np.array([self._past.next_slot - 1])
        rows = [self._with_time(self._rows(h)[:, None], newest, h) for h in range(1, horizon + 1)]
        return np.asarray(self._model.predict(np.concatenate(rows))).reshape(horizon, -1).T.copy()
