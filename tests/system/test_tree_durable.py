"""A tree whose twins keep logs: kills lose nothing that was acknowledged; faults of disks are local.

No duration is asserted. The whole of it: ``python tests/long/kills.py``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.facilities import needs
from support.treekills import cycles
from support.trees import Live, disagreements, links, live_tree
from tiertwin.runtime import supervisor

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
