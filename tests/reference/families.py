"""Naive versions of the checkers and bounds of the families: loops over users, options and entries."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize

from tiertwin.allocate.families.fair import FairProblem
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingProblem


def entries(options: Options, k: int) -> list[tuple[int, float]]:
    span = range(options.option_offsets[k], options.option_offsets[k + 1])
    return [(int(options.resource[e]), float(options.use[e])) for e in span]


def options_of(options: Options, u: int) -> range:
    return range(options.user_offsets[u], options.user_offsets[u + 1])


def utility(y: float, alpha: float) -> float:
    if y <= 0:
        return -math.inf if alpha >= 1 else -1 / (1 - alpha)
    return math.log(y) if alpha == 1 else (y ** (1 - alpha) - 1) / (1 - alpha)


def reach(problem: FairProblem, k: int) -> float:
    limits = [problem.capacity[r] / use for r, use in entries(problem.options, k) if use > 0]
    return float(min(limits, default=math.inf))


def most(problem: FairProblem, u: int) -> float:
    if problem.weight[u] == 0:
        return 0.0
    return min(float(problem.demand[u]), sum(reach(problem, k) for k in options_of(problem.options, u)))


def loads(options: Options, rate: np.ndarray) -> np.ndarray:
    load = np.zeros(options.resources)
    for k in range(options.count):
        for r, use in entries(options, k):
            load[r] += use * rate[k]
    return load


def fair_value(problem: FairProblem, x: np.ndarray) -> tuple[float, float]:
    """Value and S of a plan."""
    value = scale = 0.0
    for u in range(problem.options.users):
        served = sum(x[k] for k in options_of(problem.options, u))
        if problem.cost is not None:
            value -= sum(problem.cost[k] * x[k] for k in options_of(problem.options, u))
        if most(problem, u) > 0:
            value += problem.weight[u] * utility(served, problem.alpha[u])
            scale += problem.weight[u] * (served ** (1 - problem.alpha[u]) if served > 0 else 0.0)
    return value, scale


def fair_bound(problem: FairProblem, price: np.ndarray) -> float:
    """Lagrangian bound at prices >= 0 of finite capacities; each user at its best service."""
    total = float(sum(p * c for p, c in zip(price, problem.capacity, strict=True) if math.isfinite(c)))
    for u in range(problem.options.users):
        top = most(problem, u)
        if top == 0:
            continue
        ways = [
            (0.0 if problem.cost is None else problem.cost[k])
            + sum(use * price[r] for r, use in entries(problem.options, k) if math.isfinite(problem.capacity[r]))
            for k in options_of(problem.options, u)
            if reach(problem, k) > 0
        ]
        a, w, cheapest = problem.alpha[u], problem.weight[u], min(ways)
        best = top if cheapest == 0 or a == 0 else min(top, (w / cheapest) ** (1 / a))
        if a == 0 and cheapest > w:
            best = 0.0
        total += w * utility(best, a) - cheapest * best
    return total


def routing_bound(problem: RoutingProblem, price: np.ndarray) -> float:
    """Σ d min_k price of path, over Σ c price."""
    total = 0.0
    for u in range(problem.options.users):
        if problem.demand[u] > 0:
            ways = [
                sum(use * price[r] for r, use in entries(problem.options, k))
                for k in options_of(problem.options, u)
                if all(problem.capacity[r] > 0 for r, use in entries(problem.options, k) if use > 0)
            ]
            total += problem.demand[u] * min(ways)
    return total / float(price @ problem.capacity)


def max_min(options: Options, demand: np.ndarray, capacity: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Max-min fair rates by a sequence of linear programmes; who is blocked is asked user by user (Nace and Pióro)."""
    uses, sums = options.uses.toarray(), options.sums.toarray()
    limited = np.isfinite(capacity)
    count, users = options.count, options.users
    held = np.full(users, np.nan)
    level = 0.0
    while np.any(np.isnan(held)):
        rising = np.isnan(held)

        def solve(goal: np.ndarray, floor: float | None, rising: np.ndarray = rising) -> tuple[float, np.ndarray]:
            """Most of goal.(x, level): held users have their rate; rising ones at least the level, or `floor`."""
            at_most = [np.hstack([uses[limited], np.zeros((int(limited.sum()), 1))])]
            most = [capacity[limited]]
            for u in range(users):
                row = np.append(sums[u], 0.0)
                if rising[u]:
                    at_most.append(row[None, :])
                    most.append(np.array([demand[u]]))
                    if floor is None:
                        at_most.append(np.append(-sums[u], weight[u])[None, :])
                        most.append(np.zeros(1))
                    else:
                        at_most.append(-row[None, :])
                        most.append(np.array([-floor * weight[u]]))
                else:
                    at_most.append(-row[None, :])
                    most.append(np.array([-held[u]]))
            found = optimize.linprog(-goal, np.vstack(at_most), np.concatenate(most), method="highs")
            assert found.status == 0, found.message
            return -found.fun, found.x

        level, _ = solve(np.append(np.zeros(count), 1.0), None)
        floor = level * (1.0 - 1e-9)
        blocked = []
        for u in np.flatnonzero(rising):
            most, _ = solve(np.append(sums[u], 0.0), floor)
            if most <= level * weight[u] * (1.0 + 1e-6) + 1e-9:
                blocked.append(u)
        assert blocked
        held[blocked] = floor * weight[blocked]
    return held
