"""Questions of a prebuilt graph, one a run: ours against scipy, networkit, rustworkx and igraph.

- ``folded``  shortest paths from one node where nine nodes in ten (or five) are devices on a plane mesh: ours folds
  them away beforehand (not timed, as the peer's matrix), scipy's dijkstra searches all
- ``between``  one path between two nodes of a plane mesh: networkit's BidirectionalDijkstra
- ``yen``  four loopless paths between two nodes: rustworkx's k_shortest_path_lengths gives one length (of walks, which
  may pass a node twice: it does less), igraph's get_k_shortest_paths the same paths
- ``flow``  maximum flow between two nodes, whole capacities, with the flow of every link: scipy's maximum_flow
- ``betweenness``  of all nodes and links, weighted: igraph gives that of nodes only (it does less)
- ``repair``  one link of a shortest-path tree fails, and comes back: ours repaired against ours from the beginning

Sources, targets and links change from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
from networks import cables_of, mesh, with_devices

from support import Case, main

Pair = tuple[int, int]


def pairs_of(graph: Any) -> Iterator[Pair]:
    """Pairs of nodes that reach each other."""
    _, label = graph.components()
    largest = np.flatnonzero(label == np.bincount(label).argmax())
    ends = np.random.default_rng(7).choice(largest, (500, 2)).tolist()
    return cycle([(a, b) for a, b in ends if a != b])


def folded(nodes: int, devices: int) -> Iterator[Case]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    from tiertwin import _core

    backbone = nodes - devices
    tail, head, weight = with_devices(mesh(backbone), backbone, devices)
    folding = _core.Folding(_core.Graph(nodes, tail, head, weight))
    matrix = csr_matrix((weight, (tail, head)), shape=(nodes, nodes))
    sources = cycle(np.random.default_rng(2).permutation(nodes)[:1000].tolist())

    def ours(source: int) -> Any:
        return folding.shortest_paths(source)

    def peer(source: int) -> Any:
        return dijkstra(matrix, indices=source, return_predecessors=True)

    def check(mine: Any, theirs: Any) -> None:
        (distance, via), (expected, _) = mine, theirs
        assert np.array_equal(distance, expected)
        reached = np.flatnonzero(via >= 0)
        assert np.array_equal(distance[tail[via[reached]]] + weight[via[reached]], distance[reached])

    case, setup = f"folded/{nodes}/{devices}", partial(next, sources)
    yield Case(case, ours, peer, "scipy.sparse.csgraph.dijkstra", check, setup=setup)


def between(nodes: int) -> Iterator[Case]:
    import networkit

    from tiertwin import _core

    tail, head, weight = mesh(nodes)
    graph = _core.Graph(nodes, tail, head, weight)
    finder, asked = _core.PathFinder(graph), pairs_of(graph)
    networkit.setNumberOfThreads(1)
    peer_graph = networkit.GraphFromCoo((weight, (tail, head)), n=nodes, weighted=True, directed=True)

    def ours(pair: Pair) -> Any:
        return finder.shortest_path(*pair), pair

    def peer(pair: Pair) -> Any:
        search = networkit.distance.BidirectionalDijkstra(peer_graph, *pair, True)
        search.run()
        return search.getDistance(), search.getPath()

    def check(mine: Any, theirs: Any) -> None:
        (length, links), (source, target) = mine
        assert np.isclose(length, theirs[0], rtol=1e-12)
        assert (tail[links[0]], head[links[-1]]) == (source, target)
        assert np.isclose(weight[links].sum(), length, rtol=1e-12)
        assert np.array_equal(head[links[:-1]], tail[links[1:]])

    yield Case(f"between/{nodes}", ours, peer, "networkit BidirectionalDijkstra", check, setup=partial(next, asked))


def yen(nodes: int) -> Iterator[Case]:
    import igraph
    import rustworkx

    from tiertwin import _core

    tail, head, weight = mesh(nodes)
    graph = _core.Graph(nodes, tail, head, weight)
    asked = pairs_of(graph)
    rust = rustworkx.PyDiGraph()
    rust.add_nodes_from(range(nodes))
    rust.add_edges_from(list(zip(tail.tolist(), head.tolist(), weight.tolist(), strict=True)))
    plain = igraph.Graph(n=nodes, edges=np.stack([tail, head], 1).tolist(), directed=True)
    weights = weight.tolist()

    def ours(pair: Pair) -> Any:
        return graph.k_shortest(*pair, 4)

    def with_rustworkx(pair: Pair) -> Any:
        return rustworkx.digraph_k_shortest_path_lengths(rust, pair[0], 4, float, pair[1])[pair[1]]

    def with_igraph(pair: Pair) -> Any:
        return plain.get_k_shortest_paths(pair[0], pair[1], k=4, weights=weights, output="epath")

    def against_walks(mine: Any, fourth: Any) -> None:
        lengths = [weight[path].sum() for path in mine]
        assert lengths == sorted(lengths)
        assert lengths[3] >= fourth * (1 - 1e-12)  # the fourth walk is no longer than the fourth path

    def against_paths(mine: Any, theirs: Any) -> None:
        lengths = [weight[path].sum() for path in mine]
        assert np.allclose(lengths, [weight[path].sum() for path in theirs], rtol=1e-12)

    for name, peer, check in (
        ("rustworkx", with_rustworkx, against_walks),
        ("igraph", with_igraph, against_paths),
    ):
        yield Case(f"yen/{nodes}/{name}", ours, peer, name, check, setup=partial(next, asked))


def flow(nodes: int) -> Iterator[Case]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import maximum_flow

    from tiertwin import _core

    tail, head, weight = mesh(nodes)
    capacity = np.random.default_rng(8).integers(1, 100, len(tail)).astype(np.int32)
    graph, numbers = _core.Graph(nodes, tail, head, weight), capacity.astype(np.float64)
    matrix = csr_matrix((capacity, (tail, head)), shape=(nodes, nodes))
    asked = pairs_of(graph)

    def ours(pair: Pair) -> Any:
        return _core.max_flow(graph, *pair, numbers)

    def peer(pair: Pair) -> Any:
        return maximum_flow(matrix, *pair)

    def check(mine: Any, theirs: Any) -> None:
        value, _, _, cut = mine
        assert value == theirs.flow_value == numbers[cut].sum()

    yield Case(f"flow/{nodes}", ours, peer, "scipy.sparse.csgraph.maximum_flow", check, setup=partial(next, asked))


def betweenness(nodes: int) -> Iterator[Case]:
    import igraph

    from tiertwin import _core

    tail, head, weight = mesh(nodes)
    graph = _core.Graph(nodes, tail, head, weight)
    plain, weights = igraph.Graph(n=nodes, edges=np.stack([tail, head], 1).tolist(), directed=True), weight.tolist()

    def check(mine: Any, theirs: Any) -> None:
        assert np.allclose(mine[0], theirs, rtol=1e-9, atol=1e-6)

    yield Case(
        f"betweenness/{nodes}",
        lambda: _core.betweenness(graph),
        lambda: plain.betweenness(directed=True, weights=weights),
        "igraph (nodes only)",
        check,
    )


def repair(nodes: int) -> Iterator[Case]:
    from tiertwin import _core

    tail, head, weight = mesh(nodes)
    graph = _core.Graph(nodes, tail, head, weight)
    overlay = _core.Overlay(graph)
    paths = _core.RepairedPaths(graph, 0, overlay)
    via = graph.shortest_paths(0)[1]
    in_tree = via[via >= 0]
    links = cycle(np.random.default_rng(9).choice(in_tree, 500, replace=False).tolist())
    nothing, ends = np.array([], np.int64), cables_of(tail, head)

    def ours(link: int) -> Any:
        overlay.fail_link(link)
        paths.update(overlay, np.array([link]), nothing)
        answer = paths.distances_to(ends[0])
        overlay.restore_link(link)
        paths.update(overlay, np.array([link]), nothing)
        return answer, paths, link

    def peer(link: int) -> Any:
        overlay.fail_link(link)
        answer = graph.shortest_paths(0, overlay)[0][ends[0]]
        overlay.restore_link(link)
        return answer, graph.shortest_paths(0, overlay)[0]

    def check(mine: Any, theirs: Any) -> None:
        assert np.array_equal(mine[0], theirs[0])
        assert np.array_equal(mine[1].distance(), theirs[1])

    yield Case(f"repair/{nodes}", ours, peer, "two searches of ours", check, setup=partial(next, links))


def cases(quick: bool) -> Iterator[Case]:
    sizes = (100_000,) if quick else (100_000, 1_000_000)
    for nodes in sizes:
        for share in (9, 5):
            yield from folded(nodes, nodes * share // 10)
    for nodes in sizes[:1] if quick else (10_000, 100_000):
        yield from between(nodes)
    for nodes in (1_000,) if quick else (1_000, 10_000):
        yield from yen(nodes)
    for nodes in (10_000,) if quick else (1_000, 10_000, 100_000):
        yield from flow(nodes)
    yield from betweenness(500 if quick else 2_000)
    yield from repair(100_000)


if __name__ == "__main__":
    main(__doc__ or "", cases)
