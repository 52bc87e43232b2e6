"""Sensors of machines over their runs as features of each cycle: a health index, components, where they go.

    z        sensors that move, less their mean, over their spread, on the runs learned from
    health   z·w, w the ridge regression of min(remaining life, cap) on z, cycle by cycle
    parts    the `COMPONENTS` leading principal components of z
    row      levels over `TAUS` cycles, slope of the last `WINDOW` and mean of the first `FIRST` cycles of health and
             parts (`trends`), and the age

Ours, after the health index and smoothing of T. Wang et al., "A similarity-based prognostics approach for remaining
useful life estimation of engineered systems", PHM 2008. A row knows nothing of later cycles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]

TAUS = [5.0, 15.0, 40.0]
WINDOW, FIRST = 30, 20
COMPONENTS = 3
RIDGE = 10.0
STILL = 1e-9  # of a sensor's size: a spread below is no movement


def checked_runs(runs: Sequence[ArrayLike], where: str, sensors: int | None = None) -> list[F64]:
    """Return runs as arrays [cycles, sensors]; InputError names the run that is not."""
    if len(runs) == 0:
        raise InputError("runs: expected at least one history of sensors, got none", where)
    checked = [np.ascontiguousarray(run, dtype=np.float64) for run in runs]
    width = checked[0].shape[1] if sensors is None and checked[0].ndim == 2 else sensors
    for k, run in enumerate(checked):
        if run.ndim != 2 or run.shape[1] != width or 0 in run.shape:
            raise InputError(f"runs[{k}]: expected values [cycles, {width}], not empty, got shape {run.shape}", where)
        if not np.isfinite(run).all():
            cycle, sensor = np.argwhere(~np.isfinite(run))[0]
            raise InputError(
                f"runs[{k}]: expected finite values, got {run[cycle, sensor]} at cycle {cycle}, sensor {sensor}; "
                "fill holes before",
                where,
            )
    return checked


def lives(runs: Sequence[F64], cap: float) -> F64:
    """Return min(remaining cycles, cap) at every cycle of runs that ended with their last. [cycles of all]"""
    return np.concatenate([np.minimum(np.arange(len(run))[::-1], cap) for run in runs]).astype(np.float64)


@dataclass(frozen=True)
class Sensors:
    """How sensors become features; learned from runs that ended."""

    moving: NDArray[np.bool_]
    centre: F64
    spread: F64
    directions: F64  # [moving sensors, 1 + components]

    @classmethod
    def fit(cls, runs: Sequence[F64], cap: float) -> Sensors:
        """Learn it; InputError when no sensor moves."""
        rows = np.concatenate(list(runs))
        spread = rows.std(axis=0)
        moving = spread > STILL * (np.abs(rows).max(axis=0) + 1e-300)
        if not moving.any():
            raise InputError("runs: expected at least one sensor that moves: all are constant, so none shows wear")
        centre = rows.mean(axis=0)[moving]
        z = (rows[:, moving] - centre) / spread[moving]
        life = lives(runs, cap)
        gram = z.T @ z
        health = np.linalg.solve(gram + RIDGE * np.eye(len(gram)), z.T @ (life - life.mean()))
        values, vectors = np.linalg.eigh(gram)
        parts = vectors[:, np.argsort(-values, kind="stable")[:COMPONENTS]]
        return cls(moving, centre, spread[moving], np.column_stack([health, parts]))

    def features(self, runs: Sequence[F64]) -> F64:
        """Return a row a cycle of all runs, one after the other. [cycles of all, features]"""
        signals = [((run[:, self.moving] - self.centre) / self.spread) @ self.directions for run in runs]
        ptr = np.concatenate([[0], np.cumsum([len(run) for run in runs])]).astype(np.int64)
        rows = _core.trends(np.ascontiguousarray(np.concatenate(signals)), ptr, TAUS, WINDOW, FIRST)
        age = np.concatenate([np.arange(1.0, len(run) + 1.0) for run in runs])
        return np.column_stack([rows, age])
