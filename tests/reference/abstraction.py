"""Naive summaries in plain Python: one group at a time, exact sums by math.fsum. Never shipped."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Cell = tuple[float, int]  # value, time in ns; NaN: unwritten
GAMMA = 1.01 / 0.99


def buckets(low: float, high: float) -> int:
    """Inner buckets of ratio GAMMA, one below and one above."""
    return math.ceil(math.log(high / low) / math.log(GAMMA) - 1e-9) + 2


def bucket(x: float, low: float, high: float) -> int:
    """Smallest i with x <= low GAMMA^i, within the range."""
    if x <= low:
        return 0
    if x > high:
        return buckets(low, high) - 1
    return min(max(math.ceil(math.log(x / low) / math.log(GAMMA)), 1), buckets(low, high) - 2)


def quantile(sample: Sequence[float], q: float) -> float:
    """Nearest rank."""
    return sorted(sample)[max(1, math.ceil(q * len(sample))) - 1]


def written(cells: Sequence[Cell]) -> list[float]:
    """Values that somebody wrote."""
    return [value for value, _ in cells if not math.isnan(value)]


def _extreme(rule: str, x: list[float]) -> float:
    if rule == "largest":
        return max([0.0, *x])
    return {"min": min, "max": max}[rule](x) if x else math.nan


def _moments(x: list[float]) -> list[float]:
    mean = math.fsum(x) / len(x) if x else 0.0
    return [float(len(x)), mean, math.fsum((value - mean) ** 2 for value in x)]


def _wmean(cells: Sequence[Cell], weights: Sequence[float] | None) -> list[float]:
    pairs = [(v, w) for (v, _), w in zip(cells, weights or [1.0] * len(cells), strict=True)]
    pairs = [(v, w) for v, w in pairs if not math.isnan(v) and not math.isnan(w)]
    return [math.fsum(v * w for v, w in pairs), math.fsum(w for _, w in pairs)]


def _hist(x: list[float], low: float, high: float) -> list[float]:
    counts = [0.0] * buckets(low, high)
    for value in x:
        counts[bucket(value, low, high)] += 1.0
    return counts


def _oldest(cells: Sequence[Cell], now: int) -> float:
    ages = [max(now - time, 0) / 1e6 for value, time in cells if not math.isnan(value)]
    return max(ages) if ages else math.nan


def summary(
    rule: str,
    cells: Sequence[Cell],
    now: int,
    weights: Sequence[float] | None = None,
    *,
    span: tuple[float, float] = (0.0, 0.0),
) -> list[float]:
    """Columns of one group's summary; NaN where there is nothing to say."""
    x = written(cells)
    ways: dict[str, Callable[[], list[float]]] = {
        "sum": lambda: [math.fsum(x)],
        "min": lambda: [_extreme(rule, x)],
        "max": lambda: [_extreme(rule, x)],
        "largest": lambda: [_extreme(rule, x)],
        "any": lambda: [float(any(value != 0.0 for value in x))],
        "all": lambda: [float(all(value != 0.0 for value in x))],
        "moments": lambda: _moments(x),
        "wmean": lambda: _wmean(cells, weights),
        "hist": lambda: _hist(x, *span),
        "oldest": lambda: [_oldest(cells, now)],
    }
    return ways[rule]()


def magnitude(rule: str, cells: Sequence[Cell], weights: Sequence[float] | None = None) -> float:
    """What 1e-12 is relative to: the sum of magnitudes, for M2 of squares."""
    x = written(cells)
    if rule == "moments":
        return math.fsum(v * v for v in x) + math.fsum(abs(v) for v in x)
    if rule == "wmean":
        return math.fsum(abs(v * w) for (v, _), w in zip(cells, weights or [1.0] * len(cells), strict=True)
                         if not math.isnan(v * w))  # fmt: skip
    return math.fsum(abs(v) for v in x)
