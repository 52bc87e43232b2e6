"""What a twin reads out of its tables: the first step of observe → estimate → propose → allocate → guard → decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.twin.attributes import (
    BASE_STATION,
    CROWD,
    LINK,
    LINK_COUNTERS,
    SENSORS,
    SERVER,
    SERVER_COUNTERS,
    TELEMETRY,
    WEATHER,
    A,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tiertwin.twin.layout import Layout
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]
    I64 = npt.NDArray[np.int64]


class PassThrough:
    """Copies server and link rows of a child's table into the uplink table, changed cells only.

    Parameters
    ----------
    below, above
        Layouts of the child's table and of ours; entities are matched by their index.
    members
        Copy the members' rows too (both tables have the same).

    What only one of the tables has (sensors, counters, users; at the border of a domain) is left out.
    """

    def __init__(self, below: Layout, above: Layout, *, members: bool = False) -> None:
        servers = _match(below.servers, below.server_rows, above.servers, above.server_rows)
        links = _match(below.links, below.link_rows, above.links, above.link_rows)
        self._moves = [
            _Move([int(a) for a in SERVER], *servers, [int(a) for a in (*SENSORS, *BASE_STATION, *SERVER_COUNTERS)]),
            _Move([int(a) for a in LINK], *links, [int(a) for a in (*SENSORS, *WEATHER, *LINK_COUNTERS)]),
        ]
        if members:
            rows = np.arange(below.members, dtype=np.int64)
            self._moves.insert(0, _Move([int(a) for a in TELEMETRY], rows, rows, [int(a) for a in CROWD]))

    def carry(self, source: _core.StateTable, target: _core.StateTable) -> None:
        """Copy what is newer in `source` than what `target` has."""
        for move in self._moves:
            if len(move.source_rows):
                move.carry(source, target)


class _Move:
    def __init__(self, attributes: list[int], source_rows: I64, target_rows: I64, optional: Sequence[int] = ()) -> None:
        self._attributes = attributes
        self._optional = optional
        self._agreed = False  # asked at the first carry: tables do not come and go
        self.source_rows = source_rows.astype(np.uint32)
        self._target_rows = target_rows.astype(np.uint32)

    def carry(self, source: _core.StateTable, target: _core.StateTable) -> None:
        if not self._agreed:
            every = [*self._attributes, *self._optional]
            self._attributes = [a for a in every if _has(source, a) and _has(target, a)]
            self._agreed = True
        _core.carry(source, target, self._attributes, self.source_rows, self._target_rows)


def _has(table: _core.StateTable, attribute: int) -> bool:
    try:
        table.attribute(attribute)
    except KeyError:
        return False
    return True


def _match(below: I64, below_rows: I64, above: I64, above_rows: I64) -> tuple[I64, I64]:
    both = below[np.isin(below, above)]  # ascending, as both are; np.intersect1d would load numpy.ma
    return below_rows[np.searchsorted(below, both)], above_rows[np.searchsorted(above, both)]


def group_of_rows(world: World, site: int) -> I64:
    """Group (class, then ring) of each device row of a site, [N]."""
    rows = slice(int(world.device_rows[site]), int(world.device_rows[site + 1]))
    group: I64 = (world.device_class[rows] * len(world.ring_rate_mbps) + world.device_ring[rows]).astype(np.int64)
    return group


def group_rates(table: _core.StateTable, group_of: I64, groups: int, newer_than: int) -> tuple[F64, F64]:
    """Sum the devices' task rates by group.

    Parameters
    ----------
    table
        Telemetry rows; the first ``len(group_of)`` are devices.
    group_of
        Group of each device, [N].
    newer_than
        Samples at or before this time (ns) count as not reported.

    Returns
    -------
    tuple
        Measured tasks/s [G] and the share of each group's devices that reported [G].
    """
    n = len(group_of)
    rates = table.column(A.TASK_RATE)[:n]
    heard = (table.times(A.TASK_RATE)[:n] > newer_than) & np.isfinite(rates)
    return heard_rates(rates, heard, group_of, groups)


def heard_rates(rates: F64, heard: npt.NDArray[np.bool_], group_of: I64, groups: int) -> tuple[F64, F64]:
    """Sum the rates of members that were `heard` by group: tasks/s and share of members heard, [G] each."""
    sums = np.bincount(group_of[heard], weights=rates[heard], minlength=groups)
    measured = np.asarray(sums, dtype=np.float64)  # integers where nobody reported
    members = np.bincount(group_of, minlength=groups)
    return measured, np.bincount(group_of[heard], minlength=groups) / np.maximum(members, 1)
