"""Scores made probabilities, and how good probabilities are.

Brier      mean of (p − y)²                                   G. W. Brier, Mon. Weather Rev. 78 (1950) 1
Platt      p = 1/(1 + e^{−(a s + b)}), likeliest a ≥ 0, b     J. Platt (1999); targets (n₊+1)/(n₊+2), 1/(n₋+2)
isotonic   the non-decreasing p(s) nearest to y               B. Zadrozny, C. Elkan, KDD 2002
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


def brier(probability: ArrayLike, happened: ArrayLike) -> float:
    """Return the Brier score: 0 is best."""
    return float(((np.asarray(probability, dtype=np.float64) - np.asarray(happened, dtype=np.float64)) ** 2).mean())


def _checked(scores: ArrayLike, happened: ArrayLike, where: str) -> tuple[F64, F64]:
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    if s.ndim != 1 or s.shape != y.shape or s.size == 0:
        raise InputError(f"expected scores and outcomes of one length, not empty, got {s.shape} and {y.shape}", where)
    if not np.isfinite(s).all() or not np.isin(y, (0.0, 1.0)).all():
        raise InputError("expected finite scores, and outcomes 0 or 1", where)
    return s, y


@dataclass(frozen=True)
class Isotonic:
    """Probabilities that never fall with the score: straight between the knots, level beyond them."""

    knots: F64
    values: F64

    @classmethod
    def fit(cls, scores: ArrayLike, happened: ArrayLike) -> Isotonic:
        """Return the fit; equal scores share a value. InputError."""
        s, y = _checked(scores, happened, "Isotonic.fit")
        knots, place, count = np.unique(s, return_inverse=True, return_counts=True)
        means = np.bincount(place, weights=y) / count
        return cls(knots, _core.isotonic(means, count.astype(np.float64)))

    def __call__(self, scores: ArrayLike) -> F64:
        return np.interp(np.asarray(scores, dtype=np.float64), self.knots, self.values)


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


def reliability(probability: ArrayLike, happened: ArrayLike, bins: int = 10) -> list[tuple[float, float, int]]:
    """Return, for each bin of equal width that holds any: mean probability, share that happened, count."""
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    held = [place == k for k in range(bins)]
    return [(float(p[h].mean()), float(y[h].mean()), int(h.sum())) for h in held if h.any()]
