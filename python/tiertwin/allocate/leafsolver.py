"""The leaf solver a scenario chooses (``policy.leaf_solver``), with the ladder round it."""

from __future__ import annotations

from tiertwin.allocate import registry
from tiertwin.allocate.kernel import ITERATION_LIMIT, KernelAllocator
from tiertwin.allocate.ladder import LeafLadder
from tiertwin.allocate.leaf import Array, LeafAnswer, LeafProblem


def leaf_solver(choice: str) -> LeafLadder:
    """Return a fresh ladder for one leaf.

    Parameters
    ----------
    choice
        ``kernel`` takes the C++ kernel, ``cvxpy`` the reference, any other name an installed allocator; ``auto`` the
        kernel, and cvxpy for a problem with more couplings than the kernel takes.

    Raises
    ------
    UnknownNameError
        No allocator has that name.
    """
    return LeafLadder(_Auto() if choice == "auto" else registry.get(choice))


class _Auto(KernelAllocator):
    """The kernel where the problem fits it, else cvxpy."""

    name = "auto"

    def allocate(
        self,
        problem: LeafProblem,
        *,
        quota: Array | None = None,
        price: Array | None = None,
        iteration_limit: int = ITERATION_LIMIT,
    ) -> LeafAnswer:
        """Solve by whichever allocator takes the problem."""
        chosen = registry.leaf_allocator("auto", problem)
        if isinstance(chosen, KernelAllocator):
            return super().allocate(problem, quota=quota, price=price, iteration_limit=iteration_limit)
        return chosen.allocate(problem, quota=quota, price=price, iteration_limit=iteration_limit)
