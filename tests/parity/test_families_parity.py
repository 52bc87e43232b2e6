"""Kernels of the families against cvxpy, and their checkers and bounds against loops."""

from __future__ import annotations

import numpy as np
import pytest

from reference import families as naive
from support.families import random_fair, random_routing
from tiertwin.allocate.families import fair, routing
from tiertwin.allocate.families.fair_cvxpy import FairCvxpy, FairForm
from tiertwin.allocate.families.routing_cvxpy import RoutingCvxpy, RoutingForm
from tiertwin.allocate.families.samples import compute_offload


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0, 4.0])
def test_fair_kernel_and_cvxpy_agree(alpha: float) -> None:
    reference = FairCvxpy()
    for seed in range(4):
        problem = random_fair(seed, alpha=alpha, cost=seed % 2 == 1)
        ours = fair.FairKernel().allocate(problem, tolerance=1e-6)
        theirs = reference.allocate(problem)
        assert ours.gap <= 1e-6
        assert theirs.gap <= 1e-5
        assert abs(ours.value - theirs.value) <= 4e-6 * ours.scale
        assert theirs.value <= ours.bound
        assert ours.value <= theirs.bound + 1e-9 * ours.scale


def test_fair_kernel_and_cvxpy_agree_on_an_offloading_network() -> None:
    problem = compute_offload(200)
    ours, theirs = fair.FairKernel().allocate(problem, tolerance=1e-7), FairCvxpy().allocate(problem)
    served, expected = (problem.options.sums @ answer.x for answer in (ours, theirs))
    np.testing.assert_allclose(served, expected, rtol=2e-3)
    assert abs(ours.value - theirs.value) <= 1e-6 * ours.scale


def test_the_compiled_reference_takes_new_numbers() -> None:
    problem = random_fair(11, alpha=1.0)
    form = FairForm(problem, constant=False)
    scaled = fair.FairProblem(
        problem.options, 1.3 * problem.demand, 0.5 * problem.weight, problem.alpha, 0.8 * problem.capacity
    )
    assert form.fits(scaled)
    form.put(scaled)
    again = form.solve(scaled, "CLARABEL", {})
    fresh = FairForm(scaled, constant=True)
    fresh.put(scaled)
    assert abs(again.value - fresh.solve(scaled, "CLARABEL", {}).value) <= 1e-5 * again.scale


def test_fair_values_and_bounds_are_those_of_the_loops() -> None:
    for seed in range(10):
        problem = random_fair(seed, cost=seed % 2 == 0)
        rng = np.random.default_rng(seed)
        x = fair.fit(problem, rng.lognormal(0.0, 1.0, problem.options.count))
        judged = fair.worth(problem, x)
        value, scale = naive.fair_value(problem, x)
        np.testing.assert_allclose([judged.value, judged.scale], [value, scale], rtol=1e-12)
        np.testing.assert_allclose(judged.load, naive.loads(problem.options, x), rtol=1e-12)
        price = rng.lognormal(-1.0, 1.0, problem.options.resources)
        np.testing.assert_allclose(fair.price_bound(problem, price), naive.fair_bound(problem, price), rtol=1e-12)
        np.testing.assert_allclose(problem.most, [naive.most(problem, u) for u in range(problem.options.users)])


def test_routing_kernel_and_cvxpy_agree() -> None:
    reference = RoutingCvxpy()
    for seed in range(15):
        problem = random_routing(seed)
        ours, theirs = routing.RoutingKernel().allocate(problem, tolerance=1e-7), reference.allocate(problem)
        assert ours.gap <= 1e-6
        assert theirs.gap <= 1e-6
        assert abs(ours.utilisation - theirs.utilisation) <= 1e-6 * ours.utilisation


def test_the_compiled_routing_reference_takes_new_numbers() -> None:
    problem = random_routing(5)
    form = RoutingForm(problem, constant=False)
    other = routing.RoutingProblem(problem.options, problem.demand[::-1].copy(), 2 * problem.capacity)
    assert form.fits(other)
    form.put(other)
    found = form.solve(other, "HIGHS", {})
    assert abs(found.utilisation - routing.RoutingKernel().allocate(other, tolerance=1e-8).utilisation) <= 1e-6


def test_routing_values_and_bounds_are_those_of_the_loops() -> None:
    for seed in range(10):
        problem = random_routing(seed)
        rng = np.random.default_rng(seed)
        share = routing.fit(problem, rng.random(problem.options.count))
        judged = routing.worth(problem, share)
        rate = share * problem.demand[problem.options.user_of]
        np.testing.assert_allclose(judged.load, naive.loads(problem.options, rate), rtol=1e-12)
        np.testing.assert_allclose(judged.utilisation, np.max(judged.load / problem.capacity))
        price = rng.random(problem.options.resources)
        np.testing.assert_allclose(routing.price_bound(problem, price), naive.routing_bound(problem, price), rtol=1e-12)
