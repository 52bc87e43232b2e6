"""Frames against the slow reference: the same bytes out, the same records in, and the same reason for a refusal."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference import codec
from reference import state as ref
from tiertwin import _core

SPECS = [
    ref.Spec(1, "load.sum", low=-1e6, high=1e6),
    ref.Spec(2, "cpu", type="f32", low=-100.0, high=100.0),
    ref.Spec(5, "count", type="i64", low=-1e15, high=1e15),
    ref.Spec(9, "state", type="u32", high=1e9),
    ref.Spec(12, "name", type="bytes"),
]
ROWS = 20
REASONS = {code: name for name, code in _core.REASONS.items()}


def registry() -> _core.AttributeRegistry:
    out = _core.AttributeRegistry()
    for s in SPECS:
        out.add(s.id, s.name, s.unit, s.kind, s.type, s.merge, s.low, s.high, s.max_age_ms)
    return out


REGISTRY = registry()


def fast_table(table: int = 1) -> _core.StateTable:
    return _core.StateTable(REGISTRY, table, [s.id for s in SPECS], ROWS)


def slow_table(table: int = 1) -> ref.Table:
    return ref.Table(SPECS, table, ROWS)


VALUES = {
    "f64": st.floats(-1e6, 1e6),
    "f32": st.floats(-100, 100, width=32),
    "i64": st.integers(-(10**15), 10**15),
    "u32": st.integers(0, 10**9),
    "bytes": st.binary(max_size=12),
}
CELLS = st.sampled_from(SPECS).flatmap(
    lambda spec: st.tuples(
        st.just(spec), st.integers(0, ROWS - 1), VALUES[spec.type], st.sampled_from([0, 1_000, 70_000, -(10**15)])
    )
)


def write(table: _core.StateTable, slow: ref.Table, cells: list) -> None:
    for spec, row, value, time in cells:
        if spec.type == "bytes":
            table.set_bytes(spec.id, row, value, time)
            slow.write(spec.id, row, value, time)
        else:
            table.set(spec.id, np.array([row], np.uint32), np.array([value], np.float64), time)
            slow.write(spec.id, row, float(value), time)


def delta_of(cells: list, number: int = 1, table: int = 1, lease: tuple | None = None) -> bytes:
    slow = slow_table(table)
    for spec, row, value, time in cells:
        slow.write(spec.id, row, value if spec.type == "bytes" else float(value), time)
    return codec.encode_delta(slow, ref.fingerprint(SPECS, table, ROWS), number, 3, lease)


def reseal(frame: bytes) -> bytes:
    """Give a tampered frame the crc it needs to get as far as the later checks."""
    blank = frame[:16] + b"\0\0\0\0" + frame[20:]
    return frame[:16] + struct.pack("<I", codec.crc32c(blank)) + frame[20:]


def verdict(call) -> str:
    try:
        call()
    except codec.RefusedFrameError as refused:
        return refused.reason
    except _core.CoreRefusedError as refused:
        return REASONS[refused.reason]
    return "ok"


def assert_same_cells(table: _core.StateTable, slow: ref.Table) -> None:
    assert table.digest() == slow.digest()
    assert table.opaque() == sorted(slow.opaque)
    kinds = {s.id: s.type for s in SPECS} | slow.opaque
    for attribute in (a for a, kind in kinds.items() if kind != "bytes"):
        numbers = [slow.cells[attribute, r].number if (attribute, r) in slow.cells else 0 for r in range(ROWS)]
        np.testing.assert_array_equal(table.numbers(attribute), np.array(numbers, np.uint64))


@given(st.lists(CELLS, min_size=1, max_size=30), st.integers(1, 1 << 62))
def test_the_same_frame(cells, number):
    table, slow = fast_table(), slow_table()
    write(table, slow, cells)
    frames = _core.encode_delta(table, number, 3)
    whole = codec.encode_delta(slow, table.fingerprint(), number, 3)
    assert frames == [whole]
    receiver, slow_receiver = fast_table(), slow_table()
    for frame in frames:
        records = codec.decode_records(slow_receiver, table.fingerprint(), frame)
        assert _core.ingest(receiver, frame) == slow_receiver.apply(records)
    assert receiver.equal(table)
    assert_same_cells(receiver, slow_receiver)


@given(st.lists(st.tuples(st.lists(CELLS, min_size=1, max_size=8), st.integers(1, 30)), max_size=5), st.integers(0, 40))
def test_last_number_wins(parts, cursor):
    """Frames in any order, overlapping numbers, records at or below the cursor skipped."""
    table, slow = fast_table(), slow_table()
    for cells, number in parts:
        frame = delta_of(cells, number)
        records = codec.decode_records(slow, table.fingerprint(), frame)
        assert _core.ingest(table, frame, cursor) == slow.apply(records, cursor)
    assert_same_cells(table, slow)


BASE = delta_of(
    [
        (SPECS[0], 0, 1.5, 0),
        (SPECS[0], 3, 2.5, 1_000),
        (SPECS[1], 1, 0.5, 0),
        (SPECS[2], 2, -7, 0),
        (SPECS[3], 4, 9, 0),
        (SPECS[4], 1, b"abc", 0),
        (SPECS[4], 2, b"defgh", 0),
    ]
)


@settings(max_examples=400)
@given(st.integers(0, len(BASE) - 1), st.integers(0, 255), st.booleans())
@example(42, 200, True)
@example(43, 2, True)
def test_a_changed_byte_has_the_same_reason(at, value, good_crc):
    frame = bytearray(BASE)
    frame[at] = value
    tampered = reseal(bytes(frame)) if good_crc and not 16 <= at < 20 else bytes(frame)
    table, slow = fast_table(), slow_table()
    before = table.fork()
    fast = verdict(lambda: _core.ingest(table, tampered))
    assert fast == verdict(lambda: slow.apply(codec.decode_records(slow, before.fingerprint(), tampered)))
    if fast == "ok":
        assert_same_cells(table, slow)
    else:
        assert table.equal(before)


@given(st.integers(0, len(BASE)), st.binary(max_size=24), st.booleans())
def test_truncated_or_longer_frames(size, more, fix_length):
    frame = bytearray(BASE[:size] + more)
    if fix_length and len(frame) >= 40:
        struct.pack_into("<I", frame, 8, len(frame) - 40)
    tampered = reseal(bytes(frame)) if len(frame) >= 40 else bytes(frame)
    table, slow = fast_table(), slow_table()
    fast = verdict(lambda: _core.ingest(table, tampered))
    assert fast == verdict(lambda: codec.decode_records(slow, table.fingerprint(), tampered))


@settings(max_examples=300)
@given(st.sampled_from(sorted(codec.LAYOUTS)), st.data())
def test_fixed_bodies(kind, data):
    """Random bodies: both accept or refuse, for the same reason; what is accepted comes back the same."""
    size = struct.calcsize(codec.LAYOUTS[kind])
    word = st.one_of(st.integers(0, 7), st.integers(0, 2**64 - 1))
    words = data.draw(st.lists(word, min_size=size // 8, max_size=size // 8))
    frame = codec.seal(codec.KINDS[kind], struct.pack(f"<{len(words)}Q", *words), 5)
    decode, encode = getattr(_core, f"decode_{kind}"), getattr(_core, f"encode_{kind}")
    fast = verdict(lambda: decode(frame))
    assert fast == verdict(lambda: codec.decode_body(kind, frame[40:]))
    if fast == "ok":
        assert decode(frame) == codec.decode_body(kind, frame[40:])
        assert encode(*decode(frame), incarnation=5) == frame


@given(
    st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 1 << 31), st.integers(0, 1 << 31),
    st.text(max_size=40),
)  # fmt: skip
def test_fixed_bodies_encode_the_same(a, b, term, small, text):
    epoch = term << 32 | small
    fields = {
        "hello": (1, 3, small % 2, a, 1, b, b, a, epoch),
        "welcome": (1, 1 + small % 2, 1, 1, a, 1 + a // 2, a, b, a, epoch, small, 7, 1 + small),
        "ack": (a, b, a, small, 9),
        "resync": (a, 1 + small % 4, small),
        "heartbeat": (small, 7, a, b, a, epoch, small, 1 + small % 3),
        "bye": (1 + small % 6, text),
        "barrier": (epoch,),
    }
    for kind, values in fields.items():
        frame = getattr(_core, f"encode_{kind}")(*values, incarnation=small)
        assert frame == codec.encode_body(kind, values, small)
        assert getattr(_core, f"decode_{kind}")(frame) == values


@given(st.integers(0, 2**64 - 1), st.integers(0, 20), st.sampled_from([1, 5, 99]))
def test_lease_prefix(epoch, flags, basis):
    frame = delta_of([(SPECS[0], 0, 1.0, 0)], 4, codec.BUDGET, (epoch, basis, 3, 4, 5, flags))
    table, slow = fast_table(codec.BUDGET), slow_table(codec.BUDGET)
    fast = verdict(lambda: _core.ingest(table, frame))
    assert fast == verdict(lambda: codec.decode_records(slow, table.fingerprint(), frame))
    if fast == "ok":
        assert _core.decode_lease(frame) == (epoch, basis, 3, 4, 5, flags)


@given(st.binary(max_size=5000), st.integers(0, 2**32 - 1))
def test_crc32c(data, start):
    assert _core.crc32c(data) == codec.crc32c(data)
    assert _core.crc32c(data, start) == codec.crc32c(data, start)


@pytest.mark.parametrize("size", [0, 1, 3071, 3072, 3073, 6144, 9223])
def test_crc32c_at_the_seams_of_its_lanes(size):
    data = bytes(range(256)) * 40
    assert _core.crc32c(data[:size]) == codec.crc32c(data[:size])
    assert _core.crc32c(b"123456789") == 0xE3069283  # RFC 3720, B.4
