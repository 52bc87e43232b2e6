"""What a run was worth: KPIs an epoch from the plant's books and the twins' beliefs, and one row a policy at the end.

The one place where the plant's truth and the twins' beliefs meet; nothing of it goes back to a twin.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.driver import Leaf, Tree, evaluate
from tiertwin.orchestrate.alone import AloneController
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.gateway import GatewayController
from tiertwin.orchestrate.inner import InnerController
from tiertwin.twin.attributes import A
from tiertwin.world import node_resources

if TYPE_CHECKING:
    import numpy.typing as npt

    from tiertwin.plant import PlantKpis
    from tiertwin.runtime.inprocess import InProcessRun
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]

SERVED_FLOOR = 0.01  # of a site's class in an epoch: log and α > 1 utilities have no value at 0
E_SYNC_J_PER_BYTE = 5e-8  # energy of moving a byte of twin traffic (default, not from a standard)
E_CPU_J_PER_S = 10.0  # energy of a CPU-second of twin work (default, not from a standard)


def site_class_alpha_utility(q: F64, alpha: F64) -> F64:
    """α-fair utility U(q; α), with q at least ``SERVED_FLOOR``."""
    safe = np.maximum(q, SERVED_FLOOR)
    log = np.isclose(alpha, 1.0)
    power = np.where(log, 0.5, alpha)
    result: F64 = np.where(log, np.log(safe), (safe ** (1.0 - power) - 1.0) / (1.0 - power))
    return result


def plant_utility(world: World, kpis: PlantKpis) -> float:
    """Utility realised in the plant per offered task.

    The objective's own formula on what happened: Σ b n U(q) − s·latency − energy weight·J over site × class, with q the
    share of offered tasks completed, divided by the tasks offered.
    """
    shape = (world.site_count, len(world.class_names))
    offered = kpis.by_site_class("generated").astype(np.float64).reshape(shape)
    done = kpis.by_site_class("completed").astype(np.float64).reshape(shape)
    latency = kpis.by_site_class("latency_s").reshape(shape)
    energy = kpis.by_site_class("energy_j").reshape(shape)
    q = np.minimum(done / np.maximum(offered, 1.0), 1.0)
    utility = offered * world.b[None, :] * site_class_alpha_utility(q, world.alpha[None, :])
    cost = latency * world.s[None, :] + energy * world.objective.energy_utils_per_j
    return float((utility - cost).sum() / max(offered.sum(), 1.0))


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

    def epoch(self, run: InProcessRun, epoch: int) -> EpochRow:
        """Measure the epoch that has just ended."""
        kpis = run.plant.kpis()
        values = self._plant(kpis)
        values |= self._beliefs(run)
        values |= self._plan(run)
        values |= self._certificate(run, epoch)
        row = EpochRow(epoch, {k: v for k, v in values.items() if np.isfinite(v)}, kpis)
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
        }

    def _beliefs(self, run: InProcessRun) -> dict[str, float]:
        believed, ages = [], []
        for twin in run.twins.values():
            controller = twin.controller
            if isinstance(controller, EdgeController | AloneController):
                believed.append(controller.view.demand)
                table = twin.children[0].table_in
                assert table is not None
                times = table.times(A.TASK_RATE)[: len(controller.view.group_of)]
                ages.append(run.now - times[times > 0])
        truth = run.plant.truth_group_rates()
        error = np.abs(np.concatenate(believed) - truth).sum() / max(float(truth.sum()), 1e-12)
        age = np.concatenate(ages) if ages else np.zeros(0)
        p99 = float(np.percentile(age, 99)) / 1e6 if len(age) else float("nan")
        return {"state_error": float(error), "aoi_p99_ms": p99}

    def _plan(self, run: InProcessRun) -> dict[str, float]:
        allocation = plans(run)
        if len(allocation) < self.world.site_count:
            return {}
        worth = evaluate(decision_tree(run), allocation)
        return {"objective": worth.value, "scale": worth.scale}

    def _certificate(self, run: InProcessRun, epoch: int) -> dict[str, float]:
        root = next(iter(run.twins.values())).controller
        if not isinstance(root, InnerController):
            return {}
        rounds = [r for r in root.rounds if r.epoch == epoch]
        if not rounds:
            return {}
        last = rounds[-1].bounds
        return {
            "lower_bound": last.lb,
            "upper_bound": last.ub,
            "certified_gap": last.gap,
            "gap_of_improvement": last.gap_of_improvement,
            "rounds": float(len(rounds)),
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


def plans(run: InProcessRun) -> dict[str, F64]:
    """Rates [G, T] that each edge has put in force."""
    found = {}
    for twin in run.twins.values():
        controller = twin.controller
        if isinstance(controller, EdgeController | AloneController) and controller.plan is not None:
            found[twin.name] = controller.plan.x
    return found


def decision_tree(run: InProcessRun) -> Tree:
    """The whole problem of this epoch, over exactly the data versions that the leaves used."""
    world = run.world
    root = next(iter(run.twins.values()))
    fogs = []
    for fog in root.children:
        twin = run.twins[fog.name]
        spec = world.twins[world.twin_index(fog.name)]
        leaves = []
        for edge in twin.children:
            controller = run.twins[edge.name].controller
            assert isinstance(controller, EdgeController | AloneController)
            assert controller.problem is not None
            leaves.append(Leaf(edge.name, controller.problem))
        uplink = float(world.uplink_fog_mbps[spec.fog])
        if isinstance(twin.controller, InnerController):
            uplink = twin.controller.uplink_used
        owned = node_resources(world, fog.name, uplink)
        fogs.append(Tree(fog.name, owned["compute"], owned["uplink"], tuple(leaves)))
    return Tree(root.name, node_resources(world, root.name)["compute"], None, tuple(fogs))


def summary(run: InProcessRun, meter: Meter, wall_s: float, peak_rss_mb: float) -> dict[str, Any]:
    """One row of the KPI table; see docs/json-interface.md for units and definitions."""
    books = meter.merged()
    rounds = [row.values["rounds"] for row in meter.rows if "rounds" in row.values]
    steps = _steps(run)
    moved = sum(run.traffic.up.values()) + sum(run.traffic.down.values())
    result: dict[str, Any] = {
        "objective": meter.mean("objective"),
        "utility_mean": plant_utility(run.world, books),
        "utilisation": meter.mean("utilisation"),
        "latency_mean_ms": 1e3 * books.latency_mean_s,
        "latency_p95_ms": 1e3 * books.latency_quantile_s(0.95),
        "latency_p99_ms": 1e3 * books.latency_quantile_s(0.99),
        "deadline_miss_ratio": books.deadline_miss_ratio,
        "goodput_mbps": books.goodput_mbps,
        "energy_per_task_j": books.energy_per_task_j,
        "jain": jain(run.world, books),
        "aoi_p99_ms": meter.median("aoi_p99_ms"),
        "state_error": meter.mean("state_error"),
        "lower_bound": meter.mean("lower_bound"),
        "upper_bound": meter.mean("upper_bound"),
        "scale": meter.mean("scale"),
        "certified_gap_median": meter.median("certified_gap"),
        "gap_of_improvement_median": meter.median("gap_of_improvement"),
        "rounds_cold": int(rounds[0]) if rounds else None,
        "rounds_warm_median": float(np.median(rounds[1:])) if len(rounds) > 1 else None,
        "bytes": traffic_by_pair(run),
        "solver_steps": sum(n for step, n in steps.items() if step != "S2"),
        "solver_step_counts": steps,
        "local_policy_epochs": _local(run),
        "twin_cpu_s": run.twin_cpu_s,
        "twin_peak_rss_mb": peak_rss_mb,
        "twin_energy_j": E_SYNC_J_PER_BYTE * moved + E_CPU_J_PER_S * run.twin_cpu_s,
        "wall_s_per_epoch": wall_s / max(len(meter.rows), 1),
    }
    return result


TIER_NAMES = ("device", "edge", "fog", "cloud")


def traffic_by_pair(run: InProcessRun) -> dict[str, dict[str, int]]:
    """Bytes up and down between neighbouring tiers."""
    return {
        f"{TIER_NAMES[t]}-{TIER_NAMES[t + 1]}": {"up": run.traffic.up.get(t, 0), "down": run.traffic.down.get(t, 0)}
        for t in range(3)
    }


def _steps(run: InProcessRun) -> dict[str, int]:
    total: dict[int, int] = {}
    for twin in run.twins.values():
        controller = twin.controller
        steps = controller.steps if isinstance(controller, InnerController) else None
        if isinstance(controller, EdgeController | AloneController):
            steps = controller.tally.steps
        for step, count in (steps or {}).items():
            total[step] = total.get(step, 0) + count
    return {f"S{step}": total[step] for step in sorted(total)}


def _local(run: InProcessRun) -> int:
    count = 0
    for twin in run.twins.values():
        controller = twin.controller
        if isinstance(controller, EdgeController):
            count += controller.tally.local_epochs
        elif isinstance(controller, InnerController | GatewayController):
            count += controller.local_epochs
    return count
