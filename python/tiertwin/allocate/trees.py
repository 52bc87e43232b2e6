"""A tree as a problem: leaves, inner nodes with resources of their own, and what an allocation of it is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from tiertwin.allocate.bounds import delay, leaf_worth
from tiertwin.allocate.leaf import LOAD_LIMIT, Array, LeafProblem


@dataclass(frozen=True, eq=False)
class Leaf:
    """A leaf of a tree: its name, its problem, and the most it could ever demand (without it: its problem)."""

    name: str
    problem: LeafProblem
    registered: LeafProblem | None = None


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
        capacity, kappa = resources(node)
        total = np.sum([use[child.name] for child in node.children], axis=0)
        load, use[node.name] = total[: capacity.size], total[capacity.size :]
        limit = LOAD_LIMIT * capacity
        value -= float(delay(np.minimum(load, limit), capacity, kappa).sum())
        violation = max(violation, float(((load - limit) / np.maximum(limit, 1e-12)).max()))
        loads[node.name] = tuple(load.tolist())
    return Evaluation(value, scale, max(violation, 0.0), loads)


def levels_of(node: Tree) -> int:
    """J of the children of a node, read off any leaf below: two components a node on the way, one for the root."""
    child, passed = node, 0
    while isinstance(child.children[0], Tree):
        child = child.children[0]
        passed += 2
    first = child.children[0]
    assert isinstance(first, Leaf)
    return first.problem.quotas - passed


def resources(node: Tree) -> tuple[Array, Array]:
    """Capacities and κ of a node: its compute and, but at the root, its uplink."""
    pairs = [node.compute] if node.uplink is None else [node.compute, node.uplink]
    return np.array([c for c, _ in pairs]), np.array([k for _, k in pairs])
