"""The maintenance problem solved: cvxpy with HiGHS, a bound of our own, and reasons where there is no schedule.

The model is that of `tiertwin.allocate.maintenance`, with a limit of nodes and none of time. The bound is Lagrangian
with crews, groups and visits priced at whatever multipliers y, z ≥ 0 the LP relaxation gave, and valid for any:

    Σ_j undone_j + Σ_j [min_t r_jt, or 0 if that is more and the job may be left] + Σ_v min(0, travel − Σ z) − y·b

where r_jt is the cost of start t, less undone_j, plus the prices of what it takes. HiGHS: Q. Huangfu and J. A. J. Hall,
Parallelizing the dual revised simplex method, Math. Programming Computation 10, 2018.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.maintenance import UNDONE, Maintenance, Worth, blocked, impossible, worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow
GAP, NODES = 1e-6, 20_000


@dataclass(frozen=True, eq=False)
class Schedule:
    """The best schedule found.

    Parameters
    ----------
    start
        Slot in which each job starts, −1: not done; (J,). All −1 where there is no schedule.
    worth
        What it costs and breaks, recomputed.
    bound
        No schedule costs less: Lagrangian, recomputed. −inf where there is none.
    proved
        What HiGHS proved by branching, never below `bound` (taken from the solver).
    status
        "optimal" (proved within 1e-6), "feasible" or "infeasible".
    reasons
        Where infeasible: which jobs cannot be placed and what is in the way.
    """

    start: I64
    worth: Worth
    bound: float
    proved: float
    status: str
    reasons: tuple[str, ...]

    @property
    def gap(self) -> float:
        """(cost − proved)/|cost|: 0 is optimal; inf without a schedule."""
        if self.status == "infeasible":
            return float("inf")
        cost = self.worth.cost
        return max(cost - self.proved, 0.0) / max(abs(cost), 1e-12)


@dataclass(frozen=True, eq=False)
class _Rows:
    """x: one column a (job, start); v: one a (site, shift) that some job may be in."""

    job: I64
    slot: I64
    cost: F64  # of a column, less what leaving the job undone costs
    limits: Any  # sparse: crews and groups
    limit: F64
    once: Any  # sparse [J, columns]
    visit: Any  # sparse [(job, site, shift), columns]
    visited: Any  # sparse [(job, site, shift), visits]
    visits: int


def schedule(problem: Maintenance, nodes: int = NODES) -> Schedule:
    """Return the schedule of least cost.

    Parameters
    ----------
    problem
        Jobs, windows, crews, redundancy.
    nodes
        Limit of branch and bound; the same answer on every machine.

    Raises
    ------
    InputError
        Shapes or numbers out of range, all at once.
    """
    problem.checked()
    never = impossible(problem)
    if never:
        return _infeasible(problem, never)
    rows = _rows(problem)
    bound = _bound(problem, rows)
    found, proved = _solved(problem, rows, problem.must, nodes)
    if found is None:
        return _infeasible(problem, _conflicts(problem, nodes))
    value = worth(problem, found)
    proved = max(proved, bound)
    status = "optimal" if value.cost - proved <= GAP * max(abs(value.cost), 1.0) else "feasible"
    return Schedule(found, value, bound, min(proved, value.cost), status, ())


def _infeasible(problem: Maintenance, reasons: list[str]) -> Schedule:
    start = np.full(len(problem.jobs), UNDONE, dtype=np.int64)
    return Schedule(start, worth(problem, start), -np.inf, -np.inf, "infeasible", tuple(reasons))


def _rows(problem: Maintenance) -> _Rows:
    starts = [problem.starts(j) for j in range(len(problem.jobs))]
    job = np.repeat(np.arange(len(starts)), [len(s) for s in starts])
    slot = np.concatenate(starts) if len(job) else np.empty(0, np.int64)
    cost = np.concatenate([problem.start_cost(j)[s] - problem.undone_cost(j) for j, s in enumerate(starts)])
    columns, horizon = len(job), problem.horizon
    length = problem.slots[job]
    spread = np.repeat(np.arange(columns), length)
    busy = np.arange(len(spread)) - np.repeat(np.cumsum(length) - length, length) + slot[spread]
    out = sparse.csr_matrix((np.ones(len(spread)), (busy, spread)), shape=(horizon, columns))
    blocks, limit = [out @ sparse.diags(problem.crew[job].astype(float))], [problem.crews.astype(float)]
    for members, spare in zip(problem.groups, problem.spare, strict=True):
        blocks.append(out @ sparse.diags(np.isin(job, members).astype(float)))
        limit.append(np.full(horizon, float(spare)))
    shifts = int(problem.shift[-1]) + 1
    place = problem.site[job] * shifts + problem.shift[slot]
    visits, of_visit = np.unique(place, return_inverse=True)
    pairs, of_pair = np.unique(job * (int(place.max(initial=0)) + 1) + place, return_inverse=True)
    first = np.zeros(len(pairs), dtype=np.int64)
    first[of_pair] = of_visit
    once = sparse.csr_matrix((np.ones(columns), (job, np.arange(columns))), shape=(len(starts), columns))
    visit = sparse.csr_matrix((np.ones(columns), (of_pair, np.arange(columns))), shape=(len(pairs), columns))
    visited = sparse.csr_matrix((np.ones(len(pairs)), (np.arange(len(pairs)), first)), shape=(len(pairs), len(visits)))
    return _Rows(
        job, slot, cost, sparse.vstack(blocks, "csr"), np.concatenate(limit), once, visit, visited, len(visits)
    )


def _solved(problem: Maintenance, rows: _Rows, must: Any, nodes: int) -> tuple[I64 | None, float]:
    """Return the starts and the proved bound; None: no schedule."""
    if not len(rows.job):
        empty = np.full(len(problem.jobs), UNDONE, dtype=np.int64)
        return empty, worth(problem, empty).cost
    x, v = cp.Variable(len(rows.job), boolean=True), cp.Variable(rows.visits, boolean=True)
    once = rows.once @ x
    links = [rows.limits @ x <= rows.limit, rows.visit @ x <= rows.visited @ v, once <= 1]
    if must.any():
        links.append(once[np.flatnonzero(must)] >= 1)
    posed = cp.Problem(cp.Minimize(rows.cost @ x + problem.travel * cp.sum(v)), links)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the checker decides, not the status
        posed.solve(solver="HIGHS", mip_rel_gap=GAP / 10, mip_max_nodes=nodes, random_seed=0)
    if x.value is None:
        return None, -np.inf
    start = np.full(len(problem.jobs), UNDONE, dtype=np.int64)
    taken = np.flatnonzero(np.asarray(x.value) > 0.5)
    start[rows.job[taken]] = rows.slot[taken]
    undone = sum(problem.undone_cost(j) for j in range(len(problem.jobs)))
    info = getattr(getattr(posed.solver_stats, "extra_stats", None), "mip_dual_bound", -np.inf)
    return start, undone + float(info)


def _bound(problem: Maintenance, rows: _Rows) -> float:
    """Return the Lagrangian bound at the multipliers of the LP relaxation: valid whatever they are."""
    undone = float(sum(problem.undone_cost(j) for j in range(len(problem.jobs))))
    if not len(rows.job):
        return undone
    x, v = cp.Variable(len(rows.job), nonneg=True), cp.Variable(rows.visits, nonneg=True)
    limits, visits, once = rows.limits @ x <= rows.limit, rows.visit @ x <= rows.visited @ v, rows.once @ x <= 1
    links = [limits, visits, once, v <= 1]
    must = np.flatnonzero(problem.must)
    if len(must):
        links.append((rows.once @ x)[must] >= 1)
    posed = cp.Problem(cp.Minimize(rows.cost @ x + problem.travel * cp.sum(v)), links)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        posed.solve(solver="HIGHS")
    given = [
        np.maximum(np.asarray(one.dual_value), 0.0) if one.dual_value is not None else None for one in (limits, visits)
    ]
    y = given[0] if given[0] is not None else np.zeros(len(rows.limit))
    z = given[1] if given[1] is not None else np.zeros(rows.visit.shape[0])
    reduced = rows.cost + rows.limits.T @ y + rows.visit.T @ z
    least = np.full(len(problem.jobs), np.inf)
    np.minimum.at(least, rows.job, reduced)
    jobs = np.where(problem.must, least, np.minimum(least, 0.0))
    trips = np.minimum(problem.travel - rows.visited.T @ z, 0.0)
    return undone + float(jobs.sum() + trips.sum() - y @ rows.limit)


def _conflicts(problem: Maintenance, nodes: int) -> list[str]:
    """Return which jobs that must be done find no place when as many as possible do, and what is in their way."""
    free = np.zeros(len(problem.jobs), dtype=bool)
    many = 1.0 + float(len(problem.jobs))
    wanted = np.where(problem.must, many, 0.0)  # one more placed is worth more than anything else
    easy = replace(
        problem, must=free, travel=0.0, cost=np.zeros(len(free)), outage=np.zeros(len(free)),
        failure_cost=wanted, fails_before=np.tile(np.append(np.zeros(problem.horizon), 1.0), (len(free), 1)),
    )  # fmt: skip
    start, _ = _solved(easy, _rows(easy), free, nodes)
    if start is None:
        return ["no schedule was found, and no largest part of one either: raise `nodes`"]
    start[~problem.must] = UNDONE
    left = np.flatnonzero(problem.must & (start == UNDONE))
    if not len(left):
        return [f"no schedule was found within {nodes} nodes, though all jobs have a place: raise `nodes`"]
    return [
        f"job {problem.jobs[j]!r} finds no place beside the others: {'; '.join(blocked(problem, start, int(j))[:4])}"
        for j in left
    ]
