"""Traffic engineering over given paths: the fullest link as empty as can be, and the largest concurrent flow.

    minimise   t = max_r load_r / c_r,   load_r = Σ_k use_kr d_u(k) f_k
    subject    Σ_{k of u} f_k = 1 for every demand d_u > 0,  f ≥ 0

The largest concurrent flow of the same instance, the τ by which every demand may be multiplied, is 1/t (Shahrokhi and
Matula, J. ACM 37(2), 1990). It is also the limit α → ∞ of the fair shares of `fair.py` without demands as limits:
the least y_u / d_u is as large as can be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakKeyDictionary

import numpy as np

from tiertwin import _core
from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairKernel, FairProblem
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.kernel import Fault
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

ITERATION_LIMIT = 200  # 0 to 30 are usual, over all rounds
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class RoutingProblem:
    """One instance: users are demands, options their paths, resources the links.

    Parameters
    ----------
    options
        Which paths each demand has, and which links these use (1 for a whole unit of traffic).
    demand
        ``[U]`` finite, ≥ 0, e.g. Mb/s.
    capacity
        ``[R]`` ≥ 0, infinity for no limit; a link without capacity closes the paths over it.

    Raises
    ------
    InputError
        A wrong length, NaN or a number out of its range with its index; a demand that has no open path, and how much
        it asks for.
    """

    options: Options
    demand: Array
    capacity: Array

    def __post_init__(self) -> None:
        for name in ("demand", "capacity"):
            array = np.ascontiguousarray(getattr(self, name), dtype=np.float64).reshape(-1).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        try:
            _compiled(self.options).check(self.demand, self.capacity)
        except ValueError as error:
            raise InputError(str(error), where="routing problem") from error


@dataclass(frozen=True, eq=False)
class RoutingAnswer:
    """A split of every demand, prices, and how far at most the split is from the best.

    Parameters
    ----------
    share
        ``[K]`` share of its demand on each path; sums to 1 over the paths of a demand > 0.
    price
        ``[R]`` ≥ 0 with Σ c price = 1 (0 where no price was found).
    load
        ``[R]`` in the unit of demands.
    utilisation
        max load / capacity of this split.
    bound
        No split has less: weak duality at `price`.
    iterations, rounds
        Interior-point steps in total; how often the set of critical links grew.
    critical, groups
        Links and merged demands of the last reduced problem.
    sweeps
        Passes over all demands that levelled the loads before.
    """

    share: Array
    price: Array
    load: Array
    utilisation: float
    bound: float
    iterations: int
    rounds: int = 0
    critical: int = 0
    groups: int = 0
    sweeps: int = 0

    @property
    def gap(self) -> float:
        """Certified relative gap, utilisation / bound − 1; 0 where nothing is to be carried."""
        return certified_gap(self.utilisation, self.bound)

    @property
    def concurrent_flow(self) -> float:
        """Every demand times this fits, split as here; at most 1/bound do by any split. Infinite without load."""
        return 1.0 / self.utilisation if self.utilisation > 0 else float("inf")


class RoutingAllocator(Protocol):
    """What solves this family: deterministic, limited by iterations and, if at all, by `stop` of the caller."""

    name: str

    def allocate(
        self,
        problem: RoutingProblem,
        *,
        start: RoutingAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
        stop: Callable[[], bool] | None = None,
    ) -> RoutingAnswer:
        """Return a split with its certificate; `start` is an answer to other data of the same structure.

        `stop` is asked once an iteration where the solver allows that: the best split so far is the answer.
        """


class RoutingKernel:
    """The C++ kernel: levelling sweeps, then an interior point on the critical links; it answers at any limit."""

    name = "kernel"

    def allocate(
        self,
        problem: RoutingProblem,
        *,
        start: RoutingAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
        stop: Callable[[], bool] | None = None,
    ) -> RoutingAnswer:
        """Solve until the certified gap is at most `tolerance`, to the limit, or until `stop` says so."""
        if not tolerance >= 0.0:
            raise InputError(f"tolerance: expected a number >= 0, got {tolerance}")
        from_share, from_price = (None, None) if start is None else (_vector(start.share), _vector(start.price))
        found = _compiled(problem.options).solve(
            problem.demand,
            problem.capacity,
            from_share,
            from_price,
            iteration_limit=max(0, iteration_limit),
            tolerance=tolerance,
            stop=stop,
        )
        return RoutingAnswer(*found)


@dataclass(frozen=True, eq=False)
class RoutingWorth:
    """Judgement of the independent checker on a split; `index` is the option or user that `fault` is about."""

    utilisation: float
    load: Array
    violation: float
    fault: Fault
    index: int


def worth(problem: RoutingProblem, share: Array) -> RoutingWorth:
    """Judge a split ``share[K]`` by the independent checker."""
    utilisation, load, violation, fault, index = _compiled(problem.options).value(
        _vector(share), problem.demand, problem.capacity
    )
    return RoutingWorth(utilisation, load, violation, Fault(fault), index)


def certified_gap(utilisation: float, bound: float) -> float:
    """Utilisation / bound − 1; 0 where the bound is reached, infinity where nothing was proved."""
    if utilisation <= bound:
        return 0.0
    return utilisation / bound - 1.0 if bound > 0 else float("inf")


def price_bound(problem: RoutingProblem, price: Array) -> float:
    """Lower bound on the utilisation of every split, from any prices ``[R]`` of the links (below 0 counts as 0)."""
    return _compiled(problem.options).bound(_vector(price), problem.demand, problem.capacity)


def flow_problem(options: Options, demand: Array, capacity: Array, *, weight: Array | None = None) -> FairProblem:
    """State the largest flow within demands, Σ_u w_u y_u, as a problem of `fair.py` (α = 0).

    Parameters
    ----------
    options, demand, capacity
        As in `RoutingProblem`, but a demand without an open path is no error: it gets nothing.
    weight
        ``[U]`` ≥ 0, what a unit of each demand is worth; None: 1.
    """
    users = options.users
    return FairProblem(options, demand, np.ones(users) if weight is None else weight, np.zeros(users), capacity)


def max_flow(
    problem: RoutingProblem,
    *,
    weight: Array | None = None,
    start: FairAnswer | None = None,
    iteration_limit: int = fair.ITERATION_LIMIT,
    tolerance: float = fair.TOLERANCE,
) -> FairAnswer:
    """Carry as much as fits, Σ_u w_u y_u with y_u ≤ d_u, over the given paths.

    Returns rates ``x[K]``; `scale` is the flow Σ w y, and `gap` is certified relative to it, as in `fair.py`.
    """
    stated = flow_problem(problem.options, problem.demand, problem.capacity, weight=weight)
    return FairKernel().allocate(stated, start=start, iteration_limit=iteration_limit, tolerance=tolerance)


def fit(problem: RoutingProblem, share: Array) -> Array:
    """Make any ``share[K]`` a split: clipped at 0, scaled to sum to 1, even where nothing is left."""
    return _compiled(problem.options).fit(_vector(share), problem.demand, problem.capacity)


def answer(problem: RoutingProblem, share: Array, price: Array, iterations: int) -> RoutingAnswer:
    """Make an answer of a suggested split and suggested prices: repaired, judged and bounded independently."""
    split, paid = fit(problem, share), np.maximum(np.nan_to_num(price, posinf=0.0, neginf=0.0), 0.0)
    judged = worth(problem, split)
    limited = np.isfinite(problem.capacity)
    total = float(paid[limited] @ problem.capacity[limited])
    paid = np.where(limited, paid / total if total > 0 else 0.0, 0.0)
    return RoutingAnswer(split, paid, judged.load, judged.utilisation, price_bound(problem, paid), iterations)


_kept: WeakKeyDictionary[Options, _core.Routing] = WeakKeyDictionary()


def _compiled(options: Options) -> _core.Routing:
    """The compiled form of a structure, built on first use."""
    routing = _kept.get(options)
    if routing is None:
        routing = _kept[options] = _core.Routing(
            options.user_offsets, options.option_offsets, options.resource, options.use, options.resources
        )
    return routing


def _vector(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)
