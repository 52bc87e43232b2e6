"""Decision trees to measure by: random ones of any size, and those of a scenario with two, three or four tiers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.leaf import Array, LeafProblem
from tiertwin.allocate.trees import Leaf, Tree
from tiertwin.errors import InputError
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.siteview import SiteView
from tiertwin.world import node_resources, tier_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiertwin.world import World

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


# ---------------------------------------------------------------------------------------------- of a scenario

DEPTHS = (2, 3, 4)
REGION_SHARE = 0.5  # of the cloud's servers that stand in regions, at depth 4
REGION_UPLINK = 0.7  # a region's uplink, share of the uplinks of its fogs


def scenario_tree(world: World, depth: int = 3, demand: Sequence[Array] | None = None) -> Tree:
    """Return the decision tree of a world with 2, 3 or 4 deciding tiers over the same sites and the same servers.

    ====== ===========================================================================================================
    depth  what stands above a site
    ====== ===========================================================================================================
    2      the cloud, with the servers of the fogs added to its own; a task pays the way to the cloud
    3      its fog and the cloud, as in a run
    4      its fog, a region and the cloud: fogs are grouped by longitude, three or fewer a region; half of the cloud's
           servers are shared out to the regions by their sites' demand, half way along the route to the cloud
    ====== ===========================================================================================================

    Parameters
    ----------
    world
        Any scenario's.
    demand
        ``[G]`` tasks/s of each site; without it the nominal one, with which a run begins.

    Raises
    ------
    InputError
        Another depth.
    """
    if depth not in DEPTHS:
        raise InputError(f"depth: expected one of {list(DEPTHS)}, got {depth}")
    cost = tier_costs(world)
    leaves: list[list[Leaf]] = [[] for _ in world.fog_node]
    for spec in world.twins:
        if spec.tier == Tier.EDGE:
            wanted = None if demand is None else demand[spec.site]
            problem = SiteView(world, spec.site, cost).problem(wanted)
            leaves[spec.fog].append(Leaf(spec.name, _LAYERED[depth](problem)))
    fogs = [spec for spec in world.twins if spec.tier == Tier.FOG]
    root, cloud = world.twins[0].name, node_resources(world, world.twins[0].name)["compute"]
    owned = [node_resources(world, fog.name) for fog in fogs]
    if depth == 2:
        pairs = [cloud, *(one["compute"] for one in owned)]
        pooled = sum(c for c, _ in pairs), sum(k for _, k in pairs)
        return Tree(root, pooled, None, tuple(leaf for below in leaves for leaf in below))
    nodes = [
        Tree(fog.name, one["compute"], one["uplink"], tuple(leaves[fog.fog]))
        for fog, one in zip(fogs, owned, strict=True)
    ]
    if depth == 3:
        return Tree(root, cloud, None, tuple(nodes))
    east = np.argsort(world.lon[world.fog_node], kind="stable")
    groups = np.array_split(east, max(2, -(-len(nodes) // 3))) if len(nodes) > 1 else [east]
    regions = tuple(_region(f"region-{i + 1}", [nodes[f] for f in sorted(group)]) for i, group in enumerate(groups))
    work = np.array([sum(_gigacycles(leaf.problem) for leaf in region.leaves()) for region in regions])
    part = REGION_SHARE * work / work.sum()
    placed = tuple(
        replace(region, compute=(share * cloud[0], share * cloud[1]))
        for region, share in zip(regions, part.tolist(), strict=True)
    )
    return Tree(root, ((1 - REGION_SHARE) * cloud[0], (1 - REGION_SHARE) * cloud[1]), None, placed)


def _region(name: str, fogs: list[Tree]) -> Tree:
    pairs = [fog.uplink for fog in fogs if fog.uplink is not None]
    uplink = REGION_UPLINK * sum(c for c, _ in pairs), REGION_UPLINK * sum(k for _, k in pairs)
    return Tree(name, (0.0, 0.0), uplink, tuple(fogs))


def _gigacycles(problem: LeafProblem) -> float:
    return float(problem.demand @ problem.use_own[1, :, Tier.EDGE])


def _without_fog(problem: LeafProblem) -> LeafProblem:
    """Device, edge, cloud; one quota, cloud compute. The site's uplink stays its own."""
    tiers = [Tier.DEVICE, Tier.EDGE, Tier.CLOUD]
    return replace(
        problem,
        cost=problem.cost[:, tiers],
        use_own=problem.use_own[:, :, tiers],
        use_quota=problem.use_quota[2:, :, tiers],
    )


def _with_region(problem: LeafProblem) -> LeafProblem:
    """Device, edge, fog, region, cloud; quotas [compute, uplink] of fog and region, and cloud compute."""
    fog, cloud = problem.cost[:, Tier.FOG], problem.cost[:, Tier.CLOUD]
    groups = problem.groups
    cost = np.column_stack([problem.cost[:, : Tier.CLOUD], (fog + cloud) / 2, cloud])
    use_own = np.concatenate([problem.use_own, problem.use_own[:, :, Tier.CLOUD :]], axis=2)
    use = np.zeros((5, groups, 5))
    gigacycles, megabits = problem.use_quota[0, :, Tier.FOG], problem.use_quota[1, :, Tier.CLOUD]
    use[0, :, 2] = use[2, :, 3] = use[4, :, 4] = gigacycles
    use[1, :, 3] = use[1, :, 4] = use[3, :, 4] = megabits
    return replace(problem, cost=cost, use_own=use_own, use_quota=use)


_LAYERED: dict[int, Callable[[LeafProblem], LeafProblem]] = {
    2: _without_fog,
    3: lambda problem: problem,
    4: _with_region,
}
