"""What an inner node passes on of what its children told: rows of resources as they are, groups merged by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.orchestrate.observe import PassThrough
from tiertwin.twin.attributes import A

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.orchestrate.domain import Domain
    from tiertwin.twin.twin import Twin

    F64 = npt.NDArray[np.float64]

_MERGED = [
    A.RATE_SUM,
    A.RATE_COUNT,
    A.COMPLETED_SUM,
    A.MISSED_SUM,
    A.ENERGY_SUM,
    A.LATENCY_SUM,
    A.LATENCY_COUNT,
    A.DEMAND,
]


class Merging:
    """From the tables of a node's children to its own towards its parent.

    Parameters
    ----------
    domain
        Of the node.
    """

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        own = domain.own_layout
        self._passes = [] if own is None else [PassThrough(below, own) for below in domain.layouts]
        self._ages_told: list[int] = []

    def pass_on(self, twin: Twin, out: _core.StateTable, now: int) -> None:
        """Write what moved into `out`."""
        for child, carry in zip(twin.children, self._passes, strict=True):
            assert child.table_in is not None
            carry.carry(child.table_in, out)
        self._classes(twin, out, now)

    def _classes(self, twin: Twin, out: _core.StateTable, now: int) -> None:
        """Groups of all children → one row a class; sums only, so the grouping does not matter."""
        own = self._domain.own_layout
        assert own is not None
        total = self.by_class(twin, _MERGED)
        rows = np.arange(own.members, dtype=np.uint32)
        for attribute, merged in zip(_MERGED, total, strict=True):
            changed = out.column(attribute)[: own.members] != merged
            if self._domain.told is not None:
                changed &= self._domain.told
            if changed.any():
                out.set(attribute, rows[changed], merged[changed], now)
        self._ages(twin, out, now)

    def _ages(self, twin: Twin, out: _core.StateTable, now: int) -> None:
        """Age of the oldest sample by class, told on when a child told a newer one; whoever gets it counts on."""
        newest = [child.ages.newest for child in twin.children if child.ages is not None]
        if newest == self._ages_told:
            return
        self._ages_told = newest
        of_children = [
            child.ages.of_rows(now)[: layout.members].reshape(self._domain.classes, -1)
            for child, layout in zip(twin.children, self._domain.layouts, strict=True)
            if child.ages is not None
        ]
        oldest = np.fmax.reduce(np.hstack(of_children), axis=1)  # NaN: not told
        if self._domain.told is not None:
            oldest = np.where(self._domain.told, oldest, np.nan)
        rows = np.flatnonzero(~np.isnan(oldest)).astype(np.uint32)
        out.set(A.OLDEST, rows, np.maximum(oldest[rows], 0.0), now)

    def by_class(self, twin: Twin, attributes: Sequence[int]) -> F64:
        """Sums ``[attributes, classes]`` over the groups of all children, children in roster order."""
        total = np.zeros((len(attributes), self._domain.classes))
        for child, layout in zip(twin.children, self._domain.layouts, strict=True):
            assert child.table_in is not None
            told = np.stack([child.table_in.column(attribute)[: layout.members] for attribute in attributes])
            told[~np.isfinite(told)] = 0.0  # not yet told
            total += told.reshape(*total.shape, -1).sum(axis=2)
        return total
