"""The healing loop: a named cause is healed once, what stands against a cause that is over is taken back."""

from __future__ import annotations

from support.healing import cause_of, model_of, world_of
from tiertwin.functions.assure.causes import Cause
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.flowmodel import FlowModel
from tiertwin.orchestrate.guardwords import SECOND, Apply, Confirmed, Effect, Measured, State, Undo
from tiertwin.orchestrate.healing import HealingLoop, Outlook, audits

METRO = world_of("metro")
CAUSE = cause_of("metro", "link 3 centre–harbour")


class Owner:
    """Carries a loop's effects out, epoch by epoch."""

    def __init__(self) -> None:
        self.loop = HealingLoop(METRO)
        self.epoch = 0
        self.made = 0
        self.log: list[Effect] = []

    def next(self, *causes: Cause, value: float = 0.0) -> list[Effect]:
        self.epoch += 1
        now = self.epoch * SECOND
        broken = Broken.of(METRO, causes, Degradation())
        measured = Measured(value, 0.01, now - SECOND, now, self.epoch)
        outlook = Outlook([(cause, 0.9) for cause in causes], broken, measured, self.epoch)
        effects = self.loop.handle(now, outlook, lambda: self.model(*causes))
        for effect in tuple(effects):
            if isinstance(effect, Apply | Undo):
                effects += self.loop.confirmed(Confirmed(effect.ticket, True, isinstance(effect, Undo)), now)
        self.log += effects
        return effects

    def model(self, *causes: Cause) -> FlowModel:
        self.made += 1
        return model_of(METRO, *causes)


def test_a_cause_is_healed_once_and_what_stood_is_taken_back_when_it_is_over() -> None:
    owner = Owner()
    assert owner.next() == []
    assert owner.made == 0
    applied = [effect for effect in owner.next(CAUSE) if isinstance(effect, Apply)]
    assert len(applied) == 1
    assert applied[0].actions
    assert owner.loop.standing == {1: CAUSE.name}
    for _ in range(8):
        assert not [e for e in owner.next(CAUSE, value=1.0) if isinstance(e, Apply)]
    assert owner.loop.guard.state is State.IDLE
    assert owner.made == 1
    assert [audit.what for audit in audits(owner.log)].count("kept") == 1
    over = owner.next(value=1.0)
    assert [e.ticket for e in over if isinstance(e, Undo)] == [1]
    assert owner.loop.standing == {}
    assert [e for e in owner.next(CAUSE, value=1.0) if isinstance(e, Apply)]  # it came again


def test_what_the_plant_disagrees_with_no_longer_stands() -> None:
    owner = Owner()
    owner.next()
    owner.next(CAUSE)
    undone = owner.next(CAUSE, value=-50.0)
    assert [e.ticket for e in undone if isinstance(e, Undo)] == [1]
    assert owner.loop.standing == {}
    assert owner.loop.guard.state is State.HELD_OFF
