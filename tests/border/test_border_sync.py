"""The border of the frame codec: buffers, lifetimes, reasons, argument errors."""

from __future__ import annotations

import gc
import struct
import sys

import numpy as np
import pytest

from tiertwin import _core


def table(table_id: int = 1) -> _core.StateTable:
    registry = _core.AttributeRegistry()
    registry.add(1, "load.sum", "tasks/s", "rate", "f64", "sum", 0.0, 1e6, 2000)
    return _core.StateTable(registry, table_id, [1], 10)


def frame_of(value: float = 2.5, table_id: int = 1) -> bytes:
    writer = table(table_id)
    writer.set(1, np.array([3], np.uint32), np.array([value]), 0)
    (frame,) = _core.encode_delta(writer, 1, 7)
    return frame


class Buffer(bytearray):
    """A buffer that counts nothing and copies nothing."""


def test_any_contiguous_buffer_is_read_in_place():
    frame = frame_of()
    shifted = memoryview(b"x" + frame)[1:]  # not aligned
    for buffer in (frame, bytearray(frame), memoryview(frame), Buffer(frame), np.frombuffer(frame, np.uint8), shifted):
        t = table()
        assert _core.ingest(t, buffer) == 1
        assert t.column(1)[3] == 2.5
        assert _core.decode_header(buffer).number == 1


def test_nothing_of_the_buffer_is_kept():
    buffer = bytearray(frame_of())
    t = table()
    _core.ingest(t, buffer)
    blocks = _core.decode_blocks(buffer)
    buffer[:] = bytes(len(buffer))
    buffer.extend(b"more")  # BufferError if somebody still held it
    assert t.column(1)[3] == 2.5
    assert blocks[0][5].tolist() == [2.5]


def test_a_refusal_holds_no_buffer_and_no_reference():
    buffer = bytearray(frame_of())
    buffer[50] ^= 1
    references = sys.getrefcount(buffer)
    for _ in range(100):
        with pytest.raises(_core.CoreRefusedError):
            _core.ingest(table(), buffer)
    buffer.extend(b"more")
    gc.collect()
    assert sys.getrefcount(buffer) == references


@pytest.mark.parametrize("bad", [None, 3, "text", [1, 2], np.zeros((8, 8), np.uint8)[:, ::2]])
def test_what_is_no_contiguous_buffer_is_a_type_or_buffer_error(bad):
    for call in (_core.decode_header, _core.decode_hello, _core.crc32c, lambda b: _core.ingest(table(), b)):
        with pytest.raises((TypeError, BufferError, ValueError)):
            call(bad)


def test_a_refusal_names_reason_and_place():
    frame = bytearray(frame_of())
    struct.pack_into("<I", frame, 56, 10)  # the row
    bad = _core.restamp(frame, 7)
    with pytest.raises(_core.CoreRefusedError, match="refused at byte 56: row") as refused:
        _core.ingest(table(), bad)
    assert refused.value.reason == _core.REASONS["row"]
    assert refused.value.at == 56
    assert isinstance(refused.value, RuntimeError)


def test_reasons_are_an_int_enum_in_waiting():
    from enum import IntEnum

    reason = IntEnum("reason", _core.REASONS)
    assert reason(0).name == "ok"
    assert len(reason) == len(_core.REASONS) == len(set(_core.REASONS.values()))


def test_the_wrong_kind_is_refused():
    with pytest.raises(_core.CoreRefusedError) as refused:
        _core.decode_hello(frame_of())
    assert (refused.value.reason, refused.value.at) == (_core.REASONS["kind"], 3)
    barrier = _core.encode_barrier(3, 1)
    for call in (
        _core.decode_blocks,
        lambda f: _core.ingest(table(), f),
        lambda f: _core.SnapshotStage([table()]).add(f),
    ):
        with pytest.raises(_core.CoreRefusedError) as refused:
            call(barrier)
        assert refused.value.reason == _core.REASONS["kind"]


def test_lease_of_a_frame_without_one():
    assert _core.decode_lease(frame_of()) is None
    assert _core.decode_lease(_core.encode_barrier(3, 1)) is None


def test_out_of_range_arguments():
    with pytest.raises(TypeError):
        _core.encode_barrier(-1, 1)
    with pytest.raises(TypeError):
        _core.encode_ack(1 << 64, 0, 0, 0, 0, 1)
    with pytest.raises(ValueError, match="BARRIER"):
        _core.encode_barrier((1 << 64) - 1, 1)
    with pytest.raises(ValueError, match="200 bytes"):
        _core.encode_bye(1, "ü" * 101, 1)
    with pytest.raises(ValueError, match="at least 1"):
        _core.encode_delta(table(), 0, 1)
    with pytest.raises(ValueError, match="lease"):
        _core.encode_unit(table(16), 1, 1)
    with pytest.raises(ValueError, match="leased"):
        _core.encode_delta(table(16), 1, 1)
    with pytest.raises(ValueError, match="at least one table"):
        _core.encode_snapshot([], 1, 1)
    with pytest.raises(ValueError, match="finite f64, got"):
        _core.encode_solve(1, 0, 1, 1, [0, 0, 0, 0], [(1, "f64", None, np.array([np.inf]))], 1)


def test_frames_are_bytes_of_their_own():
    writer = table()
    writer.set(1, np.array([3], np.uint32), np.array([1.0]), 0)
    frames = _core.encode_delta(writer, 1, 7)
    copy = [bytes(f) for f in frames]
    writer.set(1, np.array([3], np.uint32), np.array([9.0]), 0)
    del writer
    gc.collect()
    assert frames == copy
    assert all(type(f) is bytes for f in frames)


def test_a_stage_outlives_the_tables_it_was_made_for():
    target = table()
    stage = _core.SnapshotStage([target])
    writer = table()
    writer.set(1, np.array([3], np.uint32), np.array([1.0]), 0)
    writer.settle(1)
    chunks = _core.encode_snapshot([writer], 1, 7)
    del target
    gc.collect()
    assert stage.add(memoryview(chunks[0]))
    fresh = table()
    with pytest.raises(ValueError, match="tables the stage was made for"):
        stage.commit([])
    with pytest.raises(ValueError, match="not staged"):
        stage.commit([table(2)])
    stage.commit([fresh])
    assert fresh.equal(writer)


def test_worker_threads_get_copies_and_pure_functions():
    """A frame may be decoded on any thread; the table stays with its own."""
    from concurrent.futures import ThreadPoolExecutor

    frame = frame_of()
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: (_core.decode_header(frame).number, _core.crc32c(frame)), range(200)))
    assert set(numbers) == {(1, _core.crc32c(frame))}
