"""Slices over shared resources: floors, parts kept for one slice alone, caps and priorities, on users with options.

    maximise  Σ_u π_s(u) w_u U(y_u; α_u) − Σ_k cost_k x_k − Σ_g M_g max(0, f_g − Y_g)
    subject   y_u ≤ d_u,  x ≥ 0,  Y_s ≤ limit_s,  load_sr ≤ cap_sr,
              Σ_s max(0, load_sr − kept_sr) ≤ c_r − Σ_s kept_sr
    where     load_sr = Σ of use_kr x_k over the options of slice s,  Y_g = Σ of y_u over the users of a guarantee

The last line is isolation: of what is kept for slice s at resource r nobody else gets anything, whatever s leaves idle;
beyond it s competes for the rest like all others. Floors are exact penalties, so that there always is a plan;
`slices_admission.py` says whether all of them can be kept, and if not why and what would help.

The kernel is that of `fair.py`: limits and caps are resources of their own, and isolation at a resource with n keeping
slices is 2^n − 1 of them, one for each set A of keeping slices but all: what A and the slices that keep nothing use
together is at most c_r less what the others keep. (The maximum over A of Σ_A (load − kept) is the sum above.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairKernel, FairProblem, Floors
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.slices_checks import guarantee_faults, slice_faults
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

ITERATION_LIMIT = fair.ITERATION_LIMIT
TOLERANCE = fair.TOLERANCE
KEEPERS = 4  # slices that keep a part of the same resource, at most, in the kernel
DEAR = 1e3  # a floor that names no penalty costs so many times the median marginal worth at full service


@dataclass(frozen=True, eq=False)
class Slices:
    """Who belongs to which slice, and what each slice may have.

    Parameters
    ----------
    of_user
        ``[U]`` slice of each user, 0..S − 1.
    names
        S different names.
    priority
        ``[S]`` finite, ≥ 0: what the weights of its users are multiplied by; None: 1.
    limit
        ``[S]`` most its users get together, ≥ 0, infinity for no limit; None: no limits.
    cap
        ``[S, R]`` most it uses of each resource, ≥ 0, infinity for no cap; None: no caps.
    kept
        ``[S, R]`` part of each resource that is its alone, finite, ≥ 0; None: nothing.
    """

    of_user: Indices
    names: tuple[str, ...]
    priority: Array | None = None
    limit: Array | None = None
    cap: Array | None = None
    kept: Array | None = None

    @property
    def count(self) -> int:
        """Number of slices S."""
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Guarantees:
    """Rates promised to disjoint sets of users, such as the users of a slice at a site.

    Parameters
    ----------
    of_user
        ``[U]`` the guarantee each user counts for, −1 for none.
    amount
        ``[G]`` finite, ≥ 0. Unit of rate.
    names
        G names, for people.
    penalty
        ``[G]`` utility a unit of shortfall costs, finite, ≥ 0; None: `DEAR` times what a unit of rate is worth in the
        median to the users who count.
    """

    of_user: Indices
    amount: Array
    names: tuple[str, ...]
    penalty: Array | None = None

    @property
    def count(self) -> int:
        """Number of guarantees G."""
        return len(self.names)


@dataclass(frozen=True, eq=False)
class SliceProblem:
    """One instance.

    Parameters
    ----------
    options, demand, weight, alpha, capacity, cost
        As in `fair.FairProblem`.
    slices
        Slices, with priorities, limits, caps and what they keep for themselves.
    guarantees
        Floors; None: nobody is promised anything.
    resource_names
        ``R`` names for messages; empty: ``resource 0`` and so on.
    unit
        Unit of rate for messages, such as ``Mb/s``.

    Raises
    ------
    InputError
        A wrong length, NaN or a number out of its range, with its index; more kept of a resource than there is.
    """

    options: Options
    demand: Array
    weight: Array
    alpha: Array
    capacity: Array
    slices: Slices
    guarantees: Guarantees | None = None
    cost: Array | None = None
    resource_names: Sequence[str] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        faults = [*slice_faults(self), *guarantee_faults(self)]
        if faults:
            raise InputError(faults, where="slice problem")
        base = FairProblem(self.options, self.demand, self._weight, self.alpha, self.capacity, self.cost)
        object.__setattr__(self, "demand", base.demand)
        object.__setattr__(self, "weight", _frozen(self.weight))
        for name in ("alpha", "capacity", "cost"):
            object.__setattr__(self, name, getattr(base, name))
        over = self.kept.sum(axis=0) > self.capacity * (1 + 1e-12)
        if np.any(over):
            r = int(np.flatnonzero(over)[0])
            told = f"kept of {self.resource_name(r)}: expected at most its capacity {self.capacity[r]:g} in all"
            raise InputError(f"{told}, got {self.kept[:, r].sum():g}", where="slice problem")

    @cached_property
    def base(self) -> FairProblem:
        """The problem without limits, caps and isolation but for what they leave each user at most, by itself.

        So users whom they leave nothing are no part of the value, and the others' demands are no more than can be.
        """
        return FairProblem(
            self.options, self._reach, self._weight, self.alpha, self.capacity, self.cost, floors=self.floors
        )

    @cached_property
    def floors(self) -> Floors | None:
        """Guarantees with their penalties."""
        given = self.guarantees
        if given is None or given.count == 0:
            return None
        penalty = given.penalty
        if penalty is None:
            counted = FairProblem(self.options, self._reach, self._weight, self.alpha, self.capacity, self.cost)
            at = counted.most > 0
            worth = counted.weight[at] * counted.most[at] ** -counted.alpha[at]
            penalty = np.full(given.count, DEAR * float(np.median(worth)) if worth.size else 1.0)
        return Floors(given.of_user, given.amount, penalty)

    @cached_property
    def kept(self) -> Array:
        """``[S, R]`` what each slice keeps for itself."""
        return _table(self.slices.kept, self.slices.count, self.options.resources, 0.0)

    @cached_property
    def kept_pairs(self) -> Any:
        """``[P, 2]`` slice and resource wherever something is kept."""
        return np.argwhere(self.kept > 0)

    @cached_property
    def cap_pairs(self) -> Any:
        """``[C, 2]`` slice and resource wherever there is a cap."""
        return np.argwhere(np.isfinite(_table(self.slices.cap, self.slices.count, self.options.resources, np.inf)))

    @cached_property
    def limit(self) -> Array:
        """``[S]`` most each slice gets."""
        given = self.slices.limit
        return np.full(self.slices.count, np.inf) if given is None else np.asarray(given, dtype=np.float64)

    @cached_property
    def slice_of_option(self) -> Indices:
        """``[K]``."""
        of_option: Indices = np.asarray(self.slices.of_user, dtype=np.int64)[self.options.user_of]
        return of_option

    def resource_name(self, r: int) -> str:
        """Return its name for people."""
        return self.resource_names[r] if self.resource_names else f"resource {r}"

    def loads(self, x: Array) -> Array:
        """``[S, R]`` load of each slice on each resource."""
        count = np.diff(self.options.option_offsets)
        entry = self.slice_of_option.repeat(count) * self.options.resources + self.options.resource
        size = self.slices.count * self.options.resources
        flat = np.bincount(entry, weights=self.options.use * np.repeat(x, count), minlength=size)
        return np.asarray(flat.reshape(self.slices.count, self.options.resources), dtype=np.float64)

    @cached_property
    def room(self) -> Array:
        """``[S, R]`` most each slice could use of each resource: what others do not keep, and its cap."""
        room = np.maximum(self.capacity - (self.kept.sum(axis=0) - self.kept), 0.0)
        if self.slices.cap is not None:
            room = np.minimum(room, np.asarray(self.slices.cap, dtype=np.float64))
        return np.asarray(room, dtype=np.float64)

    @cached_property
    def _reach(self) -> Array:
        """``[U]`` demands, or what is left to each user by itself where that is less."""
        options = self.options
        count = np.diff(options.option_offsets)
        used = options.use > 0
        room = self.room[self.slice_of_option.repeat(count)[used], options.resource[used]]
        reach = np.full(options.count, np.inf)
        np.minimum.at(reach, np.repeat(np.arange(options.count), count)[used], room / options.use[used])
        total = np.bincount(options.user_of, weights=reach, minlength=options.users)
        most: Array = np.minimum(np.minimum(total, self.limit[self.slices.of_user]) * (1 + 1e-12), self.demand)
        return most

    @property
    def _weight(self) -> Array:
        given = self.slices.priority
        weight = np.asarray(self.weight, dtype=np.float64)
        return weight if given is None else weight * np.asarray(given, dtype=np.float64)[self.slices.of_user]


@dataclass(frozen=True, eq=False)
class SliceAnswer:
    """A feasible plan, prices of everything that limits it, and how far at most it is from the best.

    Parameters
    ----------
    x
        ``[K]`` rate of each option.
    price
        ``[R]`` price of each resource to slices that keep nothing of it.
    discount
        ``[P]`` what slices pay less where they keep a part, 0..price, in the order of `SliceProblem.kept_pairs`.
    cap_price, limit_price, floor_price
        ``[C]``, ``[S]``, ``[G]`` prices of caps (in the order of `SliceProblem.cap_pairs`), limits and guarantees.
    load
        ``[R]``.
    shortfall
        ``[G]`` what is missing to each guarantee.
    value, scale, bound
        As in `fair.FairAnswer`.
    iterations
        Steps taken.
    """

    x: Array
    price: Array
    discount: Array
    cap_price: Array
    limit_price: Array
    floor_price: Array
    load: Array
    shortfall: Array
    value: float
    scale: float
    bound: float
    iterations: int
    inner: FairAnswer | None = field(default=None, repr=False)

    @property
    def gap(self) -> float:
        """Certified gap (bound − value) / S; 0 where nobody counts."""
        return fair.certified_gap(self.value, self.bound, self.scale)


@dataclass(frozen=True, eq=False)
class SliceWorth:
    """Judgement of the independent checker on a plan; `fault` says what the largest violation is about."""

    value: float
    scale: float
    load: Array
    shortfall: Array
    violation: float
    fault: str


class SliceAllocator(Protocol):
    """What solves this family: deterministic, limited by iterations and never by time."""

    name: str

    def allocate(
        self,
        problem: SliceProblem,
        *,
        start: SliceAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
    ) -> SliceAnswer:
        """Return a feasible plan with its certificate; `start` is an answer to other data of the same structure."""


class SliceKernel:
    """The kernel of `fair.py` on the rows of `slices_rows.py`; at most `KEEPERS` slices keep of one resource."""

    name = "kernel"

    def allocate(
        self,
        problem: SliceProblem,
        *,
        start: SliceAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
        stop: Callable[[], bool] | None = None,
    ) -> SliceAnswer:
        """Solve until the certified gap is at most `tolerance`, to the limit, or until `stop` says so.

        `stop` is asked before each iteration; the best feasible plan so far is the answer.
        """
        from tiertwin.allocate.families import slices_rows  # noqa: PLC0415  which knows us

        rows = slices_rows.rows_of(problem)
        lowered = rows.problem(problem)
        begin = None if start is None or start.inner is None else start.inner
        if begin is not None and (begin.x.size, begin.price.size) != (lowered.options.count, lowered.options.resources):
            begin = None
        found = FairKernel().allocate(
            lowered, start=begin, iteration_limit=iteration_limit, tolerance=tolerance, stop=stop
        )
        return answer(problem, found.x, rows.prices(problem, found.price), found.floor_price, found.iterations, found)


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices of resources, kept parts, caps and limits, as in `SliceAnswer`."""

    price: Array
    discount: Array
    cap: Array
    limit: Array


def answer(
    problem: SliceProblem,
    x: Array,
    prices: Prices,
    floor_price: Array,
    iterations: int,
    inner: FairAnswer | None = None,
) -> SliceAnswer:
    """Make an answer of a feasible plan and suggested prices: judged and bounded independently."""
    price = _paid(prices.price)
    discount = np.minimum(_paid(prices.discount), price[problem.kept_pairs[:, 1]])
    cap, limit = _paid(prices.cap), _paid(prices.limit)
    floors = problem.floors
    pays = np.zeros(0)
    if floors is not None:
        pays = np.zeros(floors.count) if floor_price.size != floors.count else np.nan_to_num(floor_price)
        pays = np.clip(pays, 0.0, floors.penalty)
    judged = worth(problem, x)
    bound = price_bound(problem, Prices(price, discount, cap, limit), pays)
    return SliceAnswer(
        x, price, discount, cap, limit, pays, judged.load, judged.shortfall, judged.value, judged.scale, bound,
        iterations, inner,
    )  # fmt: skip


def worth(problem: SliceProblem, x: Array) -> SliceWorth:
    """Judge a plan ``x[K]``: value and demands by the checker of `fair`, slices by their own loads."""
    plain = fair.worth(problem.base, x)
    name = f"{plain.fault.name.lower().replace('own_capacity', 'capacity')} {plain.index}"
    found = [(plain.violation, name)]
    load = problem.loads(x)
    common = np.maximum(load - problem.kept, 0.0).sum(axis=0) - (problem.capacity - problem.kept.sum(axis=0))
    found.append(_largest(common, problem.capacity, lambda r: f"isolation at {problem.resource_name(r)}"))
    if problem.slices.cap is not None:
        s, r = problem.cap_pairs.T
        cap = np.asarray(problem.slices.cap, dtype=np.float64)[s, r]
        names = problem.slices.names
        told = lambda i: f"cap of {names[s[i]]} at {problem.resource_name(r[i])}"  # noqa: E731
        found.append(_largest(load[s, r] - cap, cap, told))
    served = np.bincount(problem.slice_of_option, weights=x, minlength=problem.slices.count)
    limited = np.where(np.isfinite(problem.limit), served - problem.limit, 0.0)
    found.append(_largest(limited, problem.limit, lambda s: f"limit of {problem.slices.names[s]}"))
    violation, fault = max(found, key=lambda pair: pair[0])
    shortfall = plain.shortfall
    return SliceWorth(plain.value, plain.scale, plain.load, shortfall, violation, fault if violation > 0 else "")


def price_bound(problem: SliceProblem, prices: Prices, floor_price: Array | None = None) -> float:
    """Upper bound on the value of every plan, from any prices ≥ 0 (discounts at most the price they are of).

    Everything but demands is relaxed at these prices: an option costs what its uses do, less the discounts of its
    slice, and every user takes its cheapest (weak duality). What is paid for is Σ price c − Σ discount kept
    + Σ caps + Σ limits, since Σ_s (price − discount_s)(load_s − kept_s) ≤ price (c − Σ kept).
    """
    options = problem.options
    paid = np.where(np.isfinite(problem.capacity), prices.price, 0.0)
    finite = np.where(np.isfinite(problem.capacity), problem.capacity, 0.0)
    each = np.broadcast_to(paid, (problem.slices.count, options.resources)).copy()
    pairs, caps = problem.kept_pairs, problem.cap_pairs
    discount = np.minimum(prices.discount, paid[pairs[:, 1]])
    each[pairs[:, 0], pairs[:, 1]] -= discount
    np.add.at(each, (caps[:, 0], caps[:, 1]), prices.cap)
    limited = np.isfinite(problem.limit)
    limit_price = np.where(limited, prices.limit, 0.0)
    count = np.diff(options.option_offsets)
    entry = problem.slice_of_option.repeat(count)
    option = np.repeat(np.arange(options.count), count)
    used = np.bincount(option, weights=options.use * each[entry, options.resource], minlength=options.count)
    cost: Array = np.maximum(used, 0.0) + limit_price[problem.slice_of_option]
    if problem.cost is not None:
        cost = cost + problem.cost
    base = FairProblem(
        options, problem.base.demand, problem.base.weight, problem.alpha, problem.capacity, cost, floors=problem.floors
    )
    free = fair.price_bound(base, np.zeros(options.resources), floor_price)
    held = [
        paid @ finite,
        -(discount @ problem.kept[pairs[:, 0], pairs[:, 1]]),
        limit_price[limited] @ problem.limit[limited],
    ]
    if problem.slices.cap is not None:
        held.append(prices.cap @ np.asarray(problem.slices.cap, dtype=np.float64)[caps[:, 0], caps[:, 1]])
    size = float(np.sum(np.abs(held)) + abs(free))
    rounding = 64.0 * np.finfo(np.float64).eps * size * max(1.0, np.log2(options.count + 2.0))
    return float(free + np.sum(held) + rounding)


def _largest(excess: Array, of: Array, name: Any) -> tuple[float, str]:
    over = np.flatnonzero(excess > 0)
    if over.size == 0:
        return 0.0, ""
    relative = np.divide(excess[over], of[over], out=np.full(over.size, np.inf), where=of[over] > 0)
    first = int(np.argmax(relative))
    return float(relative[first]), name(int(over[first]))


def _paid(values: Array) -> Array:
    paid: Array = np.maximum(np.nan_to_num(np.asarray(values, dtype=np.float64), posinf=0.0, neginf=0.0), 0.0)
    return paid


def _frozen(values: Any) -> Any:
    array = np.ascontiguousarray(values, dtype=np.float64).reshape(-1).view()
    array.flags.writeable = False
    return array


def _table(given: Array | None, rows: int, columns: int, otherwise: float) -> Array:
    return np.full((rows, columns), otherwise) if given is None else np.asarray(given, dtype=np.float64)
