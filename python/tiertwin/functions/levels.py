"""Attributes that may be sent in several ways (each second, each fifth, by group, a sum a site): one way each, or none.

    max   Σ_a V[a, l_a]   s.t.   Σ_a d[a, l_a] ≤ D,   l_a in {−1 (none: value 0, cost 0), 0, …, L−1}

The multiple-choice knapsack. `exact_levels` is the dynamic programme over undominated (cost, value), costs not rounded.
`select_levels` is the same with at most `WIDTH` states; where that gave some up, the better of its choice and of a
climb along each attribute's upper hull of value over cost, the steepest step of all first (P. Sinha, A. Zoltners, Oper.
Res. 27 (1979) 503), both after changes of one or two attributes at a time while these pay. `linear_bound` is the value
of the relaxation, which no choice exceeds.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

WIDTH = 4096  # states of `select_levels`
STATES = 500_000  # of `exact_levels`
ROUNDING = 1e-12  # of the budget


def _checked(value: Reals, cost: Reals, budget: float) -> tuple[Reals, Reals, float]:
    """Values and costs with `none` as column 0; a level of value −∞ or cost ∞ does not exist."""
    value, cost = np.asarray(value, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    problems = []
    if value.ndim != 2 or cost.shape != value.shape:
        problems.append(
            f"expected value and cost of one shape (attributes, levels), got {value.shape} and {cost.shape}"
        )
    if np.isnan(value).any() or (value == np.inf).any():
        problems.append("value: expected finite numbers, or −∞ for a level that does not exist")
    if not (cost >= 0.0).all():
        problems.append("cost: expected numbers ≥ 0, or ∞ for a level that does not exist")
    if not budget >= 0.0:
        problems.append(f"budget: expected at least 0, got {budget}")
    if problems:
        raise InputError(problems, "levels")
    none = np.zeros((len(value), 1))
    return np.hstack([none, value]), np.hstack([none, cost]), budget * (1.0 + ROUNDING)


def levels_value(level: Ints, value: Reals) -> float:
    """Return the value of a choice of levels (A,), −1: none."""
    taken = np.flatnonzero(level >= 0)
    return float(np.asarray(value)[taken, level[taken]].sum())


def select_levels(value: Reals, cost: Reals, budget: float, *, held: Ints | None = None, stick: float = 0.0) -> Ints:
    """Choose a level of each attribute within a budget.

    Parameters
    ----------
    value, cost
        Shape (A, L); −∞ and ∞ mark levels that an attribute does not have.
    budget
        Of the costs, ≥ 0.
    held
        Levels held now, (A,), −1: none; their values count `stick` more.

    Returns
    -------
    Ints
        A level each, (A,), −1: none.
    """
    full, costs, limit = _checked(value, cost, budget)
    worth = full
    if held is not None and stick > 0.0:
        now = np.asarray(held, dtype=np.int64) + 1
        if now.shape != (len(full),) or not ((now >= 0) & (now < full.shape[1])).all():
            raise InputError(f"held: expected {len(full)} levels −1 … {full.shape[1] - 2}, got {held}", "levels")
        worth = full.copy()
        worth[np.arange(len(full)), now] *= 1.0 + stick
    found, proved = _programme(worth, costs, limit, WIDTH)
    if proved:
        return found - 1
    climbed = _changed(worth, costs, limit, _climbed(worth, costs, limit))
    found = _changed(worth, costs, limit, found)
    rows = np.arange(len(full))
    return (climbed if worth[rows, climbed].sum() > worth[rows, found].sum() else found) - 1


def _climbed(value: Reals, cost: Reals, limit: float) -> Ints:
    """Levels after climbing the hulls as far as the budget goes."""
    level, used = np.zeros(len(value), dtype=np.int64), 0.0
    blocked = np.zeros(len(value), dtype=np.bool_)  # a step that does not fit ends its attribute's climb
    for _, a, to, more, _ in _steps(value, cost):
        if blocked[a] or used + more > limit:
            blocked[a] = True
            continue
        level[a], used = to, used + more
    return level


def _steps(value: Reals, cost: Reals) -> list[tuple[float, int, int, float, float]]:
    """Steps along the hulls, (−value per cost, attribute, level, added cost, added value), the steepest first."""
    steps = []
    for a in range(len(value)):
        hull = [0]
        for to in np.lexsort((-value[a], cost[a])):
            if not np.isfinite(cost[a, to]) or value[a, to] <= value[a, hull[-1]]:
                continue
            while len(hull) > 1 and _slope(value[a], cost[a], hull[-2], hull[-1]) <= _slope(
                value[a], cost[a], hull[-1], int(to)
            ):
                hull.pop()
            hull.append(int(to))
        for low, high in pairwise(hull):
            more, gain = float(cost[a, high] - cost[a, low]), float(value[a, high] - value[a, low])
            steps.append((-gain / more if more > 0.0 else -np.inf, a, high, more, gain))
    return sorted(steps)


def _slope(value: Reals, cost: Reals, low: int, high: int) -> float:
    more = cost[high] - cost[low]
    return float((value[high] - value[low]) / more) if more > 0.0 else np.inf


def _changed(value: Reals, cost: Reals, limit: float, level: Ints) -> Ints:
    """Change the levels of one or two attributes while that raises the value."""
    count, rows = len(value), np.arange(len(value))
    for _ in range(10 * count):
        room = limit - cost[rows, level].sum()
        gain, more = value - value[rows, level][:, None], cost - cost[rows, level][:, None]
        best, step = _best_of(gain, more, room)
        if count > 1:  # the best partner of every change: a pair of changes of two attributes
            pair_gain = (gain[:, :, None, None] + gain[None, None]).transpose(0, 2, 1, 3)
            pair_more = (more[:, :, None, None] + more[None, None]).transpose(0, 2, 1, 3)
            pair_gain[rows, rows] = -np.inf
            with np.errstate(invalid="ignore"):
                found, at = _best_of(pair_gain, pair_more, room)
            if found > best:
                best, step = found, at
        if best <= 1e-12 * max(float(np.abs(value[np.isfinite(value)]).max()), 1e-300):
            return level
        half = len(step) // 2
        for a, to in zip(step[:half], step[half:], strict=True):
            level[a] = to
    return level


def _best_of(gain: Reals, more: Reals, room: float) -> tuple[float, tuple[int, ...]]:
    fits = np.where(more <= room, gain, -np.inf)
    at = int(fits.argmax())
    return float(fits.flat[at]), tuple(int(i) for i in np.unravel_index(at, fits.shape))


def exact_levels(value: Reals, cost: Reals, budget: float) -> Ints:
    """Prove the best levels (A,): the dynamic programme over undominated pairs of cost and value, costs not rounded.

    Raises
    ------
    InputError
        More than `STATES` pairs.
    """
    level, proved = _programme(*_checked(value, cost, budget), STATES)
    if not proved:
        raise InputError(f"expected fewer attributes: {len(level)} need more than {STATES} states", "levels")
    return level - 1


def _programme(value: Reals, cost: Reals, limit: float, width: int) -> tuple[Ints, bool]:
    """Best levels (0: none), attribute by attribute; whether that is proved: no undominated state had to be given up.

    Beyond `width` states every second, third … by cost is followed, the dearest always.
    """
    spent, gained, proved = np.zeros(1), np.zeros(1), True
    trail: list[tuple[Ints, Ints]] = []  # by attribute: the state before and the level, of every state
    for a in range(len(value)):
        all_spent, all_gained = (spent[:, None] + cost[a]).ravel(), (gained[:, None] + value[a]).ravel()
        order = np.lexsort((-all_gained, all_spent))
        order = order[(all_spent[order] <= limit) & np.isfinite(all_gained[order])]
        best = np.maximum.accumulate(all_gained[order])
        keep = order[np.concatenate([[True], all_gained[order][1:] > best[:-1]])]
        if keep.size > width:
            keep, proved = keep[np.linspace(0, keep.size - 1, width).astype(np.int64)], False
        before, level = np.divmod(keep, value.shape[1])
        trail.append((before.astype(np.int64), level.astype(np.int64)))
        spent, gained = all_spent[keep], all_gained[keep]
    state, result = int(gained.argmax()), np.empty(len(value), dtype=np.int64)
    for a in range(len(value) - 1, -1, -1):
        before, level = trail[a]
        result[a], state = level[state], int(before[state])
    return result, proved


def linear_bound(value: Reals, cost: Reals, budget: float) -> float:
    """Return the value of the relaxation (fractions of levels): no choice within the budget is worth more."""
    full, costs, limit = _checked(value, cost, budget)
    total, room = 0.0, limit
    for steepness, _, _, more, gain in _steps(full, costs):
        if more > room:
            return total - steepness * room
        total += gain
        room -= more
    return total
