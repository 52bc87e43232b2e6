"""Constants of the allocation problem of each site, from the world (docs/allocation.md).

Plain arrays; nothing is solved here.

A task of group i served at tier t costs ``s_i·lat_it + energy_utils·E_it`` utils, where, with D megabits and G
gigacycles a task, R the rate of its ring, and a route of length L km over links of capacity c_l:

    lat_i0 = G/f/(1 − ρ)                                f the group's mean clock, ρ = min(0.8, rate·G/f)
    lat_it = D/R + 2·5 µs·L_t + Σ_l D/c_l + G/core      t ≥ edge
    E_i0   = κ f² a cycle on the device,   E_it = D/R·P_tx + the server's energy for G

The device shares its processor among its tasks (processor sharing) and ρ counts all of them as local: that mean delay
is about the marginal one when half of them are. Waiting at shared resources is their owner's delay term.

Results are small and their way back is propagation only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiertwin import _core
from tiertwin.model.tiers import Tier
from tiertwin.world.world import ARRIVALS, F64, I64, World

PROPAGATION_S_PER_KM = 5e-6
LOCAL_LOAD_AT_MOST = 0.8
DESIGN_LOAD = 0.8  # of a server, at which its waiting is matched
NO_UPLINK_MBPS = 1e-6
"""Stands for an uplink of nothing: a resource needs a capacity above 0."""
LEAST_GHZ = 1e-6
"""Stands for a server that is gone."""


EVERYWHERE = slice(None)


def tier_latencies(world: World, sites: slice = EVERYWHERE) -> F64:
    """Return the latency of one task without waiting, s, [S, C, R, 4] (device, edge, fog, cloud), of some `sites`."""
    megabits, gcycles = world.megabits[:, None], world.gcycles[:, None]
    ghz, fog = world.group_ghz[sites], world.site_fog[sites]
    latency = np.empty((*ghz.shape, len(Tier)))
    alone = gcycles / ghz
    local = np.minimum(world.tasks_per_s[:, None] * alone, LOCAL_LOAD_AT_MOST)
    latency[..., Tier.DEVICE] = alone / (1.0 - local)
    served = megabits / world.ring_rate_mbps + gcycles / world.core_ghz
    latency[..., Tier.EDGE] = served
    to_fog = _route_delay(world, world.route_site_km[sites], world.route_site_links[sites])
    to_cloud = _route_delay(world, world.route_fog_km, world.route_fog_links)[fog]
    latency[..., Tier.FOG] = served + to_fog[:, :, None]
    latency[..., Tier.CLOUD] = served + (to_fog + to_cloud)[:, :, None]
    return latency


def tier_energies(world: World, sites: slice = EVERYWHERE) -> F64:
    """Return the energy of one task, J, [S, C, R, 4], of some `sites`; what links and gateways use is not counted."""
    constants, ghz = world.objective, world.group_ghz[sites]
    energy = np.empty((*ghz.shape, len(Tier)))
    energy[..., Tier.DEVICE] = constants.device_j_per_gcycle_ghz2 * ghz**2 * world.gcycles[:, None]
    sent = (world.transmit_w * world.megabits)[:, None] / world.ring_rate_mbps
    energy[..., Tier.EDGE :] = (sent + constants.server_j_per_gcycle * world.gcycles[:, None])[..., None]
    return energy


def tier_costs(world: World) -> F64:
    """Return the cost of one task at each tier without waiting, utils, [S, C, R, 4].

    The queueing part of a server's delay term counts the tasks in service too, at the rate ``kappa/C`` a gigacycle when
    idle; that much is taken off here, as far as there is something to take off, so that service is not paid twice.
    """
    seconds, joules = tier_cost_parts(world)
    return np.asarray(np.maximum(seconds, 0.0) + joules)


def tier_cost_parts(world: World, sites: slice = EVERYWHERE) -> tuple[F64, F64]:
    """Return what `tier_costs` adds up, utils, [S, C, R, 4]: of time less what delay terms count, and of energy."""
    cost = world.s[:, None, None] * tier_latencies(world, sites)
    fog = world.site_fog[sites]
    served = np.stack(
        [
            np.array([_idle_price(world, int(c)) for c in world.site_cores[sites]]),
            np.array([_idle_price(world, int(c)) for c in world.fog_cores])[fog],
            np.full(len(fog), _idle_price(world, int(world.cloud_cores))),
        ],
        axis=1,
    )
    cost[..., Tier.EDGE :] -= served[:, None, None, :] * world.gcycles[None, :, None, None]
    return cost, np.asarray(world.objective.energy_utils_per_j * tier_energies(world, sites))


@dataclass(frozen=True, eq=False, slots=True)
class MeasuredRadio:
    """What was measured of a site's radio, in the place of what is planned.

    Parameters
    ----------
    airtime
        Seconds of a cell that a task takes, [G].
    cost
        Of one task at each tier without waiting, utils, [G, 4].
    cells
        How many evenly loaded cells its own are worth.
    kappa
        Of the radio's delay term, utils/s.
    """

    airtime: F64
    cost: F64
    cells: float
    kappa: float

    @classmethod
    def of(cls, world: World, parts: tuple[F64, F64], radio_mbps: F64, cells: float) -> MeasuredRadio:
        """Return it for rates of the cell, Mb/s, [G]; `parts` are those of `tier_cost_parts` of the site, [G, 4].

        A cell shared in turn is a queue with processor sharing: of load ρ it holds ρ/(1−ρ) tasks, each losing s̄ utils
        a second, s̄ the mean over offered tasks. So C even ones with airtime y lose s̄·C·y/(C−y): the delay term has
        that κ too, and as it counts the tasks being sent, s̄ a second of airtime is taken off the cost.
        """
        rings = len(world.ring_rate_mbps)
        airtime = np.repeat(world.megabits, rings) / radio_mbps
        longer = airtime - (world.megabits[:, None] / world.ring_rate_mbps).ravel()
        seconds, joules = parts[0].copy(), parts[1].copy()
        lost = lost_per_second(world)
        seconds[:, Tier.EDGE :] += (np.repeat(world.s, rings) * longer - lost * airtime)[:, None]
        sent = np.repeat(world.objective.energy_utils_per_j * world.transmit_w, rings)
        joules[:, Tier.EDGE :] += (sent * longer)[:, None]
        cost = np.maximum(seconds, 0.0) + np.maximum(joules, 0.0)
        return cls(airtime, cost, cells, (world.objective.kappa0_radio + lost) * cells)


def lost_per_second(world: World) -> float:
    """Return what a second of latency costs the mean offered task, utils."""
    rate = world.class_share * world.tasks_per_s
    return float(rate @ world.s) / max(float(rate.sum()), 1e-12)


def _idle_price(world: World, cores: int) -> float:
    """Price of a gigacycle at an idle server by its queueing part alone, utils."""
    return queueing_kappa(world, cores) / (cores * world.core_ghz) if cores > 0 else 0.0


def offered_tasks(world: World, epoch: int) -> F64:
    """Return the true mean task rate of every group in `epoch`, tasks/s, [S, C, R]: what the plant draws from."""
    at = epoch % world.epochs_per_day
    level = np.where(world.site_urban, world.profile_urban[at], world.profile_rural[at])[:, None, None]
    level = np.where((world.arrival == ARRIVALS.index("trace"))[:, None], 1.0, level)
    return np.asarray(level * world.group_devices * world.tasks_per_s[:, None])


def compute_kappa(world: World, cores: int) -> float:
    """Return κ of a server of `cores` cores, utils/s: ``kappa0_compute·C`` and what queueing costs on top.

    The first part is there because demand is uncertain in proportion to what a server serves.
    """
    return world.objective.kappa0_compute * cores * world.core_ghz + queueing_kappa(world, cores)


def server_resource(world: World, cores: int, up: bool = True) -> tuple[float, float]:
    """Return (capacity, GHz, κ, utils/s) of a server: `LEAST_GHZ` and no delay term where it is down."""
    return (cores * world.core_ghz, compute_kappa(world, cores)) if up else (LEAST_GHZ, 0.0)


def queueing_kappa(world: World, cores: int) -> float:
    """Return the part of κ that stands for queueing at `cores` cores, utils/s.

    In M/M/c (Erlang C) the tasks waiting are C(c, a)·ρ/(1−ρ), each losing s̄ utils a second, s̄ the mean over offered
    tasks; ρ/(1−ρ) is y/(C−y). C(c, a) is taken at ρ = 0.8 and kept, so that the term stays convex and of one form.
    """
    if cores <= 0:
        return 0.0
    waiting = _core.erlang_c(np.array([cores], dtype=np.int64), np.array([DESIGN_LOAD * cores]))
    return lost_per_second(world) * float(waiting[0])


def leaf_problem_arrays(
    world: World,
    site: int,
    demand: F64,
    *,
    cost: F64 | None = None,
    uplink_mbps: float | None = None,
    radio: MeasuredRadio | None = None,
    server_up: bool = True,
) -> dict[str, F64]:
    """Return the arrays of the leaf problem of one site, keyed by its field names.

    Own resources: 0 radio (cells, that is airtime s/s), 1 edge compute (GHz), 2 uplink (Mb/s). Quotas: 0 fog
    compute (GHz), 1 fog uplink (Mb/s), 2 cloud compute (GHz).

    Parameters
    ----------
    demand
        Believed task rates of the site's groups, tasks/s, [G] with G = C·R.
    cost
        `tier_costs` of the world, if at hand: it does not change with demand.
    uplink_mbps
        The site's present share; without it the nominal one.
    radio
        Measured rates; without it those of the rings.
    server_up
        Whether the site's server works.
    """
    classes, rings, tiers = len(world.class_names), len(world.ring_rate_mbps), len(Tier)
    groups = classes * rings
    uplink = float(world.uplink_site_mbps[site]) if uplink_mbps is None else uplink_mbps
    ghz, compute = server_resource(world, int(world.site_cores[site]), server_up)
    capacity = np.array([world.site_cells[site], ghz, max(uplink, NO_UPLINK_MBPS)])
    constants = world.objective
    kappa = np.array([constants.kappa0_radio, 0.0, constants.kappa0_link]) * capacity
    kappa[1] = compute
    if radio is not None:
        capacity[0], kappa[0] = radio.cells, radio.kappa

    if radio is None:
        cost = np.ascontiguousarray((tier_costs(world) if cost is None else cost)[site].reshape(groups, tiers))
        airtime = (world.megabits[:, None] / world.ring_rate_mbps).ravel()
    else:
        cost, airtime = radio.cost, radio.airtime
    megabits, gcycles = np.repeat(world.megabits, rings), np.repeat(world.gcycles, rings)
    use_own = np.zeros((3, groups, tiers))
    use_own[0, :, Tier.EDGE :] = airtime[:, None]
    use_own[1, :, Tier.EDGE] = gcycles
    use_own[2, :, Tier.FOG :] = megabits[:, None]
    use_quota = np.zeros((3, groups, tiers))
    use_quota[0, :, Tier.FOG] = gcycles
    use_quota[1, :, Tier.CLOUD] = megabits
    use_quota[2, :, Tier.CLOUD] = gcycles
    return {
        "demand": np.ascontiguousarray(demand, dtype=np.float64),
        "weight": np.repeat(world.b, rings),
        "alpha": np.repeat(world.alpha, rings),
        "cost": cost,
        "use_own": use_own,
        "capacity": capacity,
        "kappa": kappa,
        "use_quota": use_quota,
    }


def node_resources(world: World, name: str, uplink_mbps: float | None = None) -> dict[str, tuple[float, float]]:
    """Return (capacity, kappa) of what a fog or the cloud owns: `compute`, GHz, and below the root `uplink`, Mb/s."""
    twin = world.twins[world.twin_index(name)]
    constants = world.objective
    if twin.tier == Tier.CLOUD:
        return {"compute": server_resource(world, int(world.cloud_cores))}
    mbps = float(world.uplink_fog_mbps[twin.fog]) if uplink_mbps is None else uplink_mbps
    mbps = max(mbps, NO_UPLINK_MBPS)
    return {
        "compute": server_resource(world, int(world.fog_cores[twin.fog])),
        "uplink": (mbps, constants.kappa0_link * mbps),
    }


def _route_delay(world: World, km: F64, routes: tuple[I64, ...]) -> F64:
    """Return propagation both ways plus storing and forwarding one task on every link, s, [routes, C]."""
    per_megabit = np.array([float((1.0 / world.link_capacity_mbps[route // 2]).sum()) for route in routes])
    return np.asarray(2.0 * PROPAGATION_S_PER_KM * km[:, None] + per_megabit[:, None] * world.megabits)
