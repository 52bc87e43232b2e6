"""The study of localisation: how cases are drawn, what becomes of them, how what was lost is counted."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from tiertwin.errors import InputError, UnknownNameError
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.plant import PlantOptions
from tiertwin.plant.faults import groups_of
from tiertwin.study.faultruns import event_of
from tiertwin.study.localise import (
    FOR_S,
    LOOK_S,
    MIXES,
    SEEN_S,
    WARM_S,
    Case,
    draw,
    judged,
    localise_study,
    lost_share,
    prepared,
)
from tiertwin.world import load, resolve

EPOCHS = WARM_S + FOR_S
SEVERITY = {"capacity": 0.5, "loss": 0.01, "speed": 0.4}


@lru_cache
def made() -> Any:
    scenario = prepared(load("metro", faults={"groups": [{"name": "duct", "links": [["Station", "Centre"]]}]}), 0.1, 1)
    world = resolve(scenario)
    return scenario, world, dependencies(world, groups_of(world))


def answer(stated: dict[str, float], served: float, alarms: list[list[Any]] | None = None) -> dict[str, Any]:
    sites = made()[1].site_count
    likely = [name for name, p in stated.items() if p >= 0.5]
    look = {"stated": stated, "likely": likely, "lost": [0.25] * sites, "alarms": []}
    return {
        "looks": {str(WARM_S + LOOK_S): look},
        "alarms": alarms or [],
        "served": [[served] * sites] * EPOCHS,
        "offered": [[10.0] * sites] * EPOCHS,
    }


def test_the_scenario_is_watched_flat_and_loses_telemetry():
    scenario, world, _ = made()
    assert scenario.assurance.enabled
    assert scenario.telemetry.loss == 0.1
    assert np.ptp(world.profile_urban) == 0.0
    assert groups_of(world) == {"duct": [0]}
    assert groups_of(resolve(prepared(load("metro"), 0.1, 1))), "ducts are drawn where there are none"


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
    assert found["lost"] == pytest.approx(0.3)
    assert found["lost_predicted"] == pytest.approx(0.25)
    assert found["impact_error"] == pytest.approx(0.05)
    assert SEEN_S <= FOR_S


def test_users_who_went_to_other_cells_are_served_as_everybody_is_there():
    touched = np.array([0])
    usual = np.array([8.0, 80.0]), np.array([10.0, 100.0])
    assert lost_share(touched, usual, usual) == 0.0
    gone = np.array([0.0, 88.0]), np.array([0.0, 110.0])  # all ten moved and are served at 0.8
    assert lost_share(touched, usual, gone) == pytest.approx(0.0)
    worse = np.array([0.0, 44.0]), np.array([0.0, 110.0])
    assert lost_share(touched, usual, worse) == pytest.approx(0.4)
    stayed = np.array([2.0, 80.0]), np.array([10.0, 100.0])
    assert lost_share(touched, usual, stayed) == pytest.approx(0.6)


def test_wrong_wishes_are_refused():
    with pytest.raises(InputError, match="at least one case"):
        localise_study(load("metro"), 0)
    with pytest.raises(InputError, match="a loss of 0"):
        localise_study(load("metro"), 1, loss=1.0)
    with pytest.raises(UnknownNameError, match="hard"):
        localise_study(load("metro"), 1, mixes=["hrad"])
