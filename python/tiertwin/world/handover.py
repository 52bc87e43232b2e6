"""Where users are heard once cells of sites are silent: in the next cell of the planning map, else at the nearest site.

next cell   the strongest of those that are left for each user planned at the site, where it was planned to stand
            (`world.planning`); users of all classes alike, since few of a class are planned at a small cell
nearest     on the map and heard: without a planning map, and for those who would hear nobody
ring        one slower than where they come from (ours: the map knows no disturbance by others, so its rates far from
            a cell are too good; that of the slowest ring was too bad where cells overlap)

Sizes: S sites, K rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.world.planning import strongest_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]

CELLS_LOOKED_AT = 12  # for each user: four masts of three sectors
WORLDS_KEPT = 4


@dataclass(frozen=True, eq=False, slots=True)
class Moved:
    """Whose users went where, by site that is silent.

    Parameters
    ----------
    site, other
        That is silent, and that hears its users now, [K].
    share
        Of the site's users, above 0; those of a site add up to 1, [K].
    """

    site: I64
    other: I64
    share: F64

    def by_site(self, sites: int) -> F64:
        """Return where users of each site are heard, as shares, [S, S]; users of sites that are heard stay."""
        table: F64 = np.zeros((sites, sites))
        table[self.site, self.other] = self.share
        stay = np.setdiff1d(np.arange(sites), self.site)
        table[stay, stay] = 1.0
        return table


def moved(world: World, silent: Flags) -> Moved:
    """Return where the users of `silent` sites, [S], are heard; nowhere, if all sites are silent: no rows."""
    gone = np.flatnonzero(silent)
    if not len(gone) or silent.all():
        nobody = np.zeros(0, dtype=np.int64)
        return Moved(nobody, nobody, np.zeros(0))
    near = nearest_heard(world, silent)
    parts = []
    for site in gone.tolist():
        heard = _next_sites(world, site, silent)
        found, count = np.unique(np.where(heard < 0, near[site], heard), return_counts=True)
        if not len(found):
            found, count = near[[site]], np.ones(1, dtype=np.int64)
        parts.append((np.full(len(found), site), found, count / count.sum()))
    whose, other, share = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Moved(whose, other, share)


def slower_ring(world: World) -> I64:
    """Return the ring of those who come from each ring of another site: the next in rate, or the slowest. [R]"""
    order = np.argsort(-world.ring_rate_mbps, kind="stable")
    found = np.empty_like(order)
    found[order] = np.append(order[1:], order[-1:])
    return found.astype(np.int64)


def nearest_heard(world: World, silent: Flags) -> I64:
    """Return the site that hears each site's users: itself, or the nearest on the map that is heard, [S]."""
    lon, lat = world.lon[world.site_node], world.lat[world.site_node]
    shrink = np.cos(np.radians(lat.mean()))
    found, heard = np.arange(world.site_count), np.flatnonzero(~silent)
    for site in np.flatnonzero(silent):
        away = np.hypot((lon[heard] - lon[site]) * shrink, lat[heard] - lat[site])
        found[site] = heard[int(np.argmin(away))]
    return found


def _next_sites(world: World, site: int, silent: Flags) -> I64:
    """Return the site (−1: none) that hears each user planned at a silent site."""
    access = world.access
    if access is None:
        return np.zeros(0, dtype=np.int64)
    cells = _strongest(world)[access.site == site]
    site_of = access.cells["cell_site"][cells]
    left = (cells >= 0) & ~silent[site_of]
    first = np.take_along_axis(site_of, left.argmax(axis=1)[:, None], axis=1)[:, 0]
    heard: I64 = np.where(left.any(axis=1), first, -1)
    return heard


@lru_cache(maxsize=WORLDS_KEPT)
def _strongest(world: World) -> I64:
    access = world.access
    assert access is not None
    return strongest_cells(access.cells, access.x_m, access.y_m, access.indoors, CELLS_LOOKED_AT)[0]
