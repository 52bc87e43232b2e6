"""The twin's own performance model of packets: delays, tails, losses and energy of flows over given paths.

The formulas, their sources and what is fitted stand in ``cpp/perf/model.hpp`` and ``docs/performance-model.md``.
Arrays in, arrays out: F flows, L links. A twin predicts with what telemetry told it, compares with what telemetry says
next, and calibrates; what it learnt is a `PerformanceState`, part of the twin's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.model.arrays import codes, real_numbers, whole_numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]

UNLIMITED = 2**31 - 1  # as a buffer: nothing is ever dropped
KINDS = {"fifo": 0, "sharing": 1, "priority": 2}
PRIOR_SD = 0.015  # of the logarithm of a link's wait, before any telemetry
NINETY_PERCENT = 1.6448536269514722  # standard deviations


@dataclass(frozen=True)
class Sizes:
    """Packet sizes on the wire by their moments; numbers, or arrays [F].

    Parameters
    ----------
    mean, second, third
        E[S] bytes, E[S^2] bytes^2, E[S^3] bytes^3.
    smallest, largest
        Bytes; `largest` may be infinite.
    """

    mean: ArrayLike
    second: ArrayLike
    third: ArrayLike
    smallest: ArrayLike = 0.0
    largest: ArrayLike = np.inf

    @classmethod
    def fixed(cls, size: ArrayLike) -> Sizes:
        """Return sizes that are all `size` bytes."""
        s = np.asarray(size, dtype=np.float64)
        return cls(s, s**2, s**3, s, s)

    @classmethod
    def exponential(cls, mean: ArrayLike, least: float = 31.0, most: float = 9000.0) -> Sizes:
        """Return exponential sizes of mean `mean` bytes before they are rounded and clamped to `least`..`most`."""
        m = np.asarray(mean, dtype=np.float64)
        # E[clamp(X)^k] = least^k + k int_least^most x^(k-1) exp(-x/m) dx; rounding adds 1/12 to the second moment
        low, high = np.exp(-least / m), np.exp(-most / m)
        ends = [(x, p) for x, p in ((least, low), (most, high))]
        i0 = m * (ends[0][1] - ends[1][1])
        i1 = m * ((ends[0][0] + m) * ends[0][1] - (ends[1][0] + m) * ends[1][1])
        i2 = m * sum(sign * (x * x + 2 * m * x + 2 * m * m) * p for sign, (x, p) in zip((1, -1), ends, strict=True))
        return cls(least + i0, least**2 + 2 * i1 + 1 / 12, least**3 + 3 * i2, least, most)

    @classmethod
    def of(cls, values: ArrayLike, weights: ArrayLike) -> Sizes:
        """Return the law that takes `values` (bytes) with `weights`, one for all flows."""
        v, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
        w = w / w.sum()
        return cls(float(w @ v), float(w @ v**2), float(w @ v**3), float(v.min()), float(v.max()))

    @classmethod
    def imix(cls) -> Sizes:
        """Return 64, 594 and 1518 bytes as 7 : 4 : 1."""
        return cls.of([64, 594, 1518], [7, 4, 1])


@dataclass(frozen=True)
class PathLinks:
    """Directed links; a number or word stands for all of them, arrays are [L].

    Parameters
    ----------
    rate_bps, delay_ns
        Rate, bit/s; propagation delay, ns.
    buffer
        How many packets may wait besides the one that is sent; `UNLIMITED`: any number.
    kind
        ``"fifo"``, ``"sharing"`` (processor sharing) or ``"priority"`` (not preemptive); the last two unlimited.
    idle_w, full_w
        Power at rest and at full load, W.
    """

    rate_bps: ArrayLike
    delay_ns: ArrayLike = 0.0
    buffer: ArrayLike = UNLIMITED
    kind: str | Sequence[str] = "fifo"
    idle_w: ArrayLike = 0.0
    full_w: ArrayLike = 0.0


@dataclass(frozen=True)
class PathFlows:
    """What the flows send; a number stands for all of them, arrays are [F].

    Parameters
    ----------
    pps
        Mean packets/s.
    sizes
        Packet sizes.
    ca2
        Index of dispersion of arrivals over long times: 1 Poisson, 0 constant rate, above 1 bursts (see `on_off`).
    burst_s
        Its correlation time, s; 0: that of single packets.
    priority
        Class at priority links, 0 is served first.
    """

    pps: ArrayLike
    sizes: Sizes
    ca2: ArrayLike = 1.0
    burst_s: ArrayLike = 0.0
    priority: ArrayLike = 0


def on_off(pps: ArrayLike, on_s: ArrayLike, off_s: ArrayLike) -> tuple[F64, F64]:
    """Return `ca2` and `burst_s` of flows that are Poisson while on, with exponential on and off times.

    The rate is h = pps (on + off)/on while on. Its covariance p (1 - p) h^2 exp(-t/tau), p = on/(on + off),
    1/tau = 1/on + 1/off, gives a dispersion of 1 + 2 (1 - p) h tau over long times.
    """
    rate, on, off = (np.asarray(x, dtype=np.float64) for x in (pps, on_s, off_s))
    tau = on * off / (on + off)
    return 1 + 2 * off / on * rate * tau, tau


@dataclass
class PerformanceState:
    """What calibration knows: by link, [L], the logarithm of the factor on its wait and the variance of that."""

    log_factor: F64
    variance: F64

    @classmethod
    def nominal(cls, links: int, prior_sd: float = PRIOR_SD) -> PerformanceState:
        """Return the state before any telemetry."""
        return cls(np.zeros(links), np.full(links, prior_sd**2))

    def copy(self) -> PerformanceState:
        """Return a copy that shares nothing (a fork)."""
        return PerformanceState(self.log_factor.copy(), self.variance.copy())

    def to_array(self) -> F64:
        """Return both as one array, [2, L]."""
        return np.stack([self.log_factor, self.variance])

    @classmethod
    def from_array(cls, values: ArrayLike) -> PerformanceState:
        """Return what `to_array` wrote."""
        given = np.array(values, dtype=np.float64)
        if given.ndim != 2 or given.shape[0] != 2:
            raise ValueError(f"state: expected shape (2, links) as `to_array` writes it, got {given.shape}")
        return cls(given[0].copy(), given[1].copy())


@dataclass(frozen=True)
class Prediction:
    """What the model expects. Delays in s, rates in packets/s, loss as a share; by flow [F] unless said otherwise.

    ``wait`` is the part of ``mean`` spent in queues; ``*_low`` and ``*_high`` bound the interval. ``low_confidence``:
    fewer than ten flows a link where the flow waits, arrivals that are not Poisson, or an overloaded link.
    By link [L]: ``utilisation``, ``link_wait``, ``link_loss``, ``power`` (W), ``memory`` (s over which waits are
    correlated). ``hop_wait``: by hop, in order of the paths.
    """

    mean: F64
    wait: F64
    sd: F64
    p95: F64
    p99: F64
    loss: F64
    throughput: F64
    mean_low: F64
    mean_high: F64
    p99_low: F64
    p99_high: F64
    loss_low: F64
    loss_high: F64
    low_confidence: NDArray[np.bool_]
    utilisation: F64
    link_wait: F64
    link_loss: F64
    power: F64
    memory: F64
    hop_wait: F64


@dataclass(frozen=True)
class Observed:
    """Telemetry of one window; NaN or 0 packets where nothing was seen.

    Parameters
    ----------
    seconds
        Length of the window.
    flow_delay, flow_packets
        Mean delay, s, over how many packets, [F].
    link_wait, link_packets
        Mean wait, s, over how many packets, [L].
    """

    seconds: float
    flow_delay: ArrayLike = np.nan
    flow_packets: ArrayLike = 0.0
    link_wait: ArrayLike = np.nan
    link_packets: ArrayLike = 0.0


@dataclass
class PerformanceModel:
    """Predicts what flows get on their paths. Immutable but for `state`, so a copy of the state is a fork.

    Parameters
    ----------
    links
        Number of links L.
    paths
        Link numbers of each flow's path in travel order, or a pair (path_ptr [F+1], path_links) of whole numbers.
    coefficients
        Fitted coefficients in the order of ``cpp/perf/config.hpp``; ours without it.
    state
        What calibration knows; nominal without it.

    Raises
    ------
    ValueError
        Something cannot be; the message names field, index and value.
    """

    links: int
    paths: Sequence[ArrayLike] | tuple[ArrayLike, ArrayLike]
    coefficients: F64 = field(default_factory=_core.perf_coefficients)
    state: PerformanceState | None = None

    def __post_init__(self) -> None:
        ptr, path_links = self.pointers()
        self.flows = len(ptr) - 1
        self._core = _core.PerformanceModel(int(self.links), ptr, path_links)
        if self.state is None:
            self.state = PerformanceState.nominal(self.links)

    def pointers(self) -> tuple[Any, Any]:
        """Return the paths as path_ptr [F+1] and path_links."""
        given = self.paths
        if isinstance(given, tuple) and len(given) == 2:
            return whole_numbers("path_ptr", given[0], None), whole_numbers("path_links", given[1], None)
        paths = [whole_numbers(f"paths[{f}]", path, None) for f, path in enumerate(given)]
        return np.cumsum([0, *map(len, paths)], dtype=np.int64), np.concatenate([np.empty(0, np.int64), *paths])

    def predict(self, links: PathLinks, flows: PathFlows, *, z: float = NINETY_PERCENT) -> Prediction:
        """Evaluate the network once.

        Parameters
        ----------
        links, flows
            The state of the network.
        z
            Half-widths of intervals, in standard deviations.
        """
        assert self.state is not None
        state = self.state
        found = self._core.predict(self.traffic(links, flows), self.coefficients, state.log_factor, state.variance, z)
        return Prediction(**found)

    def calibrate(self, links: PathLinks, flows: PathFlows, seen: Observed, *, forget: float = 1.0) -> None:
        """Learn from a window of telemetry: `state` moves.

        Parameters
        ----------
        links, flows
            The state of the network during the window.
        seen
            What telemetry says.
        forget
            Factor by which what was known before fades, (0, 1].
        """
        assert self.state is not None
        window = {
            "seconds": float(seen.seconds),
            "flow_delay": real_numbers("flow_delay", seen.flow_delay, self.flows),
            "flow_packets": real_numbers("flow_packets", seen.flow_packets, self.flows),
            "link_wait": real_numbers("link_wait", seen.link_wait, self.links),
            "link_packets": real_numbers("link_packets", seen.link_packets, self.links),
        }
        traffic, state = self.traffic(links, flows), self.state
        theta, variance = self._core.calibrate(
            traffic, self.coefficients, state.log_factor, state.variance, window, forget, PRIOR_SD**2
        )
        self.state = PerformanceState(theta, variance)

    def fork(self) -> PerformanceModel:
        """Return a model with a state of its own."""
        assert self.state is not None
        return replace(self, state=self.state.copy())

    def traffic(self, links: PathLinks, flows: PathFlows) -> dict[str, Any]:
        """Return the state of the network as the core reads it: every array whole, [L] or [F]."""
        sizes = flows.sizes
        return {
            "link_rate_bps": real_numbers("rate_bps", links.rate_bps, self.links),
            "link_delay_ns": real_numbers("delay_ns", links.delay_ns, self.links),
            "link_buffer": whole_numbers("buffer", links.buffer, self.links),
            "link_kind": codes("kind", links.kind, KINDS, self.links),
            "link_idle_w": real_numbers("idle_w", links.idle_w, self.links),
            "link_full_w": real_numbers("full_w", links.full_w, self.links),
            "flow_pps": real_numbers("pps", flows.pps, self.flows),
            "flow_size": real_numbers("sizes.mean", sizes.mean, self.flows),
            "flow_size2": real_numbers("sizes.second", sizes.second, self.flows),
            "flow_size3": real_numbers("sizes.third", sizes.third, self.flows),
            "flow_smallest": real_numbers("sizes.smallest", sizes.smallest, self.flows),
            "flow_largest": real_numbers("sizes.largest", sizes.largest, self.flows),
            "flow_ca2": real_numbers("ca2", flows.ca2, self.flows),
            "flow_burst_s": real_numbers("burst_s", flows.burst_s, self.flows),
            "flow_class": whole_numbers("priority", flows.priority, self.flows),
        }


def stack(predictions: Sequence[Prediction]) -> dict[str, NDArray[Any]]:
    """Return the arrays of several predictions by name, one row each."""
    return {f.name: np.stack([getattr(p, f.name) for p in predictions]) for f in fields(Prediction)}
