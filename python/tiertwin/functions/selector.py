"""What is asked for from one decision to the next: few changes, and bounded; and the baselines to compare with.

A `Selector` holds the attributes asked for. At each decision its rule of choice says what it would ask for now (what is
held counts `stick` more and stays down to `v_lo`), and the selector goes there as far as the changes left this hour
allow, the greatest rise of the objective a change first.

    changes   one an attribute that enters or leaves; the first choice of all is none
    bound     those of choice: at most `most_changes` in any `per_s` seconds
    forced    when costs rise or a budget falls below what is held, the least valuable for what it takes leaves at once:
              counted in the same hour, so that fewer of choice are left, but not held back: a budget is a promise.
              `headroom` keeps these rare: choices fill (1 − headroom) of the budgets, and only the whole of them forces
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.budgeted import Budgeted, Chooser, budgeted
from tiertwin.functions.selection import select

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

HOUR = 3600.0


@dataclass(frozen=True)
class Choice:
    """What is asked for after a decision.

    Parameters
    ----------
    mask
        Attributes asked for, (A,).
    entered, left
        What changed, (A,).
    forced
        How many of those that left had to.
    wanted
        What the rule of choice would ask for without a bound on changes, (A,).
    """

    mask: Mask
    entered: Mask
    left: Mask
    forced: int
    wanted: Mask


class Selector:
    """The attributes asked for of one child, with hysteresis and a bound on changes.

    Parameters
    ----------
    attributes
        How many there are.
    byte_budget, cpu_budget
        Bytes/s and CPU seconds a cycle; may be replaced at any time.
    lam
        Weight of redundancy.
    v_hi, v_lo, stick
        Hysteresis of values, see `select`.
    most_changes
        Changes of choice allowed in any `per_s` seconds; None: no bound.
    headroom
        Share of the budgets that choices leave free, in [0, 1).
    choose
        The rule of choice.
    """

    def __init__(
        self,
        attributes: int,
        *,
        byte_budget: float,
        cpu_budget: float = np.inf,
        lam: float = 0.0,
        v_hi: float = 0.0,
        v_lo: float = 0.0,
        stick: float = 0.1,
        most_changes: int | None = 12,
        per_s: float = HOUR,
        headroom: float = 0.0,
        choose: Chooser = select,
    ) -> None:
        if attributes < 1:
            raise InputError(f"attributes: expected at least 1, got {attributes}", "Selector")
        if not 0.0 <= headroom < 1.0:
            raise InputError(f"headroom: expected a share in [0, 1), got {headroom}", "Selector")
        if not per_s > 0.0:
            raise InputError(f"per_s: expected a time > 0 s, got {per_s}", "Selector")
        if most_changes is not None and most_changes < 0:
            raise InputError(f"most_changes: expected at least 0, got {most_changes}", "Selector")
        self.byte_budget, self.cpu_budget, self.lam = byte_budget, cpu_budget, lam
        self.v_hi, self.v_lo, self.stick, self.headroom = v_hi, v_lo, stick, headroom
        self.most_changes, self.per_s, self.choose = most_changes, per_s, choose
        self.held: Mask = np.zeros(attributes, dtype=np.bool_)
        """What is asked for now."""
        self.changes = 0
        """Since the start, forced ones included, the first choice not."""
        self._times: deque[float] = deque()
        self._begun = False

    def update(
        self,
        value: Reals,
        cost_bytes: Reals,
        cost_cpu: Reals | None = None,
        *,
        now_s: float,
        redundancy: Reals | None = None,
    ) -> Choice:
        """Decide at `now_s` (seconds, never going back) from values and costs as `select` takes them."""
        full = budgeted(
            value, cost_bytes, cost_cpu, byte_budget=self.byte_budget, cpu_budget=self.cpu_budget,
            redundancy=redundancy, lam=self.lam,
        )  # fmt: skip
        if full.size != self.held.size:
            raise InputError(f"value: expected {self.held.size} attributes, got {full.size}", "Selector")
        before, kept = self.held, self.held.copy()
        forced = _evict(full, kept)
        part = 1.0 - self.headroom
        free = replace(full, byte_budget=part * full.byte_budget, cpu_budget=part * full.cpu_budget)
        wanted = self.choose(
            full.value, full.cost_bytes, full.cost_cpu, byte_budget=free.byte_budget, cpu_budget=free.cpu_budget,
            redundancy=full.redundancy, lam=self.lam, held=kept, v_hi=self.v_hi, v_lo=self.v_lo, stick=self.stick,
        )  # fmt: skip
        mask = wanted.copy() if not self._begun else _toward(free, kept, wanted, self._left(now_s) - forced)
        flipped = int((mask ^ before).sum())
        if self._begun:
            self._times.extend([now_s] * flipped)
            self.changes += flipped
        self._begun, self.held = True, mask
        return Choice(mask.copy(), mask & ~before, before & ~mask, forced, wanted)

    def _left(self, now_s: float) -> int:
        """Changes that may still be made at `now_s`."""
        while self._times and self._times[0] <= now_s - self.per_s:
            self._times.popleft()
        return self.held.size if self.most_changes is None else self.most_changes - len(self._times)


def _evict(problem: Budgeted, held: Mask) -> int:
    """Drop the least valuable for what it takes until the rest fits; return how many went."""
    forced = 0
    while not problem.fits(held):
        inside = np.flatnonzero(held)
        over = np.zeros(inside.size)
        for cost, budget in ((problem.cost_bytes, problem.byte_budget), (problem.cost_cpu, problem.cpu_budget)):
            if cost[held].sum() > budget:
                over += cost[inside] / cost[held].sum()
        helps = over > 0.0
        worth = np.where(helps, problem.value[inside] / np.where(helps, over, 1.0), np.inf)
        held[inside[int(worth.argmin())]] = False
        forced += 1
    return forced


def _toward(problem: Budgeted, held: Mask, wanted: Mask, allowance: int) -> Mask:
    """Go from what is held to what is wanted as far as the changes allow, the greatest rise a change first."""
    if int((held ^ wanted).sum()) <= max(allowance, 0):
        return wanted.copy()
    mask, penalty = held.copy(), problem.penalty
    while allowance > 0:
        margin = problem.value - penalty @ mask
        into, out = np.flatnonzero(wanted & ~mask), np.flatnonzero(mask & ~wanted)
        best, step = 0.0, None
        for flips in [[b] for b in into] + ([[a, b] for a in out for b in into] if allowance > 1 else []):
            trial = mask.copy()
            trial[flips] = ~trial[flips]
            rise = float(margin[flips[-1]])
            if len(flips) == 2:
                rise += float(penalty[flips[0], flips[1]] - margin[flips[0]])
            if rise / len(flips) > best and problem.fits(trial):
                best, step = rise / len(flips), flips
        if step is None:
            return _dropped(problem, mask, out, allowance)
        mask[step] = ~mask[step]
        allowance -= len(step)
    return mask


def _dropped(problem: Budgeted, mask: Mask, out: Ints, allowance: int) -> Mask:
    """Without those that are no longer wanted, the least valuable first, as far as the changes allow."""
    mask[out[np.argsort(problem.value[out], kind="stable")][:allowance]] = False
    return mask


def all_attributes(value: Reals, cost_bytes: Reals, cost_cpu: Reals | None = None, **_: Any) -> Mask:
    """Everything, whatever it costs: what regret is measured against."""
    return np.ones(np.size(value), dtype=np.bool_)


def none(value: Reals, cost_bytes: Reals, cost_cpu: Reals | None = None, **_: Any) -> Mask:
    """Return nothing beyond what is always sent."""
    return np.zeros(np.size(value), dtype=np.bool_)


def fixed(order: Ints) -> Chooser:
    """Take attributes in a fixed order, each that still fits."""
    places = np.asarray(order, dtype=np.int64)

    def choose(
        value: Reals,
        cost_bytes: Reals,
        cost_cpu: Reals | None = None,
        *,
        byte_budget: float,
        cpu_budget: float = np.inf,
        **_: Any,
    ) -> Mask:
        problem = budgeted(value, cost_bytes, cost_cpu, byte_budget=byte_budget, cpu_budget=cpu_budget)
        if places.size and not (places.min() >= 0 and places.max() < problem.size):
            raise InputError(f"order: expected attributes 0 … {problem.size - 1}, got {places.tolist()}", "fixed")
        mask = np.zeros(problem.size, dtype=np.bool_)
        for a in places:
            mask[a] = True
            mask[a] = problem.fits(mask)
        return mask

    return choose


def random(seed: int) -> Chooser:
    """Take attributes in an order drawn from `seed`, the same at every decision."""

    def choose(value: Reals, cost_bytes: Reals, cost_cpu: Reals | None = None, **given: Any) -> Mask:
        order = np.argsort(np.random.Generator(np.random.Philox(seed)).random(np.size(value)), kind="stable")
        return fixed(order)(value, cost_bytes, cost_cpu, **given)

    return choose


def top_variance(variance: Reals) -> Chooser:
    """Take attributes by their variance (A,), the greatest first; the caller says in what unit they compare."""
    return fixed(np.argsort(-np.asarray(variance, dtype=np.float64), kind="stable"))


def oracle(true_value: Reals) -> Chooser:
    """Choose by what attributes turned out to be worth (A,), whatever was thought of them."""
    truth = np.asarray(true_value, dtype=np.float64)

    def choose(value: Reals, cost_bytes: Reals, cost_cpu: Reals | None = None, **given: Any) -> Mask:
        return select(truth, cost_bytes, cost_cpu, **given)

    return choose
