"""What an answer to a slice problem is, and how it is judged: plans by their own loads, bounds from prices alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairProblem
from tiertwin.allocate.families.slices import SliceProblem
from tiertwin.allocate.leaf import Array


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
