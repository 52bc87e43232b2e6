"""What to build is the best there is; the bound holds; greedy and exhaustive are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from reference.placement import best, value
from support.placements import drawn
from tiertwin.allocate.placement import NONE, Prices, allowed, bound, slopes, worth
from tiertwin.allocate.placement_milp import choose, useless
from tiertwin.allocate.placement_search import exhaustive, greedy
from tiertwin.allocate.placement_stage import Stage


@pytest.mark.parametrize("seed", range(40))
def test_the_choice_is_the_best_of_all(seed: int) -> None:
    problem = drawn(np.random.default_rng(seed))
    top, _ = best(problem)
    stage = Stage(problem)
    found, plain, every = choose(problem, stage=stage), greedy(stage), exhaustive(stage)
    assert found.worth.broken == ()
    assert found.worth.value == pytest.approx(top, rel=1e-6, abs=1e-9)
    assert found.status == "optimal"
    assert found.bound >= top - 1e-9
    assert found.proved <= found.bound + 1e-12
    assert every.value == pytest.approx(top, rel=1e-9, abs=1e-9)
    assert plain.value <= found.worth.value * (1.0 + 1e-6) + 1e-9
    assert value(problem, plain.chosen) == pytest.approx(plain.value, rel=1e-9, abs=1e-9)
    assert allowed(problem, np.array(plain.chosen, dtype=np.int64))


@pytest.mark.parametrize("seed", range(100, 130))
def test_lazy_greedy_chooses_as_plain_greedy_with_fewer_looks(seed: int) -> None:
    problem = drawn(np.random.default_rng(seed), candidates=8, most=3)
    lazy, plain = greedy(Stage(problem)), greedy(Stage(problem), lazy=False)
    assert lazy.chosen == plain.chosen
    assert lazy.value == pytest.approx(plain.value)


def test_greedy_is_not_always_the_best() -> None:
    problem = drawn(np.random.default_rng(50), candidates=6, most=3)
    stage = Stage(problem)
    assert greedy(stage).value < 0.96 * exhaustive(stage).value
    assert choose(problem, stage=stage).worth.value == pytest.approx(exhaustive(stage).value, rel=1e-6)


@pytest.mark.parametrize("seed", range(200, 240))
def test_bounds_hold_at_any_prices(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = drawn(rng)
    top, _ = best(problem)
    prices = Prices(
        rng.exponential(0.3, len(problem.capacity)),
        rng.exponential(0.3, len(problem.user)),
        rng.exponential(0.3),
        rng.exponential(0.3),
        rng.exponential(0.3, len(problem.groups)),
    )
    assert bound(problem, prices) >= top - 1e-9
    a, slope = slopes(problem, prices.resource, prices.option)
    for _ in range(5):
        x = tuple(np.flatnonzero(rng.random(problem.candidates) < 0.5).tolist())
        assert a + slope[list(x)].sum() >= value(problem, x) - 1e-9


@pytest.mark.parametrize("seed", range(300, 320))
def test_prices_of_a_choice_prove_its_value(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = drawn(rng)
    stage, chosen = Stage(problem), np.flatnonzero(rng.random(problem.candidates) < 0.5)
    served = stage.serve(chosen)
    a, slope = slopes(problem, served.resource, served.option)
    assert a + slope[chosen].sum() == pytest.approx(served.value, rel=1e-7, abs=1e-9)
    assert worth(problem, chosen, served.flow).value == pytest.approx(served.value)


@pytest.mark.parametrize("seed", range(400, 420))
def test_what_is_called_useless_adds_nothing(seed: int) -> None:
    problem = drawn(np.random.default_rng(seed), most=2)
    nothing = value(problem, ())
    for i, reason in useless(problem, Stage(problem)).items():
        assert problem.cost[i] > problem.budget or value(problem, (i,)) <= nothing * (1 + 1e-8) + 1e-12, reason


def test_worth_tells_what_is_broken() -> None:
    problem = drawn(np.random.default_rng(3), most=1)
    none, flow = np.empty(0, dtype=np.int64), np.full(len(problem.user), 100.0)
    told = " ".join(worth(problem, none, flow).broken)
    assert "served more than they ask" in told
    assert "over their capacity" in told
    assert "is not built" in told or not (problem.needs != NONE).any()
    assert "below 0" in " ".join(worth(problem, none, -flow).broken)
    told = " ".join(worth(problem, np.arange(problem.candidates), 0.0 * flow).broken)
    assert "budget" in told
    assert "at most 1 may be" in told
