"""Fog and cloud: an inner node gathers what its children say, says the like to its parent, and passes budgets down.

One decision of the tree, seen from here (epoch e):

    children push cuts and points (round 0) → gathered in roster order → refresh → push to the parent
    parent asks (quota, price) → ask the children → gathered → answer the parent          any number of rounds
    parent commits a budget → commit inside it → budgets to the children, leased

The root has no parent: it compares its two bounds, asks for another round or commits. Master problems are handed to the
solver as ``StartSolve`` and come back as ``Solved``; while one is out, the node waits for that ticket and nothing else.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.hierarchy import Bounds, NodeSide
from tiertwin.errors import InputError, PeerError
from tiertwin.orchestrate import units
from tiertwin.orchestrate.gathering import Early, Gathering
from tiertwin.orchestrate.links import LinkShares, tells_links
from tiertwin.orchestrate.merging import Merging
from tiertwin.orchestrate.ownserver import OwnServer
from tiertwin.orchestrate.rhythm import MILLISECOND, Rhythm
from tiertwin.twin.attributes import A, TableId
from tiertwin.twin.effects import Effect, Record, SetTimer, StartSolve
from tiertwin.twin.lease import NO_LEASE, Lease
from tiertwin.world.objective import LEAST_GHZ, NO_UPLINK_MBPS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy.typing as npt

    from tiertwin.orchestrate.assurance import Assurance
    from tiertwin.orchestrate.attention import Attention
    from tiertwin.orchestrate.domain import Domain
    from tiertwin.orchestrate.sitetrust import SiteTrust
    from tiertwin.twin.events import Solved, TimerFired
    from tiertwin.twin.twin import Twin, Unit

    F64 = npt.NDArray[np.float64]


ROUNDS_KEPT = 1_000  # lines of the certificate a root can still be asked for


@dataclass
class Round:
    """One line of the certificate: what the root knew after a round."""

    epoch: int
    round: int
    bounds: Bounds


class InnerController:
    """Policy of a fog or cloud twin in the hierarchical scheme.

    Parameters
    ----------
    domain
        Children, resources and layouts.
    shares
        Splitter of the links this twin owns.
    rhythm
        When to decide and how long to wait.
    parent
        Name of the parent, None at the root.
    attention
        Of a fog: which of its sites may tell more than usual.
    assurance
        What watches the domain for faults.
    trust
        Of a fog: which of its sites it believes; None: all.
    """

    def __init__(
        self,
        domain: Domain,
        shares: LinkShares,
        rhythm: Rhythm,
        parent: str | None,
        attention: Attention | None = None,
        assurance: Assurance | None = None,
        trust: SiteTrust | None = None,
    ) -> None:
        self.attention, self.assurance, self.trust = attention, assurance, trust
        self.domain = domain
        self._shares = shares
        self._rhythm = rhythm
        self._parent = parent
        uplink = None if parent is None else (domain.uplink_mbps, domain.uplink_kappa0 * domain.uplink_mbps)
        self.node = NodeSide(
            list(domain.children), (domain.capacity_ghz, domain.kappa), uplink, domain.levels, slots=units.SLOTS
        )
        self._merging = Merging(domain)
        self.server = OwnServer(domain.server, domain.layouts)
        self._heard: set[str] = set()
        self.gathering = Gathering(domain.children)
        self._early = Early()
        self._job: Generator[Any, Any, Any] | None = None
        self._then: Callable[[Twin, Any, int], list[Effect]] | None = None
        self._ticket = 0
        self._query: Any = None
        self._introduced = False  # the first cuts and points of this life went to the parent
        self.lease: Lease = NO_LEASE
        self.quota: F64 | None = None
        self._received_uplinks: dict[int, float] = {}
        self.uplink = self.uplink_used = domain.uplink_mbps
        self.version = 0
        self.committed = -1
        self.rounds: deque[Round] = deque(maxlen=ROUNDS_KEPT)
        self.last_bounds: Bounds | None = None
        self.local_epochs = 0
        self.refused = 0

    @property
    def steps(self) -> dict[int, int]:
        """How often each step of the solver ladder gave the answer, so far."""
        return dict(self.node.ladder.counts)

    @property
    def parent(self) -> str | None:
        """Name of the parent, None at the root."""
        return self._parent

    @property
    def solving(self) -> int:
        """Ticket of the problems it waits for; 0: it waits for none."""
        return self._ticket if self._job is not None else 0

    def links_believed(self, background: F64, capacity: F64, up: npt.NDArray[np.bool_]) -> None:
        """Write what is believed of the own links into arrays of all directed links (`LinkShares.believed`)."""
        self._shares.believed(background, capacity, up)

    # -- observe -------------------------------------------------------------------------------------------------------
    def summarise(self, twin: Twin, now: int) -> None:
        parent = twin.parent
        if parent is None or parent.table_out is None:
            return
        self._merging.pass_on(twin, parent.table_out, now)

    def demand_by_class(self, twin: Twin) -> F64:
        """Demand below this twin as its children told it, tasks/s by service class."""
        demand: F64 = self._merging.by_class(twin, [A.DEMAND])[0]
        return demand

    def _observe_links(self, twin: Twin) -> None:
        for child, layout in zip(twin.children, self.domain.layouts, strict=True):
            table = child.table_in
            assert table is not None
            rows = layout.link_rows
            if len(rows) and tells_links(table):
                self._shares.observe(
                    layout.links,
                    table.column(A.BACKGROUND_MBPS)[rows],
                    table.column(A.CAPACITY_MBPS)[rows],
                    table.column(A.UP)[rows],
                )

    # -- the epoch -----------------------------------------------------------------------------------------------------
    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        return [*self._watch(twin, epoch, now), *self._begin(twin, epoch, now)]

    def _watch(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        """Look for faults, every base epoch."""
        if self.assurance is None:
            return []
        tables, live = [child.table_in for child in twin.children], [child.live for child in twin.children]
        return list(self.assurance.handle(now, epoch, tables, live))

    def _begin(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        if not self._rhythm.decides(twin.tier, epoch):
            return []
        self._observe_links(twin)
        self.server.observe([child.table_in for child in twin.children])
        self._job = self._then = None  # what is left of an earlier epoch is too late
        self.gathering = Gathering(self.domain.children, units.Stamp(epoch, 0))
        self._early.give(self.gathering)
        effects: list[Effect] = [SetTimer("gather", epoch, now + self._rhythm.gather_ms * MILLISECOND)]
        if self.attention is not None:
            effects += self.attention.review(twin, self.domain.layouts, epoch, now)
        if self.trust is not None:
            effects += self.trust.review(twin, self.domain.layouts, epoch, now)
        return effects + (self._proceed(twin, now) if self.gathering.complete else [])  # all began before us

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        if unit.table in (TableId.CUT, TableId.POINT):
            return self._hear(twin, unit, now)
        if unit.table == TableId.QUERY:
            return self._asked(twin, unit, now)
        if unit.table == TableId.BUDGET and unit.lease is not None:
            return self._granted(twin, unit, now)
        return []

    def _hear(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        stamp = units.stamp_of(unit.table, unit.cells)
        if not self._rhythm.decides(twin.tier, stamp.epoch):
            return []  # this tier looks at its children only when it decides
        if stamp == units.Stamp(twin.epoch + 1, 0):  # a child began the epoch before us
            self._early.hold(unit, stamp)
            return []
        taken = self.gathering.take(unit, stamp)
        return self._proceed(twin, now) if taken and self.gathering.complete and stamp.epoch == twin.epoch else []

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        held = self.gathering
        if event.name == "gather" and event.epoch == held.stamp.epoch and not held.done:
            effects: list[Effect] = [Record("timeout", event.epoch, {"name": "gather", "missing": held.missing})]
            return effects + self._proceed(twin, now)
        if event.name == "budget" and self.committed < event.epoch and event.epoch == twin.epoch:
            return [Record("timeout", event.epoch, {"name": "budget"}), *self._commit(twin, now)]
        return []

    def _proceed(self, twin: Twin, now: int) -> list[Effect]:
        for index, child, cuts, points in self.gathering.close():
            if self._learn(index, cuts, points):
                self._heard.add(child)
            else:
                self.refused += 1
        if len(self._heard) < len(self.domain.children):
            return []  # some child was never heard: without a cut there is no bound and no plan yet
        return self._propose(twin, now) if self.gathering.stamp.round == 0 else self._answered(twin, now)

    def _learn(self, index: int, cuts: Any, points: Any) -> bool:
        """Take what a child said; False when it is unusable, so that it counts as not said (stale)."""
        try:
            said = units.said_of(cuts, points, self.domain.levels)
            if said is None:
                return False
            self.node.learn(index, said)
        except (PeerError, InputError):
            return False
        return True

    def _propose(self, twin: Twin, now: int) -> list[Effect]:
        self.version = self.gathering.stamp.epoch + 1
        self._set_capacity(twin)
        if self._parent is None:
            self.node.begin(self.version)
            return self._judge(twin, now)
        job = self.node.refresh(self.version) if self._introduced else self.node.hello(self.version)
        return self._start(twin, job, self._push, now)

    def _set_capacity(self, twin: Twin) -> None:
        domain = self.domain
        self.uplink_used = self.uplink
        left = max(self.uplink, NO_UPLINK_MBPS)
        uplink = None if self._parent is None else (left, domain.uplink_kappa0 * left)
        compute = (domain.capacity_ghz, domain.kappa) if self.server.up else (LEAST_GHZ, 0.0)
        self.node.set_capacity(compute, uplink)

    def _push(self, twin: Twin, said: Any, now: int) -> list[Effect]:
        stamp = self.gathering.stamp
        assert self._parent is not None
        self._introduced = True
        effects = twin.send_unit(self._parent, TableId.CUT, units.cut_cells(said, stamp), now)
        effects += twin.send_unit(self._parent, TableId.POINT, units.point_cells(said, stamp), now)
        if stamp.round > 0:
            return effects
        if self._rhythm.decides(twin.tier + 1, stamp.epoch):
            wait = (self._rhythm.budget_ms - 100) * MILLISECOND
            return [*effects, SetTimer("budget", stamp.epoch, now + wait)]
        return effects + self._commit(twin, now)

    # -- rounds --------------------------------------------------------------------------------------------------------
    def _asked(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        stamp = units.stamp_of(TableId.QUERY, unit.cells)
        if stamp.epoch != twin.epoch or stamp.round <= self.gathering.stamp.round:
            return []
        if not self._introduced:
            return []  # meant for our last life: its models are gone, and those of this one are not made yet
        self._query = units.query_of(unit.cells, self.domain.levels - 2)
        self.gathering = Gathering(self.domain.children, stamp)
        return self._start(twin, self.node.descend(self._query), self._ask, now)

    def _ask(self, twin: Twin, queries: Any, now: int) -> list[Effect]:
        stamp = self.gathering.stamp
        effects: list[Effect] = []
        for child, query in zip(self.domain.children, queries, strict=True):
            effects += twin.send_unit(child, TableId.QUERY, units.query_cells(query, stamp), now)
        return [*effects, SetTimer("gather", stamp.epoch, now + self._rhythm.gather_ms * MILLISECOND)]

    def _answered(self, twin: Twin, now: int) -> list[Effect]:
        if self._parent is None:
            return self._judge(twin, now)
        return self._start(twin, self.node.answer(self._query), self._push, now)

    # -- the root ------------------------------------------------------------------------------------------------------
    def _judge(self, twin: Twin, now: int) -> list[Effect]:
        return self._start(twin, self.node.bounds(), self._judged, now)

    def _judged(self, twin: Twin, bounds: Bounds, now: int) -> list[Effect]:
        stamp = self.gathering.stamp
        self.last_bounds = bounds
        self.rounds.append(Round(stamp.epoch, stamp.round + 1, bounds))
        fields = {
            "round": stamp.round + 1,
            "ub": bounds.ub,
            "lb": bounds.lb,
            "scale": bounds.scale,
            "stale": bounds.stale,
        }
        effects: list[Effect] = [Record("bounds", stamp.epoch, fields)]
        cold = self.committed < 0
        most = self._rhythm.max_rounds_cold if cold else self._rhythm.max_rounds_warm
        target = self._rhythm.target_gap if cold else self._rhythm.warm_target_gap
        if bounds.gap <= target or stamp.round + 1 >= most:
            return effects + self._commit(twin, now)
        self.gathering = Gathering(self.domain.children, units.Stamp(stamp.epoch, stamp.round + 1))
        return effects + self._start(twin, self.node.descend(None), self._ask, now)

    # -- decide --------------------------------------------------------------------------------------------------------
    def _granted(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        assert unit.lease is not None
        quota, uplinks = units.budget_of(unit.cells, self.domain.levels - 2, len(self.domain.children) + 1)
        if not unit.lease.is_newer_than(self.lease) or not unit.lease.holds(now):
            self.refused += 1
            return [Record("refused", twin.epoch, {"lease": unit.lease.epoch, "held": self.lease.epoch})]
        self.lease = unit.lease
        self.quota = quota
        effects = self._commit(twin, now)
        self.uplink = float(uplinks[0])  # in force with the next data version
        self._received_uplinks = dict(enumerate(uplinks[1:]))
        return effects

    def _commit(self, twin: Twin, now: int) -> list[Effect]:
        quota = self.quota
        if self._parent is not None and (quota is None or not self.lease.holds(now)):
            self.local_epochs += 1
            quota = np.zeros(self.domain.levels - 2)
        if len(self._heard) < len(self.domain.children) or not (self._introduced or self._parent is None):
            return []
        return self._start(twin, self.node.commit(None if self._parent is None else quota), self._committed, now)

    def _committed(self, twin: Twin, quotas: F64, now: int) -> list[Effect]:
        epoch = twin.epoch
        self.committed = epoch
        site_up, fog_up = self._shares.shares()
        routes = np.concatenate([site_up, fog_up])
        lease = self._rhythm.lease_terms(twin, self.version, epoch, now)
        effects: list[Effect] = [Record("decision", epoch, {"quota": quotas.tolist()})]
        for index, child in enumerate(self.domain.children):
            own = min(routes[self.domain.child_routes[index]], self._received_uplinks.get(index, np.inf))
            below = routes[self.domain.grandchild_sites[index]] if self.domain.grandchild_sites else np.zeros(0)
            uplink = np.concatenate([[own], below])
            uplink[~np.isfinite(uplink)] = self.domain.lan_mbps
            quota = np.zeros((len(uplink), self.domain.levels))
            quota[0] = quotas[index]
            effects += twin.send_unit(child, TableId.BUDGET, units.budget_cells(quota, uplink), now, lease)
        return effects

    # -- jobs: a generator that yields master problems and gets their answers ------------------------------------------
    def _start(self, twin: Twin, job: Any, then: Callable[[Twin, Any, int], list[Effect]], now: int) -> list[Effect]:
        self._job, self._then = job, then
        return self._step(twin, None, now)

    def _step(self, twin: Twin, answers: Any, now: int) -> list[Effect]:
        assert self._job is not None
        assert self._then is not None
        try:
            requests = self._job.send(answers)
        except StopIteration as stop:
            then = self._then
            self._job = self._then = None
            return then(twin, stop.value, now)
        self._ticket += 1
        return [StartSolve(self._ticket, requests)]

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        if event.ticket != self._ticket or self._job is None:
            return []  # of a job given up
        return self._step(twin, list(event.answers), now)

    def fork(self) -> InnerController:
        job, self._job, then, self._then = (
            self._job,
            None,
            self._then,
            None,
        )  # generators cannot be copied: forks start idle
        try:
            return copy.deepcopy(self)
        finally:
            self._job, self._then = job, then
