"""Failure-aware traffic engineering written in cvxpy, all scenarios at once: the reference of the kernel.

Rates in units of the largest demand; a row of moved traffic for every demand that a scenario hits. Grows with
scenarios × paths: for small networks and comparisons.
"""

from __future__ import annotations

from typing import Any

import cvxpy
import numpy as np
from scipy import sparse

from tiertwin.allocate.families import compiled, routing
from tiertwin.allocate.families.routing_failures import NORMAL, FailureAnswer, FailureProblem, price_bound, split_in

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow


class FailureForm:
    """The whole problem, built once for its numbers."""

    def __init__(self, problem: FailureProblem) -> None:
        routed, options = problem.routing, problem.routing.options
        self._problem = problem
        self._unit = max(float(routed.demand.max(initial=0.0)), 1e-300)
        self._open = np.flatnonzero(problem.open)
        wanted = np.flatnonzero(routed.demand > 0)
        self._limited = np.flatnonzero(np.isfinite(routed.capacity) & (routed.capacity > 0))
        uses, sums = options.uses.tocsc(), options.sums.tocsc()
        capacity = routed.capacity[self._limited] / self._unit
        self._top = cp.Variable(nonneg=True)
        self._x = cp.Variable(self._open.size, nonneg=True)
        self._rows = [uses[self._limited][:, self._open] @ self._x <= self._top * capacity]
        constraints = [sums[wanted][:, self._open] @ self._x == routed.demand[wanted] / self._unit]
        self._moved: list[tuple[Any, Any]] = []
        for s in range(len(problem.scenarios)):
            hit = problem.hit[s][self._open]
            alive = np.flatnonzero(problem.open & ~problem.hit[s])
            away = sparse.diags_array(hit.astype(np.float64))
            count = np.bincount(options.user_of[alive], minlength=options.users)
            users = np.flatnonzero((np.asarray(sums[:, self._open] @ hit) > 0) & (count > 0))
            ways = alive[np.isin(options.user_of[alive], users)]
            moved = cp.Variable(ways.size, nonneg=True) if ways.size else None
            kept = uses[self._limited][:, self._open] @ sparse.diags_array(1.0 - hit.astype(np.float64)) @ self._x
            if moved is not None:
                constraints.append(sums[users][:, ways] @ moved == sums[users][:, self._open] @ away @ self._x)
                kept = kept + uses[self._limited][:, ways] @ moved
            self._moved.append((ways, moved))
            self._rows.append(kept <= self._top * capacity)
        self.problem = cp.Problem(cp.Minimize(self._top), [*constraints, *self._rows])

    def solve(self, solver: str = "HIGHS", settings: dict[str, Any] | None = None) -> FailureAnswer:
        """Solve to the solver's own accuracy; the answer is judged and bounded independently.

        Raises
        ------
        SolveError
            The solver gave no numbers.
        """
        compiled.solve(self.problem, self._x, solver, settings or {}, dpp=False, what="failure-aware routing")
        problem, routed, options = self._problem, self._problem.routing, self._problem.routing.options
        demand = routed.demand[options.user_of]
        share = np.zeros(options.count)
        share[self._open] = self._x.value * self._unit / demand[self._open]
        share = routing.fit(routed, share)
        moved = []
        for s, (ways, given) in enumerate(self._moved):
            extra = np.zeros(options.count)
            if given is not None:
                extra[ways] = np.maximum(given.value, 0.0) * self._unit / demand[ways]
            away = np.asarray(options.sums @ np.where(problem.hit[s], share, 0.0))
            total = np.asarray(options.sums @ extra)
            extra *= np.where(total > 0, away / np.where(total > 0, total, 1.0), 0.0)[options.user_of]
            at = np.flatnonzero(extra > 0)
            moved.append((at, extra[at]))
        critical = (NORMAL, *range(len(problem.scenarios)))
        price = np.zeros((len(critical), options.resources))
        for row, rows in zip(price, self._rows, strict=True):
            row[self._limited] = np.maximum(rows.dual_value, 0.0) if rows.dual_value is not None else 0.0
        plan = FailureAnswer(share, tuple(moved), 0.0, NORMAL, np.zeros(0), 0.0, critical, price, 1, 0)
        worth = np.array([routing.worth(routed, split_in(problem, plan, s)).utilisation for s in critical[1:]])
        normal = routing.worth(routed, share).utilisation
        worst = int(np.argmax(worth)) if worth.size and worth.max() > normal else NORMAL
        return FailureAnswer(
            share, plan.moved, normal if worst == NORMAL else float(worth[worst]), worst, worth,
            price_bound(problem, critical, price), critical, price, 1, 0,
        )  # fmt: skip


class FailureCvxpy:
    """The family through cvxpy, by default with HiGHS."""

    name = "cvxpy"

    def __init__(self, solver: str = "HIGHS", settings: dict[str, Any] | None = None) -> None:
        self._solver, self._settings = solver, settings or {}

    def allocate(self, problem: FailureProblem) -> FailureAnswer:
        """Build and solve the whole problem."""
        return FailureForm(problem).solve(self._solver, self._settings)
