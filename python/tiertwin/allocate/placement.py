"""What to build: which of many candidates serve demand best over many situations. The problem, its checker, its bound.

x_i = 1: candidate i is built; y_o: how much of a user's demand goes by option o, in the situation the user row is of.

    max  Σ_s w_s Σ_{o in s} gain_o y_o
    s.t. Σ_i cost_i x_i ≤ budget,  Σ_i x_i ≤ most,  Σ_{i∈g} x_i ≤ 1 for groups g of which one may be built
         Σ_{o of u} y_o ≤ demand_u                       every user row u
         Σ_o use_ro y_o ≤ capacity_r + Σ_i add_ri x_i    every resource row r
         y_o ≤ demand_u x_i                              options that need candidate i

Rows of users and resources belong to one situation each, so that for given x every situation is a linear problem of
its own: a two-stage problem with capacities (J. R. Birge, F. Louveaux, Introduction to Stochastic Programming, 2011;
facility location: G. Cornuéjols, M. L. Fisher, G. L. Nemhauser, Management Science 23, 1977). It is solved by
`tiertwin.allocate.placement_milp`; `placement_search` has the simple ways. `worth` recomputes value, cost and every
constraint from these definitions; `bound` is in closed form and valid for any prices:

    prices λ_r, μ_o, θ, φ, ρ_g ≥ 0:   ν_u = max(0, max_{o of u} w g_o − Σ_r use_ro λ_r − μ_o)
    value ≤ Σ d_u ν_u + Σ c_r λ_r + θ budget + φ most + Σ ρ_g + Σ_i max(0, π_i − θ cost_i − φ − Σ_{g∋i} ρ_g)
    π_i = Σ_r add_ri λ_r + Σ_{o needs i} d_u μ_o
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Flags = NDArray[np.bool_]

NONE = -1
TOLERANCE = 1e-6  # of a limit, by which it may be broken


@dataclass(frozen=True, eq=False)
class PlacementProblem:
    """Candidates I, situations S, user rows U, options O, resource rows R.

    Parameters
    ----------
    names, cost
        Of the candidates; cost at least 0, (I,).
    budget, most
        What may be spent, and how many may be built.
    situations, weight
        Names, and weights of at least 0, (S,).
    demand, situation
        Of each user row, at least 0; which situation it is of, (U,).
    user, gain, needs
        Of each option: its user row; what a unit is worth, at least 0; the candidate it needs or −1, (O,).
    capacity
        Of each resource row, at least 0, (R,).
    use_row, use_option, use
        What options take of resources, at least 0, one entry a pair, (K,).
    add_row, add_candidate, add
        What candidates add to resources, at least 0, (A,).
    groups
        Of each no more than one may be built.
    latency_s, in_time
        Of each option: its latency, and whether that is within the user's limit, for reports, (O,).
    """

    names: tuple[str, ...]
    cost: F64
    budget: float
    most: int
    situations: tuple[str, ...]
    weight: F64
    demand: F64
    situation: I64
    user: I64
    gain: F64
    needs: I64
    capacity: F64
    use_row: I64
    use_option: I64
    use: F64
    add_row: I64
    add_candidate: I64
    add: F64
    groups: tuple[tuple[int, ...], ...] = ()
    latency_s: F64 = field(default_factory=lambda: np.empty(0))
    in_time: Flags = field(default_factory=lambda: np.empty(0, dtype=bool))

    @property
    def candidates(self) -> int:
        """How many may be built, I."""
        return len(self.names)

    @cached_property
    def worth_of_option(self) -> F64:
        """w_s gain_o of each option, (O,)."""
        found: F64 = self.weight[self.situation[self.user]] * self.gain
        return found

    def checked(self) -> PlacementProblem:
        """Return self; InputError with everything that is out of shape or range."""
        problems = [*_shapes(self), *_ranges(self)]
        if problems:
            raise InputError(problems, "placement")
        return self


@dataclass(frozen=True, eq=False)
class Worth:
    """What a choice with its flows is worth and costs, and what it breaks (in words; empty: nothing)."""

    value: float
    cost: float
    by_situation: F64
    broken: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prices:
    """Multipliers of the bound, each at least 0: of resources (R,), options (O,), budget, number and groups."""

    resource: F64
    option: F64
    budget: float
    most: float
    group: F64


def worth(problem: PlacementProblem, chosen: I64 | Flags, flow: F64) -> Worth:
    """Return what building `chosen` is worth when `flow`, (O,), goes by the options, from the definitions."""
    built = as_flags(problem, chosen)
    y = np.asarray(flow, dtype=np.float64)
    if y.shape != problem.user.shape:
        raise InputError(f"expected {len(problem.user)} flows (one an option), got shape {y.shape}", "flow")
    spent = float(problem.cost[built].sum())
    broken = _choice_broken(problem, built, spent)
    served = np.bincount(problem.user, y, minlength=len(problem.demand))
    load = np.bincount(problem.use_row, problem.use * y[problem.use_option], minlength=len(problem.capacity))
    limit = limits(problem, built)
    over = served > problem.demand * (1.0 + TOLERANCE) + TOLERANCE
    full = load > limit * (1.0 + TOLERANCE) + TOLERANCE
    closed = ~there(problem.needs, built) & (y > TOLERANCE)
    for what, wrong in (("users are served more than they ask", over), ("resources are over their capacity", full)):
        if wrong.any():
            broken.append(f"{int(wrong.sum())} {what}, row {int(np.flatnonzero(wrong)[0])} first")
    if closed.any():
        o = int(np.flatnonzero(closed)[0])
        broken.append(f"option {o} goes by {problem.names[problem.needs[o]]!r}, which is not built")
    if (y < -TOLERANCE).any():
        broken.append("a flow is below 0")
    gained = np.bincount(
        problem.situation[problem.user], problem.worth_of_option * y, minlength=len(problem.situations)
    ).astype(np.float64)
    return Worth(float(gained.sum()), spent, gained, tuple(broken))


def _choice_broken(problem: PlacementProblem, built: Flags, spent: float) -> list[str]:
    broken = []
    if spent > problem.budget * (1.0 + TOLERANCE):
        broken.append(f"costs {spent:g}, the budget is {problem.budget:g}")
    if built.sum() > problem.most:
        broken.append(f"{int(built.sum())} are built, at most {problem.most} may be")
    for members in problem.groups:
        if built[list(members)].sum() > 1:
            names = ", ".join(repr(problem.names[i]) for i in members if built[i])
            broken.append(f"{names} are built, of which one may be")
    return broken


def allowed(problem: PlacementProblem, chosen: I64 | Flags) -> bool:
    """Say whether a choice keeps budget, number and groups."""
    built = as_flags(problem, chosen)
    return not _choice_broken(problem, built, float(problem.cost[built].sum()))


def as_flags(problem: PlacementProblem, chosen: I64 | Flags) -> Flags:
    """Return a choice as flags, (I,), from flags or places; InputError: neither."""
    given = np.asarray(chosen)
    if given.dtype == np.bool_ and given.shape == (problem.candidates,):
        return np.asarray(given, dtype=np.bool_)
    places = given.astype(np.int64)
    if places.ndim != 1 or (len(places) and not (places.min() >= 0 and places.max() < problem.candidates)):
        raise InputError(f"expected candidates 0 … {problem.candidates - 1}, or a flag each, got {chosen}", "chosen")
    flags = np.zeros(problem.candidates, dtype=bool)
    flags[places] = True
    return flags


def there(needs: I64, built: Flags) -> Flags:
    """Return which options are there: those that need nothing, or something that is built; `needs` as in a problem."""
    found: Flags = np.append(built, True)[needs]  # −1, no need, is the last
    return found


def limits(problem: PlacementProblem, built: Flags) -> F64:
    """Return the capacity of every resource row with what is built, (R,)."""
    more = np.bincount(problem.add_row, problem.add * built[problem.add_candidate], minlength=len(problem.capacity))
    found: F64 = problem.capacity + more
    return found


def slopes(problem: PlacementProblem, resource: F64, option: F64) -> tuple[float, F64]:
    """Return (a, π): no choice x is worth more than a + π·x, at any prices of resources and options of at least 0.

    The value is concave in x, so that prices of one choice say what all others are worth at most.
    """
    paid = np.bincount(problem.use_option, problem.use * resource[problem.use_row], minlength=len(problem.user)).astype(
        np.float64
    )
    charged = np.where(problem.needs != NONE, option, 0.0)
    rent = np.zeros(len(problem.demand))
    np.maximum.at(rent, problem.user, problem.worth_of_option - paid - charged)
    a = float(problem.demand @ rent + problem.capacity @ resource)
    slope = np.bincount(problem.add_candidate, problem.add * resource[problem.add_row], minlength=problem.candidates)
    over = problem.needs != NONE
    slope = slope + np.bincount(
        problem.needs[over], (problem.demand[problem.user] * option)[over], minlength=problem.candidates
    )
    return a, slope.astype(np.float64)


def bound(problem: PlacementProblem, prices: Prices) -> float:
    """Return what no choice is worth more than, by the formula above; valid for any prices of at least 0."""
    a, slope = slopes(problem, prices.resource, prices.option)
    left = slope - prices.budget * problem.cost - prices.most
    for members, price in zip(problem.groups, prices.group.tolist(), strict=True):
        left[list(members)] -= price
    fixed = a + prices.budget * problem.budget + prices.most * problem.most + float(prices.group.sum())
    return fixed + float(np.maximum(left, 0.0).sum())


def _shapes(p: PlacementProblem) -> list[str]:
    counts = {"I": len(p.names), "S": len(p.situations), "U": len(p.demand), "O": len(p.user), "R": len(p.capacity)}
    counts |= {"K": len(p.use), "A": len(p.add)}
    wanted = {
        "cost": "I", "weight": "S", "demand": "U", "situation": "U", "user": "O", "gain": "O", "needs": "O",
        "capacity": "R", "use_row": "K", "use_option": "K", "use": "K", "add_row": "A", "add_candidate": "A",
        "add": "A",
    }  # fmt: skip
    found = [
        f"{name}: expected shape ({counts[size]},), got {np.shape(getattr(p, name))}"
        for name, size in wanted.items()
        if np.shape(getattr(p, name)) != (counts[size],)
    ]
    if len(set(p.names)) != len(p.names):
        found.append("names: expected a name of its own for each candidate")
    for name in ("latency_s", "in_time"):
        if len(getattr(p, name)) not in (0, counts["O"]):
            found.append(f"{name}: expected one an option or none, got {len(getattr(p, name))}")
    return found


def _ranges(p: PlacementProblem) -> list[str]:
    if _shapes(p):
        return []
    found = []
    for name in ("cost", "weight", "demand", "gain", "capacity", "use", "add"):
        values = getattr(p, name)
        wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
        if len(wrong):
            found.append(f"{name}[{wrong[0]}]: expected a finite number of at least 0, got {values[wrong[0]]}")
    tops = {
        "situation": len(p.situations), "user": len(p.demand), "use_row": len(p.capacity), "use_option": len(p.user),
        "add_row": len(p.capacity), "add_candidate": len(p.names),
    }  # fmt: skip
    for name, top in tops.items():
        values = getattr(p, name)
        if len(values) and not (values.min() >= 0 and values.max() < top):
            found.append(f"{name}: expected 0 … {top - 1}, got {values.min()} … {values.max()}")
    if len(p.needs) and not (p.needs.min() >= NONE and p.needs.max() < len(p.names)):
        found.append(f"needs: expected −1 … {len(p.names) - 1}, got {p.needs.min()} … {p.needs.max()}")
    if not (np.isfinite(p.budget) and p.budget >= 0.0):
        found.append(f"budget: expected a finite number of at least 0, got {p.budget}")
    if p.most < 0:
        found.append(f"most: expected at least 0, got {p.most}")
    found += [
        f"groups[{g}]: expected different candidates 0 … {len(p.names) - 1}, got {members}"
        for g, members in enumerate(p.groups)
        if len(set(members)) != len(members) or any(not 0 <= i < len(p.names) for i in members)
    ]
    return found or _crossings(p)


def _crossings(p: PlacementProblem) -> list[str]:
    """Resources and users must be of one situation each: else situations would not be problems of their own."""
    of_row = np.full(len(p.capacity), NONE, dtype=np.int64)
    of_use = p.situation[p.user[p.use_option]]
    of_row[p.use_row] = of_use
    wrong = np.flatnonzero(of_row[p.use_row] != of_use)
    return [f"use_row: resource row {p.use_row[wrong[0]]} is used in two situations"] if len(wrong) else []
