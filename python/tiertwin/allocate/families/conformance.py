"""What every allocator of a family must pass: ``check_allocator(Mine(), "fair")`` raises AssertionError if not.

A check is a function over a family's `Interface` and an allocator; `checks` lists those of a family by name, so that a
test runner can show them one by one (`tiertwin.allocate.conformance_plugin` does for pytest). Sample problems that
need what the allocator says it cannot do (``capabilities``) are left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from tiertwin.allocate.families import registry
from tiertwin.allocate.families.interface import AWKWARD, BENIGN, Interface, Judged
from tiertwin.errors import TiertwinError

VIOLATION = 1e-6  # relative excess over a bound
ACCURACY = 1e-3  # certified gap on benign problems, unless the allocator says another with `accuracy`
ROUNDING = 1e-9  # of the scale


@dataclass(frozen=True)
class Check:
    """One check: its name, what it holds, and the call that raises AssertionError."""

    name: str
    about: str
    run: Callable[[Any], None]

    def __call__(self, allocator: Any) -> None:
        """Run it."""
        self.run(allocator)

    def __str__(self) -> str:
        """Its name."""
        return self.name


def checks(family: str) -> tuple[Check, ...]:
    """Return the checks of a family in the order of dependence."""
    if not registry.family(family).where:
        from tiertwin.allocate import conformance  # noqa: PLC0415  which knows us

        return tuple(_described(check, check) for check in conformance.CHECKS)
    return tuple(_described(check, _bound(check, family)) for check in CHECKS)


def check_allocator(allocator: Any, family: str = "") -> None:
    """Run every check.

    Parameters
    ----------
    allocator
        The allocator.
    family
        Its family; empty: what its attribute ``family`` says, else ``leaf``.
    """
    for check in checks(family or str(getattr(allocator, "family", "leaf"))):
        check(allocator)


@dataclass(frozen=True)
class Bench:
    """An allocator on the bench of one family."""

    family: str
    allocator: Any
    interface: Interface

    def samples(self, *, awkward: bool = False, benign: bool = True) -> Iterator[tuple[str, Any]]:
        """Sample problems it says it is able to take, each with its name."""
        able = registry.capabilities(self.family, self.allocator)
        kinds = [("benign", False, BENIGN)] * benign + [("awkward", True, AWKWARD)] * awkward
        for kind, odd, count in kinds:
            for seed in range(count):
                problem = self.interface.sample(seed, awkward=odd)
                if self.interface.needs(problem) <= able:
                    yield f"{kind} problem {seed} (sample({seed}, awkward={odd}))", problem

    def solve(self, problem: Any, where: str, **how: Any) -> Any:
        """Return its answer; an error of ours is told as a failed check."""
        try:
            return self.allocator.allocate(problem, **how)
        except TiertwinError as error:
            self.fail(f"gave no answer to {where}: {type(error).__name__}: {error}")

    def judge(self, problem: Any, answer: Any) -> Judged:
        """Judge the plan of an answer."""
        return self.interface.judge(
            problem, np.ascontiguousarray(self.interface.plan(answer), dtype=np.float64), answer
        )

    def require(self, condition: bool, reason: str) -> None:
        """Fail with the reason unless the condition holds."""
        if not condition:
            self.fail(reason)

    def fail(self, reason: str) -> NoReturn:
        """Fail: an AssertionError that names the allocator."""
        raise AssertionError(f"allocator {getattr(self.allocator, 'name', self.allocator)!r} of {self.family} {reason}")


def check_face(bench: Bench) -> None:
    """It has a name, `allocate`, flags that the family knows, and takes at least one benign sample problem."""
    allocator, known = bench.allocator, registry.family(bench.family)
    bench.require(isinstance(getattr(allocator, "name", None), str) and bool(allocator.name), "has no name")
    bench.require(callable(getattr(allocator, "allocate", None)), "has no method allocate(problem, *, start, …)")
    said = getattr(allocator, "family", bench.family)
    bench.require(said == bench.family, f"says that its family is {said!r}")
    unknown = registry.capabilities(bench.family, allocator) - set(known.flags)
    told = ", ".join(known.flags) or "none"
    bench.require(not unknown, f"has unknown capabilities {sorted(unknown)}: the family has {told}")
    bench.require(any(True for _ in bench.samples()), f"takes no benign sample problem: capabilities of {told}")


def check_shapes(bench: Bench) -> None:
    """Answers have finite numbers of the right shapes; prices and rates are ≥ 0; the input is left alone."""
    for where, problem in bench.samples(awkward=True):
        copies = {f.name: _copied(getattr(problem, f.name)) for f in dataclasses.fields(problem)}
        answer = bench.solve(problem, where)
        for name, (shape, positive) in bench.interface.arrays(problem).items():
            came = np.asarray(getattr(answer, name, np.nan))
            bench.require(came.shape == shape, f"{name}: expected shape {shape}, got {came.shape} at {where}")
            bench.require(bool(np.all(np.isfinite(came))), f"{name} is not finite at {where}")
            bench.require(not positive or bool(np.all(came >= 0)), f"{name} has a number < 0 at {where}")
        for name, copy in copies.items():
            bench.require(_same(copy, getattr(problem, name)), f"changed its input {name} at {where}")


def check_feasibility(bench: Bench) -> None:
    """Every plan keeps every limit within 1e-6, relative."""
    for where, problem in bench.samples(awkward=True):
        judged = bench.judge(problem, bench.solve(problem, where))
        told = f"breaks {judged.fault} by {judged.violation:.3g} (relative) at {where}"
        bench.require(judged.violation <= VIOLATION, told)


def check_worth(bench: Bench) -> None:
    """What an answer says of its plan is what the independent checker finds."""
    for where, problem in bench.samples():
        answer = bench.solve(problem, where)
        judged = bench.judge(problem, answer)
        for name, value in judged.claims.items():
            error = float(np.max(np.abs(np.asarray(getattr(answer, name)) - value), initial=0.0))
            size = max(float(np.max(np.abs(value), initial=0.0)), judged.scale, 1e-12)
            bench.require(
                error <= 1e-7 * size, f"claims another {name} than its plan has (off by {error:.3g}) at {where}"
            )


def check_certificate(bench: Bench) -> None:
    """Its bound is what its prices prove, no plan beats it, and its own plan comes within its accuracy of it."""
    accuracy = float(getattr(bench.allocator, "accuracy", ACCURACY))
    for where, problem in bench.samples():
        answer = bench.solve(problem, where)
        judged, proved = bench.judge(problem, answer), bench.interface.bound(problem, answer)
        claimed = bench.interface.claimed_bound(answer)
        slack = ROUNDING * max(judged.scale, abs(proved))
        told = f"claims the bound {claimed:.9g} at {where}, its prices prove {proved:.9g}"
        bench.require(claimed >= proved - slack, told)
        for rival in bench.interface.rivals(problem, answer):
            value = bench.interface.judge(problem, rival, answer).value
            told = f"its bound is none: a plan is worth {value:.9g} > {claimed:.9g} at {where}"
            bench.require(value <= claimed + slack, told)
        gap = bench.interface.gap(judged, claimed)
        bench.require(gap <= accuracy, f"reaches the certified gap {gap:.3g}, not {accuracy:g}, at {where}")


def check_awkward(bench: Bench) -> None:
    """At the edges (nothing to share, nothing wanted, endless limits, ties) its bound is true, however wide."""
    for where, problem in bench.samples(awkward=True, benign=False):
        answer = bench.solve(problem, where)
        claimed = bench.interface.claimed_bound(answer)
        for rival in (bench.interface.plan(answer), *bench.interface.rivals(problem, answer)):
            judged = bench.interface.judge(problem, rival, answer)
            slack = ROUNDING * max(judged.scale, abs(claimed))
            told = f"its bound is none: a plan is worth {judged.value:.9g} > {claimed:.9g} at {where}"
            bench.require(judged.value <= claimed + slack, told)


def check_warm_start(bench: Bench) -> None:
    """From an answer to other data of the same structure it answers as truly as from nothing."""
    accuracy = float(getattr(bench.allocator, "accuracy", ACCURACY))
    for seed, (where, problem) in enumerate(bench.samples()):
        start = bench.solve(problem, where)
        other = bench.interface.changed(problem, seed)
        where = f"{where} changed, from a start"  # noqa: PLW2901
        answer = bench.solve(other, where, start=start)
        judged, proved = bench.judge(other, answer), bench.interface.bound(other, answer)
        bench.require(judged.violation <= VIOLATION, f"breaks {judged.fault} by {judged.violation:.3g} at {where}")
        slack = ROUNDING * max(judged.scale, abs(proved))
        claimed = bench.interface.claimed_bound(answer)
        bench.require(claimed >= proved - slack, f"claims a bound that its prices do not prove at {where}")
        gap = bench.interface.gap(judged, claimed)
        bench.require(gap <= accuracy, f"reaches the certified gap {gap:.3g}, not {accuracy:g}, at {where}")


def check_determinism(bench: Bench) -> None:
    """The same request gives the same bits, whatever was solved in between."""
    found = list(bench.samples())
    where, problem = found[-1]
    first = bench.solve(problem, where)
    for other, rival in found:
        bench.solve(rival, other)
    again = bench.solve(problem, where)
    names = [f.name for f in dataclasses.fields(first)]
    different = [name for name in names if not _same(getattr(first, name), getattr(again, name))]
    bench.require(not different, f"remembers earlier requests: another {', '.join(different)} at {where}")


def check_limits(bench: Bench) -> None:
    """At an iteration limit of 0 and 1 it answers feasibly with a true bound, or raises one of our errors."""
    for where, problem in bench.samples():
        for limit in (0, 1):
            try:
                answer = bench.allocator.allocate(problem, iteration_limit=limit)
            except TiertwinError:
                continue
            judged, proved = bench.judge(problem, answer), bench.interface.bound(problem, answer)
            told = f"when stopped after {limit} iterations at {where}"
            bench.require(judged.violation <= VIOLATION, f"breaks {judged.fault} by {judged.violation:.3g} {told}")
            slack = ROUNDING * max(judged.scale, abs(proved))
            claimed = bench.interface.claimed_bound(answer)
            bench.require(claimed >= proved - slack, f"claims a bound that its prices do not prove {told}")


CHECKS: tuple[Callable[[Bench], None], ...] = (
    check_face,
    check_shapes,
    check_feasibility,
    check_worth,
    check_certificate,
    check_awkward,
    check_warm_start,
    check_determinism,
    check_limits,
)


def _bound(check: Callable[[Bench], None], family: str) -> Callable[[Any], None]:
    return lambda allocator: check(Bench(family, allocator, registry.family(family).interface))


def _described(check: Callable[..., None], run: Callable[[Any], None]) -> Check:
    return Check(check.__name__.removeprefix("check_"), (check.__doc__ or "").strip(), run)


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=True)
    if dataclasses.is_dataclass(a) and type(a) is type(b):
        return all(_same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    return bool(a == b)
