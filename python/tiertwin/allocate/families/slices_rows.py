"""Slices as fair shares: limits, caps and isolation become resources of their own behind those of the network.

Isolation at a resource with n keeping slices is 2^n − 1 of them, one for each set A of keeping slices but all: what A
and the slices that keep nothing use together is at most c_r less what the others keep. (The maximum over A of
Σ_A (load − kept) is the sum in `slices.py`.)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from tiertwin.allocate.families.fair import FairProblem
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.slices import SliceProblem
from tiertwin.allocate.families.slices_answer import Prices
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

KEEPERS = 4  # slices that keep a part of the same resource, at most


@dataclass(frozen=True)
class Row:
    """One resource of the lowered problem behind the network's own.

    Parameters
    ----------
    kind
        ``limit``, ``cap`` or ``isolation``.
    resource
        Of the network; −1 for limits.
    slices
        Whose use it counts.
    keepers
        Of isolation: the slices that keep something and are not counted here.
    """

    kind: str
    resource: int
    slices: tuple[int, ...]
    keepers: tuple[int, ...] = ()

    def name(self, problem: SliceProblem) -> str:
        """Return what it is for people."""
        names = problem.slices.names
        if self.kind == "limit":
            return f"limit of {names[self.slices[0]]}"
        at = problem.resource_name(self.resource)
        if self.kind == "cap":
            return f"cap of {names[self.slices[0]]} at {at}"
        return f"{at} without what {', '.join(names[s] for s in self.keepers)} keep{'s' * (len(self.keepers) == 1)}"


@dataclass(frozen=True, eq=False)
class Rows:
    """The structure of a lowered problem: its options with the further resources, and what these are."""

    options: Options
    rows: tuple[Row, ...]

    def capacities(self, problem: SliceProblem) -> Array:
        """``[R + rows]``."""
        return np.concatenate([problem.capacity, [_capacity(problem, row) for row in self.rows]])

    def problem(self, problem: SliceProblem) -> FairProblem:
        """Return the lowered problem."""
        base = problem.base
        return FairProblem(
            self.options, base.demand, base.weight, base.alpha, self.capacities(problem), base.cost, floors=base.floors
        )

    def prices(self, problem: SliceProblem, price: Array) -> Prices:
        """Turn the prices of the lowered problem into those of the slices."""
        resources = problem.options.resources
        total, discount = price[:resources].copy(), np.zeros(problem.kept.shape)
        cap, limit = np.zeros(problem.kept.shape), np.zeros(problem.slices.count)
        for row, paid in zip(self.rows, price[resources:], strict=True):
            if row.kind == "limit":
                limit[row.slices[0]] = paid
            elif row.kind == "cap":
                cap[row.slices[0], row.resource] = paid
            else:
                total[row.resource] += paid
                discount[list(row.keepers), row.resource] += paid
        kept, caps = problem.kept_pairs, problem.cap_pairs
        return Prices(total, discount[kept[:, 0], kept[:, 1]], cap[caps[:, 0], caps[:, 1]], limit)


_last: WeakKeyDictionary[Options, Rows] = WeakKeyDictionary()


def crowded(problem: SliceProblem) -> bool:
    """Whether more slices keep a part of the same resource than the kernel takes."""
    pairs = problem.kept_pairs
    return bool(pairs.size and np.max(np.bincount(pairs[:, 1])) > KEEPERS)


def rows_of(problem: SliceProblem) -> Rows:
    """Return the rows of a problem; the same object as long as the structure is the last one's, for warm starts.

    Raises
    ------
    InputError
        Too many slices keep a part of the same resource.
    """
    if crowded(problem):
        r = int(np.argmax(np.bincount(problem.kept_pairs[:, 1])))
        count = int(np.sum(problem.kept[:, r] > 0))
        told = f"{count} slices keep a part of {problem.resource_name(r)}: the kernel takes {KEEPERS}"
        raise InputError(f"{told}; use auto or cvxpy", where="slice problem")
    wanted = tuple(_wanted(problem))
    last = _last.get(problem.options)
    if last is None or last.rows != wanted or not np.array_equal(_owner(last), problem.slice_of_option):
        last = _last[problem.options] = Rows(_with_rows(problem, wanted), wanted)
        object.__setattr__(last, "_slice_of_option", problem.slice_of_option)
    return last


def _owner(rows: Rows) -> Indices:
    of_option: Indices = rows._slice_of_option  # type: ignore[attr-defined]
    return of_option


def _wanted(problem: SliceProblem) -> Any:
    for s in np.flatnonzero(np.isfinite(problem.limit)):
        yield Row("limit", -1, (int(s),))
    for s, r in problem.cap_pairs.tolist():
        yield Row("cap", r, (s,))
    every = range(problem.slices.count)
    for r in np.unique(problem.kept_pairs[:, 1]).tolist():
        keepers = [s for s in every if problem.kept[s, r] > 0]
        for size in range(1, len(keepers) + 1):
            for out in combinations(keepers, size):
                yield Row("isolation", r, tuple(s for s in every if s not in out), out)


def _capacity(problem: SliceProblem, row: Row) -> float:
    if row.kind == "limit":
        return float(problem.limit[row.slices[0]])
    if row.kind == "cap":
        return float(np.asarray(problem.slices.cap)[row.slices[0], row.resource])
    return max(0.0, float(problem.capacity[row.resource] - problem.kept[list(row.keepers), row.resource].sum()))


def _with_rows(problem: SliceProblem, rows: tuple[Row, ...]) -> Options:
    """The options with the uses of further resources: entries sorted by option, those of the network first."""
    options = problem.options
    count = np.diff(options.option_offsets)
    option = np.repeat(np.arange(options.count), count)
    order = np.argsort(options.resource, kind="stable")
    first = np.searchsorted(options.resource[order], np.arange(options.resources + 1))
    parts = [(option, options.resource, options.use)]
    for i, row in enumerate(rows):
        if row.kind == "limit":
            at = np.flatnonzero(problem.slice_of_option == row.slices[0])
            use = np.ones(at.size)
        else:
            entry = order[first[row.resource] : first[row.resource + 1]]
            entry = entry[np.isin(problem.slice_of_option[option[entry]], row.slices)]
            at, use = option[entry], options.use[entry]
        parts.append((at, np.full(at.size, options.resources + i), use))
    owner, resource, use = (np.concatenate(column) for column in zip(*parts, strict=True))
    by_option = np.argsort(owner, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=options.count))])
    return Options(
        options.user_offsets,
        offsets,
        resource[by_option].astype(np.int64),
        use[by_option],
        options.resources + len(rows),
    )
