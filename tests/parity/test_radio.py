"""Radio losses: against the formulas written out, and against published values."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from reference import radio as naive
from support.data import data_file
from tiertwin import _core

N = 400
MODELS = ("uma", "umi", "rma", "inh")
FARTHEST = {"uma": 5_000.0, "umi": 5_000.0, "rma": 5_000.0, "inh": 140.0}
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def one(*numbers: float) -> list[np.ndarray]:
    return [np.array([float(x)]) for x in numbers]


def by_place(formula: Callable[..., Any], *columns: Sequence[Any]) -> np.ndarray:
    return np.array([formula(*row) for row in zip(*columns, strict=True)])


def users(model: str, seed: int = 1) -> tuple[np.ndarray, ...]:
    """Distance, heights, GHz, line of sight and effective height, over the model's whole range."""
    rng = np.random.default_rng(seed)
    distance = np.exp(rng.uniform(0, np.log(FARTHEST[model]), N))
    distance[:4] = (0.0, 9.99, 10.0, FARTHEST[model])
    base = rng.uniform(10, 150 if model == "rma" else 35, N)
    user = rng.uniform(1.5, 10 if model == "rma" else 22.5, N)
    ghz = np.exp(rng.uniform(np.log(0.5), np.log(30 if model == "rma" else 100), N))
    if model != "rma":
        user = np.minimum(user, base - 1.0)
    return distance, base, user, ghz, rng.random(N) < 0.5, np.ones(N)


@pytest.mark.parametrize("model", MODELS)
def test_path_loss_is_the_formula(model: str) -> None:
    distance, base, user, ghz, sight, effective = users(model)
    user = np.maximum(user, 1.5)
    ours = _core.path_loss(model, distance, base, user, ghz, sight, effective)
    wanted = by_place(lambda *a: naive.path_loss(model, *a), distance, base, user, ghz, sight, effective)
    np.testing.assert_allclose(ours, wanted, **EXACT)
    np.testing.assert_allclose(
        _core.sight_probability(model, distance, base, user),
        by_place(lambda *a: naive.sight_probability(model, *a), distance, base, user), **EXACT,
    )  # fmt: skip
    np.testing.assert_allclose(
        _core.breakpoint_distance(model, base, user, ghz, effective),
        by_place(lambda *a: naive.breakpoint_distance(model, *a), base, user, ghz, effective), **EXACT,
    )  # fmt: skip
    hidden = _core.path_loss(model, distance, base, user, ghz, np.zeros(1, bool), effective)
    assert (hidden >= _core.path_loss(model, distance, base, user, ghz, np.ones(1, bool), effective)).all()


@pytest.mark.parametrize("model", MODELS)
def test_shadowing_is_the_table(model: str) -> None:
    distance, base, user, ghz, sight, _ = users(model, 2)
    sigma, correlation = _core.shadowing(model, distance, base, user, ghz, sight)
    wanted = np.where(sight, *naive.SIGMA[model])
    if model == "rma":
        wanted[sight & (distance > _core.breakpoint_distance(model, base, user, ghz, np.ones(1)))] = 6.0
    np.testing.assert_array_equal(sigma, wanted)
    np.testing.assert_array_equal(correlation, np.where(sight, *naive.CORRELATION[model]))


@pytest.mark.parametrize(
    ("distance", "user"), [(15.0, 20.0), (200.0, 12.9), (200.0, 13.4), (200.0, 22.5), (900.0, 18.0)]
)
def test_effective_heights_have_their_probabilities(distance: float, user: float) -> None:
    uniform = (np.arange(20_000) + 0.5) / 20_000
    drawn = _core.effective_height(*one(distance, 25.0, user), uniform)
    for height, probability in naive.effective_heights(distance, user):
        assert np.mean(drawn == height) == pytest.approx(probability, abs=1e-4)


# TR 38.901 worked out: (model, distance, GHz, user height, line of sight, not, probability of line of sight)
PUBLISHED = [
    ("uma", 500, 4, 25, 99.43, 131.08, 0.036),
    ("uma", 1000, 4, 25, 109.53, 142.83, 0.018),
    ("umi", 100, 28, 10, 103.38, 123.88, 0.231),
    ("umi", 500, 4, 10, 107.17, 130.50, 0.036),
    ("rma", 1000, 0.7, 35, 93.38, 116.45, 0.372),
]


@pytest.mark.parametrize(("model", "distance", "ghz", "base", "sight", "hidden", "probability"), PUBLISHED)
def test_published_path_losses(
    model: str, distance: float, ghz: float, base: float, sight: float, hidden: float, probability: float
) -> None:
    for in_sight, wanted in ((True, sight), (False, hidden)):
        (loss,) = _core.path_loss(model, *one(distance, base, 1.5, ghz), np.array([in_sight]), np.ones(1))
        assert loss == pytest.approx(wanted, abs=0.0052)  # 116.4449 is given as 116.45
    assert _core.sight_probability(model, *one(distance, base, 1.5))[0] == pytest.approx(probability, abs=5e-4)


def test_published_breakpoints_walls_and_indoor_losses() -> None:
    assert _core.breakpoint_distance("uma", *one(25, 1.5, 4, 1))[0] == pytest.approx(640)
    assert _core.breakpoint_distance("umi", *one(10, 1.5, 4, 1))[0] == pytest.approx(240)
    at_20_m = one(np.sqrt(20**2 - 1.5**2), 3.0, 1.5, 28)
    for in_sight, wanted in ((True, 83.85), (False, 103.16)):
        loss = _core.path_loss("inh", *at_20_m, np.array([in_sight]), np.ones(1))[0]
        assert loss == pytest.approx(wanted, abs=0.005)
    walls = [_core.building_wall_loss(np.array([4.0, 28.0]), high) for high in (False, True)]
    np.testing.assert_allclose(walls, [[12.88, 17.83], [27.97, 37.95]], atol=0.005)
    ghz = np.linspace(0.5, 100, 50)
    for high in (False, True):
        wanted = [naive.building_wall_loss(f, high) for f in ghz]
        np.testing.assert_allclose(_core.building_wall_loss(ghz, high), wanted, **EXACT)


# ---------------------------------------------------------------------------------------------------------------- rain
# ITU-R P.838-3, vertical polarisation, horizontal path: GHz, kV, aV, dB/km at 5, 25, 50, 100 mm/h
RAIN = [
    (18, 0.0771, 1.0025, 0.39, 1.94, 3.89, 7.80),
    (28, 0.1964, 0.9277, 0.87, 3.89, 7.40, 14.1),
    (38, 0.3844, 0.8552, 1.52, 6.03, 10.9, 19.7),
    (73, 1.071, 0.7150, 3.39, 10.7, 17.6, 28.8),
    (80, 1.167, 0.7021, 3.61, 11.2, 18.2, 29.6),
    (140, 1.565, 0.6505, 4.46, 12.7, 19.9, 31.3),
]


def digits(value: float) -> float:
    """Half a unit of the last digit given."""
    text = repr(value)
    return 0.5 * 10.0 ** -(len(text) - text.index(".") - 1)


@pytest.mark.parametrize("row", RAIN, ids=lambda row: f"{row[0]} GHz")
def test_published_rain(row: tuple[float, ...]) -> None:
    ghz, k, alpha, *losses = row
    found = _core.rain_coefficients(*one(ghz, 0, 90))
    assert found[0][0] == pytest.approx(k, abs=digits(k))
    assert found[1][0] == pytest.approx(alpha, abs=digits(alpha))
    for rain, loss in zip((5, 25, 50, 100), losses, strict=True):
        assert _core.rain_attenuation(*one(ghz, rain, 0, 90))[0] == pytest.approx(loss, abs=digits(loss) * 1.02)


def test_published_terrestrial_paths() -> None:
    factors = [_core.terrestrial_path_factor(*one(28, 50, km, 90))[0] for km in (1, 2, 5)]
    np.testing.assert_allclose(factors, [1.46, 1.05, 0.715], atol=0.005)
    loss = _core.terrestrial_rain_loss(*one(28, 50, 2, 90, 0.01))[0]
    assert loss / (_core.rain_attenuation(*one(28, 50, 0, 90))[0] * factors[1] * 2) == pytest.approx(0.998, abs=5e-4)


def test_rain_is_the_formula() -> None:
    rng = np.random.default_rng(3)
    ghz, rain = np.exp(rng.uniform(0, np.log(1000), N)), rng.uniform(0.1, 150, N)
    el, tilt, km = rng.uniform(5, 90, N), rng.uniform(0, 90, N), rng.uniform(0.05, 60, N)
    np.testing.assert_allclose(
        _core.rain_attenuation(ghz, rain, el, tilt), by_place(naive.rain_attenuation, ghz, rain, el, tilt), **EXACT
    )
    np.testing.assert_allclose(
        _core.terrestrial_path_factor(ghz, rain, km, tilt),
        by_place(naive.terrestrial_path_factor, ghz, rain, km, tilt), **EXACT,
    )  # fmt: skip
    percent = np.exp(rng.uniform(np.log(0.001), 0, N))
    np.testing.assert_allclose(
        _core.terrestrial_rain_loss(ghz, rain, km, tilt, percent),
        by_place(naive.terrestrial_rain_loss, ghz, rain, km, tilt, percent), **EXACT,
    )  # fmt: skip
    hr, hs, lat = rng.uniform(0, 5, N), rng.uniform(0, 3, N), rng.uniform(-90, 90, N)
    slant = el, hr, hs, lat, np.minimum(ghz, 55.0), rain, tilt, percent
    np.testing.assert_allclose(_core.slant_rain_loss(*slant), by_place(naive.slant_rain_loss, *slant), **EXACT)


def test_more_rain_never_loses_less() -> None:
    rain = np.linspace(0, 150, 151)
    for ghz in (6.0, 28.0, 80.0, 140.0):
        assert (np.diff(_core.rain_attenuation(np.array([ghz]), rain, *one(0, 90))) > 0).all()
        assert (np.diff(_core.slant_rain_loss(*one(40, 4, 0, 50, ghz), rain, *one(45, 0.01))) > 0).all()


@pytest.fixture(scope="module")
def itu() -> dict[str, list[tuple[list[float], dict[str, float], float]]]:
    """ITU-R validation values (from ITU-Rpy's, MIT): by test, (arguments, named arguments, expected)."""
    found: dict[str, list[tuple[list[float], dict[str, float], float]]] = {}
    with data_file("itu_reference_values.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            key = f"{line['cls']}.{line['test']}"
            found.setdefault(key, []).append(
                (json.loads(line["args"]), json.loads(line["kwargs"]), float(line["expected"]))
            )
    return found


def test_rain_agrees_with_the_values_of_the_itu(itu: dict[str, Any]) -> None:
    rows = itu["ITUR838_3TestCase.test_rain_specific_attenuation"]
    assert len(rows) >= 100
    rain, ghz, el, tilt = (np.array(column, dtype=float) for column in zip(*(row[0] for row in rows), strict=True))
    np.testing.assert_allclose(_core.rain_attenuation(ghz, rain, el, tilt), [row[2] for row in rows], atol=1e-5)


def at_place(rows: list[Any], latitude: float, longitude: float) -> float | None:
    """The ITU's own value of a place."""
    for args, _, value in rows:
        if abs(args[0] - latitude) < 1e-6 and abs((args[1] - longitude + 180) % 360 - 180) < 1e-6:
            return float(value)
    return None


def test_slant_paths_agree_with_the_values_of_the_itu(itu: dict[str, Any]) -> None:
    """Rain height and rain rate of each place are the ITU's, so that no map is needed."""
    heights, rates = itu["ITUR839_4TestCase.test_rain_height"], itu["ITUR837_6TestCase.test_rainfall_rate"]
    checked = 0
    for (latitude, longitude, ghz, el), named, expected in itu["ITUR618_12TestCase.test_rain_attenuation"]:
        height, rate = at_place(heights, latitude, longitude), at_place(rates, latitude, longitude)
        if height is None or rate is None:
            continue
        checked += 1
        loss = _core.slant_rain_loss(*one(el, height, named["hs"], latitude, ghz, rate, named["tau"], named["p"]))
        assert loss[0] == pytest.approx(expected, abs=2e-5)
    assert checked >= 50


# ---------------------------------------------------------------------------------------------------------- satellites
def test_published_satellite_links() -> None:
    assert _core.free_space_loss(*one(600e3, 2))[0] == pytest.approx(154.03, abs=0.005)
    assert _core.slant_range(*one(30, 600e3))[0] == pytest.approx(1075e3, abs=500)
    assert _core.slant_range(*one(10, 600e3))[0] == pytest.approx(1932e3, abs=500)
    assert _core.slant_range(*one(90, 600e3))[0] == pytest.approx(600e3)
    assert _core.orbital_speed(np.array([600e3]))[0] == pytest.approx(7562, abs=0.5)
    assert _core.satellite_sight_probability("urban", np.array([0.0, 14.9, 15.1, 90.0])).tolist() == [
        0.246, 0.246, 0.386, 0.992
    ]  # fmt: skip
    loss = _core.satellite_loss("rural", *one(90, 600e3, 20), np.array([True, False]), np.array([0.25]))
    np.testing.assert_allclose(
        loss, 32.45 + 20 * np.log10(20) + 20 * np.log10(600e3) + 0.25 + 0.12 + np.array([0, 16.8])
    )
    sigma = _core.satellite_shadowing("dense_urban", np.array([40.0]), np.array([2.0, 28.0]), np.array([False]))
    assert sigma.tolist() == [11.7, 14.6]


# ------------------------------------------------------------------------------------------------------------ antennas
def test_a_sector_has_its_half_power_width_and_its_depth() -> None:
    to = np.array([30.0, 30 + 32.5, 30 - 32.5, 210.0, 390.0])
    gains = _core.sector_gain(30.0, 0.0, to, np.zeros(1))
    np.testing.assert_allclose(gains, [8, 5, 5, -22, 8], atol=1e-12)
    np.testing.assert_allclose(_core.sector_gain(0.0, 6.0, np.zeros(1), np.array([-6.0, 26.5, -38.5])), [8, 5, 5])
    rng = np.random.default_rng(4)
    az, el = rng.uniform(-720, 720, N), rng.uniform(-90, 90, N)
    wanted = by_place(lambda a, e: naive.sector_gain(75.0, 4.0, a, e), az, el)
    np.testing.assert_allclose(_core.sector_gain(75.0, 4.0, az, el), wanted, **EXACT)


def test_an_array_gains_with_its_size_and_loses_with_its_error() -> None:
    assert _core.array_gain(8, 8, *one(0, 0))[0] == pytest.approx(10 * np.log10(64))
    errors = np.linspace(-90, 90, 181)
    wanted = [naive.array_gain(4, 16, error, 1.0) for error in errors]
    np.testing.assert_allclose(_core.array_gain(4, 16, errors, np.ones(1)), wanted, **EXACT)
    off = [_core.array_gain(1, n, *one(2, 0))[0] - 10 * np.log10(n) for n in (4, 8, 16, 32)]
    assert (np.diff(off) < 0).all()  # the narrower the beam, the dearer the same error


# ----------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: _core.path_loss("city", *one(10, 25, 1.5, 4), np.ones(1, bool), np.ones(1)), "uma, umi, rma or inh"),
        (lambda: _core.path_loss("uma", *one(6e3, 25, 1.5, 4), np.ones(1, bool), np.ones(1)), "at most 5000"),
        (lambda: _core.path_loss("uma", *one(-1, 25, 1.5, 4), np.ones(1, bool), np.ones(1)), "0 m or more"),
        (lambda: _core.path_loss("uma", *one(np.nan, 25, 1.5, 4), np.ones(1, bool), np.ones(1)), "0 m or more"),
        (lambda: _core.path_loss("rma", *one(10, 35, 1.5, 60), np.ones(1, bool), np.ones(1)), "0.5 to 30"),
        (lambda: _core.path_loss("umi", *one(10, 10, 40, 4), np.ones(1, bool), np.ones(1)), "user's height"),
        (lambda: _core.path_loss("umi", *one(10, 10, 1.5, 4), np.ones(1, bool), np.array([1.5])), "surroundings"),
        (lambda: _core.rain_attenuation(*one(0.5, 10, 0, 0)), "1 to 1000 GHz"),
        (lambda: _core.rain_attenuation(*one(28, -1, 0, 0)), "rain rate of 0 mm/h"),
        (lambda: _core.rain_attenuation(np.array([28.0, 28.0]), np.array([5.0, np.inf]), *one(0, 0)), "at index 1"),
        (lambda: _core.slant_rain_loss(*one(4, 4, 0, 50, 20, 30, 0, 0.01)), "elevation of 5 to 90"),
        (lambda: _core.satellite_loss("sea", *one(40, 6e5, 20), np.ones(1, bool), np.zeros(1)), "dense_urban"),
        (lambda: _core.slant_range(*one(95, 6e5)), "0 to 90 degrees"),
        (lambda: _core.sector_gain(0.0, 100.0, *one(0, 0)), "tilt of -90 to 90"),
        (lambda: _core.sector_gain(0.0, 0.0, *one(0, 0), width_deg=0.0), "half-power width"),
        (lambda: _core.array_gain(0, 4, *one(0, 0)), "1 to 1024 rows"),
        (lambda: _core.array_gain(4, 4, *one(0, 91)), "-90 to 90"),
    ],
)
def test_what_no_link_can_be_is_refused(call: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
