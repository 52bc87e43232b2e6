"""The world after links went down. Needs no pydantic: twins' forks use it too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tiertwin.errors import InputError
from tiertwin.world.paths import Net, ecmp_loads
from tiertwin.world.routes import fog_routes, route_km, site_routes
from tiertwin.world.shares import link_shares
from tiertwin.world.world import Flags, World


def reroute(world: World, failed: Flags) -> World:
    """Return the world after the links `failed` ([m]) went down: routes, background and uplinks around them.

    Who owns a link, how large it is and where twins stand does not change. A site or fog that nothing reaches any
    more has an empty route and an uplink of 0; background traffic without a path is gone.
    """
    failed = np.asarray(failed, dtype=bool)
    if failed.shape != (world.link_count,):
        raise InputError(f"expected {world.link_count} flags (one a link), got shape {failed.shape}", "reroute")
    net = Net(world.node_count, world.link_tail, world.link_head, world.link_km, ~failed)
    to_fog = site_routes(net, world.site_node, world.site_fog, world.fog_node, world.node_fog)
    to_cloud = fog_routes(net, world.fog_node, world.cloud_node)
    changed = replace(
        world,
        background_mbps=ecmp_loads(net, world.demand_tail, world.demand_head, world.demand_mbps),
        route_site_links=to_fog,
        route_fog_links=to_cloud,
        route_site_km=route_km(to_fog, world.link_km),
        route_fog_km=route_km(to_cloud, world.link_km),
    )
    return with_uplinks(changed, failed)


def with_uplinks(world: World, failed: Flags) -> World:
    """Return the world with its nominal uplinks: the shares at mean background."""
    sites, fogs = link_shares(world, world.background_mbps, failed)
    return replace(world, uplink_site_mbps=sites, uplink_fog_mbps=fogs)
