"""What really happened in a plant between two looks: for results, never for twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tiertwin.plant.reports import F64, I64

GroupSum = Literal[
    "generated",
    "completed",
    "in_time",
    "late",
    "shed",
    "lost",
    "latency_s",
    "in_time_latency_s",
    "energy_j",
    "goodput_mb",
]
_SUMS = ("generated", "in_time", "late", "shed", "lost", "latency_s", "in_time_latency_s", "energy_j", "goodput_mb")
_OPTIONAL_SUMS = (
    "link_down_s",
    "server_down_s",
    "link_failures",
    "server_failures",
    "station_j",
    "station_asleep_s",
)
PRB_HZ_S = 180.0  # Hz s of a resource block of 180 kHz and 1 ms
_MEANS = ("server_load_ghz", "server_utilisation", "link_load_mbps", "link_utilisation", "cell_airtime")


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class RadioKpis:
    """Counts of a radio access network over one interval, all cells together. Blocks are those of whole steps."""

    handovers: int
    ping_pongs: int
    link_failures: int
    users_without_cell: int
    """At the end of the interval."""
    down_sent: int
    """Packets down, as the next three."""
    down_received: int
    down_lost: int
    down_delay_s: float
    """Sum over those received."""
    down_histogram: I64
    """Those received by delay, bins as `PlantKpis.histogram_edges_s`, [B]."""
    up_bits: int
    """Of packets received."""
    up_prbs: int
    """Resource blocks of 180 kHz and 1 ms used up."""

    @property
    def down_mean_delay_s(self) -> float:
        """Mean delay of packets down; NaN when none was received."""
        return self.down_delay_s / self.down_received if self.down_received else float("nan")

    @property
    def up_bits_per_hz_s(self) -> float:
        """Spectral efficiency up, bit/s/Hz over the blocks used; NaN when there are none."""
        return self.up_bits / (self.up_prbs * PRB_HZ_S) if self.up_prbs else float("nan")

    @staticmethod
    def merge(parts: Sequence[RadioKpis]) -> RadioKpis:
        """Return one interval made of `parts` in order of time."""
        added = {f.name: sum(getattr(part, f.name) for part in parts) for f in fields(RadioKpis)}
        return RadioKpis(**{**added, "users_without_cell": parts[-1].users_without_cell})


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class PlantKpis:
    """Counts and sums of one interval. G = S·C·R groups in the order (site, class, ring), Q servers, L directed links.

    ``generated + under way before = completed + shed + lost + in_flight``; ``completed = in_time + late``.
    """

    shape: tuple[int, int, int]
    """Sites, classes, rings."""
    from_ns: int
    to_ns: int
    in_flight: int
    """Tasks under way at `to_ns`."""
    generated: I64
    in_time: I64
    late: I64
    shed: I64
    """Refused by the set-point (admission)."""
    lost: I64
    """At failed links and servers, or at full buffers."""
    latency_s: F64
    """Sum over completed tasks, from making to result, s."""
    in_time_latency_s: F64
    energy_j: F64
    """Of completed and lost tasks, at all tiers together."""
    goodput_mb: F64
    """Megabits of tasks done in time."""
    executed: I64
    """Completed tasks by tier, [G, 4]."""
    latency_histogram: I64
    """Completed tasks by latency, [C, B]."""
    histogram_edges_s: F64
    """Bins less than 0.8 % wide, [B + 1]."""
    server_load_ghz: F64
    """Mean busy GHz, [Q]."""
    server_utilisation: F64
    link_load_mbps: F64
    """Mean load by tasks, [L]."""
    link_utilisation: F64
    """Tasks and background over the capacity, [L]."""
    cell_airtime: F64
    """Busy share of each site's cells, [S]."""

    link_down_s: F64 | None = None
    """Time each directed link was down, whyever, with wear or weather, s, [L]."""
    server_down_s: F64 | None = None
    """The same of servers, [Q]."""
    link_failures: I64 | None = None
    """Failures by wear of each undirected link, [L / 2]."""
    server_failures: I64 | None = None
    """Failures by wear of each server, [Q]."""
    link_capacity_mbps: F64 | None = None
    """Mean capacity of each directed link under the weather, [L]; an outage counts as the slowest step."""
    station_j: F64 | None = None
    """Energy of each site's base stations, J, [S]."""
    station_asleep_s: F64 | None = None
    """Time they slept, s, [S]; with a radio access, the mean over a site's cells."""
    radio: RadioKpis | None = None
    """Of the radio access, where there is one."""
    faults: F64 | None = None
    """Start and end of each injected fault that lasted in the interval, s (infinite: to the end), where there may be
    any, [k, 2]."""

    @classmethod
    def of(cls, taken: Mapping[str, Any], shape: tuple[int, int, int], server_ghz: F64) -> PlantKpis:
        """Build from what the core returns; `server_ghz` is the capacity of each server, [Q]."""
        radio = {"radio": RadioKpis(**taken["radio"])} if "radio" in taken else {}
        return cls(shape=shape, server_utilisation=taken["server_load_ghz"] / server_ghz, **{**taken, **radio})

    @property
    def completed(self) -> I64:
        """Tasks done, [G]."""
        return self.in_time + self.late

    @property
    def seconds(self) -> float:
        """Length of the interval."""
        return (self.to_ns - self.from_ns) * 1e-9

    def by_class(self, name: GroupSum) -> NDArray[Any]:
        """Return a count or sum by class, [C]."""
        return np.asarray(getattr(self, name).reshape(self.shape).sum(axis=(0, 2)))

    def by_site_class(self, name: GroupSum) -> NDArray[Any]:
        """Return a count or sum by site and class, [S, C]."""
        return np.asarray(getattr(self, name).reshape(self.shape).sum(axis=2))

    def total(self, name: GroupSum) -> float:
        """Return a count or sum over everything."""
        return float(getattr(self, name).sum())

    @property
    def latency_mean_s(self) -> float:
        """Mean latency of completed tasks; NaN when there is none."""
        done = self.total("completed")
        return self.total("latency_s") / done if done else float("nan")

    @property
    def deadline_miss_ratio(self) -> float:
        """Late, shed and lost tasks over all that ended in the interval; NaN when none did."""
        ended = self.total("completed") + self.total("shed") + self.total("lost")
        return 1.0 - self.total("in_time") / ended if ended else float("nan")

    @property
    def goodput_mbps(self) -> float:
        """Megabits of tasks done in time, a second."""
        return self.total("goodput_mb") / self.seconds if self.seconds else float("nan")

    @property
    def energy_per_task_j(self) -> float:
        """Energy of all tasks over the completed ones; NaN when there is none."""
        done = self.total("completed")
        return self.total("energy_j") / done if done else float("nan")

    def latency_quantile_s(self, quantile: float, of_class: int | None = None) -> float:
        """Return a quantile (0..1) of the latency of completed tasks, exact to 0.8 %; NaN when there is none."""
        counts = self.latency_histogram.sum(axis=0) if of_class is None else self.latency_histogram[of_class]
        return self._quantile(quantile, counts)

    def down_quantile_s(self, quantile: float) -> float:
        """Return a quantile (0..1) of the delay of packets down, exact to 0.8 %; NaN when there is none."""
        return float("nan") if self.radio is None else self._quantile(quantile, self.radio.down_histogram)

    def _quantile(self, quantile: float, counts: I64) -> float:
        if not 0.0 <= quantile <= 1.0:
            raise ValueError(f"quantile: expected a number from 0 to 1, got {quantile}")
        below = np.cumsum(counts)
        if below[-1] == 0:
            return float("nan")
        rank = quantile * float(below[-1])
        bin_ = min(int(np.searchsorted(below, rank, side="left")), len(counts) - 1)
        within = (rank - float(below[bin_] - counts[bin_])) / max(float(counts[bin_]), 1.0)
        low, high = self.histogram_edges_s[bin_ : bin_ + 2]
        return float(low + min(max(within, 0.0), 1.0) * (high - low))

    @staticmethod
    def merge(parts: Sequence[PlantKpis]) -> PlantKpis:
        """Return one interval made of `parts` in order of time: counts add, loads are weighted by length."""
        if not parts:
            raise ValueError("merge: expected at least one interval, got none")
        first, last = parts[0], parts[-1]
        seconds = np.array([part.seconds for part in parts])
        weight = seconds / seconds.sum() if seconds.sum() > 0 else np.full(len(parts), 1.0 / len(parts))
        added = {name: sum(getattr(part, name) for part in parts) for name in (*_SUMS, "executed", "latency_histogram")}
        added |= {name: _added([getattr(part, name) for part in parts]) for name in _OPTIONAL_SUMS}
        if all(part.link_capacity_mbps is not None for part in parts):
            added["link_capacity_mbps"] = np.tensordot(weight, [part.link_capacity_mbps for part in parts], 1)
        radio = [part.radio for part in parts if part.radio is not None]
        means = {name: np.tensordot(weight, [getattr(part, name) for part in parts], 1) for name in _MEANS}
        return PlantKpis(
            shape=first.shape,
            from_ns=first.from_ns,
            to_ns=last.to_ns,
            in_flight=last.in_flight,
            histogram_edges_s=first.histogram_edges_s,
            radio=RadioKpis.merge(radio) if len(radio) == len(parts) else None,
            faults=_all_faults([part.faults for part in parts]),
            **added,
            **means,
        )


def _all_faults(parts: Sequence[F64 | None]) -> F64 | None:
    """Return each fault once, None where a part has none."""
    there = [part for part in parts if part is not None]
    return np.unique(np.concatenate(there), axis=0) if len(there) == len(parts) else None


def _added(parts: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Return the sum, None where a part has none."""
    there = [part for part in parts if part is not None]
    return np.sum(there, axis=0) if len(there) == len(parts) else None
