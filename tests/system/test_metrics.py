"""Metrics, inspection and logs of a tree that runs: the commands of docs/observation.md, as a user types them."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import shutil
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import tiertwin
from support.processes import Running, until
from tiertwin.runtime.counters import BY_NAME
from tiertwin.runtime.livetree import LiveTree

pytestmark = [pytest.mark.system, pytest.mark.processes]

RUN = ("run", "metro", "--clock", "real", "--policy", "hierarchical", "--no-watch", "--solvers", "1")
LAYOUT = ("--processes", "device=1,edge=1,fog=1")
NODES = 32
ROOT = Path(__file__).resolve().parents[2]


def scrape(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def value(text: str, name: str, **labels: str) -> float | None:
    for line in text.splitlines():
        if line.startswith(name) and all(f'{key}="{wanted}"' in line for key, wanted in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    return None


def total(text: str, name: str) -> float:
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(f"{name}{{"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    pytest.importorskip("prometheus_client", reason="the extra metrics is not installed")
    with Running(tmp_path_factory.mktemp("metrics"), *RUN, *LAYOUT, "--epochs", "400", "--metrics", "0") as running:
        running.wait_for_epoch(1)
        yield running
        running.process.send_signal(signal.SIGTERM)
        assert running.wait() == 128 + signal.SIGTERM
    with pytest.raises(OSError, match=r"refused"):
        scrape(url_of(running))
    told = [line for line in running.stderr.splitlines() if "Traceback" in line]
    assert not told, running.stderr


def url_of(running: Running) -> str:
    found = re.search(r"metrics at (http://127\.0\.0\.1:\d+/metrics)", running.stderr)
    assert found is not None, running.stderr
    return found.group(1)


def test_every_node_is_up_and_counted(tree: Running) -> None:
    url = url_of(tree)
    until(lambda: total(scrape(url), "tiertwin_node_up") == NODES, "every node is up")
    until(lambda: total(scrape(url), "tiertwin_pool_served_total") > 0, "the pool has served")
    until(lambda: total(scrape(url), "tiertwin_data_age_seconds_count") > 0, "ages were looked at")
    until(lambda: total(scrape(url), "tiertwin_decisions_total") >= NODES / 2, "decisions are counted")
    until(lambda: total(scrape(url), "tiertwin_rounds_total") > 0, "the root has worked out a certificate")
    text = scrape(url)
    assert value(text, "tiertwin_tree_up ") == 1
    gap = value(text, "tiertwin_node_certified_gap_ratio", node="cloud-1", tier="cloud")
    assert gap is not None
    assert gap >= 0
    assert value(text, "tiertwin_process_state", process="fogs", state="running") == 1
    assert (value(text, "tiertwin_process_resident_memory_bytes", process="fogs") or 0) > 1e6
    assert (value(text, "tiertwin_process_cpu_seconds_total", process="launcher") or 0) > 0


def test_only_metrics_are_there(tree: Running) -> None:
    host, port = url_of(tree).removeprefix("http://").removesuffix("/metrics").split(":")
    link = http.client.HTTPConnection(host, int(port), timeout=30)
    link.request("GET", "/keys")
    assert link.getresponse().status == 404
    link.close()


def test_inspection_beside_it_shows_states_ages_and_counters(tree: Running) -> None:
    shown = tiertwin("inspect", str(tree.run), cwd=tree.folder)
    assert shown.returncode == 0, shown.stderr
    head, table = shown.stdout.splitlines()[0], shown.stdout
    assert head.startswith(f"{NODES} of {NODES} nodes answer")
    assert "age ms" in table
    assert re.search(r"^decisions +P5 ", table, re.MULTILINE)
    until(lambda: total(scrape(url_of(tree)), "tiertwin_rounds_total") > 0, "the root has worked out a certificate")
    told = json.loads(tiertwin("inspect", str(tree.run), "--json", cwd=tree.folder).stdout)
    assert told["counters"]["cloud-1"]["rounds"] > 0
    assert told["process_counters"]["fogs"]["solves_asked"] > 0
    for counts in [*told["counters"].values(), *told["process_counters"].values()]:
        assert set(counts) <= set(BY_NAME)
        assert all(count > 0 for count in counts.values())
    metrics = scrape(url_of(tree))  # a key of its own: nobody took its links over
    assert total(metrics, "tiertwin_connections_replaced_total") <= NODES  # the two commands took over from each other
    assert total(metrics, "tiertwin_node_up") == NODES


def test_a_stopped_process_is_seen_and_so_is_its_return(tree: Running) -> None:
    url, fogs = url_of(tree), tree.child("fogs")
    fogs.pause()
    try:
        until(lambda: value(scrape(url), "tiertwin_node_up", node="fog-2") == 0, "the stopped fog is down")
        text = scrape(url)
        assert value(text, "tiertwin_process_state", process="fogs", state="stopped") == 1
        assert value(text, "tiertwin_node_epoch", node="fog-2") is None
        until(lambda: total(scrape(url), "tiertwin_sessions_lost_total") >= 3, "neighbours lose it")
        until(lambda: total(scrape(url), "tiertwin_node_local_policy") > 0, "edges are without a lease")
        until(lambda: total(scrape(url), "tiertwin_local_policy_entered_total") > 0, "edges decide alone")
    finally:
        fogs.signal(signal.SIGCONT)
    until(lambda: value(scrape(url), "tiertwin_node_up", node="fog-2") == 1, "it is back")
    until(lambda: total(scrape(url), "tiertwin_node_local_policy") == 0, "nobody decides alone")


def test_every_line_of_every_log_says_who_where_and_when(tree: Running) -> None:
    kinds = {"plant": "plant", "gateways": "device", "edges": "edge", "fogs": "fog", "cloud": "cloud"}
    for name, tier in kinds.items():
        lines = [json.loads(line) for line in (tree.run / "logs" / f"{name}.log").read_text().splitlines()]
        assert lines
        for line in lines:
            assert {"time", "level", "process", "tiers", "event"} <= set(line), line
            assert (line["process"], line["tiers"]) == (name, [tier]), line
            if line["event"] in ("twin", "session live", "session digests", "link up", "link down"):
                assert line["tier"] == tier, line
                assert line["node"].startswith(f"{tier}-"), line
            if line["event"] == "twin":
                assert line["epoch"] >= 0


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_queries_of_the_document_run(tree: Running) -> None:
    text = (ROOT / "docs" / "observation.md").read_text(encoding="utf-8")
    queries = re.findall(r"^\$ (jq .*?) demo/logs/", text, re.MULTILINE)
    assert len(queries) == 2
    for query in queries:
        logs = sorted(map(str, (tree.run / "logs").glob("*.log")))
        done = subprocess.run([*shlex.split(query), *logs], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


# -- what is refused ---------------------------------------------------------------------------------------------------
def test_a_port_that_is_taken_is_one_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client", reason="the extra metrics is not installed")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = tiertwin(*RUN, "--epochs", "1", "--out", "run", "--metrics", port, cwd=tmp_path)
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("options", [(), ("--processes", "default"), ("--in-process",)])
def test_the_virtual_clock_has_none(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = tiertwin("run", "metro", "--epochs", "1", "--metrics", "0", *options, cwd=tmp_path)
    assert done.returncode == 2
    assert "--clock real" in done.stderr


def test_a_tree_in_a_script_has_metrics_too() -> None:
    pytest.importorskip("prometheus_client", reason="the extra metrics is not installed")
    with LiveTree("metro", seed=7, processes={"device": 1, "edge": 1, "fog": 1, "cloud": 1}, metrics=0) as tree:
        url = tree.metrics_url
        assert url is not None
        tree.run.run_epoch(0)
        until(lambda: value(scrape(url), "tiertwin_node_up", node="cloud-1") == 1, "the cloud answers")
    assert tree.metrics_url is None
    with pytest.raises(OSError, match=r"refused"):
        scrape(url)
