"""What a run was worth: KPIs an epoch from the plant's books and the twins' beliefs, and one row a policy at the end.

The one place where the plant's truth and the twins' beliefs meet; nothing of it goes back to a twin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.trees import Leaf, Tree, evaluate
from tiertwin.world import node_resources
from tiertwin.world.utility import utility_a_task

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.plant import PlantKpis, RadioKpis
    from tiertwin.runtime.observed import Observation
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

E_SYNC_J_PER_BYTE = 5e-8  # energy of moving a byte of twin traffic (default, not from a standard)
EDGE, FOG = 1, 2  # tier numbers
E_CPU_J_PER_S = 10.0  # energy of a CPU-second of twin work (default, not from a standard)


def plant_utility(world: World, kpis: PlantKpis) -> float:
    """Utility realised in the plant per offered task: `world.utility` on what happened, latency and energy of all."""
    shape = (world.site_count, len(world.class_names))
    books = [kpis.by_site_class(name).reshape(shape) for name in ("generated", "completed", "latency_s", "energy_j")]
    offered, done = (tasks.astype(np.float64) for tasks in books[:2])
    return float(utility_a_task(world, offered, done, *books[2:]))


def jain(world: World, kpis: PlantKpis) -> float:
    """Jain's index of the in-time share over site × class."""
    offered = kpis.by_site_class("generated").astype(np.float64).ravel()
    good = kpis.by_site_class("in_time").astype(np.float64).ravel()
    x = (good / np.maximum(offered, 1.0))[offered > 0]
    return float(x.sum() ** 2 / max(len(x) * float((x**2).sum()), 1e-12)) if len(x) else float("nan")


def utilisation(world: World, kpis: PlantKpis) -> float:
    """Busy share of all servers, by capacity."""
    cores = np.concatenate([world.site_cores, world.fog_cores, [world.cloud_cores]])
    return float(kpis.server_load_ghz.sum() / (cores.sum() * world.core_ghz))


def surroundings(kpis: PlantKpis) -> dict[str, float]:
    """Figures of what the scenario enables: failures, weather, base stations, radio access."""
    found: dict[str, float] = {}
    if kpis.station_j is not None:
        found["base_station_energy_j"] = float(kpis.station_j.sum())
    if kpis.link_failures is not None and kpis.server_failures is not None:
        found["failures"] = float(kpis.link_failures.sum() + kpis.server_failures.sum())
    if kpis.link_down_s is not None and kpis.server_down_s is not None:
        found["downtime_s"] = float(kpis.link_down_s.reshape(-1, 2).max(axis=1).sum() + kpis.server_down_s.sum())
    return found | (radio(kpis.radio) if kpis.radio is not None else {})


def radio(counts: RadioKpis) -> dict[str, float]:
    """Figures of the radio access."""
    return {
        "handovers": float(counts.handovers),
        "ping_pong_ratio": counts.ping_pongs / counts.handovers if counts.handovers else float("nan"),
        "radio_link_failures": float(counts.link_failures),
        "users_without_cell": float(counts.users_without_cell),
        "down_delay_ms": 1e3 * counts.down_mean_delay_s,
        "down_loss_ratio": counts.down_lost / counts.down_sent if counts.down_sent else float("nan"),
        "spectral_efficiency_up": counts.up_bits_per_hz_s,
    }


@dataclass
class EpochRow:
    """KPIs of one epoch of one policy; names as in :mod:`tiertwin.model.kpis`."""

    epoch: int
    values: dict[str, float]
    kpis: PlantKpis


@dataclass
class Meter:
    """Collects a run's epochs."""

    world: World
    rows: list[EpochRow] = field(default_factory=list)

    def epoch(self, seen: Observation, kpis: PlantKpis, truth: F64) -> EpochRow:
        """Measure the epoch that has just ended.

        Parameters
        ----------
        seen
            Of all twins.
        kpis, truth
            The plant's books of the epoch, and its mean task rate of every group, tasks/s.
        """
        values = self._plant(kpis)
        values |= self._beliefs(seen, truth)
        values |= self._plan(seen)
        values |= self._certificate(seen)
        row = EpochRow(seen.epoch, {k: v for k, v in values.items() if np.isfinite(v)}, kpis)
        self.rows.append(row)
        return row

    def _plant(self, kpis: PlantKpis) -> dict[str, float]:
        seconds = (kpis.to_ns - kpis.from_ns) / 1e9
        return {
            "offered_tasks_per_s": kpis.total("generated") / max(seconds, 1e-9),
            "utility_mean": plant_utility(self.world, kpis),
            "utilisation": utilisation(self.world, kpis),
            "latency_mean_ms": 1e3 * kpis.latency_mean_s,
            "latency_p50_ms": 1e3 * kpis.latency_quantile_s(0.50),
            "latency_p95_ms": 1e3 * kpis.latency_quantile_s(0.95),
            "latency_p99_ms": 1e3 * kpis.latency_quantile_s(0.99),
            "deadline_miss_ratio": kpis.deadline_miss_ratio,
            "goodput_mbps": kpis.goodput_mbps,
            "energy_per_task_j": kpis.energy_per_task_j,
            "jain": jain(self.world, kpis),
            **surroundings(kpis),
        }

    def _plan(self, seen: Observation) -> dict[str, float]:
        allocation = seen.plans()
        if len(allocation) < self.world.site_count:
            return {}
        worth = evaluate(decision_tree(self.world, seen), allocation)
        return {"objective": worth.value, "scale": worth.scale}

    def _beliefs(self, seen: Observation, truth: F64) -> dict[str, float]:
        """How far from the truth the twins' demand was, and how old their samples."""
        here = [(t.site, seen.edges[t.name]) for t in self.world.twins if t.tier == EDGE and t.name in seen.edges]
        if not here:
            return {}
        edges = [edge for _, edge in here]
        believed = np.concatenate([edge.demand for edge in edges])
        truth = truth.reshape(self.world.site_count, -1)[[site for site, _ in here]].ravel()
        age = np.concatenate([seen.now - edge.times[edge.times > 0] for edge in edges])
        error = np.abs(believed - truth).sum() / max(float(truth.sum()), 1e-12)
        p99 = float(np.percentile(age, 99)) / 1e6 if len(age) else float("nan")
        return {"state_error": float(error), "aoi_p99_ms": p99}

    def _certificate(self, seen: Observation) -> dict[str, float]:
        root = seen.inners.get(self.world.twins[0].name)
        if root is None or not root.rounds:
            return {}
        last = root.rounds[-1]
        return {
            "lower_bound": last.lb,
            "upper_bound": last.ub,
            "certified_gap": last.gap,
            "gap_of_improvement": last.gap_of_improvement,
            "rounds": float(len(root.rounds)),
        }

    def merged(self) -> PlantKpis:
        """The whole run's books."""
        first = self.rows[0].kpis
        return type(first).merge([row.kpis for row in self.rows])

    def median(self, name: str) -> float | None:
        """Median of an epoch KPI over the run, None when no epoch had it."""
        found = [row.values[name] for row in self.rows if name in row.values]
        return float(np.median(found)) if found else None

    def mean(self, name: str) -> float | None:
        """Mean of an epoch KPI over the run, None when no epoch had it."""
        found = [row.values[name] for row in self.rows if name in row.values]
        return float(np.mean(found)) if found else None


def decision_tree(world: World, seen: Observation) -> Tree:
    """The whole problem of this epoch, over exactly the data versions that the leaves used."""
    fogs = []
    for fog in world.twins:
        if fog.tier != FOG:
            continue
        leaves = []
        for edge in world.twins:
            if edge.parent == fog.name:
                problem = seen.edges[edge.name].problem
                assert problem is not None
                leaves.append(Leaf(edge.name, problem))
        inner = seen.inners.get(fog.name)
        uplink = float(world.uplink_fog_mbps[fog.fog]) if inner is None else inner.uplink
        owned = node_resources(world, fog.name, uplink)
        fogs.append(Tree(fog.name, owned["compute"], owned["uplink"], tuple(leaves)))
    root = world.twins[0].name
    return Tree(root, node_resources(world, root)["compute"], None, tuple(fogs))


def summary(meter: Meter, seen: Observation, wall_s: float, peak_rss_mb: float) -> dict[str, Any]:
    """One row of the KPI table; see docs/json-interface.md for units and definitions."""
    books = meter.merged()
    rounds = [row.values["rounds"] for row in meter.rows if "rounds" in row.values]
    steps = {f"S{step}": count for step, count in sorted(seen.steps().items())}
    moved = sum(seen.traffic_up.values()) + sum(seen.traffic_down.values())
    result: dict[str, Any] = {
        "objective": meter.mean("objective"),
        "utility_mean": plant_utility(meter.world, books),
        "utilisation": meter.mean("utilisation"),
        "latency_mean_ms": 1e3 * books.latency_mean_s,
        "latency_p95_ms": 1e3 * books.latency_quantile_s(0.95),
        "latency_p99_ms": 1e3 * books.latency_quantile_s(0.99),
        "deadline_miss_ratio": books.deadline_miss_ratio,
        "goodput_mbps": books.goodput_mbps,
        "energy_per_task_j": books.energy_per_task_j,
        "jain": jain(meter.world, books),
        "aoi_p99_ms": meter.median("aoi_p99_ms"),
        "state_error": meter.mean("state_error"),
        "lower_bound": meter.mean("lower_bound"),
        "upper_bound": meter.mean("upper_bound"),
        "scale": meter.mean("scale"),
        "certified_gap_median": meter.median("certified_gap"),
        "gap_of_improvement_median": meter.median("gap_of_improvement"),
        "rounds_cold": int(rounds[0]) if rounds else None,
        "rounds_warm_median": float(np.median(rounds[1:])) if len(rounds) > 1 else None,
        "bytes": traffic_by_pair(seen),
        "solver_steps": sum(n for step, n in steps.items() if step != "S2"),
        "solver_step_counts": steps,
        "local_policy_epochs": seen.local_epochs(),
        "twin_cpu_s": seen.cpu_s,
        "twin_peak_rss_mb": peak_rss_mb,
        "twin_energy_j": E_SYNC_J_PER_BYTE * moved + E_CPU_J_PER_S * seen.cpu_s,
        "wall_s_per_epoch": wall_s / max(len(meter.rows), 1),
    }
    return result


TIER_NAMES = ("device", "edge", "fog", "cloud")


def traffic_by_pair(seen: Observation) -> dict[str, dict[str, int]]:
    """Bytes up and down between neighbouring tiers."""
    return {
        f"{TIER_NAMES[t]}-{TIER_NAMES[t + 1]}": {"up": seen.traffic_up.get(t, 0), "down": seen.traffic_down.get(t, 0)}
        for t in range(3)
    }
