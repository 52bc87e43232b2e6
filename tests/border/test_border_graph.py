"""The border of graph, random and queueing: lifetimes, ownership, dtypes, shapes, messages, threads."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tiertwin import _core

TAIL, HEAD, WEIGHT = np.array([0, 1, 2, 0]), np.array([1, 2, 3, 3]), np.array([1.0, 1.0, 1.0, 5.0])


def line() -> _core.Graph:
    return _core.Graph(4, TAIL, HEAD, WEIGHT)


def test_the_graph_keeps_copies_of_what_it_was_given() -> None:
    tail, head, weight = TAIL.copy(), HEAD.copy(), WEIGHT.copy()
    graph = _core.Graph(4, tail, head, weight)
    tail[:], head[:], weight[:] = 0, 0, 9.0
    assert graph.tails().tolist() == TAIL.tolist()
    assert graph.heads().tolist() == HEAD.tolist()
    assert graph.weights().tolist() == WEIGHT.tolist()
    graph.weights()[:] = 7.0  # a copy: writing to it is the caller's own business
    assert graph.weights().tolist() == WEIGHT.tolist()


def test_outputs_outlive_the_graph_and_overlays_keep_it_alive() -> None:
    overlay = _core.Overlay(line())
    gc.collect()
    overlay.fail_link(3)
    graph = line()
    dist, via = graph.shortest_paths(0)
    del graph
    gc.collect()
    assert dist.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert via.tolist() == [-1, 0, 1, 2]
    assert dist.flags.owndata
    assert via.dtype == np.int64


def test_copies_of_an_overlay_are_independent() -> None:
    graph = line()
    first = _core.Overlay(graph)
    first.scale_weight(0, 10.0)
    second = first.copy()
    second.fail_link(3)
    second.scale_weight(0, 2.0)
    assert graph.shortest_paths(0, first)[0][1] == 10.0
    assert graph.shortest_paths(0, second)[0][1] == 20.0
    assert graph.shortest_paths(0, first)[0][3] == 5.0
    assert graph.shortest_paths(0, second)[0][3] == 22.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, [0, 4], [1, 1], [1.0, 1.0]), r"link 1 leaves node 4, but nodes are 0\.\.3"),
        ((4, [0, 0], [1, -1], [1.0, 1.0]), r"link 1 enters node -1, but nodes are 0\.\.3"),
        ((2, [0], [1], [-1.0]), r"link 0 has weight -1\.0+; expected a finite weight >= 0"),
        ((2, [0], [1], [float("nan")]), "link 0 has weight nan"),
        ((2, [0], [1], [float("inf")]), "link 0 has weight inf"),
        ((0, [0], [0], [1.0]), "the graph has no nodes"),
        ((2, [0], [1, 0], [1.0]), "got 1 tails, 2 heads and 1 weights"),
        ((-1, [], [], []), "got -1"),
    ],
)
def test_bad_links_are_named(arguments: tuple[int, list[int], list[int], list[float]], message: str) -> None:
    nodes, tail, head, weight = arguments
    with pytest.raises(ValueError, match=message):
        _core.Graph(nodes, np.array(tail, np.int64), np.array(head, np.int64), np.array(weight, np.float64))


@pytest.mark.parametrize(
    "tail",
    [TAIL.astype(np.int32), TAIL.astype(np.float64), np.arange(8)[::2], TAIL.tolist()],
    ids=["int32", "float64", "strided", "list"],
)
def test_other_types_and_orders_are_refused(tail: object) -> None:
    with pytest.raises(TypeError, match="n_nodes"):
        _core.Graph(4, tail, HEAD, WEIGHT)


def test_more_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="tail: expected one dimension, got 2"):
        _core.Graph(4, TAIL.reshape(2, 2), HEAD, WEIGHT)


def test_mistakes_in_calls_are_named() -> None:
    graph, other = line(), line()
    overlay = _core.Overlay(graph)
    one = np.array([1.0])
    calls = [
        (lambda: graph.shortest_paths(4), r"source is 4, but nodes are 0\.\.3"),
        (lambda: other.shortest_paths(0, overlay), "belongs to another graph"),
        (lambda: overlay.fail_link(4), "link is 4, but the graph has 4 links"),
        (lambda: overlay.fail_node(-1), "node is -1"),
        (lambda: overlay.scale_weight(0, -1.0), "expected a factor >= 0"),
        (lambda: overlay.scale_weight(0, float("inf")), "use fail_link"),
        (lambda: graph.k_shortest(0, 3, -1), "k is -1"),
        (lambda: graph.k_shortest(0, 9, 1), "target is 9"),
        (lambda: graph.ecmp_loads(np.array([0]), np.array([4]), one), "demand 0: target is 4"),
        (lambda: graph.ecmp_loads(np.array([0]), np.array([1]), -one), "demand 0 has volume -1"),
        (lambda: graph.ecmp_loads(np.array([3]), np.array([0]), one), "demand 0 from node 3 to node 0 has no way"),
        (lambda: graph.ecmp_loads(np.array([0]), np.array([1, 2]), one), "got 1 sources, 2 targets and 1 volumes"),
        (lambda: graph.partition(5, np.ones(4), 0), r"k is 5; expected 1\.\.4"),
        (lambda: graph.partition(2, np.ones(3), 0), "expected 4 node weights"),
        (lambda: graph.partition(2, -np.ones(4), 0), "node 0 has weight -1"),
        (lambda: _core.Graph(3, TAIL[:1], HEAD[:1], one).partition(1, np.ones(3), 0), "2 components"),
        (lambda: _core.philox(0, 0, 0, -1), "n is -1"),
    ]
    for call, message in calls:
        with pytest.raises(ValueError, match=message):
            call()


def test_empty_graphs_work() -> None:
    nothing = np.array([], np.int64)
    graph = _core.Graph(0, nothing, nothing, np.array([]))
    assert (graph.node_count, graph.link_count) == (0, 0)
    assert graph.components()[0] == 0
    assert graph.ecmp_loads(nothing, nothing, np.array([])).size == 0


def test_one_graph_serves_many_threads() -> None:
    random = np.random.default_rng(2)
    tail, head = random.integers(0, 300, 1500), random.integers(0, 300, 1500)
    graph = _core.Graph(300, tail, head, random.random(1500))
    src, dst = random.integers(0, 300, 50), random.integers(0, 300, 50)

    def work(_: int) -> tuple[bytes, bytes]:  # ECMP makes the rows of incoming links at first use, in whoever is first
        load, _ = graph.ecmp_loads_and_lost(src, dst, np.ones(50))
        return load.tobytes(), graph.shortest_paths(7)[0].tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(work, range(32)))) == 1
