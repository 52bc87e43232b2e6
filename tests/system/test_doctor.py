"""The doctor on a tree that runs: healthy, then with the fogs' process stopped, then with it gone on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.command import tiertwin
from tiertwin.runtime.lookout import Report, look, look_at_processes
from tiertwin.runtime.treefile import read_tree, running_processes, stat_of
from tiertwin.wire.keys import OBSERVERS, NodeKey, key_path, read_key

pytestmark = pytest.mark.system

LAYOUT = "device=1,edge=1,fog=1"
FOGS = ("fog-1", "fog-2", "fog-3")
PATIENCE_S = 60.0


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, "nothing came of it"
        time.sleep(0.1)


class Tree:
    """A run of its own, and the numbers of its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "tiertwin", "run", "metro", "--epochs", "200", "--clock", "real", "--quiet"]
        options = ["--policy", "hierarchical", "--processes", LAYOUT, "--solvers", "1", "--out", str(folder)]
        self.launcher = subprocess.Popen([*command, *options])  # of our process group, and it ends by itself
        until(lambda: (folder / "deployment.json").exists() or self.launcher.poll() is not None)
        self.map = read_tree(folder)

    def pid(self, process: str) -> int:
        return next(p.pid for p in self.map.processes if p.name == process)

    def key(self) -> NodeKey:
        return read_key(key_path(self.map.keys, OBSERVERS[1]), time.time())

    def reports(self) -> dict[str, Report]:
        return look(self.map, self.key(), look_at_processes(self.map))

    def end(self) -> None:
        for process in self.map.processes:
            if stat_of(process.pid)[1] == process.began:
                os.kill(process.pid, signal.SIGCONT)
        self.launcher.send_signal(signal.SIGINT)
        try:
            self.launcher.wait(30)
        finally:
            for process in self.map.processes:
                if stat_of(process.pid)[1] == process.began:
                    os.kill(process.pid, signal.SIGKILL)
            self.launcher.kill()
            self.launcher.wait()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    made = Tree(tmp_path_factory.mktemp("tree") / "run")
    try:
        until(lambda: all(r.status is not None for r in led(made)))
        until(lambda: any(r.status.lease_epoch >= 0 for r in led(made) if r.status and r.node.startswith("edge-")))
        until(lambda: asked(made))
        yield made
    finally:
        made.end()
    assert made.map.processes
    assert running_processes(made.folder) == []


def led(tree: Tree) -> list[Report]:
    return [report for name, report in tree.reports().items() if name != "cloud-1"]


def masked(text: str) -> str:
    text = re.sub(r"\d\d:\d\d:\d\d UTC \((in )?\d+\.\d s( ago)?\)", "<time>", text)
    text = re.sub(r"session (live|suspect|lost)( or (suspect|lost))*", "session <state>", text)
    return re.sub(r"epoch \d+", "epoch <n>", re.sub(r"(pid|-CONT) \d+", r"\1 <pid>", text))


def asked(tree: Tree) -> bool:
    root = tree.reports()["cloud-1"].status
    return root is not None and root.pool_asked > 0


def test_every_node_answers_and_says_who_its_neighbours_are(tree: Tree) -> None:
    until(lambda: asked(tree))
    reports = tree.reports()
    assert all(report.status is not None for report in reports.values())
    assert len(reports) == sum(node.port > 0 for node in tree.map.nodes) == 32
    for name, report in reports.items():
        assert report.status is not None
        assert [link.peer for link in report.status.links] == tree.map.neighbours(name)
        assert report.status.rss_mb > 1
        assert all(link.bytes_in > 0 and link.bytes_out > 0 for link in report.status.links)
    root = reports["cloud-1"].status
    assert root is not None
    assert root.pool_asked > 0


def test_inspect_shows_the_nodes_of_a_running_tree(tree: Tree) -> None:
    shown = tiertwin("inspect", str(tree.folder), cwd=tree.folder.parent)
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("32 of 32 nodes answer, epoch ")
    assert lines[1].split()[:3] == ["node", "process", "state"]
    assert lines[2].split()[:4] == ["cloud-1", "cloud", str(tree.pid("cloud")), "root"]
    told = json.loads(tiertwin("inspect", str(tree.folder), "--json", cwd=tree.folder.parent).stdout)
    assert set(told["nodes"]) == {node.name for node in tree.map.nodes if node.port}


def test_a_stopped_process_is_named_with_who_waits_and_which_lease_ends(tree: Tree) -> None:
    fogs = tree.pid("fogs")
    os.kill(fogs, signal.SIGSTOP)
    try:
        until(lambda: stat_of(fogs)[0] == "T")
        until(lambda: suspects(tree))
        done = tiertwin("doctor", str(tree.folder), cwd=tree.folder.parent)
        told = tiertwin("doctor", str(tree.folder), "--json", cwd=tree.folder.parent)
    finally:
        os.kill(fogs, signal.SIGCONT)
    assert done.returncode == told.returncode == 1, done.stderr
    lines = masked(done.stdout).splitlines()
    assert lines[0] == "29 of 32 nodes answer, epoch <n>; 7 processes; 14 of the plant are not asked."
    expected = [
        "WRONG  process fogs (pid <pid>) is stopped; inside: fog-1, fog-2 and fog-3. `kill -CONT <pid>` lets it go on",
        "WRONG  cloud-1, edge-centre, edge-harbour, edge-southmoor and edge-millbrook wait for fog-1: "
        "session <state>, nothing heard since <time>",
        "WRONG  cloud-1, edge-station, edge-stadium, edge-airport, edge-northfield and edge-eastwood wait for fog-2: "
        "session <state>, nothing heard since <time>",
        "WRONG  cloud-1, edge-old-town, edge-university, edge-trade-fair, edge-westhill and edge-lakeside wait for "
        "fog-3: session <state>, nothing heard since <time>",
    ]
    assert [line for line in lines if line in expected] == expected
    assert f"(pid {fogs}) is stopped" in done.stdout
    lease = (
        r"(lease that runs out first is that of|first lease to run out was that of) edge-[a-z-]+ \(epoch <n>, from fog-"
    )
    assert any(re.search(lease, line) for line in lines), done.stdout
    found = json.loads(told.stdout)
    assert not found["healthy"]
    stopped = next(f for f in found["findings"] if f["kind"] == "stopped")
    assert stopped["facts"] == {"process": "fogs", "pid": fogs, "nodes": list(FOGS)}
    waits = {f["facts"]["for"][0]: f["facts"]["waiting"] for f in found["findings"] if f["kind"] == "waits"}
    assert set(waits) >= set(FOGS)
    assert all("cloud-1" in waits[fog] for fog in FOGS)


def suspects(tree: Tree) -> bool:
    cloud = tree.reports()["cloud-1"].status
    return cloud is not None and all(link.suspect or link.session != 1 for link in cloud.links)


def test_when_it_goes_on_every_node_answers_again(tree: Tree) -> None:
    until(lambda: all(report.status is not None for report in tree.reports().values()))
    until(lambda: not waits_of(tree))


def waits_of(tree: Tree) -> list[str]:
    done = tiertwin("doctor", str(tree.folder), "--json", cwd=tree.folder.parent)
    return [f["text"] for f in json.loads(done.stdout)["findings"] if f["kind"] in ("waits", "stopped", "no answer")]


def test_a_folder_without_a_running_tree_is_refused(tmp_path: Path) -> None:
    done = tiertwin("doctor", str(tmp_path), cwd=tmp_path)
    assert done.returncode == 2
    assert "no running tree here" in done.stderr


def test_the_map_holds_no_secret(tree: Tree) -> None:
    assert tree.key().secret not in (tree.folder / "deployment.json").read_text()
