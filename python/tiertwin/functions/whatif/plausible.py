"""What may be: physical bounds of columns, and how far from its context a whole row may lie.

A row's distance is that of its normal scores, given those that were asked for (what was asked for is never held against
a row):

    D² = zᵀR⁻¹z − z_gᵀR_gg⁻¹z_g

Its bound is learnt: each half of the history says what is usual, and how far the rows of the other half are from it;
the bound is the `level` quantile of these distances, times `reach`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.whatif.columns import LEAST_ROWS, History
from tiertwin.functions.whatif.correlation import nearest_correlation, rank_correlation, shrunk
from tiertwin.functions.whatif.scores import Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Judged:
    """Which rows may be, [n], and why the others may not: reason → how many (a row may have several)."""

    allowed: Flags
    rejected: dict[str, int]


class Plausibility:
    """Bounds learnt from a history.

    Parameters
    ----------
    history
        Rows in the order of time; `columns` carry the physical bounds.
    level
        Share of the history that lies within the bound, (0, 1).
    reach
        Factor on the bound, above 0; inf: physical bounds only.
    """

    def __init__(self, history: History, level: float = 0.995, reach: float = 1.0) -> None:
        problems = []
        if not 0.0 < level < 1.0:
            problems.append(f"level: expected a share in (0, 1), got {level}")
        if not reach > 0.0:
            problems.append(f"reach: expected a factor above 0, got {reach}")
        if problems:
            raise InputError(problems, "Plausibility")
        self.history, self.level, self.reach = history, level, reach
        self._law = _Law.of(history)
        half = len(history.rows) // 2
        self._halves = [(np.arange(half), np.arange(half, len(history.rows)))] if half >= LEAST_ROWS else []
        self._bounds: dict[tuple[int, ...], float] = {}

    def bound(self, given: tuple[int, ...] = ()) -> float:
        """Return the largest distance allowed when the columns at these places were given."""
        if given not in self._bounds:
            self._bounds[given] = self._learn(given)
        return self.reach * self._bounds[given]

    def distance(self, rows: F64, given: tuple[int, ...] = ()) -> F64:
        """Return D of each row; NaN where a row's context is not in the history."""
        return self._law.distance(rows, given)

    def judge(self, rows: F64, given: Collection[int] = ()) -> Judged:
        """Say which rows may be, [n]; `given`: places of the columns that were asked for."""
        allowed = np.ones(len(rows), dtype=bool)
        rejected: dict[str, int] = {}
        for j, column in enumerate(self.history.columns):
            for what, wrong in (("below", rows[:, j] < column.low), ("above", rows[:, j] > column.high)):
                if wrong.any():
                    bound = column.low if what == "below" else column.high
                    rejected[f"{column.name} {what} {bound:g}"] = int(wrong.sum())
                    allowed &= ~wrong
        if np.isfinite(self.reach):
            asked = tuple(sorted(j for j in given if j in self._law.scores.made))
            far = ~(self.distance(rows, asked) <= self.bound(asked))
            if far.any():
                rejected["too far from history"] = int(far.sum())
                allowed &= ~far
        return Judged(allowed, rejected)

    def _learn(self, given: tuple[int, ...]) -> float:
        found = []
        for pair in self._halves:
            for own, other in (pair, pair[::-1]):
                law = _Law.of(_part(self.history, own))
                found.append(law.distance(self.history.rows[other], given))
        away = np.concatenate([*found, np.empty(0)])
        away = away[np.isfinite(away)]
        if len(away) < LEAST_ROWS:  # halves too short, or of other contexts
            away = self.distance(self.history.rows, given)
        return float(np.quantile(away[np.isfinite(away)], self.level))


def _part(history: History, rows: I64) -> History:
    """Return some rows of a history as one; columns without values there are 0."""
    values = history.rows[rows].copy()
    values[:, np.isnan(values).all(axis=0)] = 0.0
    context = history.context
    strata, stratum = np.unique(values[:, context], axis=0, return_inverse=True)
    return History(history.columns, values, strata, stratum.reshape(-1).astype(np.int64))


@dataclass(frozen=True, eq=False)
class _Law:
    """Scores and their inverse correlation, of one history."""

    scores: Scores
    correlation: F64

    @classmethod
    def of(cls, history: History) -> _Law:
        scores = Scores.fit(history)
        z = scores.of(history.rows, history.stratum)
        return cls(scores, nearest_correlation(shrunk(rank_correlation(z), len(z))))

    def distance(self, rows: F64, given: tuple[int, ...]) -> F64:
        history = self.scores.history
        places = {tuple(row): k for k, row in enumerate(history.strata.tolist())}
        at = np.array([places.get(tuple(row), -1) for row in rows[:, history.context].tolist()], dtype=np.int64)
        known = at >= 0
        found = np.full(len(rows), np.nan)
        if not known.any() or not self.scores.made:
            found[known] = 0.0
            return found
        z = np.nan_to_num(self.scores.of(rows[known], at[known]))
        here = [k for k, j in enumerate(self.scores.made) if j in given]
        square = _square(self.correlation, z) - _square(self.correlation[np.ix_(here, here)], z[:, here])
        found[known] = np.sqrt(np.maximum(square, 0.0))
        return found


def _square(correlation: F64, z: F64) -> F64:
    """Return zᵀR⁻¹z of each row."""
    if not z.shape[1]:
        return np.zeros(len(z))
    root = np.linalg.cholesky(correlation)
    result: F64 = (np.linalg.solve(root, z.T) ** 2).sum(axis=0)
    return result
