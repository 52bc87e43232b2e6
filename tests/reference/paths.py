"""Disjoint paths, cuts and shares of ways by trying everything. Slow on purpose; weights above 0."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import inf

from reference.graph import Network, simple_paths


def _sets_apart(uses: list[frozenset[int]], many: int, first: int = 0) -> Iterator[tuple[int, ...]]:
    """Every choice of so many numbers whose uses have nothing in common."""
    if many == 0:
        yield ()
        return
    for number in range(first, len(uses)):
        for rest in _sets_apart(uses, many - 1, number + 1):
            if not any(uses[number] & uses[other] for other in rest):
                yield (number, *rest)


def least_disjoint(net: Network, source: int, target: int, k: int, by_nodes: bool) -> tuple[int, float]:
    """(how many disjoint paths there are, at most k; the least total weight of that many)."""
    paths = sorted(simple_paths(net, source, target))
    inner = [frozenset(net.links[link][1] for link in path[:-1]) for _, path in paths]
    uses = inner if by_nodes else [frozenset(path) for _, path in paths]
    for many in range(min(k, len(paths)), 0, -1):
        totals = [sum(paths[number][0] for number in chosen) for chosen in _sets_apart(uses, many)]
        if totals:
            return many, min(totals)
    return 0, 0.0


def least_cut(net: Network, source: int, target: int, capacity: list[float]) -> float:
    """The least capacity that leaves a set with the source and without the target."""
    others = [node for node in range(net.nodes) if node not in (source, target)]
    best = inf
    for size in range(len(others) + 1):
        for some in combinations(others, size):
            side = {source, *some}
            best = min(best, sum(capacity[link] for link, a, b, _ in net.usable() if a in side and b not in side))
    return best


def betweenness(net: Network, sources: list[int]) -> tuple[list[float], list[float]]:
    """Of every node and link: the share of shortest ways through it, over pairs from the sources."""
    by_node, by_link = [0.0] * net.nodes, [0.0] * len(net.links)
    for source in sources:
        for target in range(net.nodes):
            paths = sorted(simple_paths(net, source, target))
            short = [path for length, path in paths if length == paths[0][0]]
            for path in short:
                for link in path:
                    by_link[link] += 1 / len(short)
                    if net.links[link][1] != target:
                        by_node[net.links[link][1]] += 1 / len(short)
    return by_node, by_link
