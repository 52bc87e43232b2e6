"""Builds the twins of a world: who neighbours whom, which tables stand between them, which policy each runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.orchestrate import units
from tiertwin.orchestrate.alone import AloneController, Watcher, fixed_shares
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.gateway import GatewayController, SiteInventory
from tiertwin.orchestrate.inner import Domain, InnerController
from tiertwin.orchestrate.links import LinkShares
from tiertwin.orchestrate.policies import HIERARCHICAL, find_policy
from tiertwin.twin.attributes import RESOURCES, SUMMARY, TELEMETRY, TableId, registry
from tiertwin.twin.layout import Layout, edge_layout, fog_layout, gateway_layout
from tiertwin.twin.twin import Controller, NeighbourSpec, TableShape, Twin, TwinConfig
from tiertwin.world import node_resources, tier_costs
from tiertwin.world.shares import narrowest_links

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.orchestrate.rhythm import Rhythm
    from tiertwin.world import World
    from tiertwin.world.world import TwinSpec

DEVICE, EDGE, FOG, CLOUD = 0, 1, 2, 3
TASK_TIERS = 4
_PURPOSE_STREAM = 0x73747265  # "stre"


class TreeBuilder:
    """Makes every twin of a world for one policy.

    Parameters
    ----------
    world
        Inventory.
    policy
        Name of the policy the edges run.
    rhythm
        Control rhythm.
    solver
        Makes a leaf solver; each edge gets its own.
    seed
        Of the stream ids.
    """

    def __init__(self, world: World, policy: str, rhythm: Rhythm, solver: Callable[[], Any], seed: int) -> None:
        self._world, self._policy, self._rhythm, self._solver, self._seed = world, policy, rhythm, solver, seed
        self._registry = registry()
        self._children: dict[str, list[TwinSpec]] = {}
        for spec in world.twins:
            if spec.parent is not None:
                self._children.setdefault(spec.parent, []).append(spec)
        self._by_name = {spec.name: spec for spec in world.twins}
        self._shares = fixed_shares(world)
        self._cost = tier_costs(world)
        self._narrowest = narrowest_links(world)

    def build(self) -> dict[str, Twin]:
        """Return the twins by name, in roster order."""
        return {spec.name: self._twin(index, spec) for index, spec in enumerate(self._world.twins)}

    def _twin(self, index: int, spec: TwinSpec) -> Twin:
        neighbours = []
        if spec.parent is not None:
            neighbours.append(self._towards_parent(spec))
        neighbours += [self._towards_child(child) for child in self._children.get(spec.name, [])]
        words = _core.philox(self._seed, index, _PURPOSE_STREAM, 2 * len(neighbours))
        streams = [
            1 + int(words[2 * i] * 2**31) * 2**31 + int(words[2 * i + 1] * 2**31) for i in range(len(neighbours))
        ]
        config = TwinConfig(spec.name, spec.tier, streams, neighbours)
        return Twin(config, self._controller(spec), self._registry)

    # -- tables between neighbours -------------------------------------------------------------------------------------
    def _telemetry(self, site: int) -> TableShape:
        attributes = sorted({*map(int, TELEMETRY), *map(int, RESOURCES)})
        return TableShape(TableId.TELEMETRY, attributes, gateway_layout(self._world, site).rows)

    def layout(self, spec: TwinSpec) -> Layout:
        """Uplink layout of a twin below the root."""
        if spec.tier == DEVICE:
            return gateway_layout(self._world, spec.site)
        return edge_layout(self._world, spec.site) if spec.tier == EDGE else fog_layout(self._world, spec.fog)

    def _uplink(self, spec: TwinSpec) -> TableShape:
        if spec.tier == DEVICE:
            return self._telemetry(spec.site)
        attributes = sorted({*map(int, SUMMARY), *map(int, RESOURCES)})
        return TableShape(TableId.SUMMARY, attributes, self.layout(spec).rows)

    def _units(self, child: TwinSpec) -> tuple[list[TableShape], list[TableShape]]:
        """(up, down) unit tables between a child and its parent."""
        if child.tier == DEVICE:
            rows = max(gateway_layout(self._world, child.site).members, len(self._world.class_names))
            return [], [TableShape(TableId.BUDGET, units.setpoint_attributes(TASK_TIERS), rows)]
        quotas = quota_components(child.tier)
        up = [
            TableShape(TableId.CUT, units.cut_attributes(quotas), units.SLOTS),
            TableShape(TableId.POINT, units.point_attributes(quotas), units.POINT_ROWS),
        ]
        rows = 1 + len(self._children.get(child.name, [])) if child.tier == FOG else 1
        down = [
            TableShape(TableId.QUERY, units.query_attributes(quotas), 1),
            TableShape(TableId.BUDGET, units.budget_attributes(quotas), rows),
        ]
        return up, down

    def _towards_parent(self, spec: TwinSpec) -> NeighbourSpec:
        assert spec.parent is not None
        up, down = self._units(spec)
        return NeighbourSpec(spec.parent, True, table_out=self._uplink(spec), units_in=down, units_out=up)

    def _towards_child(self, child: TwinSpec) -> NeighbourSpec:
        up, down = self._units(child)
        return NeighbourSpec(child.name, False, table_in=self._uplink(child), units_in=up, units_out=down)

    # -- policies ------------------------------------------------------------------------------------------------------
    def _controller(self, spec: TwinSpec) -> Controller:
        world = self._world
        if spec.tier == DEVICE:
            return GatewayController(SiteInventory.of(world, spec.site, self._narrowest))
        if spec.tier == EDGE:
            return self._edge(spec)
        return self._inner(spec) if self._policy == HIERARCHICAL else Watcher()

    def _edge(self, spec: TwinSpec) -> Controller:
        assert spec.parent is not None
        gateway = self._children[spec.name][0].name
        if self._policy == HIERARCHICAL:
            return EdgeController(
                self._world, spec.site, self._rhythm, self._solver(), spec.parent, gateway, self._cost
            )
        policy = find_policy(self._policy)
        share = np.ascontiguousarray(self._shares[spec.site])
        return AloneController(self._world, spec.site, self._rhythm, self._solver(), policy, share, gateway, self._cost)

    def _inner(self, spec: TwinSpec) -> InnerController:
        return InnerController(self._domain(spec), LinkShares(self._world, spec.name), self._rhythm, spec.parent)

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
            layouts=[self.layout(child) for child in children],
            own_layout=None if root else self.layout(spec),
            server=sites + (world.fog_count if root else spec.fog),
            capacity_ghz=ghz,
            kappa=node_resources(world, spec.name)["compute"][1],
            uplink_mbps=0.0 if root else float(world.uplink_fog_mbps[spec.fog]),
            uplink_kappa0=world.objective.kappa0_link,
            own_route=-1 if root else sites + spec.fog,
            lan_mbps=float(world.lan_mbps),
            levels=quota_components(children[0].tier),
            classes=len(world.class_names),
        )


def quota_components(tier: int) -> int:
    """Components of the quota vector of a twin of this tier: 3 at the edge, 1 at the fog (depth 3)."""
    return 2 * (CLOUD - tier) - 1
