"""Every mistake in a scenario is named at once, with its path, its value and what was expected."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tiertwin.errors import InputError
from tiertwin.model.checks import BYTES_PER_DEVICE, MEMORY_BYTES
from tiertwin.model.parse import MAX_PROBLEMS, describe, parse_scenario, path_text
from tiertwin.model.scenario import Scenario, scenario_schema
from tiertwin.model.tiers import Tier


def inline(**more: Any) -> dict[str, Any]:
    """Three nodes in a row."""
    return {
        "name": "small",
        "topology": {
            "nodes": [{"name": "A"}, {"name": "B"}, {"name": "Ç"}],
            "links": [{"a": "A", "b": "B", "km": 10}, {"a": "B", "b": "Ç", "km": 20}],
        },
        "devices": {"count": 60},
        **more,
    }


def problems_of(data: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_scenario(data, "here.yaml")
    assert caught.value.where == "here.yaml"
    assert str(caught.value).startswith("here.yaml: ")
    return caught.value.problems


def test_a_small_scenario_has_the_stated_defaults():
    scenario = parse_scenario(inline())
    assert scenario.epochs_per_day == 60
    assert scenario.base_epoch_s == 1.0
    assert [scenario.tiers.model_dump()[tier.label]["report_ms"] for tier in Tier] == [50] * 4
    assert (scenario.tiers.edge.control_every, scenario.tiers.cloud.control_every) == (1, 5)
    assert [row.name for row in scenario.classes] == ["vehicle", "AR", "video", "metering"]


def test_models_check_values_of_the_classes():
    """One task alone on a 2 GHz core takes 50, 25, 400, 0.5 ms; mean offered load 85.0 MHz and 0.490 Mb/s a device."""
    rows = parse_scenario(inline()).classes
    assert [row.megabits * row.cycles_per_bit / 1e3 / 2.0 for row in rows] == pytest.approx([0.05, 0.025, 0.4, 0.0005])
    load = sum(row.share * row.tasks_per_s * row.megabits * row.cycles_per_bit for row in rows)
    traffic = sum(row.share * row.tasks_per_s * row.megabits for row in rows)
    assert (load, traffic) == (pytest.approx(85.0, abs=0.02), pytest.approx(0.490, abs=0.0005))


def test_scenarios_are_frozen_and_survive_json():
    scenario = parse_scenario(inline(), "x")
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 3  # type: ignore[misc]
    assert parse_scenario(json.loads(json.dumps(scenario.model_dump(mode="json")))) == scenario


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (inline(fogz={"count": 1}), "fogz: unknown key. Did you mean 'fogs'?"),
        (inline(tiers={"edge": {"report_m": 3}}), "tiers.edge.report_m: unknown key. Did you mean 'report_ms'"),
        (
            inline(classes=[{"name": "x", "share": 1, "tasks_per_s": 1, "megabit": 1}]),
            "classes[0].megabit: unknown key. Did you mean 'megabits'",
        ),
        (inline(devices={"count": 1, "placed": [{"sight": "A"}]}), "devices.placed[0].sight: unknown key"),
        (inline(devices={"count": -1}), "devices.count: expected a number >= 0, got -1 (integer)"),
        (inline(devices={"count": "many"}), "devices.count: expected an integer, got 'many' (text)"),
        (inline(devices={"count": 2.5}), "devices.count: expected an integer, got 2.5 (number)"),
        (inline(devices={"count": True}), "devices.count: expected an integer, got True (boolean)"),
        (inline(devices=None), "devices: expected a mapping, got null"),
        (inline(devices=[1]), "devices: expected a mapping, got a list of 1"),
        (inline(base_epoch_s=math.nan), "base_epoch_s: expected a finite number, got nan (number)"),
        (inline(base_epoch_s=math.inf), "base_epoch_s: expected a finite number, got inf (number)"),
        (inline(telemetry={"delay_ms": [20, math.nan]}), "telemetry.delay_ms[1]: expected a finite number, got nan"),
        (inline(telemetry={"delay_ms": [20]}), "telemetry.delay_ms: expected at least 2 items, got 1"),
        (inline(telemetry={"delay_ms": [80, 20]}), "telemetry.delay_ms: expected least then most delay"),
        (inline(telemetry={"loss": 1.5}), "telemetry.loss: expected a number <= 1.0, got 1.5"),
        (
            inline(policy={"leaf_solver": ""}),
            "policy.leaf_solver: expected",
        ),
        (inline(policy={"master_solver": "scip"}), "policy.master_solver: expected"),
        (inline(name="Not A Name"), "name: expected text that matches"),
        (inline(name="../../etc/passwd"), "name: expected text that matches"),
        (inline(topology={}), "topology: expected exactly one of nodes (with links), topohub or builtin, got none"),
        (
            inline(topology={"topohub": "sndlib/germany50", "builtin": "metro"}),
            "topology: expected exactly one of nodes (with links), topohub or builtin, got topohub and builtin",
        ),
        (inline(cloud={"at": "D"}), "cloud.at: expected a node of the topology, got 'D'"),
        (inline(fogs={"count": 4}), "fogs.count: expected at most one fog a node (3), got 4"),
        (inline(fogs={"count": 2, "gateways": ["A"]}), "fogs.gateways: expected 2 gateways (fogs.count), got 1"),
        (inline(fogs={"gateways": ["A", "A"]}), "fogs.gateways[1]: expected every gateway once, got 'A' 2 times"),
        (inline(radio={"ring_shares": [0.5, 0.5]}), "radio.ring_shares: expected 5 shares (one a ring rate), got 2"),
        (inline(dimensioning={"peak_load": 0.5}), "dimensioning.peak_load: expected at least mean_load (0.7), got 0.5"),
        (inline(day={"urban": [0, 0]}), "day.urban: expected a shape with something above 0"),
        (inline(devices={"count": 5, "ghz": [1.0, 0.5]}), "devices.ghz: expected slowest then fastest clock"),
        (inline(devices={"count": 0}), "devices.count: expected at least one device"),
        (inline(seed=2**70), "seed: expected a number < 9223372036854775808"),
        (inline(seed=10**400), "got an integer of 1329 bits"),
        ({"topology": {"builtin": "metro"}}, "name: required, but missing"),
        ([1, 2], "expected a mapping with the keys of a scenario, got a list of 2"),
        (None, "expected a mapping with the keys of a scenario, got null"),
    ],
)
def test_one_mistake(data: Any, expected: str):
    (problem,) = [row for row in problems_of(data) if expected in row]
    assert problem


def placed(**row: Any) -> dict[str, Any]:
    return inline(devices={"count": 10, "placed": [{"site": "A", "service": "AR", "count": 1, **row}]})


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"site": "Atlantis"}, "devices.placed[0].site: expected a node of the topology, got 'Atlantis'"),
        (
            {"service": "video2"},
            "devices.placed[0].service: expected a service class, got 'video2'. Did you mean 'video'?",
        ),
        ({"ring": 5}, "devices.placed[0].ring: expected a ring 0 … 4, got 5"),
        ({"count": 0}, "devices.placed[0].count: expected a number >= 1, got 0"),
    ],
)
def test_a_device_on_an_unknown_site_service_or_ring(row: dict[str, Any], expected: str):
    (problem,) = problems_of(placed(**row))
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (
            [{"a": "A", "b": "B", "capacity_mbps": -5}],
            "topology.links[0].capacity_mbps: expected a number > 0.0, got -5",
        ),
        ([{"a": "A", "b": "B", "capacity_mbps": 0}], "topology.links[0].capacity_mbps: expected a number > 0.0, got 0"),
        (
            [{"a": "A", "b": "B", "capacity_mbps": math.inf}],
            "topology.links[0].capacity_mbps: expected a finite number",
        ),
        ([{"a": "A", "b": "B", "km": "far"}], "topology.links[0].km: expected a number, got 'far' (text)"),
        ([{"a": "A", "b": "X"}], "topology.links[0].b: expected a node of the topology, got 'X'"),
        ([{"a": "A", "b": "A"}], "topology.links[0]: expected two different nodes, got 'A' twice"),
        ([{"a": "A"}], "topology.links[0].b: required, but missing"),
        (
            [{"a": "A", "b": "B"}, {"a": "B", "b": "A"}, {"a": "B", "b": "Ç"}],
            "topology.links[1]: expected one link a pair, but links[0] joins 'B' and 'A' too",
        ),
        (
            [{"a": "A", "b": "B"}],
            "topology.links: expected a connected network, but 1 of 3 nodes cannot be reached from 'A': 'Ç'",
        ),
        ([], "topology.links: expected a connected network, but 2 of 3 nodes cannot be reached from 'A': 'B', 'Ç'"),
    ],
)
def test_bad_links(links: list[dict[str, Any]], expected: str):
    problems = problems_of(inline(topology={"nodes": inline()["topology"]["nodes"], "links": links}))
    assert sum(problem.startswith(expected) for problem in problems) == 1
    others = [problem for problem in problems if not problem.startswith(expected)]
    assert all("nodes cannot be reached" in problem for problem in others)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "expected at least 1 characters"),
        ("  ", "expected a name, got only blanks"),
        ("a\nb", "expected no control characters, got U+000A"),
        ("a\x1b[31m", "expected no control characters, got U+001B"),
        ("ö" * 65, "expected at most 128 bytes of UTF-8, got 130"),
        ("\ud800", "expected valid UTF-8 text"),
        (7, "expected text, got 7 (integer)"),
    ],
)
def test_topology_names_are_bounded_text(name: Any, expected: str):
    data = {"name": "x", "topology": {"nodes": [{"name": name}]}, "devices": {"count": 5}}
    problems = problems_of(data)
    assert any(row.startswith("topology.nodes[0].name: ") for row in problems)
    assert expected.split(",", maxsplit=1)[0] in " ".join(problems)


def test_a_billion_devices_are_refused_with_the_memory_they_would_need():
    for count in (10**9, 1e9):
        (problem,) = problems_of(inline(devices={"count": count}))
        assert problem.startswith("devices.count: 1000000000 devices would need about 477 GiB")
        assert f"expected at most {MEMORY_BYTES // BYTES_PER_DEVICE} devices" in problem
    (problem,) = problems_of({"name": "x", "topology": {"builtin": "metro"}, "devices": {"count": 10**9}})
    assert "477 GiB" in problem
    assert parse_scenario(inline(devices={"count": 1e6})).devices.count == 1_000_000


def test_all_mistakes_are_named_at_once_across_sections():
    data = inline(
        fogz=1,
        devices={"count": -1},
        telemetry={"loss": math.nan},
        cloud={"at": "Z"},
        policy={"max_rounds": 0},
        topology={"nodes": [{"name": "A"}, {"name": "A"}], "links": [{"a": "A", "b": "Q"}]},
    )
    paths = {row.split(": ")[0] for row in problems_of(data)}
    assert paths == {
        "fogz", "devices.count", "telemetry.loss", "cloud.at", "policy.max_rounds",
        "topology.nodes[1]", "topology.links[0].b",
    }  # fmt: skip


def row_of(problem: str) -> str:
    return problem.split(": ", maxsplit=1)[0]


def test_a_wrong_value_hides_no_mistake_beside_it():
    """Every section has a wrong value and a mistake that only shows when sections are held together."""
    steady = {"share": 0.5, "tasks_per_s": 1, "megabits": 1, "cycles_per_bit": 1, "deadline_s": 1}
    data = {
        "name": "Not A Name",
        "topology": {
            "nodes": [{"name": "A", "demand": -1}, {"name": "B"}, {"name": "A"}, {"name": "C", "lon": 500, "lat": 1}],
            "links": [
                {"a": "A", "b": "B", "capacity_mbps": -5},
                {"a": "B", "b": "Nowhere"},
                {"a": "B", "b": 7},
                {"b": "Elsewhere"},
            ],
        },
        "classes": [{"name": "x", **steady, "deadline_s": -1}, {"name": "x", **steady, "share": 0.7}],
        "devices": {
            "count": "many",
            "ghz": [2, 1],
            "placed": [{"site": "Atlantis", "service": "y", "count": 0}, {"site": "B", "service": "x"}, 5],
        },
        "fogs": {"count": 0, "gateways": ["Q", "B", "B"]},
        "radio": {"cell_load": 2, "ring_shares": [1]},
        "dimensioning": {"mean_load": 0.9, "peak_load": 0.8, "fog_share": 3},
        "telemetry": {"loss": 7, "delay_ms": [3, 2]},
        "day": {"urban": [0, 0], "background_peak": 9},
        "policy": 3,
    }
    assert sorted(map(row_of, problems_of(data))) == sorted(
        [
            "name",
            "topology.nodes[0].demand", "topology.nodes[2]", "topology.nodes[3].lon",
            "topology.links[0].capacity_mbps", "topology.links[1].b", "topology.links[2].b",
            "topology.links[3].a", "topology.links[3].b",
            "classes[0].deadline_s", "classes[1]", "classes",
            "devices.count", "devices.ghz", "devices.placed[0].site", "devices.placed[0].service",
            "devices.placed[0].count", "devices.placed[1].count", "devices.placed[2]",
            "fogs.count", "fogs.gateways[0]", "fogs.gateways[2]",
            "radio.cell_load", "radio.ring_shares",
            "dimensioning.fog_share", "dimensioning.peak_load",
            "telemetry.loss", "telemetry.delay_ms",
            "day.background_peak", "day.urban",
            "policy",
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"topology": {"nodes": [{"name": 5}, {"name": "B"}], "links": [{"a": "A", "b": "B"}]}},
            {"topology.nodes[0].name"},
        ),
        ({"topology": {"nodes": [{}, {}], "links": [{}]}}, {
            "topology.nodes[0].name", "topology.nodes[1].name", "topology.links[0].a", "topology.links[0].b",
        }),
        ({"topology": {"nodes": 5}, "cloud": {"at": "Z"}}, {"topology.nodes"}),
        ({"topology": 5, "cloud": {"at": "Z"}}, {"topology"}),
        ({"topology": None}, {"topology"}),
        ({"classes": [{}, 5, None]}, {
            *(f"classes[0].{key}" for key in ("name", "share", "megabits", "cycles_per_bit", "deadline_s")),
            "classes[1]", "classes[2]",
        }),
        ({"classes": 5, "devices": {"placed": [{"site": "A", "service": "q", "count": 1}]}}, {"classes"}),
        ({"devices": {"ghz": [2, "fast"], "count": 5}}, {"devices.ghz[1]"}),
        ({"day": {"urban": ["x", 0]}}, {"day.urban[0]"}),
        ({"dimensioning": {"mean_load": 2, "peak_load": 0.01}}, {"dimensioning.mean_load"}),
    ],
)  # fmt: skip
def test_what_stands_in_for_a_wrong_value_is_never_complained_of(change: dict[str, Any], expected: set[str]):
    assert set(map(row_of, problems_of(inline(**change)))) - {"classes[0].tasks_per_s"} == expected


def test_very_many_mistakes_are_cut_short():
    links = [{"a": "A", "b": f"X{i}"} for i in range(200)]
    problems = problems_of(inline(topology={"nodes": [{"name": "A"}], "links": links}))
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == f"and {200 - MAX_PROBLEMS} more"


def test_lines_stand_before_paths_where_they_are_known():
    with pytest.raises(InputError) as caught:
        parse_scenario(inline(seed=-1), "f.yaml", {("seed",): 12})
    assert caught.value.problems == ["line 12: seed: expected a number >= 0, got -1 (integer)"]


def test_shares_of_classes_add_up():
    row = {"tasks_per_s": 1, "megabits": 1, "cycles_per_bit": 1, "deadline_s": 1}
    classes = [{"name": "a", "share": 0.5, **row}, {"name": "a", "share": 0.4, **row}]
    assert sorted(problems_of(inline(classes=classes))) == [
        "classes: expected shares that add up to 1, got 0.9",
        "classes[1]: expected every class once, got 'a' 2 times",
    ]


def test_the_schema_forbids_unknown_keys_everywhere():
    schema = scenario_schema()
    json.dumps(schema)
    assert schema["additionalProperties"] is False
    assert all(part["additionalProperties"] is False for part in schema["$defs"].values() if part["type"] == "object")
    assert set(schema["properties"]) == set(Scenario.model_fields)
    described = [name for name, part in schema["$defs"].items() if "description" in part]
    assert "Dimensioning" in described


def test_values_are_shown_short_and_printable():
    assert len(describe("x" * 1000)) < 80
    assert "\x1b" not in describe("\x1b[31mred")
    assert describe({"a": 1}) == "a mapping of 1"
    assert path_text(("classes", 3, "deadline_s")) == "classes[3].deadline_s"
