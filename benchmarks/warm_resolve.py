"""Fair shares and weighted throughput again after 2 % of the data changed, against cvxpy's parametrised re-solve.

The data that change are demands, capacities or weights. Ours begins at the answer before the change. The peer keeps its
problem compiled with Parameters (DPP), gets the new numbers and solves with the fastest of its solvers: that is the
whole of what it does again. Compiling is not counted on either side. Both answers are right when the plan, made
feasible, is within 1e-3 of S of our bound; ours is certified besides.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from allocation_pf import SOLVERS as CONIC
from allocation_pf import right
from contest import Timed, contest

from support import Case, main
from tiertwin.allocate.families.fair import FairAnswer, FairKernel, FairProblem
from tiertwin.allocate.families.fair_cvxpy import FairForm
from tiertwin.allocate.families.samples import compute_offload

CHANGED = 50  # one number of so many
LINEAR: dict[str, dict[str, Any]] = {
    "HIGHS": {},
    "CLARABEL": CONIC["CLARABEL"],
    "ECOS": CONIC["ECOS"],
    "OSQP": {"eps_abs": 1e-5, "eps_rel": 1e-5, "max_iter": 20_000},
    "SCS": CONIC["SCS"],
}


def changed(before: FairProblem, what: str) -> FairProblem:
    """The problem with one in 50 numbers of `what` multiplied by 0.7 to 1.4."""
    rng = np.random.default_rng(7)
    values = np.array(getattr(before, what))
    moved = rng.choice(values.size, max(1, values.size // CHANGED), replace=False)
    values[moved] *= rng.uniform(0.7, 1.4, moved.size)
    changes: dict[str, Any] = {what: values}
    return dataclasses.replace(before, **changes)


def resolve(family: str, pairs: int, what: str) -> Case:
    """One change of one family."""
    before, kernel = compute_offload(pairs, alpha=1.0 if family == "pf" else 0.0), FairKernel()
    start = kernel.allocate(before)
    problem = changed(before, what)
    moved: dict[str, Any] = {what: getattr(problem, what)}
    bound = kernel.allocate(problem, tolerance=1e-5).bound
    form = FairForm(before, constant=False)
    solvers = CONIC if family == "pf" else LINEAR

    def peer(solver: str) -> Callable[[], Timed]:
        ready = False

        def run() -> Timed:
            nonlocal ready
            if not ready:  # the first solve compiles for this solver
                form.put(before)
                form.solve(before, solver, solvers[solver])
                ready = True
            begin = time.perf_counter()
            form.put(problem)
            found = form.solve(problem, solver, solvers[solver])
            return Timed(found, time.perf_counter() - begin)

        return run

    def ours() -> FairAnswer:
        found = kernel.allocate(dataclasses.replace(before, **moved), start=start)  # the new numbers are taken in, too
        assert found.gap <= 1e-3, f"certified gap {found.gap:.3g}"
        return found

    peers = {f"cvxpy {name} (parametrised)": peer(name) for name in solvers}
    return contest(f"warm_resolve/{family}/{what}/{pairs}", ours, peers, right(problem, bound))


def cases(quick: bool) -> Iterator[Case]:
    """1 000 pairs with --quick; 10 000 and 50 000 without (cvxpy compiles for minutes there)."""
    for pairs in (1_000,) if quick else (1_000, 10_000, 50_000):
        for family in ("pf", "lp"):
            for what in ("demand", "capacity", "weight"):
                yield resolve(family, pairs, what)


if __name__ == "__main__":
    main(__doc__, cases)
