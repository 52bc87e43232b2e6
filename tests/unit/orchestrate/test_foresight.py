"""What causes are foretold to cost: at once, under the standing plan, and after everybody decided anew."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError
from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import Broken, Degradation, Severities
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.changes import Batch
from tiertwin.orchestrate.foresight import Followed, Foresight
from tiertwin.orchestrate.forktree import planned
from tiertwin.world import load, resolve


@lru_cache
def made() -> Any:
    world = resolve(load("metro"))
    demand = (world.group_devices * world.tasks_per_s[:, None]).reshape(world.site_count, -1).astype(float)
    solvers = leaf_solver("auto"), master_solver("kernel")
    belief = planned(world, demand, *solvers)
    return world, belief, solvers


def foresight(replan: str = "local") -> Foresight:
    _, belief, solvers = made()
    return Foresight(belief, *solvers, replan)


def cause(kind: str, which: int = 0) -> Cause:
    return [c for c in causes_of(made()[0], {"duct": [0, 1]}) if c.kind == kind][which]


def planned_at(tier: Tier) -> np.ndarray:
    """Tasks/s of each site at a tier, [S]."""
    world, belief, _ = made()
    tasks = np.zeros(world.site_count)
    for edge in belief.edges:
        tasks[edge.site] = edge.plan[:, tier].sum()
    return tasks


@pytest.mark.parametrize("replan", ["local", "tree"])
def test_no_cause_costs_nothing(replan: str) -> None:
    found = foresight(replan).lost()
    assert found.later.sum() == 0.0
    assert found.gbps() == 0.0
    assert not found.users().any()


def test_a_server_that_is_down_loses_what_the_plan_sends_there() -> None:
    world = made()[0]
    site = int(np.argmax(planned_at(Tier.EDGE)))
    found = foresight().lost(cause("server", site))
    assert found.at_once.sum() == pytest.approx(planned_at(Tier.EDGE)[site], rel=1e-9)
    assert found.at_once.sum() > 1.0
    assert not np.delete(found.at_once, site, axis=0).any()
    fog = foresight().lost(cause("server", world.site_count))
    assert fog.at_once.sum() == pytest.approx(planned_at(Tier.FOG)[world.site_fog == 0].sum(), rel=1e-9)
    cloud = foresight().lost(cause("server", world.site_count + world.fog_count))
    assert cloud.at_once.sum() == pytest.approx(planned_at(Tier.CLOUD).sum(), rel=1e-9)


@pytest.mark.parametrize("replan", ["local", "tree"])
def test_once_plans_follow_a_server_that_is_down_loses_less(replan: str) -> None:
    site = int(np.argmax(planned_at(Tier.EDGE)))
    found = foresight(replan).lost(cause("server", site))
    assert 0.0 < found.later.sum() < found.at_once.sum()


def test_servers_that_are_down_together_lose_the_sum() -> None:
    both = foresight().lost(cause("server", 0), cause("server", 1))
    single = [foresight().lost(cause("server", k)) for k in (0, 1)]
    np.testing.assert_allclose(both.at_once, single[0].at_once + single[1].at_once, atol=1e-9)
    np.testing.assert_allclose(both.later, single[0].later + single[1].later, atol=1e-9)


def test_a_slow_server_loses_nothing() -> None:
    found = foresight().lost(cause("slow", int(np.argmax(planned_at(Tier.EDGE)))))
    assert not found.at_once.any()
    assert not found.later.any()


def test_at_once_all_that_was_sent_over_a_cut_route_is_lost_and_later_less() -> None:
    world = made()[0]
    sent = planned_at(Tier.FOG) + planned_at(Tier.CLOUD)
    site = int(np.argmax(sent * np.array([len(route) > 0 for route in world.route_site_links])))
    at = (world.link_tail == world.site_node[site]) | (world.link_head == world.site_node[site])
    links = np.flatnonzero(at).tolist()
    found = foresight().lost(Cause("all of its links", "group", tuple(links)))
    assert found.at_once[site].sum() == pytest.approx(sent[site], rel=1e-9)
    assert 0.0 < found.later[site].sum() < sent[site]
    mean = found.tasks(12.0, 3.0)[site].sum()
    assert mean == pytest.approx(0.25 * found.at_once[site].sum() + 0.75 * found.later[site].sum())
    assert found.tasks(2.0, 3.0)[site].sum() == pytest.approx(sent[site], rel=1e-9)


def test_a_lossy_link_loses_its_share_of_what_goes_over_it() -> None:
    world = made()[0]
    sent = planned_at(Tier.FOG) + planned_at(Tier.CLOUD)
    upper = {int(link) // 2 for route in world.route_fog_links for link in route}
    over = {
        link: [s for s in range(world.site_count) if link in np.asarray(world.route_site_links[s]) // 2]
        for link in range(world.link_count)
        if link not in upper
    }
    link = max(over, key=lambda k: float(sent[over[k]].sum()))
    whole = foresight().lost(cause("degraded", link), severities=Severities({link: 1.0}, {link: 0.0}))
    assert whole.later.sum() == pytest.approx(0.0, abs=1e-9)
    lossy = foresight().lost(cause("degraded", link), severities=Severities({link: 1.0}, {link: 0.25}))
    expected = 0.25 * sent[over[link]].sum()
    assert expected > 1.0
    assert lossy.later.sum() == pytest.approx(expected, rel=0.05)  # the plan worked out anew, beside the tree's


@pytest.mark.parametrize("replan", ["local", "tree"])
def test_a_node_that_is_dark_costs_its_users_no_more_than_they_have(replan: str) -> None:
    world = made()[0]
    site = int(np.argmax(planned_at(Tier.EDGE)))
    node = int(world.site_node[site])
    dark = next(c for c in causes_of(world, {}) if c.nodes == (node,))
    found = foresight(replan).lost(dark)
    served = sum(planned_at(tier)[site] for tier in Tier)
    assert 0.0 < found.later[site].sum() <= served + 1e-6


def test_users_and_traffic_follow_the_tasks() -> None:
    world, belief, _ = made()
    found = foresight().lost(cause("server", world.site_count))
    by_class = found.later.sum(axis=0)
    assert found.gbps() == pytest.approx(float(by_class @ world.megabits) / 1e3)
    demand = np.sum([e.problem.demand.reshape(len(by_class), -1).sum(axis=1) for e in belief.edges], axis=0)
    users = np.sum([e.users.reshape(len(by_class), -1).sum(axis=1) for e in belief.edges], axis=0)
    np.testing.assert_allclose(found.users(), users * by_class / demand, rtol=1e-12)


def test_of_several_watchers_the_worst_counts() -> None:
    found = Severities.worst(
        [Severities({1: 0.5}, {1: 0.1}, {3: 0.9}), Severities({1: 0.7}, {1: 0.2, 2: 0.3}, {3: 0.4})]
    )
    assert (found.capacity, found.loss, found.speed) == ({1: 0.5}, {1: 0.2, 2: 0.3}, {3: 0.4})


def test_another_rule_is_told() -> None:
    with pytest.raises(InputError, match="expected local or tree, got 'none'"):
        foresight("none")


@pytest.mark.parametrize("kind", ["link", "node", "group"])
def test_edges_that_decide_anew_plan_as_the_engine_has_them(kind: str) -> None:
    _, belief, _ = made()
    every = [c for c in causes_of(made()[0], {"duct": [0, 1]}) if c.kind == kind]
    for one in every[:: max(len(every) // 4, 1)]:
        ahead = foresight()
        rows = ahead._rows((one,), Broken.of(belief.world, (one,), Degradation()), Severities())
        batch = Batch.of([rows]).arrays()
        plan = np.ascontiguousarray(ahead._planned(rows).ravel())
        ours, engines = belief.engine.judge(*batch, plan), belief.engine.sweep(*batch, 1, 1)[0]
        np.testing.assert_allclose(ours, engines, rtol=1e-3, atol=1e-3, err_msg=one.name)


def two_servers() -> list[Cause]:
    """Those of the two sites that plan most for their own."""
    return [cause("server", int(site)) for site in np.argsort(-planned_at(Tier.EDGE))[:2]]


def test_the_mean_is_of_at_once_until_plans_follow_and_of_later_from_then_on() -> None:
    parts = two_servers()
    whole = foresight().lost(*parts)
    together = foresight().mean(parts, [Followed(part, 3.0) for part in parts], 12.0)
    np.testing.assert_allclose(together, whole.tasks(12.0, 3.0), atol=1e-9)
    never = foresight().mean(parts, [Followed(part, 99.0) for part in parts], 12.0)
    np.testing.assert_allclose(never, whole.at_once, atol=1e-9)
    at_start = foresight().mean(parts, [Followed(part, 0.0) for part in parts], 12.0)
    np.testing.assert_allclose(at_start, whole.later, atol=1e-9)
    np.testing.assert_allclose(foresight().mean(parts, [], 12.0), whole.at_once, atol=1e-9)


def test_while_plans_follow_one_part_only_the_other_goes_on_losing() -> None:
    first, second = both = two_servers()
    whole = foresight().lost(*both)
    assert whole.at_once.sum() > whole.later.sum() + 1.0
    staged = foresight().mean(both, [Followed(first, 2.0), Followed(second, 8.0)], 12.0)
    early = foresight().mean(both, [Followed(first, 2.0), Followed(second, 2.0)], 12.0)
    late = foresight().mean(both, [Followed(first, 8.0), Followed(second, 8.0)], 12.0)
    assert early.sum() < staged.sum() < late.sum()


@pytest.mark.parametrize("for_s", [0.0, -1.0, np.inf, np.nan])
def test_a_mean_is_over_some_seconds(for_s: float) -> None:
    with pytest.raises(InputError, match="for_s"):
        foresight().mean([], [], for_s)


def test_at_another_demand_set_points_stay() -> None:
    _, belief, _ = made()
    edge = belief.edges[0]
    grown = belief.at({edge.name: 2.0 * edge.problem.demand})
    np.testing.assert_allclose(grown.edges[0].plan, 2.0 * edge.plan)
    assert grown.edges[1].plan.tobytes() == belief.edges[1].plan.tobytes()
    assert belief.edges[0] is edge, "the belief itself stays"
    nothing = belief.at({edge.name: np.zeros_like(edge.problem.demand)})
    assert not nothing.edges[0].plan.any()
    assert np.isfinite(Foresight(nothing, *made()[2]).lost(cause("server", 0)).at_once).all()


@lru_cache
def crowded() -> Foresight:
    world = resolve(load("mixed"))
    demand = (world.group_devices * world.tasks_per_s[:, None]).reshape(world.site_count, -1).astype(float)
    solvers = leaf_solver("auto"), master_solver("kernel")
    return Foresight(planned(world, demand, *solvers), *solvers)


@pytest.mark.parametrize("sites", [(0,), (0, 5), (28, 30)])
def test_users_who_are_heard_by_others_are_all_there(sites: tuple[int, ...]) -> None:
    """In the situation that the engine is given: nobody is lost on the way, and every class keeps its own."""
    ours = crowded()
    world = ours.belief.world
    silent = [c for c in causes_of(world, {}) if c.kind == "access" and c.site in sites]
    entered = ours._entered(ours._rows(tuple(silent), Broken.of(world, tuple(silent), Degradation()), Severities()))
    before = ours._entered([])
    for name in ("demand", "users"):
        now, then = (
            table[name].reshape(world.site_count, *world.group_devices.shape[1:]) for table in (entered, before)
        )
        np.testing.assert_allclose(now.sum(axis=(0, 2)), then.sum(axis=(0, 2)), rtol=1e-9)
        assert np.abs(now[list(sites)]).max() < 1e-9
        order = np.argsort(-world.ring_rate_mbps)
        assert (np.cumsum((then - now).sum(axis=(0, 1))[order]) >= -1e-9).all()  # slower, never faster


def test_users_who_are_heard_by_others_lose_what_rings_there_lose() -> None:
    ours = crowded()
    world = ours.belief.world
    silent = next(c for c in causes_of(world, {}) if c.kind == "access" and c.site == 28)
    found = ours.lost(silent)
    served = ours._standing[ours.belief.home[28]].sum(axis=1)
    lost = found.at_once[28].sum()
    assert found.at_once.sum() == pytest.approx(lost)  # told where they were
    assert -0.5 * served.sum() < lost < 0.7 * served.sum()
