"""Spectrum, as the registry and the conformance suite see it: values and bounds at the powers of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tiertwin.allocate.families import fair, spectrum
from tiertwin.allocate.families.interface import Judged
from tiertwin.allocate.families.spectrum import SpectrumAnswer, SpectrumProblem
from tiertwin.allocate.leaf import Array

SHAPES = ((5, 2), (12, 3), (28, 5))  # users, cells
EXPONENT = 3.5  # of distance
AT_KM = 1e-13  # gain at 1 km


def hexagon(cells: int) -> Array:
    """``[C, 2]`` places in km: one in the middle, others round it, 0.5 km apart."""
    ring = np.arange(max(cells - 1, 1)) * (np.pi / 3)
    around = 0.5 * np.stack([np.cos(ring), np.sin(ring)], axis=1)
    return np.concatenate([np.zeros((1, 2)), around])[:cells]


class SpectrumInterface:
    """`families.spectrum`."""

    problem = SpectrumProblem
    answer = SpectrumAnswer

    def sample(self, seed: int, *, awkward: bool = False) -> SpectrumProblem:
        """Draw 5–28 users among 2–5 cells of a hexagon, with shadows of 8 dB, most of them near one cell.

        Every second one has demands and a backhaul that limit. Awkward ones have users nobody reaches, a cell nobody
        hears, equal users, weights and demands of 0, a backhaul of 0.
        """
        rng = np.random.default_rng([19, seed, awkward])
        users, cells = SHAPES[seed % len(SHAPES)]
        place = hexagon(cells)
        spread = np.where(rng.random((users, 1)) < 0.5, 0.1, 0.4)
        at = rng.normal(0.0, 1.0, (users, 2)) * spread
        distance = np.maximum(np.hypot(*np.moveaxis(at[:, None] - place, 2, 0)), 0.035)
        gain = AT_KM * distance**-EXPONENT * 10 ** (0.8 * rng.normal(0.0, 1.0, (users, cells)))
        demand, backhaul = np.full(users, np.inf), np.full(cells, np.inf)
        weight = rng.uniform(0.5, 2.0, users)
        if seed % 2:
            demand, backhaul = rng.lognormal(15.0, 1.0, users), rng.uniform(5e6, 5e7, cells)
        if awkward:
            gain[::5], weight[1::5] = 0.0, 0.0
            demand[2::5] = 0.0
            gain[:, -1] = 0.0
            backhaul[:1] = 0.0 if cells > 2 else np.inf
            gain[3::5] = gain[3]
        return SpectrumProblem(
            gain, rng.choice([1.0, 20.0], cells), rng.choice([1e7, 2e7], cells), weight=weight, demand=demand,
            backhaul=backhaul, outside=rng.uniform(0.0, 1e-19, users), activity=rng.uniform(0.3, 1.0, cells),
        )  # fmt: skip

    def needs(self, problem: SpectrumProblem) -> frozenset[str]:
        """``limits``: demands or backhauls."""
        limited = np.any(np.isfinite(problem.demand)) or np.any(np.isfinite(problem.backhaul))
        return frozenset({"limits"} if limited else ())

    def changed(self, problem: SpectrumProblem, seed: int) -> SpectrumProblem:
        """Shadows move by up to 1 dB."""
        rng = np.random.default_rng([20, seed])
        return replace(problem, gain=problem.gain * 10 ** rng.uniform(-0.1, 0.1, problem.gain.shape))

    def arrays(self, problem: SpectrumProblem) -> Mapping[str, tuple[tuple[int, ...], bool]]:
        """Cells, shares, powers, rates, prices."""
        users, cells = (problem.users,), (problem.cells,)
        return {
            "cell": (users, False), "hertz": (users, True), "rate": (users, True), "power": (cells, True),
            "band_price": (cells, True), "backhaul_price": (cells, True),
        }  # fmt: skip

    def plan(self, answer: SpectrumAnswer) -> Array:
        """``[U, 2]`` cell and share."""
        return np.stack([answer.cell.astype(np.float64), answer.hertz], axis=1)

    def judge(self, problem: SpectrumProblem, plan: Array, answer: SpectrumAnswer) -> Judged:
        """By `spectrum.worth`, at the powers of the answer."""
        found = spectrum.worth(problem, plan[:, 0], plan[:, 1], answer.power)
        claims = {name: getattr(found, name) for name in ("value", "scale", "rate")}
        return Judged(found.value, found.scale, found.violation, found.fault, claims)

    def bound(self, problem: SpectrumProblem, answer: SpectrumAnswer) -> float:
        """By `spectrum.price_bound`."""
        return spectrum.price_bound(problem, answer.power, answer.band_price, answer.backhaul_price)

    def claimed_bound(self, answer: SpectrumAnswer) -> float:
        """As it says."""
        return answer.bound

    def gap(self, judged: Judged, bound: float) -> float:
        """(bound − value) / Σ w."""
        return fair.certified_gap(judged.value, bound, judged.scale)

    def rivals(self, problem: SpectrumProblem, answer: SpectrumAnswer) -> Iterator[Array]:
        """Equal shares at the loudest cell and at random ones, cut to demands and backhauls."""
        rng = np.random.default_rng(0)
        efficiency = problem.efficiencies(answer.power)
        for turn in range(3):
            open_to = (efficiency > 0) & (problem.backhaul > 0)
            score = efficiency if turn == 0 else rng.random(efficiency.shape)
            cell = np.where(open_to.any(axis=1), np.where(open_to, score, -1.0).argmax(axis=1), -1)
            cell = np.where((problem.weight > 0) & (problem.demand > 0), cell, -1)
            at = cell >= 0
            count = np.bincount(cell[at], minlength=problem.cells)
            hertz = np.where(at, problem.bandwidth[cell] / np.maximum(count[cell], 1), 0.0)
            e = np.where(at, efficiency[np.arange(problem.users), cell], 1.0)
            rate = np.minimum(hertz * e, problem.demand)
            total = np.bincount(cell[at], weights=rate[at], minlength=problem.cells)
            cut = np.minimum(1.0, problem.backhaul / np.maximum(total, 1e-9))
            yield np.stack([cell.astype(np.float64), np.where(at, rate * cut[cell] / e, 0.0)], axis=1)
