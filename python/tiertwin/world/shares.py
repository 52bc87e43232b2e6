"""Who may use how much of a shared link.

Every link has one owner (`World.link_owner`), which splits what the background leaves over the routes that cross it:

    share(route, link) = max(capacity − background, 0) · weight_route / Σ weights of the routes that cross it this way

A site's or fog's uplink is the smallest share on its route. *Law:* whatever the routes carry, as long as none
carries more than its uplink, no directed link exceeds its capacity (its background alone, where that is more).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiertwin.world.world import F64, I64, Flags, World


@dataclass(frozen=True, eq=False)
class Crossings:
    """Which routes (sites, then fogs) cross which directed links, one entry a crossing, in route order.

    Parameters
    ----------
    route, link
        Route and directed link of each crossing, [K].
    fraction
        Part of the link that is the route's, [K]; adds up to 1 over the routes that cross a link.
    routes
        Routes in all, S + F.
    """

    route: I64
    link: I64
    fraction: F64
    routes: int

    @classmethod
    def of(cls, world: World) -> Crossings:
        """Collect the crossings of a world."""
        routes = [*world.route_site_links, *world.route_fog_links]
        weight = np.concatenate([world.route_site_weight, world.route_fog_weight])
        link = np.concatenate([np.empty(0, dtype=np.int64), *routes])
        route = np.repeat(np.arange(len(routes), dtype=np.int64), [len(r) for r in routes])
        claimed = np.bincount(link, weight[route], minlength=2 * world.link_count)
        return cls(route, link, weight[route] / claimed[link], len(routes))

    def where(self, chosen: Flags) -> Crossings:
        """Keep the crossings of some directed links, [2m]; fractions stay what they are."""
        kept = chosen[self.link]
        return Crossings(self.route[kept], self.link[kept], self.fraction[kept], self.routes)

    def shares(self, free: F64) -> F64:
        """Return the smallest share on each route, [S + F], of what is free on links, Mb/s, [2m]; inf if none."""
        return self._least(free[self.link] * self.fraction)

    def narrowest(self, capacity: F64) -> F64:
        """Return the smallest capacity on each route, [S + F], given all, [2m]; inf if it crosses nothing."""
        return self._least(capacity[self.link])

    def _least(self, values: F64) -> F64:
        least = np.full(self.routes, np.inf)
        np.minimum.at(least, self.route, values)
        return least


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
    return _by_tier(world, Crossings.of(world).shares(free))


def narrowest_links(world: World) -> tuple[F64, F64]:
    """Return the smallest link capacity on the route of each site and of each fog, Mb/s, [S] and [F]: no more can pass.

    `World.lan_mbps` where the gateway stands at the site itself, 0 where there is no route.
    """
    return _by_tier(world, Crossings.of(world).narrowest(np.repeat(world.link_capacity_mbps, 2)))


def _by_tier(world: World, routes: F64) -> tuple[F64, F64]:
    uplink = np.where(np.isinf(routes), np.where(_at_gateway(world), world.lan_mbps, 0.0), routes)
    return uplink[: world.site_count], uplink[world.site_count :]


def _at_gateway(world: World) -> Flags:
    """Return which routes are empty because they start where they end, [S + F]."""
    sites = world.site_node == world.fog_node[world.site_fog]
    return np.concatenate([sites, world.fog_node == world.cloud_node])
