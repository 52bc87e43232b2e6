"""Laws of the plant: tasks are conserved, the same seed is the same plant, looking changes nothing, draws are keyed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.plant_world import one_of_each, populated, tiny_world
from tiertwin.plant import PlantKpis, PlantOptions, SimulatedPlant

MS = 1_000_000
SECOND = 1_000_000_000


def shares(devices: int, seed: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).dirichlet(np.ones(5), devices)[:, :4].copy()


def busy_plant(seed: int = 7, **options: Any) -> SimulatedPlant:
    plant = SimulatedPlant(tiny_world(tasks_per_s=np.array([20.0, 4.0])), seed, PlantOptions(**options))
    plant.actuate(np.arange(24), shares(24))
    return plant


def same(a: PlantKpis, b: PlantKpis) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in PlantKpis.__dataclass_fields__)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**63),
    buffer_s=st.sampled_from([0.0, 0.05, 10.0, float("inf")]),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["play", "fail link", "repair link", "fail server", "repair server", "shares", "epoch"]),
            st.integers(0, 2),
        ),
        max_size=12,
    ),
)
def test_every_task_is_somewhere_and_only_once(seed: int, buffer_s: float, steps: list[tuple[str, int]]) -> None:
    """generated = completed + shed + lost + in flight, whatever fails when; time in service fits the interval."""
    plant = busy_plant(seed, buffer_s=buffer_s)
    total, now, epoch = 0.0, 0, 0
    for what, number in [*steps, ("play", 2)]:
        if what == "shares":
            plant.actuate(np.arange(24), shares(24, number))
        elif what == "epoch":
            epoch += 1
        elif what != "play":
            getattr(plant, what.replace(" ", "_"))(number)
        now += 150 * MS
        plant.advance(now, epoch)
        kpis = plant.kpis()
        total += kpis.total("generated") - kpis.total("completed") - kpis.total("shed") - kpis.total("lost")
        assert total == kpis.in_flight
        assert kpis.executed.sum() == kpis.completed.sum() == kpis.latency_histogram.sum()
        assert np.all(kpis.server_utilisation <= 1 + 1e-9)
        assert np.all(kpis.cell_airtime <= 1 + 1e-9)
        assert kpis.completed.sum() == (kpis.in_time + kpis.late).sum()


def test_same_seed_is_the_same_plant_and_another_seed_is_not() -> None:
    plants = [busy_plant(seed) for seed in (7, 7, 8)]
    for plant in plants:
        plant.advance(3 * SECOND, 0)
    seen = [plant.telemetry(3 * SECOND).devices for plant in plants]
    kpis = [plant.kpis() for plant in plants]
    assert seen[0].values.tobytes() == seen[1].values.tobytes()
    assert seen[0].time_ns.tobytes() == seen[1].time_ns.tobytes()
    assert same(kpis[0], kpis[1])
    assert not same(kpis[0], kpis[2])


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 2 * SECOND), max_size=20))
def test_how_time_is_cut_changes_nothing(cuts: list[int]) -> None:
    whole, cut = busy_plant(), busy_plant()
    whole.advance(2 * SECOND, 0)
    for time in [*sorted(cuts), 2 * SECOND]:
        cut.advance(time, 0)
    assert same(whole.kpis(), cut.kpis())
    assert whole.telemetry(3 * SECOND).devices.values.tobytes() == cut.telemetry(3 * SECOND).devices.values.tobytes()


def test_looking_changes_nothing() -> None:
    """KPIs, truth and telemetry may be read at any time: what devices report stays the same to the last bit."""
    alone, watched = busy_plant(), busy_plant()
    alone.advance(3 * SECOND, 0)
    seen = []
    for time in range(0, 3 * SECOND, 37 * MS):
        watched.advance(time, 0)
        watched.kpis()
        watched.truth_queue_tasks()
        watched.truth_radio_mbps()
        seen.append(watched.telemetry(time))
    watched.advance(3 * SECOND, 0)
    seen.append(watched.telemetry(4 * SECOND))
    expected = alone.telemetry(4 * SECOND)
    for kind in ("devices", "servers", "links"):
        parts, whole = [getattr(part, kind) for part in seen], getattr(expected, kind)
        for site in range(3):
            joined = np.concatenate([part.of_site(site).values for part in parts])
            assert joined.tobytes() == whole.of_site(site).values.tobytes()


def test_kpis_of_parts_add_up_to_the_whole() -> None:
    whole, parts = busy_plant(), busy_plant()
    whole.advance(2 * SECOND, 0)
    taken = []
    for time in range(100 * MS, 2 * SECOND + 1, 100 * MS):
        parts.advance(time, 0)
        taken.append(parts.kpis())
    merged, expected = PlantKpis.merge(taken), whole.kpis()
    for name in ("generated", "in_time", "late", "shed", "lost", "executed", "latency_histogram", "in_flight"):
        assert np.array_equal(getattr(merged, name), getattr(expected, name)), name
    for name in ("latency_s", "energy_j", "goodput_mb", "link_utilisation", "server_utilisation", "cell_airtime"):
        np.testing.assert_allclose(getattr(merged, name), getattr(expected, name), rtol=1e-9, err_msg=name)


def test_more_devices_change_no_draw_of_the_others() -> None:
    """All local, so that they share nothing: every report of a device is the same with new neighbours around it."""
    few, many = np.full((2, 2, 2), 3), np.full((2, 2, 2), 5)
    seen = []
    for groups in (few, many):
        world = tiny_world(**populated(groups, 2, 2))
        plant = SimulatedPlant(world, 7, PlantOptions())
        plant.advance(5 * SECOND, 0)
        reports = plant.telemetry(5 * SECOND).devices
        group = np.repeat(np.arange(8), groups.ravel())
        rank = np.concatenate([np.arange(n) for n in groups.ravel()])
        old = rank[reports.id] < 3
        names = [(group[i], rank[i]) for i in reports.id[old]]
        order = sorted(range(len(names)), key=lambda k: (*names[k], reports.arrival_ns[old][k]))
        seen.append((reports.values[old][order], reports.arrival_ns[old][order], reports.time_ns[old][order]))
    for a, b in zip(*seen, strict=True):
        assert a.tobytes() == b.tobytes()


def lone_task(tier: int, **changes: Any) -> tuple[SimulatedPlant, PlantKpis]:
    """One task at 10 ms, then its KPIs."""
    world = one_of_each(
        megabits=np.array([1.0]),
        gcycles=np.array([0.1]),
        core_ghz=2.0,
        ring_rate_mbps=np.array([50.0]),
        link_capacity_mbps=np.array([120.0, 500.0]),
        background_mbps=np.array([20.0, 0.0, 0.0, 0.0]),
        link_km=np.array([100.0, 200.0]),
        device_ghz=np.array([0.5]),
        deadline_s=np.array([10.0]),
        **changes,
    )
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0, traces={0: (np.array([0.01]), 0.0)}))
    plant.actuate(np.array([0]), np.eye(4)[[tier]])
    plant.advance(2 * SECOND, 0)
    return plant, plant.kpis()


@pytest.mark.parametrize(
    ("tier", "latency_s", "energy_j"),
    [
        (0, 0.1 / 0.5, 0.5**2 * 0.1),
        (1, 1 / 50 + 0.1 / 2, 0.5 / 50 + (0.4 + 2 / 2) * 0.1),
        (2, 1 / 50 + 1 / 100 + 0.0005 * 2 + 0.1 / 2, 0.5 / 50 + 0.01 + (0.4 + 2 / 2) * 0.1),
        (3, 1 / 50 + 1 / 100 + 1 / 500 + 0.0015 * 2 + 0.1 / 2, 0.5 / 50 + 0.02 + (0.4 + 2 / 2) * 0.1),
    ],
)
def test_a_lone_task_takes_the_sum_of_its_parts(tier: int, latency_s: float, energy_j: float) -> None:
    _, kpis = lone_task(tier)
    assert kpis.executed.tolist() == [np.eye(4, dtype=int)[tier].tolist()]
    assert kpis.latency_mean_s == pytest.approx(latency_s, abs=1e-8)
    assert kpis.total("energy_j") == pytest.approx(energy_j, abs=1e-8)
    assert kpis.goodput_mbps == pytest.approx(0.5)
    assert kpis.energy_per_task_j == pytest.approx(energy_j, abs=1e-8)


def test_shares_are_followed_and_the_rest_is_shed() -> None:
    world = one_of_each(tasks_per_s=np.array([1000.0]))
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0, buffer_s=float("inf")))
    plant.actuate(np.array([0]), np.array([[0.1, 0.2, 0.3, 0.15]]))
    plant.advance(20 * SECOND, 0)
    kpis = plant.kpis()
    total = kpis.total("generated")
    np.testing.assert_allclose(kpis.executed[0] / total, [0.1, 0.2, 0.3, 0.15], atol=0.01)
    assert kpis.total("shed") / total == pytest.approx(0.25, abs=0.01)
    plant.actuate(np.array([0]), np.array([[0.0, 1.0, 0.0, 0.0]]))
    plant.advance(40 * SECOND, 0)
    assert plant.kpis().total("shed") == 0


def test_a_failed_link_loses_its_tasks_and_those_to_come_until_it_is_repaired() -> None:
    world = one_of_each(tasks_per_s=np.array([100.0]), link_km=np.array([2000.0, 0.0]))
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0))
    plant.actuate(np.array([0]), np.eye(4)[[2]])
    plant.advance(SECOND, 0)
    under_way = plant.kpis().in_flight
    assert under_way > 0  # 10 ms of propagation at 100 tasks/s
    plant.fail_link(0)
    gone = plant.kpis()
    assert (gone.total("lost"), gone.in_flight) == (under_way, 0)
    plant.advance(2 * SECOND, 0)
    down = plant.kpis()
    assert (down.total("completed"), down.total("lost")) == (0, down.total("generated"))
    plant.repair_link(0)
    plant.advance(3 * SECOND, 0)
    back = plant.kpis()
    assert back.total("lost") == 0
    assert back.total("completed") == back.total("generated") - back.in_flight


def test_a_failed_server_loses_its_tasks_and_reports_down() -> None:
    world = one_of_each(tasks_per_s=np.array([50.0]), core_ghz=1.0)
    plant = SimulatedPlant(world, 1, PlantOptions(loss=0.0))
    plant.actuate(np.array([0]), np.eye(4)[[1]])
    plant.fail_server(0)
    plant.advance(2 * SECOND, 0)
    assert plant.kpis().total("completed") == 0
    servers = plant.telemetry(3 * SECOND).servers
    assert servers.values[servers.id == 0, 2].tolist() == [0.0] * int((servers.id == 0).sum())
    assert servers.values[servers.id == 1, 2].all()
    plant.repair_server(0)
    plant.advance(4 * SECOND, 0)
    assert plant.kpis().total("lost") == 0


def test_reroute_leads_new_tasks_around_and_lets_others_finish_their_way() -> None:
    world = one_of_each(
        link_tail=np.array([0, 1, 0]),
        link_head=np.array([1, 2, 1]),
        link_km=np.array([2000.0, 0.0, 10.0]),
        link_capacity_mbps=np.full(3, 1e9),
        background_mbps=np.zeros(6),
        tasks_per_s=np.array([200.0]),
    )
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0))
    plant.actuate(np.array([0]), np.eye(4)[[2]])
    plant.advance(SECOND, 0)
    before = plant.kpis()
    world.route_site_links = (np.array([4]),)
    plant.reroute(world)
    plant.advance(SECOND + 15 * MS, 0)
    assert plant.kpis().total("lost") == 0
    plant.fail_link(0)
    plant.advance(2 * SECOND, 0)
    after = plant.kpis()
    assert after.total("lost") == 0
    assert before.latency_mean_s == pytest.approx(0.02, rel=1e-3)
    assert after.latency_mean_s == pytest.approx(0.0001, rel=1e-2)
    world.route_site_links = (np.array([], dtype=np.int64),)  # nothing leads there any more: the old way, and its fate
    plant.fail_link(2)
    plant.reroute(world)
    plant.advance(3 * SECOND, 0)
    assert plant.kpis().total("completed") == 0


def test_full_buffers_lose_tasks_instead_of_growing_for_ever() -> None:
    world = one_of_each(tasks_per_s=np.array([200.0]), core_ghz=1.0)
    for tier in (0, 1):
        plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0, buffer_s=0.5))
        plant.actuate(np.array([0]), np.eye(4)[[tier]])
        plant.advance(20 * SECOND, 0)
        kpis = plant.kpis()
        assert kpis.total("lost") / kpis.total("generated") == pytest.approx(0.5, abs=0.05)  # twice what it can do
        assert kpis.in_flight <= 102


def test_rate_falls_as_the_cell_fills() -> None:
    """The factor of the load bin of the last window; idle at first, then 60 % of airtime and more."""
    world = one_of_each(
        tasks_per_s=np.array([60.0]),
        megabits=np.array([1.0]),
        gcycles=np.array([0.0]),
        ring_rate_mbps=np.array([100.0]),
    )
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0, radio_factor=(1.0, 0.8), radio_window_s=5.0))
    plant.actuate(np.array([0]), np.eye(4)[[1]])
    plant.advance(4 * SECOND, 0)
    assert plant.truth_radio_mbps().tolist() == [100.0]
    assert plant.kpis().cell_airtime[0] == pytest.approx(0.6, abs=0.1)
    plant.advance(20 * SECOND, 0)
    assert plant.truth_radio_mbps().tolist() == [80.0]
    plant.kpis()
    plant.advance(60 * SECOND, 0)
    assert plant.kpis().cell_airtime[0] == pytest.approx(0.6 / 0.8, abs=0.05)


def test_a_trace_is_played_as_it_stands_or_repeated_with_a_phase() -> None:
    times = np.array([0.25, 0.5, 0.5])
    once = SimulatedPlant(one_of_each(), 1, PlantOptions(report_s=0.0, traces={0: (times, 0.0)}))
    made = []
    for time in (249, 250, 499, 500, 5000):
        once.advance(time * MS, 0)
        made.append(once.kpis().total("generated"))
    assert made == [0, 1, 0, 2, 0]
    again = SimulatedPlant(one_of_each(), 1, PlantOptions(report_s=0.0, traces={0: (times, 1.0)}))
    again.advance(100 * SECOND, 0)
    assert again.kpis().total("generated") == 300
    assert again.truth_device_rates().tolist() == [3.0]


def test_the_day_scales_load_and_background() -> None:
    plant = SimulatedPlant(tiny_world(), 1, PlantOptions())
    np.testing.assert_allclose(
        plant.truth_group_rates(), np.r_[0.5 * 3 * np.array([5, 5, 1, 1]), 0.8 * 3 * np.array([5, 5, 1, 1])]
    )
    plant.set_epoch(3)
    np.testing.assert_allclose(
        plant.truth_group_rates(), np.r_[1.5 * 3 * np.array([5, 5, 1, 1]), 1.2 * 3 * np.array([5, 5, 1, 1])]
    )
    np.testing.assert_allclose(plant.truth_background_mbps(), 1.1 * np.array([100.0, 50, 200, 20, 500, 100]))


def test_background_leaves_one_percent_of_a_link() -> None:
    world = one_of_each(background_mbps=np.array([5e9, 0.0, 0.0, 0.0]))
    plant = SimulatedPlant(world, 1, PlantOptions())
    assert plant.truth_background_mbps()[0] == pytest.approx(0.99e9)


def test_quantiles_are_those_of_the_latencies() -> None:
    """Own CPU idle, sizes fixed: every latency is 10 ms; the histogram knows it to 0.8 %."""
    world = one_of_each(tasks_per_s=np.array([0.5]))
    plant = SimulatedPlant(world, 1, PlantOptions(report_s=0.0))
    plant.advance(100 * SECOND, 0)
    kpis = plant.kpis()
    for quantile in (0.01, 0.5, 0.99, 1.0):
        assert kpis.latency_quantile_s(quantile) == pytest.approx(0.01, rel=0.008)
        assert kpis.latency_quantile_s(quantile, 0) == pytest.approx(0.01, rel=0.008)
    assert np.isnan(plant.kpis().latency_quantile_s(0.5))
    with pytest.raises(ValueError, match="from 0 to 1"):
        kpis.latency_quantile_s(1.5)
