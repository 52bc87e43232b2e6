"""The built-in worlds hold what the scenario cards say of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tiertwin.model.tiers import Tier
from tiertwin.world import World, load, offered_tasks, resolve


@pytest.fixture(scope="module")
def germany() -> World:
    return resolve(load("germany50"))


@pytest.fixture(scope="module", params=["germany50", "metro"])
def world(request: pytest.FixtureRequest) -> World:
    return resolve(load(request.param))


def offered_ghz(world: World, epoch: int) -> float:
    return float((offered_tasks(world, epoch).sum(axis=2) @ world.gcycles).sum())


def server_ghz(world: World) -> float:
    return float(world.core_ghz * (world.site_cores.sum() + world.fog_cores.sum() + world.cloud_cores))


def test_sizes(germany: World):
    assert (germany.site_count, germany.link_count, germany.fog_count) == (50, 88, 6)
    assert germany.device_count == 20_000
    assert germany.groups_per_site == 20
    assert germany.group_devices.size == 1_000
    assert germany.group_devices.min() >= 1
    assert germany.node_names[germany.cloud_node] == "Frankfurt"
    metro = resolve(load("metro"))
    assert (metro.site_count >= 12, metro.fog_count, metro.device_count) == (True, 3, 600)
    assert set(np.unique(metro.device_class)) == {0, 1, 2, 3}


def test_offered_load_is_that_of_the_models(world: World):
    loads = world.group_devices.sum(axis=2) @ (world.tasks_per_s * world.gcycles)
    assert loads.sum() / world.device_count * 1e3 == pytest.approx(85.0, abs=0.1)
    assert world.route_site_weight.sum() / world.device_count == pytest.approx(0.490, abs=0.001)


def test_load_is_seven_tenths_at_the_mean_and_eleven_at_the_peak(world: World):
    loads = np.array([offered_ghz(world, epoch) for epoch in range(world.epochs_per_day)]) / server_ghz(world)
    whole_cores = 1.0 / (server_ghz(world) / world.core_ghz)  # a core more or less
    assert loads.mean() == pytest.approx(0.7, rel=whole_cores)
    assert loads.max() == pytest.approx(1.1, rel=whole_cores)
    assert loads.max() / loads.min() >= 2.0


def test_servers_are_those_of_the_models(germany: World):
    ghz = germany.site_cores * germany.core_ghz
    assert set(ghz[germany.site_urban]) == {64.0}
    assert set(ghz[~germany.site_urban]) == {16.0}
    assert 10 <= germany.site_urban.sum() <= 25
    urban = {germany.node_names[i] for i in np.flatnonzero(germany.site_urban)}
    assert {"Hamburg", "Koeln", "Frankfurt", "Stuttgart", "Muenchen"} < urban
    assert not urban & {"Passau", "Greifswald", "Kempten", "Trier", "Flensburg"}


def test_profiles_have_mean_one(world: World):
    for profile in (world.profile_urban, world.profile_rural, world.profile_background):
        assert profile.shape == (60,)
        assert profile.mean() == pytest.approx(1.0, abs=1e-12)
        assert profile.min() > 0.1
    assert world.profile_background.max() == pytest.approx(1.4)
    assert offered_tasks(world, 3).tolist() == offered_tasks(world, 63).tolist()


def test_links_are_dimensioned_by_the_rule(germany: World):
    rule = germany.scenario.dimensioning
    assert set(germany.link_capacity_mbps) <= set(rule.link_modules_mbps)
    utilisation = germany.background_mbps / np.repeat(germany.link_capacity_mbps, 2)
    assert 0.4 < utilisation.max() <= rule.background_utilisation
    assert germany.demand_mbps.sum() == pytest.approx(rule.background_ratio * germany.route_site_weight.sum())


def test_uplinks_are_a_constraint_for_some_but_not_for_all(germany: World):
    relative = germany.uplink_site_mbps / germany.route_site_weight
    assert relative.min() > 0.1
    assert (relative < 1.57).sum() >= 5  # could not send everything at the peak
    assert (relative > 1.57).sum() >= 5
    assert (germany.uplink_fog_mbps < germany.route_fog_weight).sum() >= 3


def test_every_link_has_one_owner(world: World):
    names = {twin.name for twin in world.twins}
    for link, owner in enumerate(world.link_owner):
        ends = world.node_fog[world.link_tail[link]], world.node_fog[world.link_head[link]]
        assert owner == (f"fog-{ends[0] + 1}" if ends[0] == ends[1] else "cloud-1")
        assert owner in names


def test_domains_are_connected_and_balanced(germany: World):
    load_of = np.bincount(germany.site_fog, germany.route_site_weight)
    assert load_of.max() / load_of.mean() < 1.15
    for route, fog in zip(germany.route_site_links, germany.site_fog, strict=True):
        ends = np.concatenate([germany.link_tail[route // 2], germany.link_head[route // 2]])
        assert (germany.node_fog[ends] == fog).all()  # the way to the gateway stays in the domain


def test_the_roster_is_a_tree_in_order(world: World):
    twins = world.twins
    tiers = [twin.tier for twin in twins]
    assert tiers == sorted(tiers, reverse=True)
    assert tiers.count(Tier.CLOUD) == 1
    assert len(twins) == 1 + world.fog_count + 2 * world.site_count
    seen: set[str] = set()
    for index, twin in enumerate(twins):
        assert twin.parent is None if twin.tier == Tier.CLOUD else twin.parent in seen
        assert world.twin_index(twin.name) == index
        seen.add(twin.name)
    assert len(seen) == len(twins)
    with pytest.raises(KeyError, match="No twin 'edge-atlantis'"):
        world.twin_index("edge-atlantis")


def test_routes_lead_where_they_should(world: World):
    places = [*world.site_node.tolist(), *world.fog_node.tolist()]
    goals = [*world.fog_node[world.site_fog].tolist(), *[world.cloud_node] * world.fog_count]
    for route, start, goal in zip(world.route_site_links + world.route_fog_links, places, goals, strict=True):
        place = start
        for directed in route.tolist():
            ends = int(world.link_tail[directed // 2]), int(world.link_head[directed // 2])
            assert place == ends[directed % 2]
            place = ends[1 - directed % 2]
        assert place == goal


def test_devices_are_sorted_and_counted(world: World):
    key = (world.device_site * 100 + world.device_class) * 100 + world.device_ring
    assert (np.diff(key) >= 0).all()
    for site in range(world.site_count):
        rows = slice(world.device_rows[site], world.device_rows[site + 1])
        assert (world.device_site[rows] == site).all()
    counts = np.zeros_like(world.group_devices)
    np.add.at(counts, (world.device_site, world.device_class, world.device_ring), 1)
    assert (counts == world.group_devices).all()
    assert 0.5 <= world.device_ghz.min() < 0.51
    assert 0.99 < world.device_ghz.max() <= 1.0


def test_arrays_are_read_only(world: World):
    for array in (world.lon, world.device_ghz, world.route_site_links[0], world.group_devices):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_resolving_twice_gives_the_same_bytes(world: World):
    again = resolve(load(world.name))
    for name, value in vars(world).items():
        other = getattr(again, name)
        if isinstance(value, np.ndarray):
            assert value.tobytes() == other.tobytes(), name
        elif name not in {"route_site_links", "route_fog_links", "trace_s"}:
            assert value == other, name


def test_placed_devices_come_on_top():
    placed = [
        {"site": "Airport", "service": "AR", "ring": 0, "count": 7},
        {"site": "Centre", "service": "video", "count": 10},
    ]
    plain, more = resolve(load("metro")), resolve(load("metro", devices__placed=placed))
    extra = more.group_devices - plain.group_devices
    assert extra.sum() == 17
    assert extra[more.node_names.index("Airport"), 1, 0] == 7
    assert extra[more.node_names.index("Centre"), 2].tolist() == [2, 2, 2, 2, 2]


def test_stated_gateways_cloud_and_capacities_are_taken():
    world = resolve(load("metro", fogs={"gateways": ["Airport", "Harbour"], "count": None}, cloud__at="Airport"))
    assert [world.node_names[node] for node in world.fog_node] == ["Airport", "Harbour"]
    assert world.fog_count == 2
    assert world.cloud_node == world.fog_node[0]
    assert world.uplink_fog_mbps[0] == world.lan_mbps


def test_the_card_of_mixed_says_what_the_world_is():
    world = resolve(load("mixed"))
    card = (Path(__file__).resolve().parents[3] / "docs" / "scenario-card-mixed.md").read_text(encoding="utf-8")
    capacities, counts = np.unique(world.link_capacity_mbps, return_counts=True)
    ghz = [int(cores * world.core_ghz) for cores in (world.site_cores.sum(), world.fog_cores.sum(), world.cloud_cores)]
    loads = [offered_ghz(world, epoch) / server_ghz(world) for epoch in range(world.epochs_per_day)]
    utilisation = world.background_mbps / np.repeat(world.link_capacity_mbps, 2)
    users = np.bincount(world.access.kind)
    used = (world.group_devices * (world.tasks_per_s * world.megabits)[:, None] / world.ring_rate_mbps).sum(axis=(1, 2))
    air = np.sort(used / world.site_cells)
    expected = [
        f"{world.site_count} sites with {world.access.cell_count} cells",
        f"{world.link_count} links ({world.link_km.min():.0f}-{world.link_km.max():.0f} km)",
        f"{users[0]} vehicles, {users[1]} AR, {users[2]} video",
        ", ".join(f"{count} of {capacity:g}" for capacity, count in zip(capacities, counts, strict=True)),
        f"sites {ghz[0]}, fogs {ghz[1]}, cloud {ghz[2]}",
        f"{np.mean(loads):.2f} daily mean, {max(loads):.2f} busiest epoch",
        f"busiest link {utilisation.max():.2f}",
        f"{air[-1]:.2f} at country-1",
        f"fogs at the hubs {' and '.join(world.node_names[n] for n in world.fog_node)}",
        f"{world.site_count * world.groups_per_site} in all",
    ]
    plain = card.replace("1 000 Mb/s", "1000 Mb/s")
    assert [text for text in expected if text not in plain] == []
    assert (air < 0.5).sum() > world.site_count / 2


@pytest.mark.parametrize("name", ["germany50", "metro"])
def test_the_scenario_card_says_what_the_world_is(name: str):
    world = resolve(load(name))
    card = (Path(__file__).resolve().parents[3] / "docs" / f"scenario-card-{name}.md").read_text(encoding="utf-8")
    capacities, counts = np.unique(world.link_capacity_mbps, return_counts=True)
    ghz = [int(cores * world.core_ghz) for cores in (world.site_cores.sum(), world.fog_cores.sum(), world.cloud_cores)]
    utilisation = world.background_mbps / np.repeat(world.link_capacity_mbps, 2)
    per_site = np.diff(world.device_rows)
    km = f"({world.link_km.min():.0f}-{world.link_km.max():.0f} km)"
    loads = [offered_ghz(world, epoch) / server_ghz(world) for epoch in range(world.epochs_per_day)]
    expected = [
        f"{world.link_count} links {km}",
        ", ".join(f"{count} of {capacity:g}" for capacity, count in zip(capacities, counts, strict=True)),
        f"sites {ghz[0]}",
        f"fogs {ghz[1]}, cloud {ghz[2]}",
        f"{utilisation.max():.2f}",
        f"{np.mean(loads):.2f} daily mean, {max(loads):.2f} busiest epoch",
        f"{per_site.min()}" if name == "metro" else f"{per_site.min()}-{per_site.max():_} a site",
        f"{world.link_count} links",
    ]
    plain = (
        card.replace(" (19 of high demand density with 64, 31 of low with 16)", "")
        .replace("1 712", "1712")
        .replace("1 505", "1_505")
    )
    for capacity in (1000, 2000):
        plain = plain.replace(f"of {capacity // 1000} 000", f"of {capacity}")
    assert [text for text in expected if text not in plain] == []
