"""Where a few attributes of many zones are going, cheaply: the last level, a return to the mean, a regression.

All follow Z zones × A attributes at once, in arrays of shape (Z, A); a sample costs O(Z A) (`Ridge`: O(Z A p²)), and
memory does not grow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]

FIRST = 8  # samples before more than the last value is trusted


class Predictor(Protocol):
    """Follows series sample by sample and says where they are going; shape (Z, A) in and out."""

    def update(self, values: Reals) -> None:
        """Take one sample of all series; NaN: not seen."""

    def ahead(self, steps: int) -> Reals:
        """Return the forecast `steps` samples after the last; NaN where nothing was ever seen."""


class Ewma:
    """The exponentially weighted mean, held: x̂ = l, l ← l + g (x − l).

    Parameters
    ----------
    shape
        (Z, A).
    gain
        g in (0, 1].
    """

    def __init__(self, shape: tuple[int, int], gain: float = 0.3) -> None:
        if not 0.0 < gain <= 1.0:
            raise InputError(f"gain: expected (0, 1], got {gain}", "Ewma")
        self.gain = gain
        self._level = np.full(shape, np.nan)

    def update(self, values: Reals) -> None:
        values = _sample(values, self._level.shape)
        moved = self._level + self.gain * (values - self._level)
        self._level = np.where(np.isnan(values), self._level, np.where(np.isnan(self._level), values, moved))

    def ahead(self, steps: int) -> Reals:
        _steps(steps)
        return self._level.copy()


class Ar1:
    """Return to the mean: x̂(t+H) = μ + φ^H (x(t) − μ), with running mean and correlation of neighbours.

    Parameters
    ----------
    shape
        (Z, A).
    memory
        Samples over which the running means forget, ≥ 2.
    """

    def __init__(self, shape: tuple[int, int], memory: float = 100.0) -> None:
        if not (memory >= 2.0 and np.isfinite(memory)):
            raise InputError(f"memory: expected at least 2 samples, got {memory}", "Ar1")
        self.memory = memory
        self._last, self._mean = np.full(shape, np.nan), np.zeros(shape)
        self._variance, self._product = np.zeros(shape), np.zeros(shape)
        self._count = np.zeros(shape)
        self._fresh = np.zeros(shape, dtype=np.bool_)  # the last sample was the one before

    def update(self, values: Reals) -> None:
        values = _sample(values, self._last.shape)
        seen = ~np.isnan(values)
        x = np.where(seen, values, 0.0)
        count = self._count + seen
        gain = np.where(seen, 1.0 / np.clip(count, 1.0, self.memory), 0.0)
        mean = self._mean + gain * (x - self._mean)
        deviation = np.where(seen, x - mean, 0.0)
        before = np.where(self._fresh, np.nan_to_num(self._last) - mean, 0.0)
        pair = seen & self._fresh
        self._variance += gain * (deviation**2 - self._variance)
        self._product += np.where(pair, gain * (deviation * before - self._product), 0.0)
        self._mean, self._count, self._fresh = mean, count, seen
        self._last = np.where(seen, values, self._last)

    def ahead(self, steps: int) -> Reals:
        _steps(steps)
        trusted = (self._count >= FIRST) & (self._variance > 0.0)
        phi = np.clip(np.where(trusted, self._product / np.where(trusted, self._variance, 1.0), 1.0), -1.0, 1.0)
        result: Reals = np.where(trusted, self._mean + phi**steps * (self._last - self._mean), self._last)
        return result


class Ridge:
    """Direct regression with forgetting: x̂(t+H) = x(t) + b_0 (x(t) − μ) + Σ_{k=1}^{p−1} b_k (x(t−k+1) − x(t−k)).

    μ is the running mean; the ridge pulls every b to 0, so that without evidence x̂ = x(t). Missing samples stand as the
    last value.

    Parameters
    ----------
    shape
        (Z, A).
    horizon
        H ≥ 1, samples; `ahead` answers for this one alone.
    order
        p ≥ 1.
    ridge
        Strength, in samples' worth of the mean square of the regressors.
    memory
        Samples over which evidence is forgotten, ≥ 2.
    """

    def __init__(
        self, shape: tuple[int, int], horizon: int, order: int = 3, ridge: float = 1.0, memory: float = 200.0
    ) -> None:
        if horizon < 1 or order < 1 or not ridge > 0.0 or not memory >= 2.0:
            raise InputError(
                f"expected horizon, order ≥ 1, ridge > 0 and memory ≥ 2, got {horizon}, {order}, {ridge}, {memory}",
                "Ridge",
            )
        self.horizon, self.order, self.ridge, self.memory = horizon, order, ridge, memory
        self._history = np.full((*shape, order + horizon), np.nan)  # newest last
        self._mean, self._count = np.zeros(shape), np.zeros(shape)
        self._gram, self._moment = np.zeros((*shape, order, order)), np.zeros((*shape, order))

    def update(self, values: Reals) -> None:
        values = _sample(values, self._mean.shape)
        newest = np.where(np.isnan(values), self._history[..., -1], values)
        self._history = np.concatenate([self._history[..., 1:], newest[..., None]], axis=-1)
        seen = ~np.isnan(newest)
        self._count += seen
        self._mean += np.where(seen, (newest - self._mean) / np.clip(self._count, 1.0, self.memory), 0.0)
        z = self._regressors(self._history[..., : self.order])
        change = np.nan_to_num(newest - self._history[..., self.order - 1])  # NaN: too early, where z is 0 as well
        kept = 1.0 - 1.0 / self.memory
        self._gram = kept * self._gram + z[..., :, None] * z[..., None, :]
        self._moment = kept * self._moment + z * change[..., None]

    def _regressors(self, window: Reals) -> Reals:
        """Of p samples, newest last: the newest's distance from the mean, and the steps between them; 0: not known."""
        apart = (window[..., -1] - self._mean)[..., None]
        result: Reals = np.nan_to_num(np.concatenate([apart, np.diff(window, axis=-1)], axis=-1))
        return result

    def ahead(self, steps: int) -> Reals:
        if steps != self.horizon:
            raise InputError(f"steps: expected the horizon {self.horizon}, got {steps}", "Ridge")
        scale = np.trace(self._gram, axis1=-2, axis2=-1) / self.order / np.clip(self._count, 1.0, self.memory)
        flat = ~(scale > 0.0)
        damped = self._gram + (self.ridge * np.where(flat, 1.0, scale))[..., None, None] * np.eye(self.order)
        weights = np.linalg.solve(damped, self._moment[..., None])[..., 0]
        step = (self._regressors(self._history[..., -self.order :]) * weights).sum(axis=-1)
        early = flat | (self._count < self.order + self.horizon + FIRST)
        result: Reals = self._history[..., -1] + np.where(early, 0.0, step)
        return result


def _sample(values: Reals, shape: tuple[int, ...]) -> Reals:
    values = np.asarray(values, dtype=np.float64)
    if values.shape != shape or np.isinf(values).any():
        raise InputError(f"values: expected shape {shape}, finite or NaN, got {values.shape}", "predictor")
    return values


def _steps(steps: int) -> None:
    if steps < 0:
        raise InputError(f"steps: expected at least 0, got {steps}", "predictor")
