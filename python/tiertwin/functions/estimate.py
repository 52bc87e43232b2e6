"""Demand of each group when a decision is in force, from what telemetry told (observe → estimate).

A site's whole load is well measured, a small group's is mostly Poisson noise. So the site's ratio of measured to
nominal load is followed with level and trend (Holt's linear method), and each group only corrects it slowly, the faster
the more tasks it sees. What was measured lies `ahead` epochs before the middle of the time for which a decision holds:
sampling, collection, solving and actuation take that long. The trend is carried over that time as far as it has proved
to come true at this site: a large site's trend does, a small one's is noise.

    m_t   = Σ_i y_i / Σ_i n_i                      y measured, n nominal tasks/s of the reporting devices
    level, trend = Holt(m_t; 0.5, 0.3)
    f_i  <- f_i + γ_i (y_i / (n_i m_t) − f_i)      γ_i = 0.2 n_i / (n_i + 20)
    d_i   = n_i f_i (level + w·ahead·trend)
    w     = Σ (m_s − level)·ahead·trend / (p + Σ (ahead·trend)²), in [0, 1]
            over earlier predictions and what came (m_s: between two epochs on the line), forgetting by 0.95 an epoch;
            p = 1/Σ n_i: the variance of one epoch's noise, as if a trend had been seen that did not come true
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
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
KEPT = 0.95  # of what is known of trends, an epoch
ERRORS_KEPT = 120  # of predictions that came due
AHEAD = 1.5  # epochs, unless told: half a sampling period, half an epoch, and what is under way


class DemandEstimator:
    """Follows the demand of one site's groups.

    Parameters
    ----------
    nominal
        Tasks/s of each group at load 1, shape (G,), > 0 where the group has devices; may be replaced later.
    align
        Predict over the time between measuring and deciding; without it the level is held.
    """

    def __init__(self, nominal: npt.NDArray[np.float64], *, align: bool = True) -> None:
        self.nominal = np.asarray(nominal, dtype=np.float64)
        self._align = align
        self._came_true, self._told = 0.0, 1.0 / max(float(self.nominal.sum()), 1e-9)
        self._waiting: list[_Forecast] = []
        self._errors: deque[float] = deque(maxlen=ERRORS_KEPT)
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
            self._waiting.clear()
            return  # nothing reported: the belief ages, it does not move
        ratio = max(float(measured.sum()), 0.0) / total
        self._judge(ratio)
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

    def _judge(self, ratio: float) -> None:
        """Learn from the forecasts of which this is the outcome how far trends come true."""
        waiting = []
        for forecast in self._waiting:
            forecast.outcomes.append(ratio)
            if len(forecast.outcomes) < forecast.ahead:
                waiting.append(forecast)
                continue
            change, step = forecast.outcome() - forecast.level, forecast.ahead * forecast.trend
            told = max(forecast.level + forecast.trusted, FLOOR)
            self._errors.append(forecast.level + change - told)
            self._came_true = KEPT * self._came_true + step * change
            self._told = KEPT * self._told + step * step
        self._waiting = waiting

    @property
    def errors(self) -> tuple[float, ...]:
        """Errors of the site's predictions that came due: measured less told, at load 1; the oldest first."""
        return tuple(self._errors)

    @property
    def trust(self) -> float:
        """Share of a trend that is expected to come true, w, in [0, 1]."""
        return min(max(self._came_true / max(self._told, 1e-300), 0.0), 1.0)

    def predict(self, ahead: float = AHEAD) -> npt.NDArray[np.float64]:
        """Return the demand `ahead` epochs after the last measurement, tasks/s, shape (G,), ≥ 0; once an update."""
        step = ahead * self._trend
        to_come = self.trust * step if self._align else 0.0
        if self._seen and step != 0.0:
            self._waiting.append(_Forecast(self._level, self._trend, ahead, [], to_come))
        result: npt.NDArray[np.float64] = np.maximum(
            self.nominal * self._factor * max(self._level + to_come, FLOOR), FLOOR * self.nominal
        )
        return result


@dataclass(slots=True)
class _Forecast:
    """A trend that was told, and the measurements since."""

    level: float
    trend: float
    ahead: float
    outcomes: list[float]
    trusted: float  # how much of the trend was told

    def outcome(self) -> float:
        """Return what was measured `ahead` epochs after it was told, on the line between two epochs."""
        first = int(self.ahead)
        share = self.ahead - first
        before = self.outcomes[first - 1] if first > 0 else self.level
        return before if share == 0.0 else (1.0 - share) * before + share * self.outcomes[first]
