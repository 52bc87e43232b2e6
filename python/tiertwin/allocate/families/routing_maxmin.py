"""Max-min fair rates over given paths, with demands as caps: the limit α → ∞ of the fair shares of `fair.py`.

    lexicographically largest  sort(y_u / w_u),   y_u = Σ_{k of u} x_k ≤ d_u,   Σ_k use_kr x_k ≤ c_r,   x ≥ 0

Progressive filling (Nace and Pióro, IEEE Communications Surveys and Tutorials 10(4), 2008): raise the level λ of all
rates min(d_u, λ w_u) as far as a split exists, hold those that are blocked there, go on with the others. Whether a
split exists is asked of the routing kernel (least utilisation ≤ 1); its prices l bound the level from above,

    Σ_{u held} y_u dist_u(l) + Σ_{u rising} min(d_u, λ w_u) dist_u(l) ≤ Σ_r c_r l_r,   dist_u(l) = min_k l·use_k

and the next try is the largest λ this allows (Newton's method from above). Held are then the rising demands with a part
in the left-hand side at these prices: by complementary slackness the others are free to rise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiertwin.allocate.families.fair import FairProblem
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.routing import RoutingAllocator, RoutingAnswer, RoutingKernel, RoutingProblem
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

TOLERANCE = 1e-3
BUDGET = 0.5  # of the tolerance: how far splits may overfill before the plan is scaled down at the end
STEP = 0.2  # of the budget left: how far one level may
LEAST = 1e-8  # a level always may overfill by so much
PART = 0.01  # of the mean part in the price of a level: who has less is free to rise
ROUNDING = 1e-12  # who is this close to its demand has it
NOISE = 1e-7  # of the sum: parts of a price that are less count as 0
TRIES = 60  # a level; 2 to 4 are usual
PRICES = 16  # kept to begin the next level with

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class MaxMinAnswer:
    """Feasible rates, and the levels they were filled to.

    Parameters
    ----------
    x
        ``[K]`` rate of each option.
    rate
        ``[U]`` y, the sum over the options of each user; a user without an open option has 0.
    level
        ``[L]`` y_u / w_u at which users were held, rising within the tolerance.
    upper
        ``[L]`` no plan that gives the users held before what they were held at gives all others more than this, by the
        prices of the level. ``upper[0]`` bounds the smallest of all y_u / w_u below demand, without any condition.
    held_at
        ``[U]`` the level a user was held at; −1: it has its demand (or no open option).
    solves, iterations
        Splits asked for; interior-point steps in total.
    complete
        False if `stop` ended the filling early: users not held have the level reached.
    """

    x: Array
    rate: Array
    level: Array
    upper: Array
    held_at: Indices
    solves: int
    iterations: int
    complete: bool

    @property
    def gap(self) -> float:
        """Largest relative distance of a level from its bound."""
        return float(np.max(self.upper / self.level - 1.0)) if self.level.size else 0.0


def max_min(
    options: Options,
    demand: Array,
    capacity: Array,
    *,
    weight: Array | None = None,
    tolerance: float = TOLERANCE,
    stop: Callable[[], bool] | None = None,
    allocator: RoutingAllocator | None = None,
) -> MaxMinAnswer:
    """Fill all demands evenly, hold who is blocked, go on.

    Parameters
    ----------
    options, demand, capacity
        As in `fair.FairProblem`: demands are caps and may be infinite where some resource limits them.
    weight
        ``[U]`` > 0, the ratio of rates aimed at; None: 1.
    tolerance
        Relative: every level is within this of its upper bound.
    stop
        Asked once a level and an iteration; true ends the filling with the rates so far.
    allocator
        What finds the splits; None: the kernel.

    Raises
    ------
    InputError
        As `fair.FairProblem`; a weight that is not above 0.
    """
    if not tolerance > 0.0:
        raise InputError(f"tolerance: expected a number > 0, got {tolerance}")
    weights = np.ones(options.users) if weight is None else np.ascontiguousarray(weight, dtype=np.float64)
    problem = FairProblem(options, demand, weights, np.zeros(options.users), capacity)
    if np.any(weights <= 0):
        at = int(np.argmax(weights <= 0))
        raise InputError(f"weight[{at}]: expected a number > 0, got {weights[at]}")
    return _Filling(problem, tolerance, stop, allocator or RoutingKernel()).run()


class _Filling:
    def __init__(
        self,
        problem: FairProblem,
        tolerance: float,
        stop: Callable[[], bool] | None,
        allocator: RoutingAllocator,
    ) -> None:
        self._allocator = allocator
        self._options, self._capacity, self._weight = problem.options, problem.capacity, problem.weight
        self._demand, self._stop = np.minimum(problem.demand, problem.most), stop
        self._tolerance = tolerance
        self._over = 0.0  # splits accepted so far overfill the network by this share
        self._limited = np.isfinite(problem.capacity)
        closed = (problem.options.uses > 0).T @ (problem.capacity <= 0).astype(np.float64)
        self._closed = np.asarray(closed) > 0
        self._rising: Mask = problem.most > 0
        self._held = np.zeros(problem.options.users)
        self._at = np.full(problem.options.users, -1, dtype=np.int64)
        prices = np.zeros(problem.capacity.size)
        useful = self._limited & (problem.capacity > 0)
        prices[useful] = 1.0 / problem.capacity[useful]
        self._prices = [prices]
        self._levels: list[float] = []
        self._answer: RoutingAnswer | None = None
        self._accepted = False
        self._solves = self._iterations = 0

    def run(self) -> MaxMinAnswer:
        rate, complete = np.zeros(self._options.users), True
        while np.any(self._rising):
            if self._stop is not None and self._stop():
                complete = False
                break
            level = self._fill()
            rate = self._rates(level)
            if not self._accepted:
                complete = False  # stopped in the middle of a level
                break
            self._hold(level)
        return self._finish(rate, complete)

    def _rates(self, level: float) -> Array:
        return np.where(self._rising, np.minimum(self._demand, level * self._weight), self._held)

    def _fill(self) -> float:
        """Raise the level as far as a split exists; the last split is `_answer`."""
        full = float(np.max(self._demand[self._rising] / self._weight[self._rising]))
        level = min([full, *(self._highest(price) for price in self._prices)])
        step = max(STEP * (BUDGET * self._tolerance - self._over), LEAST)
        for _ in range(TRIES):
            problem = RoutingProblem(self._options, self._rates(level), self._capacity)
            self._answer = self._allocator.allocate(problem, start=self._answer, tolerance=step / 2, stop=self._stop)
            self._solves += 1
            self._iterations += self._answer.iterations
            self._accepted = self._answer.utilisation <= (1.0 + self._over) * (1.0 + step)
            if self._accepted or (self._stop is not None and self._stop()):
                break
            worth = self._answer.price * np.where(self._limited, self._capacity, 0.0)
            price = np.where(worth >= NOISE * worth.sum(), self._answer.price, 0.0)  # any prices bound
            self._prices = [*self._prices[-PRICES + 1 :], price]
            lower = self._highest(price)
            if not lower < level:  # digits ran out: what is overfilled is scaled down in the end, and shows in the gap
                self._accepted = True
                break
            level = lower
        return level

    def _hold(self, level: float) -> None:
        """Hold who has its demand, or a part in the price of this level."""
        assert self._answer is not None
        # the prices that stopped this level: the lowest bound of all seen
        price = min(self._prices, key=self._highest)
        full = self._rising & (level * self._weight >= self._demand * (1.0 - ROUNDING))
        self._held[full] = self._demand[full]
        self._rising = self._rising & ~full
        if not np.any(self._rising):
            return
        part = np.where(self._rising, self._weight * self._distance(price), 0.0)
        blocked = self._rising & (part >= PART * part[self._rising].mean())
        self._held[blocked] = level * self._weight[blocked]
        self._over = max(self._over, self._answer.utilisation - 1.0)
        if not self._levels or level > (1.0 + 0.1 * self._tolerance) * self._levels[-1]:
            self._levels.append(level)
        self._at[blocked] = len(self._levels) - 1
        self._rising = self._rising & ~blocked

    def _distance(self, price: Array) -> Array:
        """``[U]`` price of the cheapest open option; 0 for users without one."""
        priced = np.asarray(self._options.uses.T @ price)
        priced[self._closed] = np.inf
        out = np.full(self._options.users, np.inf)
        np.minimum.at(out, self._options.user_of, priced)
        return np.where(np.isfinite(out), out, 0.0)

    def _highest(self, price: Array) -> float:
        """Highest level these prices allow to all that rise, infinity if any."""
        distance = self._distance(price)
        whole = float(price[self._limited] @ self._capacity[self._limited])
        room = max((1.0 + self._over) * whole - float(self._held[~self._rising] @ distance[~self._rising]), 0.0)
        rising = np.flatnonzero(self._rising & (distance > 0))
        turn = self._demand[rising] / self._weight[rising]  # the level at which a user has its demand
        order = np.argsort(turn, kind="stable")
        reached = self._levels[-1] if self._levels else 0.0
        if reached > 0.0 and float((self._weight * distance)[rising].sum()) * reached < NOISE * whole:
            return float("inf")  # a price of those held: what it says of the others is rounding
        slope, full = (self._weight * distance)[rising][order], (self._demand * distance)[rising][order]
        spent = np.concatenate([[0.0], np.cumsum(full)[:-1]])
        rest = slope.sum() - np.concatenate([[0.0], np.cumsum(slope)[:-1]])
        with np.errstate(divide="ignore", invalid="ignore"):
            level = (room - spent) / rest  # if those before have their demand and the others rise
        inside = np.flatnonzero((rest > 0) & (level <= turn[order]))
        return max(reached, float(level[inside[0]])) if inside.size else float("inf")

    def _finish(self, rate: Array, complete: bool) -> MaxMinAnswer:
        levels = np.array(self._levels)
        if self._answer is None:
            nothing = np.zeros(self._options.count)
            return MaxMinAnswer(nothing, np.zeros(rate.size), levels, levels, self._at, 0, 0, complete)
        scale = max(1.0, self._answer.utilisation)
        x = self._answer.share * rate[self._options.user_of] / scale
        served = np.asarray(self._options.sums @ x)
        return MaxMinAnswer(x, served, levels / scale, levels, self._at, self._solves, self._iterations, complete)
