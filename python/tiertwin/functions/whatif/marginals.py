"""Marginal distributions: values to uniform numbers and back, continuous and discrete.

Continuous: the empirical distribution, straight lines between order statistics at (i + ½)/n. Beyond the extremes an
exponential tail whose mean is that of the excesses over the 5 % quantile (the generalised Pareto law with shape 0:
J. Pickands, Ann. Stat. 3, 1975), so that the map is monotone and reaches further than history.

Discrete: the distributional transform (L. Rüschendorf, J. Stat. Plan. Inference 139, 2009): a value of probability p
becomes a uniform number of its own interval of length p. Ties of continuous columns do the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

TAIL = 0.05  # share of the values that say how a tail falls
LEAST_TAIL = 5
PRIOR_ROWS = 4.0  # of all contexts, against those of a stratum


@dataclass(frozen=True, eq=False)
class Continuous:
    """Sorted values, [n], and the mean excess below and above."""

    values: F64
    below: float
    above: float

    @classmethod
    def fit(cls, known: F64) -> Continuous:
        """Learn from values without holes, at least one."""
        values = np.sort(known)
        count = min(len(values), max(LEAST_TAIL, round(TAIL * len(values))))
        low, high = values[count - 1] - values[:count].mean(), values[-count:].mean() - values[-count]
        return cls(values, float(low), float(high))

    def uniform(self, x: F64, v: F64) -> F64:
        """Return F(x) in (0, 1); `v` in [0, 1], of the same shape, says where in its interval a tied value falls."""
        n = len(self.values)
        left, right = np.searchsorted(self.values, x, "left"), np.searchsorted(self.values, x, "right")
        at = (np.arange(n) + 0.5) / n
        between = np.interp(x, self.values, at)
        tied = (left + np.where(right - left > 1, v, 0.5) * (right - left)) / n
        u = np.where(right > left, tied, between)
        under = at[0] * np.exp(np.minimum(x - self.values[0], 0.0) / max(self.below, 1e-300))
        over = at[0] * np.exp(-np.maximum(x - self.values[-1], 0.0) / max(self.above, 1e-300))
        u = np.where(x < self.values[0], under, np.where(x > self.values[-1], 1.0 - over, u))
        result: F64 = np.clip(u, 1e-15, 1.0 - 1e-15)
        return result

    def value(self, u: F64) -> F64:
        """Return the value at each share, (0, 1); rising in u."""
        n = len(self.values)
        first = 0.5 / n
        found = np.interp(u, (np.arange(n) + 0.5) / n, self.values)
        found = found + self.below * np.log(np.minimum(u / first, 1.0))
        result: F64 = found - self.above * np.log(np.minimum((1.0 - u) / first, 1.0))
        return result


@dataclass(frozen=True, eq=False)
class Discrete:
    """Values, [v] rising, and the share up to each of them in each stratum, [strata, v + 1] from 0 to 1."""

    values: F64
    edges: F64

    @classmethod
    def fit(cls, known: F64, stratum: I64, strata: int) -> Discrete:
        """Learn from values without holes and the stratum of each; a stratum leans on all of them by `PRIOR_ROWS`."""
        values, place = np.unique(known, return_inverse=True)
        counts = np.zeros((strata, len(values)))
        np.add.at(counts, (stratum, place.reshape(-1)), 1.0)
        share = counts + PRIOR_ROWS * counts.sum(axis=0) / len(known)
        share /= share.sum(axis=1, keepdims=True)
        edges = np.concatenate([np.zeros((strata, 1)), np.cumsum(share, axis=1)], axis=1)
        edges[:, -1] = 1.0
        return cls(values, edges)

    def uniform(self, x: F64, stratum: I64, v: F64) -> F64:
        """Return a share of each value's interval; a value never seen takes the nearest one's."""
        place = np.abs(x[..., None] - self.values).argmin(axis=-1)
        low, high = self.edges[stratum, place], self.edges[stratum, place + 1]
        result: F64 = np.clip(low + v * (high - low), 1e-15, 1.0 - 1e-15)
        return result

    def value(self, u: F64, stratum: I64) -> F64:
        """Return the value in whose interval each share lies."""
        place = (u[..., None] >= self.edges[stratum, 1:-1]).sum(axis=-1)
        result: F64 = self.values[place]
        return result
