"""The healing loop of a domain: from named causes over candidates and the guard to what is put in force.

    named      causes with probabilities, as the domain's assurance has them
    propose    candidates against those that nobody has looked at yet (`functions.heal.candidates`)
    try        by an evaluator that the owner makes from what is believed (`functions.heal.flowmodel`)
    guard      applies, watches, rolls back (`orchestrate.guard`)
    withdraw   what stands against a cause that is over is taken back

Pure: what is believed and measured comes in once an epoch, `Apply` and `Undo` go out; whoever carries them out says so
by `confirmed`. The guard's own timers are looked after here: its next event or the next epoch, whichever is first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiertwin.functions.heal.candidates import Bounds, candidates
from tiertwin.functions.heal.feasible import Rules
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

if TYPE_CHECKING:
    from tiertwin.functions.assure.causes import Cause
    from tiertwin.functions.assure.impact import Broken
    from tiertwin.functions.heal.actions import Actions
    from tiertwin.functions.heal.scores import Evaluator
    from tiertwin.world import World


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a domain believes and has measured at the end of an epoch.

    Parameters
    ----------
    named
        Causes held to be there, with their probabilities.
    broken
        What those take away.
    measured
        The guarded KPI as it was told (`orchestrate.service`), with the time it speaks of; None: not known.
    version
        Data version.
    background
        Multiplier of the world's background.
    """

    named: Sequence[tuple[Cause, float]]
    broken: Broken
    measured: Measured | None
    version: int
    background: float = 1.0


class HealingLoop:
    """One loop over one domain. One owner.

    Parameters
    ----------
    world
        Network.
    settings, bounds
        Of the guard, and of candidates; by default the guard looks 2 s back.
    """

    def __init__(self, world: World, settings: GuardSettings | None = None, bounds: Bounds | None = None) -> None:
        self.guard = Guard(Rules(world), settings or GuardSettings(anchor=2 * SECOND))
        self._world, self._bounds = world, bounds or Bounds()
        self._timers: list[Wake] = []
        self._looked_at: set[str] = set()
        self._standing: dict[int, tuple[str, Actions]] = {}
        self._causes: dict[Actions, str] = {}

    def handle(self, now: int, outlook: Outlook, evaluator: Callable[[], Evaluator]) -> list[Effect]:
        """Take in the end of an epoch at `now`, ns; return `Apply`, `Undo` and `Audit`.

        Parameters
        ----------
        evaluator
            Makes the twin's model of the outlook; called only where something is to be tried.
        """
        self.guard.believe(outlook.version)
        self.guard.rules = Rules(self._world, outlook.broken)
        effects = self._fire(now, evaluator)
        if outlook.measured is not None:
            effects += self._tell(outlook.measured, now, evaluator)
        names = {cause.name for cause, _ in outlook.named}
        effects += self._withdraw(names, now)
        self._looked_at &= names
        fresh = [pair for pair in outlook.named if pair[0].name not in self._looked_at]
        if not fresh or self.guard.state is not State.IDLE:
            return effects
        self._looked_at |= {cause.name for cause, _ in fresh}
        found = candidates(self._world, fresh, bounds=self._bounds, background=outlook.background)
        for candidate in found[1:]:
            proposal = Proposal("healing", candidate.actions, outlook.version, cause=candidate.cause)
            effects += self._tell(Proposed(proposal), now, evaluator)
        gather = [timer for timer in self._timers if timer.name == "gather"]  # nobody else proposes here: at once
        self._timers = [timer for timer in self._timers if timer.name != "gather"]
        for timer in gather:
            effects += self._tell(Fired(timer.name, timer.serial), now, evaluator)
        return effects

    def confirmed(self, event: Confirmed, now: int) -> list[Effect]:
        """Tell the guard what became of an `Apply` or `Undo`."""
        return self._tell(event, now, None)

    def _fire(self, until: int, evaluator: Callable[[], Evaluator] | None) -> list[Effect]:
        """Fire the guard's timers that are due by `until`, in order."""
        effects: list[Effect] = []
        while due := sorted((t for t in self._timers if t.at <= until), key=lambda t: t.at):
            self._timers.remove(due[0])
            effects += self._tell(Fired(due[0].name, due[0].serial), due[0].at, evaluator)
        return effects

    def _tell(self, event: Event, now: int, evaluator: Callable[[], Evaluator] | None) -> list[Effect]:
        out: list[Effect] = []
        waiting: list[Event] = [event]
        while waiting:
            for effect in self.guard.handle(waiting.pop(0), now):
                if isinstance(effect, Wake):
                    self._timers.append(effect)
                elif isinstance(effect, Try) and evaluator is not None:
                    waiting.append(self._tried(effect, evaluator()))
                else:
                    out.append(effect)
                    self._remember(effect)
        return out

    def _tried(self, effect: Try, model: Evaluator) -> Scored:
        self._causes = {p.actions: p.cause for p in effect.proposals}
        return Scored(effect.ticket, model.score(()), tuple(model.score(p.actions) for p in effect.proposals))

    def _remember(self, effect: Effect) -> None:
        if isinstance(effect, Apply):
            self._standing[effect.ticket] = (self._causes[effect.actions], effect.actions)
        elif isinstance(effect, Undo):
            self._standing.pop(effect.ticket, None)

    def _withdraw(self, named: set[str], now: int) -> list[Effect]:
        """Take back what stands against causes that are over, once the guard is done with it."""
        if self.guard.state is not State.IDLE:
            return []
        over = [ticket for ticket, (cause, _) in self._standing.items() if cause not in named]
        effects: list[Effect] = []
        for ticket in over:
            actions = self._standing.pop(ticket)[1]
            self.guard.withdrawn(actions, now)
            effects.append(Undo(ticket, actions))
        return effects

    @property
    def standing(self) -> dict[int, str]:
        """Causes against which something is in force, by ticket."""
        return {ticket: cause for ticket, (cause, _) in self._standing.items()}


def audits(effects: Sequence[Effect]) -> list[Audit]:
    """Return the audit lines among effects."""
    return [effect for effect in effects if isinstance(effect, Audit)]
