"""Traffic engineering, as the registry and the conformance suite see it; values are −utilisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tiertwin.allocate.families import routing
from tiertwin.allocate.families.interface import Judged
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingAnswer, RoutingProblem
from tiertwin.allocate.leaf import Array

SHAPES = ((1, 3), (10, 6), (40, 15))  # demands, links


class RoutingInterface:
    """`families.routing`."""

    problem = RoutingProblem
    answer = RoutingAnswer

    def sample(self, seed: int, *, awkward: bool = False) -> RoutingProblem:
        """Draw 1–40 demands of 1–4 paths over 3–15 links; the first path of each is over link 0 alone."""
        rng = np.random.default_rng([13, seed, awkward])
        users, links = SHAPES[seed % len(SHAPES)]
        rows = []
        for _ in range(users):
            ways = [{0: 1.0}]
            for _ in range(rng.integers(0, 4)):
                touched = rng.choice(np.arange(1, links), int(rng.integers(1, 3)), replace=False)
                ways.append({int(r): 1.0 for r in touched})
            rows.append(ways + ways[:1] if awkward else ways)
        demand, capacity = rng.lognormal(0.0, 1.0, users), rng.choice([1.0, 4.0, 10.0], links)
        if awkward:
            demand = rng.choice([0.0, 1e-9, 1.0, 1e6], users)
            capacity[1:] = rng.choice([0.0, 1e-3, 1.0, np.inf], links - 1)
        return RoutingProblem(Options.of_lists(rows, links), demand, capacity)

    def needs(self, problem: RoutingProblem) -> frozenset[str]:
        """Nothing beyond the family."""
        return frozenset()

    def changed(self, problem: RoutingProblem, seed: int) -> RoutingProblem:
        """Move demands by up to a fifth."""
        rng = np.random.default_rng([14, seed])
        return replace(problem, demand=problem.demand * rng.uniform(0.8, 1.2, problem.demand.size))

    def arrays(self, problem: RoutingProblem) -> Mapping[str, tuple[tuple[int, ...], bool]]:
        """share, price, load."""
        rows = (problem.options.resources,)
        return {"share": ((problem.options.count,), True), "price": (rows, True), "load": (rows, True)}

    def plan(self, answer: RoutingAnswer) -> Array:
        """share."""
        return answer.share

    def judge(self, problem: RoutingProblem, plan: Array, answer: RoutingAnswer) -> Judged:
        """By `routing.worth`."""
        found = routing.worth(problem, plan)
        fault = f"{found.fault.name.lower()} {found.index}" if found.violation > 0 else ""
        claims = {"utilisation": found.utilisation, "load": found.load}
        return Judged(-found.utilisation, max(found.utilisation, 1e-300), found.violation, fault, claims)

    def bound(self, problem: RoutingProblem, answer: RoutingAnswer) -> float:
        """By `routing.price_bound`."""
        return -routing.price_bound(problem, answer.price)

    def claimed_bound(self, answer: RoutingAnswer) -> float:
        """Minus what it says."""
        return -answer.bound

    def gap(self, judged: Judged, bound: float) -> float:
        """Utilisation / bound − 1."""
        return routing.certified_gap(-judged.value, -bound)

    def rivals(self, problem: RoutingProblem, answer: RoutingAnswer) -> Iterator[Array]:
        """Random splits, and the kernel's."""
        rng = np.random.default_rng(0)
        for spread in (0.5, 1.0, 2.0):
            yield routing.fit(problem, rng.lognormal(0.0, spread, problem.options.count))
        yield routing.RoutingKernel().allocate(problem, tolerance=1e-6).share
