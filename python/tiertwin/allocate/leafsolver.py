"""The leaf solver a scenario chooses (``policy.leaf_solver``), with the ladder round it."""

from __future__ import annotations

from tiertwin.allocate import registry
from tiertwin.allocate.ladder import LeafLadder


def leaf_solver(choice: str) -> LeafLadder:
    """Return a fresh ladder for one leaf.

    Parameters
    ----------
    choice
        ``auto`` and ``kernel`` take the C++ kernel, ``cvxpy`` the reference, any other name an installed allocator.

    Raises
    ------
    UnknownNameError
        No allocator has that name.
    """
    return LeafLadder(registry.get("kernel" if choice == "auto" else choice))
