"""The figures of docs/radio.md: ``python tests/long/radio_figures.py``, some seconds; prints JSON.

fields       3 000 fields, 200 places each: moments, distance to the normal law, correlation against exp(-d)
cells        SINR with the k strongest cells against that with 600, load 0.5, on the map of benchmarks/radio.py
masts        the same 20 cells looked for among few masts only
per_user     CPU time of a search as the masts within reach grow: hexagons 200 m apart
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr

from tiertwin import _core

sys.path += [str(Path(__file__).parents[1] / "support"), str(Path(__file__).parents[2] / "benchmarks")]
maps: Any = import_module("radio_maps")
benchmark: Any = import_module("radio")
FIELDS, PLACES, CORRELATION = 3_000, 200, 50.0
DISTANCES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.85, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


def fields() -> dict[str, Any]:
    rng = np.random.default_rng(7)
    values, products = [], np.zeros(len(DISTANCES))
    for n in range(FIELDS):
        x, y = rng.uniform(-1e5, 1e5, (2, PLACES))
        here = _core.normal_field(9, n, 1, CORRELATION, x, y)
        values.append(here)
        for i, distance in enumerate(DISTANCES):
            turn, far = rng.uniform(0, 2 * np.pi, PLACES), CORRELATION * distance
            there = _core.normal_field(9, n, 1, CORRELATION, x + far * np.cos(turn), y + far * np.sin(turn))
            products[i] += np.mean(here * there) / FIELDS
    all_values = np.sort(np.concatenate(values))
    ranks = (np.arange(all_values.size) + 0.5) / all_values.size
    return {
        "mean": all_values.mean(), "variance": all_values.var(), "fourth_moment": np.mean(all_values**4),
        "distance_to_normal": np.abs(ndtr(all_values) - ranks).max(),
        "clipped": np.mean(np.abs(all_values) >= 4.0),
        "correlation": {f"{d:g}": round(float(c), 4) for d, c in zip(DISTANCES, products, strict=True)},
        "largest_error": np.abs(products - np.exp(-np.array(DISTANCES))).max(),
    }  # fmt: skip


def city() -> tuple[_core.CellMap, tuple[Any, ...]]:
    """The benchmark's map and those of its users who are not at its border."""
    columns = benchmark.city()
    users = benchmark.people(8_000)
    inside = (np.abs(users[0] - benchmark.SIDE / 2) < 3_000) & (np.abs(users[1] - benchmark.SIDE / 2) < 3_000)
    return maps.built(columns), tuple(np.ascontiguousarray(column[inside]) for column in users)


def sinr(cell_map: _core.CellMap, found: tuple[Any, Any]) -> Any:
    users = len(found[0])
    load = np.full(len(cell_map), 0.5)
    return _core.sinr(cell_map, found[1], found[0], np.zeros(users, np.int32), np.zeros(0), load)


def spread(errors: Any) -> dict[str, float]:
    return {"mean": float(errors.mean()), "p95": float(np.percentile(errors, 95)), "max": float(errors.max())}


def cells() -> dict[str, Any]:
    cell_map, (x, y, z, indoors) = city()
    true = sinr(cell_map, _core.strongest(cell_map, x, y, z, indoors, 7, 600))
    return {
        k: spread(sinr(cell_map, _core.strongest(cell_map, x, y, z, indoors, 7, k)) - true) for k in (5, 10, 20, 40, 80)
    }


def masts() -> dict[str, Any]:
    cell_map, (x, y, z, indoors) = city()
    true = _core.strongest(cell_map, x, y, z, indoors, 7, 20)
    found = {}
    for count in (0, 12, 24, 48, 96):
        start = time.thread_time()
        some = _core.strongest(cell_map, x, y, z, indoors, 7, 20, masts=count)
        spent = (time.thread_time() - start) / len(x) * 1e6
        errors = np.abs(sinr(cell_map, some) - sinr(cell_map, true))
        best = float(np.mean(some[0][:, 0] == true[0][:, 0]))
        found[count] = {"same_best_cell": best, "us_a_user": spent, "sinr_error_db": spread(errors)}
    return found


def per_user() -> dict[int, float]:
    found = {}
    for rings in (2, 5, 10, 20, 28):
        x, y = maps.hexagons(rings, 200.0)
        cell_map = maps.built(maps.cells("uma", x, y))
        at = np.random.default_rng(1).uniform(-200, 200, (2, 1_000))
        start = time.thread_time()
        _core.strongest(cell_map, at[0], at[1], np.full(1_000, 1.5), np.zeros(1_000, bool), 7, 20)
        found[len(x)] = (time.thread_time() - start) * 1e3  # us a user
    return found


def plain(value: Any) -> Any:
    """Numbers of four digits."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return float(f"{value:.4g}")


if __name__ == "__main__":
    print(json.dumps({one.__name__: plain(one()) for one in (fields, cells, masts, per_user)}, indent=1))
