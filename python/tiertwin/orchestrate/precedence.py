"""What a gateway tells first when its edge did not say: an order of the catalogue's lines, or their modelling value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.worth import Worth
from tiertwin.orchestrate.economy import sizes
from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.orchestrate.economy import CellList, Economy

    F64 = npt.NDArray[np.float64]

SECOND = 1_000_000_000
STEP = 1e-8  # from one line of an order to the next: no change of a later one outweighs the least of an earlier one
LOOKS = 5  # reports before variances are compared
VALUE_WINDOW, VALUE_LEAST = 120, 20  # periods over which values are taken, and before they are
VALUE_FLOOR = 0.01  # nothing is worth nothing


class Order:
    """Lines of the catalogue one after the other: as written, at random, or those first that vary most.

    A line varies by the mean over its cells of variance over mean square, seen so far (Welford, 1962).
    """

    def __init__(self, economy: Economy, site: int, cells: CellList) -> None:
        self._economy, self._cells = economy, cells
        lines = len(economy.catalogue)
        self._place = np.arange(lines)
        if economy.selection == "random":
            self._place = np.random.default_rng([economy.seed, site]).permutation(lines)
        self._count = 0
        self._mean, self._spread = np.zeros(len(cells)), np.zeros(len(cells))
        self._every = max(1, int(economy.review_epochs * economy.epoch_s * SECOND))
        self._next = 0
        self._then = -(2**62)

    def worth(self, heard: _core.StateTable, now: int) -> F64 | None:
        """Return new worths, None: they stay."""
        if self._economy.selection == "variance":
            self._look(heard, now)
        if now < self._next:
            return None
        self._next = now + (self._every if self._count >= LOOKS or self._economy.selection != "variance" else 1)
        if self._count >= LOOKS:
            self._rank()
        return STEP ** self._place[self._cells.line].astype(np.float64) / sizes(heard, self._cells) ** 2

    def _look(self, heard: _core.StateTable, now: int) -> None:
        if now - self._then < self._economy.period_s * SECOND:
            return
        self._then = now
        values = np.zeros(len(self._cells))
        for attribute, places, rows in self._cells.by_attribute:
            values[places] = np.nan_to_num(heard.column(attribute)[rows])
        self._count += 1
        apart = values - self._mean
        self._mean += apart / self._count
        self._spread += apart * (values - self._mean)

    def _rank(self) -> None:
        square = np.maximum(self._mean**2, 1e-12)
        varied = self._spread / self._count / square
        lines = len(self._economy.catalogue)
        cells = np.maximum(np.bincount(self._cells.line, minlength=lines), 1)
        mean = np.bincount(self._cells.line, weights=varied, minlength=lines) / cells
        self._place[np.argsort(-mean, kind="stable")] = np.arange(lines)


class Interest:
    """Modelling value of the catalogue's lines for the tasks that come late: what the left-over budget is spent on.

    Relevance, causality and complexity of `tiertwin.functions.worth`, of the mean over a line's cells; the target is
    the share of completed tasks that were late.
    """

    def __init__(self, economy: Economy, cells: CellList) -> None:
        self._cells, self._lines = cells, len(economy.catalogue)
        self._period, self._every = int(economy.period_s * SECOND), economy.review_epochs
        self._kept = Worth(1, self._lines, 1, VALUE_WINDOW)
        self._then, self._samples = -(2**62), 0
        self.value: F64 = np.ones(self._lines)

    def look(self, heard: _core.StateTable, now: int) -> bool:
        """Take a sample once a period; True: the values are new."""
        if now - self._then < self._period:
            return False
        self._then = now
        self._kept.push(self._means(heard), np.full((1, 1), _late(heard)))
        self._samples += 1
        if self._samples % self._every or self._samples < VALUE_LEAST:
            return False
        self.value = np.maximum(self._kept.score().value[0, 0], VALUE_FLOOR)
        return True

    def _means(self, heard: _core.StateTable) -> F64:
        values = np.zeros(len(self._cells))
        for attribute, places, rows in self._cells.by_attribute:
            values[places] = heard.column(attribute)[rows]
        known = np.isfinite(values)
        count = np.bincount(self._cells.line[known], minlength=self._lines)
        total = np.bincount(self._cells.line[known], weights=values[known], minlength=self._lines)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)[None, :]


def _late(heard: _core.StateTable) -> float:
    """Share of the tasks completed lately that were late; NaN: none was completed."""
    completed = float(np.nansum(heard.column(A.COMPLETED)))
    return float(np.nansum(heard.column(A.MISSED))) / completed if completed > 0.0 else float("nan")
