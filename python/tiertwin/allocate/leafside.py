"""The leaf's side of the hierarchy: answers queries with cuts and points, keeps them true when its data change.

A leaf never waits for anybody: every answer is its own solve plus closed forms. What it says is true for its data
version whatever its solver returned (bounds.py has the proof), so a bad solver costs rounds, never truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import numpy as np

from tiertwin.allocate import kernel
from tiertwin.allocate.bounds import leaf_worth
from tiertwin.allocate.leaf import LOAD_LIMIT, Array, LeafAnswer, LeafProblem
from tiertwin.allocate.messages import Query, Said, Slots
from tiertwin.allocate.nodemath import best_pair
from tiertwin.allocate.registry import Allocator
from tiertwin.allocate.renewal import LEAF, Worked, growth, has_moved, note_support
from tiertwin.allocate.slots import SlotTable

DEAR_LIMIT = (
    10.0  # prices are clipped at so many times the dearest tier cost; any price is valid, this keeps cuts useful
)
HELLO_SHARES = (0.15, 0.4)  # shares of the use at price 0 at which a hello asks itself
OFFER_SHARES = (0.5, 1.0, 1.4)  # shares of an offered quota at which it asks itself instead
PROMISE = 5e-7  # share of its scale S by which a plan may fall short of kept points before these are taken instead
LEAST_HELLO = 1e-3  # it asks for at least this share of the most it could use of each component


class LeafSolver(Protocol):
    """What solves a leaf: the C++ kernel, cvxpy, or a user's own."""

    def solve_quota(self, problem: LeafProblem, quota: Array) -> LeafAnswer:
        """Return the best plan inside `quota[J]`, with prices ≥ 0 of all resources."""

    def solve_price(self, problem: LeafProblem, price: Array) -> LeafAnswer:
        """Return the best plan when quotas cost `price[J]`, with prices ≥ 0 of the own resources."""


class AllocatorSolver:
    """A registered allocator (registry.py) as the solver of a leaf."""

    def __init__(self, allocator: Allocator) -> None:
        self._allocator = allocator

    def solve_quota(self, problem: LeafProblem, quota: Array) -> LeafAnswer:
        """Return the best plan inside `quota[J]`."""
        return self._allocator.allocate(problem, quota=np.ascontiguousarray(quota))

    def solve_price(self, problem: LeafProblem, price: Array) -> LeafAnswer:
        """Return the best plan when quotas cost `price[J]`."""
        return self._allocator.allocate(problem, price=np.ascontiguousarray(price))


class LeafSide:
    """State of a leaf in the hierarchy: its problem, and the cuts and points it has said.

    Parameters
    ----------
    problem, version
        The data and their version.
    solver
        Solves it.
    slots
        Cuts and points kept; the parent has as many.
    drift
        η ≥ 0: the leaf declares that from one data version to the next no demand moves by more than this share, and
        that its other data stay. 0 declares nothing.
    """

    def __init__(
        self, problem: LeafProblem, version: int, solver: LeafSolver, *, slots: int = 12, drift: float = 0.0
    ) -> None:
        self.problem, self.version = problem, version
        self._solver, self._drift = solver, drift
        self._cuts = SlotTable(slots, problem.quotas, smaller_is_better=True)
        self._points = SlotTable(slots, problem.quotas, smaller_is_better=False, pinned=0)
        self._own_price = np.zeros((slots, problem.own_resources))
        self._plan: dict[int, Array] = {}
        self._worked: Worked | None = None
        self._v0 = 0.0

    def hello(self, offer: Array | None = None) -> Said:
        """Say the first four cuts and points: quota 0, price 0, and two shares of the use at price 0.

        Asked at quotas, not at multiples of the marginal price at quota 0: that price belongs to the dearest task, is
        tens of times the one the tree settles at, and splits between the components of one tier at random. With an
        `offer`, ``[J]`` the quota its parent thinks it may get (`nodemath.offers`), at three shares of that instead.
        """
        self._cuts.clear()
        self._points.clear()
        nothing = np.zeros(self.problem.quotas)
        at_zero = self._solver.solve_quota(self.problem, nothing)
        self._v0 = at_zero.value
        self._learn_cut(at_zero)
        self._learn_point(at_zero, nothing)
        free = self._solver.solve_price(self.problem, nothing)
        self._learn(free)
        least, most = LEAST_HELLO * self.problem.quota_max, self.problem.quota_max
        trials = [share * np.maximum(free.use, least) for share in HELLO_SHARES]
        if offer is not None:
            trials = [np.clip(share * offer, least * share, most) for share in OFFER_SHARES]
        for trial in trials:
            self._learn(self._solver.solve_quota(self.problem, trial))
        return self._say(self._cuts.taken, self._points.taken)

    def answer(self, query: Query) -> Said:
        """Answer a query: the cut and plan at its quota, if any, and at each of its prices. Nothing is obeyed."""
        self._cuts.note_used(query.used)
        self._points.note_used(query.used >> 16)
        quotas = np.maximum(query.quota, 0.0).reshape(-1, self.problem.quotas)
        prices = query.price[None] if query.more is None else np.vstack([query.price, query.more])
        answers = _solve_all(self._solver, self.problem, quotas, np.maximum(prices, 0.0))
        cuts, points = zip(*[self._learn(answer) for answer in answers], strict=True)
        return self._say(distinct(cuts), distinct(points))

    def refresh(self, problem: LeafProblem, version: int, *, exact: bool = True) -> Said:
        """Take new data and say every slot again under its number.

        `exact` solves each slot again (tight). Slopes and uses stay while the data hardly move. When they do, prices
        stay, the points become the plans at these prices, and a few new questions are asked (renewal.py). Without
        `exact`, closed forms only: loose by about the change of the data. Data of another shape start with a hello.
        """
        if problem.shape != self.problem.shape:
            fresh = LeafSide(problem, version, self._solver, slots=len(self._cuts.level), drift=self._drift)
            self.__dict__.update(fresh.__dict__)
            return self.hello()
        if not self._cuts.filled.any():
            self.problem, self.version = problem, version
            return self.hello()
        before, self.problem, self.version = self.problem, problem, version
        moved = exact and has_moved(growth(before.quota_max, problem.quota_max))
        if moved:
            self._renew()
        elif exact:
            self._refresh_exactly()
        else:
            self._refresh_by_closed_forms(before)
        self._v0 = float(self._points.level[0])
        return replace(self._say(self._cuts.taken, self._points.taken), kept=not moved)

    @property
    def edition(self) -> tuple[int, int]:
        """Version and revision of what the leaf says; it rests on nobody, so it revises nothing."""
        return self.version, 0

    def everything(self) -> Said:
        """Say every slot again as it stands: what a parent that missed the hello or the refresh must hear first."""
        return self._say(self._cuts.taken, self._points.taken)

    def commit(self, quota: Array) -> LeafAnswer:
        """Solve inside a granted quota: the plan put in force, worth at least any two points mixed inside it.

        A quota of 1e-12 of what could be used is beyond a solver's digits and not beyond a promise.
        """
        granted = np.maximum(quota, 0.0)
        answer = self._promised(self._solver.solve_quota(self.problem, granted), granted)
        self._worked = Worked(granted, answer.quota_price, self.problem.quota_max, LEAF)
        return answer

    def _promised(self, answer: LeafAnswer, quota: Array) -> LeafAnswer:
        """Return the answer, or the best mixture of two kept points where that is worth more."""
        slots = self._points.taken
        if not slots.size:
            return answer
        weight, value = best_pair(self._points.level[slots], self._points.slope[slots], quota)
        if value <= answer.value + PROMISE * answer.scale:
            return answer
        x = np.sum([w * self._plan[int(slot)] for w, slot in zip(weight, slots, strict=True) if w > 0], axis=0)
        worth = leaf_worth(self.problem, x)
        if worth.violation > 1e-9 or worth.value <= answer.value:
            return answer
        return replace(
            answer, x=x, value=worth.value, scale=worth.scale, use=worth.use, own_load=worth.own_load, step=7
        )

    # ---------------------------------------------------------------- one cut, one point

    def _learn(self, answer: LeafAnswer) -> tuple[int, int]:
        return self._learn_cut(answer), self._learn_point(answer, answer.use)

    def _learn_cut(self, answer: LeafAnswer) -> int:
        price = np.minimum(answer.quota_price, DEAR_LIMIT * dearest(self.problem))
        slot, written = self._cuts.place(*self._cut_at(price, answer))
        if written:
            self._own_price[slot] = answer.own_price
        return slot

    def _cut_at(self, price: Array, answer: LeafAnswer) -> tuple[float, Array, float]:
        """Return φ, slope and declared drift of the cut at `price`; the answer's own φ where it is of this price."""
        if not self._drift and np.array_equal(price, answer.quota_price):
            return answer.phi, price, 0.0
        phi, drift = self._proved(price, answer.own_price)
        return phi, price, drift

    def _proved(self, price: Array, own_price: Array) -> tuple[float, float]:
        """Return φ and declared drift at these prices; NaN for data that are no problem, since they prove nothing."""
        try:
            phi, drift = kernel.cut(self.problem, price, own_price)
        except ValueError:
            return np.nan, np.nan
        return phi, self._drift * drift

    def _learn_point(self, answer: LeafAnswer, use: Array) -> int:
        slot, written = self._points.place(answer.value, use, self._value_after_drift(answer), answer.scale)
        if written:
            self._plan[slot] = answer.x
        return slot

    def _refresh_exactly(self) -> None:
        """Solve every slot again at its use or slope."""
        points, cuts = self._points.taken, self._cuts.taken
        uses, prices = self._points.slope[points].copy(), self._cuts.slope[cuts].copy()
        answers = _solve_all(self._solver, self.problem, uses, prices)
        self._renew_points(points, answers[: len(points)])
        self._renew_cuts(cuts, prices, answers[len(points) :])
        note_support(self._cuts, self._points)

    def _renew(self) -> None:
        """Solve at every kept price; say the cuts and plans there, and what the moved questions bring.

        Old uses are no good to anyone when data have moved: twice the quota of a task that is gone. Costs less than an
        exact refresh, since one solve at a price gives its cut and its point.
        """
        cuts = self._cuts.taken
        prices = self._cuts.slope[cuts].copy()
        quotas = asked = np.zeros((0, prices.shape[1]))
        if self._worked is not None:
            quotas, asked = self._worked.questions(self.problem.quota_max)
        quotas = np.concatenate([np.zeros((1, prices.shape[1])), quotas])
        answers = _solve_all(self._solver, self.problem, quotas, np.concatenate([prices, asked]))
        at_quotas, at_prices = answers[: len(quotas)], answers[len(quotas) :]
        self._renew_cuts(cuts, prices, at_prices[: len(cuts)])
        self._renew_points(np.zeros(1, dtype=np.int64), at_quotas[:1])
        plans = at_prices[: len(cuts)][::-1]
        slots = self._points.refill(*self._told(plans), np.array([answer.scale for answer in plans]))
        self._plan |= {int(slot): answer.x for slot, answer in zip(slots, plans, strict=True) if slot >= 0}
        note_support(self._cuts, self._points)
        for answer in at_quotas[1:] + at_prices[len(cuts) :]:
            self._learn(answer)

    def _refresh_by_closed_forms(self, before: LeafProblem) -> None:
        cuts = self._cuts.taken
        made = [self._proved(self._cuts.slope[slot], self._own_price[slot]) for slot in cuts]
        self._cuts.renew(cuts, np.array([phi for phi, _ in made]), np.array([drift for _, drift in made]))
        points, answers, nothing = self._points.taken, [], np.zeros(0)
        for slot in points:
            x = carry_over(before, self.problem, self._plan[int(slot)], self._points.slope[slot])
            worth = leaf_worth(self.problem, x)
            answers.append(LeafAnswer(x, worth.value, worth.scale, worth.use, worth.own_load, nothing, nothing, np.inf))
        self._renew_points(points, answers)

    def _renew_cuts(self, slots: Slots, prices: Array, answers: list[LeafAnswer]) -> None:
        self._own_price[slots] = [answer.own_price for answer in answers]
        made = [self._cut_at(price, answer) for price, answer in zip(prices, answers, strict=True)]
        self._cuts.renew(slots, np.array([phi for phi, _, _ in made]), np.array([drift for _, _, drift in made]))

    def _renew_points(self, slots: Slots, answers: list[LeafAnswer]) -> None:
        self._plan |= {int(slot): answer.x for slot, answer in zip(slots, answers, strict=True)}
        value, _, low = self._told(answers)
        self._points.renew(slots, value, low, np.array([answer.scale for answer in answers]))

    def _told(self, answers: list[LeafAnswer]) -> tuple[Array, Array, Array]:
        """Value, use and value after drift of plans."""
        value = np.array([answer.value for answer in answers])
        use = np.array([answer.use for answer in answers])
        return value, use, np.array([self._value_after_drift(answer) for answer in answers])

    def _value_after_drift(self, answer: LeafAnswer) -> float:
        """Value of the same rates when every demand has grown by η (the worst case, since utilities are ≤ 0)."""
        if not self._drift:
            return answer.value
        grown = replace(self.problem, demand=self.problem.demand * (1 + self._drift))
        return min(answer.value, leaf_worth(grown, answer.x).value)

    # ---------------------------------------------------------------- saying it

    def _say(self, cuts: Slots, points: Slots) -> Said:
        declared = self._drift > 0
        return Said(
            version=self.version,
            cut_slots=cuts,
            phi=self._cuts.level[cuts],
            g=self._cuts.slope[cuts],
            point_slots=points,
            u=self._points.slope[points],
            v=self._points.level[points],
            scale=self._points.scale[points],
            rmax=self.problem.quota_max * (1 + self._drift),
            dear=dearest(self.problem),
            v0=self._v0,
            drift=self._cuts.spare[cuts] if declared else None,
            v_low=self._points.spare[points] if declared else None,
        )


def dearest(problem: LeafProblem) -> Array:
    """Return ``[J]`` the price of each component at which the mean task costs as much as at the dearest tier."""
    cost = float((problem.demand * problem.cost.max(axis=1)).sum())
    use = problem.quota_max
    dear: Array = np.where(use > 0, cost / np.maximum(use, 1e-300), 0.0)
    return dear


def _solve_all(solver: LeafSolver, problem: LeafProblem, quotas: Array, prices: Array) -> list[LeafAnswer]:
    """Answer quota queries, then price queries; at once where the solver can (``solve_all``)."""
    at_once = getattr(solver, "solve_all", None)
    if at_once is not None:
        answers: list[LeafAnswer] = at_once(problem, quotas, prices)
        return answers
    return [*(solver.solve_quota(problem, q) for q in quotas), *(solver.solve_price(problem, p) for p in prices)]


def carry_over(before: LeafProblem, after: LeafProblem, x: Array, quota: Array) -> Array:
    """Turn a plan for old data into a feasible one for new data of the same shape, without any solve.

    Rates stay, cut at the new demand; growth goes to the device tier at the old served share; what overdraws an own
    capacity or `quota[J]` goes to the device tier too.
    """
    served = x.sum(axis=1)
    out: Array
    shrink = np.minimum(1.0, after.demand / np.maximum(served, 1e-300))
    share = np.clip(served / np.maximum(before.demand, 1e-300), 0.0, 1.0)
    out = x * shrink[:, None]
    out[:, 0] += np.maximum(0.0, share * after.demand - out.sum(axis=1))
    keep = np.ones_like(out)
    uses = np.concatenate([after.use_own, after.use_quota])
    limits = np.concatenate([LOAD_LIMIT * after.capacity, quota])
    for use, limit in zip(uses, limits, strict=True):
        load = float((use * out).sum())
        if load > limit:
            keep = np.where(use > 0, np.minimum(keep, limit / load), keep)
    moved = (out * (1 - keep)).sum(axis=1)
    out = out * keep
    out[:, 0] += moved
    return out


def distinct(slots: Iterable[int]) -> Slots:
    """Return the slots of an answer, each once, ascending."""
    return np.array(sorted({s for s in slots if s >= 0}), dtype=np.int64)
