"""Wear that grows by chance until it reaches a limit: heat, drift, and the law of the first passage.

    heat      AF(T) = e^{(E_a/k_B)(1/T_0 − 1/T)},  T in K                                            (Arrhenius)
    wear      X(t + dt) = X(t) + μ AF dt + σ √(AF dt) N(0, 1)                                        (Wiener)
    life      first t with X(t) ≥ X_f;  for d = X_f − X > 0 and μ > 0 inverse Gaussian:
              P(T ≤ t) = Φ((μt − d)/(σ√t)) + e^{2μd/σ²} Φ(−(μt + d)/(σ√t)),   E T = d/μ,  Var T = dσ²/μ³

t is time at the reference temperature; at another one it runs AF times as fast (drift and variance alike).
Source: R. S. Chhikara, J. L. Folks, The Inverse Gaussian Distribution (1989); W. Q. Meeker, L. A. Escobar, Statistical
Methods for Reliability Data (1998), ch. 13 and 18.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]

BOLTZMANN_EV = 8.617e-5  # eV/K
ZERO_C = 273.15
FAR = 20.0  # standard deviations from which the tail of the normal law is its asymptotic series

_erfc = np.frompyfunc(math.erfc, 1, 1)


def arrhenius(temperature_c: ArrayLike, reference_c: float = 25.0, activation_ev: float = 0.7) -> F64:
    """Return how many times as fast wear runs as at the reference. InputError below absolute zero."""
    kelvin = np.asarray(temperature_c, dtype=np.float64) + ZERO_C
    if not ((kelvin > 0.0).all() and reference_c + ZERO_C > 0.0):
        raise InputError(f"temperature_c: expected above −273.15 °C, got {kelvin.min() - ZERO_C:g}", "arrhenius")
    result: F64 = np.exp(activation_ev / BOLTZMANN_EV * (1.0 / (reference_c + ZERO_C) - 1.0 / kelvin))
    return result


@dataclass(frozen=True)
class Wiener:
    """Wear with drift μ per unit of time and diffusion σ per its root; both > 0."""

    drift: float
    diffusion: float

    def __post_init__(self) -> None:
        if not (0.0 < self.drift < math.inf and 0.0 < self.diffusion < math.inf):
            raise InputError(f"expected a positive drift and diffusion, got {self.drift}, {self.diffusion}", "Wiener")

    def passed(self, distance: ArrayLike, time: ArrayLike, acceleration: ArrayLike = 1.0) -> F64:
        """Return P(the limit, `distance` away, is reached within `time`); 1 at or beyond the limit, 0 at time ≤ 0."""
        d, t = np.broadcast_arrays(
            np.asarray(distance, dtype=np.float64),
            np.asarray(time, dtype=np.float64) * np.asarray(acceleration, dtype=np.float64),
        )
        ahead = (d > 0.0) & (t > 0.0)
        d_, t_ = np.where(ahead, d, 1.0), np.where(ahead, t, 1.0)
        root = self.diffusion * np.sqrt(t_)
        direct = np.exp(log_tail((d_ - self.drift * t_) / root))
        mirrored = np.exp(2.0 * self.drift * d_ / self.diffusion**2 + log_tail((d_ + self.drift * t_) / root))
        result: F64 = np.where(d <= 0.0, 1.0, np.where(ahead, np.minimum(direct + mirrored, 1.0), 0.0))
        return result

    def mean(self, distance: ArrayLike, acceleration: ArrayLike = 1.0) -> F64:
        """Return the mean time to the limit, d/(μ AF)."""
        result: F64 = np.maximum(np.asarray(distance, dtype=np.float64), 0.0) / (self.drift * np.asarray(acceleration))
        return result


def fit_wiener(wear: ArrayLike, times: ArrayLike, acceleration: ArrayLike = 1.0) -> Wiener:
    """Return drift and diffusion of the largest likelihood from one path.

    Parameters
    ----------
    wear
        [n], n ≥ 3.
    times
        When it was seen, rising. [n]
    acceleration
        AF between each two samples, or one for all. [n − 1]

    Raises
    ------
    InputError
        Too short, a clock that goes backwards, values that are not finite or do not move, or wear that shrinks.
    """
    where = "fit_wiener"
    x, t = np.asarray(wear, dtype=np.float64), np.asarray(times, dtype=np.float64)
    if x.ndim != 1 or x.shape != t.shape or len(x) < 3:
        raise InputError(
            f"wear, times: expected two lists of one length of at least 3, got {x.shape}, {t.shape}", where
        )
    if not (np.isfinite(x).all() and np.isfinite(t).all()):
        raise InputError("wear, times: expected finite values; leave out what was not seen", where)
    step = np.diff(t)
    if (step <= 0.0).any():
        at = int(np.flatnonzero(step <= 0.0)[0])
        raise InputError(
            f"times[{at + 1}]: expected a time after {t[at]}, got {t[at + 1]}: the clock went backwards; sort the "
            "samples",
            where,
        )
    run = step * np.asarray(acceleration, dtype=np.float64)
    if not (np.isfinite(run).all() and (run > 0.0).all()):
        raise InputError("acceleration: expected positive, finite factors", where)
    rise = np.diff(x)
    drift = float(rise.sum() / run.sum())
    diffusion = math.sqrt(float(((rise - drift * run) ** 2 / run).mean()))
    if not (drift > 0.0 and diffusion > 0.0):
        raise InputError(
            f"wear: expected a path that grows and is no straight line, got drift {drift:g}, diffusion {diffusion:g}",
            where,
        )
    return Wiener(drift, diffusion)


def log_tail(z: ArrayLike) -> F64:
    """Return ln P(N(0, 1) > z), to 1e-7 relative or better at any z (far out by the asymptotic series)."""
    z = np.asarray(z, dtype=np.float64)
    near = np.minimum(z, FAR)
    close = np.log(0.5 * np.asarray(_erfc(near / math.sqrt(2.0)), dtype=np.float64))
    far = np.maximum(z, FAR)
    series = -1.0 / far**2 + 3.0 / far**4 - 15.0 / far**6
    beyond = -0.5 * far**2 - np.log(far * math.sqrt(2.0 * math.pi)) + np.log1p(series)
    result: F64 = np.where(z > FAR, beyond, close)
    return result
