"""Simple ways to choose what to build: the best next one again and again, and all of them.

Greedy takes the candidate that adds most (or most for its cost) until nothing fits. Lazily (M. Minoux, Accelerated
greedy algorithms for maximizing submodular set functions, 1978): a candidate is looked at only while what it may add
at most is more than the best found. That is what the prices of the standing choice say: the value is concave in what is
built, so no candidate adds more than its slope (`placement.slopes`); lazy greedy chooses as plain greedy does, though
values need not be submodular. The better of both orders by value, as with one budget (J. Leskovec et al., KDD 2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.placement import allowed, slopes
from tiertwin.allocate.placement_stage import Stage
from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

MOST_TRIED = 200_000
LEAST_GAIN = 1e-9  # of the value, below which nothing is gained


@dataclass(frozen=True)
class Found:
    """What was chosen, (places rising), its value, and how many choices were evaluated."""

    chosen: tuple[int, ...]
    value: float
    tried: int


def greedy(stage: Stage, *, lazy: bool = True) -> Found:
    """Return the better of the greedy choices by value added and by value added for the cost."""
    before = stage.asked
    found = [_greedy(stage, by_cost, lazy) for by_cost in (False, True)]
    best = max(found, key=lambda one: one.value)
    return Found(best.chosen, best.value, stage.asked - before)


def _greedy(stage: Stage, by_cost: bool, lazy: bool) -> Found:
    problem, chosen = stage.problem, list[int]()
    value = stage.value(_places(chosen))
    size = np.maximum(problem.cost, 1e-12) if by_cost else np.ones(problem.candidates)
    while True:
        best, best_score, added = -1, 0.0, 0.0
        most = _at_most(stage, chosen, value) if lazy else np.full(problem.candidates, np.inf)
        for i in sorted(set(range(problem.candidates)) - set(chosen), key=lambda k: (-most[k] / size[k], k)):
            if most[i] / size[i] < best_score * (1.0 - 1e-9):
                break
            if not allowed(problem, _places([*chosen, i])):
                continue
            more = stage.value(_places([*chosen, i])) - value
            score = more / float(size[i])
            if more > LEAST_GAIN * max(abs(value), 1e-300) and score > best_score * (1.0 + 1e-12):
                best, best_score, added = i, score, more
        if best < 0:
            break
        chosen.append(best)
        value += added
    return Found(tuple(sorted(chosen)), stage.value(_places(chosen)), stage.asked)


def _at_most(stage: Stage, chosen: list[int], value: float) -> F64:
    """Return what each candidate adds at most to a choice, by the prices of that choice."""
    standing = stage.serve(_places(chosen))
    a, slope = slopes(stage.problem, standing.resource, standing.option)
    loose = max(a + float(slope[chosen].sum()) - value, 0.0)
    most: F64 = slope + loose
    return most


def exhaustive(stage: Stage, most: int | None = None) -> Found:
    """Return the best of all choices of at most `most` candidates (by default the problem's).

    Raises
    ------
    InputError
        More than 200 000 choices.
    """
    problem, before = stage.problem, stage.asked
    size = min(problem.most if most is None else most, problem.candidates)
    count = sum(comb(problem.candidates, k) for k in range(size + 1))
    if count > MOST_TRIED:
        raise InputError(f"expected at most {MOST_TRIED} choices, got {count}: {problem.candidates} candidates", "plan")
    best: tuple[int, ...] = ()
    value = stage.value(_places([]))
    for k in range(1, size + 1):
        for chosen in combinations(range(problem.candidates), k):
            if allowed(problem, _places(list(chosen))):
                found = stage.value(_places(list(chosen)))
                if found > value * (1.0 + 1e-12):
                    best, value = chosen, found
    return Found(best, value, stage.asked - before)


def _places(chosen: list[int]) -> I64:
    return np.array(chosen, dtype=np.int64)
