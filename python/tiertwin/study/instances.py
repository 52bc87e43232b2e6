"""Random decision trees of any size, for studies of scale: smooth leaves like those of the national scenario."""

from __future__ import annotations

import numpy as np

from tiertwin.allocate.driver import Leaf, Tree
from tiertwin.allocate.leaf import LeafProblem

TIERS = 4
MEAN_LOAD = 1.1  # offered load over all capacity: scarce, so that allocation matters


def random_tree(fogs: int, leaves: int, groups: int, seed: int) -> Tree:
    """Return a depth-3 tree of ``fogs × leaves × groups`` groups (edge, fog, cloud).

    Parameters
    ----------
    fogs, leaves, groups
        Fogs, leaves a fog, groups a leaf, all ≥ 1.
    seed
        Same seed, same tree.
    """
    rng = np.random.default_rng(seed)
    nodes = []
    for f in range(fogs):
        made = tuple(Leaf(f"edge-{f}-{e}", _leaf(rng, groups)) for e in range(leaves))
        demand = sum(_ghz(leaf.problem) for leaf in made)
        megabits = sum(float(leaf.problem.demand @ leaf.problem.use_own[2, :, 2]) for leaf in made)
        compute, uplink = 0.25 * demand / MEAN_LOAD, 0.3 * megabits
        nodes.append(Tree(f"fog-{f}", (compute, 0.02 * compute), (uplink, 0.002 * uplink), made))
    total = sum(_ghz(leaf.problem) for node in nodes for leaf in node.leaves())
    compute = 0.3 * total / MEAN_LOAD
    return Tree("cloud-1", (compute, 0.02 * compute), None, tuple(nodes))


def _ghz(problem: LeafProblem) -> float:
    return float(problem.demand @ problem.use_own[1, :, 1])


def _leaf(rng: np.random.Generator, groups: int) -> LeafProblem:
    demand = rng.uniform(2.0, 40.0, groups)
    gcycles, megabits = rng.uniform(0.01, 0.2, groups), rng.uniform(0.05, 2.0, groups)
    weight, alpha = rng.uniform(0.5, 2.0, groups), rng.choice([0.5, 1.0, 2.0], groups)
    cost = np.empty((groups, TIERS))
    cost[:, 0] = weight * rng.uniform(1.0, 3.0, groups)
    cost[:, 1] = weight * rng.uniform(0.2, 0.4, groups)
    cost[:, 2] = cost[:, 1] + 0.05 * weight
    cost[:, 3] = cost[:, 2] + 0.1 * weight
    use_own, use_quota = np.zeros((3, groups, TIERS)), np.zeros((3, groups, TIERS))
    airtime = megabits / rng.uniform(20.0, 200.0, groups)
    use_own[0, :, 1:] = airtime[:, None]
    use_own[1, :, 1] = gcycles
    use_own[2, :, 2:] = megabits[:, None]
    use_quota[0, :, 2], use_quota[1, :, 3], use_quota[2, :, 3] = gcycles, megabits, gcycles
    capacity = np.array([1.4 * airtime @ demand, 0.45 * gcycles @ demand / MEAN_LOAD, 0.6 * megabits @ demand])
    kappa = capacity * np.array([0.5, 0.02, 0.002])
    return LeafProblem(demand, weight, alpha, cost, use_own, capacity, kappa, use_quota)
