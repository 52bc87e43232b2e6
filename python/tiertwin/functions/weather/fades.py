"""How deep a link will fade soon, and how likely below a level: a linear forecast with the errors it has shown.

Of link i at time t, in dB; y is the deepest fade of the coming minutes:

    ŷ = β·[1, fade now, deepest lately, its rise, P.838 of rain now, P.838 of rain ahead, the deeper of the two last]

Least squares with a small ridge over samples where something is going on; P(y > level) is the share of training errors
above level − ŷ, of the samples whose ŷ was alike (bins of equal number). Ours; nothing of it is Gaussian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

BINS = 24
KEPT = 400  # errors kept of a bin, evenly spaced in order
QUIET_DB = 0.7  # below all of whose features nothing is going on
RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class FadeForecast:
    """A fitted forecast. Read-only.

    Parameters
    ----------
    weights
        β, [F + 1].
    edges
        Of the bins of ŷ, [B − 1].
    errors
        Sorted errors y − ŷ of each bin, [B, KEPT].
    quiet
        Sorted y where nothing is going on, [KEPT].
    """

    weights: F64
    edges: F64
    errors: F64
    quiet: F64

    @classmethod
    def fit(cls, features: F64, deepest: F64) -> FadeForecast:
        """Fit to samples: features [N, F] in dB, y [N]; those that are not finite are left out.

        InputError: fewer than 10 samples a bin in which something is going on.
        """
        good = np.isfinite(features).all(axis=1) & np.isfinite(deepest)
        active = good & (features.max(axis=1) >= QUIET_DB)
        if active.sum() < 10 * BINS:
            raise InputError(
                f"expected at least {10 * BINS} samples with fades, got {int(active.sum())}", "FadeForecast"
            )
        x = _with_one(features[active])
        y = deepest[active]
        gram = x.T @ x
        weights = np.linalg.solve(gram + RIDGE * len(y) * np.eye(len(gram)), x.T @ y)
        told = x @ weights
        edges = np.quantile(told, np.linspace(0, 1, BINS + 1)[1:-1])
        which = np.searchsorted(edges, told)
        errors = np.stack([_thinned((y - told)[which == b]) for b in range(BINS)])
        calm = deepest[good & ~active]
        return cls(weights, edges, errors, _thinned(calm if len(calm) else np.zeros(1)))

    def expected(self, features: F64) -> F64:
        """Return ŷ, dB, [N]; NaN where a feature is."""
        told: F64 = _with_one(features) @ self.weights
        return told

    def upper(self, features: F64, probability: float) -> F64:
        """Return the depth, dB, [N], exceeded with probability 1 − `probability`; NaN where a feature is."""
        told = self.expected(features)
        known = np.isfinite(told)
        bins = np.searchsorted(self.edges, np.where(known, told, 0.0))
        at = min(int(probability * KEPT), KEPT - 1)
        active = np.nan_to_num(features).max(axis=1) >= QUIET_DB
        depth: F64 = np.where(active, told + self.errors[bins, at], self.quiet[at])
        return np.where(known, depth, np.nan)

    def exceeds(self, features: F64, level: F64) -> F64:
        """Return P(y > level) of each, [N]; 0 where a feature is not known."""
        told = self.expected(features)
        known = np.isfinite(told)
        bins = np.searchsorted(self.edges, np.where(known, told, 0.0))
        left = (self.errors[bins] > (level - told)[:, None]).mean(axis=1)
        calm = 1.0 - np.searchsorted(self.quiet, level, side="right") / len(self.quiet)
        active = np.nan_to_num(features).max(axis=1) >= QUIET_DB
        result: F64 = np.where(known, np.where(active, left, calm), 0.0)
        return result


def _with_one(features: F64) -> F64:
    return np.concatenate([np.ones((len(features), 1)), features], axis=1)


def _thinned(errors: F64) -> F64:
    """Return KEPT order statistics of errors, evenly spaced."""
    chosen: F64 = np.quantile(errors, (np.arange(KEPT) + 0.5) / KEPT)
    return chosen
