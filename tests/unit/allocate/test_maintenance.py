"""Maintenance: batching, nights, redundancy, reasons, hostile input, and a week of germany50's links."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from support.maintenance import drawn
from tiertwin.allocate.maintenance import Maintenance, worth
from tiertwin.allocate.maintenance_milp import schedule
from tiertwin.errors import InputError


def plain(jobs: int = 2, horizon: int = 6, **changed) -> Maintenance:
    """Jobs of one slot at sites of their own, all due, any time, one crew."""
    base = Maintenance(
        jobs=tuple("abcdef"[:jobs]),
        slots=np.ones(jobs, np.int64),
        window=np.ones((jobs, horizon), bool),
        must=np.ones(jobs, bool),
        crew=np.ones(jobs, np.int64),
        crews=np.ones(horizon, np.int64),
        site=np.arange(jobs),
        shift=np.arange(horizon) // 3,
        travel=0.0,
        cost=np.ones(jobs),
        failure_cost=np.zeros(jobs),
        outage=np.ones(jobs),
        fails_before=np.zeros((jobs, horizon + 1)),
        load=np.tile([5.0, 4.0, 1.0, 2.0, 6.0, 6.0], (jobs, 1))[:, :horizon],
    )
    return replace(base, **changed)


def test_low_load_first_and_one_crew_at_a_time() -> None:
    found = schedule(plain())
    assert sorted(found.start.tolist()) == [2, 3]
    assert found.worth.cost == pytest.approx(2 + 1 + 2)
    assert (found.status, found.gap) == ("optimal", 0.0)
    assert found.bound == pytest.approx(5.0)  # here the relaxation is tight


OTHER_SOLVE = """
import cvxpy as cp, numpy as np
x = cp.Variable(3)
cp.Problem(cp.Maximize(cp.sum(x)), [x <= 1]).solve(solver="HIGHS", threads={threads})
from support.maintenance import drawn
from tiertwin.allocate.maintenance_milp import schedule
print(schedule(drawn(np.random.default_rng(2))).status)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_another_solve_of_the_process_with_other_threads_does_not_matter(threads: int) -> None:
    """HiGHS has one pool of threads a process and refuses a solve that asks for another number."""
    tests = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", OTHER_SOLVE.format(threads=threads)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tests, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "optimal"  # some versions of HiGHS print who they are


def test_redundant_parts_are_never_out_together() -> None:
    both = plain(crews=np.full(6, 2), slots=np.full(2, 2))
    assert schedule(both).start.tolist() == [2, 2]
    apart = replace(both, groups=((0, 1),), spare=(1,))
    found = schedule(apart)
    assert abs(found.start[0] - found.start[1]) >= 2
    assert worth(apart, [2, 2]).broken == tuple(
        f"slot {t}: 'a', 'b' are out together, of their group 1 may be" for t in (2, 3)
    )


def test_jobs_of_a_site_share_a_visit() -> None:
    shared = plain(site=np.zeros(2, np.int64), travel=100.0)
    found = schedule(shared)
    assert sorted(found.start.tolist()) == [1, 2]  # one shift, though slot 3 has less load
    assert found.worth.travel == 100.0


def test_a_job_is_done_when_its_failure_costs_more() -> None:
    curve = np.tile(np.linspace(0.0, 0.6, 7), (2, 1))
    lazy = plain(must=np.zeros(2, bool), failure_cost=np.array([1.0, 100.0]), fails_before=curve)
    found = schedule(lazy)
    assert found.start[0] == -1
    assert found.start[1] == 0  # soon: what may fail meanwhile costs more than the load
    assert found.worth.failures == pytest.approx(0.6)


def test_reasons_name_the_job_and_the_window() -> None:
    closed = plain(window=np.array([[0, 0, 0, 0, 0, 1], [1] * 6], bool), slots=np.array([2, 1]))
    assert schedule(closed).reasons == ("job 'a': its window (slots 5–5) leaves no start from which 2 slots end by 6",)
    nobody = plain(crew=np.array([1, 3]))
    assert schedule(nobody).reasons == ("job 'b': needs 3 crews for 1 slots; none of its windows (slots 0–5) has them",)


def test_reasons_of_a_conflict_say_what_is_in_the_way() -> None:
    window = np.zeros((2, 6), bool)
    window[:, 4] = True
    found = schedule(plain(window=window))
    assert found.status == "infeasible"
    (reason,) = found.reasons
    assert "finds no place beside the others: start in slot 4: slot 4: 2 crews wanted, 1 there" in reason
    apart = schedule(plain(window=window, crews=np.full(6, 2), groups=((0, 1),), spare=(1,)))
    assert "'a', 'b' are out together" in apart.reasons[0]
    assert found.gap == float("inf")
    assert "must be done and is not" in found.worth.broken[0]


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"load": np.full((2, 6), np.nan)}, r"load\[0, 0\]: expected a finite number"),
        ({"slots": np.array([0, 1])}, r"slots\[0\]"),
        ({"cost": np.array([1.0])}, r"cost: expected shape \(2,\), got \(1,\)"),
        ({"fails_before": np.full((2, 7), 1.5)}, "probabilities 0 … 1"),
        ({"fails_before": np.tile(np.linspace(1, 0, 7), (2, 1))}, "do not fall"),
        ({"shift": np.array([0, 1, 0, 1, 1, 1])}, "rise from 0"),
        ({"groups": ((0, 2),), "spare": (1,)}, r"groups\[0\]: expected different jobs"),
        ({"groups": ((0, 1),)}, "spare: expected 1 numbers"),
        ({"travel": float("inf")}, "travel: expected a finite"),
    ],
)
def test_what_is_no_problem_is_told(changed, match: str) -> None:
    with pytest.raises(InputError, match=match):
        schedule(plain(**changed))


def test_all_mistakes_at_once_and_a_schedule_of_the_wrong_size() -> None:
    with pytest.raises(InputError, match="2 problems"):
        schedule(plain(travel=-1.0, crew=np.array([-1, 1])))
    with pytest.raises(InputError, match="expected 2 starts"):
        worth(plain(), [1])
    assert worth(plain(), [9, 0]).broken == ("job 'a' may not start in slot 9",)


@pytest.mark.parametrize("seed", range(6))
def test_larger_problems_keep_the_bound_below_and_everything_unbroken(seed: int) -> None:
    problem = drawn(np.random.default_rng(seed), jobs=25, horizon=40, tight=0.2)
    found = schedule(problem)
    if found.status == "infeasible":
        assert found.reasons
        return
    assert found.worth.broken == ()
    assert found.bound <= found.worth.cost + 1e-7
    assert found.gap <= 1e-4
    shifted = worth(problem, np.where(problem.must, found.start, -1))  # another schedule, of what must be
    assert shifted.broken or shifted.cost >= found.bound - 1e-7


def test_the_same_problem_has_the_same_schedule() -> None:
    problem = drawn(np.random.default_rng(3), jobs=20, horizon=30, tight=0.2)
    assert schedule(problem).start.tolist() == schedule(problem).start.tolist()
