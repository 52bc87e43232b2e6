"""Laws of the graph engine, on meshes with weights that are not whole numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.small_networks import ints
from tiertwin import _core


def random_mesh(nodes: int, seed: int, devices: int = 0) -> tuple[_core.Graph, np.ndarray]:
    """A plane mesh with both directions of every cable and devices hanging on it."""
    random = np.random.default_rng(seed)
    plane = nx.random_geometric_graph(nodes, 1.6 / np.sqrt(nodes), seed=seed)
    ends = [*plane.edges, *((int(random.integers(0, nodes)), nodes + d) for d in range(devices))]
    pairs = ints(ends).reshape(-1, 2)
    tail, head = np.concatenate([pairs[:, 0], pairs[:, 1]]), np.concatenate([pairs[:, 1], pairs[:, 0]])
    weight = random.random(len(tail)) + 0.01
    return _core.Graph(nodes + devices, tail, head, weight), weight


@given(st.integers(0, 1000), st.integers(1, 12))
@settings(max_examples=30)
def test_k_shortest_paths_ascend_have_no_loops_and_differ(seed: int, k: int) -> None:
    graph, weight = random_mesh(60, seed)
    tails, heads = graph.tails(), graph.heads()
    paths = graph.k_shortest(0, 59, k)
    lengths = [weight[path].sum() for path in paths]
    assert all(b >= a * (1 - 1e-12) for a, b in pairwise(lengths))
    assert len({tuple(path) for path in paths}) == len(paths)
    for path in paths:
        nodes = [0, *heads[path].tolist()]
        assert nodes[:-1] == tails[path].tolist()
        assert len(set(nodes)) == len(nodes)
        assert nodes[-1] == 59
    more = graph.k_shortest(0, 59, k + 1)
    assert [path.tolist() for path in more[: len(paths)]] == [path.tolist() for path in paths]
    if paths:
        assert lengths[0] == pytest.approx(_core.PathFinder(graph).shortest_path(0, 59)[0], rel=1e-12)


@given(st.integers(0, 1000), st.booleans())
@settings(max_examples=30)
def test_disjoint_paths_share_nothing_and_are_as_many_as_a_flow(seed: int, by_nodes: bool) -> None:
    graph, weight = random_mesh(60, seed)
    tails, heads = graph.tails(), graph.heads()
    paths = _core.disjoint_paths(graph, 0, 59, 60, by_nodes=by_nodes)
    links = [link for path in paths for link in path.tolist()]
    assert len(set(links)) == len(links)
    cables = {tuple(sorted((int(tails[link]), int(heads[link])))) for link in links}
    assert len(cables) == len(links)  # no cable both ways either
    inner = [node for path in paths for node in heads[path[:-1]].tolist()]
    if by_nodes:
        assert len(set(inner)) == len(inner)
    else:
        assert len(paths) == _core.max_flow(graph, 0, 59, np.ones(graph.link_count))[0]
    totals = [
        sum(weight[path].sum() for path in _core.disjoint_paths(graph, 0, 59, k, by_nodes=by_nodes))
        for k in range(len(paths) + 1)
    ]
    rises = np.diff(totals)  # each further path costs at least what the one before it did
    assert np.all(rises[1:] >= rises[:-1] * (1 - 1e-12))


@given(st.integers(0, 1000), st.floats(0.1, 10.0))
@settings(max_examples=30)
def test_a_flow_is_its_cut_conserved_and_scales(seed: int, factor: float) -> None:
    graph, capacity = random_mesh(50, seed)
    value, flow, side, cut = _core.max_flow(graph, 0, 49, capacity)
    assert value == pytest.approx(capacity[cut].sum(), rel=1e-9)
    assert np.all((flow >= 0) & (flow <= capacity))
    balance = np.zeros(50)
    np.add.at(balance, graph.heads(), flow)
    np.subtract.at(balance, graph.tails(), flow)
    balance[[0, 49]] += [value, -value]
    assert np.abs(balance).max() <= 1e-9 * max(value, 1.0)
    assert side[0]
    assert not side[49]
    assert _core.max_flow(graph, 0, 49, capacity * factor)[0] == pytest.approx(value * factor, rel=1e-9)


@given(st.integers(0, 1000), st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=12))
@settings(max_examples=40)
def test_repaired_distances_are_exactly_those_of_a_fresh_search(seed: int, steps: list[tuple[int, bool]]) -> None:
    graph, _ = random_mesh(60, seed)
    overlay = _core.Overlay(graph)
    paths = _core.RepairedPaths(graph, 3, overlay)
    if not graph.link_count:
        return
    for number, fail in steps:
        link, node = number % graph.link_count, number % 60
        overlay.fail_link(link) if fail else overlay.scale_weight(link, 0.7)
        if number % 5 == 0:
            overlay.fail_node(node) if fail else overlay.restore_node(node)
        paths.update(overlay, ints([link]), ints([node]))
        distance, via = graph.shortest_paths(3, overlay)
        assert np.array_equal(paths.distance(), distance)
        assert np.array_equal(paths.via_link(), via)
    everything = np.arange(graph.link_count), np.arange(60)
    assert paths.update(overlay, *everything) == 0  # nothing changed


@given(st.integers(0, 1000), st.lists(st.integers(0, 59), min_size=1, max_size=4))
@settings(max_examples=30)
def test_losses_are_bounded_by_roots_and_pairs(seed: int, roots: list[int]) -> None:
    graph, _ = random_mesh(60, seed, devices=60)
    cables = _core.Cables(graph)
    weights = np.random.default_rng(seed).integers(0, 9, (120, 3)).astype(np.float64)
    by_cable, by_node, already = cables.single_failures(ints(roots), weights)
    assert np.all(by_node <= weights.sum(axis=0) - already)
    more = cables.single_failures(ints([*roots, 0]), weights)
    assert np.all(more[0] <= by_cable + already)  # one root more never cuts off what was served without it
    at, on = np.arange(0, cables.count, 7), np.arange(0, 120, 11)
    lost = _core.FailureCore(cables, ints(roots), weights, at, on).pairs()
    single = np.concatenate([by_cable[at], by_node[on]])
    each = np.arange(len(single))
    assert np.array_equal(lost[each, each], single)
    assert np.array_equal(lost, lost.transpose(1, 0, 2))
    assert np.all(lost >= np.maximum(single[:, None], single[None]))  # two failures cost no less than either


def test_a_sweep_gives_the_same_answers_on_any_number_of_threads() -> None:
    graph, _ = random_mesh(150, 2, devices=500)
    cables, weights = _core.Cables(graph), np.random.default_rng(3).random((650, 2))
    core = _core.FailureCore(cables, ints([0]), weights, np.arange(120), np.arange(80))
    whole = core.pairs()
    for threads in (2, 3, 8):
        bounds = np.linspace(0, core.element_count, threads * 2 + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            parts = list(pool.map(core.pairs, bounds[:-1], bounds[1:]))
        assert np.concatenate(parts).tobytes() == whole.tobytes()


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_betweenness_adds_up_to_hops_and_pivots_average_to_it(seed: int) -> None:
    graph, _ = random_mesh(40, seed)
    by_node, by_link = _core.betweenness(graph)
    hops = 0  # links on the shortest ways, which are single ones here
    for source in range(40):
        distance, via = graph.shortest_paths(source)
        for target in np.flatnonzero(np.isfinite(distance)).tolist():
            node = target
            while node != source:
                node, hops = int(graph.tails()[via[node]]), hops + 1
    assert by_link.sum() == pytest.approx(hops)
    into = np.zeros(40)
    np.add.at(into, graph.heads(), by_link)
    reached = sum(np.isfinite(graph.shortest_paths(s)[0]).sum() - 1 for s in range(40))
    assert into.sum() - by_node.sum() == pytest.approx(reached)  # every way ends once
    halves = [_core.betweenness(graph, np.arange(first, 40, 2))[0] for first in (0, 1)]
    np.testing.assert_allclose((halves[0] + halves[1]) / 2, by_node, rtol=1e-9, atol=1e-9)


@given(st.integers(0, 1000), st.integers(0, 119))
@settings(max_examples=30)
def test_folded_paths_equal_whole_ones(seed: int, source: int) -> None:
    graph, _ = random_mesh(40, seed, devices=80)
    overlay = _core.Overlay(graph)
    for link in range(0, graph.link_count, 5):
        overlay.scale_weight(link, 1.5)
    folding = _core.Folding(graph)
    assert folding.core_count <= 40
    for through in (None, overlay):
        folded, whole = folding.shortest_paths(source, through), graph.shortest_paths(source, through)
        assert np.array_equal(folded[0], whole[0])
        assert np.array_equal(folded[1], whole[1])
