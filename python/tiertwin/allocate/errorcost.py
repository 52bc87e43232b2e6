"""What errors in a leaf's data cost its decision, to second order.

A plan is the best for the data it was made with, so a small error costs nothing to first order. With shares of tasks in
force (rates follow the true demand), an error δ of a group's demand moves the load of each resource by use·(x/d)·δ, and
the delay term D(y) = κ y/(C − y) is then paid at another load than planned for:

    cost ≈ ½ D''(y) (Δy)²,   ½ D''(y) = κ C / (C − y)³

An error of a capacity by the share ε is one of its load by about −ε y (D depends on y/C, as κ ∝ C). Of resources above
the site only the price π of a quota and its use u are known; of a delay term π/u is ½ D'' times (C − y)/y, which stands
in for it. Beyond `BEND_LIMIT` of a capacity the curvature is that of the limit: a queue does not reach its steady state
within an epoch, and a worth of a million would say no more than that it is full. A plan made anew gains at most what
the error costs, so the figures are upper estimates; what they are for is the order of things by worth
(`tests/unit/allocate/test_errorcost.py` compares them with plans made anew).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiertwin.allocate.leaf import Array, LeafProblem

BEND_LIMIT = 0.9  # of a capacity


@dataclass(frozen=True, eq=False)
class ErrorCost:
    """Costs per square of an error, utils/s.

    Parameters
    ----------
    demand
        Of the demand of each group, per (task/s)², [G].
    use
        Of what a task of each group uses of each own resource, per relative error², [K, G].
    capacity
        Of each own capacity, per relative error², [K].
    """

    demand: Array
    use: Array
    capacity: Array


def error_cost(problem: LeafProblem, x: Array, quota_price: Array | None = None) -> ErrorCost:
    """Return what errors in the data of `problem` cost the plan ``x[G, T]``, tasks/s.

    Parameters
    ----------
    quota_price
        Of a unit of each quota at the plan, utils/s, [J]; without it resources above the site cost nothing.
    """
    load_of = np.einsum("kgt,gt->kg", problem.use_own, x)
    load = load_of.sum(axis=1)
    room = np.maximum(problem.capacity - np.minimum(load, BEND_LIMIT * problem.capacity), 1e-300)
    bend = np.where(problem.capacity > 0, problem.kappa * problem.capacity / room**3, 0.0)
    use = bend[:, None] * load_of**2
    cost = use.sum(axis=0)
    if quota_price is not None and len(quota_price):
        above = np.einsum("jgt,gt->jg", problem.use_quota, x)
        total = above.sum(axis=1)
        slope = np.divide(quota_price, total, out=np.zeros(len(total)), where=total > 0)
        cost = cost + (slope[:, None] * above**2).sum(axis=0)
    square = problem.demand**2
    demand = np.divide(cost, square, out=np.zeros(len(square)), where=square > 0)
    return ErrorCost(demand, use, bend * load**2)
