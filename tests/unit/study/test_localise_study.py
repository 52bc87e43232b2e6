"""The study of localisation: how cases are drawn, what becomes of them, what was lost and how near it was foretold."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.functions.assure.causes import causes_of
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.orchestrate.forktree import planned
from tiertwin.orchestrate.service import Service
from tiertwin.plant import PlantOptions
from tiertwin.plant.faults import groups_of
from tiertwin.study.faultcosts import impact_rows
from tiertwin.study.faultruns import SETTLE_S, Heard, Offered, Since, Span, event_of, followed_s
from tiertwin.study.localise import (
    DUCTS,
    FOR_S,
    LOOK_S,
    MIXES,
    REST_S,
    WARM_S,
    Case,
    draw,
    ducts,
    hidden,
    judged,
    localise_study,
    prepared,
    quiet_figures,
    row_of,
)
from tiertwin.study.quiet import quiet_study
from tiertwin.world import World, load, resolve
from tiertwin.world.handover import moved

SEVERITY = {"capacity": 0.5, "loss": 0.01, "speed": 0.4}


@lru_cache
def mixed() -> World:
    return resolve(load("mixed"))


@lru_cache
def made() -> Any:
    scenario = prepared(load("metro", faults={"groups": [{"name": "duct", "links": [["Station", "Centre"]]}]}), 0.1, 1)
    world = resolve(scenario)
    return scenario, world, dependencies(world, groups_of(world))


def answer(stated: dict[str, float], served: float, alarms: list[list[Any]] | None = None) -> dict[str, Any]:
    sites, classes = made()[1].site_count, len(made()[1].class_names)
    likely = [name for name, p in stated.items() if p >= 0.5]
    costs = {name: {"tasks": [0.5] * classes} for name in ("foreseen", "told", "rules")}
    look = {"stated": stated, "likely": likely, "alarms": [], "costs": costs}
    epochs = WARM_S + FOR_S + REST_S
    calm = [[[2.0] * classes] * sites]
    return {
        "looks": {str(WARM_S + LOOK_S): look},
        "alarms": alarms or [],
        "named": [],
        "undone": calm * WARM_S + [[[10.0 - served] * classes] * sites] * FOR_S + calm * REST_S,
        "offered": [[[10.0] * classes] * sites] * epochs,
    }


def test_the_scenario_is_watched_flat_and_loses_telemetry():
    scenario, world, _ = made()
    assert scenario.assurance.enabled
    assert scenario.telemetry.loss == 0.1
    assert np.ptp(world.profile_urban) == 0.0
    assert groups_of(world) == {"duct": [0]}
    assert groups_of(resolve(prepared(load("metro"), 0.1, 1))), "ducts are drawn where there are none"


@pytest.mark.parametrize("seed", range(90, 110))
def test_no_two_ducts_are_the_same_risk(seed: int) -> None:
    """Of seed 102 two were: whoever named the other one was called wrong."""
    found = [tuple(map(tuple, group["links"])) for group in ducts(mixed(), seed)]
    assert len(found) == len(set(found)) == DUCTS


def test_drawn_cases_have_the_kinds_of_their_mix_and_no_cause_twice():
    graph = made()[2]
    for kinds in MIXES.values():
        for case in draw(np.random.default_rng(3), graph, kinds, 40):
            assert all(cause.kind in allowed for cause, allowed in zip(case, kinds, strict=True))
            assert len({cause.name for cause in case}) == len(case)


def test_every_cause_can_be_injected_and_is_what_the_plant_then_has():
    scenario, world, graph = made()
    for cause in graph.causes:
        event = event_of(world, cause, 3.0, 2.0, SEVERITY)
        faults = PlantOptions.of(resolve(load(scenario, faults={"events": [event]}))).faults
        (row,) = faults["events"]
        assert row["kind"] == cause.kind
        which = {
            "link": cause.links, "degraded": cause.links, "node": cause.nodes, "server": (cause.server,),
            "slow": (cause.server,), "access": (cause.site,), "group": (0,),
        }[cause.kind]  # fmt: skip
        assert row["which"] == which[0]


def test_a_cause_that_comes_first_is_found_and_ties_share_the_last_place():
    _, world, graph = made()
    cause = next(c for c in graph.causes if c.kind == "link")
    case = Case((cause,), WARM_S)
    quiet = answer({}, 8.0)
    name, others = cause.name, [c.name for c in graph.causes if c is not cause]
    first = judged(world, graph, case, answer({name: 0.9, others[0]: 0.2}, 8.0), quiet)
    assert (first["places"], first["top1"], first["named"], first["exact"]) == ([1], True, True, True)
    tied = judged(world, graph, case, answer({name: 0.4, others[0]: 0.4, others[1]: 0.4}, 8.0), quiet)
    assert (tied["places"], tied["top1"], tied["top3"], tied["named"]) == ([3], False, True, False)
    unseen = judged(world, graph, case, answer({others[0]: 0.9}, 8.0), quiet)
    assert unseen["places"] == [len(graph.causes)]


def test_two_causes_must_both_be_among_the_first():
    _, world, graph = made()
    one, other = (next(c for c in graph.causes if c.kind == kind) for kind in ("link", "slow"))
    third = next(c.name for c in graph.causes if c.kind == "node")
    case, quiet = Case((one, other), WARM_S), answer({}, 8.0)
    good = judged(world, graph, case, answer({one.name: 0.9, other.name: 0.8, third: 0.1}, 8.0), quiet)
    assert good["top1"]
    late = judged(world, graph, case, answer({one.name: 0.9, third: 0.8, other.name: 0.1}, 8.0), quiet)
    assert not late["top1"]
    assert late["top3"]


def test_only_alarms_in_which_a_cause_can_show_count_as_its_detection():
    _, world, graph = made()
    cause = next(c for c in graph.causes if c.kind == "link")
    alarms = [
        [WARM_S - 3, f"{cause.name} down", True],
        [WARM_S + 1, "node nowhere dark", True],
        [WARM_S + 2, f"{cause.name} down", True],
        [WARM_S + 3, f"{cause.name} down", False],
    ]
    case = Case((cause,), WARM_S)
    assert judged(world, graph, case, answer({}, 8.0, alarms), answer({}, 8.0))["delay_s"] == 2.0
    assert judged(world, graph, case, answer({}, 8.0), answer({}, 8.0))["delay_s"] is None


def test_what_is_lost_is_the_difference_to_a_run_without_faults():
    _, world, graph = made()
    cause = next(c for c in graph.causes if c.kind == "link")
    found = judged(world, graph, Case((cause,), WARM_S), answer({cause.name: 0.9}, 5.0), answer({}, 8.0))
    assert found["lost"] == pytest.approx([3.0 * world.site_count] * len(world.class_names))
    assert found["by_chance"] == 0.0
    assert found["costs"]["foreseen"] == [0.5] * len(world.class_names)
    assert found["costs"]["nothing"] == [0.0] * len(world.class_names)
    assert 0.0 < found["costs"]["all"][0] <= 8.0 * world.site_count


def case_of(lost: float, foreseen: float, by_chance: float = 1.0) -> dict[str, Any]:
    zeros = [0.0] * (len(made()[1].class_names) - 1)
    costs = {name: [0.0, *zeros] for name in ("told", "rules", "nothing", "all")} | {"foreseen": [foreseen, *zeros]}
    return {"lost": [lost, *zeros], "by_chance": by_chance, "offered": [100.0, *zeros], "costs": costs}


def test_errors_are_over_what_was_truly_lost_and_doing_nothing_has_one_of_1():
    world = made()[1]
    found = impact_rows(world, [case_of(100.0, 110.0), case_of(20.0, 20.0), case_of(0.5, 3.0)])
    assert (found["chance_tasks_per_s"], found["lost_something"]) == (1.0, 2)
    assert found["floor"] == pytest.approx(2 * 1.0 / 120.0), "by chance 1 task a second, in two cases"
    rows = {row["answer"]: row for row in found["rows"]}
    assert rows["foreseen"]["tasks"] == pytest.approx(10.0 / 120.0)
    assert rows["foreseen"]["gbps"] == pytest.approx(10.0 / 120.0)
    assert rows["foreseen"]["users"] == pytest.approx(10.0 / 120.0)
    assert rows["foreseen"]["median"] == pytest.approx(0.05)
    assert rows["foreseen"]["within_10"] == 1.0
    assert rows["foreseen"]["bias"] == pytest.approx(130.0 / 120.0 - 1.0)
    assert rows["foreseen"]["elsewhere"] == 3.0
    assert rows["nothing"]["tasks"] == rows["nothing"]["gbps"] == rows["nothing"]["users"] == 1.0


def test_a_loss_that_chance_makes_too_is_no_loss():
    world = made()[1]
    found = impact_rows(world, [case_of(5.0, 5.0, by_chance=-6.0)] * 4)
    assert found["lost_something"] == 0
    assert found["floor"] is None
    assert "tasks" not in found["rows"][0]


def test_a_fault_behind_another_is_hidden():
    _, world, graph = made()
    by_kind = {kind: [c for c in graph.causes if c.kind == kind] for kind in ("link", "degraded", "group", "slow")}
    link = by_kind["link"][0]
    assert hidden(world, (link, by_kind["degraded"][0]))
    assert hidden(world, (by_kind["degraded"][0], by_kind["group"][0]))
    assert not hidden(world, (link, by_kind["degraded"][1]))
    assert not hidden(world, (by_kind["degraded"][0], by_kind["degraded"][1]))
    slow = by_kind["slow"][0]
    down = next(c for c in graph.causes if c.kind == "server" and c.server == slow.server)
    dark = next(c for c in graph.causes if c.kind == "node" and world.site_node[slow.server] in c.nodes)
    access = next(c for c in graph.causes if c.kind == "access" and world.site_node[c.site] in dark.nodes)
    for one in (down, slow, access):
        assert hidden(world, (one, dark))
    assert hidden(world, (slow, down))
    assert hidden(world, (slow, access)), "no task reaches it"
    assert not hidden(world, (down, access)), "that it is down is told"
    assert not hidden(world, (dark,))


def test_alarms_without_faults_are_counted_after_the_start_with_what_a_day_may_have_at_most():
    answer_ = {"offered": [0] * (WARM_S + 864), "alarms": [[WARM_S - 1, "site a late", True]], "named": [[3, "link"]]}
    found = quiet_figures([answer_])
    assert (found["seconds"], found["alarms"], found["named"]) == (864.0, 0, 0)
    assert found["at_most_per_day"] == pytest.approx(299.57, abs=0.01)  # the rule of three, of a hundredth of a day
    answer_["alarms"] += [[WARM_S, "site a late", True], [WARM_S + 9, "site a late", False]]
    found = quiet_figures([answer_, {"offered": [0] * WARM_S, "alarms": [], "named": []}])
    assert (found["alarms"], found["false_alarms_per_day"]) == (1, 100.0)
    assert found["by_signal"]["late"]["alarms"] == 1
    assert found["by_signal"]["down"]["at_most"] == pytest.approx(299.57, abs=0.01)


def test_wrong_wishes_are_refused():
    with pytest.raises(InputError, match="at least one case"):
        localise_study(load("metro"), 0)
    with pytest.raises(InputError, match="a loss of 0"):
        localise_study(load("metro"), 1, loss=1.0)
    with pytest.raises(UnknownNameError, match="hard"):
        localise_study(load("metro"), 1, mixes=["hrad"])
    for hours, loss in ((0.0, 0.1), (np.inf, 0.1), (1.0, 1.0)):
        with pytest.raises(InputError, match="hours above 0"):
            quiet_study(load("metro"), hours, loss=loss)


def test_plans_follow_when_the_owner_has_heard_decided_and_its_grant_is_in_force():
    assert [followed_s(start, 1) for start in (8, 25)] == [3.0, 3.0]
    assert [followed_s(start, 2) for start in (8, 25)] == [4.0, 5.0]
    assert [followed_s(start, 4) for start in (8, 9, 10, 11)] == [8.0, 7.0, 6.0, 9.0]


def test_a_part_is_known_since_it_was_first_told_and_forgotten_when_it_is_back():
    heard = Heard()
    heard.look(4, [], [])
    heard.look(5, [3], [7])
    heard.look(6, [3, 9], [])
    assert (heard.links, heard.servers) == ({3: 5, 9: 6}, {})
    heard.look(7, [9], [])
    heard.look(8, [3, 9], [])
    assert heard.links == {3: 8, 9: 6}


def test_plans_follow_links_a_decision_after_their_owner_heard_and_servers_at_once():
    _, world, graph = made()
    heard = Heard()
    heard.look(26, [0], [2])
    heard.look(28, [0, 1], [2])
    span = Span(25, 12.0, 2, heard)

    def after(cause: Any) -> list[float]:
        return [part.after_s for part in span.followed(world, cause)]

    def of(kind: str, which: int) -> Any:
        return next(c for c in graph.causes if c.kind == kind and which in (*c.links, c.server))

    assert after(of("link", 0)) == [3.0 + SETTLE_S]
    assert after(of("link", 1)) == [5.0 + SETTLE_S]
    assert after(of("link", 2)) == [12.0], "nobody has heard: never"
    assert after(of("server", 2)) == [1.0 + SETTLE_S]
    assert after(of("degraded", 0)) == [followed_s(25, 2)]
    assert [part.cause.links for part in span.followed(world, of("group", 0))] == [(0,)]


def told(world: World, demand: Any) -> Service:
    """What watchers would say while `demand` [S, G] is offered."""
    tasks = demand.reshape(world.site_count, len(world.class_names), -1).sum(axis=2)
    return Service(tasks, tasks, tasks, tasks, np.ones(world.site_count, dtype=bool), 0, 1)


def test_of_a_site_that_told_nothing_what_was_believed_stays():
    _, world, _ = made()
    offered = Offered(world)
    assert np.isnan(offered.a_period()).all()
    service = told(world, np.ones((world.site_count, world.group_devices[0].size)))
    service.told[1:] = False
    offered.take([service])
    assert np.isfinite(offered.a_period()[0]).all()
    assert np.isnan(offered.a_period()[1:]).all()


@pytest.mark.parametrize("name", ["metro", "mixed"])
def test_demand_since_is_taken_and_where_users_went_of_all_of_them(name: str):
    world = resolve(load(name))
    demand = (world.group_devices * world.tasks_per_s[:, None]).reshape(world.site_count, -1).astype(float)
    before = planned(world, demand, leaf_solver("auto"), master_solver("kernel"))
    cause = {kind: next(c for c in causes_of(world, {}) if c.kind == kind) for kind in ("link", "access")}
    gone = moved(world, np.arange(world.site_count) == cause["access"].site)
    among = {int(site) for site in (*gone.site, *gone.other)} if world.grouped else set()
    since_then = 2.0 * demand
    since_then[cause["access"].site] = 0.0
    offered = Offered(world)
    for _ in range(3):
        offered.take([told(world, since_then)])
    since = Since(before, offered)
    classes = len(world.class_names)

    def grown(kind: str, place: int, by: Any) -> None:
        now, then = (b.edges[place].problem.demand.reshape(classes, -1) for b in (since.belief([cause[kind]]), before))
        np.testing.assert_allclose(now.sum(axis=1), by * then.sum(axis=1), rtol=1e-9)

    told_of, known = (
        table.reshape(world.site_count, classes, -1).sum(axis=2)[sorted(among)].sum(axis=0)
        for table in (since_then, demand)
    )
    for place, edge in enumerate(before.edges):
        silent = edge.site == cause["access"].site
        as_told = 0.0 if silent else 2.0
        grown("link", place, as_told)
        grown("access", place, told_of / known if edge.site in among else as_told)


def test_hidden_cases_count_but_are_told_apart():
    found = {"top1": True, "top3": True, "named": True, "exact": False, "hidden": False, "delay_s": 2.0}
    missed = found | {"top1": False, "top3": False, "hidden": True, "delay_s": None}
    row = row_of("two at once", [found, found, found | {"top1": False}, missed])
    assert (row["cases"], row["hidden"], row["top1"], row["top3"]) == (4, 1, 0.5, 0.75)
    assert (row["seen_top1"], row["seen_top3"]) == (pytest.approx(2 / 3), 1.0)
    assert row_of("hard", [missed])["seen_top1"] is None
