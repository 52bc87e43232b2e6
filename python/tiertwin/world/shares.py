"""Who may use how much of a shared link.

Every link has one owner (`World.link_owner`), which splits what the background leaves over the routes that cross it:

    share(route, link) = max(capacity − background, 0) · weight_route / Σ weights of the routes that cross it this way

A site's or fog's uplink is the smallest share on its route. *Law:* whatever the routes carry, as long as none
carries more than its uplink, no directed link exceeds its capacity (its background alone, where that is more).
"""

from __future__ import annotations

import numpy as np

from tiertwin.world.world import F64, Flags, World


def link_shares(world: World, background_mbps: F64, failed: Flags) -> tuple[F64, F64]:
    """Return the uplink of each site and of each fog, Mb/s, [S] and [F].

    Parameters
    ----------
    background_mbps
        Load of each directed link that is not ours to steer, Mb/s, [2m].
    failed
        Links that carry nothing, [m].

    Returns
    -------
    `World.lan_mbps` where the gateway stands at the site itself, 0 over a failed link or where no route is left.
    """
    free = np.maximum(np.repeat(world.link_capacity_mbps, 2) - background_mbps, 0.0)
    free[np.repeat(failed, 2)] = 0.0
    routes = [*world.route_site_links, *world.route_fog_links]
    weights = np.concatenate([world.route_site_weight, world.route_fog_weight])
    lengths = np.array([len(route) for route in routes], dtype=np.int64)
    crossed = np.concatenate(routes) if lengths.sum() else np.empty(0, dtype=np.int64)
    owner = np.repeat(np.arange(len(routes)), lengths)
    claimed = np.bincount(crossed, weights[owner], minlength=len(free))
    share = free[crossed] * weights[owner] / claimed[crossed]
    uplink = np.where(_at_gateway(world), world.lan_mbps, 0.0)
    uplink[lengths > 0] = np.inf
    np.minimum.at(uplink, owner, share)
    return uplink[: world.site_count], uplink[world.site_count :]


def _at_gateway(world: World) -> Flags:
    """Return which routes are empty because they start where they end, [S + F]."""
    sites = world.site_node == world.fog_node[world.site_fog]
    return np.concatenate([sites, world.fog_node == world.cloud_node])
