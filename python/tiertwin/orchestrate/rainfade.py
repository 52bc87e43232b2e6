"""What rain leaves of microwave links, as the twin expects it: attenuation by P.838, adaptive modulation in steps.

    loss  = γ(f, R, polarisation) · km inside the rain            γ of ITU-R P.838-3, dB/km
    SNR   = needed_snr(densest step) + margin − loss
    share = bits of the densest step that the SNR carries / bits of the densest step at all; 0: outage

The rate is the same everywhere inside the area (within `radius_km` of its middle, or everywhere); a real cell of rain
is densest in its middle. Other links do not mind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.model.interventions import Rain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiertwin.orchestrate.places import Places
    from tiertwin.world import World

STEPS = {bits: _core.backhaul_needed_snr(bits) for bits in range(2, 13)}
"""SNR that each step (bits a symbol) needs, dB (``cpp/radio/backhaul.hpp``)."""
KM_PER_DEGREE = 6371.0 * np.pi / 180.0
PIECES = 64  # a link is looked at in so many pieces


def microwave_shares(places: Places, rain: Rain) -> Mapping[int, float]:
    """Return what is left of each microwave link that the rain touches, link → share.

    Raises
    ------
    InputError
        The scenario has no microwave links.
    """
    from tiertwin.model.surroundings import MODULATIONS  # noqa: PLC0415  brings pydantic: only with a scenario

    world = places.world
    section = None if world.scenario is None else world.scenario.weather
    if section is None or not section.microwave:
        raise InputError(
            f"rain: expected a scenario with microwave links (weather.microwave); {world.name!r} has none, and other "
            "links do not mind rain"
        )
    found = {}
    for hop in section.microwave:
        link = places.link("rain", hop.a, hop.b)
        wet = wet_share(places, rain, link)
        if wet <= 0.0 or rain.mm_h <= 0.0:
            continue
        tilt = 90.0 if hop.polarisation == "vertical" else 0.0
        one = np.ones(1)
        a_km = float(_core.rain_attenuation(hop.ghz * one, rain.mm_h * one, 0.0 * one, tilt * one)[0])
        top = MODULATIONS[hop.modulation]
        snr = STEPS[top] + hop.margin_db - a_km * straight_km(world, link) * wet
        bits = max((step for step, needed in STEPS.items() if step <= top and snr >= needed), default=0)
        found[link] = bits / top
    return found


def straight_km(world: World, link: int) -> float:
    """Return the length of a link as the crow flies, on the plane that touches the middle of the map, km."""
    x, y = _ends(world, link)
    return float(np.hypot(x[1] - x[0], y[1] - y[0]))


def wet_share(places: Places, rain: Rain, link: int) -> float:
    """Return the share of a link that lies in the rain."""
    world = places.world
    if rain.area is None and rain.lon is None:
        return 1.0
    if rain.area is not None:
        nodes = _nodes(places, rain.area)
        lon, lat = float(world.lon[nodes].mean()), float(world.lat[nodes].mean())
    else:
        assert rain.lon is not None
        assert rain.lat is not None
        lon, lat = rain.lon, rain.lat
    x, y = _ends(world, link)
    middle_x, middle_y = _plane(world, np.array([lon]), np.array([lat]))
    along = (np.arange(PIECES) + 0.5) / PIECES
    away = np.hypot(x[0] + along * (x[1] - x[0]) - middle_x, y[0] + along * (y[1] - y[0]) - middle_y)
    return float((away <= rain.radius_km).mean())


def _nodes(places: Places, area: str) -> list[int]:
    if area in places.world.node_names:
        return [places.node("rain", area)]
    return [int(places.world.site_node[site]) for site in places.area("rain", area)]


def _ends(world: World, link: int) -> tuple[np.ndarray, np.ndarray]:
    ends = [int(world.link_tail[link]), int(world.link_head[link])]
    return _plane(world, world.lon[ends], world.lat[ends])


def _plane(world: World, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle_lon, middle_lat = (world.lon.min() + world.lon.max()) / 2.0, (world.lat.min() + world.lat.max()) / 2.0
    east = (lon - middle_lon) * KM_PER_DEGREE * np.cos(np.radians(middle_lat))
    return east, (lat - middle_lat) * KM_PER_DEGREE
