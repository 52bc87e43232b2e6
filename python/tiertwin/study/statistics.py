"""Paired statistics over seeds: means, 95 % intervals, differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tiertwin.functions.intervals import Interval, interval, most_events, paired, wilson

__all__ = ["Interval", "bootstrap", "interval", "most_events", "paired", "wilson"]


def bootstrap(
    units: NDArray[np.float64],
    figures: Callable[[NDArray[np.float64]], dict[str, float]],
    resamples: int = 1000,
    seed: int = 1,
) -> dict[str, dict[str, float]]:
    """Return figures of independent units (links, drives) with 95 % percentile intervals.

    Parameters
    ----------
    units
        One row a unit: what `figures` needs of it, as sums; whole rows are drawn with replacement.
    figures
        Figures of any set of rows, by name; NaN where there are none.
    resamples, seed
        Of the bootstrap; the same seed draws the same rows.

    Returns
    -------
    dict
        By name: ``value``, ``low`` and ``high``.
    """
    rng = np.random.default_rng(seed)
    drawn = [figures(units[rng.integers(0, len(units), len(units))]) for _ in range(resamples)]
    found = {}
    for name, value in figures(units).items():
        values = np.array([row[name] for row in drawn])
        values = values[np.isfinite(values)]
        low, high = np.quantile(values, [0.025, 0.975]) if len(values) else (np.nan, np.nan)
        found[name] = {"value": value, "low": float(low), "high": float(high)}
    return found
