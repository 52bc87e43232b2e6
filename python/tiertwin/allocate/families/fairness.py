"""How evenly rates are shared: Jain's index, quantiles, and the same by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tiertwin.allocate.leaf import Array


@dataclass(frozen=True)
class Fairness:
    """Of a set of rates.

    Parameters
    ----------
    count
        How many.
    jain
        (Σ y)² / (n Σ y²), from 1/n, where one has all, to 1, where all have the same (Jain, Chiu and Hawe, DEC-TR-301,
        1984); 1 where nobody has anything.
    mean, p5, p50
        Mean, 5th percentile and median, in the unit of the rates.
    """

    count: int
    jain: float
    mean: float
    p5: float
    p50: float


def fairness(rate: Array) -> Fairness:
    """Return the fairness of ``rate[n]``, ≥ 0; scaled first, so that rates of any size have an index."""
    if rate.size == 0:
        return Fairness(0, 1.0, 0.0, 0.0, 0.0)
    top = float(np.max(rate))
    scaled = rate / top if top > 0 else np.ones(rate.size)
    jain = float(scaled.sum() ** 2 / (rate.size * (scaled @ scaled)))
    p5, p50 = np.percentile(rate, [5.0, 50.0])
    return Fairness(int(rate.size), min(jain, 1.0), float(rate.mean()), float(p5), float(p50))


def fairness_by_class(rate: Array, of_user: Any, names: Sequence[str]) -> dict[str, Fairness]:
    """Return the fairness of each class, by name, and of ``all``; `of_user[n]` is the class of each rate."""
    members = np.asarray(of_user)
    found = {name: fairness(rate[members == s]) for s, name in enumerate(names)}
    return {**found, "all": fairness(rate)}
