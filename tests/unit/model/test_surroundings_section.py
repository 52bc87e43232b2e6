"""Failures, weather and base stations as a user writes them: what they become, and what is said about mistakes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.plant import PlantOptions, SimulatedPlant
from tiertwin.runtime.childconfig import settings_from_plain, settings_to_plain
from tiertwin.runtime.plan import RunPlan, settings_of
from tiertwin.world import load, resolve

LAW: dict[str, Any] = {"weibull": {"scale_s": 100.0}}
SERVER = 1 << 32


def of(**sections: Any) -> Any:
    return load("metro", **sections)


def test_nothing_is_on_by_default() -> None:
    scenario = load("metro")
    assert scenario.failures is scenario.weather is scenario.base_stations is None
    options = PlantOptions.of(resolve(scenario))
    assert options.wear is options.weather is options.stations is None


def test_laws_go_to_the_elements_of_their_kind() -> None:
    own = {"degradation": {"drift_per_s": 0.1}, "repair": {"law": "lognormal", "mean_s": 5.0}}
    section = {
        "links": LAW,
        "cloud": {"weibull": {"scale_s": 7.0, "shape": 3.0}},
        "own": [{"link": ["Station", "Centre"], "law": own}, {"site": "Harbour", "law": own}],
    }
    world = resolve(of(failures=section))
    wear = PlantOptions.of(world).wear
    assert wear is not None
    m, sites, fogs = world.link_count, world.site_count, world.fog_count
    keys = dict(zip(wear["part_key"], wear["part_law"], strict=True))
    harbour = world.node_names.index("Harbour")
    assert list(keys) == sorted(keys)
    assert set(keys) == {*range(m), SERVER + harbour, SERVER + sites + fogs}
    ends = {world.node_names[world.link_tail[0]], world.node_names[world.link_head[0]]}
    assert ends == {"Centre", "Station"}
    scale = [wear["scale_s"][keys[key]] for key in (0, 1, SERVER + harbour, SERVER + sites + fogs)]
    assert scale == [0.0, 100.0, 0.0, 7.0]
    assert wear["repair_sigma"][keys[0]] == 0.5
    assert wear["repair_sigma"][keys[1]] == 0.0
    assert wear["day_s"] == 60.0


def test_places_become_km_and_modulations_bits() -> None:
    hop = {"a": "Station", "b": "Centre", "ghz": 80, "polarisation": "horizontal", "modulation": "256-QAM"}
    cell = {"lon": 10.0, "lat": 50.0, "peak_mm_h": 50.0}
    world = resolve(of(weather={"microwave": [hop], "cells": [cell]}))
    weather = PlantOptions.of(world).weather
    assert weather is not None
    assert (weather["link"], weather["top"], weather["tilt"]) == ([0], [8], [0.0])
    length = np.hypot(weather["x1"][0] - weather["x0"][0], weather["y1"][0] - weather["y0"][0])
    assert length == pytest.approx(world.link_km[0], rel=1e-3)
    assert weather["per_hour"] == 0.0
    assert weather["west"] <= weather["cell_x_km"][0] <= weather["east"]


def test_kinds_of_base_stations_follow_the_density() -> None:
    world = resolve(of(base_stations={"urban": "micro", "rural": "pico"}))
    stations = PlantOptions.of(world).stations
    assert stations is not None
    assert stations["station"] == np.where(world.site_urban, 2, 3).tolist()
    assert stations["after_s"] == 0.0


def test_they_travel_to_the_process_of_the_plant() -> None:
    scenario = of(failures={"sites": LAW}, weather={"rain": {}}, base_stations={"sleep_after_s": 1.0})
    world = resolve(scenario)
    settings = settings_of(RunPlan(scenario, seed=3, epochs=1, policies=("nearest",)), world, "nearest")
    back = settings_from_plain(settings_to_plain(settings))
    assert back.plant.wear == settings.plant.wear is not None
    assert back.plant.weather == settings.plant.weather is not None
    assert back.plant.stations == settings.plant.stations is not None
    plants = [SimulatedPlant(replace(world, scenario=None), 3, s.plant) for s in (settings, back)]
    for plant in plants:
        plant.advance(2_000_000_000, 0)
    here, there = (plant.kpis() for plant in plants)
    assert here.station_j is not None
    assert there.station_j is not None
    assert here.station_j.tolist() == there.station_j.tolist()


MISTAKES: list[tuple[dict[str, Any], str]] = [
    (
        {"failures": {"links": {"weibull": {"scale_s": 10.0, "shape": 0.0}}}},
        "failures.links.weibull.shape: expected .*0",
    ),
    ({"failures": {"links": {"weibull": {"scale_s": -1.0}}}}, "failures.links.weibull.scale_s: expected"),
    ({"failures": {"sites": {}}}, "failures.sites: expected `weibull`, `degradation` or both, got neither"),
    (
        {"failures": {"fogs": {**LAW, "heat": {"idle_w": 9.0, "max_w": 1.0}}}},
        "fogs.heat.max_w: expected at least idle_w",
    ),
    (
        {"failures": {"cloud": {"degradation": {"drift_per_s": 1.0, "limit": 12.0}, "signals": {"errors_per_s": 1.0}}}},
        "failures.cloud.signals.errors_per_s: expected at most 500 errors a measurement",
    ),
    ({"failures": {"own": [{"law": LAW}]}}, r"failures.own\[0\]: expected either `link` or `site`, got neither"),
    (
        {"failures": {"own": [{"link": ["Centre", "Statoin"], "law": LAW}]}},
        r"failures.own\[0\].link\[1\]: expected a node .* got 'Statoin'. Did you mean 'Station'",
    ),
    (
        {"failures": {"own": [{"link": ["Station", "Harbour"], "law": LAW}]}},
        r"expected a link of the topology, got 'Station' – 'Harbour'; 'Station' has links",
    ),
    (
        {"failures": {"own": [{"site": "Habour", "law": LAW}]}},
        r"failures.own\[0\].site: expected a node .* Did you mean 'Harbour'",
    ),
    (
        {"failures": {"own": [{"site": "Harbour", "law": LAW}] * 2}},
        r"failures.own\[1\].site: expected every site with a law of its own once",
    ),
    ({"failures": {"lnks": LAW}}, "failures.lnks: unknown key. Did you mean 'links'"),
    ({"failures": {"links": {"wiebull": {"scale_s": 1.0}}}}, "wiebull: unknown key. Did you mean 'weibull'"),
    ({"weather": {"rain": {"peak_mm_h": -1.0}}}, "weather.rain.peak_mm_h: expected"),
    (
        {"weather": {"cells": [{"lon": 10.0, "lat": 50.0, "peak_mm_h": -2.0}]}},
        r"weather.cells\[0\].peak_mm_h: expected",
    ),
    ({"weather": {"cells": [{"lon": 10.0, "lat": 50.0, "peak_mm_h": 300.0}]}}, r"cells\[0\].peak_mm_h: expected"),
    (
        {"weather": {"microwave": [{"a": "Centre", "b": "Statio"}]}},
        r"weather.microwave\[0\].b: expected a node .* Did you mean 'Station'",
    ),
    (
        {"weather": {"microwave": [{"a": "Centre", "b": "Station"}, {"a": "Station", "b": "Centre"}]}},
        r"weather.microwave\[1\]: expected every microwave link once",
    ),
    (
        {"weather": {"microwave": [{"a": "Centre", "b": "Station", "margin_db": 0.5}]}},
        r"microwave\[0\].margin_db: expected at least weather.hysteresis_db \(1\)",
    ),
    ({"weather": {"microwave": [{"a": "Centre", "b": "Station", "modulation": "3-QAM"}]}}, "modulation: .*QPSK"),
    ({"base_stations": {"urban": "macrocell"}}, "base_stations.urban: .*macro"),
    ({"base_stations": {"sleep_after_s": 0.0}}, "base_stations.sleep_after_s: expected"),
]


@pytest.mark.parametrize(("sections", "match"), MISTAKES)
def test_a_mistake_is_told_with_its_path(sections: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        of(**sections)


def test_rain_needs_places() -> None:
    topology = {"nodes": [{"name": "a"}, {"name": "b"}], "links": [{"a": "a", "b": "b"}]}
    with pytest.raises(
        InputError, match="expected lon and lat for every node, so that rain finds it, but 'a' has none"
    ):
        load({"name": "two", "topology": topology, "weather": {"rain": {}}})
    load({"name": "two", "topology": topology, "weather": {"microwave": [{"a": "a", "b": "b"}]}})


def test_names_are_checked_on_a_topology_of_its_own_and_on_topohub() -> None:
    topology = {"nodes": [{"name": "a"}, {"name": "b"}], "links": [{"a": "a", "b": "b"}]}
    wrong = {"weather": {"microwave": [{"a": "a", "b": "c"}]}}
    with pytest.raises(InputError, match=r"microwave\[0\].b: expected a node of the topology, got 'c'"):
        load({"name": "two", "topology": topology, **wrong})
    with pytest.raises(InputError, match=r"microwave\[0\].a: expected a node of the topology, got 'a'"):
        load({"name": "hub", "topology": {"topohub": "sndlib/abilene"}, **wrong})
