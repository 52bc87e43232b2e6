"""An edge twin under a policy that needs no word from above, and inner twins that only watch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.bounds import leaf_worth
from tiertwin.allocate.leaf import LeafAnswer, LeafProblem
from tiertwin.allocate.leafside import carry_over
from tiertwin.allocate.split import ClassShares
from tiertwin.orchestrate.asking import Asking
from tiertwin.orchestrate.edge import Tally
from tiertwin.orchestrate.observe import PassThrough
from tiertwin.orchestrate.policies import Policy, SiteInputs
from tiertwin.orchestrate.siteview import SiteView, Summary, estimate_site, summarise_site
from tiertwin.orchestrate.units import setpoint_cells
from tiertwin.twin.attributes import TableId
from tiertwin.twin.effects import Effect, Record
from tiertwin.twin.layout import edge_layout

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.orchestrate.rhythm import Rhythm
    from tiertwin.orchestrate.trustrules import TrustRules
    from tiertwin.twin.events import Solved, TimerFired
    from tiertwin.twin.twin import Twin, Unit
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]


class AloneController:
    """Edge twin whose policy plans the site from its own estimate and a fixed share of the upper tiers.

    Parameters
    ----------
    world, site
        Inventory and the site's index.
    rhythm
        When to decide.
    solver
        Leaf solver given to the policy.
    policy
        What to do.
    share
        Fixed part of the upper tiers [J].
    gateway
        Name of the device gateway.
    cost
        ``tier_costs(world)``, if at hand.
    economy
        What the gateway tells if not everything.
    trust
        How devices are judged; None: all are believed.
    least
        Devices that a sum told upwards must be over.
    """

    under_tree = False

    def __init__(
        self,
        world: World,
        site: int,
        rhythm: Rhythm,
        solver: Any,
        policy: Policy,
        share: F64,
        gateway: str,
        cost: F64 | None = None,
        economy: Economy | None = None,
        trust: TrustRules | None = None,
        least: int = 0,
    ) -> None:
        self.view = SiteView(world, site, cost, rhythm, economy, trust, least)
        self._rhythm, self._solver, self._policy, self._gateway = rhythm, solver, policy, gateway
        self._share = share
        above = edge_layout(world, site)
        self.server = self.view.server
        self._pass = PassThrough(self.view.below, above)
        self._summary = Summary(self.view, above)
        self.asking = None if economy is None else Asking(self.view, economy, gateway)
        self._nominal = self.view.problem(self.view.nominal)
        self.problem: LeafProblem | None = None
        self.plan: LeafAnswer | None = None
        self.tally = Tally(steps={})
        self.version = 0

    def summarise(self, twin: Twin, now: int) -> None:
        summarise_site(twin, self._summary, self._pass, now)

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        if not self._rhythm.decides(twin.tier, epoch):
            return []
        effects = estimate_site(twin, self.view, epoch, now)
        self.problem = self.view.problem()
        self.version += 1
        inputs = SiteInputs(self.problem, self._nominal, self._share, self._solver)
        proposed = self._policy.plan(inputs)
        x = carry_over(self.problem, self.problem, np.ascontiguousarray(proposed), self._share)
        worth = leaf_worth(self.problem, x)
        none = np.zeros(0)
        self.plan = LeafAnswer(x, worth.value, worth.scale, worth.use, worth.own_load, none, none, np.inf)
        cells = setpoint_cells(self.view.shares(x), self._split(self.problem, x))
        lease = self._rhythm.lease_terms(twin, self.version, epoch, now)
        effects.append(Record("decision", epoch, {"value": self.plan.value}))
        effects += twin.send_unit(self._gateway, TableId.BUDGET, cells, now, lease)
        if self.asking is not None:
            effects += self.asking.review(twin, epoch, self.plan.quota_price, now)
        return effects

    def _split(self, problem: LeafProblem, x: F64) -> ClassShares:
        if getattr(self._policy, "splits", True):
            return self.view.split(problem, x, self._share)
        servers = problem.tiers - 1
        return ClassShares.equal(servers, servers - 1, self.view.classes)

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        return []

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        return []

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        return []

    def fork(self) -> AloneController:
        return copy.deepcopy(self)


class Watcher:
    """An inner twin that keeps its tables and decides nothing."""

    def summarise(self, twin: Twin, now: int) -> None:
        """Nothing goes on upwards: no one above decides."""

    def began(self, twin: Twin, epoch: int, now: int) -> list[Effect]:
        return []

    def told(self, twin: Twin, unit: Unit, now: int) -> list[Effect]:
        return []

    def solved(self, twin: Twin, event: Solved, now: int) -> list[Effect]:
        return []

    def timed_out(self, twin: Twin, event: TimerFired, now: int) -> list[Effect]:
        return []

    def fork(self) -> Watcher:
        return Watcher()


def fixed_shares(world: World) -> F64:
    """Each site's fixed part of the upper tiers in proportion to its nominal compute demand, [S, J].

    Components as in the quota vector: fog compute GHz, fog uplink Mb/s, cloud compute GHz.
    """
    sites, rings = world.site_count, len(world.ring_rate_mbps)
    rate = world.group_devices.reshape(sites, -1) * np.repeat(world.tasks_per_s, rings)[None, :]
    ghz = rate @ np.repeat(world.gcycles, rings)
    in_fog = np.bincount(world.site_fog, weights=ghz, minlength=world.fog_count)[world.site_fog]
    part = ghz / np.maximum(in_fog, 1e-12)
    fog = part * world.fog_cores[world.site_fog] * world.core_ghz
    uplink = part * world.uplink_fog_mbps[world.site_fog]
    cloud = ghz / max(float(ghz.sum()), 1e-12) * world.cloud_cores * world.core_ghz
    return 0.95 * np.column_stack([fog, uplink, cloud])
