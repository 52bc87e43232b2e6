"""The built-in scenario `mixed`: the deployment of `tiertwin.world.mixed`, as a user would write it.

Hubs stand at the site nearest to them and the core at the hub nearest to it, so every node has a base station.
Capacities of links follow the dimensioning rule: they are the part set aside for this traffic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tiertwin.world.access import GAUSS_MARKOV, MANHATTAN, STILL, TRAIN, WAYPOINT
from tiertwin.world.mixed import CITY, CLASSES, KINDS, Mixed, mixed
from tiertwin.world.planning import ENVIRONMENTS

DEVICES, ACTIVE = 10_000, 1_000
RING_RATES_MBPS = (60.0, 40.0, 25.0, 14.0, 6.0)
_MOVES = {STILL: "still", GAUSS_MARKOV: "gauss-markov", WAYPOINT: "waypoint", MANHATTAN: "manhattan", TRAIN: "train"}
_AREAS = ("city", "country", "road")
_DOWNLINK = (
    # ours: messages of 300 bytes for vehicles, 30 frames a second for AR, bursts of mixed packets for video
    {"service": "vehicle", "arrivals_per_s": 10.0, "bytes": 300, "arrival": "constant"},
    {"service": "AR", "arrivals_per_s": 30.0, "packets": 4, "arrival": "constant"},
    {"service": "video", "arrivals_per_s": 400.0, "size": "imix", "arrival": "on-off", "on_s": 2.0, "off_s": 2.0},
)


def mixed_scenario(devices: int = DEVICES, active: int = ACTIVE) -> dict[str, Any]:
    """Return the scenario with so many metering devices and active users, as a YAML file would hold it."""
    world = mixed(devices, active)
    names = world.sites.name
    hubs, core = _hub_nodes(world)
    return {
        "name": "mixed",
        "about": f"A dense city beside a countryside: {len(names)} sites with {world.cell_count} cells, fibre and "
        f"microwave backhaul, {active} people who move, {devices} metering devices.",
        "topology": {"nodes": _nodes(world), "links": _links(world, hubs, core)},
        "fogs": {"gateways": [names[hub] for hub in hubs]},
        "cloud": {"at": names[core]},
        "radio": {"ring_rates_mbps": list(RING_RATES_MBPS)},
        "policy": {"warm_target_gap": 1e-2},
        "dimensioning": {"sites_at_most": 0.5, "link_modules_mbps": [10.0, 25.0, 50.0, 100.0, 250.0, 1000.0]},
        "weather": {"rain": {}, "microwave": _microwave(world, hubs)},
        "access": {
            "kinds": [_kind(name) for name in KINDS],
            "masts": [{"at": name, "kind": kind} for name, kind in zip(names, world.sites.kind, strict=True)],
            "areas": _areas(world),
            "crowds": _crowds(world),
            "downlink": list(_DOWNLINK),
        },
    }


def _hub_nodes(world: Mixed) -> tuple[list[int], int]:
    """Return the site at which each hub stands, and the one of the core: at the hub nearest to it."""
    sites = world.sites
    at = [
        int(np.argmin(np.hypot(sites.x_m - x, sites.y_m - y)))
        for x, y in zip(sites.hub_x_m, sites.hub_y_m, strict=True)
    ]
    x, y = sites.core_xy_m
    return at, at[int(np.argmin(np.hypot(sites.hub_x_m - x, sites.hub_y_m - y)))]


def _nodes(world: Mixed) -> list[dict[str, Any]]:
    lon, lat = world.lon_lat(world.sites.x_m, world.sites.y_m)
    return [
        {"name": name, "lon": round(float(a), 7), "lat": round(float(b), 7)}
        for name, a, b in zip(world.sites.name, lon, lat, strict=True)
    ]


def _ends(world: Mixed, hubs: list[int], core: int) -> list[tuple[int, int, int]]:
    """Return (link, a, b) with sites in place of hubs and core, without links from a site to itself."""
    node = [*range(len(world.sites)), *hubs, core]
    pairs = [(k, node[a], node[b]) for k, (a, b) in enumerate(zip(world.links.a, world.links.b, strict=True))]
    return [(k, a, b) for k, a, b in pairs if a != b]


def _links(world: Mixed, hubs: list[int], core: int) -> list[dict[str, Any]]:
    names = world.sites.name
    return [
        {"a": names[a], "b": names[b], "km": round(float(world.links.km[k]), 4)} for k, a, b in _ends(world, hubs, core)
    ]


def _microwave(world: Mixed, hubs: list[int]) -> list[dict[str, Any]]:
    names, links = world.sites.name, world.links
    return [
        {"a": names[a], "b": names[b], "ghz": float(links.ghz[k])}
        for k, a, b in _ends(world, hubs, 0)
        if links.kind[k] == "microwave"
    ]


def _kind(name: str) -> dict[str, Any]:
    kind = KINDS[name]
    return {
        "name": name,
        "environment": ENVIRONMENTS[kind.environment],
        "ghz": kind.ghz,
        "bandwidth_mhz": kind.bandwidth_hz / 1e6,
        "blocks": kind.prbs,
        "power_dbm": kind.power_dbm,
        "height_m": kind.height_m,
        "azimuths_deg": [0.0] if kind.every_way else [30.0, 150.0, 270.0],
        "every_way": kind.every_way,
        "tilt_deg": kind.tilt,
        "rows": kind.rows,
        "columns": kind.columns,
        "noise_db": kind.noise_db,
        "chains": kind.chains,
        "idle_w": kind.idle_w,
        "slope_w": kind.slope,
        "sleep_w": kind.sleep_w,
    }


def _areas(world: Mixed) -> list[dict[str, Any]]:
    return [_area(world, name, *zone) for name, zone in zip(_AREAS, world.zones, strict=True)]


def _area(world: Mixed, name: str, x: float, y: float, rules: dict[str, float], track: Any) -> dict[str, Any]:
    (west, east), (south, north) = world.lon_lat(
        np.array([x, x + rules["width_m"]]), np.array([y, y + rules["height_m"]])
    )
    row: dict[str, Any] = {"name": name, "west": west, "south": south, "east": east, "north": north}
    row["block_m"] = rules["block_m"]
    if "street_low" in rules:
        row["street_m_s"] = [rules["street_low"], rules["street_high"]]
    if track:
        lon, lat = world.lon_lat(np.array([x + p[0] for p in track]), np.array([y + p[1] for p in track]))
        row["track"] = [[min(max(float(a), float(west)), float(east)), float(b)] for a, b in zip(lon, lat, strict=True)]
        row["train_m_s"] = [rules["train_low"], rules["train_high"]]
    return {key: value if isinstance(value, str | list) else float(value) for key, value in row.items()}


def _crowds(world: Mixed) -> list[dict[str, Any]]:
    """Return crowds of equal users: by class, area and movement, as many of each as the deployment has."""
    users = world.users
    inside = users.zone.copy()
    still = inside < 0
    inside[still] = np.where(users.x_m[still] <= world.zones[CITY][2]["width_m"], CITY, CITY + 1)
    rows = []
    for kind, zone, walk in sorted(set(zip(users.kind.tolist(), inside.tolist(), users.walk.tolist(), strict=True))):
        some = (users.kind == kind) & (inside == zone) & (users.walk == walk)
        rows.append(
            {
                "service": CLASSES[kind],
                "count": int(some.sum()),
                "area": _AREAS[zone],
                "moves": _MOVES[walk],
                "indoors": round(float(users.indoors[some].mean()), 3),
            }
        )
    return rows
