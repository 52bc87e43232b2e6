"""Laws of the radio access network: conservation, blocks, cuts of time, own draws, secrets, sleep, handovers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.access_scenes import BUSY, MS, PLANNED, QUIET, SECOND, ZONE, cells, network, people
from tiertwin.plant.access import CELL_ATTRIBUTES, USER_ATTRIBUTES, AccessPlant
from tiertwin.plant.accessconfig import AccessClass, AccessRadio, AccessTelemetry, AccessUsers
from tiertwin.world.access import LED, AccessFlow
from tiertwin.world.mixed import mixed


def everything(plant: AccessPlant) -> list[Any]:
    """All that a plant shows and holds, to compare bit by bit."""
    kpis, reports = plant.take_kpis(), plant.take_reports(plant.now_ns)
    packets = plant.truth_packets()
    rows = sorted(zip(*(packets[name].tolist() for name in sorted(packets)), strict=True))
    out: list[Any] = [rows, kpis.under_way]
    for book in (kpis.groups, kpis.cells, plant.truth_users(), plant.truth_cells()):
        out += [(name, np.asarray(values).tobytes()) for name, values in sorted(book.items())]
    for part in (reports.users, reports.cells):
        out += [part.id.tobytes(), part.time_ns.tobytes(), part.arrival_ns.tobytes(), part.values.tobytes()]
    return out


@pytest.fixture(scope="module")
def played() -> AccessPlant:
    """Three seconds under load, every packet kept."""
    plant = network(walkers=80, record=True)
    plant.advance(3 * SECOND)
    return plant


def test_sent_is_received_and_lost_and_under_way() -> None:
    tight = AccessClass("tight", 1.0, BUSY.down, AccessFlow(20.0, packets=30, buffer=40))
    plant = network(walkers=120, classes=(tight, QUIET), cells=cells(1))
    sent = done = 0
    for k in range(1, 25):
        plant.advance(k * 83 * MS + k)
        kpis = plant.take_kpis()
        sent += int(kpis.groups["sent"].sum())
        done += int(kpis.groups["received"].sum() + kpis.groups["lost"].sum())
        assert sent == done + kpis.under_way
        assert np.all(kpis.groups["received"] >= 0)
    lost = network(walkers=120, classes=(tight, QUIET), cells=cells(1))
    lost.advance(2 * SECOND)
    found = lost.take_kpis().groups
    assert found["lost"][0, 1] > 100
    assert found["lost"][0, 0] == 0
    assert found["tasks_sent"][0, 1] >= found["tasks_done"][0, 1] + found["tasks_lost"][0, 1]


def test_no_slot_takes_more_blocks_than_its_cell_has(played: AccessPlant) -> None:
    assert played.truth_cells()["most_prbs"] <= 52
    full = network(walkers=200, cells=cells(1))
    full.advance(2 * SECOND)
    assert full.truth_cells()["most_prbs"] == 52
    counts = full.take_kpis().cells
    assert counts["prbs_up"].max() <= 2000 * 52
    assert counts["prbs_up"].max() > 1000 * 52


def test_packets_take_a_slot_at_least_and_leave_on_slots(played: AccessPlant) -> None:
    packets = played.truth_packets()
    got = packets["received_ns"] >= 0
    assert got.sum() > 1000
    assert np.all(packets["received_ns"][got] % MS == 0)
    assert np.all(packets["received_ns"][got] - packets["born_ns"][got] >= MS)


@given(cuts=st.lists(st.integers(1, 1_300 * MS), max_size=6))
@settings(max_examples=15, deadline=None)
def test_how_time_is_cut_changes_nothing(cuts: list[int]) -> None:
    rules = AccessRadio(sleep_after_ms=200, wake_ms=30)
    whole, cut = (network(record=True, radio=rules, walkers=60) for _ in range(2))
    whole.advance(1_300 * MS)
    for time in sorted(cuts):
        cut.advance(time)
    cut.advance(1_300 * MS)
    assert everything(whole) == everything(cut)


def test_a_users_draws_are_its_own() -> None:
    """Who else exists, and in what order, moves no user and makes no other packets."""
    both = people(30, 30)
    alone = {name: np.asarray(getattr(both, name))[10:50] for name in ("kind", "walk", "zone", "x_m", "y_m")}
    few = network(users=AccessUsers(**alone, key=np.arange(10, 50)), record=True)
    many = network(users=both, record=True)
    for plant in (few, many):
        plant.advance(2 * SECOND)
    assert np.array_equal(few.truth_users()["places"], many.truth_users()["places"][10:50])
    assert np.array_equal(few.truth_users()["heard"], many.truth_users()["heard"][10:50])
    born = [births(plant, users) for plant, users in ((few, range(40)), (many, range(10, 50)))]
    assert born[0] == born[1]
    assert len(born[0]) > 500


def births(plant: AccessPlant, users: range) -> list[tuple[int, int]]:
    """Flow (counted from the first user) and time of every batch received or lost, once each."""
    packets = plant.truth_packets()
    wanted = (packets["flow"] // 2 >= users.start) & (packets["flow"] // 2 < users.stop)
    wanted &= packets["born_ns"] < 500 * MS  # old enough to have met its fate in both
    rows = {
        (flow - 2 * users.start, born)
        for flow, born in zip(packets["flow"][wanted].tolist(), packets["born_ns"][wanted].tolist(), strict=True)
    }
    return sorted(rows)


def test_two_seeds_hide_different_truths_behind_one_schema() -> None:
    one, two = network(seed=1), network(seed=2)
    for plant in (one, two):
        plant.advance(2 * SECOND)
    hidden = [plant.truth_cells() for plant in (one, two)]
    for name in ("loss_db", "azimuth", "tilt", "efficiency"):
        assert not np.array_equal(hidden[0][name], hidden[1][name])
    reports = [plant.take_reports(2 * SECOND) for plant in (one, two)]
    for part in reports:
        assert part.users.values.shape[1] == len(USER_ATTRIBUTES)
        assert part.cells.values.shape[1] == len(CELL_ATTRIBUTES)
        assert part.users.values.dtype == part.cells.values.dtype == np.float64
        assert len(part.users) > 40
        assert len(part.cells) >= 12


def test_secrets_have_the_stated_law() -> None:
    hidden = network(cells=cells(400), walkers=1, still=1).truth_cells()
    count = len(hidden["loss_db"])
    for name, deviation in (("loss_db", 3.0), ("azimuth", 5.0), ("tilt", 1.0)):
        assert abs(hidden[name].mean()) < 4 * deviation / np.sqrt(count)
        assert hidden[name].std() == pytest.approx(deviation, rel=0.1)
    assert 0.6 <= hidden["efficiency"].min() < 0.61
    assert 0.74 < hidden["efficiency"].max() <= 0.75
    assert hidden["in_order"].mean() == pytest.approx(0.25, abs=0.06)
    assert network(walkers=1, still=4000).truth_users()["unseen"].mean() == pytest.approx(0.02, abs=0.01)
    plain = network(secrets=PLANNED).truth_cells()
    assert not plain["loss_db"].any()
    assert not plain["in_order"].any()


def test_what_the_southbound_side_calls_shows_no_secret() -> None:
    names = {name for name in dir(network()) if not name.startswith("_")}
    truths = {name for name in names if name.startswith("truth_")}
    told = {"advance", "fail_cells", "lead", "repair_cells", "set_sleep"}
    assert names - truths == told | {"now_ns", "of", "take_kpis", "take_reports"}


def test_the_unseen_report_nothing_and_the_others_do() -> None:
    plant = network(walkers=300, still=0, telemetry=AccessTelemetry(loss=0.0, delay_high_s=0.02))
    plant.advance(3 * SECOND)
    unseen = plant.truth_users()["unseen"]
    heard = np.unique(plant.take_reports(3 * SECOND).users.id)
    assert 0 < unseen.sum() < 30
    assert np.array_equal(heard, np.flatnonzero(~unseen))


def test_reports_tell_the_truth_with_the_stated_errors() -> None:
    plant = network(walkers=300, still=0, telemetry=AccessTelemetry(loss=0.2))
    plant.advance(4 * SECOND)
    reports = plant.take_reports(4 * SECOND)
    rows = reports.users
    lateness = (rows.arrival_ns - rows.time_ns) * 1e-9  # delay, less the error of the clock
    assert -0.03 <= lateness.min() < -0.01 < 0.11 < lateness.max() <= 0.13
    assert len(rows) / (4 * 294) == pytest.approx(0.8, abs=0.06)
    cell = rows.values[:, USER_ATTRIBUTES.index("cell")]
    assert set(np.unique(cell)) <= set(range(-1, 12))
    assert np.all((rows.values[:, 2] >= 0) & (rows.values[:, 2] <= 15))
    still = network(walkers=0, still=500, classes=(BUSY, replace(QUIET, report_s=1.0)))
    still.advance(2 * SECOND)
    truth, rows = still.truth_users(), still.take_reports(2 * SECOND).users
    off = rows.values[:, 5:7] - truth["places"][rows.id, :2]
    assert off.std() == pytest.approx(5.0, rel=0.1)
    serving = truth["serving"][rows.id]
    assert np.array_equal(rows.values[:, 0].astype(int), serving)
    level = truth["received_dbm"][rows.id, 0] - 10 * np.log10(12 * 52)
    assert (rows.values[:, 1] - level).std() == pytest.approx(1.0, rel=0.1)


def test_reported_rates_are_what_came_from_the_first_report_on() -> None:
    steady = AccessClass("steady", 1.0, AccessFlow(20.0, 1250, arrival="constant"), AccessFlow())
    exact = AccessTelemetry(loss=0.0, noise=0.0, delay_low_s=0.0, delay_high_s=0.0, clock_offset_s=0.0)
    plant = network(walkers=0, users=people(0, 200), classes=(BUSY, steady), telemetry=exact)
    plant.advance(2 * SECOND)
    rows = plant.take_reports(2 * SECOND).users
    served = plant.truth_users()["down_bits"][rows.id] > 0
    for second in range(2):
        of = served & (rows.time_ns // SECOND == second) & (rows.time_ns % SECOND >= SECOND // 2)
        assert of.sum() > 50
        assert rows.values[of, 3].mean() == pytest.approx(0.2, rel=0.05)


def test_drivers_hand_over_to_stronger_cells_and_those_who_stand_do_not() -> None:
    plant = network(walkers=100, still=100)
    before = plant.truth_users()["serving"]
    plant.advance(20 * SECOND)
    truth, counts = plant.truth_users(), plant.take_kpis().cells
    assert counts["handovers"].sum() > 50
    assert np.array_equal(truth["serving"][100:], before[100:])
    assert counts["attaches"].sum() >= 200
    best, own = truth["received_dbm"][:100, 0], np.full(100, -np.inf)
    for u in range(100):
        at = np.flatnonzero(truth["heard"][u] == truth["serving"][u])
        own[u] = truth["received_dbm"][u, at[0]] if len(at) else -np.inf
    assert np.mean(best - own < 6.0) > 0.85  # hysteresis of 3 dB, and a filter


def test_power_between_neighbours_costs_rate() -> None:
    """The same people, once with the other site silent and once with it busy."""
    quiet = AccessClass("quiet", 0.0, AccessFlow(), AccessFlow())
    loud = AccessClass("loud", 0.0, AccessFlow(400.0, 1250, buffer=200), AccessFlow(100.0, 1250, buffer=200))
    users = people(0, 200)
    plants = [
        network(cells=cells(4), users=replace(users, kind=np.arange(200) % 2), classes=(quiet, loud)),
        network(cells=cells(4), users=replace(users, kind=0), classes=(quiet, loud)),
    ]
    for plant in plants:
        plant.advance(SECOND)
    busy, idle = (plant.truth_users() for plant in plants)
    assert np.all(busy["sinr_down_db"] <= idle["sinr_down_db"] + 1e-12)
    assert np.mean(idle["sinr_down_db"] - busy["sinr_down_db"]) > 3.0
    assert np.all(busy["sinr_up_db"] <= idle["sinr_up_db"] + 1e-12)
    assert plants[0].truth_cells()["disturbed_up_mw"].max() > 0.0
    assert plants[1].truth_cells()["disturbed_up_mw"].max() == 0.0


def test_cells_without_packets_sleep_and_wake_up_late() -> None:
    rare = AccessClass("rare", 0.0, AccessFlow(), AccessFlow(0.3))
    rules = AccessRadio(sleep_after_ms=300, wake_ms=25)
    plant = network(walkers=0, still=12, users=people(0, 12), classes=(BUSY, rare), radio=rules, record=True)
    plant.advance(10 * SECOND)
    counts, packets = plant.take_kpis().cells, plant.truth_packets()
    asleep = counts["asleep_s"]
    assert 5.0 < asleep.mean() < 10.0
    assert np.allclose(
        counts["energy_j"], 150.0 * asleep + 260.0 * (10.0 - asleep) + 4.7 * 10**1.1 * counts["prbs_down"] / (52 * 1000)
    )
    delays = packets["received_ns"] - packets["born_ns"]
    assert np.any((delays >= 25 * MS) & (delays < 40 * MS))
    awake = network(walkers=0, users=people(0, 12), classes=(BUSY, rare), record=True)
    awake.advance(10 * SECOND)
    assert awake.take_kpis().cells["asleep_s"].max() == 0.0
    found = awake.truth_packets()
    assert np.median(found["received_ns"] - found["born_ns"]) < np.median(delays)
    assert plant.truth_cells()["asleep"].any()
    plant.set_sleep(0)
    assert not plant.truth_cells()["asleep"].any()


def test_a_cell_that_fails_loses_its_users_to_others_and_gets_them_back() -> None:
    plant = network(walkers=60, still=60)
    plant.advance(SECOND)
    before, home = plant.take_kpis(), plant.truth_users()["serving"]
    cell = int(np.bincount(home).argmax())
    plant.fail_cells(np.array([cell]))
    plant.advance(4 * SECOND)
    away, counts = plant.truth_users()["serving"], plant.take_kpis().cells
    assert np.sum(home == cell) > 5
    assert not np.any(away == cell)
    assert counts["failures"][cell] >= np.sum(home[60:] == cell)
    assert counts["prbs_up"][cell] == counts["prbs_down"][cell] == counts["energy_j"][cell] == 0
    assert before.cells["energy_j"][cell] > 0
    last = plant.take_reports(4 * SECOND).cells
    assert np.all(last.time_ns[last.id == cell] <= SECOND)
    plant.repair_cells(np.array([cell]))
    plant.advance(5 * SECOND)
    assert np.array_equal(plant.truth_users()["serving"][60:], home[60:])
    with pytest.raises(ValueError, match=r"cells\[1\]: expected a cell from 0 to 11, got 12"):
        plant.fail_cells(np.array([0, 12]))


def test_led_users_stand_where_they_are_put() -> None:
    users = AccessUsers([0, 0], walk=LED, x_m=[100.0, 900.0], y_m=[100.0, 900.0])
    plant = network(users=users, zones=())
    plant.advance(SECOND)
    before = plant.truth_users()["serving"]
    plant.lead(np.array([1]), np.array([[1900.0, 1900.0, 1.5]]))
    plant.advance(6 * SECOND)
    truth = plant.truth_users()
    assert truth["places"].tolist() == [[100.0, 100.0, 1.5], [1900.0, 1900.0, 1.5]]
    counts = plant.take_kpis().cells
    assert counts["handovers"].sum() + counts["failures"].sum() >= 1
    assert truth["serving"][1] != before[1]
    assert truth["serving"][1] in truth["heard"][1, :3]
    for wrong in ([[2500.0, 0.0, 1.5]], [[np.nan, 0.0, 1.5]]):
        with pytest.raises(ValueError, match="user 0: expected a place in the map"):
            plant.lead(np.array([0]), np.array(wrong))
    with pytest.raises(ValueError, match="user 0 is not led"):
        network().lead(np.array([0]), np.array([[0.0, 0.0, 1.5]]))


def test_a_user_outside_the_map_is_refused_with_its_number() -> None:
    for x in (2000.1, -1.0, np.nan):
        users = AccessUsers([1, 1, 1], x_m=[5.0, 5.0, x], y_m=7.0)
        with pytest.raises(ValueError, match=r"user 2: expected a place in the map \(0\.0+, 0\.0+\) to \(2000"):
            network(users=users)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cells": cells(cell_height=-3.0)}, r"cell_height\[0\]: expected a height in m from 0\.5"),
        ({"cells": cells(cell_rows=0)}, r"cell_rows\[0\]: expected rows of an array from 1"),
        ({"cells": cells(cell_prbs=60)}, r"cell_prbs\[0\]: expected blocks of 180 kHz that fit"),
        ({"cells": cells(cell_ghz=200.0)}, r"cell_ghz\[0\]"),
        ({"users": AccessUsers([2, 0])}, r"user_class\[0\]: expected a class from 0\.0+ to 1\.0+, got 2"),
        ({"users": AccessUsers([0], walk=1)}, "user 0 moves, but has no zone"),
        ({"users": AccessUsers([0], walk=1, zone=5)}, r"user_zone\[0\]"),
        ({"radio": AccessRadio(measured=21)}, "measured: expected cells, of those heard"),
        ({"radio": AccessRadio(hysteresis_db=40.0)}, "hysteresis"),
        ({"radio": AccessRadio(alpha=1.5)}, "alpha: expected a share"),
        ({"zones": [replace(ZONE, x_m=10.0)]}, r"zone_x\[0\] \+ width: expected a place in the map"),
        ({"classes": (BUSY, replace(QUIET, up=AccessFlow(-1.0)))}, r"flow_pps\[3\]: expected arrivals a second"),
        ({"classes": (BUSY, replace(QUIET, report_s=0.01))}, r"class_report_s\[1\]"),
        ({"classes": (BUSY, replace(QUIET, up=AccessFlow(1.0, arrival="never")))}, "quiet.up.arrival: expected one of"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        network(**changes)


def test_time_does_not_go_back() -> None:
    plant = network()
    plant.advance(SECOND)
    with pytest.raises(ValueError, match="until: expected a time in ns from now"):
        plant.advance(SECOND - 1)


def test_mixed_is_played_by_every_class() -> None:
    plant = AccessPlant.of(mixed(1_000, 200), seed=1)
    plant.advance(2 * SECOND)
    found = plant.take_kpis()
    assert np.all(found.groups["received"][:3] > 100)
    assert found.groups["received"][3, 1] > 10
    assert found.groups["received"][3, 0] == 0
    assert found.groups["lost"].sum() < 0.01 * found.groups["sent"].sum()
    assert np.nanmin(found.mean_ms) >= 1.0
