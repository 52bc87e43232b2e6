"""Slices written in cvxpy as they read: what a slice uses of a resource is some of its own part and some of the rest.

The reference of the kernel, which states isolation by sets of slices instead, and the way to solvers of cvxpy. Weights,
demands, capacities, kept parts, caps, limits, floors and penalties are Parameters (DPP) below `PARAMETER_LIMIT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.families import compiled, fair, slices_answer
from tiertwin.allocate.families.compiled import PARAMETER_LIMIT, Forms
from tiertwin.allocate.families.slices import SliceProblem
from tiertwin.allocate.families.slices_answer import Prices, SliceAnswer
from tiertwin.allocate.families.slices_repair import fitted
from tiertwin.allocate.leaf import Array

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow


class SliceCvxpy:
    """The family through cvxpy, by default with Clarabel."""

    name = "cvxpy"

    def __init__(self, solver: str = "CLARABEL", settings: dict[str, Any] | None = None) -> None:
        self._forms: Forms[SliceProblem, SliceAnswer] = Forms(SliceForm, solver, settings)

    def allocate(
        self,
        problem: SliceProblem,
        *,
        start: SliceAnswer | None = None,
        iteration_limit: int = 200,
        tolerance: float = fair.TOLERANCE,
    ) -> SliceAnswer:
        """Solve to the solver's own accuracy; `start` and `tolerance` are not used (an answer would depend on them).

        Raises
        ------
        SolveError
            The solver gave no numbers.
        """
        if not np.any(_open(problem)):
            return slices_answer.answer(problem, np.zeros(problem.options.count), no_prices(problem), np.zeros(0), 0)
        return self._forms.solve(problem.options, problem, iteration_limit=iteration_limit)


@dataclass(frozen=True)
class Units:
    """Units of the compiled problem: rate of each user, use of each resource, rate of sums, worth. Of one instance."""

    user: Array
    row: Array
    rate: float
    worth: float

    @staticmethod
    def of(problem: SliceProblem) -> Units:
        """What users could get at most, capacities, the mean of the first, and the mean worth of that."""
        base = problem.base
        counts = base.most > 0
        user = np.where(counts, base.most, 1.0)
        row = np.where((problem.capacity > 0) & np.isfinite(problem.capacity), problem.capacity, 1.0)
        rate = float(np.mean(base.most[counts])) if np.any(counts) else 1.0
        worth = (base.weight * user ** (1.0 - base.alpha))[counts & (base.weight > 0)]
        if worth.size:
            return Units(user, row, rate, float(np.mean(worth)))
        floors = problem.floors
        paid = 0.0 if floors is None else float(np.mean(floors.penalty)) * rate
        return Units(user, row, rate, paid if paid > 0 else 1.0)


class SliceForm:
    """One cvxpy problem for a structure; which users count, which options are open and what limits are part of it."""

    def __init__(self, problem: SliceProblem, *, constant: bool | None = None) -> None:
        self._key, self._units = _key(problem), Units.of(problem)
        options, pairs = problem.options, problem.kept_pairs
        numbers = 3 * options.users + options.resources + options.count + pairs.shape[0] + problem.cap_pairs.shape[0]
        self.constant = numbers > PARAMETER_LIMIT if constant is None else constant
        self._values: dict[str, Any] = {}
        self._problem: Any = None
        if not self.constant:
            for name, value in _numbers(problem, self._units).items():
                self._values[name] = cp.Parameter(value.shape, nonneg=True, name=name)
            self._build(problem)

    def fits(self, problem: SliceProblem) -> bool:
        """Whether numbers of this problem can be put into the compiled one."""
        return not self.constant and all(np.array_equal(a, b) for a, b in zip(self._key, _key(problem), strict=True))

    def put(self, problem: SliceProblem) -> None:
        """Set the numbers."""
        numbers = _numbers(problem, self._units)
        if self.constant:
            self._values = numbers
            self._build(problem)
        else:
            for name, value in numbers.items():
                self._values[name].value = value

    def solve(self, problem: SliceProblem, solver: str, settings: dict[str, Any]) -> SliceAnswer:
        """Solve what was put in and turn back to the units of the problem."""
        iterations = compiled.solve(self._problem, self._x, solver, settings, dpp=not self.constant, what="slices")
        x = np.zeros(problem.options.count)
        x[self._at] = self._x.value * self._units.user[problem.options.user_of[self._at]]
        return slices_answer.answer(
            problem, fitted(problem, x), self._prices(problem), self._floor_price(problem), iterations
        )

    def _prices(self, problem: SliceProblem) -> Prices:
        unit, scale = self._units.worth, self._units.row
        price = np.zeros(problem.options.resources)
        price[self._limited] = _dual(self._rows, self._limited.size) * unit / scale[self._limited]
        pairs = problem.kept_pairs
        own = _dual(self._own, pairs.shape[0]) * unit / scale[pairs[:, 1]]
        caps = problem.cap_pairs
        cap = _dual(self._caps, caps.shape[0]) * unit / scale[caps[:, 1]]
        limit = np.zeros(problem.slices.count)
        ends = np.flatnonzero(np.isfinite(problem.limit))
        limit[ends] = _dual(self._limits, ends.size) * unit / self._units.rate
        return Prices(price, np.maximum(price[pairs[:, 1]] - own, 0.0), cap, limit)

    def _floor_price(self, problem: SliceProblem) -> Array:
        count = 0 if problem.floors is None else problem.floors.count
        return _dual(self._floors, count) * self._units.worth / self._units.rate

    def _build(self, problem: SliceProblem) -> None:
        options, v, base = problem.options, self._values, problem.base
        users = np.flatnonzero(base.most > 0)
        self._at = np.flatnonzero(_open(problem))
        self._x = x = cp.Variable(self._at.size, nonneg=True)
        unit, rows_unit = self._units.user[options.user_of[self._at]], self._units.row
        served = options.sums[users][:, self._at] @ x
        gain: Any = 0.0
        for exponent in np.unique(base.alpha[users]):
            members = np.flatnonzero((base.alpha[users] == exponent) & (base.weight[users] > 0))
            if members.size:
                gain += v["weight"][members] @ compiled.utility(served[members], float(exponent))
        uses = (sparse.diags_array(1 / rows_unit) @ options.uses)[:, self._at] @ sparse.diags_array(unit)
        uses = sparse.csr_array(uses)
        constraints = [served <= v["demand"]]
        self._limited = np.flatnonzero(np.isfinite(problem.capacity))
        self._constrain_network(problem, uses, constraints)
        self._constrain_slices(problem, uses, unit, constraints)
        paid = v["cost"] @ x
        self._floors = None
        if problem.floors is not None:
            short = cp.Variable(problem.floors.count, nonneg=True)
            member = problem.floors.of_user[options.user_of[self._at]]
            kept = np.flatnonzero(member >= 0)
            shape = (problem.floors.count, self._at.size)
            rate = unit[kept] / self._units.rate
            total = sparse.csr_array((rate, (member[kept], kept)), shape=shape) @ x
            self._floors = v["floor"] - total <= short
            constraints.append(self._floors)
            paid = paid + v["penalty"] @ short
        self._problem = cp.Problem(cp.Maximize(gain - paid), constraints)

    def _constrain_network(self, problem: SliceProblem, uses: Any, constraints: list[Any]) -> None:
        """Load of each slice at each resource it keeps a part of: own + common; the common parts share the rest."""
        v, pairs = self._values, problem.kept_pairs
        rest = uses[self._limited]
        self._own, self._rows = None, None
        common: Any = 0.0
        if pairs.shape[0]:
            owner = problem.slice_of_option[self._at]
            own, shared = cp.Variable(pairs.shape[0], nonneg=True), cp.Variable(pairs.shape[0], nonneg=True)
            mine = sparse.vstack([uses[[r]] * (owner == s) for s, r in pairs.tolist()], format="csr")
            self._own = own <= v["kept"]
            constraints += [mine @ self._x <= own + shared, self._own]
            place = np.full(problem.options.resources, -1)
            place[self._limited] = np.arange(self._limited.size)
            row = place[pairs[:, 1]]
            put = sparse.csr_array(
                (np.ones(row.size), (row, np.arange(row.size))), shape=(self._limited.size, row.size)
            )
            common = put @ shared - put @ (mine @ self._x)
        if self._limited.size:
            self._rows = rest @ self._x + common <= v["capacity"]
            constraints.append(self._rows)

    def _constrain_slices(self, problem: SliceProblem, uses: Any, unit: Array, constraints: list[Any]) -> None:
        v, owner = self._values, problem.slice_of_option[self._at]
        self._caps, self._limits = None, None
        if problem.cap_pairs.shape[0]:
            rows = [uses[[r]] * (owner == s) for s, r in problem.cap_pairs.tolist()]
            self._caps = sparse.vstack(rows, format="csr") @ self._x <= v["cap"]
            constraints.append(self._caps)
        ends = np.flatnonzero(np.isfinite(problem.limit))
        if ends.size:
            total = np.stack([unit / self._units.rate * (owner == s) for s in ends])
            self._limits = sparse.csr_array(total) @ self._x <= v["limit"]
            constraints.append(self._limits)


def no_prices(problem: SliceProblem) -> Prices:
    """Prices of 0."""
    sizes = problem.options.resources, problem.kept_pairs.shape[0], problem.cap_pairs.shape[0], problem.slices.count
    return Prices(*(np.zeros(size) for size in sizes))


def _numbers(problem: SliceProblem, units: Units) -> dict[str, Array]:
    """The numbers of an instance in the units of the compiled problem."""
    base, unit, rows, worth = problem.base, units.user, units.row, units.worth
    users, at = np.flatnonzero(base.most > 0), np.flatnonzero(_open(problem))
    limited = np.flatnonzero(np.isfinite(problem.capacity))
    kept, caps = problem.kept_pairs, problem.cap_pairs
    cost = np.zeros(problem.options.count) if base.cost is None else base.cost
    found = {
        "weight": base.weight[users] * unit[users] ** (1.0 - base.alpha[users]) / worth,
        "demand": np.minimum(base.most, base.demand)[users] / unit[users],
        "capacity": np.maximum(problem.capacity - problem.kept.sum(axis=0), 0.0)[limited] / rows[limited],
        "cost": (cost * unit[problem.options.user_of] / worth)[at],
        "kept": problem.kept[kept[:, 0], kept[:, 1]] / rows[kept[:, 1]],
        "limit": problem.limit[np.isfinite(problem.limit)] / units.rate,
    }
    if problem.slices.cap is not None:
        found["cap"] = np.asarray(problem.slices.cap)[caps[:, 0], caps[:, 1]] / rows[caps[:, 1]]
    if problem.floors is not None:
        kept_by = problem.floors.of_user
        reach = np.bincount(kept_by[kept_by >= 0], weights=base.most[kept_by >= 0], minlength=problem.floors.count)
        found["floor"] = (
            np.minimum(problem.floors.amount, reach) / units.rate
        )  # what is beyond is short whatever is done
        found["penalty"] = problem.floors.penalty * units.rate / worth
    return {name: value for name, value in found.items() if value.size or name == "cost"}


def _open(problem: SliceProblem) -> Any:
    """``[K]`` options of users that count whose resources all have capacity."""
    return problem.options.open(problem.capacity, problem.base.most > 0)


def _key(problem: SliceProblem) -> tuple[Any, ...]:
    base = problem.base
    floors = np.zeros(0) if problem.floors is None else problem.floors.of_user
    return (
        _open(problem), base.most > 0, base.alpha, base.weight > 0, np.isfinite(problem.capacity), problem.kept_pairs,
        problem.cap_pairs, np.isfinite(problem.limit), floors, problem.slice_of_option,
    )  # fmt: skip


def _dual(constraint: Any, count: int) -> Array:
    if constraint is None or constraint.dual_value is None:
        return np.zeros(count)
    return np.abs(np.asarray(constraint.dual_value, dtype=np.float64)).reshape(-1)
