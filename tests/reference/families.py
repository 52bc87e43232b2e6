"""Naive versions of the checkers and bounds of the families: loops over users, options and entries."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize

from tiertwin.allocate.families.fair import FairProblem
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingProblem
from tiertwin.allocate.families.slices import SliceProblem


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
    limits = [top(problem, r) / use for r, use in entries(problem.options, k) if use > 0]
    return float(min(limits, default=math.inf))


def kappa(problem: FairProblem, r: int) -> float:
    limited = 0 < problem.capacity[r] < math.inf
    return float(problem.delay[r]) if problem.delay is not None and limited else 0.0


def top(problem: FairProblem, r: int) -> float:
    return float(problem.capacity[r]) * (0.98 if kappa(problem, r) > 0 else 1.0)


def promise(problem: FairProblem, u: int) -> int:
    """The floor that counts on a user, -1 for none."""
    if problem.floors is None:
        return -1
    s = int(problem.floors.of_user[u])
    return s if s >= 0 and problem.floors.amount[s] > 0 and problem.floors.penalty[s] > 0 else -1


def most(problem: FairProblem, u: int) -> float:
    if problem.weight[u] == 0 and promise(problem, u) < 0:
        return 0.0
    return min(float(problem.demand[u]), sum(reach(problem, k) for k in options_of(problem.options, u)))


def loads(options: Options, rate: np.ndarray) -> np.ndarray:
    load = np.zeros(options.resources)
    for k in range(options.count):
        for r, use in entries(options, k):
            load[r] += use * rate[k]
    return load


def violation(problem: FairProblem, x: np.ndarray) -> float:
    """Largest excess over a bound, relative to it."""
    worst = 0.0
    for u in range(problem.options.users):
        own = [float(x[k]) for k in options_of(problem.options, u)]
        if any(not math.isfinite(v) or v < 0 for v in own):
            return math.inf
        worst = max(worst, excess(sum(own), float(problem.demand[u])))
    for r, load in enumerate(loads(problem.options, x)):
        worst = max(worst, excess(float(load), top(problem, r)))
    return worst


def excess(amount: float, bound: float) -> float:
    if amount <= bound:
        return 0.0
    return amount / bound - 1 if bound > 0 else math.inf


def magnitude(problem: FairProblem, price: np.ndarray, floor_price: np.ndarray) -> float:
    """Size of the terms of a bound: rounding is relative to that."""
    total = sum(p * c for p, c in zip(price, problem.capacity, strict=True) if math.isfinite(c))
    if problem.floors is not None:
        total += float(problem.floors.penalty @ problem.floors.amount)
    for u in range(problem.options.users):
        reached = most(problem, u)
        if reached == 0:
            continue
        if problem.weight[u] > 0:
            total += float(problem.weight[u]) * (1 + abs(utility(reached, float(problem.alpha[u]))))
        if promise(problem, u) >= 0:
            total += float(floor_price[promise(problem, u)]) * reached
    return float(total)


def shortfalls(problem: FairProblem, x: np.ndarray) -> list[float]:
    if problem.floors is None:
        return []
    served = [sum(x[k] for k in options_of(problem.options, u)) for u in range(problem.options.users)]
    members = [[u for u, s in enumerate(problem.floors.of_user) if s == floor] for floor in range(problem.floors.count)]
    return [
        max(0.0, amount - sum(served[u] for u in group))
        for amount, group in zip(problem.floors.amount, members, strict=True)
    ]


def fair_value(problem: FairProblem, x: np.ndarray) -> tuple[float, float]:
    """Value and S of a plan."""
    value = scale = 0.0
    weighed = False
    for u in range(problem.options.users):
        served = sum(x[k] for k in options_of(problem.options, u))
        if problem.cost is not None:
            value -= sum(problem.cost[k] * x[k] for k in options_of(problem.options, u))
        if most(problem, u) > 0 and problem.weight[u] > 0:
            weighed = True
            value += problem.weight[u] * utility(served, problem.alpha[u])
            scale += problem.weight[u] * (served ** (1 - problem.alpha[u]) if served > 0 else 0.0)
    for r, load in enumerate(loads(problem.options, x)):
        if kappa(problem, r) > 0:
            value -= kappa(problem, r) * load / (problem.capacity[r] - load)
    for s, missing in enumerate(shortfalls(problem, x)):
        value -= problem.floors.penalty[s] * missing
        scale += problem.floors.penalty[s] * (missing if weighed else problem.floors.amount[s])
    return value, scale


def relaxed_resource(problem: FairProblem, r: int, price: float) -> float:
    """Maximum over loads of price · load − D(load)."""
    c, k = float(problem.capacity[r]), kappa(problem, r)
    if not math.isfinite(c) or c == 0:
        return 0.0
    if k == 0:
        return price * c
    load = min(max(c - math.sqrt(k * c / price), 0.0), 0.98 * c) if price > 0 else 0.0
    return price * load - k * load / (c - load)


def fair_bound(problem: FairProblem, price: np.ndarray, floor_price: np.ndarray | None = None) -> float:
    """Lagrangian bound at prices >= 0 of finite capacities; each user at its best service."""
    total = float(sum(relaxed_resource(problem, r, float(p)) for r, p in enumerate(price)))
    for s in range(0 if problem.floors is None else problem.floors.count):
        reached = sum(most(problem, u) for u in range(problem.options.users) if promise(problem, u) == s)
        f, penalty = float(problem.floors.amount[s]), float(problem.floors.penalty[s])
        total -= min(float(floor_price[s]), penalty) * min(f, reached) + penalty * max(0.0, f - reached)
    for u in range(problem.options.users):
        top_service = most(problem, u)
        if top_service == 0:
            continue
        ways = [
            (0.0 if problem.cost is None else problem.cost[k])
            + sum(use * price[r] for r, use in entries(problem.options, k) if math.isfinite(problem.capacity[r]))
            for k in options_of(problem.options, u)
            if reach(problem, k) > 0
        ]
        s = promise(problem, u)
        paid = min(float(floor_price[s]), float(problem.floors.penalty[s])) if s >= 0 else 0.0
        a, w, cheapest = problem.alpha[u], problem.weight[u], min(ways) - paid
        if w == 0:
            total += max(0.0, -cheapest) * top_service
            continue
        best = top_service if cheapest <= 0 or a == 0 else min(top_service, (w / cheapest) ** (1 / a))
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


def slice_violation(problem: SliceProblem, x: np.ndarray) -> float:
    """Largest excess of a plan over what slices may have, relative to the bound: isolation, caps, limits."""
    options, slices, worst = problem.options, problem.slices, 0.0
    load = np.zeros((slices.count, options.resources))
    served = np.zeros(slices.count)
    for u in range(options.users):
        s = int(slices.of_user[u])
        for k in options_of(options, u):
            served[s] += x[k]
            for r, use in entries(options, k):
                load[s, r] += use * x[k]

    def over(used: float, bound: float) -> float:
        return 0.0 if used <= bound else (used / bound - 1 if bound > 0 else math.inf)

    for s in range(slices.count):
        if slices.limit is not None:
            worst = max(worst, over(served[s], slices.limit[s]))
        if slices.cap is not None:
            worst = max(worst, *(over(load[s, r], slices.cap[s, r]) for r in range(options.resources)))
    for r in range(options.resources):
        kept = np.zeros(slices.count) if slices.kept is None else slices.kept[:, r]
        for members in range(1, 2**slices.count):  # whatever set of slices: what it uses fits what the others leave
            inside = [s for s in range(slices.count) if members >> s & 1]
            room = problem.capacity[r] - sum(kept[s] for s in range(slices.count) if s not in inside)
            used = sum(load[s, r] for s in inside)
            if used > room:
                worst = max(worst, (used - room) / problem.capacity[r] if problem.capacity[r] > 0 else math.inf)
    return worst


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
