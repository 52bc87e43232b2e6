"""Fair shares, as the registry and the conformance suite see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairProblem, Floors
from tiertwin.allocate.families.interface import Judged
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.leaf import Array

SHAPES = ((1, 2), (8, 4), (30, 8))  # users, resources
EXPONENTS = ((1.0,), (0.0,), (0.5, 2.0))


def drawn_options(rng: np.random.Generator, users: int, resources: int) -> Options:
    """1–4 options a user, 1–3 different resources an option."""
    rows = []
    for _ in range(users):
        ways = []
        for _ in range(rng.integers(1, 5)):
            touched = rng.choice(resources, min(resources, int(rng.integers(1, 4))), replace=False)
            ways.append({int(r): float(rng.uniform(0.2, 2.0)) for r in touched})
        rows.append(ways)
    return Options.of_lists(rows, resources)


class FairInterface:
    """`families.fair`."""

    problem = FairProblem
    answer = FairAnswer

    def sample(self, seed: int, *, awkward: bool = False) -> FairProblem:
        """Draw 1–30 users: exponents 1, 0, or 1/2 and 2 by turns; costs, floors and waiting in some."""
        rng = np.random.default_rng([11, seed, awkward])
        users, resources = SHAPES[seed % len(SHAPES)]
        options = drawn_options(rng, users, resources)
        demand, weight = rng.lognormal(0.0, 0.7, users), rng.uniform(0.5, 3.0, users)
        capacity = max(0.5, users / resources) * rng.uniform(0.3, 2.0, resources)
        alpha = rng.choice(EXPONENTS[(seed // 2) % len(EXPONENTS)], users)
        cost = rng.uniform(0.0, 0.2, options.count) if seed % 2 else None
        if awkward:
            capacity[:1] = 0.0
            capacity[-1:] = np.inf if users > 1 else 1.0
            demand[:: max(2, users // 3)] = 0.0
            demand[1::5] = 1e9
            weight[::7] = 0.0
        delay = rng.uniform(0.0, 0.1, resources) if seed in (3, 4) else None
        floors = None
        if seed in (2, 3):
            promised = np.full(2, (1e3 if awkward else 0.05) * demand.sum())
            floors = Floors(np.arange(users) % 3 - 1, promised, rng.uniform(5.0, 20.0, 2))
        return FairProblem(options, demand, weight, alpha, capacity, cost, delay, floors)

    def needs(self, problem: FairProblem) -> frozenset[str]:
        """``log``, ``linear`` and ``power`` by the exponents; ``costs``, ``floors``, ``delay``."""
        flags = {"log": problem.alpha == 1.0, "linear": problem.alpha == 0.0}
        flags["power"] = ~(flags["log"] | flags["linear"])
        found = {name for name, members in flags.items() if np.any(members)}
        if problem.cost is not None and np.any(problem.cost > 0):
            found.add("costs")
        if problem.floors is not None and problem.floors.count:
            found.add("floors")
        if problem.delay is not None and np.any(problem.delay > 0):
            found.add("delay")
        return frozenset(found)

    def changed(self, problem: FairProblem, seed: int) -> FairProblem:
        """Move demands and capacities by up to a fifth."""
        rng = np.random.default_rng([12, seed])
        demand = problem.demand * rng.uniform(0.8, 1.2, problem.demand.size)
        return replace(problem, demand=demand, capacity=problem.capacity * rng.uniform(0.8, 1.2, problem.capacity.size))

    def arrays(self, problem: FairProblem) -> Mapping[str, tuple[tuple[int, ...], bool]]:
        """x, price, load; prices and shortfall of floors."""
        rows = (problem.options.resources,)
        promised = (0 if problem.floors is None else problem.floors.count,)
        network = {"x": ((problem.options.count,), True), "price": (rows, True), "load": (rows, True)}
        return network | {"floor_price": (promised, True), "shortfall": (promised, True)}

    def plan(self, answer: FairAnswer) -> Array:
        """x."""
        return answer.x

    def judge(self, problem: FairProblem, plan: Array, answer: FairAnswer) -> Judged:
        """By `fair.worth`."""
        found = fair.worth(problem, plan)
        fault = f"{found.fault.name.lower()} {found.index}" if found.violation > 0 else ""
        claims = {name: getattr(found, name) for name in ("value", "scale", "load", "shortfall")}
        return Judged(found.value, found.scale, found.violation, fault, claims)

    def bound(self, problem: FairProblem, answer: FairAnswer) -> float:
        """By `fair.price_bound`."""
        return fair.price_bound(problem, answer.price, answer.floor_price)

    def claimed_bound(self, answer: FairAnswer) -> float:
        """As it says."""
        return answer.bound

    def gap(self, judged: Judged, bound: float) -> float:
        """(bound − value) / S."""
        return fair.certified_gap(judged.value, bound, judged.scale)

    def rivals(self, problem: FairProblem, answer: FairAnswer) -> Iterator[Array]:
        """Random plans made feasible, and the kernel's."""
        rng = np.random.default_rng(0)
        for spread in (0.5, 1.0, 2.0):
            yield fair.fit(problem, rng.lognormal(0.0, spread, problem.options.count))
        yield fair.FairKernel().allocate(problem, tolerance=1e-6).x
