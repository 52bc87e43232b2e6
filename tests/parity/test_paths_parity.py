"""Paths, flows and shares of ways against the naive versions and networkx; weights are whole numbers."""

from __future__ import annotations

from itertools import islice

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import graph as naive
from reference import paths as tried
from reference.graph import Network
from support.small_networks import bare, built, ints, networks
from tiertwin import _core


@given(networks(least_weight=0), st.integers(0, 7), st.integers(0, 7))
def test_a_path_between_two_nodes(net: Network, source: int, target: int) -> None:
    source, target = source % net.nodes, target % net.nodes
    graph, overlay = built(net)
    finder = _core.PathFinder(graph)
    for seen, through in ((bare(net), None), (net, overlay)):
        length, links = finder.shortest_path(source, target, through)
        assert length == naive.distances_from(seen, source)[target]
        usable = {link: (tail, head, weight) for link, tail, head, weight in seen.usable()}
        node, total = source, 0.0
        for link in links.tolist():
            tail, head, weight = usable[link]
            assert tail == node
            node, total = head, total + weight
        if links.size:
            assert (node, total) == (target, length)


@settings(max_examples=200)
@given(networks(most_nodes=10, most_links=10, least_weight=0), st.integers(0, 9))
def test_folded_paths_are_those_of_the_whole_graph(net: Network, source: int) -> None:
    source %= net.nodes
    graph, overlay = built(net)
    folding = _core.Folding(graph)
    for through in (None, overlay):
        want, got = graph.shortest_paths(source, through), folding.shortest_paths(source, through)
        assert got[0].tolist() == want[0].tolist()
        if all(weight for _, _, weight in net.links):
            assert got[1].tolist() == want[1].tolist()
        for start in np.flatnonzero(got[1] >= 0).tolist():  # every way leads back to the source
            node, steps = start, 0
            while node != source:
                node, steps = net.links[got[1][node]][0], steps + 1
                assert steps <= net.nodes


@st.composite
def changes(draw: st.DrawFn, net: Network) -> list[tuple[str, int, float]]:
    link, node = st.integers(0, max(0, len(net.links) - 1)), st.integers(0, net.nodes - 1)
    kinds = [st.tuples(st.sampled_from(["fail_node", "restore_node"]), node, st.just(0.0))]
    if net.links:
        kinds.append(st.tuples(st.sampled_from(["fail_link", "restore_link"]), link, st.just(0.0)))
        kinds.append(st.tuples(st.just("scale_weight"), link, st.sampled_from([0.5, 2.0, 4.0])))
    return draw(st.lists(st.one_of(*kinds), max_size=4))


@settings(max_examples=150)
@given(networks(most_nodes=9, most_links=20), st.integers(0, 8), st.integers(0, 1), st.data())
def test_repaired_paths_are_those_of_a_fresh_search(net: Network, source: int, least: int, data: st.DataObject) -> None:
    links = [(a, b, max(w - 1 + least, 0.0)) for a, b, w in net.links]
    net = Network(net.nodes, links, net.failed_links, net.failed_nodes, net.factor)
    graph, overlay = built(net)
    source %= net.nodes
    paths = _core.RepairedPaths(graph, source, overlay)
    for _ in range(data.draw(st.integers(1, 4))):
        before, batch = paths.distance(), data.draw(changes(net))
        for kind, number, factor in batch:
            getattr(overlay, kind)(number, *([factor] if kind == "scale_weight" else []))
        moved = paths.update(
            overlay,
            ints([number for kind, number, _ in batch if "node" not in kind]),
            ints([number for kind, number, _ in batch if "node" in kind]),
        )
        distance, via = graph.shortest_paths(source, overlay)
        assert paths.distance().tolist() == distance.tolist()
        assert moved == np.sum(before != distance)
        if least:
            assert paths.via_link().tolist() == via.tolist()
        for start in np.flatnonzero(np.isfinite(distance)).tolist():  # every way leads back to the source
            node, steps = start, 0
            while node != source:
                node, steps = net.links[paths.via_link()[node]][0], steps + 1
                assert steps <= net.nodes


@settings(max_examples=80)
@given(networks(6, 9), st.integers(0, 5), st.integers(0, 5), st.integers(0, 4), st.booleans())
def test_disjoint_paths(net: Network, source: int, target: int, k: int, by_nodes: bool) -> None:
    source, target = source % net.nodes, target % net.nodes
    graph, overlay = built(net)
    for seen, through in ((bare(net), None), (net, overlay)):
        paths = [path.tolist() for path in _core.disjoint_paths(graph, source, target, k, through, by_nodes)]
        weight = {link: weight for link, _, _, weight in seen.usable()}
        lengths = [sum(weight[link] for link in path) for path in paths]
        used = [link for path in paths for link in path]
        inner = [net.links[link][1] for path in paths for link in path[:-1]]
        assert len(set(used)) == len(used)
        for path in paths:
            nodes = [source, *(net.links[link][1] for link in path)]
            assert nodes == [net.links[link][0] for link in path] + [target]
            assert len(set(nodes)) == len(nodes)
        if by_nodes:
            assert len(set(inner)) == len(inner)
        assert list(zip(lengths, paths, strict=True)) == sorted(zip(lengths, paths, strict=True))
        assert (len(paths), sum(lengths)) == tried.least_disjoint(seen, source, target, k, by_nodes)


@settings(max_examples=80)
@given(networks(7, 20), st.integers(0, 6), st.integers(0, 6), st.randoms(use_true_random=False))
def test_max_flow(net: Network, source: int, target: int, random: object) -> None:
    source, target = source % net.nodes, target % net.nodes
    capacity = [float(random.randint(0, 5)) for _ in net.links]  # type: ignore[attr-defined]
    graph, overlay = built(net)
    if source == target:
        return
    for seen, through in ((bare(net), None), (net, overlay)):
        up = {link for link, _, _, _ in seen.usable()}
        value, flow, side, cut = _core.max_flow(graph, source, target, np.array(capacity), through)
        if {source, target} & seen.failed_nodes:
            assert value == 0
            continue
        assert value == tried.least_cut(seen, source, target, capacity)
        assert value == sum(capacity[link] for link in cut)
        assert all(
            (flow[link] == 0) if link not in up else (0 <= flow[link] <= capacity[link])
            for link in range(len(capacity))
        )
        balance = np.zeros(net.nodes)
        for link, (tail, head, _) in enumerate(net.links):
            balance[tail] -= flow[link]
            balance[head] += flow[link]
        balance[source] += value
        balance[target] -= value
        assert not balance.any()
        assert side[source]
        assert not side[target]
        crossing = [link for link, a, b, _ in seen.usable() if side[a] and not side[b]]
        assert cut.tolist() == crossing


@settings(max_examples=60)
@given(networks(6, 12), st.lists(st.integers(0, 5), max_size=3))
def test_betweenness(net: Network, drawn: list[int]) -> None:
    graph, overlay = built(net)
    pivots = sorted({number % net.nodes for number in drawn})
    for seen, through in ((bare(net), None), (net, overlay)):
        up = [node for node in range(net.nodes) if node not in seen.failed_nodes]
        for chosen, sources in ((None, up), (ints(pivots), [p for p in pivots if p in up])):
            by_node, by_link = _core.betweenness(graph, chosen, through)
            want_node, want_link = tried.betweenness(seen, sources)
            scale = len(up) / len(sources) if sources else 1.0
            np.testing.assert_allclose(by_node, np.array(want_node) * scale, rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(by_link, np.array(want_link) * scale, rtol=1e-12, atol=1e-12)


def mesh_of(nodes: int, seed: int) -> tuple[nx.DiGraph, _core.Graph, np.ndarray]:
    """A plane mesh with both directions of every cable, weights of their own."""
    random = np.random.default_rng(seed)
    plane = nx.random_geometric_graph(nodes, 1.8 / np.sqrt(nodes), seed=seed)
    ends = ints([(a, b) for a, b in plane.edges] + [(b, a) for a, b in plane.edges]).reshape(-1, 2)
    weight = random.random(len(ends)) + 0.1
    mesh = nx.DiGraph()
    mesh.add_nodes_from(range(nodes))
    mesh.add_weighted_edges_from((int(a), int(b), float(w)) for (a, b), w in zip(ends, weight, strict=True))
    return mesh, _core.Graph(nodes, ends[:, 0].copy(), ends[:, 1].copy(), weight), weight


@pytest.mark.parametrize("seed", range(3))
def test_larger_meshes_equal_networkx(seed: int) -> None:
    mesh, graph, weight = mesh_of(250, seed)
    heads = graph.heads()
    distance, _ = graph.shortest_paths(0)
    target = int(np.argmax(np.where(np.isfinite(distance), distance, -1.0)))
    paths = graph.k_shortest(0, target, 15)
    want = list(islice(nx.shortest_simple_paths(mesh, 0, target, weight="weight"), 15))
    assert [[0, *heads[path].tolist()] for path in paths] == want
    finder = _core.PathFinder(graph)
    for other in range(1, 250, 7):
        length, links = finder.shortest_path(0, other)
        np.testing.assert_allclose(length, distance[other], rtol=1e-13)
        assert np.isinf(length) or weight[links].sum() == pytest.approx(length)
    by_node, by_link = _core.betweenness(graph)
    want_node = nx.betweenness_centrality(mesh, normalized=False, weight="weight")
    want_link = nx.edge_betweenness_centrality(mesh, normalized=False, weight="weight")
    np.testing.assert_allclose(by_node, [want_node[v] for v in range(250)], rtol=1e-9, atol=1e-9)
    ends = zip(graph.tails().tolist(), heads.tolist(), strict=True)
    np.testing.assert_allclose(by_link, [want_link[e] for e in ends], rtol=1e-9, atol=1e-9)
    capacity = np.random.default_rng(seed).integers(1, 20, len(weight)).astype(np.float64)
    for a, b, c in zip(graph.tails(), heads, capacity, strict=True):
        mesh.edges[a, b]["capacity"] = c
    assert _core.max_flow(graph, 0, target, capacity)[0] == nx.maximum_flow_value(mesh, 0, target)
    split = nx.DiGraph()  # k node-disjoint paths as a flow of least cost
    for a, b, w in mesh.edges(data="weight"):
        split.add_edge((a, 1), (b, 0), capacity=1, weight=round(w * 1e6))
    for v in mesh:
        split.add_edge((v, 0), (v, 1), capacity=1 if v not in (0, target) else 9, weight=0)
    found = _core.disjoint_paths(graph, 0, target, 9, by_nodes=True)
    flow = nx.max_flow_min_cost(split, (0, 1), (target, 0))
    assert len(found) == sum(flow[0, 1].values())
    total = sum(round(w * 1e6) for path in found for w in weight[path])
    assert total == pytest.approx(nx.cost_of_flow(split, flow), abs=2 * len(weight))
