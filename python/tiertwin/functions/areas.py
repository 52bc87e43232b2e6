"""Target areas: where trouble is coming, what kind, and whom it touches; fine models run there alone.

    s_z(t) = Σ_a w_a [(x̂_{a,z}(t+H) − θ_a) / scale_a]₊          the sign turned where low is bad
    T(t)   = {z: s_z > θ_hi} ∪ {z in T(t−1): s_z > θ_lo} ∪ {z flagged as changed},   the K largest
    label  = the class of attributes that drives s_z most
    fine   = T ∪ {j: some i in T with Σ_{k served by i} P_j g_jk / (I_k + N) > ε}     closed under influence

x̂ comes of a cheap predictor of the few attributes that are watched everywhere (predictors.py). The areas, the score and
the closure are ours; `ChangeFlag` stands on residuals of principal components (cpp/abstraction/pca.hpp).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

CLASSES = ("overload", "coverage", "interference", "backhaul", "energy", "fault")


@dataclass(frozen=True, eq=False)
class Limits:
    """What counts as trouble in each attribute, arrays (A,).

    Parameters
    ----------
    theta
        θ, the value from which on it is trouble, in the attribute's unit.
    scale
        Over how much of it trouble counts 1, > 0.
    weight
        w ≥ 0.
    low_is_bad
        Trouble is below θ.
    kind
        Index into `CLASSES`.
    """

    theta: Reals
    scale: Reals
    weight: Reals
    low_is_bad: Mask
    kind: Ints

    def __post_init__(self) -> None:
        size = np.shape(self.theta)
        problems = [
            f"{name}: expected shape {size}, got {np.shape(array)}"
            for name, array in vars(self).items()
            if np.shape(array) != size or len(size) != 1
        ]
        if not problems:
            if not (np.isfinite(self.theta).all() and (self.scale > 0.0).all() and (self.weight >= 0.0).all()):
                problems.append("expected finite theta, scale > 0 and weight ≥ 0")
            if not ((self.kind >= 0) & (self.kind < len(CLASSES))).all():
                problems.append(f"kind: expected 0 … {len(CLASSES) - 1} ({', '.join(CLASSES)})")
        if problems:
            raise InputError(problems, "limits")

    def violation(self, predicted: Reals) -> Reals:
        """Return each attribute's part of s_z, (Z, A); an unknown prediction (NaN) has none."""
        beyond = np.where(self.low_is_bad, self.theta - predicted, predicted - self.theta) / self.scale
        result: Reals = self.weight * np.maximum(np.nan_to_num(beyond, nan=0.0), 0.0)
        return result

    def label(self, parts: Reals) -> Ints:
        """Return the class that drives each zone, (Z,), −1 where nothing is violated; the first among equals."""
        by_class = np.zeros((len(parts), len(CLASSES)))
        np.add.at(by_class.T, self.kind, parts.T)
        result: Ints = np.where(by_class.max(axis=1) > 0.0, by_class.argmax(axis=1), -1)
        return result


class TargetAreas:
    """The zones that get fine models, with hysteresis.

    Parameters
    ----------
    zones
        Z.
    theta_hi, theta_lo
        A zone enters above the one and leaves below the other; θ_lo ≤ θ_hi.
    most
        K, zones at most.
    """

    def __init__(self, zones: int, *, theta_hi: float, theta_lo: float, most: int) -> None:
        if not theta_lo <= theta_hi:
            raise InputError(f"theta_lo: expected at most theta_hi = {theta_hi}, got {theta_lo}", "TargetAreas")
        if zones < 1 or most < 0:
            raise InputError(f"expected at least 1 zone and 0 areas, got {zones} and {most}", "TargetAreas")
        self.theta_hi, self.theta_lo, self.most = theta_hi, theta_lo, most
        self.mask: Mask = np.zeros(zones, dtype=np.bool_)
        """The areas of the last update."""

    def update(self, score: Reals, changed: Mask | None = None) -> Mask:
        """Return the areas (Z,) for the scores s_z (Z,); zones flagged as `changed` count as at θ_hi at least."""
        score = np.asarray(score, dtype=np.float64)
        flagged = np.zeros(self.mask.size, dtype=np.bool_) if changed is None else np.asarray(changed, dtype=np.bool_)
        if score.shape != self.mask.shape or flagged.shape != self.mask.shape or np.isnan(score).any():
            raise InputError(f"expected {self.mask.size} scores and flags, got {score.shape}, {flagged.shape}", "areas")
        wanted = (score > self.theta_hi) | (self.mask & (score > self.theta_lo)) | flagged
        rank = np.where(flagged, np.maximum(score, self.theta_hi), score)
        order = np.argsort(-rank, kind="stable")
        chosen = order[wanted[order]][: self.most]
        self.mask = np.zeros_like(self.mask)
        self.mask[chosen] = True
        return self.mask.copy()


class ChangeFlag:
    """Zones whose attributes no longer hang together as they did: a flag after `confirm` samples beyond the threshold.

    Parameters
    ----------
    zones, attributes, window
        Z, A and the samples of the recent past.
    share
        Of the variance that the leading components make up.
    quantile
        Of the window's own residuals: the threshold. As the components were fitted to that window, new samples lie
        beyond it somewhat more often than 1 − quantile.
    every
        Samples between two models.
    delay
        Samples after which one comes into the window: a change is flagged that long before it is learnt as normal.
    confirm
        Samples in a row beyond the threshold before the flag goes up.
    """

    def __init__(
        self,
        zones: int,
        attributes: int,
        window: int,
        *,
        share: float = 0.9,
        quantile: float = 0.99,
        every: int = 10,
        delay: int = 20,
        confirm: int = 1,
    ) -> None:
        if confirm < 1:
            raise InputError(f"confirm: expected at least 1 sample, got {confirm}", "ChangeFlag")
        self._core = _core.ChangeWatch(
            zones, attributes, window, share=share, quantile=quantile, every=every, delay=delay
        )
        self._beyond = np.zeros(zones, dtype=np.int64)
        self.confirm = confirm
        self.excess: Reals = np.zeros(zones)
        """Residual over threshold of the last sample, (Z,); 0 before there is a model."""

    def push(self, values: Reals) -> Mask:
        """Take one sample (Z, A), float64, C order, NaN: not seen; return the flags (Z,)."""
        residual, threshold = self._core.push(values)
        beyond = residual > threshold
        with np.errstate(divide="ignore", invalid="ignore"):
            self.excess = np.where(residual > 0.0, residual / threshold, 0.0)
        self._beyond = np.where(beyond, self._beyond + 1, 0)
        result: Mask = self._beyond >= self.confirm
        return result


def influence(power_w: Reals, gain: Reals, serving: Ints, noise_w: float) -> Reals:
    """How strongly cell j is heard where cell i serves, Σ_{k served by i} P_j g_jk / (I_k + N).

    Parameters
    ----------
    power_w
        Transmit power of each cell, (J,), W.
    gain
        Linear gain from cell to user, (J, K).
    serving
        The cell of each user, (K,), −1: none.
    noise_w
        N, W, > 0.

    Returns
    -------
    Reals
        (J, J): row i, column j; the diagonal (a cell's own signal) is 0.
    """
    power_w, gain = np.asarray(power_w, dtype=np.float64), np.asarray(gain, dtype=np.float64)
    serving = np.asarray(serving, dtype=np.int64)
    cells = power_w.size
    if gain.shape != (cells, serving.size) or not ((serving >= -1) & (serving < cells)).all() or not noise_w > 0.0:
        raise InputError(
            f"expected gain of shape {(cells, serving.size)}, serving cells −1 … {cells - 1} and noise > 0, "
            f"got {gain.shape}, {serving.min(initial=-1)} … {serving.max(initial=-1)} and {noise_w}",
            "influence",
        )
    users = np.flatnonzero(serving >= 0)
    received = power_w[:, None] * gain[:, users]
    others = received.sum(axis=0) - received[serving[users], np.arange(users.size)]
    result = np.zeros((cells, cells))
    np.add.at(result, serving[users], (received / (others + noise_w)).T)
    np.fill_diagonal(result, 0.0)
    return result


def closure(areas: Mask, strength: Reals, eps: float, *, steps: int | None = None) -> Mask:
    """Return the areas and everything that disturbs them by more than `eps`.

    Parameters
    ----------
    areas
        T, (Z,).
    strength
        Influence of column on row, (Z, Z).
    eps
        ε ≥ 0.
    steps
        How often it is widened: 1 as in the formula above; None: until nothing more comes in.
    """
    inside = np.asarray(areas, dtype=np.bool_).copy()
    if np.shape(strength) != (inside.size, inside.size):
        raise InputError(f"strength: expected shape {(inside.size, inside.size)}, got {np.shape(strength)}", "closure")
    if not eps >= 0.0:
        raise InputError(f"eps: expected at least 0, got {eps}", "closure")
    heard = np.asarray(strength) > eps
    step = 0
    while steps is None or step < steps:
        wider = inside | heard[inside].any(axis=0)
        if np.array_equal(wider, inside):
            break
        inside, step = wider, step + 1
    return inside


@dataclass(frozen=True)
class Judgement:
    """Areas found against areas in trouble, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


def judge(found: Mask, truth: Mask) -> Judgement:
    """Compare masks of one shape; nothing found of nothing there is right (1), a share of nothing else is 0."""
    found, truth = np.asarray(found, dtype=np.bool_), np.asarray(truth, dtype=np.bool_)
    if found.shape != truth.shape:
        raise InputError(f"truth: expected shape {found.shape}, got {truth.shape}", "judge")
    hits, told, there = int((found & truth).sum()), int(found.sum()), int(truth.sum())
    if told == there == 0:
        return Judgement(1.0, 1.0, 1.0)
    precision, recall = hits / told if told else 0.0, hits / there if there else 0.0
    return Judgement(precision, recall, 2.0 * hits / (told + there))
