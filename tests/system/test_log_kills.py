"""A real process with a real disk: killed while it writes (T11, T12), and with every system call failed once (T3).

The page cache survives a kill, so this shows order and atomicity, not `fsync`; that is the model's part (`tests/sim`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.facilities import needs
from support.logkills import cycles

SUPPORT = Path(__file__).parents[1] / "support"
EVERY = 7  # of the calls; all of them in tests/long/durable.py


@pytest.mark.processes
@pytest.mark.system
def test_twenty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    done = cycles(tmp_path, 20, seed=1)
    assert done.lost == []
    assert done.news == [], "a killed process leaves nothing to cut: its writes are in the page cache"
    assert done.records > 0


@pytest.mark.processes
@pytest.mark.system
def test_every_so_many_a_system_call_fails_once(tmp_path: Path) -> None:
    words = [sys.executable, str(SUPPORT / "failing_calls.py"), str(tmp_path / "log"), str(EVERY)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=110, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    runs = [line.split() for line in done.stdout.splitlines()]
    assert {fault for _, fault, *_ in runs} == {"EIO", "ENOSPC", "short", "kill", "kill_after"}
    for nth, fault, call, code, acked, found in runs:
        assert int(found) >= int(acked), f"call {nth} ({call}) with {fault}: {acked} acknowledged, {found} found"
        if fault == "EIO" or (fault == "ENOSPC" and call.startswith("sync")):
            # what could not be removed of a file that never had its name costs nothing
            assert code in ("75", "0") if call == "remove" else code == "75", (nth, fault, call, code)
        elif fault == "ENOSPC":
            assert code in ("0", "1"), (nth, fault, call, code)
        elif fault == "short":
            assert code == "0", (nth, fault, call, code)
        else:
            assert code == "137", (nth, fault, call, code)


@pytest.mark.processes
@pytest.mark.system
@pytest.mark.parametrize("when", [2, 5])
def test_a_sync_that_fails_ends_the_process_and_nothing_is_lost(tmp_path: Path, when: int) -> None:
    """The kernel's own answer, by strace: EIO from the Nth fdatasync."""
    needs("ioerror")
    log = tmp_path / "log"
    child = [sys.executable, str(SUPPORT / "durable_child.py"), str(log)]
    inject = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"inject=fdatasync:error=EIO:when={when}"]
    done = subprocess.run([*inject, *child], capture_output=True, text=True, timeout=60)
    assert done.returncode == 75, done.stderr
    lines = done.stdout.splitlines()
    acked = max((int(line.split()[1]) for line in lines if line.startswith("ack")), default=0)
    assert lines[-1].startswith("lost log in")
    again = subprocess.run([*child, str(acked + 1)], capture_output=True, text=True, timeout=60)
    assert again.returncode == 0, again.stderr
    start = next(int(line.split()[1]) for line in again.stdout.splitlines() if line.startswith("start"))
    assert start >= acked
