"""Where a topology comes from: inline, a topohub name, a built-in; and what to do where it says little."""

from __future__ import annotations

import math

import numpy as np

from tiertwin.errors import UnknownNameError, suggest
from tiertwin.interop.topohub import topohub_topology
from tiertwin.model.topology import Topology
from tiertwin.world import builtin
from tiertwin.world.world import F64, I64

EARTH_KM = 6371.0
DEFAULT_KM = 10.0


def expand(topology: Topology) -> tuple[Topology, str]:
    """Return the topology as nodes, links and demands, and where it came from in words.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    """
    if topology.topohub is not None:
        return topohub_topology(topology.topohub), f"topohub {topology.topohub}"
    if topology.builtin is not None:
        known = builtin.TOPOLOGIES
        if topology.builtin not in known:
            text = f"Unknown built-in topology {topology.builtin!r}{suggest(topology.builtin, sorted(known))}"
            raise UnknownNameError(text)
        inner, source = expand(known[topology.builtin])
        return inner, f"built-in {topology.builtin}" if known[topology.builtin].inline else source
    return topology, "inline"


def positions(topology: Topology) -> tuple[F64, F64]:
    """Return (lon, lat) of every node; where any is missing all stand on a circle, which only drawings use."""
    if all(node.lon is not None and node.lat is not None for node in topology.nodes):
        lon = np.array([node.lon for node in topology.nodes], dtype=np.float64)
        return lon, np.array([node.lat for node in topology.nodes], dtype=np.float64)
    angle = 2.0 * np.pi * np.arange(len(topology.nodes)) / len(topology.nodes)
    return np.cos(angle), np.sin(angle)


def link_lengths(topology: Topology, lon: F64, lat: F64, tail: I64, head: I64) -> F64:
    """Return the length of every link: as stated, else the great circle between known places, else 10 km."""
    placed = all(node.lon is not None for node in topology.nodes)
    lengths = []
    for link, a, b in zip(topology.links, tail.tolist(), head.tolist(), strict=True):
        if link.km is not None:
            lengths.append(link.km)
        else:
            lengths.append(great_circle_km(lon[a], lat[a], lon[b], lat[b]) if placed else DEFAULT_KM)
    return np.array(lengths, dtype=np.float64)


def great_circle_km(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Return the great-circle distance of two places in degrees (haversine)."""
    la, lb = math.radians(lat_a), math.radians(lat_b)
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2.0 * EARTH_KM * math.asin(math.sqrt(min(1.0, h)))
