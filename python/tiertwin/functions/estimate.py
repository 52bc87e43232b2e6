"""Demand of each group in the epoch to come, from what telemetry told (observe → estimate).

A site's whole load is well measured, a small group's is mostly Poisson noise. So the site's ratio of measured to
nominal load is followed with level and trend (Holt's linear method), and each group only corrects it slowly, the faster
the more tasks it sees:

    m_t   = Σ_i y_i / Σ_i n_i                      y measured, n nominal tasks/s of the reporting devices
    level, trend = Holt(m_t; 0.5, 0.3)
    f_i  <- f_i + γ_i (y_i / (n_i m_t) − f_i)      γ_i = 0.2 n_i / (n_i + 20)
    d_i   = n_i f_i (level + trend)                one epoch ahead
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

LEVEL_GAIN = 0.5
TREND_GAIN = 0.3
TREND_KEPT = 0.9  # the trend is damped, so that a silent hour does not run away
GROUP_GAIN = 0.2
GROUP_HALF = 20.0  # tasks/s at which a group moves at half of its largest gain
FLOOR = 1e-3  # of nominal: a group that reports nothing may come back


class DemandEstimator:
    """Follows the demand of one site's groups.

    Parameters
    ----------
    nominal
        Tasks/s of each group at load 1, shape (G,), > 0 where the group has devices.
    """

    def __init__(self, nominal: npt.NDArray[np.float64]) -> None:
        self.nominal = np.asarray(nominal, dtype=np.float64)
        self._level = 1.0
        self._trend = 0.0
        self._factor = np.ones_like(self.nominal)
        self._seen = False

    def update(self, measured: npt.NDArray[np.float64], covered: npt.NDArray[np.float64]) -> None:
        """Take one epoch's measurement.

        Parameters
        ----------
        measured
            Tasks/s summed over the devices that reported, shape (G,).
        covered
            Share of each group's devices that reported, shape (G,), in [0, 1].
        """
        base = self.nominal * covered
        total = float(base.sum())
        if total <= 0.0:
            return  # nothing reported: the belief ages, it does not move
        ratio = max(float(measured.sum()), 0.0) / total
        self._follow(ratio)
        use = base > 0.0
        expected = base[use] * max(ratio, FLOOR)
        gain = GROUP_GAIN * base[use] / (base[use] + GROUP_HALF)
        observed = np.maximum(measured[use], 0.0) / expected
        self._factor[use] += gain * (observed - self._factor[use])

    def _follow(self, ratio: float) -> None:
        if not self._seen:
            self._level, self._seen = ratio, True
            return
        forecast = self._level + self._trend
        level = forecast + LEVEL_GAIN * (ratio - forecast)
        self._trend = TREND_KEPT * (self._trend + LEVEL_GAIN * TREND_GAIN * (ratio - forecast))
        self._level = level

    def predict(self) -> npt.NDArray[np.float64]:
        """Return the demand of the coming epoch, tasks/s, shape (G,), ≥ 0."""
        ahead = max(self._level + self._trend, FLOOR)
        result: npt.NDArray[np.float64] = np.maximum(self.nominal * self._factor * ahead, FLOOR * self.nominal)
        return result
