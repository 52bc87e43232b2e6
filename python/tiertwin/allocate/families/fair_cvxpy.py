"""Fair shares written in cvxpy: the reference of the kernel, and the way to solvers of cvxpy.

Variables are shares of what a user could get at most, capacities are in units of the first instance's, values in units
of its mean worth: unscaled, conic solvers lose their digits. Compiled once a structure with Parameters for weights,
demands, capacities and costs (DPP); above `PARAMETER_LIMIT` numbers with constants, since cvxpy's compilation grows
with the number of parameters.
"""

from __future__ import annotations

import warnings
from typing import Any
from weakref import WeakKeyDictionary

import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairProblem
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.leaf import Array
from tiertwin.errors import SolveError

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow

PARAMETER_LIMIT = 3000
TIGHT = {"tol_gap_abs": 1e-10, "tol_gap_rel": 1e-10, "tol_feas": 1e-10}


class FairCvxpy:
    """The family through cvxpy, by default with Clarabel.

    Parameters
    ----------
    solver
        A solver of cvxpy that takes the problem: linear ones for α = 0 alone.
    settings
        Passed to the solver.
    """

    name = "cvxpy"

    def __init__(self, solver: str = "CLARABEL", settings: dict[str, Any] | None = None) -> None:
        self._solver = solver
        self._settings = (TIGHT if solver == "CLARABEL" else {}) if settings is None else settings
        self._forms: WeakKeyDictionary[Options, FairForm] = WeakKeyDictionary()

    def allocate(
        self,
        problem: FairProblem,
        *,
        start: FairAnswer | None = None,
        iteration_limit: int = 200,
        tolerance: float = fair.TOLERANCE,
    ) -> FairAnswer:
        """Solve to the solver's own accuracy; `start` and `tolerance` are not used (an answer would depend on them).

        Raises
        ------
        SolveError
            The solver gave no numbers.
        """
        if not np.any(problem.most > 0):
            return fair.answer(problem, np.zeros(problem.options.count), np.zeros(problem.options.resources), 0)
        form = self._forms.get(problem.options)
        if form is None or not form.fits(problem):
            form = self._forms[problem.options] = FairForm(problem)
        form.put(problem)
        limit = {"max_iter": iteration_limit} if self._solver == "CLARABEL" else {}
        return form.solve(problem, self._solver, {**limit, **self._settings})


class FairForm:
    """One cvxpy problem for a structure: which options are open and the exponents are part of it."""

    def __init__(self, problem: FairProblem, *, constant: bool | None = None) -> None:
        options = problem.options
        numbers = 2 * options.users + options.resources + options.count
        self.constant = numbers > PARAMETER_LIMIT if constant is None else constant
        self._open, self._alpha = _open(problem), problem.alpha
        self._limited = (problem.capacity > 0) & np.isfinite(problem.capacity)
        self._most = np.where(problem.most > 0, problem.most, 1.0)
        self._capacity = np.where(self._limited, problem.capacity, 1.0)
        self._unit = max(float(np.mean(_weight(problem, self._most))), 1e-300)
        counts = np.flatnonzero(problem.most > 0)
        options_of = np.flatnonzero(self._open)
        rows = np.flatnonzero(self._limited)
        scaled = sparse.csr_array(sparse.diags_array(1 / self._capacity) @ options.uses)
        scaled = scaled @ sparse.diags_array(self._most[options.user_of])
        self._x = cp.Variable(options_of.size, nonneg=True)
        self._weight = self._number("weight", counts.size)
        self._demand = self._number("demand", counts.size)
        self._limit = self._number("limit", rows.size)
        self._cost = self._number("cost", options_of.size)
        self._problem: Any = None
        self._parts = counts, options_of, rows, scaled[rows][:, options_of], options.sums[counts][:, options_of]
        if not self.constant:
            self._build()

    def fits(self, problem: FairProblem) -> bool:
        """Whether numbers of this problem can be put into the compiled one."""
        limited = (problem.capacity > 0) & np.isfinite(problem.capacity)
        return (
            not self.constant
            and np.array_equal(self._open, _open(problem))
            and np.array_equal(self._alpha, problem.alpha)
            and np.array_equal(self._limited, limited)
        )

    def put(self, problem: FairProblem) -> None:
        """Set the numbers."""
        counts, options_of, rows, _, _ = self._parts
        most, users = self._most, problem.options.user_of
        cost = np.zeros(problem.options.count) if problem.cost is None else problem.cost
        values = {
            "_weight": _weight(problem, most)[counts] / self._unit,
            "_demand": np.minimum(problem.most, problem.demand)[counts] / most[counts],
            "_limit": problem.capacity[rows] / self._capacity[rows],
            "_cost": (cost * most[users] / self._unit)[options_of],
        }
        for name, value in values.items():
            if self.constant:
                setattr(self, name, value)
            else:
                getattr(self, name).value = value
        if self.constant:
            self._build()

    def solve(self, problem: FairProblem, solver: str, settings: dict[str, Any]) -> FairAnswer:
        """Solve and turn back to the units of the problem."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "may be inaccurate": the checker decides, not a status
            try:
                self._problem.solve(solver=solver, warm_start=False, enforce_dpp=not self.constant, **settings)
            except (cp.error.SolverError, ValueError) as error:
                raise SolveError(f"fair shares in cvxpy: {solver} gave up: {error}") from error
        if self._x.value is None or not np.all(np.isfinite(self._x.value)):
            raise SolveError(f"fair shares in cvxpy: no numbers from {solver}, status {self._problem.status!r}")
        _, options_of, rows, _, _ = self._parts
        x = np.zeros(problem.options.count)
        x[options_of] = self._x.value * self._most[problem.options.user_of[options_of]]
        price = np.zeros(problem.options.resources)
        if self._rows is not None and self._rows.dual_value is not None:
            price[rows] = self._rows.dual_value * self._unit / self._capacity[rows]
        stats = self._problem.solver_stats
        return fair.answer(problem, x, price, int(stats.num_iters or 0) if stats is not None else 0)

    def _number(self, name: str, count: int) -> Any:
        return None if self.constant else cp.Parameter(count, nonneg=True, name=name)

    def _build(self) -> None:
        counts, _, rows, uses, sums = self._parts
        served = sums @ self._x
        gain: Any = 0.0
        alpha = self._alpha[counts]
        for exponent in np.unique(alpha):
            members = np.flatnonzero(alpha == exponent)
            gain += self._weight[members] @ _utility(served[members], float(exponent))
        self._rows = uses @ self._x <= self._limit if rows.size else None
        constraints = [served <= self._demand, *([] if self._rows is None else [self._rows])]
        self._problem = cp.Problem(cp.Maximize(gain - self._cost @ self._x), constraints)


def _utility(served: Any, exponent: float) -> Any:
    if exponent == 1.0:
        return cp.log(served)
    if exponent == 0.0:
        return served
    return cp.power(served, 1.0 - exponent) / (1.0 - exponent)


def _weight(problem: FairProblem, most: Array) -> Array:
    """Weights where service is counted in shares of `most`."""
    scaled: Array = problem.weight * most ** (1.0 - problem.alpha) * (problem.most > 0)
    return scaled


def _open(problem: FairProblem) -> Any:
    """``[K]`` options of users that count whose resources all have capacity."""
    closed = (problem.options.uses > 0).T @ (problem.capacity <= 0).astype(np.float64)
    return (np.asarray(closed) == 0) & (problem.most[problem.options.user_of] > 0)
