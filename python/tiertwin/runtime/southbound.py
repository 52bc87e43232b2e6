"""The plant as the nodes at its side see it: telemetry as samples of their tables, set-points as calls."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

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
)
from tiertwin.twin.events import Sampled
from tiertwin.twin.layout import gateway_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    import numpy.typing as npt

    from tiertwin.plant import PlantKpis, SimulatedPlant
    from tiertwin.plant.reports import Reports
    from tiertwin.runtime.roster import Roster
    from tiertwin.twin.effects import Actuate
    from tiertwin.world import World

    I64 = npt.NDArray[np.int64]
    _RowsOf = Callable[[I64], I64]

_DEVICE, _SERVER, _LINK, _CROWD = ([int(a) for a in kind] for kind in (TELEMETRY, SERVER, LINK, CROWD))
_SENSORS, _WEATHER, _STATION = ([int(a) for a in kind] for kind in (SENSORS, WEATHER, BASE_STATION))


_COUNTED = [int(a) for a in SERVER_COUNTERS], [int(a) for a in LINK_COUNTERS]


class PhysicalSide(Protocol):
    """What stands below the nodes of a process: the simulated plant, or somebody's own network. `now` is in ns."""

    cpu_s: float

    def telemetry(self, until: int, epoch: int) -> Iterable[tuple[str, Sampled]]:
        """Return what was measured since the last call, by node."""
        ...

    def turn(self, now: int, epoch: int) -> None:
        """A base epoch begins."""
        ...

    def actuate(self, now: int, epoch: int, wanted: Actuate) -> None:
        """Put set-points in force."""
        ...


class Southbound:
    """One plant and the nodes at its side.

    Parameters
    ----------
    world, roster
        Inventory and who is who.
    names
        Nodes at the plant's side whose telemetry is taken from it; others are somebody else's.
    plant
        The physical side.
    origin
        Time on the twins' clock when the plant's is 0, ns.
    """

    def __init__(
        self, world: World, roster: Roster, names: Collection[str], plant: SimulatedPlant, origin: int
    ) -> None:
        self.plant = plant
        self.cpu_s = 0.0
        self._origin = origin
        self._sides = [
            (node.name, node.site)
            for node in roster.nodes.values()
            if roster.is_plant(node.name) and node.name in names
        ]
        self._grouped = world.grouped
        self._attributes = ([*_DEVICE, *(_CROWD if world.grouped else ())], _SERVER, _LINK)
        self._rows = {site: _rows_of(world, site) for _, site in self._sides}

    def telemetry(self, until: int, epoch: int) -> Iterator[tuple[str, Sampled]]:
        """Play the plant up to plant time `until` (ns) and yield what arrived, by node."""
        began = time.process_time()
        self.plant.advance(until, epoch)
        arrived = self.plant.telemetry(until)
        sensed = self._sensed(until)
        self.cpu_s += time.process_time() - began
        kinds = (arrived.devices, arrived.servers, arrived.links)
        for name, site in self._sides:
            for reports, attributes, rows in zip(kinds, self._attributes, self._rows[site], strict=True):
                sample = self._sampled(reports, site, attributes, rows)
                if sample is not None:
                    yield name, sample
            for part, attributes, kind in sensed:
                sample = self._sampled(part, site, attributes, self._rows[site][kind])
                if sample is not None:
                    yield name, sample

    def _sensed(self, until: int) -> list[tuple[Reports, list[int], int]]:
        """Return sensor reports with their attributes and whose rows they are for: 1 servers, 2 directed links."""
        options = self.plant.options
        counted: list[tuple[Reports, list[int], int]] = []
        if options.faults is not None:
            counters = self.plant.take_counters(until)
            counted = [(counters.servers, _COUNTED[0], 1), (counters.links, _COUNTED[1], 2)]
        if options.wear is None and options.weather is None and not self._grouped:
            return counted
        told = self.plant.take_sensor_reports(until)
        links, weather = (replace(part, id=2 * part.id) for part in (told.links, told.weather))  # at the link's tail
        return [
            *counted,
            (told.servers, _SENSORS, 1),
            (told.stations, _STATION, 1),  # a site's number is its edge server's
            (links, _SENSORS, 2),
            (weather, _WEATHER, 2),
        ]

    def _sampled(self, reports: Reports, site: int, attributes: list[int], rows: _RowsOf) -> Sampled | None:
        mine = reports.rows_of_site(site)
        if mine.start == mine.stop:
            return None
        at = rows(reports.id[mine])
        times = reports.time_ns[mine] + self._origin
        values = np.ascontiguousarray(reports.values[mine, : len(attributes)])
        if at.min() < 0:  # somebody the table has no row for
            known = at >= 0
            at, times, values = at[known], times[known], values[known]
        return Sampled(at.astype(np.uint32), times, attributes, values)

    def turn(self, now: int, epoch: int) -> None:
        """Play the old epoch up to plant time `now`, then begin the next one's load."""
        began = time.process_time()
        self.plant.advance(now, max(epoch - 1, 0))
        self.plant.set_epoch(epoch)
        self.cpu_s += time.process_time() - began

    def actuate(self, now: int, epoch: int, wanted: Actuate) -> None:
        """Put set-points in force at plant time `now`."""
        began = time.process_time()
        self.plant.advance(now, epoch)
        self.plant.actuate(wanted.device, wanted.shares)
        self.plant.set_site_shares(wanted.site, wanted.cpu, wanted.uplink)
        self.cpu_s += time.process_time() - began

    def books(self, until: int, epoch: int) -> tuple[PlantKpis, Any]:
        """Play up to `until`; return what happened since the last call and every group's mean task rate now."""
        began = time.process_time()
        self.plant.advance(until, epoch)
        found = self.plant.kpis(), self.plant.truth_group_rates()
        self.cpu_s += time.process_time() - began
        return found


def _rows_of(world: World, site: int) -> tuple[_RowsOf, _RowsOf, _RowsOf]:
    """Rows of devices, servers and links in a site's table by the plant's number of the sender; −1: none."""
    layout = gateway_layout(world, site)
    first = int(world.device_rows[site])
    servers, links = _rows_by(layout.servers, layout.server_rows), _rows_by(layout.links, layout.link_rows)
    return lambda senders: senders - first, servers, links


def _rows_by(ids: I64, rows: I64) -> _RowsOf:
    def find(senders: I64) -> I64:
        if not len(ids):
            return np.full(len(senders), -1)
        at = np.minimum(np.searchsorted(ids, senders), len(ids) - 1)
        return np.where(ids[at] == senders, rows[at], -1)

    return find
