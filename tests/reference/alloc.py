"""Naive versions of the alloc kernels: straight from the formulas, one loop at a time, slow on purpose."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
from scipy.optimize import minimize

from tiertwin.allocate.leaf import LOAD_LIMIT, LeafProblem


def utility(q: float, alpha: float) -> float:
    """U(q; α); −inf at q = 0 for α ≥ 1."""
    if q <= 0:
        return -inf if alpha >= 1 else -1.0 / (1.0 - alpha)
    return log(q) if alpha == 1 else (exp((1 - alpha) * log(q)) - 1) / (1 - alpha)


def delay(load: float, capacity: float, kappa: float) -> float:
    """D(y) = κ y/(C − y)."""
    return 0.0 if load <= 0 or kappa <= 0 else kappa * load / (capacity - load)


def loads(use: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Σ_it use[r, i, t] x[i, t] of each row r."""
    return np.array([sum(float(row[i, t] * x[i, t]) for i, t in np.ndindex(*x.shape)) for row in use])


def value(problem: LeafProblem, x: np.ndarray) -> float:
    """Objective of a plan, without any price on quotas."""
    total = 0.0
    for i, demand in enumerate(problem.demand):
        total -= float(problem.cost[i] @ x[i])
        if demand > 0 and problem.weight[i] > 0:
            total += demand * problem.weight[i] * utility(min(float(x[i].sum()) / demand, 1.0), problem.alpha[i])
    own = loads(problem.use_own, x)
    return total - sum(delay(y, c, k) for y, c, k in zip(own, problem.capacity, problem.kappa, strict=True))


def scale(problem: LeafProblem, x: np.ndarray) -> float:
    """S = Σ w q^(1−α)."""
    share = x.sum(axis=1) / problem.demand
    return float(np.sum(problem.demand * problem.weight * share ** (1 - problem.alpha)))


def phi(problem: LeafProblem, quota_price: np.ndarray, own_price: np.ndarray, grid: int = 20001) -> float:
    """Intercept of the cut by search on a grid: a little below the closed form, never above it."""
    total = 0.0
    shares = np.concatenate([[1e-12], np.linspace(0, 1, grid)[1:]])
    for i, demand in enumerate(problem.demand):
        price = problem.cost[i] + own_price @ problem.use_own[:, i] + quota_price @ problem.use_quota[:, i]
        alpha, worth = problem.alpha[i], problem.weight[i]
        gain = np.log(shares) if alpha == 1 else (shares ** (1 - alpha) - 1) / (1 - alpha)
        total += demand * float(np.max(worth * gain - price.min() * shares))
    for price, capacity, kappa in zip(own_price, problem.capacity, problem.kappa, strict=True):
        y = np.linspace(0, LOAD_LIMIT * capacity, grid)
        total += float(np.max(price * y - (kappa * y / (capacity - y) if kappa > 0 else 0 * y)))
    return total


def best_plan(problem: LeafProblem, quota: np.ndarray) -> np.ndarray:
    """Optimum of a tiny problem by a general-purpose method (SLSQP) over the shares, from an interior start."""
    groups, tiers = problem.cost.shape
    demand = problem.demand[:, None]

    def rates(z: np.ndarray) -> np.ndarray:
        return demand * z.reshape(groups, tiers)

    rows = [(use, LOAD_LIMIT * c) for use, c in zip(problem.use_own, problem.capacity, strict=True)]
    rows += list(zip(problem.use_quota, quota, strict=True))
    rows = [(use, bound) for use, bound in rows if use.any()]
    limits = [
        {"type": "ineq", "fun": lambda z, use=use, bound=bound: 1 - float((use * rates(z)).sum()) / bound}
        for use, bound in rows
    ]
    limits.append({"type": "ineq", "fun": lambda z: 1 - z.reshape(groups, tiers).sum(axis=1)})
    start = np.full((groups, tiers), 1e-3)
    start[:, 0] = 0.8
    found = minimize(
        lambda z: -value(problem, np.maximum(rates(z), 1e-9)),
        start.ravel(),
        bounds=[(0, 1)] * (groups * tiers),
        constraints=limits,
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-13},
    )
    return rates(np.clip(found.x, 0, 1))


def waterfill(capacity: list[float], flows: list[list[int]], weights: list[float]) -> list[float]:
    """Weighted max-min rates: raise all open flows to the level at which the first link is full, close its flows."""
    left, rates, open_flows = list(capacity), [0.0] * len(flows), set(range(len(flows)))
    while open_flows:
        level, full = min(
            (left[link] / sum(weights[f] for f in open_flows if link in flows[f]), link)
            for link in range(len(capacity))
            if any(link in flows[f] for f in open_flows)
        )
        for f in [f for f in sorted(open_flows) if full in flows[f]]:
            rates[f] = level * weights[f]
            open_flows.remove(f)
            for link in flows[f]:
                left[link] -= rates[f]
    return rates


def deal(group_of: list[int], weight: list[float], rate: list[float], cap: list[float]) -> list[float]:
    """Rates of devices by weight under caps: give the rest out again and again until no cap is exceeded."""
    out = [0.0] * len(group_of)
    for group, total in enumerate(rate):
        free = [n for n, g in enumerate(group_of) if g == group]
        left = total
        while free:
            weights = sum(weight[n] for n in free)
            full = [n for n in free if left * weight[n] > cap[n] * weights]
            for n in free:
                out[n] = left * weight[n] / weights
            if not full:
                break
            for n in full:
                out[n] = cap[n]
            left -= sum(cap[n] for n in full)
            free = [n for n in free if n not in full]
    return out


def project(problem: LeafProblem, x: np.ndarray, quota: np.ndarray) -> np.ndarray:
    """Nearest feasible plan, by Dykstra's alternating projections onto half-spaces and the positive orthant."""
    halves: list[tuple[np.ndarray, float]] = []
    for i, demand in enumerate(problem.demand):
        row = np.zeros_like(x)
        row[i] = 1.0
        halves.append((row, float(demand)))
    halves += [(use, LOAD_LIMIT * c) for use, c in zip(problem.use_own, problem.capacity, strict=True)]
    halves += list(zip(problem.use_quota, quota, strict=True))
    point, memory = x.copy(), [np.zeros_like(x) for _ in range(len(halves) + 1)]
    for _ in range(20000):
        before = point
        for k, (row, bound) in enumerate(halves):
            moved = point + memory[k]
            excess = float((row * moved).sum()) - bound
            norm = float((row * row).sum())
            point = moved - max(excess, 0.0) / norm * row if norm > 0 else moved
            memory[k] = moved - point
        moved = point + memory[-1]
        point = np.maximum(moved, 0.0)
        memory[-1] = moved - point
        if np.max(np.abs(point - before)) < 1e-13:
            break
    return point


def greedy(problem: LeafProblem, quota: np.ndarray) -> np.ndarray:
    """Offers sorted whole, by what they save per share of resources spent, then by cell; the rest to the devices.

    Not yet repaired: loads may exceed their bounds by rounding.
    """
    uses = [*problem.use_own, *problem.use_quota]
    bounds = [*(LOAD_LIMIT * problem.capacity), *quota]
    left = [bound * (0.8 if r < problem.own_resources else 1.0) for r, bound in enumerate(bounds)]
    offers = []
    for i in range(problem.groups):
        for t in range(1, problem.tiers):
            saving = max(problem.weight[i], problem.cost[i, 0]) - problem.cost[i, t]
            shares = (use[i, t] / max(bound, 1e-300) for use, bound in zip(uses, bounds, strict=True) if use[i, t] > 0)
            spent = sum(shares, 1e-300)
            if saving > 0 and problem.demand[i] > 0 and spent < 1e290:
                offers.append((-float(saving) / float(spent), i, t))
    x = np.zeros((problem.groups, problem.tiers))
    unserved = problem.demand.copy()
    for _, i, t in sorted(offers):
        rate = min([unserved[i], *(left[r] / use[i, t] for r, use in enumerate(uses) if use[i, t] > 0)])
        if rate > 0:
            x[i, t] += rate
            unserved[i] -= rate
            left = [max(0.0, have - rate * use[i, t]) for have, use in zip(left, uses, strict=True)]
    for i in range(problem.groups):
        b, cost = problem.weight[i], problem.cost[i, 0]
        ratio = 1.0 if cost <= b else 0.0 if problem.alpha[i] == 0 else (b / cost) ** (1.0 / problem.alpha[i])
        x[i, 0] = max(0.0, problem.demand[i] * (ratio if b > 0 else 0.0) - x[i].sum())
    return x
