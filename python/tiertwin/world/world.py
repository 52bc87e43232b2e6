"""The resolved world: a scenario turned into arrays, with nothing left to look up.

Everything here is what the network *is* (nodes, links, servers, devices, constants); nothing is what a twin
believes. `tiertwin.world.resolve` builds it, plants and twins read it, and nobody writes it: all arrays are
read-only, and a change of the network (`reroute`) is a new world.

Sizes used below: n nodes, m undirected links, S sites, F fogs, C service classes, R rings, N devices, E epochs a
day. The directed link ``2*l`` runs tail→head of link ``l``, ``2*l + 1`` head→tail. Group of (site, class, ring) is
``site*C*R + class*R + ring``; within a site ``G = C*R`` groups.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # a twin's process reads worlds but never imports pydantic
    from tiertwin.model.scenario import Scenario
    from tiertwin.world.access import Access

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

ARRIVALS = ("poisson", "onoff", "trace")  # arrival kind of a class is an index into this


@dataclass(frozen=True, slots=True)
class TwinSpec:
    """One twin of the roster.

    `place` is the node where it stands, `site` and `fog` the indices of its domain (-1 where it has none), `tier` a
    `tiertwin.model.tiers.Tier` as int.
    """

    name: str
    tier: int
    parent: str | None
    place: int
    site: int
    fog: int


@dataclass(frozen=True, slots=True)
class Objective:
    """Constants of the objective (docs/allocation.md), all in utils.

    The delay term of a resource with capacity C is ``D(y) = kappa·y/(C−y)`` with ``kappa = kappa0·C``, and at servers
    what waiting in M/M/c costs on top (`compute_kappa`); kappa0 is in utils/s per unit of capacity: per busy cell, per
    GHz, per Mb/s.
    """

    kappa0_radio: float
    kappa0_compute: float
    kappa0_link: float
    energy_utils_per_j: float
    device_j_per_gcycle_ghz2: float
    server_j_per_gcycle: float


@dataclass(frozen=True, eq=False, kw_only=True)
class World:
    """A scenario resolved into arrays; see the module for sizes and numbering. Read-only, safe from any thread."""

    scenario: Scenario | None
    """What was resolved; None in a process that only runs twins (`tiertwin.world.stored`)."""
    name: str
    source: str
    """What the numbers came from, in words (for reports and cards)."""

    # -- the network -------------------------------------------------------------------------------------------------
    node_names: tuple[str, ...]
    node_slugs: tuple[str, ...]
    """Node-name form (R40) of each topology name, unique."""
    lon: F64
    lat: F64
    """Degrees, [n]."""
    link_tail: I64
    link_head: I64
    """Node indices, [m]."""
    link_km: F64
    link_capacity_mbps: F64
    """Capacity of each direction, [m]."""
    link_owner: tuple[str, ...]
    """Twin that shares the link out: the lowest whose domain holds both ends, [m]."""
    background_mbps: F64
    """Daily-mean background load of each directed link, [2m]."""
    demand_tail: I64
    demand_head: I64
    demand_mbps: F64
    """The background matrix itself, daily mean, one row an ordered pair, [K]."""

    # -- the day -----------------------------------------------------------------------------------------------------
    profile_urban: F64
    profile_rural: F64
    """Multiplier of the task rates of urban/rural sites in epoch ``e mod E``, mean 1, [E]."""
    profile_background: F64
    """Multiplier of `background_mbps` and `demand_mbps`, mean 1, [E]."""

    # -- the hierarchy -----------------------------------------------------------------------------------------------
    twins: tuple[TwinSpec, ...]
    """Roster: cloud, fogs, edges, devices (gateways); the index is the node number on the wire."""
    site_node: I64
    site_fog: I64
    site_urban: Flags
    site_cores: I64
    """Edge servers: cores of `core_ghz`, [S]."""
    site_cells: I64
    """Radio cells of a site: its airtime capacity in s/s, [S]."""
    fog_node: I64
    fog_cores: I64
    cloud_node: int
    cloud_cores: int
    core_ghz: float
    node_fog: I64
    """Fog domain of every node, [n]."""

    # -- routes and their nominal shares -------------------------------------------------------------------------------
    route_site_links: tuple[I64, ...]
    """Directed links site → its fog in travel order; empty where the gateway stands at the site, [S]."""
    route_fog_links: tuple[I64, ...]
    """Directed links fog → cloud, [F]."""
    route_site_weight: F64
    route_fog_weight: F64
    """Weights by which the owner of a link splits it over the routes that cross it, [S], [F]."""
    route_site_km: F64
    route_fog_km: F64
    uplink_site_mbps: F64
    uplink_fog_mbps: F64
    """Smallest share on the route at mean background, [S], [F]; `lan_mbps` where the route is empty."""
    lan_mbps: float

    # -- service classes -----------------------------------------------------------------------------------------------
    class_names: tuple[str, ...]
    class_share: F64
    tasks_per_s: F64
    """Daily-mean task rate of one device; that of its trace where a class has one, [C]."""
    megabits: F64
    gcycles: F64
    deadline_s: F64
    alpha: F64
    b: F64
    """Utility weight of a class, utils per task, [C]."""
    s: F64
    """Utility lost per second of latency, utils per task and s, [C]."""
    transmit_w: F64
    """Radio transmit power of the class's devices, [C]."""
    arrival: I64
    """Index into `ARRIVALS`, [C]."""
    on_s: F64
    off_s: F64
    """Mean on and off times of on-off arrivals (0 elsewhere); the rate while on is tasks_per_s·(on+off)/on, [C]."""

    trace_s: tuple[F64, ...]
    """Times of a class's trace, s, ascending; empty where it has none, [C]."""
    trace_repeat_s: F64
    """After which it repeats, each device with a phase of its own; 0: played once, [C]."""

    # -- radio and devices ---------------------------------------------------------------------------------------------
    ring_rate_mbps: F64
    """Uplink rate of a ring while its device holds the cell, [R]."""
    device_site: I64
    device_class: I64
    device_ring: I64
    device_ghz: F64
    """One row a device, sorted by (site, class, ring), [N]."""
    device_rows: I64
    """Devices of site s are rows device_rows[s] : device_rows[s+1], [S+1]."""
    group_devices: I64
    """Devices of each group, [S, C, R]."""
    group_ghz: F64
    """Mean device clock of each group, GHz (class mean where a group is empty), [S, C, R]."""

    objective: Objective

    grouped: bool = False
    """Device rows are groups of users who come and go (`tiertwin.world.access`), one a group in group order."""
    access: Access | None = None
    """The users themselves and the cells among which they move: for the plant. Twins' processes go without."""

    def __post_init__(self) -> None:
        for field in fields(self):
            _freeze(getattr(self, field.name))

    def __deepcopy__(self, memo: dict[int, Any]) -> World:
        return self  # read-only: copies of what refers to it refer to it too

    @property
    def node_count(self) -> int:
        """Nodes of the topology."""
        return len(self.node_names)

    @property
    def link_count(self) -> int:
        """Undirected links."""
        return len(self.link_km)

    @property
    def site_count(self) -> int:
        """Edge sites."""
        return len(self.site_node)

    @property
    def fog_count(self) -> int:
        """Fog domains."""
        return len(self.fog_node)

    @property
    def device_count(self) -> int:
        """Devices of the whole world."""
        return len(self.device_site)

    @property
    def groups_per_site(self) -> int:
        """Groups of one site: classes times rings."""
        return len(self.class_names) * len(self.ring_rate_mbps)

    @property
    def epochs_per_day(self) -> int:
        """Length of the profiles; they repeat."""
        return len(self.profile_urban)

    def twin_index(self, name: str) -> int:
        """Return the node number of the twin `name`; raises KeyError."""
        for index, twin in enumerate(self.twins):
            if twin.name == name:
                return index
        raise KeyError(f"No twin {name!r} in world {self.name!r} of {len(self.twins)} twins")


def _freeze(value: Any) -> None:
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, tuple):
        for item in value:
            if isinstance(item, np.ndarray):
                item.setflags(write=False)
