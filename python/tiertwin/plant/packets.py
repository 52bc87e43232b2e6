"""Packets over given paths (`tiertwin._core.PacketNetwork`): links with finite buffers, sources, delays, losses.

The rules stand in ``cpp/plant/packet_network.hpp``; with equal arrivals every packet has the delay that ns-3 gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tiertwin import _core
from tiertwin.plant.reports import F64, I64

UNLIMITED = 2**31 - 1  # as a buffer: nothing is ever dropped
MOST_PACKETS = 2**24

_ARRIVALS = {"poisson": 0, "constant": 1, "on-off": 2, "trace": 3}
_SIZES = {"fixed": 0, "exponential": 1, "imix": 2}


@dataclass(frozen=True)
class PacketLinks:
    """Directed links; a number stands for all of them.

    Parameters
    ----------
    rate_bps
        Rates, bit/s, whole, [L].
    delay_ns
        Propagation delays, ns, whole, [L].
    buffer
        How many packets may wait besides the one that is sent, [L]; `UNLIMITED`: any number.
    tail, head
        Nodes, [L]: with both, paths must hang together.
    """

    rate_bps: ArrayLike
    delay_ns: ArrayLike
    buffer: ArrayLike = UNLIMITED
    tail: ArrayLike = ()
    head: ArrayLike = ()

    def config(self) -> dict[str, Any]:
        """Return the fields of the core."""
        rate = _integers("rate_bps", self.rate_bps, None)
        return {
            "link_rate_bps": rate,
            "link_delay_ns": _integers("delay_ns", self.delay_ns, len(rate)),
            "link_buffer": _integers("buffer", self.buffer, len(rate)),
            "link_tail": _integers("tail", self.tail, None),
            "link_head": _integers("head", self.head, None),
        }


@dataclass(frozen=True)
class PacketFlows:
    """Flows with their paths; a number or word stands for all of them.

    Parameters
    ----------
    paths
        Link numbers of each flow's path, in travel order.
    pps
        Mean packets a second, [F].
    arrival
        ``"poisson"``, ``"constant"``, ``"on-off"`` or ``"trace"``, [F].
    size
        ``"fixed"``, ``"exponential"`` (31 to 9000 bytes) or ``"imix"`` (64, 594, 1518 bytes as 7 : 4 : 1), [F].
    bytes
        Size or mean size on the wire, headers included, [F].
    phase_ns
        Time of a constant flow's first packet, [F]; -1: drawn.
    on_s, off_s
        Mean on and off times of on-off flows, [F]; while on, packets are Poisson.
    key
        What names a flow's random numbers, [F]; its number without it.
    """

    paths: Sequence[ArrayLike]
    pps: ArrayLike = 0.0
    arrival: str | Sequence[str] = "poisson"
    size: str | Sequence[str] = "fixed"
    bytes: ArrayLike = 1000
    phase_ns: ArrayLike = -1
    on_s: ArrayLike = 1.0
    off_s: ArrayLike = 1.0
    key: ArrayLike | None = None

    def config(self) -> dict[str, Any]:
        """Return the fields of the core."""
        count = len(self.paths)
        paths = [_integers(f"paths[{f}]", path, None) for f, path in enumerate(self.paths)]
        return {
            "path_ptr": np.cumsum([0, *map(len, paths)], dtype=np.int64),
            "path_links": np.concatenate([np.empty(0, np.int64), *paths]),
            "flow_key": _integers("key", np.arange(count) if self.key is None else self.key, count),
            "flow_arrival": _words("arrival", self.arrival, _ARRIVALS, count),
            "flow_phase_ns": _integers("phase_ns", self.phase_ns, count),
            "flow_pps": _reals("pps", self.pps, count),
            "flow_on_s": _reals("on_s", self.on_s, count),
            "flow_off_s": _reals("off_s", self.off_s, count),
            "flow_size": _words("size", self.size, _SIZES, count),
            "flow_bytes": _integers("bytes", self.bytes, count),
        }


@dataclass(frozen=True)
class PacketTrace:
    """Packets of the flows whose arrival is ``"trace"``: time (ns), flow, bytes, [N]; each flow's in order of time."""

    time_ns: ArrayLike = ()
    flow: ArrayLike = ()
    bytes: ArrayLike = ()

    def config(self) -> dict[str, Any]:
        """Return the fields of the core."""
        time = _integers("time_ns", self.time_ns, None)
        return {
            "trace_time_ns": time,
            "trace_flow": _integers("flow", self.flow, len(time)),
            "trace_bytes": _integers("bytes", self.bytes, len(time)),
        }


class PacketPlant:
    """A network of packets, played from time 0. One thread owns it; others run meanwhile.

    Parameters
    ----------
    seed
        Same seed, same arguments: the same packets. Draws belong to flows by key, so others may come and go.
    links, flows, trace
        The network and what enters it.
    stop_ns
        Sources make packets before it, ns; then queues drain.
    warm_up_ns
        Packets born before it are not counted, ns.
    record
        Keep every counted packet for `packets`.
    most_packets
        Bound on packets under way (40 to 80 bytes each) and on packets kept (32 bytes each).

    Raises
    ------
    ValueError
        Something cannot be; the message names field, index and value. Also from a run, when `most_packets` is passed.
    """

    def __init__(
        self,
        seed: int,
        links: PacketLinks,
        flows: PacketFlows,
        *,
        stop_ns: int,
        warm_up_ns: int = 0,
        trace: PacketTrace | None = None,
        record: bool = False,
        most_packets: int = MOST_PACKETS,
    ) -> None:
        self.config: dict[str, Any] = {
            **links.config(),
            **flows.config(),
            **(trace or PacketTrace()).config(),
            "stop_ns": stop_ns,
            "warm_up_ns": warm_up_ns,
            "record": record,
            "most_packets": most_packets,
        }
        self._core = _core.PacketNetwork(seed, self.config)

    @property
    def now_ns(self) -> int:
        """Time of the network, ns."""
        return self._core.now_ns

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self._core.ended

    @property
    def under_way(self) -> int:
        """Packets neither received nor lost, those of the warm-up included."""
        return self._core.under_way

    @property
    def packet_hops(self) -> int:
        """Transmissions begun since the start."""
        return self._core.packet_hops

    def run_until(self, time_ns: int) -> None:
        """Play up to and including `time_ns`; a time that is past changes nothing."""
        self._core.run_until(time_ns)

    def run_to_end(self) -> None:
        """Play until the sources have ended and no packet is under way."""
        self._core.run_to_end()

    def flows(self) -> dict[str, NDArray[Any]]:
        """Return by flow, [F]: ``sent``, ``received``, ``lost``; sum of delays ``delay_ns``, ``longest_ns``,
        ``squares_ns2``, and ``mean_ns`` (NaN where nothing was received).
        """
        found = self._core.flows()
        found["mean_ns"] = np.where(found["received"] > 0, found["delay_ns"] / np.maximum(found["received"], 1), np.nan)
        return found

    def links(self) -> dict[str, NDArray[Any]]:
        """Return by link, [L], from the warm-up on: ``busy_ns``, transmissions begun ``sent``, ``dropped`` (counted
        packets), most that waited ``peak``, and ``waiting`` now.
        """
        return self._core.links()

    def packets(self) -> dict[str, I64]:
        """Return the packets kept, in order of birth: ``flow``, ``number`` in the flow, ``born_ns``, ``bytes``,
        ``delay_ns`` (-1: lost, -2: under way), [N].
        """
        return self._core.packets()

    def quantiles(self, q: ArrayLike) -> I64:
        """Return the delays, ns, that a share `q` (0..1, [K]) of a flow's packets does not exceed, [F, K].

        The smallest such delay to within 0.4 %, exact below 256 ns; -1 where nothing was received. Exact ones follow
        from `packets`.
        """
        return self._core.quantiles(_reals("q", q, None))


def _integers(name: str, values: ArrayLike, count: int | None) -> I64:
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected whole numbers, got {given.dtype}")
    if given.dtype.kind == "u" and given.size and int(given.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"{name}: expected at most {np.iinfo(np.int64).max}, got {given.max()}")
    return _shaped(name, given, count).astype(np.int64, order="C")


def _reals(name: str, values: ArrayLike, count: int | None) -> F64:
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iuf":
        raise TypeError(f"{name}: expected numbers, got {given.dtype}")
    return _shaped(name, given, count).astype(np.float64, order="C")


def _shaped(name: str, given: NDArray[Any], count: int | None) -> NDArray[Any]:
    if given.ndim == 0:
        return np.full(1 if count is None else count, given)
    if given.ndim != 1 or (count is not None and len(given) != count):
        expected = "one-dimensional" if count is None else f"a number or {count} of them"
        raise ValueError(f"{name}: expected {expected}, got shape {given.shape}")
    return given


def _words(name: str, given: str | Sequence[str], known: dict[str, int], count: int) -> I64:
    words = [given] * count if isinstance(given, str) else list(given)
    for k, word in enumerate(words):
        if word not in known:
            raise ValueError(f"{name}[{k}]: expected one of {', '.join(known)}, got {word!r}")
    return _shaped(name, np.array([known[word] for word in words], dtype=np.int64), count)
