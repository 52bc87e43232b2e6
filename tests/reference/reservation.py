"""Naive reservation: loops over groups and tiers; what to reserve by trying every kink."""

from __future__ import annotations

import math

import numpy as np

from tiertwin.allocate.families.reservation import ReservationProblem


def need(problem: ReservationProblem, share: np.ndarray) -> np.ndarray:
    """Needed compute, storage and bandwidth at each tier, [3, N]."""
    p, out = problem, np.zeros((3, problem.tiers))
    for n in range(p.tiers):
        delays = []
        for g in range(p.groups):
            tasks = share[g, n] * p.users[g] * p.rate[g]
            out[0, n] += p.cycles[g] * tasks
            if share[g, n] > 0 and p.users[g] * p.rate[g] > 0:
                delays.append(p.cycles[g] / (p.deadline[g] - p.path[g, n]))
            out[1, n] += share[g, n] * p.users[g] * p.context[g]
            moved = share[g, n] * p.users[g] * p.moves[g, n] * p.context[g]
            out[2, n] += tasks * p.bits[g] * p.hops[n] + moved
        out[0, n] += (max(delays, default=0.0) if p.pooled else sum(delays)) + (
            0.0 if p.margin is None else p.margin[n]
        )
    return out


def least_cost(problem: ReservationProblem, needed: np.ndarray) -> float:
    """Least Σ a R + β |R − before| + o (R − C)⁺ over R ≥ needed: convex and piecewise linear, so at a kink."""
    total = 0.0
    for k in range(3):
        for n in range(problem.tiers):
            before = 0.0 if problem.before is None else float(problem.before[k, n])
            change = 0.0 if problem.change is None or problem.before is None else float(problem.change[k, n])
            costs = []
            for kink in (needed[k, n], before, float(problem.capacity[k, n])):
                amount = max(float(needed[k, n]), kink)
                if math.isfinite(amount):
                    over = max(0.0, amount - problem.capacity[k, n])
                    costs.append(
                        problem.price[k, n] * amount + change * abs(amount - before) + problem.beyond[k, n] * over
                    )
            total += min(costs)
    return total
