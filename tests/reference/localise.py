"""Noisy-OR posteriors by their definition: every set of causes, one by one."""

from __future__ import annotations

from itertools import combinations

import numpy as np


def score(members, q, leak, prior, state) -> float:
    """ln P(A, evidence) by the definition; state 1 alarm, 0 silent, -1 missing."""
    there = np.zeros(len(prior), dtype=bool)
    there[list(members)] = True
    total = float(np.log(np.where(there, prior, 1.0 - prior)).sum())
    for i, seen in enumerate(state):
        silent = (1.0 - leak[i]) * np.prod(1.0 - q[there, i])
        if seen == 0:
            total += np.log(silent)
        elif seen == 1:
            total += np.log1p(-silent)
    return total


def enumerate_posterior(q, leak, prior, state, most=None):
    """Posterior of each cause, the best set and its posterior, over all sets of at most `most` causes."""
    causes = len(prior)
    sets = [s for k in range((causes if most is None else most) + 1) for s in combinations(range(causes), k)]
    scores = np.array([score(s, q, leak, prior, state) for s in sets])
    weight = np.exp(scores - scores.max())
    weight /= weight.sum()
    posterior = np.array([sum(w for s, w in zip(sets, weight, strict=True) if c in s) for c in range(causes)])
    best = int(np.argmax(scores))
    return posterior, sets[best], weight[best], scores


def sample(rng, q, leak, prior, causes=None):
    """Draw causes (or take these) and what is observed of them."""
    there = rng.random(len(prior)) < prior if causes is None else np.isin(np.arange(len(prior)), causes)
    silent = (1.0 - leak) * np.prod(np.where(there[:, None], 1.0 - q, 1.0), axis=0)
    return there, (rng.random(len(leak)) >= silent).astype(np.int32)


def random_model(rng, causes, observations, density=0.4):
    """A small model: q, leak, prior."""
    q = np.where(rng.random((causes, observations)) < density, rng.uniform(0.05, 0.98, (causes, observations)), 0.0)
    return q, rng.uniform(0.001, 0.1, observations), rng.uniform(0.005, 0.3, causes)
