"""The border of the state tables: lifetimes, read-only flags, dtypes, shapes, errors."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from tiertwin import _core


def registry() -> _core.AttributeRegistry:
    out = _core.AttributeRegistry()
    out.add(1, "load.sum", "tasks/s", "rate", "f64", "sum", 0.0, 1e6, 2000, deadband=0.5)
    out.add(2, "cpu", "GHz", "gauge", "f32", "sum", 0.0, 100.0, 2000)
    out.add(9, "name", "", "event", "bytes", "none", 0.0, 0.0, 0)
    return out


def table(rows: int = 10) -> _core.StateTable:
    return _core.StateTable(registry(), 1, [1, 2, 9], rows)


def rows(*values: int) -> np.ndarray:
    return np.array(values, np.uint32)


def test_attributes_read_as_they_were_added():
    a = registry().get("load.sum")
    assert (a.id, a.name, a.unit, a.kind, a.type, a.merge) == (1, "load.sum", "tasks/s", "rate", "f64", "sum")
    assert (a.low, a.high, a.max_age_ms, a.deadband, a.resolution, a.privacy) == (0.0, 1e6, 2000, 0.5, 0.0, 0)
    assert a.extension is False
    assert registry().ids() == [1, 2, 9]
    assert registry().names() == ["load.sum", "cpu", "name"]
    assert len(registry()) == 3
    with pytest.raises(AttributeError):
        a.low = 1.0


def test_a_definition_outlives_its_registry():
    a = registry().get(2)
    gc.collect()
    assert a.name == "cpu"


def test_columns_are_read_only():
    small, large = table(10), table(5000)
    for t in (small, large):
        t.set(1, rows(3), np.array([7.0]), 1000)
        for column in (t.column(1), t.times(1), t.numbers(1), t.column(2)):
            assert column.shape == (t.rows,)
            assert not column.flags.writeable
            with pytest.raises(ValueError, match="read-only"):
                column[0] = 0
        assert (t.column(1).dtype, t.times(1).dtype, t.numbers(1).dtype) == (np.float64, np.int64, np.uint64)


def test_a_view_goes_stale_never_dangling():
    t = table(128)
    t.set(1, rows(0), np.array([1.0]), 0)
    view, times = t.column(1), t.times(1)
    assert view.base is not None
    t.set(1, rows(0), np.array([2.0]), 5000)
    assert (view[0], times[0]) == (1.0, 0)
    assert t.column(1)[0] == 2.0
    del t
    gc.collect()
    assert (view[0], times[0]) == (1.0, 0)


def test_without_a_view_a_write_stays_in_its_block():
    t = table(128)
    t.set(1, rows(0), np.array([1.0]), 0)
    before = t.column(1).ctypes.data
    t.set(1, rows(0), np.array([2.0]), 0)
    assert t.column(1).ctypes.data == before


def test_a_fork_outlives_its_origin():
    t = table(5000)
    t.set(1, rows(4999), np.array([3.0]), 0)
    t.set_bytes(9, 1, b"essen", 0)
    fork = t.fork()
    del t
    gc.collect()
    assert fork.column(1)[4999] == 3.0
    assert fork.get_bytes(9, 1) == b"essen"


@pytest.mark.parametrize(
    ("bad_rows", "bad_values"),
    [
        (np.array([1]), np.array([1.0])),  # i64 rows
        (np.array([1], np.int32), np.array([1.0])),
        (rows(1), np.array([1.0], np.float32)),
        (rows(1), np.array([1])),
        (rows(1), [1.0]),
        ([1], np.array([1.0])),
        (np.arange(4, dtype=np.uint32)[::2], np.array([1.0, 2.0])),
        (rows(1, 2), np.arange(4.0)[::2]),
        (rows(1), None),
    ],
)
def test_exact_dtype_and_order_or_a_type_error(bad_rows, bad_values):
    t = table()
    with pytest.raises(TypeError):
        t.set(1, bad_rows, bad_values, 0)
    assert t.dirty_count == 0


def test_messages_say_what_was_expected_and_what_came():
    t = table()
    with pytest.raises(ValueError, match=r"'load.sum'.*\[0\.0+, 1000000.*got -1\.0.* at row 3"):
        t.set(1, rows(3), np.array([-1.0]), 0)
    with pytest.raises(ValueError, match="expected a row below 10, got 10"):
        t.set(1, rows(10), np.array([1.0]), 0)
    with pytest.raises(ValueError, match="2 rows and 1 values"):
        t.set(1, rows(1, 2), np.array([1.0]), 0)
    with pytest.raises(KeyError, match="attribute 77 is not in table 1"):
        t.column(77)
    with pytest.raises(KeyError, match="attribute 77 is not in the registry"):
        _core.StateTable(registry(), 1, [77], 3)
    with pytest.raises(ValueError, match="use set_bytes"):
        t.set(9, rows(0), np.array([1.0]), 0)
    with pytest.raises(ValueError, match="at most 1024 bytes, got 1025"):
        t.set_bytes(9, 0, b"x" * 1025, 0)
    with pytest.raises(ValueError, match="holds bytes"):
        t.column(9)
    with pytest.raises(ValueError, match="rows, got 0"):
        _core.StateTable(registry(), 1, [1], 0)
    with pytest.raises(ValueError, match="listed twice"):
        _core.StateTable(registry(), 1, [1, 1], 1)
    with pytest.raises(ValueError, match="f64, f32, i64, u32 or bytes, got 'f16'"):
        _core.AttributeRegistry().add(1, "a", "u", "gauge", "f16", "sum", 0.0, 1.0, 0)


def test_ids_outside_their_width_are_type_errors():
    for bad in (-1, 65536, 1.5, "1"):
        with pytest.raises((TypeError, KeyError)):
            table().column(bad)
    with pytest.raises(TypeError):
        table().set(1, rows(0), np.array([1.0]), 1 << 63)
    with pytest.raises(TypeError):
        table().set_bytes(9, 0, "text", 0)


def test_times_for_each_row_are_checked_before_anything_is_written():
    t = table()
    with pytest.raises(ValueError, match="2 rows and 1 times"):
        t.set(1, rows(1, 2), np.array([1.0, 2.0]), np.array([0]))
    with pytest.raises(ValueError, match="within ±9e18 ns"):
        t.set(1, rows(1, 2), np.array([1.0, 2.0]), np.array([0, 9_100_000_000_000_000_000]))
    with pytest.raises(TypeError):
        t.set(1, rows(1), np.array([1.0]), np.array([0.0]))
    assert t.dirty_count == 0


def test_the_definition_of_a_column_and_of_an_unknown_one():
    t = table()
    t.add_opaque(70, "u32")
    assert t.attribute(2).name == "cpu"
    assert (t.attribute(70).type, t.attribute(70).extension) == ("u32", True)
    assert (t.attributes, t.opaque()) == ([1, 2, 9], [70])
    with pytest.raises(KeyError):
        t.attribute(71)


def test_an_empty_write_is_fine():
    t = table()
    assert t.set(1, rows(), np.array([]), 0) == 0
    assert t.dirty_count == 0


def test_tables_are_not_pickled():
    import pickle

    with pytest.raises(TypeError):
        pickle.dumps(table())
