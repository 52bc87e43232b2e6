"""A twin of a finished or running in-process run, as the user holds it: look at it, fork it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.allocate.trees import Leaf, Tree
from tiertwin.model.scenario import Policy
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.fork import Fork
from tiertwin.orchestrate.inner import InnerController
from tiertwin.runtime.measure import decision_tree

if TYPE_CHECKING:
    from tiertwin.runtime.inprocess import InProcessRun


class DomainTwin:
    """One twin with everything below it.

    Parameters
    ----------
    run
        The run it lives in.
    name
        Its name, e.g. ``fog-1``, ``edge-ulm``, ``cloud-1``.
    """

    def __init__(self, run: InProcessRun, name: str) -> None:
        self._run = run
        self.name = name

    def fork(self) -> Fork:
        """Return an independent copy of the domain; cheap, tables are shared until written."""
        run = self._run
        policy = Policy() if run.world.scenario is None else run.world.scenario.policy
        solvers = leaf_solver(policy.leaf_solver), master_solver(policy.master_solver)
        return Fork(run.world, self._domain(decision_tree(run.world, run.observe())), self._tables(), *solvers)

    def _tables(self) -> dict[str, Any]:
        held = {}
        for name in self._below(self.name):
            twin = self._run.twins[name]
            for child in twin.children:
                if child.table_in is not None:
                    held[f"{name}<{child.name}"] = child.table_in.fork()
        return held

    def _below(self, name: str) -> list[str]:
        names = [name]
        for child in self._run.twins[name].children:
            names += self._below(child.name)
        return names

    def _domain(self, tree: Tree) -> Tree:
        """The domain's part of the whole problem, with what it was granted in place of what it shares with others."""
        if self.name == tree.name:
            return tree
        for fog in tree.children:
            assert isinstance(fog, Tree)
            if fog.name == self.name:
                controller = self._run.twins[fog.name].controller
                quota = controller.quota if isinstance(controller, InnerController) else None
                granted = float(quota[0]) if quota is not None else tree.compute[0] / len(tree.children)
                return Tree("granted", (granted, 0.0), None, (fog,))
            for leaf in fog.children:
                if leaf.name == self.name:
                    return self._site(fog, leaf)
        raise KeyError(f"No domain {self.name!r} in the decision tree: devices decide nothing; fork their edge twin.")

    def _site(self, fog: Tree, leaf: Any) -> Tree:
        controller = self._run.twins[leaf.name].controller
        quota = np.zeros(3)
        if isinstance(controller, EdgeController) and controller.quota is not None:
            quota = controller.quota
        assert isinstance(leaf, Leaf)
        shared = Tree(fog.name, (float(quota[0]), 0.0), (max(float(quota[1]), 1e-6), 0.0), (leaf,))
        return Tree("granted", (float(quota[2]), 0.0), None, (shared,))
