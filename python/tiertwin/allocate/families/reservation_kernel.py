"""Reservation by prices: the relaxation on the kernel of `fair.py`, then sets by enumeration and a search by moves.

1. The relaxation, in which a group split over tiers pays its fixed parts by share, is a linear problem with as many
   rows as kinds, tiers and kinks of φ. It is put as weighted throughput: groups are users that must be served (weight
   above any price), tiers their options; beyond a kink stands a user that would fill the row, for what the slope rises
   there. Its prices give the lower bound.
2. From the groups' tiers there, one group at a time moves to wherever the true cost falls most, until no move helps.
3. Groups in doubt at these prices try each of their 2^N − 1 sets of tiers, with the best shares for all sets chosen:
   the same linear problem with the fixed parts as a load that is there anyway. Then 2 again, until nothing helps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from tiertwin.allocate.families import reservation
from tiertwin.allocate.families.fair import FairKernel, FairProblem
from tiertwin.allocate.families.options import Indices, Options
from tiertwin.allocate.families.reservation import ReservationAnswer, ReservationProblem
from tiertwin.allocate.leaf import Array

SPLIT = 1e-3  # share below which a group is not thought to be at a tier
ACCURACY = 1e-9  # of the linear problems
MUST = 2.0  # weight of a group over the highest price that any of its options can have


class ReservationKernel:
    """Prices and moves; the gap it tells is that to the relaxation, so part of it is what whole sets cost."""

    name = "kernel"
    accuracy = 0.05  # of sample problems: few groups, so that whole sets cost some per cent

    def allocate(
        self,
        problem: ReservationProblem,
        *,
        start: ReservationAnswer | None = None,
        iteration_limit: int = reservation.ITERATION_LIMIT,
        tolerance: float = reservation.TOLERANCE,
    ) -> ReservationAnswer:
        """Search at most `iteration_limit` moves, or until the gap is at most `tolerance`."""
        groups = problem.groups
        if groups == 0:
            return reservation.answer(problem, np.zeros((0, problem.tiers)), np.zeros((3, problem.tiers)), 0)
        relaxed, price, steps = linear(problem, problem.whole, problem.open, np.zeros((3, problem.tiers)))
        bound = reservation.price_bound(problem, price)
        candidates = [relaxed, whole_groups(problem, relaxed)]
        if start is not None and start.share.shape == relaxed.shape:
            candidates.append(start.share)
        best = min((reservation.fit(problem, c) for c in candidates), key=lambda y: _cost(problem, y))
        for _ in range(iteration_limit):
            if _cost(problem, best) - bound <= tolerance * max(_cost(problem, best), 1e-300):
                break
            better = _moved(problem, best)
            if better is None:
                refined = _resplit(problem, best, price)
                if _cost(problem, refined) >= _cost(problem, best) * (1 - 1e-9):
                    break
                better = refined
            best = better
            steps += 1
        return reservation.answer(problem, best, price, steps)


@dataclass(frozen=True)
class _Rows:
    """One row a kink of φ: kind, tier, where the kink is (beyond what is there anyway), what the slope rises by."""

    kind: Indices
    tier: Indices
    kink: Array
    rise: Array
    first: Array  # [3, N] slope at what is there anyway


def linear(problem: ReservationProblem, use: Array, allowed: Any, there: Array) -> tuple[Array, Array, int]:
    """Solve min Σ φ(there + margin + Σ use y) over shares of the allowed tiers: shares, prices [3, N], steps."""
    base = there.copy()
    if problem.margin is not None:
        base[0] += problem.margin
    most = np.where(allowed, use, 0.0).max(axis=2).sum(axis=1)[:, None] + base  # [3, 1] + [3, N]
    rows = _rows(problem, base, most)
    unit = np.maximum(most - base, 1e-300)
    groups, tiers = np.nonzero(allowed)
    steepest = problem.steepest
    money = float(max(np.einsum("kn,kgn->gn", steepest, use)[allowed].max(), 1e-300))
    entries: list[tuple[Any, Any, Any]] = []
    for i in range(rows.kind.size):
        at = np.flatnonzero(tiers == rows.tier[i])
        k = int(rows.kind[i])
        entries.append((at, np.full(at.size, i), use[k, groups[at], rows.tier[i]] / unit[k, rows.tier[i]]))
    fillers = groups.size + np.arange(rows.kind.size)
    entries.append((fillers, np.arange(rows.kind.size), np.ones(rows.kind.size)))
    owner, resource, amount = (np.concatenate(column) for column in zip(*entries, strict=True))
    order = np.argsort(owner, kind="stable")
    count = groups.size + rows.kind.size
    per_group = np.bincount(groups, minlength=problem.groups)
    options = Options(
        np.concatenate([[0], np.cumsum(np.concatenate([per_group, np.ones(rows.kind.size, dtype=np.int64)]))]),
        np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=count))]),
        resource[order].astype(np.int64),
        amount[order],
        rows.kind.size,
    )
    span = (most - base)[rows.kind, rows.tier] / unit[rows.kind, rows.tier]
    kink = rows.kink / unit[rows.kind, rows.tier]
    room = np.maximum(span - kink, 0.0)  # what a filler wants
    rise = rows.rise * unit[rows.kind, rows.tier] / money
    cost = np.einsum("kn,kgn->gn", rows.first, use)[groups, tiers] / money
    dearest = np.where(allowed, np.einsum("kn,kgn->gn", steepest, use), 0.0).max(axis=1) / money
    posed = FairProblem(
        options,
        np.concatenate([np.ones(problem.groups), room]),
        np.concatenate([MUST * np.maximum(dearest, 1e-12), rise]),
        np.zeros(problem.groups + rows.kind.size),
        kink + room,
        np.concatenate([cost, np.zeros(rows.kind.size)]),
    )
    found = FairKernel().allocate(posed, tolerance=ACCURACY)
    share = np.zeros(allowed.shape)
    share[groups, tiers] = found.x[: groups.size]
    price = rows.first.copy()
    np.add.at(price, (rows.kind, rows.tier), found.price * money / unit[rows.kind, rows.tier])
    return share, price, found.iterations


def _rows(problem: ReservationProblem, base: Array, most: Array) -> _Rows:
    """Kinks of φ between what is there anyway and the most that could be needed."""
    kinds, tiers, kinks, rises = [], [], [], []
    first = np.zeros_like(base)
    for k, n in np.ndindex(*base.shape):
        marks = {float(base[k, n]), float(most[k, n])}
        for edge in (
            problem.rest,
            problem.capacity,
            np.zeros(base.shape) if problem.before is None else problem.before,
        ):
            if base[k, n] < edge[k, n] < most[k, n]:
                marks.add(float(edge[k, n]))
        at = sorted(marks)
        if len(at) < 2:
            continue
        cost = [float(problem.cost_of(np.full(base.shape, need))[k, n]) for need in at]
        slope = [(cost[i + 1] - cost[i]) / (at[i + 1] - at[i]) for i in range(len(at) - 1)]
        first[k, n] = slope[0]
        for i in range(1, len(slope)):
            kinds.append(k)
            tiers.append(n)
            kinks.append(at[i] - base[k, n])
            rises.append(max(0.0, slope[i] - slope[i - 1]))
    whole = np.array(kinds, dtype=np.int64), np.array(tiers, dtype=np.int64)
    return _Rows(*whole, np.array(kinks), np.array(rises), first)


def whole_groups(problem: ReservationProblem, share: Array) -> Array:
    """Every group at the tier where most of it is."""
    single = np.zeros_like(share)
    single[np.arange(problem.groups), np.where(problem.open, share, -1.0).argmax(axis=1)] = 1.0
    return single


def _cost(problem: ReservationProblem, share: Array) -> float:
    return float(problem.cost_of(problem.need_of(share)).sum())


def _moved(problem: ReservationProblem, share: Array) -> Array | None:
    """The best move of one group as a whole to one tier; None where none helps."""
    now = _cost(problem, share)
    best, to = now * (1 - 1e-12), None
    without = problem.need_of(share)[None] - _needs(problem, share)  # [G, 3, N]; pooled parts are judged exactly below
    for n in range(problem.tiers):
        need = without.copy()
        need[:, :, n] += problem.whole[:, :, n].T
        cost = problem.cost_of(need).sum(axis=(1, 2))
        cost = np.where(problem.open[:, n] & (share[:, n] < 1.0), cost, np.inf)
        g = int(cost.argmin())
        if cost[g] < best:
            best, to = float(cost[g]), (g, n)
    if to is None:
        return None
    moved = share.copy()
    moved[to[0]] = 0.0
    moved[to] = 1.0
    return moved if _cost(problem, moved) < now else None


def _needs(problem: ReservationProblem, share: Array) -> Array:
    """What each group needs, ``[G, 3, N]``."""
    need = problem.per_share * share[None]
    need[0] += np.where(share > 0, problem.per_set, 0.0)
    return np.asarray(need.transpose(1, 0, 2), dtype=np.float64)


def _resplit(problem: ReservationProblem, share: Array, price: Array) -> Array:
    """Best shares over sets: the present ones, and for each group in doubt every other set, one at a time.

    In doubt are the groups that pay, at the prices of the relaxation, nearly as little at a second tier.
    """
    paid = np.where(problem.open, np.einsum("kn,kgn->gn", price, problem.whole), np.inf)
    ranked = np.sort(paid, axis=1)
    second = ranked[:, min(1, problem.tiers - 1)]
    doubt = np.argsort(second - ranked[:, 0], kind="stable")[: 3 * problem.tiers].tolist()
    best = _with_sets(problem, share > 0)
    best = best if _cost(problem, best) < _cost(problem, share) else share
    every = [set(c) for size in range(1, problem.tiers + 1) for c in combinations(range(problem.tiers), size)]
    for g in doubt:
        for tiers in every:
            allowed = best > 0
            row = np.array([n in tiers for n in range(problem.tiers)])
            if np.any(row & ~problem.open[g]) or np.array_equal(row, allowed[g]):
                continue
            allowed[g] = row
            tried = _with_sets(problem, allowed)
            if _cost(problem, tried) < _cost(problem, best) * (1 - 1e-12):
                best = tried
    return best


def _with_sets(problem: ReservationProblem, allowed: Any) -> Array:
    """Best shares for fixed sets: the delay parts are there anyway."""
    there = np.zeros((3, problem.tiers))
    there[0] = np.where(allowed, problem.per_set, 0.0).sum(axis=0)
    share, _, _ = linear(problem, problem.per_share, allowed, there)
    return reservation.fit(problem, np.where(share > SPLIT * 1e-3, share, 0.0))


@dataclass(frozen=True)
class Lack:
    """What a plan does not have: kind and tier, what it needs there and what there is."""

    kind: str
    tier: int
    needed: float
    capacity: float

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.kind} at tier {self.tier}: short {self.needed - self.capacity:.4g} of {self.needed:.4g}"


def lacks(problem: ReservationProblem, answer: ReservationAnswer) -> tuple[list[Lack], bool]:
    """What is beyond capacity in an answer, and whether it is proved that no plan at all fits.

    The proof is the bound of the same problem in which nothing costs anything but what is beyond capacity.
    """
    found = [
        Lack(reservation.KINDS[k], int(n), float(answer.reserved[k, n]), float(problem.capacity[k, n]))
        for k, n in np.argwhere(answer.overflow > 0)
    ]
    if not found:
        return [], False
    free = replace(problem, price=np.zeros_like(problem.price), before=None, change=None)
    _, price, _ = linear(free, free.per_share if free.pooled else free.whole, free.open, np.zeros_like(free.price))
    return found, reservation.price_bound(free, price) > 1e-9 * reservation.worth(free, answer.share).cost
