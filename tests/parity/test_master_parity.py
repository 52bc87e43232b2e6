"""The kernels of the master problems against the cvxpy reference: same values, prices that prove them, any shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reference.cuts import random_tree
from support.masters import concave_request
from tiertwin import _core
from tiertwin.allocate import master, masterkernel
from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.master import Masters
from tiertwin.allocate.masterkernel import KernelMasters
from tiertwin.allocate.mastersolver import MASTER_SOLVERS, master_solver
from tiertwin.allocate.messages import LOWER, UPPER
from tiertwin.allocate.monolithic import solve_monolithic
from tiertwin.allocate.nodemath import dual_value, primal_value
from tiertwin.allocate.solvetree import solve_tree
from tiertwin.errors import UnknownNameError


@pytest.fixture(scope="module")
def reference():
    return Masters()


SHAPES = [(1, 1, 1), (3, 3, 2), (12, 5, 2), (6, 2, 1), (1, 3, 0), (50, 3, 2)]


@pytest.mark.parametrize("kind", [UPPER, LOWER])
@pytest.mark.parametrize("priced", [False, True])
@pytest.mark.parametrize(("children", "levels", "own"), SHAPES)
def test_the_kernels_find_what_cvxpy_finds(kind, priced, children, levels, own, reference):
    kernels = KernelMasters()
    for seed in range(3):
        request = concave_request(seed, kind, children=children, levels=levels, own=own, slots=12, priced=priced)
        mine, theirs = kernels.solve(request), reference.solve(request)
        assert kernels.refused == 0
        assert mine.value == pytest.approx(theirs.value, abs=1e-6 * request.unit)
        assert dual_value(request, mine.price, mine.weight) - mine.value <= 1e-5 * request.unit
        assert mine.value == primal_value(request, mine.r, mine.weight)


@pytest.mark.parametrize("kind", [UPPER, LOWER])
def test_units_dead_resources_and_repeated_slots_do_not_matter(kind):
    request = concave_request(7, kind)
    kernels = KernelMasters()
    value = kernels.solve(request).value
    unit = np.array([1e6, 1e-5, 1e3])
    per = unit if kind == LOWER else 1 / unit
    other = replace(
        request,
        slope=request.slope * per,
        rmax=request.rmax * unit,
        capacity=request.capacity * unit[:2],
        quota=request.quota * unit[2:],
    )
    assert kernels.solve(other).value == pytest.approx(value, abs=1e-6 * request.unit)
    twice = replace(
        request,
        level=np.concatenate([request.level, request.level[:, :1]], axis=1),
        slope=np.concatenate([request.slope, request.slope[:, :1]], axis=1),
    )
    assert kernels.solve(twice).value == pytest.approx(value, abs=1e-6 * request.unit)
    dead = kernels.solve(replace(request, capacity=np.array([0.0, request.capacity[1]])))
    assert dead.r[:, 0].sum() == 0
    assert np.isfinite(dead.price).all()
    assert kernels.refused == 0


@pytest.mark.parametrize("kind", [UPPER, LOWER])
def test_a_quota_of_nothing_grants_nothing(kind):
    request = concave_request(8, kind, children=3, own=2, levels=3)
    answer = KernelMasters(Masters()).solve(replace(request, quota=np.zeros(1)))
    assert answer.r[:, 2].sum() <= 1e-6 * request.rmax[:, 2].sum()


def test_what_the_kernels_refuse_goes_to_the_fallback():
    request = concave_request(9, UPPER, levels=9, own=2)
    assert KernelMasters().solve(request) is None
    kernels = KernelMasters(Masters())
    assert kernels.solve(request).step == 2
    assert kernels.refused == 1
    broken = replace(request, level=np.full_like(request.level, np.nan))
    assert kernels.solve(broken) is None


@pytest.mark.parametrize("kind", [UPPER, LOWER])
@pytest.mark.parametrize("what", [np.nan, 0.0, 2.0], ids=["nan", "nothing", "too much"])
def test_s3_serves_when_a_kernel_lies(kind, what, reference, monkeypatch):
    request = concave_request(11, kind)
    good = KernelMasters().solve(request)
    raw = replace(good, r=good.r * what, weight=good.weight * what, price=good.price * what)
    monkeypatch.setattr(masterkernel, "_upper", lambda _: raw)
    monkeypatch.setattr(masterkernel, "_lower", lambda _: raw)
    assert KernelMasters().solve(request) is None  # S6 to S8 are the node's: tests/unit/allocate/test_master.py
    kernels = KernelMasters(reference)
    behind = kernels.solve(request)
    assert (good.step, behind.step, kernels.refused) == (2, 3, 1)
    assert behind.value == reference.solve(request).value


@pytest.mark.parametrize("fan", [(6,), (3, 3), (2, 2, 2)])
def test_a_tree_closes_as_with_the_reference(fan, reference):
    tree = random_tree(70, fan, groups=6)
    optimum = solve_monolithic(tree)
    kernels = KernelMasters(reference)
    mine, theirs = (
        solve_tree(tree, solver=leaf_solver("kernel"), masters=masters, target_gap=1e-3, max_rounds=10)
        for masters in (kernels, reference)
    )
    assert abs(len(mine.rounds) - len(theirs.rounds)) <= 1
    for r in mine.rounds:
        assert r.ub >= optimum.value - 1e-6 * optimum.scale
        assert r.lb <= optimum.bound + 1e-6 * optimum.scale
    assert mine.bounds.gap <= 1e-3


def test_the_same_request_gives_the_same_bits():
    request = concave_request(10, UPPER)
    a, b = KernelMasters().solve(request), KernelMasters().solve(request)
    assert np.array_equal(a.r, b.r)
    assert np.array_equal(a.weight, b.weight)


def test_solvers_by_name():
    assert {type(master_solver(name)).__name__ for name in MASTER_SOLVERS} == {"Masters", "KernelMasters"}
    request = concave_request(9, UPPER, levels=9, own=2)
    assert master_solver("kernel").solve(request).step == 2
    with pytest.raises(UnknownNameError, match="kernel"):
        master_solver("kernels")


def test_shapes_are_compiled_beforehand_behind_kernels_too(monkeypatch):
    request = concave_request(12, UPPER)
    raw = replace(KernelMasters().solve(request), weight=-np.ones_like(request.level))
    ready = master_solver("kernel", [request.shape])
    monkeypatch.setattr(masterkernel, "_upper", lambda _: raw)
    compiled = []
    monkeypatch.setattr(master, "_Compiled", lambda *shape, **_: compiled.append(shape))
    assert ready.solve(request).step == 3
    assert compiled == []


@pytest.mark.parametrize(
    ("change", "words"),
    [({"limit": np.array([0.0])}, "limit"), ({"level": np.zeros((2, 3))}, "slope"), ({"kappa": np.zeros(2)}, "kappa")],
)
def test_what_is_no_upper_model_is_refused(change, words):
    good = {
        "level": np.zeros((2, 4)), "slope": np.ones((2, 4, 1)), "share": np.ones((2, 1)), "limit": np.array([0.98]),
        "kappa": np.ones(1), "price": np.zeros(1),
    }  # fmt: skip
    _core.solve_upper(**good)
    with pytest.raises(ValueError, match=words):
        _core.solve_upper(**(good | change))
    with pytest.raises(TypeError):
        _core.solve_upper(**(good | {"price": np.zeros(1, dtype=np.float32)}))
