"""Allocation over a tree by cuts and points: the one name under which its parts are imported. numpy only, no solver.

    leaf    LeafSide    hello → answers to queries → refresh when its data change → commit inside the granted quota
    node    NodeSide    the same words towards its parent, two master problems over its children in between
    root    NodeSide    bounds(): UB ≥ optimum ≥ LB, and a plan worth LB

A round is one way down (`descend`) and one way up (`answer`, `learn`); the unsolicited first way up (hello or refresh)
counts as round 1. `driver.py` runs a whole tree in one process.
"""

from __future__ import annotations

from tiertwin.allocate.leafside import AllocatorSolver, LeafSide, LeafSolver
from tiertwin.allocate.messages import LOWER, SCHEMES, UPPER, Bounds, MasterAnswer, MasterRequest, Query, Said
from tiertwin.allocate.nodeside import MasterSolver, NodeSide, run

__all__ = [
    "LOWER",
    "SCHEMES",
    "UPPER",
    "AllocatorSolver",
    "Bounds",
    "LeafSide",
    "LeafSolver",
    "MasterAnswer",
    "MasterRequest",
    "MasterSolver",
    "NodeSide",
    "Query",
    "Said",
    "run",
]
