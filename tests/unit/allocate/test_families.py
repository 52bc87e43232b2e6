"""The Python side of the families: what is refused and how it is told, edges, samples."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.allocate.families import fair, routing
from tiertwin.allocate.families.fair import FairKernel, FairProblem, Floors
from tiertwin.allocate.families.fair_cvxpy import FairCvxpy
from tiertwin.allocate.families.options import Options, in_time
from tiertwin.allocate.families.routing import RoutingKernel, RoutingProblem
from tiertwin.allocate.families.routing_cvxpy import RoutingCvxpy
from tiertwin.allocate.families.samples import (
    CHOICES,
    compute_offload,
    offload_sizes,
    routing_over_paths,
    timely_offload,
)
from tiertwin.allocate.kernel import Fault
from tiertwin.errors import InputError

TWO = Options.of_lists([[{0: 1.0}, {1: 2.0}], [{1: 1.0}]], 2)
ONES = np.ones(2)


def fair_problem(**changes: np.ndarray) -> FairProblem:
    data = {"demand": ONES, "weight": ONES, "alpha": ONES, "capacity": ONES} | changes
    return FairProblem(TWO, **data)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("demand", [1.0, np.nan], "demand[1]: expected a number >= 0 or infinity, got nan"),
        ("demand", [-1.0, 1.0], "demand[0]"),
        ("weight", [1.0, np.inf], "weight[1]: expected a finite number"),
        ("alpha", [-0.5, 1.0], "alpha[0]"),
        ("capacity", [np.nan, 1.0], "capacity[0]"),
        ("capacity", [1.0], "capacity: expected 2 numbers, one a resource, got 1"),
        ("cost", [0.0, 0.0, -1.0], "cost[2]"),
    ],
)
def test_bad_numbers_are_named(field: str, value: list[float], told: str) -> None:
    with pytest.raises(InputError) as caught:
        fair_problem(**{field: np.array(value)})
    assert told in str(caught.value)


def test_endless_demand_without_any_limit_is_refused() -> None:
    with pytest.raises(InputError, match="no limited resource"):
        fair_problem(demand=np.array([np.inf, 1.0]), capacity=np.array([np.inf, 1.0]))


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        (([0, 3], [0, 1, 2], [0, 1], [1.0, 1.0]), "user_offsets: expected offsets from 0 to 2"),
        (([0, 2], [0, 2, 1, 2], [0, 1], [1.0, 1.0]), "option_offsets[2]"),
        (([0, 2], [0, 1, 2], [0, 2], [1.0, 1.0]), "resource[1]: expected 0..1, got 2"),
        (([0, 2], [0, 1, 2], [0, 1], [1.0, np.inf]), "use[1]"),
        (([0, 2], [0, 1, 2], [0, 1], [1.0]), "use: expected 2 numbers"),
        (([0, 2], [0, 1, 2], [0.5, 1.0], [1.0, 1.0]), "resource: expected whole numbers"),
    ],
)
def test_a_bad_structure_is_named(arrays: tuple[list[float], ...], told: str) -> None:
    with pytest.raises(InputError) as caught:
        Options(*(np.array(array) for array in arrays), 2)  # type: ignore[arg-type]
    assert told in str(caught.value)


def test_a_demand_that_cannot_be_routed_is_named_with_its_amount() -> None:
    with pytest.raises(InputError) as caught:
        RoutingProblem(TWO, np.array([1.0, 7.0]), np.array([1.0, 0.0]))
    assert "demand[1]: 7" in str(caught.value)
    assert "every option uses a resource without capacity" in str(caught.value)


@pytest.mark.parametrize("allocator", [FairKernel(), FairCvxpy()], ids=lambda a: a.name)
def test_users_that_cannot_be_served_get_nothing_and_cost_nothing(allocator: fair.FairAllocator) -> None:
    problem = fair_problem(capacity=np.array([1.0, 0.0]))
    found = allocator.allocate(problem)
    np.testing.assert_array_equal(problem.most, [1.0, 0.0])
    np.testing.assert_allclose(found.x, [1.0, 0.0, 0.0], atol=1e-3)
    assert found.gap <= 1e-3
    nobody = allocator.allocate(fair_problem(capacity=np.zeros(2)))
    assert not nobody.x.any()
    assert (nobody.value, nobody.scale, nobody.bound, nobody.gap) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("allocator", [RoutingKernel(), RoutingCvxpy()], ids=lambda a: a.name)
def test_nothing_to_route_is_an_answer(allocator: routing.RoutingAllocator) -> None:
    found = allocator.allocate(RoutingProblem(TWO, np.zeros(2), ONES))
    assert (found.utilisation, found.gap, found.concurrent_flow) == (0.0, 0.0, float("inf"))


def test_concurrent_flow_is_what_every_demand_may_be_multiplied_by() -> None:
    problem = RoutingProblem(TWO, np.array([0.5, 0.25]), ONES)
    found = RoutingKernel().allocate(problem, tolerance=1e-6)
    scaled = RoutingProblem(TWO, found.concurrent_flow * problem.demand, ONES)
    assert routing.worth(scaled, found.share).utilisation == pytest.approx(1.0)


def test_the_checkers_name_what_is_broken() -> None:
    problem = fair_problem()
    assert fair.worth(problem, np.array([2.0, 0.0, 0.0])).fault == Fault.DEMAND
    assert fair.worth(problem, np.array([-1.0, 0.0, 0.0])).fault == Fault.NEGATIVE
    assert fair.worth(problem, np.array([0.0, np.nan, 0.0])).fault == Fault.NOT_FINITE
    over = fair.worth(problem, np.array([0.0, 0.8, 0.8]))
    assert (over.fault, over.index) == (Fault.OWN_CAPACITY, 1)
    assert over.violation == pytest.approx(1.4)
    split = routing.worth(RoutingProblem(TWO, ONES, ONES), np.array([0.5, 0.2, 1.0]))
    assert (split.fault, split.index) == (Fault.DEMAND, 0)


@pytest.mark.parametrize(
    ("floors", "told"),
    [
        (([0, 2], [1.0], [1.0]), "floor_of[1]: expected -1.."),
        (([0], [1.0], [1.0]), "floor_of: expected 2 numbers, one a user, got 1"),
        (([0, 0], [np.nan], [1.0]), "floor[0]: expected a finite number >= 0, got nan"),
        (([0, 0], [np.inf], [1.0]), "floor[0]"),
        (([0, 0], [1.0], [-1.0]), "penalty[0]"),
        (([0, 0], [1.0], [1.0, 2.0]), "penalty: expected 1 numbers, one a floor, got 2"),
        (([0.5, 0], [1.0], [1.0]), "of_user: expected whole numbers"),
    ],
)
def test_a_bad_floor_is_named(floors: tuple[list[float], ...], told: str) -> None:
    with pytest.raises(InputError) as caught:
        FairProblem(TWO, ONES, ONES, ONES, ONES, floors=Floors(*(np.array(part) for part in floors)))
    assert told in str(caught.value)


@pytest.mark.parametrize("allocator", [FairKernel(), FairCvxpy()], ids=lambda a: a.name)
def test_a_floor_takes_from_those_without_and_says_what_is_missing(allocator: fair.FairAllocator) -> None:
    one = Options.of_lists([[{0: 1.0}], [{0: 1.0}]], 1)

    def solved(floor: float, weight: tuple[float, float] = (1.0, 1.0)) -> fair.FairAnswer:
        floors = Floors(np.array([0, -1]), np.array([floor]), np.array([50.0]))
        data = (np.full(2, 9.0), np.array(weight), ONES, np.array([4.0]))
        return allocator.allocate(FairProblem(one, *data, floors=floors), tolerance=1e-6)

    kept = solved(3.0)  # the user without has log utility 1/1, the other 1/3: a unit of the floor costs 2/3
    np.testing.assert_allclose(kept.x, [3.0, 1.0], rtol=1e-3)
    np.testing.assert_allclose(kept.floor_price, [2.0 / 3.0], rtol=1e-2)
    np.testing.assert_allclose(kept.shortfall, [0.0], atol=1e-4)
    missed = solved(5.0)
    np.testing.assert_allclose(missed.x, [3.98, 0.02], rtol=1e-2)  # 1/y = 50 + 1/4
    np.testing.assert_allclose(missed.shortfall, [1.02], rtol=1e-2)
    alone = solved(5.0, (0.0, 0.0))  # nobody has a weight: the floor is all there is
    np.testing.assert_allclose(alone.x, [4.0, 0.0], atol=1e-4)
    np.testing.assert_allclose([alone.value, alone.scale], [-50.0, 250.0], rtol=1e-4)
    assert max(kept.gap, missed.gap, alone.gap) <= 1e-5


def test_stop_is_asked_once_an_iteration_and_the_best_so_far_comes_back() -> None:
    problem, kernel = compute_offload(400), FairKernel()
    full = kernel.allocate(problem, tolerance=1e-6)
    for most in range(full.iterations):
        left = iter(range(most))
        found = kernel.allocate(problem, tolerance=1e-6, stop=lambda left=left: next(left, None) is None)
        same = kernel.allocate(problem, tolerance=1e-6, iteration_limit=most)
        assert found.iterations == most
        np.testing.assert_array_equal(found.x, same.x)
        assert found.bound == same.bound
        assert fair.worth(problem, found.x).violation <= 1e-9
    asked = []
    kernel.allocate(problem, tolerance=1e-6, stop=lambda: bool(asked.append(1)))
    assert len(asked) == full.iterations
    warm = kernel.allocate(problem, start=full, tolerance=1e-9, stop=lambda: True)
    assert warm.iterations == 0

    def broken() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        kernel.allocate(problem, stop=broken)
    np.testing.assert_array_equal(kernel.allocate(problem, tolerance=1e-6).x, full.x)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    problem = compute_offload(60_000)
    one, *more = (FairKernel().allocate(problem, threads=threads) for threads in (1, 2, 3))
    assert one.gap <= 1e-3
    for other in more:
        np.testing.assert_array_equal(other.x, one.x)
        np.testing.assert_array_equal(other.price, one.price)
        assert (other.value, other.bound, other.iterations) == (one.value, one.bound, one.iterations)
    with pytest.raises(ValueError, match="threads: expected 1"):
        FairKernel().allocate(problem, threads=0)
    asked = []
    stopped = FairKernel().allocate(problem, threads=2, stop=lambda: bool(asked.append(1)) or len(asked) > 3)
    assert stopped.iterations == 3

    def again() -> bool:
        FairKernel().allocate(problem)
        return False

    with pytest.raises(ValueError, match="being solved"):
        FairKernel().allocate(problem, stop=again)


def test_a_resource_where_work_waits_stays_below_its_limit() -> None:
    one = Options.of_lists([[{0: 1.0}]], 1)
    problem = FairProblem(one, np.array([9.0]), np.ones(1), np.ones(1), np.array([4.0]), delay=np.array([1e-9]))
    found = FairKernel().allocate(problem, tolerance=1e-6)
    np.testing.assert_allclose(problem.most, [0.98 * 4.0])
    np.testing.assert_allclose(found.x, [0.98 * 4.0], rtol=1e-5)
    loaded = FairProblem(one, np.array([9.0]), np.ones(1), np.ones(1), np.array([4.0]), delay=np.array([1.0]))
    rate = FairKernel().allocate(loaded, tolerance=1e-8).x[0]
    assert 1.0 / rate == pytest.approx(4.0 / (4.0 - rate) ** 2, rel=1e-3)  # w U' = D'
    over = fair.worth(problem, np.array([3.99]))
    assert (over.fault, over.index) == (Fault.OWN_CAPACITY, 0)


def test_a_tolerance_below_zero_is_refused() -> None:
    with pytest.raises(InputError, match="tolerance"):
        FairKernel().allocate(fair_problem(), tolerance=-1.0)
    with pytest.raises(InputError, match="tolerance"):
        RoutingKernel().allocate(RoutingProblem(TWO, ONES, ONES), tolerance=float("nan"))


def test_a_resource_named_twice_counts_with_the_sum() -> None:
    twice = Options(np.array([0, 1]), np.array([0, 2]), np.array([0, 0]), np.array([1.0, 2.0]), 1)
    once = Options.of_lists([[{0: 3.0}]], 1)
    one = np.ones(1)
    found = [FairKernel().allocate(FairProblem(o, 9 * one, one, one, one)).x for o in (twice, once)]
    np.testing.assert_array_equal(*found)


def test_options_that_are_too_late_are_closed_counted_and_told() -> None:
    left = in_time(TWO, np.array([0.01, 0.05, 0.2]), np.array([0.05, 0.1]))
    np.testing.assert_array_equal(left.kept, [0, 1])
    np.testing.assert_array_equal(left.closed, [0, 1])
    np.testing.assert_array_equal(left.without, [1])
    assert left.told == "deadline: 1 of 3 options are too late, of 1 users; 1 users have none left (1)"
    found = FairKernel().allocate(FairProblem(left.options, ONES, ONES, ONES, ONES))
    np.testing.assert_array_equal(FairProblem(left.options, ONES, ONES, ONES, ONES).most, [1.0, 0.0])
    np.testing.assert_allclose(found.x.sum(), 1.0, rtol=1e-3)
    everything = in_time(TWO, np.zeros(3), np.array([0.0, np.inf]))
    np.testing.assert_array_equal(everything.options.resource, TWO.resource)
    assert "0 of 3" in everything.told
    for latency, deadline, told in (
        (np.ones(2), ONES, "latency: expected 3"),
        (np.array([1.0, np.nan, 1.0]), ONES, r"latency\[1\]"),
        (np.ones(3), np.array([1.0, -1.0]), r"deadline\[1\]"),
    ):
        with pytest.raises(InputError, match=told):
            in_time(TWO, latency, deadline)


def test_a_sample_with_deadlines_waiting_and_energy_is_solved() -> None:
    problem, left = timely_offload(2000)
    assert left.closed.sum() > 100
    assert left.kept.size == problem.options.count
    assert problem.cost is not None
    assert problem.cost.min() > 0
    found = FairKernel().allocate(problem, tolerance=1e-5)
    assert found.gap <= 1e-5
    nodes = offload_sizes(2000)[1]
    assert np.all(found.load[:nodes] <= 0.98 * problem.capacity[:nodes])
    dearer, _ = timely_offload(2000, energy_price=5.0)
    saved = FairKernel().allocate(dearer)
    assert saved.x @ dearer.cost < found.x @ dearer.cost


def test_samples_are_what_they_say() -> None:
    problem = compute_offload(400, seed=3)
    assert problem.options.count == 400
    chosen = problem.options.resource[problem.options.option_offsets[:-1]].reshape(-1, CHOICES)
    assert all(len(set(row)) == CHOICES for row in chosen.tolist())
    tail, head = np.array([0, 1, 1, 2, 0, 2]), np.array([1, 0, 2, 1, 2, 0])
    routed = routing_over_paths(tail, head, np.array([1.0, 1.0, 1.0, 1.0, 1.5, 1.5]), np.ones((3, 3)))
    assert routed.options.users == 6
    for k in range(routed.options.count):
        span = slice(routed.options.option_offsets[k], routed.options.option_offsets[k + 1])
        links = routed.options.resource[span]
        np.testing.assert_array_equal(head[links][:-1], tail[links][1:])
    with pytest.raises(InputError, match="connected"):
        routing_over_paths(tail[:2], head[:2], np.ones(2), np.ones((3, 3)))
