"""Faults and assurance as a user writes them: what they become, and what is said about mistakes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from tiertwin.errors import InputError
from tiertwin.orchestrate.watchrules import AssuranceRules
from tiertwin.plant import PlantOptions
from tiertwin.plant.faults import groups_of
from tiertwin.runtime.childconfig import settings_from_plain, settings_to_plain
from tiertwin.runtime.plan import RunPlan, settings_of
from tiertwin.world import load, resolve

LINK = ["Station", "Centre"]
DUCT = {"name": "duct", "links": [LINK]}


def of(**sections: Any) -> Any:
    return load("metro", **sections)


def test_nothing_is_on_by_default():
    scenario = load("metro")
    assert scenario.faults is scenario.assurance is None
    assert PlantOptions.of(resolve(scenario)).faults is None
    assert AssuranceRules.of(scenario, {}, []) is None


def test_a_plant_that_is_watched_counts_without_any_fault():
    options = PlantOptions.of(resolve(of(assurance={})))
    assert options.faults == {"groups": [], "events": [], "random": None}
    assert PlantOptions.of(resolve(of(assurance={"enabled": False}))).faults is None


def test_faults_become_numbers():
    world = resolve(
        of(
            faults={
                "groups": [DUCT],
                "events": [
                    {"kind": "degraded", "link": LINK, "at_s": 3, "for_s": 4.5, "capacity": 0.25, "loss": 0.5},
                    {"kind": "group", "group": "duct", "at_s": 1},
                    {"kind": "node", "node": "Harbour", "at_s": 2},
                    {"kind": "slow", "node": "Harbour", "at_s": 2, "speed": 0.125},
                    {"kind": "server", "node": "Centre", "tier": "cloud", "at_s": 2},
                    {"kind": "access", "node": "Harbour", "at_s": 2},
                ],
            }
        )
    )
    faults = PlantOptions.of(world).faults
    assert faults is not None
    assert groups_of(world) == {"duct": [0]}
    assert faults["groups"] == [[0]]
    harbour, events = world.node_names.index("Harbour"), faults["events"]
    assert [row["which"] for row in events] == [
        0, 0, harbour, harbour, world.site_count + world.fog_count, harbour,
    ]  # fmt: skip
    assert events[0] == {
        "start_s": 3.0, "end_s": 7.5, "kind": "degraded", "which": 0, "capacity": 0.25, "loss": 0.5,
    }  # fmt: skip
    assert events[3]["speed"] == 0.125
    assert events[1]["end_s"] is None


def test_they_travel_to_other_processes():
    section = {"groups": [DUCT], "random": {"per_hour": {"link": 3.0}}}
    scenario = of(
        faults=section,
        assurance={"window_s": 3.0, "thresholds": {"late": 0.5}},
        weather={"microwave": [{"a": "Station", "b": "Centre", "ghz": 80}]},
    )
    world = resolve(scenario)
    settings = settings_of(RunPlan(scenario, 1, 7, ("hierarchical",)), world, "hierarchical")
    again = settings_from_plain(json.loads(json.dumps(settings_to_plain(settings))))
    assert again.assurance == settings.assurance
    assert again.plant.faults == settings.plant.faults
    rules = again.assurance
    assert rules is not None
    assert (rules.window_s, rules.late, rules.groups, rules.modulated) == (3.0, 0.5, (("duct", (0,)),), (0,))
    assert asdict(rules)["period_s"] == scenario.telemetry.period_s


@pytest.mark.parametrize(
    ("sections", "match"),
    [
        ({"faults": {"events": [{"kind": "link", "at_s": 1}]}}, r"events\[0\].*expected `link`.*got none"),
        ({"faults": {"events": [{"kind": "node", "link": LINK, "at_s": 1}]}}, r"expected `node`.*got \['link'\]"),
        ({"faults": {"events": [{"kind": "group", "group": "dukt", "at_s": 1}], "groups": [DUCT]}}, "duct"),
        ({"faults": {"groups": [DUCT, DUCT]}}, "every group once"),
        ({"faults": {"random": {"loss": [0.5, 0.1]}}}, "the least first"),
        ({"faults": {"random": {"per_hour": {"group": 1}}}}, "groups in faults.groups"),
        ({"faults": {"events": [{"kind": "slow", "node": "Harbour", "at_s": 1, "speed": 0}]}}, "speed"),
        ({"faults": {"events": [{"kind": "flood", "node": "Harbour", "at_s": 1}]}}, "kind"),
        ({"assurance": {}, "attributes": {}}, "expected no `attributes`"),
        ({"assurance": {"silent_s": 1.5}}, "two periods"),
        ({"assurance": {"windows": 2}}, "window_s"),
    ],
)
def test_a_mistake_is_told_with_its_path(sections: dict[str, Any], match: str):
    with pytest.raises(InputError, match=match):
        of(**sections)


@pytest.mark.parametrize(
    ("faults", "match"),
    [
        ({"events": [{"kind": "link", "link": ["Station", "Centr"], "at_s": 1}]}, r"'Centr'.*Centre"),
        ({"events": [{"kind": "node", "node": "Harbor", "at_s": 1}]}, r"'Harbor'.*Harbour"),
        ({"groups": [{"name": "duct", "links": [["Station", "Harbour"]]}]}, "expected a link of the topology"),
        ({"events": [{"kind": "server", "node": "Harbour", "tier": "cloud", "at_s": 1}]}, "a server of tier 'cloud'"),
    ],
)
def test_places_are_looked_up_when_the_world_is_made(faults: dict[str, Any], match: str):
    with pytest.raises(InputError, match=match):
        PlantOptions.of(resolve(of(faults=faults)))
