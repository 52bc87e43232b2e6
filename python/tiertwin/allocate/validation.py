"""Step S1 of the ladder: what makes a problem or a query unfit for a solver, and its careful reading if it is."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from tiertwin.allocate import kernel
from tiertwin.allocate.leaf import Array, LeafProblem


@dataclass(frozen=True, eq=False)
class LeafQuery:
    """What is asked of a leaf: the best plan inside ``quota[J]``, or at ``price[J]``; exactly one is given."""

    quota: Array | None = None
    price: Array | None = None

    def __post_init__(self) -> None:
        kernel.one_query(self.quota, self.price)


_judged: WeakKeyDictionary[LeafProblem, tuple[float, list[str]]] = WeakKeyDictionary()


def problem_faults(problem: LeafProblem, limit: float) -> list[str]:
    """Judge a problem once, however often it is asked about: its arrays are read-only."""
    known = _judged.get(problem)
    if known is None or known[0] != limit:
        known = _judged[problem] = (limit, [*problem.faults(), *_spread_faults(problem, limit)])
    return known[1]


def query_faults(problem: LeafProblem, query: LeafQuery) -> list[str]:
    """Say what is wrong with a query; empty when it may be asked."""
    name, asked = ("price", query.price) if query.quota is None else ("quota", query.quota)
    values = np.asarray(asked, dtype=np.float64)
    if values.shape != (problem.quotas,):
        return [f"{name}: expected {problem.quotas} numbers, got shape {list(values.shape)}"]
    if np.any(np.isnan(values)) or np.any(values < 0) or (name == "price" and np.any(np.isinf(values))):
        return [f"{name}: expected numbers ≥ 0, got {values.tolist()}"]
    return []


def _spread_faults(problem: LeafProblem, limit: float) -> list[str]:
    """Name the arrays whose largest number is `limit` times a common one or more.

    A common number is the lower median of the positive ones: an idle group (tiny demand) is harmless, since values are
    scaled by the mean weight, while one huge number drowns the others.
    """
    rows = [("demand", problem.demand), ("weight", problem.weight)]
    rows += [(f"use_own[{k}]", row) for k, row in enumerate(problem.use_own)]
    rows += [(f"use_quota[{j}]", row) for j, row in enumerate(problem.use_quota)]
    faults = []
    for name, row in rows:
        positive = np.sort(row[row > 0], axis=None)
        if positive.size and positive[-1] > limit * positive[(positive.size - 1) // 2]:
            faults.append(f"{name}: {positive[-1]:.3g} is more than {limit:g} times the median of its positive numbers")
    dearest, worth = problem.cost.max(initial=0.0), problem.weight.max(initial=0.0)
    if worth > 0 and dearest > limit * worth:
        faults.append(f"cost: {dearest:.3g} is more than {limit:g} times the largest weight")
    return faults


def sanitised(problem: LeafProblem) -> LeafProblem:
    """Replace every value that is no number ≥ 0 by its careful reading, so that steps without an optimiser can work.

    An unknown demand, worth or capacity counts as 0, an unknown cost or use as dearer than any known one; infinite
    numbers are unknown too. The device tier uses nothing.
    """
    fields = {}
    for name in problem.__dataclass_fields__:
        array = np.array(getattr(problem, name))
        known = np.isfinite(array) & (array >= 0)
        careful = 0.0
        if name in ("cost", "use_own", "use_quota"):
            careful = 1e3 * max(1.0, float(array[known].max(initial=0.0)))
        array[~known] = careful
        if name.startswith("use"):
            array[:, :, 0] = 0.0
        fields[name] = array
    return LeafProblem(**fields)


def sanitised_query(problem: LeafProblem, query: LeafQuery) -> LeafQuery:
    """Read a broken quota as 0 and a broken price as free, of the problem's shape."""
    if query.quota is None:
        return LeafQuery(price=clean(query.price, problem.quotas))
    quota = np.asarray(query.quota, dtype=np.float64)
    if quota.shape != (problem.quotas,):
        return LeafQuery(quota=np.zeros(problem.quotas))
    return LeafQuery(quota=np.where(quota > 0, quota, 0.0))


def clean(prices: Array | None, count: int) -> Array:
    """Return prices as ``[count]`` finite numbers ≥ 0; what is not one counts as free."""
    values = np.zeros(0) if prices is None else np.asarray(prices, dtype=np.float64)
    if values.shape != (count,):
        return np.zeros(count)
    return np.where(np.isfinite(values) & (values > 0), values, 0.0)
