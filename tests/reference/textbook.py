"""Naive textbook decompositions of a network of first in first out links: the oracle of `tiertwin.study.textbook`.

``mm1``, ``mg1``: every link on its own with Poisson arrivals (Pollaczek-Khinchine). ``gg1``: two moments, Whitt's
superposition and splitting (The Queueing Network Analyzer, Bell Syst. Tech. J. 62, 1983) with the waits of Kraemer and
Langenbach-Belz (1976). p99: gamma law of matched mean and variance above propagation, the own size shared by all links.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaincinv

MODELS = ("mm1", "mg1", "gg1")


class Textbook:
    """F flows of one size law over L links: rates bit/s, propagation s, path pointers, packets/s, moments of bytes."""

    def __init__(
        self, rate: Any, delay: Any, ptr: Any, links: Any, pps: Any, moments: tuple[float, float, float]
    ) -> None:
        self.links, self.pps = np.asarray(links), np.asarray(pps, dtype=float)
        self.flow = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
        self.capacity, self.delay = np.asarray(rate) / 8, np.asarray(delay, dtype=float)
        self.first = np.zeros(len(self.links), dtype=bool)
        self.first[np.asarray(ptr)[:-1]] = True
        self.m1, self.m2, self.m3 = moments
        self.lam = np.bincount(self.links, self.pps[self.flow], len(self.capacity))
        self.rho = self.lam * self.m1 / self.capacity
        self.es = self.m1 / self.capacity
        self.cs2 = self.m2 / self.m1**2 - 1

    def waits(self, model: str) -> Any:
        """Return the mean wait of each link, s, [L]."""
        rho, es = self.rho, self.es
        if model == "mm1":
            return rho * es / (1 - rho)
        if model == "mg1":
            return rho * es * (1 + self.cs2) / 2 / (1 - rho)
        ca2 = self._arrivals()
        with np.errstate(divide="ignore", invalid="ignore"):
            soft = np.exp(-2 * (1 - rho) * (1 - ca2) ** 2 / (3 * rho * (ca2 + self.cs2)))
        soft = np.where((ca2 < 1) & (rho > 0) & (ca2 + self.cs2 > 0), soft, 1.0)
        return rho * es * (ca2 + self.cs2) / 2 / (1 - rho) * soft

    def _arrivals(self) -> Any:
        """Return the squared coefficient of variation of each link's arrivals, by iteration."""
        count = len(self.capacity)
        before = np.where(self.first, -1, np.roll(self.links, 1))
        keys, stream = np.unique(self.links * (count + 1) + before + 1, return_inverse=True)
        here, source = keys // (count + 1), keys % (count + 1) - 1
        rate = np.bincount(stream, self.pps[self.flow])
        q = rate / self.lam[here]
        p = np.where(source >= 0, rate / np.where(source >= 0, self.lam[source], 1), 1)
        squares = np.bincount(here, q**2, count)
        weight = 1 / (
            1 + 4 * (1 - self.rho) ** 2 * (np.where(squares > 0, 1 / np.where(squares > 0, squares, 1), 1) - 1)
        )
        ca2 = np.ones(count)
        for _ in range(100):
            leaving = self.rho**2 * self.cs2 + (1 - self.rho**2) * ca2
            streams = np.where(source >= 0, p * leaving[source] + 1 - p, 1)
            ca2 = weight * np.bincount(here, q * streams, count) + 1 - weight
        return ca2

    def means(self, model: str) -> Any:
        """Return the flows' mean delays, s, [F]."""
        return np.bincount(self.flow, (self.delay + self.es + self.waits(model))[self.links])

    def p99(self, model: str) -> Any:
        """Return the 99 % quantiles of the flows' delays, s, [F]."""
        wait = self.waits(model)
        third = self.lam * self.m3 / self.capacity**3 / 3 / (1 - self.rho)
        variance = np.bincount(self.flow, (wait**2 + third)[self.links])
        wire = np.bincount(self.flow, (1 / self.capacity)[self.links])
        fixed = np.bincount(self.flow, self.delay[self.links])
        variance += (self.m2 - self.m1**2) * wire**2
        mean = self.means(model) - fixed
        return fixed + gammaincinv(mean**2 / variance, 0.99) * variance / mean
