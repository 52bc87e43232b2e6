"""The border of the alloc kernels: dtypes, shapes, values, ownership of what comes back."""

from __future__ import annotations

import gc
import re

import numpy as np
import pytest

from support.leaves import random_leaf
from tiertwin import _core
from tiertwin.allocate.leaf import LeafProblem

FIELDS = ("demand", "weight", "alpha", "cost", "use_own", "capacity", "kappa", "use_quota")


def arrays(problem: LeafProblem) -> dict[str, np.ndarray]:
    return {name: np.array(getattr(problem, name)) for name in FIELDS}


@pytest.fixture
def problem() -> LeafProblem:
    return random_leaf(np.random.default_rng(1), 4, 3, 3)


@pytest.fixture
def leaf(problem: LeafProblem) -> _core.Leaf:
    return _core.Leaf(**arrays(problem))


@pytest.mark.parametrize("field", FIELDS)
def test_another_dtype_or_order_is_a_type_error(problem: LeafProblem, field: str) -> None:
    good = arrays(problem)
    with pytest.raises(TypeError, match="incompatible"):
        _core.Leaf(**good | {field: good[field].astype(np.float32)})
    if good[field].ndim > 1:
        with pytest.raises(TypeError, match="incompatible"):
            _core.Leaf(**good | {field: np.asfortranarray(good[field])})


@pytest.mark.parametrize("field", FIELDS)
def test_a_wrong_shape_names_the_array(problem: LeafProblem, field: str) -> None:
    good = arrays(problem)
    with pytest.raises(ValueError, match=r"expected shape \["):
        _core.Leaf(**good | {field: np.ascontiguousarray(good[field][..., :-1])})
    with pytest.raises(ValueError, match=field):
        _core.Leaf(**good | {field: good[field][None]})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("field", FIELDS)
def test_a_bad_value_is_refused_with_its_place(problem: LeafProblem, field: str, bad: float) -> None:
    broken = arrays(problem)
    broken[field].flat[-1] = bad
    with pytest.raises(_core.CoreValueError, match=rf"{field}.*finite numbers >= 0"):
        _core.Leaf(**broken)


def test_the_device_tier_may_use_nothing(problem: LeafProblem) -> None:
    broken = arrays(problem)
    broken["use_quota"][1, 2, 0] = 0.5
    with pytest.raises(ValueError, match=re.escape("use_quota[1, 2, 0]: the device tier")):
        _core.Leaf(**broken)


def test_too_many_rows_name_the_way_out() -> None:
    zeros = np.zeros((65, 1, 2))
    one = np.ones(1)
    leaf = _core.Leaf(one, one, one, np.ones((1, 2)), zeros, np.ones(65), np.ones(65), np.zeros((0, 1, 2)))
    with pytest.raises(ValueError, match="leaf_solver: cvxpy"):
        leaf.solve_quota(np.zeros(0))


@pytest.mark.parametrize("quota", [[1.0], [1.0, 1.0, -1.0], [1.0, 1.0, np.nan]])
def test_a_bad_query_is_refused(leaf: _core.Leaf, quota: list[float]) -> None:
    for call in (leaf.solve_quota, leaf.solve_price, leaf.greedy):
        with pytest.raises(ValueError, match="expected"):
            call(np.array(quota))


def test_an_infinite_quota_is_no_limit_and_an_infinite_price_refused(leaf: _core.Leaf, problem: LeafProblem) -> None:
    free, ample = leaf.solve_quota(np.full(3, np.inf)), leaf.solve_quota(2 * problem.quota_max)
    assert free[1] == pytest.approx(ample[1], rel=1e-9)
    with pytest.raises(ValueError, match="price"):
        leaf.solve_price(np.full(3, np.inf))


def test_results_own_their_memory_and_inputs_stay(leaf: _core.Leaf, problem: LeafProblem) -> None:
    x = np.ones((4, 4))
    before = x.copy()
    results = [leaf.repair(x), leaf.refresh(x), leaf.greedy(), leaf.project(x), leaf.solve_quota(np.ones(3))[0]]
    copies = [result.copy() for result in results]
    for result in results:
        assert result.flags.owndata
        assert result.flags.c_contiguous
    leaf.solve_price(np.ones(3))
    del leaf
    gc.collect()
    assert np.array_equal(x, before)
    assert all(np.array_equal(a, b) for a, b in zip(results, copies, strict=True))


def test_the_leaf_keeps_its_own_copy_of_the_problem(problem: LeafProblem) -> None:
    given = arrays(problem)
    leaf = _core.Leaf(**given)
    first = leaf.solve_quota(np.ones(3))
    for array in given.values():
        array[...] = np.nan
    again = leaf.solve_quota(np.ones(3))
    assert np.array_equal(first[0], again[0])
    assert first[1:3] == again[1:3]


def test_empty_problems_are_answered() -> None:
    for groups, own, quotas in ((0, 2, 1), (3, 0, 0), (0, 0, 0)):
        rng = np.random.default_rng(3)
        problem = random_leaf(rng, max(groups, 1), own, quotas)
        given = arrays(problem)
        if groups == 0:
            given |= {name: np.zeros(0) for name in ("demand", "weight", "alpha")}
            given |= {"cost": given["cost"][:0].copy()}
            given |= {name: np.ascontiguousarray(given[name][:, :0]) for name in ("use_own", "use_quota")}
        leaf = _core.Leaf(**given)
        x, value, *_ = leaf.solve_quota(np.ones(quotas))
        assert x.shape == given["cost"].shape
        assert np.isfinite(value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group_of_device": np.array([0, 2])}, "expected a group in 0..2"),
        ({"group_of_device": np.array([0, 0])}, "no device"),
        ({"cap": np.array([1.0, 5.0])}, "may take only"),
        ({"weight": np.ones(3)}, "expected shape"),
    ],
)
def test_dealing_refuses_what_cannot_be_dealt(change: dict[str, np.ndarray], message: str) -> None:
    good = {"group_of_device": np.array([0, 1]), "weight": np.ones(2), "x": np.array([[1.0, 1.0], [2.0, 1.0]])}
    with pytest.raises(ValueError, match=re.escape(message)):
        _core.deal(**good | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"links": np.array([0, 7])}, "links: expected ids"),
        ({"offsets": np.array([0, 0, 2])}, "crosses no link"),
        ({"offsets": np.array([0, 1])}, "offsets: expected 3"),
        ({"weights": np.array([1.0, 0.0])}, "weights[1]: expected a number > 0"),
        ({"capacity": np.array([np.inf, 1.0])}, "capacity: expected finite"),
    ],
)
def test_waterfill_refuses_bad_input(change: dict[str, np.ndarray], message: str) -> None:
    good = {
        "capacity": np.ones(2), "offsets": np.array([0, 1, 2]), "links": np.array([0, 1]), "weights": np.ones(2),
    }  # fmt: skip
    with pytest.raises(ValueError, match=re.escape(message)):
        _core.waterfill(**good | change)
