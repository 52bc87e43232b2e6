"""Naive spectrum and power: loops over users and cells, and a plain search over powers."""

from __future__ import annotations

import math

import numpy as np

from tiertwin.allocate.families.spectrum import SpectrumProblem


def efficiency(problem: SpectrumProblem, power: np.ndarray, k: int, j: int) -> float:
    """bit/s/Hz of user k at cell j."""
    signal = power[j] / problem.bandwidth[j] * problem.gain[k, j]
    noise = problem.outside[k] + problem.noise
    for i in range(problem.cells):
        if i != j:
            noise += problem.activity[i] * power[i] / problem.bandwidth[i] * problem.gain[k, i]
    return min(problem.efficiency * math.log2(1 + signal / noise), problem.cap)


def utility(problem: SpectrumProblem, cell: np.ndarray, power: np.ndarray) -> float:
    """Σ w log e over the users with a cell."""
    return sum(
        problem.weight[k] * math.log(efficiency(problem, power, k, int(cell[k])))
        for k in range(problem.users)
        if cell[k] >= 0 and problem.weight[k] > 0 and problem.gain[k, cell[k]] > 0
    )


def best_powers(problem: SpectrumProblem, cell: np.ndarray, sweeps: int = 40) -> np.ndarray:
    """Cell by cell the best power by golden-section search over its logarithm; the objective is concave there."""
    power = np.array(problem.power_most, dtype=np.float64)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(sweeps):
        for j in range(problem.cells):
            low, high = math.log(problem.power_least[j]), math.log(problem.power_most[j])

            def at(q: float, j: int = j) -> float:
                tried = power.copy()
                tried[j] = math.exp(q)
                return utility(problem, cell, tried)

            a, b = high - ratio * (high - low), low + ratio * (high - low)
            fa, fb = at(a), at(b)
            for _ in range(40):
                if fa < fb:
                    low, a, fa = a, b, fb
                    b = low + ratio * (high - low)
                    fb = at(b)
                else:
                    high, b, fb = b, a, fa
                    a = high - ratio * (high - low)
                    fa = at(a)
            power[j] = math.exp(max((low, high, (low + high) / 2), key=at))
    return power
