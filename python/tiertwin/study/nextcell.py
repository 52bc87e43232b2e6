"""Which cell comes next: learned from the handovers of earlier drives.

    ours            every training handover votes for the cell it led to, with the weight
                    exp(−d²/2σ²) · a^[same serving cell] · b^[same cell before it]
                    d: between where it happened and where the user will be (dead reckoning, speed damped as in
                    Gauss–Markov); and c votes for the cell left last. σ, a, b, c by leaving one training drive out
    order-2 Markov  the commonest successor of (cell before, cell), of (cell) when that pair is new, of all otherwise
    strongest cell  the cell with the greatest mean level within 50 m in the training drives, other than the serving one
                    and of the same generations (2G and 3G, or 4G and 5G: their levels cannot be compared)
    previous cell   the cell left last
    last value      the serving cell: no change, never right at a handover

The weights are ours; there is no tie to break by chance: equal votes go to the lowest cell identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from tiertwin.study.drives import F64, I64, Drive, Moments

AROUND_M = 50.0
KEPT = 0.85  # of a speed's difference from its mean after a second (Gauss–Markov)
SIGMAS_M = (25.0, 50.0, 100.0)
GRID = tuple(product((10.0, 30.0, 100.0), (2.0, 5.0, 15.0), (0.3, 1.0, 3.0)))  # a, b, c
FAR = 1e-6


@dataclass(frozen=True, eq=False)
class Handovers:
    """What was known `ahead` seconds before each of n handovers, and what came."""

    drive: I64
    """Number of the drive. [n]"""
    cell: I64
    previous: I64
    slow: NDArray[np.bool_]
    """In a network of the second or third generation. [n]"""
    x_m: F64
    """Where the user will be by dead reckoning. [n]"""
    y_m: F64
    truth: I64
    """Cell that came. [n]"""
    ping_pong: NDArray[np.bool_]
    """It was the cell left last, at most `PING_PONG_S` before. [n]"""

    def __len__(self) -> int:
        return len(self.cell)

    def rows(self, which: NDArray[np.bool_]) -> Handovers:
        """Return some of them."""
        return Handovers(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


PING_PONG_S = 10.0


def handovers(drives: Sequence[Drive], told: Sequence[Moments], ahead_s: float) -> Handovers:
    """Collect all handovers, each as known `ahead_s` before, or on entering the cell when that was later."""
    parts = []
    for number, (drive, m) in enumerate(zip(drives, told, strict=True)):
        before = np.flatnonzero(np.isfinite(m.until_s))
        if not len(before):
            continue
        when = drive.time_s[before] + m.until_s[before]  # one value a handover
        early = m.until_s[before] >= ahead_s
        entry = np.append(True, np.diff(when) > 0)  # first sample of each cell
        group = np.cumsum(entry) - 1
        chosen = before[entry].copy()
        np.maximum.at(chosen, group[early], before[early])
        mean = np.cumsum(drive.speed_mps) / np.arange(1, len(drive) + 1)
        far = gauss_markov_m(drive.speed_mps[chosen], mean[chosen], ahead_s)
        parts.append(
            (
                np.full(len(chosen), number),
                drive.cell[chosen],
                m.previous[chosen],
                drive.slow[chosen],
                m.place[0][chosen] + m.heading[0][chosen] * far,
                m.place[1][chosen] + m.heading[1][chosen] * far,
                m.next_cell[chosen],
                (m.next_cell[chosen] == m.previous[chosen]) & (m.dwell_s[chosen] + m.until_s[chosen] <= PING_PONG_S),
            )
        )
    return Handovers(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def gauss_markov_m(speed: F64, mean: F64, ahead_s: float) -> F64:
    """Return the expected way in `ahead_s`: the integral of mean + (speed − mean) a^t."""
    rate = -np.log(KEPT)
    result: F64 = mean * ahead_s + (speed - mean) * -np.expm1(-rate * ahead_s) / rate
    return result


class Votes:
    """The kernel vote; parameters chosen on the training handovers alone."""

    def __init__(self, training: Handovers) -> None:
        self.training = training
        self.cells = np.unique(np.concatenate([training.truth, training.cell, training.previous]))
        self._led_to = (training.truth[:, None] == self.cells).astype(np.float64)
        own = training.drive[:, None] == training.drive[None, :]
        self.setting, self.training_hits = GRID[0], -1.0
        for sigma in SIGMAS_M:
            sums = self._sums(training, sigma, own)
            for setting in GRID:
                hits = float(np.mean(self._pick(training, sums, setting) == training.truth))
                if hits > self.training_hits:
                    self.sigma_m, self.setting, self.training_hits = sigma, setting, hits

    def predict(self, asked: Handovers) -> I64:
        """Return the next cell of each. [n]"""
        return self._pick(asked, self._sums(asked, self.sigma_m, None), self.setting)

    def _sums(self, asked: Handovers, sigma: float, excluded: NDArray[np.bool_] | None) -> list[F64]:
        """Return each cell's votes: of all, the same cell, the same before it, both; and of the same cell anywhere.

        A vote weighs k a^s b^p = k (1 + (a − 1) s) (1 + (b − 1) p), so that these sums serve any a and b. [n, cells]
        """
        t = self.training
        kernel = np.exp(-((asked.x_m[:, None] - t.x_m) ** 2 + (asked.y_m[:, None] - t.y_m) ** 2) / (2.0 * sigma**2))
        same = (asked.cell[:, None] == t.cell).astype(np.float64)
        if excluded is not None:
            kernel[excluded], same[excluded] = 0.0, 0.0
        pair = (asked.previous[:, None] == t.previous) & (t.previous >= 0)
        weights = (kernel, kernel * same, kernel * pair, kernel * same * pair, same)
        return [weight @ self._led_to for weight in weights]

    def _pick(self, asked: Handovers, sums: list[F64], setting: tuple[float, ...]) -> I64:
        same, pair, back = setting
        near, of_cell, of_pair, of_both, far = sums
        votes = near + (same - 1.0) * of_cell + (pair - 1.0) * of_pair + (same - 1.0) * (pair - 1.0) * of_both
        votes += FAR * far  # nobody near: where this cell led to at all
        votes += back * (asked.previous[:, None] == self.cells)
        votes[asked.cell[:, None] == self.cells] = -1.0
        votes[:, self.cells < 0] = -1.0
        result: I64 = self.cells[np.argmax(votes, axis=1)]
        return result


def markov2(training: Handovers, asked: Handovers) -> I64:
    """Return the commonest successor with back-off. [n]"""
    cells = np.unique(training.truth)
    led_to = (training.truth[:, None] == cells).astype(np.float64)
    same = asked.cell[:, None] == training.cell
    pair = same & (asked.previous[:, None] == training.previous)
    count = pair @ led_to + 1e-4 * (same @ led_to) + 1e-8 * led_to.sum(axis=0)
    count[asked.cell[:, None] == cells] = -1.0
    result: I64 = cells[np.argmax(count, axis=1)]
    return result


def strongest(drives: Sequence[Drive], asked: Handovers) -> I64:
    """Return the strongest other cell of the training drives around each place, -1 where nobody was. [n]"""
    x, y = np.concatenate([d.x_m for d in drives]), np.concatenate([d.y_m for d in drives])
    level, cell = np.concatenate([d.serving_dbm for d in drives]), np.concatenate([d.cell for d in drives])
    slow = np.concatenate([d.slow for d in drives])
    result = np.full(len(asked), -1)
    for k in range(len(asked)):
        near = (x - asked.x_m[k]) ** 2 + (y - asked.y_m[k]) ** 2 <= AROUND_M**2
        near &= (cell != asked.cell[k]) & (slow == asked.slow[k])
        if near.any():
            names, which = np.unique(cell[near], return_inverse=True)
            mean = np.bincount(which, level[near]) / np.bincount(which)
            result[k] = names[np.argmax(mean)]
    return result
