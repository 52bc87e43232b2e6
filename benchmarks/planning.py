"""What to build, chosen in three ways: ``python benchmarks/planning.py [--quick] [--json] [--runs N]``.

32 GHz more at each of the 12 sites with the largest demand, two of them to be built; demand as it is and doubled and
the six likeliest cuts of a link (`tiertwin.study.planning`). A trial is one choice, evaluated over all situations; each
method begins with nothing evaluated.

    choices/s    allowed choices over the time to know the best of them: by the mixed-integer problem with its proof, or
                 by trying them all; lazy greedy, which proves nothing, in the same unit
    trials/s     choices that are really evaluated, a second: lazy greedy beside exhaustive search

Asserted: the mixed-integer choice and the best of all choices have one value, and greedy's is not above it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import Any

import numpy as np

from support import Case, main
from tiertwin.allocate.placement_milp import choose
from tiertwin.allocate.placement_search import exhaustive, greedy
from tiertwin.allocate.placement_stage import Stage
from tiertwin.cli.aside import solvers_aside
from tiertwin.functions.whatif.candidates import every_candidate
from tiertwin.functions.whatif.planning import placement_problem
from tiertwin.study.planning import planning_situations
from tiertwin.world import load, resolve

CANDIDATES, BUILT, GHZ, CUTS = 12, 2, 32.0, 6


def problem_of(name: str) -> Any:
    """Return the problem of a scenario."""
    world = resolve(load(name))
    demand = (world.group_devices.sum(axis=-1) * world.tasks_per_s * world.gcycles).sum(axis=1)
    busiest = set(np.argsort(-demand, kind="stable")[:CANDIDATES].tolist())
    every = every_candidate(world, GHZ)
    if len(every) != world.site_count:
        raise AssertionError(f"{len(every)} candidates of {world.site_count} sites")
    candidates = [one for site, one in enumerate(every) if site in busiest]
    return placement_problem(world, candidates, planning_situations(world, failures=CUTS), BUILT)


@dataclass(frozen=True)
class Done:
    """A value, trials and how long it took, CPU seconds."""

    value: float
    trials: int
    seconds: float

    @property
    def trials_s(self) -> float:
        """Trials a CPU second."""
        return self.trials / max(self.seconds, 1e-9)


def timed(work: Callable[[Stage], float]) -> Callable[[Stage], Done]:
    """Return work that says how many trials it took, and how long."""

    def done(stage: Stage) -> Done:
        before, began = stage.asked, time.process_time()
        value = work(stage)
        return Done(value, stage.asked - before, time.process_time() - began)

    return done


def milp(stage: Stage) -> float:
    """Return the value of the mixed-integer choice."""
    with solvers_aside():
        return choose(stage.problem, stage=stage).worth.value


def equal(ours: Done, peer: Done) -> None:
    assert abs(ours.value - peer.value) <= 1e-6 * abs(peer.value), (ours, peer)


def not_below(ours: Done, peer: Done) -> None:
    assert ours.value >= peer.value * (1.0 - 1e-6), (ours, peer)


def not_above(ours: Done, peer: Done) -> None:
    assert ours.value <= peer.value * (1.0 + 1e-6), (ours, peer)


def cases(quick: bool) -> Iterator[Case]:
    """Yield the cases."""
    planner, every = timed(milp), timed(lambda stage: exhaustive(stage).value)
    lazy = timed(lambda stage: greedy(stage).value)
    for name in ("mixed",) if quick else ("mixed", "germany50"):
        asked = problem_of(name)
        choices = sum(comb(CANDIDATES, k) for k in range(BUILT + 1))
        tag = f"planning/{name}/{CANDIDATES} candidates, {BUILT} built"
        fresh = partial(Stage, asked)
        in_choices = partial(Case, setup=fresh, unit="choices/s", amount=choices)
        yield in_choices(f"{tag}/milp", planner, every, "exhaustive", equal)
        yield in_choices(f"{tag}/milp", planner, lazy, "lazy greedy", not_below)
        yield Case(
            f"{tag}/trials", lazy, every, "exhaustive", not_above, "trials/s", 1.0, fresh,
            figure=lambda done: done.trials_s,
        )  # fmt: skip


if __name__ == "__main__":
    main(__doc__, cases)
