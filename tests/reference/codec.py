"""Slow twin of `cpp/sync`'s codec, with `struct` and one check a line, in the order of the wire page.

`RefusedFrameError.reason` names the same reason as `_core.REASONS`, so that parity covers *why*, not only *whether*.
"""

from __future__ import annotations

import itertools
import math
import struct
from dataclasses import dataclass

from reference.state import EXACT, TYPES, WIDEST, Table

MAGIC = b"\x54\x57"
MAX_FRAME = 1_000_000
MAX_TIME = 9_000_000_000_000_000_000
MAX_OPAQUE = 16
BUDGET = 16
KINDS = {
    "hello": 1,
    "welcome": 2,
    "delta": 3,
    "ack": 4,
    "snapshot": 5,
    "resync": 6,
    "heartbeat": 7,
    "bye": 8,
    "barrier": 9,
    "solve": 16,
    "solved": 17,
}
TYPE_NAMES = {code: name for name, code in TYPES.items()}
FORMATS = {"f64": "d", "f32": "f", "i64": "q", "u32": "I"}
# Fixed bodies: layout with its zero bytes as "x"; `checks` see the fields.
LAYOUTS = {
    "hello": "<HHIQQQQQQ",
    "welcome": "<HBBIQQQQQQIIII",
    "ack": "<QQQII",
    "resync": "<QHHI",
    "heartbeat": "<IIQQQQIB3s",
    "bye": "<HHI200s",
    "barrier": "<Q",
}
SOLVE_LAYOUT, SOLVED_LAYOUT, LEASE_LAYOUT, SNAPSHOT_LAYOUT = "<QIHH4I", "<QHHI", "<QQIIII", "<IIQ"


class RefusedFrameError(Exception):
    """A frame that a check refused."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def need(condition: bool, reason: str) -> None:
    if not condition:
        raise RefusedFrameError(reason)


def crc32c(data: bytes, crc: int = 0) -> int:
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@dataclass(frozen=True)
class Header:
    kind: int
    table: int = 0
    flags: int = 0
    length: int = 0
    count: int = 0
    crc: int = 0
    incarnation: int = 0
    number: int = 0
    fingerprint: int = 0


def seal(
    kind: int,
    body: bytes,
    incarnation: int,
    *,
    table: int = 0,
    flags: int = 0,
    count: int = 0,
    number: int = 0,
    fingerprint: int = 0,
) -> bytes:
    assert len(body) % 8 == 0
    front = MAGIC + struct.pack("<BBHHII", 1, kind, table, flags, len(body), count)
    back = struct.pack("<IQQ", incarnation, number, fingerprint)
    crc = crc32c(front + b"\0\0\0\0" + back + body)
    return front + struct.pack("<I", crc) + back + body


def decode_header(frame: bytes) -> Header:
    need(len(frame) >= 40, "too_short")
    need(len(frame) <= MAX_FRAME, "too_long")
    need(len(frame) % 8 == 0, "misaligned")
    need(frame[:2] == MAGIC, "magic")
    need(frame[2] == 1, "version")
    need(frame[3] in KINDS.values(), "kind")
    h = Header(frame[3], *struct.unpack_from("<HHIIIIQQ", frame, 4))
    has_table = h.kind in (3, 5)
    need(has_table == (h.table != 0), "table")
    need(h.flags & 0xFF & ~(1 if has_table else 0) == 0, "flags")
    need(h.length == len(frame) - 40, "length")
    if h.kind in (3, 5, 16, 17):
        need(h.kind != 3 or h.count > 0, "count")
    else:
        need(h.count == 0, "count")
    need(h.number + h.count < 1 << 64, "count")
    need(h.crc == crc32c(frame[:16] + b"\0\0\0\0" + frame[20:]), "checksum")
    if h.kind == 3:
        need(h.number >= 1, "number")
    elif h.kind == 5:
        need(h.number >= 1 or h.count == 0, "number")
    else:
        need(h.number == 0, "number")
    need(has_table == (h.fingerprint != 0), "fingerprint")
    return h


def check_term(epoch: int) -> None:
    need(epoch >> 32 <= 1 << 31, "term")


def check_stream(first: int, last: int) -> None:
    need(first >= 1 and last >= first - 1, "body_value")


def decode_body(kind: str, body: bytes) -> tuple:
    """Fields of a fixed body in wire order, without its zero bytes."""
    need(len(body) == struct.calcsize(LAYOUTS[kind]), "body_length")
    f = struct.unpack(LAYOUTS[kind], body)
    if kind == "hello":
        need(f[0] <= f[1], "body_value")
        need(f[2] <= 1, "padding")
        check_stream(f[4], f[5])
        check_term(f[8])
    elif kind == "welcome":
        need(f[1] in (1, 2), "body_value")
        need(f[2] in (1, 2), "body_value")
        need(f[3] <= 1, "padding")
        check_stream(f[5], f[6])
        check_term(f[9])
        need(f[12] > 0, "body_value")
        need(f[13] == 0, "padding")
        f = f[:13]
    elif kind == "resync":
        need(f[1] in (1, 2, 3, 4), "body_value")
        need(f[2] == 0, "padding")
        f = (f[0], f[1], f[3])
    elif kind == "heartbeat":
        check_term(f[5])
        need(f[7] in (1, 2, 3), "body_value")
        need(f[8] == b"\0\0\0", "padding")
        f = f[:8]
    elif kind == "bye":
        need(1 <= f[0] <= 6, "body_value")
        need(f[1] <= 200, "body_value")
        need(f[2] == 0, "padding")
        try:
            text = f[3][: f[1]].decode("utf-8")
        except UnicodeDecodeError:
            raise RefusedFrameError("text") from None
        need(not any(f[3][f[1] :]), "padding")
        f = (f[0], text)
    elif kind == "barrier":
        check_term(f[0])
    return f


def encode_body(kind: str, fields: tuple, incarnation: int) -> bytes:
    if kind == "welcome":
        fields = (*fields, 0)
    elif kind == "resync":
        fields = (fields[0], fields[1], 0, fields[2])
    elif kind == "heartbeat":
        fields = (*fields, b"")
    elif kind == "bye":
        raw = fields[1].encode()
        fields = (fields[0], len(raw), 0, raw)
    return seal(KINDS[kind], struct.pack(LAYOUTS[kind], *fields), incarnation)


class Reader:
    """Takes padded columns from the front of a buffer."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        full = (size + 7) // 8 * 8
        need(self.at + full <= len(self.data), "block_short")
        out = self.data[self.at : self.at + size]
        need(not any(self.data[self.at + size : self.at + full]), "padding")
        self.at += full
        return out


def take_values(reader: Reader, kind: str, n: int) -> list:
    if kind != "bytes":
        return list(struct.unpack(f"<{n}{FORMATS[kind]}", reader.take(n * (8 if kind in ("f64", "i64") else 4))))
    size = 4 * (n + 1)
    need(reader.at + size <= len(reader.data), "block_short")
    offsets = struct.unpack_from(f"<{n + 1}I", reader.data, reader.at)
    need(offsets[0] == 0, "offsets")
    for a, b in itertools.pairwise(offsets):
        need(b >= a, "offsets")
        need(b - a <= 1024, "value_length")
    data = reader.take(size + offsets[-1])[size:]
    return [data[a:b] for a, b in itertools.pairwise(offsets)]


@dataclass
class Block:
    attribute: int
    type: str
    flags: int
    base_time: int
    rows: list[int] | None
    times: list[int]
    values: list


def take_block(reader: Reader, solver: bool = False) -> Block:
    need(len(reader.data) - reader.at >= 16, "block_short")
    attribute, code, flags, n, base = struct.unpack_from("<HBBIq", reader.data, reader.at)
    need(code in TYPE_NAMES and not (solver and code == 5), "block_type")
    need(flags in ((1, 3) if solver else (0, 1)), "block_flags")
    need(n >= 1, "block_empty")
    need(base == 0 if solver else base % 1000 == 0 and abs(base) <= MAX_TIME, "block_time")
    reader.at += 16
    rows = None if flags & 2 else list(struct.unpack(f"<{n}I", reader.take(4 * n)))
    dt = [0] * n if flags & 1 else list(struct.unpack(f"<{n}I", reader.take(4 * n)))
    need(base + max(dt) * 1000 <= MAX_TIME, "block_time")
    values = take_values(reader, TYPE_NAMES[code], n)
    return Block(attribute, TYPE_NAMES[code], flags, base, rows, [base + d * 1000 for d in dt], values)


def check_values(block: Block, low: float, high: float) -> None:
    if block.type == "bytes":
        return
    if block.type == "i64":
        need(all(abs(v) <= EXACT for v in block.values), "inexact")
    if all(low <= v <= high for v in block.values):
        return
    need(all(math.isfinite(v) for v in block.values), "not_finite")
    raise RefusedFrameError("range")


def prefixes(h: Header, body: bytes) -> tuple[tuple | None, tuple | None, bytes]:
    """Snapshot prefix, lease and the blocks behind them."""
    snapshot = lease = None
    if h.kind == KINDS["snapshot"]:
        need(len(body) >= 16, "body_length")
        snapshot = struct.unpack_from(SNAPSHOT_LAYOUT, body)
        need(snapshot[0] < snapshot[1], "chunk")
        body = body[16:]
    if h.table == BUDGET:
        need(len(body) >= 32, "body_length")
        lease = struct.unpack_from(LEASE_LAYOUT, body)
        check_term(lease[0])
        need(lease[5] <= 8, "lease")
        body = body[32:]
    return snapshot, lease, body


def decode_records(table: Table, fingerprint: int, frame: bytes) -> list[tuple[int, str, int, int, float | bytes, int]]:
    """Checked records of a DELTA or SNAPSHOT as (attribute, type, row, time, value, number)."""
    h = decode_header(frame)
    need(h.kind in (3, 5), "kind")
    need(h.table == table.table, "table")
    need(h.fingerprint == fingerprint, "fingerprint")
    _, _, blocks = prefixes(h, frame[40:])
    reader = Reader(blocks)
    unknown: dict[int, str] = {}
    records = []
    while reader.at < len(blocks):
        block = take_block(reader)
        spec = table.spec(block.attribute)
        known = spec.type if spec else table.opaque.get(block.attribute, unknown.get(block.attribute))
        if known is None:
            need(len(unknown) + len(table.opaque) < MAX_OPAQUE, "too_many_unknown")
            unknown[block.attribute] = known = block.type
        need(known == block.type, "block_type")
        assert block.rows is not None
        need(max(block.rows) < table.rows, "row")
        check_values(block, *(spec.range() if spec else WIDEST[block.type]))
        for row, time, value in zip(block.rows, block.times, block.values, strict=True):
            number = h.number + (len(records) if h.kind == KINDS["delta"] else 0)
            stored = value if block.type == "bytes" else float(value)
            records.append((block.attribute, block.type, row, time, stored, number))
    need(len(records) == h.count, "block_count")
    return records


def pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)


def encode_values(kind: str, values: list) -> bytes:
    if kind == "bytes":
        offsets = [0]
        for value in values:
            offsets.append(offsets[-1] + len(value))
        return struct.pack(f"<{len(offsets)}I", *offsets) + b"".join(values)
    cast = int if kind in ("i64", "u32") else float
    return struct.pack(f"<{len(values)}{FORMATS[kind]}", *(cast(v) for v in values))


def encode_block(attribute: int, kind: str, rows: list[int], times: list[int], values: list) -> bytes:
    """One block; one time if all are equal, else dt against the earliest."""
    base = min(times)
    one = max(times) == base
    out = struct.pack("<HBBIq", attribute, TYPES[kind], int(one), len(rows), base)
    out += pad(struct.pack(f"<{len(rows)}I", *rows))
    if not one:
        out += pad(struct.pack(f"<{len(rows)}I", *((t - base) // 1000 for t in times)))
    return out + pad(encode_values(kind, values))


def within_reach(table: Table, attribute: int, rows: list[int]) -> list[int]:
    """The longest start of `rows` whose times lie within the u32 µs of a dt column."""
    for n in range(len(rows), 1, -1):
        times = [table.cells[attribute, r].time for r in rows[:n]]
        if max(times) - min(times) <= (2**32 - 1) * 1000:
            return rows[:n]
    return rows[:1]


def encode_delta(table: Table, fingerprint: int, number: int, incarnation: int, lease: tuple | None = None) -> bytes:
    """What is dirty in one frame (the reference does not cut), numbered from `number`."""
    order = table.settle(number)
    body = struct.pack(LEASE_LAYOUT, *lease) if lease else b""
    for attribute in sorted({a for a, _ in order}):
        rows = [r for a, r in order if a == attribute]
        spec = table.spec(attribute)
        assert spec is not None
        while rows:
            run = within_reach(table, attribute, rows)
            cells = [table.cells[attribute, r] for r in run]
            body += encode_block(attribute, spec.type, run, [c.time for c in cells], [c.value for c in cells])
            rows = rows[len(run) :]
    return seal(3, body, incarnation, table=table.table, count=len(order), number=number, fingerprint=fingerprint)
