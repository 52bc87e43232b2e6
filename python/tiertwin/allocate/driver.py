"""A whole tree in one process: for tests, studies and forks. Same parts and same order as the distributed run.

A round is one way down and one way up over the tree; the hello or the warm refresh is round 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tiertwin.allocate.bounds import delay, leaf_worth
from tiertwin.allocate.leaf import LOAD_LIMIT, Array, LeafAnswer, LeafProblem
from tiertwin.allocate.leafside import LeafSide, LeafSolver
from tiertwin.allocate.messages import Bounds, Query, Said
from tiertwin.allocate.nodeside import MasterSolver, NodeSide, run
from tiertwin.errors import InputError


@dataclass(frozen=True, eq=False)
class Leaf:
    """A leaf of a tree: its name and its problem."""

    name: str
    problem: LeafProblem


@dataclass(frozen=True, eq=False)
class Tree:
    """An inner node: its own resources (capacity, κ) and its children. The root has no uplink.

    A leaf below has tiers device, edge, then the nodes above it bottom-up, and quotas [compute, uplink] of each
    of them bottom-up with the root's compute last.
    """

    name: str
    compute: tuple[float, float]
    uplink: tuple[float, float] | None
    children: tuple[Tree | Leaf, ...]

    def leaves(self) -> Iterator[Leaf]:
        """Leaves in roster order."""
        for child in self.children:
            if isinstance(child, Leaf):
                yield child
            else:
                yield from child.leaves()

    def nodes(self) -> Iterator[Tree]:
        """Inner nodes, parents first."""
        yield self
        for child in self.children:
            if isinstance(child, Tree):
                yield from child.nodes()


@dataclass(frozen=True)
class Round:
    """What was certified after one round, and the numbers that travelled in it."""

    ub: float
    lb: float
    scale: float
    gap: float
    gap_of_improvement: float
    floats_up: int
    floats_down: int


@dataclass(frozen=True, eq=False)
class TreeResult:
    """Rounds, the committed plan of each leaf, and its worth by the independent formula."""

    rounds: list[Round]
    bounds: Bounds
    answers: dict[str, LeafAnswer]
    evaluation: Evaluation

    @property
    def allocation(self) -> dict[str, Array]:
        """``x[G, T]`` of each leaf."""
        return {name: answer.x for name, answer in self.answers.items()}


@dataclass(frozen=True)
class Evaluation:
    """What an allocation of a whole tree is worth, every delay term included, and how far it breaks a limit."""

    value: float
    scale: float
    violation: float
    loads: dict[str, tuple[float, ...]] = field(default_factory=dict)


def evaluate(tree: Tree, allocation: Mapping[str, Array]) -> Evaluation:
    """Value an allocation by the one formula used for every policy: leaves, then the delay terms of every node.

    Parameters
    ----------
    tree
        The tree.
    allocation
        ``x[G, T]`` tasks/s for each leaf by name.
    """
    value = scale = violation = 0.0
    use: dict[str, Array] = {}
    for leaf in tree.leaves():
        worth = leaf_worth(leaf.problem, np.asarray(allocation[leaf.name], dtype=np.float64))
        value, scale, violation = value + worth.value, scale + worth.scale, max(violation, worth.violation)
        use[leaf.name] = worth.use
    loads: dict[str, tuple[float, ...]] = {}
    for node in reversed(list(tree.nodes())):
        capacity, kappa = _resources(node)
        total = np.sum([use[child.name] for child in node.children], axis=0)
        load, use[node.name] = total[: capacity.size], total[capacity.size :]
        limit = LOAD_LIMIT * capacity
        value -= float(delay(np.minimum(load, limit), capacity, kappa).sum())
        violation = max(violation, float(((load - limit) / np.maximum(limit, 1e-12)).max()))
        loads[node.name] = tuple(load.tolist())
    return Evaluation(value, scale, max(violation, 0.0), loads)


class Hierarchy:
    """All sides of a tree with messages passed by hand. One owner.

    Parameters
    ----------
    tree
        The tree; its shape is fixed, its data may change with `warm`.
    solver
        Solves leaves.
    masters
        Solves master problems.
    slots
        Slots a child.
    drift
        η declared by every leaf (0: nothing is declared).
    """

    def __init__(
        self, tree: Tree, solver: LeafSolver, masters: MasterSolver, *, slots: int = 12, drift: float = 0.0
    ) -> None:
        self.tree, self.version = tree, 0
        self._masters = masters
        self.leaf_sides = {
            leaf.name: LeafSide(leaf.problem, 0, solver, slots=slots, drift=drift) for leaf in tree.leaves()
        }
        if len(self.leaf_sides) != sum(1 for _ in tree.leaves()):
            raise InputError("leaf names: expected distinct names", where=tree.name)
        self.node_sides = {node.name: _side(node, slots) for node in tree.nodes()}
        self.floats_up = self.floats_down = 0

    @property
    def root(self) -> NodeSide:
        """The root's side."""
        return self.node_sides[self.tree.name]

    def cold(self) -> Bounds:
        """Round 1 from nothing: every leaf and node says hello."""
        for child in self.tree.children:
            self._up(self.tree, child, self._hello(child))
        self.root.begin(self.version)
        return self.bounds()

    def warm(self, tree: Tree, *, exact: bool = True, lost: frozenset[str] = frozenset()) -> Bounds:
        """Round 1 of a new data version: every slot is said again bottom-up, no query goes down.

        `lost` names leaves or nodes whose message does not arrive.
        """
        self.version += 1
        self.tree = tree
        for child in tree.children:
            self._up(tree, child, self._refresh(child, exact, lost), lost)
        self.root.set_capacity(tree.compute, None)
        self.root.begin(self.version)
        return self.bounds()

    def round(self, lost: frozenset[str] = frozenset()) -> Bounds:
        """One way down and one way up; answers of the names in `lost` do not arrive."""
        self._round(self.tree, None, lost)
        return self.bounds()

    def bounds(self) -> Bounds:
        """The root's certificate as it stands."""
        return run(self.root.bounds(), self._masters)

    def commit(self) -> dict[str, LeafAnswer]:
        """Grant the plan behind the lower bound down the tree; every leaf re-solves inside its quota."""
        answers: dict[str, LeafAnswer] = {}
        self._commit(self.tree, None, answers)
        return {leaf.name: answers[leaf.name] for leaf in self.tree.leaves()}

    # ---------------------------------------------------------------- recursion

    def _hello(self, node: Tree | Leaf) -> Said:
        if isinstance(node, Leaf):
            return self.leaf_sides[node.name].hello()
        for child in node.children:
            self._up(node, child, self._hello(child))
        return run(self.node_sides[node.name].hello(self.version), self._masters)

    def _refresh(self, node: Tree | Leaf, exact: bool, lost: frozenset[str]) -> Said:
        if isinstance(node, Leaf):
            return self.leaf_sides[node.name].refresh(node.problem, self.version, exact=exact)
        for child in node.children:
            self._up(node, child, self._refresh(child, exact, lost), lost)
        side = self.node_sides[node.name]
        side.set_capacity(node.compute, node.uplink)
        return run(side.refresh(self.version), self._masters)

    def _round(self, node: Tree, query: Query | None, lost: frozenset[str]) -> None:
        side = self.node_sides[node.name]
        queries = run(side.descend(query), self._masters)
        for child, question in zip(node.children, queries, strict=True):
            self.floats_down += 2 * question.quota.size + 1
            if isinstance(child, Leaf):
                said = self.leaf_sides[child.name].answer(question)
            else:
                self._round(child, question, lost)
                said = run(self.node_sides[child.name].answer(question), self._masters)
            self._up(node, child, said, lost)

    def _commit(self, node: Tree, quota: Array | None, answers: dict[str, LeafAnswer]) -> None:
        plan = run(self.node_sides[node.name].commit(quota), self._masters)
        for child, granted in zip(node.children, plan, strict=True):
            if isinstance(child, Leaf):
                answers[child.name] = self.leaf_sides[child.name].commit(granted)
            else:
                self._commit(child, granted, answers)

    def _up(self, node: Tree, child: Tree | Leaf, said: Said, lost: frozenset[str] = frozenset()) -> None:
        if child.name in lost:
            return
        levels = said.rmax.size
        self.floats_up += (levels + 1) * len(said.phi) + (levels + 2) * len(said.v)
        self.node_sides[node.name].learn(_index(node, child), said)


def solve_tree(
    tree: Tree,
    *,
    solver: LeafSolver,
    masters: MasterSolver,
    target_gap: float = 1e-3,
    max_rounds: int = 8,
    slots: int = 12,
) -> TreeResult:
    """Solve a tree from cold to `target_gap` (certified, share of S) or `max_rounds`, and commit the plan.

    Parameters
    ----------
    tree
        Any depth ≥ 2 (root and leaves).
    solver, masters
        What solves leaves and master problems (`Masters()` of master.py).
    """
    hierarchy = Hierarchy(tree, solver, masters, slots=slots)
    hierarchy.cold()
    return finish(hierarchy, target_gap=target_gap, max_rounds=max_rounds)


def finish(hierarchy: Hierarchy, *, target_gap: float = 1e-3, max_rounds: int = 8) -> TreeResult:
    """Go on from a hello or a refresh (round 1) to the target, then commit and evaluate."""
    rounds = [_record(hierarchy, hierarchy.bounds())]
    while rounds[-1].gap > target_gap and len(rounds) < max_rounds:
        rounds.append(_record(hierarchy, hierarchy.round()))
    bounds = hierarchy.bounds()
    answers = hierarchy.commit()
    worth = evaluate(hierarchy.tree, {name: answer.x for name, answer in answers.items()})
    return TreeResult(rounds, bounds, answers, worth)


def _record(hierarchy: Hierarchy, b: Bounds) -> Round:
    up, down = hierarchy.floats_up, hierarchy.floats_down
    hierarchy.floats_up = hierarchy.floats_down = 0
    return Round(b.ub, b.lb, b.scale, b.gap, b.gap_of_improvement, up, down)


def _side(node: Tree, slots: int) -> NodeSide:
    return NodeSide([child.name for child in node.children], node.compute, node.uplink, _levels(node), slots=slots)


def _levels(node: Tree) -> int:
    """J of the children of a node, read off any leaf below: two components a node on the way, one for the root."""
    child, passed = node, 0
    while isinstance(child.children[0], Tree):
        child = child.children[0]
        passed += 2
    first = child.children[0]
    assert isinstance(first, Leaf)
    return first.problem.quotas - passed


def _resources(node: Tree) -> tuple[Array, Array]:
    pairs = [node.compute] if node.uplink is None else [node.compute, node.uplink]
    return np.array([c for c, _ in pairs]), np.array([k for _, k in pairs])


def _index(node: Tree, child: Tree | Leaf) -> int:
    return next(i for i, other in enumerate(node.children) if other.name == child.name)
