"""Textbook decompositions of a network of queues: what a performance model has to be better than.

Every link is a first-in first-out queue on its own; a flow's delay is propagation, its own size over all rates, and the
sum of the waits. Three formulas for the mean wait W of a link with arrival rate lam, service time S and load rho:

``mm1``
    W = rho E[S]/(1 - rho): Poisson arrivals, exponential sizes.
``mg1``
    W = lam E[S^2]/(2 (1 - rho)): Poisson arrivals (Pollaczek-Khinchine).
``gg1``
    W = rho E[S] (ca2 + cs2)/(2 (1 - rho)) g: two moments. ca2 by superposition and splitting of departures (W. Whitt,
    The Queueing Network Analyzer, Bell Syst. Tech. J. 62, 1983), g below ca2 = 1 by W. Kraemer and M. Langenbach-Belz
    (8th Int. Teletraffic Congress, 1976).

p99: a gamma law of matched mean and variance above propagation; the variance is that of the own size over all rates,
and of each link's wait W^2 + lam E[S^3]/(3 (1 - rho)) (Takacs, with the formula's own W).
Buffers are not looked at, nobody loses anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.performance import PathFlows, PathLinks, PerformanceModel

    F64 = NDArray[np.float64]

FORMULAS = ("mm1", "mg1", "gg1")
ROUNDS = 100  # of departures that become arrivals; they change by less than 1e-9 long before


@dataclass(frozen=True)
class Answer:
    """What a formula says of each flow, s, [F]; infinite over a link that is full."""

    mean: F64
    wait: F64
    p99: F64


class Textbook:
    """The formulas for one network, told what `PerformanceModel.predict` is told.

    Parameters
    ----------
    model
        Whose paths these are.
    links, flows
        The state of the network.
    """

    def __init__(self, model: PerformanceModel, links: PathLinks, flows: PathFlows) -> None:
        ptr, self._link = model.pointers()
        told = model.traffic(links, flows)
        self._ptr, self._flow = ptr[:-1], np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
        self._rate, self._delay = told["link_rate_bps"] / 8.0, told["link_delay_ns"] * 1e-9
        self._pps, self._ca2 = told["flow_pps"], told["flow_ca2"]
        self._size, self._size2, size3 = told["flow_size"], told["flow_size2"], told["flow_size3"]
        self._lam = self._sum(self._pps)
        work, work2, work3 = (self._sum(self._pps * size) for size in (self._size, self._size2, size3))
        self._rho = work / self._rate
        self._es = _ratio(work, self._lam) / self._rate
        self._cs2 = np.maximum(_ratio(work2 * self._lam, work**2) - 1.0, 0.0)
        idle = np.where(self._rho < 1.0, 1.0 - self._rho, np.nan)
        self._third = work3 / self._rate**3 / (3.0 * idle)
        self._idle = idle

    def answer(self, formula: str) -> Answer:
        """Return what one of `FORMULAS` says."""
        wait = self.waits(formula)
        fixed = self._along(self._delay)
        wire = self._along(1.0 / self._rate)
        waited, spread = self._along(wait), self._along(wait**2 + self._third)
        above = self._size * wire + waited
        spread = spread + np.maximum(self._size2 - self._size**2, 0.0) * wire**2
        p99 = fixed + _gamma99(above, spread)
        mean, full = fixed + above, ~np.isfinite(waited)
        return Answer(*(np.where(full, np.inf, values) for values in (mean, waited, p99)))

    def answers(self) -> dict[str, Answer]:
        """Return what all of `FORMULAS` say."""
        return {formula: self.answer(formula) for formula in FORMULAS}

    def waits(self, formula: str) -> F64:
        """Return the mean wait of each link, s, [L]; NaN where the link is full."""
        busy: F64 = self._rho * self._es / self._idle
        if formula == "mm1":
            return busy
        mixed: F64 = busy * (1.0 + self._cs2) / 2.0
        if formula == "mg1":
            return mixed
        if formula != "gg1":
            raise ValueError(f"formula: expected {', '.join(FORMULAS)}, got {formula!r}")
        ca2 = self._arrivals()
        both = ca2 + self._cs2
        softer = (ca2 < 1.0) & (self._rho > 0) & (both > 0)
        shape = np.where(softer, 3.0 * self._rho * both, 1.0)
        soft = np.where(softer, np.exp(-2.0 * self._idle * (1.0 - ca2) ** 2 / shape), 1.0)
        waits: F64 = busy * both / 2.0 * soft
        return waits

    def _arrivals(self) -> F64:
        """Return the squared coefficient of variation of each link's arrivals, [L]: the fixed point of QNA."""
        count = len(self._rate)
        before = np.roll(self._link, 1)
        before[self._ptr] = -1
        keys, stream = np.unique(self._link * (count + 1) + before + 1, return_inverse=True)
        here, source = keys // (count + 1), keys % (count + 1) - 1
        rate = _sums(stream, self._pps[self._flow], len(keys))
        fresh = _sums(stream, (self._pps * self._ca2)[self._flow], len(keys))
        share = _ratio(rate, self._lam[here])
        split = np.where(source >= 0, _ratio(rate, self._lam[source]), 1.0)
        outside = _ratio(fresh, rate)
        streams = 1.0 / np.maximum(_sums(here, share**2, count), 1e-300)  # as many alike as make this much
        rho = np.minimum(self._rho, 1.0)
        weight = 1.0 / (1.0 + 4.0 * (1.0 - rho) ** 2 * (streams - 1.0))
        weight = np.where(self._lam > 0, weight, 0.0)
        ca2: F64 = np.ones(count)
        for _ in range(ROUNDS):
            leaving = rho**2 * self._cs2 + (1.0 - rho**2) * ca2
            arriving = np.where(source >= 0, split * leaving[source] + 1.0 - split, outside)
            ca2 = weight * _sums(here, share * arriving, count) + 1.0 - weight
        return ca2

    def _sum(self, by_flow: F64) -> F64:
        """Sum over the flows of each link, [L]."""
        return _sums(self._link, by_flow[self._flow], len(self._rate))

    def _along(self, by_link: F64) -> F64:
        """Sum over the links of each path, [F]."""
        return np.add.reduceat(by_link[self._link], self._ptr) if len(self._ptr) else np.empty(0)


def _sums(of: NDArray[np.int64], values: F64, count: int) -> F64:
    """Return the sums of the values of 0, 1, … `count` - 1, as numbers with a point even where there are none."""
    return np.bincount(of, values, count).astype(np.float64)


def _ratio(above: F64, below: F64) -> F64:
    """Return above/below, 0 where nothing is below."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0)


def _gamma99(mean: F64, variance: F64) -> F64:
    """Return the 99 % quantile of gamma laws; the mean where nothing varies or something is not finite."""
    known = np.isfinite(mean) & np.isfinite(variance) & (mean > 0) & (variance > 1e-12 * mean**2)
    shape = np.where(known, mean**2 / np.where(known, variance, 1.0), 1.0)
    quantile = _core.gamma_quantile(np.ascontiguousarray(shape), np.full(1, 0.99))
    return np.where(known, quantile * mean / shape, mean)
