"""Topologies of the topohub repository (MIT): real networks with coordinates, some with demand matrices.

Positions are (longitude, latitude), where a network has some; plane coordinates (Gabriel graphs and a few of SNDlib's)
are drawn around 0°, 0° at 111.2 km a degree. Lengths are km. Demands are stored once a pair and flow both ways.
Capacities are not part of the data: `tiertwin.world` dimensions the links.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.model.topology import MAX_LINKS, MAX_NODES, Demand, Link, Node, Topology

KM_PER_DEGREE = 111.2
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
    places = _degrees([node.get("pos") for node in raw["nodes"]])
    nodes = [
        Node(name=names[node["id"]], lon=place[0], lat=place[1])
        for node, place in zip(raw["nodes"], places, strict=True)
    ]
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


def _degrees(places: list[Any]) -> list[tuple[float | None, float | None]]:
    """Return (lon, lat) of each node; plane coordinates are taken as km around 0 degrees north, 0 east."""
    known = [(float(place[0]), float(place[1])) for place in places if place]
    if len(known) < len(places) or not known:
        return [(None, None)] * len(places)
    if all(abs(x) <= 180.0 and abs(y) <= 90.0 for x, y in known):
        return list(known)
    x0, y0 = (min(place[axis] for place in known) for axis in (0, 1))
    x1, y1 = (max(place[axis] for place in known) for axis in (0, 1))
    scale = max(KM_PER_DEGREE, (x1 - x0) / 180.0, (y1 - y0) / 90.0)
    return [((x - (x0 + x1) / 2) / scale, (y - (y0 + y1) / 2) / scale) for x, y in known]


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
