"""Topologies of the topohub repository (MIT): real networks with coordinates, some with demand matrices.

Positions are (longitude, latitude), lengths km. Demands are stored once a pair and flow both ways. Capacities are
not part of the data: `tiertwin.world` dimensions the links.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.model.topology import MAX_LINKS, MAX_NODES, Demand, Link, Node, Topology

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)+")


def looks_like(name: str) -> bool:
    """Whether `name` has the form ``group/name`` and could be one of topohub's."""
    return _NAME.fullmatch(name) is not None


def topohub_names() -> list[str]:
    """Return all names of the installed repository, sorted (reads directories: only for messages)."""
    root = resources.files("topohub").joinpath("data")
    names: list[str] = []

    def walk(folder: Any, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".json"):
                names.append(prefix + entry.name.removesuffix(".json"))

    walk(root, "")
    return sorted(names)


def topohub_raw(name: str) -> dict[str, Any]:
    """Return the stored node-link mapping of `name` as it is; raises UnknownNameError."""
    if looks_like(name):
        file = resources.files("topohub").joinpath("data", *f"{name}.json".split("/"))
        if file.is_file():
            data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return data
    raise UnknownNameError(f"Unknown topohub topology {name!r}{suggest(name, topohub_names())}")


def topohub_topology(name: str) -> Topology:
    """Return the topology `name` as nodes, links and demands.

    Unnamed nodes are called ``node-<id>``, a repeated name gets its id behind it, and parallel links count once.

    Raises
    ------
    UnknownNameError
        With the nearest names.
    InputError
        If it is larger than a scenario may be.
    """
    raw = topohub_raw(name)
    if len(raw["nodes"]) > MAX_NODES or len(raw["edges"]) > MAX_LINKS:
        size = f"{len(raw['nodes'])} nodes and {len(raw['edges'])} links"
        raise InputError(f"expected at most {MAX_NODES} nodes and {MAX_LINKS} links, got {size}", name)
    names = unique_names([(node["id"], node.get("name")) for node in raw["nodes"]])
    nodes = []
    for node in raw["nodes"]:
        lon, lat = node.get("pos") or (None, None)
        nodes.append(Node(name=names[node["id"]], lon=_float(lon), lat=_float(lat)))
    pairs: dict[tuple[str, str], float | None] = {}
    for edge in raw["edges"]:
        a, b = sorted((edge["source"], edge["target"]))
        if a != b:
            pairs.setdefault((names[a], names[b]), _float(edge.get("dist")))
    links = tuple(Link(a=a, b=b, km=km) for (a, b), km in pairs.items())
    demands = tuple(
        Demand(a=names[int(a)], b=names[int(b)], volume=float(volume))
        for a, row in raw["graph"].get("demands", {}).items()
        for b, volume in row.items()
        if volume > 0 and int(a) != int(b)
    )
    return Topology(nodes=tuple(nodes), links=links, demands=demands)


def unique_names(rows: list[tuple[Any, Any]]) -> dict[Any, str]:
    """Return a unique name of each id: its own, ``node-<id>`` where it has none, with its id where repeated."""
    taken: set[str] = set()
    names: dict[Any, str] = {}
    for key, given in rows:
        name = str(given).strip() if given not in (None, "") else f"node-{key}"
        if name in taken:
            name = f"{name} {key}"
        while name in taken:
            name += "'"
        taken.add(name)
        names[key] = name
    return names


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
