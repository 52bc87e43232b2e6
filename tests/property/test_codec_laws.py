"""Law 2: what is encoded decodes to the same; truncated, flipped or invented bytes are refused and change nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin import _core

ROWS = 50
NUMBERS = [(1, "f64"), (2, "f32"), (3, "i64"), (4, "u32")]
LIMITS = {"f64": (-1e9, 1e9), "f32": (-1e9, 1e9), "i64": (-(2.0**53), 2.0**53), "u32": (0.0, 2.0**32 - 1)}


def registry() -> _core.AttributeRegistry:
    out = _core.AttributeRegistry()
    for id_, type_ in NUMBERS:
        out.add(id_, f"a{id_}", "u", "gauge", type_, "sum", *LIMITS[type_], 0)
    out.add(9, "name", "", "event", "bytes", "none", -np.inf, np.inf, 0)
    return out


REGISTRY = registry()


def table(table_id: int = 1) -> _core.StateTable:
    return _core.StateTable(REGISTRY, table_id, [1, 2, 3, 4, 9], ROWS)


@st.composite
def written_tables(draw: st.DrawFn) -> _core.StateTable:
    out = table()
    for id_, type_ in draw(st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=6)):
        rows = draw(st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=10))
        low, high = LIMITS[type_]
        value = st.integers(int(low), int(high)) if type_ in ("i64", "u32") else st.floats(low, high, width=32)
        values = draw(st.lists(value, min_size=len(rows), max_size=len(rows)))
        time = draw(st.integers(-(9 * 10**18), 9 * 10**18))
        out.set(id_, np.array(rows, np.uint32), np.array(values, np.float64), time)
    for row in draw(st.lists(st.integers(0, ROWS - 1), max_size=4)):
        out.set_bytes(9, row, draw(st.binary(max_size=30)), 0)
    return out


def count(frames: list[bytes]) -> int:
    return sum(_core.decode_header(f).count for f in frames)


@given(written_tables(), st.integers(1, 1 << 63), st.integers(0, 2**32 - 1), st.integers(120, 4000))
def test_what_is_encoded_decodes_to_the_same(writer, number, incarnation, max_bytes):
    pending = writer.dirty_count
    frames = _core.encode_delta(writer, number, incarnation, max_bytes)
    assert writer.dirty_count == 0
    assert count(frames) == pending
    reader, next_number = table(), number
    for frame in frames:
        header = _core.decode_header(frame)
        assert len(frame) <= max_bytes
        assert len(frame) == 40 + header.body_length
        assert len(frame) % 8 == 0
        assert (header.number, header.incarnation) == (next_number, incarnation)
        assert header.fingerprint == writer.fingerprint()
        next_number += header.count
        assert _core.ingest(reader, frame) == header.count
    assert reader.equal(writer)
    assert reader.digest() == writer.digest()


@given(written_tables(), st.integers(0, 3), st.integers(0, 1500))
def test_credit_holds_back_what_does_not_fit(writer, max_frames, total_bytes):
    pending = writer.dirty_count
    frames = _core.encode_delta(writer, 1, 1, 400, max_frames, total_bytes)
    assert len(frames) <= max_frames
    assert sum(map(len, frames)) <= total_bytes
    assert writer.dirty_count == pending - count(frames)
    rest = _core.encode_delta(writer, 1 + count(frames), 1)
    reader = table()
    for frame in frames + rest:
        _core.ingest(reader, frame)
    assert reader.equal(writer)


def test_times_further_apart_than_a_time_reaches_get_blocks_of_their_own():
    """Their difference is beyond 2^63 ns; both went into one block, and the second came out 292 years early."""
    writer, reader = table(), table()
    for row, time in ((0, -223_372_036_854_775_500), (1, 8_999_999_999_999_999_500), (2, -(9 * 10**18)), (3, 0)):
        writer.set(1, np.array([row], np.uint32), np.array([1.0]), time)
    for frame in _core.encode_delta(writer, 1, 1):
        _core.ingest(reader, frame)
    assert reader.times(1)[:4].tolist() == writer.times(1)[:4].tolist()
    assert reader.equal(writer)


def refusal(call: Callable[[], object]) -> _core.CoreRefusedError | None:
    try:
        call()
    except _core.CoreRefusedError as refused:
        return refused
    return None


def tampered(frame: bytes, at: int, bit: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :]


@given(written_tables(), st.data())
def test_a_flipped_bit_is_refused(writer, data):
    frame = data.draw(st.sampled_from(_core.encode_delta(writer, 1, 1)))
    bad = tampered(frame, data.draw(st.integers(0, len(frame) - 1)), data.draw(st.integers(0, 7)))
    reader = table()
    with pytest.raises(_core.CoreRefusedError):
        _core.ingest(reader, bad)
    assert reader.equal(table())


@settings(max_examples=200)
@given(written_tables(), st.data())
def test_a_flipped_bit_with_a_right_checksum_is_refused_or_well_formed(writer, data):
    """All or nothing: what comes through encodes again, and what does not leaves no trace."""
    frame = data.draw(st.sampled_from(_core.encode_delta(writer, 1, 1)))
    bad = tampered(frame, data.draw(st.integers(16, len(frame) - 1)), data.draw(st.integers(0, 7)))
    bad = _core.restamp(bad, 1, False)
    reader = table()
    refused = refusal(lambda: _core.ingest(reader, bad))
    if refused is not None:
        assert refused.reason in _core.REASONS.values()
        assert 0 <= refused.at <= len(bad)
        assert reader.equal(table())
        return
    assert not reader.equal(table())
    assert len(_core.decode_blocks(bad)) > 0


@given(written_tables(), st.data())
def test_a_truncated_frame_is_refused(writer, data):
    frame = data.draw(st.sampled_from(_core.encode_delta(writer, 1, 1)))
    size = data.draw(st.integers(0, len(frame) - 1))
    for bad in (frame[:size], resized(frame[:size])):
        reader = table()
        with pytest.raises(_core.CoreRefusedError):
            _core.ingest(reader, bad)
        assert reader.equal(table())


def resized(frame: bytes) -> bytes:
    """Body length and checksum of what is left of it."""
    if len(frame) < 40:
        return frame
    return _core.restamp(frame[:8] + struct.pack("<I", len(frame) - 40) + frame[12:], 1, False)


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17]), st.integers(0, 3))
def test_invented_bytes_never_get_further_than_a_refusal(body, kind, count_):
    body = body[: len(body) // 8 * 8]
    has_table = kind in (3, 5)
    fingerprint = table().fingerprint() * has_table
    header = b"\x54\x57\x01" + struct.pack(
        "<BHHIIIIQQ",
        kind,
        int(has_table),
        0,
        len(body),
        count_,
        0,
        1,
        int(has_table),
        fingerprint,
    )
    frame = _core.restamp(header + body, 1, False)
    decoders = [_core.decode_header, _core.decode_blocks, _core.decode_lease, _core.decode_solve, _core.decode_solved]
    decoders += [
        getattr(_core, f"decode_{k}") for k in ("hello", "welcome", "ack", "resync", "heartbeat", "bye", "barrier")
    ]
    reader = table()
    decoders += [lambda f: _core.ingest(reader, f), lambda f: _core.SnapshotStage([reader]).add(f)]
    for decode in decoders:
        refused = refusal(lambda decode=decode: decode(frame))
        assert refused is None or refused.reason in _core.REASONS.values()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 65535), st.sampled_from(["f64", "f32", "i64", "u32"]), st.booleans(),
            st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=9),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_solver_arrays_come_back_the_same(drawn):
    blocks = []
    for id_, type_, dense, ints in drawn:
        values = np.array(ints, np.float64)
        if type_ == "f32":
            values = values.astype(np.float32).astype(np.float64)
        blocks.append((id_, type_, None if dense else np.array(ints, np.uint32), values))
    frame = _core.encode_solve(7, 250, 1, 2, [1, 2, 3, 4], blocks, 3)
    *fields, back = _core.decode_solve(frame)
    assert fields == [7, 250, 1, 2, [1, 2, 3, 4]]
    assert len(back) == len(blocks)
    for mine, theirs in zip(blocks, back, strict=True):
        assert mine[:2] == theirs[:2]
        np.testing.assert_array_equal(mine[3], theirs[3])
        assert (mine[2] is None) == (theirs[2] is None)
        if mine[2] is not None:
            np.testing.assert_array_equal(mine[2], theirs[2])


@given(written_tables(), st.integers(0, 2**32 - 1), st.booleans())
def test_a_retransmission_has_the_same_records(writer, incarnation, retransmit):
    for frame in _core.encode_delta(writer, 5, 1):
        again = _core.restamp(frame, incarnation, retransmit)
        header = _core.decode_header(again)
        assert (header.incarnation, header.flags >> 8 & 1) == (incarnation, retransmit)
        assert again[40:] == frame[40:]
        reader, second = table(), table()
        _core.ingest(reader, frame)
        _core.ingest(second, again)
        assert reader.equal(second)
