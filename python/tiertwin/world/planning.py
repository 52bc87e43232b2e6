"""Where users are planned to attach, and how fast they are: what a twin knows before anybody reported.

cell    the strongest one in a map of sight and shadows drawn for planning: what stands there has other ones
rate    of the whole cell, up: bits a block and slot times blocks, with open-loop power control (TS 38.213, 7.1.1)
        and `RISE_DB` of disturbance (ours)
ring    the one whose rate is nearest, as a ratio
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core
from tiertwin.world.access import F64, I64

ENVIRONMENTS = ("uma", "umi", "rma", "inh")
USER_M = 1.5
RISE_DB = 3.0
EFFICIENCY, CAP = 0.7, 7.4  # of Shannon's rate; bit/s/Hz (TR 36.942, annex A.2)
LEAST_SINR_DB = -10.0
THERMAL_DBM_HZ, BLOCK_HZ, BLOCK_SYMBOLS = -174.0, 180e3, 180.0
SECTOR_DBI, EVERY_WAY_DBI, SECTOR_WIDTH, SECTOR_DEPTH = 8.0, 5.0, 65.0, 30.0
PLANNING_SEED = 38_901
MASTS = 24  # judged for a user, the strongest by median

Cells = dict[str, NDArray[Any]]


def planned_cells(cells: Cells, x: F64, y: F64, indoors: I64) -> tuple[I64, F64]:
    """Return each user's strongest cell (-1: none in reach) and the gain of its link, dB, by the planning map."""
    found, gain = strongest_cells(cells, x, y, indoors, 1)
    return found[:, 0], gain[:, 0]


def strongest_cells(cells: Cells, x: F64, y: F64, indoors: I64, most: int) -> tuple[I64, F64]:
    """Return the `most` strongest cells of each user (-1: no more in reach) and the gains of links, dB, [U, most]."""
    every_way = cells["cell_every_way"].astype(np.bool_)
    count = len(every_way)
    planned = _core.CellMap(
        model=[ENVIRONMENTS[k] for k in cells["cell_environment"]],
        site=cells["cell_site"].astype(np.int32),
        x_m=cells["cell_x"],
        y_m=cells["cell_y"],
        height_m=cells["cell_height"],
        ghz=cells["cell_ghz"],
        bandwidth_hz=cells["cell_bandwidth_hz"],
        power_dbm=cells["cell_power_dbm"],
        noise_figure_db=np.full(count, 7.0),
        azimuth_deg=cells["cell_azimuth"],
        tilt_deg=cells["cell_tilt"],
        width_deg=np.full(count, SECTOR_WIDTH),
        peak_dbi=np.where(every_way, EVERY_WAY_DBI, SECTOR_DBI),
        depth_db=np.full(count, SECTOR_DEPTH),
        every_way=every_way,
        rows=cells["cell_rows"].astype(np.int32),
        columns=cells["cell_columns"].astype(np.int32),
    )
    z = np.full(len(x), USER_M)
    found, gain = _core.strongest(planned, x, y, z, indoors.astype(np.bool_), PLANNING_SEED, most, masts=MASTS)
    return found.astype(np.int64), gain.astype(np.float64)


def planned_rates(cells: Cells, cell: I64, gain_db: F64, p0: float, alpha: float, most: float) -> F64:
    """Return the rate that a user has up when it holds the whole cell, Mb/s; 0 without a cell or below -10 dB. [U]

    Parameters
    ----------
    cell, gain_db
        Cell of each user (-1: none) and gain of the link, dB, [U].
    p0, alpha, most
        Wanted power of a block, dBm; share of the loss made up for; most power of a user, dBm.
    """
    beam_db = 10.0 * np.log10(cells["cell_rows"] * cells["cell_columns"])[cell]
    noise = THERMAL_DBM_HZ + 10.0 * math.log10(BLOCK_HZ) + cells["cell_noise_db"][cell]
    power = np.minimum(most, p0 - alpha * gain_db)
    sinr_db = np.where(cell >= 0, power + gain_db + beam_db - noise - RISE_DB, -np.inf)
    each = np.minimum(EFFICIENCY * np.log2(1.0 + 10.0 ** (0.1 * sinr_db)), CAP)
    bits = np.floor(BLOCK_SYMBOLS * np.where(sinr_db >= LEAST_SINR_DB, each, 0.0))
    return np.asarray(bits * cells["cell_prbs"][cell] / 1e3)


def rings_of(rates: F64, ring_rate_mbps: F64) -> I64:
    """Return the ring whose rate is nearest to each rate, as a ratio; the slowest ring for a rate of 0."""
    away = np.abs(np.log(np.maximum(rates, 1e-6))[:, None] - np.log(ring_rate_mbps)[None, :])
    nearest: I64 = np.argmin(away, axis=1).astype(np.int64)
    return nearest


def nearest_sites(cells: Cells, x: F64, y: F64) -> I64:
    """Return the site with cells that is nearest to each place: where those are counted who hear nobody."""
    masts, first = np.unique(cells["cell_site"], return_index=True)
    away = np.hypot(x[:, None] - cells["cell_x"][first], y[:, None] - cells["cell_y"][first])
    nearest: I64 = masts[np.argmin(away, axis=1)]
    return nearest
