"""Days of demand without a plant: what the leaves of a built-in world would believe, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tiertwin.allocate.trees import Leaf, Tree
from tiertwin.orchestrate.siteview import SiteView
from tiertwin.world import World
from tiertwin.world.objective import node_resources, tier_costs


def believed_days(world: World, seed: int, first: int, epochs: int) -> Iterator[Tree]:
    """Trees of `epochs` epochs from `first` of the day: Poisson counts, estimated as an edge does it.

    A day that begins at 0 opens with the nominal prior, as a run does; a later part with what its first counts say. Fog
    uplinks move by a few per cent, as link shares do.
    """
    draw = np.random.default_rng(seed)
    cost = tier_costs(world)
    views = [SiteView(world, site, cost) for site in range(world.site_count)]
    if first == 0:
        yield _tree(world, views, world.uplink_fog_mbps)
    for epoch in range(first, first + epochs):
        row = epoch % world.epochs_per_day
        load = np.where(world.site_urban, world.profile_urban[row], world.profile_rural[row])
        for view, busy in zip(views, load, strict=True):
            counts = draw.poisson(view.nominal * busy).astype(np.float64)
            view.estimator.update(counts * (1 + 0.02 * draw.standard_normal(counts.shape)), np.ones(view.groups))
            view.demand = view.estimator.predict()
        uplink = world.uplink_fog_mbps * draw.uniform(0.97, 1.03, len(world.uplink_fog_mbps))
        yield _tree(world, views, uplink)


def _tree(world: World, views: list[SiteView], uplink: np.ndarray) -> Tree:
    root = world.twins[0]
    fogs = []
    for spec in world.twins:
        if spec.tier != 2:
            continue
        leaves = tuple(Leaf(t.name, views[t.site].problem()) for t in world.twins if t.tier == 1 and t.fog == spec.fog)
        owned = node_resources(world, spec.name, float(uplink[spec.fog]))
        fogs.append(Tree(spec.name, owned["compute"], owned["uplink"], leaves))
    return Tree(root.name, node_resources(world, root.name)["compute"], None, tuple(fogs))
