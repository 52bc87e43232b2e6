"""State table and digest against the slow reference: random writes, numberings and forks give the same cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import state as ref
from tiertwin import _core

SPECS = [
    ref.Spec(1, "load.sum", low=-1e6, high=1e6),
    ref.Spec(2, "cpu", type="f32", low=-100.0, high=100.0),
    ref.Spec(5, "count", type="i64", low=-1e15, high=1e15),
    ref.Spec(9, "state", type="u32"),
    ref.Spec(12, "name", type="bytes"),
]
ROWS = 100


def registry_of(specs: list[ref.Spec]) -> _core.AttributeRegistry:
    registry = _core.AttributeRegistry()
    for s in specs:
        registry.add(
            s.id, s.name, s.unit, s.kind, s.type, s.merge, s.low, s.high, s.max_age_ms,
            s.deadband, s.resolution, s.privacy, s.extension,
        )  # fmt: skip
    return registry


def both(rows: int = ROWS) -> tuple[_core.StateTable, ref.Table]:
    table = _core.StateTable(registry_of(SPECS), 1, [s.id for s in SPECS], rows)
    return table, ref.Table(SPECS, 1, rows)


def assert_same(table: _core.StateTable, slow: ref.Table) -> None:
    assert table.dirty_count == len(slow.dirty)
    assert table.digest() == slow.digest()
    for spec in SPECS:
        cells = [slow.cells.get((spec.id, row)) for row in range(slow.rows)]
        if spec.type == "bytes":
            assert [table.get_bytes(spec.id, r) for r in range(slow.rows)] == [c.value if c else None for c in cells]
            continue
        np.testing.assert_array_equal(table.column(spec.id), [c.value if c else np.nan for c in cells])
        np.testing.assert_array_equal(table.times(spec.id), [c.time if c else ref.NEVER for c in cells])
        np.testing.assert_array_equal(
            table.numbers(spec.id), np.array([c.number if c else 0 for c in cells], np.uint64)
        )


def values_of(kind: str) -> st.SearchStrategy:
    if kind == "f64":
        return st.floats(-1e6, 1e6)
    if kind == "f32":
        return st.floats(-100, 100, width=32)
    if kind == "bytes":
        return st.binary(max_size=20)
    return st.integers(0 if kind == "u32" else -(10**15), 2**32 - 1 if kind == "u32" else 10**15)


@st.composite
def writes(draw: st.DrawFn) -> tuple[ref.Spec, list[int], list, int]:
    spec = draw(st.sampled_from(SPECS))
    rows = draw(st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=8))
    values = draw(st.lists(values_of(spec.type), min_size=len(rows), max_size=len(rows)))
    return spec, rows, values, draw(st.integers(-(10**12), 10**12))


def write(table: _core.StateTable, spec: ref.Spec, rows: list[int], values: list, time: int) -> None:
    if spec.type == "bytes":
        for row, value in zip(rows, values, strict=True):
            table.set_bytes(spec.id, row, value, time)
    else:
        table.set(spec.id, np.array(rows, np.uint32), np.array(values, np.float64), time)


def write_slow(slow: ref.Table, spec: ref.Spec, rows: list[int], values: list, time: int) -> None:
    for row, value in zip(rows, values, strict=True):
        slow.write(spec.id, row, value if spec.type == "bytes" else float(value), time)


@given(st.lists(st.one_of(writes(), st.just("settle")), max_size=25))
def test_writes_and_numbering(steps):
    table, slow = both()
    number = 1
    for step in steps:
        if step == "settle":
            assert table.settle(number) == len(slow.dirty)
            number += len(slow.settle(number))
        else:
            write(table, *step)
            write_slow(slow, *step)
    assert_same(table, slow)


@given(st.lists(writes(), max_size=6), st.lists(writes(), max_size=6), st.booleans())
def test_a_fork_and_its_origin_go_separate_ways(before, after, write_fork):
    table, slow = both()
    for step in before:
        write(table, *step)
        write_slow(slow, *step)
    table.settle(1)
    slow.settle(1)
    table.digest()  # the fork inherits folded sums
    fork = table.fork()
    assert fork.equal(table)
    changed, kept = (fork, table) if write_fork else (table, fork)
    for step in after:
        write(changed, *step)
    assert_same(kept, slow)
    for step in after:
        write_slow(slow, *step)
    assert_same(changed, slow)


@given(st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(-(10**12), 10**12)), min_size=1, max_size=20))
def test_a_time_for_each_row(cells):
    one_by_one, together = both()[0], both()[0]
    for row, time in cells:
        one_by_one.set(1, np.array([row], np.uint32), np.array([float(row)]), time)
    rows = np.array([row for row, _ in cells], np.uint32)
    times = np.array([time for _, time in cells], np.int64)
    assert together.set(1, rows, rows.astype(np.float64), times) == len(cells)
    assert together.equal(one_by_one)


@settings(max_examples=20)
@given(
    st.sampled_from([700, 10_000]).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n - 1), min_size=1, max_size=30, unique=True))
    ),
    st.integers(1, 1 << 60),
)
def test_many_blocks(table_and_rows, first):
    """Rows of several blocks of 128 or 4 096, the last one not full."""
    size, rows = table_and_rows
    table, slow = both(size)
    values = np.arange(len(rows), dtype=np.float64)
    table.set(1, np.array(rows, np.uint32), values, 5_000)
    slow.set(1, rows, values.tolist(), 5_000)
    table.settle(first)
    slow.settle(first)
    assert table.digest() == slow.digest()
    np.testing.assert_array_equal(table.column(1)[rows], values)
    assert int(np.isnan(table.column(1)).sum()) == size - len(rows)
    assert [int(table.numbers(1)[r]) for r in sorted(rows)] == list(range(first, first + len(rows)))


def test_fingerprint_is_that_of_the_definitions():
    specs = [*SPECS, ref.Spec(20, "extra", extension=True), ref.Spec(3, "late", unit="s", low=0.1, high=7.5, privacy=2)]
    assert registry_of(specs).fingerprint() == ref.fingerprint(specs)
    assert registry_of(specs[::-1]).fingerprint() == ref.fingerprint(specs)
    some = [s for s in specs if s.id in (1, 2, 20)]
    table = _core.StateTable(registry_of(specs), 7, [20, 2, 1], 3)
    assert table.fingerprint() == ref.fingerprint(some, 7, 3)


def test_tables_of_other_lengths_have_other_fingerprints():
    """Two ends that disagree about the rows of a table learn it from the first frame, not from a row out of range."""
    registry = registry_of(SPECS)
    marks = {_core.StateTable(registry, 7, [1], rows).fingerprint() for rows in (1, 2, 3, 4096, 2**31)}
    assert len(marks) == 5


@pytest.mark.parametrize("change", [{"unit": "v"}, {"low": 1.0}, {"type": "f32"}, {"privacy": 1}, {"merge": "max"}])
def test_fingerprint_sees_every_change(change):
    base = ref.Spec(1, "a", low=0.0, high=10.0)
    other = ref.Spec(1, "a", **{"low": 0.0, "high": 10.0, **change})
    assert registry_of([base]).fingerprint() != registry_of([other]).fingerprint()


@given(st.floats(width=64), st.integers(-(1 << 62), 1 << 62), st.integers(0, (1 << 32) - 1))
def test_minus_zero_and_nan_hash_as_one_value(value, time, row):
    assert ref.cell_hash(1, 1, row, time, 0.0) == ref.cell_hash(1, 1, row, time, -0.0)
    assert ref.value_bits(float("nan")) == ref.value_bits(-float("nan"))
    assert ref.cell_hash(1, 1, row, time, value) != ref.cell_hash(1, 2, row, time, value)
