"""Hand-made worlds with a radio access, for the plant's tests: four sites on a square of 2 km, one fog, the cloud."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from support.access_scenes import MAP, ZONE, cells, people
from tiertwin.plant import PlantOptions, SimulatedPlant
from tiertwin.plant.accessconfig import AccessUsers
from tiertwin.world.access import Access, AccessFlow

QUIETLY = AccessFlow()
RINGS_MBPS = np.array([60.0, 20.0, 5.0])
EDGE = (0.0, 1.0, 0.0, 0.0)  # all tasks to the edge
MS = 1_000_000
SECOND = 1_000_000_000
BUSY_DOWN = AccessFlow(40.0, 1250, size="exponential")
SEEN = {"unseen_share": 0.0}


def access_of(users: AccessUsers, classes: int, downlink: AccessFlow = QUIETLY, **changes: Any) -> Access:
    """Return the access of some users under four sites; all are planned at site 0, and their clocks are 0.5 GHz."""
    config = users.config()
    count = len(config["user_class"])
    given: dict[str, Any] = {
        "cells": cells(),
        "map_m": MAP,
        "zones": (ZONE,),
        "downlink": (downlink,) * classes,
        "kind": config["user_class"],
        "site": np.zeros(count, dtype=np.int64),
        "walk": config["user_walk"],
        "zone": config["user_zone"],
        "train": config["user_train"],
        "indoors": config["user_indoors"],
        "x_m": config["user_x"],
        "y_m": config["user_y"],
        "z_m": config["user_z"],
        "ghz": np.full(count, 0.5),
    }
    return Access(**{**given, **changes})


def world_around(access: Access, **changes: Any) -> SimpleNamespace:
    """Return a world around it: links 0 to 3 lead from the sites to the fog, link 4 on to the cloud."""
    sites = 1 + int(access.cells["cell_site"].max())
    classes, rings = len(access.downlink), len(RINGS_MBPS)
    group = np.arange(sites * classes * rings)
    fields: dict[str, Any] = {
        "access": access,
        "link_tail": np.arange(sites + 1),
        "link_head": np.array([sites] * sites + [sites + 1]),
        "link_km": np.full(sites + 1, 20.0),
        "link_capacity_mbps": np.full(sites + 1, 1000.0),
        "background_mbps": np.full(2 * sites + 2, 50.0),
        "profile_urban": np.array([1.0, 2.0]),
        "profile_rural": np.array([1.0, 0.5]),
        "profile_background": np.array([1.0, 1.0]),
        "site_node": np.arange(sites),
        "site_fog": np.zeros(sites, dtype=np.int64),
        "site_urban": np.arange(sites) % 2 == 0,
        "site_cores": np.full(sites, 4),
        "site_cells": np.full(sites, 3),
        "fog_node": np.array([sites]),
        "fog_cores": np.array([16]),
        "cloud_node": sites + 1,
        "cloud_cores": 64,
        "core_ghz": 2.0,
        "route_site_links": tuple(np.array([2 * s]) for s in range(sites)),
        "route_fog_links": (np.array([2 * sites]),),
        "tasks_per_s": np.resize([4.0, 1.0], classes),
        "megabits": np.resize([0.2, 0.05], classes),
        "gcycles": np.resize([0.02, 0.05], classes),
        "deadline_s": np.resize([0.1, 1.0], classes),
        "transmit_w": np.resize([0.5, 0.2], classes),
        "arrival": np.zeros(classes, dtype=np.int64),
        "on_s": np.zeros(classes),
        "off_s": np.zeros(classes),
        "ring_rate_mbps": RINGS_MBPS,
        "device_site": group // (classes * rings),
        "device_class": group // rings % classes,
        "device_ring": group % rings,
        "device_ghz": np.full(len(group), 0.5),
        "objective": SimpleNamespace(device_j_per_gcycle_ghz2=1.0, server_j_per_gcycle=0.4),
    }
    return SimpleNamespace(**{**fields, **changes})


def moving_world(walkers: int = 60, still: int = 60, downlink: AccessFlow = QUIETLY, **changes: Any) -> SimpleNamespace:
    """Return a world of walkers, of class 0, and of users that stand still, of class 1."""
    return world_around(access_of(people(walkers, still), 2, downlink), **changes)


def group_shares(world: SimpleNamespace, seed: int = 1) -> np.ndarray[Any, Any]:
    """Return some shares of the tiers for every group; a part is shed."""
    return np.random.default_rng(seed).dirichlet(np.ones(5), len(world.device_site))[:, :4].copy()


def plant_of(world: SimpleNamespace, seed: int = 7, row: Any = None, **options: Any) -> SimulatedPlant:
    """Return a plant whose groups all follow `row`, or shares of their own."""
    plant = SimulatedPlant(world, seed, PlantOptions(**options))
    shares = group_shares(world) if row is None else np.tile(row, (len(world.device_site), 1))
    plant.actuate(np.arange(len(shares)), shares)
    return plant


def arrays_of(what: Any) -> list[tuple[str, bytes]]:
    """Return all numbers of a record, to compare bit by bit."""
    out = []
    for name in type(what).__dataclass_fields__:
        value = getattr(what, name)
        if hasattr(type(value), "__dataclass_fields__"):
            out += [(f"{name}.{inner}", raw) for inner, raw in arrays_of(value)]
        else:
            out.append((name, np.asarray(value if value is not None else -1.0).tobytes()))
    return out
