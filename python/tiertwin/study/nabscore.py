"""The scoring rules of the Numenta Anomaly Benchmark, written from its definition.

    position    y = −(b − i + 1)/w in a window of rows a … b (w = b − a + 1), (i − b)/(w − 1) after the last one
    σ(y)        2 / (1 + e^5y) − 1, and −1 for y ≥ 3 and before the first window
    a window    detected: A_TP σ(y)/σ(−1) of its best detection; missed: −A_FN
    outside     each detection A_FP σ(y)
    probation   the first 15 % of a file's rows (of 5 000 at most) count nothing; a window wholly within it is no loss
    score       100 (raw − null) / (perfect − null), null = −A_FN × windows, perfect = A_TP × windows
    threshold   one for the corpus and profile: the score or scores that give the largest raw sum, as NAB has it

Source: A. Lavin, S. Ahmad, "Evaluating Real-time Anomaly Detection Algorithms: the Numenta Anomaly Benchmark", ICMLA
2015 (arXiv 1510.03336). Details that the paper leaves open (probation, windows counted, the +1 in a window) are those
that reproduce the scores NAB publishes file by file: tests/unit/study/test_nab_study.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

ABOVE_ALL = 1.1  # a threshold that no score reaches


@dataclass(frozen=True)
class Profile:
    """Weights of an application: detected, false, missed."""

    true_positive: float
    false_positive: float
    false_negative: float


PROFILES = {
    "standard": Profile(1.0, 0.11, 1.0),
    "reward_low_FP_rate": Profile(1.0, 0.22, 1.0),
    "reward_low_FN_rate": Profile(1.0, 0.11, 2.0),
}


@dataclass(frozen=True)
class Labelled:
    """A series with its anomaly windows.

    Parameters
    ----------
    name
        Of the file.
    values
        (N,).
    times_s
        (N,), s.
    windows
        First and last row of each.
    """

    name: str
    values: F64
    times_s: F64
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Rows at the start that count nothing."""
        return int(min(0.15 * len(self.values), 0.15 * 5000))


def sigma(y: F64) -> F64:
    """Return σ(y)."""
    result: F64 = np.where(y >= 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(y, 3.0))) - 1.0)
    return result


def row_weights(series: Labelled) -> tuple[npt.NDArray[np.int64], F64]:
    """Return the window of each row (−1: none) and its unweighted worth, (N,) each."""
    rows = np.arange(len(series.values))
    window, worth = np.full(rows.size, -1), np.full(rows.size, -1.0)
    top = sigma(np.array([-1.0]))[0]
    for k, (first, last) in enumerate(series.windows):
        width = last - first + 1
        worth[last + 1 :] = sigma((rows[last + 1 :] - last) / max(width - 1, 1))
        worth[first : last + 1] = sigma(-(last - rows[first : last + 1] + 1) / width) / top
        window[first : last + 1] = k
    return window, worth


@dataclass(frozen=True)
class Curve:
    """Raw score at each threshold, falling; `none`: without any detection."""

    thresholds: F64
    raw: F64
    none: float

    def at(self, threshold: float) -> float:
        """Return the raw score if all scores ≥ threshold are detections."""
        within = np.flatnonzero(self.thresholds >= threshold)
        return float(self.raw[within[-1]]) if within.size else self.none

    def best(self) -> tuple[float, float]:
        """Return the largest raw score and its threshold."""
        if not self.raw.size or self.raw.max() < self.none:
            return self.none, ABOVE_ALL
        place = int(self.raw.argmax())
        return float(self.raw[place]), float(self.thresholds[place])


def curve(corpus: Sequence[Labelled], scores: Mapping[str, F64], profile: Profile) -> Curve:
    """Return the raw score over thresholds for one score (N,) a file."""
    parts = [_scored(series, scores[series.name], profile) for series in corpus]
    first, columns = 0, []
    for series, (score, window, worth) in zip(corpus, parts, strict=True):
        columns.append((score, np.where(window >= 0, window + first, -1), worth))
        first += len(series.windows)
    score, window, worth = (np.concatenate(column) for column in zip(*columns, strict=True))
    none = -profile.false_negative * np.unique(window[window >= 0]).size
    order = np.argsort(-score, kind="stable")
    score, window, worth = score[order], window[order], worth[order]
    gain = np.where(window < 0, worth, 0.0)
    held = np.full(first, -profile.false_negative)
    for row in np.flatnonzero(window >= 0):
        better = worth[row] - held[window[row]]
        if better > 0.0:
            gain[row] = better
            held[window[row]] = worth[row]
    last = np.append(score[1:] != score[:-1], True) if score.size else np.zeros(0, dtype=bool)
    return Curve(score[last], none + np.cumsum(gain)[last], none)


def _scored(series: Labelled, score: F64, profile: Profile) -> tuple[F64, npt.NDArray[np.int64], F64]:
    if score.shape != series.values.shape or not np.isfinite(score).all():
        raise InputError(
            f"{series.name}: expected {series.values.size} finite scores, got shape {score.shape}", "scores"
        )
    window, worth = row_weights(series)
    weighted = np.where(window >= 0, profile.true_positive, profile.false_positive) * worth
    kept = slice(series.probation, None)
    return score[kept], window[kept], weighted[kept]


def normalised(raw: float, corpus: Sequence[Labelled], profile: Profile) -> float:
    """Return the score of 0 (nothing told) … 100 (every window at its first row); NaN for a corpus without windows."""
    windows = sum(len(series.windows) for series in corpus)
    if not windows:
        return float("nan")
    null = -profile.false_negative * windows
    return 100.0 * (raw - null) / (profile.true_positive * windows - null)


def standard_score(
    corpus: Sequence[Labelled], scores: Mapping[str, F64], profile: Profile, threshold: float | None = None
) -> tuple[float, float]:
    """Return the normalised score and its threshold: the best for this corpus, or the one given."""
    found = curve(corpus, scores, profile)
    raw, used = found.best() if threshold is None else (found.at(threshold), threshold)
    return normalised(raw, corpus, profile), used
