"""What a weather loop knows of each link before each minute, and the rules that act on it.

Before minute t are known: readings up to minute t − 1, and the radar's 5-minute rain up to 5 minutes before t. Forecast
is the deepest fade of minutes t … t + 4, by `functions.weather`. A level is thought likely where it is exceeded with
probability τ or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.functions.weather.drift import Drift
from tiertwin.functions.weather.fades import FadeForecast

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tiertwin.study.weatherdata import Fades
    from tiertwin.study.weatherplay import Minute

    F64 = NDArray[np.float64]
    F32 = NDArray[np.float32]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]

STEP_MIN, LATENCY_MIN, HORIZON_MIN = 5, 5, 5
LEAD_S = 60.0 * (LATENCY_MIN + STEP_MIN + HORIZON_MIN / 2)
LATELY_MIN = 5
FEATURES = ("fade", "deepest", "rise", "rain", "ahead")
KNOWN = {"own": ("fade", "deepest", "rise"), "radar": ("fade", "deepest", "rise", "rain"), "drift": FEATURES}
"""What each kind of loop looks at: its own readings; the radar as well; and where the rain goes."""


@dataclass(frozen=True, eq=False)
class Known:
    """Features of each link before each minute, dB: [T, n] each, NaN where not known; and what came.

    Parameters
    ----------
    features
        By name, `FEATURES`.
    deepest
        Deepest fade of the coming minutes, [T, n].
    drift_kmh
        Drift east and north before each radar step, [T / 5, 2].
    """

    features: dict[str, F32]
    deepest: F32
    drift_kmh: F64

    @classmethod
    def of(cls, fades: Fades) -> Known:
        """Work them out for all minutes; about 1 kB a link and hour."""
        fade = fades.fade_db.astype(np.float32)
        last = _before(fade, 1)
        deepest, coming = last.copy(), fade.copy()
        for k in range(2, LATELY_MIN + 1):
            deepest = np.fmax(deepest, _before(fade, k))
        for k in range(1, HORIZON_MIN):
            coming[:-k] = np.fmax(coming[:-k], fade[k:])
        rise = np.maximum(last - _before(fade, 1 + LATELY_MIN), 0.0)
        rise = np.where(np.isfinite(rise), rise, 0.0).astype(np.float32)
        rain, ahead, drift = _rain(fades)
        features = {"fade": np.where(np.isfinite(last), last, deepest), "deepest": deepest, "rise": rise}
        return cls({**features, "rain": rain, "ahead": ahead}, coming, drift)

    def table(self, names: tuple[str, ...], minutes: NDArray[np.int64] | range) -> F64:
        """Return the features of all links in these minutes, [minutes · n, F]; rain alone where a link is silent."""
        at = np.asarray(minutes)
        return np.stack([self.features[name][at].ravel() for name in names], axis=1).astype(np.float64)


def _before(values: F32, minutes: int) -> F32:
    """Return what was `minutes` before each minute, NaN at the start."""
    moved = np.full_like(values, np.nan)
    moved[minutes:] = values[:-minutes]
    return moved


def _rain(fades: Fades) -> tuple[F32, F32, F64]:
    """Return P.838 of the newest rain known before each minute and of it `LEAD_S` later, [T, n], and the drift."""
    drift = Drift(fades.x_km, fades.y_km, 60.0 * STEP_MIN)
    now, ahead = (np.zeros(fades.rain_mm_h.shape, np.float32) for _ in range(2))
    kmh = np.zeros((len(now), 2))
    for step, rain in enumerate(np.nan_to_num(fades.rain_mm_h)):
        drift.look(rain)
        now[step] = fades.k * rain**fades.alpha * fades.km
        ahead[step] = fades.k * drift.ahead(LEAD_S) ** fades.alpha * fades.km
        kmh[step] = drift.kmh
    newest = (np.arange(len(fades.fade_db)) - LATENCY_MIN) // STEP_MIN - 1
    blank = newest < 0
    at = np.maximum(newest, 0)
    rain_db, ahead_db = now[at], ahead[at]
    rain_db[blank] = ahead_db[blank] = 0.0
    return rain_db, ahead_db, kmh


def fitted(known: Known, names: tuple[str, ...], minutes: range) -> FadeForecast:
    """Fit a forecast on every fifth of these minutes."""
    at = np.arange(minutes.start, minutes.stop, HORIZON_MIN)
    return FadeForecast.fit(known.table(names, at), known.deepest[at].ravel().astype(np.float64))


def levels(fades: Fades, load: F64) -> tuple[F64, F64]:
    """Return fades, dB, [n], beyond which a link has not room for its load, and beyond which it leaves its top step."""
    needed = np.array([_core.backhaul_needed_snr(step) for step in range(2, 13)])
    least = np.clip(np.ceil(load), 2, 12).astype(np.int64)
    room = fades.qpsk_db - (needed[least - 2] - needed[0])
    return room, fades.qpsk_db - (needed[fades.top - 2] - needed[0])


def looking_ahead(
    fades: Fades, load: F64, known: Known, names: tuple[str, ...], forecast: FadeForecast, likely: float, minutes: range
) -> Callable[[Minute], tuple[Flags, I64, I64]]:
    """Return the loop's rule: round where room is likely to go, a step down where the top step is and load still fits.

    Parameters
    ----------
    likely
        τ of the module.
    minutes
        Those that will be played.
    """
    parts = [minutes[k : k + 1440] for k in range(0, len(minutes), 1440)]
    told = [forecast.upper(known.table(names, part), 1.0 - likely).astype(np.float32) for part in parts]
    upper = np.concatenate(told).reshape(len(minutes), -1)
    room, top_level = levels(fades, load)
    needed = np.array([_core.backhaul_needed_snr(step) for step in range(2, 13)])
    least = np.ceil(load)

    def rule(minute: Minute) -> tuple[Flags, I64, I64]:
        depth = upper[minute.t - minutes.start]
        fade = np.nan_to_num(depth, nan=-np.inf)
        left = fades.qpsk_db - fade
        step = np.searchsorted(needed - needed[0], np.where(np.isfinite(left), left, 99.0), side="right") + 1
        expected = np.minimum(np.where(step < 2, 0, step), fades.top)
        expected = np.where(minute.rate < 0, 0, expected)
        falls = (fade > top_level) & (expected >= least) & ~minute.lent
        return fade > room, expected, np.where(falls, expected, 12)

    return rule


def oracle(load: F64) -> Callable[[Minute], tuple[Flags, I64, I64]]:
    """Return the rule of whoever knows the coming minute."""

    def rule(minute: Minute) -> tuple[Flags, I64, I64]:
        caught = (minute.rate >= 0) & (minute.rate < load)
        return caught, minute.rate, np.where(minute.rate > 0, minute.rate, 12)

    return rule
