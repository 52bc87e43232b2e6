"""Random instances of the families, tame and hostile, by their seed."""

from __future__ import annotations

import dataclasses

import numpy as np

from reference import families as naive
from tiertwin.allocate.families import fair
from tiertwin.allocate.families.fair import FairAnswer, FairProblem, Floors
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingProblem


def random_options(rng: np.random.Generator, users: int, resources: int, *, unit: bool = False) -> Options:
    """1–4 options a user, 1–4 different resources an option."""
    rows = []
    for _ in range(users):
        ways = []
        for _ in range(rng.integers(1, 5)):
            touched = rng.choice(resources, min(resources, int(rng.integers(1, 5))), replace=False)
            ways.append({int(r): 1.0 if unit else float(rng.uniform(0.1, 3.0)) for r in touched})
        rows.append(ways)
    return Options.of_lists(rows, resources)


def random_fair(seed: int, *, alpha: float | None = None, cost: bool = False) -> FairProblem:
    """A benign instance: 1–40 users, 2–12 resources, half of them short."""
    rng = np.random.default_rng([1, seed])
    users, resources = int(rng.integers(1, 40)), int(rng.integers(2, 12))
    options = random_options(rng, users, resources)
    exponents = rng.choice([0.0, 0.5, 1.0, 2.0, 4.0], users) if alpha is None else np.full(users, alpha)
    return FairProblem(
        options,
        rng.lognormal(0.0, 1.0, users),
        rng.uniform(0.3, 3.0, users),
        exponents,
        np.maximum(0.3, users / resources) * rng.uniform(0.2, 3.0, resources),
        rng.uniform(0.0, 0.2, options.count) if cost else None,
    )


def promised_fair(seed: int, *, alpha: float | None = None, delay: bool = False) -> FairProblem:
    """`random_fair` with 1–3 floors, some of them out of reach, users without weight, and waiting if asked for."""
    problem = random_fair(seed, alpha=alpha, cost=seed % 3 == 0)
    rng = np.random.default_rng([5, seed])
    floors = int(rng.integers(1, 4))
    of_user = rng.integers(-1, floors, problem.options.users)
    wanted = np.bincount(of_user + 1, weights=problem.demand, minlength=floors + 1)[1:]
    share = 1.0 if seed % 4 == 0 else (rng.random(problem.options.users) < 0.7)
    return dataclasses.replace(
        problem,
        weight=problem.weight * share,
        delay=rng.choice([0.0, 0.01, 1.0, 30.0], problem.options.resources) if delay else None,
        floors=Floors(of_user, wanted * rng.choice([0.0, 0.2, 0.5, 1.0, 3.0], floors), rng.choice([1.0, 20.0], floors)),
    )


def resources_twice(options: Options) -> Options:
    """Return the same options with each resource twice: rows that repeat."""
    count = options.resources
    twice = np.stack([options.resource, options.resource + count], axis=1).reshape(-1)
    return Options(options.user_offsets, 2 * options.option_offsets, twice, np.repeat(options.use, 2), 2 * count)


def hostile_fair(seed: int) -> FairProblem:
    """Zero and endless capacities, huge and endless and zero demands, weights of 0, twins of resources and users."""
    rng = np.random.default_rng([2, seed])
    users, resources = int(rng.integers(1, 25)), int(rng.integers(2, 10))
    options = random_options(rng, users, resources, unit=bool(rng.integers(2)))
    if rng.random() < 0.5:  # each resource twice: duplicated rows
        options = resources_twice(options)
    capacity = rng.choice([0.0, 1e-6, 1.0, 1.0, 5.0, 1e9], resources)
    capacity = np.tile(capacity, options.resources // resources)
    demand = rng.choice([0.0, 1e-9, 1.0, 1.0, 1e12, np.inf], users)
    weight = rng.choice([0.0, 1e-6, 1.0, 1.0, 1e6], users)
    return FairProblem(options, demand, weight, rng.choice([0.0, 0.5, 1.0, 2.0], users), capacity)


def nasty_fair(seed: int) -> FairProblem:
    """What can be wrong with data and still be data, several at once: see the choices.

    Zero, endless and tiny capacities, demands of 0, 1e12 and endless, weights of 0, twelve decades of everything,
    resources and users and options twice, exact ties, floors out of reach, waiting that costs nothing or everything.
    """
    rng = np.random.default_rng([6, seed])
    users, resources = int(rng.integers(1, 16)), int(rng.integers(1, 8))
    options = random_options(rng, users, resources, unit=bool(rng.integers(2)))
    if rng.random() < 0.3:  # every user's options twice
        rows = [
            [
                dict(zip(options.resource[a:b].tolist(), options.use[a:b].tolist(), strict=True))
                for k in range(options.user_offsets[u], options.user_offsets[u + 1])
                for a, b in [(options.option_offsets[k], options.option_offsets[k + 1])] * 2
            ]
            for u in range(users)
        ]
        options = Options.of_lists(rows, resources)

    def spread(count: int, *extremes: float) -> np.ndarray:
        kind = rng.integers(4)
        if kind == 0:
            return np.ones(count)
        if kind == 1:
            return 10.0 ** rng.uniform(-6.0, 6.0, count)
        values = rng.lognormal(0.0, 1.0, count)
        return np.where(rng.random(count) < 0.3, rng.choice(extremes, count), values) if extremes else values

    capacity = spread(resources, 0.0, 1e-9, 1e12, 0.0)
    demand = spread(users, 0.0, 1e-12, 1e12, np.inf)
    if rng.random() < 0.5:  # rows twice
        options = resources_twice(options)
        capacity = np.tile(capacity, 2)
    floors = int(rng.integers(0, 4))
    amount = spread(floors, 0.0, 1e-9, 1e9, 1e12)
    return FairProblem(
        options,
        demand,
        spread(users, 0.0, 0.0, 1e-6, 1e6),
        rng.choice([0.0, 0.5, 1.0, 2.0, 4.0], users) if rng.random() < 0.5 else np.full(users, rng.integers(0, 3)),
        capacity,
        cost=spread(options.count, 0.0, 1e-9, 1e3) if rng.random() < 0.3 else None,
        delay=spread(options.resources, 0.0, 1e-9, 1e3) if rng.random() < 0.3 else None,
        floors=Floors(rng.integers(-1, floors, users), amount, spread(floors, 0.0, 1e-6, 1e9)) if floors else None,
    )


def wrong_answer(problem: FairProblem, found: FairAnswer, rivals: list[np.ndarray]) -> str:
    """What is wrong with an answer, by loops that share nothing with the core; empty when nothing is.

    Its plan must be feasible and worth what it says, its prices must give the bound it says, and none of the rival
    plans, made feasible, may be worth more than that.
    """
    judged = fair.worth(problem, found.x)
    value, scale = naive.fair_value(problem, found.x)
    size = abs(value) + scale + naive.magnitude(problem, found.price, found.floor_price)
    if not (judged.violation <= 1e-6 and naive.violation(problem, found.x) <= 1e-6):
        return f"violation {judged.violation:.3g}, by loops {naive.violation(problem, found.x):.3g}"
    if not (np.isfinite(found.bound) and abs(found.value - value) <= 1e-9 * size):
        return f"value {found.value!r}, by loops {value!r}, bound {found.bound!r}"
    if not found.gap >= 0:
        return f"gap {found.gap!r}"
    bound = naive.fair_bound(problem, found.price, found.floor_price)
    if abs(bound - found.bound) > 1e-9 * size:
        return f"bound {found.bound!r}, by loops {bound!r}"
    for x in rivals:
        plan = fair.fit(problem, x)
        if naive.violation(problem, plan) <= 1e-9 and naive.fair_value(problem, plan)[0] > found.bound + 1e-9 * size:
            return f"a plan is worth {naive.fair_value(problem, plan)[0]!r}, more than the bound {found.bound!r}"
    return ""


def random_routing(seed: int) -> RoutingProblem:
    """1–60 demands over 3–20 links."""
    rng = np.random.default_rng([3, seed])
    users, links = int(rng.integers(1, 60)), int(rng.integers(3, 20))
    options = random_options(rng, users, links, unit=True)
    return RoutingProblem(options, rng.lognormal(0.0, 1.0, users), rng.choice([1.0, 4.0, 10.0], links))


def hostile_routing(seed: int) -> RoutingProblem:
    """Demands of 0 and of 1e12, closed and endless links, equal paths; every demand keeps one open path."""
    rng = np.random.default_rng([4, seed])
    users, links = int(rng.integers(1, 30)), int(rng.integers(3, 10))
    rows = []
    for _ in range(users):
        ways = [{0: 1.0}]
        for _ in range(rng.integers(0, 4)):
            touched = rng.choice(links, int(rng.integers(1, 4)), replace=False)
            ways.append({int(r): float(rng.choice([0.0, 1.0, 1.0, 2.0])) for r in touched})
        rows.append(ways + ways[:1])
    capacity = np.concatenate([[1.0], rng.choice([0.0, 1e-6, 1.0, 1e9, np.inf], links - 1)])
    return RoutingProblem(Options.of_lists(rows, links), rng.choice([0.0, 1e-9, 1.0, 1e12], users), capacity)
