"""Telling under a budget: which cells a gateway may tell its edge, in one order at both ends.

A *cell* is one attribute of one row of the table between them. Its place in the list below is its number in a
subscription. Rows of users are groups: a gateway merges what its devices report, as decisions are made on groups
anyway; only the selection ``all`` tells every device.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.crowd import FIRST_LOAD
from tiertwin.model.catalogue import READ
from tiertwin.twin.attributes import (
    BASE_STATION,
    CELL_BYTES,
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
from tiertwin.twin.layout import Layout, edge_layout, gateway_layout

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.model import Scenario
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]
    I64 = npt.NDArray[np.int64]
    U32 = npt.NDArray[np.uint32]

MERGED = {A.LATENCY_MS: (A.LATENCY_SUM, A.LATENCY_COUNT)}
"""A mean over the devices of a group is told as sum and count, which can be merged further."""

KINDS = ("group", "server", "link")


@dataclass(frozen=True)
class Economy:
    """What is told, and for how much; plain values, so that they can be sent to another process.

    Parameters
    ----------
    selection
        See :class:`tiertwin.model.attributes.Attributes`.
    bytes_share
        Of telling everything each period.
    review_epochs
        Epochs between two subscriptions.
    period_s
        Between two reports of a device.
    catalogue
        ``(kind, attribute, band, share)``, kind 0 of groups or devices, 1 of servers, 2 of links.
    seed
        Of random orders.
    epoch_s
        Length of an epoch, s.
    focus
        Times the usual bytes where a fog predicts trouble.
    """

    selection: str
    bytes_share: float
    review_epochs: int
    period_s: float
    catalogue: tuple[tuple[int, int, float, float], ...]
    seed: int = 0
    epoch_s: float = 1.0
    focus: float = 1.0

    @classmethod
    def of(cls, scenario: Scenario) -> Economy | None:
        """Return the scenario's, None if it has none."""
        written = scenario.attributes
        if written is None:
            return None
        lines = tuple(
            (KINDS.index(line.of), int(A[line.name.upper()]), line.band, line.share) for line in written.catalogue
        )
        return cls(
            written.selection,
            written.bytes_share,
            written.review_epochs,
            scenario.telemetry.period_s,
            lines,
            scenario.seed,
            scenario.base_epoch_s,
            written.focus,
        )

    def by_group(self, world: World) -> bool:
        """Say whether gateways merge devices into groups (rows of a world with moving users are groups already)."""
        return self.selection != "all" and not world.grouped

    def layout(self, world: World, site: int) -> Layout:
        """Rows of the table between gateway and edge."""
        return edge_layout(world, site) if self.by_group(world) else gateway_layout(world, site)

    def member_attributes(self, world: World) -> list[int]:
        """Attributes that rows of devices or groups have in that table."""
        rows = {int(a) for a in (*TELEMETRY, *(CROWD if world.grouped else ()))}
        if self.by_group(world):
            for mean, parts in MERGED.items():
                rows = (rows - {int(mean)}) | {int(a) for a in parts}
        return sorted(rows)

    def lines_measured(self, world: World, wear: bool, weather: bool, counters: bool = False) -> int:
        """Count the lines of the catalogue that a world measures; sensors only with wear, rain only with weather.

        Counters of frames, and of how fast servers are, only with `counters` (a section `faults`).
        """
        members = set(self.member_attributes(world)) | ({int(A.LATENCY_MS)} if self.by_group(world) else set())
        sensors, rain = (SENSORS if wear else []), (WEATHER if weather else [])
        counts = (SERVER_COUNTERS, LINK_COUNTERS) if counters else ([], [])
        servers = {int(A.TASK_RATE), *(int(a) for a in SERVER)} | {
            int(a) for a in (*sensors, *counts[0], *(BASE_STATION if world.grouped else ()))
        }
        links = {int(a) for a in (*LINK, *sensors, *rain, *counts[1])}
        known = (members, servers, links)
        return sum(attribute in known[kind] for kind, attribute, _, _ in self.catalogue)

    def bytes_per_s(self, world: World, site: int) -> float:
        """What the gateway of a site may spend a second."""
        if self.selection == "all":
            return float("inf")
        below = gateway_layout(world, site)
        members = len(TELEMETRY) + (len(CROWD) if world.grouped else 0)
        cells = below.members * members + len(below.servers) * len(SERVER) + len(below.links) * len(LINK)
        return self.bytes_share * cells * CELL_BYTES / self.period_s


@dataclass(frozen=True, eq=False)
class CellList:
    """The cells that may be told, in the order of the catalogue, then of rows.

    Parameters
    ----------
    kind
        0 of groups or devices, 1 of servers, 2 of links, [n].
    attribute, row
        Where the cell is, [n].
    line
        Of the catalogue, [n].
    band, share
        How far it may move unsaid, [n].
    """

    kind: I64
    attribute: I64
    row: U32
    line: I64
    band: F64
    share: F64

    def __len__(self) -> int:
        return len(self.row)

    @cached_property
    def by_attribute(self) -> list[tuple[int, I64, U32]]:
        """Attribute, places in this list and rows of the cells of each attribute."""
        found = []
        for attribute in np.unique(self.attribute).tolist():
            places = np.flatnonzero(self.attribute == attribute)
            found.append((int(attribute), places, self.row[places]))
        return found

    @classmethod
    def of(cls, economy: Economy, world: World, site: int, attributes: set[int]) -> CellList:
        """List the cells of the table between gateway and edge of `site`, which has these `attributes`."""
        layout = economy.layout(world, site)
        rows = (np.arange(layout.members, dtype=np.int64), layout.server_rows, layout.link_rows)
        members = set(economy.member_attributes(world))
        parts = []
        for line, (kind, attribute, band, share) in enumerate(economy.catalogue):
            wanted = (
                MERGED.get(A(attribute), (A(attribute),)) if economy.by_group(world) and kind == 0 else (attribute,)
            )
            for a in wanted:
                known = int(a) in members if kind == 0 else int(a) in attributes
                where = rows[kind]
                if kind == 1 and int(a) == A.TASK_RATE:  # of the site as a whole
                    where = np.array([site_row(site, layout)]) if economy.selection != "all" else where[:0]
                if known and len(where):
                    parts.append((kind, int(a), where, line, band, share))
        count = [len(part[2]) for part in parts]

        def spread(place: int, dtype: type) -> npt.NDArray[np.generic]:
            return np.repeat(np.array([part[place] for part in parts], dtype=dtype), count)

        every = np.concatenate([part[2] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
        return cls(
            kind=spread(0, np.int64),  # type: ignore[arg-type]
            attribute=spread(1, np.int64),  # type: ignore[arg-type]
            row=every.astype(np.uint32),
            line=spread(3, np.int64),  # type: ignore[arg-type]
            band=spread(4, np.float64),  # type: ignore[arg-type]
            share=spread(5, np.float64),  # type: ignore[arg-type]
        )


def read_by_decisions(cells: CellList) -> npt.NDArray[np.bool_]:
    """Say of each cell whether a decision reads it (`tiertwin.model.catalogue.READ`)."""
    read = {(KINDS.index(kind), int(A[name.upper()])) for kind, name in READ}
    lines = zip(cells.kind.tolist(), cells.attribute.tolist(), strict=True)
    return np.array([line in read for line in lines], dtype=np.bool_)


def site_row(site: int, layout: Layout) -> int:
    """Row of the site's own edge server; in its `task_rate` stand the tasks/s of the whole site."""
    return int(layout.server_rows[np.searchsorted(layout.servers, site)])


def nominal_rate(world: World, site: int) -> float:
    """Tasks/s of a site as planned, at load 1."""
    return float((world.group_devices[site] * world.tasks_per_s[:, None]).sum())


def sizes(table: _core.StateTable, cells: CellList) -> F64:
    """Size of what each cell holds, at least 1e-9; 1 where nothing was heard."""
    size = np.ones(len(cells))
    for attribute, places, rows in cells.by_attribute:
        values = np.abs(table.column(attribute)[rows])
        size[places] = np.where(np.isfinite(values) & (values > 1e-9), values, 1.0)
    return size


def priors(world: World, site: int, layout: Layout, cells: CellList) -> F64:
    """Return what an edge believes of each cell before it is told anything: the plan; 0 of what it believes nothing."""
    members, servers, links = layout.members, len(layout.servers), layout.links
    planned = (world.group_devices[site] * world.tasks_per_s[:, None]).ravel()
    users = world.group_devices[site].ravel()
    believed: dict[tuple[int, int], F64] = {
        (0, A.TASK_RATE): planned,
        (0, A.USERS): users.astype(np.float64),
        (0, A.RADIO_MBPS): np.tile(world.ring_rate_mbps, len(world.class_names)),
        (1, A.TASK_RATE): np.full(1, nominal_rate(world, site)),
        (1, A.UP): np.ones(servers),
        (1, A.PRB_UP): np.full(servers, FIRST_LOAD),
        (1, A.PRB_UP_PEAK): np.full(servers, FIRST_LOAD),
        (2, A.UP): np.ones(len(links)),
        (2, A.CAPACITY_MBPS): np.repeat(world.link_capacity_mbps, 2)[links],
        (2, A.BACKGROUND_MBPS): world.background_mbps[links],
    }
    found = np.zeros(len(cells))
    for (kind, attribute), values in believed.items():
        mine = (cells.kind == kind) & (cells.attribute == attribute)
        if len(values) == int(mine.sum()) and (kind > 0 or members == len(values)):
            found[mine] = values
    return found
