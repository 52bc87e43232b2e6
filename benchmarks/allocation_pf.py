"""Proportionally fair shares of node, uplink and regional capacity, certified to 1e-3, against conic solvers of cvxpy.

A case is the solve alone on both sides: our structure is compiled and the problem of the peer is built and
canonicalised beforehand. The answer of either is right when its plan, made feasible, is within 1e-3 of S of our bound.
Which solver is the fastest is found by one try each (contest.py). `warm` solves again after 2 % of the demands changed;
its peer is cvxpy's parametrised re-solve.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from contest import Timed, contest
from limited import limited, peak_gigabytes

from support import Case, main
from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairKernel, FairProblem
from tiertwin.allocate.families.fair_cvxpy import FairForm
from tiertwin.allocate.families.samples import compute_offload

GAP = 1e-3
SOLVERS = {
    "CLARABEL": {"tol_gap_abs": 1e-4, "tol_gap_rel": 1e-4, "tol_feas": 1e-5},
    "ECOS": {"abstol": 1e-4, "reltol": 1e-4, "feastol": 1e-5},
    "SCS": {"eps_abs": 1e-4, "eps_rel": 1e-4, "max_iters": 20_000},
}


def right(problem: FairProblem, bound: float) -> Callable[[FairAnswer], None]:
    """Check that a plan is feasible and within GAP of the optimum, whose bound is `bound`."""

    def check(found: FairAnswer) -> None:
        judged = fair.worth(problem, found.x)
        assert judged.violation <= 1e-6, f"violation {judged.violation:.3g}"
        gap = (bound - judged.value) / judged.scale
        assert gap <= GAP, f"gap {gap:.3g}"

    return check


def cold(pairs: int, solvers: Iterable[str] = SOLVERS, runs: int | None = None) -> Case:
    """One problem, from nothing."""
    problem, kernel = compute_offload(pairs), FairKernel()
    bound = kernel.allocate(problem, tolerance=1e-5).bound
    form = FairForm(problem, constant=True)
    form.put(problem)

    def peer(solver: str) -> Callable[[], Any]:
        run: Callable[[], Any] = lambda: form.solve(problem, solver, SOLVERS[solver])  # noqa: E731
        return run if runs is None else limited(run)

    def ours() -> FairAnswer:
        found = kernel.allocate(problem)
        assert found.gap <= GAP
        return found

    peers = {f"cvxpy {name}": peer(name) for name in solvers}
    case = contest(f"allocation_pf/offload/{pairs}", ours, peers, right(problem, bound))
    return dataclasses.replace(case, runs=runs)


def huge(pairs: int, seconds: float, gigabytes: float) -> Case:
    """Ours alone, at a size where no peer answers in time: seconds against a target, memory asserted."""

    def solved() -> Timed:
        problem, kernel = compute_offload(pairs), FairKernel()
        kernel.allocate(problem, iteration_limit=0)  # compiles the structure
        begin, spent = time.perf_counter(), time.process_time()
        found = kernel.allocate(problem)
        taken = Timed(None, time.perf_counter() - begin, time.process_time() - spent)
        assert fair.worth(problem, found.x).violation <= 1e-6
        gap, peak = found.gap, peak_gigabytes()
        print(f"  allocation_pf/offload/{pairs}: gap {gap:.3g}, peak memory {peak:.2f} GB", file=sys.stderr)
        return Timed((gap, peak), taken.seconds, taken.cpu)

    def check(found: Timed, _: Any) -> None:
        gap, peak = found.answer
        assert gap <= GAP, f"gap {gap:.3g}"
        assert peak <= gigabytes, f"{peak:.2f} GB"

    return Case(
        f"allocation_pf/offload/{pairs}",
        limited(solved, 600.0),
        None,
        "none: no conic solver ends in 300 s",
        check,
        target=seconds,
        figure=lambda done: done.seconds,
        cpu=lambda done: done.cpu,
        runs=3,
    )


def warm(pairs: int) -> Case:
    """After 2 % of the demands changed."""
    before, kernel = compute_offload(pairs), FairKernel()
    start = kernel.allocate(before)
    rng = np.random.default_rng(7)
    demand = before.demand.copy()
    moved = rng.choice(demand.size, max(1, demand.size // 50), replace=False)
    demand[moved] *= rng.uniform(0.7, 1.4, moved.size)
    problem = dataclasses.replace(before, demand=demand)
    bound = kernel.allocate(problem, tolerance=1e-5).bound
    form = FairForm(before, constant=False)
    form.put(before)
    form.solve(before, "CLARABEL", SOLVERS["CLARABEL"])

    def peer(solver: str) -> Callable[[], Any]:
        def run() -> FairAnswer:
            form.put(problem)
            return form.solve(problem, solver, SOLVERS[solver])

        return run

    return contest(
        f"allocation_pf/warm/{pairs}",
        lambda: kernel.allocate(problem, start=start),
        {f"cvxpy {name} (parametrised)": peer(name) for name in SOLVERS},
        right(problem, bound),
    )


def cases(quick: bool) -> Iterator[Case]:
    """Up to 50 000 pairs of user and node with --quick; without, 500 000 and 4 000 000, three runs of ours.

    At 500 000 the peers are the two that were fastest at 50 000 wherever this was run, one run each, ended after 300 s.
    """
    yield cold(1_000)
    yield warm(1_000)
    yield cold(50_000)
    if not quick:
        yield cold(500_000, ("ECOS", "CLARABEL"), runs=3)
        yield huge(4_000_000, seconds=60.0, gigabytes=2.0)


if __name__ == "__main__":
    main(__doc__, cases)
