"""The 5G drives as arrays: serving cell, levels, place; and what each sample tells about the seconds to come.

What the data can tell, looked at first: a row has the serving cell's identity, RSRP, RSRQ and SNR, and *one*
neighbour's RSRP without its identity (a constant −51 dBm in 2G and 3G, where nothing was measured: taken as missing).
Levels are new every 2 s or so, positions every 10 s or more. A handover is a change of the identity between two
samples, known to 1–2 s, changes between 2G/3G and 4G/5G included. The next cell's identity therefore never follows
from levels alone; it can only be learned from drives before.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin.errors import InputError
from tiertwin.plant.traces.batch import TraceBatch, joined
from tiertwin.plant.traces.ucc import ucc_drives

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
GAP_S = 10.0
WINDOW = 6  # samples of a trend
SLOW_MODES = ("GPRS", "EDGE", "UMTS", "HSDPA", "HSUPA", "HSPA+", "HSPA")
FADED_DBM = -150.0


@dataclass(frozen=True, eq=False)
class Drive:
    """One trace, k samples."""

    name: str
    time_s: F64
    x_m: F64
    y_m: F64
    speed_mps: F64
    cell: I64
    slow: NDArray[np.bool_]
    """In a network of the second or third generation"""
    serving_dbm: F64
    neighbour_dbm: F64
    """NaN where none was measured"""
    snr_db: F64
    rsrq_db: F64

    def __len__(self) -> int:
        return len(self.time_s)


def load_drives(path: Path) -> tuple[list[Drive], dict[str, Any]]:
    """Return the drives in order of their start, and what was left out."""
    reader = ucc_drives(path, numbers=("RSRP", "RSRQ", "SNR", "RAWCELLID", "NRxRSRP"), words=("NetworkMode", "mob"))
    batch = joined(list(reader))
    good = (batch.numbers["RAWCELLID"] > 0) & (batch.numbers["RSRP"] > FADED_DBM)
    report = {
        "rows": len(batch) + reader.skips.rows,
        "repeated_or_bad_rows": reader.skips.rows,
        "rows_without_cell_or_level": int((~good).sum()),
        "gaps": reader.skips.count["gap"],
    }
    batch = batch.rows(good)
    drives = []
    for user in np.argsort(np.array(reader.users)):
        rows = batch.rows(batch.user == user)
        if len(rows) > WINDOW and rows.words["mob"][0] == "Driving":
            drives.append(_drive(reader.users[user], rows))
    if len(drives) < 4:
        raise InputError(f"expected at least 4 drives, got {len(drives)}", str(path))
    return drives, report


def _drive(name: str, rows: TraceBatch) -> Drive:
    slow = np.isin(rows.words["NetworkMode"], SLOW_MODES)
    neighbour = rows.numbers["NRxRSRP"].copy()
    neighbour[slow | (neighbour < FADED_DBM)] = np.nan
    return Drive(
        name,
        rows.time_s,
        rows.x_m,
        rows.y_m,
        rows.speed_mps,
        rows.numbers["RAWCELLID"].astype(np.int64),
        slow,
        rows.numbers["RSRP"],
        neighbour,
        rows.numbers["SNR"],
        rows.numbers["RSRQ"],
    )


@dataclass(frozen=True, eq=False)
class Moments:
    """What every sample of a drive tells, k samples; nothing in it comes from later samples but the truth."""

    until_s: F64
    """Truth: to the next handover, infinity for none. [k]"""
    seen_s: F64
    """Truth is known for so long: to the drive's end or next gap. [k]"""
    next_cell: I64
    """Truth: the cell after the next handover, −1 for none. [k]"""
    previous: I64
    """Cell before this one, −1 for none. [k]"""
    dwell_s: F64
    """In this cell so far. [k]"""
    serving: tuple[F64, F64]
    """Level now, dBm, and slope, dB/s. [k] each"""
    neighbour: tuple[F64, F64]
    """Likewise, NaN without a measurement among the last six samples. [k] each"""
    place: tuple[F64, F64]
    """Dead reckoning since the last fix: x, y in m. [k] each"""
    heading: tuple[F64, F64]
    """Unit vector, 0 while not known. [k] each"""


def moments(drive: Drive) -> Moments:
    """Look at one drive."""
    k, t = len(drive), drive.time_s
    broken = np.diff(t) > GAP_S
    changed = (np.diff(drive.cell) != 0) & ~broken
    at = np.flatnonzero(changed) + 1
    following = np.searchsorted(at, np.arange(k), side="right")  # of the handovers later than each sample
    has = following < len(at)
    end = np.append(np.flatnonzero(broken), k - 1)
    last = end[np.searchsorted(end, np.arange(k))]  # last sample before the next gap
    upcoming = np.where(has, at[np.minimum(following, max(len(at) - 1, 0))] if len(at) else 0, 0)
    has &= upcoming <= last
    entered = np.zeros(k, dtype=np.int64)
    entered[at] = at
    entered[np.flatnonzero(broken) + 1] = np.flatnonzero(broken) + 1
    entered = np.maximum.accumulate(entered)
    previous = np.where((entered > 0) & np.isin(entered, at), drive.cell[entered - 1], -1)
    east, north, far = _reckoned(drive)
    return Moments(
        np.where(has, t[upcoming] - t, np.inf),
        t[last] - t,
        np.where(has, drive.cell[upcoming], -1),
        previous,
        t - t[entered],
        _trend(t, drive.serving_dbm, entered),
        _trend(t, drive.neighbour_dbm, entered),
        (drive.x_m + east * far, drive.y_m + north * far),
        (east, north),
    )


def _trend(time: F64, level: F64, since: I64) -> tuple[F64, F64]:
    """Return the last level and the least-squares slope over the last WINDOW samples in the same cell."""
    k = len(time)
    index = np.arange(k)[:, None] - np.arange(WINDOW)
    inside = (index >= since[:, None]) & (index >= 0)
    index = np.maximum(index, 0)
    value = level[index]
    inside &= np.isfinite(value)
    t = time[index] - time[:, None]
    n = np.maximum(inside.sum(axis=1), 1)
    mean_t = np.where(inside, t, 0.0).sum(axis=1) / n
    mean_v = np.where(inside, value, 0.0).sum(axis=1) / n
    away = np.where(inside, t - mean_t[:, None], 0.0)
    spread = (away**2).sum(axis=1)
    slope = np.divide(
        (away * np.where(inside, value - mean_v[:, None], 0.0)).sum(axis=1), spread, out=np.zeros(k), where=spread > 0.0
    )
    newest = np.argmax(inside, axis=1)
    return np.where(inside.any(axis=1), value[np.arange(k), newest], np.nan), slope


def _reckoned(drive: Drive) -> tuple[F64, F64, F64]:
    """Return the unit vector of motion and how far it led since the last fix (at most 20 s of it)."""
    k = len(drive)
    moved = np.concatenate([[True], (np.diff(drive.x_m) != 0.0) | (np.diff(drive.y_m) != 0.0)])
    fix = np.maximum.accumulate(np.where(moved, np.arange(k), 0))
    fixes = np.flatnonzero(moved)
    before = fixes[np.maximum(np.searchsorted(fixes, fix) - 1, 0)]
    dx, dy = drive.x_m[fix] - drive.x_m[before], drive.y_m[fix] - drive.y_m[before]
    length = np.hypot(dx, dy)
    unit = np.divide(np.stack([dx, dy]), length, out=np.zeros((2, k)), where=length > 0.0)
    return unit[0], unit[1], drive.speed_mps * np.minimum(drive.time_s - drive.time_s[fix], 20.0)
