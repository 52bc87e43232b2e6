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
from tiertwin.orchestrate.economy import site_row
from tiertwin.orchestrate.observe import PassThrough, group_of_rows, group_rates, heard_rates
from tiertwin.orchestrate.rhythm import MILLISECOND, Rhythm
from tiertwin.orchestrate.toldsite import ToldSite
from tiertwin.twin.ages import OLDEST_SAMPLE, UNKNOWN_AGE_MS
from tiertwin.twin.attributes import A
from tiertwin.twin.effects import Effect, Record
from tiertwin.twin.layout import gateway_layout
from tiertwin.world import leaf_problem_arrays, tier_costs
from tiertwin.world.objective import MeasuredRadio, tier_cost_parts

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.twin.layout import Layout
    from tiertwin.twin.twin import Twin
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

MOVED_AGE = 2 * OLDEST_SAMPLE  # of a gateway that tells what moved: its oldest input in use, and a heartbeat under way


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
    economy
        What the gateway tells if not everything: what it does not tell has not moved, or not enough.
    """

    def __init__(
        self,
        world: World,
        site: int,
        cost: F64 | None = None,
        rhythm: Rhythm | None = None,
        economy: Economy | None = None,
    ) -> None:
        self._rhythm = Rhythm() if rhythm is None else rhythm
        self.world = world
        self.economy = economy
        self.site = site
        self._cost = tier_costs(world) if cost is None else cost
        rings = len(world.ring_rate_mbps)
        self.group_of = group_of_rows(world, site)
        self.groups = world.groups_per_site
        self.told = None if economy is None else ToldSite(world, site, economy, self.group_of)
        self.told_of = self.group_of if self.told is None else self.told.group_of
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
            self._station_row = site_row(site, gateway_layout(world, site))
            self._weighed_ns = 0
        self.estimator = DemandEstimator(self.nominal, align=self._rhythm.align)
        self.demand = self.nominal.copy()
        self.sampled = np.zeros(self.groups, dtype=np.int64)  # newest sample of each group, ns
        self.newest_ns = 0
        self.blind = False
        self.uplink = float(world.uplink_site_mbps[site])

    def observe(self, table: _core.StateTable, now: int, age_ms: int | None = None) -> F64:
        """Estimate the coming epoch's demand, tasks/s [G]; `age_ms`: of what a gateway knows that tells what moved."""
        if age_ms is not None and self.told is not None:
            return self._observe_moved(self.told, table, now, age_ms)
        times = table.times(A.TASK_RATE)[: len(self.group_of)]
        np.maximum.at(self.sampled, self.group_of, times)
        since = now - OLDEST_SAMPLE
        self.newest_ns = int(times.max(initial=0))
        measured, covered = group_rates(table, self.group_of, self.groups, since)
        if self._grouped:
            self._count(table, table.times(A.USERS)[: len(self.group_of)] > since)
        self.estimator.update(measured, covered)
        self.demand = self.estimator.predict(self._ahead(times, since, now))
        return self.demand

    def _observe_moved(self, told: ToldSite, table: _core.StateTable, now: int, age_ms: int) -> F64:
        """The same where silence says that nothing has moved: what was told last is as old as the gateway's inputs."""
        newest = now - age_ms * MILLISECOND
        rates = told.rates(table, self.nominal)
        fresh = newest > now - MOVED_AGE
        heard = np.isfinite(rates) & fresh
        self.sampled[self.told_of[heard]] = newest
        if fresh:
            self.newest_ns = newest
        measured, covered = heard_rates(rates, heard, self.told_of, self.groups)
        if self._grouped and self.economy is not None and self.economy.selection == "all":
            self._count(table, heard)
        elif self._grouped:
            told.count(table, rates, heard, self.crowd, self._rate)
            self.nominal = self.estimator.nominal = self.crowd.users * self._rate
        self.estimator.update(measured, covered)
        middle = (newest + now) / 2  # the oldest is a period older than the newest
        self.demand = self.estimator.predict(self._rhythm.ahead(Tier.EDGE, middle, now))
        return self.demand

    def _ahead(self, times: npt.NDArray[np.int64], since: int, now: int) -> float:
        """Epochs from the middle of what the devices measured to the middle of what is decided now."""
        heard = times[times > since]
        return self._rhythm.ahead(Tier.EDGE, float(heard.mean()) if len(heard) else float(now), now)

    def _count(self, table: _core.StateTable, heard: npt.NDArray[np.bool_]) -> None:
        """Take the users of each group and how fast they are; what is nominal follows them."""
        rows = slice(len(self.group_of))  # a row a group, in group order
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
    summary.update(twin, below, above, now)
    rest.carry(below, above)


def estimate_site(twin: Twin, view: SiteView, epoch: int, now: int) -> list[Effect]:
    """Observe and estimate the demand of the coming epoch (epoch 0: nominal), and say it upwards."""
    below, above = _tables(twin)
    if epoch > 0:
        view.observe(below, now, None if view.economy is None else _told_age(twin, now))
    rows = np.arange(view.groups, dtype=np.uint32)
    above.set(A.DEMAND, rows, np.ascontiguousarray(view.demand), now)
    return _sight(view, epoch, now)


def _told_age(twin: Twin, now: int) -> int:
    """How old what the gateway knows is, ms."""
    gateway = twin.children[0]
    return int(gateway.peer.peer_age(now)) if gateway.live else UNKNOWN_AGE_MS


def _sight(view: SiteView, epoch: int, now: int) -> list[Effect]:
    """Say it when the last device has fallen silent, and when one is heard again."""
    longest = OLDEST_SAMPLE if view.economy is None else MOVED_AGE
    blind = len(view.group_of) > 0 and view.newest_ns > 0 and now - view.newest_ns > longest
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
    view
        Of the site: which row of the gateway's table belongs to which group.
    below, above
        Layouts of the gateway's table and of ours.
    """

    def __init__(self, view: SiteView, below: Layout, above: Layout) -> None:
        of_row = np.full(below.rows, -1, dtype=np.int64)
        of_row[: len(view.told_of)] = view.told_of
        self._partition = _core.Partition(of_row, above.rows)
        self._moved = view.economy is not None
        self._plan, self._sources = _summary_plan(view)
        self._members, self._groups = len(view.told_of), view.groups
        self._newest = -1

    def update(self, twin: Twin, members: _core.StateTable, out: _core.StateTable, now: int) -> None:
        """Merge the member rows into the group rows of `out` if anything new came."""
        newest = max(int(members.times(a)[: self._members].max(initial=-1)) for a in self._sources)
        if newest <= self._newest:
            return
        self._newest = newest
        _core.summarize(members, self._partition, self._plan, out, now)
        if self._moved:
            age = np.full(self._groups, float(_told_age(twin, now)))
            out.set(A.OLDEST, np.arange(self._groups, dtype=np.uint32), age, now)


# A weighted mean is kept as sum and weight: two attributes from the target on.
SUMMARY_PLAN: list[tuple[A, str, A]] = [
    (A.TASK_RATE, "wmean", A.RATE_SUM),
    (A.COMPLETED, "sum", A.COMPLETED_SUM),
    (A.MISSED, "sum", A.MISSED_SUM),
    (A.ENERGY_J, "sum", A.ENERGY_SUM),
    (A.LATENCY_MS, "wmean", A.LATENCY_SUM),
    (A.TASK_RATE, "oldest", A.OLDEST),
]


def _summary_plan(view: SiteView) -> tuple[_core.SummaryPlan, list[A]]:
    """What is merged of the gateway's table, and the attributes whose news count."""
    if view.economy is None:
        grouped = [(A.USERS, "sum", A.USERS_SUM)] if view.world.grouped else []
        return _core.SummaryPlan([(int(a), rule, int(b)) for a, rule, b in [*SUMMARY_PLAN, *grouped]]), [A.TASK_RATE]
    known = view.economy.member_attributes(view.world)
    lines = [(A.USERS, "sum", A.USERS_SUM), *(line for line in SUMMARY_PLAN if line[1] != "oldest")]
    plan = _core.SummaryPlan([(int(a), rule, int(b)) for a, rule, b in lines if int(a) in known])
    sources = [a for a, _, _ in lines if int(a) in known]
    if int(A.LATENCY_SUM) in known:
        plan.add(int(A.LATENCY_SUM), "wmean", int(A.LATENCY_SUM), partial=True)
        sources.append(A.LATENCY_SUM)
    return plan, sources
