"""Choosing attributes under budgets: against every subset, and what is promised of it."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.errors import InputError
from tiertwin.functions import selection, selector
from tiertwin.functions.budgeted import budgeted
from tiertwin.functions.selection import exact, gap_to_exact, select

SEEDS = st.integers(0, 2**32 - 1)


def instance(seed: int, size: int = 9, lam: float = 0.0) -> dict[str, object]:
    """Values unlike, alike or like their costs; budgets that hold from one to most of the attributes."""
    rng = np.random.default_rng(seed)
    value, cost, cpu = rng.random(size), rng.integers(1, 40, size).astype(float), rng.random(size)
    if seed % 3 == 1:
        value = cost / 40 * (0.8 + 0.4 * rng.random(size))
    elif seed % 3 == 2:
        cost = 10 + 5 * rng.random(size)
    repeated = np.abs(rng.normal(size=(size, size)))
    repeated = np.minimum((repeated + repeated.T) / 4, 1.0)
    return {
        "value": value, "cost_bytes": cost, "cost_cpu": cpu, "byte_budget": cost.sum() * rng.uniform(0.02, 0.6),
        "cpu_budget": cpu.sum() * rng.uniform(0.1, 0.8), "redundancy": repeated, "lam": lam,
    }  # fmt: skip


def by_hand(given_: dict[str, object]) -> float:
    problem = budgeted(**given_)  # type: ignore[arg-type]
    masks = (np.array(bits, dtype=np.bool_) for bits in product([0, 1], repeat=problem.size))
    return max(problem.objective(mask) for mask in masks if problem.fits(mask))


@pytest.mark.parametrize("lam", [0.0, 0.3])
def test_exact_is_the_best_of_all_subsets(lam: float) -> None:
    for seed in range(12):
        given_ = instance(seed, 8, lam)
        problem = budgeted(**given_)  # type: ignore[arg-type]
        mask = exact(**given_)  # type: ignore[arg-type]
        assert problem.fits(mask)
        assert problem.objective(mask) == pytest.approx(by_hand(given_), rel=1e-12)


@given(SEEDS, st.integers(1, 16), st.sampled_from([0.0, 0.2]))
@settings(max_examples=60)
def test_a_choice_fits_and_is_within_two_percent_of_the_best(seed: int, size: int, lam: float) -> None:
    given_ = instance(seed, size, lam)
    for search in (True, False):
        assert budgeted(**given_).fits(select(**given_, search=search))  # type: ignore[arg-type]
    assert gap_to_exact(**given_) <= 0.02  # type: ignore[arg-type]
    assert gap_to_exact(**given_, choose=partial(select, search=False)) <= 0.2  # type: ignore[arg-type]


@given(SEEDS)
@settings(max_examples=20)
def test_a_larger_budget_is_worth_no_less(seed: int) -> None:
    given_ = instance(seed, 12)
    more = given_ | {"byte_budget": 1.3 * float(given_["byte_budget"])}  # type: ignore[arg-type]
    value = given_["value"]
    assert value @ exact(**more) >= value @ exact(**given_) - 1e-12  # type: ignore[arg-type,operator]


@given(SEEDS)
@settings(max_examples=20)
def test_the_order_of_attributes_does_not_matter(seed: int) -> None:
    given_ = instance(seed, 10)
    order = np.random.default_rng(seed).permutation(10)
    turned = given_ | {name: given_[name][order] for name in ("value", "cost_bytes", "cost_cpu")}  # type: ignore[index]
    ahead, behind = select(**given_), select(**turned)  # type: ignore[arg-type]
    assert given_["value"] @ ahead == pytest.approx(turned["value"] @ behind)  # type: ignore[operator]


def test_of_two_copies_one_is_chosen() -> None:
    value, cost, same = np.array([1.0, 0.99, 0.3]), np.ones(3), np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0, 0, 1]])
    assert select(value, cost, byte_budget=2.0).tolist() == [True, True, False]
    assert select(value, cost, byte_budget=2.0, redundancy=same, lam=0.9).tolist() == [True, False, True]


def test_no_budget_and_no_limit() -> None:
    value, cost = np.array([1.0, 2.0, 0.0, -1.0]), np.array([0.0, 1.0, 0.0, 0.0])
    assert select(value, cost, byte_budget=0.0).tolist() == [True, False, False, False]
    assert select(value, cost, byte_budget=np.inf).tolist() == [True, True, False, False]
    assert select(np.zeros(0), np.zeros(0), byte_budget=1.0).shape == (0,)


def test_hysteresis_of_values() -> None:
    value, cost = np.array([0.5, 0.5, 0.2]), np.ones(3)
    held = np.array([True, False, True])
    mask = select(value, cost, byte_budget=9.0, held=held, v_hi=0.6, v_lo=0.3)
    assert mask.tolist() == [True, False, False]  # the first stays, the second may not enter, the third leaves


def test_what_is_held_stays_at_near_ties() -> None:
    value, cost, held = np.array([1.0, 1.05]), np.ones(2), np.array([True, False])
    assert select(value, cost, byte_budget=1.0, held=held).tolist() == [False, True]
    assert select(value, cost, byte_budget=1.0, held=held, stick=0.1).tolist() == [True, False]


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(InputError) as told:
        select(np.array([1.0, np.nan]), np.array([1.0, -1.0]), byte_budget=-1.0, lam=-1.0)
    assert len(told.value.problems) == 4
    with pytest.raises(InputError, match=r"cost_bytes: expected shape \(2,\), got \(3,\)"):
        select(np.ones(2), np.ones(3), byte_budget=1.0)
    with pytest.raises(InputError, match="symmetric"):
        select(np.ones(2), np.ones(2), byte_budget=1.0, redundancy=np.array([[0.0, 1.0], [0.5, 0.0]]))
    with pytest.raises(InputError, match="v_lo"):
        select(np.ones(2), np.ones(2), byte_budget=1.0, v_lo=1.0)
    with pytest.raises(InputError, match="held"):
        select(np.ones(2), np.ones(2), byte_budget=1.0, held=np.ones(3, dtype=np.bool_))
    with pytest.raises(InputError, match="stick"):
        select(np.ones(2), np.ones(2), byte_budget=1.0, stick=-0.1)


def test_too_many_to_prove_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "STATES", 1_000)
    rng = np.random.default_rng(1)
    cost = 1 + 1e-3 * rng.random(40)
    with pytest.raises(InputError, match="expected fewer attributes"):
        exact(cost + 1e-5 * rng.random(40), cost, byte_budget=20.02)


def test_baselines_take_what_select_takes() -> None:
    given_ = instance(5, 12)
    problem = budgeted(**given_)  # type: ignore[arg-type]
    variance = np.arange(12.0)
    rules = {
        "fixed": selector.fixed(np.array([3, 1])),
        "random": selector.random(7),
        "top_variance": selector.top_variance(variance),
        "oracle": selector.oracle(problem.value[::-1].copy()),
    }
    masks = {name: rule(**given_) for name, rule in rules.items()}  # type: ignore[arg-type]
    assert all(problem.fits(mask) for mask in masks.values())
    assert set(np.flatnonzero(masks["fixed"])) <= {1, 3}
    np.testing.assert_array_equal(masks["random"], selector.random(7)(**given_))  # type: ignore[arg-type]
    assert any((selector.random(s)(**given_) != masks["random"]).any() for s in range(5))  # type: ignore[arg-type]
    np.testing.assert_array_equal(masks["top_variance"], selector.fixed(np.arange(11, -1, -1))(**given_))  # type: ignore[arg-type]
    turned = select(**given_ | {"value": problem.value[::-1].copy()})  # type: ignore[arg-type]
    np.testing.assert_array_equal(masks["oracle"], turned)
    assert selector.all_attributes(problem.value, problem.cost_bytes).all()
    assert not selector.none(problem.value, problem.cost_bytes).any()
    with pytest.raises(InputError, match="order"):
        selector.fixed(np.array([12]))(**given_)  # type: ignore[arg-type]
