"""``tiertwin run`` as a user types it: JSON, replay, report, bad input, a killed run, a full disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from support.command import tiertwin
from support.inprocess import world_of
from tiertwin.runtime.api import run_stored
from tiertwin.runtime.execute import group_names
from tiertwin.runtime.observed import Observation
from tiertwin.store import open_run
from tiertwin.world import World

pytestmark = pytest.mark.system
REQUIRED = [
    "objective",
    "utility_mean",
    "utilisation",
    "latency_mean_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "deadline_miss_ratio",
    "goodput_mbps",
    "energy_per_task_j",
    "jain",
    "aoi_p99_ms",
    "state_error",
    "lower_bound",
    "upper_bound",
    "scale",
    "certified_gap_median",
    "gap_of_improvement_median",
    "rounds_cold",
    "rounds_warm_median",
    "bytes",
    "solver_steps",
    "local_policy_epochs",
    "twin_cpu_s",
    "twin_peak_rss_mb",
    "twin_energy_j",
    "wall_s_per_epoch",
]
RUN = ("run", "metro", "--epochs", "3", "--seed", "7", "--json", "--quiet")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which one run of all policies was made, with what it printed in ``printed.json``."""
    folder = tmp_path_factory.mktemp("cli")
    done = tiertwin(*RUN, cwd=folder)
    assert done.returncode == 0, done.stderr
    (folder / "printed.json").write_text(done.stdout)
    return folder


def printed(folder: Path) -> dict:
    return json.loads((folder / "printed.json").read_text())


def test_json_is_one_object_with_every_kpi(finished: Path) -> None:
    result = printed(finished)
    assert {"log_hash", "scenario", "seed", "epochs", "policies"} <= set(result)
    assert (result["scenario"], result["seed"], result["epochs"]) == ("metro", 7, 3)
    policies = result["policies"]
    assert {"hierarchical", "edge-only", "cloud-only", "nearest", "static", "monolithic"} <= set(policies)
    for name, kpis in policies.items():
        assert set(REQUIRED) <= set(kpis), name
    ours = policies["hierarchical"]
    assert all(ours[kpi] is not None for kpi in REQUIRED)
    assert ours["lower_bound"] <= ours["upper_bound"]
    assert set(ours["bytes"]) == {"device-edge", "edge-fog", "fog-cloud"}
    assert policies["monolithic"]["outside_bounds_epochs"] == []


def test_the_same_command_gives_the_same_log_hash(finished: Path, tmp_path: Path) -> None:
    again = tiertwin(*RUN, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["log_hash"] == printed(finished)["log_hash"]


def test_replay_gives_it_again(finished: Path) -> None:
    done = tiertwin("replay", printed(finished)["run"], cwd=finished)
    assert done.returncode == 0, done.stdout + done.stderr
    assert printed(finished)["log_hash"] in done.stdout


def test_report_and_inspect_read_the_run(finished: Path) -> None:
    folder = printed(finished)["run"]
    made = tiertwin("report", folder, "--out", "page.html", cwd=finished)
    assert made.returncode == 0, made.stderr
    page = (finished / "page.html").read_text()
    assert "hierarchical" in page
    assert len(page) < 2_000_000
    links = tiertwin("inspect", folder, "--links", cwd=finished)
    assert links.returncode == 0, links.stderr
    assert "utilisation" in links.stdout


def test_what_was_believed_is_found_again(tmp_path: Path) -> None:
    believed: dict[tuple[str, int], np.ndarray] = {}

    class Ear:
        def policy_began(self, policy: str, epochs: int) -> None:
            pass

        def epoch_ended(self, policy: str, row: object, seen: Observation, world: World) -> None:
            for name, edge in seen.edges.items():
                believed[name, seen.epoch] = edge.demand.copy()

        def policy_ended(self, policy: str, row: dict) -> None:
            pass

        def told(self, news: str) -> None:
            pass

    run_stored("metro", epochs=6, seed=3, policies=["hierarchical"], out=tmp_path / "run", watcher=Ear())
    rng = np.random.default_rng(0)
    names = sorted({name for name, _ in believed})
    with open_run(tmp_path / "run") as stored:
        for t in rng.uniform(0, 6e9, 100).astype(np.int64):
            name = names[int(rng.integers(len(names)))]
            rows = stored.as_of(name, int(t)).where(attribute="demand")
            found = dict(zip(rows["entity"], rows["value"], strict=True))
            wanted = dict(zip(group_names(world_of("metro")), believed[name, int(t // 1_000_000_000)], strict=True))
            assert found == pytest.approx(wanted)
            assert all(sampled <= known for sampled, known in zip(rows["sample_ns"], rows["known_ns"], strict=True))
            if t >= 2_000_000_000:  # by then every site has telemetry, and telemetry is late
                assert any(sampled < known for sampled, known in zip(rows["sample_ns"], rows["known_ns"], strict=True))


BAD = {
    "unknown scenario": (["run", "germany5"], ["germany5", "germany50"]),
    "unknown policy": (["run", "metro", "--policy", "edge-onl"], ["edge-onl", "edge-only"]),
    "repeated policy": (
        ["run", "metro", "--policy", "static", "--policy", "static"],
        ["policy", "once", "static, static"],
    ),
    "no epochs": (["run", "metro", "--epochs", "0"], ["epochs", "0"]),
    "unknown leaf solver": (["run", "magic.yaml"], ["policy.leaf_solver", "magic", "kernel"]),
    "negative seed": (["run", "metro", "--seed", "-1"], ["seed", "-1"]),
    "missing file": (["run", "nowhere.yaml"], ["nowhere.yaml"]),
    "not a run": (["report", "."], ["run.json"]),
    "unknown command": (["rum"], ["rum", "run"]),
    "unwritable output": (["run", "metro", "--epochs", "1", "--out", "/proc/tiertwin"], ["/proc/tiertwin"]),
    "output is a file": (["run", "metro", "--epochs", "1", "--out", "taken"], ["taken"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_error(case: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "magic.yaml").write_text("name: x\ntopology: {builtin: metro}\npolicy: {leaf_solver: magic}\n")
    words, told = BAD[case]
    done = tiertwin(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in told:
        assert word in done.stderr, done.stderr


YAML = {
    "unknown key": ("name: x\ntopology: {builtin: metro}\ndevices: {cuont: 3}\n", ["devices.cuont", "count"]),
    "negative capacity": (
        "name: x\ntopology:\n  nodes: [{name: A, lon: 0, lat: 0}, {name: B, lon: 1, lat: 1}]\n"
        "  links: [{a: A, b: B, capacity_mbps: -5}]\n",
        ["topology.links[0].capacity_mbps", "-5"],
    ),
    "disconnected": (
        "name: x\ntopology:\n  nodes: [{name: A, lon: 0, lat: 0}, {name: B, lon: 1, lat: 1}, "
        "{name: C, lon: 2, lat: 2}]\n"
        "  links: [{a: A, b: B}]\n",
        ["C"],
    ),
    "a billion devices": (
        "name: x\ntopology: {builtin: metro}\ndevices: {count: 1000000000}\n",
        ["devices.count", "GiB"],
    ),
    "not a number": ("name: x\ntopology: {builtin: metro}\nbase_epoch_s: .nan\n", ["base_epoch_s"]),
    "infinity": (
        "name: x\ntopology: {builtin: metro}\nobjective: {energy_utils_per_j: .inf}\n",
        ["energy_utils_per_j"],
    ),
    "empty": ("", ["empty"]),
    "duplicated key": ("name: x\nname: y\n", ["name", "line 2"]),
    "alias": ("name: &a x\nabout: *a\n", ["line 1", "anchor"]),
    "tag": ("name: !!python/object:os.system x\n", ["line 1"]),
    "deep": ("name: " + "[" * 40 + "]" * 40 + "\n", ["20 levels"]),
}


@pytest.mark.parametrize("case", YAML)
def test_a_bad_scenario_names_file_path_value_and_what_was_expected(case: str, tmp_path: Path) -> None:
    text, told = YAML[case]
    (tmp_path / "mine.yaml").write_text(text)
    done = tiertwin("run", "mine.yaml", "--epochs", "1", cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "mine.yaml" in done.stderr
    for word in told:
        assert word in done.stderr, done.stderr


def test_a_binary_scenario_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(bytes(range(256)))
    done = tiertwin("run", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_killed_run_can_be_reported(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "tiertwin",
        "run",
        "metro",
        "--epochs",
        "5000",
        "--policy",
        "edge-only",
        "--out",
        "run",
    ]
    with subprocess.Popen(
        [*words, "--quiet"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        until = time.monotonic() + 60
        events = tmp_path / "run" / "events.jsonl"
        while not (events.exists() and events.read_bytes().count(b'"epoch":3') > 0):
            assert child.poll() is None, "the run ended by itself"
            assert time.monotonic() < until, "no epoch was written"
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
    made = tiertwin("report", "run", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    with open_run(tmp_path / "run") as stored:
        assert stored.status == "interrupted"
        assert stored.last_epoch("edge-only") >= 1


def test_a_full_disk_is_told_and_leaves_a_readable_run(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs of 1 MiB can be mounted here: {mounted.stderr.strip()}")
    try:
        words = ("run", "metro", "--epochs", "400", "--policy", "edge-only", "--quiet", "--out", str(disk / "run"))
        done = tiertwin(*words, cwd=tmp_path)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert str(disk / "run") in done.stderr
        made = tiertwin("report", str(disk / "run"), "--out", "page.html", cwd=tmp_path)
        assert made.returncode == 0, made.stderr
    finally:
        subprocess.run(["umount", str(disk)], check=True)
