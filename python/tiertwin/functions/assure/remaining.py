"""How long machines will last, from their sensors: cycles left, an interval that holds, and probabilities of failure.

Learned from runs that ended. The machines are dealt into folds; each fold is predicted from the others, and what those
predictions miss makes all that is said of uncertainty:

    interval      of a prediction ŷ: the shortest that holds ŷ + what was missed at ⌈(n+1) level⌉ of the n predictions
                  nearest to ŷ (the share `NEAR` of all), cut to [0, cap]; shortest, because lives at the cap leave the
                  side above it nothing to miss
    probability   P(life ≤ w) = isotonic regression of [life ≤ w] on −ŷ (`Isotonic`)

Life counts up to `cap`: far from the end sensors do not tell (F. O. Heimes, PHM 2008). Cross-validated misses: R. F.
Barber et al., Ann. Stat. 49 (2021) 486; near ones: ours, after J. Lei, L. Wasserman, J. R. Stat. Soc. B 76 (2014) 71.
Rows of one machine depend on each other, so the coverage is a measured thing, not a theorem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.functions.assure.calibrate import Isotonic
from tiertwin.functions.assure.regression import KERNELS, Boosted, Regression
from tiertwin.functions.assure.runs import Sensors, checked_runs, lives

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

METHODS: dict[str, Sequence[Callable[[], Regression]]] = {
    "kernel": [lambda k=k: type(k)(k.gamma, k.ridge) for k in KERNELS],  # type: ignore[misc]
    "boosted": [Boosted],
}
NEAR = 0.15
MOST_ROWS = 2000
FOLDS = 4
LEAST_RUNS = 8
BLOCK = 1_000  # cycles that are predicted at once: each against all that were learned from


@dataclass(frozen=True)
class Remaining:
    """Cycles left and their interval, [machines]; lives above the cap count as the cap."""

    mean: F64
    lower: F64
    upper: F64


class RemainingLife:
    """Remaining life of machines of one kind.

    Parameters
    ----------
    method
        'kernel', or 'boosted' (extra `ml`).
    cap
        Cycles up to which life is told apart, > 0.
    level
        Share of lives that the interval is to hold, (0, 1).
    least_cycles
        Cycles that a machine must have run before it is learned from or predicted, ≥ 2.
    seed
        Of the folds.
    """

    def __init__(
        self, method: str = "kernel", *, cap: float = 125.0, level: float = 0.9, least_cycles: int = 30, seed: int = 1
    ) -> None:
        if method not in METHODS:
            raise UnknownNameError(f"No method {method!r}{suggest(method, list(METHODS))}")
        if not (0.0 < cap < math.inf and 0.0 < level < 1.0 and least_cycles >= 2):
            raise InputError(
                f"expected cap > 0, level in (0, 1) and least_cycles >= 2, got {cap}, {level}, {least_cycles}",
                "RemainingLife",
            )
        self.method, self.cap, self.level, self.least_cycles, self.seed = method, cap, level, least_cycles, seed

    def fit(self, runs: Sequence[ArrayLike]) -> RemainingLife:
        """Learn from runs to failure, each [cycles, sensors]; the last cycle is the last before failure. InputError."""
        where = "RemainingLife.fit"
        checked = checked_runs(runs, where)
        if len(checked) < LEAST_RUNS:
            raise InputError(f"runs: expected at least {LEAST_RUNS} machines that failed, got {len(checked)}", where)
        long_enough = [run for run in checked if len(run) >= self.least_cycles]
        if len(long_enough) < LEAST_RUNS:
            raise InputError(
                f"runs: expected at least {LEAST_RUNS} of {self.least_cycles} cycles or more, got {len(long_enough)}; "
                "lower least_cycles",
                where,
            )
        self._width = checked[0].shape[1]
        self._choose(long_enough)
        return self

    def _choose(self, runs: list[F64]) -> None:
        """Predict each fold from the others with every candidate; keep the best, its misses, and learn it from all."""
        fold = np.random.default_rng(self.seed).permutation(len(runs)) % FOLDS
        real = [lives([run], self.cap) for run in runs]
        picked = [self._picked(runs, k) for k in range(len(runs))]
        truth = np.concatenate([r[p] for r, p in zip(real, picked, strict=True)])
        candidates = METHODS[self.method]
        found = [[np.empty(0)] * len(runs) for _ in candidates]
        for f in range(FOLDS):
            train, test = np.flatnonzero(fold != f).tolist(), np.flatnonzero(fold == f).tolist()
            sensors, rows, y = self._rows([runs[k] for k in train], [picked[k] for k in train])
            tested = [sensors.features([runs[k]])[picked[k]] for k in test]
            for c, make in enumerate(candidates):
                model = make().fit(rows, y)
                for k, features in zip(test, tested, strict=True):
                    found[c][k] = np.clip(model.predict(features), 0.0, self.cap)
        guesses = [np.concatenate(g) for g in found]
        best = int(np.argmin([np.mean((g - truth) ** 2) for g in guesses]))
        order = np.argsort(guesses[best], kind="stable")
        self._guess, self._truth = guesses[best][order], truth[order]
        self._sensors, rows, y = self._rows(runs, picked)
        self.chosen = candidates[best]().fit(rows, y)
        """The regression in use."""

    def _picked(self, runs: list[F64], k: int) -> I64:
        """Cycles of a run that are learned from: evenly spaced, so that all together are not too many."""
        total = sum(len(run) - self.least_cycles + 1 for run in runs)
        stride = max(1, math.ceil(total / MOST_ROWS))
        return np.arange(self.least_cycles - 1 + k % stride, len(runs[k]), stride)

    def _rows(self, runs: list[F64], picked: list[I64]) -> tuple[Sensors, F64, F64]:
        sensors = Sensors.fit(runs, self.cap)
        rows = [sensors.features([run])[at] for run, at in zip(runs, picked, strict=True)]
        y = [lives([run], self.cap)[at] for run, at in zip(runs, picked, strict=True)]
        return sensors, np.concatenate(rows), np.concatenate(y)

    def predict(self, runs: Sequence[ArrayLike]) -> Remaining:
        """Return what is left of machines, each known by its run so far, [cycles, sensors]. InputError."""
        guess = self._guesses(runs, "RemainingLife.predict")
        count = max(int(NEAR * len(self._guess)), min(len(self._guess), 50))
        start = np.clip(np.searchsorted(self._guess, guess) - count // 2, 0, len(self._guess) - count)
        near = start[:, None] + np.arange(count)
        missed = np.sort(self._truth[near] - self._guess[near], axis=1)
        held = min(math.ceil((count + 1) * self.level), count)
        low = np.clip(guess[:, None] + missed[:, : count - held + 1], 0.0, self.cap)
        high = np.clip(guess[:, None] + missed[:, held - 1 :], 0.0, self.cap)
        machine, best = np.arange(len(guess)), np.argmin(high - low, axis=1)
        return Remaining(guess, low[machine, best], high[machine, best])

    def along(self, runs: Sequence[ArrayLike]) -> list[F64]:
        """Return what is left at each cycle of each run, by what was known then; inf before `least_cycles`.

        InputError as for `predict`.
        """
        where = "RemainingLife.along"
        if not hasattr(self, "_sensors"):
            raise InputError("expected fit(runs) before", where)
        checked = checked_runs(runs, where, self._width)
        rows = self._sensors.features(checked)
        blocks = [self.chosen.predict(rows[k : k + BLOCK]) for k in range(0, len(rows), BLOCK)]
        told = np.clip(np.concatenate(blocks), 0.0, self.cap)
        parts = np.split(told, np.cumsum([len(run) for run in checked])[:-1])
        return [np.where(np.arange(1, len(part) + 1) < self.least_cycles, np.inf, part) for part in parts]

    @property
    def held_out(self) -> tuple[F64, F64]:
        """Cross-validated predictions of the machines learned from, rising, and what was true: min(cycles, cap)."""
        return self._guess, self._truth

    def failure(self, runs: Sequence[ArrayLike], within: float) -> F64:
        """Return P(a machine fails within so many cycles), [machines]; 0 < within < cap. InputError."""
        if not 0.0 < within < self.cap:
            raise InputError(f"within: expected cycles in (0, {self.cap:g}), below the cap, got {within}", "failure")
        calibrated = Isotonic.fit(-self._guess, self._truth <= within)
        return calibrated(-self._guesses(runs, "RemainingLife.failure"))

    def _guesses(self, runs: Sequence[ArrayLike], where: str) -> F64:
        if not hasattr(self, "_sensors"):
            raise InputError("expected fit(runs) before", where)
        checked = checked_runs(runs, where, self._width)
        short = [k for k, run in enumerate(checked) if len(run) < self.least_cycles]
        if short:
            raise InputError(
                f"runs[{short[0]}]: expected at least {self.least_cycles} cycles, got {len(checked[short[0]])}; wait, "
                "or fit with a smaller least_cycles",
                where,
            )
        rows = np.concatenate([self._sensors.features([run])[-1:] for run in checked])
        result: F64 = np.clip(self.chosen.predict(rows), 0.0, self.cap)
        return result
