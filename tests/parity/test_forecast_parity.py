"""The forecast kernels against their naive versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from reference import forecast as naive
from tiertwin import _core
from tiertwin.functions.assure.calendar import Calendar
from tiertwin.functions.assure.covariance import START, tables


@pytest.mark.parametrize("seed", range(4))
def test_the_growing_factor_is_the_dense_solve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    calendar = Calendar(per_day=6)
    both = tables(START, 200, calendar)
    slots = np.sort(rng.choice(120, 60, replace=False))
    kinds, values = calendar.kind(slots), rng.normal(size=(60, 3))
    factor = _core.GrowingFactor(3, *both, 0.3)
    for slot, kind, row in zip(slots.tolist(), kinds.tolist(), values, strict=True):
        factor.append(slot, kind, row)
    at = slots[-1] + np.array([1, 2, 9])
    mean, variance = factor.ahead(at, calendar.kind(at))
    for k, slot in enumerate(at):
        expected = naive.kriging(slots, kinds, values, int(slot), int(calendar.kind(slot)), both, 0.3)
        np.testing.assert_allclose(mean[k], expected[0], rtol=1e-9, atol=1e-11)
        assert variance[k] == pytest.approx(expected[1], rel=1e-9)


@pytest.mark.parametrize("gains", [(0.1, 0.2, 0.3, 0.4), (0.0, 0.0, 0.0, 0.0), (1.0, 0.5, 0.5, 0.9)])
def test_double_seasonal_smoothing(gains: tuple) -> None:
    x = np.random.default_rng(5).normal(size=(2, 61)) + np.sin(np.arange(61))
    model = _core.DoubleSeason(2, 4, 12)
    square = model.follow(x[:, :50].copy(), np.tile(gains, (2, 1)).astype(float))
    for s in range(2):
        assert square[s] == pytest.approx(naive.double_season(x[s, :50], 4, 12, gains, 1)[0], rel=1e-12)
    for t in range(50, 61):
        model.update(x[:, t].copy())
    for s in range(2):
        np.testing.assert_allclose(model.ahead(15)[s], naive.double_season(x[s], 4, 12, gains, 15)[1], rtol=1e-9)


@pytest.mark.parametrize("decay", [1.0, 0.9])
def test_weighted_bounds(decay: float) -> None:
    scores = np.random.default_rng(2).normal(size=(40, 3))
    book = _core.ScoreBook(3, 25, 0.8, decay)
    for k, row in enumerate(scores, 1):
        book.push(row)
        kept = scores[max(k - 25, 0) : k][::-1]
        weights = [decay**age for age in range(len(kept))]
        lower, upper = book.bounds()
        for s in range(3):
            assert upper[s] == naive.upper_score(list(kept[:, s]), weights, 0.9)
            assert lower[s] == -naive.upper_score(list(-kept[:, s]), weights, 0.9)
    assert math.isfinite(upper[0]) == (sum(weights) * 0.1 >= 0.9)


def test_trends_are_their_definitions() -> None:
    rng = np.random.default_rng(3)
    runs = [np.cumsum(rng.normal(size=(n, 2)), axis=0) for n in (1, 7, 40)]
    ptr = np.array([0, 1, 8, 48])
    found = _core.trends(np.concatenate(runs), ptr, [2.0, 9.0], 10, 5)
    np.testing.assert_allclose(
        found, np.concatenate([naive.trends(run, [2.0, 9.0], 10, 5) for run in runs]), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("seed", range(5))
def test_isotonic_by_the_min_max_formula_and_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=25).round(1), rng.uniform(0.1, 3.0, 25)
    found = _core.isotonic(values, weights)
    np.testing.assert_allclose(found, naive.isotonic(values, weights), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found, isotonic_regression(values, weights=weights).x, rtol=1e-12, atol=1e-12)
    heavy = rng.integers(1, 30, 25).astype(float)
    for least in (1.0, 20.0, 60.0):
        np.testing.assert_allclose(
            _core.isotonic(values, heavy, least), naive.pooled(values, heavy, least), rtol=1e-9, atol=1e-12
        )
