"""A message that never ends, sent by an admitted peer, costs its parent one restart and no more (R42, P10)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.facilities import needs
from support.trees import live_tree
from tiertwin.runtime.ceiling import ALLOWED_MB, MEMORY_EXIT

pytestmark = [pytest.mark.system, pytest.mark.processes]
ENDLESS = Path(__file__).parents[1] / "support" / "endless.py"
VICTIM = "cloud"


@pytest.mark.timeout(300)
def test_a_message_that_never_ends_ends_at_the_ceiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("proc")
    with live_tree(monkeypatch, tmp_path, {"device": 1, "edge": 1, "fog": 1, "cloud": 1}) as live:
        launcher = live.run.launcher
        keys, root = launcher.keys.keys, next(twin.name for twin in live.run.world.twins if twin.parent is None)
        target = {
            "port": launcher.addresses[root].port,
            "secret": keys["fog-1"].pair.secret.decode(),
            "public": keys["fog-1"].pair.public.decode(),
            "server": keys[root].pair.public.decode(),
            "mebibytes": int(ALLOWED_MB * 1.5),
        }
        before = live.known[VICTIM].pid
        with subprocess.Popen(
            [sys.executable, str(ENDLESS), json.dumps(target)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as attacker:
            try:
                live.until(lambda: any(f"process {VICTIM} is back" in news for news in live.news), "it is back", 90)
            finally:
                attacker.send_signal(signal.SIGKILL)
        assert any(f"(pid {before}) ended with exit code {MEMORY_EXIT}" in news for news in live.news), live.news
        assert live.known[VICTIM].pid != before
        began = live.epoch
        live.until(lambda: any(_decides(line, began) for line in live.records), "it decides again")
        (told,) = [json.loads(line) for line in live.logs().splitlines() if '"memory ceiling"' in line]
        assert told["resident_mb"] > told["began_mb"] + ALLOWED_MB
        assert launcher.counted()["processes lost"] == 1  # nobody else noticed


def _decides(line: dict[str, object], since: int) -> bool:
    return line["what"] == "bounds" and int(str(line["epoch"])) >= since
