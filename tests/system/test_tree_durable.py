"""A tree whose twins keep logs: kills lose nothing that was acknowledged; faults of disks are local.

No duration is asserted. The whole of it: ``python tests/long/kills.py``.
"""

from __future__ import annotations

import datetime
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.facilities import needs
from support.processes import until
from support.treekills import Promises, Tail, cycles
from support.trees import Live, disagreements, links, live_tree
from tiertwin import _core
from tiertwin.runtime import supervisor
from tiertwin.runtime.examine import examine

pytestmark = [pytest.mark.system, pytest.mark.processes]
TIERS = {
    "device": ("gateways",),
    "edge": ("edges-1", "edges-2"),
    "fog": ("fogs-1", "fogs-2", "fogs-3"),
    "cloud": ("cloud",),
}
KILLS = 20


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    needs("proc")
    monkeypatch.setattr(supervisor, "RESTARTS", 10_000)  # the limit is not what is looked at here
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", supervisor.FIRST_PAUSE_S)
    with live_tree(monkeypatch, tmp_path, durable=True) as tree:
        yield tree


@pytest.mark.timeout(600)
@pytest.mark.parametrize("tier", TIERS)
def test_twenty_kills_of_a_tier_lose_nothing_that_was_acknowledged(live: Live, tier: str) -> None:
    names = TIERS[tier]
    found = cycles(live, [(names[k % len(names)],) for k in range(KILLS)], seed=11)
    assert found.lost == []
    assert found.kills == KILLS
    assert found.resumed >= KILLS
    assert found.compared > 0
    assert not [line for line in found.told if "refused" in line]
    began = time.time_ns()
    live.until(lambda: not disagreements(live.folder, max(began, time.time_ns() - 3 * 10**9))[0], "all sessions agree")
    assert {link.alarms for link in links(live.folder).values()} == {0}


def test_a_parent_and_its_child_killed_together_lose_nothing(live: Live) -> None:
    found = cycles(live, [("fogs-1", "edges-1"), ("cloud", "fogs-2"), ("gateways", "edges-2")] * 2, seed=12)
    assert found.lost == []
    assert found.compared > 0


# ------------------------------------------------------------------------------------------------------------ disks
def children_of(live: Live, node: str) -> set[str]:
    return {twin.name for twin in live.run.world.twins if twin.parent == node}


def newest(live: Live, peer: str, nodes: set[str]) -> dict[str, dict[str, Any]]:
    """What these nodes last wrote of their session with `peer`."""
    lines = sorted(Tail(live.folder, "*.jsonl").lines(), key=lambda line: line["at"])
    return {line["node"]: line for line in lines if line["peer"] == peer and line["node"] in nodes}


def logged(live: Live, event: str, node: str) -> list[dict[str, Any]]:
    lines = Tail(live.run.launcher.plan.folder / "logs", "*.log").lines()
    return [line for line in lines if line["event"] == event and line.get("node") == node]


def test_a_full_disk_stops_acknowledging_and_nothing_else(live: Live) -> None:
    """T20: no room for a fog's log; its neighbours hear of it, edges decide on, and it goes on when there is room."""
    below = children_of(live, "fog-1")
    full = live.folder / "fog-1.full"
    full.touch()
    live.until(lambda: logged(live, "degraded", "fog-1"), "fog-1 says that its disk is full")
    live.until(lambda: {n["health"] for n in newest(live, "fog-1", below).values()} == {2}, "its edges hear of it")
    held = {name: line["durable"][1] for name, line in newest(live, "fog-1", below).items()}
    sent = {name: line["out"][1] for name, line in newest(live, "fog-1", below).items()}
    began = live.epoch
    live.epochs(3)
    later = newest(live, "fog-1", below)
    assert {name: line["durable"][1] for name, line in later.items()} == held
    assert all(line["out"][1] > sent[name] for name, line in later.items())  # they go on telling it
    assert all(live.decided(began).get(name) for name in below)
    found = {finding.kind: finding for finding in examine(live.run.launcher.plan.folder).diagnosis.findings}
    assert found["disk"].facts["nodes"] == ["fog-1"]
    full.unlink()
    live.until(lambda: logged(live, "disk back", "fog-1"), "there is room again")
    live.until(
        lambda: all(n["durable"][1] > held[name] for name, n in newest(live, "fog-1", below).items()),
        "it acknowledges again",
    )
    live.until(lambda: {n["health"] for n in newest(live, "fog-1", below).values()} == {1}, "and is well")
    assert live.run.launcher.counted().get("processes lost", 0) == 0


def test_a_sync_that_fails_ends_the_process_and_nothing_is_lost(live: Live) -> None:
    """T20: EIO; R47."""
    node = sorted(children_of(live, "fog-1"))[0]
    home = live.run.launcher.home[node]
    promises = Promises(live)
    (live.folder / f"{node}.eio").touch()
    live.until(lambda: logged(live, "log resumed", node), f"{node} comes back")
    lines = Tail(live.run.launcher.plan.folder / "logs", f"{home}.log").lines()
    (lost,) = [line for line in lines if line["event"] == "disk lost"]
    assert "input/output error" in lost["reason"]
    (resumed, *_) = logged(live, "log resumed", node)
    at = datetime.datetime.fromisoformat(lost["time"]).timestamp() * 1e9
    for (child, parent, stream), level in promises.until(int(at)).items():
        if parent == node and level:
            assert resumed["children"][child][0] == stream
            assert resumed["children"][child][1] >= level
    assert [news for news in live.news if f"process {home}" in news and "back" in news]


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "another's"])
def test_a_damaged_log_is_cut_or_put_aside_in_so_many_words(live: Live, damage: str) -> None:
    """T21: never silently; in the end all agree again."""
    node, other = sorted(children_of(live, "fog-2"))[:2]
    home = live.run.launcher.home[node]
    live.epochs(2)
    live.known[home].signal(signal.SIGKILL)  # the launcher starts nobody between two epochs
    until(lambda: not live.known[home].alive, "it is gone")
    spoil(live.run.launcher.plan.folder / "state", node, other, damage)
    live.until(lambda: [n for n in live.news if f"process {home} is back" in n], f"{home} is back")
    live.until(lambda: logged(live, "log", node), "what was found is told")
    folder = live.run.launcher.plan.folder / "state" / f"{node}.log"
    aside = sorted(path.name for path in folder.glob("*.quarantine"))
    assert bool(aside) == (damage != "torn")
    assert bool(logged(live, "log resumed", node)) == (damage == "torn")
    live.until(lambda: not disagreements(live.folder, time.time_ns() - 3 * 10**9)[0], "all sessions agree")


def spoil(state: Path, node: str, other: str, damage: str) -> None:
    """Do to a log what T21 says."""
    segment = sorted((state / f"{node}.log").glob("*.log"))[-1]
    content = bytearray(segment.read_bytes())
    used = len(bytes(content).rstrip(b"\0"))
    if damage == "torn":
        _, (_, end) = _core.log_records(content)
        content[end : end + 100] = b"\x55" * 100
    elif damage == "flipped":
        content[used // 2] ^= 4
    elif damage == "empty":
        content.clear()
    else:
        content = bytearray(sorted((state / f"{other}.log").glob("*.log"))[-1].read_bytes())
    segment.write_bytes(content)
