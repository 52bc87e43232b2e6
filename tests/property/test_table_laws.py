"""Laws 1 and 5: order and duplicates do not matter; a snapshot, and a chain of deltas, make an equal table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin import _core

ROWS = 9_000  # three blocks
ATTRIBUTES = [(1, "f64"), (2, "f32"), (3, "i64"), (4, "u32")]


def registry() -> _core.AttributeRegistry:
    out = _core.AttributeRegistry()
    for id_, type_ in ATTRIBUTES:
        out.add(id_, f"a{id_}", "u", "gauge", type_, "sum", -np.inf, np.inf, 0)
    out.add(9, "name", "", "event", "bytes", "none", -np.inf, np.inf, 0)
    return out


REGISTRY = registry()


def table(table_id: int = 1, rows: int = ROWS) -> _core.StateTable:
    return _core.StateTable(REGISTRY, table_id, [1, 2, 3, 4, 9], rows)


# A write: attribute, first row, length of a run of rows (long runs cross blocks), value, time in µs.
WRITES = st.tuples(
    st.sampled_from(range(4)), st.integers(0, ROWS - 1), st.sampled_from([1, 2, 65, 5_000]), st.integers(0, 1000),
    st.integers(-5, 5),
)  # fmt: skip


def write(target: _core.StateTable, step: tuple) -> None:
    attribute, first, length, value, time = step
    rows = np.arange(first, min(first + length, ROWS), dtype=np.uint32)
    target.set(ATTRIBUTES[attribute][0], rows, value + (rows % 7).astype(np.float64), time * 1000)
    target.set_bytes(9, first, str(value).encode(), time * 1000)


def history(batches: list[list[tuple]], max_bytes: int) -> tuple[_core.StateTable, list[bytes]]:
    """A writer and all the frames it ever sent."""
    writer, frames, number = table(), [], 1
    for batch in batches:
        for step in batch:
            write(writer, step)
        new = _core.encode_delta(writer, number, 1, max_bytes)
        number += sum(_core.decode_header(f).count for f in new)
        frames += new
    assert writer.dirty_count == 0
    return writer, frames


HISTORIES = st.tuples(
    st.lists(st.lists(WRITES, min_size=1, max_size=4), min_size=1, max_size=5), st.sampled_from([512, 8_000, 262_144])
)


@given(HISTORIES, st.randoms(use_true_random=False), st.floats(0, 1))
def test_any_order_any_duplicates_the_same_table(drawn, random, again):
    writer, frames = history(*drawn)
    shuffled = frames + [f for f in frames if random.random() < again]
    random.shuffle(shuffled)
    reader = table()
    for frame in shuffled:
        _core.ingest(reader, frame)
    assert reader.equal(writer)
    assert reader.digest() == writer.digest()
    for attribute, _ in ATTRIBUTES:
        np.testing.assert_array_equal(reader.numbers(attribute), writer.numbers(attribute))
    assert sum(_core.ingest(reader, frame) for frame in frames) == 0


@given(HISTORIES)
def test_a_chain_of_deltas_equals_the_snapshot(drawn):
    writer, frames = history(*drawn)
    by_delta, by_snapshot = table(), table()
    cursor = 0
    for frame in frames:
        header = _core.decode_header(frame)
        assert header.number == cursor + 1
        assert _core.ingest(by_delta, frame, cursor) == header.count
        cursor += header.count
    stage = _core.SnapshotStage([by_snapshot])
    chunks = _core.encode_snapshot([writer], cursor, 1, max_bytes=drawn[1] + 1000)
    assert [stage.add(chunk) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert by_snapshot.digest() == 0
    stage.commit([by_snapshot])
    assert by_delta.equal(writer)
    assert by_snapshot.equal(writer)
    assert by_delta.digest() == by_snapshot.digest() == writer.digest()


@given(HISTORIES, st.integers(0, 200))
def test_only_the_suffix_beyond_the_cursor(drawn, cut):
    """A reader at any cursor takes the rest of every frame, whole history sent again."""
    writer, frames = history(*drawn)
    reader = table()
    for frame in frames:
        header = _core.decode_header(frame)
        assert _core.ingest(reader, frame, cut) == max(0, min(header.count, header.number + header.count - 1 - cut))
    if cut == 0:
        assert reader.equal(writer)
    kept = np.concatenate([writer.numbers(a) for a, _ in ATTRIBUTES])
    seen = np.concatenate([reader.numbers(a) for a, _ in ATTRIBUTES])
    np.testing.assert_array_equal(seen, np.where(kept > cut, kept, 0))


@given(HISTORIES, HISTORIES)
def test_a_snapshot_swaps_all_tables_of_the_stream_in_one_step(old, new):
    first, second = table(1), table(2)
    for frame in history(*old)[1]:
        _core.ingest(first, frame)
    writers = [history(*new)[0], table(2)]
    write(writers[1], (0, 3, 1, 5, 0))
    writers[1].settle(10**6)
    before = first.fork()
    view = first.column(1)
    stage = _core.SnapshotStage([first, second])
    for chunk in _core.encode_snapshot(writers, 10**6, 1, max_bytes=4096):
        assert first.equal(before)
        stage.add(chunk)
    stage.commit([first, second])
    assert first.equal(writers[0])
    assert second.equal(writers[1])
    np.testing.assert_array_equal(view, before.column(1))  # an old view is stale, not dangling


@settings(max_examples=25)
@given(HISTORIES, st.data())
def test_chunks_out_of_place_are_refused_and_change_nothing(drawn, data):
    writer, _ = history(*drawn)
    chunks = _core.encode_snapshot([writer], 10**6, 1, max_bytes=2048)
    target = table()
    stage = _core.SnapshotStage([target])
    for index, chunk in enumerate(chunks):
        wrong = data.draw(st.integers(0, len(chunks) - 1))
        if wrong != index:
            with pytest.raises(_core.CoreRefusedError) as refused:
                stage.add(chunks[wrong])
            assert refused.value.reason == _core.REASONS["chunk"]
        assert stage.expected == index
        stage.add(chunk)
    stage.commit([target])
    assert target.equal(writer)


def test_a_snapshot_with_another_digest_is_refused_and_can_start_again():
    right, wrong = table(), table()
    for target, value in [(right, 1), (wrong, 2)]:
        write(target, (0, 0, 5_000, value, 0))
        target.settle(1)
    chunks = _core.encode_snapshot([right], 99, 1, max_bytes=20_000)
    others = _core.encode_snapshot([wrong], 99, 1, max_bytes=20_000)
    reader = table()
    stage = _core.SnapshotStage([reader])
    tampered = chunks[0][:48] + others[0][48:56] + chunks[0][56:]
    with pytest.raises(_core.CoreRefusedError):  # crc
        stage.add(tampered)
    stage.add(_core.restamp(tampered, 1, False))  # its digest is believed until the end …
    with pytest.raises(_core.CoreRefusedError) as refused:
        stage.add(chunks[1])  # … and must be the same in every chunk
    assert refused.value.reason == _core.REASONS["chunk"]
    forged = [_core.restamp(c[:48] + others[0][48:56] + c[56:], 1, False) for c in chunks]
    for chunk in forged[1:-1]:
        stage.add(chunk)
    with pytest.raises(_core.CoreRefusedError) as refused:
        stage.add(forged[-1])
    assert refused.value.reason == _core.REASONS["digest"]
    assert (stage.expected, reader.digest()) == (0, 0)
    for chunk in chunks:
        stage.add(chunk)
    stage.commit([reader])
    assert reader.equal(right)


@given(st.lists(WRITES, min_size=1, max_size=5))
def test_the_digest_of_a_writer_counts_what_was_sent(steps):
    """Cells written but not numbered count with their last numbered record: the reader at that number agrees."""
    writer, frames = history([steps], 262_144)
    reader = table()
    for frame in frames:
        _core.ingest(reader, frame)
    for step in steps:
        write(writer, (*step[:3], step[3] + 1, step[4]))
    assert writer.dirty_count > 0
    assert not writer.equal(reader)
    assert writer.digest() == reader.digest()


@settings(max_examples=60)
@given(
    rows=st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=40),
    seed=st.integers(0, 2**32 - 1),
    silent=st.floats(0, 1),
)
def test_rows_of_several_attributes_are_what_each_attribute_alone_would_be(
    rows: list[int], seed: int, silent: float
) -> None:
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((len(rows), 3)) < silent, np.nan, rng.integers(0, 100, (len(rows), 3)))
    times = rng.integers(0, 10**9, len(rows))
    at = np.array(rows, dtype=np.uint32)
    together, alone = table(), table()
    written = together.set_rows([4, 1, 2], at, values, times)
    for k, attribute in enumerate((4, 1, 2)):
        sent = ~np.isnan(values[:, k])
        alone.set(attribute, at[sent], np.ascontiguousarray(values[sent, k]), times[sent])
    assert written == np.count_nonzero(~np.isnan(values))
    assert together.dirty_count == alone.dirty_count
    assert together.equal(alone)
    assert _core.encode_delta(together, 1, 1, 8_000) == _core.encode_delta(alone, 1, 1, 8_000)


@pytest.mark.parametrize(
    ("attributes", "row", "value", "time", "said"),
    [
        ([1, 4], 3, 0.5, 0, "integer"),
        ([1, 9], 3, 1.0, 0, "set_bytes"),
        ([1, 7], 3, 1.0, 0, "not in table"),
        ([1, 2], ROWS, 1.0, 0, "row below"),
        ([1, 2], 3, 1.0, 2**63 - 1, "time within"),
        ([1, 2, 3], 3, 1.0, 0, "3 values per row"),
    ],
)
def test_rows_of_which_one_cannot_be_are_not_written_at_all(
    attributes: list[int], row: int, value: float, time: int, said: str
) -> None:
    target = table()
    rows = np.array([1, row], dtype=np.uint32)
    values = np.array([[1.0, 1.0], [1.0, value]])
    with pytest.raises((ValueError, LookupError), match=said):
        target.set_rows(attributes, rows, values, np.array([0, time]))
    assert target.dirty_count == 0


@settings(max_examples=40)
@given(steps=st.lists(WRITES, max_size=6), after=st.integers(-6, 6))
def test_the_oldest_cell_is_the_earliest_of_those_that_count(steps: list[tuple], after: int) -> None:
    target = table()
    for step in steps:
        write(target, step)
    for attribute, _ in ATTRIBUTES:
        times = target.times(attribute)
        later = times[times > max(after * 1000, -(2**63))]
        assert target.oldest(attribute, after * 1000) == (later.min() if len(later) else -(2**63))
