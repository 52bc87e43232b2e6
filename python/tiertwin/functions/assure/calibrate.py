"""Scores made probabilities, and how good probabilities are.

Brier      mean of (p − y)²                                   G. W. Brier, Mon. Weather Rev. 78 (1950) 1
Platt      p = 1/(1 + e^{−(a s + b)}), likeliest a ≥ 0, b     J. Platt (1999); targets (n₊+1)/(n₊+2), 1/(n₋+2)
isotonic   the non-decreasing p(s) nearest to y               M. Ayer et al., Ann. Math. Stat. 26 (1955) 641; for
                                                              classifiers B. Zadrozny, C. Elkan, KDD 2002
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.assure.descent import minimise

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]


LEAST_STEP = 20
"""Outcomes a step of a mended probability stands for at least: steps of a few would learn their luck."""
TENTHS = np.linspace(0.0, 1.0, 11)


def brier(probability: ArrayLike, happened: ArrayLike) -> float:
    """Return the Brier score: 0 is best. InputError: no probabilities and outcomes of one length."""
    p, y = _probabilities(probability, happened, "brier")
    return float(((p - y) ** 2).mean())


def _checked(scores: ArrayLike, happened: ArrayLike, where: str) -> tuple[F64, F64]:
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if s.ndim != 1 or s.shape != y.shape or s.size == 0:
        raise InputError(f"expected scores and outcomes of one length, not empty, got {s.shape} and {y.shape}", where)
    if not np.isfinite(s).all() or not np.isin(y, (0.0, 1.0)).all():
        raise InputError("expected finite scores, and outcomes 0 or 1", where)
    return s, y


def _probabilities(stated: ArrayLike, happened: ArrayLike, where: str) -> tuple[F64, F64]:
    p, y = _checked(stated, happened, where)
    if not ((p >= 0.0) & (p <= 1.0)).all():
        raise InputError(f"expected probabilities 0 … 1, got {p.min()} … {p.max()}", where)
    return p, y


@dataclass(frozen=True, eq=False)
class Isotonic:
    """Probabilities that never fall with the score: straight between the knots, level beyond them."""

    knots: F64
    values: F64

    @classmethod
    def fit(cls, scores: ArrayLike, happened: ArrayLike) -> Isotonic:
        """Return the fit; equal scores share a value. InputError."""
        knots, _, fitted = _pooled(*_checked(scores, happened, "Isotonic.fit"), 0)
        return cls(knots, fitted)

    @classmethod
    def mending(cls, stated: ArrayLike, happened: ArrayLike, least: int = LEAST_STEP) -> Isotonic:
        """Return the map that puts stated probabilities right where they are systematically off.

        A knot a step, at the mean of what was stated: probabilities that differ stay apart, and keep their order.

        Parameters
        ----------
        stated, happened
            Probabilities, and whether it was so: two vectors of one length, any order.
        least
            Outcomes a step stands for; the last may have fewer.

        Raises
        ------
        InputError
            Nothing to learn from, lengths that differ, or numbers that are no probabilities and outcomes.
        """
        knots, count, fitted = _pooled(*_probabilities(stated, happened, "Isotonic.mending"), least)
        first = np.flatnonzero(np.diff(fitted, prepend=-1.0))
        return cls(np.add.reduceat(count * knots, first) / np.add.reduceat(count, first), fitted[first])

    def __call__(self, scores: ArrayLike) -> F64:
        return np.interp(np.asarray(scores, dtype=np.float64), self.knots, self.values)


def _pooled(scores: F64, happened: F64, least: int) -> tuple[F64, F64, F64]:
    """Return the distinct scores, how many outcomes each has, and the probability fitted there."""
    knots, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    weight = count.astype(np.float64)
    return knots, weight, _core.isotonic(np.bincount(place, weights=happened) / weight, weight, float(least))


@dataclass(frozen=True)
class Platt:
    """A logistic curve over the score."""

    slope: float
    offset: float

    @classmethod
    def fit(cls, scores: ArrayLike, happened: ArrayLike) -> Platt:
        """Return the likeliest curve that does not fall. InputError; constant scores too."""
        s, y = _checked(scores, happened, "Platt.fit")
        spread, centre = float(s.std()), float(s.mean())
        if spread == 0.0:
            raise InputError(f"scores: expected values that differ, got {centre} only", "Platt.fit")
        u, ends = (s - centre) / spread, float(y.sum())
        target = np.where(y > 0.0, (ends + 1.0) / (ends + 2.0), 1.0 / (len(y) - ends + 2.0))

        def loss(theta: F64) -> tuple[float, F64]:
            logit = theta[0] * u + theta[1]
            p = 0.5 * (1.0 + np.tanh(0.5 * logit))
            left = (p - target) / len(y)
            return float((np.logaddexp(0.0, logit) - target * logit).mean()), np.array([left @ u, left.sum()])

        slope, offset = minimise(loss, np.zeros(2), steps=200, still=1e-12)[0]
        if slope < 0.0:
            mean = float(target.mean())
            slope, offset = 0.0, np.log(mean / (1.0 - mean))
        return cls(float(slope / spread), float(offset - slope * centre / spread))

    def __call__(self, scores: ArrayLike) -> F64:
        logit = self.slope * np.asarray(scores, dtype=np.float64) + self.offset
        result: F64 = 0.5 * (1.0 + np.tanh(0.5 * logit))
        return result


def reliability(
    probability: ArrayLike, happened: ArrayLike, edges: ArrayLike = TENTHS
) -> list[tuple[float, float, int]]:
    """Return, for each bin edges[k] ≤ p < edges[k + 1] that holds any: mean p, share that happened, how many.

    The last bin has its upper edge too.
    """
    p, y = _probabilities(probability, happened, "reliability")
    limits = np.asarray(edges, dtype=np.float64)
    place = np.minimum(np.digitize(p, limits) - 1, len(limits) - 2)
    held = [place == k for k in np.unique(place)]
    return [(float(p[h].mean()), float(y[h].mean()), int(h.sum())) for h in held]
