"""Slices: the kernel's sets of slices against cvxpy's own and common parts, and the checker against loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reference import families as naive
from tiertwin.allocate.families import slices_answer
from tiertwin.allocate.families.slices import SliceProblem
from tiertwin.allocate.families.slices_cvxpy import SliceCvxpy, SliceForm
from tiertwin.allocate.families.slices_interface import SlicesInterface
from tiertwin.allocate.families.slices_kernel import SliceKernel
from tiertwin.allocate.families.slices_repair import fitted

SAMPLE = SlicesInterface().sample


@pytest.mark.parametrize("awkward", [False, True])
def test_kernel_and_cvxpy_agree(awkward: bool) -> None:
    interface, reference, compared = SlicesInterface(), SliceCvxpy(), 0
    for seed in range(9):
        problem = SAMPLE(seed, awkward=awkward)
        if interface.needs(problem):
            continue
        ours, theirs = SliceKernel().allocate(problem, tolerance=1e-7), reference.allocate(problem)
        assert ours.gap <= 1e-6
        assert theirs.gap <= 1e-6
        assert abs(ours.value - theirs.value) <= 2e-6 * ours.scale
        np.testing.assert_allclose(ours.shortfall, theirs.shortfall, atol=2e-4 * (1 + problem.guarantees.amount.max()))
        compared += 1
    assert compared >= 6


def test_the_compiled_reference_takes_new_numbers() -> None:
    problem = SAMPLE(4)
    form = SliceForm(problem, constant=False)
    given = problem.slices
    other = replace(
        problem,
        demand=1.3 * problem.demand,
        capacity=0.9 * problem.capacity,
        slices=replace(given, kept=0.5 * given.kept, cap=1.1 * given.cap, limit=0.7 * given.limit),
    )
    assert form.fits(other)
    form.put(other)
    again = form.solve(other, "CLARABEL", {})
    built = SliceForm(other, constant=True)
    built.put(other)
    fresh = built.solve(other, "CLARABEL", {})
    assert abs(again.value - fresh.value) <= 1e-5 * again.scale
    assert abs(again.value - SliceKernel().allocate(other, tolerance=1e-7).value) <= 1e-5 * again.scale


def test_violations_are_those_of_the_loops() -> None:
    for seed in range(12):
        problem = SAMPLE(seed, awkward=seed % 2 == 1)
        rng = np.random.default_rng(seed)
        plain = replace(problem, demand=np.full(problem.demand.size, 1e9))
        for scale in (0.02, 0.2, 2.0):
            x = scale * rng.lognormal(0.0, 1.0, problem.options.count)
            judged = slices_answer.worth(plain, x)
            expected = naive.slice_violation(plain, x)
            if judged.fault.startswith(("demand", "capacity")):
                assert judged.violation >= expected - 1e-12
            elif np.isfinite(expected):
                assert judged.violation == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert naive.slice_violation(problem, fitted(problem, x)) <= 1e-9


def test_what_is_kept_is_there_when_it_is_wanted_and_nobody_elses_when_not() -> None:
    """One link of 10, 4 kept for a: b alone gets 6; both in want share the rest; a alone gets all."""
    from tiertwin.allocate.families.options import Options
    from tiertwin.allocate.families.slices import Slices

    options = Options.of_lists([[{0: 1.0}], [{0: 1.0}]], 1)
    kept = np.array([[4.0], [0.0]])

    def rates(demand: list[float], weight: list[float]) -> np.ndarray:
        problem = SliceProblem(
            options, np.array(demand), np.array(weight), np.ones(2), np.array([10.0]),
            Slices(np.array([0, 1]), ("a", "b"), kept=kept),
        )  # fmt: skip
        return SliceKernel().allocate(problem, tolerance=1e-9).x

    np.testing.assert_allclose(rates([0.0, 20.0], [1.0, 1.0]), [0.0, 6.0], atol=1e-6)
    np.testing.assert_allclose(rates([20.0, 0.0], [1.0, 1.0]), [10.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(rates([20.0, 20.0], [1.0, 1.0]), [5.0, 5.0], atol=1e-3)
    np.testing.assert_allclose(rates([20.0, 20.0], [1.0, 9.0]), [4.0, 6.0], atol=1e-3)
