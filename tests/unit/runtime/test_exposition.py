"""Metrics: what is served is what nodes said, under the names that dashboard and documents use; the server is small."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.inprocess import started
from tiertwin.errors import InputError
from tiertwin.runtime.counters import COUNTERS, TRAVELLING
from tiertwin.runtime.countertable import counter_table, read_counts, write_counts
from tiertwin.runtime.counting import node_counts
from tiertwin.runtime.lookout import ProcessLook, Report
from tiertwin.runtime.metrics import open_metrics
from tiertwin.runtime.roster import Roster, tier_word
from tiertwin.runtime.status import NodeBook, ProcessBook, status_of
from tiertwin.runtime.treefile import RunningNode, RunningTree
from tiertwin.runtime.treewatch import Ages, ProcessSeen, Seen
from tiertwin.twin.attributes import registry

pytest.importorskip("prometheus_client", reason="the extra metrics is not installed")

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tiertwin.runtime import httpserver
from tiertwin.runtime.exposition import MetricsServer, TreeCollector
from tiertwin.runtime.httpserver import MOST_REQUESTS

DOCS = Path(__file__).resolve().parents[3] / "docs"
DASHBOARD = DOCS / "grafana" / "tiertwin.json"
DEAD = "edge-harbour"
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}


@pytest.fixture(scope="module")
def seen() -> Seen:
    """A tree as it is seen when one node does not answer."""
    run = started("metro")
    run.run_epoch(0)
    roster = Roster(run.world)
    nodes = [
        RunningNode(
            name=n.name, tier=n.tier, parent=n.parent, process=tier_word(n.tier), port=0 if n.tier < 0 else 5000
        )
        for n in roster.nodes.values()
    ]
    reports = {}
    for name, twin in run.twins.items():
        if roster.is_plant(name) or name == DEAD:
            continue
        table = counter_table(registry())
        notes = {"refused": 3} if name == "edge-centre" else {}
        counts = node_counts(twin, notes, {"R41 banned": 2} if name == "fog-1" else {})
        counts[[c.name for c in TRAVELLING].index("solves_late")] = 7  # of the process, so every node of it says so
        write_counts(table, counts, 1)
        status = status_of(twin, run.now, NodeBook(), ProcessBook(40.0, 9, 1))
        reports[name] = Report(name, status, counts=read_counts(table))
    ages = {1: Ages()}
    for age in (0.01, 0.2, 0.4, 99.0):
        ages[1].add(age)
    looks = [("edge", 11, "running"), ("fog", 12, "stopped")]
    processes = [ProcessSeen(ProcessLook(name, pid, state), 1.5, 2e6) for name, pid, state in looks]
    return Seen(RunningTree(nodes=nodes, processes=[]), reports, processes, ages)


def counted() -> Mapping[str, int]:
    return {"solvers killed": 1, "served": 5, "waiting": 2}


@pytest.fixture(scope="module")
def samples(seen: Seen) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    known = CollectorRegistry(auto_describe=False)
    known.register(TreeCollector(lambda: seen, counted))
    text = generate_latest(known).decode()
    families = list(text_string_to_metric_families(text))
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def of(samples: Mapping[Any, float], name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_what_nodes_said_is_served(samples: Mapping[Any, float], seen: Seen) -> None:
    assert of(samples, "tiertwin_tree_up") == 1
    assert of(samples, "tiertwin_node_up", node="cloud-1", tier="cloud") == 1
    assert of(samples, "tiertwin_node_epoch", node="fog-2", tier="fog") == 0
    assert 0 <= of(samples, "tiertwin_node_certified_gap_ratio", node="cloud-1", tier="cloud") < 1
    assert of(samples, "tiertwin_node_lease_left_seconds", node="edge-centre", tier="edge") > 0
    where = {"node": "fog-1", "tier": "fog", "peer": "cloud-1"}
    assert of(samples, "tiertwin_link_session_state", **where) == 1
    assert of(samples, "tiertwin_link_term", **where) >= 1
    age = of(samples, "tiertwin_link_data_age_seconds", node="edge-centre", tier="edge", peer="device-centre")
    assert 0 < age < 5
    status = seen.reports["fog-1"].status
    assert status is not None
    assert of(samples, "tiertwin_received_frames_total", node="fog-1", tier="fog") == status.frames_in > 0


def test_what_does_not_exist_is_left_out(samples: Mapping[Any, float]) -> None:
    names = {(name, dict(labels).get("node")) for name, labels in samples}
    assert ("tiertwin_node_certified_gap_ratio", "fog-1") not in names
    assert ("tiertwin_node_lease_left_seconds", "cloud-1") not in names
    assert {name for name, node in names if node == DEAD} == {"tiertwin_node_up"}
    assert of(samples, "tiertwin_node_up", node=DEAD, tier="edge") == 0
    assert not any(node is not None and node.startswith("plant-") for _, node in names)


def test_counters_carry_reason_and_rule(samples: Mapping[Any, float]) -> None:
    assert of(samples, "tiertwin_leases_refused_total", node="edge-centre", tier="edge", rule="P6") == 3
    assert of(samples, "tiertwin_leases_refused_total", node="edge-station", tier="edge", rule="P6") == 0
    banned = {"node": "fog-1", "tier": "fog", "rule": "R41", "reason": "banned"}
    assert of(samples, "tiertwin_messages_refused_total", **banned) == 2
    assert of(samples, "tiertwin_ladder_steps_total", node="edge-centre", tier="edge", rule="S2", reason="s2") > 0
    assert of(samples, "tiertwin_solvers_killed_total", process="launcher", rule="R44") == 1
    assert of(samples, "tiertwin_pool_waiting") == 2


def test_counts_of_a_process_are_told_once(samples: Mapping[Any, float]) -> None:
    late = {dict(labels)["process"]: value for (name, labels), value in samples.items() if "solves_late" in name}
    assert late == dict.fromkeys(("device", "edge", "fog", "cloud"), 7)


def test_processes_and_ages(samples: Mapping[Any, float]) -> None:
    assert of(samples, "tiertwin_process_state", process="fog", state="stopped") == 1
    assert of(samples, "tiertwin_process_state", process="fog", state="running") == 0
    assert of(samples, "tiertwin_process_resident_memory_bytes", process="edge") == 2e6
    assert of(samples, "tiertwin_process_cpu_seconds_total", process="edge") == 1.5
    assert of(samples, "tiertwin_data_age_seconds_bucket", tier="edge", le="0.25") == 2
    assert of(samples, "tiertwin_data_age_seconds_bucket", tier="edge", le="0.4") == 3
    assert of(samples, "tiertwin_data_age_seconds_count", tier="edge") == 4
    assert of(samples, "tiertwin_data_age_seconds_sum", tier="edge") == pytest.approx(99.61)


def test_labels_are_few_and_bounded(samples: Mapping[Any, float], seen: Seen) -> None:
    names = {node.name for node in seen.tree.nodes}
    reasons = {c.reason for c in COUNTERS} | {"parent", "children", "solver", "budget"}
    for name, labels in samples:
        held = dict(labels)
        assert set(held) <= {"node", "tier", "peer", "process", "state", "reason", "rule", "le", "version"}, name
        assert held.get("node", "cloud-1") in names
        assert held.get("peer", "cloud-1") in names
        assert held.get("reason", "s2") in reasons
    assert len(samples) < 120 * len(seen.reports)


def test_nothing_is_known_before_the_tree_is_there() -> None:
    known = CollectorRegistry(auto_describe=False)
    known.register(TreeCollector(lambda: None, dict))
    text = generate_latest(known).decode()
    assert "tiertwin_tree_up 0.0" in text
    assert "tiertwin_node_up" not in text


# -- dashboard and documents -------------------------------------------------------------------------------------------
def served(seen: Seen) -> set[str]:
    """Names of all samples there may be, whether something was counted or not."""
    families = list(TreeCollector(lambda: seen, counted).collect())
    return {f.name + suffix for f in families for suffix in SUFFIXES.get(f.type, [""])}


def panels() -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return held


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", [])]


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\btiertwin_\w+", expression))


def test_the_dashboard_is_one() -> None:
    held = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert held["title"]
    assert held["uid"] == "tiertwin-tree"
    assert held["schemaVersion"] >= 39
    ids = [panel["id"] for panel in held["panels"]]
    assert len(ids) == len(set(ids))
    variables = {v["name"]: v for v in held["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["node"]["multi"]
    rows = [panel["title"] for panel in held["panels"] if panel["type"] == "row"]
    assert [row.split(":")[0] for row in rows] == [
        "Tree health",
        "Decisions",
        "Traffic",
        "Refusals by reason",
        "Solver pool",
        "Processes",
    ]


def test_panels_have_a_place_of_their_own_and_the_templated_source() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["targets"], panel["title"]
        for held in (panel, *panel["targets"]):
            assert held["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        letters = [target["refId"] for target in panel["targets"]]
        assert len(letters) == len(set(letters))


def test_every_metric_of_the_dashboard_is_served(seen: Seen) -> None:
    known = served(seen)
    text = DASHBOARD.read_text(encoding="utf-8")
    for expression in expressions():
        found = names_in(expression)
        assert found, expression
        assert found <= known, expression
    for variable in re.findall(r"label_values\((\w+)", text):
        assert variable in known


def test_every_family_of_counters_is_on_the_dashboard() -> None:
    shown = set().union(*map(names_in, expressions()))
    assert {f"tiertwin_{c.family}_total" for c in COUNTERS} <= shown


def test_every_metric_is_in_the_document(seen: Seen) -> None:
    text = (DOCS / "observation.md").read_text(encoding="utf-8")
    counters = {f"tiertwin_{c.family}_total" for c in COUNTERS}
    for family in TreeCollector(lambda: seen, counted).collect():
        name = family.name + {"counter": "_total", "info": "_info"}.get(family.type, "")
        assert name in counters or f"`{name}`" in text, name
    for name in re.findall(r"`(tiertwin_\w+)`", text):
        assert name in served(seen) | {f.name for f in TreeCollector(lambda: seen, counted).collect()}, name


# -- over HTTP ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def server() -> Iterator[MetricsServer]:
    before = threading.active_count()
    with MetricsServer(0) as made:
        yield made
    assert threading.active_count() == before


def port_of(server: MetricsServer) -> int:
    return int(server.url.rsplit(":", 1)[1].split("/")[0])


def get(server: MetricsServer, path: str = "/metrics") -> tuple[int, str, str]:
    link = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read().decode()
    finally:
        link.close()


def test_the_text_is_that_of_prometheus(server: MetricsServer) -> None:
    status, kind, text = get(server)
    assert status == 200
    assert kind.startswith("text/plain")
    assert "tiertwin_tree_up 0.0" in text
    assert get(server, "/")[0] == get(server, "/metrics/x")[0] == 404


def test_who_says_nothing_is_cut_off(server: MetricsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpserver, "REQUEST_S", 0.05)
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=30) as slow:
        slow.sendall(b"GET /metr")
        with contextlib.suppress(ConnectionResetError):
            assert slow.recv(100) == b""
    assert get(server)[0] == 200


def test_one_too_many_at_once_is_hung_up_on(server: MetricsServer) -> None:
    where = ("127.0.0.1", port_of(server))
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_REQUESTS):
            stack.enter_context(socket.create_connection(where, timeout=30)).sendall(b"GET ")
        late = stack.enter_context(socket.create_connection(where, timeout=30))
        with contextlib.suppress(ConnectionResetError):
            assert late.recv(100) == b""
    end = time.monotonic() + 60
    while True:  # those who broke off are noticed one after the other
        with contextlib.suppress(ConnectionError, http.client.HTTPException):
            assert get(server)[0] == 200
            break
        assert time.monotonic() < end


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"--metrics: cannot listen on 127\.0\.0\.1:{port}.*0 takes a free one"):
            MetricsServer(port)


def test_closing_twice_is_harmless() -> None:
    made = MetricsServer(0)
    made.close()
    made.close()
    with pytest.raises(ConnectionRefusedError):
        get(made)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "tiertwin.runtime.exposition")
    monkeypatch.delattr("tiertwin.runtime.exposition")
    with pytest.raises(InputError, match=r"pip install 'tiertwin\[metrics\]'"):
        open_metrics(0)
    with open_metrics(None) as nobody:
        assert nobody is None
