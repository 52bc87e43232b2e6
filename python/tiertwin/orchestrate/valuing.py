"""What an error of each cell would cost the edge's plan, worked out by the gateway: it knows what the edge does not.

A gateway estimates as its edge would (`orchestrate/condense.py`), so it has the leaf problem that the edge would have
if it were told everything; the plan comes down as set-points. What it lacks are the prices of what lies above the site
and the site's share of the uplink: these few numbers are what an edge subscribes with (`orchestrate/asking.py`).

Each attribute that a decision reads enters the leaf problem somewhere; `tiertwin.allocate.errorcost` says what an error
there costs, and the rules below what an error of the attribute means there (g a group):

    task_rate[g]      demand of g, by the level of the site; task_rate of the site: all demands at once
    radio_mbps[g]     use of radio per task of g, ∝ 1/radio: −1 relative, by the less of what is and what was told
    prb_up, its peak  capacity of radio, ±1 relative: it is full when its busiest cell is
    capacity, background of a link: what is free, by the link's own load, whosever it is: κ₀ y²/(F − y)³
    up                the scale S: all is lost that a dead server or link was to carry
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.errorcost import BEND_LIMIT, error_cost
from tiertwin.orchestrate.economy import KINDS, nominal_rate
from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.allocate.errorcost import ErrorCost
    from tiertwin.allocate.leaf import LeafProblem
    from tiertwin.orchestrate.economy import CellList
    from tiertwin.orchestrate.siteview import SiteView

    F64 = npt.NDArray[np.float64]

RADIO = 0  # own resource of a site
GROUP, SERVER, LINK = range(len(KINDS))
NOWHERE = np.zeros(0, dtype=np.int64)


class Valuing:
    """What the square of an error of each cell costs, utils/s.

    Parameters
    ----------
    view
        Of a site of which everything is heard.
    cells
        Of the table between gateway and edge.
    kappa_link
        κ₀ of the delay of links, utils/s.
    """

    def __init__(self, view: SiteView, cells: CellList, kappa_link: float) -> None:
        self._view, self._cells, self._kappa_link = view, cells, kappa_link
        self._planned = max(nominal_rate(view.world, view.site), 1e-9)
        self._places = {
            (kind, int(attribute)): np.flatnonzero((cells.kind == kind) & (cells.attribute == attribute))
            for kind in range(len(KINDS))
            for attribute in np.unique(cells.attribute[cells.kind == kind])
        }
        self._up = np.flatnonzero(cells.attribute == A.UP)
        self._shares: F64 | None = None
        self._prices: F64 | None = None

    def obeyed(self, shares: F64) -> None:
        """Take the plan in force: share of each device's tasks a tier, [N, T]."""
        count = np.maximum(self._view.devices, 1)
        of = self._view.group_of
        self._shares = np.stack([np.bincount(of, column, self._view.groups) / count for column in shares.T], axis=1)

    def priced(self, uplink_mbps: float, prices: F64) -> None:
        """Take what only the edge knows: the site's share of the uplink, and utils per unit of each quota, [J]."""
        self._view.uplink = uplink_mbps
        self._prices = prices

    def worth(self, heard: _core.StateTable, told: _core.StateTable) -> F64 | None:
        """Return it by cell, of what was `heard` and what was `told` of it; None: no plan has come yet."""
        if self._shares is None:
            return None
        problem, prices = self._view.problem(), self._prices
        if prices is not None and len(prices) != problem.quotas:
            prices = None
        x = np.ascontiguousarray(problem.demand[:, None] * self._shares)
        cost = error_cost(problem, x, prices)
        found = np.zeros(len(self._cells))
        found[self._up] = float((problem.weight * problem.demand).sum())
        self._of_groups(problem, cost, told, found)
        self._of_server(problem, cost, told, found)
        self._of_links(heard, found)
        return found

    def _of(self, kind: int, attribute: int) -> npt.NDArray[np.int64]:
        """Places of the cells of an attribute of groups, servers or links."""
        return self._places.get((kind, int(attribute)), NOWHERE)

    def _of_groups(self, problem: LeafProblem, cost: ErrorCost, told: _core.StateTable, found: F64) -> None:
        view, cells = self._view, self._cells
        level = float(problem.demand.sum()) / self._planned
        per_group = {int(A.TASK_RATE): cost.demand * level**2}
        if view.world.grouped:
            least = _least(view.crowd.radio_mbps, told.column(A.RADIO_MBPS)[: view.groups])
            per_group[int(A.RADIO_MBPS)] = cost.use[RADIO] / least**2
        for attribute, value in per_group.items():
            mine = self._of(GROUP, attribute)
            found[mine] = value[cells.row[mine]]

    def _of_server(self, problem: LeafProblem, cost: ErrorCost, told: _core.StateTable, found: F64) -> None:
        crowd = self._view.crowd
        for attribute, load in ((A.PRB_UP, crowd.mean_load), (A.PRB_UP_PEAK, crowd.peak_load)):
            mine = self._of(SERVER, attribute)
            if len(mine):
                least = _least(np.full(len(mine), load), told.column(attribute)[self._cells.row[mine]])
                found[mine] = cost.capacity[RADIO] / least**2
        together = float(cost.capacity.sum()) + float((cost.demand * problem.demand**2).sum())
        total = max(float(problem.demand.sum()), 1e-9)
        found[self._of(SERVER, A.TASK_RATE)] = together / total**2

    def _of_links(self, heard: _core.StateTable, found: F64) -> None:
        capacity, carried, other = (
            heard.column(attribute) for attribute in (A.CAPACITY_MBPS, A.LOAD_MBPS, A.BACKGROUND_MBPS)
        )
        for attribute in (A.CAPACITY_MBPS, A.BACKGROUND_MBPS):
            mine = self._of(LINK, attribute)
            rows = self._cells.row[mine]
            background = other[rows]
            free = np.maximum(np.nan_to_num(capacity[rows] - background), 0.0)
            load = np.nan_to_num(carried[rows] - background).clip(0.0, BEND_LIMIT * free)
            found[mine] = self._kappa_link * load**2 / np.maximum(free - load, 1e-3) ** 3


def _least(now: F64, told: F64) -> F64:
    """Return the less of what is and what was told, above 0."""
    return np.maximum(np.fmin(now, np.where(told > 0.0, told, np.inf)), 1e-6)
