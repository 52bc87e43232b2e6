"""The guard: nothing is done to the plant that the twin has not found better than doing nothing, and sure enough.

```
     proposal          gather over       better, sure enough        in force
IDLE ────────► PROPOSED ────────► TRIAL ────────────────► APPLIED ────────► WATCHED
  ▲                                 │ nothing better         │ not, or late    │  │ agrees to
  │◄────────────────────────────────┘                        ▼                 │  │ the end:
  │◄─────────────── HELD_OFF ◄───────────────────────── ROLLED_BACK ◄──────────┘  │ kept
  │   hold_off over          taken back, or said thrice             disagrees     │
  │◄──────────────────────────────────────────────────────────────────────────────┘
```

A pure state machine: `handle(event, now)` returns effects; no clock, no network inside. One thing at a time is in
force and watched, so that what is measured can be told apart. Every state but IDLE waits no longer than its timeout
(`guardwords.TIMEOUTS`); a timer that got lost is made up for at the next event. Whether the plant disagrees is
`guardlevels`' to say: by what was measured lately before the actions, and the predicted gain with its deviation as the
twin stated it times what that has proved to be worth (`guardbook.Calibration`). `Undo` leaves with the measurement that
says so, in the same call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tiertwin.functions.heal.actions import settings, text
from tiertwin.functions.heal.concerned import concerned, sharing
from tiertwin.functions.heal.scores import Predicted, probability_worse, spread_of_gain
from tiertwin.orchestrate.guardbook import Calibration, Memory, Outcome, Spent
from tiertwin.orchestrate.guardlevels import Watch, since
from tiertwin.orchestrate.guardwords import (
    TIMEOUTS,
    Apply,
    Audit,
    Confirmed,
    Effect,
    Event,
    Fired,
    GuardSettings,
    Measured,
    Proposal,
    Proposed,
    Reason,
    Scored,
    State,
    Try,
    Undo,
    Wake,
    ill_formed,
)

if TYPE_CHECKING:
    from tiertwin.functions.heal.actions import Actions
    from tiertwin.functions.heal.feasible import Rules


@dataclass
class _Trial:
    """What is in hand: proposals, then the one that was chosen."""

    ticket: int
    proposals: list[Proposal] = field(default_factory=list)
    chosen: Proposal | None = None
    nothing: Predicted | None = None
    after: Predicted | None = None
    probability: float = 0.0
    undone: int = 0


class Guard:
    """Between what loops propose and what the plant is told. One owner.

    Parameters
    ----------
    rules
        What can be done now; its `broken` is kept up to date by the owner.
    settings
        How careful.
    """

    def __init__(self, rules: Rules, settings: GuardSettings | None = None) -> None:
        self.rules = rules
        self.settings = settings or GuardSettings()
        self.state = State.IDLE
        self.version = 0
        self.calibration = Calibration()
        self.memory = Memory()
        self._spent = Spent(self.settings.per_hour)
        self._trial = _Trial(0)
        self._watch = Watch(self.settings.anchor)
        self._settled = 0  # since when the plant is as it is
        self._now = 0
        self._deadline = 0
        self._serial = 0
        self._tickets = 0

    # -- the machine ---------------------------------------------------------------------------------------------------
    def handle(self, event: Event, now: int) -> list[Effect]:
        """Take one event in at `now`, ns; an earlier time than the last counts as the last."""
        self._now = max(self._now, now)
        effects: list[Effect] = []
        fired = isinstance(event, Fired) and event.serial == self._serial and self.state is not State.IDLE
        if self.state is not State.IDLE and (self._now >= self._deadline or fired):
            effects += self._timed_out()
        handler: dict[type, Callable[[Any], list[Effect]]] = {
            Proposed: self._proposed,
            Scored: self._scored,
            Confirmed: self._confirmed,
            Measured: self._measured,
        }
        if type(event) in handler:
            effects += handler[type(event)](event)
        return effects

    def believe(self, version: int) -> None:
        """The twin's data are of this version now; what was proposed on older ones is stale. Versions only rise."""
        self.version = max(self.version, version)

    def withdrawn(self, actions: Actions, now: int) -> None:
        """What was kept is taken back at `now` by who proposed it: it stands no longer, and the plant is another."""
        self.memory.forget(settings(actions))
        self._settled = max(self._settled, now)

    def _enter(self, state: State) -> list[Effect]:
        self.state = state
        self._serial += 1
        if state not in TIMEOUTS:
            return []
        name = TIMEOUTS[state][0]
        self._deadline = self._now + int(getattr(self.settings, name))
        return [Wake(name, self._serial, self._deadline)]

    def _timed_out(self) -> list[Effect]:
        name = TIMEOUTS[self.state][0]
        effects: list[Effect] = []
        if self.state not in (State.PROPOSED, State.WATCHED, State.HELD_OFF):
            effects.append(self._audit("timeout", detail=name))
        return (
            effects
            + {
                State.PROPOSED: self._try,
                State.TRIAL: lambda: self._refuse_all(Reason.UNTRIED, "the twin did not answer"),
                State.APPLIED: lambda: self._roll_back(Reason.UNCONFIRMED, "the plant's side did not answer"),
                State.WATCHED: self._watched_out,
                State.ROLLED_BACK: self._say_again,
                State.HELD_OFF: self._release,
            }[self.state]()
        )

    # -- proposals -----------------------------------------------------------------------------------------------------
    def _proposed(self, event: Proposed) -> list[Effect]:
        proposal = event.proposal
        refused = next(self._complaints(proposal), None)
        if refused is not None:
            return [self._audit("refused", proposal, *refused, ticket=0)]
        effects: list[Effect] = []
        if self.state is State.IDLE:
            self._tickets += 1
            self._trial = _Trial(self._tickets)
            effects += self._enter(State.PROPOSED)
        self._trial.proposals.append(proposal)
        return [self._audit("proposed", proposal), *effects]

    def _complaints(self, proposal: Any) -> Iterator[tuple[Reason, str]]:
        """Yield why a proposal is not even tried; only the first is asked for, later ones rely on it."""
        if (malformed := ill_formed(proposal)) is not None:
            yield Reason.MALFORMED, malformed
        if (found := self.rules.refusal(proposal.actions)) is not None:
            yield Reason(found.reason), found.text
        knobs = settings(proposal.actions)
        if not knobs:
            yield Reason.MALFORMED, "expected something to do, got nothing"
        if not self.version - self.settings.lag <= proposal.version <= self.version:
            older = proposal.version < self.version
            told = f"made from data version {proposal.version}, now {self.version}"
            yield (Reason.STALE if older else Reason.FUTURE), told
        if (held := self.memory.held(knobs, self._now)) is not None:
            yield Reason.HELD_OFF, f"{' '.join(held)} was rolled back lately"
        if self.memory.stands(knobs):
            yield Reason.STANDING, "it stands so already"
        if self._spent.left(self._now) <= 0:
            yield Reason.BUDGET, f"{self.settings.per_hour} actions were applied in the last hour"
        if (crowded := self._crowded(proposal)) is not None:
            yield crowded

    def _crowded(self, proposal: Proposal) -> tuple[Reason, str] | None:
        if self.state not in (State.IDLE, State.PROPOSED):
            return (Reason.HELD_OFF if self.state is State.HELD_OFF else Reason.BUSY), f"the guard is {self.state}"
        if self.state is State.PROPOSED:
            if any(other.actions == proposal.actions for other in self._trial.proposals):
                return Reason.DUPLICATE, "the same was proposed already"
            if len(self._trial.proposals) >= self.settings.waiting:
                return Reason.BUSY, f"{self.settings.waiting} proposals wait already"
        return None

    # -- trial ---------------------------------------------------------------------------------------------------------
    def _try(self) -> list[Effect]:
        return [*self._enter(State.TRIAL), Try(self._trial.ticket, tuple(self._trial.proposals))]

    def _scored(self, event: Scored) -> list[Effect]:
        trial = self._trial
        if self.state is not State.TRIAL or event.ticket != trial.ticket:
            return []
        if len(event.after) != len(trial.proposals) or not event.nothing.is_sound:
            return self._refuse_all(Reason.UNTRIED, "expected sound scores of nothing and of every proposal")
        trial.nothing = event.nothing
        effects: list[Effect] = []
        best: list[tuple[int, float, int]] = []
        for k, (proposal, after) in enumerate(zip(trial.proposals, event.after, strict=True)):
            refused = next(self._doubts(proposal, event.nothing, after), None)
            if refused is None:
                best.append((-proposal.priority, -after.mean, k))
            else:
                effects.append(self._audit("refused", proposal, *refused, self._numbers(event.nothing, after)))
        best.sort()
        if not best:
            return [*effects, *self._enter(State.IDLE)]
        effects += self._apply(best[0][2], event)
        chosen = settings(trial.proposals[best[0][2]].actions)
        for _, _, k in best[1:]:
            other = settings(trial.proposals[k].actions)
            clash = any(knob in chosen and chosen[knob] != value for knob, value in other.items())
            reason = Reason.CONFLICT if clash else Reason.OUTRANKED
            effects.append(self._audit("refused", trial.proposals[k], reason, "something else was applied"))
        return effects

    def _doubts(self, proposal: Proposal, nothing: Predicted, after: Predicted) -> Iterator[tuple[Reason, str]]:
        """Yield why something that was tried is not applied; only the first is asked for."""
        rules = self.settings
        if proposal.version < self.version - rules.lag:
            yield Reason.STALE, f"made from data version {proposal.version}, now {self.version}"
        if not after.is_sound:
            yield Reason.NON_FINITE, "expected a finite prediction"
        if (found := self.rules.refusal(proposal.actions)) is not None:  # what is broken may have changed meanwhile
            yield Reason(found.reason), found.text
        turned = self.memory.turned(settings(proposal.actions), self._now, rules.dwell)
        margin = rules.margin * (rules.hysteresis if turned else 1.0)
        gain = after.mean - nothing.mean
        if not gain > margin:
            yield Reason.NOT_BETTER, f"predicted gain {gain:.4g}, expected more than {margin:.4g}"
        worse = self._worse(nothing, after)
        if not worse <= rules.worse_at_most:
            yield Reason.UNSURE, f"P(worse) {worse:.3g}, expected at most {rules.worse_at_most:g}"
        if after.cvar < nothing.cvar - rules.tail:
            yield Reason.TAIL, f"the worst tenth falls from {nothing.cvar:.4g} to {after.cvar:.4g}"

    def _worse(self, nothing: Predicted, after: Predicted) -> float:
        return probability_worse(after, nothing, self.calibration.inflation(self._now), self.settings.correlation)

    def _apply(self, k: int, event: Scored) -> list[Effect]:
        trial = self._trial
        trial.chosen, trial.after = trial.proposals[k], event.after[k]
        trial.probability = self._worse(event.nothing, event.after[k])
        world, actions = self.rules.world, trial.chosen.actions
        self._watch.begin(concerned(world, actions), sharing(world, actions), self._settled, self._now)
        self._spent.spend(self._now)
        numbers = self._numbers(event.nothing, event.after[k])
        wake = self._enter(State.APPLIED)
        return [*wake, Apply(trial.ticket, actions), self._audit("applied", trial.chosen, numbers=numbers)]

    # -- in force ------------------------------------------------------------------------------------------------------
    def _confirmed(self, event: Confirmed) -> list[Effect]:
        if event.ticket != self._trial.ticket:
            return []
        if self.state is State.APPLIED and not event.undo:
            if not event.done:
                return self._roll_back(Reason.FAILED, "the plant's side could not")
            self._settled = self._now
            return [*self._enter(State.WATCHED), self._audit("confirmed", self._trial.chosen)]
        if self.state is State.ROLLED_BACK and event.undo and event.done:
            return self._taken_back()
        return []

    def _measured(self, event: Measured) -> list[Effect]:
        if not event.is_sound:
            return [self._audit("refused", reason=Reason.NON_FINITE, detail="a measurement that is no number")]
        if not event.since < event.until <= self._now:
            return [self._audit("refused", reason=Reason.FUTURE, detail="a measurement of another time than the past")]
        self.believe(event.version)
        if self.state is State.WATCHED and event.since >= self._settled:
            self._watch.take(event)
            return self._judged()
        if self.state is State.WATCHED and event.until <= self._settled:
            self._watch.late(event, self._settled)
        elif self.state in (State.IDLE, State.PROPOSED, State.TRIAL) and event.since >= self._settled:
            self._watch.note(event)
        return []

    def _judged(self) -> list[Effect]:
        """Hold what was measured since against what it was before and what was expected."""
        watch, chosen = self._watch, self._trial.chosen
        value, bound = self._bound()
        if not math.isfinite(value):
            return [self._audit("measured", chosen, detail="nothing was told of the sites concerned, before or since")]
        numbers = {"measured": value, "bound": bound, "measurements": float(len(watch.measured))}
        if value < bound:
            return self._roll_back(Reason.DISAGREES, f"measured {value:.4g}, expected {bound:.4g}", numbers)
        if (lost := watch.harmed(self.settings.sigmas)) > 0.0:
            return self._roll_back(Reason.DISAGREES, f"other sites lost {lost:.4g}", numbers)
        return [self._audit("measured", chosen, numbers=numbers)]

    def _bound(self) -> tuple[float, float]:
        """Return what was measured, and what it must be at least for the plant to agree."""
        trial, watch, inflation = self._trial, self._watch, self.calibration.inflation(self._now)
        assert trial.after is not None
        assert trial.nothing is not None
        if watch.was is None:
            now = since(watch.measured)
            deviation = math.hypot(inflation * trial.after.deviation, now.whole_error)
            told = math.nan if len(now.value) > 1 else now.whole  # levels of parts that may be missing say nothing
            return told, trial.after.mean - self.settings.sigmas * deviation
        (gained, error), level = watch.gained(), watch.was.whole
        deviation = inflation * spread_of_gain(trial.after, trial.nothing, correlation=self.settings.correlation)
        expected = trial.after.mean - trial.nothing.mean - self.settings.sigmas * math.hypot(deviation, error)
        return level + gained, level + min(expected, 0.0)

    def _watched_out(self) -> list[Effect]:
        trial = self._trial
        assert trial.chosen is not None
        if not (self._watch.measured and math.isfinite(self._bound()[0])):
            return self._roll_back(Reason.UNWATCHED, "nothing was measured of the sites concerned")
        self._learn()
        self.memory.keep(settings(trial.chosen.actions), self._now)
        return [*self._enter(State.IDLE), self._audit("kept", trial.chosen)]

    def _roll_back(self, reason: Reason, detail: str, numbers: dict[str, float] | None = None) -> list[Effect]:
        trial = self._trial
        assert trial.chosen is not None
        if self._watch.measured:
            self._learn()
        trial.undone = 1
        wake = self._enter(State.ROLLED_BACK)
        undo = Undo(trial.ticket, trial.chosen.actions)
        return [*wake, undo, self._audit("rolled_back", trial.chosen, reason, detail, numbers or {})]

    def _say_again(self) -> list[Effect]:
        trial = self._trial
        assert trial.chosen is not None
        if trial.undone >= self.settings.undo_attempts:
            return self._taken_back(Reason.UNCONFIRMED)
        trial.undone += 1
        return [*self._enter(State.ROLLED_BACK), Undo(trial.ticket, trial.chosen.actions)]

    def _taken_back(self, reason: Reason | None = None) -> list[Effect]:
        trial = self._trial
        assert trial.chosen is not None
        self._settled = self._now
        knobs = settings(trial.chosen.actions)
        self.memory.hold_off(knobs, self._now, self.settings.hold_off, self.settings.hold_off_most)
        return [*self._enter(State.HELD_OFF), self._audit("undone", trial.chosen, reason or "")]

    def _release(self) -> list[Effect]:
        return [*self._enter(State.IDLE), self._audit("released")]

    def _learn(self) -> None:
        """Take what the plant showed into the twin's calibration, where there is something to compare with."""
        trial = self._trial
        realised, error = self._watch.gained()
        if trial.after is None or trial.nothing is None or not math.isfinite(realised):
            return
        stated = spread_of_gain(trial.after, trial.nothing, correlation=self.settings.correlation)
        gain = trial.after.mean - trial.nothing.mean
        outcome = Outcome(trial.probability, gain, math.hypot(stated, error), realised, self._now)
        self.calibration.add(outcome)

    # -- book ----------------------------------------------------------------------------------------------------------
    def _refuse_all(self, reason: Reason, detail: str) -> list[Effect]:
        refused: list[Effect] = [self._audit("refused", p, reason, detail) for p in self._trial.proposals]
        return [*refused, *self._enter(State.IDLE)]

    def _numbers(self, nothing: Predicted, after: Predicted) -> dict[str, float]:
        if not after.is_sound:
            return {}
        return {
            "nothing": nothing.mean,
            "after": after.mean,
            "gain": after.mean - nothing.mean,
            "worse": self._worse(nothing, after),
            "inflation": self.calibration.inflation(self._now),
        }

    def _audit(
        self,
        what: str,
        proposal: Any = None,
        reason: str = "",
        detail: str = "",
        numbers: dict[str, float] | None = None,
        ticket: int = -1,
    ) -> Audit:
        """Return a line of the book; of what is not a sound proposal only its kind is told."""
        known = isinstance(proposal, Proposal) and reason != Reason.MALFORMED and ill_formed(proposal) is None
        loop = proposal.loop if known else ""
        words = text(proposal.actions)[:500] if known else "" if proposal is None else type(proposal).__name__
        ticket = self._trial.ticket if ticket < 0 else ticket
        return Audit(self._now, ticket, what, self.state, loop, words, str(reason), detail, numbers or {})
