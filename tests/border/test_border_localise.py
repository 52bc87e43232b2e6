"""The border of the localiser: exact types, ownership, lifetimes, messages."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from tiertwin import _core


def model() -> _core.Influences:
    start, observation = np.array([0, 2, 3]), np.array([0, 1, 1])
    return _core.Influences(start, observation, np.array([0.9, 0.9, 0.9]), np.full(2, 0.01), np.full(2, 1e-3))


def state(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int32)


def test_evidence_outlives_the_name_of_its_model() -> None:
    evidence = _core.Evidence(model())
    gc.collect()
    evidence.observe(np.array([0, 1]), state(1, 1))
    probability, best, ln_best, complete, parts = evidence.posterior()
    assert probability.shape == (2,)
    assert (probability.flags.owndata, probability.dtype, best.dtype) == (True, np.float64, np.int64)
    assert (best.tolist(), complete, parts) == ([0], True, 1)
    assert ln_best < 0.0


def test_states_and_gains_are_copies() -> None:
    evidence = _core.Evidence(model())
    evidence.observe(np.array([1]), state(0))
    states, gains = evidence.states(), evidence.gains()
    evidence.forget()
    assert states.tolist() == [-1, 0]
    assert gains.tolist() != evidence.gains().tolist()
    assert evidence.states().tolist() == [-1, -1]


@pytest.mark.parametrize(
    "wrong",
    [(np.array([0.0]), state(1)), (np.array([0]), np.array([1])), (np.array([0], np.int32), state(1))],
)
def test_types_are_exact(wrong) -> None:
    with pytest.raises(TypeError):
        _core.Evidence(model()).observe(*wrong)


@pytest.mark.parametrize(
    ("observation", "states", "match"),
    [
        (np.array([2]), state(1), "observation 2: expected 0 to 2 - 1"),
        (np.array([-1]), state(1), "observation -1"),
        (np.array([0]), state(2), r"state\[0\]: expected 1"),
        (np.array([0, 1]), state(1), "expected 2 states"),
    ],
)
def test_wrong_evidence_is_told_and_nothing_taken(observation, states, match: str) -> None:
    evidence = _core.Evidence(model())
    with pytest.raises(ValueError, match=match):
        evidence.observe(observation, states)
    assert evidence.states().tolist() == [-1, -1]


@pytest.mark.parametrize(
    "limits", [(0.0, 12, 1e6), (float("nan"), 12, 1e6), (25.0, 1, 1e6), (25.0, 21, 1e6), (25.0, 12, 0.0)]
)
def test_limits_are_checked(limits) -> None:
    with pytest.raises(ValueError, match="limits: expected"):
        _core.Evidence(model()).posterior(*limits)


def test_a_model_is_not_none() -> None:
    with pytest.raises(TypeError):
        _core.Evidence(None)
