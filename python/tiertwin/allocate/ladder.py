"""The solver ladder S1–S8: whatever a solver does, an admissible allocation comes out, and which step made it is known.

    S1 validate      finite, ≥ 0, nothing 1e6 times the usual; else straight to S6
    S2 conic         the exact solver: the kernel, or cvxpy with Clarabel
    S3 linear        the linear form by HiGHS
    S4 check         the independent checker on every candidate, whatever its solver said of it
    S5 repair        clip, scale down, overdraft to the device tier; then S4 again
    S6 greedy        a plan without an optimiser, then S4
    S7 last good     clipped to present data and capacities, then S4
    S8 safe default  of the scenario, else everything on the devices, then S4

`climb` is pure apart from the solvers it is given: no clock, no state. Deadlines belong to whoever runs it; solvers are
limited by iterations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import numpy as np

from tiertwin.allocate import kernel
from tiertwin.allocate.leaf import Array, LeafAnswer, LeafProblem
from tiertwin.allocate.registry import KERNEL_ROWS, Allocator
from tiertwin.allocate.validation import (
    LeafQuery,
    clean,
    problem_faults,
    query_faults,
    sanitised,
    sanitised_query,
)
from tiertwin.errors import SolveError

SPREAD_LIMIT = 1e6
TOLERANCE = 1e-6  # relative excess over a bound that the checker admits


class Step(IntEnum):
    """Steps of the ladder; 2 … 8 are what a lease records as the origin of its plan."""

    VALIDATE = 1
    CONIC = 2
    LINEAR = 3
    CHECK = 4
    REPAIR = 5
    GREEDY = 6
    LAST_GOOD = 7
    SAFE = 8


class Solver(Protocol):
    """One attempt at a leaf: an answer, of which nothing is believed, or any exception."""

    def __call__(self, problem: LeafProblem, query: LeafQuery) -> LeafAnswer:
        """Solve."""


Plan = Callable[[LeafProblem, LeafQuery], Array]  # x[G, T] without an optimiser
Checker = Callable[[LeafProblem, Array, "Array | None"], kernel.Worth]


def _greedy(problem: LeafProblem, query: LeafQuery) -> Array:
    return kernel.greedy(problem, query.quota)


def devices_only(problem: LeafProblem, query: LeafQuery) -> Array:
    """Serve everything on the devices, each group as far as that is worth its cost: needs nothing of anybody."""
    return kernel.refresh(problem, np.zeros((problem.groups, problem.tiers)))


@dataclass(frozen=True)
class Rungs:
    """What the steps call. Each can be replaced: by another solver, or by a fault in a test.

    Parameters
    ----------
    conic, linear
        Solvers of S2 and S3; None leaves the step out.
    greedy, safe
        Plans of S6 and S8.
    check
        The checker of S4.
    spread_limit, tolerance
        Largest number of an array over its median in S1; relative excess admitted in S4.
    """

    conic: Solver | None
    linear: Solver | None = None
    greedy: Plan = _greedy
    safe: Plan = devices_only
    check: Checker = kernel.worth
    spread_limit: float = SPREAD_LIMIT
    tolerance: float = TOLERANCE


@dataclass(frozen=True, eq=False)
class Outcome:
    """The admitted answer, every step that was taken for it in order, and why the earlier ones failed."""

    answer: LeafAnswer
    trail: tuple[Step, ...]
    reasons: tuple[str, ...]


def allocator_solver(allocator: Allocator, iteration_limit: int = kernel.ITERATION_LIMIT) -> Solver:
    """Make the solver of a step from an allocator."""

    def solve(problem: LeafProblem, query: LeafQuery) -> LeafAnswer:
        return allocator.allocate(problem, quota=query.quota, price=query.price, iteration_limit=iteration_limit)

    return solve


def climb(problem: LeafProblem, query: LeafQuery, rungs: Rungs, last_good: Array | None = None) -> Outcome:
    """Take the steps in order until the checker admits a plan.

    Parameters
    ----------
    problem, query
        What to solve. Values may be anything: NaN, infinite, negative.
    rungs
        The steps.
    last_good
        ``[G, T]`` the plan in force, of an earlier data version; None when there is none.

    Raises
    ------
    SolveError
        Even the safe default was not admitted; carries the reason of every step.
    """
    attempt = _Attempt(query, rungs)
    faults = attempt.validate(problem)
    if not faults:
        attempt.set_problem(problem)
        for step, solver in ((Step.CONIC, rungs.conic), (Step.LINEAR, rungs.linear)):
            if solver is not None and (found := attempt.solve(step, solver)) is not None:
                return attempt.outcome(found)
    else:
        attempt.fail(Step.VALIDATE, "; ".join(faults))
        attempt.set_problem(sanitised(problem))
        attempt.query = sanitised_query(problem, query)
    plans: list[tuple[Step, Plan]] = [(Step.GREEDY, rungs.greedy)]
    if last_good is not None and last_good.shape == (problem.groups, problem.tiers):
        plans.append((Step.LAST_GOOD, lambda now, asked: _clipped(now, asked, last_good)))
    plans.append((Step.SAFE, rungs.safe))
    if rungs.safe is not devices_only:
        plans.append((Step.SAFE, devices_only))
    for step, plan in plans:
        if (made := attempt.make(step, plan)) is not None:
            return attempt.outcome(made)
    raise SolveError("leaf: no step of the ladder gave an admissible plan:\n  " + "\n  ".join(attempt.reasons))


@dataclass
class _Attempt:
    """One climb: the query, the steps taken so far and why they failed."""

    query: LeafQuery
    rungs: Rungs
    trail: list[Step] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def set_problem(self, problem: LeafProblem) -> None:
        self.problem = problem

    def validate(self, problem: LeafProblem) -> list[str]:
        self.trail.append(Step.VALIDATE)
        return [*problem_faults(problem, self.rungs.spread_limit), *query_faults(problem, self.query)]

    def fail(self, step: Step, why: str) -> None:
        self.reasons.append(f"S{int(step)} {step.name.lower()}: {why}")

    def solve(self, step: Step, solver: Solver) -> LeafAnswer | None:
        """S2 or S3, then S4, then S5 and S4 again."""
        self.trail.append(step)
        try:
            found = solver(self.problem, self.query)
            x = np.ascontiguousarray(found.x, dtype=np.float64)
        except Exception as error:  # a solver is foreign code: whatever it throws, the next step serves
            self.fail(step, f"{type(error).__name__}: {error}")
            return None
        if x.shape != (self.problem.groups, self.problem.tiers):
            self.fail(step, f"expected a plan of shape {(self.problem.groups, self.problem.tiers)}, got {x.shape}")
            return None
        prices = _usable_prices(self.problem, self.query, found)
        if (judged := self.check(x)) is not None:
            return self._answer(x, judged, prices, step)
        if not np.all(np.isfinite(x)):
            return None
        self.trail.append(Step.REPAIR)
        x = kernel.repair(self.problem, x, self.query.quota)
        judged = self.check(x)
        return None if judged is None else self._answer(x, judged, prices, Step.REPAIR)

    def make(self, step: Step, plan: Plan) -> LeafAnswer | None:
        """S6, S7 or S8, then S4."""
        self.trail.append(step)
        try:
            x = np.ascontiguousarray(plan(self.problem, self.query), dtype=np.float64)
        except Exception as error:  # a scenario's safe default is foreign code too
            self.fail(step, f"{type(error).__name__}: {error}")
            return None
        judged = self.check(x) if x.shape == (self.problem.groups, self.problem.tiers) else None
        if judged is None:
            return None
        return self._answer(x, judged, _prices_of_load(self.problem, self.query, judged), step)

    def check(self, x: Array) -> kernel.Worth | None:
        """S4: the plan's worth when it may be put in force."""
        self.trail.append(Step.CHECK)
        judged = self.rungs.check(self.problem, x, self.query.quota)
        if not np.isfinite(judged.value):
            self.fail(Step.CHECK, f"value {judged.value}")
            return None
        if not judged.violation <= self.rungs.tolerance:
            self.fail(Step.CHECK, f"{judged.fault.name.lower()} {judged.index} exceeded by {judged.violation:.3g}")
            return None
        return judged

    def _answer(self, x: Array, judged: kernel.Worth, prices: tuple[Array, Array], step: Step) -> LeafAnswer:
        own_price, quota_price = prices
        phi, _ = kernel.cut(self.problem, quota_price, own_price)
        return LeafAnswer(
            x, judged.value, judged.scale, judged.use, judged.own_load, own_price, quota_price, phi, int(step)
        )

    def outcome(self, answer: LeafAnswer) -> Outcome:
        return Outcome(answer, tuple(self.trail), tuple(self.reasons))


class LeafLadder:
    """The ladder of one leaf: counts what each step did and keeps the last good plan. Solves like any leaf solver.

    Parameters
    ----------
    allocator
        Step S2.
    linear
        Step S3; None leaves it out (a leaf that solves in its own process, without cvxpy).
    safe
        The scenario's safe default; None serves everything on the devices.
    """

    def __init__(self, allocator: Allocator, linear: Allocator | None = None, safe: Plan | None = None) -> None:
        self._allocator = allocator
        self.rungs = Rungs(
            conic=allocator_solver(allocator),
            linear=None if linear is None else allocator_solver(linear),
            safe=safe or devices_only,
        )
        self.counts: Counter[Step] = Counter()  # answers by the step that made them
        self.taken: Counter[Step] = Counter()  # every step taken
        self.last_good: Array | None = None

    def solve_quota(self, problem: LeafProblem, quota: Array) -> LeafAnswer:
        """Return the best admissible plan inside `quota[J]`."""
        return self._solve(problem, LeafQuery(quota=quota))

    def solve_price(self, problem: LeafProblem, price: Array) -> LeafAnswer:
        """Return the best admissible plan when quotas cost `price[J]`."""
        return self._solve(problem, LeafQuery(price=price))

    def solve_all(self, problem: LeafProblem, quotas: Array, prices: Array) -> list[LeafAnswer]:
        """Answer quota queries ``[n, J]``, then price queries ``[m, J]``; each as the single calls would.

        The kernel takes them in one crossing; what its checker does not admit climbs the ladder alone.
        """
        fits = isinstance(self._allocator, kernel.KernelAllocator) and (
            problem.own_resources + problem.quotas <= KERNEL_ROWS
        )
        if not fits or problem_faults(problem, self.rungs.spread_limit):
            return [
                *(self.solve_quota(problem, row) for row in quotas),
                *(self.solve_price(problem, row) for row in prices),
            ]
        answers, violation = kernel.solve_all(problem, quotas, prices)
        for i, answer in enumerate(answers):
            if violation[i] <= self.rungs.tolerance and np.isfinite(answer.value):
                self.counts[Step.CONIC] += 1
                self.taken.update((Step.VALIDATE, Step.CONIC, Step.CHECK))
            elif i < len(quotas):
                answers[i] = self.solve_quota(problem, quotas[i])
            else:
                answers[i] = self.solve_price(problem, prices[i - len(quotas)])
        return answers

    def _solve(self, problem: LeafProblem, query: LeafQuery) -> LeafAnswer:
        outcome = climb(problem, query, self.rungs, self.last_good)
        self.counts[Step(outcome.answer.step)] += 1
        self.taken.update(outcome.trail)
        if outcome.answer.step <= Step.REPAIR:
            self.last_good = outcome.answer.x
        return outcome.answer


# ---------------------------------------------------------------- plans and prices


def _clipped(problem: LeafProblem, query: LeafQuery, last_good: Array) -> Array:
    return kernel.repair(problem, kernel.refresh(problem, last_good), query.quota)


def _usable_prices(problem: LeafProblem, query: LeafQuery, found: LeafAnswer) -> tuple[Array, Array]:
    """What a solver said of prices, made ≥ 0 and finite: any such price gives a valid cut."""
    own = clean(found.own_price, problem.own_resources)
    return own, clean(found.quota_price if query.price is None else query.price, problem.quotas)


def _prices_of_load(problem: LeafProblem, query: LeafQuery, judged: kernel.Worth) -> tuple[Array, Array]:
    """Prices for a plan that no solver made: the marginal delay at its own load, nothing for quotas."""
    left = np.maximum(problem.capacity - judged.own_load, 0.0)
    own = np.divide(problem.kappa * problem.capacity, left**2, out=np.zeros_like(left), where=left > 0)
    return own, np.zeros(problem.quotas) if query.price is None else clean(query.price, problem.quotas)
