"""Processes of twins that are lost come back by themselves under the real clock, or are given up in so many words (R6).

No duration is asserted. An epoch is 1 s; the launcher, which is in this process, does nothing between epochs.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from support.facilities import needs
from support.nodes import events, started
from support.processes import listening_ports, until
from support.trees import Live, disagreements, links, live_tree
from tiertwin.runtime.deployment import DEPLOYMENT_FILE, RunningProcess, read_deployment
from tiertwin.runtime.examine import examine
from tiertwin.runtime.supervisor import RESTARTS

pytestmark = [pytest.mark.system, pytest.mark.processes]
SUCCEED = 30  # epochs in which it must have come back, or be given up


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    needs("proc", "pause")
    with live_tree(monkeypatch, tmp_path) as tree:
        yield tree


def nodes_of(live: Live, process: str) -> set[str]:
    return {name for name, home in live.run.launcher.home.items() if home == process}


def incarnations(live: Live, process: str) -> dict[str, int]:
    folder = live.run.launcher.plan.folder / "state"
    states = {name: msgspec.json.decode((folder / f"{name}.state").read_bytes()) for name in nodes_of(live, process)}
    return {name: state["incarnation"] for name, state in states.items()}


def registered(live: Live) -> dict[str, RunningProcess]:
    """What the run directory says of the processes; every one that there ever was must be there."""
    running = read_deployment(live.run.launcher.plan.folder / DEPLOYMENT_FILE).running
    assert {process.name for process in running} == {"launcher", *live.known}
    return {process.name: process for process in running}


def kill(live: Live, *names: str) -> None:
    """Kill processes between two epochs."""
    for name in names:
        live.known[name].signal(signal.SIGKILL)
    for name in names:
        until(lambda name=name: not live.known[name].alive, f"{name} is gone")


def bound(taken: socket.socket, port: int) -> bool:
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def told(live: Live, what: str) -> list[str]:
    return [news for news in live.news if what in news]


def decide(live: Live, names: set[str], since: int) -> bool:
    """Whether each of these decided an epoch from then on."""
    known = live.run.launcher.plan.roster.names
    lines = [line for line in live.records if line["what"] == "decision" and line["epoch"] >= since]
    return names <= {known[line["node"]] for line in lines}


@pytest.mark.parametrize("victims", [("edges-1",), ("fogs-2",), ("edges-2", "fogs-1")])
def test_killed_processes_come_back_by_themselves(live: Live, victims: tuple[str, ...]) -> None:
    before, ports = dict(live.known), {name: listening_ports(live.known[name]) for name in victims}
    mine = set().union(*(nodes_of(live, name) for name in victims))
    began = live.epoch
    kill(live, *victims)
    live.until(lambda: all(told(live, f"process {name} is back") for name in victims), "they are told to be back")
    back = live.epoch
    live.until(lambda: decide(live, mine, back), "they decide again")
    live.until(lambda: not disagreements(live.folder, time.time_ns() - 3 * 10**9)[0], "all sessions agree", SUCCEED)

    for name in victims:
        (loss,) = told(live, f"process {name} (pid {before[name].pid}) was ended by SIGKILL")
        assert "last lines of" in loss
        assert told(live, f"process {name} is started again in")
        assert told(live, f"process {name} is back (pid {live.known[name].pid}, restart 1)")
        assert listening_ports(live.known[name]) == ports[name]
        assert set(incarnations(live, name).values()) == {2}
        process = registered(live)[name]
        assert (process.pid, process.began) == (live.known[name].pid, live.known[name].start)
    others = before.keys() - set(victims)
    assert {name: live.known[name] for name in others} == {name: before[name] for name in others}  # one for one
    assert all(set(incarnations(live, name).values()) == {1} for name in others if "solver" not in name)
    touched = {name: link for name, link in links(live.folder).items() if mine & set(name)}
    assert touched
    for (node, _), link in touched.items():
        assert link.terms[-1] >= 2  # a new session has a higher authority
        assert node in mine or link.terms == sorted(link.terms)
        assert link.alarms == 0
    assert live.run.launcher.counted()["processes lost"] == len(victims)
    assert live.run.launcher.counted()["processes started again"] == len(victims)
    lost = {line["node"] for line in live.records if line["what"] == "lost" and line["heard"] >= began}
    names = live.run.launcher.plan.roster.names
    neighbours = {t.parent for t in live.run.world.twins if t.name in mine}
    neighbours |= {t.name for t in live.run.world.twins if t.parent in mine}
    assert {names[node] for node in lost} - mine <= neighbours  # nobody else noticed


def test_one_that_dies_at_every_start_is_given_up_and_the_run_goes_on(live: Live) -> None:
    mine = nodes_of(live, "edges-1")
    gateways = {t.name for t in live.run.world.twins if t.parent in mine}
    (live.folder / "edges-1.dies").touch()
    began = live.epoch
    kill(live, "edges-1")
    live.until(lambda: told(live, "edges-1 is degraded"), "it is given up", SUCCEED)
    assert len(told(live, "process edges-1 is started again in")) == RESTARTS
    assert not told(live, "is back")
    assert dict.fromkeys(mine, 1) == incarnations(live, "edges-1")
    given_up = live.epoch
    live.epochs(3)
    assert not told(live, "edges-1")[-1].startswith("process edges-1 is started")
    edges = {t.name for t in live.run.world.twins if t.tier == 1} - mine
    assert decide(live, edges, given_up)  # the others go on
    names = live.run.launcher.plan.roster.names
    assert gateways <= {
        names[line["node"]] for line in live.records if line["what"] == "local_policy" and line["heard"] >= began
    }
    why = registered(live)["edges-1"].degraded
    assert why == f"it was started again {RESTARTS} times within 60 s and ended each time"
    folder = live.run.launcher.plan.folder
    log = events(folder / "logs" / "launcher.log", "degraded")
    assert [(line["child"], line["reason"], line["level"]) for line in log] == [("edges-1", why, "error")]
    findings = {finding.kind: finding for finding in examine(folder).diagnosis.findings}
    assert set(findings["degraded"].facts["nodes"]) == mine
    assert f"The launcher does not start it again: {why}" in findings["degraded"].text
    assert live.run.launcher.counted()["processes degraded"] == 1
    # a solver that is replaced later takes nobody off the list
    solver = live.known["solver-1"]
    solver.signal(signal.SIGKILL)
    live.until(lambda: told(live, "process solver-1 is back"), "a new solver", SUCCEED)
    assert registered(live)["edges-1"].degraded == why
    assert registered(live)["solver-1"].pid == live.known["solver-1"].pid != solver.pid


def test_a_port_that_is_taken_is_told_and_tried_again(live: Live) -> None:
    port = live.run.launcher.addresses["fog-2"].port
    kill(live, "fogs-2")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        until(lambda: bound(taken, port), "the killed process lets go of its port")
        taken.listen()
        live.until(lambda: told(live, f"could not listen on tcp://127.0.0.1:{port}"), "the port is named")
    live.until(lambda: told(live, "process fogs-2 is back"), "it is back", SUCCEED)
    assert listening_ports(live.known["fogs-2"]) == {port}


def test_a_place_that_a_person_took_is_not_fought_for(live: Live, tmp_path: Path) -> None:
    folder = live.run.launcher.plan.folder
    mine = nodes_of(live, "edges-1")
    kill(live, "edges-1")
    words = ("node", "--process", "edges-1", "--deployment", str(folder / DEPLOYMENT_FILE))
    with started(*words, log=tmp_path / "node.log", cwd=tmp_path) as again:
        again.wait_event("live")
        live.until(lambda: told(live, "edges-1 is degraded"), "it is given up", SUCCEED)
        assert f"runs already, in the process with pid {again.pid}" in told(live, "edges-1 is degraded")[0]
        assert len(told(live, "process edges-1 is started again in")) == 1
        live.epochs(3)
        assert not told(live, "is back")
        assert incarnations(live, "edges-1") == dict.fromkeys(mine, 2)  # its own, and nobody came after it
        live.until(lambda: len(events(again.log, "session live")) >= len(mine), "neighbours serve it")
        again.send(signal.SIGTERM)
        assert again.code() == 0


def test_one_that_was_asked_to_end_stays_away(live: Live) -> None:
    victim = live.known["edges-2"]
    victim.signal(signal.SIGTERM)
    until(lambda: not victim.alive, "it ends")
    live.until(lambda: told(live, "edges-2 is degraded"), "it is told")
    live.epochs(2)
    assert "somebody asked it to end (SIGTERM)" in told(live, "edges-2 is degraded")[0]
    assert not told(live, "is started again in")
    assert incarnations(live, "edges-2") == dict.fromkeys(nodes_of(live, "edges-2"), 1)


def test_one_that_is_paused_is_not_dead(live: Live) -> None:
    victim = live.known["edges-2"]
    victim.pause()
    live.epochs(4)
    assert victim.state == "T"
    assert live.known["edges-2"] == victim
    victim.signal(signal.SIGCONT)
    live.until(lambda: not disagreements(live.folder, time.time_ns() - 3 * 10**9)[0], "all sessions agree", SUCCEED)
    assert not told(live, "started again")
    assert incarnations(live, "edges-2") == dict.fromkeys(nodes_of(live, "edges-2"), 1)
