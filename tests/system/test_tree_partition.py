"""A cable is cut between edges and fogs, both ways and each one way, in namespaces of the test's own, and healed (T15).

To the tree one way is as bad as both: an end that hears nothing gives the session up and says so, or closes the
connection; none may go on as if its word still arrived.
"""

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
@pytest.mark.parametrize("way", ["both", "up", "down"])
def test_both_sides_go_on_and_agree_after_the_heal(tmp_path: Path, way: str) -> None:
    needs("netns", "proc", *(["oneway"] if way != "both" else []))
    with namespaces("part") as pair:
        inside = (shutil.which("ip") or "ip", "netns", "exec", pair.near)
        command = [*inside, sys.executable, str(SCRIPT), str(tmp_path), pair.far, pair.device, pair.near_address, way]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["crossing"] == 14
    assert set(seen["down"]) | set(seen["above"]) <= {"lost", "new"}  # noticed at both ends; new: HELLO without answer
    assert "lost" in seen["down"]
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
