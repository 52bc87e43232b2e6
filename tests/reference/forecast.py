"""Forecast kernels as the papers print them: dense solves, loops over samples, sorts."""

from __future__ import annotations

import math

import numpy as np


def kriging(
    slots: np.ndarray, kinds: np.ndarray, values: np.ndarray, at: int, kind: int, tables: tuple, noise: float
) -> tuple[np.ndarray, float]:
    """Mean [series] and variance of a new sample by k K⁻¹ Y and k(0) + noise − k K⁻¹ k."""
    same, other = tables

    def covariance(t: int, a: int, u: int, b: int) -> float:
        return float((same if a == b else other)[abs(t - u)])

    n = len(slots)
    matrix = np.array([[covariance(slots[i], kinds[i], slots[j], kinds[j]) for j in range(n)] for i in range(n)])
    k = np.array([covariance(at, kind, slots[j], kinds[j]) for j in range(n)])
    weights = np.linalg.solve(matrix + noise * np.eye(n), k)
    return weights @ values, float(same[0] + noise - weights @ k)


def double_season(x: np.ndarray, day: int, week: int, gains: tuple, steps: int) -> tuple[float, list[float]]:
    """Mean square one-step error after the first week, and forecasts, of one series; lists indexed by time."""
    alpha, delta, omega, phi = gains
    level, error = float(np.mean(x[:week])), 0.0
    daily = {k: float(np.mean([x[t] - level for t in range(k, week, day)])) for k in range(day)}
    weekly = {t: x[t] - level - daily[t % day] for t in range(week)}
    squares = []
    for t in range(week, len(x)):
        expected = level + daily[t % day] + weekly[t % week] + phi * error
        error = x[t] - expected
        level, daily[t % day] = level + alpha * error, daily[t % day] + delta * error
        weekly[t % week] += omega * error
        squares.append(error**2)
    n = len(x)
    ahead = [level + daily[(n + k) % day] + weekly[(n + k) % week] + phi ** (k + 1) * error for k in range(steps)]
    return float(np.mean(squares)), ahead


def upper_score(scores: list[float], weights: list[float], share: float) -> float:
    """Least score with a share of the weight at or below, one more of weight 1 counted at infinity."""
    total = sum(weights) + 1.0
    for candidate in sorted(scores):
        if sum(w for s, w in zip(scores, weights, strict=True) if s <= candidate) >= share * total - 1e-12 * total:
            return candidate
    return math.inf


def trends(run: np.ndarray, taus: list[float], window: int, first: int) -> np.ndarray:
    """Levels, slopes and beginnings of one run [cycles, sensors], from their definitions."""
    rows = []
    for c in range(1, len(run) + 1):
        x = run[:c]
        row = []
        for tau in taus:
            w = np.exp(-(c - np.arange(1, c + 1)) / tau)
            row.append(w @ x / w.sum())
        last = x[-window:]
        slope = np.polyfit(np.arange(len(last)), last, 1)[0] * window if len(last) > 1 else np.zeros(x.shape[1])
        rows.append(np.concatenate([*row, slope, x[:first].mean(axis=0)]))
    return np.array(rows)


def isotonic(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The min-max formula: max over starts ≤ i of min over ends ≥ i of the weighted mean between."""
    n = len(values)

    def mean(i: int, j: int) -> float:
        return float(np.average(values[i : j + 1], weights=weights[i : j + 1]))

    return np.array([max(min(mean(a, b) for b in range(i, n)) for a in range(i + 1)) for i in range(n)])


def pooled(values: np.ndarray, weights: np.ndarray, least: float) -> np.ndarray:
    """Going up: the newest pool joins the one below while that weighs less than `least`, or does not lie below it."""
    pools: list[list[float]] = []  # weight, weighted sum, values
    for value, weight in zip(values, weights, strict=True):
        pools.append([weight, weight * value, 1])
        while len(pools) > 1 and (pools[-2][0] < least or pools[-2][1] * pools[-1][0] >= pools[-1][1] * pools[-2][0]):
            last = pools.pop()
            pools[-1] = [one + other for one, other in zip(pools[-1], last, strict=True)]
    return np.concatenate([np.full(int(count), total / weight) for weight, total, count in pools])
