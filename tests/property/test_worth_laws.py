"""Laws of what attributes are worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.functions.worth import Scores, Worth, WorthOptions, sample_entropy, score_windows

SEEDS = st.integers(0, 2**32 - 1)


def world(seed: int, samples: int = 120, attributes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(attributes, samples)), np.zeros(samples)
    for t in range(2, samples):
        y[t] = 0.3 * y[t - 1] + x[0, t - 2] + 0.2 * rng.normal()
    return x, y


def scores(x: np.ndarray, y: np.ndarray, options: WorthOptions | None = None) -> Scores:
    return score_windows(np.ascontiguousarray(x)[None], np.ascontiguousarray(y)[None, None], options)


@given(SEEDS)
@settings(max_examples=25)
def test_a_monotone_change_leaves_rank_correlation(seed: int) -> None:
    x, y = world(seed)
    bent = np.exp(2.0 * x)
    before, after = scores(x, y), scores(bent, y**3)
    np.testing.assert_array_equal(before.relevance, after.relevance)
    np.testing.assert_array_equal(before.lag, after.lag)
    np.testing.assert_array_equal(before.redundancy, after.redundancy)


@given(SEEDS, st.integers(-20, 20), st.integers(1, 3))
@settings(max_examples=40)
def test_scale_leaves_entropy(seed: int, power: int, m: int) -> None:
    x = world(seed)[0]
    np.testing.assert_array_equal(sample_entropy(x, m), sample_entropy(x * 2.0**power, m))  # exact in floating point
    np.testing.assert_allclose(sample_entropy(x, m), sample_entropy(-3.7 * x + 11.0, m), rtol=1e-12)


@given(SEEDS)
@settings(max_examples=25)
def test_a_permutation_of_attributes_permutes_everything(seed: int) -> None:
    x, y = world(seed)
    order = np.random.default_rng(seed).permutation(len(x))
    before, after = scores(x, y), scores(x[order], y)
    for name in ("value", "relevance", "gain", "p_value", "lag", "entropy", "complexity"):
        np.testing.assert_array_equal(getattr(before, name)[..., order], getattr(after, name), err_msg=name)
    np.testing.assert_array_equal(before.redundancy[0][np.ix_(order, order)], after.redundancy[0])


@given(SEEDS)
@settings(max_examples=25)
def test_scale_and_shift_leave_the_granger_gain(seed: int) -> None:
    x, y = world(seed)
    before, after = scores(x, y), scores(1e3 * x - 1e4, 1e-3 * y + 5.0)
    np.testing.assert_allclose(before.gain, after.gain, rtol=1e-6, atol=1e-9)


@given(SEEDS)
@settings(max_examples=25)
def test_what_drives_the_target_is_found_by_both_and_noise_by_neither(seed: int) -> None:
    found = scores(*world(seed, 300))
    assert found.lag[0, 0, 0] == 2
    assert found.relevance[0, 0, 0] > 0.8
    assert found.gain[0, 0, 0] > 0.7
    assert found.p_value[0, 0, 0] < 1e-6
    assert (found.relevance[0, 0, 1:] < 0.3).all()  # largest of 24 correlations of 300 samples: 0.3 is 5 sigma
    assert (found.gain[0, 0, 1:] < 0.1).all()
    assert found.value[0, 0].argmax() == 0


@given(SEEDS)
@settings(max_examples=25)
def test_a_copy_repeats_and_an_opposite_does_too(seed: int) -> None:
    x, y = world(seed)
    x[3], x[4] = x[1], -x[2]
    redundancy = scores(x, y).redundancy[0]
    assert redundancy[1, 3] == redundancy[2, 4] == 1.0
    np.testing.assert_array_equal(redundancy, redundancy.T)
    assert ((redundancy >= 0.0) & (redundancy <= 1.0)).all()


@given(SEEDS)
@settings(max_examples=20)
def test_noise_has_more_entropy_than_a_rhythm_and_a_constant_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.stack([rng.normal(size=300), np.sin(np.arange(300) / 5.0 + rng.random()), np.full(300, rng.random())])
    noise, rhythm, constant = sample_entropy(rows)
    assert noise > 1.5
    assert 0.0 < rhythm < 0.6
    assert constant == 0.0


def test_gains_of_noise_are_declared_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(400, 5, 100)), rng.normal(size=(400, 1, 100))
    families = (score_windows(x, y, WorthOptions(level=0.1)).gain > 0).any(axis=(1, 2)).mean()
    assert 0.05 < families < 0.15  # all hypotheses are true: false discoveries are families with any, 0.1 of them


@given(SEEDS, st.floats(0.0, 1.0))
@settings(max_examples=40)
def test_any_gaps_give_finite_scores_in_range(seed: int, missing: float) -> None:
    x, y = world(seed, 60)
    rng = np.random.default_rng(seed)
    x[rng.random(x.shape) < missing] = np.nan
    y[rng.random(y.shape) < missing] = np.nan
    found = scores(x, y)
    for name, most in (("relevance", 1.0), ("gain", 1.0), ("p_value", 1.0), ("complexity", 1.0), ("redundancy", 1.0)):
        array = getattr(found, name)
        assert ((array >= 0.0) & (array <= most)).all(), name
    unknown = (~np.isnan(x)).sum(axis=1) < 16
    assert (found.value[0, 0, unknown] == 0.0).all()
    assert (found.entropy[0, unknown] == 0.0).all()


def test_memory_does_not_grow() -> None:
    stream = Worth(10, 10, 1, 50, sliding=True)
    values, target = np.random.default_rng(2).normal(size=(10, 10)), np.zeros((10, 1))

    def resident_kb() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))

    for _ in range(200):
        stream.push(values, target)
    before = resident_kb()
    for _ in range(20_000):  # 16 MB if it kept them
        stream.push(values, target)
    assert stream.length == 50
    assert resident_kb() - before < 4_000
