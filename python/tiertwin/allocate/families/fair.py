"""Shared capacity among users with options: α-fair shares and weighted throughput, with costs of options.

    maximise  Σ_u w_u U(y_u; α_u) − Σ_k cost_k x_k,     y_u = Σ_{k of u} x_k
    subject   y_u ≤ d_u,  Σ_k use_kr x_k ≤ c_r,  x ≥ 0
    U(y; 1) = log y,  U(y; α) = (y^(1−α) − 1)/(1−α)     (Mo and Walrand, IEEE/ACM Trans. Netw. 8(5), 2000)

α = 0 is weighted throughput, 1 proportionally fair, 2 close to the least delay, ever larger α close to max-min
(`routing.py` solves that one). Users that cannot be served at all, by weight, demand or capacities of 0, get nothing
and are no part of the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np

from tiertwin import _core
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.kernel import Fault
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

ITERATION_LIMIT = 100  # 8 to 25 are usual
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class FairProblem:
    """One instance; its structure is shared by many.

    Parameters
    ----------
    options
        Who has which options, and what these use.
    demand
        ``[U]`` most each user wants, ≥ 0, infinity for no limit (some resource must limit it then). Unit of rate.
    weight
        ``[U]`` finite, ≥ 0.
    alpha
        ``[U]`` fairness exponents, finite, ≥ 0.
    capacity
        ``[R]`` ≥ 0, infinity for no limit. Unit of use × rate.
    cost
        ``[K]`` what a unit of rate costs on each option (energy, latency), finite, ≥ 0; None: nothing.

    Raises
    ------
    InputError
        A wrong length, NaN or a number out of its range, with its index.
    """

    options: Options
    demand: Array
    weight: Array
    alpha: Array
    capacity: Array
    cost: Array | None = None

    def __post_init__(self) -> None:
        for name in ("demand", "weight", "alpha", "capacity", "cost"):
            given = getattr(self, name)
            if given is None:
                continue
            array = np.ascontiguousarray(given, dtype=np.float64).reshape(-1).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        try:
            most = _compiled(self.options).most(*_data(self))
        except ValueError as error:
            raise InputError(str(error), where="fair problem") from error
        object.__setattr__(self, "_most", most)

    @property
    def most(self) -> Array:
        """``[U]`` the most each user could get, min(d_u, Σ over its options of min_r c_r / use_kr); 0: not counted."""
        most: Array = self._most  # type: ignore[attr-defined]
        return most


@dataclass(frozen=True, eq=False)
class FairAnswer:
    """A feasible plan, prices, and how far at most the plan is from the best.

    Parameters
    ----------
    x
        ``[K]`` rate of each option, feasible.
    price
        ``[R]`` marginal worth of a unit of each capacity, ≥ 0.
    load
        ``[R]`` Σ use x.
    value, scale
        Objective at x; S = Σ w y^(1−α), what serving everybody 100 % more would be worth at the margin.
    bound
        No plan is worth more: weak duality at `price`.
    iterations
        Steps taken.
    """

    x: Array
    price: Array
    load: Array
    value: float
    scale: float
    bound: float
    iterations: int

    @property
    def gap(self) -> float:
        """Certified gap (bound − value) / S; 0 where nobody counts."""
        if self.bound <= self.value:
            return 0.0
        return (self.bound - self.value) / self.scale if self.scale > 0 else float("inf")


@dataclass(frozen=True, eq=False)
class FairWorth:
    """Judgement of the independent checker on a plan; `index` is the option, user or resource that `fault` is about."""

    value: float
    scale: float
    load: Array
    violation: float
    fault: Fault
    index: int


class FairAllocator(Protocol):
    """What solves this family: deterministic, limited by iterations and never by time."""

    name: str

    def allocate(
        self,
        problem: FairProblem,
        *,
        start: FairAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
    ) -> FairAnswer:
        """Return a feasible plan with its certificate; `start` is an answer to other data of the same structure."""


class FairKernel:
    """The C++ interior-point kernel. It answers at any limit, 0 included: iterates are feasible from the start."""

    name = "kernel"

    def allocate(
        self,
        problem: FairProblem,
        *,
        start: FairAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
    ) -> FairAnswer:
        """Solve until the certified gap is at most `tolerance`, or to the limit."""
        if not tolerance >= 0.0:
            raise InputError(f"tolerance: expected a number >= 0, got {tolerance}")
        from_x, from_price = (None, None) if start is None else (_vector(start.x), _vector(start.price))
        x, price, load, value, scale, bound, iterations = _compiled(problem.options).solve(
            *_data(problem), from_x, from_price, iteration_limit=max(0, iteration_limit), tolerance=tolerance
        )
        return FairAnswer(x, price, load, value, scale, bound, iterations)


def worth(problem: FairProblem, x: Array) -> FairWorth:
    """Judge a plan ``x[K]`` by the independent checker."""
    value, scale, load, violation, fault, index = _compiled(problem.options).value(_vector(x), *_data(problem))
    return FairWorth(value, scale, load, violation, Fault(fault), index)


def price_bound(problem: FairProblem, price: Array) -> float:
    """Upper bound on the value of every plan, from any prices ``[R]`` of the resources (below 0 counts as 0)."""
    return _compiled(problem.options).bound(_vector(price), *_data(problem))


def fit(problem: FairProblem, x: Array) -> Array:
    """Make any ``x[K]`` feasible: clip, scale users to their demand, options by their fullest resource."""
    return _compiled(problem.options).fit(_vector(x), *_data(problem))


def answer(problem: FairProblem, x: Array, price: Array, iterations: int) -> FairAnswer:
    """Make an answer of a suggested plan and suggested prices: repaired, judged and bounded independently."""
    plan, paid = fit(problem, x), np.maximum(np.nan_to_num(price, posinf=0.0, neginf=0.0), 0.0)
    judged = worth(problem, plan)
    bound = price_bound(problem, paid)
    return FairAnswer(plan, paid, judged.load, judged.value, judged.scale, bound, iterations)


_kept: WeakKeyDictionary[Options, _core.FairShares] = WeakKeyDictionary()


def _compiled(options: Options) -> _core.FairShares:
    """The compiled form of a structure, built on first use: one thread at a time may solve with it."""
    shares = _kept.get(options)
    if shares is None:
        shares = _kept[options] = _core.FairShares(
            options.user_offsets, options.option_offsets, options.resource, options.use, options.resources
        )
    return shares


def _data(problem: FairProblem) -> tuple[Array, Array, Array, Array, Array | None]:
    return problem.demand, problem.weight, problem.alpha, problem.capacity, problem.cost


def _vector(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)
