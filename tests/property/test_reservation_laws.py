"""Laws of reservation: bounds hold at any prices, units do not matter, a proof of lack is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.allocate.families import reservation
from tiertwin.allocate.families.reservation_interface import ReservationInterface
from tiertwin.allocate.families.reservation_kernel import ReservationKernel, lacks

SEEDS = st.integers(0, 10**6)
SAMPLE = ReservationInterface().sample


@given(SEEDS, SEEDS, st.booleans())
@settings(max_examples=100)
def test_no_plan_costs_less_than_the_bound_at_any_prices(seed: int, other: int, awkward: bool) -> None:
    problem = SAMPLE(seed, awkward=awkward)
    rng = np.random.default_rng(other)
    price = problem.price * rng.lognormal(0.0, 1.5, problem.price.shape) * rng.integers(0, 2, problem.price.shape)
    bound = reservation.price_bound(problem, price)
    shares = [rng.lognormal(0.0, s, problem.open.shape) for s in (0.1, 3.0)]
    for share in (*shares, np.eye(problem.tiers)[rng.integers(0, problem.tiers, problem.groups)]):
        judged = reservation.worth(problem, reservation.fit(problem, share))
        assert judged.violation <= 1e-12
        assert judged.cost >= bound * (1 - 1e-9)


@given(SEEDS, st.booleans())
@settings(max_examples=40)
def test_the_kernel_is_feasible_certified_and_never_worse_for_more_moves(seed: int, awkward: bool) -> None:
    problem = replace(SAMPLE(seed, awkward=awkward), pooled=False)
    before = np.inf
    for limit in (0, 1, 3, 30):
        found = ReservationKernel().allocate(problem, iteration_limit=limit)
        judged = reservation.worth(problem, found.share)
        assert judged.violation <= 1e-9
        assert judged.cost == found.cost <= before * (1 + 1e-12)
        assert found.bound <= found.cost * (1 + 1e-9)
        before = found.cost
    assert found.gap <= 0.1


@given(SEEDS)
@settings(max_examples=40)
def test_units_do_not_matter(seed: int) -> None:
    problem = SAMPLE(seed)
    gcycles, bits, money = 1e9, 1e6, 1e-3
    unit = np.array([gcycles, bits, bits])[:, None]
    other = replace(
        problem,
        cycles=gcycles * problem.cycles, bits=bits * problem.bits, context=bits * problem.context,
        capacity=unit * problem.capacity, price=money * problem.price / unit,
        before=None if problem.before is None else unit * problem.before,
        change=None if problem.change is None else money * problem.change / unit,
    )  # fmt: skip
    a, b = (ReservationKernel().allocate(p) for p in (problem, other))
    np.testing.assert_allclose(b.bound, money * a.bound, rtol=1e-6)
    np.testing.assert_allclose(b.cost, money * a.cost, rtol=1e-2)


@given(SEEDS)
@settings(max_examples=40)
def test_what_is_proved_to_lack_lacks_and_more_capacity_ends_it(seed: int) -> None:
    problem = replace(SAMPLE(seed, awkward=True), pooled=False)
    found = ReservationKernel().allocate(problem)
    lacking, proved = lacks(problem, found)
    assert bool(lacking) == (not found.fits)
    if proved:
        rng = np.random.default_rng(seed)
        for spread in (0.1, 1.0, 3.0):
            share = reservation.fit(problem, rng.lognormal(0.0, spread, problem.open.shape))
            assert np.any(reservation.worth(problem, share).overflow > 0)
    for lack in lacking:
        assert "short" in str(lack)
    wide = replace(problem, capacity=problem.capacity + 1.001 * found.overflow)
    assert reservation.worth(wide, found.share).penalty == 0.0
