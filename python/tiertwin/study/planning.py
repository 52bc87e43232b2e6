"""What to build, chosen in several ways: the mixed-integer problem, greedy, all choices; and what the twin says.

    milp        `tiertwin.allocate.placement_milp`, with its certified gap
    greedy      the best next one, again and again (lazily)
    exhaustive  every choice, where at most two are to be built

A trial is one choice evaluated over all situations; `trials_s` are those a second of CPU time, each method by itself
and from scratch. `twin`: what the whole tree expects to gain in the heaviest situations, weighted by probability,
utils/s.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.placement_milp import choose
from tiertwin.allocate.placement_search import exhaustive, greedy
from tiertwin.allocate.placement_stage import Stage
from tiertwin.functions.whatif.failures import single
from tiertwin.functions.whatif.plan import Placement, outcome, twin_values
from tiertwin.functions.whatif.risks import HOUR_S, link_risks
from tiertwin.model.interventions import ScaleDemand, Situation

if TYPE_CHECKING:
    from tiertwin.functions.whatif.candidates import Candidate
    from tiertwin.world.world import World

MOST_EXHAUSTIVE = 2


def planning_situations(
    world: World, growth: Sequence[float] = (1.0, 2.0), failures: int = 10, failure_share: float = 0.3
) -> list[Situation]:
    """Return what to plan for: demand as it is and grown, alike weighted, and the likeliest single cuts of links.

    Parameters
    ----------
    growth
        Factors on all demand; 1 is as it is.
    failures, failure_share
        How many cuts, and the weight of all of them together, split by their probability. A planner who weighs a cut
        by its true probability, one in thousands, plans for none.
    """
    cuts = sorted(single(link_risks(world), 12.0 * HOUR_S), key=lambda one: -one.probability)[:failures]
    total = sum(one.probability for one in cuts)
    share = failure_share if cuts and total > 0.0 else 0.0
    each = (1.0 - share) / max(len(growth), 1)
    found = [Situation("as it is" if f == 1.0 else "", () if f == 1.0 else (ScaleDemand(f),), each) for f in growth]
    return found + [Situation("", one.interventions, share * one.probability / total) for one in cuts if share]


def compare_plans(
    world: World, placement: Placement, situations: Sequence[Situation], scored: int = 0
) -> list[dict[str, Any]]:
    """Return a row a method for the problem that a placement solved; `scored`: how many situations the twin judges."""
    problem, rows = placement.problem, []
    fitting = {candidate.name: candidate for candidate in placement.candidates}
    heaviest = sorted(situations, key=lambda one: -one.probability)[:scored]
    nothing = twin_values(world, (), heaviest)
    methods = ["milp", "greedy"] + (["exhaustive"] if problem.most <= MOST_EXHAUSTIVE else [])
    for method in methods:
        stage, began = Stage(problem), time.process_time()
        gap = None
        if method == "milp":
            found = choose(problem, stage=stage)
            chosen, gap = found.built, found.gap
        else:
            chosen = (greedy(stage) if method == "greedy" else exhaustive(stage)).chosen
        seconds = time.process_time() - began
        tried = stage.asked
        done = outcome(stage, np.array(chosen, dtype=np.int64))
        built: list[Candidate] = [fitting[problem.names[i]] for i in chosen]
        rows.append(
            {
                "method": method,
                "built": ", ".join(candidate.name for candidate in built) or "nothing",
                "cost": sum(candidate.cost for candidate in built),
                "value": done.value,
                "gap": gap,
                "coverage": done.coverage,
                "coverage_cvar": done.coverage_cvar,
                "growth": done.growth,
                "latency_ms": done.latency_ms,
                "trials": tried,
                "cpu_s": seconds,
                "trials_s": tried / max(seconds, 1e-9),
                "twin": _gained(heaviest, nothing, twin_values(world, built, heaviest)) if heaviest else None,
            }
        )
    return rows


def _gained(situations: Sequence[Situation], before: Sequence[float], after: Sequence[float]) -> float:
    weight = np.array([one.probability for one in situations])
    return float(weight @ np.subtract(after, before) / weight.sum())
