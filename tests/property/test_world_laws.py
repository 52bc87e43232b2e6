"""Laws of the resolved world: shared links hold under any allocation, domains partition, devices add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.errors import InputError
from tiertwin.model.parse import parse_scenario
from tiertwin.world import World, link_shares, load, reroute, resolve
from tiertwin.world.population import split

GERMANY = resolve(load("germany50"))
METRO = resolve(load("metro"))


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """A small connected network with random lengths, demands, capacities, fogs and devices."""
    count = draw(st.integers(1, 9))
    nodes = [{"name": f"N{i}", "demand": draw(st.floats(0, 50))} for i in range(count)]
    pairs = {(draw(st.integers(0, i - 1)), i) for i in range(1, count)}
    if count > 2:
        extra = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).map(lambda p: (min(p), max(p)))
        pairs |= draw(st.sets(extra.filter(lambda p: p[0] != p[1]), max_size=6))
    capacity = st.none() | st.floats(1, 1e5)
    links = [
        {"a": f"N{a}", "b": f"N{b}", "km": draw(st.floats(0, 300)), "capacity_mbps": draw(capacity)}
        for a, b in sorted(pairs)
    ]
    return {
        "name": "random",
        "topology": {"nodes": nodes, "links": links},
        "fogs": {"count": draw(st.integers(1, count))},
        "devices": {"count": draw(st.integers(1, 500)), "minimum_per_site": draw(st.integers(0, 60))},
    }


def links_hold(world: World, background: np.ndarray, failed: np.ndarray, fractions: np.ndarray) -> None:
    """Send `fractions` of every uplink over its route: no link carries more than capacity − background."""
    sites, fogs = link_shares(world, background, failed)
    uplinks = np.concatenate([sites, fogs])
    load_of = np.zeros(2 * world.link_count)
    for route, carried in zip([*world.route_site_links, *world.route_fog_links], uplinks * fractions, strict=True):
        load_of[route] += carried
    free = np.maximum(np.repeat(world.link_capacity_mbps, 2) - background, 0.0)
    free[np.repeat(failed, 2)] = 0.0
    assert (load_of <= free * (1 + 1e-12)).all()


def fractions_of(world: World, rng: np.random.Generator) -> np.ndarray:
    routes = world.site_count + world.fog_count
    return rng.choice([np.ones(routes), rng.random(routes), rng.integers(0, 2, routes).astype(float)])


@given(st.sampled_from([GERMANY, METRO]), st.integers(0, 2**32), st.floats(0, 2.5), st.floats(0, 0.3), st.booleans())
@settings(max_examples=100)
def test_no_link_exceeds_its_capacity_under_any_allocation_inside_the_quotas(
    world: World, seed: int, scale: float, failing: float, rerouted: bool
):
    rng = np.random.default_rng(seed)
    failed = rng.random(world.link_count) < failing
    if rerouted:
        world = reroute(world, failed)
    background = world.background_mbps * scale * rng.uniform(0.5, 1.5, 2 * world.link_count)
    links_hold(world, background, failed, fractions_of(world, rng))


@given(scenarios(), st.integers(0, 2**32))
@settings(max_examples=60)
def test_the_laws_hold_on_random_networks(data: dict[str, Any], seed: int):
    rng = np.random.default_rng(seed)
    world = resolve(parse_scenario(data))
    quiet = np.zeros(world.link_count, dtype=bool)
    links_hold(world, world.background_mbps * rng.uniform(0, 2), quiet, fractions_of(world, rng))
    failed = rng.random(world.link_count) < 0.3
    links_hold(reroute(world, failed), world.background_mbps, failed, fractions_of(world, rng))

    # a partition is total and disjoint, its parts are not empty, and sums over groups equal sums over members
    assert sorted(np.unique(world.node_fog).tolist()) == list(range(world.fog_count))
    assert (world.node_fog[world.fog_node] == np.arange(world.fog_count)).all()
    assert world.group_devices.sum() == world.device_count == data["devices"]["count"]
    weight = np.bincount(world.site_fog, world.route_site_weight, minlength=world.fog_count)
    np.testing.assert_allclose(world.route_fog_weight, weight, rtol=1e-12)
    assert (world.group_devices >= 0).all()
    assert min(world.site_cores.min(), world.fog_cores.min(), world.cloud_cores, world.site_cells.min()) >= 1
    assert len({twin.name for twin in world.twins}) == len(world.twins)

    # every route is there, inside its domain, and there is an uplink where links have room
    roomy = (np.repeat(world.link_capacity_mbps, 2) > world.background_mbps).all()  # stated capacities may be too small
    for uplinks in (world.uplink_site_mbps, world.uplink_fog_mbps):
        assert (uplinks > 0).all() or not roomy
        assert (uplinks >= 0).all()
    for site, route in enumerate(world.route_site_links):
        assert (len(route) == 0) == (world.site_node[site] == world.fog_node[world.site_fog[site]])
        assert (world.node_fog[world.link_tail[route // 2]] == world.site_fog[site]).all()


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_shares_agree_with_the_rule_written_naively(seed: int):
    rng = np.random.default_rng(seed)
    background = GERMANY.background_mbps * rng.uniform(0, 3, 2 * GERMANY.link_count)
    failed = rng.random(GERMANY.link_count) < 0.05
    sites, fogs = link_shares(GERMANY, background, failed)
    routes = [*GERMANY.route_site_links, *GERMANY.route_fog_links]
    weights = [*GERMANY.route_site_weight, *GERMANY.route_fog_weight]
    for index, got in enumerate([*sites, *fogs]):
        expected = GERMANY.lan_mbps if len(routes[index]) == 0 else np.inf
        for link in routes[index]:
            crossing = sum(w for route, w in zip(routes, weights, strict=True) if link in route)
            free = 0.0 if failed[link // 2] else max(GERMANY.link_capacity_mbps[link // 2] - background[link], 0.0)
            expected = min(expected, free * weights[index] / crossing)
        assert got == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 2**32), st.integers(0, 87), st.floats(0, 1e4))
def test_less_background_never_lowers_an_uplink(seed: int, link: int, relief: float):
    rng = np.random.default_rng(seed)
    background = GERMANY.background_mbps * rng.uniform(0, 2, 2 * GERMANY.link_count)
    eased = background.copy()
    eased[2 * link : 2 * link + 2] = np.maximum(eased[2 * link : 2 * link + 2] - relief, 0.0)
    quiet = np.zeros(GERMANY.link_count, dtype=bool)
    before, after = link_shares(GERMANY, background, quiet), link_shares(GERMANY, eased, quiet)
    assert all((new >= old).all() for old, new in zip(before, after, strict=True))


@given(st.integers(0, 10_000), st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.integers(0, 50))
def test_a_split_adds_up_and_keeps_its_floor(total: int, weight: list[float], least: int):
    parts = split(total, np.array(weight), least)
    assert parts.sum() == total
    assert parts.min() >= min(least, total // len(weight))


@given(
    st.dictionaries(
        st.sampled_from(["name", "seed", "devices", "classes", "topology", "zz"]), st.integers() | st.text() | st.none()
    )
)
def test_whatever_is_written_is_a_scenario_or_an_input_error(data: dict[str, Any]):
    try:
        scenario = parse_scenario(data)
    except InputError as error:
        assert error.problems  # noqa: PT017  either is fine, anything else is not
    else:
        assert scenario.name == data["name"]
