"""Made-up traffic with days and weeks, and machines that wear."""

from __future__ import annotations

import numpy as np


def traffic(series: int = 6, days: int = 42, per_day: int = 8, seed: int = 0) -> np.ndarray:
    """Counts [series, time]: a daily profile, quiet weekends, a lingering common surprise. Slot 0 begins a Monday."""
    rng = np.random.default_rng(seed)
    t = np.arange(days * per_day)
    day = np.sin(2 * np.pi * t / per_day) * np.where(t // per_day % 7 >= 5, 0.4, 1.0)
    surprise = np.zeros(len(t))
    for k in range(1, len(t)):
        surprise[k] = 0.8 * surprise[k - 1] + rng.normal(scale=0.1)
    size = rng.uniform(10.0, 60.0, (series, 1))
    return rng.poisson(size * np.exp(0.6 * day + surprise)).astype(float)


def machines(count: int = 12, sensors: int = 4, seed: int = 0, least: int = 60) -> list[np.ndarray]:
    """Runs to failure, [cycles, sensors]: sensor 0 constant, the others follow wear that ends at 1, with noise."""
    rng = np.random.default_rng(seed)
    runs = []
    for _ in range(count):
        cycles = int(rng.integers(least, 2 * least))
        wear = np.linspace(0.0, 1.0, cycles)[:, None] ** 2
        gains = np.array([0.0, *([3.0, -2.0, 1.0] * sensors)[: sensors - 1]])
        noise = rng.normal(scale=0.2, size=(cycles, sensors))
        noise[:, 0] = 0.0
        runs.append(500.0 + wear * gains + noise)
    return runs
