"""Strangers and garbage on every bound port of a running tree (short form of T22): nobody who belongs there notices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from support.facilities import needs
from support.processes import Known, listening_ports
from support.trees import disagreements, links, live_tree

pytestmark = [pytest.mark.system, pytest.mark.processes]
STORM = Path(__file__).parents[1] / "support" / "storm.py"


@pytest.mark.timeout(200)
def test_nobody_who_belongs_there_notices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("proc")
    with live_tree(monkeypatch, tmp_path, {"device": 1, "edge": 1, "fog": 3, "cloud": 1}) as live:
        ports = {name: listening_ports(process) for name, process in live.known.items()}
        ports["pool"] = {port for port in listening_ports(Known.of(os.getpid())) if port}
        assert len(ports["pool"]) >= 1
        assert sum(map(len, ports.values())) >= 33  # each twin and the pool
        keys = live.run.launcher.keys.keys
        public = {f"fogs-{k}": keys[f"fog-{k}"].pair.public for k in (1, 2, 3)}
        began, since = live.epoch, time.time_ns()
        targets = {
            "ports": sorted(port for group in ports.values() for port in group),
            "known": [(port, public[name].decode()) for name in public for port in ports[name]],
        }
        command = [sys.executable, str(STORM), json.dumps(targets)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as attacker:
            live.until(lambda: attacker.poll() is not None, "the attack is over", 60)
            said = attacker.communicate()[0]
        assert attacker.returncode == 0, said
        live.epochs(2)
        lost = [line for line in live.records if line["what"] in ("lost", "local_policy") and line["heard"] >= began]
        assert lost == []
        wrong, compared = disagreements(live.folder, since)
        assert wrong == []
        assert compared >= len(links(live.folder))
    assert live.news == []
    lines = [msgspec.json.decode(line) for line in live.logs().splitlines() if line]
    counted = {line["process"]: line["wire"] for line in lines if line["event"] == "stopped"}
    assert counted.keys() == live.known.keys() - {"solver-1", "solver-2"}
    for name, wire in counted.items():
        assert wire.get("R29 unknown key", 0) == (1 if name.startswith("fogs-") else 0), name
        assert not any(reason.startswith(("R32", "R36")) for reason in wire), (
            name
        )  # nothing of it came as far as a frame
