"""Sharing links out by what was measured: the rule of `tiertwin.world.shares`, over the links one twin owns.

It splits what capacity and background leave, as telemetry tells them and less some headroom, so that no link exceeds
that under any allocation inside the shares (law of links).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.twin.attributes import A
from tiertwin.world.shares import Crossings

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]
    I64 = npt.NDArray[np.int64]

HEADROOM = 0.02  # of capacity, kept free: background moves while a share is in force
GAIN = 0.5  # of a new background measurement


def tells_links(table: _core.StateTable) -> bool:
    """Say whether a child's table has what links are shared out by: not across every border of a domain."""
    return {int(A.BACKGROUND_MBPS), int(A.CAPACITY_MBPS), int(A.UP)} <= set(table.attributes)


class LinkShares:
    """Shares of the links one twin owns, over all routes of the tree that cross them.

    Parameters
    ----------
    world
        Topology, routes and nominal background.
    owner
        Name of the twin.
    """

    def __init__(self, world: World, owner: str) -> None:
        owned = np.array([name == owner for name in world.link_owner for _ in (0, 1)], dtype=bool)
        self._crossings = Crossings.of(world).where(owned)
        self._sites = world.site_count
        self._capacity = np.repeat(world.link_capacity_mbps, 2)
        self._background = world.background_mbps.copy()
        self._up = np.ones(2 * world.link_count, dtype=bool)

    @property
    def links(self) -> I64:
        """Directed links of this owner that some route crosses."""
        return np.unique(self._crossings.link)

    def observe(self, link: I64, background: F64, capacity: F64, up: F64) -> None:
        """Take measured background and capacity (Mb/s) and state of directed links; NaN is no news."""
        for k, d in enumerate(link):
            if background[k] == background[k]:
                self._background[d] += GAIN * (max(background[k], 0.0) - self._background[d])
            if capacity[k] == capacity[k]:
                self._capacity[d] = capacity[k]
            if up[k] == up[k]:
                self._up[d] = up[k] >= 0.5

    def believed(self, background: F64, capacity: F64, up: npt.NDArray[np.bool_]) -> None:
        """Write what is believed of the links that routes cross here into arrays of all directed links, [2m]."""
        links = self.links
        background[links], capacity[links], up[links] = self._background[links], self._capacity[links], self._up[links]

    def shares(self) -> tuple[F64, F64]:
        """Return (site uplink [S], fog uplink [F]) in Mb/s from the links owned here; inf where none is crossed."""
        free = np.maximum(self._capacity * (1.0 - HEADROOM) - self._background, 0.0)
        least = self._crossings.shares(np.where(self._up, free, 0.0))
        return least[: self._sites], least[self._sites :]
