"""Worth and choice together, in worlds whose truth is known: what is chosen tells more of the target at equal bytes."""

from __future__ import annotations

import numpy as np

from tiertwin.functions.budgeted import Chooser
from tiertwin.functions.selection import select
from tiertwin.functions.selector import fixed, oracle, random, top_variance
from tiertwin.functions.worth import Scores, score_windows

ATTRIBUTES, SAMPLES, LAG = 20, 400, 3


def world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Attributes (A, N), target (N,), bytes (A,): five drive the target, five are noisy copies of these, ten are noise.

    The noise has the largest variance, and what drives comes neither first nor cheapest.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ATTRIBUTES, SAMPLES))
    for t in range(1, SAMPLES):
        x[:, t] += 0.6 * x[:, t - 1]
    x[5:10] = x[:5] + 0.5 * rng.normal(size=(5, SAMPLES))
    y = np.zeros(SAMPLES)
    weight = rng.uniform(0.4, 1.0, 5) * rng.choice([-1, 1], 5)
    for t in range(LAG, SAMPLES):
        y[t] = 0.3 * y[t - 1] + weight @ x[:5, t - rng.integers(1, LAG + 1)] + 0.3 * rng.normal()
    x[10:] *= 5.0
    order = rng.permutation(ATTRIBUTES)
    return x[order], y, rng.uniform(5.0, 15.0, ATTRIBUTES)


def error(x: np.ndarray, y: np.ndarray, mask: np.ndarray) -> float:
    """Share of the target's variance that a regression on the chosen attributes' past misses, on the second half."""
    rows = np.arange(LAG, SAMPLES)
    design = np.column_stack([np.ones(rows.size), *(x[mask][:, rows - lag].T for lag in range(1, LAG + 1))])
    half = rows.size // 2
    weights = np.linalg.lstsq(design[:half], y[rows[:half]], rcond=None)[0]
    return float(np.var(y[rows[half:]] - design[half:] @ weights) / np.var(y[rows[half:]]))


def scored(x: np.ndarray, y: np.ndarray) -> Scores:
    half = SAMPLES // 2  # scores see the first half alone
    return score_windows(x[None, :, :half].copy(), y[None, None, :half].copy())


def test_what_is_chosen_tells_more_than_what_baselines_choose() -> None:
    missed: dict[str, list[float]] = {}
    for seed in range(12):
        x, y, cost = world(seed)
        scores = scored(x, y)
        rules: dict[str, Chooser] = {
            "worth": select,
            "fixed": fixed(np.arange(ATTRIBUTES)),
            "random": random(seed),
            "top variance": top_variance(scores.spread[0] ** 2),
            "cheapest": fixed(np.argsort(cost)),
        }
        for name, rule in rules.items():
            mask = rule(
                scores.value[0, 0], cost, byte_budget=0.3 * cost.sum(), redundancy=scores.redundancy[0], lam=0.3
            )
            assert cost[mask].sum() <= 0.3 * cost.sum() * (1 + 1e-9)
            missed.setdefault(name, []).append(error(x, y, mask))
        missed.setdefault("all", []).append(error(x, y, np.ones(ATTRIBUTES, dtype=np.bool_)))
    mean = {name: float(np.mean(values)) for name, values in missed.items()}
    best_baseline = min(mean[name] for name in ("fixed", "random", "top variance", "cheapest"))
    assert mean["worth"] < 0.75 * best_baseline, mean


def test_redundancy_keeps_copies_out() -> None:
    copies = {0.0: 0, 0.5: 0}
    for seed in range(8):
        x, y, _ = world(seed)
        scores = scored(x, y)
        for lam in copies:
            mask = select(
                scores.value[0, 0], np.ones(ATTRIBUTES), byte_budget=5.0, redundancy=scores.redundancy[0], lam=lam
            )
            pairs = np.triu(scores.redundancy[0], 1) > 0.7
            copies[lam] += int(pairs[np.ix_(mask, mask)].sum())
    assert copies[0.5] < 0.5 * copies[0.0], copies


def test_the_oracle_is_no_worse_by_its_own_measure() -> None:
    x, y, cost = world(1)
    value = scored(x, y).value[0, 0]
    truth = np.random.default_rng(1).random(ATTRIBUTES)
    budget = 0.3 * cost.sum()
    assert truth @ oracle(truth)(value, cost, byte_budget=budget) >= truth @ select(value, cost, byte_budget=budget)
