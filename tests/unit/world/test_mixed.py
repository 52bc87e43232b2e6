"""The deployment `mixed`: what stands where, how it hangs together, how it grows."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.world.mixed import CITY, CLASSES, COUNTRY, METERING, ROAD, STILL, TRAIN, Mixed, mixed


@pytest.fixture(scope="module")
def world() -> Mixed:
    return mixed(20_000)


def test_everybody_is_on_the_map(world: Mixed) -> None:
    for x, y in ((world.sites.x_m, world.sites.y_m), (world.users.x_m, world.users.y_m)):
        assert x.min() >= 0.0
        assert y.min() >= 0.0
        assert x.max() <= world.width_m
        assert y.max() <= world.height_m
    for x, y, rules, track in world.zones:
        assert x + rules["width_m"] <= world.width_m
        assert y + rules["height_m"] <= world.height_m
        assert all(0.0 <= p[0] <= rules["width_m"] and 0.0 <= p[1] <= rules["height_m"] for p in track)


def test_sites_are_hexagons_of_the_stated_distance(world: Mixed) -> None:
    kind = np.array(world.sites.kind)
    for name, isd in (("macro", 200.0), ("rural", 1732.0)):
        x, y = world.sites.x_m[kind == name], world.sites.y_m[kind == name]
        apart = np.hypot(x[:, None] - x, y[:, None] - y)
        np.fill_diagonal(apart, np.inf)
        assert np.allclose(apart.min(axis=1), isd, rtol=1e-3)
        assert (apart < 1.001 * isd).sum(axis=1).max() == 6
    small, macro = kind == "small", kind == "macro"
    assert small.sum() == macro.sum()
    away = np.hypot(world.sites.x_m[small] - world.sites.x_m[macro], world.sites.y_m[small] - world.sites.y_m[macro])
    assert np.allclose(away, 90.0)
    assert len(set(world.sites.name)) == len(world.sites)


def test_cells_have_the_stated_radio(world: Mixed) -> None:
    kind = np.array(world.sites.kind)[world.cells["cell_site"]]
    plan = (("macro", 4.0, 41.0, 25.0, 3), ("small", 4.0, 30.0, 10.0, 1), ("rural", 0.7, 46.0, 35.0, 3))
    for name, ghz, dbm, height, sectors in plan:
        of = kind == name
        assert set(world.cells["cell_ghz"][of]) == {ghz}
        assert set(world.cells["cell_power_dbm"][of]) == {dbm}
        assert set(world.cells["cell_height"][of]) == {height}
        assert of.sum() == sectors * world.sites.kind.count(name)
    assert world.cell_count == len(kind)


def test_backhaul_is_a_tree_of_three_tiers(world: Mixed) -> None:
    sites, hubs, links = len(world.sites), len(world.sites.hub_x_m), world.links
    assert links.a.tolist() == list(range(sites + hubs))  # everybody but the core has one link up
    depth = np.zeros(sites + hubs + 1, dtype=int)
    at = np.arange(sites + hubs + 1)
    up = np.append(links.b, sites + hubs)
    for _ in range(4):
        depth += at != sites + hubs
        at = up[at]
    assert set(at) == {sites + hubs}
    assert depth.max() == 3
    kind = np.array(links.kind)
    country = np.append(np.array(world.sites.kind) == "rural", np.zeros(hubs, dtype=bool))
    assert not np.any((kind == "microwave") & ~country)
    assert (kind == "microwave").sum() >= country.sum() - hubs
    assert np.array_equal(np.isnan(links.ghz), kind == "fibre")
    assert links.km.min() > 0.0
    assert links.km[kind == "microwave"].max() < 20.0
    wave = kind == "microwave"
    band = np.where(links.km[wave] <= 2, 80.0, np.where(links.km[wave] <= 4, 38.0, 18.0))
    assert np.array_equal(links.ghz[wave], band)
    assert set(links.mbps) <= {1_000.0, 5_000.0, 10_000.0, 100_000.0}


def test_people_are_as_stated(world: Mixed) -> None:
    users = world.users
    assert len(users) == 22_000
    assert np.array_equal(users.kind == METERING, np.arange(22_000) >= 2_000)
    assert np.array_equal(users.walk == STILL, users.kind == METERING)
    shares = np.bincount(users.kind[:2_000], minlength=len(CLASSES)) / 2_000
    assert shares == pytest.approx([0.5, 0.25, 0.25, 0.0], abs=0.04)
    assert np.array_equal(users.walk == TRAIN, users.zone == ROAD)
    city = users.x_m < world.zones[CITY][2]["width_m"]
    assert city.mean() == pytest.approx(0.8, abs=0.02)
    still = users.kind == METERING
    assert users.indoors[still & city].mean() == pytest.approx(0.8, abs=0.02)
    assert users.indoors[still & ~city].mean() == pytest.approx(0.5, abs=0.03)
    assert set(users.zone[~still]) == {CITY, COUNTRY, ROAD}


def test_sites_grow_with_people_and_seeds_move_people_only() -> None:
    small, large = mixed(20_000), mixed(200_000)
    assert len(large.sites) == pytest.approx(10 * len(small.sites), rel=0.1)
    other = mixed(20_000, seed=2)
    assert np.array_equal(other.sites.x_m, small.sites.x_m)
    assert not np.array_equal(other.users.x_m, small.users.x_m)
    lon, lat = small.lon_lat(np.array([0.0, 1000.0]), np.array([0.0, 1000.0]))
    assert lon.tolist() == pytest.approx([10.0, 10.01399], abs=1e-5)
    assert lat.tolist() == pytest.approx([50.0, 50.00899], abs=1e-5)


@pytest.mark.parametrize(("devices", "active"), [(999, None), (1_000_001, None), (1_000, 0)])
def test_sizes_out_of_range_are_refused(devices: int, active: int | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        mixed(devices, active)
