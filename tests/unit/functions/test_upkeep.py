"""Failure curves, the best age, redundant pairs and the schedules to beat."""

from __future__ import annotations

from math import exp

import networkx as nx
import numpy as np
import pytest

from support.maintenance import drawn
from tiertwin.allocate.maintenance import worth
from tiertwin.allocate.maintenance_milp import schedule
from tiertwin.errors import InputError
from tiertwin.functions.assure.upkeep import failure_curve, hazard, periodic, redundant_pairs, run_to_failure
from tiertwin.world import load, resolve


def test_failure_curve_is_conditional_weibull() -> None:
    curve = failure_curve([2.0, 1.0], [100.0, 50.0], [30.0, 1e6], 10.0, 5)
    assert curve.shape == (2, 6)
    assert curve[0, 3] == pytest.approx(1 - exp(0.3**2 - 0.6**2))
    np.testing.assert_allclose(curve[1], 1 - np.exp(-np.arange(6) / 5.0), rtol=1e-9)  # without memory
    assert (curve[:, 0] == 0).all()


def test_hazard_is_the_slope_of_the_failure_curve() -> None:
    step = 1e-3
    slope = failure_curve([2.5, 0.8], [100.0, 50.0], [30.0, 40.0], step, 1)[:, 1] / step
    np.testing.assert_allclose(hazard([2.5, 0.8], [100.0, 50.0], [30.0, 40.0]), slope, rtol=1e-4)
    assert np.isfinite(hazard(0.5, 100.0, 0.0))
    with pytest.raises(InputError, match="ages of at least 0"):
        hazard(0.5, 100.0, np.nan)


def test_failure_curve_wants_ages_and_slots() -> None:
    with pytest.raises(InputError, match="ages of at least 0"):
        failure_curve([2.0], [100.0], [-1.0], 10.0, 5)
    with pytest.raises(InputError, match="expected slots"):
        failure_curve([2.0], [100.0], [1.0], 0.0, 5)


@pytest.mark.parametrize("seed", range(8))
def test_baselines_break_no_crew_window_or_group_and_are_not_cheaper(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = drawn(rng, jobs=12, horizon=20, tight=0.0)
    best = schedule(problem).worth.cost
    for start in (run_to_failure(problem), periodic(problem, rng.integers(0, 25, 12))):
        found = worth(problem, start)
        assert found.broken == ()
        assert found.cost >= best - 1e-6


def test_periodic_waits_for_its_day() -> None:
    problem = drawn(np.random.default_rng(1), jobs=6, horizon=20, tight=0.0)
    due = np.array([0, 3, 5, 7, 19, 30])
    start = periodic(problem, due)
    assert ((start == -1) | (start >= due)).all()
    assert start[5] == -1
    with pytest.raises(InputError, match="expected 6 slots"):
        periodic(problem, [1, 2])


@pytest.mark.parametrize("name", ["mixed", "germany50"])
def test_redundant_pairs_are_those_that_cut_off_more_together(name: str) -> None:
    world = resolve(load(name))
    users = np.zeros(world.node_count)
    np.add.at(users, world.site_node, world.group_devices.sum(axis=(1, 2)))

    def lost(*gone: int) -> float:
        graph = nx.Graph()
        graph.add_nodes_from(range(world.node_count))
        for link, ends in enumerate(zip(world.link_tail, world.link_head, strict=True)):
            if link not in gone:
                graph.add_edge(*map(int, ends))
        return float(
            sum(
                users[n]
                for n in range(world.node_count)
                if n not in nx.node_connected_component(graph, world.cloud_node)
            )
        )

    chosen = list(range(0, world.link_count, 3 if name == "mixed" else 4)) + ([85, 87] if name == "germany50" else [])
    chosen += [3, 86] if name == "germany50" else []
    alone = [lost(k) for k in chosen]
    expected = [
        (a, b)
        for a in range(len(chosen))
        for b in range(a + 1, len(chosen))
        if lost(chosen[a], chosen[b]) > alone[a] + alone[b]
    ]
    assert list(redundant_pairs(world, chosen)) == expected
    assert bool(expected) == (name == "germany50")  # a tree has nothing to spare


def test_redundant_pairs_are_of_links_that_exist() -> None:
    world = resolve(load("mixed"))
    with pytest.raises(InputError, match="expected links 0 … 31"):
        redundant_pairs(world, [0, 32])
    with pytest.raises(InputError, match="each link once"):
        redundant_pairs(world, [1, 1])
