"""Graph kernels against the naive versions on small random networks.

Weights are whole numbers, so that sums are exact and "equally short" means the same on both sides.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import graph as naive
from reference.graph import Network
from support import small_networks
from support.small_networks import bare, built
from tiertwin import _core

networks = partial(small_networks.networks, ways_back=False)


@given(networks(), st.integers(0, 7))
def test_shortest_paths(net: Network, source: int) -> None:
    source %= net.nodes
    graph, overlay = built(net)
    for seen, through in ((bare(net), None), (net, overlay)):
        dist, via = graph.shortest_paths(source, through)
        assert dist.tolist() == naive.distances_from(seen, source)
        assert via.tolist() == naive.via_links(seen, source)


@given(networks(least_weight=0), st.integers(0, 7))
def test_following_via_links_ends_at_the_source_even_at_weight_zero(net: Network, source: int) -> None:
    source %= net.nodes
    graph, overlay = built(net)
    dist, via = graph.shortest_paths(source, overlay)
    assert dist.tolist() == naive.distances_from(net, source)
    weight = {link: weight for link, _, _, weight in net.usable()}
    for start in np.flatnonzero(via >= 0):
        node, length, steps = int(start), 0.0, 0
        while node != source:
            link = int(via[node])
            length, node, steps = length + weight[link], net.links[link][0], steps + 1
            assert steps <= net.nodes
        assert length == dist[start]


@settings(max_examples=100)
@given(networks(most_nodes=6, most_links=14), st.integers(0, 5), st.integers(0, 5), st.integers(0, 12))
def test_k_shortest(net: Network, source: int, target: int, k: int) -> None:
    source, target = source % net.nodes, target % net.nodes
    graph, overlay = built(net)
    for seen, through in ((bare(net), None), (net, overlay)):
        paths = graph.k_shortest(source, target, k, through)
        assert [path.tolist() for path in paths] == naive.k_shortest(seen, source, target, k)


@given(networks(most_nodes=6, most_links=14, least_weight=0), st.integers(0, 5), st.integers(0, 5))
def test_k_shortest_with_weight_zero_has_the_same_lengths(net: Network, source: int, target: int) -> None:
    source, target = source % net.nodes, target % net.nodes
    graph, overlay = built(net)
    paths = [tuple(path.tolist()) for path in graph.k_shortest(source, target, 10, overlay)]
    every = sorted((length, tuple(path)) for length, path in naive.simple_paths(net, source, target))
    length_of = {path: length for length, path in every}
    assert len(set(paths)) == len(paths) == min(10, len(every))
    assert [length_of[path] for path in paths] == [length for length, _ in every[: len(paths)]]


@settings(max_examples=100)
@given(
    networks(), st.lists(st.tuples(*[st.integers(0, 7)] * 2, st.integers(0, 9).map(float)), max_size=8), st.booleans()
)
def test_ecmp_loads(net: Network, drawn: list[tuple[int, int, float]], by_hops: bool) -> None:
    demands = [(a % net.nodes, b % net.nodes, volume) for a, b, volume in drawn]
    src, dst = (np.array([demand[i] for demand in demands], np.int64) for i in (0, 1))
    volume = np.array([demand[2] for demand in demands], np.float64)
    graph, overlay = built(net)
    for seen, through in ((bare(net), None), (net, overlay)):
        load, lost = graph.ecmp_loads_and_lost(src, dst, volume, through, by_hops=by_hops)
        want_load, want_lost = naive.ecmp_loads(seen.by_hops() if by_hops else seen, demands)
        np.testing.assert_allclose(load, want_load, rtol=1e-12, atol=1e-12)
        assert lost.tolist() == want_lost


@given(networks())
def test_components(net: Network) -> None:
    graph, overlay = built(net)
    for seen, through in ((bare(net), None), (net, overlay)):
        count, label = graph.components(through)
        assert (count, label.tolist()) == naive.components(seen)


def test_k_shortest_and_paths_on_a_larger_mesh_equal_scipy_and_networkx() -> None:
    import itertools

    import networkx as nx
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    random = np.random.default_rng(5)
    mesh = nx.random_geometric_graph(400, 0.09, seed=3)
    ends = np.array([(a, b) for a, b in mesh.edges] + [(b, a) for a, b in mesh.edges], dtype=np.int64)
    weight = np.tile(random.random(len(mesh.edges)) + 0.1, 2)
    graph = _core.Graph(400, ends[:, 0].copy(), ends[:, 1].copy(), weight)
    peer = csr_matrix((weight, ends.T), shape=(400, 400))
    for source in (0, 17, 399):
        dist, _ = graph.shortest_paths(source)
        assert np.array_equal(dist, dijkstra(peer, indices=source))

    for link, (a, b) in enumerate(mesh.edges):
        mesh.edges[a, b]["weight"] = weight[link]
    reach = np.flatnonzero(np.isfinite(graph.shortest_paths(0)[0]))
    target = int(reach[-1])
    want = itertools.islice(nx.shortest_simple_paths(mesh, 0, target, weight="weight"), 25)
    lengths = [float(weight[path].sum()) for path in graph.k_shortest(0, target, 25)]
    np.testing.assert_allclose(lengths, [nx.path_weight(mesh, path, "weight") for path in want], rtol=1e-12)


def test_ecmp_by_weight_counts_sums_that_differ_in_rounding_as_equal() -> None:
    # 0 -> 1 -> 3 is 0.1 + 0.7, 0 -> 2 -> 3 is 0.5 + 0.3: equal on paper, 1e-16 apart in doubles.
    tail, head = np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3])
    graph = _core.Graph(4, tail, head, np.array([0.1, 0.5, 0.7, 0.3]))
    demand = (np.array([0]), np.array([3]), np.array([8.0]))
    assert graph.ecmp_loads(*demand, by_hops=False).tolist() == [4.0, 4.0, 4.0, 4.0]
    assert sorted(graph.ecmp_loads(*demand, by_hops=False, tolerance=0.0).tolist()) == [0.0, 0.0, 8.0, 8.0]
