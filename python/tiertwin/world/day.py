"""How demand moves over the day: profiles of mean 1, stretched so that the stated peak over mean holds exactly.

p_k(e) = 1 + a·(shape_k(e) − 1),   shape_k of mean 1,   a such that  max_e Σ_k load_k·p_k(e) / Σ_k load_k = peak/mean
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiertwin.errors import InputError
from tiertwin.world.world import F64

FLOOR = 0.02  # demand never falls below 2 % of its mean


def shape(points: Sequence[float], epochs: int) -> F64:
    """Return the periodic piecewise-linear curve through evenly spaced `points`, mean 1, [epochs]."""
    hours = np.arange(len(points) + 1) / len(points)
    at = np.arange(epochs) / epochs
    curve = np.interp(at, hours, [*points, points[0]])
    return np.asarray(curve / curve.mean(), dtype=np.float64)


def stretch(shapes: Sequence[F64], loads: Sequence[float], peak: float, what: str) -> list[F64]:
    """Return the profiles of several shapes whose sum, weighted by `loads`, has `peak` over mean.

    A flat sum cannot be stretched and stays flat.

    Raises
    ------
    InputError
        If a profile would fall below 2 % of its mean.
    """
    total = sum(loads)
    together = sum(load / total * curve for load, curve in zip(loads, shapes, strict=True))
    swing = float(np.max(together)) - 1.0
    factor = 0.0 if swing <= 1e-12 else (peak - 1.0) / swing
    profiles = [1.0 + factor * (curve - 1.0) for curve in shapes]
    lowest = min(float(profile.min()) for profile in profiles)
    if lowest < FLOOR:
        text = f"{what}: expected a peak over mean that the shapes of the day can reach, got {peak:.3f}"
        raise InputError(
            f"{text}: the least demand would be {lowest:.3f} of its mean; lower the peak, sharpen the shapes"
        )
    return profiles
