"""The C++ leaf kernel behind the arrays of `leaf.py`: solve, cut, checker, repairs. One border crossing a call.

The compiled problem is kept with its `LeafProblem`, so that one data version is built once and solved many times.
Everything here is deterministic; the kernel holds the GIL, so threads take turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from weakref import WeakKeyDictionary

import numpy as np

from tiertwin import _core
from tiertwin.allocate.leaf import Array, LeafAnswer, LeafProblem
from tiertwin.errors import InputError

ITERATION_LIMIT = 80  # 9 to 30 are usual


class Fault(IntEnum):
    """What the largest violation of a plan is about."""

    NONE = 0
    NOT_FINITE = 1
    NEGATIVE = 2
    DEMAND = 3
    OWN_CAPACITY = 4
    QUOTA = 5


@dataclass(frozen=True, eq=False)
class Worth:
    """Judgement of the independent checker on a plan.

    Parameters
    ----------
    value, scale
        Objective in utils/s; S = Σ w q^(1−α).
    use, own_load
        ``[J]`` quota used and ``[K]`` own load.
    violation
        Largest excess over a bound, relative to that bound; 0 when all hold.
    fault, index
        What that violation is about, and which cell, group, resource or quota; −1 when none.
    """

    value: float
    scale: float
    use: Array
    own_load: Array
    violation: float
    fault: Fault
    index: int


_compiled: WeakKeyDictionary[LeafProblem, _core.Leaf] = WeakKeyDictionary()


def compiled(problem: LeafProblem) -> _core.Leaf:
    """Return the compiled form of a problem, built on first use. ValueError names a value that cannot be solved."""
    leaf = _compiled.get(problem)
    if leaf is None:
        leaf = _compiled[problem] = _core.Leaf(
            problem.demand,
            problem.weight,
            problem.alpha,
            problem.cost,
            problem.use_own,
            problem.capacity,
            problem.kappa,
            problem.use_quota,
        )
    return leaf


def one_query(quota: Array | None, price: Array | None) -> None:
    """Refuse a request that is neither or both of a quota and a price query."""
    if (quota is None) == (price is None):
        came = "neither" if quota is None else "both"
        raise InputError(f"allocate: expected either quota or price, got {came}")


class KernelAllocator:
    """The interior-point kernel as a registered allocator: about 0.05 ms at an edge site, linear in the groups."""

    name = "kernel"

    def warm_up(self, shape: tuple[int, int, int, int]) -> None:
        """Nothing to compile: returns at once."""

    def allocate(
        self,
        problem: LeafProblem,
        *,
        quota: Array | None = None,
        price: Array | None = None,
        iteration_limit: int = ITERATION_LIMIT,
    ) -> LeafAnswer:
        """Solve a quota query or a price query; the answer is feasible and its cut valid even at the limit."""
        one_query(quota, price)
        leaf = compiled(problem)
        if quota is not None:
            found = leaf.solve_quota(_vector(quota), iteration_limit)
        else:
            found = leaf.solve_price(_vector(price), iteration_limit)
        x, value, scale, use, own_load, own_price, quota_price, phi, _gap, _iterations = found
        return LeafAnswer(x, value, scale, use, own_load, own_price, quota_price, phi)


def solve_all(problem: LeafProblem, quotas: Array, prices: Array) -> tuple[list[LeafAnswer], Array]:
    """Answer quota queries ``[n, J]`` and price queries ``[m, J]`` in one border crossing.

    Returns
    -------
    The answers in that order, and the checker's violation of each plan, ``[n + m]``.
    """
    leaf = compiled(problem)
    x, use, load, own_price, quota_price, scalars = leaf.solve_all(_rows(quotas), _rows(prices), ITERATION_LIMIT)
    answers = [
        LeafAnswer(x[i], float(s[0]), float(s[1]), use[i], load[i], own_price[i], quota_price[i], float(s[2]))
        for i, s in enumerate(scalars)
    ]
    return answers, np.asarray(scalars[:, 3], dtype=np.float64)


def _rows(values: Array) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)


def cut(problem: LeafProblem, quota_price: Array, own_price: Array) -> tuple[float, float]:
    """Return (phi, drift) at any prices: V(r) ≤ phi + quota_price · r for all r ≥ 0, whatever the prices (CUTS §2).

    With drift S, V(r) ≤ phi + η S + quota_price · r while no demand has moved by more than a share η.
    """
    phi, drift = compiled(problem).cut(_vector(quota_price), _vector(own_price))
    return phi, drift


def worth(problem: LeafProblem, x: Array, quota: Array | None = None) -> Worth:
    """Judge a plan ``x[G, T]`` by the independent checker; None leaves the quotas unlimited."""
    value, scale, use, load, violation, fault, index = compiled(problem).value(_vector(x), _optional(quota))
    return Worth(value, scale, use, load, violation, Fault(fault), index)


def value_at_growth(problem: LeafProblem, x: Array, growth: float) -> float:
    """Value of the same absolute rates at demands (1 + growth) times as large: `v_low` of a point under drift."""
    return compiled(problem).value_at_growth(_vector(x), growth)


def repair(problem: LeafProblem, x: Array, quota: Array | None = None) -> Array:
    """Make any ``x[G, T]`` feasible: clip, scale down, move the overdraft to the device tier."""
    return compiled(problem).repair(_vector(x), _optional(quota))


def project(problem: LeafProblem, x: Array, quota: Array | None = None) -> Array:
    """Return the feasible plan nearest to x (Euclidean, tasks/s)."""
    return compiled(problem).project(_vector(x), _optional(quota))


def refresh(problem: LeafProblem, x: Array) -> Array:
    """Carry a plan over to new data: rates kept, cut at the new demand, growth to the device tier."""
    return compiled(problem).refresh(_vector(x))


def greedy(problem: LeafProblem, quota: Array | None = None) -> Array:
    """Return a feasible plan without an optimiser, in milliseconds whatever the instance."""
    return compiled(problem).greedy(_optional(quota))


def deal(group_of_device: np.ndarray, weight: Array, x: Array, cap: Array | None = None) -> Array:
    """Deal group rates ``x[G, T]`` to devices ``[N]`` by weight, at most `cap` each; sums equal x to 1e-9."""
    groups = np.ascontiguousarray(group_of_device, dtype=np.int64)
    return _core.deal(groups, _vector(weight), _vector(x), _optional(cap))


def _vector(values: Array | None) -> Array:
    return np.ascontiguousarray(values, dtype=np.float64)


def _optional(values: Array | None) -> Array | None:
    return None if values is None else _vector(values)
