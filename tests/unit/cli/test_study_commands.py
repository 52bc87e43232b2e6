"""tiertwin study handover, rain and alignment at the command line."""

from __future__ import annotations

import gzip
import json

import pytest
from click.testing import CliRunner, Result

from support.drives import town
from tiertwin.cli import main
from tiertwin.cli.run import finite
from tiertwin.cli.tables import brief


def call(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["study", *arguments], env={"COLUMNS": "200", **environment})


@pytest.mark.parametrize("name", ["handover", "rain", "alignment", "weather", "guard", "healing", "maintenance"])
def test_each_has_help_and_json(name: str) -> None:
    found = call(name, "--help")
    assert found.exit_code == 0
    assert "--json" in found.output


@pytest.mark.parametrize("arguments", [("handover",), ("alignment", "--only", "milan")])
def test_without_data_the_variable_is_named(arguments: tuple[str, ...]) -> None:
    found = call(*arguments, TIERTWIN_DATA="")
    assert found.exit_code == 2
    assert "Error: Set TIERTWIN_DATA to the folder with " in found.output
    assert "doi:" in found.output


def test_without_the_extra_its_pip_line_is_told(monkeypatch) -> None:
    monkeypatch.setattr("tiertwin.study.rain.find_spec", lambda name: None)
    found = call("rain")
    assert found.exit_code == 2
    assert 'pip install "tiertwin[fidelity]"' in found.output


def test_alignment_goes_on_without_milan(monkeypatch) -> None:
    monkeypatch.setattr("tiertwin.study.alignment.WARM_UP_S", 60.0)
    monkeypatch.setattr("tiertwin.study.alignment.LENGTH_S", 30.0)
    options = ("--seeds", "2", "--rows", "4", "--delay", "1")
    found = call("alignment", *options, "--json", TIERTWIN_DATA="")
    told = json.loads(found.stdout)
    assert "Set TIERTWIN_DATA" in told["left_out"]
    assert {row["world"] for row in told["rows"]} == {"walk, 1 s", "day, 1 s", "both, 1 s"}
    text = call("alignment", *options, TIERTWIN_DATA="")
    assert "Milan left out. Set TIERTWIN_DATA" in text.output
    assert "best + profile" in text.output


def test_handover_prints_two_tables(tmp_path) -> None:
    (tmp_path / "ucc5g_traces.csv.gz").write_bytes(gzip.compress(town(8).encode()))
    options = ("handover", "--horizon", "2", "--resamples", "20")
    found = call(*options, TIERTWIN_DATA=str(tmp_path))
    assert found.exit_code == 0
    assert "3 drives from B_2020.01.06_12.00.00 on; learned from the 5 before" in found.output
    told = json.loads(call(*options, "--json", TIERTWIN_DATA=str(tmp_path)).stdout)
    assert told["alarms"][0]["method"] == told["next_cell"][0]["method"] == "ours"
    assert "order-2 Markov" in found.output
    assert found.output.count("last value") == 2
    assert call(*options, "--data", str(tmp_path), TIERTWIN_DATA="").output == found.output


@pytest.mark.parametrize("name", ["handover", "forecast", "life", "petshop", "nab", "skab"])
def test_studies_on_a_data_folder_say_where_it_is_missing(name: str, tmp_path) -> None:
    unset = call(name, TIERTWIN_DATA="")
    assert unset.exit_code == 2
    assert "Error: Set TIERTWIN_DATA to the folder with " in unset.output
    assert " holds " in unset.output
    for found in (call(name, "--data", str(tmp_path), TIERTWIN_DATA=""), call(name, TIERTWIN_DATA=str(tmp_path))):
        assert found.exit_code == 2
        assert str(tmp_path) in found.output
    assert call(name, "--data", str(tmp_path / "none"), TIERTWIN_DATA="").exit_code == 2


def test_json_has_null_where_there_is_no_figure() -> None:
    assert finite({"a": [float("nan"), 1.0, (2, float("inf"))]}) == {"a": [None, 1.0, [2, None]]}
    assert brief({"value": float("nan"), "low": 0.0, "high": 0.0}) == "–"
    assert brief({"value": 0.5, "low": 0.25, "high": 1.0}) == "0.500 [0.250, 1.000]"


def test_guard_prints_what_was_applied() -> None:
    found = call("guard", "--cases", "2")
    assert found.exit_code == 0, found.output
    assert "metro: 2 faults" in found.output
    assert "predicted_worse_share" in found.output
    assert call("guard", "mixed", "--cases", "2").exit_code == 2


def test_weather_without_the_extra_tells_its_pip_line(monkeypatch) -> None:
    monkeypatch.setattr("tiertwin.study.rain.find_spec", lambda name: None)
    found = call("weather")
    assert found.exit_code == 2
    assert 'pip install "tiertwin[fidelity]"' in found.output
