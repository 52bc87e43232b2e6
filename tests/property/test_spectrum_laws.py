"""Laws of spectrum: bounds at given powers hold, powers are as near to the best as is said, turns never lose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin import _core
from tiertwin.allocate.families import spectrum
from tiertwin.allocate.families.fairness import fairness, fairness_by_class
from tiertwin.allocate.families.spectrum_interface import SpectrumInterface
from tiertwin.allocate.families.spectrum_kernel import SpectrumKernel, strongest

SEEDS = st.integers(0, 10**6)
SAMPLE, RIVALS = SpectrumInterface().sample, SpectrumInterface().rivals


@given(SEEDS, SEEDS, st.booleans())
@settings(max_examples=60)
def test_no_association_is_worth_more_than_the_bound_at_any_prices(seed: int, other: int, awkward: bool) -> None:
    problem = SAMPLE(seed, awkward=awkward)
    rng = np.random.default_rng(other)
    power = problem.power_least * (problem.power_most / problem.power_least) ** rng.random(problem.cells)
    band, backhaul = (
        rng.lognormal(0.0, 2.0, problem.cells) * unit
        for unit in (1.0 / problem.bandwidth, np.full(problem.cells, 1e-7))
    )
    bound = spectrum.price_bound(problem, power, band, backhaul)
    found = replace(SpectrumKernel().allocate(problem, iteration_limit=0), power=power)
    for plan in RIVALS(problem, found):
        judged = spectrum.worth(problem, plan[:, 0], plan[:, 1], power)
        assert judged.violation <= 1e-9
        assert judged.value <= bound + 1e-9 * max(judged.scale, abs(bound))


@given(SEEDS, SEEDS)
@settings(max_examples=60)
def test_no_powers_are_worth_more_than_is_said(seed: int, other: int) -> None:
    problem = SAMPLE(seed)
    rng = np.random.default_rng(other)
    cell = rng.integers(-1, problem.cells, problem.users)
    span = problem.power_most / problem.power_least

    def drawn() -> np.ndarray:
        return problem.power_least * span ** rng.random(problem.cells)

    def ascend(start: np.ndarray, limit: int) -> tuple[np.ndarray, float, float, int]:
        return _core.ascend_power(
            cell, problem.weight, start, **problem.cluster, iteration_limit=limit, tolerance=1e-9
        )  # fmt: skip

    start = drawn()
    before = -np.inf
    for limit in (0, 1, 5, 50):
        power, value, gap, steps = ascend(start, limit)
        assert steps <= limit
        assert gap >= 0.0
        assert value >= before
        assert np.all((problem.power_least <= power) & (power <= problem.power_most))
        before = value
        for _ in range(5):
            assert ascend(drawn(), 0)[1] <= value + gap + 1e-9 * max(1.0, abs(value))


@given(SEEDS, st.booleans())
@settings(max_examples=40)
def test_turns_never_lose_and_beat_the_loudest_cell_at_full_power(seed: int, awkward: bool) -> None:
    problem = SAMPLE(seed, awkward=awkward)
    found = SpectrumKernel().allocate(problem)
    judged = spectrum.worth(problem, found.cell, found.hertz, found.power)
    assert judged.violation <= 1e-9
    assert judged.value == found.value <= found.bound + 1e-9 * max(found.scale, 1.0)
    assert np.all(np.diff(found.history) >= 0)
    assert found.value >= strongest(problem).value - 1e-6 * max(found.scale, 1.0)
    warm = SpectrumKernel().allocate(problem, start=found)
    assert warm.value >= found.value - 1e-3 * max(found.scale, 1.0)


@given(st.lists(st.floats(0.0, 1e12), min_size=1, max_size=30), st.floats(1e-9, 1e9))
@settings(max_examples=100)
def test_jain_is_between_one_over_n_and_one_and_knows_no_unit(rates: list[float], unit: float) -> None:
    y = np.array(rates)
    found = fairness(y)
    assert 1.0 / y.size - 1e-12 <= found.jain <= 1.0
    if y.max() > 1e-200:
        assert abs(fairness(unit * y).jain - found.jain) <= 1e-9
    by = fairness_by_class(y, np.arange(y.size) % 2, ("even", "odd"))
    assert by["all"] == found
    assert by["even"].count + by["odd"].count == y.size
    assert fairness(np.full(7, 3.0)).jain == 1.0
    assert abs(fairness(np.eye(5)[0]).jain - 0.2) < 1e-12
