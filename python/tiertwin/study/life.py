"""Remaining life of simulated turbofan engines: errors, intervals and probabilities on engines never learned from.

Data: `cmapss_fd001_train.zip` (train_FD001.txt) of C-MAPSS: A. Saxena, K. Goebel, D. Simon, N. Eklund, "Damage
propagation modeling for aircraft engine run-to-failure simulation", PHM 2008; public, NASA.
**Simulated, not measured.**

The 100 engines are dealt into k folds; each fold is held out once and everything, hyperparameters and calibration
included, is learned from the others. Each held-out engine is cut at 20 cycles drawn uniformly (with replacement) from
30 to its last; the truth at a cut is min(cycles left, 125).

    age only    the baseline without sensors: Weibull's law of the other engines' lives, given the age (mean, quantiles,
                probability)
    Brier       of P(life ≤ w), w = 10, 30, 50 cycles; `base` is that of always saying the share in the training folds
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.functions.assure.calibrate import brier
from tiertwin.functions.assure.remaining import METHODS, RemainingLife
from tiertwin.functions.assure.weibull import fit_weibull

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    F64 = NDArray[np.float64]

CAP, FIRST_CUT, CUTS = 125.0, 30, 20
HORIZONS = (10.0, 30.0, 50.0)
AGE = "age only"
MEMBER = "train_FD001.txt"
COLUMNS = 26  # engine, cycle, three settings, 21 sensors


def read_engines(path: Path) -> list[F64]:
    """Return settings and sensors of each engine, [cycles, 24]; InputError: not the file expected."""
    try:
        with zipfile.ZipFile(path) as stored:
            table = np.loadtxt(io.BytesIO(stored.read(MEMBER)))
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise InputError(f"expected a zip with {MEMBER}, 26 numbers a line, got {error}", str(path)) from None
    if table.ndim != 2 or table.shape[1] != COLUMNS:
        raise InputError(f"{MEMBER}: expected {COLUMNS} columns, got shape {table.shape}", str(path))
    runs = [table[table[:, 0] == engine] for engine in np.unique(table[:, 0])]
    for run in runs:
        if (np.diff(run[:, 1]) <= 0).any():
            raise InputError(f"{MEMBER}: engine {run[0, 0]:g}: expected rising cycles, got a clock that goes backwards")
    return [np.ascontiguousarray(run[:, 2:]) for run in runs]


def life_study(
    path: Path,
    methods: Iterable[str] = ("kernel",),
    folds: int = 5,
    seed: int = 1,
    level: float = 0.9,
    told: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Return a row a method; InputError, UnknownNameError, MissingExtraError as the methods say."""
    chosen = list(dict.fromkeys(methods))
    for name in chosen:
        if name not in METHODS:
            raise UnknownNameError(f"No method {name!r}{suggest(name, list(METHODS))}")
    runs = read_engines(path)
    if not 2 <= folds <= len(runs) // 2:
        raise InputError(f"folds: expected 2 … {len(runs) // 2}, got {folds}")
    rng = np.random.default_rng(seed)
    fold = rng.permutation(len(runs)) % folds
    cuts = [rng.integers(FIRST_CUT, len(run) + 1, CUTS) for run in runs]
    rows = []
    for name in [AGE, *chosen]:
        parts = []
        for f in range(folds):
            told(f"{name}, fold {f + 1} of {folds}")
            held = np.flatnonzero(fold == f).tolist()
            train = [runs[k] for k in np.flatnonzero(fold != f)]
            parts.append(_fold(name, train, [runs[k] for k in held], [cuts[k] for k in held], level))
        rows.append({"method": name} | judged(parts))
    data = {"engines": len(runs), "folds": folds, "seed": seed, "cuts": CUTS, "cap": CAP, "level": level}
    return {"data": data, "rows": rows}


def _fold(name: str, train: Sequence[F64], held: Sequence[F64], cuts: Sequence[NDArray[np.int64]], level: float) -> F64:
    """Truth, prediction, lower, upper, then probability and base rate of each horizon; [columns, cuts]."""
    so_far = [run[:cut] for run, at in zip(held, cuts, strict=True) for cut in at]
    truth = np.array([min(len(run) - cut, CAP) for run, at in zip(held, cuts, strict=True) for cut in at])
    said = _by_age(train, so_far, level) if name == AGE else _by_sensors(name, train, so_far, level)
    rest = [np.minimum(np.arange(len(run) - FIRST_CUT + 1), CAP) for run in train]
    base = [np.full(len(truth), np.mean([(r <= w).mean() for r in rest])) for w in HORIZONS]
    return np.stack([truth, *said, *base])


def _by_sensors(name: str, train: Sequence[F64], so_far: Sequence[F64], level: float) -> list[F64]:
    model = RemainingLife(name, cap=CAP, level=level, least_cycles=FIRST_CUT).fit(train)
    found = model.predict(so_far)
    return [found.mean, found.lower, found.upper, *(model.failure(so_far, w) for w in HORIZONS)]


def _by_age(train: Sequence[F64], so_far: Sequence[F64], level: float) -> list[F64]:
    law = fit_weibull([len(run) for run in train])
    age = np.array([len(run) for run in so_far], dtype=np.float64)
    alive = law.survival(age)
    low, high = (
        np.minimum(law.quantile(1.0 - alive * (1.0 - share)) - age, CAP) for share in (0.5 - level / 2, 0.5 + level / 2)
    )
    mean = np.array([law.remaining(float(a), CAP) for a in age])
    return [mean, low, high, *(law.failure(age, w) for w in HORIZONS)]


def judged(parts: Sequence[F64]) -> dict[str, float]:
    """Return the figures over all folds, and the smallest and largest RMSE of a fold."""
    truth, found, lower, upper = np.concatenate([part[:4] for part in parts], axis=1)
    each = [float(np.sqrt(np.mean((part[1] - part[0]) ** 2))) for part in parts]
    held = (truth >= lower) & (truth <= upper)
    row = {
        "rmse": float(np.sqrt(np.mean((found - truth) ** 2))),
        "rmse_low": min(each),
        "rmse_high": max(each),
        "mae": float(np.abs(found - truth).mean()),
        "coverage": float(held.mean()),
        "coverage_below_cap": float(held[truth < CAP].mean()),
        "width": float((upper - lower).mean()),
    }
    whole = np.concatenate(parts, axis=1)
    for k, w in enumerate(HORIZONS):
        row[f"brier_{w:g}"] = brier(whole[4 + k], truth <= w)
        row[f"base_{w:g}"] = brier(whole[4 + len(HORIZONS) + k], truth <= w)
    return row
