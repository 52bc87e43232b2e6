"""The plant's border: exact dtypes, clear refusals, fresh arrays, lifetimes, threads."""

from __future__ import annotations

import gc
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from support.plant_world import config_of, one_of_each, tiny_world
from tiertwin import _core
from tiertwin.plant import PlantOptions, SimulatedPlant

SECOND = 1_000_000_000


@pytest.fixture
def config() -> dict[str, Any]:
    return config_of(tiny_world())


@pytest.fixture
def plant(config: dict[str, Any]) -> _core.Plant:
    return _core.Plant(1, config)


def test_building_leaves_the_dictionary_alone(config: dict[str, Any]) -> None:
    before = dict(config)
    _core.Plant(1, config)
    assert list(config) == list(before)
    assert all(config[name] is before[name] for name in config)


def test_the_plant_keeps_nothing_of_its_inputs(config: dict[str, Any]) -> None:
    kept, changed = _core.Plant(1, config), _core.Plant(1, config)
    for value in config.values():
        if isinstance(value, np.ndarray):
            value[...] = 0
    del config
    gc.collect()
    for plant in (kept, changed):
        plant.run_until(SECOND)
    assert kept.take_kpis()["generated"].sum() > 0


@pytest.mark.parametrize("name", ["device_ghz", "device_site", "radio_factor", "link_site"])
def test_a_missing_field_is_named(config: dict[str, Any], name: str) -> None:
    del config[name]
    with pytest.raises(TypeError, match=f"'{name}' is missing"):
        _core.Plant(1, config)


def test_an_unknown_field_is_named(config: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"unknown fields.*device_mhz"):
        _core.Plant(1, {**config, "device_mhz": np.ones(24)})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("device_ghz", np.ones(24, dtype=np.float32), "float32"),
        ("device_site", np.zeros(24), "float64"),
        ("device_site", [0] * 24, "list"),
        ("device_ghz", np.ones((24, 1)), "2 dimensions"),
        ("device_ghz", np.ones(48)[::2], "not contiguous"),
    ],
)
def test_wrong_arrays_are_refused_with_what_came(config: dict[str, Any], name: str, value: Any, told: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: expected a one-dimensional C-order array.*{told}"):
        _core.Plant(1, {**config, name: value})


@pytest.mark.parametrize(
    ("name", "index", "value", "told"),
    [
        ("device_ghz", 3, 0.0, r"device_ghz\[3\]: expected a finite number above 0"),
        ("device_ghz", 3, np.nan, r"device_ghz\[3\].*got nan"),
        ("device_site", 23, 2, r"device_site\[23\]: expected a site from 0 to 1, got 2"),
        ("device_site", 0, 1, "sorted by site"),
        ("device_class", 5, -1, r"device_class\[5\]: expected a class from 0 to 1"),
        ("device_ring", 0, 2, r"device_ring\[0\]"),
        ("class_tasks_per_s", 1, np.inf, r"class_tasks_per_s\[1\].*got inf"),
        ("class_tasks_per_s", 1, -1.0, r"class_tasks_per_s\[1\]"),
        ("class_tasks_per_s", 1, 1e9, r"class_tasks_per_s\[1\]"),
        ("class_gcycles", 0, 1e9, "slowest core"),
        ("class_megabits", 0, 1e9, "slowest rate"),
        ("class_arrival", 0, 3, r"class_arrival\[0\]"),
        ("class_arrival", 0, 1, r"class_on_s\[0\]: expected a number above 0"),
        ("link_capacity_mbps", 2, 0.0, r"link_capacity_mbps\[2\]"),
        ("link_capacity_mbps", 2, -5.0, r"link_capacity_mbps\[2\].*got -5"),
        ("link_site", 2, 9, r"link_site\[2\]"),
        ("site_fog", 1, 1, r"site_fog\[1\]: expected a fog from 0 to 0"),
        ("route_site_links", 0, 6, r"route_site_links\[0\]: expected a directed link from 0 to 5, got 6"),
        ("route_site_ptr", 1, 5, "route_site_ptr"),
        ("server_cores", 0, 0.0, r"server_cores\[0\]"),
        ("site_cells", 0, -1.0, r"site_cells\[0\]"),
    ],
)
def test_wrong_values_are_refused_where_they_stand(
    config: dict[str, Any], name: str, index: int, value: float, told: str
) -> None:
    config[name] = config[name].copy()
    config[name][index] = value
    with pytest.raises(ValueError, match=told):
        _core.Plant(1, config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("loss", 1.5),
        ("noise", -0.1),
        ("delay_high_s", 0.01),
        ("report_s", 1e-6),
        ("report_s", float("nan")),
        ("buffer_s", -1.0),
        ("radio_window_s", 0.0),
        ("clock_offset_s", float("inf")),
    ],
)
def test_wrong_numbers_are_refused_by_name(config: dict[str, Any], name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        _core.Plant(1, {**config, name: value})


@pytest.mark.parametrize(
    ("name", "value", "told"), [("loss", "1", "a number, got.*str"), ("radio_fifo", 2.5, "True or False")]
)
def test_scalars_of_another_kind_are_refused(config: dict[str, Any], name: str, value: Any, told: str) -> None:
    with pytest.raises(TypeError, match=f"{name}: expected {told}"):
        _core.Plant(1, {**config, name: value})


def test_arrays_of_the_wrong_length_say_one_per_what(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"class_megabits: expected 2 values \(one per class\), got 3"):
        _core.Plant(1, {**config, "class_megabits": np.ones(3)})


def test_fractions_of_cores_need_sharing(config: dict[str, Any]) -> None:
    cores = config["server_cores"] + 0.5
    _core.Plant(1, {**config, "server_cores": cores})
    with pytest.raises(ValueError, match=r"server_cores\[0\]: expected a whole number"):
        _core.Plant(1, {**config, "server_cores": cores, "server_discipline": np.ones(4, dtype=np.int64)})


def test_refused_set_points_change_nothing(plant: _core.Plant) -> None:
    devices = np.arange(24)
    good = np.tile([0.0, 0.0, 0.0, 0.0], (24, 1))
    plant.set_shares(devices, good)  # everything is shed
    bad = np.tile([1.0, 0.0, 0.0, 0.0], (24, 1))
    for row, told in (
        ([0.5, 0.6, 0.0, 0.0], "shares of device 23: expected a sum of at most 1"),
        ([-0.1, 0.0, 0.0, 0.0], "at least 0"),
        ([np.nan, 0.0, 0.0, 0.0], "got nan"),
    ):
        bad[23] = row
        with pytest.raises(ValueError, match=told):
            plant.set_shares(devices, bad)
    with pytest.raises(ValueError, match="expected a device from 0 to 23, got 24"):
        plant.set_shares(np.array([0, 24]), np.tile([1.0, 0, 0, 0], (2, 1)))
    plant.run_until(SECOND)
    kpis = plant.take_kpis()
    assert kpis["shed"].sum() == kpis["generated"].sum() > 0


def test_sums_within_rounding_of_one_are_taken(plant: _core.Plant) -> None:
    plant.set_shares(np.array([0]), np.array([[0.5, 0.5 + 9e-10, 0.0, 0.0]]))


@pytest.mark.parametrize(
    ("device", "shares"),
    [
        (np.array([0], dtype=np.int32), np.ones((1, 4)) / 4),
        (np.array([0]), np.ones((1, 4), dtype=np.float32) / 4),
        (np.arange(4)[::2], np.ones((2, 4)) / 4),
        ([0], np.ones((1, 4)) / 4),
    ],
)
def test_set_points_of_another_dtype_are_refused(plant: _core.Plant, device: Any, shares: Any) -> None:
    with pytest.raises(TypeError):
        plant.set_shares(device, shares)


@pytest.mark.parametrize("shape", [(4,), (2, 4), (1, 3), (1, 4, 1)])
def test_set_points_of_another_shape_are_refused(plant: _core.Plant, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shares: expected"):
        plant.set_shares(np.array([0]), np.zeros(shape))


CPU, UPLINK = np.ones((3, 2)), np.ones((2, 2))


@pytest.mark.parametrize(
    ("site", "cpu", "uplink", "told"),
    [
        (2, CPU, UPLINK, "expected a site from 0 to 1, got 2"),
        (-1, CPU, UPLINK, "expected a site from 0 to 1, got -1"),
        (0, np.ones((2, 2)), UPLINK, r"cpu: expected an array of shape.*\(3, 2\), got \(2, 2\)"),
        (0, np.ones(6), UPLINK, r"cpu: expected an array of shape.*got \(6,\)"),
        (0, CPU, np.ones((2, 3)), r"uplink: expected an array of shape.*\(2, 2\), got \(2, 3\)"),
        (0, np.array([[1.0, 1.0], [1.0, 1.0], [1.0, -1e-9]]), UPLINK, r"cpu\[5\]: expected a finite number"),
        (0, np.full((3, 2), np.inf), UPLINK, r"cpu\[0\].*got inf"),
        (0, CPU, np.array([[1.0, 1.0], [np.nan, 1.0]]), r"uplink\[2\].*got nan"),
    ],
)
def test_refused_grants_say_what_came_and_change_nothing(
    config: dict[str, Any], site: int, cpu: Any, uplink: Any, told: str
) -> None:
    config["server_core_ghz"] = config["server_core_ghz"] / 20
    asked, alone = _core.Plant(1, config), _core.Plant(1, config)
    for plant in (asked, alone):
        plant.set_shares(np.arange(24), np.tile([0.0, 0.4, 0.3, 0.3], (24, 1)))
        plant.set_site_shares(0, 2.0 * CPU, UPLINK)
    with pytest.raises(ValueError, match=told):
        asked.set_site_shares(site, cpu, uplink)
    for plant in (asked, alone):
        plant.run_until(3 * SECOND)
    results = asked.take_kpis(), alone.take_kpis()
    assert results[0]["latency_s"].tobytes() == results[1]["latency_s"].tobytes()


@pytest.mark.parametrize(
    ("cpu", "uplink"),
    [
        (CPU.astype(np.float32), UPLINK),
        (CPU.astype(np.int64), UPLINK),
        (CPU.tolist(), UPLINK),
        (CPU, np.ones((2, 4))[:, ::2]),
        (np.asfortranarray(np.ones((3, 2))), UPLINK),
    ],
)
def test_grants_of_another_dtype_or_order_are_refused(plant: _core.Plant, cpu: Any, uplink: Any) -> None:
    with pytest.raises(TypeError):
        plant.set_site_shares(0, cpu, uplink)


def test_grants_of_any_size_are_taken(plant: _core.Plant) -> None:
    """Nothing, and more than there is (it counts as the whole): the plant plays on."""
    plant.set_shares(np.arange(24), np.tile([0.0, 0.4, 0.3, 0.3], (24, 1)))
    for value in (0.0, 1e-300, 1e308):
        plant.set_site_shares(0, np.full((3, 2), value), np.full((2, 2), value))
        plant.run_until(plant.now_ns + SECOND)
    kpis = plant.take_kpis()
    assert kpis["in_time"].sum() > 0.9 * kpis["generated"].sum()


def test_plants_that_do_not_share_by_weight_take_grants_and_heed_none() -> None:
    options = PlantOptions(servers="ps", links="fifo")
    results = []
    for share in (0.0, 5.0):
        simulated = SimulatedPlant(tiny_world(), 1, options)
        simulated.actuate(np.arange(24), np.tile([0.0, 0.4, 0.3, 0.3], (24, 1)))
        simulated.set_site_shares(0, share * CPU, share * UPLINK)
        simulated.advance(2 * SECOND, 0)
        results.append(simulated.kpis().latency_s.tobytes())
    assert results[0] == results[1]


def test_an_unknown_discipline_is_refused_where_it_stands(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"server_discipline\[1\]: expected 0 .sharing., 1 .fifo. or 2 .weighted."):
        _core.Plant(1, {**config, "server_discipline": np.array([0, 3, 0, 0])})


def test_other_settings_are_checked(plant: _core.Plant) -> None:
    with pytest.raises(ValueError, match=r"load: expected 2 values \(one per site\), got 3"):
        plant.set_load(np.ones(3))
    with pytest.raises(ValueError, match=r"load\[1\].*got nan"):
        plant.set_load(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match=r"background\[0\]"):
        plant.set_background(np.full(6, -1.0))
    with pytest.raises(ValueError, match="expected a directed link from 0 to 5, got 6"):
        plant.fail_link(6)
    with pytest.raises(ValueError, match="expected a server from 0 to 3, got -1"):
        plant.repair_server(-1)
    with pytest.raises(ValueError, match="route_site"):
        plant.set_routes(np.array([0, 1]), np.array([0]), np.array([0, 0]), np.array([], dtype=np.int64))


def test_time_goes_forward_and_ends(plant: _core.Plant) -> None:
    plant.run_until(SECOND)
    plant.run_until(SECOND)
    with pytest.raises(ValueError, match=r"expected a time from now \(1000000000 ns\)"):
        plant.run_until(SECOND - 1)
    with pytest.raises(ValueError, match="9007199254740992"):
        plant.run_until(2**53 + 1)
    assert plant.now_ns == SECOND


def test_results_own_their_memory(plant: _core.Plant) -> None:
    plant.run_until(3 * SECOND)
    kpis, telemetry = plant.take_kpis(), plant.take_telemetry(3 * SECOND)
    offsets = plant.truth_clock_offset_ns()
    generated, values = kpis["generated"].copy(), telemetry[0][4].copy()
    plant.run_until(6 * SECOND)
    plant.take_kpis()
    del plant
    gc.collect()
    assert np.array_equal(kpis["generated"], generated)
    assert np.array_equal(telemetry[0][4], values, equal_nan=True)
    assert offsets.shape == (24,)
    for array in (*telemetry[0], *telemetry[1], *telemetry[2], offsets):
        assert array.flags.writeable  # ours alone: nobody else looks at it
        assert array.flags.c_contiguous


def test_a_plant_is_not_pickled(plant: _core.Plant) -> None:
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(plant)


def test_two_plants_in_two_threads_are_two_plants() -> None:
    """`run_until` lets other threads run; each plant has one owner."""
    results: dict[int, Any] = {}

    def play(name: int) -> None:
        plant = SimulatedPlant(one_of_each(tasks_per_s=np.array([2000.0])), 5, PlantOptions())
        for second in range(1, 30):
            plant.advance(second * SECOND, 0)
        results[name] = plant.kpis()

    threads = [threading.Thread(target=play, args=(name,)) for name in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0].latency_s.tobytes() == results[1].latency_s.tobytes()
    assert results[0].total("generated") > 50_000
