"""The border of forecasts: dtypes, shapes, values, ownership."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core

TABLE = np.exp(-np.arange(50) / 5.0)


def factor() -> _core.GrowingFactor:
    return _core.GrowingFactor(2, TABLE, TABLE, 0.1)


def test_another_dtype_or_order_is_a_type_error() -> None:
    for wrong in (np.zeros(2, np.float32), np.zeros(2, np.int64), np.zeros(4)[::2]):
        with pytest.raises(TypeError, match="incompatible"):
            factor().append(0, 0, wrong)
        with pytest.raises(TypeError, match="incompatible"):
            _core.ScoreBook(2, 5, 0.9).push(wrong)
    with pytest.raises(TypeError, match="incompatible"):
        factor().ahead(np.zeros(1, np.int32), np.zeros(1, np.int64))
    with pytest.raises(TypeError, match="incompatible"):
        _core.trends(np.zeros((3, 2)).T, np.array([0, 2]), [1.0], 2, 1)
    with pytest.raises(TypeError, match="incompatible"):
        _core.isotonic(np.zeros(2, np.float32), np.ones(2))


def test_a_factor_refuses_and_stays_as_it_was() -> None:
    kept = factor()
    kept.append(3, 0, np.array([1.0, -1.0]))
    before = kept.ahead(np.array([5]), np.array([0]))
    for slot, values, words in (
        (3, np.zeros(2), "expected one after 3, got 3"),
        (2, np.zeros(2), "in the order of their slots"),
        (9, np.zeros(3), r"expected 2 \(one a series\), got 3"),
        (9, np.array([0.0, np.nan]), r"values\[1\]: expected a finite value"),
        (99, np.zeros(2), "expected a lag below 50"),
    ):
        with pytest.raises(ValueError, match=words):
            kept.append(slot, 0, values)
    after = kept.ahead(np.array([5]), np.array([0]))
    assert kept.samples == 1
    np.testing.assert_array_equal(before[0], after[0])
    with pytest.raises(ValueError, match="expected one after 3, got 3"):
        kept.ahead(np.array([3]), np.array([0]))
    with pytest.raises(ValueError, match=r"kinds: expected 2 \(one a slot\), got 1"):
        kept.ahead(np.array([4, 5]), np.array([0]))


def test_tables_that_are_no_covariance_are_refused() -> None:
    with pytest.raises(ValueError, match="two tables of one length"):
        _core.GrowingFactor(1, TABLE, TABLE[:-1].copy(), 0.1)
    with pytest.raises(ValueError, match="noise: expected a positive variance"):
        _core.GrowingFactor(1, TABLE, TABLE, 0.0)
    with pytest.raises(ValueError, match="positive at lag 0"):
        _core.GrowingFactor(1, 0.0 * TABLE, TABLE, 0.1)
    lying = _core.GrowingFactor(1, np.array([1.0, 5.0]), np.array([1.0, 5.0]), 0.1)
    lying.append(0, 0, np.zeros(1))
    with pytest.raises(ValueError, match="positive definite"):
        lying.append(1, 0, np.zeros(1))


def test_smoothing_says_what_it_wants() -> None:
    with pytest.raises(ValueError, match="a week of whole days"):
        _core.DoubleSeason(1, 5, 12)
    model = _core.DoubleSeason(2, 4, 8)
    with pytest.raises(ValueError, match="before update"):
        model.update(np.zeros(2))
    with pytest.raises(ValueError, match="before ahead"):
        model.ahead(1)
    with pytest.raises(ValueError, match=r"expected at least 8 samples \(a week\), got 7"):
        model.follow(np.zeros((2, 7)), np.zeros((2, 4)))
    with pytest.raises(ValueError, match="gains of series 1"):
        model.follow(np.zeros((2, 9)), np.array([[0.1] * 4, [0.1, 0.1, 0.1, 1.0]]))
    assert np.isnan(model.follow(np.zeros((2, 8)), np.zeros((2, 4)))).all()
    with pytest.raises(ValueError, match="steps: expected at least 1, got 0"):
        model.ahead(0)


def test_books_and_sequences_say_what_they_want() -> None:
    for arguments, words in (
        ((0, 5, 0.9), "series, memory"),
        ((1, 5, 1.0), "level"),
        ((1, 5, 0.9, 0.0), "decay"),
        ((1, 5, 0.9, 1.0, -1.0), "gain"),
        ((1, 5, 0.9, 1.0, 0.0, float("nan")), "shared"),
    ):
        with pytest.raises(ValueError, match=words):
            _core.ScoreBook(*arguments)
    with pytest.raises(ValueError, match=r"scores: expected 2 \(one a series\), got 1"):
        _core.ScoreBook(2, 5, 0.9).push(np.zeros(1))
    with pytest.raises(ValueError, match="at index 1: expected a finite value and a positive"):
        _core.isotonic(np.zeros(2), np.array([1.0, 0.0]))
    for ptr, words in (([0, 2], "ptr: expected 0 … 3"), ([0, 0, 3], "run 0 has no cycles")):
        with pytest.raises(ValueError, match=words):
            _core.trends(np.zeros((3, 2)), np.array(ptr), [1.0], 2, 1)
    with pytest.raises(ValueError, match="taus"):
        _core.trends(np.zeros((3, 2)), np.array([0, 3]), [0.0], 2, 1)


def test_results_are_fresh_and_outlive_what_made_them() -> None:
    kept = factor()
    kept.append(0, 0, np.array([1.0, 2.0]))
    mean, _ = kept.ahead(np.array([1]), np.array([0]))
    again, _ = kept.ahead(np.array([1]), np.array([0]))
    mean[:] = 7.0
    del kept
    assert (again != 7.0).all()
    values = np.array([2.0, 1.0])
    _core.isotonic(values, np.ones(2))
    np.testing.assert_array_equal(values, [2.0, 1.0])
