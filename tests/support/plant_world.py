"""A hand-made world for the plant's tests: only the fields a plant reads, small enough to reason about."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from tiertwin.plant import PlantOptions
from tiertwin.plant.coreconfig import plant_config, routes_of


def tiny_world(**changes: Any) -> SimpleNamespace:
    """Two sites, one fog at node 2, the cloud at node 3; links 0: 0-2, 1: 1-2, 2: 2-3. Two classes, two rings.

    `changes` replace fields. Devices: 3 a group, sorted by (site, class, ring).
    """
    group = np.repeat(np.arange(8), 3)
    fields: dict[str, Any] = {
        "link_tail": np.array([0, 1, 2]),
        "link_head": np.array([2, 2, 3]),
        "link_km": np.array([100.0, 50.0, 200.0]),
        "link_capacity_mbps": np.array([1000.0, 1000.0, 2000.0]),
        "background_mbps": np.array([100.0, 50.0, 200.0, 20.0, 500.0, 100.0]),
        "profile_urban": np.array([0.5, 1.5]),
        "profile_rural": np.array([0.8, 1.2]),
        "profile_background": np.array([0.9, 1.1]),
        "site_node": np.array([0, 1]),
        "site_fog": np.array([0, 0]),
        "site_urban": np.array([True, False]),
        "site_cores": np.array([4, 2]),
        "site_cells": np.array([2, 1]),
        "fog_node": np.array([2]),
        "fog_cores": np.array([8]),
        "cloud_node": 3,
        "cloud_cores": 16,
        "core_ghz": 2.0,
        "route_site_links": (np.array([0]), np.array([2])),
        "route_fog_links": (np.array([4]),),
        "tasks_per_s": np.array([5.0, 1.0]),
        "megabits": np.array([0.5, 2.0]),
        "gcycles": np.array([0.05, 0.4]),
        "deadline_s": np.array([0.1, 1.0]),
        "transmit_w": np.array([0.5, 0.2]),
        "arrival": np.array([0, 0]),
        "on_s": np.zeros(2),
        "off_s": np.zeros(2),
        "ring_rate_mbps": np.array([150.0, 50.0]),
        "device_site": group // 4,
        "device_class": group // 2 % 2,
        "device_ring": group % 2,
        "device_ghz": np.linspace(0.5, 1.0, len(group)),
        "objective": SimpleNamespace(device_j_per_gcycle_ghz2=1.0, server_j_per_gcycle=0.4),
    }
    return SimpleNamespace(**{**fields, **changes})


def populated(groups: np.ndarray[Any, Any], classes: int, rings: int) -> dict[str, Any]:
    """Return the device fields for `groups[s, c, r]` devices a group."""
    group = np.repeat(np.arange(groups.size), groups.ravel())
    return {
        "device_site": group // (classes * rings),
        "device_class": group // rings % classes,
        "device_ring": group % rings,
        "device_ghz": np.full(len(group), 1.0),
    }


def one_of_each(**changes: Any) -> SimpleNamespace:
    """One site, fog and cloud in a row, one class, one ring, one device: a textbook queue at a time.

    Radio, links and servers are so fast that they vanish unless `changes` slow one of them down.
    """
    fields: dict[str, Any] = {
        "link_tail": np.array([0, 1]),
        "link_head": np.array([1, 2]),
        "link_km": np.zeros(2),
        "link_capacity_mbps": np.full(2, 1e9),
        "background_mbps": np.zeros(4),
        "profile_urban": np.ones(1),
        "profile_rural": np.ones(1),
        "profile_background": np.ones(1),
        "site_node": np.array([0]),
        "site_fog": np.array([0]),
        "site_urban": np.array([True]),
        "site_cores": np.array([1]),
        "site_cells": np.array([1]),
        "fog_node": np.array([1]),
        "fog_cores": np.array([1]),
        "cloud_node": 2,
        "cloud_cores": 1,
        "core_ghz": 1e6,
        "route_site_links": (np.array([0]),),
        "route_fog_links": (np.array([2]),),
        "tasks_per_s": np.array([80.0]),
        "megabits": np.array([0.01]),
        "gcycles": np.array([0.01]),
        "deadline_s": np.array([0.1]),
        "transmit_w": np.array([0.5]),
        "arrival": np.array([0]),
        "on_s": np.zeros(1),
        "off_s": np.zeros(1),
        "ring_rate_mbps": np.array([1e9]),
        "device_site": np.array([0]),
        "device_class": np.array([0]),
        "device_ring": np.array([0]),
        "device_ghz": np.array([1.0]),
    }
    return tiny_world(**{**fields, **changes})


def config_of(world: Any, options: PlantOptions | None = None) -> dict[str, Any]:
    """Return a world as the core takes it, as `SimulatedPlant` does."""
    options = (PlantOptions.of(world) if options is None else options).with_traces_of(world)
    return plant_config(world, options, routes_of(world))
