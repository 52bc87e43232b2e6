"""The closed loop's study: what a fault cost, by hand; differences beside the claims; loops see what twins are told."""

from __future__ import annotations

from dataclasses import astuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from support.healing import cause_of, world_of
from tiertwin.errors import InputError
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.functions.heal.candidates import candidates
from tiertwin.orchestrate.guardwords import Measured
from tiertwin.orchestrate.healing import HealingLoop, Outlook
from tiertwin.plant.kpis import PlantKpis
from tiertwin.study import healingruns
from tiertwin.study.healing import CLAIMS, KINDS, _difference, _row, healing_study, plan_of
from tiertwin.study.healingfigures import FOR_S, REST_S, Fault, hit_sites, judged, longest, restored
from tiertwin.study.healingruns import ARMS, ByAlarms, ByRules, answered
from tiertwin.study.localise import WARM_S, prepared
from tiertwin.world import World, load

FAULT_LINK = cause_of("metro", "link 3 centre–harbour")
FAULT = Fault(cause_of("metro", "server edge centre"), 10)


def run(back_after: int | None, acted: list[float] | None = None, named: int = 14) -> dict[str, object]:
    """Two sites of 100 tasks an epoch each; the first serves 40 from the fault until so many epochs later."""
    served = np.full((FAULT.end_s + REST_S, 2), 100.0)
    if back_after is not None:
        served[FAULT.start_s : FAULT.start_s + back_after, 0] = 40.0
    return {
        "served": served.tolist(),
        "offered": np.full_like(served, 100.0).tolist(),
        "utility": (served.mean(axis=1) / 100.0).tolist(),
        "alarms": [[5, "x", "late", True], [12, "x", "down", True]],
        "named": [[named, FAULT.cause.name]],
        "acted": acted or [],
    }


def test_a_fault_by_hand() -> None:
    runs = {
        "clean": run(None),
        "none": run(FOR_S),
        "twin": run(6, [14.02]),
        "told": run(0, [11.02]),
    }
    nothing, twin, told = (judged(FAULT, runs, arm) for arm in ("none", "twin", "told"))  # type: ignore[arg-type]
    assert nothing["restoration_s"] == FOR_S
    assert (nothing["outages"], nothing["outage_s"]) == (1.0, FOR_S)
    assert (twin["outages"], told["outages"]) == (1.0, 0.0)
    assert (nothing["actions"], twin["actions"]) == (0.0, 1.0)
    assert nothing["cost"] == pytest.approx(0.3 * FOR_S / (FOR_S + REST_S))
    assert nothing["lost_percent"] == pytest.approx(100 * 60 * FOR_S / (200 * (FOR_S + REST_S)))
    assert nothing["availability_percent"] == pytest.approx(70.0)
    assert np.isnan(nothing["decide_s"])
    assert twin["restoration_s"] == 6.0
    assert (twin["detect_s"], twin["localise_s"]) == (2.0, 2.0)
    assert twin["decide_s"] == pytest.approx(0.02)
    assert twin["apply_s"] == pytest.approx(1.98)
    assert told["restoration_s"] == 0.0
    assert told["decide_s"] == pytest.approx(0.02)
    seeds = [{arm: [judged(FAULT, runs, arm)] for arm in ("none", "twin", "told")}] * 2  # type: ignore[arg-type]
    row = _row("twin", seeds)
    assert row["restoration_s"] == 6.0
    found = _difference("twin", "none", seeds)
    assert found["restoration_s_percent"] == pytest.approx(-100.0 * (1.0 - 6.0 / FOR_S))
    assert found["restoration_s_claimed"] == CLAIMS["restoration_s"] == -25.0


def test_restoration_has_to_stay_and_harmless_faults_have_none() -> None:
    deep = np.full(10, 50.0)
    assert np.isnan(restored(np.zeros(10), np.zeros(10)))
    assert restored(deep, deep) == 10.0
    flapping = np.array([50, 50, 0, 50, 0, 0, 0, 0, 0, 0.0])
    assert restored(flapping, deep) == 4.0
    assert restored(np.zeros(10), deep) == 0.0


def test_sites_are_hit_where_they_serve_less_and_have_something_to_serve() -> None:
    good = np.tile([100.0, 100.0, 5.0], (4, 1))
    assert hit_sites(good, good * [0.8, 0.95, 0.0]).tolist() == [True, False, False]
    assert longest(np.array([1, 1, 0, 1, 1, 1, 0], dtype=bool)) == 3
    assert longest(np.zeros(0, dtype=bool)) == 0


def test_what_makes_no_study_is_told() -> None:
    for seeds, faults, loss in ((range(1, 2), 1, 0.1), (range(1, 3), 0, 0.1), (range(1, 3), 1, 1.0)):
        with pytest.raises(InputError, match="expected two seeds"):
            healing_study(load("metro"), seeds, faults, loss)


def test_kinds_come_in_turn_and_a_seed_draws_the_same() -> None:
    graph = dependencies(world_of("metro"), {"duct": [0, 1]})
    plans = [plan_of(graph, seed, 2) for seed in range(1, 13)]
    assert {fault.cause.kind for plan in plans[:6] for fault in plan[:1]} == set(KINDS)
    assert plans[3] == plan_of(graph, 4, 2)
    assert [fault.start_s for fault in plans[0]] == [WARM_S, WARM_S + FOR_S + REST_S]


def test_a_way_that_would_do_nothing_is_not_played() -> None:
    quiet = {"alarms": [[3, "site x", "late", True]], "named": []}
    assert [arm for arm in ARMS if answered(arm, quiet)] == ["told"]
    server = {"alarms": [[3, "server edge x", "down", True]], "named": [[3, "server edge x"]]}
    assert [arm for arm in ARMS if answered(arm, server)] == ["rules", "twin", "told"]
    link = {"alarms": [[3, "link 3 a–b", "down", True]], "named": []}
    assert [arm for arm in ARMS if answered(arm, link)] == ["alarms", "rules", "told"]


def lines(*told: tuple[str, str, bool]) -> list[dict[str, Any]]:
    return [{"object": name, "observation": what, "raised": raised} for name, what, raised in told]


def test_without_a_twin_all_routes_go_around_links_in_alarm_and_back() -> None:
    metro = world_of("metro")
    worlds: list[World] = []
    alarms = ByAlarms(SimpleNamespace(plant=SimpleNamespace(reroute=worlds.append)), metro)  # type: ignore[arg-type]
    found: dict[str, list[Any]] = {"acted": []}
    name = FAULT_LINK.name
    alarms.epoch(3, lines(("site centre", "late", True), (name, "errors", True)), found)
    assert not worlds
    alarms.epoch(4, lines((name, "down", True)), found)
    assert not any((route // 2 == 3).any() for route in worlds[0].route_site_links)
    alarms.epoch(5, lines((name, "down", True)), found)
    assert len(worlds) == 1
    alarms.epoch(6, lines((name, "down", False)), found)
    for old, new in zip(metro.route_site_links, worlds[1].route_site_links, strict=True):
        np.testing.assert_array_equal(old, new)
    assert found["acted"] == [4.0]


def test_the_book_of_rules_takes_the_first_candidate_and_takes_it_back() -> None:
    metro = world_of("metro")
    plant = SimpleNamespace(turn_routes=lambda turned: None, actuate=lambda device, shares: None)
    rules = ByRules(SimpleNamespace(plant=plant), metro)  # type: ignore[arg-type]
    found: dict[str, list[Any]] = {"acted": []}
    rules.epoch(4, lines(("nobody knows", "down", True), (FAULT_LINK.name, "errors", True)), found)
    assert not rules._remedies.in_force
    rules.epoch(5, lines((FAULT_LINK.name, "down", True)), found)
    assert list(rules._remedies.in_force.values()) == [candidates(metro, [(FAULT_LINK, 1.0)])[1].actions]
    rules.epoch(9, lines((FAULT_LINK.name, "down", False)), found)
    assert not rules._remedies.in_force
    assert found["acted"] == [5.0]


def measurements(monkeypatch: pytest.MonkeyPatch) -> list[Measured]:
    """Play a minute part of `metro` by the twin; return what the loop was given as measured."""
    scenario, given = prepared(load("metro"), 0.1, 1), []
    handle = HealingLoop.handle

    def listened(self: HealingLoop, now: int, outlook: Outlook, evaluator: Any) -> Any:
        given.append(outlook.measured)
        return handle(self, now, outlook, evaluator)

    with monkeypatch.context() as patch:
        patch.setattr(HealingLoop, "handle", listened)
        job = {"scenario": scenario.model_dump(mode="json"), "seed": 3, "epochs": 6, "arm": "twin", "truth": []}
        healingruns.play(job)
    return [one for one in given if one is not None]


@pytest.mark.system
def test_the_loop_measures_by_what_is_told_and_never_by_the_plants_books(monkeypatch: pytest.MonkeyPatch) -> None:
    true = measurements(monkeypatch)
    assert len(true) >= 3
    assert all(np.isfinite(one.by_site).any() for one in true)
    by_site_class = PlantKpis.by_site_class
    with monkeypatch.context() as patch:
        patch.setattr(PlantKpis, "by_site_class", lambda books, name: 1000 + 7 * by_site_class(books, name))
        patch.setattr(healingruns, "plant_utility", lambda world, books: float("nan"))
        falsified = measurements(monkeypatch)
    np.testing.assert_equal([astuple(one) for one in falsified], [astuple(one) for one in true])
