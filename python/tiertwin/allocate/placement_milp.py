"""What to build, as a mixed-integer problem: cvxpy with HiGHS, an answer recomputed, a bound of our own, and reasons.

The model is that of `tiertwin.allocate.placement`, with a limit of nodes and none of time. What is built is rounded,
its flows are solved anew (`placement_stage`) and judged by `worth`; the bound is the closed form at the prices of the
linear relaxation. Where branching ends before it has proved its choice, greedy's is taken if it is better.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.placement import NONE, PlacementProblem, Prices, Worth, bound, worth
from tiertwin.allocate.placement_search import greedy
from tiertwin.allocate.placement_stage import Served, Stage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow
GAP, NODES = 1e-6, 20_000
NOTHING = 1e-9  # of the value, that a candidate adds which adds nothing


@dataclass(frozen=True, eq=False)
class Chosen:
    """The best choice found.

    Parameters
    ----------
    built
        Places of what is built, rising.
    served
        Its flows.
    worth
        Value, cost and what is broken, recomputed.
    bound
        No choice is worth more: closed form, recomputed.
    proved
        What HiGHS proved by branching, never above `bound` (taken from the solver).
    status
        "optimal" (proved within 1e-6) or "feasible".
    """

    built: tuple[int, ...]
    served: Served
    worth: Worth
    bound: float
    proved: float
    status: str

    @property
    def gap(self) -> float:
        """(proved − value)/|value|: 0 is optimal."""
        return max(self.proved - self.worth.value, 0.0) / max(abs(self.worth.value), 1e-12)


def choose(problem: PlacementProblem, nodes: int = NODES, stage: Stage | None = None) -> Chosen:
    """Return the best choice.

    Parameters
    ----------
    problem
        Candidates, users, situations.
    nodes
        Limit of branch and bound; the same answer on every machine.
    stage
        Where choices of this problem were evaluated before.

    Raises
    ------
    InputError
        Shapes or numbers out of range, all at once.
    SolveError
        HiGHS gave no answer to a linear problem.
    """
    stage = Stage(problem) if stage is None else stage
    model = _Model(problem)
    above = model.bound()
    built, proved = model.solve(nodes)
    served = stage.serve(np.array(built, dtype=np.int64))
    proved = min(above, max(proved, served.value))
    if proved - served.value > GAP * max(abs(served.value), 1e-12):
        other = greedy(stage)
        if other.value > served.value:
            built, served = other.chosen, stage.serve(np.array(other.chosen, dtype=np.int64))
    value = worth(problem, np.array(built, dtype=np.int64), served.flow)
    proved = max(proved, value.value)
    closed = proved - value.value <= GAP * max(abs(value.value), 1e-12)
    return Chosen(built, served, value, max(above, value.value), proved, "optimal" if closed else "feasible")


def useless(problem: PlacementProblem, stage: Stage) -> dict[int, str]:
    """Return the candidates that cannot be built or add nothing by themselves, with the reason."""
    nothing = stage.value(np.empty(0, dtype=np.int64))
    found = {}
    for i in range(problem.candidates):
        if problem.most < 1:
            found[i] = "none may be built: most is 0"
        elif problem.cost[i] > problem.budget:
            found[i] = f"costs {problem.cost[i]:g}, more than the whole budget of {problem.budget:g}"
        elif (
            not (problem.needs == i).any()
            and not np.isin(problem.add_row[problem.add_candidate == i], problem.use_row).any()
        ):
            found[i] = "nobody has a way over it in any situation"
        elif stage.value(np.array([i])) <= nothing + NOTHING * max(abs(nothing), 1e-300):
            found[i] = "adds nothing by itself: what it adds is not short in any situation"
    return found


class _Model:
    """The problem in cvxpy: values as shares of the largest possible, flows as shares of demand."""

    def __init__(self, problem: PlacementProblem) -> None:
        self._problem = problem
        asked = problem.demand[problem.user]
        self._options = np.flatnonzero((asked > 0.0) & (problem.worth_of_option > 0.0))
        self._asked = asked[self._options]
        full = problem.worth_of_option[self._options] * self._asked
        self._unit = max(float(full.sum()) / max(len(full), 1), 1e-300)
        self._gain = full / self._unit

    def solve(self, nodes: int) -> tuple[tuple[int, ...], float]:
        """Return what is built and the bound that branching proved."""
        x = cp.Variable(self._problem.candidates, boolean=True) if self._problem.candidates else None
        posed, _, _ = self._posed(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the checker decides, not the status
            posed.solve(solver="HIGHS", mip_rel_gap=GAP / 10, mip_max_nodes=nodes, random_seed=0)
        if x is None:
            return (), self._unit * float(posed.value)
        if x.value is None:
            return (), float("inf")
        info = getattr(getattr(posed.solver_stats, "extra_stats", None), "mip_dual_bound", None)
        proved = float("inf") if info is None else abs(float(info)) * self._unit
        return tuple(int(i) for i in np.flatnonzero(np.asarray(x.value) > 0.5)), proved

    def bound(self) -> float:
        """Return the closed-form bound at the prices of the relaxation."""
        problem = self._problem
        x = cp.Variable(problem.candidates, nonneg=True) if problem.candidates else None
        posed, rows, limits = self._posed(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            posed.solve(solver="HIGHS")
        resource, option = np.zeros(len(problem.capacity)), np.zeros(len(problem.user))
        if rows["room"] is not None:
            resource[self._rows] = self._dual(rows["room"]) * self._unit / self._size
        if rows["needs"] is not None:
            option[self._needing] = self._dual(rows["needs"]) * self._unit / problem.demand[problem.user[self._needing]]
        spent, number, groups = (self._dual(one) * self._unit for one in limits)
        scale = max(problem.budget, 1e-12)
        return bound(problem, Prices(resource, option, float(spent.sum()) / scale, float(number.sum()), groups))

    @staticmethod
    def _dual(row: Any) -> F64:
        if row is None or row.dual_value is None:
            return np.zeros(0 if row is None else row.size)
        return np.maximum(np.asarray(row.dual_value, dtype=np.float64).ravel(), 0.0)

    def _posed(self, x: Any) -> tuple[Any, dict[str, Any], tuple[Any, Any, Any]]:
        """Return the problem, its rows of resources and options, and its limits on what is built."""
        p, options = self._problem, self._options
        z = cp.Variable(max(len(options), 1), nonneg=True)
        place = np.full(len(p.user), NONE, dtype=np.int64)
        place[options] = np.arange(len(options))
        users, of_user = np.unique(p.user[options], return_inverse=True)
        links: list[Any] = [z <= (1.0 if len(options) else 0.0)]
        if len(options):
            links.append(_rows(of_user, np.arange(len(options)), np.ones(len(options)), len(users), z.size) @ z <= 1)
        rows: dict[str, Any] = {"room": None, "needs": None}
        entries = np.flatnonzero(place[p.use_option] != NONE)
        self._rows, of_row = np.unique(p.use_row[entries], return_inverse=True)
        most = p.capacity + np.bincount(p.add_row, p.add, minlength=len(p.capacity))
        self._size = np.where(most > 0.0, most, 1.0)[self._rows]
        self._needing = options[p.needs[options] != NONE]
        if len(entries):
            taken = p.use[entries] * p.demand[p.user[p.use_option[entries]]] / self._size[of_row]
            left = _rows(of_row, place[p.use_option[entries]], taken, len(self._rows), z.size) @ z
            rows["room"] = left - self._added(x) <= p.capacity[self._rows] / self._size
            links.append(rows["room"])
        if x is not None and len(self._needing):
            rows["needs"] = z[place[self._needing]] - x[p.needs[self._needing]] <= 0
            links.append(rows["needs"])
        limits = self._limits(x)
        links += [one for one in limits if one is not None]
        if x is not None:
            links.append(x <= 1)
        gain = self._gain if len(options) else np.zeros(1)
        return cp.Problem(cp.Maximize(gain @ z), links), rows, limits

    def _added(self, x: Any) -> Any:
        p = self._problem
        at = np.searchsorted(self._rows, p.add_row)
        here = (at < len(self._rows)) & (self._rows[np.minimum(at, len(self._rows) - 1)] == p.add_row)
        if x is None or not here.any():
            return np.zeros(len(self._rows))
        added = p.add[here] / self._size[at[here]]
        return _rows(at[here], p.add_candidate[here], added, len(self._rows), p.candidates) @ x

    def _limits(self, x: Any) -> tuple[Any, Any, Any]:
        p = self._problem
        if x is None:
            return None, None, None
        groups = None
        if p.groups:
            member = np.concatenate([np.array(g, dtype=np.int64) for g in p.groups])
            of = np.repeat(np.arange(len(p.groups)), [len(g) for g in p.groups])
            groups = _rows(of, member, np.ones(len(member)), len(p.groups), p.candidates) @ x <= 1
        return (p.cost / max(p.budget, 1e-12)) @ x <= min(p.budget / 1e-12, 1.0), cp.sum(x) <= p.most, groups


def _rows(row: I64, column: I64, value: F64, rows: int, columns: int) -> Any:
    return sparse.csr_matrix((value, (row, column)), shape=(rows, columns))
