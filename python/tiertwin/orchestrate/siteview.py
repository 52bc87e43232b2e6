"""What an edge sees of its site whatever its policy: inventory, demand estimate, devices; and what it sums up of them.

Where no device was heard for `OLDEST_SAMPLE`, the belief only ages, and the record ``blind`` says so, with the age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.allocate.leaf import LeafProblem
from tiertwin.allocate.split import ClassShares, split_plan
from tiertwin.functions.crowd import Crowd
from tiertwin.functions.estimate import DemandEstimator
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate import units
from tiertwin.orchestrate.observe import PassThrough, group_rates
from tiertwin.orchestrate.rhythm import MILLISECOND, Rhythm
from tiertwin.twin.ages import OLDEST_SAMPLE
from tiertwin.twin.attributes import A
from tiertwin.twin.effects import Effect, Record
from tiertwin.twin.layout import gateway_layout
from tiertwin.world import leaf_problem_arrays, tier_costs
from tiertwin.world.objective import MeasuredRadio, tier_cost_parts

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.twin.twin import Twin
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]


class SiteView:
    """What is the same for every policy at a site: its inventory, its demand estimate, its devices.

    Parameters
    ----------
    world
        Inventory and topology; nothing of the plant's state.
    site
        Index of the site.
    cost
        ``tier_costs(world)``, if at hand.
    rhythm
        When an edge decides and on samples of what length; the default one without it.
    """

    def __init__(self, world: World, site: int, cost: F64 | None = None, rhythm: Rhythm | None = None) -> None:
        self._rhythm = Rhythm() if rhythm is None else rhythm
        self.world = world
        self.site = site
        self._cost = tier_costs(world) if cost is None else cost
        rows = slice(int(world.device_rows[site]), int(world.device_rows[site + 1]))
        rings = len(world.ring_rate_mbps)
        self.group_of = (world.device_class[rows] * rings + world.device_ring[rows]).astype(np.int64)
        self.groups = world.groups_per_site
        self.classes = len(world.class_names)
        self.class_of: npt.NDArray[np.int64] = np.arange(self.groups, dtype=np.int64) // rings
        self.devices = np.bincount(self.group_of, minlength=self.groups)  # rows of each group
        self._rate = np.repeat(world.tasks_per_s, rings)  # of one device
        self.nominal: F64 = np.asarray(world.group_devices[site].ravel() * self._rate, dtype=np.float64)
        self.crowd = Crowd(world.group_devices[site].ravel(), np.tile(world.ring_rate_mbps, self.classes))
        self._grouped = world.grouped
        if self._grouped:
            self.nominal = self.crowd.users * self._rate
            seconds, joules = tier_cost_parts(world, slice(site, site + 1))
            self._parts = seconds.reshape(self.groups, -1), joules.reshape(self.groups, -1)
            below = gateway_layout(world, site)
            self._station_row = int(below.server_rows[np.searchsorted(below.servers, site)])
            self._weighed_ns = 0
        self.estimator = DemandEstimator(self.nominal, align=self._rhythm.align)
        self.demand = self.nominal.copy()
        self.sampled = np.zeros(self.groups, dtype=np.int64)  # newest sample of each group, ns
        self.newest_ns = 0
        self.blind = False
        self.uplink = float(world.uplink_site_mbps[site])

    def observe(self, table: _core.StateTable, now: int) -> F64:
        """Estimate the coming epoch's demand, tasks/s [G]."""
        times = table.times(A.TASK_RATE)[: len(self.group_of)]
        np.maximum.at(self.sampled, self.group_of, times)
        since = now - OLDEST_SAMPLE
        self.newest_ns = int(times.max(initial=0))
        measured, covered = group_rates(table, self.group_of, self.groups, since)
        if self._grouped:
            self._count(table, since)
        self.estimator.update(measured, covered)
        self.demand = self.estimator.predict(self._ahead(times, since, now))
        return self.demand

    def _ahead(self, times: npt.NDArray[np.int64], since: int, now: int) -> float:
        """Epochs from the middle of what the devices measured to the middle of what is decided now."""
        heard = times[times > since]
        return self._rhythm.ahead(Tier.EDGE, float(heard.mean()) if len(heard) else float(now), now)

    def _count(self, table: _core.StateTable, since: int) -> None:
        """Take the users of each group and how fast they are; what is nominal follows them."""
        rows = slice(len(self.group_of))  # a row a group, in group order
        heard = table.times(A.USERS)[rows] > since
        self.crowd.update(table.column(A.USERS)[rows], table.column(A.RADIO_MBPS)[rows], heard)
        self.nominal = self.estimator.nominal = self.crowd.users * self._rate
        row = self._station_row
        if int(table.times(A.PRB_UP)[row]) > self._weighed_ns:
            self._weighed_ns = int(table.times(A.PRB_UP)[row])
            self.crowd.weigh(float(table.column(A.PRB_UP)[row]), float(table.column(A.PRB_UP_PEAK)[row]))

    def problem(self, demand: F64 | None = None) -> LeafProblem:
        """The leaf problem of this data version."""
        rates = self.demand if demand is None else demand
        radio = None
        if self._grouped:
            cells = float(self.world.site_cells[self.site]) * self.crowd.evenness
            radio = MeasuredRadio.of(self.world, self._parts, self.crowd.radio_mbps, cells)
        arrays = leaf_problem_arrays(
            self.world, self.site, rates, cost=self._cost, uplink_mbps=self.uplink, radio=radio
        )
        return LeafProblem(**arrays)

    def shares(self, x: F64) -> F64:
        """Deal the groups' rates [G, T] to the devices and return each device's share a tier, [N, T]."""
        each = self.demand / np.maximum(self.devices, 1)
        weight = np.maximum(each[self.group_of], 1e-12)
        dealt = _core.deal(self.group_of, weight, np.ascontiguousarray(x))
        return np.ascontiguousarray(np.clip(dealt / weight[:, None], 0.0, 1.0))  # clip: the last bit of a division

    def split(self, problem: LeafProblem, x: F64, quota: F64) -> ClassShares:
        """Split servers and hops over the service classes of the plan `x` [G, T] inside `quota` [J]."""
        return split_plan(problem, x, quota, self.class_of, self.world.s)

    def set_points(self, problem: LeafProblem, x: F64, quota: F64) -> units.Cells3:
        """What the gateway gets to execute of the plan `x`: shares of devices and of classes."""
        return units.setpoint_cells(self.shares(x), self.split(problem, x, quota))


def summarise_site(twin: Twin, summary: Summary, rest: PassThrough, now: int) -> None:
    """Bring an edge's uplink table up to date: groups merged, servers and links passed on."""
    below, above = _tables(twin)
    summary.update(below, above, now)
    rest.carry(below, above)


def estimate_site(twin: Twin, view: SiteView, epoch: int, now: int) -> list[Effect]:
    """Observe and estimate the demand of the coming epoch (epoch 0: nominal), and say it upwards."""
    below, above = _tables(twin)
    if epoch > 0:
        view.observe(below, now)
    rows = np.arange(view.groups, dtype=np.uint32)
    above.set(A.DEMAND, rows, np.ascontiguousarray(view.demand), now)
    return _sight(view, epoch, now)


def _sight(view: SiteView, epoch: int, now: int) -> list[Effect]:
    """Say it when the last device has fallen silent, and when one is heard again."""
    blind = len(view.group_of) > 0 and view.newest_ns > 0 and now - view.newest_ns > OLDEST_SAMPLE
    if blind == view.blind:
        return []
    view.blind = blind
    return [Record("blind" if blind else "sees", epoch, {"age_ms": (now - view.newest_ns) // MILLISECOND})]


def _tables(twin: Twin) -> tuple[_core.StateTable, _core.StateTable]:
    """The gateway's table and the uplink table of an edge twin."""
    below, parent = twin.children[0].table_in, twin.parent
    assert below is not None
    assert parent is not None
    assert parent.table_out is not None
    return below, parent.table_out


class Summary:
    """Members → groups: the mergeable sums an edge sends up, one call into the core a report.

    Parameters
    ----------
    group_of
        Group of each device row, [N].
    members
        Rows of the members' table: devices first, then rows that belong to no group.
    rows
        Rows of the uplink table: groups first.
    grouped
        Device rows are groups of users, who are counted too.
    """

    def __init__(self, group_of: npt.NDArray[np.int64], members: int, rows: int, grouped: bool = False) -> None:
        of_row = np.full(members, -1, dtype=np.int64)
        of_row[: len(group_of)] = group_of
        self._partition = _core.Partition(of_row, rows)
        plan = [*SUMMARY_PLAN, (A.USERS, "sum", A.USERS_SUM)] if grouped else SUMMARY_PLAN
        self._plan = _core.SummaryPlan([(int(a), rule, int(b)) for a, rule, b in plan])
        self._devices = len(group_of)
        self._newest = -1

    def update(self, members: _core.StateTable, out: _core.StateTable, now: int) -> None:
        """Merge the member rows into the group rows of `out` if anything new came."""
        newest = int(members.times(A.TASK_RATE)[: self._devices].max(initial=-1))
        if newest > self._newest:
            self._newest = newest
            _core.summarize(members, self._partition, self._plan, out, now)


# A weighted mean is kept as sum and weight: two attributes from the target on.
SUMMARY_PLAN: list[tuple[A, str, A]] = [
    (A.TASK_RATE, "wmean", A.RATE_SUM),
    (A.COMPLETED, "sum", A.COMPLETED_SUM),
    (A.MISSED, "sum", A.MISSED_SUM),
    (A.ENERGY_J, "sum", A.ENERGY_SUM),
    (A.LATENCY_MS, "wmean", A.LATENCY_SUM),
    (A.TASK_RATE, "oldest", A.OLDEST),
]
