"""The device tier: a gateway passes telemetry up and puts set-points in force; alone it falls back to the devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.units import setpoints_of
from tiertwin.twin.attributes import TableId
from tiertwin.twin.effects import Actuate, Effect, Record
from tiertwin.twin.lease import NO_LEASE, Lease
from tiertwin.world.shares import narrowest_links

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.twin.events import Solved, TimerFired
    from tiertwin.twin.twin import Twin, Unit
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

ROUNDING = 1e-9  # relative: what is corrected by less was sound and only rounded


@dataclass(frozen=True, eq=False)
class SiteInventory:
    """What a gateway knows of the physical side: nothing above it can be obeyed, whoever grants it.

    Parameters
    ----------
    site
        Index of the site.
    first_device, devices
        Global index of the site's first device, and how many there are.
    classes
        Service classes C.
    cpu
        ``[T − 1]`` GHz of the servers its tasks can reach, bottom-up.
    uplink
        ``[T − 2]`` Mb/s of the narrowest link on each hop, bottom-up.
    """

    site: int
    first_device: int
    devices: int
    classes: int
    cpu: F64
    uplink: F64

    @property
    def tiers(self) -> int:
        """Tiers a task can go to, the device included."""
        return len(self.cpu) + 1

    @classmethod
    def of(cls, world: World, site: int, narrowest: tuple[F64, F64] | None = None) -> SiteInventory:
        """Look a site up in the world; `narrowest` is ``narrowest_links(world)``, if at hand."""
        first, last = (int(row) for row in world.device_rows[site : site + 2])
        fog = int(world.site_fog[site])
        sites, fogs = narrowest_links(world) if narrowest is None else narrowest
        cores = np.array([world.site_cores[site], world.fog_cores[fog], world.cloud_cores], dtype=np.float64)
        uplink = np.array([sites[site], fogs[fog]])
        return cls(site, first, last - first, len(world.class_names), cores * world.core_ghz, uplink)


class GatewayController:
    """Executes what the edge leased; when the lease lapses, every device serves itself (the safe local mode).

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
        self.local_epochs = 0
        self.clipped = 0  # numbers that could not be obeyed as they came

    def summarise(self, twin: Twin, now: int) -> None:
        """The southbound table is the uplink table: nothing to abstract."""

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        if self.lease.holds(now):
            return []
        self.local_epochs += epoch > 0
        if self.local_policy:
            return []
        self.local_policy = True
        return [Record("local_policy", epoch, {"reason": "lease lapsed"}), self._alone(epoch)]

    def _alone(self, epoch: int) -> Actuate:
        """Every device serves itself, and no class has been granted anything."""
        here = self._inventory
        shares = np.zeros((here.devices, here.tiers))
        shares[:, 0] = 1.0
        none = np.zeros((here.tiers, here.classes))
        return Actuate(epoch, self._device, shares, here.site, none[: len(here.cpu)], none[: len(here.uplink)])

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        if unit.table != TableId.BUDGET or unit.lease is None:
            return []
        if not unit.lease.is_newer_than(self.lease) or not unit.lease.holds(now):
            return [Record("refused", twin.epoch, {"lease": unit.lease.epoch, "held": self.lease.epoch})]
        here = self._inventory
        came, split = setpoints_of(unit.cells, here.devices, here.classes, here.tiers)
        self.lease = unit.lease
        self.local_policy = False
        shares = clip_shares(came)
        cpu, uplink = clip_class_shares(split.cpu, here.cpu), clip_class_shares(split.uplink, here.uplink)
        changed = differing(came, shares) + differing(split.cpu, cpu) + differing(split.uplink, uplink)
        self.clipped += changed
        effects: list[Effect] = [Record("clipped", twin.epoch, {"cells": changed})] if changed else []
        return [*effects, Actuate(unit.lease.epoch, self._device, shares, here.site, cpu, uplink)]

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        return []

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        return []

    def fork(self) -> GatewayController:
        copy = GatewayController(self._inventory)
        copy.lease, copy.local_policy, copy.local_epochs = self.lease, self.local_policy, self.local_epochs
        copy.clipped = self.clipped
        return copy


def clip_shares(shares: F64) -> F64:
    """A child trusts nobody with its safety (R19): NaN → 0, shares into [0, 1], row sums to at most 1."""
    return _within(shares, np.ones(len(shares)))


def clip_class_shares(shares: F64, capacity: F64) -> F64:
    """The same for what classes may use, [K, C]: NaN → 0, into [0, capacity], row sums to at most the capacity [K]."""
    return _within(shares, capacity)


def _within(shares: F64, most: F64) -> F64:
    limit = most[:, None]
    safe = np.clip(np.where(np.isnan(shares), 0.0, shares), 0.0, limit)
    total = safe.sum(axis=1, keepdims=True)
    over = total > limit
    return np.ascontiguousarray(np.where(over, safe * (limit / np.where(over, total, 1.0)), safe))


def differing(came: F64, safe: F64) -> int:
    """Count the numbers that were changed by more than rounding; what is not finite counts."""
    sound = np.isfinite(came)
    return int(np.count_nonzero(~sound | (np.abs(np.where(sound, came, 0.0) - safe) > ROUNDING * np.abs(safe))))
