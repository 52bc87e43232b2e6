"""Intervals against values worked by hand; paired differences; the study of scale at its smallest."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tiertwin.allocate.trees import evaluate
from tiertwin.runtime.limited import run_limited
from tiertwin.study.instances import random_tree
from tiertwin.study.scale import scale_study
from tiertwin.study.statistics import bootstrap, interval, paired


def test_the_interval_of_three_values_by_hand() -> None:
    found = interval([1.0, 2.0, 3.0])  # s = 1, t(2) = 4.303
    assert found.mean == 2.0
    assert found.half == pytest.approx(4.303 / math.sqrt(3))
    assert not found.excludes_zero
    assert f"{found:.1f}" == "2.0 ± 2.5"


def test_one_value_has_no_width_and_none_no_mean() -> None:
    assert math.isnan(interval([5.0]).half)
    assert math.isnan(interval([]).mean)


def test_pairing_removes_what_seeds_have_in_common() -> None:
    difference = paired([10.0, 20.0, 30.0], [9.0, 19.1, 28.9])
    assert difference.mean == pytest.approx(1.0)
    assert difference.excludes_zero


def test_random_trees_repeat_and_have_their_size() -> None:
    a, b = random_tree(2, 3, 4, seed=1), random_tree(2, 3, 4, seed=1)
    assert sum(leaf.problem.groups for leaf in a.leaves()) == 24
    nothing = {leaf.name: 0.5 * leaf.problem.demand[:, None] * [[1.0, 0, 0, 0]] for leaf in a.leaves()}
    assert evaluate(a, nothing).value == evaluate(b, nothing).value


def test_the_study_of_scale_brackets_the_monolith() -> None:
    (row,) = scale_study(sizes=[(2, 2, 5)], monolithic_seconds=60)
    assert row["groups"] == 20
    assert row["monolithic"] == "finished"
    assert row["monolithic_ok"]
    assert -1e-5 <= row["true_gap"] <= row["certified_gap"] + 1e-5


def test_a_child_beyond_its_time_is_ended_and_told() -> None:
    instance = {"fogs": 10, "leaves": 20, "groups": 100, "seed": 1}
    ending = run_limited("tiertwin.study.monolithic_child", instance, seconds=0.5, memory_bytes=1 << 30)
    assert ending.how == "time limit"
    assert ending.answer is None


def test_a_child_that_fails_says_why() -> None:
    ending = run_limited("tiertwin.study.monolithic_child", {}, seconds=60, memory_bytes=1 << 30)
    assert ending.how == "failed"
    assert "KeyError" in ending.said


def test_bootstrap_covers_the_mean_and_draws_the_same_again() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(200):
        units = rng.normal(3.0, 1.0, (40, 1))
        found = bootstrap(units, lambda rows: {"mean": float(rows.mean())}, 200, seed)["mean"]
        covered += found["low"] <= 3.0 <= found["high"]
        assert found == bootstrap(units, lambda rows: {"mean": float(rows.mean())}, 200, seed)["mean"]
    assert 180 <= covered <= 198
