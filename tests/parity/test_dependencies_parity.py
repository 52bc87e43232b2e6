"""What causes cut off and cost: the sweep and the arrays against networkx, one failure at a time."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from reference.impact import carried, cut_routes, network, served
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.functions.assure.impact import ImpactModel
from tiertwin.functions.assure.reach import Reach
from tiertwin.world import load, reroute, resolve

GROUPS = {"duct": [0, 1, 5], "ring": [2, 7]}


@cache
def world_of(name):
    return resolve(load(name))


def gone(world, cause):
    nodes = set(cause.nodes)
    links = set(cause.links) if cause.hard else set()
    return links | {
        k for k in range(world.link_count) if {int(world.link_tail[k]), int(world.link_head[k])} & nodes
    }, nodes


@pytest.mark.parametrize("name", ["mixed", "germany50"])
def test_routes_cut_off_are_those_without_a_path(name: str) -> None:
    world = world_of(name)
    causes = dependencies(world, GROUPS).causes
    reach = Reach(world, causes)
    for c, cause in enumerate(causes):
        if cause.hard:
            assert reach.cut(c).tolist() == cut_routes(world, *gone(world, cause)), cause.name
        else:
            assert not reach.cut(c).any()


@pytest.mark.parametrize("name", ["mixed", "germany50"])
def test_impact_is_that_of_loops(name: str) -> None:
    world = world_of(name)
    model = ImpactModel(world)
    users = world.group_devices.sum(axis=-1)
    before = served(world, world, set(), set(), set(), set())
    for cause in dependencies(world, GROUPS).causes[::3]:  # all of them agree, in 12 s
        if cause.kind in ("degraded", "slow"):
            continue
        links, nodes = gone(world, cause)
        failed = np.isin(np.arange(world.link_count), sorted(links))
        changed = reroute(world, failed) if links else world
        servers = {cause.server} if cause.server >= 0 else set()
        after = served(world, changed, links, nodes, servers, {cause.site} if cause.site >= 0 else set())
        lost = [max(b - a, 0.0) if b - a > 1e-9 else 0.0 for b, a in zip(before, after, strict=True)]
        found = model.impact(cause, repair_s=120.0)
        np.testing.assert_allclose(found.lost, lost, atol=1e-9, err_msg=cause.name)
        assert found.users == pytest.approx(sum(u.sum() * x for u, x in zip(users, lost, strict=True)), abs=1e-6)
        assert sum(found.by_class.values()) == pytest.approx(found.users, abs=1e-6)
        assert found.sla_minutes == pytest.approx(2.0 * found.users, abs=1e-6)


def test_background_in_a_tree_is_carried_along_its_only_paths() -> None:
    world = world_of("mixed")
    model = ImpactModel(world)
    full = carried(world, set(), set())
    for cause in dependencies(world, GROUPS).causes[::3]:
        if cause.hard:
            lost = full - carried(world, *gone(world, cause))
            assert 1e3 * model.impact(cause).background_gbps == pytest.approx(lost, abs=1e-6), cause.name


def test_only_what_has_no_path_is_lost_where_links_are_wide() -> None:
    world = world_of("germany50")
    model = ImpactModel(world, background=1e-3)  # nothing is full
    for cause in dependencies(world).causes[::3]:
        if cause.kind == "node":
            graph = network(world, *gone(world, cause))
            pairs = zip(world.demand_tail, world.demand_head, world.demand_mbps, strict=True)
            lost = sum(mbps for a, b, mbps in pairs if int(a) not in graph or int(b) not in graph)
            assert model.impact(cause).background_gbps == pytest.approx(1e-6 * lost, rel=1e-6)
