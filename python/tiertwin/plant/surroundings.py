"""From a scenario's failures, weather, base stations and radio access to what the core takes: plain numbers and lists.

Plain, because options travel to the plant's process as JSON; `arrays` turns them into what the core reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

EARTH_KM_PER_DEGREE = 6371.0 * math.pi / 180.0
STATIONS = ("macro", "rrh", "micro", "pico", "femto")
SERVER_KEY = 1 << 32
"""Key of server 0 among the parts that wear; links have their own number."""
_INTEGERS = frozenset({"part_key", "part_law", "link", "top", "station"})


def arrays(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return lists as arrays of the core's types; numbers as they are."""
    return {
        name: np.array(value, dtype=np.int64 if name in _INTEGERS else np.float64)
        if isinstance(value, list | tuple | np.ndarray)
        else float(value)
        for name, value in plain.items()
    }


def wear_of(world: Any) -> dict[str, Any] | None:
    """Return the parts that wear and their laws, as `cpp/plant/wear.hpp` wants them; None where nothing fails."""
    section = getattr(getattr(world, "scenario", None), "failures", None)
    if section is None:
        return None
    laws, parts = _laws_of_parts(section, world)
    keys = sorted(parts)
    return {
        "part_key": keys,
        "part_law": [parts[key] for key in keys],
        "period_s": section.period_s,
        "ambient_c": section.ambient_c,
        "swing_c": section.swing_c,
        "day_s": world.scenario.epochs_per_day * world.scenario.base_epoch_s,
        **{name: [law[name] for law in laws] for name in _NAMES},
    }


def _laws_of_parts(section: Any, world: Any) -> tuple[list[dict[str, float]], dict[int, int]]:
    """Return the laws, and by the key of a part which it follows."""
    sites, fogs = len(world.site_node), len(world.fog_node)
    kinds = (
        (section.links, range(len(world.link_km))),
        (section.sites, range(SERVER_KEY, SERVER_KEY + sites)),
        (section.fogs, range(SERVER_KEY + sites, SERVER_KEY + sites + fogs)),
        (section.cloud, range(SERVER_KEY + sites + fogs, SERVER_KEY + sites + fogs + 1)),
    )
    laws: list[dict[str, float]] = []
    parts: dict[int, int] = {}
    for law, keys in kinds:
        if law is not None:
            parts |= dict.fromkeys(keys, len(laws))
            laws.append(_law(law))
    for row in section.own:
        key = _link_between(world, *row.link) if row.link is not None else SERVER_KEY + _site_at(world, row.site)
        parts[key] = len(laws)
        laws.append(_law(row.law))
    return laws, parts


def _law(law: Any) -> dict[str, float]:
    weibull, wear, heat, signals, repair = law.weibull, law.degradation, law.heat, law.signals, law.repair
    return {
        "shape": weibull.shape if weibull else 1.0,
        "scale_s": weibull.scale_s if weibull else 0.0,
        "hazard_per_k": weibull.per_k if weibull else 0.0,
        "hazard_load": weibull.per_load if weibull else 0.0,
        "drift_per_s": wear.drift_per_s if wear else 0.0,
        "sigma": wear.sigma if wear else 0.0,
        "limit": wear.limit if wear else 1.0,
        "activation_ev": wear.activation_ev if wear else 0.0,
        "reference_c": heat.reference_c,
        "idle_w": heat.idle_w,
        "max_w": heat.max_w,
        "k_per_w": heat.k_per_w,
        "wear_k": heat.wear_k,
        "vibration": signals.vibration_mm_s,
        "vibration_growth": signals.vibration_growth_mm_s,
        "errors_per_s": signals.errors_per_s,
        "repair_s": repair.mean_s,
        "repair_sigma": repair.sigma if repair.law == "lognormal" else 0.0,
    }


_NAMES = (
    "shape", "scale_s", "hazard_per_k", "hazard_load", "drift_per_s", "sigma", "limit", "activation_ev", "reference_c",
    "idle_w", "max_w", "k_per_w", "wear_k", "vibration", "vibration_growth", "errors_per_s", "repair_s", "repair_sigma",
)  # fmt: skip


def weather_of(world: Any) -> dict[str, Any] | None:
    """Return rain and microwave links, as `cpp/plant/weather.hpp` wants them; None where there is no weather.

    Degrees become km on the plane that touches the middle of the map (equirectangular): right to about 1 % over 500 km.
    """
    from tiertwin.model.surroundings import MODULATIONS, Rain  # noqa: PLC0415  brings pydantic: only with a scenario

    section = getattr(getattr(world, "scenario", None), "weather", None)
    if section is None:
        return None
    x, y = on_plane(world, world.lon, world.lat)
    hops = sorted(((_link_between(world, hop.a, hop.b), hop) for hop in section.microwave), key=lambda pair: pair[0])
    tail = [int(world.link_tail[link]) for link, _ in hops]
    head = [int(world.link_head[link]) for link, _ in hops]
    rain = section.rain if section.rain is not None else Rain(cells_per_hour=0.0)
    cell_x, cell_y = on_plane(world, [cell.lon for cell in section.cells], [cell.lat for cell in section.cells])
    return {
        "west": float(x.min()),
        "south": float(y.min()),
        "east": float(x.max()),
        "north": float(y.max()),
        "per_hour": rain.cells_per_hour,
        "life_s": rain.life_s,
        "radius_km": rain.radius_km,
        "peak_mm_h": rain.peak_mm_h,
        "speed_km_h": rain.speed_km_h,
        "heading_deg": rain.heading_deg,
        "heading_spread_deg": rain.heading_spread_deg,
        "cell_at_s": [cell.at_s for cell in section.cells],
        "cell_x_km": cell_x.tolist(),
        "cell_y_km": cell_y.tolist(),
        "cell_radius_km": [cell.radius_km for cell in section.cells],
        "cell_peak_mm_h": [cell.peak_mm_h for cell in section.cells],
        "cell_life_s": [cell.life_s for cell in section.cells],
        "cell_speed_km_h": [cell.speed_km_h for cell in section.cells],
        "cell_heading_deg": [cell.heading_deg for cell in section.cells],
        "period_s": section.period_s,
        "hysteresis_db": section.hysteresis_db,
        "link": [link for link, _ in hops],
        "top": [MODULATIONS[hop.modulation] for _, hop in hops],
        "x0": x[tail].tolist(),
        "y0": y[tail].tolist(),
        "x1": x[head].tolist(),
        "y1": y[head].tolist(),
        "ghz": [hop.ghz for _, hop in hops],
        "tilt": [90.0 if hop.polarisation == "vertical" else 0.0 for _, hop in hops],
        "margin_db": [hop.margin_db for _, hop in hops],
    }


def on_plane(world: Any, lon: Any, lat: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return km east and north of the middle of the map."""
    middle_lon = (float(np.min(world.lon)) + float(np.max(world.lon))) / 2.0
    middle_lat = (float(np.min(world.lat)) + float(np.max(world.lat))) / 2.0
    x = (np.asarray(lon, dtype=np.float64) - middle_lon) * EARTH_KM_PER_DEGREE * math.cos(math.radians(middle_lat))
    return x, (np.asarray(lat, dtype=np.float64) - middle_lat) * EARTH_KM_PER_DEGREE


def stations_of(world: Any) -> dict[str, Any] | None:
    """Return the base stations of each site, as `cpp/plant/sleep.hpp` wants them; None where they are not counted."""
    section = getattr(getattr(world, "scenario", None), "base_stations", None)
    if section is None:
        return None
    kinds = np.where(world.site_urban, STATIONS.index(section.urban), STATIONS.index(section.rural))
    return {
        "station": [int(kind) for kind in kinds],
        "after_s": 0.0 if section.sleep_after_s is None else section.sleep_after_s,
        "wake_s": section.wake_s,
    }


def rules_of(world: Any) -> dict[str, Any] | None:
    """Return the rules of the air and what is hidden of it, as `PlantOptions.access` has them; None without access."""
    section = getattr(getattr(world, "scenario", None), "access", None)
    if section is None:
        return None
    air, secrets = section.air, section.secrets
    return {
        "radio": {
            "step_ms": air.step_ms,
            "user_dbm": air.user_dbm,
            "p0_dbm": air.p0_dbm,
            "alpha": air.alpha,
            "interruption_ms": air.interruption_ms,
            "reestablish_ms": air.reestablish_ms,
            "hysteresis_db": air.hysteresis_db,
            "trigger_ms": air.trigger_ms,
            "sleep_after_ms": air.sleep_after_ms,
            "wake_ms": air.wake_ms,
        },
        "secrets": {
            "hidden_loss_db": secrets.loss_db,
            "hidden_azimuth": secrets.azimuth_deg,
            "hidden_tilt": secrets.tilt_deg,
            "efficiency_low": secrets.efficiency[0],
            "efficiency_high": secrets.efficiency[1],
            "in_order_share": secrets.in_order_share,
            "unseen_share": secrets.unseen_share,
        },
    }


def _link_between(world: Any, a: str, b: str) -> int:
    ends = sorted((world.node_names.index(a), world.node_names.index(b)))
    joined = np.sort(np.stack([world.link_tail, world.link_head], axis=1), axis=1)
    return int(np.flatnonzero((joined == ends).all(axis=1))[0])


def _site_at(world: Any, name: str) -> int:
    return int(np.flatnonzero(np.asarray(world.site_node) == world.node_names.index(name))[0])
