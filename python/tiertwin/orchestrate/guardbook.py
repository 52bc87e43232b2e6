"""What a guard remembers: which knobs it set, which it holds off, what it spent, and how right the twin was."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from tiertwin.orchestrate.guardwords import SECOND

if TYPE_CHECKING:
    from tiertwin.functions.heal.actions import Knob, Value

HOUR = 3600 * SECOND
WILD = 5.0


class Memory:
    """Knobs that were set, and those that are held off; at most `most` of each, the oldest forgotten first."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._standing: dict[Knob, tuple[Value, int]] = {}
        self._held: dict[Knob, tuple[int, int]] = {}

    def keep(self, knobs: dict[Knob, Value], now: int) -> None:
        """Remember that these knobs stand so since `now`, and that they may be set again."""
        for knob, value in knobs.items():
            self._standing.pop(knob, None)
            self._standing[knob] = (value, now)
            self._held.pop(knob, None)
        self._trim(self._standing)

    def hold_off(self, knobs: dict[Knob, Value], now: int, first: int, most: int) -> int:
        """Hold knobs off, each twice as long as the last time; return until when the longest lasts."""
        longest = now
        for knob in knobs:
            times = self._held.pop(knob, (0, 0))[1] + 1
            until = now + min(first * 2 ** min(times - 1, 40), most)
            self._held[knob] = (until, times)
            longest = max(longest, until)
        self._trim(self._held)
        return longest

    def held(self, knobs: dict[Knob, Value], now: int) -> Knob | None:
        """Return one of these knobs that is held off."""
        return next((knob for knob in knobs if self._held.get(knob, (0, 0))[0] > now), None)

    def turned(self, knobs: dict[Knob, Value], now: int, dwell: int) -> bool:
        """Return whether one of them was set to something else less than `dwell` ago."""
        return any(
            knob in self._standing and self._standing[knob][0] != value and now - self._standing[knob][1] < dwell
            for knob, value in knobs.items()
        )

    def stands(self, knobs: dict[Knob, Value]) -> bool:
        """Return whether all of them stand so already."""
        return all(knob in self._standing and self._standing[knob][0] == value for knob, value in knobs.items())

    def forget(self, knobs: dict[Knob, Value]) -> None:
        """These knobs are no longer set by this guard (a fault was repaired, an action withdrawn)."""
        for knob in knobs:
            self._standing.pop(knob, None)

    def _trim(self, table: dict[Knob, tuple[Value, int]] | dict[Knob, tuple[int, int]]) -> None:
        while len(table) > self._most:
            del table[next(iter(table))]


class Spent:
    """Actions applied in the last hour."""

    def __init__(self, per_hour: int) -> None:
        self._per_hour = per_hour
        self._times: deque[int] = deque()

    def left(self, now: int) -> int:
        """Return how many may still be applied at `now`."""
        while self._times and self._times[0] <= now - HOUR:
            self._times.popleft()
        return self._per_hour - len(self._times)

    def spend(self, now: int) -> None:
        """One was applied."""
        self._times.append(now)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of something that was applied: what was thought of it, and whether it was worse.

    Parameters
    ----------
    probability
        P(worse) as the guard had it.
    gain
        Predicted.
    deviation
        Standard deviation of `realised` − `gain` as stated: the twin's, and that of the measurements.
    realised
        Gain measured.
    at
        Time, ns.
    """

    probability: float
    gain: float
    deviation: float
    realised: float
    at: int = 0

    @property
    def worse(self) -> bool:
        """Whether it was worse than doing nothing."""
        return self.realised < 0.0


@dataclass
class Calibration:
    """Predicted probability of worse beside what came; the newest `most` outcomes.

    `inflation` is what the twin's stated deviations have to be multiplied by to fit its errors, never below 1: with
    errors e_i of gains and stated deviations d_i, √((n₀ + Σw_i(e_i/d_i)²)/(n₀ + Σw_i)), n₀ outcomes of a twin that was
    right about itself thought in advance; no error counts as more than `WILD` deviations. Weights w_i halve every
    `half_life` ns: a guard that trusts its twin too little to apply anything learns nothing, and has to try again some
    day (ours).
    """

    most: int = 500
    thought: float = 20.0
    half_life: int = HOUR
    outcomes: deque[Outcome] = field(default_factory=deque)

    def add(self, outcome: Outcome) -> None:
        """Take an outcome in."""
        self.outcomes.append(outcome)
        if len(self.outcomes) > self.most:
            self.outcomes.popleft()

    def inflation(self, now: int) -> float:
        """Return the factor for the twin's stated deviations at `now`."""
        squares = weights = 0.0
        for o in self.outcomes:
            if o.deviation > 0.0:
                weight = 0.5 ** (max(now - o.at, 0) / self.half_life)
                weights += weight
                squares += weight * min(((o.realised - o.gain) / o.deviation) ** 2, WILD**2)
        return max(1.0, math.sqrt((self.thought + squares) / (self.thought + weights)))

    def age(self, by: int) -> None:
        """Put what is known `by` ns further into the past: a guard whose clock begins anew."""
        self.outcomes = deque(replace(outcome, at=outcome.at - by) for outcome in self.outcomes)

    def brier(self) -> float:
        """Return the Brier score, mean of (probability − worse)²; NaN without outcomes."""
        if not self.outcomes:
            return float("nan")
        return sum((o.probability - o.worse) ** 2 for o in self.outcomes) / len(self.outcomes)

    def table(self, edges: tuple[float, ...] = (0.0, 0.01, 0.02, 0.05, 0.1, 1.0)) -> list[dict[str, float]]:
        """Return by bin of predicted probability: how many, mean predicted, share that was worse."""
        rows = []
        for low, high in pairwise(edges):
            inside = [o for o in self.outcomes if low <= o.probability < high or (high == edges[-1] == o.probability)]
            if inside:
                rows.append(
                    {
                        "from": low,
                        "to": high,
                        "applied": float(len(inside)),
                        "predicted": sum(o.probability for o in inside) / len(inside),
                        "worse": sum(o.worse for o in inside) / len(inside),
                    }
                )
        return rows
