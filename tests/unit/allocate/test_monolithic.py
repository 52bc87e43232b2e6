"""The monolithic reference: proves itself, agrees with the leaf solver where a tree is one leaf, and admits failure."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from reference.cuts import ConeLeafSolver, random_leaf, random_tree
from tiertwin.allocate import monolithic
from tiertwin.allocate.bounds import delay
from tiertwin.allocate.leaf import LOAD_LIMIT
from tiertwin.allocate.monolithic import solve_monolithic
from tiertwin.allocate.trees import Leaf, Tree, evaluate


@pytest.mark.parametrize(("fan", "alphas"), [((5,), (0.5, 1.0, 2.0)), ((3, 3), (0.0, 1.0, 3.0)), ((2, 2, 2), (1.0,))])
def test_it_proves_itself(fan, alphas):
    tree = random_tree(0, fan, groups=6, alphas=alphas)
    reference = solve_monolithic(tree)
    assert reference.ok
    assert 0 <= reference.bound - reference.value + 1e-9 * reference.scale <= 1.1e-5 * reference.scale
    worth = evaluate(tree, reference.allocation)
    assert (worth.value, worth.scale) == (reference.value, reference.scale)
    assert worth.violation <= 1e-9
    assert list(reference.allocation) == [leaf.name for leaf in tree.leaves()]


def test_one_leaf_below_a_root_is_the_leaf_with_one_more_resource():
    problem = random_leaf(np.random.default_rng(1), 1, 6)[0]
    capacity, kappa = 3.0, 0.3
    reference = solve_monolithic(Tree("cloud", (capacity, kappa), None, (Leaf("edge", problem),)))
    merged = replace(
        problem,
        use_own=np.concatenate([problem.use_own, problem.use_quota]),
        capacity=np.append(problem.capacity, capacity),
        kappa=np.append(problem.kappa, kappa),
        use_quota=np.zeros((0, *problem.cost.shape)),
    )
    assert reference.value == pytest.approx(ConeLeafSolver().solve_quota(merged, np.zeros(0)).value, rel=1e-7)


def test_a_dead_node_serves_nothing():
    tree = random_tree(2, (2, 2), groups=4)
    dead = replace(tree, children=(replace(tree.children[0], compute=(0.0, 0.0)), *tree.children[1:]))
    reference = solve_monolithic(dead)
    assert reference.ok
    assert evaluate(dead, reference.allocation).loads["cloud.0"][0] <= 1e-9


def test_the_bound_holds_at_any_prices():
    tree = random_tree(3, (2, 3), groups=5)
    reference = solve_monolithic(tree)
    leaves = list(tree.leaves())
    flat = monolithic._flatten(tree, leaves)
    rng = np.random.default_rng(3)
    for spread in (0.1, 1.0, 10.0):
        price = rng.exponential(spread, flat.capacity.size)
        assert monolithic._bound(leaves, flat, price) >= reference.value


def test_an_overdrawn_plan_is_repaired_to_feasibility():
    tree = random_tree(4, (2, 2), groups=5)
    leaves = list(tree.leaves())
    flat = monolithic._flatten(tree, leaves)
    share = np.random.default_rng(4).uniform(0, 0.7, flat.cost.size)
    worth = evaluate(tree, monolithic._repaired(tree, leaves, flat, share))
    assert worth.violation <= 1e-9
    assert np.isfinite(worth.value)


@pytest.mark.parametrize("error", [cp.error.SolverError("no"), MemoryError("much too large")])
def test_a_solver_that_fails_is_reported_as_no_reference(error, monkeypatch):
    def fail(self, **_):
        raise error

    monkeypatch.setattr(cp.Problem, "solve", fail)
    reference = solve_monolithic(random_tree(5, (2,), groups=3))
    assert not reference.ok
    assert reference.allocation == {}
    assert type(error).__name__ in reference.status


def test_evaluate_is_the_formula_by_hand():
    tree = random_tree(6, (2, 2), groups=3)
    rng = np.random.default_rng(6)
    allocation = {}
    for leaf in tree.leaves():
        share = rng.dirichlet(np.ones(5), 3)[:, :4]
        allocation[leaf.name] = 0.3 * share * leaf.problem.demand[:, None]
    value = 0.0
    cloud = 0.0
    for fog in tree.children:
        compute = uplink = 0.0
        for leaf in fog.children:
            p, x = leaf.problem, allocation[leaf.name]
            own = np.zeros(3)
            for g in range(3):
                q = x[g].sum() / p.demand[g]
                utility = np.log(q) if p.alpha[g] == 1 else (q ** (1 - p.alpha[g]) - 1) / (1 - p.alpha[g])
                value += p.weight[g] * p.demand[g] * utility - p.cost[g] @ x[g]
                own += p.use_own[:, g] @ x[g]
                compute += p.use_quota[0, g] @ x[g]
                uplink += p.use_quota[1, g] @ x[g]
                cloud += p.use_quota[2, g] @ x[g]
            value -= sum(p.kappa * own / (p.capacity - own))
        for load, (capacity, kappa) in ((compute, fog.compute), (uplink, fog.uplink)):
            assert load < LOAD_LIMIT * capacity
            value -= kappa * load / (capacity - load)
    value -= float(delay(np.array(cloud), np.array(tree.compute[0]), np.array(tree.compute[1])))
    worth = evaluate(tree, allocation)
    assert worth.value == pytest.approx(value, rel=1e-12)
    assert worth.violation == 0
    assert worth.loads["cloud"] == pytest.approx((cloud,))
