"""What a guard is told and what it says: proposals, events, effects, reasons and its settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from tiertwin.errors import InputError
from tiertwin.functions.heal.actions import Actions
from tiertwin.functions.heal.scores import Predicted

SECOND = 1_000_000_000


class State(StrEnum):
    """Where a guard is. All but `IDLE` wait for something, no longer than their timeout."""

    IDLE = "idle"
    PROPOSED = "proposed"
    TRIAL = "trial"
    APPLIED = "applied"
    WATCHED = "watched"
    ROLLED_BACK = "rolled_back"
    HELD_OFF = "held_off"


class Reason(StrEnum):
    """Why a proposal was refused, or an action taken back."""

    MALFORMED = "malformed"
    NON_FINITE = "non_finite"
    UNKNOWN = "unknown"
    CONTRADICTORY = "contradictory"
    INFEASIBLE = "infeasible"
    STALE = "stale"
    FUTURE = "future"
    DUPLICATE = "duplicate"
    BUSY = "busy"
    BUDGET = "budget"
    HELD_OFF = "held_off"
    STANDING = "standing"
    CONFLICT = "conflict"
    NOT_BETTER = "not_better"
    UNSURE = "unsure"
    TAIL = "tail"
    UNTRIED = "untried"
    OUTRANKED = "outranked"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    DISAGREES = "disagrees"
    UNWATCHED = "unwatched"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a loop wants done.

    Parameters
    ----------
    loop
        Name of the control loop (``healing``, ``energy``, ``allocation``, ``weather``).
    actions
        What it wants.
    version
        Data version of the belief it was made from.
    priority
        1 … 10, 10 the highest (`cCLPriority` of 3GPP TS 28.567).
    cause
        What it is against, in words.
    """

    loop: str
    actions: Actions
    version: int
    priority: int = 5
    cause: str = ""


# -- events ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal came, from anybody."""

    proposal: Any


@dataclass(frozen=True, slots=True)
class Scored:
    """The twin has tried what `Try` asked for: doing nothing, and each proposal in that order."""

    ticket: int
    nothing: Predicted
    after: tuple[Predicted, ...]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The plant's side has put the actions of a ticket in force (`undo`: taken them back), or could not."""

    ticket: int
    done: bool
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """The guarded KPI, higher is better, over (since, until] in ns, with its standard error; the data version then.

    Where it is known by site, each site's part of it and its standard error, both as many as there are sites; NaN: not
    told.
    """

    value: float
    error: float
    since: int
    until: int
    version: int
    by_site: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether all numbers are finite, but for sites that were not told, and no error is negative."""
        told = [pair for pair in zip(self.by_site, self.errors, strict=False) if not math.isnan(pair[0])]
        numbers = (self.value, self.error, *(number for pair in told for number in pair))
        sound = all(math.isfinite(number) for number in numbers) and len(self.by_site) == len(self.errors)
        return sound and min([self.error, *(error for _, error in told)]) >= 0.0


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer asked for by `Wake`."""

    name: str
    serial: int


Event = Proposed | Scored | Confirmed | Measured | Fired


# -- effects -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Try:
    """Let the twin score doing nothing and each of these; answer with `Scored`."""

    ticket: int
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """Put these actions in force; answer with `Confirmed`. What was in force before is what `Undo` brings back."""

    ticket: int
    actions: Actions


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the actions of a ticket back, however much of them is in force; answer with `Confirmed`."""

    ticket: int
    actions: Actions


@dataclass(frozen=True, slots=True)
class Wake:
    """Send `Fired(name, serial)` at `at`, ns."""

    name: str
    serial: int
    at: int


@dataclass(frozen=True, slots=True)
class Audit:
    """One line of the guard's book.

    Parameters
    ----------
    at
        Time, ns.
    ticket
        Of what; 0: of something that never got one.
    what
        ``proposed``, ``refused``, ``tried``, ``applied``, ``confirmed``, ``measured``, ``kept``, ``rolled_back``,
        ``undone``, ``released`` or ``timeout``.
    state
        Where the guard is afterwards.
    loop, text, reason, detail
        Whose, what in words, why.
    numbers
        Gain and probabilities as they were.
    """

    at: int
    ticket: int
    what: str
    state: State
    loop: str = ""
    text: str = ""
    reason: str = ""
    detail: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


Effect = Try | Apply | Undo | Wake | Audit


# -- settings ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """How careful a guard is. Times in ns.

    Parameters
    ----------
    margin
        Least predicted gain, in units of the score.
    worse_at_most
        Largest P(worse) at which something is applied.
    tail
        By how much the mean of the worst tenth may fall.
    sigmas
        The plant disagrees when it measures so many standard deviations below what was predicted.
    anchor
        Gains are added to the mean of what was measured in the last so many ns before.
    correlation
        Of the twin's errors with and without the actions, −1 … 1.
    lag
        Data versions a proposal may be behind.
    gather, trial, confirm, watch, undo, hold_off
        Timeouts of the waiting states, in the order of `State`.
    undo_attempts
        How often an unconfirmed `Undo` is said.
    hold_off_most
        A knob rolled back again and again is held off twice as long each time, up to this.
    dwell
        So long after it was set a knob is only set anew for `hysteresis` times the margin.
    hysteresis
        See there; at least 1.
    per_hour
        Most actions applied in any hour.
    waiting
        Most proposals that wait for one trial.
    """

    margin: float = 0.005
    worse_at_most: float = 0.1
    tail: float = 0.0
    sigmas: float = 2.0
    anchor: int = 3 * SECOND
    correlation: float = 0.0
    lag: int = 1
    gather: int = 20_000_000
    trial: int = 250_000_000
    confirm: int = SECOND
    watch: int = 5 * SECOND
    undo: int = SECOND
    hold_off: int = 10 * SECOND
    undo_attempts: int = 3
    hold_off_most: int = 640 * SECOND
    dwell: int = 60 * SECOND
    hysteresis: float = 3.0
    per_hour: int = 60
    waiting: int = 64

    def __post_init__(self) -> None:
        wrong = [f"{name}: expected more than 0, got {getattr(self, name)}" for name in _POSITIVE if self._not(name)]
        if not self.margin >= 0.0:
            wrong.append(f"margin: expected at least 0, got {self.margin}")
        if not 0.0 < self.worse_at_most < 0.5:
            wrong.append(f"worse_at_most: expected more than 0 and less than 0.5, got {self.worse_at_most}")
        if not -1.0 <= self.correlation <= 1.0:
            wrong.append(f"correlation: expected -1 … 1, got {self.correlation}")
        if not self.hysteresis >= 1.0:
            wrong.append(f"hysteresis: expected at least 1, got {self.hysteresis}")
        if wrong:
            raise InputError(wrong, "GuardSettings")

    def _not(self, name: str) -> bool:
        return not getattr(self, name) > 0


_POSITIVE = tuple(
    f.name
    for f in fields(GuardSettings)
    if f.name not in ("margin", "worse_at_most", "tail", "correlation", "lag", "hysteresis")
)

TIMEOUTS: Mapping[State, tuple[str, State]] = {
    State.PROPOSED: ("gather", State.TRIAL),
    State.TRIAL: ("trial", State.IDLE),
    State.APPLIED: ("confirm", State.ROLLED_BACK),
    State.WATCHED: ("watch", State.IDLE),
    State.ROLLED_BACK: ("undo", State.HELD_OFF),
    State.HELD_OFF: ("hold_off", State.IDLE),
}
"""Each waiting state: the timeout (its length is the setting of that name) and where it leads.

Two of them look first: `watch` leads to `ROLLED_BACK` where nothing was measured, `undo` says `Undo` again before it
gives up.
"""


def ill_formed(proposal: Any) -> str | None:
    """Say what is wrong with the form of a proposal, its actions left to `feasible.Rules`."""
    if not isinstance(proposal, Proposal):
        return f"expected a Proposal, got {type(proposal).__name__}"
    if not (isinstance(proposal.loop, str) and 0 < len(proposal.loop) <= 100 and isinstance(proposal.cause, str)):
        return "expected the name of a loop, 1 … 100 characters, and a cause in words"
    for name, low, high in (("version", 0, 2**62), ("priority", 1, 10)):
        value = getattr(proposal, name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            return f"{name}: expected a whole number {low} … {high}, got {value!r:.40}"
    return None
