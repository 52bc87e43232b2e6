"""A tree solved in one process to a certified gap: its rounds, the plan committed, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tiertwin.allocate.driver import Hierarchy
from tiertwin.allocate.leaf import Array, LeafAnswer
from tiertwin.allocate.leafside import LeafSolver
from tiertwin.allocate.messages import TWO_SIDED, Bounds
from tiertwin.allocate.nodeside import MasterSolver
from tiertwin.allocate.trees import Evaluation, Tree, evaluate


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
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, eq=False)
class TreeResult:
    """One epoch: its rounds, the committed plan of each leaf, and its worth by the independent formula."""

    rounds: list[Round]
    bounds: Bounds
    answers: dict[str, LeafAnswer]
    evaluation: Evaluation

    def rounds_to(self, gap: float) -> int | None:
        """Return the round after which the certified gap was at most `gap`; None if it never was."""
        return next((number for number, r in enumerate(self.rounds, 1) if r.gap <= gap), None)

    def regret(self, optimum: float) -> float:
        """Return (optimum − value of the committed plan)/S; `optimum` as `monolithic.solve_monolithic` finds it."""
        return (optimum - self.evaluation.value) / max(self.evaluation.scale, 1e-300)

    def report(self, optimum: float | None = None) -> dict[str, Any]:
        """Return the epoch's line: rounds, bytes of each, bounds, gap, standing, and the regret where it is known."""
        row: dict[str, Any] = {
            "rounds": len(self.rounds),
            "bytes_up": [r.bytes_up for r in self.rounds],
            "bytes_down": [r.bytes_down for r in self.rounds],
            "upper_bound": self.bounds.ub,
            "lower_bound": self.bounds.lb,
            "scale": self.bounds.scale,
            "certified_gap": self.bounds.gap,
            "gap_of_improvement": self.bounds.gap_of_improvement,
            "standing": self.bounds.standing,
            "value": self.evaluation.value,
        }
        if optimum is not None:
            row |= {"true_gap": (optimum - self.bounds.lb) / self.bounds.scale, "regret": self.regret(optimum)}
        return row

    @property
    def allocation(self) -> dict[str, Array]:
        """``x[G, T]`` of each leaf."""
        return {name: answer.x for name, answer in self.answers.items()}


def solve_tree(
    tree: Tree,
    *,
    solver: LeafSolver,
    masters: MasterSolver,
    target_gap: float = 1e-3,
    max_rounds: int = 8,
    slots: int = 12,
    scheme: str = TWO_SIDED,
    offers: bool = False,
) -> TreeResult:
    """Solve a tree from cold to `target_gap` (certified, share of S) or `max_rounds`, and commit the plan.

    Parameters
    ----------
    tree
        Any depth ≥ 2 (root and leaves).
    solver, masters
        What solves leaves and master problems (`mastersolver.master_solver`).
    scheme, offers
        As :class:`Hierarchy` says.
    """
    hierarchy = Hierarchy(tree, solver, masters, slots=slots, scheme=scheme, offers=offers)
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
    moved = hierarchy.floats_up, hierarchy.floats_down, hierarchy.bytes_up, hierarchy.bytes_down
    hierarchy.floats_up = hierarchy.floats_down = hierarchy.bytes_up = hierarchy.bytes_down = 0
    return Round(b.ub, b.lb, b.scale, b.gap, b.gap_of_improvement, *moved)
