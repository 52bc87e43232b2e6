"""Controllers of the twins that decide: edges, fogs, cloud. Apart from `tree`, since gateways need none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.orchestrate.alone import AloneController, Watcher, fixed_shares
from tiertwin.orchestrate.domain import Domain
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.inner import InnerController
from tiertwin.orchestrate.links import LinkShares
from tiertwin.orchestrate.policies import HIERARCHICAL, find_policy
from tiertwin.runtime.tree import CLOUD, EDGE, quota_components
from tiertwin.world import node_resources, tier_costs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from tiertwin.orchestrate.assurance import Assurance, Knowledge
    from tiertwin.orchestrate.attention import Attention
    from tiertwin.orchestrate.sitetrust import SiteTrust
    from tiertwin.runtime.tree import Settings
    from tiertwin.twin.layout import Layout
    from tiertwin.twin.twin import Controller
    from tiertwin.world import World
    from tiertwin.world.world import TwinSpec


class Deciding:
    """Makes the controller of each twin above the gateways.

    Parameters
    ----------
    world
        Inventory.
    settings
        What the edges run, when they decide, and the name of their leaf solver, of which each edge gets its own; what
        gateways tell, who watches, who is believed.
    children
        Of each twin by name, in roster order.
    layout
        Uplink layout of a twin below the root.
    least
        Members that a sum must be over for a twin's parent to be told.
    """

    def __init__(
        self,
        world: World,
        settings: Settings,
        children: Mapping[str, list[TwinSpec]],
        layout: Callable[[TwinSpec], Layout],
        least: Callable[[TwinSpec], int] = lambda spec: 0,
    ) -> None:
        self._world, self._children, self._layout, self._least = world, children, layout, least
        self._policy, self._rhythm, self._allocator = settings.policy, settings.rhythm, settings.leaf_solver
        self._economy, self._rules, self._trust = settings.economy, settings.assurance, settings.trust
        self._knowledge: Knowledge | None = None
        self._shares = fixed_shares(world)
        self._cost = tier_costs(world)

    def controller(self, spec: TwinSpec) -> Controller:
        """Return a new controller for one twin."""
        if spec.tier == EDGE:
            return self._edge(spec)
        return self._inner(spec) if self._policy == HIERARCHICAL else Watcher()

    def _edge(self, spec: TwinSpec) -> Controller:
        assert spec.parent is not None
        gateway = self._children[spec.name][0].name
        if self._policy == HIERARCHICAL:
            return EdgeController(
                self._world,
                spec.site,
                self._rhythm,
                leaf_solver(self._allocator),
                spec.parent,
                gateway,
                self._cost,
                self._economy,
                self._trust,
                self._least(spec),
            )
        policy = find_policy(self._policy)
        share = np.ascontiguousarray(self._shares[spec.site])
        return AloneController(
            self._world,
            spec.site,
            self._rhythm,
            leaf_solver(self._allocator),
            policy,
            share,
            gateway,
            self._cost,
            self._economy,
            self._trust,
            self._least(spec),
        )

    def _inner(self, spec: TwinSpec) -> InnerController:
        return InnerController(
            self._domain(spec),
            LinkShares(self._world, spec.name),
            self._rhythm,
            spec.parent,
            self._attention(spec),
            self._assurance(spec),
            self._site_trust(spec),
        )

    def _site_trust(self, spec: TwinSpec) -> SiteTrust | None:
        children = self._children[spec.name]
        if self._trust is None or self._trust.method != "evidence" or children[0].tier != EDGE:
            return None
        if self._world.grouped:
            return None  # users come and go: a gateway tells them itself, and no other site knows how many it has
        from tiertwin.orchestrate.sitetrust import SiteTrust  # noqa: PLC0415  few trees have any

        return SiteTrust(self._world, [child.site for child in children], self._trust)

    def _assurance(self, spec: TwinSpec) -> Assurance | None:
        if self._rules is None:
            return None
        from tiertwin.orchestrate.assurance import Assurance, Knowledge  # noqa: PLC0415  few trees have any

        if self._knowledge is None:
            self._knowledge = Knowledge.of(self._world, self._rules)
        children = self._children[spec.name]
        layouts, sites = [self._layout(child) for child in children], [child.site for child in children]
        return Assurance(self._world, spec.name, layouts, sites, self._rules, self._knowledge)

    def _attention(self, spec: TwinSpec) -> Attention | None:
        children = self._children[spec.name]
        if self._economy is None or self._economy.focus <= 1.0 or children[0].tier != EDGE:
            return None
        from tiertwin.orchestrate.attention import Attention  # noqa: PLC0415  few trees have any

        world, sites = self._world, [child.site for child in children]
        budget = np.array([self._economy.bytes_per_s(world, site) for site in sites])
        ghz = np.asarray(world.site_cores[sites] * world.core_ghz, dtype=np.float64)
        return Attention(world.gcycles, ghz, budget, self._economy.focus)

    def _domain(self, spec: TwinSpec) -> Domain:
        world, sites = self._world, self._world.site_count
        children = self._children[spec.name]
        root = spec.tier == CLOUD
        cores = world.cloud_cores if root else int(world.fog_cores[spec.fog])
        ghz = cores * world.core_ghz
        if root:
            routes = np.array([sites + child.fog for child in children], dtype=np.int64)
            below = [np.array([g.site for g in self._children[c.name]], dtype=np.int64) for c in children]
        else:
            routes = np.array([child.site for child in children], dtype=np.int64)
            below = []
        return Domain(
            children=[child.name for child in children],
            child_routes=routes,
            grandchild_sites=below,
            layouts=[self._layout(child) for child in children],
            own_layout=None if root else self._layout(spec),
            server=sites + (world.fog_count if root else spec.fog),
            capacity_ghz=ghz,
            kappa=node_resources(world, spec.name)["compute"][1],
            uplink_mbps=0.0 if root else float(world.uplink_fog_mbps[spec.fog]),
            uplink_kappa0=world.objective.kappa0_link,
            own_route=-1 if root else sites + spec.fog,
            lan_mbps=float(world.lan_mbps),
            levels=quota_components(children[0].tier),
            classes=len(world.class_names),
            told=self._told(spec),
        )

    def _told(self, spec: TwinSpec) -> npt.NDArray[np.bool_] | None:
        """Which service classes have members enough in a fog's domain to be told of across a border; None: all."""
        least = self._least(spec)
        if least <= 1:
            return None
        sites = [child.site for child in self._children[spec.name]]
        members: npt.NDArray[np.bool_] = self._world.group_devices[sites].sum(axis=(0, 2)) >= least
        return members
