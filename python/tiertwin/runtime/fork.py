"""A twin of a finished or running in-process run, as the user holds it: look at it, fork it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError
from tiertwin.model.scenario import Policy
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.belief import Belief, EdgeBelief, servers_of
from tiertwin.orchestrate.fork import Fork
from tiertwin.orchestrate.inner import InnerController

if TYPE_CHECKING:
    from tiertwin.runtime.inprocess import InProcessRun


class DomainTwin:
    """One twin with everything below it.

    Parameters
    ----------
    run
        The run it lives in.
    name
        Its name, e.g. ``fog-1``, ``edge-ulm``, ``cloud-1``.
    faithful
        What plays a fork's interventions in the plant, if anything does.
    """

    def __init__(self, run: InProcessRun, name: str, faithful: Any = None) -> None:
        self._run = run
        self.name = name
        self._faithful = faithful

    def fork(self) -> Fork:
        """Return an independent copy of the domain: tables are shared until written, models made when asked for."""
        run = self._run
        policy = Policy() if run.world.scenario is None else run.world.scenario.policy
        solvers = leaf_solver(policy.leaf_solver), master_solver(policy.master_solver)
        return Fork(self.belief(), self._tables(), *solvers, faithful=self._faithful)

    def belief(self) -> Belief:
        """Return what the domain's twins believe now.

        Raises
        ------
        InputError
            The twin decides nothing (a gateway), or nothing has been decided yet.
        """
        world, names = self._run.world, set(self._below(self.name))
        tier = world.twins[world.twin_index(self.name)].tier
        if tier == Tier.DEVICE:
            raise InputError(f"fork: devices decide nothing, so {self.name!r} has no domain; fork their edge twin")
        edges = tuple(self._edge(t.name, t.site) for t in world.twins if t.tier == Tier.EDGE and t.name in names)
        uplink, server = np.array(world.uplink_fog_mbps), servers_of(world)
        background, capacity, up = self._links()
        server[self._servers_down()] = 0.0
        for twin in world.twins:
            controller = self._run.twins[twin.name].controller
            if twin.tier != Tier.FOG or not isinstance(controller, InnerController):
                continue
            uplink[twin.fog] = controller.uplink_used
            if twin.name == self.name:
                granted = controller.quota
                share = server[-1] / world.fog_count if granted is None else float(granted[0])
                server[-1] = share
        if tier == Tier.EDGE:
            fog = int(world.site_fog[edges[0].site])
            server[world.site_count + fog], uplink[fog], server[-1] = (float(q) for q in edges[0].quota)
        outside = {Tier.CLOUD: frozenset[int](), Tier.FOG: frozenset({int(Tier.CLOUD)})}
        granted_tiers = outside.get(Tier(tier), frozenset({int(Tier.FOG), int(Tier.CLOUD)}))
        return Belief(world, self.name, edges, uplink, server, background, capacity, up, granted_tiers)

    def down(self) -> tuple[list[int], list[int]]:
        """Return the undirected links and the servers that twins plan without now, as they were told."""
        up = self._links()[2]
        return np.flatnonzero(~up).tolist(), self._servers_down()

    def _edge(self, name: str, site: int) -> EdgeBelief:
        controller: Any = self._run.twins[name].controller
        if controller.problem is None or controller.plan is None:
            raise InputError(f"fork: expected twins that have decided, but {name!r} has not yet; run an epoch first")
        quota = getattr(controller, "quota", None)
        if quota is None:  # no lease yet, or a policy without a tree: what its plan takes
            quota = np.einsum("jgt,gt->j", controller.problem.use_quota, controller.plan.x)
        view = controller.view
        now = float(controller.problem.demand.sum()) / max(float(view.nominal.sum()), 1e-12)
        errors = tuple(error / max(now, 1e-9) for error in view.estimator.errors)
        return EdgeBelief(name, site, controller.problem, controller.plan.x, quota, view.crowd.users.copy(), errors)

    def _servers_down(self) -> list[int]:
        """Servers that are down as the twins that plan for them were told."""
        controllers: list[Any] = [twin.controller for twin in self._run.twins.values()]
        known = [getattr(held, "server", None) for held in controllers]
        return [server.number for server in known if server is not None and not server.up]

    def _links(self) -> tuple[Any, Any, Any]:
        """Background [2m], capacity [m] and state [m] of links as their owners measured them, nominal elsewhere."""
        world = self._run.world
        background = np.array(world.background_mbps)
        capacity = np.repeat(world.link_capacity_mbps, 2)
        up = np.ones(2 * world.link_count, dtype=bool)
        for twin in self._run.twins.values():
            controller = twin.controller
            if isinstance(controller, InnerController):
                controller.links_believed(background, capacity, up)
        return background, capacity.reshape(-1, 2).min(axis=1), up.reshape(-1, 2).all(axis=1)

    def _tables(self) -> dict[str, Any]:
        held = {}
        for name in self._below(self.name):
            twin = self._run.twins[name]
            for child in twin.children:
                if child.table_in is not None:
                    held[f"{name}<{child.name}"] = child.table_in.fork()
        return held

    def _below(self, name: str) -> list[str]:
        names = [name]
        for child in self._run.twins[name].children:
            names += self._below(child.name)
        return names
