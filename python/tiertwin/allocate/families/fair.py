"""Shared capacity among users with options: α-fair shares and weighted throughput, costs, waiting and floors.

    maximise  Σ_u w_u U(y_u; α_u) − Σ_k cost_k x_k − Σ_r D_r(load_r) − Σ_s M_s max(0, f_s − Y_s)
    subject   y_u ≤ d_u,  load_r ≤ c_r,  x ≥ 0
    where     y_u = Σ_{k of u} x_k,  load_r = Σ_k use_kr x_k,  Y_s = Σ_{u of s} y_u
    U(y; 1) = log y,  U(y; α) = (y^(1−α) − 1)/(1−α)     (Mo and Walrand, IEEE/ACM Trans. Netw. 8(5), 2000)
    D(load) = κ load/(c − load),  load ≤ 0.98 c, where κ > 0

α = 0 is weighted throughput, 1 proportionally fair, 2 close to the least delay, ever larger α close to max-min
(`routing.py` solves that one). Users that cannot be served at all, by demand, capacities or weight of 0, get nothing
and are no part of the value; a user of weight 0 counts where a floor counts on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from tiertwin import _core
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.kernel import Fault
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

ITERATION_LIMIT = 100  # 8 to 25 are usual
TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Floors:
    """Disjoint sets of users that are promised a rate together, each with what a unit of shortfall costs.

    The penalty is exact: above the largest price that the promise could have, a floor is kept wherever that is
    possible; where it is not, the answer has the least shortfall by penalty, and says how much.

    Parameters
    ----------
    of_user
        ``[U]`` the floor each user counts for, −1 for none.
    amount
        ``[S]`` f, finite, ≥ 0. Unit of rate.
    penalty
        ``[S]`` M, finite, ≥ 0: utility a unit of shortfall costs.
    """

    of_user: Indices
    amount: Array
    penalty: Array

    def __post_init__(self) -> None:
        of_user = np.asarray(self.of_user)
        if of_user.size and not np.issubdtype(of_user.dtype, np.integer):
            raise InputError(f"of_user: expected whole numbers, got {of_user.dtype}", where="floors")
        object.__setattr__(self, "of_user", _frozen(of_user, np.int64))
        for name in ("amount", "penalty"):
            object.__setattr__(self, name, _frozen(getattr(self, name), np.float64))

    @property
    def count(self) -> int:
        """Number of floors S."""
        return int(self.amount.size)


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
    delay
        ``[R]`` κ of the waiting at each resource, finite, ≥ 0, in units of utility; 0 or None: nothing waits there.
        Where it is above 0 the load stays below 0.98 of the capacity.
    floors
        Rates promised to sets of users; None: nobody is promised anything.

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
    delay: Array | None = None
    floors: Floors | None = None

    def __post_init__(self) -> None:
        for name in ("demand", "weight", "alpha", "capacity", "cost", "delay"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _frozen(given, np.float64))
        try:
            most = _data(self).most()
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
        Objective at x; S = Σ w y^(1−α) + Σ M shortfall, what serving everybody 100 % more would be worth at the margin
        and what is paid for floors (Σ M f where no user has a weight).
    bound
        No plan is worth more: weak duality at `price` and `floor_price`.
    iterations
        Steps taken.
    floor_price
        ``[S]`` marginal cost of a unit of each floor, in 0..M; of a floor above all that its users could get, of the
        part up to that (the rest costs M whatever the plan).
    shortfall
        ``[S]`` what is missing to each floor.
    """

    x: Array
    price: Array
    load: Array
    value: float
    scale: float
    bound: float
    iterations: int
    floor_price: Array = field(default_factory=lambda: np.zeros(0))
    shortfall: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def gap(self) -> float:
        """Certified gap (bound − value) / S; 0 where nobody counts."""
        return certified_gap(self.value, self.bound, self.scale)


@dataclass(frozen=True, eq=False)
class FairWorth:
    """Judgement of the independent checker on a plan; `index` is the option, user or resource that `fault` is about."""

    value: float
    scale: float
    load: Array
    violation: float
    fault: Fault
    index: int
    shortfall: Array


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
    """The C++ interior-point kernel. It answers at any limit, 0 included: iterates are feasible from the start.

    One thread at a time solves with a structure (`Options`): from 50 000 options on the GIL is free meanwhile, and a
    second solve with the same structure is refused (ValueError) until the first is done.
    """

    name = "kernel"

    def allocate(
        self,
        problem: FairProblem,
        *,
        start: FairAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
        stop: Callable[[], bool] | None = None,
        threads: int = 1,
    ) -> FairAnswer:
        """Solve until the certified gap is at most `tolerance`, to the limit, or until `stop` says so.

        Parameters
        ----------
        problem, start, iteration_limit, tolerance
            As of every allocator.
        stop
            Asked once before each iteration, for callers with a clock: at True the best answer so far comes back,
            feasible and certified as always. What it raises comes through.
        threads
            1..256, of use from 50 000 options on. The answer is the same to the bit for any number.
        """
        if not tolerance >= 0.0:
            raise InputError(f"tolerance: expected a number >= 0, got {tolerance}")
        x, price, floors = (None, None, None) if start is None else _begin(problem, start)
        return FairAnswer(
            *_data(problem).solve(
                x,
                price,
                floors,
                iteration_limit=max(0, iteration_limit),
                tolerance=tolerance,
                stop=stop,
                threads=threads,
            )
        )


def worth(problem: FairProblem, x: Array) -> FairWorth:
    """Judge a plan ``x[K]`` by the independent checker."""
    value, scale, load, violation, fault, index, shortfall = _data(problem).value(_vector(x))
    return FairWorth(value, scale, load, violation, Fault(fault), index, shortfall)


def certified_gap(value: float, bound: float, scale: float) -> float:
    """(bound − value) / scale; 0 where the bound is reached, infinity where there is no scale to measure by."""
    if bound <= value:
        return 0.0
    return (bound - value) / scale if scale > 0 else float("inf")


def price_bound(problem: FairProblem, price: Array, floor_price: Array | None = None) -> float:
    """Upper bound on the value of every plan, from any prices of the resources ``[R]`` and floors ``[S]``.

    Prices below 0 count as 0, prices of floors above their penalty as that.
    """
    return _data(problem).bound(_vector(price), None if floor_price is None else _vector(floor_price))


def fit(problem: FairProblem, x: Array) -> Array:
    """Make any ``x[K]`` feasible: clip, scale users to their demand, options by their fullest resource."""
    return _data(problem).fit(_vector(x))


def answer(
    problem: FairProblem, x: Array, price: Array, iterations: int, floor_price: Array | None = None
) -> FairAnswer:
    """Make an answer of a suggested plan and suggested prices: repaired, judged and bounded independently."""
    plan, paid = fit(problem, x), np.maximum(np.nan_to_num(price, posinf=0.0, neginf=0.0), 0.0)
    judged = worth(problem, plan)
    count = judged.shortfall.size
    most = problem.floors.penalty if problem.floors is not None else np.zeros(0)
    pays = np.zeros(count) if floor_price is None else np.clip(np.nan_to_num(floor_price), 0.0, most)
    bound = price_bound(problem, paid, pays)
    return FairAnswer(plan, paid, judged.load, judged.value, judged.scale, bound, iterations, pays, judged.shortfall)


_kept: WeakKeyDictionary[Options, _core.FairShares] = WeakKeyDictionary()
_kept_data: WeakKeyDictionary[FairProblem, _core.FairData] = WeakKeyDictionary()


def _compiled(options: Options) -> _core.FairShares:
    """The compiled form of a structure, built on first use: one thread at a time may solve with it."""
    shares = _kept.get(options)
    if shares is None:
        shares = _kept[options] = _core.FairShares(
            options.user_offsets, options.option_offsets, options.resource, options.use, options.resources
        )
    return shares


def _data(problem: FairProblem) -> _core.FairData:
    """The compiled numbers of a problem, built on first use."""
    data = _kept_data.get(problem)
    if data is None:
        floors = problem.floors
        data = _kept_data[problem] = _core.FairData(
            _compiled(problem.options),
            problem.demand,
            problem.weight,
            problem.alpha,
            problem.capacity,
            problem.cost,
            problem.delay,
            *((None, None, None) if floors is None else (floors.of_user, floors.amount, floors.penalty)),
        )
    return data


def _begin(problem: FairProblem, start: FairAnswer) -> tuple[Array, Array, Array | None]:
    """Plan and prices to begin with; prices of another number of floors say nothing."""
    count = 0 if problem.floors is None else problem.floors.count
    floors = _vector(start.floor_price) if start.floor_price.size == count else None
    return _vector(start.x), _vector(start.price), floors


def _vector(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)


def _frozen(values: Any, dtype: Any) -> Any:
    array = np.ascontiguousarray(values, dtype=dtype).reshape(-1).view()
    array.flags.writeable = False
    return array
