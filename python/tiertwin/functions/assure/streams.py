"""Anomalies in many streams at once: residuals of levels and seasons, and how rare they are by what came before.

    score   −log₁₀ of the tail probability of the rarest residual, less what was as rare at this time of earlier
            periods; or that of a mix of values in a window that was never seen before, if it is larger
    alarm   the score where it rises above `least` and no alarm was within the hold-off; else 0

The kernel, its formulas, sources and rules are in `cpp/assure/stream.hpp`, `tail.hpp` and `pattern.hpp`; how the
defaults were chosen and what they are worth on public benchmarks in docs/assurance-detection.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Reals = npt.NDArray[np.float64]

DAY_S, WEEK_S = 86_400.0, 604_800.0


@dataclass(frozen=True, kw_only=True)
class Season:
    """A profile that repeats.

    Parameters
    ----------
    period_s
        s, > 0.
    slots
        Parts of a period, each with a value of its own, ≥ 2.
    gain
        Of the running mean of a slot, in [0, 1].
    visits
        Of a slot before it is judged by, ≥ 1.
    value, mean
        Judge the value, the short mean, or both, against the profile.
    """

    period_s: float = DAY_S
    slots: int = 96
    gain: float = 0.1
    visits: int = 3
    value: bool = True
    mean: bool = True


WEEK = Season(period_s=WEEK_S, slots=168, gain=0.05, visits=2, value=False)


@dataclass(frozen=True, kw_only=True)
class Mixes:
    """When the mix of values in a window is new.

    Parameters
    ----------
    window
        Values in it; 0: not judged.
    bins
        Between the least and the largest value so far, odd, ≥ 3.
    most
        Mixes remembered.
    warm
        Values before the first, ≥ `window`.
    level
        A mix is new where its probability under every known one is below.
    cap
        Largest score.
    """

    window: int = 52
    bins: int = 5
    most: int = 40
    warm: int = 200
    level: float = 1e-5
    cap: float = 5.0


@dataclass(frozen=True, kw_only=True)
class StreamOptions:
    """How streams are judged; one set of options for all series of a watch.

    Parameters
    ----------
    gains
        Of the levels that residuals are taken against, each in [0, 1].
    seasons
        Profiles, or none.
    short_gain, scale_gain
        Of the short mean, and of the scale of a residual.
    quantile, memory, clip, heaviest
        Of the tails: threshold, excesses remembered, largest excess in means, largest shape (< 0.5).
    mixes
        When the mix of values in a window is new.
    warm
        Values before a residual is judged.
    recur, keep, recur_period_s, recur_slots
        Weight of what was rare at this time of earlier periods, what is left of it a period later, the period (s), its
        parts. `recur` 0: every day is judged by itself.
    hold
        Samples after an alarm without another, unless the score is `again` times the alarm's + 1.
    gap
        Missing samples in a row after which levels begin anew.
    least
        The score above which there is an alarm: 2 is a tail probability of 1 %. For operation 4 … 6.
    again
        See `hold`.
    """

    gains: tuple[float, ...] = (0.05, 0.02)
    seasons: tuple[Season, ...] = field(default=(Season(), WEEK))
    short_gain: float = 0.2
    scale_gain: float = 0.002
    quantile: float = 0.98
    memory: float = 30.0
    clip: float = 20.0
    heaviest: float = 0.4
    mixes: Mixes = Mixes()
    warm: int = 50
    recur: float = 0.8
    keep: float = 0.9
    recur_period_s: float = DAY_S
    recur_slots: int = 48
    hold: int = 100
    gap: int = 12
    least: float = 4.0
    again: float = 2.0

    def watch(self, series: int) -> _core.StreamWatch:
        """Return a kernel with these options."""
        return _core.StreamWatch(
            series,
            gains=list(self.gains),
            profiles=[_core.ProfileOptions(**vars(season)) for season in self.seasons],
            short_gain=self.short_gain,
            scale_gain=self.scale_gain,
            tail=[self.quantile, self.memory, self.clip, self.heaviest],
            pattern=[self.mixes.window, self.mixes.bins, self.mixes.most, self.mixes.warm],
            level=self.mixes.level,
            cap=self.mixes.cap,
            warm=self.warm,
            recur=[self.recur, self.keep, self.recur_period_s],
            recur_slots=self.recur_slots,
            hold=self.hold,
            gap=self.gap,
            least=self.least,
            again=self.again,
        )


class Streams:
    """A detector for `series` streams; memory does not grow with what it has seen.

    Parameters
    ----------
    series
        S, at least 1.
    options
        How they are judged.
    """

    def __init__(self, series: int, options: StreamOptions | None = None) -> None:
        self.options = options or StreamOptions()
        self._core = self.options.watch(series)

    @property
    def series(self) -> int:
        """S."""
        return self._core.series

    def memory_bytes(self) -> int:
        """Return the bytes held, the same before the first sample and after the last."""
        return self._core.memory_bytes()

    def push(self, values: Reals, times_s: Reals) -> tuple[Reals, Reals]:
        """Take samples of all series at common times.

        Parameters
        ----------
        values
            Shape (N, S), float64, C order; NaN: not seen (score 0, nothing is learnt).
        times_s
            Shape (N,), s since any origin at midnight (seasons count from it); may stand still, never go backwards.

        Returns
        -------
        tuple
            Score and alarm, (N, S) each, ≥ 0.

        Raises
        ------
        ValueError
            Another shape, an infinite value, a time that goes backwards or is not finite; nothing was taken.
        """
        return self._core.push(values, times_s)


def judge_series(values: Reals, times_s: Reals, options: StreamOptions | None = None) -> tuple[Reals, Reals]:
    """Return score and alarm of one whole series, (N,) each, as a fresh `Streams` gives them sample by sample."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(f"values: expected one dimension, got shape {values.shape}", "judge_series")
    score, alarm = Streams(1, options).push(values[:, None], np.ascontiguousarray(times_s, dtype=np.float64))
    return score[:, 0], alarm[:, 0]
