"""Forecasts of hourly traffic of 150 cells of Milan: errors and bands of every method on the last 7 of 55 days.

Data: `milan_hourly.npz` (array 'activity', cells × hours from Friday 1 November 2013): Telecom Italia Big Data
Challenge, ODbL; G. Barlacchi et al., Scientific Data 2 (2015) 150055. The file is the only layout read.

The first 48 days are the history; each method learns from the first 34 of them, makes its bands from the next 14, and
learns anew from all 48 (`Forecaster.fit`). The last 7 days come sample by sample and nothing is learned anew:

    day ahead    forecasts of 24 hours, made at 0 h of each test day from all hours before it
    hour ahead   forecasts of the next hour, made each hour

NMAE = Σ|y − ŷ| / Σ y over all cells and hours of the test days. `ratio` is to that of the weekly naive forecast, which
takes the value 168 h before. `coverage`: share of the test values in their bands; also the 10 % and 90 % quantiles of
that share over cells. `width`: mean width of the bands over the mean value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import UnknownNameError, suggest
from tiertwin.functions.assure.boosted import BoostedTrees
from tiertwin.functions.assure.calendar import Calendar
from tiertwin.functions.assure.kriging import Kriging
from tiertwin.functions.assure.narx import RidgeNarx
from tiertwin.functions.assure.simple import HoltWinters, SeasonalNaive
from tiertwin.study.milan import milan_activity

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from tiertwin.functions.assure.forecast import Forecast, Forecaster

    F64 = NDArray[np.float64]

DAYS, TEST_DAYS = 55, 7
FRIDAY = 4
LEVEL = 0.9
METHODS: dict[str, Callable[..., Forecaster]] = {
    "naive": SeasonalNaive,
    "holt-winters": HoltWinters,
    "ridge": RidgeNarx,
    "kriging": Kriging,
    "boosted": BoostedTrees,  # the extra ml
}
CORE = ("naive", "holt-winters", "ridge", "kriging")


def forecast_study(
    path: Path, methods: Iterable[str] = CORE, told: Callable[[str], None] = lambda text: None
) -> dict[str, Any]:
    """Return a row a method and lead; InputError, UnknownNameError, MissingExtraError as the methods say."""
    chosen = list(dict.fromkeys(methods))
    for name in chosen:
        if name not in METHODS:
            raise UnknownNameError(f"No method {name!r}{suggest(name, list(METHODS))}")
    activity = milan_activity(path, DAYS * 24)[:, : DAYS * 24]
    split = (DAYS - TEST_DAYS) * 24
    history, test = activity[:, :split], activity[:, split:]
    naive = nmae(test, activity[:, split - 168 : -168])
    rows: list[dict[str, Any]] = []
    for name in chosen:
        told(name)
        model = METHODS[name](Calendar(24, FRIDAY), level=LEVEL).fit(history)
        for lead, found in zip(("day", "hour"), play(model, test), strict=True):
            rows.append({"method": name, "ahead": lead} | judged(found, test, naive))
    return {
        "data": {"cells": len(activity), "days": DAYS, "test_days": TEST_DAYS, "level": LEVEL},
        "weekly_naive_nmae": naive,
        "rows": rows,
    }


def play(model: Forecaster, test: F64) -> tuple[list[Forecast], list[Forecast]]:
    """Return the forecasts of each day at its start, and of each hour, as the test days come."""
    days, hours = [], []
    for hour, sample in enumerate(test.T):
        if hour % 24 == 0:
            days.append(model.predict(24))
        hours.append(model.predict(1))
        model.update(sample)
    return days, hours


def judged(found: list[Forecast], test: F64, naive: float) -> dict[str, float]:
    """Return errors and coverage of forecasts that follow each other."""
    mean, lower, upper = (
        np.concatenate([getattr(f, key) for f in found], axis=1) for key in ("mean", "lower", "upper")
    )
    held = (test >= lower) & (test <= upper)
    low, high = np.quantile(held.mean(axis=1), [0.1, 0.9])
    error = nmae(test, mean)
    return {
        "nmae": error,
        "ratio": error / naive,
        "coverage": float(held.mean()),
        "coverage_cells_10": float(low),
        "coverage_cells_90": float(high),
        "width": float((upper - lower).mean() / test.mean()),
    }


def nmae(real: F64, found: F64) -> float:
    """Return Σ|real − found| / Σ real."""
    return float(np.abs(real - found).sum() / real.sum())
