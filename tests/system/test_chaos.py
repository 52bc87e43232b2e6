"""`tiertwin chaos` and the soak, short: a real tree, a few faults; sets and leaks, never durations (T7, T10)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from support.facilities import needs
from support.processes import children_of, until
from support.soaking import soak
from tiertwin import _core
from tiertwin.runtime.chaos.faults import PLAYS, Hurt, kill
from tiertwin.runtime.chaos.plan import BY_NAME, Fault
from tiertwin.runtime.chaos.run import Asked, play
from tiertwin.runtime.chaos.tree import ChaosTree, Wanted
from tiertwin.world import load

pytestmark = [pytest.mark.system, pytest.mark.processes]
COMMAND = (sys.executable, "-m", "tiertwin", "chaos", "metro", "--processes", "device=1,edge=2,fog=1,cloud=1")


@pytest.mark.timeout(240)
def test_a_few_faults_on_metro_break_no_promise(tmp_path: Path) -> None:
    needs("proc", "pause")
    out = tmp_path / "out"
    words = ("--only", "kill,pause,torn-log,stranger,clock", "--faults", "4", "--seed", "7", "--json")
    done = subprocess.run([*COMMAND, *words, "--out", str(out)], capture_output=True, text=True, timeout=220)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["held"]
    assert found["played"] == 4
    assert found["broken"] == []
    assert found["skipped"].keys() == {"clock"}
    assert "SKIPPED clock" in done.stderr
    assert all(row["recovered"] == row["played"] and row["lost"] == 0 for row in found["rows"])
    assert found["counted"]["levels_compared"] > 0
    assert found["counted"]["compared"] > 0
    assert "Traceback" not in "".join(path.read_text() for path in (out / "logs").glob("*.log"))


@pytest.mark.timeout(180)
def test_a_log_that_lost_its_end_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what the fog had acknowledged since the middle of its log is gone, and nothing in the log says so."""
    needs("proc")

    def cut(tree: ChaosTree, fault: Fault) -> Hurt:
        done = kill(tree, fault)
        path = max((tree.folder / "state" / f"{fault.node}.log").glob("*.log"))
        content = bytearray(path.read_bytes())
        _, (_, end) = _core.log_records(content)
        content[end // 2 :] = bytes(len(content) - end // 2)
        path.write_bytes(content)
        return done

    monkeypatch.setitem(PLAYS, "torn-log", cut)
    monkeypatch.setattr("tiertwin.runtime.chaos.play.RECOVERY_S", 20.0)  # it need not be well
    kind = replace(BY_NAME["torn-log"], where=("fog",))
    wanted = Wanted(load("metro"), processes={"device": 1, "edge": 1, "fog": 1, "cloud": 1})
    found = play(wanted, Asked((kind,), count=1), tmp_path, lambda text: None)
    assert not found["held"]
    assert found["promises"]["P1"] is False
    assert any("as durable, recovered" in text for text in found["broken"])


@pytest.mark.timeout(180)
def test_ctrl_c_ends_it_with_the_table_so_far(tmp_path: Path) -> None:
    needs("proc")
    words = ("--only", "kill", "--minutes", "5", "--no-durable")
    with (tmp_path / "err").open("wb") as err:
        run = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=err, cwd=tmp_path, text=True)
    try:
        until(lambda: "well after" in (tmp_path / "err").read_text(), "one fault was played", 90)
        held = children_of(run.pid)
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130
    assert "kill" in said
    assert "verdict" in said
    assert held
    assert not any(child.alive for child in held)


@pytest.mark.timeout(300)
def test_a_short_soak_leaks_nothing_and_breaks_no_promise(tmp_path: Path) -> None:
    needs("proc", "pause")
    kinds = tuple(BY_NAME[name] for name in ("kill", "pause", "disk-full"))
    spare = ("gateways", "edges-2", "fogs", "cloud")
    before, began = set(os.listdir("/proc/self/fd")), time.monotonic()
    layout = {"device": 1, "edge": 2, "fog": 1, "cloud": 1}
    found = soak(tmp_path, 45.0, 1000.0, 2.0, 3, lambda text: None, kinds, layout, spare)
    assert found["held"], found["broken"]
    assert found["played"] >= 2
    assert found["counted"]["applied_again"] == found["counted"]["unequal"] == found["counted"]["alarms"] == 0
    assert found["applied"]["edge"] > 0
    through = {row["process"]: row for row in found["lives"]}
    assert through.keys() >= {*spare, "plant", "launcher"}, time.monotonic() - began
    for name in (*spare, "plant"):
        assert through[name]["threads_more"] <= 0, name
        assert through[name]["descriptors_more"] <= 4, name  # connections come and go with a neighbour's lives
    assert len(set(os.listdir("/proc/self/fd")) - before) <= 1
