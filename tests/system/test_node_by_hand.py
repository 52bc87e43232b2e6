"""A process of a running tree is ended and started again by hand: its nodes come back as their next lives."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from support.deployments import free_range
from support.inprocess import world_of
from support.nodes import alive, events, holder, kill_holders, started, wait_for
from tiertwin.runtime.deployment import read_deployment
from tiertwin.runtime.roster import Roster

pytestmark = pytest.mark.system
RUN = (
    "run",
    "metro.yaml",
    "--epochs",
    "500",
    "--clock",
    "real",
    "--policy",
    "hierarchical",
    "--no-watch",
    "--out",
    "run",
)
ENDED = "edges-2"


def metro_on_ports(path: Path, first: int) -> None:
    """`metro` as a tree of processes of its own choice, on fixed ports."""
    deployment: dict[str, Any] = {"processes": {"device": 1, "edge": 2, "fog": 1}, "solvers": 1, "first_port": first}
    deployment["hosts"] = {ENDED: "127.0.0.2"}  # as good as another host
    scenario = world_of("metro").scenario.model_dump(mode="json", exclude_none=True)
    path.write_text(json.dumps(scenario | {"deployment": deployment}))


def digests(logs: list[Path]) -> dict[tuple[str, str], dict[str, Any]]:
    """What each end of a session told of it, by (node, peer)."""
    return {(line["node"], line["peer"]): line for log in logs for line in events(log, "session digests")}


def test_a_process_that_was_asked_to_end_comes_back_by_hand(tmp_path: Path) -> None:
    run = tmp_path / "run"
    roster = Roster(world_of("metro"))
    first = free_range(1 + len(roster.names))
    metro_on_ports(tmp_path / "metro.yaml", first)
    with started(*RUN, log=tmp_path / "run.log", cwd=tmp_path) as tree:
        try:
            wait_for(lambda: events(run / "logs" / "cloud.log", "twin"), "a decision of the cloud")
            deployment = read_deployment(run / "deployment.json")
            nodes = deployment.nodes_of(ENDED)
            assert {place.process for place in deployment.nodes} == {
                "plant",
                "gateways",
                "edges-1",
                ENDED,
                "fogs",
                "cloud",
            }
            listening = {place.name: place.port for place in deployment.nodes if place.port}
            assert listening == {name: first + 1 + roster.index(name) for name in listening}
            assert {place.host for place in deployment.nodes if place.process == ENDED} == {"127.0.0.2"}
            assert deployment.pool is not None
            assert deployment.pool.port == first
            pid = holder(run / "state", nodes[0])
            os.kill(pid, signal.SIGTERM)  # asked to end, the launcher does not start it again
            wait_for(lambda: not alive(pid), "the end of the process")
            log = tmp_path / "node.log"
            words = ("node", "--process", ENDED, "--deployment", str(run / "deployment.json"), "--health", "0")
            with started(*words, log=log, cwd=tmp_path) as again:
                lives = again.wait_event("session live", 2 * len(nodes))  # to the fog, and from the gateway
                again.wait_event("session digests", 2 * len(nodes))
                assert {line["node"] for line in lives} == set(nodes)
                assert {line["incarnation"] for line in lives} == {2}
                live = again.wait_event("live")[0]
                assert live["ports"] == {name: listening[name] for name in nodes}
                pairs = {(line["node"], line["peer"]) for line in lives}
                others = [path for path in (run / "logs").glob("*.log") if path.stem != ENDED]
                wait_for(lambda: {(b, a) for a, b in pairs} <= set(digests(others)), "what the other ends told")
                compare(digests([log]), digests(others), pairs)
                again.wait_event("twin")  # it decides
                port = again.wait_event("health")[0]["port"]
                wait_for(lambda: probe(port, "readyz")["ready"], "all its nodes to have their parents")
                said = probe(port, "healthz")
                assert (said["process"], said["nodes"], said["waiting"]) == (ENDED, len(nodes), [])
                again.send(signal.SIGTERM)
                assert again.code() == 0
                assert again.wait_event("stopped")
            assert "Traceback" not in log.read_text()
            tree.send(signal.SIGINT)
            assert tree.code() == 130
            assert f"process {ENDED} (pid {pid}) ended with exit code 0" in tree.log.read_text()
            assert f"process {ENDED} is degraded, and not started again: somebody asked it to" in tree.log.read_text()
            assert [path.name for path in (run / "state").glob("*.lock") if holder(path.parent, path.stem)] == []
        finally:
            kill_holders(run / "state")


def probe(port: int, what: str) -> dict[str, Any]:
    """What the process says of itself, whatever the status."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/{what}", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
    except HTTPError as refused:
        found = json.load(refused)
    return found


def compare(
    here: dict[tuple[str, str], dict[str, Any]],
    there: dict[tuple[str, str], dict[str, Any]],
    pairs: set[tuple[str, str]],
) -> None:
    """At equal numbers both ends of a session hold the same tables, and neither ever found otherwise."""
    met = 0
    for node, peer in sorted(pairs):
        ours, theirs = here[node, peer], there[peer, node]
        assert (ours["alarms"], theirs["alarms"]) == (0, 0)
        for sent, received in ((ours["out"], theirs["in"]), (theirs["out"], ours["in"])):
            common = set(sent) & set(received)
            met += bool(common)
            assert {number: sent[number] for number in common} == {number: received[number] for number in common}
    assert met >= len(pairs), "hardly a number that both ends told of"
