"""Laws of wear, rain, adaptive modulation and base stations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.surroundings import first_failures, rain, wear
from tiertwin import _core

SECOND = 1_000_000_000
FOREVER = 1e8  # a repair that never ends: one life a part


def lives(
    parts: int, law: dict[str, float], until_s: float, load: float = 0.0, **config: float
) -> np.ndarray[Any, Any]:
    """First failure of each part, s, infinite where there is none."""
    events = _core.wear_history(
        7, wear(parts, {**law, "repair_s": FOREVER}, **config), np.full(parts, load), int(until_s * SECOND), False
    )
    return np.nan_to_num(first_failures(events, parts), nan=np.inf)


# -- wear ------------------------------------------------------------------------------------------------------------


def test_ten_degrees_age_a_part_by_the_published_factor() -> None:
    factor = _core.heat_factor(0.7, 25.0, np.array([25.0, 35.0]))
    assert factor[0] == 1.0
    assert factor[1] == pytest.approx(2.42, abs=0.005)


@pytest.mark.parametrize(("shape", "scale"), [(0.7, 300.0), (1.0, 500.0), (2.0, 1000.0), (5.0, 100.0)])
def test_lives_follow_the_weibull_law(shape: float, scale: float) -> None:
    found = np.sort(lives(4000, {"shape": shape, "scale_s": scale}, 50_000.0, period_s=40.0))
    expected = 1.0 - np.exp(-((found / scale) ** shape))
    distance = np.abs(expected - (np.arange(4000) + 0.5) / 4000).max()
    assert distance < 1.95 / math.sqrt(4000)  # Kolmogorov and Smirnov: 0.1 %
    assert found.mean() == pytest.approx(scale * math.gamma(1 + 1 / shape), rel=0.09)


def inverse_gaussian_cdf(t: np.ndarray[Any, Any], limit: float, drift: float, sigma: float) -> np.ndarray[Any, Any]:
    def normal(z: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return 0.5 * np.array([math.erfc(-v / math.sqrt(2)) for v in z])

    root = sigma * np.sqrt(t)
    return np.asarray(
        normal((drift * t - limit) / root)
        + math.exp(2 * drift * limit / sigma**2) * normal(-(drift * t + limit) / root)
    )


@pytest.mark.parametrize("period_s", [0.5, 13.0, 200.0])
def test_first_passages_are_exact_for_any_period_of_measurement(period_s: float) -> None:
    drift, sigma, limit = 0.02, 0.1, 1.5
    found = np.sort(lives(4000, {"drift_per_s": drift, "sigma": sigma, "limit": limit}, 5000.0, period_s=period_s))
    distance = np.abs(inverse_gaussian_cdf(found, limit, drift, sigma) - (np.arange(4000) + 0.5) / 4000).max()
    assert distance < 1.95 / math.sqrt(4000)
    deviation = math.sqrt(limit * sigma**2 / drift**3 / 4000)
    assert abs(found.mean() - limit / drift) < 4 * deviation


def test_without_noise_the_limit_is_reached_when_the_drift_gets_there() -> None:
    found = lives(3, {"drift_per_s": 0.01}, 200.0, period_s=7.0)
    np.testing.assert_allclose(found, 100.0, atol=1e-6)
    hot = lives(3, {"drift_per_s": 0.01, "activation_ev": 0.7}, 200.0, period_s=7.0, ambient_c=35.0)
    np.testing.assert_allclose(hot, 100.0 / 2.42101943, rtol=1e-7)


LAW = st.fixed_dictionaries(
    {
        "shape": st.floats(0.5, 4.0),
        "scale_s": st.sampled_from([0.0, 30.0, 300.0]),
        "hazard_per_k": st.floats(0.0, 0.1),
        "hazard_load": st.floats(0.0, 2.0),
        "drift_per_s": st.floats(0.001, 0.05),
        "sigma": st.floats(0.0, 0.2),
        "activation_ev": st.floats(0.0, 1.0),
        "max_w": st.floats(0.0, 100.0),
        "k_per_w": st.floats(0.0, 0.3),
        "wear_k": st.floats(0.0, 10.0),
    }
)


@settings(max_examples=60, deadline=None)
@given(law=LAW, cooler=st.floats(-20, 40), more=st.floats(0, 30), load=st.floats(0, 1), busier=st.floats(0, 1))
def test_heat_and_load_never_lengthen_a_life(
    law: dict[str, float], cooler: float, more: float, load: float, busier: float
) -> None:
    """With the same draws a hotter, busier part fails in the same measurement period or an earlier one."""
    low, high = sorted((load, busier))
    cool = lives(30, law, 200.0, low, period_s=5.0, ambient_c=cooler)
    hot = lives(30, law, 200.0, high, period_s=5.0, ambient_c=cooler + more)
    assert (np.ceil(hot / 5.0 - 1e-9) <= np.ceil(cool / 5.0 + 1e-9)).all()


def test_repair_makes_as_new() -> None:
    """Later lives have the law of the first: neither age nor wear is left."""
    law = {"shape": 3.0, "scale_s": 50.0, "repair_s": 10.0, "repair_sigma": 0.5}
    time, part, up, _ = _core.wear_history(5, wear(400, law, period_s=5.0), np.zeros(400), 2000 * SECOND, False)
    later, repairs = [], []
    for p in range(400):
        at, back = time[part == p] * 1e-9, up[part == p]
        assert back.tolist() == [k % 2 for k in range(len(back))]  # down, up, down, ...
        later += list(np.diff(at)[1::2])  # from a repair to the next failure
        repairs += list(np.diff(at)[0::2])
    assert np.mean(later) == pytest.approx(50.0 * math.gamma(4 / 3), rel=0.02)
    assert np.mean(repairs) == pytest.approx(10.0, rel=0.02)
    assert np.std(np.log(repairs)) == pytest.approx(0.5, rel=0.05)


def test_sensors_tell_wear_and_nothing_of_who_is_down() -> None:
    law = {
        "drift_per_s": 0.01, "sigma": 0.02, "idle_w": 10.0, "max_w": 50.0, "k_per_w": 0.5, "wear_k": 8.0,
        "vibration": 1.0, "vibration_growth": 2.0, "errors_per_s": 2.0, "repair_s": 30.0,
    }  # fmt: skip
    load = np.array([0.0, 1.0])
    _, _, _, signals = _core.wear_history(3, wear(2, law, ambient_c=20.0), load, 3000 * SECOND, True)
    x, temperature, vibration, errors = np.moveaxis(signals[1:], 2, 0)
    down = vibration == 0
    assert 0.05 < down.mean() < 0.5
    assert (temperature[down] == 20.0).all()
    assert (errors[down] == 0).all()
    wide = np.broadcast_to(load, x.shape)
    np.testing.assert_allclose(
        temperature[~down], (20 + 0.5 * (10 + 40 * wide) + 8 * np.maximum(x, 0))[~down], rtol=1e-12
    )
    np.testing.assert_allclose(vibration[~down], (1 + 2 * np.maximum(x, 0))[~down], rtol=1e-12)
    mean = 2.0 * np.exp(x[~down])
    assert abs(errors[~down].sum() - mean.sum()) < 4 * math.sqrt(mean.sum())


def test_a_part_does_not_feel_whether_others_exist() -> None:
    law = {"scale_s": 40.0, "drift_per_s": 0.01, "sigma": 0.05}
    many = _core.wear_history(9, wear(20, law), np.zeros(20), 500 * SECOND, False)
    alone = wear(1, law)
    alone["part_key"] = np.array([13])
    one = _core.wear_history(9, alone, np.zeros(1), 500 * SECOND, False)
    assert one[0].tolist() == many[0][many[1] == 13].tolist()
    assert len(one[0]) > 5


# -- rain ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(-15, 15), y=st.floats(-15, 15), radius=st.floats(0.3, 8), peak=st.floats(0, 200),
    alpha=st.floats(0.6, 1.3), half=st.floats(0.01, 20),
)  # fmt: skip
def test_the_path_through_one_cell_is_that_of_the_error_function(
    x: float, y: float, radius: float, peak: float, alpha: float, half: float
) -> None:
    field = _core.RainField(1, rain([(-50.0, x, y, radius, peak, 100.0, 0.0, 0.0)]))  # at its peak at time 0
    ends = [np.array([v]) for v in (-half, 0.0, half, 0.0)]
    got = field.losses(*ends, np.array([0.3]), np.array([alpha]))[0]
    root = math.sqrt(alpha) / radius
    along = math.sqrt(math.pi) / (2 * root) * (math.erf(root * (half - x)) - math.erf(root * (-half - x)))
    want = 0.3 * peak**alpha * math.exp(-alpha * y * y / radius**2) * along
    # relative to the whole cell: what lies beyond 5 radii is left out
    assert got == pytest.approx(want, rel=1e-8, abs=1e-6 * 0.3 * peak**alpha * radius + 1e-300)


def test_rain_moves_with_its_cell_and_rises_and_falls() -> None:
    field = _core.RainField(1, rain([(0.0, 0.0, 0.0, 2.0, 100.0, 1000.0, 36.0, 90.0)]))  # 10 m/s to the east
    seen = []
    for t in (0, 250, 500, 750, 999, 1000):
        field.advance(t * SECOND)
        seen.append(field.rates(np.array([t * 0.01]), np.array([0.0]))[0])
    np.testing.assert_allclose(seen, [0, 50, 100, 50, 100 * math.sin(0.999 * math.pi) ** 2, 0], atol=1e-9)


def test_random_rain_is_steady_and_everywhere_alike() -> None:
    """Mean over time and place: births a km2 and s x mean life, peak, envelope and area, from the first second on."""
    settings_ = {"per_hour": 60.0, "life_s": 300.0, "radius_km": 2.0, "peak_mm_h": 20.0, "speed_km_h": 60.0}
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-20, 20, 15), np.linspace(-15, 15, 15)))
    means = []
    for seed in range(12):
        field = _core.RainField(seed, rain(**settings_, heading_spread_deg=180.0))
        early = field.rates(x, y)
        assert (early >= 0).all()
        later = []
        for t in range(600, 6000, 600):
            field.advance(t * SECOND)
            later.append(field.rates(x, y))
        means.append([early.mean(), np.mean(later)])
    # the peak is cut at 200: exponential of mean 20 is not; radius uniform in 1..3: mean square 13/3
    want = 60.0 / 3600 / 1000 * 300.0 / 2 * 20.0 * math.pi * 13 / 3
    early_mean, later_mean = np.mean(means, axis=0)
    assert later_mean == pytest.approx(want, rel=0.1)
    assert early_mean == pytest.approx(want, rel=0.35)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**40), cuts=st.lists(st.integers(0, 900), max_size=6))
def test_rain_does_not_depend_on_when_somebody_looked(seed: int, cuts: list[int]) -> None:
    config = rain(per_hour=40.0)
    once, often = _core.RainField(seed, config), _core.RainField(seed, config)
    for cut in sorted(cuts):
        often.advance(cut * SECOND)
    for field in (once, often):
        field.advance(900 * SECOND)
    x, y = np.linspace(-20, 20, 30), np.linspace(15, -15, 30)
    assert once.rates(x, y).tolist() == often.rates(x, y).tolist()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**40), more=st.floats(0, 50))
def test_more_rain_never_weakens_a_path_less(seed: int, more: float) -> None:
    extra = (-300.0, 1.0, 1.0, 3.0, more, 600.0, 0.0, 0.0)
    ends = [np.array([v]) for v in (-10.0, -3.0, 12.0, 4.0)]
    dry, wet = (_core.RainField(seed, rain(cells, per_hour=20.0)) for cells in ([], [extra]))
    k, alpha = np.array([1.2]), np.array([0.7])
    assert wet.losses(*ends, k, alpha)[0] >= dry.losses(*ends, k, alpha)[0] * (1 - 2e-6) - 1e-9


# -- modulation and base stations ------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(
    bits=st.sampled_from([0, *range(2, 13)]), snr=st.floats(-50, 80), more=st.floats(0, 30),
    hysteresis=st.floats(0, 5), top=st.integers(2, 12),
)  # fmt: skip
def test_a_stronger_signal_never_has_a_slower_step(
    bits: int, snr: float, more: float, hysteresis: float, top: int
) -> None:
    def step(b: int, s: float) -> int:
        return int(_core.backhaul_step(np.array([b]), np.array([s]), top, hysteresis)[0])

    now, better = step(bits, snr), step(bits, snr + more)
    assert 0 <= now <= better <= top
    assert step(now, snr) == now  # nothing flaps
    assert now == 0 or snr >= _core.backhaul_needed_snr(now)
