"""The plant against textbook formulas, each written out here: the plant itself knows none of them."""

from __future__ import annotations

from math import exp, factorial
from typing import Any

import numpy as np
import pytest

from support.plant_world import one_of_each, populated
from tiertwin.plant import PlantKpis, PlantOptions, SimulatedPlant

SECOND = 1_000_000_000
FOREVER = float("inf")
TIER = np.eye(4)


def run(world: Any, tier: int, seconds: int, seed: int = 3, **options: Any) -> PlantKpis:
    """Play `seconds` with every task at `tier`, after a tenth of that to warm up."""
    plant = SimulatedPlant(world, seed, PlantOptions(report_s=0.0, buffer_s=FOREVER, radio_factor=(1.0,), **options))
    devices = np.arange(len(world.device_site))
    plant.actuate(devices, np.tile(TIER[tier], (len(devices), 1)))
    plant.advance(seconds * SECOND // 10, 0)
    plant.kpis()
    plant.advance(seconds * SECOND * 11 // 10, 0)
    return plant.kpis()


def erlang_c(servers: int, offered: float) -> float:
    top = offered**servers / factorial(servers) * servers / (servers - offered)
    return top / (sum(offered**k / factorial(k) for k in range(servers)) + top)


def test_the_devices_own_cpu_is_a_single_server_queue() -> None:
    """M/M/1: T = 1/(mu - lam), P(T > t) = exp(-(mu - lam) t); mu = 100/s, lam = 80/s: 50 ms, 0.1353."""
    kpis = run(one_of_each(), 0, 20_000, exponential_sizes=True)
    assert kpis.latency_mean_s == pytest.approx(0.050, rel=0.03)
    assert kpis.total("late") / kpis.total("completed") == pytest.approx(exp(-2.0), rel=0.03)
    assert kpis.latency_quantile_s(0.95) == pytest.approx(np.log(20.0) / 20.0, rel=0.04)


@pytest.mark.parametrize("discipline", ["ps", "fifo"])
@pytest.mark.parametrize(("cores", "rate"), [(1, 60.0), (4, 300.0)])
def test_an_edge_server_of_c_cores_waits_as_erlang_says(discipline: Any, cores: int, rate: float) -> None:
    """M/M/c: T = 1/mu + C(c, a)/(c mu - lam), whoever is served first: the number present is the same chain."""
    world = one_of_each(tasks_per_s=np.array([rate]), core_ghz=1.0, site_cores=np.array([cores]))
    kpis = run(world, 1, 2_000, exponential_sizes=True, servers=discipline)
    expected = 0.01 + erlang_c(cores, rate * 0.01) / (cores * 100.0 - rate)
    assert kpis.latency_mean_s == pytest.approx(expected, rel=0.03)
    assert kpis.server_load_ghz[0] == pytest.approx(rate * 0.01, rel=0.01)  # utilisation law


def test_the_disciplines_differ_where_they_should() -> None:
    """M/D/1: first in first out waits S + lam S^2/(2(1 - rho)); sharing is blind to the spread, S/(1 - rho)."""
    world = one_of_each(tasks_per_s=np.array([80.0]), core_ghz=1.0)
    assert run(world, 1, 4_000, servers="fifo").latency_mean_s == pytest.approx(0.03, rel=0.02)
    assert run(world, 1, 4_000, servers="ps").latency_mean_s == pytest.approx(0.05, rel=0.03)


def test_a_link_is_a_first_in_first_out_queue_of_what_background_leaves() -> None:
    """M/D/1: T = S + lam S^2 / (2 (1 - rho)), S = megabits / (capacity - background); propagation there and back."""
    world = one_of_each(
        megabits=np.array([1.0]),
        gcycles=np.array([0.0]),
        link_capacity_mbps=np.array([150.0, 1e9]),
        background_mbps=np.array([50.0, 0.0, 0.0, 0.0]),
        link_km=np.array([400.0, 0.0]),
    )
    kpis = run(world, 2, 4_000)
    assert kpis.latency_mean_s == pytest.approx(0.01 + 80 * 0.01**2 / (2 * 0.2) + 2 * 400 * 5e-6, rel=0.02)
    assert kpis.link_load_mbps[0] == pytest.approx(80.0, rel=0.01)
    assert kpis.link_utilisation[0] == pytest.approx(130.0 / 150.0, rel=0.01)


def test_airtime_is_shared_by_the_uplinks_of_a_site() -> None:
    """M/G/1-PS: T = E[S]/(1 - rho), whatever the sizes are: fixed ones of two rings here."""
    world = one_of_each(
        tasks_per_s=np.array([35.0]),
        megabits=np.array([1.0]),
        gcycles=np.array([0.0]),
        ring_rate_mbps=np.array([200.0, 66.0 + 2.0 / 3.0]),
        device_site=np.zeros(2, dtype=np.int64),
        device_class=np.zeros(2, dtype=np.int64),
        device_ring=np.array([0, 1]),
        device_ghz=np.ones(2),
    )
    kpis = run(world, 1, 4_000)
    near, far = kpis.latency_s / kpis.completed
    assert near == pytest.approx(0.005 / 0.3, rel=0.03)  # each class is slowed down alike: S_i / (1 - rho)
    assert far == pytest.approx(0.015 / 0.3, rel=0.03)
    assert kpis.cell_airtime[0] == pytest.approx(0.7, rel=0.01)


def test_airtime_first_in_first_out_makes_the_near_wait_for_the_far() -> None:
    """M/G/1: W = lam E[S^2] / (2 (1 - rho)) for everybody."""
    world = one_of_each(
        tasks_per_s=np.array([35.0]),
        megabits=np.array([1.0]),
        gcycles=np.array([0.0]),
        ring_rate_mbps=np.array([200.0, 66.0 + 2.0 / 3.0]),
        device_site=np.zeros(2, dtype=np.int64),
        device_class=np.zeros(2, dtype=np.int64),
        device_ring=np.array([0, 1]),
        device_ghz=np.ones(2),
    )
    kpis = run(world, 1, 4_000, radio="fifo")
    wait = 70 * (0.005**2 + 0.015**2) / 2 / (2 * 0.3)
    near, far = kpis.latency_s / kpis.completed
    assert near == pytest.approx(0.005 + wait, rel=0.03)
    assert far == pytest.approx(0.015 + wait, rel=0.03)


def test_queues_in_series_add_up() -> None:
    """Jackson: exponential service, Poisson arrivals: each station of the path is an M/M/1 of its own (Burke)."""
    world = one_of_each(
        tasks_per_s=np.array([60.0]),
        core_ghz=1.0,
        ring_rate_mbps=np.array([1.0]),
        megabits=np.array([0.01]),
        cloud_cores=1,
    )
    kpis = run(world, 3, 6_000, exponential_sizes=True)
    assert kpis.latency_mean_s == pytest.approx(2 * 0.025, rel=0.03)  # radio and cloud server, both mu = 100/s


def test_in_flight_obeys_littles_law() -> None:
    """L = lam T: the mean number under way equals rate times latency."""
    world = one_of_each(core_ghz=1.0)
    plant = SimulatedPlant(world, 5, PlantOptions(report_s=0.0, buffer_s=FOREVER, exponential_sizes=True))
    plant.actuate(np.array([0]), TIER[[1]])
    parts = []
    for step in range(1, 5_001):
        plant.advance(step * SECOND // 50, 0)
        parts.append(plant.kpis())
    whole = PlantKpis.merge(parts)
    present = np.mean([part.in_flight for part in parts])
    assert present == pytest.approx(whole.total("generated") / whole.seconds * whole.latency_mean_s, rel=0.03)


def test_poisson_counts_have_the_variance_of_their_mean_and_on_off_more_at_the_same_mean() -> None:
    counts, devices = {}, 16
    for name, fields in {
        "poisson": {},
        "on-off": {"arrival": np.array([1]), "on_s": np.array([0.5]), "off_s": np.array([1.5])},
    }.items():
        world = one_of_each(tasks_per_s=np.array([20.0]), **populated(np.full((1, 1, 1), devices), 1, 1), **fields)
        plant = SimulatedPlant(world, 9, PlantOptions(report_s=0.0))
        taken = []
        for second in range(1, 1_501):
            plant.advance(second * SECOND, 0)
            taken.append(plant.kpis().total("generated"))
        counts[name] = np.array(taken) / devices
    assert counts["poisson"].mean() == pytest.approx(20.0, rel=0.02)
    assert counts["poisson"].var() * devices / 20.0 == pytest.approx(1.0, abs=0.1)
    assert counts["on-off"].mean() == pytest.approx(20.0, rel=0.03)
    # Variance of the on-time within 1 s, exactly: p q 2 tau (1 - tau (1 - e^(-1/tau))), 1/tau = 1/on + 1/off.
    tau = 1 / (1 / 0.5 + 1 / 1.5)
    on_time = 0.25 * 0.75 * 2 * tau * (1 - tau * (1 - exp(-1 / tau)))
    assert counts["on-off"].var() * devices == pytest.approx(20.0 + 80.0**2 * on_time, rel=0.1)
