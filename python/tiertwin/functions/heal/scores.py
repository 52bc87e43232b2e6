"""What a twin expects of actions, how sure it is, and how likely they are worse than doing nothing.

The truth is one situation of those the twin thinks possible. Of situation i the actions have score a_i, doing nothing
b_i, and the twin's model errs by a Gaussian of standard deviation σ besides:

    P(worse) = mean_i Φ(−(a_i − b_i)/σ)          σ² = σ_a² + σ_b² − 2ρσ_aσ_b

Without situations there is one, of the means. ρ = 0 where nothing is known of it: a plant that is worse than thought is
worse with the action and without it, errors go together (ρ > 0), and σ is an overestimate. Ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.functions.heal.actions import Actions


@dataclass(frozen=True, slots=True)
class Predicted:
    """A score, higher is better.

    Parameters
    ----------
    mean
        Expected.
    cvar
        Mean of the worst tenth of situations (`tail_mean`); the mean where there is one situation.
    spread
        Standard deviation of the model's own error, at least 0; what differs between situations is not in it.
    samples
        Score in each situation, if there are several; the same situations for whatever the twin scores.
    """

    mean: float
    cvar: float
    spread: float
    samples: tuple[float, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether all numbers are finite and the spread is not negative."""
        numbers = (self.mean, self.cvar, self.spread, *self.samples)
        return all(math.isfinite(number) for number in numbers) and self.spread >= 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of the true score about `mean`: the model's error and that between situations."""
        between = float(np.var(self.samples, ddof=1)) if len(self.samples) >= 2 else 0.0
        return math.sqrt(self.spread * self.spread + between)


class Evaluator(Protocol):
    """A twin's model of what actions would do."""

    def score(self, actions: Actions) -> Predicted:
        """Return what it expects if these actions are in force; () is doing nothing."""
        ...


def gains(after: Predicted, before: Predicted) -> tuple[float, ...]:
    """Return what the actions gain in each situation; one number, of the means, where situations are not the same."""
    if after.samples and len(after.samples) == len(before.samples):
        return tuple(a - b for a, b in zip(after.samples, before.samples, strict=True))
    return (after.mean - before.mean,)


def probability_worse(after: Predicted, before: Predicted, inflation: float = 1.0, correlation: float = 0.0) -> float:
    """Return P(the actions are worse than doing nothing), by the module's formula; a gain of exactly 0 counts half.

    Parameters
    ----------
    after, before
        With the actions, and doing nothing; both sound.
    inflation
        The stated spreads are multiplied by it: what they have proved to be worth.
    correlation
        ρ, −1 … 1.
    """
    a, b = inflation * after.spread, inflation * before.spread
    sigma = math.sqrt(max(a * a + b * b - 2.0 * correlation * a * b, 0.0))
    return float(np.mean([_below_zero(gain, sigma) for gain in gains(after, before)]))


def spread_of_gain(after: Predicted, before: Predicted, correlation: float = 0.0) -> float:
    """Return the standard deviation of the gain: between situations, and the model's own as stated."""
    a, b = after.spread, before.spread
    own = max(a * a + b * b - 2.0 * correlation * a * b, 0.0)
    each = gains(after, before)
    return math.sqrt(own + (float(np.var(each, ddof=1)) if len(each) > 1 else 0.0))


def _below_zero(gain: float, sigma: float) -> float:
    if sigma <= 0.0:
        return 0.5 if gain == 0.0 else float(gain < 0.0)
    return 0.5 * math.erfc(gain / (sigma * math.sqrt(2.0)))


def tail_mean(samples: Sequence[float], share: float = 0.1) -> float:
    """Return CVaR: the mean of the worst `share` of samples, at least one; NaN of none."""
    if not len(samples):
        return float("nan")
    worst = sorted(samples)[: max(1, math.ceil(share * len(samples)))]
    return float(np.mean(worst))
