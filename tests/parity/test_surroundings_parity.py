"""Wear and rain of the core against naive ones: the same events to a few nanoseconds, the same signals and losses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import rain_field
from reference.wear import parts
from support.surroundings import rain, wear
from tiertwin import _core

SECOND = 1_000_000_000
HOT = {"idle_w": 20.0, "max_w": 100.0, "k_per_w": 0.2, "wear_k": 4.0}
LAWS: dict[str, dict[str, float]] = {
    "weibull": {"shape": 2.0, "scale_s": 9.0, "hazard_per_k": 0.03, "hazard_load": 0.7, "repair_sigma": 0.8, **HOT},
    "early failures": {"shape": 0.6, "scale_s": 9.0, "repair_s": 0.3},
    "degradation": {"drift_per_s": 0.08, "sigma": 0.2, "activation_ev": 0.7, "errors_per_s": 3.0, **HOT},
    "no noise": {"drift_per_s": 0.11, "vibration": 1.0, "vibration_growth": 3.0, "repair_sigma": 0.1},
    "whichever comes first": {"scale_s": 12.0, "drift_per_s": 0.07, "sigma": 0.1, "limit": 1.3, "errors_per_s": 80.0},
}


@pytest.mark.parametrize("seed", [3, 2**45 + 1])
@pytest.mark.parametrize("case", [*LAWS, "all"])
def test_wear_is_that_of_the_naive_parts(case: str, seed: int) -> None:
    laws = list(LAWS.values()) if case == "all" else [LAWS[case]]
    config = wear(6, *laws, period_s=0.7, swing_c=5.0, day_s=40.0)
    config["part_key"] = np.array([0, 3, 8, 2**32, 2**32 + 1, 2**40])
    load, until = np.array([0.0, 0.2, 0.5, 0.9, 1.0, 0.4]), 60 * SECOND
    time, part, up, signals = _core.wear_history(seed, config, load, until, True)
    naive = parts(seed, config, load, until)
    for p, expected in enumerate(naive):
        mine = part == p
        assert up[mine].tolist() == [int(back) for _, back in expected.events]
        np.testing.assert_allclose(time[mine], [at for at, _ in expected.events], rtol=0, atol=3)
        np.testing.assert_allclose(signals[:, p], expected.signals, rtol=1e-8, atol=1e-8)
    assert len(time) > 20
    assert (np.diff(time) >= 0).all()


@pytest.mark.parametrize("seed", [1, 2**50 + 9])
def test_rain_is_that_of_the_naive_field(seed: int) -> None:
    given = [(30.0, 0.0, 1.0, 2.0, 90.0, 400.0, 20.0, 45.0), (-50.0, 5.0, -3.0, 6.0, 10.0, 300.0, 0.0, 0.0)]
    config = rain(given, per_hour=30.0, heading_deg=200.0, heading_spread_deg=40.0)
    field = _core.RainField(seed, config)
    found = rain_field.cells(seed, config, 700.0)
    rng = np.random.default_rng(5)
    x, y, x1, y1 = (rng.uniform(-20, 20, 12) for _ in range(4))
    alive = 0
    for t in (0, 1, 90, 400, 700):
        field.advance(t * SECOND)
        np.testing.assert_allclose(field.rates(x, y), rain_field.rate(found, t, x, y), rtol=1e-8, atol=1e-7)
        losses = field.losses(x, y, x1, y1, np.array([0.2]), np.array([0.8]))
        naive = [rain_field.loss(found, t, path, 0.2, 0.8) for path in zip(x, y, x1, y1, strict=True)]
        np.testing.assert_allclose(losses, naive, rtol=2e-6, atol=1e-6)
        alive += field.cells
    assert alive > 20


def naive_step(bits: int, snr: float, top: int, hysteresis: float) -> int:
    """Walk down while the signal is too weak, then up while it is strong enough."""
    needed = {b: round(3.0 + 10.0 * np.log10(2.0**b - 1.0), 1) for b in range(2, 13)}
    step = min(bits, top)
    while step > 0 and snr < needed[step]:
        step = step - 1 if step > 2 else 0
    if step < min(bits, top):
        return step
    while step < top and snr >= needed[max(step + 1, 2)] + hysteresis:
        step = max(step + 1, 2)
    return step


def test_steps_of_modulation_are_those_of_walking_the_table() -> None:
    rng = np.random.default_rng(2)
    for top in (2, 7, 12):
        bits = rng.choice([0, *range(2, top + 1)], 400)
        snr = rng.uniform(0, 45, 400)
        for hysteresis in (0.0, 1.0, 2.5):
            got = _core.backhaul_step(bits.astype(np.int64), snr, top, hysteresis)
            want = [naive_step(int(b), float(s), top, hysteresis) for b, s in zip(bits, snr, strict=True)]
            assert got.tolist() == want


STATIONS: dict[str, tuple[float, ...]] = {
    "macro": (6, 130.0, 4.7, 20.0, 75.0), "rrh": (6, 84.0, 2.8, 20.0, 56.0), "micro": (2, 56.0, 2.6, 6.3, 39.0),
    "pico": (2, 6.8, 4.0, 0.13, 4.3), "femto": (2, 4.8, 8.0, 0.05, 2.9),
}  # fmt: skip


@pytest.mark.parametrize("kind", STATIONS)
def test_power_of_base_stations_is_that_of_the_table(kind: str) -> None:
    chains, awake, slope, most, asleep = STATIONS[kind]
    load = np.linspace(0, 1, 11)
    np.testing.assert_allclose(_core.base_station_power(kind, load), chains * (awake + slope * most * load), rtol=1e-12)
    assert _core.base_station_sleeping_power(kind) == pytest.approx(chains * asleep)


def test_published_power_of_a_macro_station() -> None:
    power: Any = _core.base_station_power("macro", np.array([1.0, 0.0]))
    assert power.tolist() == [1344.0, 780.0]
    assert _core.base_station_sleeping_power("macro") == 450.0
