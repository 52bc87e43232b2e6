"""tiertwin study interval: which scenario an arm is, what is compared, and what is refused."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tiertwin.cli import main
from tiertwin.errors import InputError
from tiertwin.study.interval import EVERY_EPOCH, FOLLOW, Arm, changed, interval_study, run_one
from tiertwin.world import load

METRO = load("metro")


@pytest.mark.parametrize(
    ("interval_s", "report_ms", "control"),
    [(0.1, 100, 1), (0.5, 250, 1), (1.0, 250, 1), (5.0, 250, 5), (60.0, 250, 60)],
)
def test_an_arm_is_a_scenario(interval_s: float, report_ms: int, control: int) -> None:
    every, follow = (changed(METRO, Arm(interval_s, how)) for how in (EVERY_EPOCH, FOLLOW))
    assert every.telemetry.period_s == follow.telemetry.period_s == interval_s
    assert every.tiers.edge.report_ms == follow.tiers.cloud.report_ms == report_ms
    assert every.tiers.edge.control_every == METRO.tiers.edge.control_every
    assert follow.tiers.edge.control_every == follow.tiers.cloud.control_every == control
    assert every.model_copy(update={"telemetry": METRO.telemetry, "tiers": METRO.tiers}) == METRO


def test_longer_intervals_tell_less_and_runs_repeat() -> None:
    short, long = (run_one(METRO, Arm(each, EVERY_EPOCH), 3, 6) for each in (0.5, 5.0))
    assert long.told < 0.5 * short.told
    assert 0 < long.bytes < short.bytes
    assert run_one(METRO, Arm(5.0, EVERY_EPOCH), 3, 6) == long


def test_rows_are_paired_with_the_fastest_and_the_best() -> None:
    found = interval_study(METRO, [1, 2], 4, [4.0, 1.0], jobs=1)
    rows = found["rows"]
    assert [(row["interval_s"], row["decisions"]) for row in rows] == [
        (1.0, EVERY_EPOCH),
        (4.0, EVERY_EPOCH),
        (4.0, FOLLOW),
    ]
    assert rows[0]["regret_percent"] == rows[0]["missed_points"] == 0.0
    assert min(row["behind_best_percent"] for row in rows) == 0.0
    assert all(row["behind_best_percent"] >= 0.0 for row in rows)
    assert rows[1]["told_an_epoch"] < rows[0]["told_an_epoch"]
    assert not rows[0]["faster_than_epoch"]


@pytest.mark.parametrize(
    ("seeds", "epochs", "intervals", "how", "told"),
    [
        ([1], 60, [1.0, 5.0], [EVERY_EPOCH], "at least 2"),
        ([1, 2], 60, [1.0], [EVERY_EPOCH], "at least two"),
        ([1, 2], 60, [1.0, 1.0], [EVERY_EPOCH], "at least two"),
        ([1, 2], 60, [1.0, 0.001], [EVERY_EPOCH], "0.01 … 3600 s"),
        ([1, 2], 10, [1.0, 30.0], [EVERY_EPOCH], "longer than the run of 10 s"),
        ([1, 2], 60, [1.0, 5.0], ["sometimes"], "'follow'"),
    ],
)
def test_what_cannot_be_studied_is_told(
    seeds: list[int], epochs: int, intervals: list[float], how: list[str], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        interval_study(METRO, seeds, epochs, intervals, how)


def test_at_the_command_line() -> None:
    arguments = ["study", "interval", "metro", "--seeds", "2", "--epochs", "2", "--interval", "1", "--interval", "2"]
    arguments += ["--decisions", "every epoch", "--jobs", "1"]
    told = CliRunner().invoke(main, [*arguments, "--json"], env={"COLUMNS": "200"})
    assert told.exit_code == 0, told.output
    assert [row["interval_s"] for row in json.loads(told.stdout)["rows"]] == [1.0, 2.0]
    assert "--json" in CliRunner().invoke(main, ["study", "interval", "--help"]).output
