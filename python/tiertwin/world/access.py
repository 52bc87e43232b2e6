"""The radio access of a world: cells, the users who move among them, and what comes down to them.

Where a world has one, its users are no entities of the tables: base stations tell of *groups* of attached users
(site, class, ring), and set-points are a group's, for whoever is attached. So the world has one device row a group, in
group order, and `World.group_devices` is how many users are planned there. Which site and ring a user belongs to
changes as it moves: the plant knows, and telemetry tells.

Sizes: K cells, U users, C service classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

STILL, GAUSS_MARKOV, WAYPOINT, MANHATTAN, TRAIN, UAV, LED = range(7)  # movements of the core


@dataclass(frozen=True, slots=True)
class AccessZone:
    """A rectangle with its corner at (x, y), m, where users walk by `rules` (those of `tiertwin._core.Mobility`).

    ``width_m`` and ``height_m`` among the rules are its size; `track` is where its trains go, from its corner.
    """

    x_m: float
    y_m: float
    rules: dict[str, float]
    track: Sequence[tuple[float, float, float]] = ()


@dataclass(frozen=True, slots=True)
class AccessFlow:
    """What one class sends in one direction.

    Parameters
    ----------
    pps
        Arrivals a second, mean; 0: nothing.
    bytes
        Size of a packet, or mean size.
    packets
        Packets an arrival, all of one drawn size: a task of so many packets.
    arrival
        ``poisson``, ``constant`` or ``on-off``.
    size
        ``fixed``, ``exponential`` or ``imix``.
    on_s, off_s
        Mean times of on-off arrivals.
    buffer
        Packets that may wait; what comes beyond is lost.
    """

    pps: float = 0.0
    bytes: int = 1250
    packets: int = 1
    arrival: str = "poisson"
    size: str = "fixed"
    on_s: float = 1.0
    off_s: float = 1.0
    buffer: int = 2000


@dataclass(frozen=True, slots=True)
class Led:
    """Users that a trace leads: rows `first` … `first` + `count` − 1, the k-th user of the file is the k-th of them.

    Positions are metres from (x, y) of the map, or degrees from the corner at (west, south) where `degrees`; the other
    fields are those of `tiertwin.model.access.PositionTrace`.
    """

    first: int
    count: int
    file: str
    format: str
    degrees: bool
    x_m: float
    y_m: float
    west: float
    south: float
    columns: tuple[str, str, str, str]
    """Time, user, x, y."""
    starts_at_s: float
    max_gap_s: float
    skip: bool


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Access:
    """Cells and users; see the module. Arrays are read-only."""

    cells: dict[str, NDArray[Any]]
    """As planned, named as in the core's ``AccessConfig``; ``cell_site`` is a site of the world. [K]"""
    map_m: tuple[float, float, float, float]
    """West, south, east, north, m: where users may be."""
    zones: tuple[AccessZone, ...]
    downlink: tuple[AccessFlow, ...]
    """What comes down to each user of a service class. Up go the tasks of the classes themselves. [C]"""
    kind: I64
    """Service class of each user. [U]"""
    site: I64
    """Site where it is planned: its day's profile is that site's, and it begins there until it attaches. [U]"""
    walk: I64
    """Movement, `STILL` … `LED`. [U]"""
    zone: I64
    """Zone of those who walk, else -1. [U]"""
    train: I64
    """Number of the train of those who go by train. [U]"""
    indoors: I64
    """0 or 1. [U]"""
    x_m: F64
    y_m: F64
    z_m: F64
    """Where still and led users stand, m; 1 to 22.5 m above the ground. [U]"""
    ghz: F64
    """Clock of each user's own processor. [U]"""
    led: tuple[Led, ...] = ()
    """Traces that lead users whose `walk` is `LED`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        for value in self.cells.values():
            value.setflags(write=False)

    @property
    def user_count(self) -> int:
        """Users of the whole world."""
        return len(self.kind)

    @property
    def cell_count(self) -> int:
        """Cells of the whole world."""
        return len(self.cells["cell_x"])
