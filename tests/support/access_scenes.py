"""Small radio access networks for tests: a few cells on a square of 2 km."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiertwin.plant.access import AccessPlant
from tiertwin.plant.accessconfig import AccessClass, AccessSecrets, AccessUsers
from tiertwin.world.access import AccessFlow, AccessZone

SECOND = 1_000_000_000
MS = 1_000_000
MAP = (0.0, 0.0, 2000.0, 2000.0)
BUSY = AccessClass("busy", 1.0, AccessFlow(50.0, 1250, size="exponential"), AccessFlow(5.0, 1250, packets=20))
QUIET = AccessClass("quiet", 0.0, AccessFlow(), AccessFlow(1.0))


def cells(sites: int = 4, **changes: Any) -> dict[str, Any]:
    """Urban macro sites with three sectors each, on a grid."""
    side = int(np.ceil(np.sqrt(sites)))
    x = 2000.0 * (0.5 + np.arange(sites) % side) / side
    y = 2000.0 * (0.5 + np.arange(sites) // side) / side
    count = 3 * sites
    reals = {
        "cell_height": 25.0, "cell_ghz": 4.0, "cell_bandwidth_hz": 10e6, "cell_power_dbm": 41.0, "cell_tilt": 6.0,
        "cell_noise_db": 5.0, "cell_idle_w": 130.0, "cell_slope": 4.7, "cell_sleep_w": 75.0,
    }  # fmt: skip
    wholes = {
        "cell_environment": 0, "cell_every_way": 0, "cell_rows": 4, "cell_columns": 8, "cell_prbs": 52, "cell_chains": 2
    }  # fmt: skip
    found = {
        "cell_x": np.repeat(x, 3),
        "cell_y": np.repeat(y, 3),
        "cell_azimuth": np.tile([30.0, 150.0, 270.0], sites),
        "cell_site": np.repeat(np.arange(sites), 3),
        **{name: np.full(count, value) for name, value in reals.items()},
        **{name: np.full(count, value, dtype=np.int64) for name, value in wholes.items()},
    }
    return {**found, **{name: np.full(count, value, dtype=found[name].dtype) for name, value in changes.items()}}


def people(walkers: int, still: int, seed: int = 1) -> AccessUsers:
    """Drivers on streets, of class 0, and then devices that stand still, of class 1."""
    place = np.random.Generator(np.random.Philox(seed)).uniform(0.0, 2000.0, (walkers + still, 2))
    moves = np.arange(walkers + still) < walkers
    return AccessUsers(np.where(moves, 0, 1), np.where(moves, 3, 0), np.where(moves, 0, -1), place[:, 0], place[:, 1])


ZONE = AccessZone(0.0, 0.0, {"width_m": 2000.0, "height_m": 2000.0, "street_low": 10.0, "street_high": 20.0})


def network(seed: int = 1, walkers: int = 40, still: int = 40, **options: Any) -> AccessPlant:
    """Walkers and still users under four sites."""
    options.setdefault("classes", (BUSY, QUIET))
    given = {"cells": cells(), "users": people(walkers, still), "zones": [ZONE], **options}
    return AccessPlant(seed, given.pop("cells"), given.pop("users"), given.pop("zones"), map_m=MAP, **given)


PLANNED = AccessSecrets.none()
