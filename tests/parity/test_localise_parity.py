"""The localiser's posteriors are those of the definition."""

from __future__ import annotations

import numpy as np
import pytest

from reference.localise import enumerate_posterior, random_model, sample, score
from tiertwin.functions.assure.localiser import Localiser


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{k}" for k in range(count)]


def build(q, leak, prior) -> Localiser:
    return Localiser(names("c", len(prior)), names("o", len(leak)), q, leak, prior)


def take(localiser: Localiser, state) -> None:
    at = np.arange(len(state))
    localiser.observe(at[state == 1], at[state == 0], at[state == -1])


@pytest.mark.parametrize("seed", range(40))
def test_small_models_are_summed_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    q, leak, prior = random_model(rng, int(rng.integers(1, 9)), int(rng.integers(1, 12)), rng.uniform(0.1, 0.9))
    _, state = sample(rng, q, leak, prior)
    state[rng.random(len(leak)) < 0.2] = -1
    expected, best, weight, _ = enumerate_posterior(q, leak, prior, state)
    localiser = build(q, leak, prior)
    take(localiser, state)
    found = localiser.ranked()
    np.testing.assert_allclose(localiser.posterior(), expected, rtol=1e-9, atol=1e-12)
    assert found.best == tuple(f"c{c}" for c in best)
    assert found.best_probability == pytest.approx(weight, rel=1e-9)
    assert found.complete


@pytest.mark.parametrize("seed", range(12))
def test_one_and_two_causes_are_exact_whatever_the_shortlist(seed: int) -> None:
    """With a shortlist of two, sets of at most two are all there is: the sum over those of the definition."""
    rng = np.random.default_rng(100 + seed)
    q, leak, _ = random_model(rng, 14, 20, 0.3)
    prior = np.full(14, 2e-5)
    _, state = sample(rng, q, leak, prior, rng.choice(14, 1 + seed % 2, replace=False))
    expected = enumerate_posterior(q, leak, prior, state, most=2)[0]
    localiser = build(q, leak, prior)
    take(localiser, state)
    found = localiser.posterior(shortlist=2)
    np.testing.assert_allclose(found, expected, atol=2e-3)  # 2e-5 to 3e-4 of the mass has three causes


@pytest.mark.parametrize("seed", range(12))
def test_beyond_two_causes_the_shortlist_finds_the_best_set(seed: int) -> None:
    """15 causes, three or four of them there, in a shortlist of 8: against all 32 768 sets."""
    rng = np.random.default_rng(200 + seed)
    q, leak, _ = random_model(rng, 15, 30, 0.25)
    prior = rng.uniform(0.01, 0.05, 15)
    _, state = sample(rng, q, leak, prior, rng.choice(15, 3 + seed % 2, replace=False))
    sets = (np.arange(1 << 15)[:, None] >> np.arange(15)) & 1
    exposure = -np.log1p(-leak) + sets @ -np.log1p(-q)
    scores = sets @ (np.log(prior) - np.log1p(-prior))
    scores = scores + np.where(state == 1, np.log(-np.expm1(-exposure)), -exposure).sum(1)
    weight = np.exp(scores - scores.max())
    expected = sets.T @ weight / weight.sum()
    localiser = build(q, leak, prior)
    take(localiser, state)
    best = tuple(f"c{c}" for c in np.flatnonzero(sets[scores.argmax()]))
    assert localiser.ranked().best == best
    np.testing.assert_allclose(localiser.posterior(shortlist=8), expected, atol=0.05)
    np.testing.assert_allclose(localiser.posterior(shortlist=15), expected, atol=1e-9)


def test_gains_are_log_odds_of_single_causes() -> None:
    rng = np.random.default_rng(7)
    q, leak, prior = random_model(rng, 6, 9)
    _, state = sample(rng, q, leak, prior)
    localiser = build(q, leak, prior)
    take(localiser, state)
    none = score((), q, leak, prior, state)
    alone = [score((c,), q, leak, prior, state) - none for c in range(6)]
    np.testing.assert_allclose(localiser._evidence.gains(), alone, rtol=1e-9)
