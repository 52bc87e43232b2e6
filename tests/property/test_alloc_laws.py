"""Law 6: an allocation stays within capacity; more capacity never lowers a value or the max-min minimum. Cuts hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from support.leaves import random_leaf, random_plan, random_query
from tiertwin import _core
from tiertwin.allocate import kernel
from tiertwin.allocate.leaf import LeafProblem

ALPHAS = (0.0, 0.5, 1.0, 2.0, 4.0)


@st.composite
def leaves(draw: st.DrawFn) -> tuple[np.random.Generator, LeafProblem]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = (draw(st.integers(1, 12)), draw(st.integers(0, 3)), draw(st.integers(0, 3)))
    problem = random_leaf(rng, *size, ALPHAS)
    spread = 10.0 ** rng.uniform(-draw(st.integers(0, 3)), draw(st.integers(0, 3)), problem.groups)
    demand = problem.demand * spread * (rng.random(problem.groups) > draw(st.sampled_from([0.0, 0.3])))
    capacity = problem.capacity * rng.choice(
        draw(st.sampled_from([[1.0], [0.0, 1.0], [1e-6, 1e6]])), len(problem.capacity)
    )
    return rng, replace(
        problem, demand=demand, capacity=capacity, kappa=problem.kappa * draw(st.sampled_from([0, 1, 30]))
    )


def unit(problem: LeafProblem, scale: float) -> float:
    return max(scale, float(problem.demand @ problem.weight), 1e-300)


@settings(max_examples=100)
@given(leaves())
def test_a_cut_at_any_prices_bounds_every_plan(leaf: tuple[np.random.Generator, LeafProblem]) -> None:
    rng, problem = leaf
    quota_price = rng.exponential(1.0, problem.quotas) * rng.choice([0.0, 1e-6, 1.0, 1e6], problem.quotas)
    own_price = rng.exponential(1.0, problem.own_resources) * rng.choice([0.0, 1e-6, 1.0, 1e6], problem.own_resources)
    phi, drift = kernel.cut(problem, quota_price, own_price)
    assert drift >= 0
    for _ in range(3):
        judged = kernel.worth(problem, kernel.repair(problem, random_plan(rng, problem)))
        assert judged.violation == 0
        assert judged.value <= phi + quota_price @ judged.use + 1e-11 * (abs(phi) + abs(judged.value))


@settings(max_examples=60)
@given(leaves(), st.booleans())
def test_an_answer_is_feasible_and_its_certificate_true(
    leaf: tuple[np.random.Generator, LeafProblem], by_quota: bool
) -> None:
    rng, problem = leaf
    asked = random_query(rng, problem, by_quota=by_quota)
    answer = kernel.KernelAllocator().allocate(problem, **asked)
    assert kernel.worth(problem, answer.x, asked.get("quota")).violation <= 1e-12
    rival = kernel.greedy(problem, asked.get("quota"))
    judged = kernel.worth(problem, rival, asked.get("quota"))
    assert judged.violation <= 1e-12
    assert judged.value <= answer.phi + answer.quota_price @ judged.use + 1e-11 * (abs(answer.phi) + abs(judged.value))


@settings(max_examples=60)
@given(leaves(), st.floats(1.0, 3.0))
def test_more_quota_or_capacity_never_lowers_the_value(
    leaf: tuple[np.random.Generator, LeafProblem], factor: float
) -> None:
    rng, problem = leaf
    quota = random_query(rng, problem, by_quota=True)["quota"]
    solve = kernel.KernelAllocator().allocate
    before = solve(problem, quota=quota)
    tolerance = 2e-6 * unit(problem, before.scale)
    assert solve(problem, quota=quota * factor).value >= before.value - tolerance
    assert solve(replace(problem, capacity=problem.capacity * factor), quota=quota).value >= before.value - tolerance


@settings(max_examples=60)
@given(leaves(), st.floats(-3.0, 3.0))
def test_repair_projection_and_refresh_are_feasible_and_keep_feasible_plans(
    leaf: tuple[np.random.Generator, LeafProblem], size: float
) -> None:
    rng, problem = leaf
    quota = random_query(rng, problem, by_quota=True)["quota"]
    wild = random_plan(rng, problem) * 10.0**size - rng.exponential(0.1, (problem.groups, problem.tiers))
    wild.flat[:: max(1, wild.size // 2)] = np.nan
    for plan in (kernel.repair(problem, wild, quota), kernel.project(problem, wild, quota)):
        assert kernel.worth(problem, plan, quota).violation <= 1e-12
        assert np.allclose(kernel.repair(problem, plan, quota), plan, rtol=1e-9, atol=0)
    assert kernel.worth(problem, kernel.refresh(problem, wild)).violation <= 1e-12


@given(leaves(), st.floats(0.5, 2.0))
def test_a_plan_carried_to_new_data_is_worth_at_least_its_low_value(
    leaf: tuple[np.random.Generator, LeafProblem], growth: float
) -> None:
    _, problem = leaf
    answer = kernel.KernelAllocator().allocate(problem, price=np.ones(problem.quotas))
    grown = replace(problem, demand=problem.demand * growth)
    carried = kernel.worth(grown, kernel.refresh(grown, answer.x))
    if growth >= 1:
        low = kernel.value_at_growth(problem, answer.x, growth - 1)
        assert carried.value >= low - 1e-9 * unit(problem, carried.scale)
    assert np.all(carried.own_load <= answer.own_load * (1 + 1e-12))


@given(st.integers(0, 2**32), st.integers(1, 200), st.integers(1, 6), st.booleans())
def test_dealing_conserves_every_group_and_tier(seed: int, devices: int, groups: int, capped: bool) -> None:
    rng = np.random.default_rng(seed)
    group_of = rng.integers(0, groups, devices)
    weight = rng.exponential(1.0, devices) * (rng.random(devices) > 0.2)
    weight[rng.permutation(devices)[:groups]] += 0.1
    x = rng.exponential(1.0, (groups, 4)) * np.isin(np.arange(groups), group_of)[:, None]
    weighty = np.where(np.bincount(group_of, weight, groups)[group_of] > 0, weight, 1.0)
    even = x.sum(axis=1)[group_of] * weighty / np.maximum(np.bincount(group_of, weighty, groups), 1e-300)[group_of]
    cap = even * rng.uniform(1.0, 2.0, devices) if capped else None
    dealt = kernel.deal(group_of, weight, x, cap)
    sums = np.stack([np.bincount(group_of, dealt[:, t], groups) for t in range(4)], axis=1)
    assert np.allclose(sums, x, rtol=1e-9, atol=1e-12)
    assert np.all(dealt >= 0)
    if cap is not None:
        assert np.all(dealt.sum(axis=1) <= cap * (1 + 1e-12))


@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 20), st.floats(1.0, 2.0))
def test_more_capacity_never_lowers_the_max_min_minimum(seed: int, links: int, flows: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    rows = [np.sort(rng.choice(links, int(rng.integers(1, links + 1)), replace=False)) for _ in range(flows)]
    crossed = np.concatenate(rows).astype(np.int64)
    offsets = np.cumsum([0, *map(len, rows)])
    capacity, weights = rng.uniform(0.0, 10.0, links), rng.uniform(0.1, 3.0, flows)
    rates, _ = _core.waterfill(capacity, offsets, crossed, weights)
    load = np.bincount(crossed, np.repeat(rates, np.diff(offsets)), links)
    assert np.all(load <= capacity * (1 + 1e-9) + 1e-12)
    # Max-min: every flow crosses a full link on which nobody has a higher level.
    level = rates / weights
    for row, mine in zip(rows, level, strict=True):
        full = [link for link in row if load[link] >= capacity[link] * (1 - 1e-9) - 1e-12]
        assert any(all(level[f] <= mine * (1 + 1e-9) + 1e-12 for f in range(flows) if link in rows[f]) for link in full)
    wider = capacity.copy()
    wider[int(rng.integers(links))] *= factor
    more, _ = _core.waterfill(wider, offsets, crossed, weights)
    assert (more / weights).min() >= level.min() * (1 - 1e-12)
