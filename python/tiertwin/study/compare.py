"""Policies over many seeds: one seed is one world, shared by all policies; differences are paired by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import execute
from tiertwin.runtime.plan import make_plan
from tiertwin.study.prices import prices
from tiertwin.study.statistics import Interval, interval, paired
from tiertwin.world import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiertwin.model import Scenario

KPIS = ("deadline_miss_ratio", "utility_mean", "latency_mean_ms", "latency_p95_ms", "goodput_mbps", "energy_per_task_j")


@dataclass(frozen=True)
class Comparison:
    """What many seeds said.

    Parameters
    ----------
    seeds
        Seeds, in order.
    values
        KPI → policy → value a seed.
    price_of_hierarchy, price_of_telemetry
        In units of S, over seeds (median over epochs each).
    gaps
        Median certified gap a seed.
    """

    seeds: list[int]
    values: dict[str, dict[str, list[float]]]
    price_of_hierarchy: Interval
    price_of_telemetry: Interval
    gaps: list[float]

    def rows(self) -> list[dict[str, Any]]:
        """One row a policy and KPI: mean, interval, paired difference of the hierarchy to it, seeds it wins."""
        lines = []
        for kpi, by_policy in self.values.items():
            ours = by_policy.get(HIERARCHICAL)
            for policy, found in by_policy.items():
                mean = interval(found)
                line: dict[str, Any] = {"kpi": kpi, "policy": policy, "mean": mean.mean, "half": mean.half}
                if ours is not None and policy != HIERARCHICAL:
                    difference = paired(ours, found)
                    better = np.subtract(ours, found) * (1 if kpi in ("utility_mean", "goodput_mbps") else -1) > 0
                    line |= {
                        "difference": difference.mean,
                        "difference_half": difference.half,
                        "wins": int(better.sum()),
                    }
                lines.append(line)
        return lines


def compare(
    scenario: Scenario,
    seeds: Sequence[int],
    epochs: int,
    policies: Sequence[str],
    told: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Run every policy on every seed's world."""
    world = resolve(scenario)
    values: dict[str, dict[str, list[float]]] = {kpi: {p: [] for p in policies} for kpi in KPIS}
    gaps, hierarchy, telemetry = [], [], []
    for seed in seeds:
        plan = make_plan(scenario, epochs, seed, policies)
        done = execute(plan, world, None)
        for policy, row in done.rows.items():
            for kpi in KPIS:
                values[kpi][policy].append(float(row[kpi]))
        gaps.append(
            float(done.rows[HIERARCHICAL]["certified_gap_median"]) if HIERARCHICAL in done.rows else float("nan")
        )
        priced = prices(plan, world)
        hierarchy.append(float(np.median([p.hierarchy for p in priced])))
        telemetry.append(float(np.median([p.telemetry for p in priced])))
        told(f"seed {seed}: done")
    return Comparison(list(seeds), values, interval(hierarchy), interval(telemetry), gaps)
