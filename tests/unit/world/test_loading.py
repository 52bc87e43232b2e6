"""One door for every source of a scenario, with overrides and suggestions."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest

from tiertwin.errors import InputError, UnknownNameError
from tiertwin.world import builtin_names, load, resolve

FILE = """
name: own
topology:
  nodes:
    - {name: Ost, lon: 13.0, lat: 50.0, demand: 2}
    - {name: West, lon: 12.0, lat: 50.0}
  links:
    - {a: Ost, b: West, capacity_mbps: 1e3}
devices:
  count: 1e2
"""


def test_built_in_names():
    assert builtin_names() == ["germany50", "metro", "mixed"]
    assert [load(name).name for name in builtin_names()] == builtin_names()


def test_a_yaml_file(tmp_path: Path):
    path = tmp_path / "own.yaml"
    path.write_text(FILE, encoding="utf-8")
    for source in (path, str(path)):
        scenario = load(source)
        assert (scenario.name, scenario.devices.count) == ("own", 100)
        assert scenario.topology.links[0].capacity_mbps == 1000.0


def test_a_file_error_names_file_line_path_value_and_expectation(tmp_path: Path):
    path = tmp_path / "own.yaml"
    path.write_text(FILE.replace("1e3", "-5").replace("count", "counts"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    assert caught.value.where == str(path)
    assert caught.value.problems == [
        "line 8: topology.links[0].capacity_mbps: expected a number > 0.0, got -5 (integer)",
        "line 10: devices.counts: unknown key. Did you mean 'count'?",
    ]


def test_topohub_names():
    world = resolve(load("sndlib/abilene"))
    assert (world.name, world.site_count, world.fog_count, world.device_count) == ("sndlib-abilene", 12, 1, 4800)
    assert world.source == "topohub sndlib/abilene"


def test_a_networkx_graph():
    graph = nx.cycle_graph(9)
    world = resolve(load(graph, name="ring", devices__count=900))
    assert (world.name, world.site_count, world.device_count) == ("ring", 9, 900)
    assert load(nx.Graph([("a", "b")], name="My Net")).name == "my-net"


def test_overrides_merge_and_go_deep():
    scenario = load("metro", seed=3, devices={"count": 50}, tiers__cloud__control_every=10)
    assert (scenario.seed, scenario.devices.count, scenario.devices.minimum_per_site) == (3, 50, 20)
    assert (scenario.tiers.cloud.control_every, scenario.tiers.cloud.report_ms) == (10, 250)
    assert load(scenario) == scenario
    assert load(scenario, seed=4).seed == 4
    assert load("metro").seed == 7  # what an override changed, it changed in a copy


def test_unknown_override():
    with pytest.raises(InputError, match=r"devices\.coont: unknown key\. Did you mean 'count'"):
        load("metro", devices__coont=3)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("germany5", "Did you mean 'germany50'"),
        ("metr", "Did you mean 'metro'"),
        ("nowhere", "Known: germany50, metro"),
        ("sndlib/germany5", "'sndlib/germany50'"),
        ("", "Known: germany50, metro"),
        ("x" * 5000, "Known: germany50, metro"),
        ("a\0b", "Known: germany50, metro"),
    ],
)
def test_unknown_scenarios_suggest(name: str, hint: str):
    with pytest.raises(UnknownNameError, match="Unknown scenario") as caught:
        load(name)
    assert hint in str(caught.value)


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"not-there\.yaml: expected a readable YAML file, got: No such file"):
        load("not-there.yaml")


@pytest.mark.parametrize("source", [3, None, ["metro"]])
def test_sources_of_another_kind(source: object):
    with pytest.raises(InputError, match="expected a name, a YAML path, a networkx graph, a mapping or a Scenario"):
        load(source)


def test_places_are_checked_when_the_topology_stands_under_a_name():
    with pytest.raises(InputError, match=r"cloud\.at: expected a node of the topology, got 'Köln'.*'Koeln'"):
        load("germany50", cloud__at="Köln")
    with pytest.raises(InputError, match=r"devices\.placed\[0\]\.site: expected a node"):
        load("metro", devices={"placed": [{"site": "Centr", "service": "AR", "count": 1}]})
    with pytest.raises(UnknownNameError, match=r"Unknown built-in topology 'metr'.*'metro'"):
        load({"name": "x", "topology": {"builtin": "metr"}})


def test_a_folder_given_as_a_scenario_is_told_what_it_is(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "some").mkdir()
    for name in ("b.yml", "a.yaml", "notes.txt"):
        (tmp_path / "some" / name).write_text("x")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    for name, expected in (
        ("empty", f"got a folder without a YAML file; `tiertwin init {tmp_path / 'empty'}` writes one"),
        ("some", f"got a folder; name a file in it: {tmp_path / 'some' / 'a.yaml'}, {tmp_path / 'some' / 'b.yml'}"),
        ("run", f"got a folder of a run; `tiertwin replay {tmp_path / 'run'}` runs it again, `tiertwin report"),
    ):
        for given in (tmp_path / name, str(tmp_path / name)):
            with pytest.raises(InputError) as caught:
                load(given)
            assert expected in str(caught.value)
            assert "sndlib" not in str(caught.value)


def test_a_built_in_name_wins_over_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metro").mkdir()
    assert load("metro").name == "metro"


def test_hundreds_of_names_are_not_listed():
    with pytest.raises(UnknownNameError, match=r"Known: germany50, metro, .* and 6\d\d more$"):
        load("qqqqqqqq/zzzzzzzz")
