"""The scenarios that come with tiertwin.

`germany50` is SNDlib's network of 50 German cities, from topohub. `metro` is synthetic: a made-up city with a centre,
a ring of districts and suburbs, its coordinates written here. `mixed` is a city beside a countryside with people who
move, made by `tiertwin.world.mixed`.
"""

from __future__ import annotations

from typing import Any

from tiertwin.model.topology import Link, Node, Topology

_METRO_NODES = (
    # name, lon, lat, demand
    ("Centre", 10.000, 50.000, 14.0),
    ("Station", 10.012, 50.008, 10.0),
    ("Old Town", 9.990, 49.993, 9.0),
    ("University", 9.978, 50.010, 8.0),
    ("Harbour", 10.030, 49.985, 6.0),
    ("Stadium", 10.042, 50.022, 5.0),
    ("Airport", 10.110, 50.060, 6.0),
    ("Trade Fair", 9.945, 49.975, 5.0),
    ("Northfield", 9.985, 50.070, 3.0),
    ("Eastwood", 10.130, 49.990, 3.0),
    ("Southmoor", 10.020, 49.915, 3.0),
    ("Westhill", 9.870, 50.015, 3.0),
    ("Lakeside", 9.890, 49.930, 2.0),
    ("Millbrook", 10.090, 49.920, 2.0),
)
_METRO_LINKS = (
    ("Centre", "Station"), ("Centre", "Old Town"), ("Centre", "University"), ("Centre", "Harbour"),
    ("Station", "University"), ("Station", "Stadium"), ("Old Town", "Trade Fair"), ("Old Town", "Harbour"),
    ("Harbour", "Southmoor"), ("Harbour", "Eastwood"), ("Stadium", "Airport"), ("Stadium", "Eastwood"),
    ("University", "Northfield"), ("University", "Westhill"), ("Northfield", "Airport"), ("Westhill", "Trade Fair"),
    ("Trade Fair", "Lakeside"), ("Lakeside", "Southmoor"), ("Southmoor", "Millbrook"), ("Millbrook", "Eastwood"),
)  # fmt: skip

TOPOLOGIES: dict[str, Topology] = {
    "germany50": Topology(topohub="sndlib/germany50"),
    "metro": Topology(
        nodes=tuple(Node(name=name, lon=lon, lat=lat, demand=demand) for name, lon, lat, demand in _METRO_NODES),
        links=tuple(Link(a=a, b=b) for a, b in _METRO_LINKS),
    ),
}

# A day has 60 epochs of 1 s here: an epoch stands for 24 minutes, so the cloud decides in each of them.
_COMPRESSED_DAY = {
    "device": {"report_ms": 250},
    "edge": {"report_ms": 250},
    "fog": {"report_ms": 250},
    "cloud": {"report_ms": 250, "control_every": 1},
}

SCENARIOS: dict[str, dict[str, Any]] = {
    "germany50": {
        "name": "germany50",
        "about": "National network: SNDlib's 50 German cities, 88 links and demand matrix; 20 000 devices.",
        "topology": {"builtin": "germany50"},
        "tiers": _COMPRESSED_DAY,
        "fogs": {"count": 6},
        "devices": {"count": 20_000},
    },
    "metro": {
        "name": "metro",
        "about": "A small synthetic city for tests and examples: 14 sites, 3 fogs, 1 cloud, 600 devices.",
        "topology": {"builtin": "metro"},
        "tiers": _COMPRESSED_DAY,
        "fogs": {"count": 3},
        "devices": {"count": 600, "minimum_per_site": 20},
        "policy": {"warm_target_gap": 1e-2},  # few devices a site: demand jumps, and more rounds buy little
        "dimensioning": {
            "sites_at_most": 0.5,
            "link_modules_mbps": [10.0, 25.0, 50.0, 100.0, 250.0, 1000.0],
            "lan_mbps": 1000.0,
        },
    },
}


def builtin_names() -> list[str]:
    """Return the names of the built-in scenarios."""
    return [*SCENARIOS, "mixed"]


def builtin_scenario(name: str) -> dict[str, Any]:
    """Return a built-in scenario as a YAML file would hold it; KeyError for another name."""
    if name == "mixed":
        from tiertwin.world.mixedscenario import mixed_scenario  # noqa: PLC0415  made, not written: brings numpy

        return {**mixed_scenario(), "tiers": _COMPRESSED_DAY}
    return SCENARIOS[name]
