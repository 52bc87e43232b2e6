"""What packets really did in a scene: long runs of the packet plant, and how sure we are of it.

Two runs with seeds of their own make a truth: their mean is the reference, half their difference is the error that is
left in it. A model cannot be shown to be better than that, so the tables print it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiertwin.functions.performance import Sizes
from tiertwin.plant.packets import PacketFlows, PacketLinks, PacketPlant

F64 = NDArray[np.float64]
Network = tuple[PacketLinks, PacketFlows]
SECOND = 1_000_000_000
QUANTILES = (0.95, 0.99)


@dataclass(frozen=True)
class Truth:
    """What happened to each flow's packets, [F].

    Parameters
    ----------
    mean_s, p95_s, p99_s
        Delay of the packets that arrived, s.
    fixed_s
        The part of the mean that no queue has made: transmission of the mean packet, and propagation, s.
    loss, throughput_pps
        Share of packets lost, and packets received a second.
    sent
        Packets counted.
    sampling_s
        Standard error that sampling leaves in `mean_s`, s, [F]: the same share of every flow's wait.
    """

    mean_s: F64
    p95_s: F64
    p99_s: F64
    fixed_s: F64
    loss: F64
    throughput_pps: F64
    sent: NDArray[np.int64]
    sampling_s: F64

    @property
    def floor(self) -> float:
        """Mean over flows of the relative error that sampling is expected to leave in `mean_s`."""
        return float(np.nanmean(self.sampling_s / self.mean_s)) * math.sqrt(2.0 / math.pi)

    @property
    def wait_s(self) -> F64:
        """Mean time in queues, s, [F]."""
        return self.mean_s - self.fixed_s


def play(network: Network, seed: int, seconds: float, warm_up_s: float = 5.0) -> PacketPlant:
    """Play a scene for `seconds` after a warm-up."""
    stop = round((warm_up_s + seconds) * SECOND)
    plant = PacketPlant(seed, *network, stop_ns=stop, warm_up_ns=round(warm_up_s * SECOND))
    plant.run_to_end()
    return plant


def truth(network: Network, seed: int, seconds: float) -> Truth:
    """Play a scene twice, with seeds `seed` and `seed + 1`, `seconds` each."""
    runs = [play(network, seed + k, seconds) for k in (0, 1)]
    books = [run.flows() for run in runs]
    first, second = (book["mean_ns"] / SECOND for book in books)
    quantiles = np.array([run.quantiles(QUANTILES) for run in runs], dtype=np.float64)
    quantiles[quantiles < 0] = np.nan  # of a flow that received nothing
    sent, received, lost, delay = (books[0][key] + books[1][key] for key in ("sent", "received", "lost", "delay_ns"))
    mean = np.where(received > 0, delay / np.maximum(received, 1) / SECOND, np.nan)
    fixed = fixed_delays(network)
    return Truth(
        mean_s=mean,
        p95_s=quantiles[:, :, 0].mean(axis=0) / SECOND,
        p99_s=quantiles[:, :, 1].mean(axis=0) / SECOND,
        fixed_s=fixed,
        loss=lost / np.maximum(sent, 1),
        throughput_pps=received / (2 * seconds),
        sent=sent,
        sampling_s=_sampling(first, second, mean - fixed),
    )


def _sampling(first: F64, second: F64, wait: F64) -> F64:
    """Return the standard error of the mean of two runs: a share of the wait, the same for every flow."""
    apart = (first - second) / 2.0
    seen = np.isfinite(apart) & (wait > 0)
    share = math.sqrt(float(np.sum(apart[seen] ** 2)) / max(float(np.sum(wait[seen] ** 2)), 1e-300))
    return share * np.maximum(wait, 0.0)


def sizes_of(network: Network) -> Sizes:
    """Return the moments of the sizes that a scene's flows draw (one law for all)."""
    law, mean = network[1].size, network[1].config()["flow_bytes"]
    if law == "imix":
        return Sizes.imix()
    return Sizes.fixed(mean) if law == "fixed" else Sizes.exponential(mean)


def fixed_delays(network: Network) -> F64:
    """Return each flow's propagation and the transmission of its mean packet over its path, s, [F]."""
    links, flows = (part.config() for part in network)
    a_byte = 8.0 / links["link_rate_bps"]
    pieces = links["link_delay_ns"][flows["path_links"]] / SECOND
    mean = np.broadcast_to(np.asarray(sizes_of(network).mean, dtype=np.float64), len(flows["flow_pps"]))
    size = np.repeat(mean, np.diff(flows["path_ptr"]))
    pieces = pieces + size * a_byte[flows["path_links"]]
    return np.add.reduceat(pieces, flows["path_ptr"][:-1])
