"""Stated and true: the map is the isotonic regression, keeps the order, and mends what is systematically off."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.functions.assure.calibrate import Isotonic, brier, reliability


@pytest.mark.parametrize("seed", range(10))
def test_steps_are_the_rising_function_of_least_squares(seed: int) -> None:
    """Against all rising step functions on a grid of sixths, five statements."""
    rng = np.random.default_rng(seed)
    stated = np.repeat([0.1, 0.3, 0.5, 0.7, 0.9], 6)
    happened = (rng.random(30) < rng.random(5).repeat(6)).astype(float)
    found = Isotonic.mending(stated, happened, 1)
    share = happened.reshape(5, 6).mean(axis=1)
    pooled = [(g.mean(), s.mean()) for g, s in _pooled(np.unique(stated), share)]
    np.testing.assert_allclose(np.column_stack([found.knots, found.values]), pooled)
    steps = np.concatenate([np.full(len(g), s.mean()) for g, s in _pooled(np.unique(stated), share)])
    best = ((np.repeat(steps, 6) - happened) ** 2).sum()
    for values in product(np.arange(7) / 6.0, repeat=5):
        if (np.diff(values) >= 0).all():
            assert best <= ((np.repeat(values, 6) - happened) ** 2).sum() + 1e-9


def _pooled(stated, share):
    """Blocks by the min-max formula: level k is max over a ≤ k of min over b ≥ k of the mean of a … b."""
    level = [max(min(share[a : b + 1].mean() for b in range(k, 5)) for a in range(k + 1)) for k in range(5)]
    blocks, begin = [], 0
    for k in range(1, 6):
        if k == 5 or level[k] - level[begin] > 1e-12:
            blocks.append((stated[begin:k], share[begin:k]))
            begin = k
    return blocks


def test_what_is_off_is_mended_on_other_draws_and_keeps_its_order() -> None:
    rng = np.random.default_rng(4)

    def draw(count):
        truth = rng.beta(0.3, 1.0, count)
        return truth**2 / (truth**2 + (1 - truth) ** 2), (rng.random(count) < truth).astype(float)  # too sure

    found = Isotonic.mending(*draw(20_000))
    stated, happened = draw(20_000)
    mended = found(stated)
    assert brier(mended, happened) < 0.97 * brier(stated, happened)
    order = np.argsort(stated)
    assert (np.diff(mended[order]) >= 0).all()
    for said, true, count in reliability(mended, happened, np.linspace(0.0, 1.0001, 8)):
        assert abs(said - true) < 4 * np.sqrt(said * (1 - said) / count) + 0.015


def test_what_is_right_stays_nearly_as_it_is() -> None:
    rng = np.random.default_rng(5)
    stated = rng.random(50_000)
    found = Isotonic.mending(stated, rng.random(50_000) < stated)
    assert np.abs(found(stated) - stated).mean() < 0.02


@pytest.mark.parametrize("wrong", [([], []), ([0.5], [1, 0]), ([1.5], [1]), ([np.nan], [1]), ([0.5], [0.5])])
def test_what_is_no_evidence_is_told(wrong) -> None:
    with pytest.raises(InputError, match="expected"):
        Isotonic.mending(*wrong)


def test_one_statement_is_a_constant() -> None:
    found = Isotonic.mending([0.3, 0.3, 0.3, 0.3], [1, 0, 0, 0])
    assert found([0.0, 0.3, 1.0]).tolist() == [0.25] * 3
