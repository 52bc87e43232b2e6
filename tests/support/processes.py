"""Processes that a test starts and watches: by pid and start time, with deadlines, and nothing left behind.

A pid alone names a process only as long as it lives; with its start time it names it for ever. Nothing here ends a
process that a test did not start.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 60.0  # of `until`: a busy machine is slow, a test that fails may take its time
LISTENING = "0A"  # state of a socket in /proc/net/tcp


def until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait for a condition; fails with what was waited for. How long it took is nobody's business (section 8)."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s for this: {what}"
        time.sleep(0.02)


# ------------------------------------------------------------------------------------------------------- one process
@dataclass(frozen=True, slots=True)
class Known:
    """A process for certain: pid and start time (clock ticks since boot)."""

    pid: int
    start: int

    @classmethod
    def of(cls, pid: int) -> Known:
        """The process that has this pid now; ProcessLookupError when nobody has."""
        fields = _stat(pid)
        if fields is None:
            raise ProcessLookupError(pid)
        return cls(pid, int(fields[19]))

    @property
    def state(self) -> str:
        """R, S, D, T (stopped), Z (ended, not yet waited for), or nothing: gone."""
        fields = _stat(self.pid)
        return "" if fields is None or int(fields[19]) != self.start else fields[0]

    @property
    def alive(self) -> bool:
        return self.state not in ("", "Z", "X")

    @property
    def log(self) -> Path:
        """Where its standard error goes."""
        return Path(os.readlink(f"/proc/{self.pid}/fd/2"))

    @property
    def name(self) -> str:
        """Name of a process of a tree: that of its log."""
        return self.log.stem

    def signal(self, number: int) -> None:
        """Send a signal if it still is the same process."""
        if self.state:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def pause(self) -> None:
        """SIGSTOP, and wait until it stands."""
        self.signal(signal.SIGSTOP)
        until(lambda: self.state == "T", f"process {self.pid} stops")


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the third on (state, parent, …)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def children_of(pid: int) -> list[Known]:
    """Direct children that live."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in path.read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    found.append(Known.of(int(child)))
    return [child for child in found if child.alive]


def assert_gone(processes: Iterable[Known]) -> None:
    """No orphan: every one of them ends by itself."""
    held = list(processes)
    until(lambda: not any(p.alive for p in held), f"these end: {[p.pid for p in held if p.alive]}", 30)


@contextlib.contextmanager
def none_left(processes: list[Known]) -> Iterator[list[Known]]:
    """Whatever a failing test leaves of `processes` is ended with it, stopped ones too."""
    try:
        yield processes
    finally:
        for process in processes:
            process.signal(signal.SIGKILL)


# ------------------------------------------------------------------------------------------- sockets and descriptors
Listener = tuple[int, str]
"""Port and inode of a socket that listens: the port may be given to somebody else afterwards, the inode is its own."""


def listeners(process: Known) -> set[Listener]:
    """TCP sockets on which a process listens."""
    inodes = set()
    for path in Path(f"/proc/{process.pid}/fd").glob("*"):
        with contextlib.suppress(OSError):
            if found := re.fullmatch(r"socket:\[(\d+)\]", os.readlink(path)):
                inodes.add(found.group(1))
    with contextlib.suppress(OSError):
        return {held for held in _listening(Path(f"/proc/{process.pid}/net/tcp")) if held[1] in inodes}
    return set()


def listening_ports(process: Known) -> set[int]:
    """TCP ports on which a process listens."""
    return {port for port, _ in listeners(process)}


def open_listeners() -> set[Listener]:
    """TCP sockets on which anybody here listens."""
    return set(_listening(Path("/proc/net/tcp")))


def _listening(table: Path) -> Iterator[Listener]:
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTENING:
            yield int(fields[1].split(":")[1], 16), fields[9]


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


# ----------------------------------------------------------------------------------------------- `tiertwin run`, alive
class Running:
    """``tiertwin …`` in a process of its own, while it runs; a context manager that leaves nothing behind.

    Parameters
    ----------
    folder
        Where it runs; its output goes into ``stdout`` and ``stderr`` there, its run directory is ``run``.
    """

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder = folder
        self.run = folder / "run"
        self._seen: dict[int, Known] = {}
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            command = [sys.executable, "-m", "tiertwin", *words, "--out", str(self.run)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder)
        self.known = Known.of(self.process.pid)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.children()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        for child in self._seen.values():
            child.signal(signal.SIGKILL)

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def children(self) -> list[Known]:
        """Its children that live; those seen once are remembered."""
        now = children_of(self.process.pid)
        self._seen |= {child.pid: child for child in now}
        return now

    def child(self, name: str) -> Known:
        """The child of this name."""
        return next(child for child in self.children() if child.name == name)

    @property
    def seen(self) -> list[Known]:
        """Every child that `children` ever gave."""
        return list(self._seen.values())

    def wait_for_epoch(self, epoch: int) -> None:
        """Wait until this epoch is in the run directory."""
        log = self.run / "events.jsonl"
        mark = f'"epoch":{epoch},'.encode()

        def there() -> bool:
            assert self.process.poll() is None, f"ended early: {self.stderr}"
            self.children()
            return log.exists() and mark in log.read_bytes()

        until(there, f"epoch {epoch} in {log}")

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """Wait for its end; return the exit code."""
        return self.process.wait(seconds)
