"""The device tier: a gateway passes the plant's telemetry up and hands set-points down while their lease holds."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from tiertwin.orchestrate import units
from tiertwin.orchestrate.observe import PassThrough
from tiertwin.orchestrate.site import within_limits
from tiertwin.twin.attributes import TableId
from tiertwin.twin.effects import Effect, Record
from tiertwin.twin.lease import NO_LEASE, Lease

if TYPE_CHECKING:
    from tiertwin.orchestrate.site import SiteInventory
    from tiertwin.orchestrate.telling import Telling
    from tiertwin.twin.events import Solved, TimerFired
    from tiertwin.twin.layout import Layout
    from tiertwin.twin.twin import Twin, Unit

MILLISECOND = 1_000_000


class GatewayController:
    """Hands the edge's leased set-points to the plant for what is left of the lease; without one, hands on nothing.

    Parameters
    ----------
    plant
        Name of the plant's side of the site.
    inventory
        The site's devices, classes and capacities.
    layout
        Rows of the telemetry table.
    telling
        What is told under a budget; without it everything is.
    """

    def __init__(self, plant: str, inventory: SiteInventory, layout: Layout, telling: Telling | None = None) -> None:
        self._plant, self._inventory = plant, inventory
        self._carry = PassThrough(layout, layout, members=True)
        self.telling = telling
        self.lease: Lease = NO_LEASE
        self.local_policy = True  # devices start on their own
        self.local_epochs = 0
        self.clipped = 0  # numbers that could not be obeyed as they came

    def summarise(self, twin: Twin, now: int) -> None:
        """Pass on what the plant told, or what of it the edge wants and the budget allows."""
        if self.telling is not None:
            self.telling.summarise(twin, now)
            return
        below, parent = twin.children[0].table_in, twin.parent
        assert below is not None
        assert parent is not None
        assert parent.table_out is not None
        self._carry.carry(below, parent.table_out)

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        if self.lease.holds(now):
            return []
        self.local_epochs += epoch > 0
        if self.local_policy:
            return []
        self.local_policy = True
        return [Record("local_policy", epoch, {"reason": "lease lapsed"})]  # the plant's own lease lapses with ours

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        if unit.table == TableId.SUBSCRIPTION and self.telling is not None:
            if self.telling.subscribe(unit):
                return []
            return [Record("refused", twin.epoch, {"subscription": len(unit.cells)})]
        if unit.table != TableId.BUDGET or unit.lease is None:
            return []
        if unit.lease.is_older_than(self.lease) or not unit.lease.holds(now):
            return [Record("refused", twin.epoch, {"lease": unit.lease.epoch, "held": self.lease.epoch})]
        wanted = within_limits(unit.cells, self._inventory)
        self.lease = unit.lease
        self.local_policy = False
        if self.telling is not None:
            self.telling.obeyed(wanted.shares)
        self.clipped += wanted.clipped
        effects: list[Effect] = [Record("clipped", twin.epoch, {"cells": wanted.clipped})] if wanted.clipped else []
        cells = units.setpoint_cells(wanted.shares, wanted.classes)
        left = (unit.lease.until - now) // MILLISECOND
        return effects + twin.send_unit(
            self._plant, TableId.BUDGET, cells, now, (unit.lease.epoch, unit.lease.basis, left, unit.lease.age_ms, 0)
        )

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        return []

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        return []

    def fork(self) -> GatewayController:
        return copy.deepcopy(self)
