"""Forecasts of many series: what they are worth on made-up traffic, and what they refuse."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from support.assurance_data import traffic
from tiertwin.errors import InputError, MissingExtraError
from tiertwin.functions.assure import boosted, covariance
from tiertwin.functions.assure.calendar import Calendar
from tiertwin.functions.assure.descent import minimise
from tiertwin.functions.assure.features import Features, neighbours
from tiertwin.functions.assure.forecast import Forecaster
from tiertwin.functions.assure.history import Scale, filled
from tiertwin.functions.assure.kriging import Kriging
from tiertwin.functions.assure.narx import RidgeNarx
from tiertwin.functions.assure.simple import HoltWinters, SeasonalNaive

METHODS: list[type[Forecaster]] = [SeasonalNaive, HoltWinters, RidgeNarx, Kriging]
DAY = 4
HOURS = Calendar(per_day=DAY)


def played(method: type[Forecaster], seed: int = 0) -> tuple[float, float]:
    """Mean absolute error of next-slot forecasts of a last week, and coverage."""
    whole = traffic(days=49, per_day=DAY, seed=seed)
    model = method(HOURS).fit(whole[:, : -7 * DAY])
    missed, held = [], []
    for sample in whole[:, -7 * DAY :].T:
        found = model.predict(1)
        missed.append(np.abs(sample - found.mean[:, 0]))
        held.append((sample >= found.lower[:, 0]) & (sample <= found.upper[:, 0]))
        model.update(sample)
    return float(np.mean(missed)), float(np.mean(held))


def test_every_method_beats_the_week_before_and_kriging_most() -> None:
    errors = {method.__name__: played(method)[0] for method in METHODS}
    assert errors["Kriging"] < 0.75 * errors["SeasonalNaive"]
    assert errors["RidgeNarx"] < 0.85 * errors["SeasonalNaive"]
    assert errors["HoltWinters"] < 0.9 * errors["SeasonalNaive"]


@pytest.mark.parametrize("method", METHODS)
def test_bands_hold_what_they_say(method: type[Forecaster]) -> None:
    held = np.mean([played(method, seed)[1] for seed in (1, 2)])
    assert 0.86 <= held <= 0.95


def test_naive_is_the_week_before() -> None:
    whole = traffic(per_day=DAY)
    found = SeasonalNaive(HOURS).fit(whole).predict(7 * DAY)
    np.testing.assert_allclose(found.mean, whole[:, -7 * DAY :], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_bad_histories_are_named_all_at_once(method: type[Forecaster]) -> None:
    whole = traffic(per_day=DAY)
    with pytest.raises(InputError, match=r"not empty, got shape \(0, 5\)"):
        method(HOURS).fit(np.zeros((0, 5)))
    with pytest.raises(InputError, match=r"expected at least \d+ samples, got 20"):
        method(HOURS).fit(whole[:, :20])
    whole[1], whole[2], whole[3, 4], whole[4, 5] = np.nan, 7.0, -1.0, np.inf
    with pytest.raises(InputError) as caught:
        method(HOURS).fit(whole)
    text = str(caught.value)
    for words in (
        "series 1 have no value at all",
        "series 2 are constant",
        "series 4 hold infinite values",
        "series 3 fall below 0",
    ):
        assert words in text
    assert f"{method.__name__}.fit: 4 problems" in text


@pytest.mark.parametrize("method", METHODS)
def test_a_clock_that_goes_backwards_is_refused_and_nothing_changes(method: type[Forecaster]) -> None:
    whole = traffic(per_day=DAY)
    model = method(HOURS).fit(whole, first_slot=DAY)
    before = model.predict(3)
    end = whole.shape[1] + DAY
    with pytest.raises(InputError, match=f"expected {end} or later, got {end - 1}: the clock went backwards"):
        model.update(whole[:, 0], end - 1)
    with pytest.raises(InputError, match="at most a week"):
        model.update(whole[:, 0], end + 8 * DAY)
    with pytest.raises(InputError, match=r"expected 6 values of at least 0 or NaN"):
        model.update(np.zeros(5))
    with pytest.raises(InputError, match="expected 6 values"):
        model.update(np.full(6, -1.0))
    with pytest.raises(InputError, match="horizon: expected 1 … 28"):
        model.predict(29)
    np.testing.assert_array_equal(model.predict(3).mean, before.mean)


@pytest.mark.parametrize("method", METHODS)
def test_holes_and_skipped_slots_are_lived_with(method: type[Forecaster]) -> None:
    whole = traffic(per_day=DAY)
    holed = np.where(np.random.default_rng(1).random(whole.shape) < 0.1, np.nan, whole)
    model = method(HOURS).fit(holed[:, :-DAY])
    model.update(whole[:, -DAY], model._next + 2)
    model.update(np.full(6, np.nan))
    found = model.predict(DAY)
    assert all(np.isfinite(getattr(found, key)).all() for key in ("mean", "lower", "upper"))
    error = np.abs(found.mean[:, 0] - whole[:, -4]).mean()
    assert error < 0.6 * whole[:, -4].mean()


def test_before_fit_it_says_so() -> None:
    for act in (lambda: Kriging(HOURS).predict(1), lambda: Kriging(HOURS).update(np.zeros(2))):
        with pytest.raises(InputError, match="expected fit"):
            act()


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="3 problems"):
        Kriging(HOURS, level=1.0, scale="log", calibration_days=1)
    with pytest.raises(InputError, match="3 problems"):
        Calendar(1, 7, (0,))


def test_plain_scale_takes_negative_values() -> None:
    whole = traffic(per_day=DAY) - 40.0
    found = Kriging(HOURS, scale="plain").fit(whole).predict(4)
    shifted = Kriging(HOURS, scale="plain").fit(whole + 1000.0).predict(4)
    np.testing.assert_allclose(shifted.mean - 1000.0, found.mean, rtol=1e-5, atol=1e-4)


def test_the_factor_is_made_anew_when_it_is_long(monkeypatch) -> None:
    """After weeks of samples the forecast is that of a model which only knows the newest."""
    monkeypatch.setattr("tiertwin.functions.assure.kriging.KEPT_WEEKS", 3)
    whole = traffic(days=70, per_day=DAY)
    model = Kriging(HOURS).fit(whole[:, : 42 * DAY])
    for sample in whole[:, 42 * DAY :].T:
        model.update(sample)
        assert model._factor.samples < 4 * HOURS.per_week
    assert np.isfinite(model.predict(5).mean).all()


def test_the_gradient_of_the_likelihood_is_its_difference() -> None:
    z = Scale.of(traffic(per_day=DAY), root=True).into(traffic(per_day=DAY))[:3, :80]
    likelihood = covariance.Likelihood(np.ascontiguousarray(z), 3, HOURS)
    rng = np.random.default_rng(0)
    theta = covariance.START + rng.normal(scale=0.2, size=15)
    _, gradient = likelihood(theta)
    for k in range(15):
        step = np.eye(15)[k] * 1e-5
        numeric = (likelihood(theta + step)[0] - likelihood(theta - step)[0]) / 2e-5
        assert gradient[k] == pytest.approx(numeric, rel=1e-4, abs=1e-8)


def test_fitted_covariance_is_likelier_than_the_start() -> None:
    z = np.ascontiguousarray(Scale.of(traffic(per_day=DAY), root=True).into(traffic(per_day=DAY)))
    likelihood = covariance.Likelihood(z, 0, HOURS)
    fitted = covariance.fit(z, 0, HOURS)
    assert likelihood(fitted)[0] < likelihood(covariance.START)[0] - 0.05


def test_descent_finds_the_valley_of_rosenbrock() -> None:
    def valley(x: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = x
        slope = [-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)]
        return float((1 - a) ** 2 + 100 * (b - a * a) ** 2), np.array(slope)

    x, value = minimise(valley, np.array([-1.2, 1.0]), steps=300, still=1e-15)
    np.testing.assert_allclose(x, [1.0, 1.0], atol=1e-5)
    assert value < 1e-10


def test_features_know_nothing_of_what_comes_after() -> None:
    z = np.ascontiguousarray(Scale.of(traffic(per_day=DAY), root=True).into(traffic(per_day=DAY)))
    near = neighbours(z)
    newest = 130
    for lead in (1, 3, 4, 7):
        other = z.copy()
        other[:, newest + 1 :] = 99.0
        one, two = (Features(values, 0, HOURS, near).ahead(np.array([newest]), lead) for values in (z, other))
        np.testing.assert_array_equal(one, two)


def test_neighbours_are_those_that_move_alike() -> None:
    rng = np.random.default_rng(0)
    waves = rng.normal(size=(2, 100))
    z = np.repeat(waves, 3, axis=0) + 0.01 * rng.normal(size=(6, 100))
    nearest = neighbours(z)
    assert {frozenset(row[:2]) for row in nearest[:3].tolist()} == {
        frozenset({1, 2}),
        frozenset({0, 2}),
        frozenset({0, 1}),
    }
    assert neighbours(z[:1]).shape == (1, 0)


def test_holes_stand_at_their_slot_of_the_week() -> None:
    values = np.arange(2 * 14.0).reshape(1, -1)
    calendar = Calendar(per_day=2)
    values[0, 3] = np.nan
    assert filled(values, np.arange(28), calendar)[0, 3] == 3.0 + 14.0


def test_without_the_extra_its_pip_line_is_told(monkeypatch) -> None:
    def refuse(name: str, *rest: object) -> object:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return original(name, *rest)

    original = importlib.import_module
    monkeypatch.setattr(boosted.importlib, "import_module", refuse)
    with pytest.raises(MissingExtraError, match=r'pip install "tiertwin\[ml\]"'):
        boosted.BoostedTrees(HOURS).fit(traffic(per_day=DAY))


def test_boosted_trees_forecast_too() -> None:
    pytest.importorskip("sklearn", reason="the extra ml is not installed")
    error, held = played(boosted.BoostedTrees)
    assert error < played(SeasonalNaive)[0]
    assert 0.8 <= held <= 0.98
