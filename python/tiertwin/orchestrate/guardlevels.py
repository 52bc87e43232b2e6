"""Before and since, site by site: what the plant says of something that is in force.

A measurement may come by site (`guardwords.Measured.by_site`); then seconds are compared site by site, over those told
both before and since, and the sites that actions are about by themselves: the others only add their noise. Where it
comes whole, there is one part.

    before    by site the lowest that was told lately: a fault that has just been named may have begun in between.
              Whole: the mean
    since     mean of what was told since, its error the largest stated / √(how many)
    gain      Σ over sites (since − before)

The plant *disagrees* when what is measured is below what it was before, and below what was expected besides:

    gain < min(0, g − z·√(σ² + error²))         g, σ: predicted, and its deviation; of the sites concerned
    gain of those who share what is loaded more < −z·error

What helps less than was promised stays: taking it back would only lose it (docs/adr/0034).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.orchestrate.guardwords import Measured

    F64 = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Level:
    """A KPI by parts, and their standard errors, [n]; NaN: not told."""

    value: F64
    error: F64

    @property
    def whole(self) -> float:
        """Sum of the parts that were told."""
        return float(np.nansum(self.value))

    @property
    def whole_error(self) -> float:
        """Standard error of that, of parts that err by themselves."""
        return float(np.sqrt(np.nansum(np.where(np.isfinite(self.value), self.error, 0.0) ** 2)))


def parts_of(measured: Measured) -> tuple[F64, F64]:
    """Return values and errors of the parts of a measurement, [n]."""
    if measured.by_site:
        return np.array(measured.by_site, dtype=np.float64), np.array(measured.errors, dtype=np.float64)
    return np.array([measured.value]), np.array([measured.error])


def before(recent: Sequence[Measured]) -> Level | None:
    """Return what it was before, by what was measured lately, the oldest first; None: nothing was."""
    if not recent:
        return None
    values, errors = _stacked(recent)
    if not recent[-1].by_site:
        return Level(values.mean(axis=0), np.sqrt((errors**2).sum(axis=0)) / len(recent))
    told = np.isfinite(values)
    return Level(np.fmin.reduce(values, axis=0), np.where(told, errors, 0.0).max(axis=0))


def since(measured: Sequence[Measured]) -> Level:
    """Return what it is since, of one measurement at least."""
    values, errors = _stacked(measured)
    told = np.isfinite(values)
    count = told.sum(axis=0)
    mean = np.where(told, values, 0.0).sum(axis=0) / np.maximum(count, 1)
    error = np.where(told, errors, 0.0).max(axis=0) / np.sqrt(np.maximum(count, 1))
    return Level(np.where(count > 0, mean, np.nan), error)


def gain(now: Level, was: Level, where: Flags | None = None) -> tuple[float, float]:
    """Return what was gained over the parts told both times, and its error; NaN where there is none."""
    both = np.isfinite(now.value) & np.isfinite(was.value)
    if where is not None and len(where) == len(both):
        both &= where
    if not both.any():
        return float("nan"), float("nan")
    found = float((now.value[both] - was.value[both]).sum())
    return found, float(np.sqrt((now.error[both] ** 2 + was.error[both] ** 2).sum()))


def _stacked(measured: Sequence[Measured]) -> tuple[F64, F64]:
    """Return values and errors of those that have as many parts as the newest, [m, n]."""
    parts = [parts_of(one) for one in measured]
    same = [part for part in parts if len(part[0]) == len(parts[-1][0])]
    return np.array([value for value, _ in same]), np.array([error for _, error in same])


class Watch:
    """What is measured around one thing at a time: lately before it was put in force, and since. One owner.

    Parameters
    ----------
    anchor
        What was measured in the last so many ns before counts as before.
    """

    def __init__(self, anchor: int) -> None:
        self._anchor = anchor
        self._recent: list[Measured] = []
        self._concerned: Flags | None = None
        self._sharing: Flags | None = None
        self._first = 0
        self.was: Level | None = None
        self.measured: list[Measured] = []

    def note(self, event: Measured) -> None:
        """Take in what was measured while nothing is watched."""
        self._recent = [m for m in self._recent if event.until - m.since <= self._anchor] + [event]

    def begin(self, concerned: Flags, sharing: Flags, unchanged_since: int, now: int) -> None:
        """Something about these sites, [S], is put in force at `now`, which others share; unchanged since then."""
        self._concerned, self._sharing = concerned, sharing
        self._first, self.measured = unchanged_since, []
        self._look_back(now)

    def late(self, event: Measured, settled: int) -> None:
        """Take in what is told late of the time before, which ended by `settled`, when it was in force."""
        self.note(event)
        if not self.measured:
            self._look_back(settled)

    def _look_back(self, until: int) -> None:
        first = max(until - self._anchor, self._first)
        self.was = before([m for m in self._recent if m.since >= first and m.until <= until])

    def take(self, event: Measured) -> None:
        """Take in what was measured since."""
        self.measured.append(event)

    def gained(self) -> tuple[float, float]:
        """Return the gain of the sites concerned and its error; NaN: nothing to compare."""
        if self.was is None or not self.measured:
            return float("nan"), float("nan")
        return gain(since(self.measured), self.was, self._concerned)

    def harmed(self, sigmas: float) -> float:
        """Return what sites that share what is loaded lost, if more than so many of their standard errors; else 0."""
        if self.was is None or self._sharing is None or len(self.was.value) != len(self._sharing):
            return 0.0
        gained, error = gain(since(self.measured), self.was, self._sharing)
        return -gained if gained < -sigmas * error else 0.0
