"""The plant's side of a site: sends telemetry up, puts set-points in force, and serves itself when nobody leads."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.site import SetPoints, devices_alone, within_limits
from tiertwin.twin.attributes import TableId
from tiertwin.twin.effects import Actuate, Effect
from tiertwin.twin.lease import NO_LEASE, Lease

if TYPE_CHECKING:
    from tiertwin.orchestrate.site import SiteInventory
    from tiertwin.twin.events import Solved, TimerFired
    from tiertwin.twin.twin import Twin, Unit


class PlantSideController:
    """Executes what the gateway leased; when the lease lapses, every device serves itself (the safe local mode).

    Parameters
    ----------
    inventory
        The site's devices, classes and capacities.
    """

    def __init__(self, inventory: SiteInventory) -> None:
        self._inventory = inventory
        first = inventory.first_device
        self._device = np.arange(first, first + inventory.devices, dtype=np.int64)
        self.lease: Lease = NO_LEASE
        self.local_policy = True  # devices start on their own

    def summarise(self, twin: Twin, now: int) -> None:
        """Samples go straight into the uplink table: nothing to abstract."""

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        if self.local_policy or self.lease.holds(now):
            return []
        self.local_policy = True
        return [self._actuate(epoch, devices_alone(self._inventory))]

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        if unit.table != TableId.BUDGET or unit.lease is None:
            return []
        if unit.lease.is_older_than(self.lease) or not unit.lease.holds(now):
            return []
        wanted = within_limits(unit.cells, self._inventory)
        self.lease = unit.lease
        self.local_policy = False
        return [self._actuate(unit.lease.epoch, wanted)]

    def _actuate(self, epoch: int, wanted: SetPoints) -> Actuate:
        site = self._inventory.site
        return Actuate(epoch, self._device, wanted.shares, site, wanted.classes.cpu, wanted.classes.uplink)

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        return []

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        return []

    def fork(self) -> PlantSideController:
        return copy.deepcopy(self)
