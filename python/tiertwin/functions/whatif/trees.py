"""The twins' decision problem of a network in a situation, with nominal demand and shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.leaf import LeafProblem
from tiertwin.allocate.trees import Leaf, Tree
from tiertwin.model.tiers import Tier
from tiertwin.world.objective import compute_kappa, leaf_problem_arrays, tier_costs

if TYPE_CHECKING:
    from tiertwin.functions.whatif.states import State

LEAST = 1e-6
"""Stands for a capacity of nothing: a resource needs one above 0."""


def tree_of(state: State) -> Tree:
    """Return the whole tree's problem: leaves of sites, fogs, the cloud; what is down has next to no capacity."""
    world = state.world
    cost, constants = tier_costs(world), world.objective
    fogs = []
    for fog in world.twins:
        if fog.tier != Tier.FOG:
            continue
        leaves = []
        for edge in world.twins:
            if edge.parent == fog.name and edge.tier == Tier.EDGE:
                arrays = leaf_problem_arrays(world, edge.site, state.demand[edge.site].ravel(), cost=cost)
                capacity = arrays["capacity"].copy()
                own = np.array([state.cells[edge.site], state.site_ghz[edge.site], capacity[2]])
                arrays["kappa"] = arrays["kappa"] * np.maximum(own, LEAST) / capacity
                arrays["capacity"] = np.maximum(own, LEAST)
                leaves.append(Leaf(edge.name, LeafProblem(**arrays)))
        ghz = max(float(state.fog_ghz[fog.fog]), LEAST)
        mbps = max(float(world.uplink_fog_mbps[fog.fog]), LEAST)
        fogs.append(Tree(fog.name, _compute(state, ghz), (mbps, constants.kappa0_link * mbps), tuple(leaves)))
    return Tree(world.twins[0].name, _compute(state, max(state.cloud_ghz, LEAST)), None, tuple(fogs))


def _compute(state: State, ghz: float) -> tuple[float, float]:
    return ghz, compute_kappa(state.world, round(ghz / state.world.core_ghz))
