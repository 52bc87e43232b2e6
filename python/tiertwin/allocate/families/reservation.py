"""Reservation of computing, storage and bandwidth at tiers for stateful services of groups of users.

    share y_gn ≥ 0 of the tasks of group g at tier n, Σ_n y_gn = 1;   used z_gn ∈ {0, 1}, y_gn ≤ z_gn
    compute    need_0n = Σ_g c_g [ y_gn N_g λ_g + z_gn / (T_g − path_gn) ] + margin_n      (M/M/1: delay ≤ T_g − path)
    storage    need_1n = Σ_g y_gn N_g s_g
    bandwidth  need_2n = Σ_g y_gn N_g (λ_g d_g hops_n + h_gn s_g)            (tasks, and contexts that move with users)
    minimise   Σ_kn [ a_kn R_kn + β_kn |R_kn − before_kn| + o_kn max(0, R_kn − C_kn) ],   R_kn ≥ need_kn

What is reserved R follows from what is needed alone, so cost is Σ φ_kn(need_kn) with φ convex, piecewise linear and
never falling. Each group has queues of its own; with `pooled` one queue of a tier serves all its groups, and only the
largest c_g / (T_g − path_gn) is needed there instead of the sum. Beyond the capacity C stands a price o, high enough to
be paid only where nothing else fits: so there always is a plan, and `overflow` says what is missing.

Choosing the sets z makes it a mixed-integer problem. At prices l_kn of what is needed, every group takes its cheapest
tier by itself, and that is a lower bound on the cost of every plan:

    cost ≥ Σ_g min_n Σ_k l_kn use_kgn + Σ_kn min_need [ φ_kn(need) − l_kn need ],   use with the whole group at n

It equals the linear relaxation at the best prices; few groups are split there (as many as there are rows), so that its
distance to the best plan falls as groups are more. The model is ours, in the spirit of multi-tier reservation for
stateful services by group (arXiv 2210.02616, abstract).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

KINDS = ("compute", "storage", "bandwidth")
ITERATION_LIMIT = 100
TOLERANCE = 1e-3
OVERFLOW = 20.0  # what is beyond capacity costs so many times the dearest unit, change included


@dataclass(frozen=True, eq=False)
class ReservationProblem:
    """One window: G groups, N tiers; the units of cycles, bits and seconds are up to the user, and the same throughout.

    Parameters
    ----------
    users
        ``[G]`` N, users forecast in the window, ≥ 0.
    rate, cycles, bits, context, deadline
        ``[G]`` λ tasks/s of a user, c cycles and d bits of a task, s bits of a user's context, T seconds; ≥ 0, T > 0.
    path
        ``[G, N]`` seconds from a user to the tier and back, ≥ 0; a tier with path ≥ T is closed to the group.
    moves
        ``[G, N]`` h, times a second that a user crosses between areas of the tier, ≥ 0.
    hops
        ``[N]`` links from a user to the tier, ≥ 0.
    capacity
        ``[3, N]`` of compute (cycles/s), storage (bits) and bandwidth (bit/s), ≥ 0, infinity for no limit.
    price
        ``[3, N]`` a of a unit reserved for the window, ≥ 0.
    before
        ``[3, N]`` what is reserved now, ≥ 0; None: nothing, and changing costs nothing.
    change
        ``[3, N]`` β of a unit changed, ≥ 0; None: nothing.
    margin
        ``[N]`` compute beyond what is needed, cycles/s, ≥ 0; None: none.
    pooled
        Groups share a queue at each tier.

    Raises
    ------
    InputError
        A wrong shape, NaN or a number out of its range, with its index; a group that no tier answers in time.
    """

    users: Array
    rate: Array
    cycles: Array
    bits: Array
    context: Array
    deadline: Array
    path: Array
    moves: Array
    hops: Array
    capacity: Array
    price: Array
    before: Array | None = None
    change: Array | None = None
    margin: Array | None = None
    pooled: bool = False

    def __post_init__(self) -> None:
        for name in ("users", "rate", "cycles", "bits", "context", "deadline", "path", "moves", "hops", "capacity",
                     "price", "before", "change", "margin"):  # fmt: skip
            given = getattr(self, name)
            if given is not None:
                array = np.ascontiguousarray(given, dtype=np.float64).view()
                array.flags.writeable = False
                object.__setattr__(self, name, array)
        faults = _faults(self)
        if faults:
            raise InputError(faults, where="reservation problem")

    @property
    def groups(self) -> int:
        """Number of groups G."""
        return int(self.users.size)

    @property
    def tiers(self) -> int:
        """Number of tiers N."""
        return int(self.hops.size)

    @cached_property
    def open(self) -> Any:
        """``[G, N]`` tiers that can answer a group in time."""
        return self.path < self.deadline[:, None]

    @cached_property
    def per_share(self) -> Array:
        """``[3, G, N]`` needed per unit of share."""
        tasks = self.users * self.rate
        compute = np.broadcast_to((self.cycles * tasks)[:, None], self.open.shape)
        storage = np.broadcast_to((self.users * self.context)[:, None], self.open.shape)
        traffic = (tasks * self.bits)[:, None] * self.hops + (self.users * self.context)[:, None] * self.moves
        return np.stack([compute, storage, traffic])

    @cached_property
    def per_set(self) -> Array:
        """``[G, N]`` compute needed to be in time at all, where anything of the group is served."""
        left = np.where(self.open, self.deadline[:, None] - self.path, 1.0)
        return np.where(self.open & (self.users[:, None] * self.rate[:, None] > 0), self.cycles[:, None] / left, 0.0)

    @cached_property
    def whole(self) -> Array:
        """``[3, G, N]`` needed where the whole group is at the tier."""
        whole: Array = self.per_share.copy()
        whole[0] += self.per_set
        return whole

    @cached_property
    def beyond(self) -> Array:
        """``[3, N]`` o: what a unit beyond capacity costs on top, by kind."""
        dearest = np.max(self.price + self._change, axis=1, keepdims=True)
        return np.asarray(np.broadcast_to(OVERFLOW * np.where(dearest > 0, dearest, 1.0), self.price.shape))

    @cached_property
    def steepest(self) -> Array:
        """``[3, N]`` slope of φ beyond all its kinks."""
        return np.asarray(self.price + self._change + np.where(np.isfinite(self.capacity), self.beyond, 0.0))

    @cached_property
    def rest(self) -> Array:
        """``[3, N]`` what is reserved where nothing is needed: what there is, where giving it back is dearer."""
        return np.asarray(np.where(self.price < self._change, np.minimum(self._before, self.capacity), 0.0))

    def reserved_for(self, need: Array) -> Array:
        """What is best reserved where that much is needed, ``[3, N]``."""
        return np.maximum(need, self.rest)

    def cost_of(self, need: Array) -> Array:
        """φ of each kind and tier, ``[3, N]``."""
        reserved = self.reserved_for(need)
        over = np.maximum(reserved - self.capacity, 0.0)
        cost = self.price * reserved + self._change * np.abs(reserved - self._before) + self.beyond * over
        return np.asarray(cost, dtype=np.float64)

    @property
    def _before(self) -> Array:
        return np.zeros_like(self.price) if self.before is None else self.before

    @property
    def _change(self) -> Array:
        return np.zeros_like(self.price) if self.change is None or self.before is None else self.change

    def need_of(self, share: Array) -> Array:
        """Needed by ``share[G, N]``, ``[3, N]``."""
        need: Array = np.einsum("kgn,gn->kn", self.per_share, share)
        fixed = np.where(share > 0, self.per_set, 0.0)
        need[0] += fixed.max(axis=0, initial=0.0) if self.pooled else fixed.sum(axis=0)
        if self.margin is not None:
            need[0] += self.margin
        return need


@dataclass(frozen=True, eq=False)
class ReservationAnswer:
    """A plan, its costs, and a bound on the cost of every plan.

    Parameters
    ----------
    share
        ``[G, N]`` y, rows sum to 1.
    reserved, overflow
        ``[3, N]`` what to reserve, and by how much that exceeds the capacity.
    price
        ``[3, N]`` prices of what is needed, at which the bound is taken.
    cost, bound
        Objective; no plan costs less than `bound`.
    resources, changes, penalty
        The parts of the cost: reserved, changed, beyond capacity.
    iterations
        Steps of the price method and of the search taken.
    """

    share: Array
    reserved: Array
    overflow: Array
    price: Array
    cost: float
    bound: float
    resources: float
    changes: float
    penalty: float
    iterations: int

    @property
    def gap(self) -> float:
        """(cost − bound) / cost; 0 where nothing costs anything."""
        return max(0.0, self.cost - self.bound) / self.cost if self.cost > 0 else 0.0

    @property
    def fits(self) -> bool:
        """Whether everything is within capacity."""
        return not bool(np.any(self.overflow > 0))


class ReservationAllocator(Protocol):
    """What solves this family: deterministic, limited by iterations and never by time."""

    name: str

    def allocate(
        self,
        problem: ReservationProblem,
        *,
        start: ReservationAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
    ) -> ReservationAnswer:
        """Return a plan with its bound; `start` is an answer to other data of the same shape."""


@dataclass(frozen=True, eq=False)
class ReservationWorth:
    """Judgement of the independent checker on shares."""

    cost: float
    resources: float
    changes: float
    penalty: float
    reserved: Array
    overflow: Array
    violation: float
    fault: str


def worth(problem: ReservationProblem, share: Array) -> ReservationWorth:
    """Judge ``share[G, N]``: what it needs, what is best reserved for that, and what this costs, part by part."""
    found = [(0.0, "")]
    if not np.all(np.isfinite(share)):
        found.append((np.inf, "not finite"))
    low = float(-np.min(share, initial=0.0))
    found.append((low, "a share below 0"))
    closed = np.argwhere((share > 0) & ~problem.open)
    if closed.size:
        found.append((np.inf, f"group {closed[0][0]} at tier {closed[0][1]}, which answers too late"))
    off = np.abs(share.sum(axis=1) - 1.0)
    if off.size:
        found.append((float(off.max()), f"shares of group {int(off.argmax())} do not sum to 1"))
    violation, fault = max(found, key=lambda pair: pair[0])
    reserved = problem.reserved_for(problem.need_of(share))
    overflow = np.maximum(reserved - problem.capacity, 0.0)
    resources = float(np.sum(problem.price * reserved))
    changes = 0.0
    if problem.before is not None and problem.change is not None:
        changes = float(np.sum(problem.change * np.abs(reserved - problem.before)))
    penalty = float(np.sum(problem.beyond * overflow))
    cost = resources + changes + penalty
    return ReservationWorth(
        cost, resources, changes, penalty, reserved, overflow, violation, fault if violation > 0 else ""
    )


def price_bound(problem: ReservationProblem, price: Array) -> float:
    """Lower bound on the cost of every plan, from any prices ``[3, N]``: clipped to 0 … the steepest of φ.

    Pooled queues need at least the largest delay part of any group where it goes: counted as 0 here, since at prices
    alone no group can be made to pay for it.
    """
    paid = np.clip(np.nan_to_num(price), 0.0, problem.steepest)
    use = problem.per_share if problem.pooled else problem.whole
    each = np.where(problem.open, np.einsum("kn,kgn->gn", paid, use), np.inf).min(axis=1)
    kinks = [np.zeros_like(paid), *([] if problem.before is None else [problem.before]), problem.capacity]
    least = np.full_like(paid, np.inf)
    for kink in kinks:  # φ(need) − l need is convex and piecewise linear: least at a kink
        at = np.where(np.isfinite(kink), kink, 0.0)
        least = np.minimum(least, problem.cost_of(at) - paid * at)
    held = 0.0 if problem.margin is None else float(paid[0] @ problem.margin)
    size = each.sum() + np.abs(least).sum() + held
    return float(each.sum() + least.sum() + held - 64 * np.finfo(np.float64).eps * size)


def fit(problem: ReservationProblem, share: Array) -> Array:
    """Make any ``share[G, N]`` a plan: closed tiers and crumbs dropped, rows scaled to 1, empty ones nearest."""
    kept = np.where(problem.open & np.isfinite(share) & (share > 1e-9), share, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    nearest = np.zeros_like(kept)
    nearest[np.arange(problem.groups), np.where(problem.open, problem.path, np.inf).argmin(axis=1)] = 1.0
    scaled: Array = np.where(total > 0, np.divide(kept, total, out=np.zeros_like(kept), where=total > 0), nearest)
    return scaled


def answer(problem: ReservationProblem, share: Array, price: Array, iterations: int) -> ReservationAnswer:
    """Make an answer of suggested shares and prices: repaired, judged and bounded independently."""
    plan = fit(problem, share)
    judged = worth(problem, plan)
    paid = np.maximum(np.nan_to_num(price), 0.0)
    return ReservationAnswer(
        plan, judged.reserved, judged.overflow, paid, judged.cost, price_bound(problem, paid), judged.resources,
        judged.changes, judged.penalty, iterations,
    )  # fmt: skip


def _faults(problem: ReservationProblem) -> list[str]:
    groups, tiers = problem.users.size, problem.hops.size
    per_group, both, rows = (groups,), (groups, tiers), (3, tiers)
    wanted = {
        "users": per_group, "rate": per_group, "cycles": per_group, "bits": per_group, "context": per_group,
        "deadline": per_group, "path": both, "moves": both, "hops": (tiers,), "capacity": rows, "price": rows,
        "before": rows, "change": rows, "margin": (tiers,),
    }  # fmt: skip
    faults = []
    for name, shape in wanted.items():
        array = getattr(problem, name)
        if array is None:
            continue
        if array.shape != shape:
            faults.append(f"{name}: expected shape {list(shape)}, got {list(array.shape)}")
            continue
        bad = np.isnan(array) | (array < 0) | (np.isinf(array) & (name not in ("capacity", "path")))
        if name == "deadline":
            bad |= array == 0
        if np.any(bad):
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            what = "a number >= 0 or infinity" if name in ("capacity", "path") else "a finite number >= 0"
            faults.append(f"{name}{list(at)}: expected {what}, got {array[at]:g}")
    if faults:
        return faults
    if tiers == 0:
        return ["hops: expected at least one tier"]
    late = np.flatnonzero(~np.any(problem.path < problem.deadline[:, None], axis=1))
    return [
        f"deadline[{g}]: {problem.deadline[g]:g} s is before the answer of every tier; the nearest takes "
        f"{problem.path[g].min():g} s"
        for g in late
    ]
