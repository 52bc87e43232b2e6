"""What the hierarchy costs and what late, noisy telemetry costs, each in units of S.

    price of hierarchy  = (V_monolithic − V_hierarchical) / S        both on the data the leaves believed
    price of telemetry  = (V_oracle − V_monolithic carried to the truth) / S

The oracle solves the whole problem on the plant's true mean rates; a plan made on beliefs is carried to the truth as
the plant would execute it at best: rates kept, cut at the true demand, growth left to the devices. Only a study may
look at the truth; no twin ever does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.leafside import carry_over
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.allocate.monolithic import solve_monolithic
from tiertwin.allocate.trees import Leaf, Tree, evaluate
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.measure import decision_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tiertwin.runtime.plan import RunPlan
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Both prices of one epoch, in units of S."""

    epoch: int
    hierarchy: float
    telemetry: float


def prices(plan: RunPlan, world: World, every: int = 10) -> list[Prices]:
    """Run the hierarchy and price it at the end of every `every` epochs (at least once, at the last)."""
    run = make_run(plan, world, HIERARCHICAL, master_solver(plan.scenario.policy.master_solver))
    found = []
    for epoch in range(plan.epochs):
        run.run_epoch(epoch)
        if (epoch + 1) % every and epoch + 1 != plan.epochs:
            continue
        seen = run.observe()
        believed = decision_tree(world, seen)
        truth = _with_demand(believed, world, run.plant.truth_group_rates())
        whole, oracle = solve_monolithic(believed), solve_monolithic(truth)
        standing = evaluate(believed, seen.plans())
        carried = evaluate(truth, _carried(believed, truth, whole.allocation))
        found.append(
            Prices(
                epoch,
                (whole.value - standing.value) / whole.scale,
                (oracle.value - carried.value) / oracle.scale,
            )
        )
    return found


def _with_demand(tree: Tree, world: World, rates: F64) -> Tree:
    per_site = rates.reshape(world.site_count, -1)
    sites = {t.name: t.site for t in world.twins if t.tier == 1}

    def mapped(node: Tree) -> Tree:
        children = tuple(
            Leaf(c.name, replace(c.problem, demand=np.ascontiguousarray(per_site[sites[c.name]])))
            if isinstance(c, Leaf)
            else mapped(c)
            for c in node.children
        )
        return replace(node, children=children)

    return mapped(tree)


def _carried(believed: Tree, truth: Tree, allocation: Mapping[str, F64]) -> dict[str, F64]:
    after = {leaf.name: leaf.problem for leaf in truth.leaves()}
    carried = {}
    for leaf in believed.leaves():
        x = allocation[leaf.name]
        use = np.einsum("jgt,gt->j", leaf.problem.use_quota, x)
        carried[leaf.name] = carry_over(leaf.problem, after[leaf.name], x, use)
    return carried
