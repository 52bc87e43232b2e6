"""Graph questions of the resolver, answered by the C++ kernels where they are built (`_KERNELS`).

Links are given undirected; the directed link ``2*l`` runs tail→head of link ``l``, ``2*l + 1`` back. `alive` masks
undirected links. Ties always go to the lowest link, then the lowest node.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tiertwin.world.world import F64, I64, Flags

try:
    from tiertwin import _core

    _KERNELS = hasattr(_core, "Graph")
except ImportError:
    _KERNELS = False

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
    def out(self) -> list[list[tuple[int, int]]]:
        """(directed link, head) of every node, in link order."""
        near: list[list[tuple[int, int]]] = [[] for _ in range(self.nodes)]
        for link in np.flatnonzero(self.alive).tolist():
            a, b = int(self.tail[link]), int(self.head[link])
            near[a].append((2 * link, b))
            near[b].append((2 * link + 1, a))
        return near

    def directed(self) -> tuple[I64, I64, I64]:
        """(directed link ids, tails, heads) of the living links, in id order."""
        links = np.flatnonzero(np.repeat(self.alive, 2)).astype(np.int64)
        ends = np.stack([self.tail, self.head], axis=1).ravel()
        return links, ends[links], ends[links ^ 1]


def shortest_tree(net: Net, source: int) -> tuple[F64, I64]:
    """Return (km from `source`, directed link over which each node is reached; -1 at the source and out of reach)."""
    if _KERNELS:
        links, tails, heads = net.directed()
        weight = np.maximum(net.km[links // 2], SHORTEST_KM)
        dist, via = _core.Graph(net.nodes, tails, heads, weight).shortest_paths(source)
        return dist, np.where(via >= 0, links[via], NO_LINK) if len(links) else via
    dist = np.full(net.nodes, np.inf)
    via = np.full(net.nodes, NO_LINK, dtype=np.int64)
    done = np.zeros(net.nodes, dtype=bool)
    dist[source] = 0.0
    heap = [(0.0, source)]
    while heap:
        far, node = heapq.heappop(heap)
        if done[node]:
            continue
        done[node] = True
        for link, other in net.out[node]:
            reach = far + max(float(net.km[link // 2]), SHORTEST_KM)
            if reach < dist[other] or (reach == dist[other] and not done[other] and link < via[other]):
                dist[other], via[other] = reach, link
                heapq.heappush(heap, (reach, other))
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
    if _KERNELS:
        links, tails, heads = net.directed()
        if len(links):
            graph = _core.Graph(net.nodes, tails, heads, np.ones(len(links)))
            loads[links] = graph.ecmp_loads(tail, head, volume, by_hops=True)
        return loads
    for target in np.unique(head).tolist():
        rows = head == target
        inflow = np.bincount(tail[rows], volume[rows], minlength=net.nodes)
        hops = np.full(net.nodes, -1)
        hops[target] = 0
        order = [target]
        for node in order:
            for _, other in net.out[node]:
                if hops[other] < 0:
                    hops[other] = hops[node] + 1
                    order.append(other)
        for node in reversed(order[1:]):
            following = [(link, other) for link, other in net.out[node] if hops[other] == hops[node] - 1]
            for link, other in following:
                loads[link] += inflow[node] / len(following)
                inflow[other] += inflow[node] / len(following)
    return loads


def partition(net: Net, parts: int, weight: F64) -> I64:
    """Return the part 0 … parts-1 of every node: connected parts of like weight, numbered by their lowest node."""
    if _KERNELS:
        links, tails, heads = net.directed()
        graph = _core.Graph(net.nodes, tails, heads, np.maximum(net.km[links // 2], SHORTEST_KM))
        return _by_lowest_node(graph.partition(parts, np.ascontiguousarray(weight), 0))
    seeds = [0]
    reach = shortest_tree(net, 0)[0]
    seeds[0] = int(np.argmax(reach))
    reach = shortest_tree(net, seeds[0])[0]
    while len(seeds) < parts:
        seeds.append(int(np.argmax(reach)))
        reach = np.minimum(reach, shortest_tree(net, seeds[-1])[0])
    part = np.full(net.nodes, -1, dtype=np.int64)
    part[seeds] = np.arange(parts)
    load = np.array([weight[seed] for seed in seeds], dtype=np.float64)
    while (part < 0).any():
        frontier = [
            (load[part[node]], net.km[link // 2], other, part[node])
            for node in range(net.nodes)
            if part[node] >= 0
            for link, other in net.out[node]
            if part[other] < 0
        ]
        _, _, node, own = min(frontier)
        part[node] = own
        load[own] += weight[node]
    return _by_lowest_node(part)


def voronoi(net: Net, centres: I64) -> I64:
    """Return the index of the nearest centre by km of every node (connected parts; ties to the lowest index)."""
    reach = np.stack([shortest_tree(net, int(centre))[0] for centre in centres])
    return np.argmin(reach, axis=0).astype(np.int64)


def _by_lowest_node(part: I64) -> I64:
    _, first = np.unique(part, return_index=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[part]
