"""Watches that learn on a clean start: shifted levels, many attributes against each other, change points.

    Shifts     each attribute's short mean against a level that follows it, but not while it is judged to be wrong
    Subspace   T² and Q of principal components: do the attributes still hang together?
    Changes    Bayesian online change points: did mean or spread change within the last few values?

Formulas, sources and rules for missing and constant attributes: `cpp/assure/shift.hpp`, `subspace.hpp`, `changes.hpp`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]


class Shifts:
    """Which attributes have left the level they follow.

    Parameters
    ----------
    attributes
        A, at least 1.
    clean
        Values of each attribute taken to be without fault, at least 2 `mean` + 8.
    mean
        Values of the short mean.
    gain
        g in [0, 1]: how fast levels follow.
    quantile, factor
        Limit: this quantile of the clean start's distances; shifted above `factor` times that.
    """

    def __init__(
        self,
        attributes: int,
        *,
        clean: int = 400,
        mean: int = 10,
        gain: float = 0.02,
        quantile: float = 0.99,
        factor: float = 1.5,
    ) -> None:
        self.factor = factor
        self._core = _core.ShiftWatch(attributes, clean=clean, mean=mean, gain=gain, quantile=quantile, factor=factor)

    def push(self, values: Reals) -> Reals:
        """Return z/factor (N, A) for `values` (N, A), float64, C order, NaN: not seen; above 1: shifted."""
        result: Reals = self._core.push(values) / self.factor
        return result

    def limit(self, attribute: int) -> float:
        """Return the attribute's limit in its own unit; NaN during its clean start. Raises KeyError."""
        return self._core.limit(attribute)

    def memory_bytes(self) -> int:
        """Return the bytes held."""
        return self._core.memory_bytes()


class Subspace:
    """T² and Q over their limits.

    Parameters
    ----------
    attributes
        A, at least 2.
    clean
        Complete rows taken to be without fault, more than A + `mean`.
    mean
        Rows of the running mean of both statistics.
    share
        Of the variance that the leading components make up.
    quantile
        Of the clean start's own statistics: the limit.
    """

    def __init__(
        self, attributes: int, *, clean: int = 400, mean: int = 10, share: float = 0.85, quantile: float = 0.99
    ) -> None:
        self._core = _core.SubspaceWatch(attributes, clean=clean, mean=mean, share=share, quantile=quantile)

    @property
    def components(self) -> int:
        """Components of the model; 0 while it learns."""
        return self._core.components

    def push(self, values: Reals) -> tuple[Reals, Reals]:
        """Return T² and Q over their limits, (N,) each, for `values` (N, A); a row with a NaN repeats the last."""
        return self._core.push(values)

    def memory_bytes(self) -> int:
        """Return the bytes held."""
        return self._core.memory_bytes()


class Changes:
    """Bayesian online change points of S series.

    Parameters
    ----------
    series
        S, at least 1.
    expected
        Values expected between two changes, > 1.
    most
        Run lengths told apart: memory and time of a value are in proportion.
    warm
        Values that set mean and spread of the prior.
    delay
        A change is told when it is likely within so many values.
    threshold
        Probability from which on it is.
    """

    def __init__(
        self,
        series: int,
        *,
        expected: float = 250.0,
        most: int = 300,
        warm: int = 30,
        delay: int = 5,
        threshold: float = 0.5,
    ) -> None:
        self.threshold = threshold
        self._core = _core.ChangePoints(series, expected=expected, most=most, warm=warm, delay=delay)

    def push(self, values: Reals) -> tuple[Mask, Reals, Ints]:
        """Return changed, P(change within `delay`) and the most probable run length, (N, S) each."""
        recent, length = self._core.push(values)
        return recent >= self.threshold, recent, length

    def memory_bytes(self) -> int:
        """Return the bytes held."""
        return self._core.memory_bytes()
