"""How far stated probabilities are from true shares, and a map that puts them right where they are systematically off.

A posterior is only as good as the certainties behind it. Faults played on the twin show what is true of the causes it
states at p: `Reliability.fit` learns the rising step function of least squares (isotonic regression by pooling
adjacent violators: M. Ayer et al., Ann. Math. Stat. 26, 1955; for classifiers B. Zadrozny and C. Elkan, KDD 2002), and
`apply` reads between its steps. The order of causes is kept; equal steps are only told apart by what was stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]

LEAST_POOL = 20
"""Outcomes a step stands for at least: steps of a few would learn their luck."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """A rising map from stated to true probability: `truth` at `stated`, straight lines between."""

    stated: F64
    truth: F64

    @classmethod
    def fit(cls, stated: ArrayLike, happened: ArrayLike) -> Reliability:
        """Learn from probabilities stated and whether it was so (0 or 1), two vectors of one length, any order.

        Raises
        ------
        InputError
            Nothing to learn from, lengths that differ, or numbers that are no probabilities and outcomes.
        """
        p, hit = _checked(stated, happened)
        order = np.argsort(p, kind="stable")
        pools: list[list[float]] = []  # outcomes, hits, sum of stated
        value = p[order]
        edge = np.flatnonzero(np.diff(value, prepend=-1.0))  # equal statements are one
        for a, b in zip(edge, np.append(edge[1:], len(p)), strict=True):
            rows = order[a:b]
            pools.append([float(b - a), float(hit[rows].sum()), float(p[rows].sum())])
            while len(pools) > 1 and (
                pools[-2][0] < LEAST_POOL or pools[-2][1] * pools[-1][0] >= pools[-1][1] * pools[-2][0]
            ):
                last = pools.pop()
                pools[-1] = [one + other for one, other in zip(pools[-1], last, strict=True)]
        count, hits, total = np.array(pools).T
        return cls(total / count, hits / count)

    def apply(self, stated: ArrayLike) -> F64:
        """Return what is true of what is stated so; beyond the steps the nearest one's."""
        p = np.asarray(stated, dtype=np.float64)
        result: F64 = np.interp(p, self.stated, self.truth)
        return result


def brier(stated: ArrayLike, happened: ArrayLike) -> float:
    """Return the mean square error of probabilities (G. W. Brier, Monthly Weather Review 78, 1950)."""
    p, hit = _checked(stated, happened)
    return float(((p - hit) ** 2).mean())


def table(stated: ArrayLike, happened: ArrayLike, edges: ArrayLike) -> list[tuple[float, float, int]]:
    """Return (mean stated, share that was so, how many) of each bin edges[k] ≤ p < edges[k + 1] that holds any."""
    p, hit = _checked(stated, happened)
    at = np.digitize(p, np.asarray(edges, dtype=np.float64)) - 1
    return [(float(p[at == b].mean()), float(hit[at == b].mean()), int((at == b).sum())) for b in np.unique(at)]


def _checked(stated: ArrayLike, happened: ArrayLike) -> tuple[F64, F64]:
    p, hit = np.asarray(stated, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if p.ndim != 1 or p.shape != hit.shape or not p.size:
        raise InputError(
            f"expected two vectors of one length, at least 1, got {p.shape} and {hit.shape}", "reliability"
        )
    if not ((p >= 0.0) & (p <= 1.0)).all() or not np.isin(hit, (0.0, 1.0)).all():
        raise InputError("expected probabilities 0 … 1 and outcomes 0 or 1", "reliability")
    return p, hit
