"""Frames into a table: every check of the protocol, crc32c and digest on, against numpy doing last-number-wins only.

Ours is one `ingest` a frame (header, checksum, structure, rows, times, ranges, last-number-wins), then one digest of
the table. The peer reads the same bytes with `np.frombuffer`, gathers the numbers of the rows named, and scatters
value, time and number where they are newer. It checks nothing: no checksum, no length, no row, no range, no digest.

The first two cases bring whole columns, the third a random tenth of the rows of each. A peer that trusts rows to be
consecutive, and uses slices, takes 1.3 times our time at 10 000 rows and 0.8 times at 100 000, for none of the checks.

    python benchmarks/ingest.py [--quick] [--json]
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from support import Case, main
from tiertwin import _core

HEADER, BLOCK = 40, 16
ATTRIBUTES = 8


def registry() -> _core.AttributeRegistry:
    out = _core.AttributeRegistry()
    for i in range(1, ATTRIBUTES + 1):
        out.add(i, f"load.{i}", "tasks/s", "rate", "f64", "sum", -1e6, 1e6, 2000)
    return out


REGISTRY = registry()


class Writer:
    """Makes one round of frames after the other: every attribute of `rows`, new values, one time a round."""

    def __init__(self, table_rows: int, rows: np.ndarray) -> None:
        self.table = _core.StateTable(REGISTRY, 1, list(range(1, ATTRIBUTES + 1)), table_rows)
        self.rows, self.number, self.time = rows, 1, 0
        self.random = np.random.default_rng(7)

    def round(self) -> tuple[int, list[bytes]]:
        """Return the cursor before this round, and its frames."""
        self.time += 1_000_000
        for attribute in range(1, ATTRIBUTES + 1):
            self.table.set(attribute, self.rows, self.random.normal(0.0, 100.0, self.rows.size), self.time)
        cursor = self.number - 1
        frames = _core.encode_delta(self.table, self.number, 1)
        self.number += self.rows.size * ATTRIBUTES
        return cursor, frames


class Numpy:
    """Last number wins, on arrays."""

    def __init__(self, rows: int) -> None:
        self.value = np.zeros((ATTRIBUTES, rows))
        self.time = np.zeros((ATTRIBUTES, rows), np.int64)
        self.number = np.zeros((ATTRIBUTES, rows), np.uint64)

    def ingest(self, frame: bytes | memoryview) -> None:
        (number,) = struct.unpack_from("<Q", frame, 24)
        at = HEADER
        while at < len(frame):
            attribute, _, _, n, base = struct.unpack_from("<HBBIq", frame, at)
            rows = np.frombuffer(frame, np.uint32, n, at + BLOCK)
            at += BLOCK + (4 * n + 7) // 8 * 8
            values = np.frombuffer(frame, np.float64, n, at)
            at += 8 * n
            self.apply(attribute - 1, rows, values, base, np.arange(number, number + n, dtype=np.uint64))
            number += n

    def apply(self, attribute: int, rows: np.ndarray, values: np.ndarray, time: int, numbers: np.ndarray) -> None:
        value, times, number = self.value[attribute], self.time[attribute], self.number[attribute]
        newer = numbers > number[rows]
        if newer.all():
            value[rows], times[rows], number[rows] = values, time, numbers
            return
        some = rows[newer]
        value[some], times[some], number[some] = values[newer], time, numbers[newer]


def case(name: str, table_rows: int, rows: np.ndarray) -> Case:
    writer = Writer(table_rows, rows)
    table = _core.StateTable(REGISTRY, 1, list(range(1, ATTRIBUTES + 1)), table_rows)
    arrays = Numpy(table_rows)

    def ours(given: tuple[int, list[bytes]]) -> int:
        cursor, frames = given
        for frame in frames:
            _core.ingest(table, frame, cursor)
        return table.digest()

    def peer(given: tuple[int, list[bytes]]) -> Numpy:
        for frame in given[1]:
            arrays.ingest(frame)
        return arrays

    def check(digest: int, other: Numpy) -> None:
        assert digest == writer.table.digest(), "digest differs from the writer's"
        for i in range(ATTRIBUTES):
            np.testing.assert_array_equal(table.column(i + 1)[rows], other.value[i][rows])
            np.testing.assert_array_equal(table.times(i + 1)[rows], other.time[i][rows])
            np.testing.assert_array_equal(table.numbers(i + 1)[rows], other.number[i][rows])

    amount = float(rows.size * ATTRIBUTES)
    return Case(name, ours, peer, "numpy, last-number-wins only", check, "records/s", amount, writer.round)


def cases(quick: bool) -> Iterable[Case]:
    """Yield the cases; a round takes 1 to 30 ms with its preparation, so `quick` leaves nothing out."""
    del quick
    for rows in (10_000, 100_000):
        yield case(f"ingest {rows} x {ATTRIBUTES}", rows, np.arange(rows, dtype=np.uint32))
    scattered = np.flatnonzero(np.random.default_rng(3).random(100_000) < 0.1).astype(np.uint32)
    yield case(f"ingest a tenth of 100000 x {ATTRIBUTES}, scattered", 100_000, scattered)


if __name__ == "__main__":
    main(__doc__, cases)
