"""The page's section of what twins noticed: its table, its pictures, and pages without any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tiertwin.functions.assure.causes import Naming
from tiertwin.report.figures import Figures
from tiertwin.report.page import render
from tiertwin.report.watched import MOST_ROWS, watched
from tiertwin.store import RunWriter, open_run
from tiertwin.world import load, resolve


def written(folder: Path, events: list[dict[str, Any]], scenario: dict[str, Any] | None = None) -> Path:
    made = scenario or load("metro").model_dump(mode="json")
    with RunWriter(folder, made, 1, ["hierarchical"], settings={"epochs": 1}) as writer:
        writer.kpis("hierarchical", 0, {"objective": 1.0})
        for event in events:
            writer.event({"policy": "hierarchical", "epoch": 3, "tier": 2, "node": 1, **event})
        writer.commit()
    return folder


def noticed(name: str, entity: str) -> list[dict[str, Any]]:
    return [
        {"what": "alarm", "object": entity, "observation": "down", "cause": "LINK_FAILURE", "raised": True},
        {"what": "incident", "incident": 0, "open": True, "severity": "CRITICAL", "causes": [[name, 0.9]]},
        {
            "what": "cause",
            "cause": name,
            "kind": "link",
            "probability": 0.91,
            "users": 3.0,
            "tasks_per_s": 2.0,
            "gbps": 0.5,
        },
        {"what": "cause", "cause": name, "over": True},
    ]


def test_a_run_that_nobody_watched_has_no_section(tmp_path):
    with open_run(written(tmp_path / "run", [{"what": "decision"}])) as run:
        assert watched(Figures(run)) is None
        assert 'href="#faults"' not in render(run)


def test_causes_incidents_and_pictures_are_shown(tmp_path):
    name = Naming(resolve(load("metro"))).link(0)
    with open_run(written(tmp_path / "run", noticed(name, name))) as run:
        page = render(run)
        found = watched(Figures(run))
    assert 'href="#faults"' in page
    assert found is not None
    assert "1 alarms were raised" in found
    assert "0.910" in found
    assert "is over" in found
    assert found.count("<tr>") == 4
    assert f"{name} down" in found, "the picture has the alarm that the cause explains"
    assert "<svg" in found


def test_many_rows_are_cut_and_counted(tmp_path):
    name = Naming(resolve(load("metro"))).link(0)
    events = [event for _ in range(MOST_ROWS) for event in noticed(name, name)]
    with open_run(written(tmp_path / "run", events)) as run:
        found = watched(Figures(run))
    assert found is not None
    assert found.count("<tr>") == MOST_ROWS + 1
    assert f"and {2 * MOST_ROWS} more" in found


@pytest.mark.parametrize("scenario", [{"name": "x"}, None])
def test_a_world_that_cannot_be_made_again_leaves_the_table(tmp_path, scenario):
    with open_run(written(tmp_path / "run", noticed("link 99 <b>", "link 99 <b>"), scenario)) as run:
        found = watched(Figures(run))
    assert found is not None
    assert "<svg" not in found
    assert "<b>" not in found
