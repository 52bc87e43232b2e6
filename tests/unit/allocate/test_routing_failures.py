"""Failure-aware routing: the plan in every scenario, its certificate, and the whole linear problem in cvxpy."""

from __future__ import annotations

import numpy as np
import pytest

from reference import families as naive
from support.families import hostile_routing, random_routing
from tiertwin.allocate.families import routing
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingKernel, RoutingProblem
from tiertwin.allocate.families.routing_failures import (
    NORMAL,
    FailureAnswer,
    FailureProblem,
    price_bound,
    proportional,
    split_in,
)
from tiertwin.allocate.families.routing_failures_cvxpy import FailureCvxpy
from tiertwin.allocate.families.routing_failures_kernel import FailureKernel
from tiertwin.errors import InputError

# one demand over three links, one path each
THREE = Options.of_lists([[{0: 1.0}, {1: 1.0}, {2: 1.0}]], 3)


def drawn(seed: int, hostile: bool = False) -> FailureProblem:
    """A random instance with 1 to 5 scenarios of 1 or 2 links."""
    problem = hostile_routing(seed) if hostile else random_routing(seed)
    rng = np.random.default_rng([5, seed])
    links = problem.options.resources
    sizes = rng.integers(1, 3, int(rng.integers(1, 6)))
    return FailureProblem(problem, [rng.choice(links, size, replace=False).tolist() for size in sizes])


def naive_worth(problem: FailureProblem, answer: FailureAnswer) -> float:
    """Largest utilisation by loops; asserts that every scenario's split is one."""
    routed, options = problem.routing, problem.routing.options
    worst = 0.0
    for s in [NORMAL, *range(len(problem.scenarios))]:
        failed = set() if s == NORMAL else set(problem.scenarios[s])
        share = answer.share if s == NORMAL else split_in(problem, answer, s)
        assert np.all(share >= 0)
        for u in range(options.users):
            ways = list(naive.options_of(options, u))
            broken = [any(r in failed and use > 0 for r, use in naive.entries(options, k)) for k in ways]
            able = [all(routed.capacity[r] > 0 or use == 0 for r, use in naive.entries(options, k)) for k in ways]
            if routed.demand[u] == 0:
                continue
            alive = any(able[i] and not broken[i] for i in range(len(ways)))
            assert sum(share[k] for k in ways) == pytest.approx(1.0 if alive else 0.0, abs=1e-9)
            for k, gone in zip(ways, broken, strict=True):
                assert share[k] == 0 if gone else share[k] >= answer.share[k] - 1e-12  # unhit traffic stays
        load = naive.loads(options, share * routed.demand[options.user_of])
        with np.errstate(divide="ignore", invalid="ignore"):
            worst = max(worst, float(np.max(np.where(load > 0, load / routed.capacity, 0.0))))
    return worst


def test_a_plan_for_the_loss_of_any_of_three_links() -> None:
    routed = RoutingProblem(THREE, np.array([6.0]), np.array([6.0, 6.0, 6.0]))
    found = FailureKernel().allocate(FailureProblem(routed, [[0], [1], [2]]), tolerance=1e-6)
    assert found.utilisation == pytest.approx(0.5, rel=1e-5)  # two links for six
    np.testing.assert_allclose(found.share, 1 / 3, atol=0.17)
    shared = FailureKernel().allocate(FailureProblem(routed, [[0, 1], [2]]), tolerance=1e-6)
    assert (shared.utilisation, shared.worst) == (pytest.approx(1.0, rel=1e-5), 0)
    nothing = FailureKernel().allocate(FailureProblem(routed, []))
    assert (nothing.utilisation, nothing.worst, nothing.critical) == (pytest.approx(1 / 3, rel=1e-3), NORMAL, (NORMAL,))


def test_a_demand_without_a_surviving_path_is_lost_and_told() -> None:
    routed = RoutingProblem(THREE, np.array([6.0]), np.array([6.0, 6.0, 6.0]))
    problem = FailureProblem(routed, [[0, 1, 2], [1]])
    np.testing.assert_array_equal(problem.lost, [6.0, 0.0])
    found = FailureKernel().allocate(problem, tolerance=1e-6)
    assert found.utilisation == pytest.approx(0.5, rel=1e-5)
    assert not split_in(problem, found, 0).any()


@pytest.mark.parametrize("seed", range(15))
def test_kernel_and_the_whole_linear_problem_agree(seed: int) -> None:
    problem = drawn(seed)
    ours, theirs = FailureKernel().allocate(problem, tolerance=1e-6), FailureCvxpy().allocate(problem)
    for found in (ours, theirs):
        assert naive_worth(problem, found) == pytest.approx(found.utilisation, rel=1e-9)
        assert found.gap <= 1e-6
        assert price_bound(problem, found.critical, found.price) == pytest.approx(found.bound, rel=1e-12)
    assert ours.utilisation == pytest.approx(theirs.utilisation, rel=1e-6)
    assert ours.bound <= theirs.utilisation
    assert theirs.bound <= ours.utilisation


@pytest.mark.parametrize("seed", range(30))
def test_hostile_instances_are_answered_with_a_true_bound(seed: int) -> None:
    problem = drawn(seed, hostile=True)
    found = FailureKernel().allocate(problem)
    worth = naive_worth(problem, found)
    assert worth == pytest.approx(found.utilisation, rel=1e-9)
    assert found.bound <= worth * (1 + 1e-12)
    assert found.gap <= 1e-3


@pytest.mark.parametrize("seed", range(10))
def test_no_plan_is_better_than_the_bound_at_any_prices(seed: int) -> None:
    problem = drawn(seed)
    rng = np.random.default_rng(seed)
    scenarios = len(problem.scenarios)
    critical = (NORMAL, *range(scenarios))
    best = FailureKernel().allocate(problem, tolerance=1e-6)
    for _ in range(5):
        price = rng.lognormal(0.0, 2.0, (scenarios + 1, problem.routing.options.resources))
        price *= rng.integers(0, 2, price.shape)
        assert price_bound(problem, critical, price) <= best.utilisation
    plain = RoutingKernel().allocate(problem.routing, tolerance=1e-6)
    assert plain.bound <= best.utilisation


def test_respreading_in_proportion_keeps_the_sum_and_what_stays() -> None:
    for seed in range(10):
        problem = drawn(seed)
        options = problem.routing.options
        share = routing.fit(problem.routing, np.random.default_rng(seed).random(options.count))
        for s in range(len(problem.scenarios)):
            split = proportional(problem, share, s)
            alive = problem.open & ~problem.hit[s]
            reached = np.asarray(options.sums @ alive) > 0
            np.testing.assert_allclose(options.sums @ split, reached.astype(float), atol=1e-12)
            assert np.all(split[alive] >= share[alive] - 1e-12)


@pytest.mark.parametrize("limit", [0, 1, 3, 10])
def test_a_solve_that_is_stopped_has_a_plan_for_every_scenario(limit: int) -> None:
    problem = drawn(4)
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > limit

    found = FailureKernel().allocate(problem, tolerance=1e-9, stop=stop)
    assert naive_worth(problem, found) == pytest.approx(found.utilisation, rel=1e-9)
    assert found.bound <= found.utilisation


def test_a_failed_link_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"scenarios\[1\]: expected links in 0\.\.2, got 3"):
        FailureProblem(RoutingProblem(THREE, np.ones(1), np.ones(3)), [[0], [3]])
    with pytest.raises(InputError, match="tolerance"):
        FailureKernel().allocate(FailureProblem(RoutingProblem(THREE, np.ones(1), np.ones(3)), []), tolerance=0.0)
