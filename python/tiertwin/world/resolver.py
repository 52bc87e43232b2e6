"""From a scenario to a `World`: one pass, no randomness, the same arrays every time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.model.checks import DEVICES_PER_SITE, Problem, named_problems, place_problems, topology_problems
from tiertwin.model.parse import render
from tiertwin.model.scenario import Scenario
from tiertwin.model.services import ServiceClass, Trace
from tiertwin.model.surrounding_checks import map_problems
from tiertwin.model.tiers import Tier
from tiertwin.model.topology import Topology
from tiertwin.world import day, population, sizing
from tiertwin.world.access import Access
from tiertwin.world.attach import resolve_access
from tiertwin.world.names import slugs
from tiertwin.world.paths import Net, ecmp_loads, partition, voronoi
from tiertwin.world.rerouting import with_uplinks
from tiertwin.world.routes import fog_routes, gateways, route_km, site_routes
from tiertwin.world.sources import expand, link_lengths, positions
from tiertwin.world.world import ARRIVALS, F64, I64, Flags, Objective, TwinSpec, World

NODES_PER_FOG = 25 / 3
GRAVITY_NODES = 100


def resolve(scenario: Scenario) -> World:
    """Turn a scenario into arrays.

    Raises
    ------
    InputError
        Where the topology does not fit the scenario (unknown places, disconnected, too many devices) or the
        dimensioning rules cannot be met.
    """
    topology, source = expand(scenario.topology)
    check_places(scenario, topology)
    index = {node.name: i for i, node in enumerate(topology.nodes)}
    tail = np.array([index[link.a] for link in topology.links], dtype=np.int64)
    head = np.array([index[link.b] for link in topology.links], dtype=np.int64)
    lon, lat = positions(topology)
    km = link_lengths(topology, lon, lat, tail, head)
    net = Net(len(index), tail, head, km, np.ones(len(km), dtype=bool))
    pairs = _pairs(topology, index)
    weight = _site_demand(topology, pairs)

    node_fog, fog_node = _domains(scenario, net, weight, index)
    cloud_node = index[scenario.cloud.at] if scenario.cloud.at is not None else int(np.argmax(weight))
    urban = sizing.urban_sites(weight, tail, head, km, scenario.sites.urban_factor)
    classes, access = _classes(scenario), None
    if scenario.access is None:
        groups = _devices(scenario, topology, weight)
    else:
        access, ring = resolve_access(scenario, lon, lat, index)
        groups = _attached(scenario, access, ring, len(index))
        classes["class_share"] = np.bincount(access.kind, minlength=len(scenario.classes)) / access.user_count
    traffic = _offered(groups["group_devices"], classes, "megabits")
    compute = _offered(groups["group_devices"], classes, "gcycles")
    follows = np.array([row.arrival != "trace" for row in scenario.classes])  # the day
    airtime = (groups["group_devices"] * (classes["tasks_per_s"] * classes["megabits"])[:, None]) @ (
        1.0 / np.array(scenario.radio.ring_rates_mbps)
    )
    site_cores, fog_cores, cloud_cores = sizing.server_cores(scenario, urban, compute, node_fog, len(fog_node))

    nodes = np.arange(len(index), dtype=np.int64)
    to_fog = site_routes(net, nodes, node_fog, fog_node, node_fog)
    to_cloud = fog_routes(net, fog_node, cloud_node)
    site_weight = np.maximum(traffic, 1e-6)
    fog_weight = sizing.sums(node_fog, site_weight, len(fog_node))
    background, matrix = _background(scenario, net, pairs, weight, float(traffic.sum()))
    rule = scenario.dimensioning
    planned = rule.planned_site_share * _carried(to_fog, site_weight, len(km))
    planned += rule.planned_fog_share * _carried(to_cloud, fog_weight, len(km))
    given = [link.capacity_mbps for link in topology.links]
    capacity = sizing.link_capacities(rule, background, planned, given)
    forms = slugs(list(index))
    world = World(
        scenario=scenario,
        name=scenario.name,
        source=source,
        node_names=tuple(index),
        node_slugs=forms,
        lon=lon,
        lat=lat,
        link_tail=tail,
        link_head=head,
        link_km=km,
        link_capacity_mbps=capacity,
        link_owner=tuple(
            f"fog-{node_fog[a] + 1}" if node_fog[a] == node_fog[b] else "cloud-1"
            for a, b in zip(tail, head, strict=True)
        ),
        background_mbps=background,
        demand_tail=matrix[0],
        demand_head=matrix[1],
        demand_mbps=matrix[2],
        **_profiles(scenario, urban, _offered(groups["group_devices"], classes, "gcycles", follows)),
        twins=roster(forms, nodes, node_fog, fog_node, cloud_node),
        site_node=nodes,
        site_fog=node_fog.copy(),
        site_urban=urban,
        site_cores=site_cores,
        site_cells=_cell_counts(scenario, access, airtime.sum(axis=1)),
        fog_node=fog_node,
        fog_cores=fog_cores,
        cloud_node=cloud_node,
        cloud_cores=cloud_cores,
        core_ghz=scenario.sites.core_ghz,
        node_fog=node_fog,
        route_site_links=to_fog,
        route_fog_links=to_cloud,
        route_site_weight=site_weight,
        route_fog_weight=fog_weight,
        route_site_km=route_km(to_fog, km),
        route_fog_km=route_km(to_cloud, km),
        uplink_site_mbps=np.zeros(len(index)),
        uplink_fog_mbps=np.zeros(len(fog_node)),
        lan_mbps=rule.lan_mbps,
        class_names=tuple(row.name for row in scenario.classes),
        **classes,
        ring_rate_mbps=np.array(scenario.radio.ring_rates_mbps),
        **groups,
        objective=_objective(scenario),
        grouped=access is not None,
        access=access,
    )
    return with_uplinks(world, np.zeros(len(km), dtype=bool))


def check_places(scenario: Scenario, topology: Topology) -> None:
    """Raise InputError with every way in which `topology` and the places named in `scenario` do not fit."""
    found: list[Problem] = topology_problems(topology)
    names = [node.name for node in topology.nodes]
    found += place_problems(scenario, names)
    found += map_problems(scenario, topology)
    found += named_problems(scenario, topology)
    if found:
        raise InputError(render(found, {}), scenario.name)


def roster(
    forms: tuple[str, ...], site_node: I64, site_fog: I64, fog_node: I64, cloud_node: int
) -> tuple[TwinSpec, ...]:
    """Return the twins in roster order: cloud, fogs, edges, devices."""
    twins = [TwinSpec("cloud-1", Tier.CLOUD, None, cloud_node, -1, -1)]
    twins += [TwinSpec(f"fog-{f + 1}", Tier.FOG, "cloud-1", node, -1, f) for f, node in enumerate(fog_node.tolist())]
    for tier, parent in ((Tier.EDGE, None), (Tier.DEVICE, "edge-")):
        for site, (node, fog) in enumerate(zip(site_node.tolist(), site_fog.tolist(), strict=True)):
            form = forms[node]
            above = f"fog-{fog + 1}" if parent is None else parent + form
            twins.append(TwinSpec(f"{tier.label}-{form}", tier, above, node, site, fog))
    return tuple(twins)


def _pairs(topology: Topology, index: dict[str, int]) -> tuple[I64, I64, F64]:
    """Return the stored demand pairs as arrays."""
    a = np.array([index[row.a] for row in topology.demands], dtype=np.int64)
    b = np.array([index[row.b] for row in topology.demands], dtype=np.int64)
    return a, b, np.array([row.volume for row in topology.demands], dtype=np.float64)


def _site_demand(topology: Topology, pairs: tuple[I64, I64, F64]) -> F64:
    """Return the demand weight of each node: its own, else its total in the matrix, else 1."""
    a, b, volume = pairs
    count = len(topology.nodes)
    total = sizing.sums(a, volume, count) + sizing.sums(b, volume, count) if len(volume) else np.ones(count)
    own = [total[i] if node.demand is None else node.demand for i, node in enumerate(topology.nodes)]
    weight = np.array(own, dtype=np.float64)
    return weight if weight.sum() > 0 else np.ones(count)


def _domains(scenario: Scenario, net: Net, weight: F64, index: dict[str, int]) -> tuple[I64, I64]:
    named = scenario.fogs.gateways
    if named:
        fog_node = np.array([index[name] for name in named], dtype=np.int64)
        return voronoi(net, fog_node), fog_node
    count = scenario.fogs.count or max(1, round(net.nodes / NODES_PER_FOG))
    node_fog = partition(net, count, weight)
    return node_fog, gateways(net, node_fog, weight)


def _background(
    scenario: Scenario, net: Net, pairs: tuple[I64, I64, F64], weight: F64, device_mbps: float
) -> tuple[F64, tuple[I64, I64, F64]]:
    """Return the background of each directed link and the matrix (both ways), scaled to its stated total."""
    a, b, volume = pairs if len(pairs[2]) else _gravity(weight)
    tail, head, both = np.concatenate([a, b]), np.concatenate([b, a]), np.concatenate([volume, volume])
    total = float(both.sum())
    share = both / total if total > 0 else np.zeros_like(both)  # divide first: a tiny total would overflow its inverse
    scaled = share * (scenario.dimensioning.background_ratio * device_mbps)
    return ecmp_loads(net, tail, head, scaled), (tail, head, scaled)


def _gravity(weight: F64) -> tuple[I64, I64, F64]:
    """Return one row a pair of the heaviest nodes (at most 100), volume the product of their weights."""
    heaviest = np.sort(np.argsort(-weight, kind="stable")[:GRAVITY_NODES])
    a, b = np.triu_indices(len(heaviest), k=1)
    return heaviest[a], heaviest[b], weight[heaviest[a]] * weight[heaviest[b]]


def _carried(routes: tuple[I64, ...], weight: F64, links: int) -> F64:
    """Return the load of each directed link if every route carries its weight, [2m]."""
    loads = np.zeros(2 * links)
    for route, volume in zip(routes, weight.tolist(), strict=True):
        loads[route] += volume
    return loads


def _classes(scenario: Scenario) -> dict[str, Any]:
    rows = scenario.classes
    traces = [row.trace if row.trace is not None else Trace() for row in rows]
    bursty = [row.arrival == "onoff" for row in rows]
    return {
        "class_share": np.array([row.share for row in rows]),
        "tasks_per_s": np.array([_mean_rate(scenario, row) for row in rows]),
        "megabits": np.array([row.megabits for row in rows]),
        "gcycles": np.array([row.megabits * row.cycles_per_bit / 1e3 for row in rows]),
        "deadline_s": np.array([row.deadline_s for row in rows]),
        "alpha": np.array([row.alpha for row in rows]),
        "b": np.array([row.b for row in rows]),
        "s": np.array([row.b / row.deadline_s if row.s is None else row.s for row in rows]),
        "transmit_w": np.array([row.transmit_w for row in rows]),
        "arrival": np.array([ARRIVALS.index(row.arrival) for row in rows], dtype=np.int64),
        "on_s": np.array([row.on_s if on else 0.0 for row, on in zip(rows, bursty, strict=True)]),
        "off_s": np.array([row.off_s if on else 0.0 for row, on in zip(rows, bursty, strict=True)]),
        "trace_s": tuple(np.array(trace.times_s, dtype=np.float64) for trace in traces),
        "trace_repeat_s": np.array([trace.repeat_s or 0.0 for trace in traces]),
    }


def _mean_rate(scenario: Scenario, row: ServiceClass) -> float:
    """Return the daily-mean task rate of one device; a trace that does not repeat is spread over the day at least."""
    if row.trace is None or row.tasks_per_s is not None:
        return row.tasks_per_s or 0.0
    times = row.trace.times_s
    once = max(scenario.epochs_per_day * scenario.base_epoch_s, times[-1])
    return len(times) / (row.trace.repeat_s or once)


def _devices(scenario: Scenario, topology: Topology, weight: F64) -> dict[str, Any]:
    names = [node.name for node in topology.nodes]
    own = scenario.devices.count
    total = DEVICES_PER_SITE * len(names) if own is None else own
    per_site = population.split(total, weight, scenario.devices.minimum_per_site)
    counts = population.group_counts(scenario, per_site, names)
    site, kind, ring = population.rows_of(counts)
    low, high = scenario.devices.ghz
    ghz = population.clocks(len(site), low, high)
    return {
        "device_site": site,
        "device_class": kind,
        "device_ring": ring,
        "device_ghz": ghz,
        "device_rows": np.concatenate([[0], np.cumsum(counts.sum(axis=(1, 2)))]).astype(np.int64),
        "group_devices": counts,
        "group_ghz": population.group_means(ghz, counts, (low + high) / 2),
    }


def _attached(scenario: Scenario, access: Access, ring: I64, sites: int) -> dict[str, Any]:
    """Return one device row a group, and how many users are planned in each."""
    shape = (sites, len(scenario.classes), len(scenario.radio.ring_rates_mbps))
    group = (access.site * shape[1] + access.kind) * shape[2] + ring
    counts = np.bincount(group, minlength=math.prod(shape)).reshape(shape).astype(np.int64)
    site, kind, rings = population.rows_of(np.ones(shape, dtype=np.int64))
    order = np.argsort(group, kind="stable")
    ghz = population.group_means(access.ghz[order], counts, sum(scenario.devices.ghz) / 2)
    return {
        "device_site": site,
        "device_class": kind,
        "device_ring": rings,
        "device_ghz": ghz.ravel(),
        "device_rows": np.arange(sites + 1, dtype=np.int64) * (shape[1] * shape[2]),
        "group_devices": counts,
        "group_ghz": ghz,
    }


def _cell_counts(scenario: Scenario, access: Access | None, airtime: F64) -> I64:
    """Return the cells of each site: those that stand there, else as many as its mean airtime takes."""
    if access is None:
        return sizing.cell_counts(scenario, airtime)
    return np.maximum(np.bincount(access.cells["cell_site"], minlength=len(airtime)), 1).astype(np.int64)


def _offered(counts: I64, classes: dict[str, Any], per_task: str, only: Flags | bool = True) -> F64:
    """Return the daily-mean load of each site if all tasks (of classes `only`) are sent, `per_task` units/s, [S]."""
    load = classes["tasks_per_s"] * classes[per_task] * only
    return np.asarray(counts.sum(axis=2) @ load, dtype=np.float64)


def _profiles(scenario: Scenario, urban: Flags, moving: F64) -> dict[str, Any]:
    """Return the day's profiles, given the compute load of each site that follows them (without traces)."""
    epochs, rule = scenario.epochs_per_day, scenario.dimensioning
    shapes = {name: day.shape(getattr(scenario.day, name), epochs) for name in ("urban", "rural", "background")}
    if not moving.any():
        moving = np.ones_like(moving)  # nothing follows the day: profiles that nobody reads
    loads = [float(moving[urban].sum()), float(moving[~urban].sum())]
    peak = rule.peak_load / rule.mean_load
    towns, country = day.stretch([shapes["urban"], shapes["rural"]], loads, peak, "dimensioning.peak_load")
    (background,) = day.stretch([shapes["background"]], [1.0], scenario.day.background_peak, "day.background_peak")
    return {"profile_urban": towns, "profile_rural": country, "profile_background": background}


def _objective(scenario: Scenario) -> Objective:
    row = scenario.objective
    return Objective(
        kappa0_radio=row.kappa0_radio,
        kappa0_compute=row.kappa0_compute,
        kappa0_link=row.kappa0_link,
        energy_utils_per_j=row.energy_utils_per_j,
        device_j_per_gcycle_ghz2=row.device_kappa * 1e27,
        server_j_per_gcycle=row.server_kappa * 1e27 * scenario.sites.core_ghz**2,
    )
