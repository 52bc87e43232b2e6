"""tiertwin study scenarios: on made-up and real hours of Milan."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from support.assurance_data import traffic
from support.data import data_file
from tiertwin.cli import main
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.study.scenarios import DAYS, SURGE, parts, scenario_study, table


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["study", *arguments], env={"COLUMNS": "200", "TIERTWIN_DATA": ""})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city of 30 cells whose surprises are shared."""
    made = tmp_path_factory.mktemp("data")
    np.savez(made / "milan_hourly.npz", activity=traffic(30, 55, 24).astype(np.int32))
    return made


def test_the_copula_is_right_about_what_was_not_given(folder: Path) -> None:
    found = scenario_study(folder / "milan_hourly.npz", splits=["time"])
    rows = {row["method"]: row for row in found["rows"]}
    assert list(rows) == ["history", "replay", "perturbation", "independent", "copula"]
    assert rows["copula"]["crps"] < min(rows[m]["crps"] for m in ("replay", "perturbation", "independent"))
    assert rows["copula"]["residual"] < 0.5 * rows["independent"]["residual"]
    assert rows["replay"]["novelty"] == pytest.approx(0.0, abs=1e-9)
    assert rows["copula"]["novelty"] > 0.5
    assert rows["history"]["trained"] == pytest.approx(1.0)
    assert rows["history"]["rejected_percent"] < 5.0
    assert found["data"] == {"cells": 30, "days": 55, "test_days": 7, "given": 3}


def test_parts_are_apart(folder: Path) -> None:
    rows, columns = table(folder / "milan_hourly.npz")
    assert rows.shape == (DAYS * 24, len(columns))
    train, test = parts(rows, "time")
    assert (np.concatenate([train, test]) == rows).all()
    assert len(test) == 7 * 24
    train, test = parts(rows, "surge")
    assert len(test) == pytest.approx(SURGE * len(rows), abs=2)
    assert len(train) + len(test) == len(rows)
    hours = [test[test[:, 0] == h] for h in range(24)]
    usual = [train[train[:, 0] == h] for h in range(24)]
    assert np.mean([a[:, 2:].mean() / b[:, 2:].mean() for a, b in zip(hours, usual, strict=True) if len(a)]) > 1.05


def test_unknown_names_and_few_cells_are_told(folder: Path) -> None:
    path = folder / "milan_hourly.npz"
    with pytest.raises(UnknownNameError, match="Did you mean 'copula'"):
        scenario_study(path, ["cupola"])
    with pytest.raises(UnknownNameError, match="time"):
        scenario_study(path, splits=["tyme"])
    with pytest.raises(InputError, match="at least 20"):
        scenario_study(path, cells=3)


def test_at_the_command_line(folder: Path) -> None:
    arguments = ["scenarios", "--data", str(folder), "--method", "independent", "--split", "time", "--cells", "20"]
    plain, told = call(*arguments), call(*arguments, "--json")
    assert plain.exit_code == 0
    assert "independent" in plain.output
    assert json.loads(told.stdout)["rows"][1]["method"] == "independent"
    missing = call("scenarios")
    assert missing.exit_code == 2
    assert "TIERTWIN_DATA" in missing.output


def test_on_the_real_hours_the_copula_beats_every_baseline_given_a_tenth() -> None:
    found = scenario_study(data_file("milan_hourly.npz"), cells=40)
    for split in ("time", "surge"):
        crps = {row["method"]: row["crps"] for row in found["rows"] if row["split"] == split and "crps" in row}
        assert crps["copula"] < 0.8 * min(crps[m] for m in ("replay", "perturbation", "independent"))
