"""Signals with thresholds: what is measured becomes an alarm, is silent, or is missing.

    Window   counted things over a short memory: Σ num/Σ den, both with weights e^{−age/window}
    Least    the least value of the last few seconds
    Usual    what a signal is when nothing is wrong: e^{−t/memory}, learnt first, and not while there is an alarm
    States   alarm beyond the threshold; silent again after it was quiet for `hold`; missing when nothing was told

Thresholds are the operator's (scenario section `assurance`); nothing here knows of causes, and no model of causes reads
a threshold. Everything is an array over the parts of one kind, [n]; time is in s, on the watcher's clock, and may
not go backwards. One owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.localiser import ALARM, MISSING, SILENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I8 = NDArray[np.int8]
    Flags = NDArray[np.bool_]


class Window:
    """Ratios of counted things over a memory of `window_s`, for n parts.

    Parameters
    ----------
    count
        n.
    window_s
        Time constant, > 0.
    """

    def __init__(self, count: int, window_s: float) -> None:
        if not (np.isfinite(window_s) and window_s > 0.0):
            raise InputError(f"window_s: expected finite seconds above 0, got {window_s}", "Window")
        self.window_s = window_s
        self.sums = np.zeros((2, count))
        self._at = np.zeros(count)

    def add(self, at: F64, num: F64, den: F64, told: Flags) -> None:
        """Take what was counted since the last time, [n] each, where `told`; `at`: when, s, by each one's clock."""
        told = told & np.isfinite(num) & np.isfinite(den)
        fading = np.exp(-np.maximum(at[told] - self._at[told], 0.0) / self.window_s)
        self.sums[:, told] = self.sums[:, told] * fading + np.stack([num, den])[:, told]
        self._at[told] = at[told]

    def ratio(self, least: float) -> F64:
        """Return Σ num/Σ den, NaN where there is less than `least` of what is divided by, [n]."""
        num, den = self.sums
        result: F64 = np.divide(num, den, out=np.full(len(den), np.nan), where=den >= least)
        return result

    def forget(self, which: Flags) -> None:
        """Begin anew."""
        self.sums[:, which] = 0.0


class Least:
    """The least value of the last `window_s`, for n signals."""

    def __init__(self, count: int, window_s: float) -> None:
        self._window_s = window_s
        self._at: list[float] = []
        self._values = np.empty((0, count))

    def add(self, now: float, values: F64) -> None:
        """Take values, NaN where there is none, [n]."""
        kept = [k for k, at in enumerate(self._at) if now - at < self._window_s]
        self._at = [self._at[k] for k in kept] + [now]
        self._values = np.concatenate([self._values[kept], values[None, :]])

    def value(self) -> F64:
        """Return the least, NaN where there was none, [n]."""
        least: F64 = np.fmin.reduce(self._values, axis=0, initial=np.nan)
        return least

    def forget(self, which: Flags) -> None:
        """Begin anew."""
        self._values[:, which] = np.nan


class Usual:
    """What n signals are when nothing is wrong: the mean of the first `warm_s`, then a level with `memory_s`."""

    def __init__(self, count: int, warm_s: float, memory_s: float) -> None:
        self._warm_s, self._memory_s = warm_s, memory_s
        self.level = np.full(count, np.nan)
        self._known_s, self._at = np.zeros(count), np.full(count, np.nan)

    def learn(self, now: float, signal: F64, well: Flags) -> None:
        """Follow the signals, [n], that are there and of which all is `well`."""
        seen = np.isfinite(signal)
        elapsed = np.where(np.isnan(self._at), 0.0, now - self._at)
        self._at[seen] = now
        first = seen & np.isnan(self.level)
        self.level[first] = signal[first]
        follow = seen & ~first & (well | ~self.known)
        self._known_s[follow] += elapsed[follow]
        memory = np.minimum(np.maximum(self._known_s, 1.0), self._memory_s)  # a running mean at first
        gain = np.minimum(elapsed / memory, 1.0)
        self.level[follow] += gain[follow] * (signal[follow] - self.level[follow])

    @property
    def known(self) -> Flags:
        """Who was followed for long enough, [n]."""
        return self._known_s >= self._warm_s


class States:
    """State of n observations: `ALARM`, `SILENT` or `MISSING`.

    Parameters
    ----------
    count
        n.
    hold_s
        A signal is quiet for so long before its alarm is over.
    """

    def __init__(self, count: int, hold_s: float) -> None:
        self._hold_s = hold_s
        self.state: I8 = np.full(count, MISSING, dtype=np.int8)
        self._quiet_since = np.full(count, np.nan)

    @property
    def alarm(self) -> Flags:
        """Who is in alarm now, [n]."""
        return np.asarray(self.state == ALARM)

    def judge(self, now: float, over: Flags, there: Flags) -> I8:
        """Take whether each signal is over its threshold and whether it is there at all; return the states, [n]."""
        quiet = there & ~over
        since = np.where(np.isnan(self._quiet_since), now, self._quiet_since)
        self._quiet_since = np.where(quiet, since, np.nan)
        held = self.alarm & quiet & (now - since < self._hold_s)
        self.state = np.where(there, np.where(over | held, ALARM, SILENT), MISSING).astype(np.int8)
        return self.state
