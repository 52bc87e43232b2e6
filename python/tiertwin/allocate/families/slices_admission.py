"""Whether all floors of slices can be kept at once, and if not: which not, by how much, why, and what would help.

    minimise  Σ_g p_g short_g    subject to everything that limits the slices, and Y_g + short_g ≥ f_g

Its dual is a proof: prices at which no plan is short of less than ``least`` (weighted by p). A resource with price λ in
it must grow by at least ``least / λ`` where it alone grows, since shortfall is convex in it; what is enough is found by
a second problem, which uses as little of that resource as the floors allow. Nobody's weight counts here: admission asks
for what was promised and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiertwin.allocate.families.fair import FairAllocator, FairAnswer, FairKernel, FairProblem, Floors
from tiertwin.allocate.families.slices import SliceProblem
from tiertwin.allocate.families.slices_rows import Rows, rows_of
from tiertwin.allocate.leaf import Array

ACCURACY = 1e-6  # of the sum of all floors: less is no shortfall
CAUSES = 3  # told of each refused floor
DEAR = 1e3  # price of shortfall while as little as can be is used of a resource, over the largest use of it


@dataclass(frozen=True)
class Cause:
    """One limit that stands in the way of a floor.

    Parameters
    ----------
    name
        The resource, cap, limit or kept part; or the demand of the users.
    dual
        By how much the whole shortfall falls for a unit more of it, at most and at first.
    left
        The whole shortfall that stays however much of it there is.
    least, enough
        It must grow at least by the one, and need not by more than the other, to bring the shortfall down to that; in
        its own unit.
    """

    name: str
    dual: float
    left: float
    least: float
    enough: float

    def __str__(self) -> str:
        """Name, dual and what to add."""
        if self.enough == 0.0:
            return self.name
        ends = f"{self.enough:.4g} do" if self.left == 0.0 else f"{self.enough:.4g} leave {self.left:.4g} short"
        return f"{self.name} (dual {self.dual:.3g}): add >= {self.least:.4g} there, {ends}"


@dataclass(frozen=True)
class Refusal:
    """A floor that is not kept with the others: promised and possible rate, and what stands in the way."""

    guarantee: str
    amount: float
    short: float
    causes: tuple[Cause, ...]
    unit: str = ""

    def __str__(self) -> str:
        """One line for people: which, how much, why, what to do."""
        unit = f" {self.unit}" if self.unit else ""
        head = f"slice {self.guarantee}: short {self.short:.4g} of {self.amount:.4g}{unit}"
        lower = f"lower the floor to {self.amount - self.short:.4g}{unit}"
        if not self.causes:
            return f"{head}; {lower}"
        return f"{head}, because of {'; '.join(map(str, self.causes))}; or {lower}"


@dataclass(frozen=True, eq=False)
class Admission:
    """The answer of `admit`.

    Parameters
    ----------
    admitted
        All floors are kept by `x`, within 1e-6 of their sum.
    refused
        It is proved that they cannot be kept. Neither: the solver stopped too early to know.
    shortfall
        ``[G]`` of the plan that is short of least.
    least
        No plan is short of less in all, weighted.
    x
        ``[K]`` that plan.
    refusals
        One for each floor that is short in it.
    """

    admitted: bool
    refused: bool
    shortfall: Array
    least: float
    x: Array
    refusals: tuple[Refusal, ...]

    def __str__(self) -> str:
        """Say it in words, a line a refused floor."""
        if self.admitted:
            return "every floor can be kept"
        if not self.refused:
            return "undecided: no plan that keeps every floor was found, and no proof that there is none"
        return "\n".join(map(str, self.refusals))


def admit(problem: SliceProblem, *, allocator: FairAllocator | None = None, causes: int = CAUSES) -> Admission:
    """Decide whether all guarantees can be kept at once.

    Parameters
    ----------
    problem
        The slices; weights, exponents, costs and penalties do not count, priorities weigh the shortfalls.
    allocator
        What solves the linear problems, an allocator of `fair`; None: the kernel.
    causes
        So many are told of each refused floor, dearest first.
    """
    solver = FairKernel() if allocator is None else allocator
    rows = rows_of(problem)
    guarantees = problem.guarantees
    if guarantees is None or not np.any(np.asarray(guarantees.amount) > 0):
        none = np.zeros(0 if guarantees is None else guarantees.count)
        return Admission(True, False, none, 0.0, np.zeros(problem.options.count), ())
    posed = _posed(problem, rows)
    assert posed.floors is not None
    answer = solver.allocate(posed, tolerance=1e-9)
    total = float(posed.floors.penalty @ posed.floors.amount)
    kept = float(posed.floors.penalty @ answer.shortfall) <= ACCURACY * total
    least = max(0.0, -answer.bound)
    refused = not kept and least > ACCURACY * total
    refusals = _refusals(problem, rows, posed, answer, least, solver, causes) if refused else ()
    return Admission(kept, refused, answer.shortfall, least, answer.x, refusals)


def _posed(problem: SliceProblem, rows: Rows) -> FairProblem:
    """The problem of least shortfall: nobody has a weight, a unit of shortfall costs the priority of its slice."""
    guarantees = problem.guarantees
    assert guarantees is not None
    of_user = np.asarray(guarantees.of_user)
    penalty = np.ones(guarantees.count)
    if problem.slices.priority is not None:
        priority = np.asarray(problem.slices.priority, dtype=np.float64)[problem.slices.of_user]
        member = of_user >= 0
        top = np.zeros(guarantees.count)
        np.maximum.at(top, of_user[member], priority[member])
        penalty = np.where(top > 0, top, 1.0) / max(float(top.max(initial=0.0)), 1e-300) if np.any(top > 0) else penalty
    lowered = rows.problem(problem)
    zeros = np.zeros(lowered.options.users)
    floors = Floors(of_user, guarantees.amount, penalty)
    return FairProblem(lowered.options, problem.demand, zeros, zeros, lowered.capacity, None, floors=floors)


def _refusals(
    problem: SliceProblem,
    rows: Rows,
    posed: FairProblem,
    answer: FairAnswer,
    least: float,
    solver: FairAllocator,
    causes: int,
) -> tuple[Refusal, ...]:
    floors, guarantees = posed.floors, problem.guarantees
    assert floors is not None
    assert guarantees is not None
    owner = floors.of_user[posed.options.user_of]
    found: list[Refusal] = []
    known: dict[int, Cause] = {}
    for g in np.flatnonzero(answer.shortfall > ACCURACY * floors.amount.sum()):
        used = np.asarray(posed.options.uses[:, owner == g].sum(axis=1)).reshape(-1) > 0
        paid = np.where(used & np.isfinite(posed.capacity), answer.price, 0.0)
        worth = paid * answer.load
        dear = np.flatnonzero(paid > 1e-5 * max(float(answer.price.max()), 1e-300))
        dear = dear[np.lexsort((dear, -worth[dear], -paid[dear]))][:causes]
        told = []
        for r in dear.tolist():
            if r not in known:
                known[r] = _cause(_name(problem, rows, r), posed, answer, least, r, solver)
            told.append(known[r])
        told += _closed(problem, posed, int(g))
        wanted = float(posed.demand[floors.of_user == g].sum())
        if wanted < floors.amount[g]:
            missing = float(floors.amount[g]) - wanted
            told.insert(
                0, Cause(f"its users, who want {wanted:.4g} in all", float(floors.penalty[g]), 0.0, missing, 0.0)
            )
        amount, short = float(floors.amount[g]), float(answer.shortfall[g])
        found.append(Refusal(guarantees.names[g], amount, short, tuple(told[: max(causes, 1)]), problem.unit))
    return tuple(found)


def _closed(problem: SliceProblem, posed: FairProblem, g: int) -> list[Cause]:
    """Resources without any capacity on options of a guarantee: they have no price, since nothing can use them."""
    floors = posed.floors
    assert floors is not None
    at = floors.of_user[posed.options.user_of] == g
    used = np.asarray(posed.options.uses[:, at].sum(axis=1)).reshape(-1)[: problem.options.resources] > 0
    names = [problem.resource_name(int(r)) for r in np.flatnonzero(used & (problem.capacity == 0))]
    return [Cause(f"{name}, which has no capacity", 0.0, 0.0, 0.0, 0.0) for name in names]


def _cause(name: str, posed: FairProblem, answer: FairAnswer, least: float, r: int, solver: FairAllocator) -> Cause:
    """What more of one resource does, everything else as it is: shortfall first, then as little of it as can be."""
    floors, options = posed.floors, posed.options
    assert floors is not None
    entry = options.resource == r
    option = np.repeat(np.arange(options.count), np.diff(options.option_offsets))
    cost = np.bincount(option[entry], weights=options.use[entry], minlength=options.count).astype(np.float64)
    capacity = posed.capacity.copy()
    capacity[r] += float(cost.max()) * float(floors.amount.sum())
    dear = Floors(floors.of_user, floors.amount, floors.penalty * (DEAR * float(cost.max()) / floors.penalty.min()))
    zeros = np.zeros(options.users)
    wide = FairProblem(options, posed.demand, zeros, zeros, capacity, cost, floors=dear)
    found = solver.allocate(wide, tolerance=1e-9)
    left = float(floors.penalty @ found.shortfall)
    if left <= 10 * ACCURACY * float(floors.penalty @ floors.amount):
        left = 0.0
    dual = float(answer.price[r])
    needed = max(0.0, least - left) / dual
    return Cause(name, dual, left, needed, max(needed, float(found.load[r] - posed.capacity[r])))


def _name(problem: SliceProblem, rows: Rows, r: int) -> str:
    own = problem.options.resources
    return problem.resource_name(r) if r < own else rows.rows[r - own].name(problem)
