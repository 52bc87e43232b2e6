"""Graph questions of the resolver, put to the C++ kernels.

Links are given undirected; the directed link ``2*l`` runs tail→head of link ``l``, ``2*l + 1`` back. `alive` masks
undirected links. Ties always go to the lowest link, then the lowest node.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tiertwin import _core
from tiertwin.world.world import F64, I64, Flags

NO_LINK = -1
SHORTEST_KM = 1e-3  # a link of length 0 would tie with itself; a metre never decides


@dataclass(frozen=True)
class Net:
    """Nodes and undirected links with lengths, and which of them are alive."""

    nodes: int
    tail: I64
    head: I64
    km: F64
    alive: Flags

    def only(self, links: Flags) -> Net:
        """Return the same network with no links but `links`."""
        return Net(self.nodes, self.tail, self.head, self.km, self.alive & links)

    @cached_property
    def links(self) -> I64:
        """Directed links that are alive, in order: link i of the kernel's graph is ``links[i]`` of ours."""
        return np.flatnonzero(np.repeat(self.alive, 2)).astype(np.int64)

    @cached_property
    def graph(self) -> _core.Graph:
        """The living links in the kernel's form, weighted by km."""
        ends = np.stack([self.tail, self.head], axis=1).ravel()
        weight = np.maximum(self.km[self.links // 2], SHORTEST_KM)
        return _core.Graph(self.nodes, ends[self.links], ends[self.links ^ 1], weight)


def shortest_tree(net: Net, source: int) -> tuple[F64, I64]:
    """Return (km from `source`, directed link over which each node is reached; -1 at the source and out of reach)."""
    dist, via = net.graph.shortest_paths(source)
    reached = via >= 0
    via[reached] = net.links[via[reached]]
    return dist, via


def route_back(net: Net, via: I64, node: int) -> I64:
    """Return the directed links from `node` to the root of the tree `via`, in travel order (empty at the root)."""
    links = []
    ends = (net.tail, net.head)
    while via[node] != NO_LINK:
        down = int(via[node])
        links.append(down ^ 1)
        node = int(ends[down % 2][down // 2])
    return np.array(links, dtype=np.int64)


def ecmp_loads(net: Net, tail: I64, head: I64, volume: F64) -> F64:
    """Return the load of every directed link when demands take all paths of fewest hops, split evenly at every node.

    Demands without a path are dropped.
    """
    loads = np.zeros(2 * len(net.km))
    loads[net.links] = net.graph.ecmp_loads_and_lost(tail, head, volume, by_hops=True)[0]
    return loads


def partition(net: Net, parts: int, weight: F64) -> I64:
    """Return the part 0 … parts-1 of every node: connected parts of like weight, numbered by their lowest node."""
    part: I64 = net.graph.partition(parts, weight, 0)
    return part


def voronoi(net: Net, centres: I64) -> I64:
    """Return the index of the nearest centre by km of every node (connected parts; ties to the lowest index)."""
    reach = np.stack([shortest_tree(net, int(centre))[0] for centre in centres])
    return np.asarray(np.argmin(reach, axis=0), dtype=np.int64)
