"""Laws of forecasts and lives: equivariance, coverage where scores are exchangeable, distributions that rise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.assurance_data import machines, traffic
from tiertwin import _core
from tiertwin.functions.assure.calendar import Calendar
from tiertwin.functions.assure.calibrate import Isotonic, Platt, brier
from tiertwin.functions.assure.forecast import Forecaster
from tiertwin.functions.assure.kriging import Kriging
from tiertwin.functions.assure.narx import RidgeNarx
from tiertwin.functions.assure.remaining import RemainingLife
from tiertwin.functions.assure.simple import HoltWinters, SeasonalNaive
from tiertwin.functions.assure.wear import Wiener, log_tail
from tiertwin.functions.assure.weibull import Weibull, fit_weibull

METHODS: list[type[Forecaster]] = [SeasonalNaive, HoltWinters, RidgeNarx, Kriging]
HOURS = Calendar(per_day=4)
POSITIVE = st.floats(0.05, 20.0)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def history() -> np.ndarray:
    return traffic(per_day=4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [1e-3])
def test_forecasts_scale_with_the_unit(method: type[Forecaster], factor: float, history: np.ndarray) -> None:
    one, other = method(HOURS).fit(history).predict(5), method(HOURS).fit(factor * history).predict(5)
    for key in ("mean", "lower", "upper"):
        np.testing.assert_allclose(getattr(other, key), factor * getattr(one, key), rtol=1e-6, atol=1e-9 * factor)


@pytest.mark.parametrize("method", METHODS)
def test_forecasts_follow_the_order_of_series(method: type[Forecaster], history: np.ndarray) -> None:
    order = np.array([3, 0, 5, 1, 4, 2])
    one, other = method(HOURS).fit(history).predict(8), method(HOURS).fit(history[order]).predict(8)
    np.testing.assert_allclose(other.mean, one.mean[order], rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_centre_lies_in_the_band_and_wider_levels_hold_narrower(
    method: type[Forecaster], history: np.ndarray
) -> None:
    wide, narrow = (method(HOURS, level=level).fit(history).predict(8) for level in (0.9, 0.5))
    for found in (wide, narrow):
        assert (found.lower <= found.mean).mean() > 0.8  # a method may be biased: then its band lies beside
        assert (found.mean <= found.upper).mean() > 0.8
    assert (wide.upper - wide.lower).mean() > (narrow.upper - narrow.lower).mean()


@pytest.mark.parametrize("method", METHODS)
def test_samples_one_by_one_or_in_the_history_say_alike(method: type[Forecaster], history: np.ndarray) -> None:
    """What was said a slot ahead by a model that was updated is what one that took the same samples says."""
    model, twin = (method(HOURS).fit(history[:, :-8]) for _ in range(2))
    for k in range(8):
        model.update(history[:, -8 + k])
    first = model._next - 8
    for k in range(8):
        twin.update(history[:, -8 + k], first + k)
    np.testing.assert_array_equal(model.predict(8).mean, twin.predict(8).mean)


@settings(max_examples=20)
@given(seed=SEEDS, count=st.integers(19, 120))
def test_bounds_hold_exchangeable_scores(seed: int, count: int) -> None:
    """Split conformal: P(inside) >= level for any law; here 4 000 series at once, the margin four standard errors."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_t(2, (count + 1, 4000))
    book = _core.ScoreBook(4000, 200, 0.8)
    for row in scores[:-1]:
        book.push(row)
    lower, upper = book.bounds()
    inside = ((scores[-1] >= lower) & (scores[-1] <= upper)).mean()
    assert inside >= 0.8 - 4 * math.sqrt(0.16 / 4000)
    assert inside <= 0.8 + 2 / (count + 1) + 4 * math.sqrt(0.16 / 4000)


@pytest.mark.parametrize(("gain", "shared"), [(0.05, 0.0), (0.005, 0.05)])
def test_adapting_bounds_come_back_to_their_level_when_the_spread_triples(gain: float, shared: float) -> None:
    rng = np.random.default_rng(1)
    fixed, adapting = _core.ScoreBook(30, 100, 0.9), _core.ScoreBook(30, 100, 0.9, 1.0, gain, shared)
    held = np.zeros((2, 60, 30))
    for t in range(160):
        row = rng.normal(size=30) * (3.0 if t >= 100 else 1.0)
        for k, book in enumerate((fixed, adapting)):
            if t >= 100:
                lower, upper = book.bounds()
                held[k, t - 100] = (row >= lower) & (row <= upper)
            book.push(row)
    assert abs(held[1].mean() - 0.9) < abs(held[0].mean() - 0.9)
    assert held[1, 30:].mean() > 0.86


@given(drift=POSITIVE, diffusion=POSITIVE, distance=POSITIVE)
def test_first_passage_is_a_distribution(drift: float, diffusion: float, distance: float) -> None:
    law = Wiener(drift, diffusion)
    times = np.concatenate([[-1.0, 0.0], np.geomspace(1e-6, 1e6, 200)])
    found = law.passed(distance, times)
    assert (np.diff(found) >= -1e-12).all()
    assert found[0] == found[1] == 0.0
    assert found[-1] == pytest.approx(1.0, abs=1e-6)
    assert (law.passed(0.5 * distance, times) >= found - 1e-12).all()
    assert law.passed(0.0, 0.0) == 1.0


@given(z=st.floats(-5.0, 300.0))
def test_the_log_of_the_normal_tail_falls(z: float) -> None:
    near, far = log_tail(z), log_tail(z + 1e-3)
    assert far < near <= 0.0


@given(shape=st.floats(0.3, 8.0), scale=POSITIVE, age=st.floats(0.0, 50.0))
def test_weibull_probabilities_rise_with_the_horizon(shape: float, scale: float, age: float) -> None:
    law = Weibull(shape, scale)
    found = law.failure(age, np.linspace(0.0, 5.0 * scale, 50))
    assert found[0] == 0.0
    assert (np.diff(found) >= 0.0).all()
    assert (found <= 1.0).all()
    assert law.survival(law.quantile(0.3)) == pytest.approx(0.7, rel=1e-9)


@given(seed=SEEDS, factor=st.floats(1e-6, 1e6))
def test_fitted_lives_scale_with_the_unit_of_time(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    times, ended = rng.weibull(1.7, 30) + 0.01, rng.random(30) < 0.7
    ended[:2] = True
    one, other = fit_weibull(times, ended), fit_weibull(factor * times, ended)
    assert other.shape == pytest.approx(one.shape, rel=1e-9)
    assert other.scale == pytest.approx(factor * one.scale, rel=1e-9)


@given(seed=SEEDS)
def test_calibrated_probabilities_rise_with_the_score_and_are_not_worse(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=80).round(2)
    happened = rng.random(80) < 1 / (1 + np.exp(-2 * scores))
    grid = np.linspace(-4, 4, 60)
    for method in (Isotonic, Platt):
        curve = method.fit(scores, happened)
        found = curve(grid)
        assert (np.diff(found) >= -1e-12).all()
        assert (found >= 0.0).all()
        assert (found <= 1.0).all()
    base = np.full(80, happened.mean())
    assert brier(Isotonic.fit(scores, happened)(scores), happened) <= brier(base, happened) + 1e-12


def test_failure_within_longer_is_likelier_and_lives_lie_in_their_intervals() -> None:
    runs = machines()
    model = RemainingLife(cap=60.0, least_cycles=10).fit(runs)
    so_far = [run[:cut] for run in machines(4, seed=9) for cut in (12, 40, len(run))]
    found = model.predict(so_far)
    assert (found.lower <= found.upper).all()
    assert (found.lower >= 0.0).all()
    assert (found.upper <= 60.0).all()
    likely = np.stack([model.failure(so_far, w) for w in (5.0, 15.0, 30.0, 50.0)])
    assert (np.diff(likely, axis=0) >= -0.02).all()  # each horizon is calibrated by itself
    assert (likely[:, 2::3] >= likely[:, 0::3]).all()  # at its end a machine is likelier to fail than at its beginning
