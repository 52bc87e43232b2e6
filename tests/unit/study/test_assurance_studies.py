"""tiertwin study forecast and life: on made-up data in the files' layouts, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from support.assurance_data import machines, traffic
from tiertwin.cli import main
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.study.forecast import forecast_study, judged, nmae, play
from tiertwin.study.life import AGE, life_study, read_engines
from tiertwin.study.partlife import Life, alarms, best_limit, foreseen, part_life_study
from tiertwin.study.partlife import play as play_parts


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["study", *arguments], env={"COLUMNS": "200", "TIERTWIN_DATA": ""})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city of 20 cells and 24 engines."""
    made = tmp_path_factory.mktemp("data")
    np.savez(made / "milan_hourly.npz", activity=traffic(20, 55, 24).astype(np.int32))
    table = []
    for k, run in enumerate(machines(24, 24), 1):
        table += [[k, cycle, *row] for cycle, row in enumerate(run, 1)]
    pack(made / "cmapss_fd001_train.zip", np.array(table))
    return made


def pack(path: Path, table: np.ndarray) -> None:
    text = io.StringIO()
    np.savetxt(text, table, fmt="%.4f")
    with zipfile.ZipFile(path, "w") as stored:
        stored.writestr("train_FD001.txt", text.getvalue())


def test_forecasts_are_scored_on_the_last_week(folder: Path) -> None:
    found = forecast_study(folder / "milan_hourly.npz", ["naive", "holt-winters"])
    activity = traffic(20, 55, 24)
    naive = np.abs(activity[:, -168:] - activity[:, -336:-168]).sum() / activity[:, -168:].sum()
    assert found["weekly_naive_nmae"] == pytest.approx(naive)
    rows = {(row["method"], row["ahead"]): row for row in found["rows"]}
    assert rows["naive", "day"]["ratio"] == pytest.approx(1.0)
    assert rows["naive", "hour"]["ratio"] == pytest.approx(1.0)
    assert rows["holt-winters", "hour"]["ratio"] < 0.95
    assert 0.8 < rows["holt-winters", "hour"]["coverage"] < 0.97


def test_a_day_is_forecast_before_any_of_its_samples_is_told() -> None:
    told: list[str] = []

    class Listener:
        def predict(self, horizon: int) -> int:
            told.append(f"predict {horizon}")
            return horizon

        def update(self, sample: np.ndarray) -> None:
            told.append(f"update {sample[0]:g}")

    days, hours = play(Listener(), np.arange(48.0)[None, :])  # type: ignore[arg-type]
    assert (len(days), len(hours)) == (2, 48)
    assert told[:4] == ["predict 24", "predict 1", "update 0", "predict 1"]
    assert told[told.index("update 23") + 1] == "predict 24"


def test_figures_are_their_definitions() -> None:
    from tiertwin.functions.assure.forecast import Forecast

    real = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]])
    found = [Forecast(real[:, k : k + 1] + 1.0, real[:, k : k + 1] - k, real[:, k : k + 1] + k) for k in range(3)]
    found[2] = Forecast(found[2].mean, found[2].mean, found[2].upper)
    row = judged(found, real, 0.5)
    assert row["nmae"] == nmae(real, real + 1.0) == 0.6
    assert row["ratio"] == 1.2
    assert row["coverage"] == pytest.approx(4 / 6)
    assert row["width"] == pytest.approx((0 + 2 + 1) / 3 / (10 / 6))


def test_lives_of_held_out_engines(folder: Path) -> None:
    found = life_study(folder / "cmapss_fd001_train.zip", folds=2)
    rows = {row["method"]: row for row in found["rows"]}
    assert rows["kernel"]["rmse"] < 0.7 * rows[AGE]["rmse"]
    assert rows["kernel"]["brier_30"] < 0.7 * rows["kernel"]["base_30"]
    assert rows["kernel"]["rmse_low"] <= rows["kernel"]["rmse"] <= rows["kernel"]["rmse_high"]
    assert life_study(folder / "cmapss_fd001_train.zip", (), folds=2) == {**found, "rows": [rows[AGE]]}


def test_commands_print_tables_and_json(folder: Path) -> None:
    found = call("forecast", "--data", str(folder), "--method", "naive", "--json")
    assert {row["ahead"] for row in json.loads(found.stdout)["rows"]} == {"day", "hour"}
    found = call("forecast", "--data", str(folder), "--method", "naive")
    assert "weekly naive NMAE" in found.output
    found = call("life", "--data", str(folder), "--folds", "2", "--json")
    assert json.loads(found.stdout)["data"]["engines"] == 24
    found = call("life", "--data", str(folder), "--folds", "2")
    assert "age only" in found.output
    assert "brier_10" in found.output


@pytest.mark.parametrize("name", ["forecast", "life"])
def test_a_folder_without_the_file_is_named(name: str, tmp_path: Path) -> None:
    found = call(name, "--data", str(tmp_path))
    assert found.exit_code == 2
    assert f"--data: expected a folder with {'milan' if name == 'forecast' else 'cmapss'}" in found.output
    found = call(name)
    assert "Set TIERTWIN_DATA to the folder with " in found.output


def test_what_is_not_the_data_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'kriging'"):
        forecast_study(folder / "milan_hourly.npz", ["krigging"])
    with pytest.raises(UnknownNameError, match="Did you mean 'kernel'"):
        life_study(folder / "cmapss_fd001_train.zip", ["kernels"])
    with pytest.raises(InputError, match="folds: expected 2 … 12, got 1"):
        life_study(folder / "cmapss_fd001_train.zip", folds=1)
    short = tmp_path / "milan_hourly.npz"
    np.savez(short, activity=traffic(20, 20, 24))
    with pytest.raises(InputError, match="1320 hours or more"):
        forecast_study(short)
    path = tmp_path / "cmapss_fd001_train.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(InputError, match=r"expected a zip with train_FD001\.txt"):
        read_engines(path)
    pack(path, np.ones((3, 5)))
    with pytest.raises(InputError, match="expected 26 columns"):
        read_engines(path)
    table = np.ones((3, 26))
    table[:, 1] = [1, 3, 2]
    pack(path, table)
    with pytest.raises(InputError, match="engine 1: expected rising cycles, got a clock that goes backwards"):
        read_engines(path)


@pytest.fixture(scope="module")
def part_lives() -> list[Life]:
    return [life for part in play_parts(np.linspace(0.1, 0.9, 12), 240, 3) for life in part]


def test_lives_of_parts_are_whole_and_apart(part_lives: list[Life]) -> None:
    for life in part_lives:
        assert life.born < life.times[0] <= life.times[-1] <= life.failed
        assert life.failed - life.times[-1] < 21_600.0
        assert life.times[0] - life.born <= 21_600.0
        assert (np.diff(life.times) == 21_600.0).all()
        assert life.wear[0] < 0.3
        assert life.wear.max() < 1.0
        assert (life.signals[:, 1] >= 1.0).all()  # none of a part that is down
    worn = np.array([life.wear[-1] for life in part_lives])
    assert 0.05 < (worn < 0.85).mean() < 0.5  # ended by a shock


def test_who_knows_the_process_is_right_on_average(part_lives: list[Life]) -> None:
    """Its probabilities are calibrated: as many fail as it says, within four standard errors of independent cuts."""
    lead = 7 * 86_400.0
    cuts = [(life, at) for life in part_lives for at in range(30, len(life.times), 40)]
    said = np.array([foreseen(life, at, lead) for life, at in cuts])
    real = np.array([life.failed - life.times[at - 1] <= lead for life, at in cuts])
    assert abs(said.mean() - real.mean()) < 4 * np.sqrt((said * (1 - said)).sum()) / len(cuts)
    assert said[real].mean() > 3 * said[~real].mean()


def test_alarms_are_counted_as_defined() -> None:
    found = alarms(np.array([True, True, False, False]), np.array([True, False, True, True]))
    assert found == {"precision": 0.5, "recall": pytest.approx(1 / 3), "f1": pytest.approx(0.4)}
    assert best_limit(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True])) == 2.0
    assert np.isnan(alarms(np.zeros(2, bool), np.zeros(2, bool))["f1"])


def test_failures_of_parts_are_foretold() -> None:
    found = part_life_study(parts=20, days=160)
    rows = {(row["lead_days"], row["method"]): row for row in found["rows"]}
    for lead in (3, 7):
        sensed, known = rows[lead, "sensors"], rows[lead, "process"]
        assert known["brier"] < sensed["brier"] + 0.02
        assert sensed["brier"] < sensed["base"]
        assert sensed["f1"] > 0.3
    with pytest.raises(InputError, match="at least 10 parts and 120 days"):
        part_life_study(parts=2)


def test_parts_at_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiertwin.study.partlife.part_life_study.__defaults__", (12, 130, 1))
    found = call("life", "--plant", "--json")
    assert {row["method"] for row in json.loads(found.stdout)["rows"]} == {"sensors", "threshold", "process"}
    assert "lead_days" in call("life", "--plant", "--seed", "2").output
