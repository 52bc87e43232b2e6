"""Processes killed, paused and hung under the real clock: the others go on, and agree when it is over (T11, T13, T14).

No duration is asserted. Faults happen between epochs; an epoch is 1 s, and the launcher waits for its end.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from support.facilities import needs
from support.processes import Running, assert_gone, listeners, listening_ports, none_left, open_listeners, until
from support.trees import Live, disagreements, links, live_tree

pytestmark = [pytest.mark.system, pytest.mark.processes]
PAUSE_EPOCHS = 4
SUCCEED = 20  # epochs in which a heal must have happened


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    needs("proc", "pause")
    with live_tree(monkeypatch, tmp_path) as tree:
        yield tree


def all_decide(live: Live, since: int, but: frozenset[str] = frozenset()) -> None:
    """No edge but these missed a control period since then; the last one may still be under way."""
    decided = live.decided(since)
    edges = {name for name in live.run.launcher.home if name.startswith("edge-")} - but
    assert decided.keys() >= edges
    for edge in edges:
        assert set(range(since, live.epoch - 1)) <= decided[edge], edge


def heard(live: Live, what: str, since: int) -> set[str]:
    """Nodes that logged this since then."""
    names = live.run.launcher.plan.roster.names
    return {names[line["node"]] for line in live.records if line["what"] == what and line["heard"] >= since}


def agree(live: Live, since: int) -> None:
    """Wait until both ends of every link hold the same, at numbers that both have seen since then."""
    live.until(lambda: not disagreements(live.folder, since)[0], "every session is live and both ends agree", SUCCEED)
    assert all(link.alarms == 0 for link in links(live.folder).values())


def test_a_killed_process_is_missed_by_its_neighbours_only(live: Live) -> None:
    victim = live.known["edges-1"]
    mine = {name for name, home in live.run.launcher.home.items() if home == "edges-1"}
    began = live.epoch
    (live.folder / "edges-1.dies").touch()  # it stays away
    victim.signal(signal.SIGKILL)
    live.until(lambda: any("edges-1" in news for news in live.news), "the loss is told")
    live.epochs(5)
    told = next(news for news in live.news if "process edges-1" in news)
    assert f"(pid {victim.pid}) was ended by SIGKILL" in told
    assert "last lines of" in told
    assert '"process":"edges-1"' in told
    parents = {t.parent for t in live.run.world.twins if t.name in mine}
    gateways = {t.name for t in live.run.world.twins if t.parent in mine}
    assert heard(live, "lost", began) == parents | gateways
    assert heard(live, "local_policy", began) >= gateways  # their lease lapsed, they do by themselves
    all_decide(live, began, frozenset(mine))
    others = {p for p in live.known if p != "edges-1"}
    assert all(live.known[name].alive for name in others)
    wrong, compared = disagreements(live.folder, time.time_ns() - 2_000_000_000)
    assert compared
    assert [text for text in wrong if not any(name in text for name in mine)] == []


def test_a_paused_fog_comes_back_and_obeys_the_newest(live: Live) -> None:
    began = live.epoch
    children = {t.name for t in live.run.world.twins if t.parent == "fog-2"}
    live.known["fogs-2"].pause()
    live.epochs(PAUSE_EPOCHS)
    live.until(lambda: heard(live, "local_policy", began) >= children, "its children decide by themselves")
    live.known["fogs-2"].signal(signal.SIGCONT)
    healed = time.time_ns()
    agree(live, healed)
    live.until(lambda: heard(live, "under_lease", began) >= children, "its children are under its lease again")
    assert heard(live, "lost", began) >= children | {"cloud-1"}
    all_decide(live, began)
    assert any("nothing of epoch" in news and "fogs-2" in news for news in live.news)
    assert not any("started again" in news for news in live.news)  # it is no dead one
    assert any(news.startswith("silence") and "fog-2 is lost to" in news for news in live.news)
    for (node, peer), link in links(live.folder).items():
        if peer == "fog-2" and node in children:
            assert link.terms == sorted(link.terms)  # never a lower authority (P6)
            assert link.terms[-1] > link.terms[0]


def test_a_hung_loop_is_seen_though_its_connections_stand(live: Live) -> None:
    """The thread that works stands still, libzmq's own does not: only silence tells (T14)."""
    began = live.epoch
    children = {t.name for t in live.run.world.twins if t.parent == "fog-3"}
    ports = listening_ports(live.known["fogs-3"])
    live.known["fogs-3"].signal(signal.SIGUSR2)
    live.until(lambda: heard(live, "lost", began) >= children, "its children notice")
    assert live.known["fogs-3"].alive
    agree(live, time.time_ns())
    assert listening_ports(live.known["fogs-3"]) == ports
    all_decide(live, began)
    # ZMTP's heartbeats were answered: no connection ended before the twins gave it up
    lost = [line for line in live.records if line["what"] == "lost" and line["heard"] >= began]
    assert {line["peer"] for line in lost} >= {"fog-3"}


def test_a_paused_plant_costs_epochs_not_the_run(live: Live) -> None:
    """As on a machine that is too busy for it: what it slept through has no figures, and everything goes on after."""
    plant = live.known["plant"]
    plant.pause()
    waker = subprocess.Popen(["/bin/sh", "-c", f"sleep {PAUSE_EPOCHS}; kill -CONT {plant.pid}"])
    live.epochs(2 * PAUSE_EPOCHS)
    assert waker.wait(60) == 0
    slept = [news for news in live.news if "the plant slept through it" in news]
    assert slept
    live.until(lambda: live.run.plant_books() is not None, "the plant's books come again")
    agree(live, time.time_ns())
    all_decide(live, 2)


def test_solvers_killed_and_paused(live: Live) -> None:
    began = live.epoch
    first = live.known["solver-1"]
    first.signal(signal.SIGKILL)
    live.until(lambda: any("process solver-1 is back" in news for news in live.news), "a new solver is there")
    assert live.known["solver-1"] != first
    assert any(f"process solver-1 (pid {first.pid}) was ended by SIGKILL" in news for news in live.news)
    paused = [live.known[name] for name in ("solver-1", "solver-2")]
    for solver in paused:
        solver.pause()
    greedy = steps(live, 6)
    live.until(lambda: not any(solver.alive for solver in paused), "hanging solvers are killed")
    assert steps(live, 6) > greedy  # S6 answered meanwhile
    assert {f"{name} did not answer in time and was killed" for name in ("solver-1", "solver-2")} <= set(live.news)
    optimal = steps(live, 2)
    live.until(lambda: steps(live, 2) > optimal, "the new solvers answer")
    all_decide(live, began)
    assert heard(live, "lost", began) == set()  # no twin was any the worse
    assert heard(live, "local_policy", began) == set()


def steps(live: Live, step: int) -> int:
    """How often a step of the ladder gave a fog's or the cloud's answer."""
    return sum(seen.steps.get(step, 0) for seen in live.seen[-1].inners.values())


# ------------------------------------------------------------------------------------------------- without the plant
def test_a_run_without_its_plant_ends_and_keeps_what_it_has(tmp_path: Path) -> None:
    needs("proc")
    words = ("run", "metro", "--epochs", "600", "--policy", "hierarchical", "--no-watch", "--clock", "real")
    with Running(tmp_path, *words, "--processes", "device=1,edge=1,fog=1") as running:
        running.wait_for_epoch(2)
        held = running.children()
        running.child("plant").signal(signal.SIGKILL)
        assert running.wait() == 2
        assert_gone(held)
        assert "Traceback" not in running.stderr
        assert "the plant said nothing (its process is gone)" in running.stderr
        assert f"tiertwin report {running.run}" in running.stderr
        kept = msgspec.json.decode((running.run / "result.json").read_bytes())
        assert kept["policies"]["hierarchical"]["utility_mean"] is not None
    done = subprocess.run(
        [sys.executable, "-m", "tiertwin", "report", str(running.run)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------------------------- without a launcher
def test_twins_outlive_their_launcher(tmp_path: Path) -> None:
    needs("proc")
    words = ("run", "metro", "--epochs", "600", "--policy", "hierarchical", "--no-watch", "--clock", "real")
    with Running(tmp_path, *words, "--processes", "device=1,edge=1,fog=1") as running:
        running.wait_for_epoch(1)
        held = running.children()
        names = {child.name: child for child in held}
        twins = [child for name, child in names.items() if not name.startswith(("solver", "store"))]
        logs = {child.pid: child.log for child in held}
        with none_left(held):
            running.known.signal(signal.SIGKILL)
            assert running.wait() == -signal.SIGKILL
            assert_gone([child for child in held if child not in twins])  # solvers and store were the launcher's
            for twin in twins:
                until(lambda t=twin: "launcher gone" in logs[t.pid].read_text(), f"{logs[twin.pid]} says so")
            last = max(int(e) for e in re.findall(rb'"epoch":(\d+)', (running.run / "events.jsonl").read_bytes()))
            three_more = time.time() + 3
            until(lambda: time.time() > three_more, "three epochs go by")
            assert all(twin.alive for twin in twins)
            listening = {one for twin in twins for one in listeners(twin)}
            for twin in twins:
                twin.signal(signal.SIGTERM)
            assert_gone(twins)
            assert listening
            assert not listening & open_listeners()
            for twin in twins:
                end = msgspec.json.decode(logs[twin.pid].read_bytes().splitlines()[-1])
                assert end["event"] == "stopped"
                assert "Traceback" not in logs[twin.pid].read_text()
            states = [msgspec.json.decode(path.read_bytes()) for path in (running.run / "state").glob("*.state")]
            assert {state["node"] for state in states} >= {"cloud-1", "fog-1", "edge-centre", "device-centre"}
            assert all(state["epoch"] >= last + 2 for state in states)  # they went on
