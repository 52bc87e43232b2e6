"""The Skoltech Anomaly Benchmark, outlier detection: ours beside re-made and published detectors.

Data: `data/valve1/*.csv`, `data/anomaly-free/…` as in the repository waico/SKAB (semicolons; 8 sensors, anomaly,
changepoint), or `skab.zip` with the same. The anomaly-free run is not used.

Protocol, that of the published notebooks: a detector learns on the first 400 rows of each file and then tells every row
of that file 0 or 1; rows of all files are counted together. F1 = TP/(TP + (FP + FN)/2), FAR = FP/(FP + TN), MAR =
FN/(FN + TP). Ours tells nothing in the first 400 rows, and reads the file in one pass, in order; the published MSET
smooths over 30 rows to come.

Split: files by number, 0, 2, 4 … for tuning, 1, 3, 5 … held out. Gain, short mean and factor of `OURS` were chosen on
the tuning half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.watches import Shifts, Subspace
from tiertwin.study.datafolder import Place, csv_files, open_folder

if TYPE_CHECKING:
    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

ARCHIVE = "skab.zip"
CLEAN = 400
SENSORS = 8
OURS: dict[str, Any] = {"mean": 10, "gain": 0.02, "quantile": 0.99, "factor": 1.5}
PUBLISHED = {  # F1, FAR %, MAR %; SKAB's README (34 files of v0.9)
    "Conv-AE": (0.79, 13.69, 17.77),
    "MSET": (0.73, 20.82, 20.08),
    "LSTM-AE": (0.68, 14.24, 35.56),
    "T-squared+Q (PCA-based)": (0.67, 13.95, 36.32),
    "Isolation forest": (0.4, 6.86, 72.09),
}


@dataclass(frozen=True)
class Run:
    """One experiment: values (N, 8), whether a row is anomalous (N,)."""

    name: str
    values: F64
    anomaly: Mask


def load_runs(folder: Path) -> list[Run]:
    """Return the labelled runs of valve1, by number. Raises InputError."""
    files = csv_files(open_folder(folder, ARCHIVE, "data", "valve1"))
    names = sorted((n for n in files if n.startswith("valve1/")), key=lambda n: (len(n), n))
    return [_run(files[name], name) for name in names]


def _run(file: Place, name: str) -> Run:
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    columns = header.split(";")
    if len(columns) != SENSORS + 3 or columns[SENSORS + 1] != "anomaly":
        raise InputError(f"{name}: expected datetime, {SENSORS} sensors, anomaly, changepoint; got {header!r}")
    try:
        table = np.array([[float(cell) for cell in row.split(";")[1 : SENSORS + 2]] for row in rows])
    except ValueError as error:
        raise InputError(f"{name}: expected numbers, {error}") from error
    if table.ndim != 2 or len(table) <= CLEAN:
        raise InputError(f"{name}: expected more than {CLEAN} rows of {SENSORS + 3} columns, got {len(rows)} rows")
    return Run(name, np.ascontiguousarray(table[:, :SENSORS]), table[:, SENSORS] == 1.0)


def ours(run: Run) -> Mask:
    """Return rows in which any sensor is shifted."""
    result: Mask = Shifts(SENSORS, clean=CLEAN, **OURS).push(run.values).max(axis=1) > 1.0
    return result


def subspace(run: Run) -> Mask:
    """Return rows in which T² or Q, as means of 10 rows, is above its limit (ours, nothing tuned)."""
    t2, q = Subspace(SENSORS, clean=CLEAN).push(run.values)
    result: Mask = np.maximum(t2, q) > 1.0
    return result


def mset(run: Run) -> Mask:
    """Return MSET as its notebook has it: 400 rows of memory, relative residual, centred mean of 60, above 0.01.

    Kernel 1 − |x − y|/(|x| + |y|) (K. C. Gross et al., multivariate state estimation technique).
    """
    mean, spread = run.values[:CLEAN].mean(axis=0), run.values[:CLEAN].std(axis=0)
    z = (run.values - mean) / np.where(spread > 0.0, spread, 1.0)
    memory = z[:CLEAN]
    weights = np.linalg.solve(_likeness(memory, memory), _likeness(memory, z))
    estimate = (memory.T @ weights).T * spread + mean
    relative = np.linalg.norm(run.values - estimate, axis=1) / np.linalg.norm(estimate, axis=1)
    result: Mask = _centred_mean(relative, 60) > 0.01
    return result


def _likeness(a: F64, b: F64) -> F64:
    size_a, size_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    away = np.stack([np.linalg.norm(row - b, axis=1) for row in a])
    result: F64 = 1.0 - away / np.maximum(size_a[:, None] + size_b[None], 1e-300)
    return result


def _centred_mean(values: F64, width: int) -> F64:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    rows = np.arange(values.size)
    low, high = np.maximum(rows - width // 2, 0), np.minimum(rows + (width + 1) // 2, values.size)
    result: F64 = (sums[high] - sums[low]) / (high - low)
    return result


DETECTORS: dict[str, Callable[[Run], Mask]] = {"ours": ours, "MSET (re-made)": mset, "T² and Q (ours)": subspace}


def figures(runs: Sequence[Run], told: Sequence[Mask], first: int = 0) -> dict[str, float]:
    """Return f1, far_percent and mar_percent over the rows from `first` on of all runs."""
    true = np.concatenate([run.anomaly[first:] for run in runs])
    said = np.concatenate([mask[first:] for mask in told])
    tp, fp = float((true & said).sum()), float((~true & said).sum())
    fn, tn = float((true & ~said).sum()), float((~true & ~said).sum())

    def share(part: float, whole: float) -> float:
        return part / whole if whole else float("nan")

    return {
        "f1": share(tp, tp + (fp + fn) / 2.0),
        "far_percent": 100.0 * share(fp, fp + tn),
        "mar_percent": 100.0 * share(fn, fn + tp),
    }


def skab_study(folder: Path) -> dict[str, Any]:
    """Return figures of each detector on the tuning half, the held-out half and all; of ours also each run's delay."""
    runs = load_runs(folder)
    parts = {"tuning": range(0, len(runs), 2), "held out": range(1, len(runs), 2), "all": range(len(runs))}
    rows, by_run = [], []
    for name, detector in DETECTORS.items():
        told = [detector(run) for run in runs]
        for part, chosen in parts.items():
            pick = [runs[k] for k in chosen], [told[k] for k in chosen]
            late = figures(*pick, first=CLEAN)
            rows.append(
                {"detector": name, "files": part, **figures(*pick), "far_after_clean_percent": late["far_percent"]}
            )
        if name == "ours":
            by_run = [_run_row(run, mask) for run, mask in zip(runs, told, strict=True)]
    published = [
        {"detector": name, "files": "34 of v0.9", "f1": f1, "far_percent": far, "mar_percent": mar}
        for name, (f1, far, mar) in PUBLISHED.items()
    ]
    return {"rows": rows, "by_run": by_run, "published": published}


def _run_row(run: Run, told: Mask) -> dict[str, Any]:
    begun = int(run.anomaly.argmax())
    inside = np.flatnonzero(told & run.anomaly)
    return {"run": run.name, **figures([run], [told]), "delay_rows": int(inside[0]) - begun if inside.size else None}
