"""Reports are late, lossy, noisy, dated by clocks that are off, and otherwise true."""

from __future__ import annotations

import numpy as np
import pytest

from support.plant_world import populated, tiny_world
from tiertwin.plant import DEVICE_ATTRIBUTES, PlantOptions, Reports, SimulatedPlant, Telemetry

SECOND = 1_000_000_000
MS = 1_000_000


@pytest.fixture(scope="module")
def crowd() -> tuple[SimulatedPlant, Telemetry]:
    """800 devices, ten seconds, everything that arrived."""
    plant = SimulatedPlant(tiny_world(**populated(np.full((2, 2, 2), 100), 2, 2)), 3, PlantOptions())
    plant.advance(11 * SECOND, 0)
    return plant, plant.telemetry(11 * SECOND)


def column(reports: Reports, name: str) -> np.ndarray:
    return reports.values[:, DEVICE_ATTRIBUTES.index(name)]


def test_reports_arrive_20_to_80_ms_late_by_clocks_up_to_50_ms_off(crowd: tuple[SimulatedPlant, Telemetry]) -> None:
    plant, seen = crowd
    offset = plant.truth_clock_offset_ns()
    assert np.abs(offset).max() <= 50 * MS
    assert offset.std() == pytest.approx(100 * MS / np.sqrt(12), rel=0.1)
    for reports, own in ((seen.devices, offset[seen.devices.id]), (seen.servers, 0), (seen.links, 0)):
        delay = reports.arrival_ns - (reports.time_ns - own)
        assert delay.min() >= 20 * MS
        assert delay.max() <= 80 * MS + 1
    delay = seen.devices.arrival_ns - (seen.devices.time_ns - offset[seen.devices.id])
    assert delay.mean() == pytest.approx(50 * MS, rel=0.01)


def test_one_in_a_hundred_is_lost_and_every_sender_reports_once_a_period(
    crowd: tuple[SimulatedPlant, Telemetry],
) -> None:
    plant, seen = crowd
    reports = seen.devices
    true_time = reports.time_ns - plant.truth_clock_offset_ns()[reports.id]
    for device in (0, 17, 799):
        gaps = np.diff(true_time[reports.id == device])
        assert np.all(gaps % SECOND == 0)
    first = np.array([true_time[reports.id == d].min() for d in range(800)])
    assert first.min() >= SECOND // 2
    assert np.quantile(first, 0.9) <= 1.5 * SECOND
    due = sum((11 * SECOND - 80 * MS - (f % SECOND)) // SECOND + (1 if f % SECOND >= SECOND // 2 else 0) for f in first)
    arrived = int((true_time <= 11 * SECOND - 80 * MS).sum())
    assert 1 - arrived / due == pytest.approx(0.01, abs=0.004)


def test_rows_are_grouped_by_site_in_order_of_arrival(crowd: tuple[SimulatedPlant, Telemetry]) -> None:
    _, seen = crowd
    for site in range(2):
        mine = seen.devices.of_site(site)
        assert set(mine.id // 400) == {site}
        assert np.all(np.diff(mine.arrival_ns) >= 0)
    assert len(seen.devices.of_site(2)) == 0
    # Servers 0 and 1 stand at the sites; fog and cloud at nodes without one. Link 2l leaves the tail of link l.
    assert [sorted(set(seen.servers.of_site(s).id.tolist())) for s in range(3)] == [[0], [1], [2, 3]]
    assert [sorted(set(seen.links.of_site(s).id.tolist())) for s in range(3)] == [[0], [2], [1, 3, 4, 5]]


def test_values_are_true_up_to_the_noise(crowd: tuple[SimulatedPlant, Telemetry]) -> None:
    plant, seen = crowd
    reports = seen.devices
    radio = column(reports, "radio_mbps") / plant.truth_radio_mbps()[reports.id]
    assert radio.mean() == pytest.approx(1.0, abs=0.002)
    assert radio.std() == pytest.approx(0.03, rel=0.05)
    rate = column(reports, "task_rate")
    mean = np.bincount(reports.id, rate) / np.bincount(reports.id)
    assert mean.sum() == pytest.approx(plant.truth_device_rates().sum(), rel=0.03)
    for name in ("completed", "missed", "queue_tasks"):
        assert np.all(column(reports, name) == np.floor(column(reports, name)))
    assert np.all((column(reports, "cpu_load") >= 0) & (column(reports, "cpu_load") <= 1 + 1e-9))
    done = column(reports, "completed")
    assert np.array_equal(np.isnan(column(reports, "latency_ms")), done == 0)
    # All local: 0.05 or 0.4 Gcycle at 1 GHz, 1 J a Gcycle.
    fast = (reports.id // 200) % 2 == 0
    energy = column(reports, "energy_j")
    assert energy[fast].sum() == pytest.approx(0.05 * done[fast].sum(), rel=0.01)
    assert np.nanmin(column(reports, "latency_ms")[fast]) == pytest.approx(50.0, rel=0.15)


def test_reports_without_noise_loss_and_delay_are_exact() -> None:
    options = PlantOptions(noise=0.0, loss=0.0, delay_s=(0.0, 0.0), clock_offset_s=0.0)
    plant = SimulatedPlant(tiny_world(), 3, options)
    plant.actuate(np.arange(24), np.tile([0.2, 0.2, 0.3, 0.3], (24, 1)))
    plant.advance(10 * SECOND, 0)
    seen, kpis = plant.telemetry(10 * SECOND), plant.kpis()
    assert np.array_equal(seen.devices.time_ns, seen.devices.arrival_ns)
    late = kpis.total("late") + kpis.total("lost") + kpis.total("shed")
    assert 0.85 * kpis.total("completed") <= column(seen.devices, "completed").sum() <= kpis.total("completed")
    assert column(seen.devices, "missed").sum() <= late
    load = np.array([seen.servers.values[seen.servers.id == q, 0].mean() for q in range(4)])
    np.testing.assert_allclose(load, kpis.server_load_ghz, rtol=0.25, atol=0.02)
    capacity = np.array([seen.links.values[seen.links.id == link, 1].max() for link in range(6)])
    np.testing.assert_array_equal(capacity, np.repeat([1000.0, 1000.0, 2000.0], 2))
    mbps = np.array([seen.links.values[seen.links.id == link, 0].mean() for link in range(6)])
    np.testing.assert_allclose(mbps, kpis.link_load_mbps + plant.truth_background_mbps(), rtol=0.1)


def test_nothing_is_told_twice_and_late_reports_come_with_the_next_call() -> None:
    plant = SimulatedPlant(tiny_world(), 3, PlantOptions(report_s=0.01))
    parts, told = [], 0
    for step in range(1, 21):
        plant.advance(step * 50 * MS, 0)
        part = plant.telemetry(step * 50 * MS).devices
        assert np.all(part.arrival_ns <= step * 50 * MS)
        assert np.all(part.arrival_ns > told)
        told = step * 50 * MS
        parts.append(part)
    offset = plant.truth_clock_offset_ns()
    for device in range(24):
        times = np.concatenate([(part.time_ns - offset[part.id])[part.id == device] for part in parts])
        assert len(set(times.tolist())) == len(times)
        assert np.any(np.diff(times) < 0)  # 60 ms of jitter, 10 ms of period: some overtake others


def test_no_period_no_telemetry() -> None:
    plant = SimulatedPlant(tiny_world(), 3, PlantOptions(report_s=0.0))
    plant.advance(3 * SECOND, 0)
    seen = plant.telemetry(3 * SECOND)
    assert (len(seen.devices), len(seen.servers), len(seen.links)) == (0, 0, 0)


def test_options_come_from_the_scenario_of_the_world() -> None:
    from types import SimpleNamespace

    section = SimpleNamespace(period_s=2.0, delay_ms=(5.0, 6.0), loss=0.5, noise=0.1, clock_offset_ms=1.0)
    world = tiny_world(scenario=SimpleNamespace(telemetry=section))
    options = SimulatedPlant(world, 3).options
    assert (options.report_s, options.delay_s, options.loss, options.noise) == (2.0, (0.005, 0.006), 0.5, 0.1)
    assert options.clock_offset_s == 0.001
    assert PlantOptions.of(world, noise=0.0).noise == 0.0
