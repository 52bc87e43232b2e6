"""Reservation written in cvxpy: the mixed-integer problem and its relaxation, by HiGHS. The reference of the kernel."""

from __future__ import annotations

from typing import Any

import cvxpy
import numpy as np

from tiertwin.allocate.families import compiled, reservation
from tiertwin.allocate.families.reservation import ReservationAnswer, ReservationProblem
from tiertwin.allocate.leaf import Array

cp: Any = cvxpy  # its names come by star imports, which strict mypy does not follow


class ReservationCvxpy:
    """The family through cvxpy with HiGHS; the bound is that of the relaxation's prices, as the kernel's is."""

    name = "cvxpy"
    accuracy = 0.05

    def __init__(self, settings: dict[str, Any] | None = None) -> None:
        self._settings = {"mip_rel_gap": 1e-5} if settings is None else settings

    def allocate(
        self,
        problem: ReservationProblem,
        *,
        start: ReservationAnswer | None = None,
        iteration_limit: int = reservation.ITERATION_LIMIT,
        tolerance: float = reservation.TOLERANCE,
    ) -> ReservationAnswer:
        """Solve to HiGHS's own accuracy; `start`, limit and `tolerance` are not used.

        Raises
        ------
        SolveError
            HiGHS gave no numbers.
        """
        if problem.groups == 0:
            return reservation.answer(problem, np.zeros((0, problem.tiers)), np.zeros((3, problem.tiers)), 0)
        _, price = _solve(problem, whole=False, settings={})
        share, _ = _solve(problem, whole=True, settings=self._settings)
        return reservation.answer(problem, np.where(share > 1e-7, share, 0.0), price, 0)


def _solve(problem: ReservationProblem, *, whole: bool, settings: dict[str, Any]) -> tuple[Array, Array]:
    """Shares, and prices of what is needed (of the relaxation). Everything in units of what the groups need."""
    groups, tiers = problem.groups, problem.tiers
    unit = np.maximum(problem.whole.sum(axis=1).max(axis=1), 1e-300)[:, None]  # [3, 1]
    money = float(max((problem.price * unit).max(), 1e-300))
    y = cp.Variable((groups, tiers), nonneg=True)
    z = cp.Variable((groups, tiers), boolean=True) if whole else cp.Variable((groups, tiers), nonneg=True)
    reserved, over = cp.Variable((3, tiers), nonneg=True), cp.Variable((3, tiers), nonneg=True)
    fixed = problem.per_set / unit[0]
    margin = np.zeros(tiers) if problem.margin is None else problem.margin / unit[0]
    limits = [y <= np.where(problem.open, 1.0, 0.0), y <= z, z <= 1, cp.sum(y, axis=1) == 1]
    if problem.pooled:
        delay = cp.Variable(tiers, nonneg=True)
        limits += [cp.multiply(fixed[g], z[g]) <= delay for g in range(groups)]
    else:
        delay = cp.sum(cp.multiply(fixed, z), axis=0)
    needs = [cp.sum(cp.multiply(problem.per_share[k] / unit[k], y), axis=0) for k in range(3)]
    rows = [needs[0] + delay + margin <= reserved[0], needs[1] <= reserved[1], needs[2] <= reserved[2]]
    limited = np.isfinite(problem.capacity)
    if np.any(limited):
        most = np.where(limited, problem.capacity / unit, 0.0)
        limits.append(cp.multiply(limited, reserved - over) <= most)
    cost = cp.sum(cp.multiply(problem.price * unit / money, reserved))
    cost += cp.sum(cp.multiply(problem.beyond * unit / money, over))
    if problem.before is not None and problem.change is not None:
        cost += cp.sum(cp.multiply(problem.change * unit / money, cp.abs(reserved - problem.before / unit)))
    posed = cp.Problem(cp.Minimize(cost), limits + rows)
    compiled.solve(posed, y, "HIGHS", settings, dpp=False, what="reservation")
    price = np.zeros((3, tiers))
    if not whole:
        price = np.abs(np.stack([row.dual_value for row in rows])) * money / unit
    return np.asarray(y.value, dtype=np.float64), price
