"""Slow, plain twin of `cpp/state`: attributes as dicts, a table as a dict of cells, digests by the formula (R14)."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

MASK = (1 << 64) - 1
NEVER = -(1 << 63)
EXACT = 1 << 53
F32_MAX = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
F64_MAX = struct.unpack("<d", b"\xff\xff\xff\xff\xff\xff\xef\x7f")[0]
TYPES = {"f64": 1, "f32": 2, "i64": 3, "u32": 4, "bytes": 5}
WIDEST = {
    "f64": (-F64_MAX, F64_MAX),
    "f32": (-F32_MAX, F32_MAX),
    "i64": (-float(EXACT), float(EXACT)),
    "u32": (0.0, float((1 << 32) - 1)),
    "bytes": (-F64_MAX, F64_MAX),
}


def to_f32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def mix64(x: int) -> int:
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & MASK
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & MASK
    return x ^ x >> 33


def value_bits(value: float | bytes) -> int:
    if isinstance(value, bytes):
        h = 0
        for at in range(0, len(value), 8):
            h = mix64(h ^ int.from_bytes(value[at : at + 8], "little"))
        return mix64(h ^ len(value))
    if math.isnan(value):
        return 0x7FF8000000000000
    return struct.unpack("<Q", struct.pack("<d", value + 0.0))[0]


def cell_hash(table: int, attribute: int, row: int, time: int, value: float | bytes) -> int:
    key = mix64((table * 65536 + attribute + 0x746965727477696E) & MASK)
    x = (key + row * 0x9E3779B97F4A7C15) & MASK ^ value_bits(value)
    x = (x ^ x >> 33) * 0xFF51AFD7ED558CCD & MASK ^ time & MASK
    x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53 & MASK
    return x ^ x >> 33


@dataclass(frozen=True)
class Spec:
    """One attribute as it was added; `low` and `high` are cut to the type as the registry does."""

    id: int
    name: str
    unit: str = "u"
    kind: str = "gauge"
    type: str = "f64"
    merge: str = "sum"
    low: float = -math.inf
    high: float = math.inf
    max_age_ms: int = 0
    deadband: float = 0.0
    resolution: float = 0.0
    privacy: int = 0
    extension: bool = False

    def range(self) -> tuple[float, float]:
        lowest, highest = WIDEST[self.type]
        low, high = max(self.low, lowest), min(self.high, highest)
        return (to_f32(low), to_f32(high)) if self.type == "f32" else (low, high)


def fingerprint(specs: list[Spec], table: int = 0, rows: int = 0) -> int:
    """FNV-1a over table id, its rows and the canonical bytes of the sorted definitions, finished by mix64."""

    def text(value: str) -> bytes:
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw

    out = struct.pack("<QQ", table, rows) if table else struct.pack("<Q", 0)
    for s in sorted(specs, key=lambda s: s.id):
        if s.extension:
            continue
        low, high = s.range()
        out += struct.pack("<QQ", s.id, TYPES[s.type]) + text(s.name) + text(s.unit) + text(s.kind) + text(s.merge)
        out += struct.pack("<QQ", value_bits(low), value_bits(high)) + struct.pack("<q", s.max_age_ms)
        out += struct.pack("<QQ", value_bits(s.deadband), value_bits(s.resolution)) + struct.pack("<q", s.privacy)
    h = 0xCBF29CE484222325
    for byte in out:
        h = (h ^ byte) * 0x100000001B3 & MASK
    return mix64(h) or 1


@dataclass
class Cell:
    value: float | bytes
    time: int
    number: int = 0


@dataclass
class Table:
    """Cells by (attribute, row); `sent` is what the digest sees: the last numbered record of each cell."""

    specs: list[Spec]
    table: int
    rows: int
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    sent: dict[tuple[int, int], Cell] = field(default_factory=dict)
    dirty: set[tuple[int, int]] = field(default_factory=set)
    opaque: dict[int, str] = field(default_factory=dict)

    def spec(self, attribute: int) -> Spec | None:
        return next((s for s in self.specs if s.id == attribute), None)

    def set(self, attribute: int, rows: list[int], values: list[float], time: int) -> None:
        spec = self.spec(attribute)
        assert spec is not None
        for row, value in zip(rows, values, strict=True):
            stored = to_f32(value) if spec.type == "f32" else float(value)
            self.write(attribute, row, stored, time)

    def write(self, attribute: int, row: int, value: float | bytes, time: int) -> None:
        rounded = (abs(time) + 500) // 1000 * 1000 * (1 if time >= 0 else -1)
        before = self.cells.get((attribute, row))
        self.cells[attribute, row] = Cell(value, rounded, before.number if before else 0)
        self.dirty.add((attribute, row))

    def settle(self, first: int) -> list[tuple[int, int]]:
        """Number what is dirty in ascending (attribute, row); returns those cells in that order."""
        order = sorted(self.dirty)
        for number, key in enumerate(order, first):
            self.cells[key].number = number
            self.sent[key] = Cell(self.cells[key].value, self.cells[key].time, number)
        self.dirty.clear()
        return order

    def apply(self, records: list[tuple[int, str, int, int, float | bytes, int]], cursor: int = 0) -> int:
        """Last number wins; records are (attribute, type, row, time, value, number). Returns the cells that changed."""
        changed = 0
        for attribute, kind, row, time, value, number in records:
            if number <= cursor:
                continue
            if self.spec(attribute) is None:
                self.opaque[attribute] = kind
            before = self.cells.get((attribute, row))
            if before is not None and number <= before.number:
                continue
            self.cells[attribute, row] = Cell(value, time, number)
            self.sent[attribute, row] = self.cells[attribute, row]
            changed += 1
        return changed

    def digest(self) -> int:
        total = sum(cell_hash(self.table, a, r, c.time, c.value) for (a, r), c in self.sent.items())
        return total & MASK
