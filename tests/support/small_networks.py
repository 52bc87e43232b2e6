"""Random small networks for the parity tests of graphs, and how the core sees them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from reference.graph import Network
from tiertwin import _core


@st.composite
def networks(
    draw: st.DrawFn, most_nodes: int = 8, most_links: int = 20, least_weight: int = 1, *, ways_back: bool = True
) -> Network:
    """Loops, parallel links, islands, failures and multipliers included; with `ways_back` some links have one."""
    nodes = draw(st.integers(1, most_nodes))
    node = st.integers(0, nodes - 1)
    links = draw(st.lists(st.tuples(node, node, st.integers(least_weight, 4).map(float)), max_size=most_links))
    if ways_back and links:
        links += [
            (head, tail, weight) for tail, head, weight in draw(st.lists(st.sampled_from(links), max_size=most_links))
        ]
    some = 3 if links else 0
    link = st.integers(0, max(0, len(links) - 1))
    return Network(
        nodes,
        links,
        failed_links=draw(st.sets(link, max_size=some)),
        failed_nodes=draw(st.sets(node, max_size=1)),
        factor=draw(st.dictionaries(link, st.integers(1, 3).map(float), max_size=some)),
    )


def built(net: Network) -> tuple[_core.Graph, _core.Overlay]:
    tail, head, weight = (list(column) for column in zip(*net.links, strict=True)) if net.links else ([], [], [])
    graph = _core.Graph(net.nodes, np.array(tail, np.int64), np.array(head, np.int64), np.array(weight, np.float64))
    overlay = _core.Overlay(graph)
    for link in net.failed_links:
        overlay.fail_link(link)
    for node in net.failed_nodes:
        overlay.fail_node(node)
    for link, factor in net.factor.items():
        overlay.scale_weight(link, factor)
    return graph, overlay


def bare(net: Network) -> Network:
    return Network(net.nodes, net.links)


def ints(values: object) -> np.ndarray:
    return np.array(values, np.int64).reshape(-1)
