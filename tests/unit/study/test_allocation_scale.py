"""The study of allocation at scale at its smallest, and how it tells that a peer did not end."""

from __future__ import annotations

import json

from click.testing import CliRunner

from tiertwin.cli import main
from tiertwin.study.allocation_scale import allocation_scale


def test_a_row_brackets_the_peer_and_a_peer_that_does_not_end_is_not_tried_again() -> None:
    (row,) = allocation_scale([100], families=["lp"])
    assert row["peer_ended"] == "finished"
    assert 0 <= row["gap"] <= 1e-3
    assert row["peer_gap"] <= 1e-3 + row["gap"]
    assert row["ours_mb"] < row["peer_mb"]
    first, second = allocation_scale([100, 200], families=["pf"], peer_seconds=0.01)
    assert (first["peer_ended"], second["peer_ended"]) == ("time limit", "not tried")
    assert "ratio" not in first


def test_the_command_prints_data_for_a_plot_and_refuses_falling_sizes() -> None:
    done = CliRunner().invoke(
        main, ["study", "allocation-scale", "--pairs", "80", "--family", "pf", "--seconds", "0.01", "--json"]
    )
    assert done.exit_code == 0, done.output
    row = json.loads(done.output)
    assert (row["family"], row["pairs"], row["peer_ended"]) == ("pf", 80, "time limit")
    refused = CliRunner().invoke(main, ["study", "allocation-scale", "--pairs", "80", "--pairs", "20"])
    assert refused.exit_code != 0
    assert "rising numbers" in str(refused.output) + str(refused.exception)
