"""What a family of problems tells the registry and the conformance suite about itself: samples, checker, bound, rivals.

Values are to be maximised everywhere here; a family that minimises turns its sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tiertwin.allocate.leaf import Array

BENIGN = 6  # sample problems of each kind
AWKWARD = 6


@dataclass(frozen=True, eq=False)
class Judged:
    """What the independent checker of a family finds of a plan.

    Parameters
    ----------
    value
        Objective, larger is better.
    scale
        What gaps are divided by, > 0 where anything is at stake.
    violation
        Largest excess over a bound, relative to that bound.
    fault
        What that is about, for people; empty when nothing is broken.
    claims
        Numbers an answer must repeat: its own fields by name.
    """

    value: float
    scale: float
    violation: float
    fault: str
    claims: Mapping[str, Any]


class Interface(Protocol):
    """One family, as the checks see it.

    `arrays` names the fields of an answer with their shapes, and which of them may not fall below 0.
    """

    problem: type
    answer: type

    def sample(self, seed: int, *, awkward: bool = False) -> Any:
        """Make a small problem; awkward ones have the edges: nothing to share, nothing wanted, ties, endless limits."""

    def needs(self, problem: Any) -> frozenset[str]:
        """Flags of what an allocator must be able to do for this problem."""

    def changed(self, problem: Any, seed: int) -> Any:
        """Make other data of the same structure, for a warm start."""

    def arrays(self, problem: Any) -> Mapping[str, tuple[tuple[int, ...], bool]]:
        """Name the arrays of an answer: shape, and whether it is ≥ 0."""

    def plan(self, answer: Any) -> Array:
        """Return the plan of an answer."""

    def judge(self, problem: Any, plan: Array, answer: Any) -> Judged:
        """Judge a plan without believing anything the allocator said."""

    def bound(self, problem: Any, answer: Any) -> float:
        """Recompute the bound on every plan's value from the prices of an answer."""

    def claimed_bound(self, answer: Any) -> float:
        """Return the bound the answer claims, in the sense of `bound`."""

    def gap(self, judged: Judged, bound: float) -> float:
        """Return the certified gap of a plan, as the family defines it."""

    def rivals(self, problem: Any, answer: Any) -> Iterable[Array]:
        """Make feasible plans of all kinds; none may beat a bound."""
