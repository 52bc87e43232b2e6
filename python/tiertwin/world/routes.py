"""Routes: site → fog gateway → cloud, shortest by km, inside the site's domain where a path is left there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tiertwin.world.paths import Net, route_back, shortest_tree
from tiertwin.world.world import F64, I64


def site_routes(net: Net, site_node: I64, site_fog: I64, fog_node: I64, node_fog: I64) -> tuple[I64, ...]:
    """Return the directed links of each site's route to its fog; empty at the gateway and where nothing is left."""
    inside = node_fog[net.tail] == node_fog[net.head]
    routes: list[I64] = [np.empty(0, dtype=np.int64)] * len(site_node)
    for fog, gateway in enumerate(fog_node.tolist()):
        members = np.flatnonzero(site_fog == fog).tolist()
        own, via = shortest_tree(net.only(inside & (node_fog[net.tail] == fog)), gateway)
        for site in members:
            routes[site] = route_back(net, via, int(site_node[site]))
        if not np.isfinite(own[site_node[members]]).all():
            _, anywhere = shortest_tree(net, gateway)
            for site in members:
                if not np.isfinite(own[site_node[site]]):
                    routes[site] = route_back(net, anywhere, int(site_node[site]))
    return tuple(routes)


def fog_routes(net: Net, fog_node: I64, cloud_node: int) -> tuple[I64, ...]:
    """Return the directed links of each fog's route to the cloud; empty at the cloud and where nothing is left."""
    _, via = shortest_tree(net, cloud_node)
    return tuple(route_back(net, via, node) for node in fog_node.tolist())


def route_km(routes: Sequence[I64], km: F64) -> F64:
    """Return the length of each route."""
    return np.array([float(km[route // 2].sum()) for route in routes])


def gateways(net: Net, node_fog: I64, demand: F64) -> I64:
    """Return the gateway of each domain: the node with the least demand-weighted km to all others of it.

    Distances run inside the domain; ties go to the lowest node.
    """
    inside = node_fog[net.tail] == node_fog[net.head]
    places = []
    for fog in range(int(node_fog.max()) + 1):
        members = np.flatnonzero(node_fog == fog)
        domain = net.only(inside & (node_fog[net.tail] == fog))
        cost = [float(shortest_tree(domain, int(node))[0][members] @ demand[members]) for node in members]
        places.append(int(members[int(np.argmin(cost))]))
    return np.array(places, dtype=np.int64)
