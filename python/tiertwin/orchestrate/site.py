"""A site's physical limits, and set-points cut down to them: a child trusts nobody with its safety (R19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.split import ClassShares
from tiertwin.orchestrate.units import setpoints_of
from tiertwin.world.shares import narrowest_links

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.units import Cells
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

ROUNDING = 1e-9  # relative: what is corrected by less was sound and only rounded


@dataclass(frozen=True, eq=False)
class SiteInventory:
    """What is known of the physical side of a site: nothing above it can be obeyed, whoever grants it.

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


@dataclass(frozen=True, eq=False, slots=True)
class SetPoints:
    """Set-points of a site that its physical side can execute.

    Parameters
    ----------
    shares
        ``[devices, T]`` share of each device's tasks a tier.
    classes
        CPU and uplink shares of the service classes.
    clipped
        How many numbers could not be obeyed as they came.
    """

    shares: F64
    classes: ClassShares
    clipped: int


def within_limits(cells: Cells, here: SiteInventory) -> SetPoints:
    """Read a unit of set-points and cut it down to what the site can do; PeerError when something is missing."""
    came, split = setpoints_of(cells, here.devices, here.classes, here.tiers)
    if _sound(came, np.ones(1)) and _sound(split.cpu, here.cpu) and _sound(split.uplink, here.uplink):
        return SetPoints(came, split, 0)
    shares = clip_shares(came)
    cpu, uplink = clip_class_shares(split.cpu, here.cpu), clip_class_shares(split.uplink, here.uplink)
    changed = differing(came, shares) + differing(split.cpu, cpu) + differing(split.uplink, uplink)
    return SetPoints(shares, ClassShares(cpu, uplink), changed)


def devices_alone(here: SiteInventory) -> SetPoints:
    """Every device serves itself, and no class has been granted anything."""
    shares = np.zeros((here.devices, here.tiers))
    shares[:, 0] = 1.0
    return SetPoints(shares, ClassShares.equal(len(here.cpu), len(here.uplink), here.classes), 0)


def clip_shares(shares: F64) -> F64:
    """A child trusts nobody with its safety (R19): NaN → 0, shares into [0, 1], row sums to at most 1."""
    return _within(shares, np.ones(len(shares)))


def clip_class_shares(shares: F64, capacity: F64) -> F64:
    """The same for what classes may use, [K, C]: NaN → 0, into [0, capacity], row sums to at most the capacity [K]."""
    return _within(shares, capacity)


def _sound(shares: F64, most: F64) -> bool:
    """Say whether there is nothing to cut down: no number below 0, no row above `most`; NaN is not sound."""
    return bool(shares.min(initial=0.0) >= 0.0 and (shares.sum(axis=1) <= most).all())


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
