"""The hierarchy against one monolithic problem as the network grows; the monolith is reported as it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.allocate.solvetree import solve_tree
from tiertwin.runtime.limited import run_limited
from tiertwin.study.instances import random_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIZES = ((4, 5, 50), (10, 10, 100), (10, 50, 200))  # fogs × leaves × groups: 1 000, 10 000, 100 000 groups
MEMORY_BYTES = 8 << 30


def scale_study(
    sizes: Sequence[tuple[int, int, int]] = SIZES, seed: int = 1, monolithic_seconds: float = 300.0
) -> Iterator[dict[str, Any]]:
    """Yield one row a size: groups, time, rounds and certified gap of the hierarchy, and how the monolith ended."""
    for fogs, leaves, groups in sizes:
        tree = random_tree(fogs, leaves, groups, seed)
        began = time.monotonic()
        solved = solve_tree(
            tree, target_gap=1e-3, max_rounds=8, solver=leaf_solver("kernel"), masters=master_solver("kernel")
        )
        took = time.monotonic() - began
        last = solved.rounds[-1]
        row: dict[str, Any] = {
            "groups": fogs * leaves * groups,
            "hierarchical_s": took,
            "rounds": len(solved.rounds),
            "certified_gap": last.gap,
            "lower_bound": last.lb,
            "upper_bound": last.ub,
            "scale": last.scale,
        }
        instance = {"fogs": fogs, "leaves": leaves, "groups": groups, "seed": seed}
        ending = run_limited("tiertwin.study.monolithic_child", instance, monolithic_seconds, MEMORY_BYTES)
        row |= {"monolithic": ending.how, "monolithic_s": ending.seconds}
        if ending.answer is not None:
            row["monolithic_peak_mb"] = ending.answer["peak_mb"]
            row["monolithic_ok"] = ending.answer["ok"]
            row["true_gap"] = (ending.answer["value"] - last.lb) / last.scale
        elif ending.said:
            row["monolithic_said"] = ending.said
        yield row
