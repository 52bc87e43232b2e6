"""How good made-up rows are: new, true to what was seen, useful to learn from, and right about what was not given.

novelty      distance to the nearest real row, in units of the typical one between real rows
fidelity     Kolmogorov–Smirnov distance of each column; error of rank correlations
usefulness   error on real rows of a model trained on made-up ones, over that of one trained on real ones
CRPS         of each column given others: the mean of |x − y| − ½|x − x'| over rows x, x' made for a real y
             (T. Gneiting, A. E. Raftery, J. Am. Stat. Assoc. 102, 2007): no generator does better than the truth
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.whatif.correlation import rank_correlation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.whatif.columns import Column

    F64 = NDArray[np.float64]

RIDGE = 1e-2  # of the variance of a feature
BLOCK = 256  # rows compared at a time


def on_scale(rows: F64, columns: Sequence[Column]) -> F64:
    """Return the columns that are no context, each on its scale, [n, made]."""
    made = [j for j, column in enumerate(columns) if column.kind != "context"]
    return np.stack([columns[j].forth(np.maximum(rows[:, j], columns[j].low)) for j in made], axis=1)


def novelty(made: F64, real: F64, columns: Sequence[Column]) -> F64:
    """Return how new each made-up row is, [m]: 0 is a copy, 1 as far as real rows are from each other.

    Distances are Euclidean over columns on their scale, each in its standard deviation; rows with holes do not count as
    real. NaN where real rows are all alike.
    """
    whole = real[~np.isnan(real).any(axis=1)]
    theirs, ours = on_scale(whole, columns), on_scale(made, columns)
    spread = theirs.std(axis=0)
    used = spread > 1e-12
    theirs, ours = theirs[:, used] / spread[used], ours[:, used] / spread[used]
    typical = float(np.median(_nearest(theirs, theirs, own=True))) if len(theirs) > 1 else 0.0
    if typical <= 0.0:
        return np.full(len(made), np.nan)
    return _nearest(ours, theirs, own=False) / typical


def _nearest(rows: F64, others: F64, own: bool) -> F64:
    """Return the distance of each row to the nearest of the others, [n]; `own`: row k is not compared with itself."""
    sizes = (others**2).sum(axis=1)
    found = np.empty(len(rows))
    for first in range(0, len(rows), BLOCK):
        part = rows[first : first + BLOCK]
        square = (part**2).sum(axis=1)[:, None] + sizes - 2.0 * part @ others.T
        if own:
            square[np.arange(len(part)), first + np.arange(len(part))] = np.inf
        nearest = square.argmin(axis=1)
        found[first : first + BLOCK] = np.sqrt(((part - others[nearest]) ** 2).sum(axis=1))
    return found


def kolmogorov(made: F64, real: F64) -> F64:
    """Return the largest difference of the two empirical distributions of each column, [d]; holes left out."""
    found = np.full(made.shape[1], np.nan)
    for j in range(made.shape[1]):
        ours, theirs = (np.sort(part[~np.isnan(part)]) for part in (made[:, j], real[:, j]))
        if len(ours) and len(theirs):
            at = np.concatenate([ours, theirs])
            one, other = (np.searchsorted(part, at, "right") / len(part) for part in (ours, theirs))
            found[j] = np.abs(one - other).max()
    return found


def correlation_error(made: F64, real: F64) -> float:
    """Return the mean absolute difference of rank correlations over all pairs of columns."""
    if made.shape[1] < 2:
        return 0.0
    upper = np.triu_indices(made.shape[1], 1)
    return float(np.abs(rank_correlation(made)[upper] - rank_correlation(real)[upper]).mean())


def crps(made: F64, real: F64) -> F64:
    """Return the CRPS of each real value, [n, d], against the sample made for it, [n, m, d], m of at least 2."""
    members = np.sort(made, axis=1)
    m = members.shape[1]
    error = np.abs(members - real[:, None]).mean(axis=1)
    weight = (2.0 * np.arange(1, m + 1) - m - 1.0)[:, None]
    within: F64 = (weight * members).sum(axis=1) / (m * (m - 1.0))  # ½ E|x − x'|, pairs of different rows
    result: F64 = error - within
    return result


def learned(train: F64, test: F64, targets: Sequence[int]) -> float:
    """Return the NMAE on `test` of ridge regressions of each target column on all the others, trained on `train`."""
    wrong = 0.0
    for target in targets:
        others = [j for j in range(train.shape[1]) if j != target]
        x, y = train[:, others], train[:, target]
        centre, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-12)
        z = (x - centre) / spread
        gram = z.T @ z + RIDGE * len(z) * np.eye(len(others))
        weights = np.linalg.solve(gram, z.T @ (y - y.mean()))
        found = y.mean() + (test[:, others] - centre) / spread @ weights
        wrong += float(np.abs(found - test[:, target]).sum())
    return wrong / float(test[:, list(targets)].sum())
