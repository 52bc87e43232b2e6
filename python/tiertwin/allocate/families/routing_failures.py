"""Traffic engineering that stays good when links fail: the largest utilisation over a set of failures.

A scenario is a set of links that fail together (one link, a shared-risk group). Traffic on paths it hits moves to the
surviving paths of the same demand, as suits that scenario; all other traffic stays where it is:

    minimise   t
    subject    load_r(f) ≤ t c_r                                                          nothing failed
               load_r(f over paths s leaves whole + g^s) ≤ t c_r        for every scenario s, links r that survive
               Σ_{k of u} f_k = 1,   Σ_{k of u that survives s} g^s_k = Σ_{k of u hit by s} f_k,   f, g ≥ 0

This is path restoration that depends on the state and leaves unhit flows alone (Pióro and Medhi, *Routing, Flow, and
Capacity Design in Communication and Computer Networks*, 2004, chapter 9), a linear problem. Respreading in proportion
to the plan's own shares is one way to choose g; as a constraint it would not be convex, but wherever it is good enough
for the optimum it is what the answer does. A demand all of whose paths are hit is lost in that scenario.

Choosing a path p and for every scenario that hits it a path q_s is one option over the links of all scenarios, and so
the problem is a `RoutingProblem` of R (1 + scenarios) resources with many options. The certificate is the same:

    t ≥ Σ_u d_u min_p [ Σ_{s leaves p} l^s·use_p + Σ_{s hits p} min_{q survives} l^s·use_q ] / Σ c_r l^s_r   any l ≥ 0

and only scenarios that turn out to be critical are part of the problem solved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tiertwin.allocate.families import routing
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.routing import RoutingProblem
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

TOLERANCE = 1e-3
NORMAL = -1

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FailureProblem:
    """A routing problem and what may fail.

    Parameters
    ----------
    routing
        Demands, paths, capacities.
    scenarios
        The links that fail together, for each scenario.

    Raises
    ------
    InputError
        A link out of 0..R − 1, with its scenario.
    """

    routing: RoutingProblem
    scenarios: Sequence[Sequence[int]]

    def __post_init__(self) -> None:
        links = self.routing.options.resources
        for s, failed in enumerate(self.scenarios):
            for r in failed:
                if not 0 <= int(r) < links:
                    raise InputError(f"scenarios[{s}]: expected links in 0..{links - 1}, got {r}")

    @cached_property
    def hit(self) -> Mask:
        """``[S, K]`` whether a scenario breaks an option."""
        options = self.routing.options
        failed = np.zeros((len(self.scenarios), options.resources))
        for s, links in enumerate(self.scenarios):
            failed[s, np.asarray(links, dtype=np.int64)] = 1.0
        touched = (options.uses > 0).astype(np.float64)
        broken: Mask = np.asarray(failed @ touched) > 0.5
        return broken

    @cached_property
    def open(self) -> Mask:
        """``[K]`` options of demands > 0 whose links all have capacity."""
        usable: Mask = self.routing.options.open(self.routing.capacity, self.routing.demand > 0)
        return usable

    @cached_property
    def lost(self) -> Array:
        """``[S]`` demand that no path is left for."""
        options = self.routing.options
        alive = np.array([np.bincount(options.user_of[row], minlength=options.users) for row in self.open & ~self.hit])
        return ((alive == 0) * self.routing.demand).sum(axis=1) if alive.size else np.zeros(0)


@dataclass(frozen=True, eq=False)
class FailureAnswer:
    """A split that is ready for every scenario, where hit traffic goes, and the certificate.

    Parameters
    ----------
    share
        ``[K]`` while nothing has failed.
    moved
        For each scenario (options, shares): where the traffic of hit paths goes, added to `share` on the others.
    utilisation
        Of the fullest link in the worst scenario; `worst` is which one, −1 for nothing failed.
    by_scenario
        ``[S]`` utilisation of the fullest link in each.
    bound
        No split has less in its worst scenario.
    critical, price
        The scenarios that `bound` is made of (−1: nothing failed) and ``[critical, R]`` prices of links in each.
    rounds, iterations
        Reduced problems solved; interior-point steps in total.
    """

    share: Array
    moved: tuple[tuple[Indices, Array], ...]
    utilisation: float
    worst: int
    by_scenario: Array
    bound: float
    critical: tuple[int, ...]
    price: Array
    rounds: int
    iterations: int

    @property
    def gap(self) -> float:
        """Certified relative gap, utilisation / bound − 1; 0 where nothing is to be carried."""
        return routing.certified_gap(self.utilisation, self.bound)


def split_in(problem: FailureProblem, answer: FailureAnswer, scenario: int) -> Array:
    """``[K]`` the split in a scenario; sums to 1 over the paths of every demand that is not lost."""
    share = np.where(problem.hit[scenario], 0.0, answer.share)
    options, moved = answer.moved[scenario]
    np.add.at(share, options, moved)
    return share


def price_bound(problem: FailureProblem, critical: Sequence[int], price: Array) -> float:
    """Lower bound on every split's worst utilisation, from any prices ``[critical, R]`` (below 0 counts as 0)."""
    options, capacity = problem.routing.options, problem.routing.capacity
    limited = np.isfinite(capacity)
    paid = np.where(limited & np.isfinite(price), np.maximum(price, 0.0), 0.0)
    total = float((paid[:, limited] * capacity[limited]).sum())
    if not total > 0.0:
        return 0.0
    cost = np.zeros(options.count)
    for s, own in zip(critical, paid, strict=True):
        cost += cheapest_way(problem, s, np.asarray(options.uses.T @ own))[0]
    cheapest = _least_per_user(options, cost, problem.open)
    wanted = problem.routing.demand > 0
    value = float(problem.routing.demand[wanted] @ cheapest[wanted]) / total
    return value * (1.0 - 1e-13 * (2.0 + len(critical)))  # sums of terms >= 0, rounded


def proportional(problem: FailureProblem, share: Array, scenario: int) -> Array:
    """``[K]`` the split when hit traffic is respread in proportion to the shares of surviving paths."""
    options = problem.routing.options
    alive = problem.open & ~problem.hit[scenario]
    kept = np.where(alive, share, 0.0)
    rest = np.bincount(options.user_of, weights=kept, minlength=options.users)
    count = np.bincount(options.user_of, weights=alive, minlength=options.users)
    even = np.where(alive, 1.0 / np.maximum(count, 1.0)[options.user_of], 0.0)
    scale = np.where(rest > 0, 1.0 / np.where(rest > 0, rest, 1.0), 0.0)[options.user_of]
    hit = np.bincount(options.user_of, weights=np.where(problem.hit[scenario], share, 0.0), minlength=options.users)
    moved: Array = np.where(scale > 0, kept * (scale - 1.0), np.where(hit[options.user_of] > 0, even, 0.0))
    return np.where(alive, kept + np.where(hit[options.user_of] > 0, moved, 0.0), 0.0)


def cheapest_way(problem: FailureProblem, scenario: int, priced: Array) -> tuple[Array, Indices]:
    """``[K]`` what an option costs in a scenario at prices of options, and the option its traffic is on (−1: lost)."""
    options = problem.routing.options
    every = np.arange(options.count)
    if scenario == NORMAL:
        return priced, every
    hit = problem.hit[scenario]
    alive = np.flatnonzero(problem.open & ~hit)
    order = alive[np.lexsort((alive, priced[alive], options.user_of[alive]))]
    users, at = np.unique(options.user_of[order], return_index=True)
    way = np.full(options.users, -1, dtype=np.int64)
    way[users] = order[at]
    cost = np.zeros(options.users)
    cost[users] = priced[order[at]]
    return np.where(hit, cost[options.user_of], priced), np.where(hit, way[options.user_of], every)


def _least_per_user(options: Options, cost: Array, among: Mask) -> Array:
    least = np.full(options.users, np.inf)
    np.minimum.at(least, options.user_of[among], cost[among])
    return least
