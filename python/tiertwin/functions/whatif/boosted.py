"""Boosted quantile trees, one column after the other: the stronger generator, behind the extra `ml`.

    x_j | context, x_1 … x_{j−1}      quantiles 5 … 95 % by gradient boosting on the 8 columns before it that rank
                                      correlation holds nearest; a share u ~ U(0, 1) is read between them

Quantiles that cross are put in order (V. Chernozhukov, I. Fernández-Val, A. Galichon, Econometrica 78, 2010); beyond
5 and 95 % tails are normal, as wide as the quantiles are there. Work is on normal scores. What is given comes first in
the order, so that a new set of given columns is learnt anew (and kept): minutes for a hundred columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tiertwin.functions.assure.boosted import booster
from tiertwin.functions.whatif import normal
from tiertwin.functions.whatif.correlation import rank_correlation
from tiertwin.functions.whatif.generators import Chance, Generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

LEVELS = np.array([0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
PARENTS = 8
OPTIONS: dict[str, Any] = {"max_iter": 40, "learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 20}
TIES = 1


class BoostedSequence(Generator):
    """Sequential conditional quantiles by scikit-learn's histogram trees; MissingExtraError without it."""

    name: ClassVar[str] = "boosted"

    def _learn(self) -> None:
        booster()  # tells at once what is missing
        history = self.history
        self._z = self.scores.of(history.rows, history.stratum, np.random.default_rng(TIES))
        self._alike = np.abs(rank_correlation(self._z))
        self._chains: dict[tuple[int, ...], list[_Step]] = {}

    def _draw(self, chosen: I64, wanted: Mapping[int, F64], rng: Chance) -> F64:
        stratum, count = self.history.stratum[chosen], len(chosen)
        given = tuple(k for k, j in enumerate(self.scores.made) if j in wanted)
        z = np.empty((count, len(self.scores.made)))
        for k in given:
            j = self.scores.made[k]
            z[:, k] = self.scores.one(j, wanted[j], stratum, rng.random(count))
        if given not in self._chains:
            self._chains[given] = self._chain(given)
        for step in self._chains[given]:
            z[:, step.column] = step.draw(self._features(z, stratum, step.parents), rng.random(count))
        return self.scores.rows(z, stratum)

    def _chain(self, given: tuple[int, ...]) -> list[_Step]:
        """Learn the columns that are not given, those first that most others resemble."""
        done = list(given)
        rest = [k for k in np.argsort(-self._alike.sum(axis=0), kind="stable").tolist() if k not in given]
        steps = []
        for k in rest:
            parents = sorted(done, key=lambda other: -self._alike[k, other])[:PARENTS]
            there = ~np.isnan(self._z[:, k])
            features = self._features(self._z, self.history.stratum, parents)[there]
            steps.append(_Step(k, parents, features, self._z[there, k]))
            done.append(k)
        return steps

    def _features(self, z: F64, stratum: I64, parents: list[int]) -> F64:
        return np.concatenate([self.history.strata[stratum], z[:, parents], np.ones((len(z), 1))], axis=1)


class _Step:
    """Quantiles of one column's score given those before."""

    def __init__(self, column: int, parents: list[int], features: F64, z: F64) -> None:
        self.column, self.parents = column, parents
        self._models = [booster("quantile", quantile=float(q), **OPTIONS).fit(features, z) for q in LEVELS]

    def draw(self, features: F64, u: F64) -> F64:
        """Return a score a row at the shares `u`."""
        if not len(u):
            return np.empty(0)
        found = np.sort(np.stack([model.predict(features) for model in self._models], axis=1), axis=1)
        at = np.clip(np.searchsorted(LEVELS, u) - 1, 0, len(LEVELS) - 2)
        row = np.arange(len(u))
        low, high = found[row, at], found[row, at + 1]
        inner = low + (high - low) * np.clip((u - LEVELS[at]) / (LEVELS[at + 1] - LEVELS[at]), 0.0, 1.0)
        beyond = np.clip(u, LEVELS[0], LEVELS[-1])  # normal tails, as wide as the quantiles are here
        wide = (found[:, -1] - found[:, 0]) / (normal.quantile(LEVELS[-1]) - normal.quantile(LEVELS[0]))
        result: F64 = inner + wide * (normal.quantile(u) - normal.quantile(beyond))
        return result
