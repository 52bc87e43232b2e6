"""The dataclass of a leaf: shapes refused with names, values reported by S1, immutable, picklable."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from support.leaves import random_leaf
from tiertwin.allocate.leaf import LeafProblem
from tiertwin.errors import InputError


def fields(problem: LeafProblem) -> dict[str, np.ndarray]:
    return {name: np.array(getattr(problem, name)) for name in problem.__dataclass_fields__}


@pytest.fixture
def problem() -> LeafProblem:
    return random_leaf(np.random.default_rng(2), 5, 3, 3)


def test_every_wrong_shape_is_named_at_once(problem: LeafProblem) -> None:
    wrong = fields(problem) | {"demand": np.ones(4), "use_own": np.ones((2, 5, 4)), "kappa": np.ones(1)}
    with pytest.raises(InputError) as caught:
        LeafProblem(**wrong)
    assert [line.split(":")[0] for line in caught.value.problems] == ["demand", "kappa", "use_own"]
    assert "expected shape [K, G, T] = [3, 5, 4], got [2, 5, 4]" in str(caught.value)


@pytest.mark.parametrize("cost", [np.ones(5), np.ones((5, 0)), np.ones((5, 4, 1))])
def test_cost_gives_the_shape(problem: LeafProblem, cost: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"cost: expected shape \[G, T\]"):
        LeafProblem(**fields(problem) | {"cost": cost})


def test_shape_and_most_quota(problem: LeafProblem) -> None:
    assert problem.shape == (5, 4, 3, 3)
    assert problem.quota_max == pytest.approx(problem.use_quota.max(axis=2) @ problem.demand)


def test_arrays_are_read_only_and_the_given_ones_stay_writeable(problem: LeafProblem) -> None:
    given = fields(problem)
    made = LeafProblem(**given)
    with pytest.raises(ValueError, match="read-only"):
        made.demand[0] = 1.0
    given["demand"][0] = 1.0


def test_bad_values_are_reported_with_their_place(problem: LeafProblem) -> None:
    broken = fields(problem)
    broken["cost"][2, 1] = np.nan
    broken["demand"][3] = -1.0
    broken["use_quota"][0, 1, 0] = 0.5
    assert problem.faults() == []
    faults = LeafProblem(**broken).faults()
    assert faults[0].startswith("demand[3]: expected a number ≥ 0, got -1")
    assert faults[1].startswith("cost[2, 1]: expected a finite number, got nan")
    assert faults[2].startswith("use_quota[:, :, 0]: the device tier")


def test_a_problem_travels(problem: LeafProblem) -> None:
    again = pickle.loads(pickle.dumps(problem))
    assert again.shape == problem.shape
    assert np.array_equal(again.use_own, problem.use_own)
