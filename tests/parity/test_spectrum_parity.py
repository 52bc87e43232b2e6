"""Spectrum: efficiencies, powers and shares of the kernel against loops, a plain search and cvxpy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from reference import spectrum as naive
from tiertwin import _core
from tiertwin.allocate.families.spectrum import SpectrumProblem
from tiertwin.allocate.families.spectrum_cvxpy import SpectrumCvxpy
from tiertwin.allocate.families.spectrum_interface import SpectrumInterface
from tiertwin.allocate.families.spectrum_kernel import SpectrumKernel, strongest

SAMPLE = SpectrumInterface().sample


def test_efficiencies_are_those_of_the_loops() -> None:
    for seed in range(6):
        problem = SAMPLE(seed, awkward=seed % 2 == 1)
        rng = np.random.default_rng(seed)
        power = problem.power_most * rng.uniform(1e-3, 1.0, problem.cells)
        expected = [
            [naive.efficiency(problem, power, k, j) for j in range(problem.cells)] for k in range(problem.users)
        ]
        np.testing.assert_allclose(problem.efficiencies(power), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
def test_powers_are_those_of_a_plain_search(seed: int) -> None:
    problem = SAMPLE(seed)
    cell = strongest(problem).cell
    power, value, gap, _ = _core.ascend_power(
        cell, problem.weight, problem.power_most, **problem.cluster, iteration_limit=2000, tolerance=1e-7
    )
    total = problem.weight.sum()
    assert gap <= 1e-6 * total
    assert value == pytest.approx(naive.utility(problem, cell, power), abs=1e-9 * total)
    best = naive.utility(problem, cell, naive.best_powers(problem, cell, sweeps=8))
    assert best <= value + gap + 1e-9 * total
    assert value >= best - 1e-4 * total


def test_association_and_shares_are_those_of_trying_all() -> None:
    """Five users, two cells, powers fixed: 32 associations, each with the band shared by weight."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        power = np.array([1.0, 20.0])
        problem = SpectrumProblem(
            10 ** rng.uniform(-14, -10, (5, 2)), power, np.array([1e7, 2e7]), power_least=power,
            weight=rng.uniform(0.5, 2.0, 5),
        )  # fmt: skip
        found = SpectrumKernel().allocate(problem)
        efficiency = problem.efficiencies(power)
        values = []
        for cell in itertools.product((0, 1), repeat=5):
            at = np.array(cell)
            share = problem.weight / np.bincount(at, weights=problem.weight, minlength=2)[at]
            values.append(problem.weight @ np.log(share * problem.bandwidth[at] * efficiency[np.arange(5), at]))
        assert max(values) <= found.bound + 1e-9 * found.scale
        assert found.value >= max(values) - 0.02 * found.scale
        assert found.value <= max(values) + 1e-9 * found.scale


def test_kernel_and_cvxpy_agree() -> None:
    for seed in (0, 2, 4):
        problem = SAMPLE(seed)
        ours, theirs = SpectrumKernel().allocate(problem), SpectrumCvxpy().allocate(problem)
        assert abs(ours.value - theirs.value) <= 2e-3 * ours.scale
