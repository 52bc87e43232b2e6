"""Hostile instances of slices, reservation and spectrum, and what may be wrong with an answer to one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from tiertwin.allocate.families import registry
from tiertwin.allocate.families.interface import Interface
from tiertwin.allocate.families.slices_admission import admit
from tiertwin.errors import InputError, SolveError

VIOLATION, ROUNDING = 1e-6, 1e-9


def decades(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Some numbers times 10^-6 … 10^6, some 0."""
    scaled = values * 10.0 ** rng.integers(-6, 7, values.shape)
    return np.where(rng.random(values.shape) < 0.1, 0.0, np.where(rng.random(values.shape) < 0.5, values, scaled))


def worsen(family: str, problem: Any, rng: np.random.Generator) -> Any:
    """Make a sample problem worse."""
    if family == "slices":
        capacity = np.maximum(decades(rng, np.where(np.isfinite(problem.capacity), problem.capacity, 1.0)), 0.0)
        capacity = np.maximum(capacity, problem.kept.sum(axis=0)) if rng.random() < 0.5 else capacity
        kept = problem.kept * np.minimum(1.0, capacity / np.maximum(problem.kept.sum(axis=0), 1e-300))
        promised = replace(
            problem.guarantees, amount=decades(rng, problem.guarantees.amount) * 10.0 ** rng.integers(-3, 12)
        )
        return replace(
            problem, capacity=capacity, demand=decades(rng, problem.demand), weight=decades(rng, problem.weight),
            guarantees=promised, slices=replace(problem.slices, kept=kept),
        )  # fmt: skip
    if family == "reservation":
        return replace(
            problem, users=decades(rng, problem.users), cycles=decades(rng, problem.cycles), pooled=False,
            context=decades(rng, problem.context), capacity=decades(rng, np.nan_to_num(problem.capacity, posinf=1e3)),
            price=decades(rng, problem.price),
        )  # fmt: skip
    return replace(
        problem, gain=decades(rng, problem.gain), weight=decades(rng, problem.weight),
        demand=decades(rng, np.nan_to_num(problem.demand, posinf=1e7)),
        backhaul=decades(rng, np.nan_to_num(problem.backhaul, posinf=1e8)),
    )  # fmt: skip


def judge(family: str, interface: Interface, problem: Any, found: Counter[str]) -> list[str]:
    """Solve, and say what is wrong with the answer."""
    wrong = []
    answer = registry.get(family, "kernel").allocate(problem)
    judged = interface.judge(problem, interface.plan(answer), answer)
    bound, claimed = interface.bound(problem, answer), interface.claimed_bound(answer)
    slack = ROUNDING * max(judged.scale, abs(bound))
    if not judged.violation <= VIOLATION:
        wrong.append(f"breaks {judged.fault} by {judged.violation:.3g}")
    if not (np.isfinite(judged.value) and np.isfinite(claimed)):
        wrong.append(f"value {judged.value}, bound {claimed}")
    if claimed < bound - slack:
        wrong.append(f"claims {claimed:.12g}, prices prove {bound:.12g}")
    for rival in [interface.plan(answer), *interface.rivals(problem, answer)]:
        other = interface.judge(problem, rival, answer)
        if other.violation <= ROUNDING and other.value > claimed + slack:
            wrong.append(f"a plan is worth {other.value:.12g} > {claimed:.12g}")
    found["gap <= 1e-3" if interface.gap(judged, claimed) <= 1e-3 else "gap above 1e-3, told"] += 1
    if family == "slices":
        admission = admit(problem)
        found["admitted" if admission.admitted else "refused" if admission.refused else "undecided, told"] += 1
        if admission.refused and not all(refusal.causes for refusal in admission.refusals):
            wrong.append("a refusal without a cause")
        if admission.refused and not admission.refusals:
            wrong.append("refused without a refusal")
    return wrong


def try_one(family: str, seed: int, found: Counter[str]) -> list[str]:
    """Draw a hostile instance, solve it, and say what is wrong with the answer; count what came of it."""
    interface, rng = registry.family(family).interface, np.random.default_rng([77, seed])
    try:
        problem = worsen(family, interface.sample(seed, awkward=seed % 2 == 1), rng)
    except InputError:
        found["refused as wrong input"] += 1
        return []
    if interface.needs(problem) - registry.capabilities(family, registry.get(family, "kernel")):
        found["not for the kernel"] += 1
        return []
    try:
        return judge(family, interface, problem, found)
    except SolveError as error:
        return [f"SolveError: {error}"]
