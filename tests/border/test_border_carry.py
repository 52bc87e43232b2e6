"""Carrying newer cells from table to table, and single cells, at the border."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core


def table(rows: int = 6, table_id: int = 1) -> _core.StateTable:
    known = _core.AttributeRegistry()
    for attribute in (1, 2):
        known.add(attribute, f"load.{attribute}", "tasks/s", "rate", "f64", "sum", -1e6, 1e6, 2000)
    return _core.StateTable(known, table_id, [1, 2], rows)


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.uint32)


def test_only_what_is_later_is_carried():
    source, target = table(600), table(6)
    source.put(1, 500, 5.0, 1000)
    source.put(2, 3, 7.0, 1000)
    assert _core.carry(source, target, [1, 2], rows(500, 3), rows(0, 5)) == 2
    assert (target.column(1)[0], target.column(2)[5], target.times(1)[0]) == (5.0, 7.0, 1000)
    assert _core.carry(source, target, [1, 2], rows(500, 3), rows(0, 5)) == 0
    source.put(1, 500, 6.0, 1000)
    assert _core.carry(source, target, [1], rows(500), rows(0)) == 0  # not later
    source.put(1, 500, 8.0, 2000)
    assert _core.carry(source, target, [1], rows(500), rows(0)) == 1
    assert target.column(1)[0] == 8.0


def test_mistakes_are_named_and_write_nothing():
    source, target = table(), table()
    source.put(1, 0, 1.0, 1000)
    with pytest.raises(KeyError, match="no attribute 9"):
        _core.carry(source, target, [9], rows(0), rows(0))
    with pytest.raises(ValueError, match="row below 6"):
        _core.carry(source, target, [1], rows(0), rows(6))
    with pytest.raises(ValueError, match="one target row a source row"):
        _core.carry(source, target, [1], rows(0), rows(0, 1))
    assert target.dirty_count == 0


def test_single_cells_are_coalesced():
    one = table()
    for k in range(1, 11):
        one.put(1, 2, float(k), 1000 * k)
    assert (one.dirty_count, one.column(1)[2], one.times(1)[2]) == (1, 10.0, 10_000)
    with pytest.raises(ValueError, match="in \\[-1"):
        one.put(1, 2, float("nan"), 0)
