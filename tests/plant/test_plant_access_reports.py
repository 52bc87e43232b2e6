"""The plant over a radio access: what gateways are told of groups, set-points of groups, what stays secret."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from support.access_scenes import people
from support.access_worlds import (
    BUSY_DOWN,
    MS,
    SECOND,
    SEEN,
    access_of,
    arrays_of,
    moving_world,
    plant_of,
    world_around,
)
from tiertwin.plant import GROUP_ATTRIBUTES, PlantKpis, PlantOptions, RadioKpis, SimulatedPlant

PLAIN: dict[str, Any] = {"delay_s": (0.0, 0.0), "loss": 0.0, "noise": 0.0, "clock_offset_s": 0.0}


# -- reports ---------------------------------------------------------------------------------------------------------


def test_reports_of_groups_add_up_to_the_books() -> None:
    """Every group of a site in every report; over time they hold what the books do, wherever users went."""
    world = moving_world(60, 40, BUSY_DOWN, tasks_per_s=np.array([8.0, 3.0]))
    plant = plant_of(world, access={"secrets": SEEN}, **PLAIN)
    plant.advance(8 * SECOND, 0)
    kpis, rows = plant.kpis(), plant.telemetry(9 * SECOND).devices
    assert rows.values.shape[1] == len(GROUP_ATTRIBUTES) == 9
    column = {name: rows.values[:, i] for i, name in enumerate(GROUP_ATTRIBUTES)}
    totals = dict.fromkeys(("made", "completed", "missed", "energy", "latency"), 0.0)
    for site in range(4):
        at = rows.rows_of_site(site)
        ids = rows.id[at].reshape(-1, 6)
        assert len(ids) in {7, 8}
        assert np.all(ids == np.arange(6 * site, 6 * site + 6))
        time = rows.time_ns[at].reshape(-1, 6)
        assert np.all(time == time[:, :1])
        elapsed = np.diff(np.concatenate([[0], time[:, 0]])) * 1e-9
        part = {name: values[at].reshape(-1, 6) for name, values in column.items()}
        totals["made"] += float((part["task_rate"] * elapsed[:, None]).sum())
        totals["completed"] += float(part["completed"].sum())
        totals["missed"] += float(part["missed"].sum())
        totals["energy"] += float(part["energy_j"].sum())
        totals["latency"] += float(np.nansum(part["latency_ms"] * part["completed"])) * 1e-3
        assert np.array_equal(np.isnan(part["latency_ms"]), part["completed"] == 0)
        assert np.all((part["cpu_load"] >= 0) & (part["cpu_load"] <= 1))
        assert np.all(np.isnan(part["radio_mbps"][part["users"] == 0]))
    late = 1.05 * 8 / 7.0  # what the last period holds is not reported yet
    for name, book in (
        ("made", kpis.total("generated")),
        ("completed", kpis.total("completed")),
        ("missed", kpis.total("late") + kpis.total("shed") + kpis.total("lost")),
        ("latency", kpis.total("latency_s")),
    ):
        assert book / late < totals[name] <= book
    assert 0 < totals["energy"] < kpis.total("energy_j")
    assert column["queue_tasks"].sum() > 0


def test_a_report_shows_the_groups_as_they_are() -> None:
    """Users and rates against the truth at the moment of the report, noise off."""
    plant = plant_of(moving_world(60, 60), access={"secrets": SEEN}, **PLAIN)
    seen = 0
    for time in range(500 * MS, 3 * SECOND, 20 * MS):
        plant.advance(time, 0)
        group, mbps = plant.truth_device_groups(), plant.truth_radio_mbps()
        rows = plant.telemetry(time).devices
        fresh = rows.time_ns > time - time % (100 * MS)  # made in this step, for which homes and rates are those of now
        seen += int(fresh.sum())
        for g, users, radio in zip(rows.id[fresh], rows.values[fresh, 8], rows.values[fresh, 1], strict=True):
            of_group = mbps[group == g]
            assert users == len(of_group)
            heard = of_group[of_group > 0]
            assert np.isnan(radio) if len(heard) == 0 else radio == pytest.approx(1 / np.mean(1 / heard))
    assert seen > 30


def test_base_stations_tell_how_full_their_cells_are() -> None:
    """Over whole reports, the mean share of blocks is the plant's own; the busiest cell is at least as full."""
    world = moving_world(60, 60, BUSY_DOWN)
    plant = plant_of(world, access={"secrets": SEEN}, **PLAIN)
    sites = len(world.site_node)
    told: dict[int, list[tuple[int, list[float]]]] = {site: [] for site in range(sites)}
    used, at = np.zeros((60, sites)), np.arange(1, 61) * 100 * MS
    for k, time in enumerate(at):
        plant.advance(int(time), 0)
        used[k] = plant.kpis().cell_airtime
        rows = plant.take_sensor_reports(int(time)).stations
        for site, when, values in zip(rows.id, rows.time_ns, rows.values, strict=True):
            told[int(site)].append((int(when), values.tolist()))
    compared = 0
    for site, rows_of in told.items():
        for (first, _), (last, (mean, peak, power, handovers)) in pairwise(rows_of):
            steps = slice(first // (100 * MS), last // (100 * MS))  # those that ended by each report
            assert mean == pytest.approx(used[steps, site].mean(), abs=1e-12)
            assert mean <= peak <= 1.0
            assert power > 0.0
            assert handovers >= 0.0
            compared += mean > 0.0
    assert compared > 5


def test_own_processors_load_is_that_of_the_users_there() -> None:
    """All local, nobody moves: busy share of each group's processors is rate x work / clock."""
    world = moving_world(0, 60, tasks_per_s=np.array([0.0, 4.0]), gcycles=np.array([0.05, 0.05]))
    plant = plant_of(world, row=(1.0, 0.0, 0.0, 0.0), access={"secrets": SEEN}, **PLAIN)
    plant.advance(10 * SECOND, 0)
    values = plant.telemetry(10 * SECOND).devices.values
    busy = np.average(values[:, 2], weights=values[:, 8])
    assert busy == pytest.approx(4.0 * 0.05 / 0.5, rel=0.05)


def test_unseen_users_are_in_no_report_but_load_the_network() -> None:
    world = moving_world(60, 40, BUSY_DOWN)
    plants = [plant_of(world, access={"secrets": {"unseen_share": share}}, **PLAIN) for share in (0.0, 0.4, 1.0)]
    for plant in plants:
        plant.advance(3 * SECOND, 0)
    books = [arrays_of(plant.kpis()) for plant in plants]
    assert books[0] == books[1] == books[2]
    nobody = plants[2].telemetry(4 * SECOND).devices.values
    assert len(nobody) > 0
    assert not np.nan_to_num(nobody).any()
    some = plants[1].telemetry(4 * SECOND).devices
    unseen = plants[1].truth_users()["unseen"]
    assert 20 < unseen.sum() < 60
    last = {int(g): users for g, users in zip(some.id, some.values[:, 8], strict=True)}
    assert sum(last.values()) == pytest.approx(100 - unseen.sum(), abs=8)  # sites report at different times


def test_reports_are_late_lossy_noisy_and_dated_by_the_sites_clock() -> None:
    world = moving_world(0, 60, tasks_per_s=np.array([0.0, 200.0]))
    row = (0.0, 0.0, 0.0, 0.0)  # all shed: many tasks at no cost
    lossy = plant_of(world, row=row, access={"secrets": SEEN}, loss=0.3, noise=0.0)
    lossy.advance(60 * SECOND, 0)
    rows = lossy.telemetry(60 * SECOND).devices
    assert 0.2 < 1 - len(rows) / 6 / (4 * 60) < 0.4
    plain = plant_of(world, row=row, access={"secrets": SEEN}, noise=0.05, clock_offset_s=0.05)
    exact = plant_of(world, row=row, access={"secrets": SEEN}, noise=0.0, clock_offset_s=0.0)
    for plant in (plain, exact):
        plant.advance(40 * SECOND, 0)
    noisy, true = plain.telemetry(41 * SECOND).devices, exact.telemetry(41 * SECOND).devices
    assert np.array_equal(noisy.id, true.id)
    offset = noisy.time_ns - true.time_ns
    site = true.id // 6
    assert all(len(np.unique(offset[site == s])) == 1 for s in range(4))
    assert len(np.unique(offset)) == 4
    assert np.abs(offset).max() <= 50 * MS
    delay = true.arrival_ns - true.time_ns
    assert 20 * MS <= delay.min() < 30 * MS
    assert 70 * MS < delay.max() <= 80 * MS
    made = true.values[:, 0] > 0
    ratio = noisy.values[made, 0] / true.values[made, 0]
    assert ratio.std() == pytest.approx(0.05, rel=0.2)
    assert np.array_equal(noisy.values[:, 8], true.values[:, 8])


# -- set-points, secrets, the rest -----------------------------------------------------------------------------------


def test_set_points_are_a_groups() -> None:
    """The tier is drawn by the set-point of the group a user is in; all local at the start."""
    world = moving_world(40, 40)
    plant = SimulatedPlant(world, 3, PlantOptions())
    plant.advance(SECOND, 0)
    first = plant.kpis()
    assert first.executed[:, 0].sum() == first.completed.sum() > 0
    rows = np.arange(len(world.device_site))
    shares = np.zeros((len(rows), 4))
    shares[np.arange(len(rows)), rows % 4] = 1.0
    plant.actuate(rows, shares)
    plant.advance(2 * SECOND, 0)
    plant.kpis()
    plant.advance(6 * SECOND, 0)
    later = plant.kpis()
    for tier in range(4):
        assert not later.executed[rows % 4 != tier, tier].any()
    assert all(later.executed[:, tier].sum() > 0 for tier in range(4))


def test_nothing_southbound_leads_to_the_secrets() -> None:
    """But for methods named truth_*, no public attribute of the plant or its reports holds what is hidden."""
    plant = plant_of(moving_world())
    plant.advance(2 * SECOND, 0)
    hidden = [np.asarray(plant.truth_cells()[name]) for name in ("loss_db", "azimuth", "tilt", "efficiency")]
    names = [name for name in dir(plant) if not name.startswith(("_", "truth_"))]
    assert {"actuate", "advance", "telemetry", "lead", "fail_cells", "repair_cells", "set_sleep", "options"} <= set(
        names
    )
    shown: list[np.ndarray[Any, Any]] = []

    def collect(value: Any, depth: int = 0) -> None:
        if isinstance(value, np.ndarray):
            shown.append(value.astype(np.float64).ravel())
        elif isinstance(value, dict):
            for item in value.values():
                collect(item, depth + 1)
        elif hasattr(type(value), "__dataclass_fields__") and depth < 4:
            for name in type(value).__dataclass_fields__:
                collect(getattr(value, name), depth + 1)

    for value in (plant.telemetry(2 * SECOND), plant.kpis(), *(getattr(plant, name) for name in names)):
        collect(value)
    assert len(shown) > 20
    for secret in hidden:
        assert not any(np.isin(secret, values).any() for values in shown)


def test_loads_are_those_of_the_planned_site() -> None:
    """The day's profile is that of the site where a user is planned, wherever it goes; groups have who is in them."""
    access = access_of(people(30, 30), 2, site=np.arange(60) % 4)
    world = world_around(access)
    plant = plant_of(world)
    plant.advance(SECOND, 1)
    factor = np.where(world.site_urban, 2.0, 0.5)[access.site]
    rates = world.tasks_per_s[access.kind] * factor
    assert np.array_equal(plant.truth_device_rates(), rates)
    expected = np.bincount(plant.truth_device_groups(), weights=rates, minlength=24)
    assert np.array_equal(plant.truth_group_rates(), expected)


def test_wear_and_weather_go_with_it() -> None:
    world = moving_world(30, 30)
    wear = {
        "part_key": [0, 1 << 32],
        "part_law": [0, 0],
        "period_s": 0.2,
        "ambient_c": 20.0,
        "swing_c": 0.0,
        "day_s": 86400.0,
        **{name: [value] for name, value in {
            "shape": 1.0, "scale_s": 0.5, "hazard_per_k": 0.0, "hazard_load": 0.0, "drift_per_s": 0.0, "sigma": 0.0,
            "limit": 1.0, "activation_ev": 0.0, "reference_c": 25.0, "idle_w": 10.0, "max_w": 20.0, "k_per_w": 0.1,
            "wear_k": 0.0, "vibration": 1.0, "vibration_growth": 0.0, "errors_per_s": 1.0, "repair_s": 0.3,
            "repair_sigma": 0.0,
        }.items()},
    }  # fmt: skip
    plant = plant_of(world, wear=wear)
    plant.advance(5 * SECOND, 0)
    kpis = plant.kpis()
    assert kpis.link_failures is not None
    assert kpis.link_failures[0] > 0
    assert kpis.total("lost") > 0
    assert kpis.radio is not None
    assert len(plant.take_sensor_reports(5 * SECOND).links) > 10


def test_kpis_of_the_radio_merge() -> None:
    parts, whole = plant_of(moving_world(60, 20, BUSY_DOWN)), plant_of(moving_world(60, 20, BUSY_DOWN))
    books = []
    for k in range(1, 5):
        parts.advance(k * SECOND, 0)
        books.append(parts.kpis())
    whole.advance(4 * SECOND, 0)
    merged, expected = PlantKpis.merge(books), whole.kpis()
    assert isinstance(merged.radio, RadioKpis)
    assert isinstance(expected.radio, RadioKpis)
    assert arrays_of(merged.radio)[:-4] == arrays_of(expected.radio)[:-4]
    assert np.array_equal(merged.radio.down_histogram, expected.radio.down_histogram)
    assert merged.radio.down_delay_s == pytest.approx(expected.radio.down_delay_s)
    assert merged.down_quantile_s(0.95) == expected.down_quantile_s(0.95)
    assert 0.001 <= expected.radio.down_mean_delay_s < 0.1
    assert 0.001 <= expected.down_quantile_s(0.95) < 0.1
    assert 0.1 < expected.radio.up_bits_per_hz_s < 7.4
