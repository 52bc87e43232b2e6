"""Laws of slices: bounds hold at any prices, admission is a proof or a plan, floors that fit are kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import families as naive
from tiertwin.allocate.families import slices_answer
from tiertwin.allocate.families.slices_admission import admit
from tiertwin.allocate.families.slices_answer import Prices
from tiertwin.allocate.families.slices_interface import SlicesInterface
from tiertwin.allocate.families.slices_kernel import SliceKernel
from tiertwin.allocate.families.slices_repair import fitted
from tiertwin.allocate.families.slices_rows import crowded

SEEDS = st.integers(0, 10**6)
SAMPLE = SlicesInterface().sample


@given(SEEDS, SEEDS, st.booleans())
@settings(max_examples=100)
def test_no_plan_is_worth_more_than_the_bound_at_any_prices(seed: int, other: int, awkward: bool) -> None:
    problem = SAMPLE(seed, awkward=awkward)
    rng = np.random.default_rng(other)

    def some(count: int) -> np.ndarray:
        return rng.lognormal(-1.0, 2.0, count) * rng.integers(0, 2, count)

    price = some(problem.options.resources)
    discount = price[problem.kept_pairs[:, 1]] * rng.random(problem.kept_pairs.shape[0])
    prices = Prices(price, discount, some(problem.cap_pairs.shape[0]), some(problem.slices.count))
    bound = slices_answer.price_bound(problem, prices, problem.floors.penalty * rng.random(problem.floors.count))
    plans = [fitted(problem, rng.lognormal(0.0, 2.0, problem.options.count))]
    if not crowded(problem):
        plans.append(SliceKernel().allocate(problem, tolerance=1e-6).x)
    for x in plans:
        judged = slices_answer.worth(problem, x)
        assert judged.violation <= 1e-9
        assert judged.value <= bound + 1e-9 * max(judged.scale, abs(bound))


@given(SEEDS, st.integers(0, 12), st.booleans())
@settings(max_examples=100)
def test_an_answer_is_feasible_and_certified_at_any_limit(seed: int, limit: int, awkward: bool) -> None:
    problem = SAMPLE(3 * (seed // 3) + seed % 2, awkward=awkward)
    found = SliceKernel().allocate(problem, iteration_limit=limit)
    assert naive.slice_violation(problem, found.x) <= 1e-9
    assert found.value <= found.bound + 1e-9 * max(found.scale, abs(found.bound))
    if limit == 12 and not awkward:
        assert found.gap <= 1e-2


@given(SEEDS, st.floats(0.0, 3.0))
@settings(max_examples=60)
def test_admission_is_a_plan_or_a_proof(seed: int, factor: float) -> None:
    problem = SAMPLE(3 * (seed // 3) + seed % 2)
    promised = replace(problem.guarantees, amount=20.0 * factor * problem.guarantees.amount)
    problem = replace(problem, guarantees=promised)
    found = admit(problem)
    assert not (found.admitted and found.refused)
    assert found.admitted or found.refused
    assert naive.slice_violation(problem, found.x) <= 1e-9
    total = promised.amount.sum()
    if found.admitted:
        assert found.shortfall.sum() <= 2e-6 * total + 1e-12
        kept = SliceKernel().allocate(replace(problem, guarantees=replace(promised, penalty=np.full(3, 1e4))))
        assert kept.shortfall.sum() <= 2e-2 * total + 1e-9
    else:
        assert found.least > 0
        assert len(found.refusals) == np.sum(found.shortfall > 1e-6 * total)
        lowered = replace(promised, amount=promised.amount - found.shortfall)
        assert not admit(replace(problem, guarantees=lowered)).refused


@given(SEEDS)
@settings(max_examples=60)
def test_less_than_what_is_said_is_needed_does_not_help_and_what_is_enough_does(seed: int) -> None:
    problem = SAMPLE(3 * (seed // 3) + seed % 2)
    problem = replace(problem, guarantees=replace(problem.guarantees, amount=14.0 * problem.guarantees.amount))
    found = admit(problem)
    for refusal in found.refusals:
        for cause in refusal.causes:
            if not cause.name.startswith("resource") or " " in cause.name.removeprefix("resource ") or cause.left > 0:
                continue
            r = int(cause.name.removeprefix("resource "))
            for share, admitted in ((0.9 * cause.least, False), (1.0001 * cause.enough, True)):
                capacity = problem.capacity.copy()
                capacity[r] += share
                assert admit(replace(problem, capacity=capacity)).admitted == admitted
