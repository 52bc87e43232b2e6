"""Random leaf problems shaped like a site: radio, edge compute and uplink of its own, quotas of the tiers above."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.leaf import LeafProblem


def random_leaf(
    rng: np.random.Generator,
    groups: int,
    own: int = 3,
    quotas: int = 3,
    alphas: tuple[float, ...] = (0.5, 1.0, 2.0),
) -> LeafProblem:
    """One leaf with `own` ≤ 3 resources and `quotas` components [compute_1, uplink_1, compute_2, …]."""
    tiers = 2 if quotas == 0 else 2 + (quotas + 1) // 2
    demand = rng.uniform(0.5, 20.0, groups)
    cost = np.sort(rng.uniform(0.05, 1.0, (groups, tiers)), axis=1)
    cost[:, 0] = rng.uniform(0.5, 6.0, groups)
    cycles, megabits = rng.uniform(0.05, 0.5, groups), rng.uniform(0.1, 2.0, groups)
    use_own = np.zeros((own, groups, tiers))
    for k in range(own):
        if k == 0:
            use_own[k, :, 1:] = (megabits / rng.uniform(5.0, 50.0, groups))[:, None]
        elif k == 1:
            use_own[k, :, 1] = cycles
        else:
            use_own[k, :, 2:] = megabits[:, None]
    use_quota = np.zeros((quotas, groups, tiers))
    for j in range(quotas):
        tier = 2 + j // 2
        if j % 2 == 0:
            use_quota[j, :, tier] = cycles
        else:
            use_quota[j, :, tier + 1 :] = megabits[:, None]
    full = np.einsum("kg,g->k", use_own.max(axis=2), demand)
    capacity = np.where(full > 0, full, 1.0) * rng.uniform(0.2, 1.0, own)
    kappa = capacity * rng.uniform(0.0, 0.05, own)
    alpha = rng.choice(alphas, groups)
    return LeafProblem(demand, rng.uniform(0.5, 3.0, groups), alpha, cost, use_own, capacity, kappa, use_quota)


def random_query(rng: np.random.Generator, problem: LeafProblem, *, by_quota: bool) -> dict[str, np.ndarray]:
    """A quota between nothing and more than enough, or a price between nothing and prohibitive."""
    if by_quota:
        return {"quota": problem.quota_max * rng.choice([0.0, 1e-3, 0.1, 0.5, 1.5], problem.quotas)}
    return {"price": rng.exponential(1.0, problem.quotas) * rng.choice([0.0, 0.1, 1.0, 10.0])}


def random_plan(rng: np.random.Generator, problem: LeafProblem) -> np.ndarray:
    """Rates that respect the demand and nothing else; some groups at almost nothing."""
    share = rng.dirichlet(np.ones(problem.tiers), problem.groups) * rng.uniform(1e-3, 1.0, (problem.groups, 1))
    return np.ascontiguousarray(problem.demand[:, None] * share)
