"""Means with 95 % intervals, and paired differences over seeds (Student's t)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
