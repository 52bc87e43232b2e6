"""Weighted throughput under node, uplink, regional and demand limits (a linear problem), certified to 1e-3.

Peers: HiGHS (its choice, interior point without crossover, PDLP) and PDLP of OR-tools, each to 1e-4 on a model built
beforehand. An answer is right when its plan, made feasible, is within 1e-3 of our bound.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pdlp
from contest import Timed, contest
from limited import limited
from scipy import sparse

from support import Case, main
from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairKernel, FairProblem
from tiertwin.allocate.families.samples import compute_offload

GAP = 1e-3


def right(problem: FairProblem, bound: float) -> Callable[[Any], None]:
    """Check a plan; S is the throughput itself here, so the gap is the usual relative one."""

    def check(found: Any) -> None:
        x = found.x if isinstance(found, FairAnswer) else fair.fit(problem, np.asarray(found))
        judged = fair.worth(problem, x)
        assert judged.violation <= 1e-6, f"violation {judged.violation:.3g}"
        gap = (bound - judged.value) / judged.scale
        assert gap <= GAP, f"gap {gap:.3g}"

    return check


def model(problem: FairProblem) -> tuple[np.ndarray, Any, np.ndarray, np.ndarray]:
    """Gains, rows, their limits and the largest x, scaled: x in shares of demand, rows in shares of capacity."""
    options = problem.options
    demand = problem.demand[options.user_of]
    uses = sparse.diags_array(1 / problem.capacity) @ options.uses @ sparse.diags_array(demand)
    rows = sparse.vstack([options.sums, uses]).tocsc()
    gain = problem.weight[options.user_of] * demand
    return gain / gain.mean(), rows, np.ones(rows.shape[0]), demand


def highs(problem: FairProblem, **settings: Any) -> Callable[[], np.ndarray]:
    """HiGHS on its own array interface, the model passed beforehand; the clock sees run() alone."""
    import highspy  # with OR-tools in the same process it would not load

    Highs: Any = highspy.Highs

    gain, rows, limit, demand = model(problem)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = gain.size, limit.size
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = -gain, np.zeros(gain.size), np.ones(gain.size)
    lp.row_lower_, lp.row_upper_ = np.full(limit.size, -np.inf), limit
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = rows.indptr, rows.indices, rows.data

    def run() -> np.ndarray:
        solver: Any = Highs()
        solver.setOptionValue("output_flag", False)
        for name, value in settings.items():
            solver.setOptionValue(name, value)
        solver.passModel(lp)
        solver.run()
        x: np.ndarray = np.asarray(solver.getSolution().col_value) * demand
        return x

    return run


def ortools_pdlp(problem: FairProblem) -> Callable[[], Timed]:
    """PDLP of OR-tools."""
    gain, rows, limit, demand = model(problem)

    def run() -> Timed:
        x, seconds, cpu = pdlp.solve(-gain, rows, np.full(limit.size, -np.inf), limit, np.ones(gain.size))
        return Timed(x * demand, seconds, cpu)

    return run


def cold(pairs: int, only: Iterable[str] = (), runs: int | None = None) -> Case:
    """One problem, from nothing; against `only` these peers, if any are named, each ended after 300 s."""
    problem, kernel = compute_offload(pairs, alpha=0.0), FairKernel()
    bound = kernel.allocate(problem, tolerance=1e-5).bound

    def ours() -> FairAnswer:
        found = kernel.allocate(problem)
        assert found.gap <= GAP
        return found

    peers: dict[str, Callable[[], Any]] = {
        "HiGHS": highs(problem),
        "HiGHS ipm": highs(problem, solver="ipm", run_crossover="off", ipm_optimality_tolerance=1e-4),
        "HiGHS PDLP": highs(problem, solver="pdlp", pdlp_optimality_tolerance=1e-4),
        "ortools PDLP": ortools_pdlp(problem),
    }
    if only:
        peers = {name: limited(peers[name]) for name in only}
    case = contest(f"allocation_lp/offload/{pairs}", ours, peers, right(problem, bound))
    return dataclasses.replace(case, runs=runs)


def cases(quick: bool) -> Iterator[Case]:
    """Up to 50 000 pairs of user and node with --quick; without, 500 000, three runs of ours.

    There the peers are the two that were fastest at 50 000 wherever this was run, one run each, ended after 300 s.
    """
    yield cold(1_000)
    yield cold(50_000)
    if not quick:
        yield cold(500_000, ("ortools PDLP", "HiGHS PDLP"), runs=3)


if __name__ == "__main__":
    main(__doc__, cases)
