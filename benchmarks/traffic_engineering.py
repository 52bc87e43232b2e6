"""Least utilisation of the fullest link over at most 4 paths a pair, certified to 1e-3, on networks of topohub.

    python benchmarks/traffic_engineering.py --topology germany50 [--topology TataNld ...]

All pairs with gravity demands (topologies.py); links dimensioned in modules for shortest paths at 50 % (`dimensioned`),
or all alike (`uniform`); germany50 also with the demands of SNDlib. Peers: HiGHS through cvxpy (built and canonicalised
beforehand, its choice of method and interior point without crossover) and PDLP of OR-tools to 1e-5. A split is right
when, made to sum to 1, its utilisation is within 1e-3 of our bound; how far ours is from the optimum at most is told on
standard error. `warm` solves again after 2 % of the demands changed; its peer is cvxpy's parametrised re-solve. `flow`
carries as much as fits of twice the demands that would fill the fullest link; peers HiGHS and PDLP on built models.
`failures` keeps the fullest link as empty as can be in the worst of all failures of one link (both directions); its
peer is the whole linear problem in cvxpy with HiGHS, built beforehand, where it is small enough.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from typing import Any

import allocation_lp
import numpy as np
import pdlp
import topologies
from contest import Timed, contest
from scipy import sparse

from support import Case, main
from tiertwin.allocate.families import routing
from tiertwin.allocate.families.fair import FairAnswer, FairKernel
from tiertwin.allocate.families.routing import RoutingAnswer, RoutingKernel, RoutingProblem
from tiertwin.allocate.families.routing_cvxpy import RoutingForm
from tiertwin.allocate.families.routing_failures import FailureAnswer, FailureProblem, split_in
from tiertwin.allocate.families.routing_failures_cvxpy import FailureForm
from tiertwin.allocate.families.routing_failures_kernel import FailureKernel
from tiertwin.allocate.families.samples import routing_over_paths

GAP = 1e-3
PDLP_TOLERANCE = 1e-5  # at 1e-4 its splits are 1.1e-3 to 5e-3 from the optimum
INTERIOR = {"solver": "ipm", "run_crossover": "off"}
Links = tuple[np.ndarray, np.ndarray, np.ndarray]
PEER_LIMIT = 200_000  # paths beyond which peers are not built: none answers within minutes
FAILURE_LIMIT = 2_000_000  # paths times links beyond which no peer gets the failures: it takes minutes
WARM_LIMIT = 20_000  # paths beyond which cvxpy's parametrised form is not built: it takes minutes


def right(problem: RoutingProblem, bound: float) -> Callable[[Any], None]:
    """Check a split against our bound."""

    def check(found: Any) -> None:
        share = found.share if isinstance(found, RoutingAnswer) else routing.fit(problem, np.asarray(found))
        judged = routing.worth(problem, share)
        assert judged.violation <= 1e-6, f"violation {judged.violation:.3g}"
        assert judged.utilisation <= (1 + GAP) * bound, f"gap {judged.utilisation / bound - 1:.3g}"

    return check


def ortools_pdlp(problem: RoutingProblem) -> Callable[[], Timed]:
    """PDLP of OR-tools: variables are shares and t, rows in shares of capacity."""
    options = problem.options
    demand = problem.demand[options.user_of]
    uses = sparse.diags_array(1 / problem.capacity) @ options.uses @ sparse.diags_array(demand)
    links = problem.capacity.size
    rows = sparse.block_array([[options.sums, None], [uses, -sparse.csr_array(np.ones((links, 1)))]])
    objective = np.concatenate([np.zeros(options.count), [1.0]])
    lower = np.concatenate([np.ones(options.users), np.full(links, -np.inf)])
    upper = np.concatenate([np.ones(options.users), np.zeros(links)])

    def run() -> Timed:
        x, seconds, cpu = pdlp.solve(objective, rows, lower, upper, np.full(options.count + 1, np.inf), PDLP_TOLERANCE)
        return Timed(x[:-1], seconds, cpu)

    return run


def instance(kind: str, demand: np.ndarray, links: Links) -> RoutingProblem:
    """One network with one way of dimensioning."""
    capacity = np.full(links[0].size, 1000.0) if kind == "uniform" else None
    return routing_over_paths(*links, demand, capacity=capacity)


def cold(name: str, kind: str, problem: RoutingProblem) -> Case:
    """One problem, from nothing."""
    kernel = RoutingKernel()
    bound = kernel.allocate(problem, tolerance=1e-6).bound

    def ours() -> RoutingAnswer:
        found = kernel.allocate(problem)
        assert found.gap <= GAP
        return found

    title = f"traffic_engineering/{name}-{kind}/{problem.options.count}"
    told = ours().utilisation
    print(f"  {title}: utilisation {told:.6g}, at most {told / bound:.6f} times the optimum", file=sys.stderr)
    if problem.options.count > PEER_LIMIT:
        return Case(title, ours, None, "target", lambda mine, _: right(problem, bound)(mine), target=3.0)
    form = RoutingForm(problem, constant=True)
    form.put(problem)
    peers: dict[str, Callable[[], Any]] = {
        "cvxpy HiGHS ipm": lambda: form.solve(problem, "HIGHS", {"highs_options": INTERIOR}),
        "ortools PDLP": ortools_pdlp(problem),
        "cvxpy HiGHS": lambda: form.solve(problem, "HIGHS", {}),
    }
    return contest(title, ours, peers, right(problem, bound))


def warm(name: str, kind: str, before: RoutingProblem) -> Case:
    """After 2 % of the demands changed."""
    kernel = RoutingKernel()
    start = kernel.allocate(before)
    rng = np.random.default_rng(7)
    demand = before.demand.copy()
    moved = rng.choice(demand.size, demand.size // 50, replace=False)
    demand[moved] *= rng.uniform(0.7, 1.4, moved.size)
    problem = dataclasses.replace(before, demand=demand)
    bound = kernel.allocate(problem, tolerance=1e-6).bound
    form = RoutingForm(before, constant=False)
    form.put(before)
    form.solve(before, "HIGHS", {})

    def peer(settings: dict[str, Any]) -> Callable[[], RoutingAnswer]:
        def run() -> RoutingAnswer:
            form.put(problem)
            return form.solve(problem, "HIGHS", settings)

        return run

    return contest(
        f"traffic_engineering/{name}-{kind}-warm/{problem.options.count}",
        lambda: kernel.allocate(problem, start=start),
        {
            "cvxpy HiGHS ipm (parametrised)": peer({"highs_options": INTERIOR}),
            "cvxpy HiGHS (parametrised)": peer({}),
        },
        right(problem, bound),
    )


def flow(name: str, kind: str, routed: RoutingProblem) -> Case:
    """As much of twice the demands that fit as the links carry."""
    most = RoutingKernel().allocate(routed).concurrent_flow
    problem = routing.flow_problem(routed.options, 2.0 * most * routed.demand, routed.capacity)
    kernel = FairKernel()
    bound = kernel.allocate(problem, tolerance=1e-5).bound

    def ours() -> FairAnswer:
        found = kernel.allocate(problem)
        assert found.gap <= GAP
        return found

    peers = {
        "HiGHS": allocation_lp.highs(problem),
        "HiGHS ipm": allocation_lp.highs(problem, **INTERIOR, ipm_optimality_tolerance=1e-4),
        "ortools PDLP": allocation_lp.ortools_pdlp(problem),
    }
    title = f"traffic_engineering/{name}-{kind}-flow/{problem.options.count}"
    return contest(title, ours, peers, allocation_lp.right(problem, bound))


def failures(name: str, kind: str, routed: RoutingProblem, *, peers: bool) -> Case:
    """The worst of all single links."""
    links = routed.options.resources // 2
    problem, kernel = FailureProblem(routed, [[link, link + links] for link in range(links)]), FailureKernel()
    bound = kernel.allocate(problem, tolerance=1e-5).bound

    def check(found: FailureAnswer) -> None:
        worth = [routing.worth(routed, split_in(problem, found, s)) for s in range(links)]
        worst = max(routing.worth(routed, found.share).utilisation, *(judged.utilisation for judged in worth))
        assert worst <= (1 + GAP) * bound, f"gap {worst / bound - 1:.3g}"

    title = f"traffic_engineering/{name}-{kind}-failures/{routed.options.count}"
    if not peers:
        return Case(title, lambda: kernel.allocate(problem), None, "target", lambda mine, _: check(mine), target=3.0)
    form = FailureForm(problem)
    return contest(
        title,
        lambda: kernel.allocate(problem),
        {
            "cvxpy HiGHS ipm": lambda: form.solve("HIGHS", {"highs_options": INTERIOR}),
            "cvxpy HiGHS": lambda: form.solve("HIGHS", {}),
        },
        check,
    )


def cases(quick: bool, names: list[str] | None = None) -> Iterator[Case]:
    """The named networks; germany50 and TataNld with --quick, and one of 500 nodes without."""
    for name in names or ["germany50", "TataNld", *([] if quick else ["gabriel500"])]:
        tail, head, km, demands = topologies.topology(name)
        nodes = int(max(tail.max(), head.max())) + 1
        for kind in ("dimensioned", "uniform"):
            problem = instance(kind, topologies.gravity(nodes), (tail, head, km))
            yield cold(name, kind, problem)
            if problem.options.count <= WARM_LIMIT:
                yield warm(name, kind, problem)
            if kind == "dimensioned" and problem.options.count <= (WARM_LIMIT if quick else PEER_LIMIT):
                yield flow(name, kind, problem)
                small = problem.options.count * problem.options.resources <= FAILURE_LIMIT
                yield failures(name, kind, problem, peers=small and not quick)
        if demands:
            problem = instance("dimensioned", topologies.stored(nodes, demands), (tail, head, km))
            yield cold(f"{name}-sndlib", "dimensioned", problem)
            if problem.options.count <= WARM_LIMIT:
                yield warm(f"{name}-sndlib", "dimensioned", problem)


def topology_arguments() -> list[str]:
    """Take ``--topology NAME`` (any number of them) out of the command line."""
    names = []
    while "--topology" in sys.argv[1:-1]:
        at = sys.argv.index("--topology")
        names.append(sys.argv[at + 1])
        del sys.argv[at : at + 2]
    return names


if __name__ == "__main__":
    wanted = topology_arguments()
    main(__doc__, lambda quick: cases(quick, wanted))
