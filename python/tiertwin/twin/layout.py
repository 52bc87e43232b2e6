"""Which row of which table is which entity: derived from the world, the same at both ends of a link.

A gateway's telemetry table has the site's devices, then the servers and the outgoing links at its node. The edge's
summary has the site's groups in the devices' place; a fog's has one row a service class, then its own servers and
those links that only the cloud can own. Directed link ``2l`` runs tail → head of link l.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.world import World

    I64 = npt.NDArray[np.int64]

EDGE_SERVER = "edge server"


@dataclass(frozen=True, eq=False)
class Layout:
    """Rows of one table.

    Parameters
    ----------
    members
        Rows 0 … members − 1 are devices (gateway), groups (edge) or classes (fog).
    servers
        Server indices of the plant (0 … S−1 edges, S … S+F−1 fogs, S+F cloud) in the rows after them, ascending.
    links
        Directed links in the rows after those, ascending.
    """

    members: int
    servers: I64
    links: I64

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return self.members + len(self.servers) + len(self.links)

    @property
    def server_rows(self) -> I64:
        """Row of each server."""
        return self.members + np.arange(len(self.servers), dtype=np.int64)

    @property
    def link_rows(self) -> I64:
        """Row of each directed link."""
        return self.members + len(self.servers) + np.arange(len(self.links), dtype=np.int64)


def server_nodes(world: World) -> I64:
    """Node at which each server stands, [S + F + 1]."""
    return np.concatenate([world.site_node, world.fog_node, [world.cloud_node]]).astype(np.int64)


def link_tails(world: World) -> I64:
    """Tail node of each directed link, [2m]."""
    tails = np.empty(2 * world.link_count, dtype=np.int64)
    tails[0::2] = world.link_tail
    tails[1::2] = world.link_head
    return tails


def gateway_layout(world: World, site: int) -> Layout:
    """Rows of the telemetry table of a site's device gateway."""
    node = int(world.site_node[site])
    devices = int(world.device_rows[site + 1] - world.device_rows[site])
    servers = np.flatnonzero(server_nodes(world) == node).astype(np.int64)
    links = np.flatnonzero(link_tails(world) == node).astype(np.int64)
    return Layout(devices, servers, links)


def edge_layout(world: World, site: int) -> Layout:
    """Rows of an edge twin's summary table."""
    below = gateway_layout(world, site)
    return Layout(world.groups_per_site, below.servers, below.links)


def fog_layout(world: World, fog: int) -> Layout:
    """Rows of a fog twin's summary table: what its own servers and the cloud's links tell."""
    name = fog_name(world, fog)
    nodes = np.flatnonzero(world.node_fog == fog)
    inside = np.isin(link_tails(world), nodes)
    foreign = np.array([owner != name for owner in world.link_owner for _ in (0, 1)], dtype=bool)
    servers = np.flatnonzero(np.isin(server_nodes(world), nodes))
    sites = len(world.site_node)
    return Layout(len(world.class_names), servers[servers >= sites], np.flatnonzero(inside & foreign).astype(np.int64))


def fog_name(world: World, fog: int) -> str:
    """Name of the twin of a fog domain."""
    return next(twin.name for twin in world.twins if twin.fog == fog and twin.tier == 2)
