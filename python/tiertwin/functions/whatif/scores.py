"""Rows as normal scores: each column on its own standard normal scale, the same in every context.

A column's centre and spread in each context (stratum), on its scale, are taken out first:

    r = (y − centre_s)/spread_s      centre_s: n_s/(n_s + κ) of the stratum's mean, the rest of that of all rows
                                     κ: variance within strata over variance between them (empirical Bayes)
                                     spread_s²: of the stratum and 10 rows' worth of what all strata have within them

and the marginal of what is left is shared by all contexts. A constant column has no score and is carried as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.whatif import normal
from tiertwin.functions.whatif.marginals import Continuous, Discrete

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.whatif.columns import History

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

LEAST_PRIOR, MOST_PRIOR, PRIOR_SPREAD = 1e-6, 1e6, 10.0
FURTHEST = 8.0  # a score; Φ(−8) is 6e-16


@dataclass(frozen=True, eq=False)
class Scores:
    """What was learnt of each column.

    Parameters
    ----------
    history
        What it was learnt from.
    made
        Places of the columns that have scores, neither context nor constant.
    constant
        Place → value of those that never change.
    """

    history: History
    made: tuple[int, ...]
    constant: dict[int, float]
    _centre: dict[int, F64]
    _spread: dict[int, F64]
    _marginal: dict[int, Continuous | Discrete]

    @classmethod
    def fit(cls, history: History) -> Scores:
        """Learn every column."""
        centre: dict[int, F64] = {}
        spread: dict[int, F64] = {}
        marginal: dict[int, Continuous | Discrete] = {}
        constant: dict[int, float] = {}
        strata = len(history.strata)
        for j, column in enumerate(history.columns):
            if column.kind == "context":
                continue
            there = ~np.isnan(history.rows[:, j])
            known, stratum = history.rows[there, j], history.stratum[there]
            if known.min() == known.max():
                constant[j] = float(known[0])
            elif column.kind == "discrete":
                marginal[j] = Discrete.fit(known, stratum, strata)
            else:
                y = column.forth(known)
                centre[j], spread[j] = _profile(y, stratum, strata)
                marginal[j] = Continuous.fit((y - centre[j][stratum]) / spread[j][stratum])
        return cls(history, tuple(sorted(marginal)), constant, centre, spread, marginal)

    def of(self, rows: F64, stratum: I64, rng: np.random.Generator | None = None) -> F64:
        """Return normal scores of rows, [n, made]; NaN where a value is. `rng` breaks ties (else: the middle)."""
        shape = len(rows), len(self.made)
        v = np.full(shape, 0.5) if rng is None else rng.random(shape)
        found = np.empty(shape)
        for k, j in enumerate(self.made):
            found[:, k] = self.one(j, rows[:, j], stratum, v[:, k])
        return found

    def one(self, j: int, x: F64, stratum: I64, v: F64) -> F64:
        """Return the scores of values of column `j`, any shape, at most 8 from 0."""
        marginal, column = self._marginal[j], self.history.columns[j]
        there = ~np.isnan(x)
        score = np.full(x.shape, np.nan)
        if isinstance(marginal, Discrete):
            u = marginal.uniform(x[there], stratum[there], v[there])
        else:
            least = np.finfo(np.float64).tiny if column.scale == "log" else -np.inf
            y = column.forth(np.maximum(x[there], least))
            s = stratum[there]
            u = marginal.uniform((y - self._centre[j][s]) / self._spread[j][s], v[there])
        score[there] = np.clip(normal.quantile(u), -FURTHEST, FURTHEST)
        return score

    def rows(self, z: F64, stratum: I64) -> F64:
        """Return rows with these scores, [n, d]: contexts of the strata, constants as they are."""
        found = np.empty((len(z), len(self.history.columns)))
        found[:, self.history.context] = self.history.strata[stratum]
        for j, value in self.constant.items():
            found[:, j] = value
        share = np.clip(normal.cumulative(z), 1e-15, 1.0 - 1e-15)
        for k, j in enumerate(self.made):
            marginal = self._marginal[j]
            if isinstance(marginal, Discrete):
                found[:, j] = marginal.value(share[:, k], stratum)
            else:
                y = self._centre[j][stratum] + self._spread[j][stratum] * marginal.value(share[:, k])
                found[:, j] = self.history.columns[j].back(y)
        return found

    def moved(self, rows: F64, stratum: I64, size: float, rng: np.random.Generator) -> F64:
        """Return rows whose continuous values are moved by `size` spreads of their stratum, times a normal number."""
        found = rows.copy()
        for j in self.made:
            if j in self._spread:
                column = self.history.columns[j]
                noise = size * self._spread[j][stratum] * rng.standard_normal(len(rows))
                found[:, j] = column.back(column.forth(rows[:, j]) + noise)
        return found


def _profile(y: F64, stratum: I64, strata: int) -> tuple[F64, F64]:
    """Return centre and spread of a column in each stratum, [strata] each."""
    count = np.bincount(stratum, minlength=strata).astype(np.float64)
    mean = np.bincount(stratum, y, minlength=strata) / np.maximum(count, 1.0)
    within = float(((y - mean[stratum]) ** 2).sum()) / max(len(y) - int((count > 0).sum()), 1)
    apart = float((count * (mean - y.mean()) ** 2).sum()) / len(y) - within * float((count > 0).sum()) / len(y)
    prior = float(np.clip(within / max(apart, 1e-300), LEAST_PRIOR, MOST_PRIOR)) if within > 0.0 else LEAST_PRIOR
    centre = (count * mean + prior * y.mean()) / (count + prior)
    squares = np.bincount(stratum, (y - centre[stratum]) ** 2, minlength=strata)
    floor = 1e-12 * max(1.0, float(np.abs(y).max())) ** 2
    spread = np.sqrt(np.maximum((squares + PRIOR_SPREAD * within) / (count + PRIOR_SPREAD), floor))
    return centre, spread
