"""The plant over a radio access: its air is that of `AccessPlant`, tasks are conserved, homes follow the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.access_scenes import MAP, ZONE, cells, people
from support.access_worlds import (
    BUSY_DOWN,
    EDGE,
    MS,
    RINGS_MBPS,
    SECOND,
    SEEN,
    access_of,
    arrays_of,
    group_shares,
    moving_world,
    plant_of,
    world_around,
)
from tiertwin.plant import SimulatedPlant, Telemetry
from tiertwin.plant.access import AccessPlant
from tiertwin.plant.accessconfig import AccessClass, AccessRadio, AccessUsers
from tiertwin.world.access import LED, AccessFlow

END = 1950 * MS  # within a step, which both have begun


def everything(plant: SimulatedPlant, until: int) -> list[Any]:
    users, cells_ = plant.truth_users(), plant.truth_cells()
    return [
        arrays_of(plant.kpis()),
        arrays_of(plant.telemetry(until)),
        plant.truth_device_groups().tobytes(),
        [(name, np.asarray(value).tobytes()) for book in (users, cells_) for name, value in sorted(book.items())],
    ]


# -- the air ---------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.integers(0, END), max_size=6),
    sleep=st.sampled_from([(0, 0), (200, 3), (100, 120)]),
    buffer=st.sampled_from([2000, 25]),
)
def test_tasks_meet_the_air_of_the_access_plant(
    seed: int, cuts: list[int], sleep: tuple[int, int], buffer: int
) -> None:
    """What `AccessPlant` draws up, given to a plant as tasks: every packet, block and joule is the same.

    Walkers, handovers, downlink, interference, cells that sleep or serve in order, full buffers, whatever the cuts.
    """
    users = people(9, 5)
    count = 14
    radio = {"sleep_after_ms": sleep[0], "wake_ms": sleep[1]}
    down = AccessFlow(40.0, 1250, size="exponential", buffer=300)
    classes = [AccessClass(f"{u}", 0.0, down, AccessFlow(8.0, packets=20, buffer=buffer)) for u in range(count)]
    own = AccessUsers(np.arange(count), *(getattr(users, n) for n in ("walk", "zone", "x_m", "y_m")))
    air = AccessPlant(seed, cells(), own, [ZONE], map_m=MAP, classes=classes, radio=AccessRadio(**radio), record=True)
    air.advance(END)
    expected = air.take_kpis()
    air.advance(3 * SECOND)  # who waited longer for a first packet was not heard at all, and took nothing from anybody
    born = air.truth_packets()
    traces = {
        u: (np.unique(born["born_ns"][born["flow"] == 2 * u + 1]) * 1e-9, 0.0)
        for u in range(count)
        if (born["flow"] == 2 * u + 1).any()
    }
    access = access_of(own, count, AccessFlow(40.0, 1250, size="exponential", buffer=300))
    world = world_around(access, tasks_per_s=np.zeros(count), megabits=np.full(count, 0.2))
    options: dict[str, Any] = {"radio": radio, "record": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tiertwin.plant.users.LEAST_BUFFER", 1)
        patch.setattr("tiertwin.plant.users.TASKS_A_BUFFER", buffer / 20)
        plant = plant_of(world, seed, EDGE, traces=traces, access=options)
    for time in [*sorted(cuts), END]:
        plant.advance(time, 0)

    def rows(packets: dict[str, Any]) -> list[tuple[int, ...]]:
        wanted = (packets["received_ns"] <= END) & (packets["born_ns"] < END)
        columns = [packets[name][wanted].tolist() for name in ("flow", "born_ns", "received_ns", "packets")]
        return sorted(zip(*columns, strict=True))

    assert rows(plant.truth_packets()) == rows(born)
    assert len(rows(born)) > 500
    kpis = plant.kpis()
    assert kpis.radio is not None
    assert kpis.station_j is not None
    site = world.access.cells["cell_site"]
    assert np.array_equal(kpis.station_j, np.bincount(site, weights=expected.cells["energy_j"]))
    assert np.allclose(kpis.cell_airtime, np.bincount(site, weights=expected.cells["prbs_up"]) / (3 * 52 * 1900))
    assert kpis.radio.up_prbs == expected.cells["prbs_up"].sum() > 0
    assert kpis.radio.up_bits == expected.groups["bits"][:, 1].sum()
    assert kpis.radio.handovers == expected.cells["handovers"].sum()
    assert kpis.radio.ping_pongs == expected.cells["ping_pongs"].sum()
    assert kpis.radio.link_failures == expected.cells["failures"].sum()
    assert kpis.total("lost") == expected.groups["tasks_lost"][:, 1].sum()
    assert (kpis.total("lost") > 0) == (buffer == 25)
    down = {name: values[:, 0].sum() for name, values in expected.groups.items() if name != "longest_ns"}
    assert (kpis.radio.down_sent, kpis.radio.down_received, kpis.radio.down_lost) == (
        down["sent"],
        down["received"],
        down["lost"],
    )
    assert kpis.radio.down_delay_s == pytest.approx(down["delay_ns"] * 1e-9)
    assert kpis.radio.down_histogram.sum() == down["received"]


def test_a_task_leaves_the_air_with_its_last_packet_and_queues_at_the_edge() -> None:
    """Against queues worked out by hand: users in order of time and number, one server a site, first come first."""
    world = moving_world(0, 40, tasks_per_s=np.array([0.0, 4.0]), site_cores=np.full(4, 1))
    plant = plant_of(world, row=EDGE, servers="fifo", access={"record": True, "secrets": SEEN})
    plant.advance(2 * SECOND, 0)
    kpis, home, packets = plant.kpis(), plant.truth_device_sites(), plant.truth_packets()
    order = np.lexsort((packets["born_ns"], packets["flow"], packets["received_ns"]))
    last = {}
    for i in order:  # packets of a task may come over several slots
        last[int(packets["flow"][i]), int(packets["born_ns"][i])] = int(packets["received_ns"][i])
    free, latency = [0] * 4, []
    for (flow, born), landed in sorted(last.items(), key=lambda item: (item[1], item[0])):
        site = int(home[flow // 2])
        free[site] = max(free[site], landed) + 25_000_000  # 0.05 Gcycles at 2 GHz
        if free[site] <= 2 * SECOND:
            latency.append(free[site] - born)
    assert len(latency) > 200
    bins = np.searchsorted(kpis.histogram_edges_s, np.array(latency) * 1e-9, side="right") - 1
    assert np.array_equal(np.bincount(bins, minlength=kpis.latency_histogram.shape[1]), kpis.latency_histogram[1])
    assert kpis.total("latency_s") == pytest.approx(sum(latency) * 1e-9, abs=1e-9)


def test_energy_of_an_upload_is_its_share_of_the_blocks() -> None:
    """Power of the class times blocks taken over blocks a second: a whole cell for so long."""
    world = moving_world(0, 20, tasks_per_s=np.array([0.0, 5.0]), gcycles=np.zeros(2))
    world.objective.server_j_per_gcycle = 0.0
    plant = plant_of(world, row=EDGE, server_idle_w_per_core=0.0)
    plant.advance(2 * SECOND, 0)
    kpis = plant.kpis()
    assert kpis.radio is not None
    assert kpis.total("completed") > 150
    assert kpis.in_flight <= 3
    assert kpis.total("energy_j") == pytest.approx(0.2 * kpis.radio.up_prbs / 52 * 1e-3, rel=0.03)


# -- laws ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**63),
    steps=st.lists(
        st.sampled_from(
            ["play", "fail cells", "repair cells", "fail server", "repair server", "shares", "epoch", "sleep"]
        ),
        max_size=10,
    ),
)
def test_tasks_are_conserved_in_the_group_of_their_birth(seed: int, steps: list[str]) -> None:
    """By group: generated = completed + shed + lost + under way, whatever moves and fails."""
    world = moving_world(60, 40, BUSY_DOWN)
    plant = plant_of(world, seed, access={"radio": {"wake_ms": 30}})
    under_way = np.zeros(len(world.device_site), dtype=np.int64)
    now, epoch = 0, 0
    for k, what in enumerate([*steps, "play", "play"]):
        if what == "shares":
            plant.actuate(np.arange(len(world.device_site)), group_shares(world, k))
        elif what == "epoch":
            epoch += 1
        elif what == "sleep":
            plant.set_sleep(100 * (k % 3))
        elif "cells" in what:
            getattr(plant, what.replace(" ", "_"))(np.arange(6))
        elif what != "play":
            getattr(plant, what.replace(" ", "_"))(k % 4)
        now += 170 * MS
        plant.advance(now, epoch)
        kpis = plant.kpis()
        under_way += kpis.generated - kpis.completed - kpis.shed - kpis.lost
        assert np.all(under_way >= 0)
        assert under_way.sum() == kpis.in_flight
        assert kpis.executed.sum() == kpis.completed.sum() == kpis.latency_histogram.sum()
        assert np.all(kpis.cell_airtime <= 1 + 1e-9)
        assert np.all(np.diff(np.bincount(plant.truth_device_groups() // 6, minlength=4)) > -101)


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 2 * SECOND), max_size=12))
def test_how_time_is_cut_changes_nothing(cuts: list[int]) -> None:
    whole, cut = (plant_of(moving_world(60, 40, BUSY_DOWN), access={"radio": {"sleep_after_ms": 100}}) for _ in "ab")
    whole.advance(2 * SECOND, 0)
    for time in [*sorted(cuts), 2 * SECOND]:
        cut.advance(time, 0)
    assert everything(whole, 3 * SECOND) == everything(cut, 3 * SECOND)


def test_looking_changes_nothing_and_another_seed_does() -> None:
    alone, watched, other = (plant_of(moving_world(), seed) for seed in (7, 7, 8))
    alone.advance(2 * SECOND, 0)
    other.advance(2 * SECOND, 0)
    seen: list[Telemetry] = []
    for time in range(0, 2 * SECOND + 1, 125 * MS):
        watched.advance(time, 0)
        watched.kpis()
        watched.truth_users()
        watched.truth_radio_mbps()
        watched.truth_queue_tasks()
        seen.append(watched.telemetry(time))
    expected = alone.telemetry(2 * SECOND).devices
    for site in range(4):
        joined = np.concatenate([part.devices.of_site(site).values for part in seen])
        assert joined.tobytes() == expected.of_site(site).values.tobytes()
    assert other.telemetry(2 * SECOND).devices.values.tobytes() != expected.values.tobytes()


# -- homes -----------------------------------------------------------------------------------------------------------


def nearest_ring(mbps: float) -> int:
    return int(np.argmin(np.abs(np.log(RINGS_MBPS) - np.log(mbps)))) if mbps > 0 else int(np.argmin(RINGS_MBPS))


def kept_ring(mbps: float, now: int) -> int:
    """The nearest ring, or the present one where that is not farther by more than 10 %."""
    nearest = nearest_ring(mbps)
    if mbps <= 0:
        return nearest
    away = np.abs(np.log(RINGS_MBPS) - np.log(mbps))
    return nearest if away[now] - away[nearest] > np.log(1.1) else now


def test_homes_follow_the_truth() -> None:
    """Sites at every step; rings of those who walk every second, of those who stand still at the start.

    A walker's ring is that of its mean slowness over about a second, and stays until another is nearer by 10 %.
    """
    world = moving_world(60, 60, BUSY_DOWN)
    plant = plant_of(world, access={"secrets": SEEN})
    assert not plant.truth_device_sites().any()  # as planned, until the first step
    assert not (plant.truth_device_groups() % 3).any()
    cell_site = world.access.cells["cell_site"]
    moved, before = 0, np.zeros(120, dtype=np.int64)
    rings, ring = np.zeros(120, dtype=np.int64), np.zeros(120, dtype=np.int64)
    slow, serving, last_site = np.zeros(120), np.full(120, -1), np.full(120, -1)
    for time in range(0, 3 * SECOND + 1, 50 * MS):
        plant.advance(time, 0)
        users, group = plant.truth_users(), plant.truth_device_groups()
        served = users["serving"] >= 0
        site = plant.truth_device_sites()
        assert np.array_equal(site[served], cell_site[users["serving"][served]])
        assert np.array_equal(group // 6, site)
        assert np.array_equal(group // 3 % 2, world.access.kind)
        moved += int((site != before).sum())
        before = site
        walks = np.arange(120) < 60
        if time % (100 * MS) == 0:
            went = users["serving"] != serving
            serving = users["serving"].copy()
            mbps = users["up_bits"] * 52 * 1e-3 * served
            slow[went] = 0.0
            heard = walks & (mbps > 0)
            each = 1.0 / np.maximum(mbps, 1e-9)
            slow[heard] += np.where(slow[heard] > 0, (each[heard] - slow[heard]) / 10, each[heard])
            usual = np.where(served & (slow > 0), 1.0 / np.maximum(slow, 1e-9), mbps)
            for u in np.flatnonzero(served & (went | (time == 0) | (walks & (time % SECOND == 0)))):
                ring[u] = kept_ring(usual[u], ring[u]) if site[u] == last_site[u] else nearest_ring(usual[u])
            last_site = site.copy()
            assert np.array_equal((group % 3)[served], ring[served]), time
            assert np.allclose(plant.truth_radio_mbps(), usual)
        rings = group % 3 if time == 0 else rings
        assert np.array_equal((group % 3)[~walks & served], ring[~walks & served])
    assert moved > 100  # at the start nearly everybody
    assert len(np.unique(rings)) > 1


def test_a_user_that_is_led_away_takes_its_tasks_along() -> None:
    """A led user crosses the map: its home, its set-point and the server its tasks go to follow."""
    users = AccessUsers(np.zeros(2, dtype=np.int64), LED, x_m=np.array([480.0, 520.0]), y_m=np.array([480.0, 520.0]))
    world = world_around(access_of(users, 1), tasks_per_s=np.array([50.0]))
    plant = plant_of(world, row=(0.0, 0.0, 0.0, 0.0), access={"secrets": SEEN})
    rows = np.arange(len(world.device_site))
    here = world.device_site == 0
    plant.actuate(rows[here], np.tile(EDGE, (int(here.sum()), 1)))
    plant.advance(SECOND, 0)
    first = plant.kpis()
    assert first.total("shed") < 10  # until they attached
    assert first.server_load_ghz[0] > 1.0
    assert not first.server_load_ghz[1:4].any()
    for k in range(1, 101):
        plant.lead(np.array([0, 1]), np.array([[480.0 + 10.4 * k, 480.0, 1.5], [520.0 + 10.4 * k, 520.0, 1.5]]))
        plant.advance(SECOND + 100 * k * MS, 0)
    plant.kpis()
    plant.advance(12 * SECOND, 0)
    second = plant.kpis()
    assert plant.truth_device_sites().tolist() == [1, 1]
    assert second.radio is not None
    assert second.total("shed") == second.total("generated") > 50  # nobody may offload there
    plant.actuate(rows[world.device_site == 1], np.tile(EDGE, (int(here.sum()), 1)))
    plant.advance(13 * SECOND, 0)
    third = plant.kpis()
    assert third.total("shed") == 0
    assert third.server_load_ghz[1] > 1.0
    assert third.server_load_ghz[0] == 0.0


def test_a_cell_that_fails_loses_its_users_to_another_site() -> None:
    world = moving_world(0, 80)
    plant = plant_of(world, row=EDGE, access={"secrets": SEEN})
    plant.advance(SECOND, 0)
    at_first = plant.truth_device_sites() == 0
    assert at_first.sum() > 5
    plant.kpis()
    plant.fail_cells(np.arange(3))  # all of site 0
    plant.advance(2 * SECOND, 0)
    failed = plant.kpis()
    assert not (plant.truth_device_sites() == 0).any()
    assert failed.radio is not None
    assert failed.radio.link_failures >= at_first.sum()  # more: to the next cell of the site, which fails as well
    plant.advance(3 * SECOND, 0)
    assert plant.kpis().server_load_ghz[0] == 0.0
    plant.repair_cells(np.arange(3))
    plant.advance(4 * SECOND, 0)
    assert np.array_equal(plant.truth_device_sites() == 0, at_first)
