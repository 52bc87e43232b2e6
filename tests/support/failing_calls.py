"""Every system call of the log's disk failed once: ``python failing_calls.py FOLDER`` prints a line a run.

A run is a fork over a fresh folder: records go in, groups and snapshots out, and the Nth call that changes something
fails (EIO, ENOSPC, half of a write) or is the last one (kill, before it takes effect or after). Then the log is
recovered by the real disk, and what had been acknowledged must be there. A line is ``N fault call exit acked found``.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from durable_child import DEVICE, LOST, Child

from tiertwin.runtime.disk import DiskFullError, DiskLostError
from tiertwin.runtime.diskwork import carry_out
from tiertwin.runtime.filedisk import Calls

CHANGES = ("create", "allocate", "write", "sync_data", "sync", "rename", "remove")
FAULTS = ("EIO", "ENOSPC", "short", "kill", "kill_after")
KILLED = 137
STEPS, RECORDS = 40, 60  # of a run


class FailingCalls(Calls):
    """The system's calls, of which the Nth that changes something fails. `tell` hears its name."""

    def __init__(self, nth: int, fault: str, tell: Callable[[str], None]) -> None:
        self._left, self._fault, self._tell = nth, fault, tell

    def __getattribute__(self, name: str) -> Any:
        if name not in CHANGES:
            return super().__getattribute__(name)
        self._left -= 1
        call = super().__getattribute__(name)
        return call if self._left else self._failing(name, call)

    def _failing(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        self._tell(name)

        def failing(*arguments: Any) -> Any:
            if self._fault == "kill":
                os._exit(KILLED)
            if self._fault == "kill_after":
                call(*arguments)
                os._exit(KILLED)
            if self._fault == "short":
                if name != "write":
                    return call(*arguments)
                descriptor, content, offset = arguments
                return call(descriptor, content[: max(1, len(content) // 2)], offset)
            raise OSError(errno.EIO if self._fault == "EIO" else errno.ENOSPC, "injected")

        return failing


def life(folder: Path, calls: Calls, acked: int) -> int:
    """One life; writes every acknowledgement to a descriptor. Returns its exit code."""
    try:
        child = Child(folder, calls)
        for step in range(STEPS):
            child.step(RECORDS)
            while (work := child.log.work()) is not None:
                try:
                    carry_out(child.disk, work)
                except DiskFullError:
                    carry_out(child.disk, work)  # there is room again
                child.log.done(work)
                os.write(acked, struct.pack("<Q", child.log.durable_cursor(DEVICE)))
            if step % 4 == 0:
                child.log.idle()
    except DiskFullError:
        return 1  # no room at the start
    except DiskLostError:
        return LOST
    return 0


def one(folder: Path, nth: int, fault: str) -> tuple[str, int, int, int]:
    """Run one fork; returns (call, exit code, acknowledged, found)."""
    shutil.rmtree(folder, ignore_errors=True)
    acks, acked = os.pipe()
    names, name = os.pipe()
    pid = os.fork()
    if pid == 0:
        os._exit(life(folder, FailingCalls(nth, fault, lambda call: os.write(name, call.encode())), acked))
    os.close(acked)
    os.close(name)
    last = 0
    while part := os.read(acks, 8):
        (last,) = struct.unpack("<Q", part)
    call = os.read(names, 100).decode()
    os.close(acks)
    os.close(names)
    _, status = os.waitpid(pid, 0)
    back = Child(folder)  # checks the table
    found = back.cursor
    back.disk.close()
    return call, os.waitstatus_to_exitcode(status), last, found


def main(folder: Path, every: int) -> None:
    """Go on until a run needs fewer calls than N."""
    for fault in FAULTS:
        nth = 1
        while True:
            call, code, acked, found = one(folder, nth, fault)
            if not call:
                break
            print(nth, fault, call, code, acked, found, flush=True)
            nth += every


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
