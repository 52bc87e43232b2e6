"""Laws of the split over service classes: sums, loads, optimality, monotony; and its agreement with the plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from support.leaves import random_leaf, random_plan
from tiertwin.allocate.split import ClassShares, class_shares, split_plan
from tiertwin.errors import InputError

REL = 1e-12
amounts = st.one_of(st.just(0.0), st.floats(1e-9, 1e6))
classes = st.lists(st.tuples(amounts, st.one_of(st.just(0.0), st.floats(1e-3, 1e3))), min_size=1, max_size=6)


def pair(rows: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    load, worth = np.array(rows, dtype=np.float64).T
    return load.copy(), worth.copy()


def cost(share: np.ndarray, load: np.ndarray, worth: np.ndarray) -> float:
    """Σ s load / (φ − load) over the classes with load: what the rule minimises."""
    busy = load > 0
    return float((worth[busy] * load[busy] / (share[busy] - load[busy])).sum())


@settings(max_examples=200, deadline=None)
@given(rows=classes, capacity=amounts)
def test_shares_add_up_and_cover_the_load(rows: list[tuple[float, float]], capacity: float) -> None:
    load, worth = pair(rows)
    share = class_shares(load, worth, capacity)
    assert np.isfinite(share).all()
    assert (share >= 0).all()
    assert not share[load == 0].any()
    assert share.sum() == pytest.approx(capacity if load.any() else 0.0, rel=REL, abs=1e-300)
    if load.sum() <= capacity:
        assert (share >= load * (1 - REL)).all()
    else:
        assert share == pytest.approx(load * (capacity / load.sum()), rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 6), room=st.floats(1.001, 10.0))
def test_no_other_split_costs_less(seed: int, count: int, room: float) -> None:
    rng = np.random.default_rng(seed)
    load, worth = rng.uniform(0.01, 10.0, count), rng.uniform(0.01, 10.0, count)
    capacity = room * float(load.sum())
    best = cost(class_shares(load, worth, capacity), load, worth)
    left = capacity - load.sum()
    for part in rng.dirichlet(np.ones(count), 50):
        other = np.maximum(part, 1e-9)
        assert best <= cost(load + left * other / other.sum(), load, worth) * (1 + REL)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 5))
def test_scipy_finds_the_same_split(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    load, worth = rng.uniform(0.1, 2.0, count), rng.uniform(0.1, 10.0, count)
    left = float(rng.uniform(0.1, 5.0))

    def share(z: np.ndarray) -> np.ndarray:
        part = np.exp(z - z.max())
        return np.asarray(load + left * part / part.sum())

    found = minimize(lambda z: np.log(cost(share(z), load, worth)), np.zeros(count), method="BFGS", tol=1e-9)
    assert class_shares(load, worth, float(load.sum()) + left) == pytest.approx(share(found.x), rel=1e-3)


@settings(max_examples=200, deadline=None)
@given(rows=classes, capacity=amounts, which=st.integers(0, 5), more=st.floats(1.0, 100.0))
def test_more_of_anything_never_gives_its_class_less(
    rows: list[tuple[float, float]], capacity: float, which: int, more: float
) -> None:
    load, worth = pair(rows)
    which %= len(load)
    before = class_shares(load, worth, capacity)
    slack = REL * max(capacity, float(load.sum()), 1e-300)
    assert (class_shares(load, worth, capacity * more) >= before - slack * more).all()
    assert class_shares(np.where(np.arange(len(load)) == which, load * more, load), worth, capacity)[which] >= (
        before[which] - slack * more
    )
    assume(worth[which] > 0)
    weighed = class_shares(load, np.where(np.arange(len(load)) == which, worth * more, worth), capacity)
    assert weighed[which] >= before[which] - slack
    others = np.arange(len(load)) != which
    assert (weighed[others] <= before[others] + slack).all()


def test_the_four_times_dearer_class_gets_twice_the_rest() -> None:
    assert class_shares(np.array([1.0, 1.0]), np.array([4.0, 1.0]), 5.0) == pytest.approx([3.0, 2.0])
    assert class_shares(np.array([1.0, 4.0]), np.array([1.0, 1.0]), 8.0) == pytest.approx([2.0, 6.0])


def test_classes_without_worth_are_alike_or_last() -> None:
    assert class_shares(np.array([1.0, 4.0]), np.zeros(2), 8.0) == pytest.approx([2.0, 6.0])
    assert class_shares(np.array([1.0, 4.0]), np.array([1.0, 0.0]), 8.0) == pytest.approx([4.0, 4.0])


@pytest.mark.parametrize(
    ("load", "worth", "capacity", "name"),
    [
        ([1.0, -1.0], [1.0, 1.0], 3.0, r"load\[1\]"),
        ([1.0, 1.0], [np.nan, 1.0], 3.0, r"worth\[0\]"),
        ([1.0, 1.0], [1.0, 1.0], np.inf, "capacity"),
        ([1.0], [1.0, 1.0], 3.0, "expected load"),
    ],
)
def test_what_cannot_be_split_is_refused(load: list[float], worth: list[float], capacity: float, name: str) -> None:
    with pytest.raises(InputError, match=name):
        class_shares(np.array(load), np.array(worth), capacity)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), quotas=st.sampled_from([0, 1, 3, 5]))
def test_a_plan_is_split_resource_by_resource(seed: int, quotas: int) -> None:
    """Rows are servers and hops bottom-up; each is `class_shares` of the plan's own load there."""
    rng = np.random.default_rng(seed)
    problem = random_leaf(rng, 12, quotas=quotas)
    x, quota = random_plan(rng, problem), rng.uniform(0.0, 1.5, quotas) * problem.quota_max
    class_of, worth = np.arange(12) // 4, rng.uniform(0.1, 10.0, 3)
    split = split_plan(problem, x, quota, class_of, worth)
    tiers = problem.tiers
    assert split.cpu.shape == (tiers - 1, 3)
    assert split.uplink.shape == (tiers - 2, 3)

    def by_class(use: np.ndarray) -> np.ndarray:
        return np.array([sum(use[g] @ x[g] for g in range(12) if class_of[g] == c) for c in range(3)])

    servers = [(problem.use_own[1], problem.capacity[1])]
    servers += [(problem.use_quota[j], quota[j]) for j in range(0, quotas, 2)]
    hops = [(problem.use_own[2], problem.capacity[2])] if quotas else []
    hops += [(problem.use_quota[j], quota[j]) for j in range(1, quotas, 2)]
    for rows, resources in ((split.cpu, servers), (split.uplink, hops)):
        assert len(rows) == len(resources)
        for row, (use, capacity) in zip(rows, resources, strict=True):
            assert row == pytest.approx(class_shares(by_class(use), worth, float(capacity)), rel=1e-9, abs=1e-12)


def test_nothing_granted_is_nothing_split() -> None:
    rng = np.random.default_rng(1)
    problem = random_leaf(rng, 6)
    x = random_plan(rng, problem)
    x[:, 2:] = 0.0
    split = split_plan(problem, x, np.zeros(3), np.arange(6) // 2, np.ones(3))
    assert isinstance(split, ClassShares)
    assert split.cpu[0].sum() == pytest.approx(problem.capacity[1])
    assert not split.cpu[1:].any()
    assert not split.uplink.any()
