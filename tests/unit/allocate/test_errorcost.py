"""What an error costs, against plans made anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tiertwin.allocate.bounds import leaf_worth
from tiertwin.allocate.conformance import sample_problem
from tiertwin.allocate.errorcost import error_cost
from tiertwin.allocate.kernel import KernelAllocator

SHAPE = (12, 3, 2, 1)


def _regret(problem, changed, quota):
    """What the plan for `problem` loses against the best one when `changed` is true; shares of tasks are in force."""
    kernel = KernelAllocator()
    believed = kernel.allocate(problem, quota=quota).x
    share = believed / np.maximum(problem.demand, 1e-300)[:, None]
    executed = leaf_worth(changed, share * changed.demand[:, None])
    if executed.violation > 1e-9:
        return np.inf
    return kernel.allocate(changed, quota=quota, iteration_limit=200).value - executed.value


def _problem(seed):
    made = sample_problem(seed, SHAPE)
    kappa = 0.05 * made.capacity
    return replace(made, kappa=kappa, capacity=made.capacity * 1.3)


def test_it_bounds_what_errors_of_demand_cost_to_second_order():
    for seed in range(6):
        problem = _problem(seed)
        quota = 10.0 * problem.quota_max  # no quota binds: only own resources cost
        x = KernelAllocator().allocate(problem, quota=quota).x
        cost = error_cost(problem, x).demand
        for g in range(len(cost)):
            error = 0.02 * problem.demand[g]
            demand = problem.demand.copy()
            demand[g] += error
            regret = _regret(problem, replace(problem, demand=demand), quota)
            estimate = cost[g] * error**2
            assert regret <= 1.2 * estimate + 1e-7, (seed, g)


def test_groups_whose_errors_cost_most_come_first():
    """Spearman's rank correlation with the regret of plans made anew, over groups that use shared resources."""
    found = []
    for seed in range(8):
        problem = _problem(seed)
        quota = 10.0 * problem.quota_max
        x = KernelAllocator().allocate(problem, quota=quota).x
        cost = error_cost(problem, x).demand * problem.demand**2
        regrets = []
        for g in range(len(cost)):
            demand = problem.demand.copy()
            demand[g] *= 1.05
            regrets.append(_regret(problem, replace(problem, demand=demand), quota))
        regret = np.array(regrets)
        use = np.isfinite(regret) & (cost > 1e-9)
        if use.sum() >= 5:
            a, b = np.argsort(np.argsort(cost[use])), np.argsort(np.argsort(regret[use]))
            found.append(np.corrcoef(a, b)[0, 1])
    assert len(found) >= 4
    assert np.mean(found) > 0.6


def test_a_capacity_error_is_a_load_error():
    problem = _problem(3)
    x = KernelAllocator().allocate(problem, quota=problem.quota_max).x
    cost = error_cost(problem, x)
    assert np.allclose(cost.capacity, ((cost.use**0.5).sum(axis=1)) ** 2)  # all groups off by the same share at once


def test_what_uses_nothing_shared_costs_nothing():
    problem = _problem(1)
    alone = np.zeros((SHAPE[0], SHAPE[1]))
    alone[:, 0] = problem.demand
    cost = error_cost(problem, alone, np.ones(problem.quotas))
    assert not cost.demand.any()
    assert not cost.capacity.any()
    idle = replace(problem, demand=np.zeros(SHAPE[0]))
    assert not error_cost(idle, np.zeros_like(alone)).demand.any()
