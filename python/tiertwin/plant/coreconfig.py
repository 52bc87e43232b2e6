"""A world as the core of the simulated plant takes it: arrays by the names of ``cpp/plant/config.hpp``."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tiertwin.plant.options import PlantOptions
from tiertwin.plant.reports import F64, I64
from tiertwin.plant.users import devices_of

FIBRE_S_PER_KM = 5e-6
_TRACE = 2  # arrival kinds of the core: 0 Poisson, 1 on-off, 2 trace
_SERVERS = {"ps": 0, "fifo": 1, "weighted": 2}  # disciplines of the core
_KEY_BITS = 32


Routes: TypeAlias = tuple[list[I64], list[I64]]
"""Directed links from each site to its fog, and from each fog to the cloud."""


def plant_config(world: Any, options: PlantOptions, routes: Routes) -> dict[str, Any]:
    """Return all fields of the core.

    Parameters
    ----------
    world
        The network, its devices and its day, as `SimulatedPlant` has it.
    options
        How it is played and what it tells.
    routes
        By `routes_of`.
    """
    return {
        **_devices(world),
        **_classes(world, options),
        **_network(world, options, routes),
        **_servers(world, options),
        **_scalars(world, options),
    }


def _devices(world: Any) -> dict[str, Any]:
    access = getattr(world, "access", None)
    if access is not None:
        return devices_of(access)
    site, kind, ring = (_i64(a) for a in (world.device_site, world.device_class, world.device_ring))
    group = (site * len(world.tasks_per_s) + kind) * len(world.ring_rate_mbps) + ring
    return {
        "device_site": site,
        "device_class": kind,
        "device_ring": ring,
        "device_key": (group << _KEY_BITS) + _rank_within(group),
        "device_ghz": _f64(world.device_ghz),
        "device_any_order": False,
    }


def _classes(world: Any, options: PlantOptions) -> dict[str, Any]:
    classes = len(world.tasks_per_s)
    arrival = np.array(world.arrival, dtype=np.int64)
    arrival[list(options.traces)] = _TRACE
    ptr, times, repeat = options.trace_arrays(classes)
    return {
        "class_tasks_per_s": _f64(world.tasks_per_s),
        "class_megabits": _f64(world.megabits),
        "class_gcycles": _f64(world.gcycles),
        "class_deadline_s": _f64(world.deadline_s),
        "class_transmit_w": _f64(world.transmit_w),
        "class_on_s": _f64(world.on_s),
        "class_off_s": _f64(world.off_s),
        "class_arrival": arrival,
        "class_exponential": np.full(classes, int(options.exponential_sizes), dtype=np.int64),
        "trace_ptr": ptr,
        "trace_s": times,
        "trace_repeat_s": repeat,
        "ring_rate_mbps": _f64(world.ring_rate_mbps),
        "radio_factor": _f64(options.radio_factor),
        "radio_window_s": options.radio_window_s,
        "radio_fifo": options.radio == "fifo",
        "site_cells": _f64(world.site_cells),
    }


def _network(world: Any, options: PlantOptions, routes: Routes) -> dict[str, Any]:
    tail = np.stack([world.link_tail, world.link_head], axis=1).ravel()  # of 2l and 2l + 1
    site_ptr, site_links, fog_ptr, fog_links = in_a_row(routes)
    return {
        "link_capacity_mbps": _f64(np.repeat(world.link_capacity_mbps, 2)),
        "link_propagation_s": _f64(np.repeat(world.link_km, 2) * FIBRE_S_PER_KM),
        "link_background_mbps": _f64(world.background_mbps),
        "link_site": _site_at(world, tail),
        "link_fifo": options.links == "fifo",
        "site_fog": _i64(world.site_fog),
        "route_site_ptr": site_ptr,
        "route_site_links": site_links,
        "route_fog_ptr": fog_ptr,
        "route_fog_links": fog_links,
    }


def _servers(world: Any, options: PlantOptions) -> dict[str, Any]:
    cores = np.concatenate([world.site_cores, world.fog_cores, [world.cloud_cores]]).astype(np.float64)
    node = np.concatenate([world.site_node, world.fog_node, [world.cloud_node]])
    return {
        "server_cores": cores,
        "server_core_ghz": np.full(len(cores), float(world.core_ghz)),
        "server_idle_w": options.server_idle_w_per_core * cores,
        "server_j_per_gcycle": np.full(len(cores), float(world.objective.server_j_per_gcycle)),
        "server_discipline": np.full(len(cores), _SERVERS[options.servers], dtype=np.int64),
        "server_site": _site_at(world, node),
    }


def _scalars(world: Any, options: PlantOptions) -> dict[str, Any]:
    return {
        "device_j_per_gcycle_ghz2": float(world.objective.device_j_per_gcycle_ghz2),
        "link_j_per_mb": options.link_j_per_mb,
        "buffer_s": options.buffer_s,
        "report_s": options.report_s,
        "delay_low_s": options.delay_s[0],
        "delay_high_s": options.delay_s[1],
        "loss": options.loss,
        "noise": options.noise,
        "clock_offset_s": options.clock_offset_s,
    }


def _site_at(world: Any, node: NDArray[Any]) -> I64:
    """Return the site at each node, -1 where there is none (the first one where several share it)."""
    site_of = {n: s for s, n in reversed(list(enumerate(np.asarray(world.site_node).tolist())))}
    return np.array([site_of.get(n, -1) for n in np.asarray(node).tolist()], dtype=np.int64)


def routes_of(world: Any, old: Routes | None = None) -> Routes:
    """Return the routes of a world; where nothing leads to a parent any more the `old` one, ValueError without."""
    before = (None, None) if old is None else old
    return (
        _reached(world.route_site_links, world.site_node, world.fog_node[world.site_fog], before[0]),
        _reached(world.route_fog_links, world.fog_node, world.cloud_node, before[1]),
    )


def in_a_row(routes: Routes) -> tuple[I64, I64, I64, I64]:
    """Return offsets [n + 1] and links, one after the other, of the routes of sites, and of fogs."""
    return *_csr(routes[0]), *_csr(routes[1])


def _reached(routes: Any, start: Any, end: Any, old: list[I64] | None = None) -> list[I64]:
    """Return the routes, with the `old` one where nothing leads from `start` to `end` any more."""
    away = np.broadcast_to(np.asarray(start) != np.asarray(end), len(routes))
    out = [_i64(route) for route in routes]
    for row in np.flatnonzero(away):
        if len(out[row]) == 0:
            if old is None:
                raise ValueError(
                    f"route {row}: expected links from node {np.asarray(start)[row]} to its parent, got none"
                )
            out[row] = old[row]
    return out


def _csr(routes: list[I64]) -> tuple[I64, I64]:
    """Return offsets [n + 1] and the links one after the other."""
    ptr = np.cumsum([0, *(len(route) for route in routes)], dtype=np.int64)
    return ptr, _i64(np.concatenate([np.empty(0, dtype=np.int64), *routes]))


def _rank_within(group: I64) -> I64:
    """Return the rank of each row among the rows of its group, in row order."""
    order = np.argsort(group, kind="stable")
    first = np.r_[True, group[order][1:] != group[order][:-1]] if len(group) else np.empty(0, dtype=bool)
    start = np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - start
    return rank


def _f64(values: Any) -> F64:
    return np.ascontiguousarray(values, dtype=np.float64)


def _i64(values: Any) -> I64:
    return np.ascontiguousarray(values, dtype=np.int64)
