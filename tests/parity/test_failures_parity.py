"""Failures and their pairs against taking things away and looking again; weights are whole numbers, sums exact."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import failures as naive
from reference.graph import Network
from support.small_networks import bare, built, ints, networks
from tiertwin import _core


def weights_of(net: Network) -> np.ndarray:
    node = np.arange(net.nodes, dtype=np.float64)
    return np.stack([node + 1, (3 * node) % 5], axis=1)


def some(net: Network, drawn: list[int]) -> list[int]:
    return sorted({number % net.nodes for number in drawn})


numbers = st.lists(st.integers(0, 7), min_size=1, max_size=3)


@settings(max_examples=100)
@given(networks(), numbers)
def test_single_failures(net: Network, drawn: list[int]) -> None:
    roots, weights, cable = some(net, drawn), weights_of(net), naive.cables_of(net)
    graph, overlay = built(net)
    cables = _core.Cables(graph)
    assert cables.of_links().tolist() == cable
    for seen, through in ((bare(net), None), (net, overlay)):
        by_cable, by_node, already = cables.single_failures(ints(roots), weights, through)
        for number in range(cables.count):
            assert by_cable[number].tolist() == naive.lost(seen, roots, cable, weights.tolist(), [number], [])
        for node in range(net.nodes):
            assert by_node[node].tolist() == naive.lost(seen, roots, cable, weights.tolist(), [], [node])
        reach = naive.served(seen, roots, cable, set(), set())
        assert already.tolist() == weights[[v not in reach for v in range(net.nodes)]].sum(axis=0).tolist()


@given(networks(most_nodes=6), numbers)
def test_links_that_are_cables_of_their_own_fail_alone(net: Network, drawn: list[int]) -> None:
    roots, weights = some(net, drawn), weights_of(net)
    graph, _ = built(net)
    by_cable, _, _ = _core.Cables(graph, np.arange(graph.link_count)).single_failures(ints(roots), weights)
    for link in range(graph.link_count):
        alone = list(range(graph.link_count))
        assert by_cable[link].tolist() == naive.lost(bare(net), roots, alone, weights.tolist(), [link], [])


@settings(max_examples=60)
@given(networks(), numbers, st.lists(st.integers(0, 30), max_size=5), st.lists(st.integers(0, 7), max_size=4))
def test_pairs_and_scenarios(net: Network, drawn: list[int], at: list[int], on: list[int]) -> None:
    roots, weights, cable = some(net, drawn), weights_of(net), naive.cables_of(net)
    graph, overlay = built(net)
    cables = _core.Cables(graph)
    chosen = sorted({number % cables.count for number in at}) if cables.count else []
    nodes = some(net, on) if on else []
    elements = [([number], []) for number in chosen] + [([], [node]) for node in nodes]
    for seen, through in ((bare(net), None), (net, overlay)):
        core = _core.FailureCore(cables, ints(roots), weights, ints(chosen), ints(nodes), through)
        lost = core.pairs()
        assert lost.shape == (len(elements), len(elements), 2)
        scenarios = [(i, j) for i in range(len(elements)) for j in range(len(elements))]
        for i, j in scenarios:
            (a, b), (c, d) = elements[i], elements[j]
            assert lost[i, j].tolist() == naive.lost(seen, roots, cable, weights.tolist(), a + c, b + d)
        swept = core.scenarios(np.arange(len(scenarios) + 1) * 2, ints(scenarios))
        assert np.array_equal(swept, lost.reshape(-1, 2))
        whole = core.scenarios(ints([0, len(elements)]), np.arange(len(elements)))[0]
        assert whole.tolist() == naive.lost(seen, roots, cable, weights.tolist(), chosen, nodes)


def test_a_large_network_equals_networkx_and_naive_removal() -> None:
    import networkx as nx

    random = np.random.default_rng(4)
    mesh = nx.random_geometric_graph(600, 0.06, seed=2)
    for leaf in range(600, 1000):
        mesh.add_edge(leaf, int(random.integers(0, leaf)))
    ends = ints([*mesh.edges]).reshape(-1, 2)
    tail, head = np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])
    cables = _core.Cables(_core.Graph(1000, tail, head, np.ones(len(tail))))
    weights = random.integers(0, 9, (1000, 1)).astype(np.float64)
    roots = [3, 77]
    by_cable, by_node, already = cables.single_failures(ints(roots), weights)
    everything = set.union(*(nx.node_connected_component(mesh, root) for root in roots))
    assert already[0] == weights.sum() - weights[sorted(everything)].sum()

    def left(graph: nx.Graph) -> float:
        reached = {v for root in roots if root in graph for v in nx.node_connected_component(graph, root)}
        return float(weights[sorted(reached)].sum())

    for number in random.choice(len(ends), 100, replace=False):
        without = mesh.copy()
        without.remove_edge(*ends[number])
        assert by_cable[number, 0] == left(mesh) - left(without)
    for node in [*roots, *random.choice(1000, 100, replace=False).tolist()]:
        without = mesh.copy()
        without.remove_node(node)
        assert by_node[node, 0] == left(mesh) - left(without)
