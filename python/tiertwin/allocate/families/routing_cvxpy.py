"""Traffic engineering written in cvxpy: the reference of the kernel, and the way to solvers of cvxpy.

Variables are rates x = d f, so that demands and capacities are Parameters and every product is one Parameter times one
expression (DPP); above `PARAMETER_LIMIT` of them they are constants. Rates are in units of the largest demand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cvxpy
import numpy as np

from tiertwin.allocate.families import compiled, routing
from tiertwin.allocate.families.compiled import PARAMETER_LIMIT, Forms
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingAnswer, RoutingProblem

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow


class RoutingCvxpy:
    """The family through cvxpy, by default with HiGHS.

    Parameters
    ----------
    solver
        A solver of cvxpy for linear problems.
    settings
        Passed to the solver.
    """

    name = "cvxpy"

    def __init__(self, solver: str = "HIGHS", settings: dict[str, Any] | None = None) -> None:
        self._forms: Forms[RoutingProblem, RoutingAnswer] = Forms(RoutingForm, solver, settings or {})

    def allocate(
        self,
        problem: RoutingProblem,
        *,
        start: RoutingAnswer | None = None,
        iteration_limit: int = routing.ITERATION_LIMIT,
        tolerance: float = routing.TOLERANCE,
        stop: Callable[[], bool] | None = None,
    ) -> RoutingAnswer:
        """Solve to the solver's own accuracy; `start`, limit, `tolerance` and `stop` are not used.

        Raises
        ------
        SolveError
            The solver gave no numbers.
        """
        if not np.any(problem.demand > 0):
            return routing.answer(problem, np.zeros(problem.options.count), np.zeros(problem.options.resources), 0)
        return self._forms.solve(problem.options, problem)


class RoutingForm:
    """One cvxpy problem for a structure; which demands and links are part of it is fixed."""

    def __init__(self, problem: RoutingProblem, *, constant: bool | None = None) -> None:
        options = problem.options
        self.constant = options.users + options.resources > PARAMETER_LIMIT if constant is None else constant
        self._wanted, self._open, self._limited = _parts(problem)
        self._x = cp.Variable(int(self._open.sum()), nonneg=True)
        self._top = cp.Variable(nonneg=True)
        self._demand = self._number(int(self._wanted.sum()))
        self._capacity = self._number(int(self._limited.sum()))
        self._problem: Any = None
        if not self.constant:
            self._build(options)

    def fits(self, problem: RoutingProblem) -> bool:
        """Whether numbers of this problem can be put into the compiled one."""
        own = (self._wanted, self._open, self._limited)
        return not self.constant and all(np.array_equal(a, b) for a, b in zip(own, _parts(problem), strict=True))

    def put(self, problem: RoutingProblem) -> None:
        """Set the numbers."""
        self._unit = float(problem.demand.max())
        demand, capacity = problem.demand[self._wanted] / self._unit, problem.capacity[self._limited] / self._unit
        if self.constant:
            self._demand, self._capacity = demand, capacity
            self._build(problem.options)
        else:
            self._demand.value, self._capacity.value = demand, capacity

    def solve(self, problem: RoutingProblem, solver: str, settings: dict[str, Any]) -> RoutingAnswer:
        """Solve and turn back to the units of the problem."""
        iterations = compiled.solve(self._problem, self._x, solver, settings, dpp=not self.constant, what="routing")
        share = np.zeros(problem.options.count)
        demand = problem.demand[problem.options.user_of[self._open]]
        share[self._open] = self._x.value * self._unit / demand
        price = np.zeros(problem.options.resources)
        if self._rows is not None and self._rows.dual_value is not None:
            price[self._limited] = np.abs(self._rows.dual_value)
        return routing.answer(problem, share, price, iterations)

    def _number(self, count: int) -> Any:
        return None if self.constant else cp.Parameter(count, nonneg=True)

    def _build(self, options: Options) -> None:
        uses = options.uses[self._limited][:, self._open]
        sums = options.sums[self._wanted][:, self._open]
        self._rows = uses @ self._x <= self._top * self._capacity if uses.shape[0] else None
        constraints = [sums @ self._x == self._demand, *([] if self._rows is None else [self._rows])]
        self._problem = cp.Problem(cp.Minimize(self._top), constraints)


def _parts(problem: RoutingProblem) -> tuple[Any, Any, Any]:
    """Demands > 0, their options whose links all have capacity, and links that limit anything."""
    wanted = problem.demand > 0
    limited = np.isfinite(problem.capacity) & (problem.capacity > 0)
    return wanted, problem.options.open(problem.capacity, wanted), limited
