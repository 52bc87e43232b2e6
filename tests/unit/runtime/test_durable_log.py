"""What goes into a log, what may be acknowledged, what is kept and what goes."""

from __future__ import annotations

import errno
import select
from pathlib import Path

import numpy as np
import pytest

from support.durable_child import DEVICE, STREAM, Device, table
from support.modeldisk import ModelCalls
from tiertwin import _core
from tiertwin.runtime.disk import DiskFullError, DiskLostError
from tiertwin.runtime.diskthread import DiskThread
from tiertwin.runtime.diskwork import carry_out
from tiertwin.runtime.durablelog import DurableLog
from tiertwin.runtime.filedisk import Calls, FileDisk

HELLO = _core.encode_hello(1, 1, 1, STREAM, 1, 0, 0, 0, 0, incarnation=1)


def opened(folder: Path, calls: Calls | None = None, segment_bytes: int = 4096) -> tuple[FileDisk, DurableLog]:
    disk = FileDisk(folder, calls)
    return disk, DurableLog(disk, "edge-a", segment_bytes=segment_bytes, floor_bytes=0)


def settle(disk: FileDisk, log: DurableLog) -> None:
    while (work := log.work()) is not None:
        carry_out(disk, work)
        log.done(work)


def write(log: DurableLog, device: Device, records: int) -> None:
    if log.peer_stream(DEVICE) == 0:
        log.append(DEVICE, HELLO)
    for _ in range(records):
        log.append(DEVICE, device.frame())


def kept(log: DurableLog, device: Device) -> list[tuple[int, bytes]]:
    return [(DEVICE, frame) for frame in _core.encode_snapshot([device.table], device.number, 1)]


def test_a_log_comes_back_with_its_stream_and_its_cursors(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    assert not log.resumed
    write(log, Device(0), 30)
    assert log.durable_cursor(DEVICE) == 0
    settle(disk, log)
    assert log.durable_cursor(DEVICE) == 30
    disk.close()
    again_disk, again = opened(tmp_path)
    assert again.resumed
    assert again.stream == log.stream
    assert again.cursor(DEVICE) == again.durable_cursor(DEVICE) == 30
    assert again.found.news == []
    found = table()
    assert again.found.load(DEVICE, [found]) == 30
    assert [found.column(1)[n % 16] for n in range(15, 31)] == list(range(15, 31))
    again.forget()
    assert again.resumed
    assert again.found.segments == []
    again_disk.close()


def test_segments_and_snapshots_that_are_not_needed_go(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    device = Device(0)
    for _ in range(8):
        write(log, device, 50)
        log.snapshot(kept(log, device))
        settle(disk, log)
    names = disk.names()
    assert len([n for n in names if n.endswith(".snapshot")]) == 2
    segments = [n for n in names if n.endswith(".log")]
    assert segments[0] != "000000000001.log"
    older = int(sorted(n for n in names if n.endswith(".snapshot"))[0].split(".")[0])
    header = _core.log_header(disk.read(segments[0]))
    assert header["position"] <= older
    disk.close()
    disk, log = opened(tmp_path)
    found = table()
    assert log.found.load(DEVICE, [found]) == 400
    assert found.digest() == device.table.digest()
    disk.close()


def test_two_snapshots_of_one_position_are_one(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    device = Device(0)
    for _ in range(4):
        write(log, device, 50)
        for _ in range(3):
            log.snapshot(kept(log, device))
            settle(disk, log)
    assert len([n for n in disk.names() if n.endswith(".snapshot")]) == 2
    disk.close()
    disk, log = opened(tmp_path)
    assert log.resumed
    assert log.found.load(DEVICE, [table()]) == 200
    disk.close()


def test_own_records_stay_until_the_parent_has_made_them_durable(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    own = Device(0)
    for _ in range(6):
        for _ in range(40):
            log.append(0, own.frame())
        log.snapshot([])
        settle(disk, log)
    assert "000000000001.log" in disk.names()
    log.acknowledged(100)
    settle(disk, log)
    first = _core.log_header(disk.read(min(n for n in disk.names() if n.endswith(".log"))))
    assert 1 < first["next_number"] <= 101
    disk.close()
    disk, log = opened(tmp_path)
    unacked = log.found.unacked()
    assert _core.decode_header(unacked[0]).number <= 101
    assert _core.decode_header(unacked[-1]).number == 240
    disk.close()


def test_an_acknowledgement_of_what_is_not_durable_counts_up_to_what_is(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    own = Device(0)
    log.append(0, own.frame())
    settle(disk, log)
    log.append(0, own.frame())
    log.acknowledged(10)
    log.snapshot([])
    settle(disk, log)
    disk.close()
    disk, log = opened(tmp_path)
    assert log.found.verdict.acked == 1
    disk.close()


def test_spilled_events_come_back_until_they_are_numbered(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    events = Device(0)
    spilled = [events.frame() for _ in range(3)]
    for frame in spilled:
        log.spill(frame)
    settle(disk, log)
    disk.close()
    disk, log = opened(tmp_path)
    assert log.found.waiting() == spilled
    log.drain(Device(0).frame())
    settle(disk, log)
    disk.close()
    disk, log = opened(tmp_path)
    assert log.found.waiting() == spilled[1:]
    disk.close()


def test_a_damaged_log_is_put_aside_and_told(tmp_path: Path) -> None:
    disk, log = opened(tmp_path, segment_bytes=65536)
    write(log, Device(0), 3)
    settle(disk, log)
    write(log, Device(3), 3)
    settle(disk, log)
    disk.close()
    path = tmp_path / "000000000001.log"
    content = bytearray(path.read_bytes())
    content[400] ^= 4
    path.write_bytes(content)
    disk, again = opened(tmp_path)
    assert not again.resumed
    assert again.stream != log.stream
    assert "000000000001.log: " in again.found.news[0]
    assert [n for n in disk.names() if n.endswith(".quarantine")]
    assert "refused" not in disk.names()
    disk.close()


def test_putting_aside_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    write(log, Device(0), 200)
    settle(disk, log)
    disk.create("refused", b"why", 3)
    disk.close()
    disk, again = opened(tmp_path)
    assert not again.resumed
    assert "an earlier start" in again.found.news[0]
    assert [n for n in disk.names() if not n.endswith(".quarantine")] == ["000000000001.log"]
    disk.close()


def test_a_full_disk_stops_acknowledging_and_goes_on_when_there_is_room() -> None:
    calls = ModelCalls(room=3 * 4096)
    disk, log = opened(Path("/log"), calls)
    device = Device(0)
    write(log, device, 120)
    work = log.work()
    assert work is not None
    with pytest.raises(DiskFullError):
        carry_out(disk, work)
    assert log.durable_cursor(DEVICE) == 0
    write(log, device, 10)
    assert log.work() is None
    calls.room = 1 << 30
    carry_out(disk, work)
    log.done(work)
    settle(disk, log)
    assert log.durable_cursor(DEVICE) == 130
    assert opened(Path("/log"), calls)[1].cursor(DEVICE) == 130


def test_the_floor_is_kept_free(tmp_path: Path) -> None:
    disk = FileDisk(tmp_path)
    with pytest.raises(DiskFullError, match="less than the floor"):
        DurableLog(disk, "edge-a", floor_bytes=1 << 60)
    disk.close()


def test_a_failed_sync_is_final() -> None:
    calls = ModelCalls()
    disk, log = opened(Path("/log"), calls)
    write(log, Device(0), 3)
    calls.fail_sync_once = True
    work = log.work()
    assert work is not None
    with pytest.raises(DiskLostError, match="the process ends"):
        carry_out(disk, work)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, DiskFullError), (errno.EROFS, DiskFullError), (errno.EIO, DiskLostError)]
)
def test_faults_of_a_write_are_of_two_kinds(number: int, kind: type[Exception]) -> None:
    class Failing(ModelCalls):
        failing = False

        def before(self, call: str) -> None:
            if self.failing and call == "write":
                raise OSError(number, "injected")

    calls = Failing()
    disk, log = opened(Path("/log"), calls)
    calls.failing = True
    write(log, Device(0), 1)
    work = log.work()
    assert work is not None
    with pytest.raises(kind):
        carry_out(disk, work)


def test_one_thing_at_a_time_and_in_order(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    write(log, Device(0), 1)
    work = log.work()
    assert work is not None
    assert log.work() is None
    with pytest.raises(ValueError, match="done once, in order"):
        log.done(None)  # type: ignore[arg-type]
    carry_out(disk, work)
    log.done(work)
    with pytest.raises(ValueError, match="done once, in order"):
        log.done(work)
    disk.close()


def test_an_idle_log_says_once_that_all_is_synced(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    write(log, Device(0), 1)
    settle(disk, log)
    log.idle()
    log.idle()
    settle(disk, log)
    log.idle()
    assert log.work() is None
    kinds = [record[0] for record in _core.log_records(disk.read("000000000001.log"))[0]]
    assert kinds == ["mark", "frame", "frame", "mark"]
    disk.close()


def test_the_thread_carries_out_and_reports(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    with DiskThread() as thread:
        write(log, Device(0), 5)
        work = log.work()
        assert work is not None
        thread.submit(log, disk, work)
        select.select([thread.fd], [], [])
        assert thread.collect() == [(log, work, None)]
        assert thread.collect() == []
    log.done(work)
    assert log.durable_cursor(DEVICE) == 5
    thread.close()
    disk.close()


def test_the_thread_reports_faults_and_goes_on(tmp_path: Path) -> None:
    calls = ModelCalls()
    disk, log = opened(Path("/log"), calls)
    good_disk, good = opened(tmp_path)
    with DiskThread() as thread:
        for one, where in ((log, disk), (good, good_disk)):
            write(one, Device(0), 5)
            work = one.work()
            assert work is not None
            calls.fail_sync_once = True
            thread.submit(one, where, work)
        outcomes = []
        while len(outcomes) < 2:
            select.select([thread.fd], [], [])
            outcomes += thread.collect()
    assert isinstance(outcomes[0][2], DiskLostError)
    assert outcomes[1][2] is None
    good_disk.close()


def test_a_bug_of_ours_in_the_thread_is_a_lost_disk(tmp_path: Path) -> None:
    class Broken(FileDisk):
        def free_bytes(self) -> int:
            raise RuntimeError("a bug")

    disk, log = opened(tmp_path)
    write(log, Device(0), 1)
    work = log.work()
    assert work is not None
    with DiskThread() as thread:
        broken = Broken(tmp_path)
        thread.submit(log, broken, work)
        select.select([thread.fd], [], [])
        ((_, _, fault),) = thread.collect()
    assert isinstance(fault, DiskLostError)
    assert "a bug" in str(fault)
    broken.close()
    disk.close()


def test_short_writes_are_completed(tmp_path: Path) -> None:
    class Short(Calls):
        def write(self, descriptor: int, content: memoryview, offset: int) -> int:
            return super().write(descriptor, content[:7], offset)

    disk, log = opened(tmp_path, Short())
    write(log, Device(0), 20)
    settle(disk, log)
    disk.close()
    disk, again = opened(tmp_path)
    assert again.cursor(DEVICE) == 20
    disk.close()


def test_what_is_left_of_an_interrupted_create_is_removed(tmp_path: Path) -> None:
    (tmp_path / "000000000009.log.tmp").write_bytes(b"x")
    disk, log = opened(tmp_path)
    assert disk.names() == ["000000000001.log"]
    assert not log.resumed
    disk.close()


def test_values_of_records_do_not_matter_to_the_log(tmp_path: Path) -> None:
    """A frame of another table is kept, counted, and not put into a table that is not its own."""
    registry = _core.AttributeRegistry()
    registry.add(1, "load", "1", "gauge", "f64", "sum", -1e9, 1e9, 2000)
    other = _core.StateTable(registry, 2, [1], 4)
    other.set(1, np.array([0], dtype=np.uint32), np.array([5.0]), 1000)
    (frame,) = _core.encode_delta(other, 1, 1)
    disk, log = opened(tmp_path)
    log.append(DEVICE, HELLO)
    log.append(DEVICE, frame)
    settle(disk, log)
    disk.close()
    disk, again = opened(tmp_path)
    assert again.found.load(DEVICE, [table()]) == 1
    assert again.found.verdict.replay(DEVICE, [table()], again.found.segments)[2] == 1
    disk.close()


def test_a_stream_that_begins_behind_a_snapshot_of_another_one_begins_at_nothing(tmp_path: Path) -> None:
    disk, log = opened(tmp_path)
    device = Device(0)
    write(log, device, 30)
    log.snapshot(kept(log, device))
    settle(disk, log)
    log.append(DEVICE, _core.encode_hello(1, 1, 1, STREAM + 1, 1, 0, 0, 0, 0, incarnation=2))
    settle(disk, log)
    disk.close()
    again_disk, again = opened(tmp_path)
    assert again.found.verdict.snapshot >= 0
    assert again.peer_stream(DEVICE) == STREAM + 1
    assert again.cursor(DEVICE) == 0
    assert again.found.load(DEVICE, [table()]) == 0
    again_disk.close()
