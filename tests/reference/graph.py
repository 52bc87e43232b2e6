"""Naive graph algorithms over a plain list of links. Slow on purpose: each says what the kernel must give, not how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

Demand = tuple[int, int, float]


@dataclass
class Network:
    """Directed links (tail, head, weight), and what a what-if takes away or scales."""

    nodes: int
    links: list[tuple[int, int, float]]
    failed_links: set[int] = field(default_factory=set)
    failed_nodes: set[int] = field(default_factory=set)
    factor: dict[int, float] = field(default_factory=dict)

    def usable(self) -> list[tuple[int, int, int, float]]:
        """(link, tail, head, weight) of what is left."""
        return [
            (link, tail, head, weight * self.factor.get(link, 1.0))
            for link, (tail, head, weight) in enumerate(self.links)
            if link not in self.failed_links and not {tail, head} & self.failed_nodes
        ]

    def by_hops(self) -> Network:
        links = [(tail, head, 1.0) for tail, head, _ in self.links]
        return Network(self.nodes, links, self.failed_links, self.failed_nodes)


def distances_from(net: Network, source: int) -> list[float]:
    """Bellman and Ford: relax every link until nothing improves."""
    dist = [inf] * net.nodes
    if source not in net.failed_nodes:
        dist[source] = 0.0
    improved = True
    while improved:
        improved = False
        for _, tail, head, weight in net.usable():
            if dist[tail] + weight < dist[head]:
                dist[head] = dist[tail] + weight
                improved = True
    return dist


def distances_to(net: Network, target: int) -> list[float]:
    turned = [(head, tail, weight) for tail, head, weight in net.links]
    return distances_from(Network(net.nodes, turned, net.failed_links, net.failed_nodes, net.factor), target)


def via_links(net: Network, source: int) -> list[int]:
    """Lowest link on a shortest way into each node (weights > 0); -1 at the source and where there is no way."""
    dist = distances_from(net, source)
    via = [-1] * net.nodes
    for link, tail, head, weight in reversed(net.usable()):
        if head != source and dist[head] < inf and dist[tail] + weight == dist[head]:
            via[head] = link
    return via


def simple_paths(net: Network, source: int, target: int) -> Iterator[tuple[float, list[int]]]:
    """Every loopless path with its length, summed from the source."""
    leaving: dict[int, list[tuple[int, int, float]]] = {}
    for link, tail, head, weight in net.usable():
        leaving.setdefault(tail, []).append((link, head, weight))

    def walk(node: int, seen: frozenset[int], length: float, path: list[int]) -> Iterator[tuple[float, list[int]]]:
        if node == target:
            yield length, path
            return
        for link, head, weight in leaving.get(node, []):
            if head not in seen:
                yield from walk(head, seen | {head}, length + weight, [*path, link])

    if source != target and not {source, target} & net.failed_nodes:
        yield from walk(source, frozenset({source}), 0.0, [])


def k_shortest(net: Network, source: int, target: int, k: int) -> list[list[int]]:
    """All loopless paths sorted by (length, links); the first k."""
    return [path for _, path in sorted(simple_paths(net, source, target))[:k]]


def ecmp_loads(net: Network, demands: Sequence[Demand]) -> tuple[list[float], list[float]]:
    """(load of every link, lost volume of every demand): each demand walked by itself, split at every node."""
    load = [0.0] * len(net.links)
    lost = [0.0] * len(demands)

    def send(node: int, target: int, volume: float, dist: list[float]) -> None:
        if node == target:
            return
        tight = [
            (link, head)
            for link, tail, head, weight in net.usable()
            if tail == node and weight + dist[head] == dist[node]
        ]
        for link, head in tight:
            load[link] += volume / len(tight)
            send(head, target, volume / len(tight), dist)

    for number, (source, target, volume) in enumerate(demands):
        dist = distances_to(net, target)
        if dist[source] < inf:
            send(source, target, volume, dist)
        else:
            lost[number] = volume
    return load, lost


def components(net: Network) -> tuple[int, list[int]]:
    """Merge labels along links until nothing changes; numbered by the lowest node; -1 at failed nodes."""
    label = list(range(net.nodes))
    changed = True
    while changed:
        changed = False
        for _, tail, head, _ in net.usable():
            low = min(label[tail], label[head])
            changed |= label[tail] != low or label[head] != low
            label[tail] = label[head] = low
    names: dict[int, int] = {}
    for node in range(net.nodes):
        if node not in net.failed_nodes:
            names.setdefault(label[node], len(names))
    return len(names), [-1 if node in net.failed_nodes else names[label[node]] for node in range(net.nodes)]


def group_is_connected(net: Network, members: set[int]) -> bool:
    """Some member reaches all others without leaving the group, directions ignored."""
    seen: set[int] = set()
    open_nodes = [min(members)]
    while open_nodes:
        node = open_nodes.pop()
        seen.add(node)
        for _, tail, head, _ in net.usable():
            for a, b in ((tail, head), (head, tail)):
                if a == node and b in members and b not in seen:
                    open_nodes.append(b)
    return seen == members
