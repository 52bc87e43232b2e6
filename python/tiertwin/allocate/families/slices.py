"""Slices over shared resources: floors, parts kept for one slice alone, caps and priorities, on users with options.

    maximise  Σ_u π_s(u) w_u U(y_u; α_u) − Σ_k cost_k x_k − Σ_g M_g max(0, f_g − Y_g)
    subject   y_u ≤ d_u,  x ≥ 0,  Y_s ≤ limit_s,  load_sr ≤ cap_sr,
              Σ_s max(0, load_sr − kept_sr) ≤ c_r − Σ_s kept_sr
    where     load_sr = Σ of use_kr x_k over the options of slice s,  Y_g = Σ of y_u over the users of a guarantee

The last line is isolation: of what is kept for slice s at resource r nobody else gets anything, whatever s leaves idle;
beyond it s competes for the rest like all others. Floors are exact penalties, so that there always is a plan;
`slices_admission.py` says whether all of them can be kept, and if not why and what would help; `slices_answer.py` what
an answer is and how it is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tiertwin.allocate.families.fair import FairProblem, Floors
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.slices_checks import guarantee_faults, slice_faults
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

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


def _frozen(values: Any) -> Any:
    array = np.ascontiguousarray(values, dtype=np.float64).reshape(-1).view()
    array.flags.writeable = False
    return array


def _table(given: Array | None, rows: int, columns: int, otherwise: float) -> Array:
    return np.full((rows, columns), otherwise) if given is None else np.asarray(given, dtype=np.float64)
