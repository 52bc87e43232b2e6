"""Scenarios with radio access: the built-in one as arrays, and every way in which a user's own may not fit."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.world import load, resolve
from tiertwin.world.mixed import mixed
from tiertwin.world.mixedscenario import mixed_scenario
from tiertwin.world.planning import planned_rates, rings_of
from tiertwin.world.stored import store_world, stored_world
from tiertwin.world.world import World

SMALL = mixed_scenario(1_000, 100)


@pytest.fixture(scope="module")
def world() -> World:
    return resolve(load(SMALL))


def test_groups_are_the_rows_of_the_world(world: World) -> None:
    assert world.grouped
    sites, groups = world.site_count, world.groups_per_site
    assert world.device_count == sites * groups
    assert world.device_rows.tolist() == [groups * s for s in range(sites + 1)]
    group = (world.device_site * 4 + world.device_class) * 5 + world.device_ring
    assert group.tolist() == list(range(sites * groups))


def test_every_user_is_planned_somewhere_once(world: World) -> None:
    access = world.access
    assert access is not None
    assert access.user_count == 1_100
    assert world.group_devices.sum() == 1_100
    assert np.array_equal(world.group_devices.sum(axis=(1, 2)), np.bincount(access.site, minlength=world.site_count))
    assert np.array_equal(world.group_devices.sum(axis=(0, 2)), np.bincount(access.kind, minlength=4))
    assert world.class_share.sum() == pytest.approx(1.0)


def test_cells_stand_where_the_deployment_has_them(world: World) -> None:
    deployment, access = mixed(1_000, 100), world.access
    assert access is not None
    for name in ("cell_x", "cell_y"):
        there, here = deployment.cells[name], access.cells[name]
        moved = here - there  # the map begins where the first mast or area does
        assert np.ptp(moved) < 2.0, name
    for name in ("cell_ghz", "cell_power_dbm", "cell_prbs", "cell_site", "cell_environment", "cell_azimuth"):
        assert np.array_equal(access.cells[name], deployment.cells[name]), name
    assert world.site_cells.tolist() == np.bincount(access.cells["cell_site"]).tolist()
    west, south, east, north = access.map_m
    assert (west, south) == (0.0, 0.0)
    assert east == pytest.approx(deployment.width_m, rel=2e-3)
    assert north == pytest.approx(deployment.height_m, rel=1e-4)


def test_more_people_of_one_crowd_move_nobody_else() -> None:
    grown = copy.deepcopy(SMALL)
    grown["access"]["crowds"][0]["count"] += 7
    before, after = resolve(load(SMALL)).access, resolve(load(grown)).access
    assert before is not None
    assert after is not None
    first = SMALL["access"]["crowds"][0]["count"]
    for name in ("x_m", "y_m", "site", "indoors", "kind"):
        old, new = getattr(before, name), getattr(after, name)
        assert np.array_equal(old[:first], new[:first])
        assert np.array_equal(old[first:], new[first + 7 :]), name


def test_rate_of_the_cell_by_hand() -> None:
    cells = {name: np.array([value]) for name, value in {"cell_rows": 4, "cell_columns": 8}.items()}
    cells |= {"cell_noise_db": np.array([5.0]), "cell_prbs": np.array([52])}
    user, none = np.array([0, 0, -1]), np.array([-100.0, -150.0, -100.0])
    # -100 dB: -80 + 0.8·100 = 0 dBm a block; -100 + 15.05 - (-174 + 52.55 + 5) - 3 = 28.5 dB: 0.7·log2(1 + 708) = 6.63
    # -150 dB: 23 dBm at most; 23 - 150 + 15.05 + 116.45 - 3 = 1.5 dB
    found = planned_rates(cells, user, none, -80.0, 0.8, 23.0)
    assert found.tolist() == pytest.approx(
        [np.floor(180 * 6.63) * 0.052, np.floor(180 * 0.7 * 1.27) * 0.052, 0.0], rel=0.01
    )
    assert rings_of(np.array([60.0, 49.0, 48.0, 0.0]), np.array([60.0, 40.0, 25.0])).tolist() == [0, 0, 1, 2]


def test_stored_with_and_without_its_people(world: World, tmp_path: Path) -> None:
    store_world(world, tmp_path / "world.npy")
    without, back = stored_world(tmp_path / "world.npy"), stored_world(tmp_path / "world.npy", access=True)
    assert without.grouped
    assert without.access is None
    assert back.access is not None
    assert world.access is not None
    for name in ("kind", "site", "walk", "zone", "train", "indoors", "x_m", "y_m", "z_m", "ghz"):
        assert np.array_equal(getattr(back.access, name), getattr(world.access, name)), name
        assert not getattr(back.access, name).flags.writeable
    assert list(back.access.cells) == list(world.access.cells)
    assert all(np.array_equal(back.access.cells[k], v) for k, v in world.access.cells.items())
    assert back.access.zones == world.access.zones
    assert back.access.downlink == world.access.downlink
    assert back.access.map_m == world.access.map_m


def changed(route: str, value: Any) -> dict[str, Any]:
    made: Any = copy.deepcopy(SMALL)
    at = made
    *path, last = [int(p) if p.isdigit() else p for p in route.split(".")]
    for part in path:
        at = at[part] if isinstance(at, list) else at.setdefault(part, {})
    at[last] = value
    return dict(made)


@pytest.mark.parametrize(
    ("route", "value", "told"),
    [
        ("access.masts.0.at", "city-99", "expected a node of the topology, got 'city-99'"),
        ("access.masts.0.kind", "macros", "expected a kind of cells, got 'macros'. Did you mean 'macro'?"),
        ("access.masts.0.at", "city-2", "expected one mast of kind 'macro' at 'city-2', got another"),
        ("access.crowds.0.area", "town", "expected an area, got 'town'"),
        ("access.crowds.0.service", "cars", "expected a service class, got 'cars'"),
        ("access.crowds.0.moves", "train", "expected an area with a track, got 'city' without one"),
        ("access.crowds.0.count", 0, "expected a number >= 1, got 0"),
        ("access.areas.0.east", 9.0, "expected more than west"),
        ("access.areas.2.track", [[10.0, 60.0], [10.1, 60.0]], "expected a place in the area, got (10, 60)"),
        ("access.kinds.1.azimuths_deg", [0.0, 90.0], "expected one azimuth with every_way, got 2"),
        ("access.kinds.0.blocks", 60, "expected at most 55 blocks of 180 kHz in 10 MHz, got 60"),
        ("access.kinds.0.height_m", 0.0, "expected a number >= 1.0, got 0.0"),
        ("access.kinds.0.rows", -4, "expected a number >= 1, got -4"),
        ("access.downlink.0.service", "AR", "expected every name among downlink once, got 'AR' 2 times"),
        ("access.secrets", {"efficiency": [0.9, 0.5]}, "expected least then most, got 0.9 and 0.5"),
        ("access.secrets", {"losses": 3.0}, "unknown key"),
        ("devices", {"count": 100}, "expected none beside `access`, whose crowds are the devices, got 100"),
        ("base_stations", {}, "expected none beside `access`"),
        ("topology.nodes.3", {"name": "city-4"}, "expected lon and lat for every node"),
    ],
)
def test_what_cannot_be_is_told_with_its_path(route: str, value: Any, told: str) -> None:
    with pytest.raises(InputError) as caught:
        load(changed(route, value))
    assert told in str(caught.value)
