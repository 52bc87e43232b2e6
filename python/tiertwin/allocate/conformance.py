"""What every allocator must pass, ours or a package's: ``check_allocator(get("mine"))`` raises AssertionError if not.

The checks here are those of leaves; ``check_allocator(mine, "fair")`` runs those of a family
(`families/conformance.py`). Each check is one function over an allocator and stands in `CHECKS` in the order of
dependence. The problems are small, deterministic and include the awkward ones: no demand, no capacity, no quota, linear
and very fair groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tiertwin.allocate import kernel
from tiertwin.allocate.leaf import Array, LeafAnswer, LeafProblem
from tiertwin.allocate.registry import Allocator
from tiertwin.errors import TiertwinError

VIOLATION = 1e-6  # relative excess over a bound
CERTIFICATE = 1e-4  # (phi + g·r − value) / S to reach on benign problems, unless it says another with `accuracy`
ROUNDING = 1e-9  # of S

Shape = tuple[int, int, int, int]
Asked = dict[str, Any]  # the one of quota and price that is asked, by its keyword
SHAPES: tuple[Shape, ...] = ((1, 2, 1, 0), (4, 3, 2, 1), (20, 4, 3, 3))


def sample_problem(seed: int, shape: Shape, *, awkward: bool = False) -> LeafProblem:
    """Make a leaf of (G, T, K, J) by the seed; awkward ones have idle groups and a resource without capacity."""
    groups, tiers, own, quotas = shape
    rng = np.random.default_rng([seed, *shape])
    demand = rng.uniform(0.5, 20.0, groups)
    cost = np.sort(rng.uniform(0.05, 1.0, (groups, tiers)), axis=1)
    cost[:, 0] = rng.uniform(0.5, 6.0, groups)
    use_own = rng.uniform(0.05, 1.0, (own, groups, tiers))
    use_quota = rng.uniform(0.05, 1.0, (quotas, groups, tiers)) * (rng.random((quotas, 1, tiers)) < 0.7)
    use_own[:, :, 0] = use_quota[:, :, 0] = 0.0
    capacity = np.einsum("kg,g->k", use_own.max(axis=2), demand) * rng.uniform(0.2, 1.0, own)
    alpha = rng.choice([0.5, 1.0, 2.0], groups)
    if awkward:
        demand[:: max(2, groups // 3)] = 0.0
        capacity[:1] = 0.0
        alpha = rng.choice([0.0, 1.0, 4.0], groups)
    kappa = capacity * rng.choice([0.0, 0.02], own)
    return LeafProblem(demand, rng.uniform(0.5, 3.0, groups), alpha, cost, use_own, capacity, kappa, use_quota)


def check_allocator(allocator: Any, family: str = "") -> None:
    """Run every check of a family: that of its attribute ``family`` unless one is named, leaves without either."""
    from tiertwin.allocate.families import conformance  # noqa: PLC0415  which knows us

    conformance.check_allocator(allocator, family)


def check_face(allocator: Allocator) -> None:
    """It has a name, and refuses a request that is neither or both of a quota and a price query."""
    _require(allocator, bool(getattr(allocator, "name", "")), "has no name")
    problem = sample_problem(1, SHAPES[1])
    one = np.ones(1)
    wrong: tuple[Asked, ...] = ({}, {"quota": one, "price": one})
    for asked in wrong:
        try:
            allocator.allocate(problem, **asked)
        except ValueError:
            continue
        _require(
            allocator, False, f"took a request with {sorted(asked) or 'neither quota nor price'}: expected ValueError"
        )


def check_warm_up(allocator: Allocator) -> None:
    """`warm_up` takes any shape, may be called twice, and changes no answer."""
    problem, quota = sample_problem(2, SHAPES[1]), np.array([0.3])
    before = allocator.allocate(problem, quota=quota)
    for shape in (SHAPES[1], SHAPES[2], SHAPES[1]):
        allocator.warm_up(shape)
    _require(allocator, _same(before, allocator.allocate(problem, quota=quota)), "answers differently after warm_up")


def check_feasibility(allocator: Allocator) -> None:
    """Every answer is finite, ≥ 0, within demand, capacities and quota, well shaped, and leaves its input alone."""
    for problem, asked in _requests(awkward=True):
        copies = {name: getattr(problem, name).copy() for name in problem.__dataclass_fields__}
        answer = allocator.allocate(problem, **asked)
        _require_shapes(allocator, problem, answer)
        judged = kernel.worth(problem, answer.x, asked.get("quota"))
        broken = f"{judged.fault.name.lower()} {judged.index} by {judged.violation:.3g} (relative)"
        _require(allocator, judged.violation <= VIOLATION, f"breaks {broken} at {_told(problem, asked)}")
        for name, copy in copies.items():
            _require(allocator, np.array_equal(copy, getattr(problem, name)), f"changed its input {name}")


def check_worth(allocator: Allocator) -> None:
    """`value`, `scale`, `use` and `own_load` are what the independent checker finds for `x`."""
    for problem, asked in _requests():
        answer = allocator.allocate(problem, **asked)
        judged = kernel.worth(problem, answer.x)
        unit = max(judged.scale, 1e-12)
        for name in ("value", "scale", "use", "own_load"):
            error = np.max(np.abs(np.asarray(getattr(answer, name)) - getattr(judged, name)), initial=0.0)
            _require(
                allocator, bool(error <= 1e-7 * unit), f"claims another {name} than its plan has (off by {error:.3g})"
            )


def check_certificate(allocator: Allocator) -> None:
    """Its cut bounds every feasible plan, and its own plan reaches it within 1e-4 of S, or what `accuracy` says."""
    for problem, asked in _requests():
        answer = allocator.allocate(problem, **asked)
        for rival in _rivals(problem, answer):
            judged = kernel.worth(problem, rival)
            bound = answer.phi + float(answer.quota_price @ judged.use)
            _require(
                allocator,
                judged.value <= bound + ROUNDING * max(judged.scale, answer.scale),
                f"its cut is no bound: a plan is worth {judged.value:.9g} > {bound:.9g} at {_told(problem, asked)}",
            )
        granted = np.minimum(asked.get("quota", answer.use), problem.quota_max)
        gap = (answer.phi + float(answer.quota_price @ granted) - answer.value) / answer.scale
        accuracy = float(getattr(allocator, "accuracy", CERTIFICATE))
        _require(allocator, gap <= accuracy, f"certified gap {gap:.3g} of S > {accuracy:g} at {_told(problem, asked)}")


def check_determinism(allocator: Allocator) -> None:
    """The same request gives the same bits, whatever was solved in between."""
    problem, price = sample_problem(5, SHAPES[2]), np.array([0.1, 0.3, 0.0])
    first = allocator.allocate(problem, price=price)
    for other, request in _requests():
        allocator.allocate(other, **request)
    _require(
        allocator, _same(first, allocator.allocate(problem, price=price)), "remembers earlier requests: another answer"
    )


def check_limits(allocator: Allocator) -> None:
    """At an iteration limit of 1 it answers feasibly or raises one of our errors."""
    problem = sample_problem(6, SHAPES[2])
    quota = 0.3 * problem.quota_max
    try:
        answer = allocator.allocate(problem, quota=quota, iteration_limit=1)
    except TiertwinError:
        return
    violation = kernel.worth(problem, answer.x, quota).violation
    _require(allocator, violation <= VIOLATION, f"breaks a bound by {violation:.3g} when stopped after one iteration")


CHECKS: tuple[Callable[[Allocator], None], ...] = (
    check_face,
    check_feasibility,
    check_worth,
    check_certificate,
    check_warm_up,
    check_determinism,
    check_limits,
)


def _requests(*, awkward: bool = False) -> Iterator[tuple[LeafProblem, Asked]]:
    for seed, shape in enumerate(SHAPES):
        for odd in (False, True) if awkward else (False,):
            problem = sample_problem(seed, shape, awkward=odd)
            most = problem.quota_max
            for share in (0.0, 0.2, 2.0):
                yield problem, {"quota": share * most}
            for price in (0.0, 0.5):
                yield problem, {"price": np.full(problem.quotas, price)}


def _rivals(problem: LeafProblem, answer: LeafAnswer) -> Iterator[Array]:
    """Feasible plans of all kinds; none may beat a cut."""
    rng = np.random.default_rng(0)
    for share in (0.0, 0.5, 2.0):
        yield kernel.greedy(problem, share * problem.quota_max)
    for _ in range(3):
        yield kernel.repair(problem, rng.random(answer.x.shape) * problem.demand[:, None])
    yield kernel.KernelAllocator().allocate(problem, price=answer.quota_price).x


def _require_shapes(allocator: Allocator, problem: LeafProblem, answer: LeafAnswer) -> None:
    groups, tiers, own, quotas = problem.shape
    expected = {
        "x": (groups, tiers), "use": (quotas,), "own_load": (own,), "own_price": (own,), "quota_price": (quotas,),
        "value": (), "scale": (), "phi": (),
    }  # fmt: skip
    for name, shape in expected.items():
        array = np.asarray(getattr(answer, name))
        _require(allocator, array.shape == shape, f"{name}: expected shape {shape}, got {array.shape}")
        _require(allocator, bool(np.all(np.isfinite(array))), f"{name} is not finite")
    for name in ("own_price", "quota_price"):
        _require(allocator, bool(np.all(getattr(answer, name) >= 0)), f"{name} has a price < 0")


def _same(a: LeafAnswer, b: LeafAnswer) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)


def _told(problem: LeafProblem, asked: Asked) -> str:
    return f"(G, T, K, J) = {problem.shape}, " + ", ".join(f"{name} {value.tolist()}" for name, value in asked.items())


def _require(allocator: Allocator, condition: bool, reason: str) -> None:
    if not condition:
        raise AssertionError(f"allocator {getattr(allocator, 'name', allocator)!r} {reason}")
