"""What each attribute is worth to the decisions at hand, from the last samples of attributes and targets.

    C_a   sample entropy, over the largest of the zone: how hard a is to model
    R_ya  strongest lagged rank correlation with the target y
    G_ya  Granger gain of a for y, 0 unless significant (Benjamini-Hochberg over the zone's attributes)
    V_ya  (wr R + wg G) / (1 + wc C)   or   wr R + wg G − wc C
    S_ab  |rank correlation| of two attributes: who repeats whom

A target is the outcome in hand: tasks late, a load, a delay, an outage, energy. The kernels and their rules for missing
and constant samples are in `cpp/abstraction/worth.hpp` and the headers it names; formulas and costs in
docs/attributes.md.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tiertwin import _core

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class WorthOptions:
    """How attributes are scored.

    Parameters
    ----------
    m, r
        Template length (1 … 4) and tolerance (in standard deviations) of the sample entropy.
    lags
        Largest lag of the rank correlation, samples.
    order
        Lags of x and of y in the Granger regressions.
    least
        Samples below which an attribute, or a pair, is unknown: its scores are 0.
    level
        Largest adjusted p-value at which a Granger gain counts.
    weights
        Of relevance, causality and complexity, each ≥ 0.
    form
        `quotient` or `difference` (above).
    """

    m: int = 2
    r: float = 0.2
    lags: int = 5
    order: int = 3
    least: int = 16
    level: float = 0.01
    weights: tuple[float, float, float] = (1.0, 1.0, 0.5)
    form: Literal["quotient", "difference"] = "quotient"

    def arguments(self) -> dict[str, Any]:
        """Return them as the kernels take them."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"weights": list(self.weights)}


@dataclass(frozen=True)
class Scores:
    """Scores of Z zones, A attributes, Y targets.

    Parameters
    ----------
    value, relevance, gain
        V, R and G, shape (Z, Y, A); `gain` is 0 where it is not significant.
    lag
        Lag of the strongest correlation, samples, shape (Z, Y, A).
    p_value
        Of the gain, adjusted, shape (Z, Y, A).
    entropy, complexity
        Sample entropy, and the same over the zone's largest, shape (Z, A).
    seen
        Samples in the window, shape (Z, A).
    spread
        Standard deviation of these, in the attribute's unit, shape (Z, A); no part of the value.
    redundancy
        |rank correlation|, shape (Z, A, A), 1 on the diagonal.
    """

    value: Reals
    relevance: Reals
    lag: Ints
    gain: Reals
    p_value: Reals
    entropy: Reals
    complexity: Reals
    seen: Ints
    spread: Reals
    redundancy: Reals

    def overall(self, weights: Reals) -> Reals:
        """Return one value an attribute, V weighted over the targets by `weights` (Y,), shape (Z, A)."""
        weights = np.asarray(weights, dtype=np.float64)
        if weights.shape != self.value.shape[1:2]:
            raise ValueError(f"weights: expected {self.value.shape[1]} (one a target), got shape {weights.shape}")
        result: Reals = np.einsum("zya,y->za", self.value, weights)
        return result


class Worth:
    """The last `window` samples of every attribute and target of some zones; memory does not grow.

    Parameters
    ----------
    zones, attributes, targets
        How many of each.
    window
        Samples kept of each series, 4 … 60 000.
    options
        How they are scored.
    sliding
        Follow the entropy push by push, at a tolerance fixed for a window: 2 N comparisons a push and series, and
        none at a score. For scores that are taken every few samples.
    """

    def __init__(
        self,
        zones: int,
        attributes: int,
        targets: int,
        window: int,
        options: WorthOptions | None = None,
        *,
        sliding: bool = False,
    ) -> None:
        self.options = options or WorthOptions()
        self._core = _core.Worth(zones, attributes, targets, window, sliding=sliding, **self.options.arguments())

    @property
    def length(self) -> int:
        """Samples held, at most the window."""
        return self._core.length

    def push(self, values: Reals, targets: Reals) -> None:
        """Take one sample of everything at one instant.

        Parameters
        ----------
        values
            Shape (Z, A), float64, C order; NaN: not seen.
        targets
            Shape (Z, Y), the same.

        Raises
        ------
        ValueError
            Another shape, or an infinite value; nothing was taken.
        """
        self._core.push(values, targets)

    def score(self, zones: Ints | None = None) -> Scores:
        """Return the scores of these zones (int64), or of all; an attribute with too few samples has value 0."""
        return Scores(**self._core.score(zones))


def score_windows(values: Reals, targets: Reals, options: WorthOptions | None = None) -> Scores:
    """Score whole windows of many zones in one call.

    Parameters
    ----------
    values
        Shape (Z, A, N), float64, C order, oldest sample first; NaN: not seen.
    targets
        Shape (Z, Y, N).
    options
        How.

    Returns
    -------
    Scores
        The same, to the bit, as of a `Worth` that was pushed these samples (without `sliding`).
    """
    return Scores(**_core.score_windows(values, targets, **(options or WorthOptions()).arguments()))


def sample_entropy(series: Reals, m: int = 2, r: float = 0.2) -> Reals:
    """Return the sample entropy of each row of `series` (S, N); `r` in standard deviations, NaN: not seen."""
    return _core.sample_entropy(series, m, r)
