"""The border of the graph engine: lifetimes, dtypes, shapes, messages, threads, and who releases the GIL."""

from __future__ import annotations

import gc
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tiertwin import _core

NOTHING = np.array([], np.int64)
ONE = np.array([0])
BINDINGS = Path(__file__).resolve().parents[2] / "cpp" / "bindings"


def square() -> _core.Graph:
    """0 - 1 - 2 - 3 - 0, both ways: cable c joins c and c + 1."""
    tail, head = np.array([0, 1, 2, 3, 1, 2, 3, 0]), np.array([1, 2, 3, 0, 0, 1, 2, 3])
    return _core.Graph(4, tail, head, np.ones(8))


def test_every_handle_outlives_the_graph() -> None:
    handles = [kind(square()) for kind in (_core.Cables, _core.PathFinder, _core.Folding)]
    cables, finder, folding = handles
    repaired = _core.RepairedPaths(square(), 0)
    core = _core.FailureCore(_core.Cables(square()), ONE, np.ones((4, 1)), np.arange(4), np.arange(4))
    gc.collect()
    assert cables.single_failures(ONE, np.ones((4, 1)))[1][:, 0].tolist() == [4.0, 1.0, 1.0, 1.0]
    assert finder.shortest_path(0, 2)[0] == 2.0
    assert folding.shortest_paths(0)[0].tolist() == [0.0, 1.0, 2.0, 1.0]
    assert repaired.distance().tolist() == [0.0, 1.0, 2.0, 1.0]
    assert core.pairs()[0, 1, 0] == 1.0


def test_outputs_own_their_memory_and_have_their_types() -> None:
    graph = square()
    by_cable, by_node, already = _core.Cables(graph).single_failures(ONE, np.ones((4, 3)))
    assert (by_cable.shape, by_node.shape, already.shape) == ((4, 3), (4, 3), (3,))
    value, flow, side, cut = _core.max_flow(graph, 0, 2, np.ones(8))
    assert (value, flow.dtype, side.dtype, cut.dtype) == (2.0, np.float64, np.bool_, np.int64)
    length, links = _core.PathFinder(graph).shortest_path(0, 0)
    assert (length, links.tolist(), links.dtype) == (0.0, [], np.int64)
    for array in (by_cable, by_node, already, flow, side, cut, links):
        assert array.flags.owndata


def test_overlays_are_read_when_asked_and_kept_nowhere() -> None:
    graph = square()
    overlay = _core.Overlay(graph)
    overlay.fail_link(0)
    overlay.fail_node(3)
    cables, weights = _core.Cables(graph), np.ones((4, 1))
    core = _core.FailureCore(cables, ONE, weights, np.arange(4), NOTHING, overlay)
    repaired = _core.RepairedPaths(graph, 0, overlay)
    assert repaired.distance().tolist() == [0.0, np.inf, np.inf, np.inf]
    assert cables.single_failures(ONE, weights, overlay)[2].tolist() == [1.0]  # cable 0 is up one way
    overlay.restore_link(0)
    overlay.restore_node(3)
    assert core.scenarios(np.array([0, 1]), ONE).tolist() == [[2.0]]  # as it was made
    assert repaired.distance().tolist() == [0.0, np.inf, np.inf, np.inf]
    assert repaired.update(overlay, ONE, np.array([3])) == 3
    assert repaired.distances_to(np.array([2, 0])).tolist() == [2.0, 0.0]


def test_mistakes_in_calls_are_named() -> None:
    graph, other = square(), _core.Overlay(square())
    cables, finder, weights = _core.Cables(graph), _core.PathFinder(graph), np.ones((4, 1))
    repaired = _core.RepairedPaths(graph, 0)
    core = _core.FailureCore(cables, ONE, weights, np.arange(2), ONE)
    bad = weights.copy()
    bad[2] = np.nan
    calls = [
        (
            lambda: _core.Cables(graph, np.zeros(8, np.int64)),
            "link 1 joins other nodes than link 0 of the same cable 0",
        ),
        (lambda: _core.Cables(graph, np.arange(7)), "expected one cable a link"),
        (lambda: _core.Cables(graph, np.arange(8) - 1), "cable of link 0 is -1"),
        (lambda: _core.Cables(graph, np.array([0, 1, 2, 3, 0, 1, 2, 7])), "cable 4 has no link"),
        (lambda: cables.single_failures(NOTHING, weights), "no roots"),
        (lambda: cables.single_failures(np.array([4]), weights), r"root is 4, but nodes are 0\.\.3"),
        (lambda: cables.single_failures(ONE, np.ones((3, 1))), r"expected shape \(4 nodes, columns\)"),
        (lambda: cables.single_failures(ONE, np.ones(4)), "got 1 dimensions of 4 numbers"),
        (lambda: cables.single_failures(ONE, bad), "node 2 has weight nan in column 0"),
        (lambda: cables.single_failures(ONE, weights, other), "belongs to another graph"),
        (lambda: _core.FailureCore(cables, ONE, weights, np.array([4]), NOTHING), "cable is 4, but there are 4 cables"),
        (lambda: _core.FailureCore(cables, ONE, weights, NOTHING, np.array([1, 1])), "node 1 is named twice"),
        (lambda: core.pairs(0, 4), "rows 0 to 4: expected 0 <= first <= last <= 3 elements"),
        (lambda: core.pairs(-1), "rows -1 to 3"),
        (lambda: core.scenarios(np.array([0, 2]), ONE), "expected `start` to count up from 0 to the 1 elements named"),
        (lambda: core.scenarios(NOTHING, NOTHING), "expected `start`"),
        (lambda: core.scenarios(np.array([0, 1]), np.array([3])), "a scenario fails element 3, but there are 3"),
        (lambda: finder.shortest_path(0, 4), "target is 4"),
        (lambda: finder.shortest_path(0, 1, other), "belongs to another graph"),
        (lambda: _core.Folding(graph).shortest_paths(-1), "source is -1"),
        (lambda: repaired.update(other, ONE, ONE), "belongs to another graph"),
        (lambda: repaired.update(_core.Overlay(graph), np.array([8]), ONE), "link is 8"),
        (lambda: repaired.update(_core.Overlay(graph), ONE, np.array([4])), "node is 4"),
        (lambda: repaired.distances_to(np.array([-1])), "node is -1"),
        (lambda: _core.disjoint_paths(graph, 0, 1, -1), "k is -1; expected at least 0"),
        (lambda: _core.max_flow(graph, 1, 1, np.ones(8)), "source and target are both node 1"),
        (lambda: _core.max_flow(graph, 0, 1, np.ones(7)), r"expected one capacity a link \(8\), got 7"),
        (lambda: _core.max_flow(graph, 0, 1, -np.ones(8)), r"link 0 has capacity -1\.0+; expected a finite"),
        (lambda: _core.betweenness(graph, np.array([1, 1])), "node 1 is a pivot twice"),
        (lambda: _core.betweenness(graph, np.array([9])), "pivot is 9"),
    ]
    for call, message in calls:
        with pytest.raises(ValueError, match=message):
            call()


def test_other_types_are_refused() -> None:
    cables = _core.Cables(square())
    for roots, weights in ((np.array([0], np.int32), np.ones((4, 1))), (ONE, np.ones((4, 1), np.float32))):
        with pytest.raises(TypeError, match="single_failures"):
            cables.single_failures(roots, weights)
    with pytest.raises(TypeError, match="max_flow"):
        _core.max_flow(square(), 0, 1, np.ones(8, np.int32))


def test_graphs_of_nothing_work() -> None:
    empty = _core.Graph(1, NOTHING, NOTHING, np.array([]))
    cables = _core.Cables(empty)
    assert cables.count == 0
    by_cable, by_node, already = cables.single_failures(ONE, np.ones((1, 0)))
    assert (by_cable.shape, by_node.shape, already.shape) == ((0, 0), (1, 0), (0,))
    core = _core.FailureCore(cables, ONE, np.ones((1, 1)), NOTHING, NOTHING)
    assert core.pairs().shape == (0, 0, 1)
    assert core.scenarios(np.array([0, 0]), NOTHING).tolist() == [[0.0]]
    assert _core.disjoint_paths(empty, 0, 0, 2) == []
    assert _core.betweenness(empty)[0].tolist() == [0.0]


def test_only_sweeps_and_runs_release_the_gil() -> None:
    """A kernel of microseconds that gives the lock away waits milliseconds to get it back."""
    releasing = {path.name: len(re.findall("gil_scoped_release", path.read_text())) for path in BINDINGS.glob("*.?pp")}
    assert {name: count for name, count in releasing.items() if count} == {
        "bind_access.cpp": 1,  # AccessNetwork.run_until
        "bind_cells.cpp": 1,  # strongest
        "bind_failures.cpp": 2,  # FailureCore.pairs, FailureCore.scenarios
        "bind_families.cpp": 1,  # FairData.solve from 50 000 options on
        "bind_packets.cpp": 2,  # PacketNetwork.run_until, run_to_end
        "bind_paths.cpp": 1,  # betweenness
        "bind_plant.cpp": 1,  # Plant.run_until
        "bind_sinr.cpp": 1,  # Links.coupled_loads
        "bind_whatif.cpp": 1,  # WhatIf.sweep
        "bind_worth.cpp": 1,  # score_windows, of many zones
    }


def test_sweeps_run_beside_other_threads() -> None:
    random = np.random.default_rng(1)
    graph = _core.Graph(400, random.integers(0, 400, 900), random.integers(0, 400, 900), np.ones(900))
    overlay = _core.Overlay(graph)
    cables = _core.Cables(graph)
    core = _core.FailureCore(cables, ONE, np.ones((400, 1)), np.arange(0, cables.count, 3), np.arange(0, 400, 5))
    want = core.pairs(), _core.betweenness(graph, np.arange(50))

    def work(_: int) -> bool:
        overlay.scale_weight(5, 1.0)
        pairs, shares = core.pairs(), _core.betweenness(graph, np.arange(50), overlay)
        return np.array_equal(pairs, want[0]) and np.array_equal(shares[1], want[1][1])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(16)))
