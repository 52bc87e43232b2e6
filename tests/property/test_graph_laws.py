"""Laws of the graph module; law 4: a partition is total and disjoint, and sums over groups equal sums over members."""

from __future__ import annotations

import warnings

import networkx as nx
import numpy as np
import pytest
import topohub
from hypothesis import given
from hypothesis import strategies as st

from reference.graph import Network, group_is_connected
from tiertwin import _core


def both_ways(mesh: nx.Graph) -> tuple[_core.Graph, Network]:
    links = [(a, b, 1.0) for a, b in mesh.edges] + [(b, a, 1.0) for a, b in mesh.edges]
    tail, head = (np.array([link[i] for link in links], np.int64) for i in (0, 1))
    return _core.Graph(len(mesh), tail, head, np.ones(len(links))), Network(len(mesh), links)


@st.composite
def connected_meshes(draw: st.DrawFn) -> nx.Graph:
    """A random tree and some chords."""
    nodes = draw(st.integers(1, 30))
    mesh = nx.empty_graph(nodes)
    for node in range(1, nodes):
        mesh.add_edge(draw(st.integers(0, node - 1)), node)
    ends = st.integers(0, nodes - 1)
    mesh.add_edges_from(draw(st.lists(st.tuples(ends, ends), max_size=20)))
    return mesh


@given(connected_meshes(), st.data())
def test_partition_is_total_disjoint_connected_and_adds_up(mesh: nx.Graph, data: st.DataObject) -> None:
    graph, net = both_ways(mesh)
    k = data.draw(st.integers(1, len(mesh)))
    weight = np.array(data.draw(st.lists(st.integers(0, 9), min_size=len(mesh), max_size=len(mesh))), np.float64)
    seed = data.draw(st.integers(0, 2**64 - 1))

    group = graph.partition(k, weight, seed)

    assert group.shape == (len(mesh),)  # total and disjoint: one group a node, by construction of the answer
    assert sorted(set(group.tolist())) == list(range(k))  # none empty
    for g in range(k):
        assert group_is_connected(net, set(np.flatnonzero(group == g).tolist()))
    totals = np.bincount(group, weights=weight, minlength=k)
    assert totals.sum() == weight.sum()
    assert totals.tolist() == [weight[group == g].sum() for g in range(k)]
    assert np.array_equal(group, graph.partition(k, weight, seed))
    first_members = [int(np.flatnonzero(group == g)[0]) for g in range(k)]
    assert first_members == sorted(first_members)  # numbered by the lowest node


@pytest.mark.parametrize("k", [2, 3, 5, 8])
def test_partition_of_a_grid_is_balanced(k: int) -> None:
    mesh = nx.convert_node_labels_to_integers(nx.grid_2d_graph(16, 16))
    graph, _ = both_ways(mesh)
    totals = np.bincount(graph.partition(k, np.ones(256), 1))
    assert totals.max() - totals.min() <= 2


@pytest.mark.parametrize("seed", range(5))
def test_partition_of_germany50_is_within_a_fifth_of_the_mean(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # topohub leaves its file to the garbage collector
        topology = topohub.get("sndlib/germany50")
    mesh = nx.Graph([(edge["source"], edge["target"]) for edge in topology["edges"]])
    graph, _ = both_ways(mesh)
    totals = np.bincount(graph.partition(5, np.ones(50), seed))
    assert totals.max() <= 1.2 * totals.mean()


@given(connected_meshes(), st.data())
def test_ecmp_conserves_flow_at_every_node(mesh: nx.Graph, data: st.DataObject) -> None:
    graph, _ = both_ways(mesh)
    node = st.integers(0, len(mesh) - 1)
    demands = data.draw(st.lists(st.tuples(node, node, st.floats(0, 1e6)), max_size=10))
    src, dst = (np.array([d[i] for d in demands], np.int64) for i in (0, 1))
    volume = np.array([d[2] for d in demands], np.float64)
    for by_hops in (True, False):
        load = graph.ecmp_loads(src, dst, volume, by_hops=by_hops)
        balance = np.zeros(len(mesh))
        np.add.at(balance, graph.tails(), load)
        np.subtract.at(balance, graph.heads(), load)
        np.subtract.at(balance, src, volume)
        np.add.at(balance, dst, volume)
        assert np.abs(balance).max() <= 1e-9 * max(1.0, volume.sum())


@given(connected_meshes(), st.data())
def test_failures_never_shorten_a_way(mesh: nx.Graph, data: st.DataObject) -> None:
    graph, _ = both_ways(mesh)
    overlay = _core.Overlay(graph)
    before, _ = graph.shortest_paths(0, overlay)
    if graph.link_count:
        for link in data.draw(st.sets(st.integers(0, graph.link_count - 1), max_size=4)):
            overlay.fail_link(link)
    after, _ = graph.shortest_paths(0, overlay)
    assert (after >= before).all()
    assert np.array_equal(before, graph.shortest_paths(0)[0])  # the graph itself is as it was
