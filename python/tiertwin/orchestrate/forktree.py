"""The decision problem of a domain in a situation, as a tree that the hierarchy's solvers take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leaf import LeafProblem
from tiertwin.allocate.solvetree import solve_tree
from tiertwin.allocate.trees import Leaf, Tree
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.belief import Belief, EdgeBelief, servers_of
from tiertwin.world.objective import LEAST_GHZ, NO_UPLINK_MBPS, compute_kappa, leaf_problem_arrays, tier_costs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]


def tree_of(belief: Belief, entered: Mapping[str, Any]) -> Tree:
    """Return the tree; `entered` is what the engine says a situation leaves (``WhatIf.enter``)."""
    world, edges = belief.world, belief.edges
    sites, groups = world.site_count, world.groups_per_site
    demand, cost = entered["demand"].reshape(-1, groups), entered["cost"].reshape(len(edges), groups, -1)
    capacity, kappa = entered["capacity"].reshape(-1, 3), entered["kappa"].reshape(-1, 3)
    leaves: dict[int, list[Leaf]] = {}
    for d, edge in enumerate(edges):
        problem = replace(edge.problem, demand=demand[d], cost=cost[d], capacity=capacity[d], kappa=kappa[d])
        leaves.setdefault(int(world.site_fog[edge.site]), []).append(Leaf(edge.name, problem))
    names = {twin.fog: twin.name for twin in world.twins if twin.tier == Tier.FOG}
    fogs = []
    for fog, below in sorted(leaves.items()):
        uplink = max(float(entered["uplink_fog_mbps"][fog]), NO_UPLINK_MBPS)
        ours = Tier.FOG not in belief.granted
        fogs.append(
            Tree(
                names[fog],
                _compute(belief, float(entered["server_ghz"][sites + fog]), ours),
                (uplink, world.objective.kappa0_link * uplink if ours else 0.0),
                tuple(below),
            )
        )
    cloud = _compute(belief, float(entered["server_ghz"][-1]), Tier.CLOUD not in belief.granted)
    return Tree(world.twins[0].name if not belief.granted else "granted", cloud, None, tuple(fogs))


def _compute(belief: Belief, ghz: float, ours: bool) -> tuple[float, float]:
    cores = int(np.rint(ghz / belief.world.core_ghz))
    return max(ghz, LEAST_GHZ), compute_kappa(belief.world, cores) if ours else 0.0


def planned(world: World, demand: F64, solver: Any, masters: Any, background_mbps: F64 | None = None) -> Belief:
    """Return the belief of a whole network that plans for a demand and has put that plan in force.

    For where no twin is at hand: a stored run, a study. Quotas are what the plan takes; capacities and uplinks are the
    nominal ones.

    Parameters
    ----------
    demand
        Believed task rates, tasks/s, ``[S, G]``.
    solver, masters
        What solves leaves and masters.
    background_mbps
        Of directed links, ``[2m]``; without it the daily mean.
    """
    cost = tier_costs(world)
    users = np.maximum(world.group_devices.reshape(world.site_count, -1), 0.0).astype(np.float64)
    edges = []
    for twin in world.twins:
        if twin.tier == Tier.EDGE:
            problem = LeafProblem(**leaf_problem_arrays(world, twin.site, demand[twin.site], cost=cost))
            nothing = np.zeros((problem.groups, problem.tiers))
            edges.append(EdgeBelief(twin.name, twin.site, problem, nothing, np.zeros(3), users[twin.site]))
    background = np.array(world.background_mbps if background_mbps is None else background_mbps, dtype=np.float64)
    up = np.ones(world.link_count, dtype=bool)
    uplink, servers = np.array(world.uplink_fog_mbps), servers_of(world)
    belief = Belief(
        world, world.twins[0].name, tuple(edges), uplink, servers, background, np.array(world.link_capacity_mbps), up
    )
    one = np.zeros(2, dtype=np.int64)
    nobody = (one, one[:0], one[:0], one[:0], np.empty(0))
    tree = tree_of(belief, belief.engine.enter(*nobody))
    solved = solve_tree(tree, target_gap=1e-3, max_rounds=6, solver=solver, masters=masters)
    inside = [
        replace(edge, plan=solved.allocation[edge.name], quota=np.array(solved.answers[edge.name].use))
        for edge in belief.edges
    ]
    return replace(belief, edges=tuple(inside))
