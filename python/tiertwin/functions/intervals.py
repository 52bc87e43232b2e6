"""95 % intervals: of means and of paired differences over seeds (Student's t), of shares, of rates of rare events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, sqrt

import numpy as np

from tiertwin.errors import InputError

# Student's t, two-sided 95 %, by degrees of freedom (Abramowitz & Stegun, table 26.10)
_T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131]
_T95 += [2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]
_NORMAL = 1.960


@dataclass(frozen=True)
class Interval:
    """A mean and half the width of its 95 % confidence interval (NaN for one sample)."""

    mean: float
    half: float
    samples: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return abs(self.mean) > self.half

    def __rmul__(self, factor: float) -> Interval:
        """Return the interval of the same samples in another unit (100 for %)."""
        return Interval(factor * self.mean, abs(factor) * self.half, self.samples)

    def __format__(self, spec: str) -> str:
        return f"{self.mean:{spec}} ± {self.half:{spec}}"


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of `values` with its 95 % interval (Student's t)."""
    array = np.asarray(values, dtype=np.float64)
    n = len(array)
    if n < 2:
        return Interval(float(array.mean()) if n else float("nan"), float("nan"), n)
    quantile = _T95[n - 2] if n - 2 < len(_T95) else _NORMAL
    return Interval(float(array.mean()), quantile * float(array.std(ddof=1)) / n**0.5, n)


def paired(treatment: Sequence[float], baseline: Sequence[float]) -> Interval:
    """Return treatment − baseline over the same seeds, in order."""
    return interval(np.subtract(treatment, baseline).tolist())


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, `hits` of `cases` ≥ 1 (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    if not 0 <= hits <= cases or cases < 1:
        raise InputError(f"expected 0 … cases hits of at least one case, got {hits} of {cases}", "wilson")
    z2, share = _NORMAL**2, hits / cases
    middle = (share + z2 / (2 * cases)) / (1.0 + z2 / cases)
    half = _NORMAL * (share * (1.0 - share) / cases + z2 / (4.0 * cases**2)) ** 0.5 / (1.0 + z2 / cases)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def most_events(events: int) -> float:
    """Return the mean of a Poisson count above which `events` or fewer come in less than 5 % of cases.

    Exact, one-sided: F. Garwood, Biometrika 28, 1936; of no event 2.996, the rule of three. By bisection, to 1e-9.
    """
    if events < 0:
        raise InputError(f"expected a count of at least 0, got {events}", "most_events")
    low, high = float(events), events + 10.0 + 6.0 * sqrt(events + 1.0)
    while high - low > 1e-9 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _at_most(events, middle) > 0.05 else (low, middle)
    return 0.5 * (low + high)


def _at_most(events: int, mean: float) -> float:
    """Return P(N ≤ events) of a Poisson count, by its terms from the largest down."""
    term = total = 1.0
    for n in range(events, 0, -1):
        term *= n / mean
        total += term
    return float(total * exp(events * log(mean) - mean - lgamma(events + 1)))
