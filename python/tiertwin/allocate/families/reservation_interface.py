"""Reservation, as the registry and the conformance suite see it; values are −cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tiertwin.allocate.families import reservation
from tiertwin.allocate.families.interface import Judged
from tiertwin.allocate.families.reservation import ReservationAnswer, ReservationProblem
from tiertwin.allocate.leaf import Array

SHAPES = ((4, 2), (6, 3), (10, 3))  # groups, tiers


class ReservationInterface:
    """`families.reservation`."""

    problem = ReservationProblem
    answer = ReservationAnswer

    def sample(self, seed: int, *, awkward: bool = False) -> ReservationProblem:
        """Draw 4–10 groups over two or three tiers; in every second window something is reserved already.

        Awkward ones have empty groups, tiers too far for some, capacities of 0 and far too small ones, changes dearer
        than what they save; in one of three queues are pooled.
        """
        rng = np.random.default_rng([17, seed, awkward])
        groups, tiers = SHAPES[seed % len(SHAPES)]
        users = rng.uniform(5.0, 100.0, groups) if seed % 2 else rng.uniform(200.0, 2000.0, groups)
        hops = np.arange(1.0, tiers + 1.0)
        path = 0.002 * 3.0 ** np.arange(tiers) * rng.uniform(0.8, 1.2, (groups, tiers))
        moves = rng.uniform(0.002, 0.05, (groups, 1)) * 0.1 ** np.arange(tiers)
        rate, cycles = rng.uniform(0.2, 2.0, groups), rng.uniform(0.02, 0.2, groups)  # Gcycles
        price = np.stack([3.0 * 0.7 ** np.arange(tiers), 0.02 * 0.8 ** np.arange(tiers), np.full(tiers, 0.05)])
        deadline = rng.uniform(0.03, 0.5, groups)
        total = np.array([(users * rate * cycles).sum(), (users * 4.0).sum(), (users * rate * 0.5).sum()])
        capacity = total[:, None] * rng.uniform(0.5, 1.5, (3, tiers))
        capacity[:, -1] = np.inf
        before = change = margin = None
        if seed % 2:
            before = total[:, None] * rng.uniform(0.0, 0.6, (3, tiers))
            change = 0.5 * price
        if awkward:
            users[::3] = 0.0
            path[1::4, -1] = 10.0
            capacity[:, 0] = 0.0
            capacity[:, -1] = 0.3 * total
            margin = np.full(tiers, 0.1 * total[0])
            change = None if change is None else 3.0 * price
        return ReservationProblem(
            users, rate, cycles, rng.uniform(0.05, 1.0, groups), rng.uniform(1.0, 8.0, groups), deadline, path, moves,
            hops, capacity, price, before, change, margin, pooled=awkward and seed % 3 == 2,
        )  # fmt: skip

    def needs(self, problem: ReservationProblem) -> frozenset[str]:
        """``pooled``."""
        return frozenset({"pooled"} if problem.pooled else ())

    def changed(self, problem: ReservationProblem, seed: int) -> ReservationProblem:
        """Move the forecasts by up to a fifth."""
        rng = np.random.default_rng([18, seed])
        return replace(problem, users=problem.users * rng.uniform(0.8, 1.2, problem.groups))

    def arrays(self, problem: ReservationProblem) -> Mapping[str, tuple[tuple[int, ...], bool]]:
        """Shares; what is reserved, beyond capacity, and its prices."""
        rows = ((3, problem.tiers), True)
        return {
            "share": ((problem.groups, problem.tiers), True),
            "reserved": rows,
            "overflow": rows,
            "price": rows,
        }

    def plan(self, answer: ReservationAnswer) -> Array:
        """share."""
        return answer.share

    def judge(self, problem: ReservationProblem, plan: Array, answer: ReservationAnswer) -> Judged:
        """By `reservation.worth`."""
        found = reservation.worth(problem, plan)
        names = ("cost", "resources", "changes", "penalty", "reserved", "overflow")
        claims = {name: getattr(found, name) for name in names}
        return Judged(-found.cost, max(found.cost, 1e-300), found.violation, found.fault, claims)

    def bound(self, problem: ReservationProblem, answer: ReservationAnswer) -> float:
        """By `reservation.price_bound`."""
        return -reservation.price_bound(problem, answer.price)

    def claimed_bound(self, answer: ReservationAnswer) -> float:
        """Minus what it says."""
        return -answer.bound

    def gap(self, judged: Judged, bound: float) -> float:
        """(cost − bound) / cost."""
        return max(0.0, bound - judged.value) / judged.scale

    def rivals(self, problem: ReservationProblem, answer: ReservationAnswer) -> Iterator[Array]:
        """Random shares, every group at one tier, and cvxpy's."""
        from tiertwin.allocate.families.reservation_kernel import ReservationKernel  # noqa: PLC0415

        rng = np.random.default_rng(0)
        for spread in (0.1, 1.0, 3.0):
            yield reservation.fit(problem, rng.lognormal(0.0, spread, problem.open.shape))
        for n in range(problem.tiers):
            one = np.zeros(problem.open.shape)
            one[:, n] = 1.0
            yield reservation.fit(problem, one)
        if not problem.pooled:
            yield ReservationKernel().allocate(problem).share
