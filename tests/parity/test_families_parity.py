"""Kernels of the families against cvxpy, and their checkers and bounds against loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from reference import families as naive
from support.families import promised_fair, random_fair, random_routing
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


@pytest.mark.parametrize("delay", [False, True])
@pytest.mark.parametrize(("alpha", "exact"), [(0.0, 1e-6), (0.5, 1e-6), (1.0, 1e-6), (2.0, 1e-3)])
def test_floors_and_waiting_agree_with_cvxpy(alpha: float, exact: float, delay: bool) -> None:
    reference = FairCvxpy()  # to 1e-3 where α = 2: beside linear terms, cones of powers are at the end of their digits
    for seed in range(6):
        problem = promised_fair(seed, alpha=alpha, delay=delay)
        ours, theirs = fair.FairKernel().allocate(problem, tolerance=1e-6), reference.allocate(problem)
        assert ours.gap <= 1e-6
        assert theirs.gap <= exact
        assert abs(ours.value - theirs.value) <= (1e-6 + exact) * ours.scale
        assert theirs.value <= ours.bound
        assert ours.value <= theirs.bound + 1e-9 * ours.scale
        np.testing.assert_allclose(ours.shortfall, naive.shortfalls(problem, ours.x), rtol=1e-9, atol=1e-12)


def test_a_compiled_reference_takes_new_floors_delays_and_capacities() -> None:
    problem = promised_fair(3, alpha=1.0, delay=True)
    form = FairForm(problem, constant=False)
    floors = fair.Floors(problem.floors.of_user, 0.7 * problem.floors.amount, 2.0 * problem.floors.penalty)
    other = dataclasses.replace(problem, capacity=1.3 * problem.capacity, delay=0.4 * problem.delay, floors=floors)
    assert form.fits(other)
    form.put(other)
    ours = fair.FairKernel().allocate(other, tolerance=1e-6)
    assert abs(form.solve(other, "CLARABEL", {}).value - ours.value) <= 1e-5 * ours.scale


@pytest.mark.parametrize("delay", [False, True])
def test_values_and_bounds_with_floors_and_waiting_are_those_of_the_loops(delay: bool) -> None:
    for seed in range(10):
        problem = promised_fair(seed, delay=delay)
        rng = np.random.default_rng(seed)
        x = fair.fit(problem, rng.lognormal(0.0, 1.0, problem.options.count))
        judged = fair.worth(problem, x)
        value, scale = naive.fair_value(problem, x)
        np.testing.assert_allclose([judged.value, judged.scale], [value, scale], rtol=1e-11)
        np.testing.assert_allclose(judged.shortfall, naive.shortfalls(problem, x), rtol=1e-12, atol=1e-12)
        price = rng.lognormal(-1.0, 1.0, problem.options.resources)
        pays = problem.floors.penalty * rng.uniform(0.0, 1.2, problem.floors.count)
        expected = naive.fair_bound(problem, price, pays)
        np.testing.assert_allclose(fair.price_bound(problem, price, pays), expected, rtol=1e-12)
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
