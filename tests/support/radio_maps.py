"""Maps of cells for the tests and benchmarks of cpp/radio: columns as CellMap takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core

Cells = dict[str, Any]
Reals = NDArray[np.float64]


def cells(
    model: str, x: Reals, y: Reals, *, sectors: int = 3, first_site: int = 0, height: float = 25.0, ghz: float = 3.5,
    bandwidth: float = 20e6, power: float = 46.0, tilt: float = 6.0, rows: int = 8, columns: int = 8,
) -> Cells:  # fmt: skip
    """Sites at (x, y), each with so many sectors."""
    sites = len(x)
    n = sites * sectors

    def same(value: float) -> Reals:
        return np.full(n, float(value))

    return {
        "model": [model] * n,
        "site": np.repeat(np.arange(first_site, first_site + sites, dtype=np.int32), sectors),
        "x_m": np.repeat(x, sectors), "y_m": np.repeat(y, sectors), "height_m": same(height), "ghz": same(ghz),
        "bandwidth_hz": same(bandwidth), "power_dbm": same(power), "noise_figure_db": same(7.0),
        "azimuth_deg": np.tile(np.arange(sectors) * 360.0 / sectors, sites), "tilt_deg": same(tilt),
        "width_deg": same(65.0), "peak_dbi": same(8.0), "depth_db": same(30.0),
        "every_way": np.full(n, sectors == 1), "rows": np.full(n, rows, np.int32),
        "columns": np.full(n, columns, np.int32),
    }  # fmt: skip


def together(*parts: Cells) -> Cells:
    """One map of several."""
    return {
        name: [one for p in parts for one in p[name]] if name == "model" else np.concatenate([p[name] for p in parts])
        for name in parts[0]
    }


def hexagons(rings: int, spacing: float) -> tuple[Reals, Reals]:
    """Sites of a hexagonal layout around (0, 0): 1 + 3 rings (rings + 1) of them."""
    at = [(q, r) for q in range(-rings, rings + 1) for r in range(-rings, rings + 1) if abs(q + r) <= rings]
    q, r = np.array(at, dtype=float).T
    return spacing * (q + r / 2), spacing * r * np.sqrt(3) / 2


def mixed(seed: int = 1) -> Cells:
    """Dense urban macro and micro cells, an office, and rural macro cells on another carrier; some share sites."""
    rng = np.random.default_rng(seed)
    x, y = hexagons(2, 500.0)
    macro = cells("uma", x, y)
    second = cells("uma", x[:5], y[:5], ghz=0.7, bandwidth=10e6, power=43.0)  # of the same sites
    small = cells("umi", rng.uniform(-900, 900, 12), rng.uniform(-900, 900, 12), sectors=1, first_site=19, height=10.0,
                  power=33.0, ghz=3.5, rows=4, columns=2)  # fmt: skip
    office = cells("inh", np.array([120.0, 180.0]), np.array([200.0, 200.0]), sectors=1, first_site=31, height=3.0,
                   power=20.0, ghz=26.0, bandwidth=100e6)  # fmt: skip
    rural = cells("rma", rng.uniform(2000, 9000, 8), rng.uniform(-4000, 4000, 8), first_site=33, height=35.0, ghz=0.7,
                  bandwidth=10e6)  # fmt: skip
    return together(macro, second, small, office, rural)


def built(columns: Cells) -> _core.CellMap:
    return _core.CellMap(**columns)


def users(seed: int, count: int, half: float = 1200.0) -> tuple[Reals, Reals, Reals]:
    """Places around (0, 0) and heights of floors."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-half, half, (2, count))
    return x, y, np.where(rng.random(count) < 0.3, 1.5 + 3.0 * rng.integers(0, 8, count), 1.5)
