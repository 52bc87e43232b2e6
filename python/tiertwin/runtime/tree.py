"""Builds the nodes of a world: who neighbours whom, which tables stand between them, which policy each runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.allocate.messages import LOWER, UPPER
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate import units
from tiertwin.orchestrate.asking import subscription_attributes
from tiertwin.orchestrate.gateway import GatewayController
from tiertwin.orchestrate.plantside import PlantSideController
from tiertwin.orchestrate.site import SiteInventory
from tiertwin.orchestrate.telling import Telling
from tiertwin.plant import PlantOptions, SimulatedPlant
from tiertwin.runtime.host import ORIGIN, Host
from tiertwin.runtime.roster import PLANT, Node, Roster
from tiertwin.runtime.southbound import Southbound
from tiertwin.twin.attributes import (
    BASE_STATION,
    COUNTERS,
    CROWD,
    RESOURCES,
    SENSORS,
    SUMMARY,
    TELEMETRY,
    WEATHER,
    A,
    TableId,
    registry,
)
from tiertwin.twin.layout import Layout, edge_layout, fog_layout, gateway_layout
from tiertwin.twin.twin import Controller, NeighbourSpec, TableShape, Twin, TwinConfig
from tiertwin.wire.memory import MemoryNetwork
from tiertwin.world.shares import narrowest_links

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tiertwin.orchestrate.economy import Economy
    from tiertwin.orchestrate.rhythm import Rhythm
    from tiertwin.orchestrate.trustrules import TrustRules
    from tiertwin.orchestrate.watchrules import AssuranceRules
    from tiertwin.runtime.deciding import Deciding
    from tiertwin.runtime.host import Solver
    from tiertwin.twin.privacy import Border, PrivacyRules
    from tiertwin.world import World
    from tiertwin.world.world import TwinSpec

DEVICE, EDGE, FOG, CLOUD = 0, 1, 2, 3
TASK_TIERS = 4
_PURPOSE_STREAM = 0x73747265  # "stre"


@dataclass(frozen=True)
class Life:
    """What distinguishes a node's lives under the real clock; in virtual time everything comes from the seed.

    Parameters
    ----------
    entropy
        Of its stream ids: another one each time.
    incarnation, terms
        From its state on disk.
    stream
        Id of its stream upwards, from its log; 0: it keeps none.
    """

    entropy: int
    incarnation: int
    terms: Mapping[str, int]
    stream: int = 0


def quota_components(tier: int) -> int:
    """Components of the quota vector of a twin of this tier: 3 at the edge, 1 at the fog (depth 3)."""
    return 2 * (CLOUD - tier) - 1


@dataclass(frozen=True)
class Settings:
    """What a host needs besides the world; plain values, so that they can be sent to another process.

    Parameters
    ----------
    seed
        Of the plant and of stream ids.
    policy
        Name of the policy the edges run.
    rhythm, report_ms
        When twins decide, and how often they report.
    leaf_solver
        ``auto``, ``kernel``, ``cvxpy`` or an installed allocator.
    master_solver
        One of `mastersolver.MASTER_SOLVERS`.
    plant
        Options of the simulated plant.
    economy
        What gateways tell if not everything.
    assurance
        How fogs and cloud watch their domains; None: nobody does.
    trust
        How twins judge what their children tell; None: all are believed.
    privacy
        Whose domains there are, and what may cross their borders; None: all is one owner's.
    """

    seed: int
    policy: str
    leaf_solver: str
    master_solver: str
    rhythm: Rhythm
    report_ms: int
    plant: PlantOptions
    economy: Economy | None = None
    assurance: AssuranceRules | None = None
    trust: TrustRules | None = None
    privacy: PrivacyRules | None = None


class TreeBuilder:
    """Makes the nodes of a world for one policy, all of them or those of one process.

    Parameters
    ----------
    world, roster
        Inventory, and who is in the tree.
    settings
        What they run and when.
    lives
        By node, under the real clock.
    """

    def __init__(
        self, world: World, roster: Roster, settings: Settings, lives: Mapping[str, Life] | None = None
    ) -> None:
        self._world, self._roster, self._settings, self._lives = world, roster, settings, lives
        self._economy, self._trust, self._privacy = settings.economy, settings.trust, settings.privacy
        self._resources = {*map(int, RESOURCES), *map(int, _sensors(world, settings.plant))}
        self._registry = registry() if self._privacy is None else registry(self._privacy.class_of)
        self._parents = {spec.name: spec.parent for spec in world.twins}
        self._children: dict[str, list[TwinSpec]] = {}
        for spec in world.twins:
            if spec.parent is not None:
                self._children.setdefault(spec.parent, []).append(spec)
        self._by_name = {spec.name: spec for spec in world.twins}
        self._deciding: Deciding | None = None
        self._narrowest = narrowest_links(world)

    def build(self, names: Iterable[str] | None = None) -> dict[str, Twin]:
        """Return the nodes called `names` (all of them by default), in roster order."""
        wanted = set(self._roster.names if names is None else names)
        return {name: self._node(node) for name, node in self._roster.nodes.items() if name in wanted}

    def _node(self, node: Node) -> Twin:
        if node.tier == PLANT:
            neighbours = [self._towards_gateway(node)]
            controller: Controller = self._plant_side(node)
        else:
            spec = self._by_name[node.name]
            neighbours, controller = self._neighbours(spec), self._controller(spec)
        if self._lives is None:
            config = TwinConfig(
                node.name, node.tier, self._streams(self._settings.seed, node, len(neighbours)), neighbours
            )
        else:
            life = self._lives[node.name]
            streams = self._streams(life.entropy, node, len(neighbours))
            if life.stream and neighbours[0].is_parent:
                streams[0] = life.stream
            config = TwinConfig(
                node.name,
                node.tier,
                streams,
                neighbours,
                incarnation=life.incarnation,
                virtual_clock=False,
                terms=life.terms,
                durable=life.stream != 0,
            )
        return Twin(config, controller, self._registry)

    def _streams(self, seed: int, node: Node, count: int) -> list[int]:
        words = _core.philox(seed, node.index, _PURPOSE_STREAM, 2 * count)
        return [1 + int(words[2 * i] * 2**31) * 2**31 + int(words[2 * i + 1] * 2**31) for i in range(count)]

    def _neighbours(self, spec: TwinSpec) -> list[NeighbourSpec]:
        found = [] if spec.parent is None else [self._towards_parent(spec)]
        if spec.tier == DEVICE:
            return [*found, *(self._towards_plant(side) for side in self._roster.children(spec.name))]
        return found + [self._towards_child(child) for child in self._children.get(spec.name, [])]

    # -- tables between neighbours -------------------------------------------------------------------------------------
    def _telemetry(self, site: int) -> TableShape:
        crowd = CROWD if self._world.grouped else ()
        attributes = sorted({*map(int, TELEMETRY), *map(int, crowd), *self._resources})
        return TableShape(TableId.TELEMETRY, attributes, gateway_layout(self._world, site).rows)

    def _told(self, site: int) -> TableShape:
        """What a gateway tells its edge."""
        economy = self._economy
        if economy is None:
            return self._telemetry(site)
        attributes = sorted({*economy.member_attributes(self._world), *self._resources})
        return TableShape(TableId.TELEMETRY, attributes, economy.layout(self._world, site).rows)

    def _subscription(self) -> list[TableShape]:
        if self._economy is None:
            return []
        return [TableShape(TableId.SUBSCRIPTION, subscription_attributes(quota_components(EDGE)), 1)]

    def layout(self, spec: TwinSpec) -> Layout:
        """Uplink layout of a twin below the root."""
        if spec.tier == DEVICE:
            if self._economy is not None:
                return self._economy.layout(self._world, spec.site)
            return gateway_layout(self._world, spec.site)
        return edge_layout(self._world, spec.site) if spec.tier == EDGE else fog_layout(self._world, spec.fog)

    def _uplink(self, spec: TwinSpec) -> TableShape:
        if spec.tier == DEVICE:
            return self._told(spec.site)
        crowd = (A.USERS_SUM,) if self._world.grouped else ()
        attributes = sorted({*map(int, SUMMARY), *map(int, crowd), *self._resources})
        if self._privacy is not None and self._border(spec) is not None:
            attributes = self._privacy.crossing(attributes)
        return TableShape(TableId.SUMMARY, attributes, self.layout(spec).rows)

    def _border(self, child: TwinSpec) -> Border | None:
        """What may cross between a twin and its parent; None: all."""
        if self._privacy is None or child.parent is None:
            return None
        return self._privacy.border(child.name, child.parent, self._parents)

    def _units(self, child: TwinSpec) -> tuple[list[TableShape], list[TableShape]]:
        """(up, down) unit tables between a child and its parent."""
        if child.tier == DEVICE:
            return [], [self._set_points(child.site), *self._subscription()]
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
        if child.tier == EDGE and self._economy is not None and self._economy.focus > 1.0:
            down.append(TableShape(TableId.SUBSCRIPTION, [int(A.WORTH_BYTES)], 1))
        if child.tier == EDGE and self._trust is not None:
            down.append(TableShape(TableId.TRUST, [int(A.NEIGHBOURS_LOAD)], 1))
        return up, down

    def _set_points(self, site: int) -> TableShape:
        rows = max(gateway_layout(self._world, site).members, len(self._world.class_names))
        return TableShape(TableId.BUDGET, units.setpoint_attributes(TASK_TIERS), rows)

    def _towards_gateway(self, node: Node) -> NeighbourSpec:
        assert node.parent is not None
        down = [self._set_points(node.site)]
        return NeighbourSpec(node.parent, True, table_out=self._telemetry(node.site), units_in=down)

    def _towards_plant(self, node: Node) -> NeighbourSpec:
        down = [self._set_points(node.site)]
        return NeighbourSpec(node.name, False, table_in=self._telemetry(node.site), units_out=down)

    def _towards_parent(self, spec: TwinSpec) -> NeighbourSpec:
        assert spec.parent is not None
        up, down = self._units(spec)
        return NeighbourSpec(
            spec.parent, True, table_out=self._uplink(spec), units_in=down, units_out=up, border=self._border(spec)
        )

    def _towards_child(self, child: TwinSpec) -> NeighbourSpec:
        up, down = self._units(child)
        moved = self._economy is not None and child.tier == DEVICE
        return NeighbourSpec(
            child.name,
            False,
            table_in=self._uplink(child),
            units_in=up,
            units_out=down,
            border=self._border(child),
            by_exception=moved,
        )

    def _least(self, spec: TwinSpec) -> int:
        """Members that a sum must be over for a twin's parent to be told; 0: any."""
        return 0 if self._privacy is None or self._border(spec) is None else self._privacy.least

    # -- policies ------------------------------------------------------------------------------------------------------
    def _controller(self, spec: TwinSpec) -> Controller:
        if spec.tier == DEVICE:
            (side,) = self._roster.children(spec.name)
            layout = gateway_layout(self._world, spec.site)
            return GatewayController(side.name, self._inventory(spec.site), layout, self._telling(spec.site))
        if self._deciding is None:
            from tiertwin.runtime.deciding import Deciding  # noqa: PLC0415  a process of gateways goes without (2 MB)

            self._deciding = Deciding(self._world, self._settings, self._children, self.layout, self._least)
        return self._deciding.controller(spec)

    def _plant_side(self, node: Node) -> PlantSideController:
        return PlantSideController(self._inventory(node.site))

    def _telling(self, site: int) -> Telling | None:
        if self._economy is None:
            return None
        return Telling(self._world, site, self._economy, [int(a) for a in self._told(site).attributes])

    def _inventory(self, site: int) -> SiteInventory:
        return SiteInventory.of(self._world, site, self._narrowest)


def make_host(world: World, settings: Settings, solver: Solver, names: Sequence[str] | None = None) -> Host:
    """Build the nodes called `names` (all by default) and their host; the plant too if its sides are among them."""
    roster = Roster(world)
    wanted = roster.names if names is None else list(names)
    network = MemoryNetwork(settings.seed)
    twins = make_twins(world, roster, settings, wanted)
    southbound = make_southbound(world, roster, settings, wanted, ORIGIN)
    return Host(roster, twins, network, solver, settings.report_ms, southbound)


def make_twins(
    world: World,
    roster: Roster,
    settings: Settings,
    names: Sequence[str],
    lives: Mapping[str, Life] | None = None,
) -> dict[str, Twin]:
    """Build the nodes called `names`, in roster order."""
    return TreeBuilder(world, roster, settings, lives).build(names)


def _sensors(world: World, plant: PlantOptions) -> list[A]:
    """Return the attributes of servers and links besides `RESOURCES` that the tables have."""
    return [
        *(SENSORS if plant.wear else ()),
        *(WEATHER if plant.weather else ()),
        *(BASE_STATION if world.grouped else ()),
        *(COUNTERS if plant.faults is not None else ()),
    ]


def make_southbound(
    world: World, roster: Roster, settings: Settings, names: Sequence[str], origin: int
) -> Southbound | None:
    """Make the plant if some of its sides are among `names`; its time is 0 at `origin` on the twins' clock (ns)."""
    if not any(roster.is_plant(name) for name in names):
        return None
    return Southbound(world, roster, set(names), SimulatedPlant(world, settings.seed, settings.plant), origin)


def master_shapes(roster: Roster) -> list[tuple[int, int, int, int, int]]:
    """Shapes (kind, N, J, O, K) of the master problems in a tree: what a solver compiles before it is needed."""
    shapes = set()
    for node in roster.nodes.values():
        if node.tier < Tier.FOG:
            continue
        children = len(roster.children(node.name))
        root = node.parent is None
        levels = quota_components(node.tier - 1)
        shapes |= {(kind, children, levels, 1 if root else 2, units.SLOTS) for kind in (UPPER, LOWER)}
    return sorted(shapes)
