"""The leaf kernel against cvxpy, against a general-purpose optimiser, and against formulas written out naively."""

from __future__ import annotations

import numpy as np
import pytest

from reference import alloc as reference
from support.leaves import random_leaf, random_plan, random_query
from tiertwin import _core
from tiertwin.allocate import kernel, registry
from tiertwin.allocate.leaf import LeafAnswer, LeafProblem


@pytest.fixture(scope="module")
def cvxpy_leaf() -> registry.Allocator:
    return registry.get("cvxpy")


@pytest.fixture(scope="module")
def linear_leaf() -> registry.Allocator:
    return registry.get("cvxpy-linear")


def objective(answer: LeafAnswer, asked: dict[str, np.ndarray]) -> float:
    return answer.value - (float(asked["price"] @ answer.use) if "price" in asked else 0.0)


def bound(problem: LeafProblem, answer: LeafAnswer, asked: dict[str, np.ndarray]) -> float:
    if "price" in asked:
        return answer.phi
    return answer.phi + float(answer.quota_price @ np.minimum(asked["quota"], problem.quota_max))


@pytest.mark.parametrize("seed", range(40))
def test_kernel_equals_cvxpy_to_a_millionth_of_s(seed: int, cvxpy_leaf: registry.Allocator) -> None:
    rng = np.random.default_rng([1, seed])
    groups, own, quotas = int(rng.integers(1, 41)), int(rng.integers(1, 4)), seed % 4
    problem = random_leaf(rng, groups, own, quotas)
    asked = random_query(rng, problem, by_quota=seed % 2 == 0)
    ours, theirs = kernel.KernelAllocator().allocate(problem, **asked), cvxpy_leaf.allocate(problem, **asked)
    assert abs(objective(ours, asked) - objective(theirs, asked)) <= 1e-6 * ours.scale
    assert bound(problem, ours, asked) - objective(ours, asked) <= 1e-6 * ours.scale
    assert bound(problem, theirs, asked) - objective(theirs, asked) <= 1e-5 * ours.scale


@pytest.mark.parametrize("seed", range(12))
def test_linear_form_is_within_two_per_cent_of_s(seed: int, linear_leaf: registry.Allocator) -> None:
    rng = np.random.default_rng([2, seed])
    problem = random_leaf(rng, int(rng.integers(1, 31)), 3, 3)
    asked = random_query(rng, problem, by_quota=seed % 2 == 0)
    exact, linear = kernel.KernelAllocator().allocate(problem, **asked), linear_leaf.allocate(problem, **asked)
    assert linear.step == 3
    assert objective(exact, asked) - objective(linear, asked) <= 0.02 * exact.scale
    assert kernel.worth(problem, linear.x, asked.get("quota")).violation <= 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_kernel_is_at_least_as_good_as_a_general_method_on_tiny_problems(seed: int) -> None:
    rng = np.random.default_rng([3, seed])
    problem = random_leaf(rng, int(rng.integers(1, 4)), 2, seed % 3)
    quota = problem.quota_max * 0.3
    answer = kernel.KernelAllocator().allocate(problem, quota=quota)
    naive = kernel.repair(problem, reference.best_plan(problem, quota), quota)
    assert reference.value(problem, answer.x) >= reference.value(problem, naive) - 1e-6 * answer.scale
    assert reference.value(problem, answer.x) <= reference.value(problem, naive) + 1e-4 * answer.scale


@pytest.mark.parametrize("alphas", [(0.0,), (4.0,), (0.0, 0.5, 1.0, 2.0, 4.0), (0.1, 0.9, 1.0 + 1e-9, 8.0)])
def test_certificate_closes_for_every_exponent(alphas: tuple[float, ...]) -> None:
    rng = np.random.default_rng(4)
    for trial in range(150):
        problem = random_leaf(rng, int(rng.integers(1, 41)), int(rng.integers(1, 4)), trial % 4, alphas)
        asked = random_query(rng, problem, by_quota=trial % 2 == 0)
        answer = kernel.KernelAllocator().allocate(problem, **asked)
        unit = max(answer.scale, 1e-6 * float(problem.demand @ problem.weight))
        assert bound(problem, answer, asked) - objective(answer, asked) <= 1e-6 * unit


@pytest.mark.parametrize("seed", range(8))
def test_worth_and_cut_equal_the_formulas(seed: int) -> None:
    rng = np.random.default_rng([5, seed])
    problem = random_leaf(rng, 6, 3, 3, (0.0, 0.5, 1.0, 2.0, 4.0))
    x = kernel.repair(problem, random_plan(rng, problem))
    judged = kernel.worth(problem, x)
    assert judged.value == pytest.approx(reference.value(problem, x), rel=1e-12)
    assert judged.scale == pytest.approx(reference.scale(problem, x), rel=1e-12)
    assert judged.use == pytest.approx(reference.loads(problem.use_quota, x), rel=1e-12)
    assert judged.own_load == pytest.approx(reference.loads(problem.use_own, x), rel=1e-12)
    quota_price, own_price = rng.exponential(0.5, 3), rng.exponential(0.5, 3)
    phi, drift = kernel.cut(problem, quota_price, own_price)
    naive = reference.phi(problem, quota_price, own_price)
    assert naive <= phi <= naive + 1e-4 * judged.scale
    grown = LeafProblem(
        problem.demand * 1.01, problem.weight, problem.alpha, problem.cost, problem.use_own, problem.capacity,
        problem.kappa, problem.use_quota,
    )  # fmt: skip
    assert kernel.cut(grown, quota_price, own_price)[0] <= phi + 0.01 * drift + 1e-9 * judged.scale
    assert kernel.value_at_growth(problem, x, 0.01) == pytest.approx(reference.value(grown, x), rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_projection_is_the_nearest_plan(seed: int) -> None:
    rng = np.random.default_rng([6, seed])
    problem = random_leaf(rng, 3, 2, 2)
    x = random_plan(rng, problem) * rng.uniform(-0.5, 3.0, (problem.groups, problem.tiers))
    quota = problem.quota_max * rng.uniform(0.02, 0.5, 2)
    assert kernel.project(problem, x, quota) == pytest.approx(reference.project(problem, x, quota), abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_waterfill_equals_the_reference(seed: int) -> None:
    rng = np.random.default_rng([7, seed])
    links, flows = int(rng.integers(1, 8)), int(rng.integers(1, 15))
    rows = [sorted(rng.choice(links, int(rng.integers(1, links + 1)), replace=False).tolist()) for _ in range(flows)]
    capacity, weights = rng.uniform(0.0, 10.0, links), rng.uniform(0.1, 3.0, flows)
    offsets = np.cumsum([0, *map(len, rows)])
    rates, rounds = _core.waterfill(capacity, offsets, np.concatenate(rows).astype(np.int64), weights)
    assert rates == pytest.approx(reference.waterfill(capacity.tolist(), rows, weights.tolist()), rel=1e-9, abs=1e-12)
    assert rounds <= links


@pytest.mark.parametrize("seed", range(20))
def test_dealing_equals_the_reference(seed: int) -> None:
    rng = np.random.default_rng([8, seed])
    groups, devices = 3, 30
    group_of = np.concatenate([np.arange(groups), rng.integers(0, groups, devices - groups)])
    weight = rng.uniform(0.1, 2.0, devices)
    cap = rng.uniform(0.2, 1.0, devices)
    room = np.bincount(group_of, cap, groups)
    x = rng.dirichlet(np.ones(4), groups) * (room * rng.uniform(0.3, 0.99, groups))[:, None]
    dealt = kernel.deal(group_of, weight, x, cap)
    naive = reference.deal(group_of.tolist(), weight.tolist(), x.sum(axis=1).tolist(), cap.tolist())
    assert dealt.sum(axis=1) == pytest.approx(naive, rel=1e-9)


@pytest.mark.parametrize("seed", range(30))
def test_greedy_takes_offers_in_the_order_of_one_whole_sort(seed: int) -> None:
    """The kernel sorts by buckets: ties, offers that cost nothing and merits of all sizes fall into their places."""
    rng = np.random.default_rng([9, seed])
    own, quotas = int(rng.integers(1, 4)), seed % 4
    problem = random_leaf(rng, int(rng.integers(1, 300)), own, quotas)
    fields = {name: np.array(getattr(problem, name)) for name in problem.__dataclass_fields__}
    half = problem.groups // 2
    if seed % 3 == 0:  # ties: the second half repeats the first
        for name in ("demand", "weight", "alpha", "cost"):
            fields[name][half : 2 * half] = fields[name][:half]
        for name in ("use_own", "use_quota"):
            fields[name][:, half : 2 * half] = fields[name][:, :half]
    if seed % 3 == 1:  # merits over many powers of ten, some offers use nothing at all
        fields["use_own"] *= 10.0 ** rng.integers(-12, 6, (1, problem.groups, 1))
        fields["use_own"][:, : half // 4] = fields["use_quota"][:, : half // 4] = 0.0
        fields["demand"][half:] *= rng.choice([0.0, 1.0], problem.groups - half)
    problem = LeafProblem(**fields)
    quota = problem.quota_max * rng.choice([0.0, 0.1, 0.5, 2.0], quotas)
    expected = kernel.repair(problem, reference.greedy(problem, quota), quota)
    np.testing.assert_allclose(kernel.greedy(problem, quota), expected, rtol=1e-9, atol=1e-12)
