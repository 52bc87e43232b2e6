"""From a scenario's radio access to arrays: cells on a plane, people in it, and where each is planned to attach.

The plane touches the middle of the map: metres east and north of the south-west corner of all nodes and areas
(equirectangular; right to about 1 % over 500 km).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tiertwin.world import population
from tiertwin.world.access import F64, I64, LED, STILL, Access, AccessFlow, AccessZone, Led
from tiertwin.world.planning import (
    ENVIRONMENTS,
    USER_M,
    nearest_sites,
    planned_cells,
    planned_rates,
    rings_of,
)

if TYPE_CHECKING:
    from tiertwin.model.access import Access as Section
    from tiertwin.model.access import Area
    from tiertwin.model.scenario import Scenario

M_PER_DEGREE = 6_371_000.0 * math.pi / 180.0
_MOVEMENTS = ("still", "gauss-markov", "waypoint", "manhattan", "train", "uav", "trace")


class Plane:
    """Metres east and north of a corner of the map."""

    def __init__(self, section: Section, lon: F64, lat: F64) -> None:
        self.west = min(float(lon.min()), *(area.west for area in section.areas))
        self.south = min(float(lat.min()), *(area.south for area in section.areas))
        north = max(float(lat.max()), *(area.north for area in section.areas))
        self._shrink = math.cos(math.radians((self.south + north) / 2.0))

    def xy(self, lon: Any, lat: Any) -> tuple[F64, F64]:
        """Return metres of places in degrees."""
        x = (np.asarray(lon, dtype=np.float64) - self.west) * (M_PER_DEGREE * self._shrink)
        return x, (np.asarray(lat, dtype=np.float64) - self.south) * M_PER_DEGREE


def resolve_access(scenario: Scenario, lon: F64, lat: F64, node_of: dict[str, int]) -> tuple[Access, I64]:
    """Return the radio access of a scenario, and the ring in which each user is planned, [U]; sites are nodes."""
    section = scenario.access
    assert section is not None
    plane = Plane(section, lon, lat)
    cells = _cells(section, plane, lon, lat, node_of)
    people = _people(scenario, section, plane)
    air = section.air
    cell, gain_db = planned_cells(cells, people["x_m"], people["y_m"], people["indoors"])
    rates = planned_rates(cells, cell, gain_db, air.p0_dbm, air.alpha, air.user_dbm)
    ring = rings_of(rates, np.array(scenario.radio.ring_rates_mbps))
    low, high = scenario.devices.ghz
    site, nobody = cells["cell_site"][cell], cell < 0
    site[nobody] = nearest_sites(cells, people["x_m"][nobody], people["y_m"][nobody])
    access = Access(
        cells=cells,
        map_m=_map(section, plane),
        zones=tuple(_zone(area, plane) for area in section.areas),
        downlink=_downlink(scenario, section),
        led=tuple(_led(section, plane)),
        site=site,
        ghz=population.clocks(len(ring), low, high),
        **people,
    )
    return access, ring


def _cells(section: Section, plane: Plane, lon: F64, lat: F64, node_of: dict[str, int]) -> dict[str, NDArray[Any]]:
    """Return the arrays of all cells, mast by mast, as the core's access network names them."""
    kinds = {kind.name: kind for kind in section.kinds}
    rows = [(node_of[mast.at], kinds[mast.kind], az) for mast in section.masts for az in kinds[mast.kind].azimuths_deg]
    site = np.array([node for node, _, _ in rows], dtype=np.int64)
    x, y = plane.xy(lon[site], lat[site])

    def real(value: Any) -> F64:
        return np.array([value(kind) for _, kind, _ in rows], dtype=np.float64)

    def whole(value: Any) -> I64:
        return np.array([value(kind) for _, kind, _ in rows], dtype=np.int64)

    return {
        "cell_x": x,
        "cell_y": y,
        "cell_azimuth": np.array([azimuth for _, _, azimuth in rows], dtype=np.float64),
        "cell_site": site,
        "cell_bandwidth_hz": real(lambda kind: 1e6 * kind.bandwidth_mhz),
        "cell_environment": whole(lambda kind: ENVIRONMENTS.index(kind.environment)),
        "cell_prbs": whole(lambda kind: kind.blocks),
        **{f"cell_{ours}": real(lambda kind, name=name: getattr(kind, name)) for ours, name in _REALS.items()},
        **{f"cell_{name}": whole(lambda kind, name=name: getattr(kind, name)) for name in _WHOLES},
    }


_REALS = {
    "height": "height_m", "ghz": "ghz", "power_dbm": "power_dbm", "tilt": "tilt_deg", "noise_db": "noise_db",
    "idle_w": "idle_w", "slope": "slope_w", "sleep_w": "sleep_w",
}  # fmt: skip
_WHOLES = ("every_way", "rows", "columns", "chains")


def _people(scenario: Scenario, section: Section, plane: Plane) -> dict[str, NDArray[Any]]:
    """Return who the users are; where they are drawn belongs to crowd and number: more of one change no other."""
    services = [row.name for row in scenario.classes]
    areas = {area.name: i for i, area in enumerate(section.areas)}
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
    for number, crowd in enumerate(section.crowds):
        area = section.areas[areas[crowd.area]]
        drawn = np.random.Generator(np.random.Philox(key=number)).random((crowd.count, 3))
        (west, east), (south, north) = plane.xy([area.west, area.east], [area.south, area.north])
        walk = _MOVEMENTS.index(crowd.moves)
        columns["kind"].append(np.full(crowd.count, services.index(crowd.service), dtype=np.int64))
        columns["walk"].append(np.full(crowd.count, walk, dtype=np.int64))
        columns["zone"].append(np.full(crowd.count, areas[crowd.area] if walk not in (STILL, LED) else -1))
        columns["train"].append(np.arange(crowd.count, dtype=np.int64))
        columns["x_m"].append(west + (east - west) * drawn[:, 0])
        columns["y_m"].append(south + (north - south) * drawn[:, 1])
        columns["z_m"].append(np.full(crowd.count, USER_M))
        columns["indoors"].append((drawn[:, 2] < crowd.indoors).astype(np.int64))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


_COLUMNS = ("kind", "walk", "zone", "train", "x_m", "y_m", "z_m", "indoors")


def _led(section: Section, plane: Plane) -> Iterator[Led]:
    first = 0
    for crowd in section.crowds:
        if (trace := crowd.trace) is not None:
            x, y = (0.0, 0.0) if trace.degrees else map(float, plane.xy(trace.lon, trace.lat))
            columns = (trace.time, trace.user, trace.x, trace.y)
            rules = (trace.starts_at_s, trace.max_gap_s, trace.skip)
            where = (trace.degrees, x, y, plane.west, plane.south)
            yield Led(first, crowd.count, trace.file, trace.format, *where, columns, *rules)
        first += crowd.count


def _map(section: Section, plane: Plane) -> tuple[float, float, float, float]:
    x, y = plane.xy([a.west for a in section.areas], [a.south for a in section.areas])
    right, top = plane.xy([a.east for a in section.areas], [a.north for a in section.areas])
    return float(x.min()), float(y.min()), float(right.max()), float(top.max())


def _zone(area: Area, plane: Plane) -> AccessZone:
    (west, east), (south, north) = plane.xy([area.west, area.east], [area.south, area.north])
    mean, sigma, low, high = area.walk_m_s
    rules = {
        "width_m": float(east - west),
        "height_m": float(north - south),
        "mean_speed": mean,
        "sigma_speed": sigma,
        "low_speed": low,
        "high_speed": high,
        "pause_s": area.pause_s,
        "block_m": area.block_m,
        "street_low": area.street_m_s[0],
        "street_high": area.street_m_s[1],
        "train_low": area.train_m_s[0],
        "train_high": area.train_m_s[1],
    }
    x, y = plane.xy([p[0] for p in area.track], [p[1] for p in area.track])
    inside_x, inside_y = np.clip(x - west, 0.0, east - west), np.clip(y - south, 0.0, north - south)
    track = tuple((float(a), float(b), USER_M) for a, b in zip(inside_x, inside_y, strict=True))
    return AccessZone(float(west), float(south), rules, track)


def _downlink(scenario: Scenario, section: Section) -> tuple[AccessFlow, ...]:
    rows = {row.service: row for row in section.downlink}
    return tuple(
        AccessFlow()
        if (row := rows.get(service.name)) is None
        else AccessFlow(row.arrivals_per_s, row.bytes, row.packets, row.arrival, row.size, row.on_s, row.off_s)
        for service in scenario.classes
    )
