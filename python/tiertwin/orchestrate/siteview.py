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
from tiertwin.orchestrate.grouptrust import GroupTrust
from tiertwin.orchestrate.observe import PassThrough, group_of_rows, group_rates, heard_rates
from tiertwin.orchestrate.ownserver import OwnServer
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
    from tiertwin.orchestrate.trust import DeviceTrust
    from tiertwin.orchestrate.trustrules import TrustRules
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
    trust
        How devices are judged; None: all are believed.
    least
        Devices that a sum told upwards must be over.
    """

    def __init__(
        self,
        world: World,
        site: int,
        cost: F64 | None = None,
        rhythm: Rhythm | None = None,
        economy: Economy | None = None,
        trust: TrustRules | None = None,
        least: int = 0,
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
        self.trust = None if trust is None else _device_trust(world, site, trust)
        self.neighbours_load = 0.0  # told by the fog while the gateway is not believed
        self.row_of = told_rows(world.group_devices[site], least)
        self._told = self.row_of >= 0
        self._told_rows = np.unique(self.row_of[self._told]).astype(np.uint32)
        self.estimator = DemandEstimator(self.nominal, align=self._rhythm.align)
        self.demand = self.nominal.copy()
        self.sampled = np.zeros(self.groups, dtype=np.int64)  # newest sample of each group, ns
        self.newest_ns = 0
        self.blind = False
        self.uplink = float(world.uplink_site_mbps[site])
        self.below = gateway_layout(world, site) if economy is None else economy.layout(world, site)
        """Rows of the gateway's table."""
        self.server = OwnServer(site, [self.below])

    def observe(self, table: _core.StateTable, now: int, age_ms: int | None = None) -> F64:
        """Estimate the coming epoch's demand, tasks/s [G]; `age_ms`: of what a gateway knows that tells what moved."""
        if age_ms is not None and self.told is not None:
            return self._observe_moved(self.told, table, now, age_ms)
        times = table.times(A.TASK_RATE)[: len(self.group_of)]
        np.maximum.at(self.sampled, self.group_of, times)
        since = now - OLDEST_SAMPLE
        self.newest_ns = int(times.max(initial=0))
        measured, covered = self._measured(table, since)
        if self._grouped:
            self._count(table, table.times(A.USERS)[: len(self.group_of)] > since)
        self.estimator.update(measured, covered)
        self.demand = self.estimator.predict(self._ahead(times, since, now))
        return self.demand

    def doubt(self, load: float) -> None:
        """The fog does not believe the gateway: go by the `load` of the other sites; 0: it believes it again."""
        self.neighbours_load = load

    def _measured(self, table: _core.StateTable, since: int) -> tuple[F64, F64]:
        """Tasks/s by group and the share of members they are of; of a gateway in doubt what its neighbours make."""
        if self.trust is not None:
            rates, heard = self.trust.judge(table, since)
            measured, covered = heard_rates(rates, heard, self.group_of, self.groups)
        else:
            measured, covered = group_rates(table, self.group_of, self.groups, since)
        if self.neighbours_load > 0.0:
            return self.nominal * self.neighbours_load, np.ones(self.groups)
        return measured, covered

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
        users = table.column(A.USERS)[rows]
        if isinstance(self.trust, GroupTrust):
            users, believed = self.trust.users(users)
            heard = heard & believed
        self.crowd.update(users, table.column(A.RADIO_MBPS)[rows], heard)
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
            self.world,
            self.site,
            rates,
            cost=self._cost,
            uplink_mbps=self.uplink,
            radio=radio,
            server_up=self.server.up,
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

    def told_demand(self) -> tuple[npt.NDArray[np.uint32], F64]:
        """Return the rows of the uplink table that have groups, and the demand told in each, tasks/s."""
        sums = np.bincount(self.row_of[self._told], weights=self.demand[self._told], minlength=self.groups)
        return self._told_rows, np.ascontiguousarray(sums[self._told_rows], dtype=np.float64)

    def set_points(self, problem: LeafProblem, x: F64, quota: F64) -> units.Cells3:
        """What the gateway gets to execute of the plan `x`: shares of devices and of classes."""
        return units.setpoint_cells(self.shares(x), self.split(problem, x, quota))


def told_rows(devices: npt.NDArray[np.int64], least: int) -> npt.NDArray[np.int64]:
    """Return in which row of the uplink table each group is summed up, [C·R]; −1: in none.

    Parameters
    ----------
    devices
        Of each group, [C, R].
    least
        Devices that a row must have: rings of a class are merged, from the first on, until they do; what is left over
        goes to the last row that has. A class of fewer devices is not told.
    """
    row_of = np.arange(devices.size, dtype=np.int64).reshape(devices.shape)
    if least <= 1:
        return row_of.ravel()
    for c, rings in enumerate(devices):
        begun, held, closed = 0, 0, -1
        for r, count in enumerate(rings.tolist()):
            held += count
            if held >= least:
                closed = c * devices.shape[1] + begun
                row_of[c, begun : r + 1] = closed
                begun, held = r + 1, 0
        row_of[c, begun:] = closed
    return row_of.ravel()


def summarise_site(twin: Twin, summary: Summary, rest: PassThrough, now: int) -> None:
    """Bring an edge's uplink table up to date: groups merged, servers and links passed on."""
    below, above = _tables(twin)
    summary.update(twin, below, above, now)
    rest.carry(below, above)


def estimate_site(twin: Twin, view: SiteView, epoch: int, now: int) -> list[Effect]:
    """Observe and estimate the demand of the coming epoch (epoch 0: nominal), and say it upwards."""
    below, above = _tables(twin)
    if epoch > 0:
        view.server.observe([below])
        view.observe(below, now, None if view.economy is None else _told_age(twin, now))
    rows, demand = view.told_demand()
    above.set(A.DEMAND, rows, demand, now)
    judged = [] if view.trust is None else view.trust.take_records(epoch)
    return [*judged, *_sight(view, epoch, now)]


def _device_trust(world: World, site: int, rules: TrustRules) -> DeviceTrust | None:
    if world.grouped and rules.method != "evidence":
        return None  # rows are groups of users, who come and go: nothing is planned of a row
    if world.grouped:
        return GroupTrust(world, site, rules, site_row(site, gateway_layout(world, site)))
    from tiertwin.orchestrate.trust import DeviceTrust  # noqa: PLC0415  few trees have any

    return DeviceTrust(world, site, rules)


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
    above
        Layout of our table.
    """

    def __init__(self, view: SiteView, above: Layout) -> None:
        self._view, self._rows = view, (view.below.rows, above.rows)
        self._out = np.zeros(len(view.told_of), dtype=np.bool_)
        self._partition = self._parted()
        self._moved = view.economy is not None
        self._plan, self._sources = _summary_plan(view)
        self._members, self._groups = len(view.told_of), view.groups
        self._newest = -1

    def _parted(self) -> _core.Partition:
        """Which rows are summed up where; those in quarantine nowhere."""
        of_row = np.full(self._rows[0], -1, dtype=np.int64)
        of_row[: len(self._out)] = np.where(self._out, -1, self._view.row_of[self._view.told_of])
        return _core.Partition(of_row, self._rows[1])

    def update(self, twin: Twin, members: _core.StateTable, out: _core.StateTable, now: int) -> None:
        """Merge the member rows into the group rows of `out` if anything new came."""
        if self._view.trust is not None and (self._view.trust.out != self._out).any():
            self._out = self._view.trust.out.copy()
            self._partition = self._parted()
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
