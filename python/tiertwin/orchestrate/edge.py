"""The leaf of the decision tree: an edge twin that owns groups and answers for what more quota is worth to it.

    observe    task rates of the devices, by group
    estimate   demand of the coming epoch
    propose    cuts and points to the parent (unsolicited refresh, then answers to queries)
    allocate   inside the granted quota, by the kernel or cvxpy
    guard      the new plan must not be predicted worse than the standing one
    decide     set-points of devices and service classes, leased to the gateway

A query is answered, never obeyed; only a leased budget changes what is in force.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.bounds import leaf_worth
from tiertwin.allocate.leaf import LeafAnswer, LeafProblem
from tiertwin.allocate.leafside import LeafSide, carry_over
from tiertwin.orchestrate import units
from tiertwin.orchestrate.asking import Asking
from tiertwin.orchestrate.observe import PassThrough
from tiertwin.orchestrate.rhythm import MILLISECOND, Rhythm
from tiertwin.orchestrate.siteview import SiteView, Summary, estimate_site, summarise_site
from tiertwin.twin.attributes import A, TableId
from tiertwin.twin.effects import Effect, Record, SetTimer
from tiertwin.twin.layout import edge_layout
from tiertwin.twin.lease import NO_LEASE, Lease

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.orchestrate.trustrules import TrustRules
    from tiertwin.twin.events import Solved, TimerFired
    from tiertwin.twin.twin import Twin, Unit
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

CHECKER = 1e-6  # relative violation the checker forgives
GUARD_TOLERANCE = 1e-9  # of S: a plan this much worse is a rounding, not a loss


@dataclass
class Tally:
    """What an edge counts over a run."""

    steps: dict[int, int]
    guarded: int = 0
    local_epochs: int = 0
    queries: int = 0


class EdgeController:
    """Policy of an edge twin in the hierarchical scheme.

    Parameters
    ----------
    world, site
        Inventory and the site's index.
    rhythm
        When to decide and how long to wait.
    solver
        ``solve_quota(problem, r)`` and ``solve_price(problem, g)``.
    parent, gateway
        Names of the neighbours.
    cost
        ``tier_costs(world)``, if at hand.
    economy
        What the gateway tells if not everything.
    trust
        How devices are judged; None: all are believed.
    least
        Devices that a sum told upwards must be over.
    """

    under_tree = True

    def __init__(
        self,
        world: World,
        site: int,
        rhythm: Rhythm,
        solver: Any,
        parent: str,
        gateway: str,
        cost: F64 | None = None,
        economy: Economy | None = None,
        trust: TrustRules | None = None,
        least: int = 0,
    ) -> None:
        self.view = SiteView(world, site, cost, rhythm, economy, trust, least)
        self._rhythm = rhythm
        self._solver = solver
        self._parent, self._gateway = parent, gateway
        above = edge_layout(world, site)
        self.server = self.view.server
        self._pass = PassThrough(self.view.below, above)
        self._summary = Summary(self.view, above)
        self.asking = None if economy is None else Asking(self.view, economy, gateway)
        self.leaf: LeafSide | None = None
        self.problem: LeafProblem | None = None
        self.plan: LeafAnswer | None = None
        self._planned_on: LeafProblem | None = None
        self.quota: F64 | None = None
        self.lease: Lease = NO_LEASE
        self.version = 0
        self.local_policy = True
        self.decided = -1
        self.tally = Tally(steps={})

    # -- observe, estimate, propose ------------------------------------------------------------------------------------
    def summarise(self, twin: Twin, now: int) -> None:
        summarise_site(twin, self._summary, self._pass, now)

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        if not self._rhythm.decides(twin.tier, epoch):
            return []
        if epoch > 0:
            self.tally.local_epochs += self.local_policy  # the epoch that has just ended
        effects = estimate_site(twin, self.view, epoch, now)
        self.problem = self.view.problem()
        self.version = epoch + 1  # one data version an epoch, the same number all over the tree
        effects += self._say(twin, self._refreshed(), units.Stamp(epoch, 0), now)
        if not self.lease.holds(now) or not self._rhythm.decides(twin.tier + 1, epoch):
            effects += self._decide(twin, epoch, now)  # nobody to wait for: the start, a silent or a slower parent
        if not self._rhythm.decides(twin.tier + 1, epoch):
            return effects
        return [*effects, SetTimer("budget", epoch, now + self._rhythm.budget_ms * MILLISECOND)]

    def _refreshed(self) -> Any:
        assert self.problem is not None
        if self.leaf is None:
            self.leaf = LeafSide(self.problem, self.version, self._solver, slots=units.SLOTS)
            return self.leaf.hello()
        return self.leaf.refresh(self.problem, self.version)

    def _say(self, twin: Twin, said: Any, stamp: units.Stamp, now: int) -> list[Effect]:
        effects = twin.send_unit(self._parent, TableId.CUT, units.cut_cells(said, stamp), now)
        return effects + twin.send_unit(self._parent, TableId.POINT, units.point_cells(said, stamp), now)

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        if unit.table == TableId.QUERY:
            return self._answer(twin, unit, now)
        if unit.table == TableId.BUDGET and unit.lease is not None and self.problem is not None:
            return self._obey(twin, unit, now)
        if unit.table == TableId.TRUST:
            self.view.doubt(units.single(unit.cells, int(A.NEIGHBOURS_LOAD)))
            return []
        if unit.table == TableId.SUBSCRIPTION and self.asking is not None:
            return self.asking.attend(twin, units.single(unit.cells, int(A.WORTH_BYTES)), now)
        return []

    def _answer(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        stamp = units.stamp_of(TableId.QUERY, unit.cells)
        if self.leaf is None or self.problem is None or stamp.epoch != twin.epoch:
            return []  # of an epoch gone by: the answer would carry other data
        self.tally.queries += 1
        said = self.leaf.answer(units.query_of(unit.cells, self.problem.quotas))
        return self._say(twin, said, stamp, now)

    # -- allocate, guard, decide ---------------------------------------------------------------------------------------
    def _obey(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        assert unit.lease is not None
        assert self.problem is not None
        quota, uplink = units.budget_of(unit.cells, self.problem.quotas, 1)
        if not unit.lease.is_newer_than(self.lease) or not unit.lease.holds(now):
            return [Record("refused", twin.epoch, {"lease": unit.lease.epoch, "held": self.lease.epoch})]
        self.lease = unit.lease
        self.quota = quota
        effects = self._decide(twin, twin.epoch, now)
        self.view.uplink = float(uplink[0])  # in force with the next data version
        return effects

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        if event.name != "budget" or event.epoch != twin.epoch or self.decided >= event.epoch:
            return []
        return [Record("timeout", event.epoch, {"name": "budget"}), *self._decide(twin, event.epoch, now)]

    def _decide(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        assert self.leaf is not None
        assert self.problem is not None
        effects: list[Effect] = []
        under_lease = self.quota is not None and self.lease.holds(now)
        if under_lease == self.local_policy:  # changed sides
            self.local_policy = not under_lease
            if epoch > 0:
                what = "local_policy" if self.local_policy else "under_lease"
                effects.append(Record(what, epoch, {"lease": self.lease.epoch}))
        quota = self.quota if under_lease and self.quota is not None else np.zeros(self.problem.quotas)
        answer = self.leaf.commit(quota)
        self.tally.steps[answer.step] = self.tally.steps.get(answer.step, 0) + 1
        self.plan = self._guard(answer, quota)
        self._planned_on = self.problem
        self.decided = epoch
        effects.append(
            Record("decision", epoch, {"value": self.plan.value, "step": self.plan.step, "quota": quota.tolist()})
        )
        effects += self._lease_to_gateway(twin, epoch, quota, now)
        if self.asking is not None:
            effects += self.asking.review(twin, epoch, self.plan.quota_price, now)
        return effects

    def _guard(self, answer: LeafAnswer, quota: F64) -> LeafAnswer:
        """Keep the standing plan when it is worth more on the new data and still allowed."""
        assert self.problem is not None
        if self.plan is None or self._planned_on is None:
            return answer
        x = carry_over(self._planned_on, self.problem, self.plan.x, quota)
        standing = leaf_worth(self.problem, x)
        if standing.violation > CHECKER or standing.value <= answer.value + GUARD_TOLERANCE * max(answer.scale, 1.0):
            return answer
        self.tally.guarded += 1
        return replace(
            answer,
            x=x,
            value=standing.value,
            scale=standing.scale,
            use=standing.use,
            own_load=standing.own_load,
            step=7,
        )

    def _lease_to_gateway(self, twin: Twin, epoch: int, quota: F64, now: int) -> list[Effect]:
        assert self.plan is not None
        assert self.problem is not None
        cells = self.view.set_points(self.problem, self.plan.x, quota)
        lease = self._rhythm.lease_terms(twin, self.version, epoch, now, self.plan.step)
        return twin.send_unit(self._gateway, TableId.BUDGET, cells, now, lease)

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        return []

    def fork(self) -> EdgeController:
        return copy.deepcopy(self)
