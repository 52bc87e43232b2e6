"""Rain on real microwave links: attenuation predicted from the rain along the path against what 500 links measured.

    predicted   A = γ(R, f, polarisation) · L        γ of ITU-R P.838-3, R path-averaged radar rain, mm/h; L km
    loss        TSL − RSL, dB, mean of the valid minutes (at least 3) in each 5 minutes, both channels of a link
    baseline    median of the loss over the dry 5-minute steps of the 24 h before the hour, at least 12 of them, or
                there is no figure; dry: no rain (and no gap in the radar) on the path within an hour before and after
    measured    loss − baseline
    wet antenna one constant, dB, while it rains: the mean of measured − predicted over the wet steps of all links in
                the days before the split; rows "with wet antenna" add it to what is predicted

Compared are steps with at least 0.1 mm/h on the path, after the split. Baseline rule, split and wet-antenna constant
are ours. Data: `pycomlink` (BSD-3): 500 commercial microwave links, 11 days of May 2018, each minute, coordinates
shifted on purpose, radar rain on each path each 5 minutes. Intervals: bootstrap over links, 95 %; the links share the
same few showers, so they say how much depends on the choice of links, not on the choice of weather.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core
from tiertwin.errors import InputError, MissingExtraError
from tiertwin.study.statistics import bootstrap

F64 = NDArray[np.float64]
STEP_MIN = 5
STEPS_AN_HOUR = 60 // STEP_MIN
MEMORY_H = 24
DRY_STEPS = 12
WET_MM_H = 0.1
MISSING_TSL_DBM, MISSING_RSL_DBM = 100.0, -99.0  # the recorder's marks are 255 and −99.9
LEAST_STEPS = 24  # wet steps of a link for a correlation of its own
PIP = 'pip install "tiertwin[fidelity]"'


@dataclass(frozen=True, eq=False)
class Links:
    """What was measured on n links in steps of 5 minutes."""

    rain_mm_h: F64
    """On the path. [steps, n]"""
    loss_db: F64
    """TSL − RSL of each channel, NaN where not measured. [2, n, steps]"""
    ghz: F64
    """[2, n]"""
    tilt_deg: F64
    """Of the polarisation: 0 horizontal, 90 vertical. [2, n]"""
    km: F64
    """[n]"""


def example_folder() -> Path:
    """Return the folder of pycomlink's measurements; MissingExtraError: the line that installs it."""
    spec = find_spec("pycomlink")
    if spec is None or spec.origin is None or find_spec("h5py") is None:
        raise MissingExtraError(f"Measured links come with pycomlink: `{PIP}`")
    return Path(spec.origin).parent / "io" / "example_data"


def measured_links(folder: Path) -> Links:
    """Read the package's two files; InputError: a file or an array is not there, or rain is negative."""
    h5py: Any = import_module("h5py")
    paths = [folder / f"example_{name}_data.nc" for name in ("cml", "path_averaged_reference")]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise InputError(f"expected {' and '.join(missing)}, got none. pycomlink 0.6 has them: `{PIP} -U`", str(folder))
    try:
        with h5py.File(paths[0], "r") as links, h5py.File(paths[1], "r") as reference:
            rain = np.asarray(reference["rainfall_amount"], dtype=np.float64) * STEPS_AN_HOUR
            loss = _loss(np.asarray(links["tsl"]), np.asarray(links["rsl"]))
            ghz = np.asarray(links["frequency"], dtype=np.float64).T / 1e9
            vertical = np.asarray(links["polarization"]).astype("S1").T == b"V"
            km = np.asarray(links["length"], dtype=np.float64)
            starts = [_start_min(file["time"]) for file in (links, reference)]
    except (KeyError, OSError) as error:
        raise InputError(f"expected the arrays of pycomlink 0.6, got {error}", str(folder)) from None
    if starts[0] != starts[1] or loss.shape[1:] != rain.T.shape:
        raise InputError(
            f"expected one period and as many links in both files, got {loss.shape[1:]} and {rain.T.shape}, "
            f"starting at minute {starts[0]} and {starts[1]} of 2018-05",
            str(folder),
        )
    if np.nanmin(rain) < 0.0:
        raise InputError(f"expected rain of at least 0 mm/h, got {np.nanmin(rain):g}", str(paths[1]))
    return Links(rain, loss, ghz, np.where(vertical, 90.0, 0.0), km)


def _start_min(time: Any) -> int:
    """Return the first time as minutes of the month in its units (``minutes since 2018-05-dd``)."""
    day = int(bytes(time.attrs["units"]).split()[2].split(b"-")[2])
    return int(time[0]) + (day - 1) * 1440


def _loss(tsl: NDArray[np.int16], rsl: NDArray[np.int16]) -> F64:
    """Return the mean loss of each step, [channels, links, steps]; stored numbers are tenths of dBm."""
    sent, received = tsl * 0.1, rsl * 0.1
    good = (np.abs(sent) < MISSING_TSL_DBM) & (received > MISSING_RSL_DBM)
    loss = np.where(good, sent - received, 0.0)
    shape = (*loss.shape[:2], -1, STEP_MIN)
    count = good.reshape(shape).sum(axis=-1)
    total = loss.reshape(shape).sum(axis=-1)
    result: F64 = np.divide(total, count, out=np.full(total.shape, np.nan), where=count >= 3)
    return result


def dry_steps(rain: F64) -> NDArray[np.bool_]:
    """Return where no rain is on a path from an hour before to an hour after, [steps, links]."""
    wet = np.concatenate([np.zeros((1, rain.shape[1])), np.cumsum(~(rain == 0.0), axis=0)])
    steps = np.arange(len(rain))
    first, last = np.maximum(steps - STEPS_AN_HOUR, 0), np.minimum(steps + STEPS_AN_HOUR + 1, len(rain))
    result: NDArray[np.bool_] = wet[last] == wet[first]
    return result


def baseline(loss: F64, dry: NDArray[np.bool_]) -> F64:
    """Return the median of the dry steps in the 24 h before each hour, NaN with fewer than 12. [links, steps]"""
    usable = np.where(dry.T, loss, np.nan)
    window = MEMORY_H * STEPS_AN_HOUR
    result = np.full(loss.shape, np.nan)
    for start in range(STEPS_AN_HOUR, loss.shape[1], STEPS_AN_HOUR):
        past = usable[:, max(start - window, 0) : start]
        enough = np.isfinite(past).sum(axis=1) >= DRY_STEPS
        result[enough, start : start + STEPS_AN_HOUR] = np.nanmedian(past[enough], axis=1)[:, None]
    return result


def compared(links: Links) -> tuple[F64, F64]:
    """Return (predicted, measured) attenuation in dB, means over the channels measured, NaN without. [links, steps]"""
    dry = dry_steps(links.rain_mm_h)
    channels, count, steps = links.loss_db.shape
    predicted, measured = np.empty_like(links.loss_db), np.empty_like(links.loss_db)
    for c in range(channels):
        k, alpha = _core.rain_coefficients(links.ghz[c].copy(), np.zeros(count), links.tilt_deg[c].copy())
        predicted[c] = (k * links.rain_mm_h**alpha * links.km).T
        measured[c] = links.loss_db[c] - baseline(links.loss_db[c], dry)
    has = np.isfinite(measured) & np.isfinite(predicted)
    total = has.sum(axis=0)
    out = np.full((2, count, steps), np.nan)
    for row, values in zip(out, (predicted, measured), strict=True):
        np.divide(np.where(has, values, 0.0).sum(axis=0), total, out=row, where=total > 0)
    return out[0], out[1]


def rain_study(links: Links, train_days: int = 5, resamples: int = 1000) -> dict[str, Any]:
    """Compare them.

    Parameters
    ----------
    links
        Of `measured_links`.
    train_days
        Days before the split.
    resamples
        Of the bootstrap over links.
    """
    steps, count = links.rain_mm_h.shape
    split = train_days * 24 * STEPS_AN_HOUR
    if not STEPS_AN_HOUR * MEMORY_H <= split < steps - STEPS_AN_HOUR:
        raise InputError(f"train_days: expected 1 … {steps // (24 * STEPS_AN_HOUR) - 1} whole days, got {train_days}")
    predicted, measured = compared(links)
    wet = (links.rain_mm_h.T >= WET_MM_H) & np.isfinite(measured)
    before = wet.copy()
    before[:, split:] = False
    if not before.any():
        raise InputError(f"train_days: expected rain in the first {train_days} days, got none")
    antenna = float(np.mean((measured - predicted)[before]))
    wet[:, :split] = False
    sums = {
        name: link_sums(predicted + added, measured, wet)
        for name, added in (("P.838", 0.0), ("P.838 with wet antenna", antenna))
    }
    rows = []
    for name, table in sums.items():
        figures = bootstrap(table, pooled, resamples)
        rows.append({"prediction": name} | {key: figures[key] for key in ("correlation", "bias_db", "rmse_db")})
    own = own_correlations(sums["P.838"])
    offsets = sums["P.838"][:, 2] - sums["P.838"][:, 1]
    offsets = offsets[sums["P.838"][:, 0] > 0] / sums["P.838"][sums["P.838"][:, 0] > 0, 0]
    return {
        "rows": rows,
        "wet_antenna_db": antenna,
        "links": count,
        "links_compared": int((sums["P.838"][:, 0] > 0).sum()),
        "steps": int(wet.sum()),
        "mean_measured_db": float(measured[wet].mean()),
        "link_correlation": {
            "median": bootstrap(own[:, None], lambda v: {"median": float(np.median(v))}, resamples)["median"],
            "quantiles_10_90": [float(q) for q in np.quantile(own, [0.1, 0.9])],
            "links": len(own),
        },
        "link_bias_quantiles_10_50_90_db": [-float(q) for q in np.quantile(offsets, [0.9, 0.5, 0.1])],
        "by_band": by_band(links, predicted, measured, wet),
    }


def link_sums(predicted: F64, measured: F64, use: NDArray[np.bool_]) -> F64:
    """Return for each link count, Σp, Σm, Σp², Σm², Σpm, Σ(p − m)² over the steps in use, [links, 7]."""
    p, m = np.where(use, predicted, 0.0), np.where(use, measured, 0.0)
    result: F64 = np.stack([use, p, m, p * p, m * m, p * m, (p - m) ** 2]).sum(axis=2).T.astype(np.float64)
    return result


def pooled(sums: F64) -> dict[str, float]:
    """Return correlation, bias (predicted − measured) and RMSE of all steps of some links together."""
    n, p, m, pp, mm, pm, squares = sums.sum(axis=0)
    covariance = pm - p * m / n
    return {
        "correlation": float(covariance / np.sqrt((pp - p * p / n) * (mm - m * m / n))),
        "bias_db": float((p - m) / n),
        "rmse_db": float(np.sqrt(squares / n)),
    }


def own_correlations(sums: F64) -> F64:
    """Return the correlation within each link that has enough wet steps and measured anything but a constant."""
    n, p, m, pp, mm, pm, _ = sums[sums[:, 0] >= LEAST_STEPS].T
    power = (pp - p * p / n) * (mm - m * m / n)
    good = power > 1e-12
    result: F64 = ((pm - p * m / n)[good]) / np.sqrt(power[good])
    return result


def by_band(links: Links, predicted: F64, measured: F64, wet: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Return the pooled figures by frequency."""
    ghz, rows = links.ghz.mean(axis=0), []
    for low, high in ((0.0, 15.0), (15.0, 21.0), (21.0, 30.0), (30.0, 45.0)):
        inside = (ghz >= low) & (ghz < high)
        sums = link_sums(predicted[inside], measured[inside], wet[inside])
        if sums[:, 0].sum() > 1:
            mean = {"measured_db": float(sums[:, 2].sum() / sums[:, 0].sum())}
            rows.append({"band_ghz": f"{low:g}–{high:g}", "links": int(inside.sum())} | mean | pooled(sums))
    return rows
