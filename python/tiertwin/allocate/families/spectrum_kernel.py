"""Spectrum by the kernels of `fair.py` and of powers, in turns; the baselines at full power.

What the problem and its two steps are stands in `spectrum.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tiertwin import _core
from tiertwin.allocate.families.fair import FairAllocator, FairKernel
from tiertwin.allocate.families.options import Indices
from tiertwin.allocate.families.spectrum import (
    ITERATION_LIMIT,
    TOLERANCE,
    SpectrumAnswer,
    SpectrumProblem,
    answer,
    associated,
    served,
    worth,
)
from tiertwin.allocate.leaf import Array

POWER_STEPS = 200  # of one power step
POWER_TOLERANCE = 1e-4  # of Σ w
CANDIDATES = 8  # cells a user is tried at, strongest first; the bound is over all cells whatever this is


class SpectrumKernel:
    """The alternation on the kernels of `fair.py` and of powers.

    Parameters
    ----------
    shares
        What solves association and shares; None: the kernel of `fair`.
    """

    name = "kernel"
    accuracy = 0.05  # at sample problems of few users a cell, where one cell a user costs some per cent
    faint = 0.0  # cells at which a user has less than this share of its best efficiency are not tried

    def __init__(self, shares: FairAllocator | None = None) -> None:
        self._shares = FairKernel() if shares is None else shares

    def allocate(
        self,
        problem: SpectrumProblem,
        *,
        start: SpectrumAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
        stop: Callable[[], bool] | None = None,
    ) -> SpectrumAnswer:
        """Alternate until a turn gains less than `tolerance` of Σ w, to the limit, or until `stop` says so.

        `stop` is asked before each turn; the best so far is the answer.
        """
        warm = start is not None and start.power.shape == problem.full_power.shape
        power = np.array(start.power if warm and start is not None else problem.full_power)
        power = np.clip(power, problem.power_least, problem.power_most)
        known = start.cell if warm and start is not None and start.cell.size == problem.users else _loudest(problem)
        best = _associate(problem, power, self._shares, known, self.faint)
        history = [best.value]
        for _ in range(iteration_limit):
            if stop is not None and stop():
                break
            power, _, _, _ = _core.ascend_power(
                best.cell, problem.weight, best.power, **problem.cluster, iteration_limit=POWER_STEPS,
                tolerance=POWER_TOLERANCE,
            )  # fmt: skip
            found = _associate(problem, power, self._shares, best.cell, self.faint)
            gained = found.value - best.value
            if gained > 0:
                best = found
            history.append(best.value)
            if gained <= tolerance * max(best.scale, 1e-300):
                break
        gap = _power_gap(problem, best)
        turns = len(history) - 1
        return answer(problem, best.cell, best.hertz, best.power, best.price, turns, gap, np.array(history))


@dataclass(frozen=True, eq=False)
class _Associated:
    cell: Indices
    hertz: Array
    power: Array
    price: tuple[Array, Array]
    value: float
    scale: float


def strongest(problem: SpectrumProblem) -> SpectrumAnswer:
    """The baseline: every cell at full power, every user at the cell it hears best, bands shared by weight."""
    return fixed(problem, _loudest(problem))


def fixed(problem: SpectrumProblem, cell: Any) -> SpectrumAnswer:
    """Full power and given cells ``[U]``, bands shared as is best for these."""
    found = _shared(problem, np.array(problem.full_power), np.asarray(cell, dtype=np.int64), FairKernel())
    relaxed = _associate(problem, found.power, FairKernel(), found.cell)
    return answer(
        problem, found.cell, found.hertz, found.power, relaxed.price, 0, _power_gap(problem, found),
        np.array([found.value]),
    )  # fmt: skip


def _loudest(problem: SpectrumProblem) -> Any:
    """``[U]`` the cell each user hears best at full power, −1 where it hears none."""
    if problem.cells == 0:
        return np.full(problem.users, -1)
    heard = problem.gain * problem.power_most
    return np.where(heard.max(axis=1) > 0, heard.argmax(axis=1), -1)


def _power_gap(problem: SpectrumProblem, found: _Associated) -> float:
    _, _, gap, _ = _core.ascend_power(
        found.cell, problem.weight, found.power, **problem.cluster, iteration_limit=0, tolerance=0.0
    )
    return float(gap) / max(found.scale, 1e-300)


def _associate(
    problem: SpectrumProblem, power: Array, shares: FairAllocator, before: Indices, faint: float = 0.0
) -> _Associated:
    """Cells and shares at these powers: the relaxation, then one cell a user, or the cells of before if better."""
    efficiency = problem.efficiencies(power)
    allowed = efficiency > faint * efficiency.max(axis=1, initial=0.0, keepdims=True)
    if problem.cells > CANDIDATES:
        rank = np.argpartition(-efficiency, CANDIDATES, axis=1)[:, :CANDIDATES]
        near = np.zeros_like(allowed)
        near[np.arange(problem.users)[:, None], rank] = True
        allowed &= near
    posed = associated(problem, efficiency, allowed)
    relaxed = shares.allocate(posed, tolerance=1e-6)
    users, cells = np.nonzero(allowed)
    rate = np.zeros(allowed.shape)
    rate[users, cells] = relaxed.x
    cell = np.where(served(problem, efficiency) & allowed.any(axis=1), rate.argmax(axis=1), -1)
    price = relaxed.price[: problem.cells] / problem.bandwidth, relaxed.price[problem.cells :]
    found = _shared(problem, power, cell, shares, price)
    before = np.where((cell >= 0) & (before >= 0), before, cell)
    if not np.array_equal(before, found.cell):
        again = _shared(problem, power, before, shares, price)
        found = again if again.value > found.value else found
    return found


def _shared(
    problem: SpectrumProblem,
    power: Array,
    cell: Indices,
    shares: FairAllocator,
    price: tuple[Array, Array] | None = None,
) -> _Associated:
    """Best shares for given cells."""
    efficiency = problem.efficiencies(power)
    allowed = np.zeros(efficiency.shape, dtype=bool)
    at = np.flatnonzero(cell >= 0)
    allowed[at, cell[at]] = efficiency[at, cell[at]] > 0
    found = shares.allocate(associated(problem, efficiency, allowed), tolerance=1e-8)
    users, cells = np.nonzero(allowed)
    hertz = np.zeros(problem.users)
    hertz[users] = found.x / efficiency[users, cells]
    judged = worth(problem, cell, hertz, power)
    paid = price or (found.price[: problem.cells] / problem.bandwidth, found.price[problem.cells :])
    return _Associated(np.asarray(cell, dtype=np.int64), hertz, power, paid, judged.value, judged.scale)
