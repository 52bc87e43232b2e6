"""Each step of the solver ladder, reached by an injected fault; and hostile instances, of which each gets a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from support.hostile_leaves import admissible, hostile_leaf
from support.leaves import random_leaf
from tiertwin.allocate import kernel, registry
from tiertwin.allocate.ladder import (
    LeafLadder,
    Rungs,
    Step,
    allocator_solver,
    climb,
    devices_only,
)
from tiertwin.allocate.leaf import LeafAnswer, LeafProblem
from tiertwin.allocate.validation import LeafQuery, sanitised
from tiertwin.errors import InputError, SolveError

EXACT = allocator_solver(kernel.KernelAllocator())


@pytest.fixture
def problem() -> LeafProblem:
    return random_leaf(np.random.default_rng(3), 12, 3, 3)


@pytest.fixture
def query(problem: LeafProblem) -> LeafQuery:
    return LeafQuery(quota=0.3 * problem.quota_max)


def crash(problem: LeafProblem, query: LeafQuery) -> LeafAnswer:
    raise MemoryError("injected")


def lying(factor: float):
    """A solver that calls a plan optimal which is `factor` times too large, with senseless prices."""

    def solve(problem: LeafProblem, query: LeafQuery) -> LeafAnswer:
        found = EXACT(problem, query)
        return replace(found, x=factor * found.x, own_price=np.full(3, np.nan), quota_price=np.full(3, -1.0))

    return solve


def refuse(times: int):
    """A checker that admits nothing the first `times` times it is asked."""
    left = [times]

    def check(problem: LeafProblem, x: np.ndarray, quota: np.ndarray | None) -> kernel.Worth:
        left[0] -= 1
        judged = kernel.worth(problem, x, quota)
        return replace(judged, violation=1.0) if left[0] >= 0 else judged

    return check


def test_s2_serves_when_all_is_well(problem: LeafProblem, query: LeafQuery) -> None:
    outcome = climb(problem, query, Rungs(conic=EXACT))
    assert outcome.trail == (Step.VALIDATE, Step.CONIC, Step.CHECK)
    assert outcome.answer.step == 2
    assert outcome.reasons == ()


def test_s3_serves_when_the_exact_solver_dies(problem: LeafProblem, query: LeafQuery) -> None:
    linear = allocator_solver(registry.get("cvxpy-linear"))
    outcome = climb(problem, query, Rungs(conic=crash, linear=linear))
    assert outcome.trail == (Step.VALIDATE, Step.CONIC, Step.LINEAR, Step.CHECK)
    assert outcome.answer.step == 3
    assert outcome.reasons == ("S2 conic: MemoryError: injected",)


def test_s5_repairs_what_breaks_a_bound(problem: LeafProblem, query: LeafQuery) -> None:
    outcome = climb(problem, query, Rungs(conic=lying(1.7)))
    assert outcome.trail == (Step.VALIDATE, Step.CONIC, Step.CHECK, Step.REPAIR, Step.CHECK)
    assert outcome.answer.step == 5
    assert admissible(problem, query, outcome.answer)
    assert np.all(outcome.answer.own_price >= 0)


@pytest.mark.parametrize("conic", [crash, lying(np.nan), lying(np.inf), None])
def test_s6_serves_without_any_solver(problem: LeafProblem, query: LeafQuery, conic) -> None:
    outcome = climb(problem, query, Rungs(conic=conic))
    assert outcome.answer.step == 6
    assert admissible(problem, query, outcome.answer)


def test_s1_sends_bad_data_to_s6(problem: LeafProblem, query: LeafQuery) -> None:
    demand = np.array(problem.demand)
    demand[2] = np.nan
    outcome = climb(replace(problem, demand=demand), query, Rungs(conic=crash))
    assert outcome.trail == (Step.VALIDATE, Step.GREEDY, Step.CHECK)
    assert outcome.reasons[0].startswith("S1 validate: demand[2]")
    assert np.all(outcome.answer.x[2] == 0)


def test_s1_finds_one_number_that_drowns_the_others(problem: LeafProblem, query: LeafQuery) -> None:
    huge, idle = np.array(problem.demand), np.array(problem.demand)
    huge[0], idle[0] = 1e12, 1e-12
    assert climb(replace(problem, demand=huge), query, Rungs(conic=EXACT)).answer.step == 6
    assert climb(replace(problem, demand=idle), query, Rungs(conic=EXACT)).answer.step == 2


def test_s7_clips_the_last_good_plan(problem: LeafProblem, query: LeafQuery) -> None:
    good = EXACT(problem, query).x
    smaller = replace(problem, capacity=0.5 * problem.capacity, demand=0.8 * problem.demand)
    tight = LeafQuery(quota=0.1 * problem.quota_max)
    outcome = climb(smaller, tight, Rungs(conic=None, greedy=crash), last_good=good)
    assert outcome.trail == (Step.VALIDATE, Step.GREEDY, Step.LAST_GOOD, Step.CHECK)
    assert outcome.answer.step == 7
    assert admissible(smaller, tight, outcome.answer)


def test_s8_is_the_scenarios_default_or_the_devices(problem: LeafProblem, query: LeafQuery) -> None:
    half = climb(problem, query, Rungs(conic=None, greedy=crash, safe=lambda p, q: 0.5 * devices_only(p, q)))
    assert half.answer.step == 8
    assert half.answer.x == pytest.approx(0.5 * devices_only(problem, query))
    devices = climb(problem, query, Rungs(conic=None, greedy=crash, safe=crash))
    assert devices.answer.step == 8
    assert np.all(devices.answer.x[:, 1:] == 0)


def test_s4_judges_every_candidate(problem: LeafProblem, query: LeafQuery) -> None:
    good = EXACT(problem, query).x
    outcome = climb(problem, query, Rungs(conic=EXACT, check=refuse(4)), last_good=good)
    steps = [step for step in outcome.trail if step is not Step.CHECK]
    assert steps == [Step.VALIDATE, Step.CONIC, Step.REPAIR, Step.GREEDY, Step.LAST_GOOD, Step.SAFE]
    assert outcome.trail.count(Step.CHECK) == 5
    with pytest.raises(SolveError, match="S4 check: none -1 exceeded by 1"):
        climb(problem, query, Rungs(conic=EXACT, check=refuse(10**6)), last_good=good)


def test_a_last_good_plan_of_another_shape_is_not_used(problem: LeafProblem, query: LeafQuery) -> None:
    outcome = climb(problem, query, Rungs(conic=None, greedy=crash), last_good=np.ones((3, 4)))
    assert Step.LAST_GOOD not in outcome.trail


def test_a_query_is_a_quota_or_a_price() -> None:
    with pytest.raises(InputError, match="got both"):
        LeafQuery(quota=np.ones(1), price=np.ones(1))
    with pytest.raises(InputError, match="got neither"):
        LeafQuery()


@pytest.mark.parametrize("quota", [[np.nan, 1.0, 1.0], [-1.0, 1.0, 1.0], [1.0]])
def test_a_broken_query_is_read_carefully(problem: LeafProblem, quota: list[float]) -> None:
    outcome = climb(problem, LeafQuery(quota=np.array(quota)), Rungs(conic=EXACT))
    assert outcome.answer.step == 6
    assert outcome.answer.use[0] == 0 or quota[0] == 1.0


def test_the_ladder_counts_and_keeps_the_last_good_plan(problem: LeafProblem, query: LeafQuery) -> None:
    ladder = LeafLadder(kernel.KernelAllocator())
    first = ladder.solve_quota(problem, query.quota)
    ladder.solve_price(problem, np.zeros(3))
    ladder.rungs = Rungs(conic=crash, greedy=crash)
    assert ladder.solve_quota(problem, query.quota).step == 7
    assert ladder.counts == {Step.CONIC: 2, Step.LAST_GOOD: 1}
    assert ladder.taken[Step.CHECK] == 3
    assert first.step == 2


@pytest.mark.parametrize("seed", range(4))
def test_hostile_instances_all_get_an_admissible_plan(seed: int) -> None:
    rng = np.random.default_rng([9, seed])
    rungs = Rungs(conic=EXACT)
    for trial in range(60):
        hostile, query = hostile_leaf(rng, trial)
        with np.errstate(all="ignore"):
            outcome = climb(hostile, query, rungs)
        real = hostile if not hostile.faults() else sanitised(hostile)
        assert admissible(real, query, outcome.answer)
