"""C++ scores against the formulas written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from reference import worth as naive
from tiertwin import _core
from tiertwin.functions.worth import Worth, WorthOptions, sample_entropy, score_windows

Pair = tuple[np.ndarray, np.ndarray]


def scene(seed: int, samples: int, missing: float = 0.0, goals: int = 2) -> Pair:
    """Seven attributes: one drives the targets, one has ties, one is constant, one a copy, one a random walk."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(7, samples)), np.zeros((goals, samples))
    x[1], x[2], x[3], x[4] = np.round(x[1]), 3.0, x[0], np.cumsum(x[4])
    for t in range(2, samples):
        y[:, t] = 0.5 * y[:, t - 1] + x[0, t - 2] + 0.3 * rng.normal(size=goals)
    x[rng.random(x.shape) < missing] = np.nan
    y[rng.random(y.shape) < missing / 2] = np.nan
    return x, y


def same(ours: object, reference: dict[str, np.ndarray], zone: int = 0) -> None:
    for name, expected in reference.items():
        np.testing.assert_allclose(getattr(ours, name)[zone], expected, rtol=1e-9, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("missing", [0.0, 0.05, 0.3, 0.9])
@pytest.mark.parametrize(
    "options",
    [
        WorthOptions(),
        WorthOptions(m=1, r=0.5, lags=0, order=1, least=2, level=1.0, form="difference"),
        WorthOptions(m=3, r=0.35, lags=8, order=5, weights=(0.3, 2.0, 4.0)),
    ],
)
def test_scores_of_windows(options: WorthOptions, missing: float) -> None:
    scenes = [scene(seed, 70, missing) for seed in (1, 2)]
    ours = score_windows(np.stack([x for x, _ in scenes]), np.stack([y for _, y in scenes]), options)
    for zone, (x, y) in enumerate(scenes):
        same(ours, naive.score(x, y, **options.arguments()), zone)


@pytest.mark.parametrize("samples", [4, 5, 9, 20])
def test_short_windows(samples: int) -> None:
    x, y = scene(3, samples)
    options = WorthOptions(lags=3, order=2, least=2)
    same(score_windows(x[None], y[None], options), naive.score(x, y, **options.arguments()))


def test_a_stream_has_the_scores_of_its_window_to_the_bit() -> None:
    x, y = scene(4, 150, 0.05)
    stream = Worth(1, 7, 2, 40)
    for t in range(150):
        stream.push(x[None, :, t].copy(), y[None, :, t].copy())
        if t < 8:
            continue
        window = slice(max(0, t - 39), t + 1)
        whole = score_windows(x[None, :, window].copy(), y[None, :, window].copy())
        scores = stream.score()
        for name in vars(whole):
            np.testing.assert_array_equal(getattr(scores, name), getattr(whole, name), err_msg=name)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_sliding_entropy_is_that_at_the_tolerance_of_its_last_turn(missing: float) -> None:
    x, y = scene(5, 150, missing)
    window, stream = 40, Worth(1, 7, 2, 40, sliding=True)
    tolerance = np.zeros(7)
    for t in range(150):
        stream.push(x[None, :, t].copy(), y[None, :, t].copy())
        if t < window - 1:
            continue
        recent = x[:, t - window + 1 : t + 1]
        for a in range(7):
            if t == window - 1 or (t + a) % window == 0:
                tolerance[a] = 0.2 * np.nanstd(recent[a])
        if t % 9 == 0:
            constant = np.nanmin(recent, axis=1) == np.nanmax(recent, axis=1)
            expected = [0.0 if constant[a] else naive.entropy_at(recent[a], 2, tolerance[a]) for a in range(7)]
            np.testing.assert_allclose(stream.score().entropy[0], expected, rtol=1e-9)


def test_zones_can_be_chosen_and_are_independent() -> None:
    scenes = [scene(seed, 60) for seed in range(4)]
    stream = Worth(4, 7, 2, 60)
    for t in range(60):
        stream.push(np.stack([x[:, t] for x, _ in scenes]), np.stack([y[:, t] for _, y in scenes]))
    whole, some = stream.score(), stream.score(np.array([2, 0]))
    np.testing.assert_array_equal(some.value, whole.value[[2, 0]])
    np.testing.assert_array_equal(some.redundancy, whole.redundancy[[2, 0]])


def test_entropy_of_many_lengths_and_ties() -> None:
    rng = np.random.default_rng(6)
    for samples in (3, 8, 33, 100, 257):
        rows = np.stack([rng.normal(size=samples), rng.integers(0, 5, samples).astype(float), np.arange(samples) % 7.0])
        expected = [naive.sample_entropy(row) for row in rows]
        np.testing.assert_allclose(sample_entropy(rows), expected, rtol=1e-12)


def test_significance_against_scipy() -> None:
    rng = np.random.default_rng(7)
    for a, b, x in zip(10 ** rng.uniform(-1, 4, 200), 10 ** rng.uniform(-1, 4, 200), rng.random(200), strict=True):
        assert _core.incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-250)
    for f, d1, d2 in zip(
        10 ** rng.uniform(-2, 3, 200), rng.integers(1, 9, 200), rng.integers(1, 600, 200), strict=True
    ):
        expected = stats.f.sf(f, d1, d2)
        assert _core.f_tail(f, float(d1), float(d2)) == pytest.approx(expected, rel=1e-9, abs=1e-250)
    p = rng.random(40) ** 3
    np.testing.assert_allclose(_core.adjust_p_values(p), stats.false_discovery_control(p), rtol=1e-12)


@pytest.mark.parametrize(("missing", "delay"), [(0.0, 0), (0.05, 0), (0.0, 7), (0.05, 20)])
def test_change_against_eigenvectors_of_each_window(missing: float, delay: int) -> None:
    rng = np.random.default_rng(8)
    samples = rng.normal(size=(160, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(160, 6)) + 1e4
    samples[:, 5] = 7.0
    samples[rng.random(samples.shape) < missing] = np.nan
    samples[120:, 3] -= 5.0
    watch = _core.ChangeWatch(1, 6, 50, share=0.8, quantile=0.9, every=4, delay=delay)
    found = [watch.push(row[None].copy()) for row in samples]
    residual, threshold = naive.change(samples, 50, 0.8, 0.9, 4, delay)
    np.testing.assert_allclose([r[0] for r, _ in found], residual, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose([t[0] for _, t in found], threshold, rtol=1e-6, atol=1e-6)
    assert watch.components(0) >= 1
