"""Counts as a table of their own: one row a counter that travels, the same at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.runtime.counters import BY_NAME, TRAVELLING
from tiertwin.twin.attributes import A, TableId

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]


def counter_table(registry: _core.AttributeRegistry) -> _core.StateTable:
    """Return an empty table of counts, one row a counter; both ends make the same."""
    return _core.StateTable(registry, TableId.COUNTERS, [int(A.COUNTED)], len(TRAVELLING))


def write_counts(table: _core.StateTable, counts: F64, now: int) -> None:
    """Put counts into the table; rows that did not change are left alone."""
    changed = np.flatnonzero(table.column(A.COUNTED) != counts).astype(np.uint32)  # NaN: not yet written
    if len(changed):
        table.set(A.COUNTED, changed, counts[changed], now)


def read_counts(table: _core.StateTable) -> dict[str, int]:
    """Return the counts that are not zero, by name."""
    values = table.column(A.COUNTED)
    return {c.name: int(value) for c, value in zip(TRAVELLING, values, strict=True) if value > 0}


def by_scope(counts: Mapping[str, int], scope: str) -> dict[str, int]:
    """Return the counts of one scope."""
    return {name: count for name, count in counts.items() if BY_NAME[name].scope == scope}
