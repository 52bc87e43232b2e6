"""Many attributes at one virtual time, and ahead of it: what a decision needs is the state in which it takes effect.

Every sample carries when it was generated. Samples of n rows, each of another age, are brought to one time t:

    between two samples     the straight line between them
    after the newest        h = t − t_k seconds ahead, by one of
        hold     x_k
        trend    x_k + b τ (1 − e^(−h/τ))     b: slope of steps, smoothed with gain g; τ = 2/g mean spacings: it fades
        revert   m + (x_k − m) e^(−h/θ)       AR(1) in continuous time: m the running mean, θ from the running
                                              correlation of neighbouring samples
        best     each row's own of hold, revert and trends with g = 0.05, 0.2, 0.5 (`trend` is that with 0.2): the one
                 with the least running squared error `horizon_s` ahead, judged on predictions it really made

State is one matrix, a column a row; a call costs O(rows) in arrays, no Python a row. Running means have the gain
1/min(samples, memory), so the first steps are plain means.

Age of information h = t − t_k: a random walk of variance rate s² held for h has the mean squared error s² h, which is
what `variance` returns with the running estimate of s².
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiertwin.errors import InputError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
METHODS = ("hold", "trend", "revert", "best")
GAINS = np.array([0.05, 0.2, 0.5])[:, None]  # of the slopes
OPTIONS = ("hold", "revert", "trend 0.05", "trend 0.2", "trend 0.5")
HANDICAP = np.array([0.97, 1.0, 1.0, 1.0, 1.0])[:, None]  # others must be 3 % better than hold, not luckier
FIRST = 4  # samples of a row before anything but hold is trusted
_TIME, _VALUE, _MEAN, _DECAY, _SPACING, _SLOPE = 0, 1, 2, 3, 4, slice(5, 8)  # rows of a model


def _options(model: F64, ahead: F64) -> F64:
    """Return what each of OPTIONS says `ahead` seconds after the newest sample, [options, rows]."""
    value, mean = model[_VALUE], model[_MEAN]
    fade = 2.0 / GAINS * model[_SPACING]
    reach = np.where(fade > 0.0, fade * -np.expm1(-ahead / np.where(fade > 0.0, fade, 1.0)), 0.0)
    revert = value + (value - mean) * np.expm1(-model[_DECAY] * ahead)  # exactly the value when nothing is ahead
    result: F64 = np.concatenate([value[None], revert[None], value + model[_SLOPE] * reach])
    return result


class Aligner:
    """The newest samples of n rows and what they tell about the next.

    Parameters
    ----------
    rows
        How many.
    method
        ``hold``, ``trend``, ``revert`` or ``best``; may be changed at any time, all of them are followed.
    horizon_s
        How far ahead ``best`` is judged, s; 0: one sample ahead.
    memory
        Samples over which running means forget, at least 2.
    """

    def __init__(self, rows: int, method: str = "best", *, horizon_s: float = 0.0, memory: float = 100.0) -> None:
        if rows < 1:
            raise InputError(f"rows: expected at least 1, got {rows}", "Aligner")
        if method not in METHODS:
            raise InputError(f"method: expected one of {', '.join(METHODS)}, got {method!r}", "Aligner")
        if not (memory >= 2.0 and np.isfinite(memory)):
            raise InputError(f"memory: expected a finite number of samples, at least 2, got {memory}", "Aligner")
        if not (horizon_s >= 0.0 and np.isfinite(horizon_s)):
            raise InputError(f"horizon_s: expected a finite time of at least 0 s, got {horizon_s}", "Aligner")
        self.rows, self.method, self.memory, self.horizon_s = rows, method, memory, horizon_s
        self.late = 0
        """Samples older than what their row had: not used."""
        self._model = np.zeros((8, rows))
        self._model[:_MEAN] = np.nan
        self._anchor = self._model.copy()  # the model that awaits its judgement
        self._before = np.full((2, rows), np.nan)  # time and value of the sample before the newest
        self._samples = np.zeros(rows, dtype=np.int64)
        self._judged = np.zeros(rows, dtype=np.int64)
        self._error = np.zeros((len(OPTIONS), rows))  # squared, `horizon_s` ahead
        self._power = np.zeros(rows)  # of the value about its mean
        self._product = np.zeros(rows)  # of neighbouring samples about the mean
        self._rate = np.zeros(rows)  # squared step a second

    def observe(self, rows: I64, values: ArrayLike, times_s: ArrayLike) -> int:
        """Take samples, at most one of a row a call; returns how many were no newer than what their row has.

        InputError: a row outside 0 … rows − 1 or twice, a value or time that is not finite, sizes that differ; nothing
        has changed then.
        """
        rows, value, time = self.checked(rows, values, times_s)
        newer = ~(time <= self._model[_TIME, rows])  # NaN: the first sample
        late = int((~newer).sum())
        self.late += late
        rows, value, time = rows[newer], value[newer], time[newer]
        known = self._samples[rows] > 0
        self._judge(rows[known], value[known], time[known])
        self._learn(rows[known], value[known], time[known])
        self._model[_MEAN, rows[~known]] = value[~known]
        self._before[:, rows] = self._model[:_MEAN, rows]
        self._model[_TIME, rows], self._model[_VALUE, rows] = time, value
        self._samples[rows] += 1
        again = rows[np.isnan(self._anchor[_TIME, rows])]
        self._anchor[:, again] = self._model[:, again]
        return late

    def at(self, time_s: float) -> F64:
        """Return every row at one time, [rows]; NaN before the older of its two newest samples, or without any."""
        ahead = self.age(time_s)
        then, before = self._before
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (time_s - then) / (self._model[_TIME] - then)
            between = before + share * (self._model[_VALUE] - before)
            between[~(share >= 0.0)] = np.nan
        options = _options(self._model, np.maximum(ahead, 0.0))
        later = np.take_along_axis(options, self._choice()[None], axis=0)[0]
        result: F64 = np.where(ahead >= 0.0, later, between)
        return result

    def age(self, time_s: float) -> F64:
        """Return the age of information of every row, s, NaN without samples. [rows]"""
        if not np.isfinite(time_s):
            raise InputError(f"time_s: expected a finite time, got {time_s}", "Aligner")
        result: F64 = time_s - self._model[_TIME]
        return result

    def variance(self, time_s: float) -> F64:
        """Return the mean squared error to expect of holding each row until then: s² · age. [rows]"""
        result: F64 = self._rate * np.maximum(self.age(time_s), 0.0)
        return result

    def error(self) -> F64:
        """Return the running squared error, `horizon_s` ahead, of what each row uses; infinity: not judged. [rows]"""
        used = np.take_along_axis(self._error, self._choice()[None], axis=0)[0]
        result: F64 = np.where(self._judged > 0, used, np.inf)
        return result

    def chosen(self) -> list[str]:
        """Return which of OPTIONS each row uses."""
        return [OPTIONS[k] for k in self._choice()]

    def checked(self, rows: I64, values: ArrayLike, times_s: ArrayLike) -> tuple[I64, F64, F64]:
        """Return samples as arrays; InputError as `observe`."""
        which = np.asarray(rows, dtype=np.int64)
        value, time = np.asarray(values, dtype=np.float64), np.asarray(times_s, dtype=np.float64)
        if not (which.ndim == 1 and which.shape == value.shape == time.shape):
            raise InputError(
                f"expected rows, values and times of one length, got {which.shape}, {value.shape}, {time.shape}",
                "observe",
            )
        wrong = np.flatnonzero((which < 0) | (which >= self.rows))
        if len(wrong):
            raise InputError(f"expected rows 0 … {self.rows - 1}, got {which[wrong[0]]}", f"observe, sample {wrong[0]}")
        count = np.bincount(which, minlength=1)
        if count.max() > 1:
            raise InputError(
                f"expected each row once a call, got row {count.argmax()} again. Call once for each", "observe"
            )
        wrong = np.flatnonzero(~(np.isfinite(value) & np.isfinite(time)))
        if len(wrong):
            k = int(wrong[0])
            raise InputError(
                f"expected finite values and times, got {value[k]} at {time[k]} s. Leave out what was not measured",
                f"observe, row {which[k]}",
            )
        return which, value, time

    def _judge(self, rows: I64, value: F64, time: F64) -> None:
        """Score the predictions that are due, and let a newer model await its turn."""
        due = time >= self._anchor[_TIME, rows] + self.horizon_s
        rows, value, time = rows[due], value[due], time[due]
        anchor = self._anchor[:, rows]
        missed = (value - _options(anchor, time - anchor[_TIME])) ** 2
        self._judged[rows] += 1
        self._error[:, rows] += (missed - self._error[:, rows]) / np.minimum(self._judged[rows], self.memory)
        self._anchor[_TIME, rows] = np.nan

    def _learn(self, rows: I64, value: F64, time: F64) -> None:
        """Bring the running figures of these rows up to date with a newer sample each."""
        model = self._model[:, rows]
        gain = 1.0 / np.minimum(self._samples[rows], self.memory)  # 1 at the first step: what was 0 is replaced
        gap, step = time - model[_TIME], value - model[_VALUE]
        self._rate[rows] += gain * (step**2 / gap - self._rate[rows])
        model[_SPACING] += gain * (gap - model[_SPACING])
        model[_SLOPE] += np.maximum(GAINS, gain) * (step / gap - model[_SLOPE])
        model[_MEAN] += gain / (1.0 + gain) * (value - model[_MEAN])
        away, before = value - model[_MEAN], model[_VALUE] - model[_MEAN]
        power = self._power[rows] + gain * ((away**2 + before**2) / 2.0 - self._power[rows])
        product = self._product[rows] + gain * (away * before - self._product[rows])
        kept = np.clip(np.divide(product, power, out=np.ones_like(power), where=power > 0.0), 1e-3, 1.0)
        model[_DECAY] = -np.log(kept) / model[_SPACING]
        self._power[rows], self._product[rows] = power, product
        self._model[:, rows] = model

    def _choice(self) -> I64:
        """Return which of OPTIONS each row uses."""
        ready = (self._samples >= FIRST) & (self._judged > 0)
        if self.method == "best":
            return np.where(ready, np.argmin(self._error * HANDICAP, axis=0), 0)
        return np.where(ready, {"hold": 0, "revert": 1, "trend": 3}[self.method], 0)
