"""Naive answer to what to build: every choice, each as one linear problem over all situations, written row by row."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.optimize import linprog

from tiertwin.allocate.placement import PlacementProblem


def value(p: PlacementProblem, chosen: tuple[int, ...]) -> float:
    """What a choice is worth, by one dense linear problem."""
    if not len(p.user):
        return 0.0
    rows, right = [], []
    for u, demand in enumerate(p.demand):
        rows.append([1.0 if p.user[o] == u else 0.0 for o in range(len(p.user))])
        right.append(demand)
    for r, capacity in enumerate(p.capacity):
        line = np.zeros(len(p.user))
        for row, option, use in zip(p.use_row, p.use_option, p.use, strict=True):
            if row == r:
                line[option] += use
        more = sum(a for row, i, a in zip(p.add_row, p.add_candidate, p.add, strict=True) if row == r and i in chosen)
        rows.append(line.tolist())
        right.append(capacity + more)
    gain = [p.weight[p.situation[p.user[o]]] * p.gain[o] for o in range(len(p.user))]
    bounds = [(0.0, None if n < 0 or n in chosen else 0.0) for n in p.needs]
    found = linprog(-np.array(gain), A_ub=np.array(rows), b_ub=np.array(right), bounds=bounds, method="highs")
    return -float(found.fun)


def best(p: PlacementProblem) -> tuple[float, tuple[int, ...]]:
    """The best of all choices that keep budget, number and groups."""
    found = (value(p, ()), ())
    for size in range(1, min(p.most, len(p.names)) + 1):
        for chosen in combinations(range(len(p.names)), size):
            if sum(p.cost[i] for i in chosen) > p.budget or any(len(set(g) & set(chosen)) > 1 for g in p.groups):
                continue
            worth = value(p, chosen)
            if worth > found[0] + 1e-12:
                found = (worth, chosen)
    return found
