"""Lines of the event log and of a process's own log say whose they are, whatever a record holds."""

from __future__ import annotations

import json

import pytest

from support.inprocess import world_of
from tiertwin.runtime import logs
from tiertwin.runtime.host import entry
from tiertwin.runtime.liveprocess import host_line
from tiertwin.runtime.roster import Roster
from tiertwin.twin.effects import Record


def test_no_field_of_a_record_takes_the_nodes_place() -> None:
    roster = Roster(world_of("metro"))
    record = Record("timeout", 4, {"name": "budget", "node": -7, "tier": 9, "twin": "x", "epoch": 8, "what": "y"})
    place = {"epoch": 4, "tier": 1, "node": roster.index("edge-centre"), "what": "timeout"}
    assert entry(roster, "edge-centre", record) == {**record.fields, **place}
    assert host_line(roster, "edge-centre", record) == {**place, "twin": "edge-centre", "name": "budget"}


def test_no_field_takes_the_place_of_what_a_log_line_begins_with(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_here", {"process": "edges-1", "tiers": ["edge"], "epoch": 3})
    fields = {"name": "budget", "event": "other", "process": "other", "level": "error", "time": "never", "tiers": 1}
    logs.info("twin", **fields)
    told = json.loads(capsys.readouterr().err)
    assert list(told) == ["time", "level", "process", "tiers", "epoch", "event", "name"]
    assert (told["event"], told["level"], told["name"]) == ("twin", "info", "budget")
    assert (told["process"], told["tiers"], told["epoch"]) == ("edges-1", ["edge"], 3)
    assert told["time"] != "never"
