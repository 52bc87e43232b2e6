"""What the twins of a domain believe when it is forked: references to what they hold, and the arrays of the engine.

Taking a belief copies nothing of weight: problems, plans and quotas of edges are replaced by their twins, never written
to; only the few arrays that are (measured background) are copied. The arrays the engine wants
(``cpp/whatif/belief.hpp``) are made when somebody evaluates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.model.tiers import Tier
from tiertwin.world.objective import leaf_problem_arrays, lost_per_second, tier_cost_parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tiertwin.allocate.leaf import LeafProblem
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

EDGE_TIERS = len(Tier)


@dataclass(frozen=True, eq=False, slots=True)
class EdgeBelief:
    """What an edge twin holds.

    Parameters
    ----------
    name, site
        Of the twin, and the index of its site.
    problem
        Of its newest data version: believed demand, costs, capacities.
    plan
        Rates in force, ``[G, T]`` tasks/s.
    quota
        Granted: fog compute (GHz), fog uplink (Mb/s), cloud compute (GHz), ``[3]``.
    users
        Of each group, ``[G]``.
    errors
        Errors of earlier predictions of demand as shares of the present one, the oldest first; empty where none came
        due.
    """

    name: str
    site: int
    problem: LeafProblem
    plan: F64
    quota: F64
    users: F64
    errors: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class Belief:
    """What is believed of one domain.

    Parameters
    ----------
    world
        Inventory, topology, objective.
    name
        The twin at the domain's top.
    edges
        Its edge twins, in roster order.
    uplink_fog_mbps
        What each fog may send up, ``[F]``.
    server_ghz
        Speed of each server as far as the domain may use it, ``[S + F + 1]``.
    background_mbps, link_mbps
        Measured background of directed links, ``[2m]``, and capacity of links, ``[m]``.
    link_up
        ``[m]``.
    granted
        Tiers whose compute is a grant of somebody outside: their delay terms are that somebody's.
    """

    world: World
    name: str
    edges: tuple[EdgeBelief, ...]
    uplink_fog_mbps: F64
    server_ghz: F64
    background_mbps: F64
    link_mbps: F64
    link_up: npt.NDArray[np.bool_]
    granted: frozenset[int] = frozenset()

    @cached_property
    def home(self) -> dict[int, int]:
        """Site → its place in the domain."""
        return {edge.site: place for place, edge in enumerate(self.edges)}

    @cached_property
    def engine(self) -> _core.WhatIf:
        """The compiled model; made once a belief."""
        return _core.WhatIf(arrays_of(self))

    def at(self, demand: Mapping[str, F64]) -> Belief:
        """Return the belief at other demand, tasks/s [G] by name of edge: set-points stay, so plans grow with it."""
        edges = []
        for edge in self.edges:
            now = demand.get(edge.name, edge.problem.demand)
            grown = now / np.maximum(edge.problem.demand, 1e-12)
            plan = edge.plan * np.where(edge.problem.demand > 0.0, grown, 0.0)[:, None]
            edges.append(replace(edge, problem=replace(edge.problem, demand=now), plan=plan))
        return replace(self, edges=tuple(edges))

    def under(self, world: World) -> Belief:
        """Return the belief under other constants of the same network: what they change of each problem is added."""
        before, after = self.world, world
        edges = []
        for edge in self.edges:
            uplink = float(edge.problem.capacity[2])
            works = bool(self.server_ghz[edge.site] > 0.0)
            old = leaf_problem_arrays(before, edge.site, edge.problem.demand, uplink_mbps=uplink, server_up=works)
            new = leaf_problem_arrays(after, edge.site, edge.problem.demand, uplink_mbps=uplink, server_up=works)
            moved = {
                name: np.maximum(getattr(edge.problem, name) + (new[name] - old[name]), 0.0)
                for name in new
                if name != "demand" and not np.array_equal(new[name], old[name])
            }
            edges.append(replace(edge, problem=replace(edge.problem, **moved)))
        return replace(self, world=world, edges=tuple(edges))


def servers_of(world: World) -> F64:
    """Return the speed of every server, GHz, [S + F + 1]: sites, fogs, cloud."""
    cores = np.concatenate([world.site_cores, world.fog_cores, [world.cloud_cores]]).astype(np.float64)
    return np.asarray(cores * world.core_ghz)


def arrays_of(belief: Belief) -> dict[str, Any]:
    """Return the arrays of the engine."""
    return {**_network(belief), **_classes(belief.world), **_sites(belief), **_constants(belief.world)}


def _network(belief: Belief) -> Mapping[str, Any]:
    world = belief.world
    nominal = float(world.background_mbps.sum())
    level = float(belief.background_mbps.sum()) / nominal if nominal > 0.0 else 1.0
    return {
        "nodes": world.node_count,
        "cloud_node": int(world.cloud_node),
        "link_tail": world.link_tail,
        "link_head": world.link_head,
        "link_km": world.link_km,
        "link_mbps": belief.link_mbps,
        "link_share": belief.link_up.astype(np.float64),
        "background_mbps": belief.background_mbps,
        "demand_tail": world.demand_tail,
        "demand_head": world.demand_head,
        "demand_mbps": world.demand_mbps * level,
        "site_node": world.site_node,
        "site_fog": world.site_fog,
        "fog_node": world.fog_node,
        "node_fog": world.node_fog,
        "site_weight": world.route_site_weight,
        "fog_weight": world.route_fog_weight,
        "uplink_fog_mbps": belief.uplink_fog_mbps,
        "server_ghz": belief.server_ghz,
        "home": np.array([edge.site for edge in belief.edges], dtype=np.int64),
    }


def _classes(world: World) -> Mapping[str, Any]:
    from_class = {
        "weight": world.b,
        "alpha": world.alpha,
        "lost_per_s": world.s,
        "megabits": world.megabits,
        "gcycles": world.gcycles,
        "deadline_s": world.deadline_s,
    }
    rings = len(world.ring_rate_mbps)
    return {name: np.repeat(values, rings) for name, values in from_class.items()}


def _sites(belief: Belief) -> Mapping[str, Any]:
    world, edges = belief.world, belief.edges
    rings = len(world.ring_rate_mbps)
    work, sent = np.repeat(world.gcycles, rings), np.repeat(world.transmit_w, rings)
    constants = world.objective
    sites = [edge.site for edge in edges]
    ghz = world.group_ghz[sites].reshape(len(edges), -1)
    airtime = np.stack([edge.problem.use_own[0, :, Tier.EDGE] for edge in edges])
    local = constants.device_j_per_gcycle_ghz2 * ghz**2 * work
    served = sent * airtime + constants.server_j_per_gcycle * work
    parts = [tier_cost_parts(world, slice(site, site + 1))[0].ravel() for site in sites]
    return {
        "demand": _flat([edge.problem.demand for edge in edges]),
        "users": _flat([edge.users for edge in edges]),
        "airtime": _flat(airtime),
        "device_ghz": _flat(ghz),
        "cost": _flat([edge.problem.cost for edge in edges]),
        "seconds": _flat(parts),
        "energy_j": _flat(np.stack([local, served], axis=-1)),
        "capacity": _flat([edge.problem.capacity for edge in edges]),
        "kappa": _flat([edge.problem.kappa for edge in edges]),
        "plan": _flat([edge.plan for edge in edges]),
        "quota": _flat([edge.quota for edge in edges]),
    }


def _constants(world: World) -> Mapping[str, Any]:
    return {
        "core_ghz": float(world.core_ghz),
        "lan_mbps": float(world.lan_mbps),
        "kappa0_compute": float(world.objective.kappa0_compute),
        "kappa0_link": float(world.objective.kappa0_link),
        "lost_mean": lost_per_second(world),
    }


def _flat(values: Any) -> F64:
    return np.ascontiguousarray(np.asarray(values, dtype=np.float64).ravel())
