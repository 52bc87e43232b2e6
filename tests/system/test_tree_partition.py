"""A cable is cut between edges and fogs, in network namespaces of the test's own, and healed (short form of T15)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from support.facilities import namespaces, needs

pytestmark = [pytest.mark.system, pytest.mark.processes]
SCRIPT = Path(__file__).parents[1] / "support" / "partitioned.py"


@pytest.mark.timeout(240)
def test_both_sides_go_on_and_agree_after_the_heal(tmp_path: Path) -> None:
    needs("netns", "proc")
    with namespaces("part") as pair:
        inside = (shutil.which("ip") or "ip", "netns", "exec", pair.near)
        command = [*inside, sys.executable, str(SCRIPT), str(tmp_path), pair.far, pair.device, pair.near_address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["crossing"] == 14
    assert set(seen["down"]) == {"lost"}  # the silence was noticed
    # nobody missed a control period: first under the lease, then under the local policy
    began, ended = seen["epochs"]
    for edge, decided in seen["decided"].items():
        assert set(range(began, ended - 1)) <= set(decided), edge
    assert {"lost", "local_policy", "under_lease"} <= set(seen["said"])
    # after the heal both ends hold the same, at every number that both have seen
    assert seen["wrong"] == []
    assert seen["compared"] >= 2 * 14
    before, after = seen["local"]
    assert after == before  # under leases again
    # a new session, a higher authority, never a lower one
    for terms in seen["terms"].values():
        assert all(a <= b for a, b in pairwise(terms))
        assert terms[-1] > 1
    assert any("fog-1 is lost to" in news for news in seen["news"])
