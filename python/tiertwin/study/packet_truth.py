"""What packets really did in a scene: long runs of the packet plant, and how sure we are of it.

Two runs with seeds of their own make a truth. A flow's mean delay is taken as what its packets waited on average plus
what the mean size takes to be sent: the sizes that happened to be drawn are known, so their luck is taken out. The luck
that is left follows from batch means, flow by flow: its waits over `BATCHES` equal parts of each run (A. M. Law,
Simulation Modeling and Analysis). A model cannot be shown to be better than that, so the tables print it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin.functions.performance import Sizes
from tiertwin.plant.packets import PacketFlows, PacketLinks, PacketPlant

F64 = NDArray[np.float64]
Network = tuple[PacketLinks, PacketFlows]
SECOND = 1_000_000_000
QUANTILES = (0.95, 0.99)
BATCHES = 8  # of a run; shorter than that, queues would remember one batch in the next


@dataclass(frozen=True)
class Truth:
    """What happened to each flow's packets, [F].

    Parameters
    ----------
    mean_s, p95_s, p99_s
        Delay of the packets that arrived, s; the mean at the mean size.
    fixed_s
        The part of the mean that no queue has made: transmission of the mean packet, and propagation, s.
    loss, throughput_pps
        Share of packets lost, and packets received a second.
    sent
        Packets counted.
    sampling_s, p99_sampling_s
        Standard errors that sampling leaves in `mean_s` and in `p99_s`, s, [F].
    """

    mean_s: F64
    p95_s: F64
    p99_s: F64
    fixed_s: F64
    loss: F64
    throughput_pps: F64
    sent: NDArray[np.int64]
    sampling_s: F64
    p99_sampling_s: F64

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


def truth(network: Network, seed: int, seconds: float, warm_up_s: float = 5.0) -> Truth:
    """Play a scene twice, with seeds `seed` and `seed + 1`, `seconds` each."""
    runs = [_played(network, seed + k, seconds, warm_up_s) for k in (0, 1)]
    quantiles = np.array([run.quantiles(QUANTILES) for run, _ in runs], dtype=np.float64)
    quantiles[quantiles < 0] = np.nan  # of a flow that received nothing
    parts = {name: np.concatenate([books[name] for _, books in runs]) for name in _COUNTED}  # [2 BATCHES, F]
    sent, received, lost = (parts[name].sum(axis=0) for name in ("sent", "received", "lost"))
    fixed = fixed_delays(network)
    waited = waits_of(network, parts["delay_ns"], parts["bytes"], parts["received"])
    wait = _over(waited.sum(axis=0), received)
    sampling = _sampling(waited, parts["received"], wait)
    p95, p99 = quantiles.mean(axis=0).T / SECOND
    return Truth(
        mean_s=wait + fixed,
        p95_s=p95,
        p99_s=p99,
        fixed_s=fixed,
        loss=lost / np.maximum(sent, 1),
        throughput_pps=received / (2 * seconds),
        sent=sent,
        sampling_s=sampling,
        p99_sampling_s=_alike(sampling, np.diff(quantiles[:, :, 1], axis=0)[0] / (2 * SECOND), p99),
    )


_COUNTED = ("sent", "received", "lost", "delay_ns", "bytes")


def _played(
    network: Network, seed: int, seconds: float, warm_up_s: float
) -> tuple[PacketPlant, dict[str, NDArray[np.int64]]]:
    """Play a scene; return the plant, and what its flows counted in each batch, [BATCHES, F]."""
    warm_up, stop = round(warm_up_s * SECOND), round((warm_up_s + seconds) * SECOND)
    plant = PacketPlant(seed, *network, stop_ns=stop, warm_up_ns=warm_up)
    books = []
    for batch in range(1, BATCHES):
        plant.run_until(warm_up + (stop - warm_up) * batch // BATCHES)
        books.append(plant.flows())
    plant.run_to_end()
    books.append(plant.flows())
    counted = {name: np.stack([book[name] for book in books]) for name in _COUNTED}
    return plant, {name: np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1])) for name, rows in counted.items()}


def _over(sums: F64, count: NDArray[Any]) -> F64:
    """Return sums over counts, NaN where nothing was counted."""
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def _sampling(waited: F64, received: NDArray[np.int64], wait: F64) -> F64:
    """Return the standard error of each flow's mean wait from the batches, [F] (ratio estimator)."""
    batches = len(waited)
    apart = waited - received * wait
    return _over(np.sqrt(np.sum(apart**2, axis=0) * batches / (batches - 1)), received.sum(axis=0))


def _alike(sampling: F64, apart: F64, p99: F64) -> F64:
    """Return the standard errors of the flows' p99, [F]: those of their means times one factor, from half the
    differences of the two runs (one number a flow says nothing of that flow alone).
    """
    seen = np.isfinite(apart) & np.isfinite(sampling) & (sampling > 0)
    squares = [float(np.sum((values[seen] / p99[seen]) ** 2)) for values in (apart, sampling)]
    return sampling * math.sqrt(squares[0] / max(squares[1], 1e-300))


def waits_of(network: Network, delay_ns: NDArray[Any], size: NDArray[Any], count: NDArray[Any]) -> F64:
    """Return the time that `count` packets of each flow spent in queues, s, from sums of delays, ns, and sizes, bytes.

    Arrays are [..., F].
    """
    propagation, a_byte = _along_paths(network)
    return delay_ns / SECOND - size * a_byte - count * propagation


def sizes_of(network: Network) -> Sizes:
    """Return the moments of the sizes that a scene's flows draw (one law for all)."""
    law, mean = network[1].size, network[1].config()["flow_bytes"]
    if law == "imix":
        return Sizes.imix()
    return Sizes.fixed(mean) if law == "fixed" else Sizes.exponential(mean)


def fixed_delays(network: Network) -> F64:
    """Return each flow's propagation and the transmission of its mean packet over its path, s, [F]."""
    propagation, a_byte = _along_paths(network)
    return propagation + np.asarray(sizes_of(network).mean, dtype=np.float64) * a_byte


def _along_paths(network: Network) -> tuple[F64, F64]:
    """Return each flow's propagation, s, and transmission time of a byte, s, over its path, [F]."""
    links, flows = (part.config() for part in network)
    hops, first = flows["path_links"], flows["path_ptr"][:-1]
    delay, a_byte = links["link_delay_ns"] / SECOND, 8.0 / links["link_rate_bps"]
    return np.add.reduceat(delay[hops], first), np.add.reduceat(a_byte[hops], first)
