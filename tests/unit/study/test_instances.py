"""Trees of a scenario at two, three and four deciding tiers, and the bytes of what they say."""

from __future__ import annotations

import numpy as np
import pytest

from support.inprocess import world_of
from tiertwin.allocate.driver import Hierarchy
from tiertwin.allocate.kernel import compiled
from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.masterkernel import KernelMasters
from tiertwin.allocate.messages import Query
from tiertwin.allocate.monolithic import solve_monolithic
from tiertwin.allocate.solvetree import solve_tree
from tiertwin.errors import InputError
from tiertwin.study.instances import DEPTHS, scenario_tree
from tiertwin.study.linkbytes import LinkBytes


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_same_sites_and_servers_at_every_depth(depth):
    world = world_of("metro")
    tree = scenario_tree(world, depth)
    leaves = list(tree.leaves())
    assert len(leaves) == world.site_count
    assert {leaf.problem.quotas for leaf in leaves} == {2 * depth - 3}
    assert {leaf.problem.tiers for leaf in leaves} == {depth + 1}
    assert not any(leaf.problem.faults() for leaf in leaves)
    total = sum(node.compute[0] for node in tree.nodes())
    cores = float(world.fog_cores.sum() + world.cloud_cores)
    assert total == pytest.approx(cores * world.core_ghz)
    ways = [node.uplink for node in tree.nodes()]
    assert ways.count(None) == 1
    assert all(capacity > 0 for capacity, _ in (way for way in ways if way is not None))


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_tree_of_a_scenario_closes_round_its_optimum(depth):
    tree = scenario_tree(world_of("metro"), depth)
    done = solve_tree(
        tree, solver=leaf_solver("kernel"), masters=KernelMasters(), max_rounds=9, scheme="bracket", offers=True
    )
    optimum = solve_monolithic(tree)
    assert optimum.ok
    assert done.bounds.gap <= 1e-3
    for r in done.rounds:
        assert r.lb <= optimum.bound + 1e-6 * optimum.scale
        assert r.ub >= optimum.value - 1e-6 * optimum.scale


def test_more_tiers_are_worth_more_way_and_demand_is_taken_as_given():
    world = world_of("metro")
    demand = [np.full(world.groups_per_site, 0.5) for _ in range(world.site_count)]
    tree = scenario_tree(world, 4, demand)
    for leaf in tree.leaves():
        assert (leaf.problem.demand == 0.5).all()
        assert (np.diff(leaf.problem.cost[:, 2:], axis=1) >= 0).all()  # fog, region, cloud: further is dearer


def test_a_depth_that_no_scenario_has_is_refused():
    with pytest.raises(InputError, match="depth"):
        scenario_tree(world_of("metro"), 5)


def test_frames_hold_the_numbers_and_grow_with_them():
    tree = scenario_tree(world_of("metro"), 3)
    seen = []
    weigh = LinkBytes()

    def count(message):
        seen.append((message, weigh(message)))
        return seen[-1][1]

    hierarchy = Hierarchy(tree, leaf_solver("kernel"), KernelMasters(), weigh=count)
    hierarchy.cold()
    hierarchy.round()
    assert all(size >= 8 * message.floats for message, size in seen)
    assert sum(size for _, size in seen) == hierarchy.bytes_up + hierarchy.bytes_down
    short, long = (weigh(Query(np.ones(3), np.ones(3), 0, more)) for more in (None, np.ones((2, 3))))
    assert 8 * 6 <= long - short <= 8 * 6 * 4


def test_a_solve_that_went_astray_leaves_nothing_behind():
    """The kernel keeps its work arrays: a step of NaN poisoned every later solve of the same data version."""
    tree = scenario_tree(world_of("mixed"), 4)
    problem = next(leaf.problem for leaf in tree.leaves() if leaf.name == "edge-city-13")
    quota = [2.388485140000468, 3.4618727034871815, 0.00011552782134776189, 3.46131615134579, 1.7170409845128494]
    kernel = compiled(problem)
    kernel.solve_quota(np.array(quota), 80)
    later = kernel.solve_quota(0.1 * problem.quota_max, 80)
    assert later[8] <= 1e-8  # certified gap over S
