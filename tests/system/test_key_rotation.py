"""Keys of a running tree are changed and nobody restarts; a revoked node is out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from support.nodes import events, kill_holders, started, wait_for
from tiertwin.runtime.audit import verify
from tiertwin.wire.access import Access
from tiertwin.wire.rotation import retire, revoke, rotate

pytestmark = [pytest.mark.system, pytest.mark.processes, pytest.mark.timeout(240)]
RUN = ("run", "metro", "--epochs", "500", "--clock", "real", "--policy", "hierarchical", "--no-watch", "--out", "run")
CHANGED = ("edge-centre", "fog-1", "cloud-1")  # a child, who is both, and a parent


def audits(run: Path, event: str, who: str) -> list[dict[str, Any]]:
    """What the processes wrote of a node at their doors."""
    lines = [line for path in (run / "state").glob("*.audit.jsonl") for line in path.read_text().splitlines()]
    return [line for line in map(json.loads, lines) if (line["event"], line.get("who")) == (event, who)]


def under_lease(logs: list[Path]) -> dict[str, bool]:
    """Whether each node that ever decided is under a lease, by what it said last."""
    told = [line for log in logs for line in events(log, "twin")]
    sides = [line for line in told if line.get("what") in ("local_policy", "under_lease")]
    return {line["node"]: line["what"] == "under_lease" for line in sorted(sides, key=lambda line: line["time"])}


def test_keys_are_changed_under_way_and_a_revoked_node_is_out(tmp_path: Path) -> None:
    run = tmp_path / "run"
    keys = run / "keys"
    with started(*RUN, log=tmp_path / "run.log", cwd=tmp_path):
        try:
            wait_for(lambda: events(run / "logs" / "cloud.log", "twin"), "a decision of the cloud")
            old = {node: Access.read(keys / "access.json").public_of(node) for node in CHANGED}
            made = {key.node: key.public for key in rotate(keys, CHANGED, time.time(), 30)}
            logs = list((run / "logs").glob("*.log"))
            wait_for(
                lambda: {line["node"] for log in logs for line in events(log, "key changed")} == set(CHANGED),
                "the processes to take their new keys",
            )

            def in_by_new_key(node: str) -> bool:
                return any(made[node][:8] in line["reason"] for line in audits(run, "admitted", node))

            wait_for(lambda: in_by_new_key("edge-centre") and in_by_new_key("fog-1"), "links with the new keys")
            gone = retire(keys, CHANGED)
            assert sorted(public.encode() for public in gone) == sorted(key for key in old.values() if key is not None)
            wait_for(lambda: len(audits(run, "table", "edge-centre")) >= 2, "the table without the old keys")
            lives = len(events(run / "logs" / "fogs-1.log", "twin"))
            wait_for(lambda: len(events(run / "logs" / "fogs-1.log", "twin")) > lives + 3, "decisions after the change")
            assert not any(events(log, "broke") for log in logs)
            wait_for(lambda: all(under_lease(logs).values()), "everybody under a lease")

            revoke(keys, ["edge-station"])
            wait_for(lambda: audits(run, "table", "edge-station"), "the table without the revoked node")
            wait_for(
                lambda: any(
                    line.get("counted", {}).get("R29 unknown key") or "edge-station" in str(line)
                    for log in logs
                    for line in events(log, "refused") + events(log, "session dead")
                ),
                "the revoked node to be refused or given up",
            )
        finally:
            kill_holders(run / "state")
    for path in (run / "state").glob("*.audit.jsonl"):
        assert verify(path, "0" * 64)[0] > 0
