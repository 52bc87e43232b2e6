"""Configurations of wear and rain as the core takes them, quiet but for what a test changes."""

from __future__ import annotations

from typing import Any

import numpy as np

QUIET = {
    "shape": 1.0, "scale_s": 0.0, "hazard_per_k": 0.0, "hazard_load": 0.0, "drift_per_s": 0.0, "sigma": 0.0,
    "limit": 1.0, "activation_ev": 0.0, "reference_c": 25.0, "idle_w": 0.0, "max_w": 0.0, "k_per_w": 0.0,
    "wear_k": 0.0, "vibration": 0.0, "vibration_growth": 0.0, "errors_per_s": 0.0, "repair_s": 1.0,
    "repair_sigma": 0.0,
}  # fmt: skip
CELLS = ("at_s", "x_km", "y_km", "radius_km", "peak_mm_h", "life_s", "speed_km_h", "heading_deg")


def wear(parts: int, *laws: dict[str, float], period_s: float = 1.0, **air: float) -> dict[str, Any]:
    """`parts` that follow the laws in turn."""
    rows = [{**QUIET, **law} for law in laws]
    return {
        "part_key": np.arange(parts, dtype=np.int64),
        "part_law": np.arange(parts, dtype=np.int64) % len(rows),
        "period_s": period_s,
        **{"ambient_c": 25.0, "swing_c": 0.0, "day_s": 86_400.0, **air},
        **{name: np.array([row[name] for row in rows]) for name in QUIET},
    }


def first_failures(events: tuple[Any, ...], parts: int) -> np.ndarray[Any, Any]:
    """Return the time of every part's first failure, s; NaN where there is none."""
    time, part, up = events[:3]
    found = np.full(parts, np.nan)
    down = np.flatnonzero(up == 0)[::-1]
    found[part[down]] = time[down] * 1e-9
    return found


def rain(cells: list[tuple[float, ...]] | None = None, **changes: float) -> dict[str, Any]:
    """Rain over 40 km by 30 km: none but the cells given, each in the order of `CELLS`."""
    field = {
        "west": -20.0, "south": -15.0, "east": 20.0, "north": 15.0, "per_hour": 0.0, "life_s": 600.0, "radius_km": 3.0,
        "peak_mm_h": 40.0, "speed_km_h": 30.0, "heading_deg": 90.0, "heading_spread_deg": 10.0,
    }  # fmt: skip
    rows = np.array(cells or [], dtype=np.float64).reshape(-1, len(CELLS))
    return {**field, **changes, **{f"cell_{name}": rows[:, i].copy() for i, name in enumerate(CELLS)}}
