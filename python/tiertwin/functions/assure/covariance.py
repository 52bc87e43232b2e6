"""How much two slots of a series have in common, by the time between them: level, day, kind of day, week, what lingers.

    same(l) = c + v_d e^(−2 p/r_d² − l/τ_d) + v_k e^(−2 p/r_k² − l/τ_k) + v_w e^(−2 p/r_w² − 8 q − l/τ_w)
              + v_1 e^(−l/τ_1) + v_2 e^(−l/τ_2),     p = sin²(π l/day), q = sin²(π l/week)
    other(l) the same without v_k: slots on days of different kinds (working day, Saturday, Sunday)

and noise of a variance of its own. Periodic and exponential covariances: C. E. Rasmussen, C. K. I. Williams, Gaussian
Processes for Machine Learning (2006), chapters 4 and 5; the sum is ours. `fit` takes the parameters of the largest
likelihood of all series together, held near `START` by a weak prior:

    Σ_s ln N(z_s; 0, K) / (series n)  −  PRIOR |θ − θ_0|²,    θ the logarithms of all parameters
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.assure.descent import minimise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.calendar import Calendar

    F64 = NDArray[np.float64]

# c v_d v_k v_w v_1 v_2 noise | r_d r_k r_w | τ_d τ_k τ_w τ_1 τ_2, the times in days
START = np.log([1.0, 0.5, 0.2, 0.05, 0.05, 0.05, 0.5, 0.6, 0.6, 0.4, 60.0, 60.0, 60.0, 0.125, 1.25])
NOISE = 6
PRIOR = 2e-4
LEAST_NOISE = 1e-4  # of the variance of a series
STEP = 1e-5
MOST_SERIES = 25
MOST_WEEKS = 6


def tables(theta: F64, length: int, calendar: Calendar) -> tuple[F64, F64]:
    """Return the covariances by lag, of slots on days of one kind and of different kinds. [length] each"""
    c, v_d, v_k, v_w, v_1, v_2 = np.exp(theta[:NOISE])
    r_d, r_k, r_w = np.exp(theta[7:10])
    t_d, t_k, t_w, t_1, t_2 = np.exp(theta[10:])
    days = np.arange(length) / calendar.per_day
    p, q = np.sin(np.pi * days) ** 2, np.sin(np.pi * days / 7.0) ** 2
    other = c + v_d * np.exp(-2.0 * p / r_d**2 - days / t_d) + v_w * np.exp(-2.0 * p / r_w**2 - 8.0 * q - days / t_w)
    other += v_1 * np.exp(-days / t_1) + v_2 * np.exp(-days / t_2)
    return other + v_k * np.exp(-2.0 * p / r_k**2 - days / t_k), other


def noise(theta: F64) -> float:
    """Return the variance of the noise."""
    return float(np.exp(theta[NOISE])) + LEAST_NOISE


class Likelihood:
    """−ln of the likelihood of series that share a covariance, a series and sample, with its gradient.

    Parameters
    ----------
    z
        Zero mean and unit spread, no holes, [series, n].
    first_slot
        Of the first column.
    calendar
        Days and weeks.
    """

    def __init__(self, z: F64, first_slot: int, calendar: Calendar) -> None:
        self.z, self.calendar = z, calendar
        slots = np.arange(z.shape[1])
        kind = calendar.kind(first_slot + slots)
        lag = np.abs(slots[:, None] - slots[None, :])
        # one table, that of different kinds after that of one kind
        self._place = np.where(kind[:, None] == kind[None, :], lag, lag + z.shape[1])

    def __call__(self, theta: F64) -> tuple[float, F64]:
        count, n = self.z.shape
        table = np.concatenate(tables(theta, n, self.calendar))
        matrix = table[self._place]
        matrix[np.diag_indices(n)] += noise(theta)
        try:
            factor = np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros_like(theta)
        inverse = np.linalg.inv(matrix)
        weights = inverse @ self.z.T
        fit = float((self.z.T * weights).sum()) / count
        value = (0.5 * fit + float(np.log(np.diag(factor)).sum())) / n + PRIOR * float(((theta - START) ** 2).sum())
        pull = inverse - weights @ weights.T / count
        by_lag: F64 = np.bincount(self._place.ravel(), weights=pull.ravel(), minlength=2 * n).astype(np.float64)
        gradient = 0.5 / n * self._slopes(theta, n, by_lag)
        gradient[NOISE] += 0.5 / n * float(np.trace(pull)) * float(np.exp(theta[NOISE]))
        return value, gradient + 2.0 * PRIOR * (theta - START)

    def _slopes(self, theta: F64, n: int, by_lag: F64) -> F64:
        """The tables are cheap, so their derivatives are central differences."""
        slopes = np.zeros_like(theta)
        for k in range(len(theta)):
            if k == NOISE:
                continue
            step = np.zeros_like(theta)
            step[k] = STEP
            up, down = (np.concatenate(tables(theta + sign * step, n, self.calendar)) for sign in (1.0, -1.0))
            slopes[k] = float((up - down) @ by_lag) / (2.0 * STEP)
        return slopes


def fit(z: F64, first_slot: int, calendar: Calendar, steps: int = 25) -> F64:
    """Return the parameters θ; of up to 25 series, evenly spaced, and their newest six weeks."""
    kept = min(z.shape[1], MOST_WEEKS * calendar.per_week)
    rows = np.unique(np.linspace(0, len(z) - 1, min(len(z), MOST_SERIES)).astype(np.int64))
    likelihood = Likelihood(z[rows, -kept:], first_slot + z.shape[1] - kept, calendar)
    return minimise(likelihood, START, steps=steps, still=1e-5)[0]
