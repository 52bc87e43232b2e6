"""The border of a plant over a radio access: exact dtypes, clear refusals, fresh arrays."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest

from support.access_worlds import EDGE, moving_world
from support.plant_world import config_of, tiny_world
from tiertwin import _core
from tiertwin.plant import PlantOptions, SimulatedPlant
from tiertwin.plant.users import network_of

SECOND = 1_000_000_000


@pytest.fixture
def parts() -> tuple[dict[str, Any], dict[str, Any], list[Any]]:
    """Configuration of a plant, and of its radio access, and zones."""
    world = moving_world(10, 10)
    return config_of(world), *network_of(world.access, world.megabits, None)


@pytest.fixture
def plant() -> SimulatedPlant:
    return SimulatedPlant(moving_world(10, 10), 1)


def test_nothing_of_the_inputs_is_kept_or_changed(parts: tuple[dict[str, Any], dict[str, Any], list[Any]]) -> None:
    config, network, zones = parts
    kept = _core.Plant(1, config)
    before = dict(network)
    kept.enable_access(network, zones)
    assert list(network) == list(before)
    assert all(network[name] is before[name] for name in network)
    for name, value in network.items():
        if isinstance(value, np.ndarray) and value.flags.writeable:
            network[name] = np.zeros_like(value)
    del before, network
    gc.collect()
    kept.run_until(SECOND)
    assert kept.take_kpis()["generated"].sum() > 0
    assert len(np.unique(kept.truth_device_sites())) > 1


@pytest.mark.parametrize(
    ("name", "value", "error", "told"),
    [
        ("user_class", np.zeros(20), TypeError, "user_class: expected a one-dimensional C-order array of int64"),
        ("cell_x", [0.0] * 12, TypeError, "cell_x: expected"),
        ("colour", 1, TypeError, "unknown fields.*colour"),
        ("user_class", np.zeros(20, dtype=np.int64), ValueError, r"user_class\[10\]: expected the device's, 1, got 0"),
        ("user_key", np.arange(1, 21), ValueError, r"user_key\[0\]: expected the device's, 0, got 1"),
        ("cell_site", np.full(12, 4), ValueError, r"cell_site\[0\]: expected a site from 0 to 3, got 4"),
        ("class_report_s", np.array([0.0, 1.0]), ValueError, r"class_report_s\[1\]: expected 0"),
        ("cell_report_s", 1.0, ValueError, "cell_report_s: expected 0"),
        ("heard", 0, ValueError, "heard: expected cells from 1"),
    ],
)
def test_a_network_that_does_not_fit_is_refused_and_leaves_the_plant_as_it_was(
    parts: tuple[dict[str, Any], dict[str, Any], list[Any]], name: str, value: Any, error: type, told: str
) -> None:
    config, network, zones = parts
    plant = _core.Plant(1, config)
    with pytest.raises(error, match=told):
        plant.enable_access({**network, name: value}, zones)
    plant.enable_access(network, zones)
    with pytest.raises(ValueError, match="access: expected a plant at time 0 without it.*that has it"):
        plant.enable_access(network, zones)


def test_devices_in_any_order_only_where_it_is_said(
    parts: tuple[dict[str, Any], dict[str, Any], list[Any]],
) -> None:
    config = parts[0]
    mixed_up = np.arange(20) % 4
    _core.Plant(1, {**config, "device_site": mixed_up})
    with pytest.raises(ValueError, match="sorted by site"):
        _core.Plant(1, {**config, "device_site": mixed_up, "device_any_order": False})


@pytest.mark.parametrize(
    ("rows", "shares", "error", "told"),
    [
        (np.array([0], dtype=np.int32), np.array([EDGE]), TypeError, "set_group_shares"),
        (np.array([0]), np.array([EDGE], dtype=np.float32), TypeError, "set_group_shares"),
        (np.array([0]), np.array(EDGE), ValueError, r"shares: expected an array of shape \(groups, 4\)"),
        (np.array([0, 1]), np.array([EDGE]), ValueError, "shares: expected 8 values"),
        (np.array([24]), np.array([EDGE]), ValueError, "expected a group from 0 to 23, got 24"),
        (np.array([-1]), np.array([EDGE]), ValueError, "expected a group from 0 to 23, got -1"),
        (np.array([3]), np.array([[0.5, 0.6, 0.0, 0.0]]), ValueError, "shares of group 3: expected a sum of at most 1"),
        (np.array([3]), np.array([[0.5, np.nan, 0.0, 0.0]]), ValueError, r"shares\[1\]: expected a finite number"),
    ],
)
def test_wrong_set_points_are_refused_and_change_nothing(
    plant: SimulatedPlant, rows: Any, shares: Any, error: type, told: str
) -> None:
    with pytest.raises(error, match=told):
        plant.actuate(rows, shares)
    plant.advance(SECOND, 0)
    kpis = plant.kpis()
    assert kpis.executed[:, 0].sum() == kpis.completed.sum() > 0  # all local, as at the start


def test_devices_have_no_set_points_of_their_own(plant: SimulatedPlant) -> None:
    with pytest.raises(ValueError, match="use set_group_shares"):
        plant._core.set_shares(np.array([0]), np.array([EDGE]))
    with pytest.raises(ValueError, match="use set_shares"):
        SimulatedPlant(tiny_world(), 1)._core.set_group_shares(np.array([0]), np.array([EDGE]))


def test_what_passes_through_is_checked(plant: SimulatedPlant) -> None:
    with pytest.raises(ValueError, match="user 0 is not led"):
        plant.lead(np.array([0]), np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"cells\[1\]: expected a cell from 0 to 11, got 12"):
        plant.fail_cells(np.array([0, 12]))
    with pytest.raises(ValueError, match="after_ms: expected 0"):
        plant.set_sleep(-1)
    with pytest.raises(TypeError):
        plant.repair_cells(np.array([0.5]))  # type: ignore[arg-type]


@pytest.mark.parametrize("call", ["truth_cells", "truth_users", "truth_packets"])
def test_a_plant_without_access_says_so(call: str) -> None:
    plant = SimulatedPlant(tiny_world(), 1)
    with pytest.raises(ValueError, match="expected a plant with radio access"):
        getattr(plant, call)()
    with pytest.raises(ValueError, match="expected a plant with radio access"):
        plant.set_sleep(0)


def test_options_that_cannot_be_are_refused_with_what_was_expected() -> None:
    world = moving_world(4, 4)
    for access, told in (
        ({"telemetry": {}}, "access: expected the options radio, secrets and record, got telemetry"),
        ({"radio": {"watts": 1.0}}, r"access\.radio: expected some of step_ms, .*, got watts"),
        ({"secrets": {"colour": 1.0}}, r"access\.secrets: expected some of hidden_loss_db, .*, got colour"),
        ({"radio": {"step_ms": 0}}, "step_ms: expected ms from"),
    ):
        with pytest.raises(ValueError, match=told):
            SimulatedPlant(world, 1, PlantOptions(access=access))
    with pytest.raises(ValueError, match="for a world that has none"):
        SimulatedPlant(tiny_world(), 1, PlantOptions(access={}))
    stations = {"station": [0] * 4, "after_s": 0.0, "wake_s": 0.0}
    with pytest.raises(ValueError, match=r"base stations: expected none.*access\.radio\.sleep_after_ms"):
        SimulatedPlant(world, 1, PlantOptions(stations=stations))


def test_what_is_given_outlives_the_plant(plant: SimulatedPlant) -> None:
    plant.advance(3 * SECOND, 0)
    kpis, seen = plant.kpis(), plant.telemetry(3 * SECOND)
    users, groups = plant.truth_users(), plant.truth_device_groups()
    del plant
    gc.collect()
    assert kpis.radio is not None
    assert kpis.radio.down_histogram.flags.owndata
    assert seen.devices.values.shape == (len(seen.devices), 9)
    assert seen.devices.values.flags.owndata
    assert len(seen.devices.site_ptr) == 4 + 2
    assert len(users["serving"]) == len(groups) == 20
