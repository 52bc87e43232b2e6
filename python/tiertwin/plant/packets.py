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
from tiertwin.model.arrays import I64, codes, real_numbers, whole_numbers

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
        rate = whole_numbers("rate_bps", self.rate_bps, None)
        return {
            "link_rate_bps": rate,
            "link_delay_ns": whole_numbers("delay_ns", self.delay_ns, len(rate)),
            "link_buffer": whole_numbers("buffer", self.buffer, len(rate)),
            "link_tail": whole_numbers("tail", self.tail, None),
            "link_head": whole_numbers("head", self.head, None),
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
        paths = [whole_numbers(f"paths[{f}]", path, None) for f, path in enumerate(self.paths)]
        return {
            "path_ptr": np.cumsum([0, *map(len, paths)], dtype=np.int64),
            "path_links": np.concatenate([np.empty(0, np.int64), *paths]),
            "flow_key": whole_numbers("key", np.arange(count) if self.key is None else self.key, count),
            "flow_arrival": codes("arrival", self.arrival, _ARRIVALS, count),
            "flow_phase_ns": whole_numbers("phase_ns", self.phase_ns, count),
            "flow_pps": real_numbers("pps", self.pps, count),
            "flow_on_s": real_numbers("on_s", self.on_s, count),
            "flow_off_s": real_numbers("off_s", self.off_s, count),
            "flow_size": codes("size", self.size, _SIZES, count),
            "flow_bytes": whole_numbers("bytes", self.bytes, count),
        }


@dataclass(frozen=True)
class PacketTrace:
    """Packets of the flows whose arrival is ``"trace"``: time (ns), flow, bytes, [N]; each flow's in order of time."""

    time_ns: ArrayLike = ()
    flow: ArrayLike = ()
    bytes: ArrayLike = ()

    def config(self) -> dict[str, Any]:
        """Return the fields of the core."""
        time = whole_numbers("time_ns", self.time_ns, None)
        return {
            "trace_time_ns": time,
            "trace_flow": whole_numbers("flow", self.flow, len(time)),
            "trace_bytes": whole_numbers("bytes", self.bytes, len(time)),
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
        """Return by flow, [F]: ``sent``, ``received``, ``lost``; of those received the sum of delays ``delay_ns``,
        ``longest_ns``, ``squares_ns2``, ``bytes``, and ``mean_ns`` (NaN where nothing was received).
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
        return self._core.quantiles(real_numbers("q", q, None))
