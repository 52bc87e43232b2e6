"""Which attributes to ask for under a budget of bytes and CPU, and how often to change one's mind.

    max   Σ V_a x_a − λ Σ_{a<b} S_ab x_a x_b ,   x in {0, 1}^A
    s.t.  Σ d_a x_a ≤ D  (bytes/s),   Σ c_a x_a ≤ C  (CPU seconds a cycle)

`select` starts greedily, by marginal value over d/D + c/C, from nothing and from every single attribute (after Sahni,
J. ACM 22 (1975) 115, for one constraint), and then exchanges one for one, one for two and two for one while that pays.
It goes on from there by a search through what else may be taken, attribute by attribute, with at most `WIDTH` states:
for a dozen attributes that is a proof. Above `LARGE` it stops at a few exchanges: each is a small part of the whole.
`exact` proves the best of a few dozen; `gap_to_exact` says how far a rule is from it.

Hysteresis: an attribute enters above `v_hi` and leaves below `v_lo`; one that is held counts `stick` more. `Selector`
(selector.py) keeps what is held and bounds the changes an hour. Every rule of choice takes what `select` takes and
returns a mask: the baselines are there, too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.budgeted import Budgeted, Chooser, budgeted, limit, share

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

TRIPLES = 64  # attributes up to which one for two is tried: A³ of them
SHORT_LIST = 4  # choices that are improved by exchanges
WIDTH = 512  # states of `select`
LARGE = 256  # attributes from which on greedy choices from few starts and few exchanges do: each is a small part
FEW_STARTS, FEW_STEPS = 32, 16  # there
STATES = 200_000  # of `exact`


def select(
    value: Reals,
    cost_bytes: Reals,
    cost_cpu: Reals | None = None,
    *,
    byte_budget: float,
    cpu_budget: float = np.inf,
    redundancy: Reals | None = None,
    lam: float = 0.0,
    held: Mask | None = None,
    v_hi: float = 0.0,
    v_lo: float = 0.0,
    stick: float = 0.0,
    search: bool = True,
) -> Mask:
    """Choose attributes of the greatest value within both budgets.

    Parameters
    ----------
    value, cost_bytes, cost_cpu, byte_budget, cpu_budget, redundancy, lam
        As in `Budgeted`.
    held
        What is asked for now, (A,); it stays while its value is at least `v_lo`, where the budgets allow.
    v_hi, v_lo
        An attribute that is not held enters only above `v_hi`; v_lo ≤ v_hi.
    stick
        Share by which the value of a held attribute counts more: near ties nothing changes.
    search
        Whether to go on after the exchanges; without it the choice is found in half the time and proves nothing.

    Returns
    -------
    Mask (A,), within the budgets; the same for the same input (ties go to the lowest attribute).
    """
    problem, open_to = _asked(
        budgeted(
            value, cost_bytes, cost_cpu, byte_budget=byte_budget, cpu_budget=cpu_budget, redundancy=redundancy, lam=lam
        ),
        held, v_hi, v_lo, stick,
    )  # fmt: skip
    best = _greedy_best(problem, open_to)
    return best if problem.size > LARGE or not search else _search(problem, best, open_to, WIDTH)[0]


def _asked(problem: Budgeted, held: Mask | None, v_hi: float, v_lo: float, stick: float) -> tuple[Budgeted, Mask]:
    """The problem with what is held counted more, and which attributes may be asked for."""
    if not v_lo <= v_hi:
        raise InputError(f"v_lo: expected at most v_hi = {v_hi}, got {v_lo}", "selection")
    if not (stick >= 0.0 and np.isfinite(stick)):
        raise InputError(f"stick: expected a finite share ≥ 0, got {stick}", "selection")
    now = np.zeros(problem.size, dtype=np.bool_) if held is None else np.asarray(held, dtype=np.bool_)
    if now.shape != (problem.size,):
        raise InputError(f"held: expected shape ({problem.size},), got {now.shape}", "selection")
    open_to: Mask = np.where(now, problem.value >= v_lo, problem.value > v_hi)
    return replace(problem, value=np.where(now, problem.value * (1.0 + stick), problem.value)), open_to


def _greedy_best(problem: Budgeted, open_to: Mask) -> Mask:
    """The best of the greedy choices after exchanges."""
    places = np.flatnonzero(
        open_to & (problem.cost_bytes <= limit(problem.byte_budget)) & (problem.cost_cpu <= limit(problem.cpu_budget))
    )
    result = np.zeros(problem.size, dtype=np.bool_)
    if places.size == 0:
        return result
    part = replace(
        problem, value=problem.value[places], cost_bytes=problem.cost_bytes[places],
        cost_cpu=problem.cost_cpu[places], redundancy=problem.redundancy[np.ix_(places, places)],
    )  # fmt: skip
    if part.fits(np.ones(part.size, dtype=np.bool_)) and part.lam == 0.0:
        result[places] = part.value > 0.0
        return result
    large = part.size > LARGE
    first = np.argsort(-part.value, kind="stable")[: FEW_STARTS if large else part.size]
    starts = np.zeros((1 + first.size, part.size), dtype=np.bool_)
    starts[1 + np.arange(first.size), np.sort(first)] = True
    choices = np.concatenate([_greedy(part, starts, weight) for weight in _weights(part)])
    x = choices.astype(np.float64)
    scores = x @ part.value - 0.5 * ((x @ part.penalty) * x).sum(axis=1)
    ranked = np.argsort(-scores, kind="stable")
    different = np.sort(np.unique(choices[ranked], axis=0, return_index=True)[1])  # places among `ranked`
    listed, steps = (1, FEW_STEPS) if large else (SHORT_LIST, 4 * part.size)
    improved = [_exchange(part, choices[k], steps) for k in ranked[different[:listed]]]
    result[places] = max(improved, key=part.objective)  # the first among equals
    return result


def _weights(problem: Budgeted) -> list[Reals]:
    """What value is divided by: both budgets, each alone, nothing."""
    both = problem.weight
    alone = [share(problem.cost_bytes, problem.byte_budget), share(problem.cost_cpu, problem.cpu_budget)]
    return [
        both,
        *(weight for weight in alone if weight.any() and not np.array_equal(weight, both)),
        np.ones(problem.size),
    ]


def _greedy(problem: Budgeted, starts: Mask, weight: Reals) -> Mask:
    """Fill every start up, all at once, by marginal value over weight."""
    chosen = starts.copy()
    penalty = problem.penalty
    x = chosen.astype(np.float64)
    left = np.stack([
        limit(problem.byte_budget) - x @ problem.cost_bytes,
        limit(problem.cpu_budget) - x @ problem.cost_cpu,
    ])  # fmt: skip
    margin = problem.value - x @ penalty
    scale = np.maximum(weight, 1e-300)
    rows = np.arange(len(chosen))
    while rows.size:
        ratio = margin[rows] / scale
        fits = (problem.cost_bytes <= left[0, rows, None]) & (problem.cost_cpu <= left[1, rows, None])
        ratio[chosen[rows] | ~fits] = -np.inf
        pick = ratio.argmax(axis=1)
        go = ratio[np.arange(rows.size), pick] > 0.0
        rows, pick = rows[go], pick[go]
        chosen[rows, pick] = True
        left[0, rows] -= problem.cost_bytes[pick]
        left[1, rows] -= problem.cost_cpu[pick]
        margin[rows] -= penalty[pick]
    return chosen


def _exchange(problem: Budgeted, mask: Mask, steps: int) -> Mask:
    """Add, drop, and exchange one for one, one for two and two for one while the objective rises."""
    penalty, mask = problem.penalty, mask.copy()
    for _ in range(steps):  # each rises
        inside, outside = np.flatnonzero(mask), np.flatnonzero(~mask)
        margin = problem.value - penalty @ mask
        left = (
            limit(problem.byte_budget) - problem.cost_bytes[mask].sum(),
            limit(problem.cpu_budget) - problem.cost_cpu[mask].sum(),
        )
        step = _best_step(problem, penalty, margin, left, _groups(inside, problem.size), _groups(outside, problem.size))
        if step is None:
            return mask
        mask[step] = ~mask[step]
    return mask


def _groups(places: Ints, size: int) -> list[Ints]:
    """None, each one, each two (where that is not too many) of some attributes, as index arrays (count, k)."""
    groups = [np.empty((1, 0), dtype=np.int64), places[:, None]]
    if size <= TRIPLES:
        a, b = np.triu_indices(places.size, 1)
        groups.append(np.stack([places[a], places[b]], axis=1))
    return groups


def _best_step(
    problem: Budgeted, penalty: Reals, margin: Reals, left: tuple[float, float], out: list[Ints], into: list[Ints]
) -> Ints | None:
    """The attributes to flip for the greatest rise of the objective; None: nothing rises."""
    best, step = 1e-12 * max(float(np.abs(problem.value).max()), 1e-300), None
    for k, gone in enumerate(out):
        for n, come in enumerate(into):
            if k + n == 0 or k + n > 3 or not len(gone) or not len(come):
                continue
            rise = _gain(penalty, margin, come, 1.0)[None, :] + _gain(penalty, margin, gone, -1.0)[:, None]
            for a in range(k):
                for b in range(n):
                    rise = rise + penalty[np.ix_(gone[:, a], come[:, b])]
            for cost, room in ((problem.cost_bytes, left[0]), (problem.cost_cpu, left[1])):
                rise[cost[come].sum(axis=1)[None, :] - cost[gone].sum(axis=1)[:, None] > room] = -np.inf
            at = int(rise.argmax())
            if rise.flat[at] > best:
                best = float(rise.flat[at])
                row, column = divmod(at, rise.shape[1])
                step = np.concatenate([gone[row], come[column]])
    return step


def _gain(penalty: Reals, margin: Reals, group: Ints, sign: float) -> Reals:
    """Rise of the objective when a group comes (+1) or goes (−1), by group."""
    result: Reals = sign * margin[group].sum(axis=1)
    if group.shape[1] == 2:  # both come: they repeat each other; both go: that is counted twice in their margins
        result = result - penalty[group[:, 0], group[:, 1]]
    return result


def exact(
    value: Reals,
    cost_bytes: Reals,
    cost_cpu: Reals | None = None,
    *,
    byte_budget: float,
    cpu_budget: float = np.inf,
    redundancy: Reals | None = None,
    lam: float = 0.0,
) -> Mask:
    """Prove the best choice: a dynamic programme over what has been taken, attribute by attribute; costs not rounded.

    A state (bytes, CPU, value) is dropped when no completion can be better than the best choice known: by the
    fractional relaxations of the bytes, of the CPU and of their sum. With `lam` > 0 these leave redundancy out.

    Raises
    ------
    InputError
        More than `STATES` states: too many attributes to prove (some 30 to 60, by their costs).
    """
    problem = budgeted(
        value, cost_bytes, cost_cpu, byte_budget=byte_budget, cpu_budget=cpu_budget, redundancy=redundancy, lam=lam
    )
    everything = np.ones(problem.size, dtype=np.bool_)
    best, proved = _search(problem, _greedy_best(problem, everything), everything, STATES)
    if not proved:
        raise InputError(f"expected fewer attributes: {problem.size} need more than {STATES} states", "selection")
    return best


def _search(problem: Budgeted, best: Mask, open_to: Mask, width: int) -> tuple[Mask, bool]:
    """Better choices than `best`, attribute by attribute; whether the answer is proved: no state had to be given up.

    Beyond `width` states those whose bounds are highest are followed.
    """
    least, penalty = problem.objective(best), problem.penalty
    order = np.argsort(-problem.value / np.maximum(problem.weight, 1e-300), kind="stable")
    order = order[(problem.value[order] > 0.0) & open_to[order]]
    members = np.zeros((1, problem.size), dtype=np.bool_)
    states, proved = np.zeros((3, 1)), True  # bytes, CPU, value
    most = np.array([[limit(problem.byte_budget)], [limit(problem.cpu_budget)]])
    for k, a in enumerate(order):
        step = np.array([[problem.cost_bytes[a]], [problem.cost_cpu[a]]])
        fits = (states[:2] + step <= most).all(axis=0)
        with_a, taken = states[:, fits].copy(), members[fits].copy()
        with_a[:2] += step
        with_a[2] += problem.value[a] - taken @ penalty[a]
        taken[:, a] = True
        top = int(with_a[2].argmax()) if with_a.size else -1
        if top >= 0 and with_a[2, top] > least:
            best, least = taken[top].copy(), float(with_a[2, top])
        states, members = np.concatenate([states, with_a], axis=1), np.concatenate([members, taken])
        bound = states[2] + _relaxed(problem, order[k + 1 :], states)
        keep = np.flatnonzero(bound > least * (1.0 + 1e-12))
        if keep.size > width:
            keep, proved = np.sort(keep[np.argsort(-bound[keep], kind="stable")[:width]]), False
        states, members = states[:, keep], members[keep]
    return best, proved


def _relaxed(problem: Budgeted, rest: Ints, states: Reals) -> Reals:
    """The most that fractions of `rest` could add to each state, the least of three relaxations."""
    result = np.full(states.shape[1], problem.value[rest].sum())
    of_bytes, of_cpu = share(problem.cost_bytes, problem.byte_budget), share(problem.cost_cpu, problem.cpu_budget)
    used = [share(states[0], problem.byte_budget), share(states[1], problem.cpu_budget)]
    for weight, left in (
        (of_bytes, 1.0 - used[0]), (of_cpu, 1.0 - used[1]), (of_bytes + of_cpu, 2.0 - used[0] - used[1])
    ):  # fmt: skip
        order = rest[np.argsort(-problem.value[rest] / np.maximum(weight[rest], 1e-300), kind="stable")]
        at = np.concatenate([[0.0], np.cumsum(weight[order])])
        gained = np.concatenate([[0.0], np.cumsum(problem.value[order])])
        if at[-1] > 0.0:
            last = np.searchsorted(at, np.maximum(left, 0.0) + 1e-9, side="right") - 1  # never below the truth
            after = np.minimum(last + 1, order.size)
            width = at[after] - at[last]
            part = np.where(width > 0.0, (left + 1e-9 - at[last]) / np.where(width > 0.0, width, 1.0), 0.0)
            bound = gained[last] + np.clip(part, 0.0, 1.0) * (gained[after] - gained[last])
            result = np.minimum(result, bound)
    return result


def gap_to_exact(
    value: Reals,
    cost_bytes: Reals,
    cost_cpu: Reals | None = None,
    *,
    byte_budget: float,
    cpu_budget: float = np.inf,
    redundancy: Reals | None = None,
    lam: float = 0.0,
    choose: Chooser = select,
) -> float:
    """Return how far a rule of choice is from the best, 1 − objective / best objective (0 where the best is 0)."""
    problem = budgeted(
        value, cost_bytes, cost_cpu, byte_budget=byte_budget, cpu_budget=cpu_budget, redundancy=redundancy, lam=lam
    )
    best = problem.objective(
        exact(
            value, cost_bytes, cost_cpu, byte_budget=byte_budget, cpu_budget=cpu_budget, redundancy=redundancy, lam=lam
        )
    )
    mask = choose(
        value, cost_bytes, cost_cpu, byte_budget=byte_budget, cpu_budget=cpu_budget, redundancy=redundancy, lam=lam
    )
    return 0.0 if best <= 0.0 else max(0.0, 1.0 - problem.objective(mask) / best)
