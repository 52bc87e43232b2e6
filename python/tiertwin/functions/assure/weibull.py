"""Lives that follow Weibull's law, alone and with covariates; fitted to lives of which some have not ended.

    hazard    h(t) = (k/η)(t/η)^(k−1) e^{b·x},      H(t) = (t/η)^k e^{b·x},      R(t) = e^{−H(t)}
    fail      P(T ≤ t + w | T > t) = 1 − e^{−(H(t+w) − H(t))}
    fitted    by maximum likelihood, right-censored:  Σ_{ended} ln h(t_i) − Σ_all H(t_i)

Without covariates η^k = Σ t^k / d and k solves Σ t^k ln t / Σ t^k − 1/k = mean of ln t over the d that ended: one root,
because the left side rises. Source: W. Q. Meeker, L. A. Escobar, Statistical Methods for Reliability Data (1998), ch. 8
and 17; J. F. Lawless, Statistical Models and Methods for Lifetime Data (2003), ch. 5 and 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.descent import minimise

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]

SHAPES = (1e-3, 1e4)  # k is sought between
NODES = 64  # of Gauss and Legendre, for integrals of R
FAR = 1e-17  # integrals of R end where it is so small


def cumulative(shape: ArrayLike, scale: ArrayLike, t: ArrayLike) -> F64:
    """Return H(t) = (t/η)^k, elementwise; 0 before 0."""
    result: F64 = np.power(np.maximum(np.asarray(t, dtype=np.float64), 0.0) / scale, shape)
    return result


def hazard(shape: ArrayLike, scale: ArrayLike, t: ArrayLike) -> F64:
    """Return h(t) = (k/η)(t/η)^(k−1), per unit of time, elementwise; t > 0, or k ≥ 1."""
    k, eta = np.asarray(shape, dtype=np.float64), np.asarray(scale, dtype=np.float64)
    result: F64 = k / eta * np.power(np.asarray(t, dtype=np.float64) / eta, k - 1.0)
    return result


def failure(shape: ArrayLike, scale: ArrayLike, age: ArrayLike, within: ArrayLike) -> F64:
    """Return P(T ≤ age + within | T > age) = 1 − e^{H(age) − H(age + within)}, elementwise."""
    age = np.asarray(age, dtype=np.float64)
    result: F64 = -np.expm1(cumulative(shape, scale, age) - cumulative(shape, scale, age + within))
    return result


@dataclass(frozen=True)
class Weibull:
    """A law of lives: shape k (above 1: wear-out), scale η (63.2 % have ended by then), in any unit of time."""

    shape: float
    scale: float

    def __post_init__(self) -> None:
        if not (0.0 < self.shape < math.inf and 0.0 < self.scale < math.inf):
            raise InputError(f"expected a positive shape and scale, got {self.shape} and {self.scale}", "Weibull")

    def cumulative(self, t: ArrayLike) -> F64:
        """Return H(t); 0 before 0."""
        return cumulative(self.shape, self.scale, t)

    def hazard(self, t: ArrayLike) -> F64:
        """Return h(t), per unit of time, t > 0."""
        return hazard(self.shape, self.scale, t)

    def survival(self, t: ArrayLike) -> F64:
        """Return R(t)."""
        return np.exp(-self.cumulative(t))

    def failure(self, age: ArrayLike, within: ArrayLike) -> F64:
        """Return P(T ≤ age + within | T > age)."""
        return failure(self.shape, self.scale, age, within)

    def quantile(self, share: ArrayLike) -> F64:
        """Return t with P(T ≤ t) = share."""
        result: F64 = self.scale * np.power(-np.log1p(-np.asarray(share, dtype=np.float64)), 1.0 / self.shape)
        return result

    @property
    def mean(self) -> float:
        """η Γ(1 + 1/k)."""
        return self.scale * math.gamma(1.0 + 1.0 / self.shape)

    def mean_until(self, end: float) -> float:
        """Return ∫_0^end R: the mean of min(T, end)."""
        reach = min(end, self.scale * (-math.log(FAR)) ** (1.0 / self.shape))
        return _integral(self, 0.0, reach)

    def remaining(self, age: float, cap: float = math.inf) -> float:
        """Return E[min(T − age, cap) | T > age]."""
        start = float(self.cumulative(age))
        reach = min(age + cap, self.scale * (start - math.log(FAR)) ** (1.0 / self.shape))
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        u = age + 0.5 * (reach - age) * (nodes + 1.0)
        return float(0.5 * (reach - age) * (weights @ np.exp(start - self.cumulative(u))))


def _integral(law: Weibull, low: float, high: float) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    pieces = np.linspace(low, high, 9)
    half = 0.5 * np.diff(pieces)
    t = pieces[:-1, None] + half[:, None] * (nodes + 1.0)
    return float((half[:, None] * weights * law.survival(t)).sum())


def checked_lives(times: ArrayLike, ended: ArrayLike | None, where: str) -> tuple[F64, NDArray[np.bool_]]:
    """Return times and which of them are ends; InputError: empty, not positive, or none ended."""
    t = np.asarray(times, dtype=np.float64)
    done = np.ones(t.shape, dtype=np.bool_) if ended is None else np.asarray(ended, dtype=np.bool_)
    if t.ndim != 1 or t.size == 0 or done.shape != t.shape:
        raise InputError(
            f"times, ended: expected two lists of one length, not empty, got {t.shape}, {done.shape}", where
        )
    if not (np.isfinite(t).all() and (t > 0.0).all()):
        bad = int(np.flatnonzero(~(np.isfinite(t) & (t > 0.0)))[0])
        raise InputError(f"times[{bad}]: expected a positive, finite time, got {t[bad]}", where)
    if not done.any():
        raise InputError("ended: expected at least one life that ended: of none, nothing can be learned", where)
    return t, done


def fit_weibull(times: ArrayLike, ended: ArrayLike | None = None) -> Weibull:
    """Return the law of the largest likelihood.

    Parameters
    ----------
    times
        Ages reached, > 0. [n]
    ended
        True: failed at that age; False: still alive (right-censored). All ended without. [n]

    Raises
    ------
    InputError
        As above; or all lives are equal, so that no finite shape is the likeliest.
    """
    t, done = checked_lives(times, ended, "fit_weibull")
    if np.ptp(t[done]) == 0.0 and t.max() <= t[done][0]:
        raise InputError(f"times: expected lives that differ, got {t[done][0]} only: the likelihood has no peak")
    unit = float(t.max())
    log = np.log(t / unit)  # <= 0: powers do not overflow
    mean_log = float(log[done].mean())

    def excess(k: float) -> float:
        weight = np.exp(k * log)
        return float(weight @ log) / float(weight.sum()) - 1.0 / k - mean_log

    low, high = map(math.log, SHAPES)
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(math.exp(middle)) < 0.0 else (low, middle)
    k = math.exp(0.5 * (low + high))
    return Weibull(k, unit * float(np.exp(k * log).sum() / done.sum()) ** (1.0 / k))


@dataclass(frozen=True)
class HazardModel:
    """Weibull's hazard times e^{b·(x − centre)}: `law` is that of a machine at the centre of the covariates."""

    law: Weibull
    slopes: F64
    centre: F64

    def factor(self, covariates: ArrayLike) -> F64:
        """Return e^{b·(x − centre)}, [n] of covariates [n, p]."""
        result: F64 = np.exp((np.asarray(covariates, dtype=np.float64) - self.centre) @ self.slopes)
        return result

    def failure(self, age: ArrayLike, within: ArrayLike, covariates: ArrayLike) -> F64:
        """Return P(T ≤ age + within | T > age) while the covariates stay as they are."""
        age = np.asarray(age, dtype=np.float64)
        rise = self.law.cumulative(age + within) - self.law.cumulative(age)
        result: F64 = -np.expm1(-rise * self.factor(covariates))
        return result


def fit_hazard(times: ArrayLike, ended: ArrayLike | None, covariates: ArrayLike, ridge: float = 1e-6) -> HazardModel:
    """Return the hazard model of the largest likelihood.

    Parameters
    ----------
    times, ended
        As for `fit_weibull`.
    covariates
        [n, p], fixed over a life.
    ridge
        Weight of |b|² in units of the covariates' spread, an event's worth: keeps b finite where they tell all.
    """
    where = "fit_hazard"
    t, done = checked_lives(times, ended, where)
    x = np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or len(x) != len(t) or not np.isfinite(x).all():
        raise InputError(f"covariates: expected finite values [{len(t)}, p], got shape {x.shape}", where)
    spread = x.std(axis=0)
    if (spread == 0.0).any():
        raise InputError(
            f"covariates: columns {np.flatnonzero(spread == 0.0).tolist()} are constant; leave them out", where
        )
    centre = x.mean(axis=0)
    u, log = (x - centre) / spread, np.log(t)
    start = fit_weibull(t, done)

    def loss(theta: F64) -> tuple[float, F64]:
        shape, level, b = math.exp(theta[0]), theta[1], theta[2:]
        with np.errstate(over="ignore"):
            risk = np.exp(shape * (log - level) + u @ b)
        if not np.isfinite(risk).all():
            return math.inf, np.zeros_like(theta)
        ends = done.astype(np.float64)
        gap = log - level
        log_hazard = theta[0] - level + (shape - 1.0) * gap + u @ b
        value = float(risk.sum() - (ends * log_hazard).sum() + ridge * b @ b)
        by_shape = shape * float((risk * gap).sum() - (ends * gap).sum()) - float(ends.sum())
        by_level = shape * float(ends.sum() - risk.sum())
        return value, np.concatenate([[by_shape, by_level], u.T @ (risk - ends) + 2.0 * ridge * b])

    begin = np.concatenate([[math.log(start.shape), math.log(start.scale)], np.zeros(x.shape[1])])
    best, _ = minimise(loss, begin, steps=300, still=1e-12)
    return HazardModel(Weibull(math.exp(best[0]), math.exp(best[1])), best[2:] / spread, centre)
