"""`plan`: what to build in a network, with what it brings, what cannot be built and why, what the twin thinks of it.

    placement = plan(world, candidates, k=3, budget=10.0, situations=situations)
    print(placement.rows())

The choice is that of the placement problem (`planning`, `tiertwin.allocate.placement_milp`). `score` puts it to the
twin: the whole tree solved on the network as it would be, in each situation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.allocate.placement import PlacementProblem
from tiertwin.allocate.placement_milp import Chosen, choose, useless
from tiertwin.allocate.placement_stage import Stage, growth
from tiertwin.allocate.solvetree import solve_tree
from tiertwin.errors import InputError
from tiertwin.functions.whatif.candidates import Candidate, misfit, with_built
from tiertwin.functions.whatif.planning import Aim, placement_problem
from tiertwin.functions.whatif.states import state_of
from tiertwin.functions.whatif.trees import tree_of
from tiertwin.model.interventions import Situation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]

WORST = 0.1  # share of the probability of which the mean is CVaR


@dataclass(frozen=True)
class Outcome:
    """What a network does over the situations, each by its probability.

    Parameters
    ----------
    value
        Of the plan's objective.
    coverage, coverage_worst, coverage_cvar
        Share of tasks served in time: the mean; in the worst situation; the mean of the worst tenth.
    served
        Share of tasks served.
    latency_ms
        Mean of those served.
    growth
        Factor by which everybody's demand could grow and be served in time, in the likeliest situation.
    """

    value: float
    coverage: float
    coverage_worst: float
    coverage_cvar: float
    served: float
    latency_ms: float
    growth: float


@dataclass(frozen=True, eq=False)
class Placement:
    """What to build.

    Parameters
    ----------
    built
        The candidates chosen, in their order.
    chosen
        The answer with its bound and proof.
    before, after
        What the network does without and with them.
    reasons
        Candidate → why it cannot be built or brings nothing by itself.
    alone
        Candidate → what it adds to the value by itself; those that may not be built left out.
    problem
        What was solved.
    """

    built: tuple[Candidate, ...]
    chosen: Chosen
    before: Outcome
    after: Outcome
    reasons: dict[str, str]
    alone: dict[str, float]
    candidates: tuple[Candidate, ...]
    problem: PlacementProblem

    @property
    def cost(self) -> float:
        """Of all that is built."""
        return float(sum(candidate.cost for candidate in self.built))

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a candidate: candidate, adds, cost, built, alone, reason (empty: none)."""
        names = {candidate.name for candidate in self.built}
        return [
            {
                "candidate": one.name,
                "adds": f"{one.adds.option} {one.adds.text()}",
                "cost": one.cost,
                "built": one.name in names,
                "alone": self.alone.get(one.name),
                "reason": self.reasons.get(one.name, ""),
            }
            for one in self.candidates
        ]

    def outcome_rows(self) -> list[dict[str, Any]]:
        """One dictionary a figure: kpi, before, after, change."""
        return [
            {
                "kpi": name,
                "before": value,
                "after": getattr(self.after, name),
                "change": getattr(self.after, name) - value,
            }
            for name, value in vars(self.before).items()
        ]


def plan(
    world: World,
    candidates: Sequence[Candidate],
    k: int,
    budget: float = np.inf,
    situations: Sequence[Situation] = (),
    aim: Aim | None = None,
) -> Placement:
    """Choose up to `k` candidates within a budget.

    Parameters
    ----------
    world
        The network as it is.
    candidates
        Names of their own; those that do not fit are left out, with the reason.
    situations
        With probabilities; without any, the network as it is.
    aim
        What is worth how much.

    Raises
    ------
    InputError
        k below 1, a budget below 0, no candidate at all or two of one name, situations without weight or of a kind that
        a planner does not know.
    """
    names = [candidate.name for candidate in candidates]
    problems = []
    if k < 1:
        problems.append(f"k: expected at least 1 to build, got {k}")
    if not budget >= 0.0:
        problems.append(f"budget: expected at least 0, got {budget}")
    if not names or len(set(names)) != len(names):
        problems.append(
            f"candidates: expected at least one, each with a name of its own, got {', '.join(names) or 'none'}"
        )
    if problems:
        raise InputError(problems, "plan")
    reasons = {one.name: wrong for one in candidates if (wrong := misfit(world, one)) is not None}
    fitting = [one for one in candidates if one.name not in reasons]
    problem = placement_problem(world, fitting, situations or [Situation()], k, budget, aim)
    stage = Stage(problem)
    chosen = choose(problem, stage=stage)
    nothing = np.empty(0, dtype=np.int64)
    reasons |= {fitting[i].name: reason for i, reason in useless(problem, stage).items()}
    base = stage.value(nothing)
    alone = {one.name: stage.value(np.array([i])) - base for i, one in enumerate(fitting) if one.cost <= problem.budget}
    return Placement(
        tuple(fitting[i] for i in chosen.built),
        chosen,
        outcome(stage, nothing),
        outcome(stage, np.array(chosen.built, dtype=np.int64)),
        reasons,
        alone,
        tuple(candidates),
        problem,
    )


def outcome(stage: Stage, chosen: Any) -> Outcome:
    """Return what the network does with a choice of candidates."""
    problem = stage.problem
    served = stage.serve(chosen)
    situation = problem.situation[problem.user]
    count = len(problem.situations)
    asked = np.bincount(problem.situation, problem.demand, minlength=count)
    there = asked > 0.0
    share = np.bincount(situation, served.flow * problem.in_time, minlength=count)[there] / asked[there]
    weight = problem.weight[there] / problem.weight[there].sum()
    carried = float((problem.weight[situation] * served.flow).sum())
    late = float((problem.weight[situation] * served.flow * problem.latency_s).sum())
    return Outcome(
        value=served.value,
        coverage=float(weight @ share),
        coverage_worst=float(share.min()),
        coverage_cvar=cvar(share, weight),
        served=carried / float((problem.weight * asked).sum()),
        latency_ms=1e3 * late / max(carried, 1e-300),
        growth=growth(problem, chosen, int(np.argmax(problem.weight))),
    )


def cvar(values: F64, weight: F64, worst: float = WORST) -> float:
    """Return the mean of the worst (lowest) share of values, by weights that add up to 1."""
    order = np.argsort(values, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(weight[order])[:-1]])
    part = np.clip(worst - before, 0.0, weight[order])
    return float(part @ values[order] / part.sum())


@dataclass(frozen=True)
class TwinScore:
    """The twin's expectation of one situation, without and with what is built, utils/s, and the certified gaps."""

    situation: str
    probability: float
    before: float
    after: float
    gap: float


def score(world: World, placement: Placement, situations: Sequence[Situation] = ()) -> list[TwinScore]:
    """Solve the whole tree in each situation, without and with what is built, on the day's mean demand.

    Each takes two solves of the tree; a planner's situations are many, so give those that matter.
    """
    asked = list(situations) or [Situation()]
    before, after = (_solved(net, asked) for net in (world, with_built(world, placement.built)))
    return [
        TwinScore(one.name, one.probability, was[0], now[0], max(was[1], now[1]))
        for one, was, now in zip(asked, before, after, strict=True)
    ]


def twin_values(world: World, built: Sequence[Candidate], situations: Sequence[Situation]) -> list[float]:
    """Return what the twin expects of the network with candidates built, in each situation, utils/s."""
    return [value for value, _ in _solved(with_built(world, built) if built else world, situations)]


def _solved(world: World, situations: Sequence[Situation]) -> list[tuple[float, float]]:
    """Return value and certified gap of the whole tree in each situation."""
    solver, masters = leaf_solver("auto"), master_solver("kernel")
    solved = [solve_tree(tree_of(state_of(world, one)), solver=solver, masters=masters) for one in situations]
    return [(one.evaluation.value, one.rounds[-1].gap) for one in solved]
