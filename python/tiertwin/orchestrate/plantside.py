"""The plant's side of a site: sends telemetry up, puts set-points in force, and serves itself when nobody leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.units import share_of
from tiertwin.twin.attributes import TableId
from tiertwin.twin.effects import Actuate, Effect
from tiertwin.twin.lease import NO_LEASE, Lease

if TYPE_CHECKING:
    from tiertwin.twin.events import Solved, TimerFired
    from tiertwin.twin.twin import Twin, Unit


class PlantSideController:
    """Executes what the gateway leased; when the lease lapses, every device serves itself (the safe local mode).

    Parameters
    ----------
    first_device, devices
        Global index of the site's first device, and how many there are.
    tiers
        Tiers a task can go to, the device included.
    """

    def __init__(self, first_device: int, devices: int, tiers: int) -> None:
        self._device = np.arange(first_device, first_device + devices, dtype=np.int64)
        self._tiers = tiers
        self.lease: Lease = NO_LEASE
        self.local_policy = True  # devices start on their own

    def summarise(self, twin: Twin, now: int) -> None:
        """Samples go straight into the uplink table: nothing to abstract."""

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        if self.local_policy or self.lease.holds(now):
            return []
        self.local_policy = True
        alone = np.zeros((len(self._device), self._tiers))
        alone[:, 0] = 1.0
        return [Actuate(epoch, self._device, alone)]

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        if unit.table != TableId.BUDGET or unit.lease is None:
            return []
        if not unit.lease.is_newer_than(self.lease) or not unit.lease.holds(now):
            return []
        self.lease = unit.lease
        self.local_policy = False
        shares = clip_shares(share_of(unit.cells, len(self._device), self._tiers))
        return [Actuate(unit.lease.epoch, self._device, shares)]

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        return []

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        return []

    def fork(self) -> PlantSideController:
        first = int(self._device[0]) if len(self._device) else 0
        copy = PlantSideController(first, len(self._device), self._tiers)
        copy.lease, copy.local_policy = self.lease, self.local_policy
        return copy


def clip_shares(shares: np.ndarray) -> np.ndarray:
    """A child trusts nobody with its safety (R19): NaN → 0, shares into [0, 1], row sums to at most 1."""
    safe = np.clip(np.nan_to_num(shares), 0.0, 1.0)
    total = safe.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(np.where(total > 1.0, safe / np.maximum(total, 1.0), safe))
