"""Laws of the localiser: evidence has no order, missing says nothing, parts are independent, stated is true."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.localise import random_model, sample
from tiertwin.functions.assure.influences import Rows
from tiertwin.functions.assure.localiser import Localiser

SEEDS = st.integers(0, 2**32 - 1)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{k}" for k in range(count)]


def build(q, leak, prior) -> Localiser:
    return Localiser(names("c", len(prior)), names("o", len(leak)), q, leak, prior)


def drawn(seed: int, causes: int = 10, observations: int = 14, density: float = 0.3):
    rng = np.random.default_rng(seed)
    model = random_model(rng, causes, observations, density)
    _, state = sample(rng, *model)
    state[rng.random(observations) < 0.2] = -1
    return rng, model, state


def take(localiser: Localiser, state) -> None:
    localiser.observe(*(np.flatnonzero(state == kind) for kind in (1, 0, -1)))


@settings(max_examples=60)
@given(SEEDS)
def test_evidence_sample_by_sample_in_any_order_is_evidence_at_once(seed: int) -> None:
    rng, model, state = drawn(seed)
    at_once, one_by_one = build(*model), build(*model)
    take(at_once, state)
    for i in rng.integers(0, 14, 20).tolist():  # something else first, asked in between
        one_by_one.observe([i]) if rng.random() < 0.5 else one_by_one.observe(silent=[i])
        one_by_one.posterior()
    for i in rng.permutation(14).tolist():
        one_by_one.observe(*([i] if state[i] == kind else [] for kind in (1, 0, -1)))
    assert at_once.posterior().tolist() == one_by_one.posterior().tolist()


@settings(max_examples=60)
@given(SEEDS)
def test_missing_is_as_if_not_there(seed: int) -> None:
    _, (q, leak, prior), state = drawn(seed)
    with_missing = build(q, leak, prior)
    take(with_missing, state)
    known = state >= 0
    without = build(q[:, known], leak[known], prior)
    take(without, state[known])
    np.testing.assert_allclose(with_missing.posterior(), without.posterior(), rtol=1e-9)


@settings(max_examples=60)
@given(SEEDS)
def test_causes_may_be_numbered_in_any_way(seed: int) -> None:
    rng, (q, leak, prior), state = drawn(seed)
    order = rng.permutation(10)
    one, other = build(q, leak, prior), build(q[order], leak, prior[order])
    take(one, state)
    take(other, state)
    np.testing.assert_allclose(one.posterior()[order], other.posterior(), rtol=1e-9)


@settings(max_examples=40)
@given(SEEDS, SEEDS)
def test_networks_side_by_side_say_nothing_about_each_other(a: int, b: int) -> None:
    _, (q1, leak1, prior1), state1 = drawn(a, 6, 8)
    _, (q2, leak2, prior2), state2 = drawn(b, 6, 8)
    q = np.block([[q1, np.zeros((6, 8))], [np.zeros((6, 8)), q2]])
    both = build(q, np.concatenate([leak1, leak2]), np.concatenate([prior1, prior2]))
    take(both, np.concatenate([state1, state2]))
    parts = [build(q1, leak1, prior1), build(q2, leak2, prior2)]
    for part, state in zip(parts, (state1, state2), strict=True):
        take(part, state)
    expected = np.concatenate([part.posterior() for part in parts])
    np.testing.assert_allclose(both.posterior(), expected, rtol=1e-9)
    product = np.prod([part.ranked().best_probability for part in parts])
    np.testing.assert_allclose(both.ranked().best_probability, product, rtol=1e-9)


@settings(max_examples=60)
@given(SEEDS)
def test_silence_of_what_a_cause_alone_shows_in_never_makes_it_likelier(seed: int) -> None:
    _, (q, leak, prior), state = drawn(seed, 8, 10)
    q = np.hstack([q, 0.9 * np.eye(8)])
    leak = np.append(leak, np.full(8, 0.01))
    localiser = build(q, leak, prior)
    take(localiser, np.append(state, np.full(8, -1)))
    before = localiser.posterior()
    for c in range(8):
        localiser.observe(silent=[10 + c])
        assert localiser.posterior()[c] <= before[c] * (1 + 1e-9)
        localiser.observe(missing=[10 + c])


@settings(max_examples=40)
@given(SEEDS)
def test_a_pair_named_twice_acts_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cause, observation = rng.integers(0, 4, 12), rng.integers(0, 5, 12)
    q = rng.uniform(0.0, 0.9, 12)
    table = np.ones((4, 5))
    np.multiply.at(table, (cause, observation), 1.0 - q)
    rows = Rows.of_triples(4, cause, observation, q)
    dense = np.zeros((4, 5))
    dense[np.repeat(np.arange(4), np.diff(rows.start)), rows.observation] = rows.q
    np.testing.assert_allclose(dense, 1.0 - table, atol=1e-12)


def test_what_is_stated_is_true() -> None:
    """Of causes drawn from the model and stated at p, a share of p is there: 4 standard errors in each bin."""
    rng = np.random.default_rng(3)
    q, leak, _ = random_model(rng, 30, 60, 0.12)
    prior = rng.uniform(0.005, 0.08, 30)
    localiser = build(q, leak, prior)
    stated, truth = [], []
    for _ in range(600):
        there, state = sample(rng, q, leak, prior)
        state[rng.random(60) < 0.1] = -1
        localiser.forget()
        take(localiser, state)
        stated.append(localiser.posterior())
        truth.append(there)
    p, hit = np.concatenate(stated), np.concatenate(truth)
    for low, high in ((0.0, 0.02), (0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0001)):
        inside = (p >= low) & (p < high)
        error = np.sqrt((p[inside] * (1 - p[inside])).sum()) / inside.sum()
        assert inside.sum() > 50
        assert abs(p[inside].mean() - hit[inside].mean()) < 4 * error, (low, high)
