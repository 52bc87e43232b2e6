"""The study of alignment in a running tree."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from support.inprocess import world_of
from tiertwin.cli import main
from tiertwin.errors import InputError
from tiertwin.study.alignedruns import ARMS, FIGURES, aligned_runs
from tiertwin.world import load
from tiertwin.world.mixedscenario import mixed_scenario


def test_every_arm_and_figure_once_and_differences_are_paired() -> None:
    rows = aligned_runs(world_of("metro").scenario, [1, 2], 6)
    assert [(row["kpi"], row["demand"]) for row in rows] == [(name, arm) for name in FIGURES for arm in ARMS]
    mean = {(row["kpi"], row["demand"]): row["mean"] for row in rows}
    for row in rows:
        if row["demand"] == "known":
            assert "to_known" not in row
            continue
        assert row["to_known"] == pytest.approx(row["mean"] - mean[row["kpi"], "known"])
        assert np.isfinite(row["to_known_half"])
    assert mean["state_error", "known"] < 0.6 * mean["state_error", "hold"]  # it knows, but not in the first epoch


def test_who_moves_is_not_known_beforehand() -> None:
    with pytest.raises(InputError, match="devices that stay"):
        aligned_runs(load(mixed_scenario(1_000, 100)), [1, 2], 3)
    with pytest.raises(InputError, match="at least 2 seeds"):
        aligned_runs(world_of("metro").scenario, [1], 3)


def test_the_command_prints_its_rows() -> None:
    done = CliRunner().invoke(main, ["study", "alignment", "--run", "metro", "--seeds", "2", "--epochs", "3", "--json"])
    assert done.exit_code == 0, done.output
    held = json.loads(done.stdout)
    assert held["epochs"] == 3
    assert len(held["rows"]) == len(ARMS) * len(FIGURES)
