"""Random decision trees meant to break certificates, and the trial of one: every bound against a proven reference."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from reference.cuts import random_leaf, with_demand
from tiertwin.allocate.driver import Faults, Hierarchy
from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.messages import SCHEMES
from tiertwin.allocate.monolithic import TIGHT, Monolith
from tiertwin.allocate.trees import Leaf, Tree, evaluate

KINDS = ("plain", "loss", "changed", "drift")
ETA = 0.05
LOST = 0.2


def hostile_tree(rng: np.random.Generator) -> Tree:
    """Return a tree of two to four deciding tiers, 2 to 6 leaves a node, α of 0 to 2; some with nothing at places.

    A third of the trees has demands, weights and capacities over twelve decades.
    """
    depth, wide = int(rng.integers(2, 5)), rng.random() < 1 / 3
    factor = (lambda *n: 10.0 ** rng.uniform(-6, 6, *n)) if wide else np.ones

    def leaf(name: str) -> tuple[Leaf, float, float]:
        groups = int(rng.integers(1, 6))
        problem, work, bits = random_leaf(rng, depth - 1, groups, alphas=(0.0, 0.5, 1.0, 2.0))
        problem = replace(
            problem,
            demand=problem.demand * factor(groups) * (rng.random(groups) > 0.1),
            weight=problem.weight * np.sqrt(factor(groups)),
            capacity=problem.capacity * factor(3) * (rng.random(3) > 0.1),
        )
        return Leaf(name, problem), work, bits

    def node(name: str, level: int) -> tuple[Tree, float, float]:
        last = level == depth - 2
        children, work, bits = [], 0.0, 0.0
        for i in range(int(rng.integers(2, 7 if last else 4))):
            child, w, b = leaf(f"{name}.{i}") if last else node(f"{name}.{i}", level + 1)
            children.append(child)
            work, bits = work + w, bits + b
        compute, uplink = np.array([0.3 * work, 0.3 * bits]) * rng.uniform(0.2, 2, 2) * factor(2)
        compute, uplink = (float(c * (rng.random() > 0.12)) for c in (compute, uplink))
        pair = None if level == 0 else (uplink, 0.1 * uplink)
        return Tree(name, (compute, 0.1 * compute), pair, tuple(children)), work, bits

    return node("cloud", 0)[0]


@dataclass
class Tally:
    """What came of the trials."""

    certificates: int = 0
    wrong: int = 0
    stale: int = 0
    references: int = 0
    unproven: int = 0
    broken: int = 0
    worst: float = 0.0
    failures: list[str] = field(default_factory=list)


def _judge(tally: Tally, bounds, reference, where: str) -> None:
    """Count a certificate, and whether the optimum can lie outside: beyond 1e-6 S and the last digits of the sums."""
    if not bounds.certified:
        tally.stale += 1
        return
    tally.certificates += 1
    size = sum(abs(v) for v in (reference.value, reference.bound, bounds.ub, bounds.lb) if np.isfinite(v))
    slack = 1e-6 * reference.scale + 1e-12 * size
    outside = max(reference.value - bounds.ub, bounds.lb - reference.bound, bounds.lb - bounds.ub)
    if not outside <= slack:
        tally.wrong += 1
        tally.failures.append(f"{where}: outside by {outside:.3g}, slack {slack:.3g}")


def _reference(tally: Tally, tree: Tree):
    found = Monolith(tree).solve(**TIGHT)
    tally.references += 1
    tally.unproven += not found.ok
    return found


def _some(rng, names):
    return frozenset(name for name in names if rng.random() < LOST)


def trial(seed: int, solvers, tally: Tally) -> None:
    """One tree: its kind, scheme, faults, and which of the solvers of masters it gets, follow from the seed."""
    rng = np.random.default_rng([71, seed])
    kind, scheme = KINDS[seed % len(KINDS)], SCHEMES[int(rng.integers(len(SCHEMES)))]
    tree = hostile_tree(rng)
    where = f"seed {seed} ({kind}, {scheme})"
    reference = _reference(tally, tree)
    drift = ETA if kind == "drift" else 0.0
    offers = bool(rng.integers(2))
    masters = solvers[int(rng.integers(len(solvers)))]
    hierarchy = Hierarchy(tree, leaf_solver("kernel"), masters, scheme=scheme, offers=offers, drift=drift)
    names = [n.name for n in tree.nodes()][1:] + [leaf.name for leaf in tree.leaves()]
    _judge(tally, hierarchy.cold(), reference, where + " hello")
    for number in range(2):
        faults = Faults(*(_some(rng, names) for _ in range(3))) if kind == "loss" else Faults()
        _judge(tally, hierarchy.round(faults=faults), reference, f"{where} round {number + 2}")
    if kind in ("changed", "drift"):
        for step in range(2):
            low, high = (1 - ETA, 1 + ETA) if kind == "drift" else (0.3, 2.0)
            tree = with_demand(tree, lambda name, groups: rng.uniform(low, high, groups))  # noqa: B023
            bounds = hierarchy.warm(tree, exact=bool(rng.integers(2)), faults=Faults(lost=_some(rng, names)))
            reference = _reference(tally, tree)
            _judge(tally, bounds, reference, f"{where} version {step + 1}")
            _judge(tally, hierarchy.round(faults=Faults(lost=_some(rng, names))), reference, f"{where} after it")
    _plan(tally, hierarchy, tree, where, promised=hierarchy.bounds().certified and kind != "drift")


def _plan(tally: Tally, hierarchy: Hierarchy, tree: Tree, where: str, *, promised: bool) -> None:
    """The committed plan is feasible, and worth the lower bound where all that it rests on was heard."""
    bounds = hierarchy.bounds()
    worth = evaluate(tree, {name: answer.x for name, answer in hierarchy.commit().items()})
    short = bounds.lb - worth.value if promised else 0.0
    if worth.violation > 1e-6 or short > 1e-6 * worth.scale + 1e-12 * abs(worth.value):
        tally.broken += 1
        tally.failures.append(f"{where}: plan violates by {worth.violation:.3g}, short of its bound by {short:.3g}")
    tally.worst = max(tally.worst, worth.violation)
