"""The plant as the nodes at its side see it: telemetry as samples of their tables, set-points as calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tiertwin.twin.attributes import LINK, SERVER, TELEMETRY
from tiertwin.twin.events import Sampled
from tiertwin.twin.layout import gateway_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from tiertwin.plant import PlantKpis, SimulatedPlant
    from tiertwin.runtime.roster import Roster
    from tiertwin.twin.effects import Actuate
    from tiertwin.world import World


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
        self._first = world.device_rows
        self._sides = [
            (node.name, node.site)
            for node in roster.nodes.values()
            if roster.is_plant(node.name) and node.name in names
        ]
        self._layouts = {site: gateway_layout(world, site) for _, site in self._sides}

    def telemetry(self, until: int, epoch: int) -> Iterator[tuple[str, Sampled]]:
        """Play the plant up to plant time `until` (ns) and yield what arrived, by node."""
        began = time.process_time()
        self.plant.advance(until, epoch)
        arrived = self.plant.telemetry(until)
        self.cpu_s += time.process_time() - began
        for name, site in self._sides:
            layout = self._layouts[site]
            rows = _rows_from(int(self._first[site]))
            for reports, attributes, rows_of in (
                (arrived.devices, TELEMETRY, rows),
                (arrived.servers, SERVER, _rows_by(layout.servers, layout.server_rows)),
                (arrived.links, LINK, _rows_by(layout.links, layout.link_rows)),
            ):
                sample = self._sampled(reports.of_site(site), attributes, rows_of)
                if sample is not None:
                    yield name, sample

    def _sampled(self, reports: Any, attributes: list[Any], rows_of: Callable[[Any], Any]) -> Sampled | None:
        if not len(reports.id):
            return None
        rows = rows_of(reports.id)
        known = rows >= 0
        return Sampled(
            rows[known].astype(np.uint32),
            reports.time_ns[known] + self._origin,
            [int(a) for a in attributes],
            reports.values[known],
        )

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


def _rows_from(first: int) -> Callable[[Any], Any]:
    return lambda wanted: wanted - first


def _rows_by(ids: Any, rows: Any) -> Callable[[Any], Any]:
    def find(wanted: Any) -> Any:
        if not len(ids):
            return np.full(len(wanted), -1)
        at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        return np.where(ids[at] == wanted, rows[at], -1)

    return find
