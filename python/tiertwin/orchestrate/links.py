"""Sharing a link out: its one owner splits what background leaves over the routes that cross it (law of links).

    share(route, link) = (capacity − background) · weight_route / Σ weights of the routes that cross the link
    uplink of a route  = smallest share on its links

so no link exceeds capacity − background under any allocation inside the quotas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]
    I64 = npt.NDArray[np.int64]

HEADROOM = 0.02  # of capacity, kept free: background moves while a share is in force
GAIN = 0.5  # of a new background measurement


class LinkShares:
    """Shares of the links one twin owns, over all routes of the tree that cross them.

    Parameters
    ----------
    world
        Topology, routes and nominal background.
    owner
        Name of the twin.
    """

    def __init__(self, world: World, owner: str) -> None:
        owned = np.array([name == owner for name in world.link_owner for _ in (0, 1)], dtype=bool)
        routes = [*world.route_site_links, *world.route_fog_links]
        weight = np.concatenate([world.route_site_weight, world.route_fog_weight])
        crossed = np.zeros(2 * world.link_count)
        for route, w in zip(routes, weight, strict=True):
            crossed[route] += w
        self._crossings = [
            (r, int(d), float(w / crossed[d]))
            for r, (route, w) in enumerate(zip(routes, weight, strict=True))
            for d in route
            if owned[d]
        ]
        self._routes = len(routes)
        self._sites = len(world.route_site_links)
        self._capacity = np.repeat(world.link_capacity_mbps, 2)
        self._background = world.background_mbps.copy()
        self._up = np.ones(2 * world.link_count, dtype=bool)
        self._lan = float(world.lan_mbps)

    @property
    def links(self) -> I64:
        """Directed links of this owner that some route crosses."""
        return np.unique(np.array([d for _, d, _ in self._crossings], dtype=np.int64))

    def observe(self, link: I64, background: F64, capacity: F64, up: F64) -> None:
        """Take measured background and capacity (Mb/s) and state of directed links; NaN is no news."""
        for k, d in enumerate(link):
            if background[k] == background[k]:
                self._background[d] += GAIN * (max(background[k], 0.0) - self._background[d])
            if capacity[k] == capacity[k]:
                self._capacity[d] = capacity[k]
            if up[k] == up[k]:
                self._up[d] = up[k] >= 0.5

    def shares(self) -> tuple[F64, F64]:
        """Return (site uplink [S], fog uplink [F]) in Mb/s from the links owned here; inf where none is crossed."""
        least = np.full(self._routes, np.inf)
        for route, link, fraction in self._crossings:
            free = self._capacity[link] * (1.0 - HEADROOM) - self._background[link] if self._up[link] else 0.0
            least[route] = min(least[route], max(free, 0.0) * fraction)
        return least[: self._sites], least[self._sites :]
