"""Processes of a tree as a person starts and ends them; every wait has a deadline and says what it waited for."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
DEADLINE_S = 40.0  # on a busy machine


def wait_for(look: Callable[[], T | None], what: str, seconds: float = DEADLINE_S) -> T:
    """Look again and again until there is something; the wait is for a deadline, never for a time."""
    until = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > until:
            raise AssertionError(f"{what} did not come within {seconds:g} s")
        time.sleep(0.02)
    return found


def events(log: Path, event: str = "") -> list[dict[str, Any]]:
    """Lines of a log, complete ones only; of one event, or all."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    lines = [line for line in text.split("\n")[:-1] if line.startswith("{")]
    return [found for line in lines if not event or (found := json.loads(line))["event"] == event]


class Started:
    """A process in the background, its standard error in a file."""

    def __init__(self, words: list[str], log: Path, cwd: Path) -> None:
        self.log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tiertwin", *words],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd=cwd,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def wait_event(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until the log has that many lines of an event; fails at once when the process is gone."""

        def look() -> list[dict[str, Any]] | None:
            found = events(self.log, event)
            if len(found) < count and self._process.poll() is not None:
                raise AssertionError(f"exit code {self._process.returncode}: {self.log.read_text()[-2000:]}")
            return found if len(found) >= count else None

        return wait_for(look, f"{event!r} in {self.log}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def code(self, seconds: float = DEADLINE_S) -> int:
        """Wait for the end and return the exit code."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(DEADLINE_S)


@contextlib.contextmanager
def started(*words: str, log: Path, cwd: Path) -> Iterator[Started]:
    """A process that is gone at the end of the block, whatever happens."""
    process = Started(list(words), log, cwd)
    try:
        yield process
    finally:
        process.kill()


def holder(state: Path, node: str) -> int:
    """Number of the process that hosts a node, 0: none does."""
    path = state / f"{node}.lock"
    pid = int((path.read_text().split() or ["0"])[0]) if path.is_file() else 0
    return pid if pid and alive(pid) else 0


def alive(pid: int) -> bool:
    """Whether a process runs (one that ended and that nobody waits for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def kill_holders(state: Path) -> None:
    """End what a broken test left: the processes that hold locks in this folder."""
    for path in sorted(state.glob("*.lock")):
        if pid := holder(state, path.name.removesuffix(".lock")):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
