"""How a cause propagates: the graph's roles and edges, and its picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.functions.assure.impact import ImpactModel
from tiertwin.functions.assure.propagation import ROLES, propagation
from tiertwin.report.propagation import COLUMNS, propagation_picture
from tiertwin.world import load, resolve

WORLD = resolve(load("mixed"))
GRAPH = dependencies(WORLD, {"duct <1>": [0, 1]})
MODEL = ImpactModel(WORLD)


def shown(name: str, alarms=()):
    cause = GRAPH.cause(name)
    return propagation(WORLD, GRAPH, cause, MODEL.impact(cause), alarms)


def test_a_group_goes_over_its_links_and_routes_to_its_sites_and_alarms() -> None:
    alarm = GRAPH.observations[0]  # link 0 is down
    graph = shown("group duct <1>", [alarm, "node country-1 dark"])
    role = {node["id"]: node["role"] for node in graph.nodes}
    assert {role[a] + ">" + role[b] for a, b in graph.edges} == {"cause>part", "part>route", "route>site", "part>alarm"}
    alarms = [node["text"] for node in graph.nodes if node["role"] == "alarm"]
    assert alarms == [alarm]  # the other one is none of its own
    behind = {a for a, b in graph.edges if b == f"alarm:{alarm}"}
    assert behind == {f"part:{alarm.removesuffix(' down')}"}
    cut = {node["text"] for node in graph.nodes if node["role"] == "site"}
    assert cut == set(MODEL.impact(GRAPH.cause("group duct <1>")).cut_off)


@pytest.mark.parametrize("kind", ["link", "degraded", "node", "server", "slow", "access"])
def test_every_node_hangs_on_the_cause(kind: str) -> None:
    cause = next(one for one in GRAPH.causes if one.kind == kind)
    graph = shown(cause.name, GRAPH.observations)
    reached, before = {graph.nodes[0]["id"]}, 0
    while len(reached) > before:
        before = len(reached)
        reached |= {b for a, b in graph.edges if a in reached}
    assert reached == {node["id"] for node in graph.nodes}
    order = {node["id"]: ROLES.index(node["role"]) for node in graph.nodes}
    assert all(order[a] < order[b] for a, b in graph.edges)
    assert sum(node["role"] == "alarm" for node in graph.nodes) >= 1


def test_the_picture_is_well_formed_escaped_and_bounded() -> None:
    graph = shown("group duct <1>", GRAPH.observations)
    picture = propagation_picture(graph.plain(), "Duct <1>")
    root = ET.fromstring(picture)
    texts = [element.text for element in root.iter("text")]
    assert "group duct <1>" in texts
    assert root.find("figcaption").text == "Duct <1>"
    assert len(list(root.iter("rect"))) == len(graph.nodes)
    hub = max((one for one in GRAPH.causes if one.kind == "node"), key=lambda one: len(shown(one.name).nodes))
    many = shown(hub.name, GRAPH.observations)
    column = max(sum(n["role"] == role for n in many.nodes) for role in ROLES)
    bounded = ET.fromstring(propagation_picture(many.plain(), "hub"))
    assert column > 14
    assert f"and {column - 14} more" in [element.text for element in bounded.iter("text")]


def test_columns_are_the_roles() -> None:
    assert COLUMNS == ROLES
