"""Where rain goes and how deep links fade: on fields and errors that are known."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.functions.weather.drift import Drift
from tiertwin.functions.weather.fades import BINS, FadeForecast


def scattered(seed: int = 3, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.uniform(0, 100, count), random.uniform(0, 100, count)


def shower(x: np.ndarray, y: np.ndarray, minutes: float, kmh: tuple[float, float]) -> np.ndarray:
    """Two round showers that drift."""
    field = np.zeros_like(x)
    for at in ((30.0, 40.0), (70.0, 75.0)):
        east, north = (a + v * minutes / 60 for a, v in zip(at, kmh, strict=True))
        field += 20.0 * np.exp(-((x - east) ** 2 + (y - north) ** 2) / (2 * 8.0**2))
    return np.where(field > 0.3, field, 0.0)


@pytest.mark.parametrize("kmh", [(48.0, 0.0), (-32.0, 32.0), (0.0, 0.0)])
def test_the_drift_is_found_and_looks_ahead(kmh: tuple[float, float]) -> None:
    x, y = scattered()
    drift = Drift(x, y)
    assert drift.kmh == (0.0, 0.0)
    assert not drift.ahead(600.0).any()
    for look in range(5):
        drift.look(shower(x, y, 5.0 * look, kmh))
    assert np.hypot(*np.subtract(drift.kmh, kmh)) <= 16.0  # one step of the set
    truth, now = shower(x, y, 35.0, kmh), shower(x, y, 20.0, kmh)
    ahead = drift.ahead(900.0)
    assert np.abs(ahead - truth).mean() <= 1.05 * np.abs(now - truth).mean() + 0.4
    if kmh[0]:
        assert np.abs(ahead - truth).mean() < 0.6 * np.abs(now - truth).mean()


def test_gaps_are_no_rain_and_too_few_points_are_told() -> None:
    x, y = scattered()
    drift = Drift(x, y)
    drift.look(np.full(300, np.nan))
    drift.look(np.full(300, np.nan))
    assert not drift.ahead(60.0).any()
    with pytest.raises(InputError, match="expected at least 5 points"):
        Drift(x[:3], y[:3])
    with pytest.raises(InputError, match="finite"):
        Drift(np.append(x, np.nan), np.append(y, 0.0))


def samples(count: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """Fades that grow by an error that grows with them."""
    random = np.random.default_rng(5)
    fade = np.maximum(random.exponential(4.0, count), 0.0)
    rain = random.exponential(2.0, count)
    y = 0.8 * fade + 0.5 * rain + (0.2 + 0.3 * fade) * random.standard_normal(count)
    return np.stack([fade, rain], axis=1), y


def test_probabilities_are_those_that_come() -> None:
    x, y = samples()
    half = len(y) // 2
    forecast = FadeForecast.fit(x[:half], y[:half])
    for level in (3.0, 6.0, 12.0):
        told = forecast.exceeds(x[half:], np.full(half, level))
        for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 1.01)):
            inside = (told >= low) & (told < high)
            assert abs(told[inside].mean() - (y[half:][inside] > level).mean()) < 0.05
    for probability in (0.5, 0.9, 0.98):
        below = (y[half:] <= forecast.upper(x[half:], probability)).mean()
        assert below == pytest.approx(probability, abs=0.01)


def test_what_is_not_known_is_not_likely() -> None:
    x, y = samples()
    forecast = FadeForecast.fit(x, y)
    unknown = np.array([[np.nan, 1.0], [30.0, 1.0]])
    assert forecast.exceeds(unknown, np.array([5.0, 5.0]))[0] == 0.0
    assert np.isnan(forecast.upper(unknown, 0.9)[0])
    assert forecast.exceeds(unknown, np.array([5.0, 5.0]))[1] > 0.95
    with pytest.raises(InputError, match=f"expected at least {10 * BINS} samples"):
        FadeForecast.fit(x[:5], y[:5])
