"""The log with real `fdatasync`: how much becomes durable a second, when it may be acknowledged, how fast it is back.

- **batches** puts frames of 1 000 updates (8 attributes of 125 rows) in, groups as they come: updates a second that are
  durable. The peer is the disk alone: the same bytes by one `pwrite` and one `fdatasync` a MiB, no format, no checks.
- **single** is the same with frames of one update.
- **acknowledgement** puts one update in every 200 µs (5 000 a second) while a thread syncs: time from the append to
  the moment its acknowledgement may leave, median and 99th percentile. **sync alone** is a bare write and sync of 4 KiB
  on the same machine at the same time: no acknowledgement can be faster.
- **recovery** opens a log of 1 000 000 records of one update and brings the table up to it: what a killed process does
  before it serves. The file is in the page cache.

    python benchmarks/durable.py [--quick] [--json] [--folder DIR]

`--folder` says on which disk (default: where temporary files are). A figure of a virtual disk is one of its cache.
"""

from __future__ import annotations

import argparse
import os
import select
import shutil
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from support import Case, main
from tiertwin import _core
from tiertwin.runtime.diskthread import DiskThread
from tiertwin.runtime.durablelog import DurableLog
from tiertwin.runtime.filedisk import FileDisk

ATTRIBUTES, PART, ROWS = 8, 125, 10_000
DEVICE, STREAM = 1, 0xD0
EVERY_NS = 200_000  # between updates, for the latency


def table() -> _core.StateTable:
    """Return a table of telemetry."""
    registry = _core.AttributeRegistry()
    for attribute in range(1, ATTRIBUTES + 1):
        registry.add(attribute, f"a{attribute}", "1", "gauge", "f64", "sum", -1e9, 1e9, 2000)
    return _core.StateTable(registry, 1, list(range(1, ATTRIBUTES + 1)), ROWS)


def frames_of(count: int, rows: int, attributes: int) -> list[bytes]:
    """Return so many frames, of `rows` rows of some attributes each, numbered one after the other."""
    source, frames, number = table(), [], 1
    for k in range(count):
        first = (k * rows) % (ROWS - rows)
        which = np.arange(first, first + rows, dtype=np.uint32)
        for attribute in range(1, attributes + 1):
            source.set(attribute, which, np.full(rows, float(k)), 1000 * k)
        (frame,) = _core.encode_delta(source, number, 1)
        frames.append(frame)
        number += rows * attributes
    return frames


def opened(folder: Path) -> tuple[FileDisk, DurableLog]:
    """Return a new log, with the stream of its device named."""
    disk = FileDisk(folder)
    log = DurableLog(disk, "edge-a")
    if log.peer_stream(DEVICE) == 0:
        log.append(DEVICE, _core.encode_hello(1, 1, 1, STREAM, 1, 0, 0, 0, 0, incarnation=1))
    return disk, log


class Place:
    """Folders for runs, each used once."""

    def __init__(self, folder: Path) -> None:
        self.root, self.next = folder, 0

    def fresh(self) -> Path:
        """Return a new one; those before are removed."""
        shutil.rmtree(self.root / str(self.next), ignore_errors=True)
        self.next += 1
        return self.root / str(self.next)


def write(folder: Path, frames: list[bytes]) -> int:
    """Make all frames durable; return the cursor."""
    disk, log = opened(folder)
    with DiskThread() as thread:
        rest = iter(frames)
        left = True
        while left or log.durable < log.appended:
            while left and not log.full:
                frame = next(rest, None)
                left = frame is not None
                if frame is not None:
                    log.append(DEVICE, frame)
            if (work := log.work()) is not None:
                thread.submit(log, disk, work)
            select.select([thread.fd], [], [])
            for _, done, fault in thread.collect():
                assert fault is None, fault
                log.done(done)
    disk.close()
    return log.durable_cursor(DEVICE)


def disk_alone(folder: Path, frames: list[bytes]) -> int:
    """The same bytes without a log."""
    folder.mkdir(parents=True, exist_ok=True)
    size, links = sum(map(len, frames)), 16 * len(frames)
    content = memoryview(bytes(1 << 20))
    descriptor = os.open(folder / "plain", os.O_RDWR | os.O_CREAT, 0o600)
    done = 0
    while done < size + links:
        if done % (16 << 20) == 0:
            os.posix_fallocate(descriptor, done, 16 << 20)
        done += os.pwrite(descriptor, content[: size + links - done], done)
        os.fdatasync(descriptor)
    os.close(descriptor)
    return -1


def acknowledgements(folder: Path, count: int) -> list[float]:
    """Return the seconds from append to acknowledgement of so many updates, one every EVERY_NS."""
    frames = frames_of(count, 1, 1)
    disk, log = opened(folder)
    put: list[int] = []
    took: list[float] = []
    base = log.cursor(DEVICE)
    with DiskThread() as thread:
        start = time.perf_counter_ns()
        while len(took) < count:
            now = time.perf_counter_ns()
            while len(put) < count and start + len(put) * EVERY_NS <= now:
                put.append(start + len(put) * EVERY_NS)  # when it came, not when we got round to it
                log.append(DEVICE, frames[len(put) - 1])
            if (work := log.work()) is not None:
                thread.submit(log, disk, work)
            due = start + len(put) * EVERY_NS - time.perf_counter_ns()
            select.select([thread.fd], [], [], None if len(put) == count else max(0, due) / 1e9)
            for _, done, fault in thread.collect():
                assert fault is None, fault
                log.done(done)
            now = time.perf_counter_ns()
            for number in range(len(took), log.durable_cursor(DEVICE) - base):
                took.append((now - put[number]) / 1e9)
    disk.close()
    return sorted(took)


def syncs(folder: Path, count: int) -> list[float]:
    """Return the seconds of so many bare writes of 4 KiB with their sync: what the disk and a busy machine take."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "plain", os.O_RDWR | os.O_CREAT, 0o600)
    os.posix_fallocate(descriptor, 0, 16 << 20)
    took = []
    for k in range(count):
        time.sleep(0.002)
        start = time.perf_counter()
        os.pwrite(descriptor, bytes(4096), 4096 * k % (16 << 20))
        os.fdatasync(descriptor)
        took.append(time.perf_counter() - start)
    os.close(descriptor)
    return sorted(took)


def recover(folder: Path, records: int) -> int:
    """Open the log and load the table; return the cursor."""
    disk, log = opened(folder)
    found = table()
    cursor = log.found.load(DEVICE, [found])
    disk.close()
    assert cursor == records, f"expected {records} records, recovered {cursor}"
    return cursor


def equal(expected: int, ours: int, _: object) -> None:
    """Assert what became durable."""
    assert ours == expected, f"expected {expected} durable records, got {ours}"


def complete(expected: int, ours: list[float], _: object) -> None:
    """Assert that all were acknowledged."""
    equal(expected, len(ours), None)


def quantile(share: float, ours: list[float]) -> float:
    """Return that of sorted times."""
    return ours[int(share * (len(ours) - 1))]


def cases(quick: bool, folder: Path | None = None) -> Iterable[Case]:
    """Yield the cases."""
    with tempfile.TemporaryDirectory(dir=folder) as root:
        place = Place(Path(root))
        for name, rows, attributes, count in (
            ("batches", PART, ATTRIBUTES, 500 if quick else 4000),
            ("single", 1, 1, 20_000 if quick else 100_000),
        ):
            frames, updates = frames_of(count, rows, attributes), count * rows * attributes
            yield Case(
                f"durable/{name}/{count}",
                partial(write, frames=frames),
                partial(disk_alone, frames=frames),
                "the disk alone",
                partial(equal, updates),
                unit="updates/s",
                amount=updates,
                setup=place.fresh,
                runs=5,
            )
        count = 5_000 if quick else 25_000
        for name, share, target in (("median", 0.5, None), ("p99", 0.99, 0.020)):
            yield Case(
                f"durable/acknowledgement/{name}",
                partial(acknowledgements, count=count),
                None,
                "the promise" if target else "none",
                partial(complete, count),
                setup=place.fresh,
                figure=partial(quantile, share),
                target=target,
                runs=5,
            )
        yield Case(
            "durable/sync alone/p99",
            partial(syncs, count=count // 25),
            None,
            "none",
            partial(complete, count // 25),
            setup=place.fresh,
            figure=partial(quantile, 0.99),
            runs=5,
        )
        records = 200_000 if quick else 1_000_000
        log = place.fresh()
        write(log, frames_of(records, 1, 1))
        place.next += 1  # kept for all runs
        yield Case(
            f"durable/recovery/{records}",
            partial(recover, log, records),
            None,
            "the promise",
            partial(equal, records),
            target=1.0,
            runs=5,
        )


def flags(parser: argparse.ArgumentParser) -> None:
    """Add the benchmark's own."""
    parser.add_argument("--folder", type=Path, default=None, help="on which disk; default: that of temporary files")


if __name__ == "__main__":
    main(__doc__ or "", cases, flags)
