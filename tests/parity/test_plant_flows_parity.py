"""Weighted servers and links against the naive fluid: random overloaded worlds, grants, failures and background."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference.plant import Plant as Naive
from support.plant_world import config_of, tiny_world
from tiertwin import _core
from tiertwin.plant import PlantOptions

SECOND = 1_000_000_000


def overloaded(rng: np.random.Generator) -> dict[str, Any]:
    """Two sites, three classes; servers and links short of capacity most of the time."""
    sites, classes, rings = 2, 3, 2
    group = np.repeat(np.arange(sites * classes * rings), 2)
    world = tiny_world(
        core_ghz=float(rng.uniform(0.2, 0.8)),
        site_cores=rng.integers(1, 6, 2),
        fog_cores=rng.integers(1, 8, 1),
        cloud_cores=int(rng.integers(1, 12)),
        link_capacity_mbps=rng.uniform(20.0, 80.0, 3),
        background_mbps=rng.uniform(0.0, 20.0, 6),
        tasks_per_s=rng.uniform(2.0, 8.0, classes),
        megabits=rng.uniform(0.1, 2.0, classes),
        gcycles=rng.uniform(0.01, 0.3, classes),
        deadline_s=np.array([0.1, 0.3, 1.0]),
        transmit_w=np.full(classes, 0.5),
        arrival=np.zeros(classes, dtype=np.int64),
        on_s=np.zeros(classes),
        off_s=np.zeros(classes),
        device_site=group // (classes * rings),
        device_class=group // rings % classes,
        device_ring=group % rings,
        device_ghz=np.ones(len(group)),
    )
    options = PlantOptions(exponential_sizes=True, buffer_s=float(rng.choice([0.1, 1.0, 10.0])))
    return config_of(world, options)


def grants(rng: np.random.Generator) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    cpu = rng.uniform(0.0, 4.0, (3, 3)) * (rng.random((3, 3)) < 0.7)
    uplink = rng.uniform(0.0, 50.0, (2, 3)) * (rng.random((2, 3)) < 0.7)
    return cpu, uplink


def play(plant: Any, seed: int) -> None:
    """A story drawn from `seed`: every 50 ms something changes."""
    rng = np.random.default_rng(seed)
    plant.set_shares(np.arange(24), rng.dirichlet(np.ones(4), 24) * [0.1, 1.0, 1.0, 1.0])
    down: list[tuple[str, int]] = []
    for step in range(1, 50):
        plant.run_until(step * SECOND // 20)
        draw = rng.random()
        if draw < 0.5:
            plant.set_site_shares(int(rng.integers(2)), *grants(rng))
        elif draw < 0.7:
            plant.set_background(rng.uniform(0.0, 70.0, 6))
        elif draw < 0.8:
            down.append(("link", int(rng.choice([0, 2, 4]))) if draw < 0.75 else ("server", int(rng.integers(4))))
            getattr(plant, f"fail_{down[-1][0]}")(down[-1][1])
        elif down:
            kind, number = down.pop()
            getattr(plant, f"repair_{kind}")(number)
    plant.run_until(3 * SECOND)


@pytest.mark.parametrize("seed", range(12))
def test_random_overloaded_worlds_are_those_of_the_naive_fluid(seed: int) -> None:
    config = overloaded(np.random.default_rng(seed))
    fast, naive = _core.Plant(seed, config), Naive(seed, config)
    play(fast, seed)
    play(naive, seed)
    kpis = fast.take_kpis()
    for name in ("generated", "in_time", "late", "lost"):
        np.testing.assert_array_equal(kpis[name], [int(sums[name]) for sums in naive.sums], err_msg=name)
    for name in ("latency_s", "energy_j", "goodput_mb"):
        np.testing.assert_allclose(kpis[name], [sums[name] for sums in naive.sums], rtol=1e-6, atol=1e-6, err_msg=name)
    assert kpis["in_flight"] == naive.in_flight
    assert kpis["generated"].sum() > 200
    np.testing.assert_allclose(kpis["link_load_mbps"], np.array(naive.carried) / 3.0, rtol=1e-6)
    for q, load_ghz in enumerate(kpis["server_load_ghz"]):
        queue = naive.queues[2, q]
        queue.advance(3 * SECOND)
        assert load_ghz == pytest.approx(queue.busy_s * queue.speed / 3.0, rel=1e-6, abs=1e-9)
