"""Fair shares written in cvxpy: the reference of the kernel, and the way to solvers of cvxpy.

Variables are shares of what a user could get at most, capacities and floors are in units of the first instance's,
values in units of its mean worth: unscaled, conic solvers lose their digits. With q = c/c₀ and what is left free in
units of c₀, waiting is D = κ (q/left − 1): a second-order cone a resource. Compiled once a structure with Parameters
for weights, demands, capacities, costs, delays, floors and penalties (DPP); above `PARAMETER_LIMIT` numbers with
constants, since cvxpy's compilation grows with the number of parameters.
"""

from __future__ import annotations

from typing import Any

import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.families import compiled, fair
from tiertwin.allocate.families.compiled import PARAMETER_LIMIT, Forms
from tiertwin.allocate.families.fair import FairAnswer, FairProblem
from tiertwin.allocate.leaf import Array

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow

LOAD_LIMIT = 0.98  # of the capacity where loads wait


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
        self._forms: Forms[FairProblem, FairAnswer] = Forms(FairForm, solver, settings)

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
        return self._forms.solve(problem.options, problem, iteration_limit=iteration_limit)


class FairForm:
    """One cvxpy problem for a structure: which options are open and the exponents are part of it."""

    def __init__(self, problem: FairProblem, *, constant: bool | None = None) -> None:
        options = problem.options
        numbers = 2 * options.users + options.resources + options.count
        self.constant = numbers > PARAMETER_LIMIT if constant is None else constant
        self._open, self._alpha = _open(problem), problem.alpha
        self._limited, self._waits, self._floors = _limited(problem), _waits(problem), _members(problem)
        self._most = np.where(problem.most > 0, problem.most, 1.0)
        self._capacity = np.where(self._limited, problem.capacity, 1.0)
        self._asked = np.where(floor_amount(problem) > 0, floor_amount(problem), 1.0)
        self._unit = _unit(problem, self._most)
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
        waiting = np.flatnonzero(self._waits[rows])
        self._delay = self._number("delay", waiting.size)
        self._floor = self._number("floor", self._asked.size)
        self._penalty = self._number("penalty", self._asked.size)
        member = np.zeros((self._asked.size, problem.options.users))
        in_floor = np.flatnonzero((self._floors >= 0) & (problem.most > 0))
        member[self._floors[in_floor], in_floor] = self._most[in_floor] / self._asked[self._floors[in_floor]]
        self._pull, self._waiting = sparse.csr_array(member[:, counts]), waiting
        self._problem: Any = None
        self._parts = counts, options_of, rows, scaled[rows][:, options_of], options.sums[counts][:, options_of]
        if not self.constant:
            self._build()

    def fits(self, problem: FairProblem) -> bool:
        """Whether numbers of this problem can be put into the compiled one."""
        return (
            not self.constant
            and np.array_equal(self._open, _open(problem))
            and np.array_equal(self._alpha, problem.alpha)
            and np.array_equal(self._limited, _limited(problem))
            and np.array_equal(self._waits, _waits(problem))
            and np.array_equal(self._floors, _members(problem))
        )

    def put(self, problem: FairProblem) -> None:
        """Set the numbers."""
        counts, options_of, rows, _, _ = self._parts
        most, users = self._most, problem.options.user_of
        cost = np.zeros(problem.options.count) if problem.cost is None else problem.cost
        amount, penalty = floor_amount(problem), floor_penalty(problem)
        values = {
            "_weight": _weight(problem, most)[counts] / self._unit,
            "_demand": np.minimum(problem.most, problem.demand)[counts] / most[counts],
            "_limit": problem.capacity[rows] / self._capacity[rows],
            "_cost": (cost * most[users] / self._unit)[options_of],
            "_floor": amount / self._asked,
            "_penalty": penalty * self._asked / self._unit,
            "_delay": (_delay(problem)[rows] * problem.capacity[rows])[self._waiting]
            / (self._capacity[rows][self._waiting] * self._unit),
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
        iterations = compiled.solve(self._problem, self._x, solver, settings, dpp=not self.constant, what="fair shares")
        _, options_of, rows, _, _ = self._parts
        x = np.zeros(problem.options.count)
        x[options_of] = self._x.value * self._most[problem.options.user_of[options_of]]
        price = np.zeros(problem.options.resources)
        if self._rows is not None and self._rows.dual_value is not None:
            price[rows] = self._rows.dual_value * self._unit / self._capacity[rows]
        pays = np.zeros(self._asked.size)
        if self._promises is not None and self._promises.dual_value is not None:
            pays = np.asarray(self._promises.dual_value) * self._unit / self._asked
        return fair.answer(problem, x, price, iterations, pays)

    def _number(self, name: str, count: int) -> Any:
        return None if self.constant else cp.Parameter(count, nonneg=True, name=name)

    def _build(self) -> None:
        counts, _, rows, uses, sums = self._parts
        served = sums @ self._x
        gain: Any = -self._cost @ self._x
        alpha = self._alpha[counts]
        for exponent in np.unique(alpha):
            members = np.flatnonzero(alpha == exponent)
            gain += self._weight[members] @ compiled.utility(served[members], float(exponent))
        load: Any = uses @ self._x
        constraints: list[Any] = [served <= self._demand]
        if self._waiting.size:  # as inequalities of load and what is left, so that the dual is the price of load
            left = cp.Variable(self._waiting.size)
            chosen = (np.ones(self._waiting.size), (self._waiting, np.arange(self._waiting.size)))
            load += sparse.csr_array(chosen, shape=(rows.size, self._waiting.size)) @ left
            gain -= self._delay @ cp.inv_pos(left)
            constraints.append(left >= (1 - LOAD_LIMIT) * self._limit[self._waiting])
        self._rows = load <= self._limit if rows.size else None
        constraints += [] if self._rows is None else [self._rows]
        self._promises = None
        if self._asked.size:
            shortfall = cp.Variable(self._asked.size, nonneg=True)
            self._promises = self._pull @ served + shortfall >= self._floor
            gain -= self._penalty @ shortfall
            constraints.append(self._promises)
        self._problem = cp.Problem(cp.Maximize(gain), constraints)


def _unit(problem: FairProblem, most: Array) -> float:
    """Mean worth of a user, or of its part of the floors where weights are 0."""
    mean = float(np.mean(_weight(problem, most)))
    if mean == 0.0:
        mean = float(np.sum(floor_amount(problem) * floor_penalty(problem))) / problem.options.users
    return max(mean, 1e-300)


def floor_amount(problem: FairProblem) -> Array:
    """``[S]`` what is promised, of which no more counts than there can be."""
    if problem.floors is None:
        return np.zeros(0)
    members = _members(problem)
    counted = members >= 0
    top = np.bincount(members[counted], weights=problem.most[counted], minlength=problem.floors.count)
    return np.minimum(problem.floors.amount, top)


def floor_penalty(problem: FairProblem) -> Array:
    """``[S]`` penalties."""
    return np.zeros(0) if problem.floors is None else problem.floors.penalty


def _members(problem: FairProblem) -> Any:
    """``[U]`` the floor of each user, −1 for none."""
    return np.full(problem.options.users, -1) if problem.floors is None else problem.floors.of_user


def _limited(problem: FairProblem) -> Any:
    return (problem.capacity > 0) & np.isfinite(problem.capacity)


def _delay(problem: FairProblem) -> Array:
    """``[R]`` κ where there is a capacity to wait for."""
    if problem.delay is None:
        return np.zeros(problem.options.resources)
    return np.where(_limited(problem), problem.delay, 0.0)


def _waits(problem: FairProblem) -> Any:
    return _delay(problem) > 0


def _weight(problem: FairProblem, most: Array) -> Array:
    """Weights where service is counted in shares of `most`."""
    scaled: Array = problem.weight * most ** (1.0 - problem.alpha) * (problem.most > 0)
    return scaled


def _open(problem: FairProblem) -> Any:
    """``[K]`` options of users that count whose resources all have capacity."""
    return problem.options.open(problem.capacity, problem.most > 0)
