"""Twins that watch while they run: faults in the plant, alarms, incidents and causes in the log, figures at the end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from tiertwin.cli import main
from tiertwin.functions.assure.causes import Naming
from tiertwin.runtime.execute import execute
from tiertwin.runtime.plan import make_plan
from tiertwin.world import load, resolve

FLAT = {"urban": [1.0, 1.0], "rural": [1.0, 1.0], "background": [1.0, 1.0], "background_peak": 1.0}
LINK = ["Station", "Centre"]
WATCH = {"warm_s": 5.0, "window_s": 2.0, "silent_s": 3.0, "hold_s": 1.0, "incident_s": 3.0}


class Lines:
    """What was logged."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def write(self, line: dict[str, Any]) -> None:
        self.lines.append(line)

    def of(self, what: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["what"] == what]


def run(events: list[dict[str, Any]], epochs: int = 24, policies: tuple[str, ...] = ("hierarchical",), **more: Any):
    scenario = load("metro", faults={"events": events}, day=FLAT, **more)
    lines = Lines()
    done = execute(make_plan(scenario, epochs, 5, policies), resolve(scenario), None, lines)
    return done, lines


@pytest.mark.system
def test_a_link_that_fails_is_noticed_named_and_over_again():
    done, lines = run([{"kind": "link", "link": LINK, "at_s": 10, "for_s": 6}], assurance=WATCH)
    name = Naming(done.world).link(0)
    alarms = [line for line in lines.of("alarm") if line["object"] == name]
    assert alarms
    for node in {line["node"] for line in alarms}:  # both ends and the owner may be told
        mine = [line for line in alarms if line["node"] == node]
        assert [(line["raised"], line["observation"]) for line in mine] == [(True, "down"), (False, "down")]
        assert 10 <= mine[0]["epoch"] <= 13
        assert 16 <= mine[1]["epoch"] <= 20
    named = [line for line in lines.of("cause") if line["cause"] == name]
    assert named[0]["probability"] > 0.8
    assert named[-1]["over"]
    assert len({line["node"] for line in named}) == 1, "one twin names a cause"
    assert any(line["open"] and line["causes"][0][0] == name for line in lines.of("incident"))
    row = done.rows["hierarchical"]
    assert row["faults"] == row["faults_detected"] == 1
    assert 0.0 < row["detection_delay_s"] <= 3.0
    assert row["alarms"] >= 1
    assert done.meters["hierarchical"].rows[12].values["faults"] == 1.0


@pytest.mark.system
def test_all_policies_meet_the_same_faults_and_only_the_tree_watches():
    drawn = {"per_hour": {"link": 400.0, "slow": 400.0}, "repair": {"mean_s": 3.0}}
    scenario = load("metro", faults={"random": drawn}, assurance=WATCH, day=FLAT)
    done = execute(make_plan(scenario, 12, 5, ("hierarchical", "nearest")), resolve(scenario), None)
    one, other = (done.meters[policy].merged().faults for policy in ("hierarchical", "nearest"))
    assert one is not None
    assert len(one) >= 1
    assert one.tolist() == other.tolist()
    assert done.rows["nearest"]["alarms"] == 0


@pytest.mark.system
def test_faults_without_assurance_are_counted_and_nobody_looks():
    done, lines = run([{"kind": "server", "node": "Harbour", "at_s": 3, "for_s": 2}], epochs=8)
    assert lines.of("alarm") == lines.of("incident") == lines.of("cause") == []
    assert done.rows["hierarchical"]["faults"] == 1
    assert done.rows["hierarchical"]["faults_detected"] == 0
    assert done.rows["hierarchical"]["detection_delay_s"] is None


@pytest.mark.system
def test_the_same_run_gives_the_same_log():
    events = [{"kind": "node", "node": "Harbour", "at_s": 6, "for_s": 5}]
    hashes = {run(events, epochs=14, assurance=WATCH, telemetry__loss=0.1)[0].log_hash for _ in range(2)}
    assert len(hashes) == 1


@pytest.mark.system
def test_the_study_of_localisation_says_what_was_found_and_what_it_cost_beside_trivial_answers():
    words = ["study", "localise", "metro", "--cases", "2", "--mix", "hard", "--seed", "3", "--jobs", "2", "--json"]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    row, every = found["rows"]
    assert (row["mix"], row["cases"]) == ("hard", 2)
    assert every == row | {"mix": "all"}
    assert 0.0 <= row["top1_low"] <= row["top1"] <= row["top1_high"] <= 1.0
    assert row["top1"] <= row["top3"]
    assert [answer["answer"] for answer in found["impact"]["rows"]] == ["foreseen", "told", "rules", "nothing", "all"]
    for case in found["cases"]["hard"]:
        assert set(case["costs"]) == {"foreseen", "told", "rules", "nothing", "all"}
        assert len(case["lost"]) == len(case["costs"]["foreseen"]) == len(case["offered"])
    assert found["quiet"]["at_most_per_day"] >= found["quiet"]["false_alarms_per_day"]


@pytest.mark.system
def test_the_study_without_faults_counts_alarms_and_bounds_a_day():
    told = CliRunner().invoke(main, ["study", "quiet", "metro", "--hours", "0.004", "--jobs", "1"])
    assert told.exit_code == 0, told.output
    assert "alarms in 15 s" in told.output
    assert "at most" in told.output
    assert CliRunner().invoke(main, ["study", "quiet", "metro", "--hours", "0"]).exit_code == 2
