"""Histories of many series: checked, put on one scale, holes filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tiertwin.functions.assure.calendar import Calendar

    F64 = NDArray[np.float64]

_SHOWN = 5


def checked(history: ArrayLike, least: int, *, counts: bool, where: str) -> F64:
    """Return a history as float64 in C order, [series, time]; NaN: not seen.

    Raises
    ------
    InputError
        Empty, not two-dimensional, shorter than `least`, infinite, negative where `counts`, or with series that are
        constant or have no value at all; all of it at once.
    """
    values = np.ascontiguousarray(history, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(
            f"history: expected values [series, time], not empty, got shape {values.shape}; "
            "give one row a series, oldest sample first",
            where,
        )
    problems = []
    if values.shape[1] < least:
        problems.append(
            f"history: expected at least {least} samples, got {values.shape[1]}; wait, or take a method that "
            "needs fewer"
        )
    seen = ~np.isnan(values)
    none: NDArray[np.bool_] = np.asarray(~seen.any(axis=1))
    low: F64 = np.asarray(np.where(seen, values, np.inf).min(axis=1))
    high: F64 = np.asarray(np.where(seen, values, -np.inf).max(axis=1))
    flat = (low == high) & ~none
    below = low < 0.0 if counts else np.zeros_like(none)
    advice: tuple[tuple[NDArray[np.bool_], str], ...] = (
        (none, "have no value at all: all of theirs are missing; leave them out"),
        (flat, "are constant: nothing to learn from; leave them out, their forecast is their value"),
        ((np.isinf(low) | np.isinf(high)) & ~none & ~flat, "hold infinite values; write NaN where nothing was seen"),
        (below & ~none, "fall below 0: expected counts or rates; or use scale='plain'"),
    )
    problems += [f"history: series {_rows(bad)} {text}" for bad, text in advice if bad.any()]
    if problems:
        raise InputError(problems, where)
    return values


def _rows(bad: NDArray[np.bool_]) -> str:
    rows = np.flatnonzero(bad)
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return ", ".join(map(str, rows[:_SHOWN])) + more


def filled(values: F64, slots: NDArray[np.int64], calendar: Calendar) -> F64:
    """Return values with each hole at the mean of its slot of the week; of the day; of all: the first that is known."""
    hole = np.isnan(values)
    if not hole.any():
        return values
    week, day = calendar.slot_of_week(slots), calendar.slot_of_day(slots)
    stand_in = np.full_like(values, np.nan)
    for place, count in ((week, calendar.per_week), (day, calendar.per_day), (np.zeros_like(day), 1)):
        sums, seen = np.zeros((2, len(values), count))
        known = np.where(hole, 0.0, values)
        for at in range(count):
            sums[:, at] = known[:, place == at].sum(axis=1)
            seen[:, at] = (~hole[:, place == at]).sum(axis=1)
        mean = np.divide(sums, seen, out=np.full_like(sums, np.nan), where=seen > 0)[:, place]
        stand_in = np.where(np.isnan(stand_in), mean, stand_in)
    return np.where(hole, stand_in, values)


@dataclass(frozen=True)
class Scale:
    """Where models work: z = (g(y) − centre)/spread, g the square root (steadies the noise of counts) or nothing.

    Source of the root: M. S. Bartlett, Suppl. J. R. Stat. Soc. 3 (1936) 68.
    """

    centre: F64
    spread: F64
    root: bool

    @classmethod
    def of(cls, history: F64, *, root: bool) -> Scale:
        """Return the scale of a checked history. [series]"""
        levels = np.sqrt(history) if root else history
        spread = np.nanstd(levels, axis=1)
        return cls(np.nanmean(levels, axis=1), np.where(spread > 0.0, spread, 1.0), root)

    def into(self, values: F64) -> F64:
        """Values [series, …] to z."""
        levels = np.sqrt(np.maximum(values, 0.0)) if self.root else values
        return (levels.T - self.centre).T / _across(self.spread, levels)

    def back(self, z: F64) -> F64:
        """Return z [series, …] as values; increasing, so that quantiles stay quantiles."""
        levels = z * _across(self.spread, z) + _across(self.centre, z)
        result: F64 = np.square(np.maximum(levels, 0.0)) if self.root else levels
        return result


def _across(column: F64, like: F64) -> F64:
    return column.reshape(-1, *([1] * (like.ndim - 1)))
