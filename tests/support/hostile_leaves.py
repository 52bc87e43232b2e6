"""Leaf problems with numbers that no telemetry should bring, and what every answer to them must be."""

from __future__ import annotations

import numpy as np

from support.leaves import random_leaf, random_query
from tiertwin.allocate import kernel
from tiertwin.allocate.leaf import LeafAnswer, LeafProblem
from tiertwin.allocate.validation import LeafQuery

NUMBERS = (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e12, 1e-12, 1e300)
ALPHAS = (0.0, 0.5, 1.0, 2.0, 4.0)


def hostile_leaf(rng: np.random.Generator, trial: int) -> tuple[LeafProblem, LeafQuery]:
    """Return a problem of up to 14 groups of which one to three numbers are spoiled, and a query about it."""
    problem = random_leaf(rng, int(rng.integers(1, 15)), trial % 4, (trial // 4) % 4, ALPHAS)
    fields = {name: np.array(getattr(problem, name)) for name in problem.__dataclass_fields__}
    for _ in range(int(rng.integers(1, 4))):
        array = fields[str(rng.choice(list(fields)))]
        if array.size:
            array.flat[rng.integers(array.size)] = rng.choice(NUMBERS)
    return LeafProblem(**fields), LeafQuery(**random_query(rng, problem, by_quota=bool(trial % 2)))


def admissible(problem: LeafProblem, query: LeafQuery, answer: LeafAnswer) -> bool:
    """Whether a plan keeps all limits and is worth what is said."""
    judged = kernel.worth(problem, answer.x, query.quota)
    return judged.violation <= 1e-6 and np.isfinite(judged.value) and judged.value == answer.value
