"""Hostile routing instances by their seed, and what must be true of every answer to them.

Demands over 21 decades up to 1e12, links without capacity, with hardly any or endless, paths and links given twice,
links named twice in a path, ties everywhere; and in a third of the seeds something that must be refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import optimize, sparse

from tiertwin.allocate.families import fair, routing
from tiertwin.allocate.families.options import Options
from tiertwin.allocate.families.routing import RoutingKernel, RoutingProblem
from tiertwin.allocate.families.routing_failures import FailureProblem, split_in
from tiertwin.allocate.families.routing_failures_kernel import FailureKernel
from tiertwin.allocate.families.routing_maxmin import max_min
from tiertwin.errors import InputError

VIOLATION = 1e-6


@dataclass(frozen=True)
class Drawn:
    """An instance, and what its refusal must say (None: it is answered)."""

    options: Options
    demand: np.ndarray
    capacity: np.ndarray
    refusal: str | None


def draw(seed: int) -> Drawn:
    """1 to 30 users over 2 to 12 links; every demand has an open path unless that is what is refused."""
    rng = np.random.default_rng([6, seed])
    users, links = int(rng.integers(1, 31)), int(rng.integers(2, 13))
    ties = bool(rng.integers(2))  # all capacities, uses and demands alike
    rows = []
    for _ in range(users):
        ways = [{0: 1.0}]
        for _ in range(int(rng.integers(0, 5))):
            touched = rng.choice(links, int(rng.integers(1, min(links, 4) + 1)), replace=False)
            uses = [1.0, 1.0, 1.0] if ties else [0.0, 1e-6, 1.0, 2.0, 1e3]
            ways.append({int(r): float(rng.choice(uses)) for r in touched})
        if rng.random() < 0.3:
            ways += ways[: int(rng.integers(1, 3))]  # paths given twice
        order = rng.permutation(len(ways))
        rows.append([ways[i] for i in order])
    options = Options.of_lists(rows, links)
    capacity = np.full(links, 3.0) if ties else rng.choice([0.0, 1e-6, 1.0, 7.0, 1e9, np.inf], links)
    capacity[0] = capacity[0] if ties else rng.choice([1e-6, 1.0, 1e9])
    demand = np.full(users, 2.0) if ties else rng.choice([0.0, 1e-9, 1.0, 3.0, 1e12], users)
    if rng.random() < 0.3:  # every link twice, and so every row
        options = Options(
            options.user_offsets, 2 * options.option_offsets,
            np.stack([options.resource, options.resource + links], axis=1).reshape(-1), np.repeat(options.use, 2),
            2 * links,
        )  # fmt: skip
        capacity = np.tile(capacity, 2)
    if rng.random() < 0.2:  # a link named twice in a path
        options = Options(
            options.user_offsets, 2 * options.option_offsets, np.repeat(options.resource, 2),
            np.repeat(options.use / 2, 2), options.resources,
        )  # fmt: skip
    if seed % 3:
        return Drawn(options, demand, capacity, None)
    return _spoilt(rng, options, demand, capacity)


def _spoilt(rng: np.random.Generator, options: Options, demand: np.ndarray, capacity: np.ndarray) -> Drawn:
    """Break one thing; the first to be found is named."""
    demand, capacity = demand.copy(), capacity.copy()
    u, r = int(rng.integers(demand.size)), int(rng.integers(capacity.size))
    kind = int(rng.integers(6))
    if kind == 0:
        demand[u] = rng.choice([np.nan, np.inf, -1.0, -np.inf])
        refusal = f"demand[{u}]: expected a finite number >= 0"
    elif kind == 1:
        capacity[r] = rng.choice([np.nan, -1.0, -np.inf])
        refusal = f"capacity[{r}]: expected a number >= 0 or infinity"
    elif kind == 2:
        demand = demand[:-1]
        refusal = f"demand: expected {options.users} numbers, one a user, got {options.users - 1}"
    elif kind == 3:
        capacity = np.append(capacity, 1.0)
        refusal = f"capacity: expected {options.resources} numbers, one a resource, got {options.resources + 1}"
    else:
        capacity[:] = 0.0
        used = np.asarray(options.uses.sum(axis=0)).reshape(-1) > 0
        stuck = np.array([used[options.user_of == u].all() for u in range(options.users)]) & (demand > 0)
        if not stuck.any():
            return Drawn(options, demand, capacity, None)
        u = int(np.argmax(stuck))
        refusal = f"demand[{u}]: {demand[u]:.6g} cannot be routed: every option uses a resource without capacity"
    return Drawn(options, demand, capacity, refusal)


def optimum(problem: RoutingProblem) -> float:
    """Least utilisation by HiGHS, in units of the largest demand."""
    options, unit = problem.options, float(problem.demand.max())
    capacity = problem.capacity / unit
    closed = np.asarray((options.uses > 0).T @ (capacity <= 0).astype(float)) > 0
    wanted, limited = problem.demand > 0, np.isfinite(capacity) & (capacity > 0)
    able = np.flatnonzero(~closed & wanted[options.user_of])
    demand = (problem.demand / unit)[options.user_of[able]]
    rows = sparse.diags_array(1 / capacity[limited]) @ options.uses[limited][:, able] @ sparse.diags_array(demand)
    top = sparse.csr_array(-np.ones((rows.shape[0], 1)))
    found = optimize.linprog(
        np.append(np.zeros(able.size), 1.0),
        A_ub=sparse.hstack([rows, top]),
        b_ub=np.zeros(rows.shape[0]),
        A_eq=sparse.hstack([options.sums[wanted][:, able], sparse.csr_array((int(wanted.sum()), 1))]),
        b_eq=np.ones(int(wanted.sum())),
        method="highs",
    )
    return float(found.fun) if found.status == 0 else float("nan")


def answered(problem: RoutingProblem, seed: int) -> float:
    """Solve and check; the certified gap."""
    found = RoutingKernel().allocate(problem)
    judged = routing.worth(problem, found.share)
    assert judged.violation <= VIOLATION, judged
    assert judged.utilisation == found.utilisation
    assert np.isfinite(found.utilisation)
    assert np.all(np.isfinite(found.price) & (found.price >= 0))
    assert found.bound <= found.utilisation
    assert abs(routing.price_bound(problem, found.price) - found.bound) <= 1e-9 * found.bound
    rival = RoutingKernel().allocate(problem, tolerance=1e-6, start=found)
    assert found.bound <= rival.utilisation
    assert rival.bound <= found.utilisation
    early = RoutingKernel().allocate(problem, iteration_limit=seed % 4)
    assert early.bound <= rival.utilisation <= early.utilisation * (1 + 1e-6)
    return found.gap


def check(seed: int) -> tuple[str, float]:
    """Draw and check everything there is to check; what came of it, and the certified gap."""
    drawn = draw(seed)
    if drawn.refusal is not None:
        with pytest.raises(InputError, match=re.escape(drawn.refusal)):
            RoutingProblem(drawn.options, drawn.demand, drawn.capacity)
        return "refused", 0.0
    problem = RoutingProblem(drawn.options, drawn.demand, drawn.capacity)
    gap = answered(problem, seed)
    if seed % 5 == 1:
        _failures(problem, seed)
    if seed % 5 == 2:
        _flows(drawn)
    return "answered", gap


def against_highs(seed: int) -> bool:
    """Whether the certificate was compared with the optimum, where HiGHS trusts its digits (5 decades)."""
    drawn = draw(seed)
    if drawn.refusal is not None or not np.any(drawn.demand > 0):
        return False
    numbers = np.concatenate([drawn.demand, drawn.capacity, drawn.options.use])
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    if numbers.max() > 1e5 * numbers.min():
        return False
    problem = RoutingProblem(drawn.options, drawn.demand, drawn.capacity)
    found, best = RoutingKernel().allocate(problem), optimum(problem)
    if np.isnan(best):
        return False
    assert found.bound <= best * (1 + 1e-6) + 1e-12
    assert best <= found.utilisation * (1 + 1e-6) + 1e-12
    return True


def _failures(problem: RoutingProblem, seed: int) -> None:
    rng = np.random.default_rng([7, seed])
    links = problem.options.resources
    scenarios = [rng.choice(links, 1 + seed % 2, replace=False).tolist() for _ in range(3)]
    failing = FailureProblem(problem, scenarios)
    found = FailureKernel().allocate(failing)
    worth = [routing.worth(problem, found.share).utilisation]
    for s in range(len(scenarios)):
        split = split_in(failing, found, s)
        assert np.all(split >= 0)
        assert not split[failing.hit[s]].any()
        worth.append(routing.worth(problem, split).utilisation)
    np.testing.assert_allclose(max(worth), found.utilisation, rtol=1e-9)
    assert found.bound <= found.utilisation * (1 + 1e-12)
    rival = FailureKernel().allocate(failing, tolerance=1e-6)
    assert found.bound <= rival.utilisation * (1 + 1e-12)


def _flows(drawn: Drawn) -> None:
    stated = routing.flow_problem(drawn.options, drawn.demand, drawn.capacity)
    found = max_min(drawn.options, drawn.demand, drawn.capacity)
    assert fair.worth(stated, found.x).violation <= VIOLATION
    assert np.all(found.level <= found.upper)
