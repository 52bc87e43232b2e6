"""Laws of cuts and points: true whatever the prices, mixtures and solvers; no solver takes part in the proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.cuts import random_leaf
from tiertwin.allocate.bounds import best_share, conjugate, delay, leaf_cut, leaf_worth, marginal_delay, utility
from tiertwin.allocate.leaf import LOAD_LIMIT
from tiertwin.allocate.leafside import carry_over
from tiertwin.allocate.messages import LOWER, UPPER, MasterRequest
from tiertwin.allocate.nodemath import dual_value, greedy, primal_value, settle, zero_answer
from tiertwin.allocate.slots import SlotTable

seeds = st.integers(0, 2**32 - 1)
positive = st.floats(1e-3, 1e3)


def some_plan(problem, rng):
    """Any plan inside demand and own capacities; quotas as they come."""
    share = rng.dirichlet(np.full(problem.tiers, 0.5), problem.groups) * rng.uniform(0.01, 1, (problem.groups, 1))
    return carry_over(problem, problem, share * problem.demand[:, None], np.full(problem.quotas, np.inf))


# ---------------------------------------------------------------------------------------------- closed forms


@given(load=st.floats(0, LOAD_LIMIT), price=st.floats(0, 1e4), capacity=positive, kappa=positive)
def test_the_conjugate_bounds_every_load(load, price, capacity, kappa):
    best = float(conjugate(np.array(price), np.array(capacity), np.array(kappa)))
    y = load * capacity
    assert best >= price * y - float(delay(np.array(y), np.array(capacity), np.array(kappa))) - 1e-9 * (1 + price * y)
    assert best >= 0


@given(load=st.floats(0.01, 0.97), capacity=positive, kappa=positive)
def test_the_conjugate_is_tight_at_the_marginal_price(load, capacity, kappa):
    c, k, y = np.array(capacity), np.array(kappa), np.array(load * capacity)
    price = marginal_delay(y, c, k)
    assert float(conjugate(price, c, k)) == pytest.approx(float(price * y - delay(y, c, k)), rel=1e-6, abs=1e-12)


@given(
    price=st.floats(0, 50),
    weight=st.floats(0, 20),
    alpha=st.sampled_from([0.0, 0.3, 0.5, 1.0, 2.0, 4.0]),
    q=st.floats(1e-6, 1),
)
def test_no_share_is_better_than_the_best(price, weight, alpha, q):
    p, b, a = np.array(price), np.array(weight), np.array(alpha)
    share = best_share(p, b, a)
    assert 0 <= share <= 1

    def worth(s):
        return (float(b * utility(s, a)) if weight > 0 else 0.0) - price * float(s)

    assert worth(share) >= worth(np.array(q)) - 1e-9 * (1 + price + weight)


# ---------------------------------------------------------------------------------------------- leaves


@given(seed=seeds, spread=st.floats(1e-3, 1e3), alphas=st.sampled_from([(0.5, 1.0, 2.0), (0.0, 1.0), (4.0,)]))
@settings(max_examples=100)
def test_a_leaf_cut_is_above_every_plan_at_any_prices(seed, spread, alphas):
    rng = np.random.default_rng(seed)
    problem = random_leaf(rng, int(rng.integers(1, 4)), 5, alphas=alphas)[0]
    g = rng.exponential(spread, problem.quotas) * rng.integers(0, 2, problem.quotas)
    own = rng.exponential(spread, problem.own_resources)
    phi = leaf_cut(problem, g, own).phi
    for _ in range(5):
        plan = leaf_worth(problem, some_plan(problem, rng))
        assert plan.violation <= 1e-9
        assert plan.value <= phi + g @ plan.use + 1e-9 * abs(phi)


@given(seed=seeds, eta=st.floats(0, 0.3))
def test_declared_drift_covers_every_move_of_demand_inside_it(seed, eta):
    rng = np.random.default_rng(seed)
    problem = random_leaf(rng, 2, 5)[0]
    g, own = rng.exponential(1.0, 3), rng.exponential(1.0, 3)
    cut = leaf_cut(problem, g, own)
    moved = replace(problem, demand=problem.demand * rng.uniform(1 - eta, 1 + eta, 5))
    assert leaf_cut(moved, g, own).phi <= cut.phi + eta * cut.drift + 1e-9 * abs(cut.phi)
    x = some_plan(problem, rng)
    grown = leaf_worth(replace(problem, demand=problem.demand * (1 + eta)), x)
    low = min(leaf_worth(problem, x).value, grown.value)
    fits = x * np.minimum(1.0, moved.demand / problem.demand)[:, None]  # the same rates; shares where demand shrank
    assert (leaf_worth(moved, fits).use <= leaf_worth(problem, x).use + 1e-12).all()
    assert leaf_worth(moved, fits).value >= low - 1e-9 * abs(low)


@given(seed=seeds)
def test_carrying_a_plan_over_keeps_it_feasible(seed):
    rng = np.random.default_rng(seed)
    before = random_leaf(rng, 2, 5)[0]
    after = replace(
        before,
        demand=before.demand * rng.uniform(0.2, 3, 5) * rng.integers(0, 2, 5),
        capacity=before.capacity * rng.uniform(0.1, 2, 3),
    )
    x = some_plan(before, rng)
    quota = leaf_worth(before, x).use * rng.uniform(0, 1.5, 3)
    worth = leaf_worth(after, carry_over(before, after, x, quota))
    assert worth.violation <= 1e-9
    assert (worth.use <= quota * (1 + 1e-9) + 1e-12).all()


# ---------------------------------------------------------------------------------------------- nodes


def some_request(rng, kind):
    children, levels = int(rng.integers(1, 5)), int(rng.integers(2, 6))
    own, slots = int(rng.integers(1, min(levels, 2) + 1)), int(rng.integers(2, 6))
    rmax = rng.exponential(5.0, (children, levels))
    slope = rng.exponential(2.0, (children, slots, levels)) * rng.integers(0, 2, (children, slots, levels))
    if kind == LOWER:
        slope = np.minimum(slope, rmax[:, None, :])
        slope[:, 0] = 0
    return MasterRequest(
        kind=kind,
        level=rng.normal(-20, 5, (children, slots)),
        slope=slope,
        rmax=rmax,
        capacity=rng.exponential(10.0, own),
        kappa=rng.exponential(1.0, own),
        quota=rng.exponential(3.0, levels - own),
        price=np.zeros(levels - own),
    )


@given(seed=seeds, kind=st.sampled_from([UPPER, LOWER]))
@settings(max_examples=100)
def test_a_node_cut_is_above_and_a_node_point_below_whatever_the_solver_returned(seed, kind):
    rng = np.random.default_rng(seed)
    request = some_request(rng, kind)
    children, slots = request.level.shape
    price = rng.exponential(2.0, request.rmax.shape[1]) * rng.integers(0, 2, request.rmax.shape[1])
    rho = rng.dirichlet(np.ones(slots), children)
    above = dual_value(request, price, rho)
    nonsense = replace(
        zero_answer(request),
        r=rng.uniform(0, 2, request.rmax.shape) * request.rmax,
        weight=rng.dirichlet(np.full(slots, 0.3), children),
        price=price,
    )
    for offer in (nonsense, greedy(request), zero_answer(request)):
        fitted = settle(request, offer, slack=1.0, optimal=np.inf)
        assert fitted is not None
        load = fitted.r.sum(axis=0)
        limits = np.concatenate([LOAD_LIMIT * request.capacity, request.quota])
        assert (load <= limits * (1 + 1e-9)).all()
        assert (fitted.r <= request.box * (1 + 1e-9)).all() or kind == LOWER
        assert fitted.value == primal_value(request, fitted.r, fitted.weight)
        assert fitted.value <= above + 1e-9 * (1 + abs(above))


# ---------------------------------------------------------------------------------------------- slots


@given(
    seed=seeds,
    smaller=st.booleans(),
    values=st.lists(st.tuples(st.integers(0, 9), st.floats(-10, 10)), min_size=1, max_size=40),
)
def test_slots_never_lose_the_pinned_one_nor_worsen_an_equal_slope(seed, smaller, values):
    rng = np.random.default_rng(seed)
    table = SlotTable(4, 2, smaller_is_better=smaller, pinned=0)
    table.place(-3.0 if not smaller else 3.0, np.zeros(2))
    better = min if smaller else max
    for name, level in values:
        slope = np.array([1.0 + name, 2.0])
        stood = [table.level[s] for s in table.taken if np.array_equal(table.slope[s], slope)]
        slot, written = table.place(level, slope)
        assert table.level[slot] == better([level, *stood])
        assert written == (not stood or level == table.level[slot] != stood[0])
        assert not table.slope[0].any()
        assert len({tuple(table.slope[s]) for s in table.taken}) == len(table.taken)
        table.note_used(int(rng.integers(0, 16)))


def test_the_slot_longest_without_weight_goes_first():
    table = SlotTable(3, 1, smaller_is_better=True)
    for k in range(3):
        table.place(0.0, np.array([1.0 + k]))
    table.note_used(0b101)
    table.note_used(0b001)
    assert table.place(0.0, np.array([9.0])) == (1, True)
    assert table.place(0.0, np.array([10.0])) == (2, True)
