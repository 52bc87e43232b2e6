"""Traffic engineering that stays good when links fail, as the registry and the conformance suite see it.

`Failures` gives the allocators of failure-aware routing the face all families have; they know no warm start, and their
limit is one of rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tiertwin.allocate.families import routing, routing_failures
from tiertwin.allocate.families.interface import Judged
from tiertwin.allocate.families.routing_failures import FailureAnswer, FailureProblem
from tiertwin.allocate.families.routing_failures_kernel import ROUND_LIMIT, FailureKernel
from tiertwin.allocate.families.routing_interface import RoutingInterface
from tiertwin.allocate.leaf import Array

SPAN = 1e6  # of demands: beyond, a general solver takes the small ones for none


class Failures:
    """The kernel."""

    name = "kernel"

    def allocate(
        self,
        problem: FailureProblem,
        *,
        start: FailureAnswer | None = None,
        iteration_limit: int = ROUND_LIMIT,
        tolerance: float = routing_failures.TOLERANCE,
        stop: Callable[[], bool] | None = None,
    ) -> FailureAnswer:
        """Solve; `start` is not used."""
        return FailureKernel().allocate(problem, tolerance=tolerance, round_limit=iteration_limit, stop=stop)


class FailuresCvxpy(Failures):
    """The reference: all scenarios at once, in cvxpy."""

    name = "cvxpy"

    def allocate(self, problem: FailureProblem, **_how: Any) -> FailureAnswer:
        """Solve to the solver's own accuracy; no wish about how is used."""
        from tiertwin.allocate.families.routing_failures_cvxpy import FailureCvxpy  # noqa: PLC0415  brings cvxpy

        if not np.any(problem.routing.demand > 0):
            return super().allocate(problem)  # nothing to write down
        return FailureCvxpy().allocate(problem)


class FailuresInterface:
    """`families.routing_failures`; values are −utilisation in the worst scenario."""

    problem = FailureProblem
    answer = FailureAnswer

    def sample(self, seed: int, *, awkward: bool = False) -> FailureProblem:
        """Take a routing sample and let each link fail alone, or, awkwardly, none, all, and pairs of links."""
        routed = RoutingInterface().sample(seed, awkward=awkward)
        links = range(routed.options.resources)
        scenarios = [[r] for r in links][:6]
        return FailureProblem(routed, [[], list(links), [0, 1], [1, 2]] if awkward else scenarios)

    def needs(self, problem: FailureProblem) -> frozenset[str]:
        """``decades``: positive demands span more than `SPAN`."""
        wanted = problem.routing.demand[problem.routing.demand > 0]
        return frozenset({"decades"} if wanted.size and wanted.max() > SPAN * wanted.min() else ())

    def changed(self, problem: FailureProblem, seed: int) -> FailureProblem:
        """Move demands by up to a fifth."""
        return replace(problem, routing=RoutingInterface().changed(problem.routing, seed))

    def arrays(self, problem: FailureProblem) -> Mapping[str, tuple[tuple[int, ...], bool]]:
        """share, by_scenario."""
        return {
            "share": ((problem.routing.options.count,), True),
            "by_scenario": ((len(problem.scenarios),), True),
        }

    def plan(self, answer: FailureAnswer) -> Array:
        """share."""
        return answer.share

    def judge(self, problem: FailureProblem, plan: Array, answer: FailureAnswer) -> Judged:
        """By `routing.worth` in every scenario, hit traffic moved as the answer says, or else in proportion."""
        normal = routing.worth(problem.routing, plan)
        worst, violation = normal.utilisation, normal.violation
        fault = f"{normal.fault.name.lower()} {normal.index}" if violation > 0 else ""
        own = plan is answer.share or np.array_equal(plan, answer.share)
        for s in range(len(problem.scenarios)):
            moved = routing_failures.proportional(problem, plan, s)
            if own:
                moved = routing_failures.split_in(problem, answer, s)
                told = self._broken(problem, plan, moved, s)
                violation, fault = max((violation, fault), told, key=lambda pair: pair[0])
            worst = max(worst, routing.worth(problem.routing, moved).utilisation)
        return Judged(-worst, max(worst, 1e-300), violation, fault, {"utilisation": worst} if own else {})

    def bound(self, problem: FailureProblem, answer: FailureAnswer) -> float:
        """By `routing_failures.price_bound`."""
        return -routing_failures.price_bound(problem, answer.critical, answer.price)

    def claimed_bound(self, answer: FailureAnswer) -> float:
        """Minus what it says."""
        return -answer.bound

    def gap(self, judged: Judged, bound: float) -> float:
        """Utilisation / bound − 1."""
        return RoutingInterface().gap(judged, bound)

    def rivals(self, problem: FailureProblem, answer: FailureAnswer) -> Iterator[Array]:
        """Random splits, and the best for nothing failed."""
        yield from RoutingInterface().rivals(problem.routing, answer)  # type: ignore[arg-type]

    def _broken(self, problem: FailureProblem, plan: Array, split: Array, s: int) -> tuple[float, str]:
        """What of a demand that has a path left is not carried in a scenario, or carried over what failed."""
        options = problem.routing.options
        alive = problem.open & ~problem.hit[s]
        left = np.bincount(options.user_of, weights=alive, minlength=options.users) > 0
        total = np.bincount(options.user_of, weights=split, minlength=options.users)
        off = np.where(left, np.abs(total - 1.0), 0.0)
        dead = float(np.max(np.where(problem.hit[s], split, 0.0), initial=0.0))
        stays = np.where(problem.hit[s], 0.0, plan) - split
        cut = float(np.max(np.where(alive, stays, 0.0), initial=0.0))
        found = [(float(off.max(initial=0.0)), "sum"), (dead, "a failed path"), (cut, "traffic that was not hit")]
        worst, what = max(found)
        return worst, f"scenario {s}: {what}"
