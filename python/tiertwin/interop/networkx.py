"""A networkx graph as a topology.

Read, where they are there: of nodes `name`, `lon` and `lat` (or `pos` as (lon, lat)), `demand`; of edges `km` (or
`dist`) and `capacity_mbps`. Nodes without a name are called by their key. Directed graphs count as undirected, parallel
edges as one (the first), loops not at all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.interop.topohub import unique_names


def is_graph(source: object) -> bool:
    """Whether `source` is a networkx graph, without importing networkx."""
    return hasattr(source, "nodes") and hasattr(source, "edges") and hasattr(source, "adjacency")


def networkx_topology(graph: Any) -> dict[str, Any]:
    """Return the mapping under ``topology:`` of a scenario that describes `graph`; it is validated with the rest.

    Raises
    ------
    InputError
        Where an attribute is not a number.
    """
    rows = list(graph.nodes(data=True))
    names = unique_names([(key, attributes.get("name", key)) for key, attributes in rows])
    problems: list[str] = []

    def number(value: Any, what: str) -> float | None:
        if value is None:
            return None
        if isinstance(value, int | float | np.number) and not isinstance(value, bool):
            return float(value)
        problems.append(f"{what}: expected a number, got {value!r}")
        return None

    nodes = []
    for key, attributes in rows:
        what = f"node {names[key]!r}"
        pos = attributes.get("pos") or (None, None)
        node = {
            "name": names[key],
            "lon": number(attributes.get("lon", pos[0]), f"{what} lon"),
            "lat": number(attributes.get("lat", pos[1]), f"{what} lat"),
            "demand": number(attributes.get("demand"), f"{what} demand"),
        }
        nodes.append({field: value for field, value in node.items() if value is not None})
    links: dict[frozenset[Any], dict[str, Any]] = {}
    for a, b, attributes in graph.edges(data=True):
        what = f"edge {names[a]!r}-{names[b]!r}"
        link = {
            "a": names[a],
            "b": names[b],
            "km": number(attributes.get("km", attributes.get("dist")), f"{what} km"),
            "capacity_mbps": number(attributes.get("capacity_mbps"), f"{what} capacity_mbps"),
        }
        if a != b:
            links.setdefault(frozenset((a, b)), {field: value for field, value in link.items() if value is not None})
    if problems:
        raise InputError(problems, "networkx graph")
    return {"nodes": nodes, "links": list(links.values())}
