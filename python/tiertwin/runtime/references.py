"""Monolithic optima beside the hierarchy: solved while nothing else runs, since their time is reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiertwin.allocate.trees import Tree
    from tiertwin.runtime.measure import EpochRow, Meter

REFERENCE_EVERY = 10  # epochs between monolithic references
REFERENCE_TOLERANCE = 1e-5  # of S: a reference whose own certificate is wider is none


@dataclass
class References:
    """Monolithic optima beside the hierarchy, and how far the hierarchy was from each."""

    values: dict[int, float] = field(default_factory=dict)
    bounds: dict[int, float] = field(default_factory=dict)
    scales: dict[int, float] = field(default_factory=dict)
    rejected: list[int] = field(default_factory=list)
    seconds: float = 0.0
    outside: list[int] = field(default_factory=list)

    pending: list[tuple[Tree, EpochRow]] = field(default_factory=list)

    def solve(self) -> list[EpochRow]:
        """Solve every pending problem; return the rows that have a reference now."""
        pending, self.pending = self.pending, []
        for problem, row in pending:
            self.add(problem, row)
        return [row for _, row in pending if row.epoch in self.values]

    def add(self, problem: Tree, row: EpochRow) -> None:
        """Solve the whole problem of this epoch at once and compare."""
        from tiertwin.allocate.monolithic import solve_monolithic  # noqa: PLC0415  cvxpy: not while a tree runs

        epoch = row.epoch
        reference = solve_monolithic(problem)
        self.seconds += reference.seconds
        scale = max(reference.scale, 1e-12)
        if reference.bound - reference.value > REFERENCE_TOLERANCE * scale:
            self.rejected.append(epoch)
            return
        self.values[epoch], self.bounds[epoch], self.scales[epoch] = reference.value, reference.bound, scale
        row.values["reference"] = reference.value
        low, high = row.values.get("lower_bound"), row.values.get("upper_bound")
        if low is not None and high is not None:
            slack = REFERENCE_TOLERANCE * row.values["scale"]
            if not low - slack <= reference.value <= high + slack:
                self.outside.append(epoch)


def pair_with_references(meters: Mapping[str, Meter], rows: dict[str, dict[str, Any]], found: References) -> None:
    """Give every policy its mean objective over just the epochs that have a reference, so that columns compare."""
    for policy, meter in meters.items():
        values = [row.values["objective"] for row in meter.rows if row.epoch in found.values]
        rows[policy]["objective_at_references"] = float(np.mean(values)) if values else None


def reference_row(hierarchical: Mapping[str, Any], meter: Meter, found: References) -> dict[str, Any]:
    """The monolithic reference: it plans, it does not act; what it cannot have is null."""
    row: dict[str, Any] = dict.fromkeys(hierarchical)
    row["bytes"] = {}
    row["solver_step_counts"] = {}
    if found.values:
        row["objective"] = row["objective_at_references"] = float(np.mean(list(found.values.values())))
        row["lower_bound"] = row["objective"]
        row["upper_bound"] = float(np.mean(list(found.bounds.values())))
        row["scale"] = float(np.mean(list(found.scales.values())))
        row["certified_gap_median"] = float(
            np.median([(found.bounds[e] - found.values[e]) / found.scales[e] for e in found.values])
        )
        planned = {row.epoch: row for row in meter.rows}
        losses = [(v - planned[e].values["objective"]) / found.scales[e] for e, v in found.values.items()]
        row["price_of_hierarchy_median"] = float(np.median(losses))
        row["epochs_compared"] = sorted(found.values)
    row["no_reference_epochs"] = found.rejected
    row["outside_bounds_epochs"] = found.outside
    row["wall_s_per_epoch"] = found.seconds / max(len(found.values) + len(found.rejected), 1)
    return row
