"""The hierarchy of cuts and points against the whole problem at once, at two, three and four deciding tiers.

    python benchmarks/hierarchy.py [--topology NAME ...] [--depth D ...] [--quick] [--json]

Networks are scenarios by name: built-in ones, or any of topohub (`sndlib/nobel-eu`, `backbone/africa`). The same sites,
devices and servers at every depth (`tiertwin.study.instances.scenario_tree`). Cases of a network and depth:

    time         s from nothing to a certified gap of 0.1 %, all twins in one process, one after the other; peer: the
                 fastest solver of cvxpy on the monolithic problem, built beforehand, whose plan is right to 0.1 %
    rounds-1%    rounds to a certified gap of 1 % from nothing; target 4, depth 4: 5
    rounds-0.1%  the same of 0.1 %; target 6, depth 4: 8
    warm         largest certified gap, %, of the refresh alone after ±1, ±3 and ±5 % demand (drawn for each site and
                 group, all up, all down); target 1 %
    bytes        kB on all links, both ways, to 0.1 %: frames of the units as a run sends them; no target

Each bound of each round is asserted against a reference that proves itself (true gap ≤ certified gap). Standard error
has a line a scheme: rounds, gaps, bytes a round, true gap, regret of the committed plan, CPU of masters and leaves, and
with a fifth of the answers lost. At three tiers two more lines: the same network with linear utilities (α = 0), and
what is left when each group must be served whole at one tier, by rounding the committed plan. The cases are of the
scheme a run uses (``two-sided``), or of ``--scheme``; masters are solved by the kernels, or as in a run with
``--masters cvxpy``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from contest import contest

from support import Case, main
from tiertwin.allocate.driver import Hierarchy
from tiertwin.allocate.leaf import LOAD_LIMIT, LeafProblem
from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import MASTER_SOLVERS, master_solver
from tiertwin.allocate.messages import SCHEMES, TWO_SIDED, MasterAnswer, MasterRequest
from tiertwin.allocate.monolithic import TIGHT, Monolith, Reference
from tiertwin.allocate.nodeside import MasterSolver
from tiertwin.allocate.solvetree import TreeResult, finish
from tiertwin.allocate.trees import Leaf, Tree, evaluate
from tiertwin.study.instances import DEPTHS, scenario_tree
from tiertwin.study.linkbytes import LinkBytes
from tiertwin.world import load, resolve

TARGET = 1e-3
ROUNDS = {2: (4, 6), 3: (4, 6), 4: (5, 8)}  # to 1 % and 0.1 %
LOSS = 0.2
NAMES = ("germany50", "mixed", "sndlib/nobel-eu", "backbone/africa", "gabriel/100/0")
QUICK = {"germany50": DEPTHS, "mixed": (3,)}
PEERS = (
    "CLARABEL",
    "ECOS",
    "SCS",
)  # with --quick the first: SCS takes 20 to 50 times as long here, ECOS has no power cone
SLACK = 1e-6  # of S: what the reference itself is uncertain by


class Clocked:
    """A solver whose CPU time is counted."""

    def __init__(self, solver: Any) -> None:
        self._solver, self.seconds = solver, 0.0

    def solve(self, request: MasterRequest) -> MasterAnswer | None:
        answer: MasterAnswer | None = self._counted(self._solver.solve, request)
        return answer

    def solve_quota(self, *arguments: Any) -> Any:
        return self._counted(self._solver.solve_quota, *arguments)

    def solve_price(self, *arguments: Any) -> Any:
        return self._counted(self._solver.solve_price, *arguments)

    def solve_all(self, *arguments: Any) -> Any:
        return self._counted(self._solver.solve_all, *arguments)

    def _counted(self, run: Callable[..., Any], *arguments: Any) -> Any:
        began = time.process_time()
        try:
            return run(*arguments)
        finally:
            self.seconds += time.process_time() - began


def changed(tree: Tree | Leaf, change: Callable[[LeafProblem], LeafProblem]) -> Any:
    """The tree with every leaf's problem changed."""
    if isinstance(tree, Leaf):
        return Leaf(tree.name, change(tree.problem))
    return replace(tree, children=tuple(changed(child, change) for child in tree.children))


def with_demand(tree: Tree, factor: Callable[[int], np.ndarray]) -> Tree:
    """The tree with every leaf's demand multiplied by ``factor(G)``."""
    found: Tree = changed(tree, lambda problem: replace(problem, demand=problem.demand * factor(problem.groups)))
    return found


def whole(problem: LeafProblem, x: np.ndarray) -> np.ndarray:
    """Round a plan: each group at the tier with most of it that still has room in what the plan used, else at home."""
    use = np.concatenate([problem.use_own, problem.use_quota])
    granted = np.einsum("jgt,gt->j", problem.use_quota, x)
    left = np.concatenate([LOAD_LIMIT * problem.capacity, granted])
    out = np.zeros_like(x)
    for group in np.argsort(-x.max(axis=1), kind="stable"):
        served = x[group].sum()
        for tier in np.argsort(-x[group], kind="stable"):
            need = use[:, group, tier] * served
            if tier == 0 or (x[group, tier] > 0 and (need <= left).all()):
                left, out[group, tier] = left - need, served
                break
    return out


class Instance:
    """A tree, its reference, and everything that is measured on it."""

    def __init__(self, name: str, depth: int, tree: Tree, masters: MasterSolver) -> None:
        self.name, self.depth, self.tree, self.masters = name, depth, tree, masters
        self.title = f"hierarchy/{name}/depth{depth}"
        self.monolith = Monolith(tree)
        self.reference = self.monolith.solve(**TIGHT)
        assert self.reference.ok, f"{self.title}: no reference: {self.reference.status}"
        self._links = LinkBytes()

    def bracketed(self, bounds: Any, reference: Reference | None = None) -> None:
        """Assert LB ≤ optimum ≤ UB."""
        known = reference or self.reference
        assert known.ok, known.status
        slack = SLACK * known.scale
        assert bounds.lb <= known.bound + slack, f"{self.title}: lower bound {bounds.lb} > {known.bound}"
        assert bounds.ub >= known.value - slack, f"{self.title}: upper bound {bounds.ub} < {known.value}"

    def made(self, scheme: str, offers: bool, *clocked: Clocked) -> Hierarchy:
        leaves, masters = clocked or (leaf_solver("kernel"), self.masters)
        return Hierarchy(self.tree, leaves, masters, scheme=scheme, offers=offers, weigh=self._links)

    def cold(self, scheme: str, offers: bool) -> tuple[TreeResult, float, float]:
        """From nothing to the target: the rounds, and CPU s of leaves and masters; checked."""
        leaves, masters = Clocked(leaf_solver("kernel")), Clocked(self.masters)
        hierarchy = self.made(scheme, offers, leaves, masters)
        hierarchy.cold()
        done = finish(hierarchy, target_gap=TARGET, max_rounds=12)
        for r in done.rounds:
            self.bracketed(r)
        assert done.evaluation.violation <= 1e-9
        assert done.evaluation.value >= done.bounds.lb - 1e-9 * done.bounds.scale
        return done, leaves.seconds, masters.seconds

    def lossy(self, scheme: str, offers: bool) -> TreeResult:
        """The same with a fifth of all answers lost."""
        rng = np.random.default_rng(1)
        names = [n.name for n in self.tree.nodes()][1:] + [leaf.name for leaf in self.tree.leaves()]
        hierarchy = self.made(scheme, offers)
        bounds = [hierarchy.cold()]
        while bounds[-1].gap > TARGET and len(bounds) < 15:
            bounds.append(hierarchy.round(lost=frozenset(n for n in names if rng.random() < LOSS)))
            self.bracketed(bounds[-1])
        done = finish(hierarchy, target_gap=1.0)
        return replace(done, rounds=[replace(done.rounds[0], gap=b.gap) for b in bounds])

    def warm(self, scheme: str, offers: bool, shares: tuple[float, ...]) -> dict[str, float]:
        """Gap of the refresh alone, for each change of demand, from the same start."""
        gaps = {}
        for share in shares:
            for kind in ("drawn", "up", "down"):
                hierarchy = self.made(scheme, offers)
                hierarchy.cold()
                finish(hierarchy, target_gap=TARGET, max_rounds=12)
                moved = with_demand(self.tree, _changes(share, kind))
                bounds = hierarchy.warm(moved)
                if share == 0.05:
                    self.bracketed(bounds, Monolith(moved).solve(**TIGHT))
                gaps[f"{kind} {100 * share:g} %"] = bounds.gap
        return gaps


def _changes(share: float, kind: str) -> Callable[[int], np.ndarray]:
    rng = np.random.default_rng([7, int(1000 * share)])
    if kind == "drawn":
        return lambda groups: rng.uniform(1 - share, 1 + share, groups)
    return lambda groups: np.full(groups, 1 + share if kind == "up" else 1 - share)


def say(instance: Instance, scheme: str, offers: bool) -> None:
    """One line on standard error."""
    done, leaves, masters = instance.cold(scheme, offers)
    report = done.report(instance.reference.value)
    lossy = instance.lossy(scheme, offers)
    print(
        f"  {instance.title} {scheme}{' with offers' if offers else ''}: rounds to 1 % / 0.1 % "
        f"{done.rounds_to(0.01)} / {done.rounds_to(TARGET)}; gaps % {[round(100 * r.gap, 3) for r in done.rounds]}; "
        f"kB up {[round(b / 1e3, 1) for b in report['bytes_up']]}, "
        f"down {[round(b / 1e3, 1) for b in report['bytes_down']]}; "
        f"true gap {100 * report['true_gap']:.4f} %, regret {100 * report['regret']:.4f} %; "
        f"leaves {leaves:.3f} CPU s, masters {masters:.3f}; answers lost 20 %: "
        f"{lossy.rounds_to(0.01)} / {lossy.rounds_to(TARGET)}",
        file=sys.stderr,
        flush=True,
    )


def aside(instance: Instance, scheme: str, offers: bool) -> None:
    """Linear utilities, and groups served whole, on standard error."""
    done, _, _ = instance.cold(scheme, offers)
    plan = {leaf.name: whole(leaf.problem, done.allocation[leaf.name]) for leaf in instance.tree.leaves()}
    worth = evaluate(instance.tree, plan)
    assert worth.violation <= 1e-9
    linear = changed(instance.tree, lambda problem: replace(problem, alpha=np.zeros_like(problem.alpha)))
    flat = Instance(f"{instance.name}-linear", instance.depth, linear, instance.masters)
    steps, _, _ = flat.cold(scheme, offers)
    print(
        f"  {instance.title} {scheme}: groups whole at one tier, by rounding: "
        f"{100 * (done.bounds.ub - worth.value) / done.bounds.scale:.2f} % below the upper bound\n"
        f"  {flat.title} {scheme}: rounds to 1 % / 0.1 % {steps.rounds_to(0.01)} / {steps.rounds_to(TARGET)}; "
        f"gaps % {[round(100 * r.gap, 3) for r in steps.rounds]}",
        file=sys.stderr,
        flush=True,
    )


def count(title: str, figure: float, unit: str, target: float | None) -> Case:
    """A case whose figure was found before; it is not timed."""
    return Case(title, lambda: figure, None, "target", lambda *_: None, unit, figure=float, target=target, less=True)


def cases_of(instance: Instance, scheme: str, offers: bool, quick: bool) -> Iterator[Case]:
    """All cases of one network and depth."""
    for one in SCHEMES:
        for offered in (False, True):
            if not quick or (one, offered) in ((scheme, offers), ("bracket", True)):
                say(instance, one, offered)
    if instance.depth == DEPTHS[1]:
        aside(instance, scheme, offers)
    title, reference = instance.title, instance.reference

    def ours() -> float:
        hierarchy = Hierarchy(instance.tree, leaf_solver("kernel"), instance.masters, scheme=scheme, offers=offers)
        hierarchy.cold()
        done = finish(hierarchy, target_gap=TARGET, max_rounds=12)
        assert done.bounds.gap <= TARGET
        return done.evaluation.value

    def right(found: Any) -> None:
        value = found.value if isinstance(found, Reference) else found
        assert value >= reference.bound - TARGET * reference.scale, f"{value} against {reference.bound}"

    peers = {name: (lambda s=name: instance.monolith.solve(s)) for name in PEERS[: 1 if quick else None]}
    yield contest(f"{title}/time", ours, peers, right)
    done, _, _ = instance.cold(scheme, offers)
    for gap, most in zip((0.01, TARGET), ROUNDS[instance.depth], strict=True):
        rounds = done.rounds_to(gap)
        assert rounds is not None, f"{title}: {100 * gap:g} % was not reached"
        yield count(f"{title}/rounds-{100 * gap:g}%", rounds, "rounds", most)
    warm = instance.warm(scheme, offers, (0.05,) if quick else (0.01, 0.03, 0.05))
    print(f"  {title} warm, gap %: { {k: round(100 * v, 3) for k, v in warm.items()} }", file=sys.stderr, flush=True)
    yield count(f"{title}/warm", 100 * max(warm.values()), "%", 1.0)
    yield count(f"{title}/bytes", sum(r.bytes_up + r.bytes_down for r in done.rounds) / 1e3, "kB", None)


def cases(
    quick: bool, topology: list[str] | None, depth: list[int] | None, scheme: str, offers: bool, masters: str
) -> Iterator[Case]:
    """The named networks; with --quick germany50, and mixed at three tiers."""
    solver = master_solver(masters)
    wanted = dict.fromkeys(topology or NAMES, DEPTHS)
    for name, depths in (QUICK if quick and not topology else wanted).items():
        world = resolve(load(name))
        for tiers in depth or depths:
            yield from cases_of(Instance(name, tiers, scenario_tree(world, tiers), solver), scheme, offers, quick)


def flags(parser: argparse.ArgumentParser) -> None:
    """The benchmark's own."""
    parser.add_argument("--topology", nargs="+", metavar="NAME", help="scenarios or topohub names")
    parser.add_argument("--depth", nargs="+", type=int, choices=DEPTHS, help="deciding tiers")
    parser.add_argument("--scheme", choices=SCHEMES, default=TWO_SIDED, help="what leaves are asked")
    parser.add_argument("--masters", choices=MASTER_SOLVERS, default="kernel", help="what solves master problems")
    parser.add_argument("--offers", action="store_true", help="nodes offer quotas before the hello")


if __name__ == "__main__":
    main(__doc__, cases, flags)
