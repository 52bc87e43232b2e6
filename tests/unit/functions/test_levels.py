"""One way of sending each attribute: against all combinations, and within the relaxation's bound."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.errors import InputError
from tiertwin.functions import levels
from tiertwin.functions.levels import exact_levels, levels_value, linear_bound, select_levels

SEEDS = st.integers(0, 2**32 - 1)


def instance(seed: int, attributes: int, ways: int) -> tuple[np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(seed)
    cost = np.sort(rng.exponential(20.0, (attributes, ways)), axis=1)
    value = np.sort(rng.random((attributes, ways)), axis=1) * rng.random((attributes, 1))
    return value, cost, cost.max(axis=1).sum() * rng.uniform(0.05, 0.6)


def spent(level: np.ndarray, cost: np.ndarray) -> float:
    taken = np.flatnonzero(level >= 0)
    return float(cost[taken, level[taken]].sum())


@given(SEEDS)
@settings(max_examples=15)
def test_exact_is_the_best_of_all_combinations(seed: int) -> None:
    value, cost, budget = instance(seed, 5, 3)
    choices = (np.array(ways) for ways in product(range(-1, 3), repeat=5))
    best = max(levels_value(way, value) for way in choices if spent(way, cost) <= budget)
    found = exact_levels(value, cost, budget)
    assert spent(found, cost) <= budget * (1 + 1e-9)
    assert levels_value(found, value) == pytest.approx(best, rel=1e-12)
    assert linear_bound(value, cost, budget) >= best - 1e-12


@given(SEEDS, st.integers(1, 20), st.integers(1, 5))
@settings(max_examples=25)
def test_a_choice_fits_and_is_within_two_percent_of_the_best(seed: int, attributes: int, ways: int) -> None:
    value, cost, budget = instance(seed, attributes, ways)
    found = select_levels(value, cost, budget)
    assert spent(found, cost) <= budget * (1 + 1e-9)
    best = levels_value(exact_levels(value, cost, budget), value)
    assert levels_value(found, value) >= 0.98 * best


def test_many_attributes_are_within_one_percent_of_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(3):
        value, cost, budget = instance(seed, 60, 4)
        bound = linear_bound(value, cost, budget)
        assert levels_value(select_levels(value, cost, budget), value) >= 0.99 * bound
        monkeypatch.setattr(levels, "WIDTH", 16)  # states had to be given up
        found = select_levels(value, cost, budget)
        assert spent(found, cost) <= budget * (1 + 1e-9)
        assert levels_value(found, value) >= 0.99 * bound
        monkeypatch.undo()


def test_levels_that_do_not_exist_are_never_chosen() -> None:
    value, cost = np.array([[1.0, -np.inf], [0.5, 9.0]]), np.array([[1.0, 0.0], [1.0, np.inf]])
    assert select_levels(value, cost, 2.0).tolist() == [0, 0]
    assert exact_levels(value, cost, 2.0).tolist() == [0, 0]


def test_nothing_fits_and_everything_is_free() -> None:
    value, cost = np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]])
    assert select_levels(value, cost, 0.0).tolist() == [-1]
    assert select_levels(value, 0.0 * cost, 0.0).tolist() == [1]
    assert linear_bound(value, 0.0 * cost, 0.0) == pytest.approx(2.0)


def test_what_is_held_stays_at_near_ties() -> None:
    value, cost = np.array([[1.0, 1.05]]), np.array([[1.0, 1.0]])
    assert select_levels(value, cost, 1.0).tolist() == [1]
    assert select_levels(value, cost, 1.0, held=np.array([0]), stick=0.1).tolist() == [0]


def test_mistakes_are_told() -> None:
    with pytest.raises(InputError) as told:
        select_levels(np.array([[np.nan]]), np.array([[-1.0]]), -1.0)
    assert len(told.value.problems) == 3
    with pytest.raises(InputError, match="one shape"):
        select_levels(np.ones((2, 2)), np.ones((2, 3)), 1.0)
    with pytest.raises(InputError, match="held"):
        select_levels(np.ones((2, 2)), np.ones((2, 2)), 1.0, held=np.array([0, 2]), stick=0.1)


def test_too_many_to_prove_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "STATES", 50)
    with pytest.raises(InputError, match="expected fewer attributes"):
        exact_levels(*instance(1, 20, 3))
