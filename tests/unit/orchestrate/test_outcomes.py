"""Scores, CVaR and tables."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.errors import InputError, UnknownNameError
from tiertwin.model.interventions import FailNode, Situation
from tiertwin.orchestrate.outcomes import KPIS, SCORED, Comparison, Expectation, Score, Sweep, cvar

NAMES = list(KPIS)


def row(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0.0) for name in NAMES])


BOUNDS = {"throughput": (0.0, 100.0), "latency_mean": (0.0, 50.0), "loss_share": (0.0, 1.0), "coverage": (0.0, 1.0)}


def test_the_score_is_the_weighted_sum_of_clipped_shares() -> None:
    score = Score(BOUNDS, {"throughput": 0.4, "latency_mean": 0.3, "loss_share": 0.2, "coverage": 0.1})
    rows = np.stack(
        [
            row(throughput=50.0, latency_mean=10.0, loss_share=0.1, coverage=0.9),
            row(throughput=500.0, latency_mean=0.0, loss_share=0.0, coverage=1.0),
            row(throughput=-5.0, latency_mean=90.0, loss_share=1.0, coverage=0.0),
        ]
    )
    assert score.of(rows) == pytest.approx([0.4 * 0.5 + 0.3 * 0.8 + 0.2 * 0.9 + 0.1 * 0.9, 1.0, 0.0])


def test_bounds_and_weights_are_checked() -> None:
    with pytest.raises(InputError, match="low < high"):
        Score({**BOUNDS, "coverage": (1.0, 1.0)})
    with pytest.raises(InputError, match="add up to 1"):
        Score(BOUNDS, dict.fromkeys(SCORED, 0.3))
    with pytest.raises(InputError, match="expected throughput"):
        Score({"throughput": (0.0, 1.0)})


def test_cvar_is_the_mean_of_the_worst_part() -> None:
    values = np.array([0.9, 0.1, 0.5, 0.7])
    even = np.full(4, 0.25)
    assert cvar(values, even, 0.25) == pytest.approx(0.1)
    assert cvar(values, even, 0.1) == pytest.approx(0.1)
    assert cvar(values, even, 0.375) == pytest.approx((0.25 * 0.1 + 0.125 * 0.5) / 0.375)
    assert cvar(values, even, 1.0) == pytest.approx(values.mean())
    rare = np.array([0.9, 0.04, 0.03, 0.03])
    assert cvar(values, rare) == pytest.approx((0.04 * 0.1 + 0.03 * 0.5 + 0.03 * 0.7) / 0.1)
    with pytest.raises(InputError, match="tail"):
        cvar(values, even, 0.0)
    with pytest.raises(InputError, match="probability"):
        cvar(values, np.zeros(4))


def test_a_sweep_ranks_the_worst_first() -> None:
    situations = [Situation(name, (FailNode(name),), weight) for name, weight in (("a", 1.0), ("b", 3.0), ("c", 0.0))]
    kpis = np.stack([row(coverage=c, throughput=100.0) for c in (0.5, 0.1, 0.9)])
    sweep = Sweep(situations, kpis, row(coverage=1.0, throughput=100.0), Score(BOUNDS))
    assert [r["situation"] for r in sweep.rows()] == ["b", "a", "c"]
    assert [r["situation"] for r in sweep.rows(1)] == ["b"]
    assert sweep.probability == pytest.approx([0.25, 0.75, 0.0])
    told = sweep.summary()
    assert told["score_mean"] == pytest.approx(0.25 * sweep.scores[0] + 0.75 * sweep.scores[1])
    assert told["score_cvar"] == pytest.approx(sweep.scores[1])
    assert sweep.column("coverage").tolist() == [0.5, 0.1, 0.9]
    assert "CVaR" in sweep.table()
    with pytest.raises(UnknownNameError, match="coverage"):
        sweep.column("coverag")
    assert Sweep([], kpis[:0], kpis[0], Score(BOUNDS)).summary()["situations"] == 0


def test_a_comparison_says_where_its_intervals_come_from() -> None:
    before, after = Expectation.of(row(offered=1.0)), Expectation.of(row(offered=2.0))
    plain = Comparison(before, after, {}, "No intervals: too few.")
    assert plain.table().endswith("No intervals: too few.")
    assert plain.scores(Score(BOUNDS)) == (0.5, 0.5)  # nothing through, nobody covered; no delay, no loss
    assert "score 0.5000 before" in plain.table()
    known = Comparison(before, after, {"offered": (0.5, 1.5)}, "drawn again")
    assert known.rows()[0]["low"] == 0.5
    assert "0.5 … 1.5" in known.table()
    assert before.value("offered") == 1.0
    with pytest.raises(UnknownNameError, match="offered"):
        before.value("offering")
