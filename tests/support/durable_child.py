"""A process with a log that is killed from outside: it writes records, and says on standard output what is durable.

    python durable_child.py FOLDER [RECORDS]

Record n of the device puts n into row n mod ROWS, so whoever comes back knows from its cursor what the table must be.
Lines: ``start CURSOR`` after recovery (the table was checked), ``ack N`` when N is durable, ``news TEXT``,
``full TEXT``, and ``lost TEXT`` before an end that a fault of the disk demands.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import numpy as np

from tiertwin import _core
from tiertwin.runtime.disk import DiskFullError, DiskLostError
from tiertwin.runtime.diskthread import DiskThread
from tiertwin.runtime.durablelog import DurableLog
from tiertwin.runtime.filedisk import Calls, FileDisk

ROWS = 16
DEVICE = 1
STREAM = 0xD0
SEGMENT_BYTES = 64 << 10
LOST = 75  # exit code


def table() -> _core.StateTable:
    """Return the table of the device's telemetry."""
    registry = _core.AttributeRegistry()
    registry.add(1, "load", "1", "gauge", "f64", "sum", -1e9, 1e9, 2000)
    return _core.StateTable(registry, 1, [1], ROWS)


def check(found: _core.StateTable, cursor: int) -> None:
    """Assert that the table is what the records up to the cursor make of it."""
    column = found.column(1)
    for number in range(max(1, cursor - ROWS + 1), cursor + 1):
        row = number % ROWS
        assert column[row] == number, f"row {row}: expected {number}, found {column[row]}"


class Device:
    """Numbers records and encodes them, a frame each."""

    def __init__(self, cursor: int) -> None:
        self.table = table()
        self.number = cursor

    def frame(self) -> bytes:
        """Return the next record."""
        self.number += 1
        row = np.array([self.number % ROWS], dtype=np.uint32)
        self.table.set(1, row, np.array([float(self.number)]), 1000 * self.number)
        (frame,) = _core.encode_delta(self.table, self.number, 1)
        return frame


class Child:
    """The log, the table and the device of one life."""

    def __init__(self, folder: Path, calls: Calls | None = None) -> None:
        self.disk = FileDisk(folder, calls)
        self.log = DurableLog(self.disk, "edge-a", segment_bytes=SEGMENT_BYTES, floor_bytes=0)
        self.table = table()
        cursor = self.log.found.load(DEVICE, [self.table]) if self.log.resumed else 0
        check(self.table, cursor)
        if self.log.peer_stream(DEVICE) == 0:
            self.log.append(DEVICE, _core.encode_hello(1, 1, 1, STREAM, 1, 0, 0, 0, 0, incarnation=1))
        self.cursor = cursor
        self.device = Device(cursor)

    def step(self, records: int) -> None:
        """Take some records of the device in; every 500 of them, keep a snapshot."""
        for _ in range(records):
            frame = self.device.frame()
            _core.ingest(self.table, frame, self.cursor)
            self.cursor = self.device.number
            self.log.append(DEVICE, frame)
            if self.cursor % 500 == 0:
                frames = _core.encode_snapshot([self.table], self.cursor, 1)
                self.log.snapshot([(DEVICE, f) for f in frames])


def say(text: str) -> None:
    """One line, at once."""
    os.write(1, f"{text}\n".encode())


def run(folder: Path, records: int) -> int:
    """Write records until `records` are durable; for ever with 0."""
    child = Child(folder)
    for line in child.log.found.news:
        say(f"news {line}")
    say(f"start {child.cursor}")
    with DiskThread() as thread:
        while not records or child.log.durable_cursor(DEVICE) < records:
            child.step(7)
            if (work := child.log.work()) is not None:
                thread.submit(child.log, child.disk, work)
                select.select([thread.fd], [], [])
            for log, done, fault in thread.collect():
                if isinstance(fault, DiskLostError):
                    say(f"lost {fault}")
                    os._exit(LOST)
                if isinstance(fault, DiskFullError):
                    say(f"full {fault}")
                    thread.submit(log, child.disk, done)
                    continue
                log.done(done)
                say(f"ack {log.durable_cursor(DEVICE)}")
    child.disk.close()
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
