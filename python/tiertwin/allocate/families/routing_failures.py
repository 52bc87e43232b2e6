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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tiertwin.allocate.families import routing
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.routing import RoutingAnswer, RoutingKernel, RoutingProblem
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

TOLERANCE = 1e-3
ROUND_LIMIT = 60  # 3 to 10 are usual
MORE = 8  # scenarios that become critical in one round, the worst ones
NEAR = 0.9  # of the worst: scenarios that are less bad wait
MOST_OPTIONS = 12  # times the number of paths: beyond, only the cheapest ways to move are offered
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
        cost += _cheapest_way(problem, s, np.asarray(options.uses.T @ own))[0]
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


class FailureKernel:
    """Critical scenarios one after another, each problem by the routing kernel."""

    name = "kernel"

    def allocate(
        self,
        problem: FailureProblem,
        *,
        tolerance: float = TOLERANCE,
        round_limit: int = ROUND_LIMIT,
        stop: Callable[[], bool] | None = None,
    ) -> FailureAnswer:
        """Solve until the certified gap is at most `tolerance`, to the limit, or until `stop` says so.

        `stop` is asked once an iteration and a scenario; the best split so far is the answer.
        """
        if not tolerance > 0.0:
            raise InputError(f"tolerance: expected a number > 0, got {tolerance}")
        return _Search(problem, tolerance, stop).run(max(1, round_limit))


class _Search:
    def __init__(self, problem: FailureProblem, tolerance: float, stop: Callable[[], bool] | None) -> None:
        self._problem, self._tolerance, self._stop = problem, tolerance, stop
        self._critical: list[int] = [NORMAL]
        self._best: FailureAnswer | None = None
        self._price = np.zeros((1, problem.routing.capacity.size))
        self._bound = 0.0
        self._certificate: tuple[tuple[int, ...], Array] = ((NORMAL,), self._price)
        self._rounds = self._iterations = 0

    def run(self, limit: int) -> FailureAnswer:
        routed = self._problem.routing
        while True:
            ways = _Ways(self._problem, self._critical, self._price)
            found = RoutingKernel().allocate(
                RoutingProblem(ways.options, routed.demand, np.tile(routed.capacity, len(self._critical))),
                tolerance=self._tolerance / 3,
                stop=self._stop,
            )
            self._rounds += 1
            self._iterations += found.iterations
            self._price = found.price.reshape(len(self._critical), -1)
            self._offer(self._price)
            violated = self._judge(ways, found)
            best = self._best
            assert best is not None
            if best.utilisation <= (1.0 + self._tolerance) * self._bound or self._rounds >= limit or self._stopped():
                break
            if not violated and ways.complete and found.gap <= self._tolerance / 2:
                break  # nothing left to add
            self._price = np.vstack([self._price, np.zeros((len(violated), routed.capacity.size))])
            self._critical += violated
        critical, price = self._certificate
        return FailureAnswer(
            best.share, best.moved, best.utilisation, best.worst, best.by_scenario, self._bound, critical, price,
            self._rounds, self._iterations,
        )  # fmt: skip

    def _stopped(self) -> bool:
        return self._stop is not None and self._stop()

    def _offer(self, price: Array) -> None:
        bound = price_bound(self._problem, self._critical, price)
        if bound > self._bound:
            self._bound, self._certificate = bound, (tuple(self._critical), price)

    def _judge(self, ways: _Ways, found: RoutingAnswer) -> list[int]:
        """Judge the split in every scenario; the worst of those that should be critical and are not."""
        problem, routed = self._problem, self._problem.routing
        share = routing.fit(routed, ways.share(found.share))
        target = max((1.0 + self._tolerance / 3) * self._bound, (1.0 + self._tolerance / 3) * found.utilisation)
        worth = np.zeros(len(problem.scenarios))
        splits = []
        for s in range(len(problem.scenarios)):
            split = proportional(problem, share, s)
            worth[s] = _utilisation(routed, split)
            if worth[s] > target and s in self._critical:
                other = ways.split(found.share, share, self._critical.index(s))
                value = _utilisation(routed, other)
                if value < worth[s]:
                    worth[s], split = value, other
            if worth[s] > target and not self._stopped():
                other = _restored(problem, share, s, self._tolerance / 3, self._stop)
                value = _utilisation(routed, other)
                if value < worth[s]:
                    worth[s], split = value, other
            splits.append(split)
        normal = _utilisation(routed, share)
        worst = int(np.argmax(worth)) if worth.size else NORMAL
        if worst == NORMAL or normal >= worth[worst]:
            worst = NORMAL
        top = normal if worst == NORMAL else float(worth[worst])
        if self._best is None or top < self._best.utilisation:
            moved = tuple(_difference(problem, share, split, s) for s, split in enumerate(splits))
            self._best = FailureAnswer(share, moved, top, worst, worth, 0.0, (), self._price, 0, 0)
        order = np.argsort(-worth, kind="stable")
        missing = [int(s) for s in order if worth[s] > target and int(s) not in self._critical][:MORE]
        return [s for s in missing if worth[s] >= NEAR * worth[missing[0]]]


class _Ways:
    """Options over the links of all critical scenarios: a path, and for each scenario that hits it where it moves to.

    All combinations while there are few; beyond `MOST_OPTIONS` times the paths only the cheapest at the prices given.
    """

    def __init__(self, problem: FailureProblem, critical: Sequence[int], price: Array) -> None:
        options = problem.routing.options
        self._problem, self._critical = problem, tuple(critical)
        self.complete = True
        first = np.flatnonzero(problem.open)
        paths = first[:, None]  # [ways, blocks]: the path in each critical scenario, -1: lost
        for block, s in enumerate(critical):
            if s == NORMAL:
                continue
            paths = self._extend(paths, s, np.asarray(options.uses.T @ price[block]))
        self._paths = paths
        self._first = paths[:, 0]
        self.options = self._build(len(critical))

    def _extend(self, paths: Indices, scenario: int, priced: Array) -> Indices:
        problem, options = self._problem, self._problem.routing.options
        first = paths[:, 0]
        hit = problem.hit[scenario][first]
        alive = np.flatnonzero(problem.open & ~problem.hit[scenario])
        count = np.bincount(options.user_of[alive], minlength=options.users)
        begin = np.concatenate([[0], np.cumsum(count)])
        user = options.user_of[first]
        times = np.where(hit, np.maximum(count[user], 1), 1)
        if times.sum() > MOST_OPTIONS * options.count:
            self.complete = False
            _, cheapest = _cheapest_way(problem, scenario, priced)
            return np.hstack([paths, np.where(hit, cheapest[first], first)[:, None]])
        row = np.repeat(np.arange(first.size), times)
        turn = np.arange(row.size) - np.repeat(np.cumsum(times) - times, times)
        moved = np.full(row.size, -1, dtype=np.int64)
        can = hit[row] & (count[user[row]] > 0)
        moved[can] = alive[begin[user[row[can]]] + turn[can]]
        return np.hstack([paths[row], np.where(hit[row], moved, first[row])[:, None]])

    def _build(self, blocks: int) -> Options:
        options = self._problem.routing.options
        user = options.user_of[self._first]
        used = self._paths.reshape(-1)  # a way's blocks one after another
        length = np.where(used >= 0, np.diff(options.option_offsets)[used], 0)
        at = np.repeat(np.where(used >= 0, options.option_offsets[:-1][used], 0), length)
        entry = at + np.arange(at.size) - np.repeat(np.cumsum(length) - length, length)
        block = np.repeat(np.tile(np.arange(blocks), self._first.size), length)
        return Options(
            np.concatenate([[0], np.cumsum(np.bincount(user, minlength=options.users))]),
            np.concatenate([[0], np.cumsum(length.reshape(-1, blocks).sum(axis=1))]),
            options.resource[entry] + block * options.resources,
            options.use[entry],
            blocks * options.resources,
        )

    def share(self, share: Array) -> Array:
        """``[K]`` the split while nothing has failed."""
        count = self._problem.routing.options.count
        return np.bincount(self._first, weights=share, minlength=count).astype(np.float64)

    def split(self, share: Array, fitted: Array, block: int) -> Array:
        """``[K]`` the split in a critical scenario; `fitted` is the one while nothing has failed."""
        used = self._paths[:, block]
        kept = np.where(self._problem.hit[self._critical[block]], 0.0, fitted)
        out = (used != self._first) & (used >= 0)
        return kept + np.bincount(used[out], weights=share[out], minlength=kept.size)


def _cheapest_way(problem: FailureProblem, scenario: int, priced: Array) -> tuple[Array, Indices]:
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


def _utilisation(routed: RoutingProblem, share: Array) -> float:
    return routing.worth(routed, share).utilisation


def _difference(problem: FailureProblem, share: Array, split: Array, scenario: int) -> tuple[Indices, Array]:
    """Where a scenario's split has more than the plan, as (options, shares)."""
    more = np.where(problem.hit[scenario], 0.0, split - share)
    at = np.flatnonzero(more > 0)
    return at, more[at]


def _restored(
    problem: FailureProblem, share: Array, scenario: int, tolerance: float, stop: Callable[[], bool] | None
) -> Array:
    """``[K]`` the split of a scenario with the least utilisation, when unhit traffic stays: a routing problem.

    Its users are the demands hit, and one for each link, with the load that stays there.
    """
    routed, options = problem.routing, problem.routing.options
    hit = problem.hit[scenario]
    kept = np.where(hit, 0.0, share)
    load = routing.worth(routed, kept).load
    alive = problem.open & ~hit
    away = np.bincount(options.user_of, weights=np.where(hit, share, 0.0), minlength=options.users)
    away[np.bincount(options.user_of, weights=alive, minlength=options.users) == 0] = 0.0
    ways = np.flatnonzero(alive & (away[options.user_of] > 0))
    if ways.size == 0:
        return kept
    loaded = np.flatnonzero(load > 0)
    length = np.diff(options.option_offsets)[ways]
    entry = np.repeat(options.option_offsets[:-1][ways], length)
    entry = entry + np.arange(entry.size) - np.repeat(np.cumsum(length) - length, length)
    users, count = np.unique(options.user_of[ways], return_counts=True)
    sub = Options(
        np.concatenate([[0], np.cumsum(np.concatenate([count, np.ones(loaded.size, dtype=np.int64)]))]),
        np.concatenate([[0], np.cumsum(np.concatenate([length, np.ones(loaded.size, dtype=np.int64)]))]),
        np.concatenate([options.resource[entry], loaded]),
        np.concatenate([options.use[entry], np.ones(loaded.size)]),
        options.resources,
    )
    demand = np.concatenate([routed.demand[users] * away[users], load[loaded]])
    found = RoutingKernel().allocate(RoutingProblem(sub, demand, routed.capacity), tolerance=tolerance, stop=stop)
    kept[ways] += away[options.user_of[ways]] * found.share[: ways.size]
    return kept
