"""Cells of rain, naively: every cell of a list, the exact sum, and the path by a fine midpoint rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.draws import exponential, philox, uniform
from reference.wear import normals

RAIN = 0x504C0105
Cell = tuple[float, float, float, float, float, float, float, float]  # born, life, x, y, vx, vy, radius, peak


def cells(seed: int, config: dict[str, Any], until_s: float) -> list[Cell]:
    """Return all cells born by then, given ones first."""
    found: list[Cell] = []
    names = ("at_s", "life_s", "x_km", "y_km", "speed_km_h", "heading_deg", "radius_km", "peak_mm_h")
    for row in zip(*(config[f"cell_{name}"].tolist() for name in names), strict=True):
        born, life, x, y, speed, heading, radius, peak = row
        found.append((born, life, x, y, *_velocity(speed, heading), radius, peak))
    longest = 1.5 * config["life_s"]
    grown = config["speed_km_h"] / 3600 * longest + 5 * 1.5 * config["radius_km"]
    width, height = config["east"] - config["west"] + 2 * grown, config["north"] - config["south"] + 2 * grown
    per_s = config["per_hour"] / 3600 * width * height / 1000
    born, n = -longest, 0
    while per_s > 0:
        life, place, size, turn = (philox(seed, n, RAIN, block) for block in range(4))
        born += exponential(life[0], life[1]) / per_s
        if born > until_s:
            break
        heading = config["heading_deg"] + config["heading_spread_deg"] * normals(turn)[0]
        found.append(
            (
                born,
                config["life_s"] * (0.5 + uniform(life[2], life[3])),
                config["west"] - grown + uniform(place[0], place[1]) * width,
                config["south"] - grown + uniform(place[2], place[3]) * height,
                *_velocity(config["speed_km_h"], heading),
                config["radius_km"] * (0.5 + uniform(size[0], size[1])),
                min(config["peak_mm_h"] * exponential(size[2], size[3]), 200.0),
            )
        )
        n += 1
    return found


def _velocity(speed: float, heading: float) -> tuple[float, float]:
    return speed / 3600 * math.sin(math.radians(heading)), speed / 3600 * math.cos(math.radians(heading))


def rate(found: list[Cell], t: float, x: Any, y: Any) -> Any:
    """Return the rain rate at places, mm/h; nothing is left out."""
    total = np.zeros_like(np.asarray(x, dtype=np.float64))
    for born, life, x0, y0, vx, vy, radius, peak in found:
        age = t - born
        if 0 < age < life:
            distance2 = (x - x0 - vx * age) ** 2 + (y - y0 - vy * age) ** 2
            total = total + peak * math.sin(math.pi * age / life) ** 2 * np.exp(-distance2 / radius**2)
    return total


def loss(found: list[Cell], t: float, path: tuple[float, float, float, float], k: float, alpha: float) -> float:
    """Return the loss of a path, dB, by the midpoint rule with 20 000 points."""
    x0, y0, x1, y1 = path
    at = (np.arange(20_000) + 0.5) / 20_000
    rates = rate(found, t, x0 + at * (x1 - x0), y0 + at * (y1 - y0))
    return float(k * np.mean(rates**alpha) * math.hypot(x1 - x0, y1 - y0))
