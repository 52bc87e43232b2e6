"""Largest flow and max-min rates over paths; what stops a solve; warm starts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reference import families as naive
from support.families import hostile_fair, random_routing
from tiertwin.allocate.families import fair, routing
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingKernel, RoutingProblem
from tiertwin.allocate.families.routing_cvxpy import RoutingCvxpy
from tiertwin.allocate.families.routing_maxmin import max_min
from tiertwin.errors import InputError

# Bertsekas and Gallager, Data Networks, section 6.5.2: a long session and short ones over a chain
CHAIN = Options.of_lists([[{0: 1.0, 1: 1.0}], [{0: 1.0}], [{0: 1.0}], [{1: 1.0}]], 2)


def small(seed: int) -> tuple[RoutingProblem, np.ndarray, np.ndarray]:
    """An instance of at most 25 users, caps around what they get, and weights."""
    while True:
        problem = random_routing(seed)
        if problem.options.users <= 25:
            break
        seed += 1000
    rng = np.random.default_rng(seed)
    users = problem.options.users
    return problem, problem.demand * rng.choice([0.3, 1.0, 3.0, 10.0], users), rng.choice([0.5, 1.0, 1.0, 2.0], users)


def test_max_min_rates_of_a_chain() -> None:
    found = max_min(CHAIN, np.full(4, np.inf), np.array([3.0, 5.0]), tolerance=1e-6)
    np.testing.assert_allclose(found.rate, [1.0, 1.0, 1.0, 4.0], rtol=1e-5)
    np.testing.assert_array_equal(found.held_at, [0, 0, 0, 1])
    np.testing.assert_allclose(found.level, [1.0, 4.0], rtol=1e-5)
    capped = max_min(CHAIN, np.array([0.5, np.inf, np.inf, 2.0]), np.array([3.0, 5.0]), tolerance=1e-6)
    np.testing.assert_allclose(capped.rate, [0.5, 1.25, 1.25, 2.0], rtol=1e-5)
    np.testing.assert_array_equal(capped.held_at, [-1, 0, 0, -1])
    weighted = max_min(
        CHAIN, np.full(4, np.inf), np.array([3.0, 5.0]), weight=np.array([1.0, 2.0, 1.0, 1.0]), tolerance=1e-6
    )
    np.testing.assert_allclose(weighted.rate, [0.75, 1.5, 0.75, 4.25], rtol=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_max_min_rates_are_those_of_the_sequence_of_linear_programmes(seed: int) -> None:
    problem, demand, weight = small(seed)
    expected = naive.max_min(problem.options, demand, problem.capacity, weight)
    for tolerance in (1e-3, 1e-6):
        found = max_min(problem.options, demand, problem.capacity, weight=weight, tolerance=tolerance)
        np.testing.assert_allclose(found.rate, expected, rtol=6 * tolerance)
        assert found.complete
        assert found.gap <= tolerance
        assert np.all(naive.loads(problem.options, found.x) <= problem.capacity * (1 + 1e-9))
        below = found.held_at >= 0
        if below.any():  # the first level, without conditions
            assert expected[below].size
            assert np.min((expected / weight)[below]) <= found.upper[0] * (1 + 1e-9)


def test_max_min_by_cvxpy_agrees() -> None:
    problem, demand, weight = small(3)
    ours = max_min(problem.options, demand, problem.capacity, weight=weight, tolerance=1e-4)
    theirs = max_min(problem.options, demand, problem.capacity, weight=weight, tolerance=1e-4, allocator=RoutingCvxpy())
    np.testing.assert_allclose(ours.rate, theirs.rate, rtol=5e-4)


@pytest.mark.parametrize("seed", range(20))
def test_max_min_of_hostile_instances_is_feasible_and_below_its_bound(seed: int) -> None:
    hostile = hostile_fair(seed)
    found = max_min(hostile.options, hostile.demand, hostile.capacity)
    assert fair.worth(dataclasses.replace(hostile, weight=np.ones(hostile.demand.size)), found.x).violation <= 1e-9
    assert np.all(found.level <= found.upper)
    assert np.all(found.rate[found.held_at < 0] <= hostile.demand[found.held_at < 0])


def test_max_min_says_what_it_cannot_do() -> None:
    with pytest.raises(InputError, match=r"weight\[1\]: expected a number > 0, got 0"):
        max_min(CHAIN, np.ones(4), np.ones(2), weight=np.array([1.0, 0.0, 1.0, 1.0]))
    with pytest.raises(InputError, match="tolerance"):
        max_min(CHAIN, np.ones(4), np.ones(2), tolerance=0.0)
    closed = max_min(CHAIN, np.ones(4), np.array([0.0, 2.0]))
    np.testing.assert_allclose(closed.rate, [0.0, 0.0, 0.0, 1.0])


def test_the_largest_flow_of_a_chain_serves_the_short_sessions() -> None:
    found = routing.max_flow(RoutingProblem(CHAIN, np.full(4, 2.0), np.array([3.0, 2.0])), tolerance=1e-6)
    assert found.scale == pytest.approx(found.x.sum()) == pytest.approx(5.0, rel=1e-5)
    assert (CHAIN.sums @ found.x)[0] <= 1e-4
    assert found.gap <= 1e-6
    dear = routing.max_flow(
        RoutingProblem(CHAIN, np.full(4, 2.0), np.array([3.0, 2.0])),
        weight=np.array([9.0, 1.0, 1.0, 1.0]),
        tolerance=1e-6,
    )
    assert (CHAIN.sums @ dear.x)[0] == pytest.approx(2.0, rel=1e-4)


def test_the_largest_flow_needs_no_open_path_for_everybody() -> None:
    problem = routing.flow_problem(CHAIN, np.full(4, 2.0), np.array([0.0, 5.0]))
    assert fair.FairKernel().allocate(problem, tolerance=1e-6).scale == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("limit", range(8))
def test_a_solve_that_is_stopped_has_a_feasible_split_and_a_true_bound(limit: int) -> None:
    for seed in range(5):
        problem = random_routing(seed)
        asked = []

        def stop(asked: list[int] = asked) -> bool:
            asked.append(1)
            return len(asked) > limit

        found = RoutingKernel().allocate(problem, tolerance=1e-9, stop=stop)
        assert len(asked) <= limit + 4  # every loop is left at once
        judged = routing.worth(problem, found.share)
        assert judged.violation <= 1e-9
        full = RoutingKernel().allocate(problem, tolerance=1e-7)
        assert found.bound <= full.utilisation
        assert full.bound <= found.utilisation == judged.utilisation


def test_a_stop_that_never_says_so_changes_nothing() -> None:
    problem = random_routing(7)
    plain, asked = RoutingKernel().allocate(problem), RoutingKernel().allocate(problem, stop=lambda: False)
    np.testing.assert_array_equal(plain.share, asked.share)
    np.testing.assert_array_equal(plain.price, asked.price)


def test_an_error_in_stop_reaches_the_caller() -> None:
    def stop() -> bool:
        raise RuntimeError("deadline lost")

    with pytest.raises(RuntimeError, match="deadline lost"):
        RoutingKernel().allocate(random_routing(7), tolerance=1e-9, stop=stop)


def test_the_same_data_again_need_nothing_from_a_start() -> None:
    problem = random_routing(11)
    first = RoutingKernel().allocate(problem)
    again = RoutingKernel().allocate(problem, start=first)
    assert (again.sweeps, again.iterations) == (0, 0)
    assert again.utilisation == pytest.approx(first.utilisation, rel=1e-12)
    assert again.gap <= 1e-3
