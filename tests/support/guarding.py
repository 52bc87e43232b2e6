"""A guard with its timers, a twin that scores and a plant's side that obeys, by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support.healing import world_of
from tiertwin.functions.heal.actions import Actions, MoveService
from tiertwin.functions.heal.feasible import Rules
from tiertwin.functions.heal.scores import Predicted
from tiertwin.orchestrate.guard import Guard
from tiertwin.orchestrate.guardwords import (
    SECOND,
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
    Scored,
    State,
    Try,
    Undo,
    Wake,
)

Score = Callable[[Actions], Predicted]


def good(mean: float, spread: float = 0.0) -> Predicted:
    """Return a prediction without situations."""
    return Predicted(mean, mean, spread)


@dataclass
class Bench:
    """Carries a guard's effects out: tries at once by `score`, confirms when told to, fires timers when due."""

    score: Score
    guard: Guard
    now: int = 0
    confirms: bool = True
    log: list[Effect] = field(default_factory=list)
    timers: list[Wake] = field(default_factory=list)
    in_force: dict[int, Actions] = field(default_factory=dict)

    @classmethod
    def of(cls, score: Score, world: str = "metro", settings: GuardSettings | None = None, **fields: Any) -> Bench:
        return cls(score, Guard(Rules(world_of(world)), settings), **fields)

    @property
    def state(self) -> State:
        return self.guard.state

    @property
    def audits(self) -> list[Audit]:
        return [effect for effect in self.log if isinstance(effect, Audit)]

    def said(self, what: str) -> list[Audit]:
        return [audit for audit in self.audits if audit.what == what]

    def propose(self, *actions: Any, loop: str = "healing", version: int = 0, priority: int = 5) -> None:
        self.tell(Proposed(Proposal(loop, actions, version, priority)))

    def measure(self, value: float, error: float = 0.0, length: int = SECOND) -> None:
        """A whole period passes and is measured."""
        since = self.now
        self.wait(length)
        self.tell(Measured(value, error, since, self.now, self.guard.version))

    def tell(self, event: Event) -> None:
        waiting = [event]
        while waiting:
            effects = self.guard.handle(waiting.pop(0), self.now)
            self.log += effects
            for effect in effects:
                waiting += self._answer(effect)

    def _answer(self, effect: Effect) -> list[Event]:
        if isinstance(effect, Wake):
            self.timers.append(effect)
        if isinstance(effect, Try):
            scores = [self.score(()), *(self.score(p.actions) for p in effect.proposals)]
            return [Scored(effect.ticket, scores[0], tuple(scores[1:]))]
        if isinstance(effect, Apply):
            self.in_force[effect.ticket] = effect.actions
            return [Confirmed(effect.ticket, True)] if self.confirms else []
        if isinstance(effect, Undo):
            self.in_force.pop(effect.ticket, None)
            return [Confirmed(effect.ticket, True, undo=True)] if self.confirms else []
        return []

    def wait(self, length: int) -> None:
        """Let time pass, timers firing in their order."""
        end = self.now + length
        while due := sorted((t for t in self.timers if t.at <= end), key=lambda t: t.at):
            self.timers.remove(due[0])
            self.now = max(self.now, due[0].at)
            self.tell(Fired(due[0].name, due[0].serial))
        self.now = end


MOVE = MoveService(0, 0, 1, 2)
OTHER = MoveService(3, 1, 2, 1)
MS = 1_000_000


def better(actions: Actions) -> Predicted:
    """Anything is worth 1 more than nothing."""
    return good(float(bool(actions)))


def reasons(bench: Bench) -> list[str]:
    """Why proposals were refused so far."""
    return [audit.reason for audit in bench.said("refused")]
