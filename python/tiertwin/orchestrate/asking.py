"""The edge's half of telling under a budget: what an error of each cell would cost its decision, told to the gateway.

Each attribute that a decision reads enters the leaf problem somewhere; `tiertwin.allocate.errorcost` says what an error
there costs, and the rules below what an error of the attribute means there (g a group, r a row of the table):

    task_rate[g]          demand of g, by the level of the site; task_rate of the site: all demands at once
    users[g]              nominal demand of g: it counts as far as rates are not told, a tenth of the above
    radio_mbps[g]         use of radio per task of g, −1 relative, through the gain of `functions/crowd.py`
    prb_up, prb_up_peak   capacity of radio, ±1 relative, through the gain of the cells' evenness
    capacity, background  of a link: capacity of the uplink, by the part of the free capacity that it is
    up                    the scale S of the plan: all is lost that a dead server or link was to carry

Attributes that no decision reads are told with what the budget leaves over.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.errorcost import error_cost
from tiertwin.functions.crowd import LOADS_KEPT, RATE_GAIN
from tiertwin.orchestrate.economy import CellList, sizes
from tiertwin.orchestrate.units import Cells3
from tiertwin.twin.attributes import A, TableId

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.allocate.errorcost import ErrorCost
    from tiertwin.allocate.leaf import LeafAnswer, LeafProblem
    from tiertwin.orchestrate.economy import Economy
    from tiertwin.orchestrate.siteview import SiteView
    from tiertwin.twin.effects import Effect
    from tiertwin.twin.twin import Twin

    F64 = npt.NDArray[np.float64]

RADIO, COMPUTE, UPLINK = 0, 1, 2  # own resources of a site
UNTOLD = 0.1  # of the worth of rates: users matter where rates are not told
FIRST = 3  # epoch of the first subscription: until then the gateway tells by the catalogue's order
LEAST = 0.01  # of the worthiest cell's: less is left to what the budget leaves over
CHANGED = 1.0  # of all worth: a subscription that differs by less is not sent again


class Asking:
    """What an edge wants to hear.

    Parameters
    ----------
    view
        Of the site.
    economy
        Catalogue and when to look at it again.
    gateway
        Whom it asks.
    """

    def __init__(self, view: SiteView, economy: Economy, gateway: str) -> None:
        self._view, self._economy, self._gateway = view, economy, gateway
        self._cells: CellList | None = None
        self._asked: F64 | None = None
        self._next = FIRST
        self.subscriptions = 0
        self.bytes = 0

    def review(self, twin: Twin, epoch: int, problem: LeafProblem, plan: LeafAnswer, now: int) -> list[Effect]:
        """Look again, every so often, at what is worth telling; say so if it has changed."""
        if self._economy.selection != "worth" or epoch < self._next:
            return []
        self._next = epoch + self._economy.review_epochs
        table = twin.children[0].table_in
        assert table is not None
        if self._cells is None:
            attributes = set(map(int, table.attributes))
            self._cells = CellList.of(self._economy, self._view.world, self._view.site, attributes)
        worth = self.worth(problem, plan)
        weight = worth * sizes(table, self._cells) ** 2
        states = self._cells.attribute == A.UP  # all is lost or nothing: no measure for the others
        worth[~states & (weight < LEAST * weight[~states].max(initial=0.0))] = 0.0
        if self._asked is not None and self._like(worth):
            return []
        self._asked = worth
        rows = np.flatnonzero(worth).astype(np.uint32)
        cells = Cells3(np.full(len(rows), int(A.WORTH)), rows, worth[rows])
        effects = twin.send_unit(self._gateway, TableId.SUBSCRIPTION, cells, now)
        self.subscriptions += 1
        self.bytes += sum(len(effect.frame) for effect in effects if hasattr(effect, "frame"))
        return effects

    def _like(self, worth: F64) -> bool:
        """Say whether what was asked for last still is what is wanted, about."""
        assert self._asked is not None
        assert self._cells is not None
        scale = np.where(self._cells.attribute == A.UP, 0.0, 1.0)
        for attribute in np.unique(self._cells.attribute):  # of one unit only: utils/s per square of what is told
            mine = self._cells.attribute == attribute
            scale[mine] /= max(float(self._asked[mine].sum()), 1e-300)
        lines = max(int(np.unique(self._cells.attribute[self._asked > 0.0]).size) - 1, 1)
        return float((np.abs(worth - self._asked) * scale).sum()) <= CHANGED * lines

    def attend(self, twin: Twin, factor: float, now: int) -> list[Effect]:
        """Tell the gateway how many times its usual bytes it may spend, as the fog said."""
        cells = Cells3(np.array([int(A.WORTH_BYTES)]), np.zeros(1, dtype=np.uint32), np.array([factor]))
        effects = twin.send_unit(self._gateway, TableId.SUBSCRIPTION, cells, now)
        self.bytes += sum(len(effect.frame) for effect in effects if hasattr(effect, "frame"))
        return effects

    def worth(self, problem: LeafProblem, plan: LeafAnswer) -> F64:
        """What the square of an error of each cell costs, utils/s, [cells]."""
        assert self._cells is not None
        cells = self._cells
        cost = error_cost(problem, plan.x, plan.quota_price if len(plan.quota_price) == problem.quotas else None)
        found = np.zeros(len(cells))
        groups = cells.kind == 0
        for attribute, per_group in self._of_groups(cost, problem).items():
            mine = groups & (cells.attribute == attribute)
            found[mine] = per_group[cells.row[mine]]
        self._of_servers(cells, cost, plan.scale, found)
        together = float(cost.capacity.sum()) + float((cost.demand * problem.demand**2).sum())
        site = (cells.kind == 1) & (cells.attribute == A.TASK_RATE)
        found[site] = together / max(float(problem.demand.sum()), 1e-9) ** 2
        self._of_links(cells, cost, plan.scale, found)
        return found

    def _of_groups(self, cost: ErrorCost, problem: LeafProblem) -> dict[int, F64]:
        level = self._view.level
        per_group = {int(A.TASK_RATE): cost.demand * level**2}
        if self._view.world.grouped:
            rate = np.divide(
                problem.demand, self._view.crowd.users, out=np.zeros(len(problem.demand)), where=problem.demand > 0
            )
            per_group[int(A.USERS)] = UNTOLD * cost.demand * rate**2
            per_group[int(A.RADIO_MBPS)] = cost.use[RADIO] * (RATE_GAIN / self._view.crowd.radio_mbps) ** 2
        return per_group

    def _of_servers(self, cells: CellList, cost: ErrorCost, scale: float, found: F64) -> None:
        mine = cells.kind == 1
        found[mine & (cells.attribute == A.UP)] = scale
        gain = (1.0 - LOADS_KEPT) / self._view.crowd.peak_load
        for attribute in (A.PRB_UP, A.PRB_UP_PEAK):
            found[mine & (cells.attribute == attribute)] = cost.capacity[RADIO] * gain**2

    def _of_links(self, cells: CellList, cost: ErrorCost, scale: float, found: F64) -> None:
        mine = cells.kind == 2
        found[mine & (cells.attribute == A.UP)] = scale
        for attribute in (A.CAPACITY_MBPS, A.BACKGROUND_MBPS):
            found[mine & (cells.attribute == attribute)] = cost.capacity[UPLINK] / max(self._view.uplink, 1e-3) ** 2

    def fork(self) -> Asking:
        """Return an independent copy."""
        return copy.copy(self)
