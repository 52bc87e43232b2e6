"""Laws of what to build: never worse than greedy, never above the bound; more money, more candidates never hurt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from support.placements import drawn
from tiertwin.allocate.placement import allowed, worth
from tiertwin.allocate.placement_milp import choose
from tiertwin.allocate.placement_search import exhaustive, greedy
from tiertwin.allocate.placement_stage import Stage

seeds = st.integers(0, 1_000_000)


@profile(max_examples=25)
@given(seeds, st.integers(1, 9))
def test_the_choice_is_never_worse_than_greedy_nor_above_the_bound(seed: int, candidates: int) -> None:
    problem = drawn(np.random.default_rng(seed), candidates)
    stage = Stage(problem)
    found, plain, every = choose(problem, stage=stage), greedy(stage), exhaustive(stage)
    slack = 1e-6 * abs(found.worth.value) + 1e-9
    assert found.worth.value >= plain.value - slack
    assert found.worth.value >= every.value - slack
    assert found.bound >= every.value - 1e-9
    assert found.proved >= found.worth.value
    assert found.worth.broken == ()


@profile(max_examples=15)
@given(seeds, st.integers(0, 3))
def test_a_limit_of_nodes_still_gives_a_choice_with_a_true_bound(seed: int, nodes: int) -> None:
    problem = drawn(np.random.default_rng(seed), 8, most=4)
    stage = Stage(problem)
    found, plain = choose(problem, nodes, stage), greedy(stage)
    assert found.worth.broken == ()
    assert found.worth.value >= plain.value - 1e-6 * abs(plain.value) - 1e-9
    assert found.proved >= exhaustive(stage).value - 1e-6


@profile(max_examples=20)
@given(seeds, st.floats(1.0, 3.0))
def test_more_budget_number_and_capacity_never_hurt(seed: int, factor: float) -> None:
    problem = drawn(np.random.default_rng(seed))
    value = choose(problem).worth.value
    slack = 1e-6 * abs(value) + 1e-9
    for richer in (
        replace(problem, budget=factor * problem.budget),
        replace(problem, most=problem.most + 1),
        replace(problem, capacity=factor * problem.capacity),
        replace(problem, demand=factor * problem.demand),
    ):
        assert choose(richer).worth.value >= value - slack


@profile(max_examples=30)
@given(seeds)
def test_what_is_built_adds_and_flows_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = drawn(rng)
    stage = Stage(problem)
    small = np.flatnonzero(rng.random(problem.candidates) < 0.4)
    large = np.union1d(small, np.flatnonzero(rng.random(problem.candidates) < 0.4))
    assert stage.value(large) >= stage.value(small) - 1e-9
    served = stage.serve(small)
    checked = worth(problem, small, served.flow)
    assert abs(checked.value - served.value) <= 1e-9 * max(1.0, abs(served.value))
    assert [text for text in checked.broken if "built" not in text and "budget" not in text] == []
    assert allowed(problem, small) == (not any("built" in t or "budget" in t for t in checked.broken))
