"""Trying things out on a copy of a live domain: scale the demand, fail a link, and see what the twin expects.

A fork has the domain's decision problem as the twins believed it last (demand estimates, capacities, shares) and copies
of its tables that share their blocks with the live ones until somebody writes. Nothing done to a fork reaches the twins
or the plant. The twin's expectation is its own model: the hierarchy's optimum on the changed data, base latencies from
the inventory, waiting at servers by M/M/c (a pessimistic stand-in for processor sharing) and at uplinks by M/M/1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin import _core
from tiertwin.allocate.solvetree import TreeResult, solve_tree
from tiertwin.allocate.trees import Leaf, Tree
from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.world import leaf_problem_arrays, reroute, tier_costs
from tiertwin.world.objective import tier_latencies

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tiertwin.allocate.leaf import LeafProblem
    from tiertwin.world import World

    F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Expectation:
    """What the twin expects of a domain, KPI → (value, unit)."""

    values: Mapping[str, tuple[float, str]]


@dataclass(frozen=True)
class Comparison:
    """Live domain against fork."""

    before: Expectation
    after: Expectation

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a KPI: kpi, before, after, change, unit."""
        return [
            {
                "kpi": name,
                "before": value,
                "after": self.after.values[name][0],
                "change": self.after.values[name][0] - value,
                "unit": unit,
            }
            for name, (value, unit) in self.before.values.items()
        ]

    def table(self) -> str:
        """Plain text, one line a KPI."""
        lines = [f"{'kpi':24} {'before':>12} {'after':>12} {'change':>12}  unit"]
        for row in self.rows():
            numbers = " ".join(f"{row[k]:12.4g}" for k in ("before", "after", "change"))
            lines.append(f"{row['kpi']:24} {numbers}  {row['unit']}")
        return "\n".join(lines)


class Fork:
    """An independent copy of one domain.

    Parameters
    ----------
    world
        Inventory and topology.
    tree
        The domain's problem as the twins believed it.
    tables
        Copy-on-write copies of the domain's state tables, by twin.
    solver, masters
        What solves leaves and masters.
    """

    def __init__(
        self, world: World, tree: Tree, tables: Mapping[str, _core.StateTable], solver: Any, masters: Any
    ) -> None:
        self.world = world
        self.tree = tree
        self.tables = dict(tables)
        self._live = (world, tree)
        self._solver, self._masters = solver, masters
        self._failed = np.zeros(world.link_count, dtype=bool)

    def fork(self) -> Fork:
        """Fork the fork: same starting point for comparisons, independent changes."""
        copy = Fork(self.world, self.tree, {k: t.fork() for k, t in self.tables.items()}, self._solver, self._masters)
        copy._live, copy._failed = self._live, self._failed.copy()
        return copy

    # -- interventions -------------------------------------------------------------------------------------------------
    def scale_demand(self, factor: float, twin: str | None = None) -> Fork:
        """Multiply the demand of the domain, or of one edge twin in it, by `factor` ≥ 0."""
        if not (np.isfinite(factor) and factor >= 0):
            raise InputError(f"scale_demand: expected a finite factor ≥ 0, got {factor}")
        names = [leaf.name for leaf in self.tree.leaves()]
        if twin is not None and twin not in names:
            raise UnknownNameError(
                f"scale_demand: expected an edge twin of this domain, got {twin!r}{suggest(twin, names)}"
            )

        def scaled(leaf: Leaf) -> LeafProblem:
            if twin is not None and leaf.name != twin:
                return leaf.problem
            return replace(leaf.problem, demand=leaf.problem.demand * factor)

        self.tree = _mapped(self.tree, scaled)
        return self

    def fail_link(self, a: str, b: str) -> Fork:
        """Fail the link between two nodes: routes go round it, its capacity is gone, uplinks shrink accordingly."""
        self._failed[self._link(a, b)] = True
        try:
            self.world = reroute(self._live[0], self._failed)
        except (ValueError, KeyError) as error:
            raise InputError(f"fail_link: without {a} – {b} the network falls apart: {error}") from error
        cost = tier_costs(self.world)
        sites = {t.name: t.site for t in self.world.twins if t.tier == 1}
        fogs = {t.name: t.fog for t in self.world.twins if t.tier == 2}
        before = self._live[0]

        def moved(leaf: Leaf) -> LeafProblem:
            site = sites[leaf.name]
            shrunk = float(self.world.uplink_site_mbps[site] / max(before.uplink_site_mbps[site], 1e-9))
            uplink = float(leaf.problem.capacity[2]) * shrunk
            arrays = leaf_problem_arrays(self.world, site, leaf.problem.demand, cost=cost, uplink_mbps=uplink)
            return replace(leaf.problem, cost=arrays["cost"], capacity=arrays["capacity"], kappa=arrays["kappa"])

        def uplink(node: Tree) -> tuple[float, float] | None:
            if node.uplink is None or node.name not in fogs:
                return node.uplink
            fog = fogs[node.name]
            shrunk = float(self.world.uplink_fog_mbps[fog] / max(before.uplink_fog_mbps[fog], 1e-9))
            return node.uplink[0] * shrunk, node.uplink[1] * shrunk

        self.tree = _mapped(self.tree, moved, uplink)
        return self

    def _link(self, a: str, b: str) -> int:
        names = list(self.world.node_names)
        for name in (a, b):
            if name not in names:
                raise UnknownNameError(f"fail_link: expected a node, got {name!r}{suggest(name, names)}")
        ends = {names.index(a), names.index(b)}
        for link in range(self.world.link_count):
            if {int(self.world.link_tail[link]), int(self.world.link_head[link])} == ends:
                return link
        raise InputError(f"fail_link: expected two neighbours, got {a!r} and {b!r}, which no link joins")

    # -- evaluation ----------------------------------------------------------------------------------------------------
    def expect(self) -> Expectation:
        """What the twin expects of the domain as it stands in this fork."""
        return self._expect(self.world, self.tree)

    def compare(self) -> Comparison:
        """Compare the domain as it was when it was forked with this fork."""
        return Comparison(self._expect(*self._live), self.expect())

    def _expect(self, world: World, tree: Tree) -> Expectation:
        solved = solve_tree(tree, target_gap=1e-3, max_rounds=6, solver=self._solver, masters=self._masters)
        return Expectation(_kpis(world, tree, solved))


def _mapped(tree: Tree, leaf: Any, uplink: Any = None) -> Tree:
    children = tuple(Leaf(c.name, leaf(c)) if isinstance(c, Leaf) else _mapped(c, leaf, uplink) for c in tree.children)
    return replace(tree, children=children, uplink=tree.uplink if uplink is None else uplink(tree))


def _kpis(world: World, tree: Tree, solved: TreeResult) -> dict[str, tuple[float, str]]:
    sites = {t.name: t.site for t in world.twins if t.tier == 1}
    latency = tier_latencies(world)
    waits = _Waits(world, tree, solved)
    offered = served = seconds = local = 0.0
    for leaf in tree.leaves():
        x = solved.allocation[leaf.name]
        base = latency[sites[leaf.name]].reshape(x.shape)
        offered += float(leaf.problem.demand.sum())
        served += float(x.sum())
        local += float(x[:, 0].sum())
        seconds += float((x * (base + waits.of(leaf, x))).sum())
    last = solved.rounds[-1]
    return {
        "objective": (solved.evaluation.value, "utils/s"),
        "offered": (offered, "tasks/s"),
        "served_share": (served / max(offered, 1e-12), "1"),
        "local_share": (local / max(offered, 1e-12), "1"),
        "latency_mean": (1e3 * seconds / max(served, 1e-12), "ms"),
        "edge_utilisation": (waits.edge_utilisation, "1"),
        "uplink_utilisation_max": (waits.uplink_max, "1"),
        "certified_gap": (last.gap, "1"),
    }


class _Waits:
    """Waiting at servers and uplinks under a plan, s, and how busy they are."""

    def __init__(self, world: World, tree: Tree, solved: TreeResult) -> None:
        self._world = world
        loads, capacities, self.uplink_max = 0.0, 0.0, 0.0
        for leaf in tree.leaves():
            load = np.einsum("kgt,gt->k", leaf.problem.use_own, solved.allocation[leaf.name])
            loads += float(load[1])
            capacities += float(leaf.problem.capacity[1])
            self.uplink_max = max(self.uplink_max, float(load[2] / leaf.problem.capacity[2]))
        self.edge_utilisation = loads / max(capacities, 1e-12)

    def of(self, leaf: Leaf, x: F64) -> F64:
        """Waiting of each group at each tier, [G, T]."""
        problem = leaf.problem
        load = np.einsum("kgt,gt->k", problem.use_own, x)
        wait = np.zeros_like(x)
        gcycles = problem.use_own[1, :, 1]
        ghz, core = float(problem.capacity[1]), self._world.core_ghz
        rate = float(x[:, 1].sum())
        if rate > 1e-9:
            mean = float((x[:, 1] * gcycles).sum()) / rate
            cores = np.array([max(round(ghz / core), 1)], dtype=np.int64)
            sojourn = _core.mmc_delay(np.array([rate]), np.array([core / max(mean, 1e-12)]), cores)
            wait[:, 1] = max(float(sojourn[0]) - mean / core, 0.0)
        uplink = float(problem.capacity[2])
        free = max(uplink - float(load[2]), 0.02 * uplink)
        megabits = problem.use_own[2, :, 2:]
        wait[:, 2:] = megabits / free - megabits / max(uplink, 1e-12)
        return wait
