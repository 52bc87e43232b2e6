"""Which routes a failure touches, cuts off, makes longer, or leads over links that fill up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.functions.assure.causes import Cause
from tiertwin.world.rerouting import reroute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    Cut = NDArray[np.bool_]

LONGER = 1.3
FULL = 0.85  # of a link by background alone; tasks come on top


class Reach:
    """Which routes a cause touches, and which of those it cuts off.

    A route runs from a site to its fog gateway, or from a fog to the cloud: routes are sites, then fogs.
    """

    def __init__(self, world: World, causes: Sequence[Cause]) -> None:
        self.world = world
        self.ends = np.concatenate([world.site_node, world.fog_node])
        self.roots = np.concatenate([world.fog_node[world.site_fog], np.full(world.fog_count, world.cloud_node)])
        routes = [*world.route_site_links, *world.route_fog_links]
        crossed = np.concatenate([np.unique(route // 2) for route in routes]) if routes else np.empty(0, np.int64)
        self.over = np.zeros((len(routes), world.link_count), dtype=bool)
        self.over[np.repeat(np.arange(len(routes)), [len(np.unique(r // 2)) for r in routes]), crossed] = True
        self._cut = self._cuts(causes)

    def touched(self, cause: Cause) -> Cut:
        """Flags of the routes that run over a cause's links or nodes, [routes]."""
        world, links = self.world, list(cause.links)
        if cause.nodes:
            at = np.isin(world.link_tail, cause.nodes) | np.isin(world.link_head, cause.nodes)
            links += np.flatnonzero(at).tolist()
        gone = np.isin(self.ends, cause.nodes) | np.isin(self.roots, cause.nodes)
        over: Cut = self.over[:, links].any(axis=1) | gone
        return over

    def cut(self, cause: int) -> Cut:
        """Flags of the routes without any other way, [routes]; all False for causes that take nothing down."""
        flags: Cut = self._cut[cause]
        return flags

    def after(self, links: set[int]) -> tuple[Cut, Cut]:
        """Return flags of the routes that run over links which fill up once `links` are down, and that are longer."""
        world, failed = self.world, np.isin(np.arange(self.world.link_count), list(links))
        changed = reroute(world, failed)
        capacity = np.repeat(world.link_capacity_mbps, 2)
        use, before = changed.background_mbps / capacity, world.background_mbps / capacity
        fills = (use >= FULL) & (use > before + 0.01)
        routes = [*changed.route_site_links, *changed.route_fog_links]
        km = np.concatenate([changed.route_site_km, changed.route_fog_km])
        usual = np.concatenate([world.route_site_km, world.route_fog_km])
        return np.array([bool(fills[route].any()) for route in routes]), km >= LONGER * usual + 1e-9

    def _cuts(self, causes: Sequence[Cause]) -> Cut:
        """Sweep all hard causes once for each root: what does not reach it any more."""
        world = self.world
        pairs = np.stack([world.link_tail, world.link_head], axis=1)
        graph = _core.Graph(
            world.node_count, pairs.ravel(), pairs[:, ::-1].ravel().copy(), np.ones(2 * world.link_count)
        )
        cables = _core.Cables(graph, np.repeat(np.arange(world.link_count), 2))
        hard = [c for c, cause in enumerate(causes) if cause.hard]
        elements = [[*causes[c].links, *(world.link_count + n for n in causes[c].nodes)] for c in hard]
        start = np.concatenate([[0], np.cumsum([len(e) for e in elements])]).astype(np.int64)
        element = np.array([e for row in elements for e in row], dtype=np.int64)
        found = np.zeros((len(causes), len(self.ends)), dtype=bool)
        all_links, all_nodes = np.arange(world.link_count), np.arange(world.node_count)
        for root in np.unique(self.roots):
            routes = np.flatnonzero(self.roots == root)
            weights = np.zeros((world.node_count, len(routes)))
            weights[self.ends[routes], np.arange(len(routes))] = 1.0
            core = _core.FailureCore(cables, np.array([root]), weights, all_links, all_nodes)
            found[np.ix_(np.array(hard, np.int64), routes)] = core.scenarios(start, element) > 0.5
        return found
