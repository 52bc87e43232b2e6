"""Policies in processes of their own: the same log and figures as one after the other; who fails is named."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from support.facilities import needs
from support.processes import Running, assert_gone, until
from tiertwin.runtime.api import Tree, run_stored
from tiertwin.runtime.policyruns import MOST_HELD

pytestmark = [pytest.mark.system, pytest.mark.processes]

SIMPLE = ("edge-only", "cloud-only", "nearest")
LONG_RUN = ("run", "metro", "--epochs", "2000", "--no-watch", "--jobs", "2")
VARYING = {"wall_s_per_epoch", "twin_cpu_s", "twin_peak_rss_mb", "twin_energy_j"}


@pytest.fixture(autouse=True)
def _facilities() -> None:
    needs("proc")


def asked(*policies: str) -> list[str]:
    return [word for policy in policies for word in ("--policy", policy)]


@pytest.mark.parametrize("jobs", [2, 3])
def test_side_by_side_is_one_after_the_other(tmp_path: Path, jobs: int) -> None:
    """Same log, same KPIs but those of the machine, same rows on disk in the same order."""
    alone = run_stored("metro", 3, 7, list(SIMPLE), tmp_path / "alone")
    beside = run_stored("metro", 3, 7, list(SIMPLE), tmp_path / "beside", tree=Tree(jobs=jobs))
    assert beside.log_hash == alone.log_hash
    one, other = alone.to_json()["policies"], beside.to_json()["policies"]
    assert list(one) == list(other)
    for policy in SIMPLE:
        assert {k: v for k, v in one[policy].items() if k not in VARYING} == {
            k: v for k, v in other[policy].items() if k not in VARYING
        }
        assert other[policy]["wall_s_per_epoch"] > 0
        assert other[policy]["twin_peak_rss_mb"] > 0
    logs = [[path.read_bytes() for path in sorted((tmp_path / run).glob("events*"))] for run in ("alone", "beside")]
    assert logs[0] == logs[1]
    assert logs[0]


def test_who_runs_ahead_waits_to_be_taken(tmp_path: Path) -> None:
    """More epochs than are held at once: nobody deadlocks, nothing is lost."""
    epochs = MOST_HELD + 6
    options = {"devices__count": 20}
    from tiertwin import load

    scenario = load("metro", **options)
    alone = run_stored(scenario, epochs, 3, ["static", "nearest"], tmp_path / "alone")
    beside = run_stored(scenario, epochs, 3, ["static", "nearest"], tmp_path / "beside", tree=Tree(jobs=2))
    assert beside.log_hash == alone.log_hash


def test_a_killed_policy_ends_the_run_with_its_name(tmp_path: Path) -> None:
    with Running(tmp_path, *LONG_RUN, *asked(*SIMPLE)) as running:
        until(lambda: {"edge-only", "cloud-only"} <= {child.name for child in running.children()}, "two policies")
        held = running.children()
        running.child("cloud-only").signal(signal.SIGKILL)
        assert running.wait() in (1, 2)
        assert "process cloud-only (pid " in running.stderr
        assert "SIGKILL" in running.stderr
        assert "Traceback" not in running.stderr
        assert_gone(held)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_it_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with Running(tmp_path, *LONG_RUN, *asked(*SIMPLE)) as running:
        running.wait_for_epoch(0)
        held = running.children()
        assert sorted(child.name for child in held) == ["cloud-only", "edge-only", "store"]
        running.known.signal(number)
        ends = {signal.SIGINT: 130, signal.SIGTERM: 128 + number, signal.SIGKILL: -number}
        assert running.wait() == ends[number]
        assert "Traceback" not in running.stderr
        assert_gone(held)


def test_the_command_runs_them_beside_each_other(tmp_path: Path) -> None:
    with Running(
        tmp_path, "run", "metro", "--epochs", "2", "--json", "--quiet", "--jobs", "2", *asked("static", "nearest")
    ) as running:
        assert running.wait() == 0
        found = json.loads((tmp_path / "stdout").read_text())
    assert sorted(found["policies"]) == ["nearest", "static"]
    assert {path.stem for path in (running.run / "logs").iterdir()} >= {"static", "nearest"}
