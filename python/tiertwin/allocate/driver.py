"""A whole tree in one process: for tests, studies and forks. Same parts and same order as the distributed run.

A round is one way down and one way up over the tree; the hello or the warm refresh is round 1. `solvetree.py` goes on
to a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tiertwin.allocate.leaf import Array, LeafAnswer
from tiertwin.allocate.leafside import LeafSide, LeafSolver
from tiertwin.allocate.membership import register_leaf, register_node
from tiertwin.allocate.messages import TWO_SIDED, Bounds, Query, Said
from tiertwin.allocate.nodemath import offers
from tiertwin.allocate.nodeside import MasterSolver, NodeSide, run
from tiertwin.allocate.trees import Leaf, Tree, levels_of, resources
from tiertwin.errors import InputError


@dataclass(frozen=True)
class Faults:
    """What goes wrong on the links in one round or refresh, by the name of the child at the lower end.

    Parameters
    ----------
    lost
        What the child says upwards does not arrive.
    late
        It arrives a round late: after the node has answered, before the next round or refresh.
    unasked
        The query to the child does not arrive; nobody below it is asked either.
    """

    lost: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    unasked: frozenset[str] = frozenset()


NO_FAULTS = Faults()


class Hierarchy:
    """All sides of a tree with messages passed by hand. One owner.

    Parameters
    ----------
    tree
        The tree; its data and, with `warm`, its children may change.
    solver
        Solves leaves.
    masters
        Solves master problems.
    slots
        Slots a child.
    drift
        η declared by every leaf (0: nothing is declared).
    scheme
        What leaves are asked: one of `messages.SCHEMES`.
    offers
        Whether nodes tell their children before the hello what quota they may think of (`nodemath.offers`).
    lease
        For how many data versions what was granted to a child that has left stays withheld from the capacities.
    weigh
        Bytes of a message on a link; without it 8 a number.
    """

    def __init__(
        self,
        tree: Tree,
        solver: LeafSolver,
        masters: MasterSolver,
        *,
        slots: int = 12,
        drift: float = 0.0,
        scheme: str = TWO_SIDED,
        offers: bool = False,
        lease: int = 1,
        weigh: Callable[[Said | Query], int] | None = None,
    ) -> None:
        self.version = 0
        self._given = self.tree = tree
        self._solver, self._masters = solver, masters
        self._slots, self._drift, self._scheme, self._offers = slots, drift, scheme, offers
        self._lease, self._weigh = lease, weigh or _plain
        self.leaf_sides: dict[str, LeafSide] = {}
        self.node_sides: dict[str, NodeSide] = {}
        self._enter(tree)
        self._granted: dict[str, Array] = {}
        self._withheld: list[_Withheld] = []
        self._late: list[tuple[str, str, Said]] = []
        self.floats_up = self.floats_down = self.bytes_up = self.bytes_down = 0

    @property
    def root(self) -> NodeSide:
        """The root's side."""
        return self.node_sides[self.tree.name]

    def cold(self) -> Bounds:
        """Round 1 from nothing: every leaf and node says hello."""
        offered = self._offer(self.tree, np.zeros(0))
        for child in self.tree.children:
            self._up(self.tree, child, self._hello(child, offered))
        self.root.begin(self.version)
        return self.bounds()

    def warm(
        self, tree: Tree, *, exact: bool = True, lost: frozenset[str] = frozenset(), faults: Faults = NO_FAULTS
    ) -> Bounds:
        """Round 1 of a new data version: every slot is said again bottom-up, no query goes down.

        `lost` names leaves or nodes whose message does not arrive, short for `faults`. Children of `tree` that were not
        there have joined: they say hello, and until it arrives count as registered. Who is gone has left: what it was
        granted is withheld from the capacities for `lease` versions, and bounds are about what remains (`self.tree`).
        """
        faults = replace(faults, lost=faults.lost | lost)
        self._arrive()
        self.version += 1
        self._change(tree)
        for child in self.tree.children:
            self._up(self.tree, child, self._refresh(child, exact, faults), faults)
        self.root.set_capacity(self.tree.compute, None)
        self.root.begin(self.version)
        return self.bounds()

    def round(self, lost: frozenset[str] = frozenset(), faults: Faults = NO_FAULTS) -> Bounds:
        """One way down and one way up; answers of the names in `lost` do not arrive. Nobody waits for anybody.

        Who was not heard of this version yet says all it has in the place of its answer.
        """
        self._arrive()
        self._round(self.tree, None, replace(faults, lost=faults.lost | lost))
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

    def _hello(self, node: Tree | Leaf, offered: Mapping[str, Array]) -> Said:
        offer = offered.get(node.name)
        if isinstance(node, Leaf):
            return self.leaf_sides[node.name].hello(offer)
        for child in node.children:
            self._up(node, child, self._hello(child, offered))
        return run(self.node_sides[node.name].hello(self.version, offer), self._masters)

    def _refresh(self, node: Tree | Leaf, exact: bool, faults: Faults) -> Said:
        if isinstance(node, Leaf):
            return self.leaf_sides[node.name].refresh(node.problem, self.version, exact=exact)
        for child in node.children:
            self._up(node, child, self._refresh(child, exact, faults), faults)
        side = self.node_sides[node.name]
        side.set_capacity(node.compute, node.uplink)
        return run(side.refresh(self.version), self._masters)

    def _round(self, node: Tree, query: Query | None, faults: Faults) -> None:
        side = self.node_sides[node.name]
        queries = run(side.descend(query), self._masters)
        for child, question in zip(node.children, queries, strict=True):
            self._down(question)
            if child.name in faults.unasked:
                continue
            if isinstance(child, Leaf):
                said = self.leaf_sides[child.name].answer(question)
            else:
                self._round(child, question, faults)
                said = run(self.node_sides[child.name].answer(question), self._masters)
            speaker = self._speaker(child)
            if side.edition_of(side.children.index(child.name)) != speaker.edition:  # its opening was lost
                said = speaker.everything()
            self._up(node, child, said, faults)

    def _commit(self, node: Tree, quota: Array | None, answers: dict[str, LeafAnswer]) -> None:
        plan = run(self.node_sides[node.name].commit(quota), self._masters)
        for child, granted in zip(node.children, plan, strict=True):
            self._granted[child.name] = granted
            if isinstance(child, Leaf):
                answers[child.name] = self.leaf_sides[child.name].commit(granted)
            else:
                self._commit(child, granted, answers)

    def _offer(self, node: Tree, above: Array) -> dict[str, Array]:
        """Offer quotas down the tree, by name; nothing where they are not wanted."""
        if not self._offers:
            return {}
        capacity, _ = resources(node)
        levels = capacity.size + above.size
        most = np.stack([_most(child, levels) for child in node.children])
        offered: dict[str, Array] = {}
        for child, offer in zip(node.children, offers(most, capacity, above), strict=True):
            self._down(Query(offer, np.zeros(0)))
            offered[child.name] = offer
            if isinstance(child, Tree):
                offered |= self._offer(child, offer)
        return offered

    # ---------------------------------------------------------------- links

    def _speaker(self, node: Tree | Leaf) -> LeafSide | NodeSide:
        return self.leaf_sides[node.name] if isinstance(node, Leaf) else self.node_sides[node.name]

    def _down(self, query: Query) -> None:
        self.floats_down += query.floats
        self.bytes_down += self._weigh(query)

    def _up(self, node: Tree, child: Tree | Leaf, said: Said, faults: Faults = NO_FAULTS) -> None:
        self.floats_up += said.floats
        self.bytes_up += self._weigh(said)
        if child.name in faults.late:
            self._late.append((node.name, child.name, said))
        elif child.name not in faults.lost:
            self._learn(node.name, child.name, said)

    def _arrive(self) -> None:
        late, self._late = self._late, []
        for node, child, said in late:
            side = self.node_sides.get(node)
            if side is not None and child in side.children:
                self._learn(node, child, said)

    def _learn(self, node: str, child: str, said: Said) -> None:
        side = self.node_sides[node]
        side.learn(side.children.index(child), said)

    # ---------------------------------------------------------------- who is there

    def _enter(self, node: Tree | Leaf) -> None:
        if node.name in self.leaf_sides or node.name in self.node_sides:
            raise InputError(f"names: expected distinct names, {node.name!r} stands twice in the tree")
        if isinstance(node, Leaf):
            self.leaf_sides[node.name] = LeafSide(
                node.problem, self.version, self._solver, slots=self._slots, drift=self._drift
            )
            return
        asks = self._scheme if all(isinstance(child, Leaf) for child in node.children) else TWO_SIDED
        names = [child.name for child in node.children]
        side = NodeSide(names, node.compute, node.uplink, levels_of(node), slots=self._slots, asks=asks)
        self.node_sides[node.name] = side
        for child in node.children:
            self._enter(child)

    def _register(self, node: Tree) -> None:
        """Register all children of a node that nothing was heard of, and theirs."""
        side = self.node_sides[node.name]
        for child in node.children:
            if child.name in side.missing:
                if isinstance(child, Tree):
                    self._register(child)
                self._learn(node.name, child.name, _registration(child))

    def _change(self, tree: Tree) -> None:
        """Take a tree with other data and perhaps other children."""
        if tree.name != self.tree.name:
            raise InputError(f"tree: expected the root {self.tree.name!r}, got {tree.name!r}")
        self._withheld = [w for w in self._withheld if w.until > self.version]
        kept = {node.name: node for node in tree.nodes()}
        gone = _children_left(self._given, kept)
        for path, child in gone:
            self._leave(path, child)
        for node in tree.nodes():
            side = self.node_sides.get(node.name)
            names = [child.name for child in node.children]
            if side is not None and names != side.children:
                joined = [child for child in node.children if child.name not in side.children]
                side.rearrange(names)
                for child in joined:
                    self._enter(child)
                self._register(node)
        self._given = tree
        self.tree = _reduced(tree, self._withheld)

    def _leave(self, path: tuple[Tree, ...], child: Tree | Leaf) -> None:
        """Forget a child; withhold what it was granted from the owners of the resources, `path` bottom-up."""
        granted = self._granted.pop(child.name, np.zeros(0))
        for node in path if granted.size else ():
            own = resources(node)[0].size
            self._withheld.append(_Withheld(self.version + self._lease, node.name, granted[:own]))
            granted = granted[own:]
        below: list[Leaf | Tree] = [child] if isinstance(child, Leaf) else [*child.leaves(), *child.nodes()]
        for one in below:
            self.leaf_sides.pop(one.name, None)
            self.node_sides.pop(one.name, None)
            self._granted.pop(one.name, None)


@dataclass(frozen=True, eq=False)
class _Withheld:
    """Capacity that a child which has left may still be using, until a version begins."""

    until: int
    node: str
    amount: Array


def _children_left(before: Tree, now: Mapping[str, Tree]) -> list[tuple[tuple[Tree, ...], Tree | Leaf]]:
    """Return who is no longer below the node it was below, with the nodes above it, bottom-up."""

    def below(node: Tree, path: tuple[Tree, ...]) -> Iterator[tuple[tuple[Tree, ...], Tree | Leaf]]:
        path = (node, *path)
        stays = {child.name for child in now[node.name].children}
        for child in node.children:
            if child.name not in stays:
                yield path, child
            elif isinstance(child, Tree):
                yield from below(child, path)

    return list(below(before, ()))


def _reduced(tree: Tree, withheld: Sequence[_Withheld]) -> Tree:
    """Return the tree without what is withheld; a smaller server is one of fewer of the same: κ stays in proportion."""
    if not withheld:
        return tree
    capacity, kappa = resources(tree)
    taken = np.zeros_like(capacity)
    for one in withheld:
        if one.node == tree.name:
            taken += one.amount
    left = np.maximum(capacity - taken, 0.0)
    kappa = kappa * np.divide(left, capacity, out=np.zeros_like(left), where=capacity > 0)
    pairs = list(zip(left.tolist(), kappa.tolist(), strict=True))
    children = tuple(_reduced(child, withheld) if isinstance(child, Tree) else child for child in tree.children)
    return replace(tree, compute=pairs[0], uplink=None if tree.uplink is None else pairs[1], children=children)


def _registration(child: Tree | Leaf) -> Said:
    if isinstance(child, Leaf):
        return register_leaf(child.problem if child.registered is None else child.registered)
    return register_node([_registration(one) for one in child.children], resources(child)[0].size)


def _most(child: Tree | Leaf, levels: int) -> Array:
    """The most a child could use of the last `levels` components."""
    leaves = [child] if isinstance(child, Leaf) else list(child.leaves())
    most: Array = np.sum([leaf.problem.quota_max[-levels:] for leaf in leaves], axis=0)
    return most


def _plain(message: Said | Query) -> int:
    return 8 * message.floats
