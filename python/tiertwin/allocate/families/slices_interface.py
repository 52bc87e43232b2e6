"""Slices, as the registry and the conformance suite see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from tiertwin.allocate.families import fair, slices_answer
from tiertwin.allocate.families.fair_interface import drawn_options
from tiertwin.allocate.families.interface import Judged
from tiertwin.allocate.families.slices import Guarantees, SliceProblem, Slices
from tiertwin.allocate.families.slices_answer import Prices, SliceAnswer
from tiertwin.allocate.families.slices_repair import fitted
from tiertwin.allocate.leaf import Array

SHAPES = ((3, 2), (12, 4), (30, 8))  # users, resources
NAMES = ("urllc", "video", "iot")


class SlicesInterface:
    """`families.slices`."""

    problem = SliceProblem
    answer = SliceAnswer

    def sample(self, seed: int, *, awkward: bool = False) -> SliceProblem:
        """Draw 3–30 users of three slices with priorities, a limit, caps, kept parts and floors that can be kept.

        Awkward ones have floors nobody could keep, caps and limits of 0, a resource without capacity and an endless
        one, and in one of three more slices that keep a part of a resource than the kernel takes.
        """
        rng = np.random.default_rng([15, seed, awkward])
        users, resources = SHAPES[seed % len(SHAPES)]
        options = drawn_options(rng, users, resources)
        demand, weight = rng.lognormal(0.0, 0.7, users), rng.uniform(0.5, 3.0, users)
        capacity = max(0.5, users / resources) * rng.uniform(0.3, 2.0, resources)
        many = awkward and seed % 3 == 2
        names = (*NAMES, "a", "b", "c") if many else NAMES
        count = len(names)
        of_user = np.arange(users) % count
        kept = capacity * rng.uniform(0.0, 1.0 / count, (count, resources)) * (rng.random((count, resources)) < 0.5)
        kept[:, 0] = capacity[0] * rng.uniform(0.05, 1.0 / count, count) * (many or rng.random(count) < 0.7)
        cap = np.where(
            rng.random((count, resources)) < 0.3, capacity * rng.uniform(0.3, 0.8, (count, resources)), np.inf
        )
        limit = np.full(count, np.inf)
        limit[1] = 0.4 * demand[of_user == 1].sum()
        promised = 0.05 * np.array([demand[of_user == s].sum() for s in range(count)])
        if awkward:
            capacity[-1:] = np.inf if seed % 2 else 0.0
            kept[:, -1] = 0.0
            promised[0], promised[1] = 1e3 * promised[0] + 1.0, 0.0
            cap[2 % count, :1], limit[2 % count] = 0.0, 0.0
            demand[::4] = 0.0
        alpha = np.full(users, (1.0, 0.0, 2.0)[seed % 3])
        return SliceProblem(
            options, demand, weight, alpha, capacity,
            Slices(of_user, names, rng.uniform(0.5, 2.0, count), limit, cap, kept),
            Guarantees(of_user, promised, names, 10.0 * rng.uniform(1.0, 2.0, count)),
        )  # fmt: skip

    def needs(self, problem: SliceProblem) -> frozenset[str]:
        """``crowded``: more slices keep a part of one resource than the kernel takes."""
        from tiertwin.allocate.families.slices_rows import crowded  # noqa: PLC0415

        return frozenset({"crowded"} if crowded(problem) else ())

    def changed(self, problem: SliceProblem, seed: int) -> SliceProblem:
        """Move demands by up to a fifth, capacities up by that."""
        rng = np.random.default_rng([16, seed])
        demand = problem.demand * rng.uniform(0.8, 1.2, problem.demand.size)
        return replace(problem, demand=demand, capacity=problem.capacity * rng.uniform(1.0, 1.2, problem.capacity.size))

    def arrays(self, problem: SliceProblem) -> Mapping[str, tuple[tuple[int, ...], bool]]:
        """Plan, load, shortfall and all prices."""
        rows = (problem.options.resources,)
        promised = 0 if problem.floors is None else problem.floors.count
        sizes = {
            "x": (problem.options.count,),
            "price": rows,
            "load": rows,
            "discount": (problem.kept_pairs.shape[0],),
            "cap_price": (problem.cap_pairs.shape[0],),
            "limit_price": (problem.slices.count,),
            "floor_price": (promised,),
            "shortfall": (promised,),
        }
        return {name: (shape, True) for name, shape in sizes.items()}

    def plan(self, answer: SliceAnswer) -> Array:
        """x."""
        return answer.x

    def judge(self, problem: SliceProblem, plan: Array, answer: SliceAnswer) -> Judged:
        """By `slices_answer.worth`."""
        found = slices_answer.worth(problem, plan)
        claims = {name: getattr(found, name) for name in ("value", "scale", "load", "shortfall")}
        return Judged(found.value, found.scale, found.violation, found.fault, claims)

    def bound(self, problem: SliceProblem, answer: SliceAnswer) -> float:
        """By `slices_answer.price_bound`."""
        prices = Prices(answer.price, answer.discount, answer.cap_price, answer.limit_price)
        return slices_answer.price_bound(problem, prices, answer.floor_price)

    def claimed_bound(self, answer: SliceAnswer) -> float:
        """As it says."""
        return answer.bound

    def gap(self, judged: Judged, bound: float) -> float:
        """(bound − value) / S."""
        return fair.certified_gap(judged.value, bound, judged.scale)

    def rivals(self, problem: SliceProblem, answer: SliceAnswer) -> Iterator[Array]:
        """Random plans made feasible, and our own of the other kind."""
        from tiertwin.allocate.families import registry  # noqa: PLC0415  which knows us

        rng = np.random.default_rng(0)
        for spread in (0.5, 1.0, 2.0):
            yield fitted(problem, rng.lognormal(0.0, spread, problem.options.count))
        yield registry.choose(problem).allocate(problem, tolerance=1e-6).x
