"""``tiertwin whatif`` as a user types it: comparisons, sweeps, a stored run, bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import tiertwin as tt
from tiertwin.cli import main
from tiertwin.cli.whatif import _INTERVENTIONS, whatif
from tiertwin.model.whatif import options
from tiertwin.orchestrate.outcomes import KPIS


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "metro"
    tt.run("metro", epochs=2, seed=7, out=folder)
    return folder


def said(*words: str) -> Any:
    done = CliRunner().invoke(whatif, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.output) if "--json" in words else done.output


def test_every_intervention_is_an_option() -> None:
    assert [option.removeprefix("--") for option in _INTERVENTIONS] == list(options())


def test_a_comparison(run: Path) -> None:
    found = said("metro", "--epochs", "2", "--fail-link", "Centre,Station", "--demand", "x2@fog-1", "--json")
    assert found["interventions"] == "fail-link Centre,Station; demand x2@fog-1"
    assert found["twin"] == "cloud-1"
    rows = {row["kpi"]: row for row in found["rows"]}
    assert set(rows) == {*KPIS, "certified_gap"}
    assert rows["offered"]["change"] > 0
    text = said(str(run), "--demand", "x2", "--replan", "none")
    assert "Not kept there" in text
    assert "As of epoch 1" in text


def test_a_sweep(run: Path) -> None:
    found = said(str(run), "--all-single-failures", "--top", "3", "--replan", "none", "--json")
    assert len(found["rows"]) == 3
    scores = [row["score"] for row in found["rows"]]
    assert scores == sorted(scores)
    assert found["summary"]["situations"] == 34
    assert found["summary"]["score_cvar"] <= found["summary"]["score_mean"]
    one = said(str(run), "--all-single-failures", "--fail-node", "Harbour", "--threads", "1", "--json")
    assert one["summary"]["situations"] == 34 - 1 - 4  # the node, and its links with it
    assert "worst tenth" in said(str(run), "--all-double-failures", "--replan", "none")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fail-link", "Centr,Station"], "Did you mean 'Centre'"),
        (["--fail-link", "Centre"], "expected A,B"),
        (["--fail-node", "Centre", "--fail-site", "Centre"], "down already"),
        (["--repair-link", "Centre,Station"], "nothing to repair"),
        ([], "expected an intervention"),
        (["--all-single-failures", "--faithful"], "leave out the other"),
        (["--demand", "x2", "--epoch", "77"], "expected 0 … 1"),
        (["--demand", "x2", "--twin", "fog-1"], "forked whole"),
        (["--demand", "x2", "--top", "0"], "at least 1"),
    ],
)
def test_bad_input_is_one_clear_error(
    run: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["whatif", str(run), *words])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


PLANNING = ["metro", "--every-site", "32", "--build", "1", "--growth", "2", "--failures", "0", "--score", "0", "--json"]


@pytest.mark.parametrize("place", [0, 1, 4, len(PLANNING)])
def test_a_plan_is_what_the_verb_plan_says(place: int, capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for words in (["plan", *PLANNING], ["whatif", *PLANNING[:place], "--plan", *PLANNING[place:]]):
        with pytest.raises(SystemExit) as end:
            main(words)
        assert end.value.code == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]
    assert len(told[0]["built"]) == 1


def test_a_plan_has_the_options_of_the_verb_plan_and_no_interventions(capsys: pytest.CaptureFixture[str]) -> None:
    done = CliRunner().invoke(main, ["whatif", "--plan", "--help"])
    assert done.exit_code == 0
    assert "whatif --plan [OPTIONS] [SCENARIO]" in done.output
    assert "--every-site" in done.output
    for words, said in ((["--fail-node", "Harbour"], "Leave out --fail-node"), (["--top", "3"], "No such option")):
        with pytest.raises(SystemExit) as end:
            main(["whatif", "metro", "--plan", *words])
        assert end.value.code == 2
        assert said in capsys.readouterr().err
