"""The built-in topology ``mixed``: a dense city beside a countryside, with its cells, its backhaul and its people.

=========  =======================================================================================================
city       hexagons 200 m apart, three sectors a site (urban macro, 4 GHz, 10 MHz, 41 dBm, 25 m, 4 x 8 elements),
           and a small cell in the street beside each site (urban micro, 4 GHz, 30 dBm, 10 m)
country    hexagons 1732 m apart, three sectors a site (rural macro, 700 MHz, 10 MHz, 46 dBm, 35 m, 8 x 1 elements)
backhaul   city: fibre to a hub; small cells by fibre to their site. Country: microwave to the next hub, its band by
           its length (80 GHz to 2 km, 38 GHz to 4 km, 18 GHz beyond). Hubs by fibre to the core
people     metering devices that stand still, and active users, a tenth as many: half of them vehicles, a quarter
           augmented reality, a quarter video. Four fifths of all in the city; indoors 80 % there, 50 % in the country
tiers      sites (edge), hubs (fog), the core (cloud)
=========  =======================================================================================================

Radio figures are 3GPP's outdoor calibration sets as 5G-LENA has them; blocks of 10 MHz by TS 38.101-1 table 5.3.2-1
(52 of 180 kHz); power by the EARTH model (G. Auer et al., IEEE Wireless Communications 18(5), 2011). How many users a
site has, small cells, tilts, bands and capacities of links, and the mix of people are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin.world.access import GAUSS_MARKOV, MANHATTAN, STILL, TRAIN, WAYPOINT

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

UMA, UMI, RMA = 0, 1, 2  # environments of the core
CITY, COUNTRY, ROAD = 0, 1, 2  # zones
VEHICLE, AR, VIDEO, METERING = 0, 1, 2, 3
CLASSES = ("vehicle", "AR", "video", "metering")

CITY_ISD_M, COUNTRY_ISD_M = 200.0, 1732.0
CITY_SHARE = 0.8  # of users
ACTIVE_A_CITY_SITE, ACTIVE_A_COUNTRY_SITE = 60.0, 40.0
LEAST_CITY_SITES, LEAST_COUNTRY_SITES = 7, 3
SITES_A_HUB = 48
ROUTE = 1.3  # a fibre is so much longer than the straight line
LEAST_DEVICES, MOST_DEVICES = 1_000, 1_000_000
_ORIGIN = (10.0, 50.0)  # lon, lat of the map's south-west corner
_METRES_A_DEGREE = 111_194.93  # of a great circle on a sphere of 6 371 km


@dataclass(frozen=True)
class CellKind:
    """One kind of base station: radio as planned, and what it draws.

    `chains`, `idle_w`, `slope`, `sleep_w` are EARTH's transceiver chains of a cell, W a chain without load, W a
    radiated W, and W a chain asleep; `every_way` has no sectors.
    """

    environment: int
    ghz: float
    bandwidth_hz: float
    prbs: int
    power_dbm: float
    height_m: float
    tilt: float
    rows: int
    columns: int
    every_way: bool
    chains: int
    idle_w: float
    slope: float
    sleep_w: float
    noise_db: float = 5.0


KINDS = {
    "macro": CellKind(UMA, 4.0, 10e6, 52, 41.0, 25.0, 12.0, 4, 8, False, 2, 130.0, 4.7, 75.0),
    "small": CellKind(UMI, 4.0, 10e6, 52, 30.0, 10.0, 0.0, 1, 1, True, 2, 56.0, 2.6, 39.0),
    "rural": CellKind(RMA, 0.7, 10e6, 52, 46.0, 35.0, 3.0, 8, 1, False, 2, 130.0, 4.7, 75.0),
}


@dataclass(frozen=True, eq=False, slots=True)
class MixedSites:
    """Where base stations stand, S of them; hubs, H; the core."""

    name: tuple[str, ...]
    """``city-17``, ``small-17``, ``country-3``. [S]"""
    kind: tuple[str, ...]
    """A key of `KINDS`. [S]"""
    x_m: F64
    """East of the map's corner. [S]"""
    y_m: F64
    """North of it. [S]"""
    hub: I64
    """The hub that a site hangs on. [S]"""
    hub_x_m: F64
    """[H]"""
    hub_y_m: F64
    """[H]"""
    core_xy_m: tuple[float, float]

    def __len__(self) -> int:
        return len(self.name)


@dataclass(frozen=True, eq=False, slots=True)
class MixedLinks:
    """Backhaul, L links between nodes: sites 0..S-1, hubs S..S+H-1, the core S+H."""

    a: I64
    b: I64
    kind: tuple[str, ...]
    """``fibre`` or ``microwave``. [L]"""
    km: F64
    mbps: F64
    ghz: F64
    """Carrier of a microwave link; NaN for fibre. [L]"""


@dataclass(frozen=True, eq=False, slots=True)
class MixedUsers:
    """U users, active ones first, metering devices after them."""

    kind: I64
    """Class, an index of `CLASSES`. [U]"""
    zone: I64
    """City, country or road; -1 for those who stand still. [U]"""
    walk: I64
    """Movement of the core: 0 still, 1 Gauss-Markov, 2 waypoint, 3 Manhattan, 4 along the road. [U]"""
    indoors: I64
    """0 or 1. [U]"""
    x_m: F64
    y_m: F64
    """Where still ones stand; others begin where their movement puts them. [U]"""

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, eq=False)
class Mixed:
    """The deployment: sites, backhaul, cells, zones and users."""

    devices: int
    active: int
    width_m: float
    height_m: float
    sites: MixedSites
    links: MixedLinks
    users: MixedUsers
    zones: tuple[tuple[float, float, dict[str, float], tuple[tuple[float, float, float], ...]], ...]
    """Corner x, y, rules of `tiertwin._core.Mobility`, track."""
    cells: dict[str, NDArray[Any]] = field(repr=False)
    """Arrays by cell, as the core's `AccessNetwork` names them. [C]"""

    @property
    def cell_count(self) -> int:
        """Number of cells."""
        return len(self.cells["cell_x"])

    def lon_lat(self, x_m: F64, y_m: F64) -> tuple[F64, F64]:
        """Return degrees of places on the map, for maps that want them (a plane around 10 E, 50 N)."""
        lat = _ORIGIN[1] + np.asarray(y_m) / _METRES_A_DEGREE
        lon = _ORIGIN[0] + np.asarray(x_m) / (_METRES_A_DEGREE * math.cos(math.radians(_ORIGIN[1])))
        return lon, lat


def mixed(devices: int = 10_000, active: int | None = None, seed: int = 1) -> Mixed:
    """Return the deployment for so many metering devices.

    Parameters
    ----------
    devices
        Metering devices, 1 000 to 1 000 000. Sites grow with the users, so that a site always has about as many.
    active
        Active users; a tenth of `devices` without it.
    seed
        Draws who is who and where devices stand.

    Raises
    ------
    ValueError
        Fewer or more devices, no active user.
    """
    if not LEAST_DEVICES <= devices <= MOST_DEVICES:
        raise ValueError(f"devices: expected {LEAST_DEVICES} to {MOST_DEVICES}, got {devices}")
    active = devices // 10 if active is None else active
    if not 1 <= active <= MOST_DEVICES:
        raise ValueError(f"active: expected 1 to {MOST_DEVICES} users, got {active}")
    city = max(LEAST_CITY_SITES, math.ceil(CITY_SHARE * active / ACTIVE_A_CITY_SITE))
    country = max(LEAST_COUNTRY_SITES, math.ceil((1.0 - CITY_SHARE) * active / ACTIVE_A_COUNTRY_SITE))
    city_xy, city_box = _hexagons(city, CITY_ISD_M)
    country_xy, country_box = _hexagons(country, COUNTRY_ISD_M)
    height = max(city_box[1], country_box[1])
    city_at = np.array([0.0, 0.5 * (height - city_box[1])])
    country_at = np.array([city_box[0], 0.5 * (height - country_box[1])])
    sites = _sites(city_xy + city_at, country_xy + country_at)
    boxes = ((city_at, city_box), (country_at, country_box))
    width = city_box[0] + country_box[0]
    return Mixed(
        devices=devices,
        active=active,
        width_m=width,
        height_m=height,
        sites=sites,
        links=_backhaul(sites),
        users=_users(devices, active, seed, boxes),
        zones=_zones(boxes, width, height),
        cells=_cells(sites),
    )


def _hexagons(count: int, isd: float) -> tuple[F64, tuple[float, float]]:
    """Return `count` places in rows, every other one shifted by half, and the size of the rectangle around them."""
    columns = max(2, math.ceil(math.sqrt(count * math.sqrt(3.0) / 2.0)))
    row, column = np.divmod(np.arange(count), columns)
    pitch = isd * math.sqrt(3.0) / 2.0
    places = np.stack([isd * (0.25 + column + 0.5 * (row % 2)), pitch * (0.5 + row)], axis=1)
    return places, (isd * (columns + 0.5), pitch * float(row[-1] + 1))


def _sites(city: F64, country: F64) -> MixedSites:
    angle = np.arange(len(city)) * math.pi * (3.0 - math.sqrt(5.0))  # golden: small cells stand every way of their site
    away = 0.45 * CITY_ISD_M * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inside = (city + away >= city.min(axis=0)) & (city + away <= city.max(axis=0))
    small = city + np.where(inside, away, -away)
    city_hubs, city_hub = _hubs(city)
    country_hubs, country_hub = _hubs(country)
    places = np.concatenate([city, small, country])
    return MixedSites(
        name=tuple(
            f"{kind}-{i + 1}"
            for kind, n in (("city", len(city)), ("small", len(small)), ("country", len(country)))
            for i in range(n)
        ),
        kind=("macro",) * len(city) + ("small",) * len(small) + ("rural",) * len(country),
        x_m=places[:, 0].copy(),
        y_m=places[:, 1].copy(),
        hub=np.concatenate([city_hub, city_hub, country_hub + len(city_hubs)]),
        hub_x_m=np.concatenate([city_hubs, country_hubs])[:, 0].copy(),
        hub_y_m=np.concatenate([city_hubs, country_hubs])[:, 1].copy(),
        core_xy_m=(float(city[:, 0].mean()), float(city[:, 1].mean())),
    )


def _hubs(places: F64) -> tuple[F64, I64]:
    """Return hubs, one a square of a grid over the places, at the site nearest to its middle; and each one's hub."""
    squares = max(1, round(math.sqrt(len(places) / SITES_A_HUB)))
    low, size = places.min(axis=0), np.maximum(np.ptp(places, axis=0), 1.0)
    square = np.minimum((places - low) / size * squares, squares - 1).astype(np.int64)
    number = square[:, 1] * squares + square[:, 0]
    used, hub = np.unique(number, return_inverse=True)
    hubs = np.array([_nearest(places[hub == h]) for h in range(len(used))])
    return hubs, hub.astype(np.int64)


def _nearest(places: F64) -> F64:
    """Return the place that is nearest to the mean of all."""
    nearest: F64 = places[np.argmin(np.hypot(*(places - places.mean(axis=0)).T))]
    return nearest


def _backhaul(sites: MixedSites) -> MixedLinks:
    count, hubs = len(sites), len(sites.hub_x_m)
    kind = np.array(sites.kind)
    macros = int((kind == "macro").sum())
    to = np.where(kind == "small", np.arange(count) - macros, count + sites.hub)  # small cells hang on their site
    x = np.concatenate([sites.x_m, sites.hub_x_m, [sites.core_xy_m[0]]])
    y = np.concatenate([sites.y_m, sites.hub_y_m, [sites.core_xy_m[1]]])
    a = np.arange(count + hubs)
    b = np.concatenate([to, np.full(hubs, count + hubs)])
    straight = np.hypot(x[a] - x[b], y[a] - y[b]) / 1e3
    rural = np.concatenate([kind == "rural", np.zeros(hubs, dtype=bool)])
    air = rural & (straight > 0.0)  # a site that houses its hub needs no microwave
    km = np.where(air, straight, np.maximum(ROUTE * straight, 0.01))
    ghz = np.where(km <= 2.0, 80.0, np.where(km <= 4.0, 38.0, 18.0))
    microwave = np.where(ghz == 80.0, 5_000.0, 1_000.0)
    fibre = np.where(a >= count, 100_000.0, 10_000.0)
    return MixedLinks(
        a=a.astype(np.int64),
        b=b.astype(np.int64),
        kind=tuple("microwave" if wave else "fibre" for wave in air),
        km=km,
        mbps=np.where(air, microwave, fibre),
        ghz=np.where(air, ghz, np.nan),
    )


def _cells(sites: MixedSites) -> dict[str, NDArray[Any]]:
    """Return three sectors a site, one for small cells, as arrays."""
    rows = [
        (s, az)
        for s, kind in enumerate(sites.kind)
        for az in ((0.0,) if KINDS[kind].every_way else (30.0, 150.0, 270.0))
    ]
    site = np.array([s for s, _ in rows], dtype=np.int64)
    kinds = [KINDS[sites.kind[s]] for s, _ in rows]

    def real(name: str) -> F64:
        return np.array([getattr(k, name) for k in kinds], dtype=np.float64)

    def whole(name: str) -> I64:
        return np.array([getattr(k, name) for k in kinds], dtype=np.int64)

    return {
        "cell_x": sites.x_m[site],
        "cell_y": sites.y_m[site],
        "cell_height": real("height_m"),
        "cell_ghz": real("ghz"),
        "cell_bandwidth_hz": real("bandwidth_hz"),
        "cell_power_dbm": real("power_dbm"),
        "cell_azimuth": np.array([az for _, az in rows]),
        "cell_tilt": real("tilt"),
        "cell_noise_db": real("noise_db"),
        "cell_idle_w": real("idle_w"),
        "cell_slope": real("slope"),
        "cell_sleep_w": real("sleep_w"),
        "cell_environment": whole("environment"),
        "cell_every_way": whole("every_way"),
        "cell_rows": whole("rows"),
        "cell_columns": whole("columns"),
        "cell_site": site,
        "cell_prbs": whole("prbs"),
        "cell_chains": whole("chains"),
    }


_Boxes = tuple[tuple[F64, tuple[float, float]], tuple[F64, tuple[float, float]]]


def _zones(
    boxes: _Boxes, width: float, height: float
) -> tuple[tuple[float, float, dict[str, float], tuple[tuple[float, float, float], ...]], ...]:
    (city_at, city), (country_at, country) = boxes
    walking = {"mean_speed": 1.2, "sigma_speed": 0.3, "low_speed": 0.5, "high_speed": 1.8, "pause_s": 60.0}
    town = {"width_m": city[0], "height_m": city[1], "block_m": 100.0, "street_low": 5.0, "street_high": 14.0}
    land = {"width_m": country[0], "height_m": country[1], "block_m": 866.0, "street_low": 8.0, "street_high": 22.0}
    road = {"width_m": width, "height_m": min(200.0, height), "block_m": min(100.0, height)}
    middle = 0.5 * height - 0.5 * road["height_m"]
    track = ((0.0, 0.5 * road["height_m"], 1.5), (width, 0.5 * road["height_m"], 1.5))
    return (
        (float(city_at[0]), float(city_at[1]), {**walking, **town}, ()),
        (float(country_at[0]), float(country_at[1]), {**walking, **land}, ()),
        (0.0, middle, {**road, "train_low": 22.0, "train_high": 36.0}, track),  # a road is a line of trains of one car
    )


def _users(devices: int, active: int, seed: int, boxes: _Boxes) -> MixedUsers:
    count = active + devices
    drawn = np.random.Generator(np.random.Philox(seed)).random((count, 6))  # a row a user: more of them change none
    moves = np.arange(count) < active
    kind = np.where(moves, np.searchsorted([0.5, 0.75], drawn[:, 0], side="right"), METERING)
    zone = np.where(drawn[:, 1] < CITY_SHARE, CITY, COUNTRY)
    on_road = moves & (kind == VEHICLE) & (drawn[:, 2] < 0.1)
    indoors = (drawn[:, 3] < np.where(zone == CITY, 0.8, 0.5)) & (kind != VEHICLE)
    walk = np.select(
        [~moves, on_road, kind == VEHICLE, kind == AR], [STILL, TRAIN, MANHATTAN, GAUSS_MARKOV], default=WAYPOINT
    )
    at = np.array([box[0] for box in boxes])[zone]
    size = np.array([box[1] for box in boxes])[zone]
    place = at + drawn[:, 4:] * size
    return MixedUsers(
        kind=kind.astype(np.int64),
        zone=np.where(moves, np.where(on_road, ROAD, zone), -1).astype(np.int64),
        walk=walk.astype(np.int64),
        indoors=indoors.astype(np.int64),
        x_m=place[:, 0].copy(),
        y_m=place[:, 1].copy(),
    )
