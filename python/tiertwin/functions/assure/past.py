"""The newest samples of many series in one array; each sample costs one column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]


class Past:
    """A window over the newest samples.

    Parameters
    ----------
    values
        To begin with, [series, time].
    first_slot
        Slot of the first column.
    keep
        Samples that stay, at least; up to twice as many are held.
    """

    def __init__(self, values: F64, first_slot: int, keep: int) -> None:
        kept = values[:, -keep:]
        self._keep = keep
        self._end: int = kept.shape[1]
        self._values = np.empty((len(values), 2 * keep))
        self._values[:, : self._end] = kept
        self._first: int = first_slot + values.shape[1] - self._end

    @property
    def values(self) -> F64:
        """All that is held, [series, time]: a view, until the next sample."""
        return self._values[:, : self._end]

    @property
    def next_slot(self) -> int:
        """Slot after the newest."""
        return self._first + self._end

    @property
    def first_slot(self) -> int:
        """Slot of the oldest held."""
        return self._first

    def append(self, sample: F64) -> None:
        """Take the next slot's sample. [series]"""
        if self._end == self._values.shape[1]:
            self._values[:, : self._keep] = self._values[:, -self._keep :].copy()
            self._first += self._end - self._keep
            self._end = self._keep
        self._values[:, self._end] = sample
        self._end += 1

    def at(self, slots: NDArray[np.int64]) -> F64:
        """Return the samples of slots that are held. [series, slots]"""
        return self._values[:, slots - self._first]
