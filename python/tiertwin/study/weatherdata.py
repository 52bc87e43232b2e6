"""The measured links of `study.rain` minute by minute, planned as an operator would, each with other ways.

fade        TSL − RSL − baseline, the deeper of the channels measured, dB, each minute; baseline as in `study.rain`
plan        QPSK is met 99.99 % of the year by P.530 at `R001` mm/h: its margin is A_0.01. The densest step is the
            one that is met 99.9 % of the year: margin at least A_0.1 (and never below QPSK)
other ways  the three measured links whose middles are nearest, 5 km away at least: the measured links themselves
            form a forest without a ring, so no way round is real. Their fades are.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.study import rain

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
R001_MM_H = 30.0  # exceeded 0.01 % of the year, Germany, about that of P.837
WAYS, NEAREST_KM = 3, 5.0
KM_PER_DEGREE = 111.2


@dataclass(frozen=True, eq=False)
class Fades:
    """n links over T minutes.

    Parameters
    ----------
    fade_db
        NaN where not known, [T, n].
    rain_mm_h
        On the path, each 5 minutes, [T / 5, n].
    k, alpha, km
        Of P.838 and the length, [n].
    x_km, y_km
        Middle of each link on a plane, [n].
    qpsk_db
        Fade beyond which nothing passes, [n].
    top
        Bits a symbol of the densest step, [n].
    ways
        Other links over which the traffic of each can go, [n, WAYS].
    """

    fade_db: F64
    rain_mm_h: F64
    k: F64
    alpha: F64
    km: F64
    x_km: F64
    y_km: F64
    qpsk_db: F64
    top: I64
    ways: I64

    @property
    def days(self) -> int:
        """Whole days."""
        return len(self.fade_db) // 1440

    def bits(self) -> I64:
        """Return the step that each minute's fade leaves, bits a symbol, 0: outage, -1: not known, [T, n]."""
        found = np.zeros(self.fade_db.shape, dtype=np.int64)
        known = np.isfinite(self.fade_db)
        fade = np.where(known, self.fade_db, 0.0)
        base = _core.backhaul_needed_snr(2)
        for step in range(2, 13):
            margin = self.qpsk_db - (_core.backhaul_needed_snr(step) - base)
            found[(fade <= margin) & (step <= self.top)] = step
        return np.where(known, found, -1)


def measured_fades(folder: Path) -> Fades:
    """Read pycomlink's links; errors as of `study.rain.measured_links`."""
    links = rain.measured_links(folder)
    dry = rain.dry_steps(links.rain_mm_h)
    sent, received, ends = _minutes(folder)
    loss = np.where((np.abs(sent) < rain.MISSING_TSL_DBM) & (received > rain.MISSING_RSL_DBM), sent - received, np.nan)
    with np.errstate(invalid="ignore"):
        fades = [loss[c] - np.repeat(rain.baseline(links.loss_db[c], dry), rain.STEP_MIN, axis=1) for c in range(2)]
    fade = np.fmax(fades[0], fades[1]).T
    ghz, tilt = links.ghz[0].copy(), links.tilt_deg[0].copy()
    k, alpha = _core.rain_coefficients(ghz, np.zeros(len(ghz)), tilt)
    qpsk, top = planned(ghz, links.km, tilt)
    x, y = middles(ends)
    return Fades(fade, links.rain_mm_h, k, alpha, links.km, x, y, qpsk, top, other_ways(x, y))


def planned(ghz: F64, km: F64, tilt: F64) -> tuple[F64, I64]:
    """Return the margin over QPSK, dB, and the densest step, bits, of links; see the module. [n] each."""
    rain001 = np.full(len(km), R001_MM_H)
    rare, often = (_core.terrestrial_rain_loss(ghz, rain001, km, tilt, np.full(len(km), p)) for p in (0.01, 0.1))
    top = np.full(len(km), 2, dtype=np.int64)
    for step in range(3, 13):
        gap = _core.backhaul_needed_snr(step) - _core.backhaul_needed_snr(2)
        top[rare - gap >= often] = step
    return rare, top


def middles(ends: F64) -> tuple[F64, F64]:
    """Return the middle of each link, km on a plane; `ends`: degrees, lat and lon of both, [4, n]."""
    lat, lon = (ends[0] + ends[2]) / 2.0, (ends[1] + ends[3]) / 2.0
    scale = np.cos(np.radians(lat.mean()))
    return (lon - lon.mean()) * KM_PER_DEGREE * scale, (lat - lat.mean()) * KM_PER_DEGREE


def other_ways(x_km: F64, y_km: F64) -> I64:
    """Return the nearest links at least `NEAREST_KM` away, nearest first, [n, WAYS]; InputError: too few links."""
    if len(x_km) < WAYS + 1:
        raise InputError(f"expected at least {WAYS + 1} links, got {len(x_km)}", "other_ways")
    away = np.hypot(x_km[:, None] - x_km, y_km[:, None] - y_km)
    away[away < NEAREST_KM] = np.inf
    np.fill_diagonal(away, np.inf)
    ways: I64 = np.argsort(away, axis=1, kind="stable")[:, :WAYS].astype(np.int64)
    return ways


def _minutes(folder: Path) -> tuple[F64, F64, F64]:
    """Return TSL and RSL, dBm, [2, n, T], and the ends of links, degrees, [4, n]."""
    h5py: Any = import_module("h5py")
    names = ("site_a_latitude", "site_a_longitude", "site_b_latitude", "site_b_longitude")
    with h5py.File(folder / "example_cml_data.nc", "r") as file:
        sent, received = (np.asarray(file[name]) * 0.1 for name in ("tsl", "rsl"))
        return sent, received, np.stack([np.asarray(file[name], dtype=np.float64) for name in names])
