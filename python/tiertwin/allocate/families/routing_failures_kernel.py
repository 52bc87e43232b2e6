"""Failure-aware routing by critical scenarios, one after another, each problem by the routing kernel.

The problem, and what bounds every split, stand in `routing_failures.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tiertwin.allocate.families import routing
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.routing import RoutingAnswer, RoutingKernel, RoutingProblem
from tiertwin.allocate.families.routing_failures import (
    NORMAL,
    TOLERANCE,
    FailureAnswer,
    FailureProblem,
    cheapest_way,
    price_bound,
    proportional,
)
from tiertwin.allocate.leaf import Array
from tiertwin.errors import InputError

ROUND_LIMIT = 60  # 3 to 10 are usual
MORE = 8  # scenarios that become critical in one round, the worst ones
NEAR = 0.9  # of the worst: scenarios that are less bad wait
MOST_OPTIONS = 12  # times the number of paths: beyond, only the cheapest ways to move are offered


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
            _, cheapest = cheapest_way(problem, scenario, priced)
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
