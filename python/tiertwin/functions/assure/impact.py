"""What a cause costs while it lasts: users, classes, Gb/s and SLA minutes, after routes went around it.

A site's tasks need W_s Gcycles/s and B_s Mb/s of uplink. They are served where they can be, nearest first:

    at the site   L_s = min(W_s, cores·GHz)                                    0 where the server or node is down
    at its fog    up to the rest, no more than the share of its uplink carries,
                  and the fog's servers dealt to its sites by need
    in the cloud  what the fog could not take, over the fog's uplink, dealt likewise

    served_s = (L_s + at the fog + in the cloud)/W_s          0 where the access or the node is down: nobody is heard

and what is lost is what was served without the cause and is not with it: users, tasks and Mb/s of a site in that
proportion (all classes of a site alike). Background traffic (the demand matrix of the world) loses what has no path;
what has one gets, along a path of fewest hops, the smallest capacity/load on it, where that is below 1.
SLA minutes: users lost times the minutes until repair, as unavailability is counted (ITU-T Y.1540, 3GPP TS 28.554).

Where devices have processors of their own to fall back on (`devices`), they take what nobody else did, up to all of
their clocks: slower and late, but done. Where users move among cells (`handover`), those of a site that is not heard
are heard by others (`world.handover`), and are served as everybody there.

Ours: the order of serving, dealing by need, and that a class's own deadline is not looked at. Where a site stands at
its gateway, its uplink is `lan_mbps`. An answer is exact for these rules, not for a plant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.causes import Cause, Naming
from tiertwin.world.handover import moved
from tiertwin.world.paths import Net, route_back
from tiertwin.world.rerouting import reroute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]

ROUNDING = 1e-9


@dataclass(frozen=True)
class Degradation:
    """What a degradation leaves: capacity of a degraded link, and of a slow server, as a share; 0 … 1."""

    link: float = 0.5
    server: float = 0.4


@dataclass(frozen=True)
class Severities:
    """How bad degraded parts were measured to be.

    Parameters
    ----------
    capacity, loss
        Of undirected links: share of the capacity that is left, and of tasks that are lost; 0 … 1.
    speed
        Of servers (sites, fogs, cloud): share of the speed that is left; 0 … 1.
    """

    capacity: Mapping[int, float] = field(default_factory=dict)
    loss: Mapping[int, float] = field(default_factory=dict)
    speed: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def worst(cls, several: Iterable[Severities]) -> Severities:
        """Put together what several watchers measured; of one part the worst."""
        capacity, loss, speed = dict[int, float](), dict[int, float](), dict[int, float]()
        for one in several:
            for of_all, own in ((capacity, one.capacity), (speed, one.speed)):
                of_all |= {part: min(share, of_all.get(part, 1.0)) for part, share in own.items()}
            loss |= {part: max(share, loss.get(part, 0.0)) for part, share in one.loss.items()}
        return cls(capacity, loss, speed)


@dataclass(frozen=True, eq=False)
class Impact:
    """What a cause costs.

    Parameters
    ----------
    users
        Users who lose service, in whole users' worth of it (half of ten users' tasks: 5).
    users_touched
        Users of sites that lose any.
    by_class
        Users lost of each service class (slice), by name.
    tasks_per_s
        Tasks lost.
    task_gbps, background_gbps
        Traffic lost.
    sla_minutes
        User-minutes without service until repair.
    sites
        Names of sites that lose service, the most first.
    cut_off
        Names of sites that have no route to their fog any more, whether or not they can do without.
    rerouted
        Names of sites that go on over another route.
    lost
        Share of each site's service lost, [S].
    """

    users: float
    users_touched: float
    by_class: dict[str, float]
    tasks_per_s: float
    task_gbps: float
    background_gbps: float
    sla_minutes: float
    sites: tuple[str, ...]
    cut_off: tuple[str, ...]
    rerouted: tuple[str, ...]
    lost: F64

    @property
    def gbps(self) -> float:
        """Traffic lost altogether."""
        return self.task_gbps + self.background_gbps


@dataclass(frozen=True, eq=False)
class Broken:
    """What is left of a world's parts: flags of links and nodes that are gone, shares of capacity, sites not heard."""

    links: Flags
    nodes: Flags
    link_share: F64
    server_share: F64
    unheard: Flags

    @classmethod
    def of(cls, world: World, causes: tuple[Cause, ...], degraded: Degradation) -> Broken:
        """Return what these causes together leave."""
        names = Naming(world)
        links, nodes = np.zeros(world.link_count, bool), np.zeros(world.node_count, bool)
        width, speed = np.ones(world.link_count), np.ones(len(names.servers))
        unheard = np.zeros(world.site_count, bool)
        for cause in causes:
            nodes[list(cause.nodes)] = True
            if cause.hard:
                links[list(cause.links)] = True
            elif cause.kind == "degraded":
                width[list(cause.links)] = np.minimum(width[list(cause.links)], degraded.link)
            if cause.server >= 0:
                speed[cause.server] = min(speed[cause.server], degraded.server if cause.kind == "slow" else 0.0)
            if cause.site >= 0:
                unheard[cause.site] = True
        links |= nodes[world.link_tail] | nodes[world.link_head]
        speed[nodes[names.server_node]] = 0.0
        unheard |= nodes[world.site_node]
        return cls(links, nodes, width, speed, unheard)


class ImpactModel:
    """Impacts on one world at one load. Read-only, safe from any thread.

    Parameters
    ----------
    world
        The resolved world, as routed now.
    load
        Multiplier of all task rates, one or one a site: 1 is the daily mean.
    background
        Multiplier of the demand matrix.
    degraded
        What degradations leave.
    devices
        Devices do themselves what nobody else takes.
    handover
        Users of a site that is not heard are heard by others (`world.handover`); needs places of all nodes.
    """

    def __init__(
        self,
        world: World,
        load: float | F64 = 1.0,
        background: float = 1.0,
        degraded: Degradation | None = None,
        *,
        devices: bool = False,
        handover: bool = False,
    ) -> None:
        self._handover = handover
        own = (world.group_devices * world.group_ghz).sum(axis=(1, 2))
        self._own = own if devices else np.zeros(world.site_count)
        scale = np.broadcast_to(np.asarray(load, dtype=np.float64), (world.site_count,))
        if not (np.isfinite(scale).all() and scale.min() >= 0.0 and np.isfinite(background) and background >= 0.0):
            raise InputError("expected finite multipliers of at least 0", "impact")
        self._world, self._degraded = world, degraded or Degradation()
        self._demand = world.demand_mbps * background
        self.users = world.group_devices.sum(axis=-1).astype(np.float64)  # [S, C]
        tasks = self.users * world.tasks_per_s * scale[:, None]
        self._tasks, self._work = tasks.sum(axis=1), tasks @ world.gcycles
        self._bits = tasks @ world.megabits
        self._cores = np.concatenate([world.site_cores, world.fog_cores, [world.cloud_cores]]) * world.core_ghz
        self._names = Naming(world)
        self._moving = (self._work, self._bits, self._own)
        self._before = self.state()

    def state(self, *causes: Cause) -> tuple[F64, float, tuple[NDArray[np.int64], ...]]:
        """Return (share of each site's work served [S], background carried Mb/s, routes of sites) under the causes."""
        broken = Broken.of(self._world, causes, self._degraded)
        changed = reroute(self._world, broken.links) if broken.links.any() else self._world
        carried = carried_background(changed, broken, self._demand)
        return self._heard_and_served(changed, broken), carried, changed.route_site_links

    def impact(self, *causes: Cause, repair_s: float = 3600.0) -> Impact:
        """Return what the causes cost together until they are repaired, `repair_s` from now."""
        if not (np.isfinite(repair_s) and repair_s >= 0.0):
            raise InputError(f"expected finite seconds of at least 0, got {repair_s}", "repair_s")
        before, carried_before, routes_before = self._before
        after, carried, routes = self.state(*causes)
        lost = np.where(before - after > ROUNDING, before - after, 0.0)
        users = self.users * lost[:, None]
        worst = [s for s in np.argsort(-users.sum(axis=1), kind="stable") if lost[s] > 0.0]
        changed = [s for s in range(len(lost)) if not np.array_equal(routes[s], routes_before[s])]
        return Impact(
            users=float(users.sum()),
            users_touched=float(self.users[lost > 0.0].sum()),
            by_class=dict(zip(self._world.class_names, users.sum(axis=0).tolist(), strict=True)),
            tasks_per_s=float(self._tasks @ lost),
            task_gbps=float(self._bits @ lost) / 1e3,
            background_gbps=max(carried_before - carried, 0.0) / 1e3,
            sla_minutes=float(users.sum()) * repair_s / 60.0,
            sites=tuple(self._names.site(int(s)) for s in worst),
            cut_off=tuple(self._names.site(s) for s in changed if not len(routes[s])),
            rerouted=tuple(self._names.site(s) for s in changed if len(routes[s])),
            lost=lost,
        )

    def _heard_and_served(self, world: World, broken: Broken) -> F64:
        """Return the share of the work of each site's users that is served, wherever they are, [S]."""
        unheard = broken.unheard
        if not self._handover or not unheard.any() or unheard.all():
            return np.where(unheard, 0.0, self._served(world, broken, self._work, self._bits, self._own))
        heard_at = moved(world, unheard).by_site(world.site_count)
        served: F64 = heard_at @ self._served(world, broken, *(part @ heard_at for part in self._moving))
        return served

    def _served(self, world: World, broken: Broken, work: F64, bits: F64, own: F64) -> F64:
        """Return the share of the work at each site that is served, [S]; given are Gcycles/s, Mb/s, devices' GHz."""
        sites, fogs = world.site_count, world.fog_count
        cores = self._cores * broken.server_share
        local = np.minimum(work, cores[:sites])
        over = np.where(bits > 0, np.minimum(_uplink(world, broken) / np.maximum(bits, 1e-300), 1.0), 1.0)
        sent = np.where(self._reaches_fog(world, broken), np.minimum(work - local, over * work), 0.0)
        wanted = np.bincount(world.site_fog, sent, fogs)
        at_fog = np.minimum(wanted, cores[sites : sites + fogs])
        rest = wanted - at_fog
        per_bit = np.bincount(world.site_fog, sent * _ratio(work, bits), fogs)  # Mb/s of all that was sent
        uplink = _fog_uplink(world, broken) * np.where(self._fog_reaches_cloud(world, broken), 1.0, 0.0)
        most = np.where(per_bit > 0, wanted * uplink / np.maximum(per_bit, 1e-300), np.inf)
        onward = np.minimum(rest, np.where(uplink > 0, most, 0.0))
        total = onward.sum()
        at_cloud = onward * (min(1.0, cores[-1] / total) if total > 0 else 0.0)
        share = np.where(wanted > 0, (at_fog + at_cloud) / np.maximum(wanted, 1e-300), 0.0)
        served = local + sent * share[world.site_fog]
        served += np.minimum(own, np.maximum(work - served, 0.0))
        full: F64 = np.where(work > 0, served / np.maximum(work, 1e-300), 1.0)
        return np.minimum(full, 1.0)

    def _reaches_fog(self, world: World, broken: Broken) -> Flags:
        gateway = world.fog_node[world.site_fog]
        along = np.array([len(route) > 0 for route in world.route_site_links]) | (world.site_node == gateway)
        reaches: Flags = along & ~broken.nodes[gateway] & ~broken.nodes[world.site_node]
        return reaches

    def _fog_reaches_cloud(self, world: World, broken: Broken) -> Flags:
        along = np.array([len(route) > 0 for route in world.route_fog_links]) | (world.fog_node == world.cloud_node)
        reaches: Flags = along & ~broken.nodes[world.fog_node] & ~broken.nodes[world.cloud_node]
        return reaches


def _ratio(work: F64, bits: F64) -> F64:
    """Return Mb of a Gcycle of each site's mix, [S]."""
    return np.where(work > 0, bits / np.maximum(work, 1e-300), 0.0)


def _uplink(world: World, broken: Broken) -> F64:
    return _narrowed(world.uplink_site_mbps, world.route_site_links, broken.link_share)


def _fog_uplink(world: World, broken: Broken) -> F64:
    return _narrowed(world.uplink_fog_mbps, world.route_fog_links, broken.link_share)


def _narrowed(uplink: F64, routes: tuple[NDArray[np.int64], ...], share: F64) -> F64:
    narrowest: F64 = uplink * np.array([share[route // 2].min() if len(route) else 1.0 for route in routes])
    return narrowest


def carried_background(world: World, broken: Broken, demand: F64) -> float:
    """Return the Mb/s of a demand matrix that get through: no path, nothing; over a full link, its share."""
    net = Net(world.node_count, world.link_tail, world.link_head, np.ones(world.link_count), ~broken.links)
    capacity = np.repeat(world.link_capacity_mbps * broken.link_share, 2)
    paths, carried = {}, 0.0
    for source in np.unique(world.demand_tail):
        _, via = net.graph.shortest_paths(int(source))
        reached = via >= 0
        via[reached] = net.links[via[reached]]
        paths[int(source)] = via
    load = np.zeros(len(capacity))
    routes = []
    for tail, head, volume in zip(world.demand_tail, world.demand_head, demand, strict=True):
        route = route_back(net, paths[int(tail)], int(head)) ^ 1
        routes.append(route)
        load[route] += volume
    passed = np.minimum(1.0, capacity / np.maximum(load, 1e-300))
    for route, tail, head, volume in zip(routes, world.demand_tail, world.demand_head, demand, strict=True):
        if len(route) or tail == head:
            carried += float(volume) * float(passed[route].min(initial=1.0))
    return carried
