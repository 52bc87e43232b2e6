"""The C++ plant against the naive event simulator: the same counts, reports, and times to a microsecond."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference.plant import Plant as Naive
from support.plant_world import config_of, tiny_world
from tiertwin import _core
from tiertwin.plant import PlantOptions

SECOND = 1_000_000_000
EQUAL = {"servers": "ps", "links": "fifo"}
CASES = {
    "processor sharing": EQUAL,
    "first in first out": {"radio": "fifo", "servers": "fifo", "links": "fifo"},
    "fixed sizes": {"exponential_sizes": False, **EQUAL},
    "full buffers": {"buffer_s": 0.02, **EQUAL},
    "noisy": {"noise": 0.3, "loss": 0.2, "report_s": 0.05, **EQUAL},
    "weighted": {},
    "weighted, full buffers": {"buffer_s": 0.02},
}


def configuration(bursty: bool = False, **options: Any) -> dict[str, Any]:
    changes: dict[str, Any] = {"tasks_per_s": np.array([12.0, 4.0])}
    if bursty:
        changes |= {"arrival": np.array([1, 0]), "on_s": np.array([0.3, 0.0]), "off_s": np.array([0.5, 0.0])}
        options["traces"] = {1: (np.array([0.1, 0.1, 0.35, 0.7]), 0.9)}
    world = tiny_world(**changes)
    return config_of(world, PlantOptions(**{"exponential_sizes": True, "radio_window_s": 0.3, **options}))


def both(seed: int, config: dict[str, Any]) -> tuple[_core.Plant, Naive]:
    return _core.Plant(seed, config), Naive(seed, config)


def play(plant: Any, shares: np.ndarray[Any, Any]) -> None:
    """The same story for both: set-points, a busier second, a link that fails, repair, a quieter end."""
    devices = np.arange(len(shares), dtype=np.int64)
    plant.set_shares(devices, shares)
    plant.run_until(SECOND // 2)
    plant.set_site_shares(0, np.array([[3.0, 1.0], [0.5, 0.0], [9.0, 1.0]]), np.array([[5.0, 50.0], [0.0, 2.0]]))
    plant.run_until(SECOND)
    plant.set_load(np.array([2.0, 0.0]))
    plant.set_background(np.array([900.0, 50.0, 2000.0, 20.0, 500.0, 100.0]))
    plant.run_until(SECOND + SECOND // 2)
    plant.fail_link(0)
    plant.run_until(2 * SECOND)
    plant.set_site_shares(1, np.array([[1.0, 7.0], [0.5, 0.5], [0.0, 0.0]]), np.array([[1.0, 1.0], [1e9, 2.0]]))
    plant.repair_link(0)
    plant.set_load(np.array([0.5, 1.5]))
    plant.set_shares(devices[::2].copy(), shares[::-2].copy())
    plant.run_until(4 * SECOND)


@pytest.mark.parametrize("bursty", [False, True], ids=["poisson", "on-off and trace"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("seed", [1, 2**40 + 3])
def test_counts_latencies_and_loads_are_those_of_the_naive_plant(seed: int, case: str, bursty: bool) -> None:
    config = configuration(bursty, **CASES[case])
    fast, naive = both(seed, config)
    shares = np.random.default_rng(seed).dirichlet(np.ones(5), len(config["device_site"]))[:, :4].copy()
    play(fast, shares)
    play(naive, shares)
    kpis = fast.take_kpis()
    for name in ("generated", "in_time", "late", "shed", "lost"):
        np.testing.assert_array_equal(kpis[name], [int(sums[name]) for sums in naive.sums], err_msg=name)
    for name in ("latency_s", "in_time_latency_s", "energy_j", "goodput_mb"):
        np.testing.assert_allclose(kpis[name], [sums[name] for sums in naive.sums], rtol=1e-6, atol=1e-6, err_msg=name)
    for tier in range(4):
        assert kpis["executed"][:, tier].tolist() == [sums[f"tier {tier}"] for sums in naive.sums]
    assert kpis["in_flight"] == naive.in_flight
    np.testing.assert_allclose(kpis["link_load_mbps"], np.array(naive.carried) / 4.0, rtol=1e-9)
    assert kpis["generated"].sum() > 500
    for q in range(len(config["server_cores"])):
        queue = naive.queues[2, q]
        queue.advance(4 * SECOND)
        assert kpis["server_load_ghz"][q] == pytest.approx(queue.busy_s * queue.speed / 4.0, rel=1e-6, abs=1e-9)
    for c in range(2):
        below = np.searchsorted(kpis["histogram_edges_s"] * 1e9, np.array(naive.latencies[c]) + 1e-3, side="right") - 1
        assert np.abs(np.cumsum(np.bincount(below, minlength=3840) - kpis["latency_histogram"][c])).max() <= 1


@pytest.mark.parametrize("case", CASES)
def test_reports_are_those_of_the_naive_plant(case: str) -> None:
    config = configuration(True, **CASES[case])
    fast, naive = both(5, config)
    shares = np.random.default_rng(5).dirichlet(np.ones(5), len(config["device_site"]))[:, :4].copy()
    play(fast, shares)
    play(naive, shares)
    for kind, (site_ptr, id_, time_ns, arrival_ns, values) in enumerate(fast.take_telemetry(4 * SECOND)):
        expected = sorted(
            (row[0] if row[0] >= 0 else 2, *row[1:4], row[4]) for row in naive.reports[kind] if row[1] <= 4 * SECOND
        )
        assert np.diff(site_ptr).tolist() == [sum(row[0] == s for row in expected) for s in range(3)]
        assert arrival_ns.tolist() == [row[1] for row in expected]
        assert id_.tolist() == [row[2] for row in expected]
        assert time_ns.tolist() == [row[3] for row in expected]
        np.testing.assert_allclose(values, [row[4] for row in expected], rtol=1e-6, atol=1e-6)
