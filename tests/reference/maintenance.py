"""The cheapest maintenance schedule by trying every one."""

from __future__ import annotations

from itertools import product


def cost(p, start):
    """Cost of a schedule by the definition, None where it breaks something; `start[j]` None: not done."""
    horizon, total, visits = len(p.crews), 0.0, set()
    crews, out = [0] * horizon, [set() for _ in range(horizon)]
    for j, t in enumerate(start):
        if t is None:
            if p.must[j]:
                return None
            total += p.failure_cost[j] * p.fails_before[j][horizon]
            continue
        if not p.window[j][t] or t + p.slots[j] > horizon:
            return None
        total += p.cost[j] + p.failure_cost[j] * p.fails_before[j][t]
        for k in range(t, t + p.slots[j]):
            total += p.outage[j] * p.load[j][k]
            crews[k] += p.crew[j]
            out[k].add(j)
        visits.add((p.site[j], p.shift[t]))
    if any(used > there for used, there in zip(crews, p.crews, strict=True)):
        return None
    for members, spare in zip(p.groups, p.spare, strict=True):
        if any(len(away & set(members)) > spare for away in out):
            return None
    return total + p.travel * len(visits)


def cheapest(p):
    """Least cost over all schedules; None: there is none."""
    options = [[None, *range(len(p.crews))]] * len(p.jobs)
    costs = [c for c in (cost(p, start) for start in product(*options)) if c is not None]
    return min(costs) if costs else None
