"""Naive probabilities of failures: every subset of risks, one by one."""

from __future__ import annotations

from itertools import combinations


def states(p: list[float], order: int) -> dict[tuple[int, ...], float]:
    """Probability of each state in which at most `order` risks have struck."""
    found = {}
    for size in range(order + 1):
        for struck in combinations(range(len(p)), size):
            probability = 1.0
            for r, share in enumerate(p):
                probability *= share if r in struck else 1.0 - share
            found[struck] = probability
    return found
