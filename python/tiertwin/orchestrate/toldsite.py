"""What an edge reads where its gateway tells only what moved: rows that stand still, groups as shares of the site.

rate of g     share_g · rate of the site; those untold have among them, in proportion to what was nominal, what the
              others leave; the site is as planned until its rate is told
users of g    as told; where tasks were told long after them, as many as make these tasks
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.economy import nominal_rate, site_row
from tiertwin.orchestrate.rhythm import MILLISECOND
from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.functions.crowd import Crowd
    from tiertwin.orchestrate.economy import Economy
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

USERS_BEHIND = 3_000 * MILLISECOND  # users told that much before tasks are not those who make them


class ToldSite:
    """The gateway's rows of one site, as its edge reads them.

    Parameters
    ----------
    world, site
        Inventory and the site's index.
    economy
        What the gateway tells.
    group_of
        Group of each device row, [N].
    """

    def __init__(self, world: World, site: int, economy: Economy, group_of: npt.NDArray[np.int64]) -> None:
        by_group = economy.by_group(world)
        self.group_of = np.arange(world.groups_per_site, dtype=np.int64) if by_group else group_of
        """Group of each row of members that the gateway tells of."""
        self._all = economy.selection == "all"
        self._planned = max(nominal_rate(world, site), 1e-9)
        self._site_row = site_row(site, economy.layout(world, site))
        self.level = 1.0
        """Of the site's tasks over those planned, as last told."""

    def rates(self, table: _core.StateTable, nominal: F64) -> F64:
        """Tasks/s of each member row as last told, ``[rows]``; `nominal` of each group; NaN: not told."""
        told: F64 = table.column(A.TASK_RATE)
        rates = told[: len(self.group_of)]
        if self._all:
            return rates
        site = float(told[self._site_row])
        if not np.isfinite(site):
            site = self._planned
        self.level = max(site, 0.0) / self._planned
        rates = rates * self.level
        untold = np.isnan(rates)
        left = max(site - float(rates[~untold].sum()), 0.0)
        usual = nominal[untold]
        rates[untold] = left * usual / max(float(usual.sum()), 1e-12)
        return rates

    def count(self, table: _core.StateTable, rates: F64, heard: npt.NDArray[np.bool_], crowd: Crowd, each: F64) -> None:
        """Take the users of each group into `crowd`, and how fast they are; `each`: tasks/s of a user, ``[G]``."""
        rows = slice(len(self.group_of))
        told = table.times(A.USERS)[rows]
        stale = (told < 0) | (table.times(A.TASK_RATE)[rows].clip(min=0) - told.clip(min=0) > USERS_BEHIND)
        crowd.infer(table.column(A.USERS)[rows], heard & (told >= 0))
        crowd.infer(np.maximum(np.nan_to_num(rates), 0.0) / each, heard & stale)
        crowd.set_rates(table.column(A.RADIO_MBPS)[rows])
        row = self._site_row
        crowd.set_loads(float(table.column(A.PRB_UP)[row]), float(table.column(A.PRB_UP_PEAK)[row]))
