"""Random instances of the families, tame and hostile, by their seed."""

from __future__ import annotations

import dataclasses

import numpy as np

from tiertwin.allocate.families.fair import FairProblem, Floors
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


def hostile_fair(seed: int) -> FairProblem:
    """Zero and endless capacities, huge and endless and zero demands, weights of 0, twins of resources and users."""
    rng = np.random.default_rng([2, seed])
    users, resources = int(rng.integers(1, 25)), int(rng.integers(2, 10))
    options = random_options(rng, users, resources, unit=bool(rng.integers(2)))
    if rng.random() < 0.5:  # each resource twice: duplicated rows
        options = Options(
            options.user_offsets,
            2 * options.option_offsets,
            np.stack([options.resource, options.resource + resources], axis=1).reshape(-1),
            np.repeat(options.use, 2),
            2 * resources,
        )
    capacity = rng.choice([0.0, 1e-6, 1.0, 1.0, 5.0, 1e9], resources)
    capacity = np.tile(capacity, options.resources // resources)
    demand = rng.choice([0.0, 1e-9, 1.0, 1.0, 1e12, np.inf], users)
    weight = rng.choice([0.0, 1e-6, 1.0, 1.0, 1e6], users)
    return FairProblem(options, demand, weight, rng.choice([0.0, 0.5, 1.0, 2.0], users), capacity)


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
