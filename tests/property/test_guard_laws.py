"""Laws of the guard under any events in any order, and of conflicts between loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from support.healing import world_of
from tiertwin.functions.heal.actions import FallBack, MoveService
from tiertwin.functions.heal.feasible import Rules
from tiertwin.functions.heal.scores import Predicted, probability_worse
from tiertwin.orchestrate.conflicts import Conflict, Oscillation, Request, direct, indirect, resolve
from tiertwin.orchestrate.guard import Guard
from tiertwin.orchestrate.guardwords import (
    SECOND,
    TIMEOUTS,
    Apply,
    Audit,
    Confirmed,
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

SETTINGS = GuardSettings(margin=0.04, per_hour=2, hold_off=SECOND, dwell=SECOND)
NUMBERS = st.one_of(st.floats(-2, 2), st.just(float("nan")), st.just(float("inf")), st.floats())
NEAR = st.one_of(st.floats(-0.05, 0.1), st.floats(-0.05, 0.1), st.floats(-0.05, 0.1), NUMBERS)
SPREAD = st.sampled_from([0.0, 0.0, 0.01, 0.05, 1.0, float("nan")])
CLEAR = st.floats(0.0, 0.2).map(lambda mean: Predicted(mean, mean, 0.0))
PREDICTED = st.one_of(
    CLEAR,
    CLEAR,
    st.builds(Predicted, NEAR, st.floats(-0.05, 0.1), SPREAD),
    st.builds(Predicted, NUMBERS, NUMBERS, NUMBERS, st.lists(NUMBERS, max_size=3).map(tuple)),
)
ACTION = st.one_of(
    st.builds(MoveService, st.integers(-1, 3), st.integers(0, 1), st.integers(0, 3), st.integers(0, 4), NUMBERS),
    st.builds(FallBack, st.integers(-1, 3), st.floats(0, 1.2)),
)
TICKETS = st.integers(0, 12)
ACTIONS = st.lists(ACTION, max_size=3).map(tuple)
SOUND = st.tuples(st.builds(MoveService, st.integers(0, 3), st.just(0), st.just(1), st.just(2)))
TIMES = st.integers(0, 20 * SECOND)
EVENT = st.one_of(
    st.just(Proposed(None)),
    st.builds(Proposal, st.just("energy"), ACTIONS, st.integers(0, 3), st.integers(0, 11)).map(Proposed),
    st.builds(Proposal, st.just("healing"), SOUND, st.just(0)).map(Proposed),
    st.builds(Scored, TICKETS, PREDICTED, st.lists(PREDICTED, max_size=3).map(tuple)),
    st.builds(Confirmed, TICKETS, st.booleans(), st.booleans()),
    st.builds(Measured, NUMBERS, st.floats(0, 1), TIMES, TIMES, st.integers(0, 1)),
    st.builds(Fired, st.sampled_from([name for name, _ in TIMEOUTS.values()]), st.integers(0, 60)),
)
COURSE = ("propose", "fire", "answer", "confirm", "measure", "fire", "confirm", "fire")
"""What would bring something into force and out again; strangers come in between, and steps are left out."""
ROUNDS = st.lists(
    st.tuples(
        st.sets(st.sampled_from(range(len(COURSE))), max_size=2),
        st.lists(EVENT, max_size=2),
        st.tuples(CLEAR, PREDICTED) | st.tuples(PREDICTED, PREDICTED),
    ),
    min_size=6,
    max_size=20,
)


class Watcher:
    """Plays events at a guard and holds its laws; answers in good form when told to."""

    def __init__(self) -> None:
        self.guard = Guard(Rules(world_of("metro")), SETTINGS)
        self.tried: Try | None = None
        self.in_force: int | None = None
        self.applied: list[int] = []
        self.wake: Wake | None = None

    def play(self, event: object, now: int, predictions: Sequence[Predicted]) -> None:
        if event == "propose":
            move = MoveService(self.guard._tickets % 14, 0, 1, 2)
            event = Proposed(Proposal("healing", (move,), self.guard.version))
        elif event == "answer":
            tried = self.tried or Try(0, ())
            event = Scored(tried.ticket, Predicted(0, 0, 0), tuple(predictions[: len(tried.proposals)]))
        elif event == "confirm":
            event = Confirmed(self.guard._tickets, True, self.guard.state is State.ROLLED_BACK)
        elif event == "measure":
            event = Measured(predictions[0].mean - 0.05, 0.0, now - 1, now, 0)
        elif event == "fire":
            event = Fired("", 0) if self.wake is None else Fired(self.wake.name, self.wake.serial)
        before, serial = self.guard.state, self.guard._serial
        effects = self.guard.handle(event, now)  # type: ignore[arg-type]
        self.look(event, before, effects)
        if self.guard.state is not before and self.guard.state is not State.IDLE:
            assert any(isinstance(effect, Wake) and effect.serial == self.guard._serial for effect in effects)
        assert self.guard._serial >= serial

    def look(self, event: object, before: State, effects: list[object]) -> None:
        for effect in effects:
            if isinstance(effect, Wake):
                self.wake = effect
            elif isinstance(effect, Try):
                self.tried = effect
                assert 1 <= len(effect.proposals) <= SETTINGS.waiting
            elif isinstance(effect, Apply):
                assert isinstance(event, Scored)
                assert self.in_force is None
                self.in_force = effect.ticket
                self.applied.append(self.guard._now)
                self.good_enough(event, effect)
            elif isinstance(effect, Undo):
                assert effect.ticket == self.in_force
            elif isinstance(effect, Audit):
                if effect.what in ("kept", "undone"):
                    self.in_force = None
                if effect.what == "refused":
                    assert effect.reason
        assert before in State

    def good_enough(self, event: Scored, effect: Apply) -> None:
        assert self.tried is not None
        after = next(a for a, p in zip(event.after, self.tried.proposals, strict=True) if p.actions == effect.actions)
        assert after.is_sound
        assert event.nothing.is_sound
        assert after.mean > event.nothing.mean + SETTINGS.margin
        assert probability_worse(after, event.nothing) <= SETTINGS.worse_at_most
        assert after.cvar >= event.nothing.cvar


@given(ROUNDS)
def test_whatever_comes_only_better_things_are_applied_one_at_a_time(
    rounds: list[tuple[set[int], list[object], Sequence[Predicted]]],
) -> None:
    watcher, now = Watcher(), 0
    for left_out, strangers, predictions in rounds:
        for k, step in enumerate(COURSE):
            now += 1_000_000
            for event in strangers if k in left_out else (step,):
                watcher.play(event, now, predictions)
    for k, time in enumerate(watcher.applied):
        inside = [t for t in watcher.applied[k:] if t < time + 3600 * SECOND]
        assert len(inside) <= SETTINGS.per_hour
    fired = 0
    while watcher.guard.state is not State.IDLE:  # left alone it always ends, whatever it was waiting for
        assert (fired := fired + 1) <= SETTINGS.undo_attempts + len(TIMEOUTS)
        watcher.play("fire", watcher.guard._deadline, [Predicted(0, 0, 0)])
    assert watcher.in_force is None


@given(st.floats(-5, 5), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 3))
def test_the_plant_is_believed_at_once(measured: float, error: float, spread: float, gain: float) -> None:
    guard = Guard(Rules(world_of("metro")), GuardSettings(worse_at_most=0.49))
    guard.handle(Proposed(Proposal("healing", (FallBack(0, 0.5),), 0)), 0)
    guard.handle(Fired("gather", guard._serial), 20_000_000)
    after = Predicted(gain, gain, spread)
    guard.handle(Scored(1, Predicted(0.0, 0.0, 0.0), (after,)), 21_000_000)
    if guard.state is not State.APPLIED:
        assert probability_worse(after, Predicted(0, 0, 0)) > 0.49 or gain <= 0.005
        return
    guard.handle(Confirmed(1, True), 22_000_000)
    effects = guard.handle(Measured(measured, error, 22_000_000, SECOND, 0), SECOND)
    disagrees = measured < gain - 2.0 * math.hypot(spread, error)
    assert any(isinstance(effect, Undo) for effect in effects) == disagrees


# -- conflicts ---------------------------------------------------------------------------------------------------------

KNOB = st.tuples(st.sampled_from(["route", "rate", "cell"]), st.sampled_from(["0", "1"]))
RESOURCE = st.tuples(st.sampled_from(["load", "capacity", "power"]), st.just("link"), st.integers(0, 2))
REQUEST = st.builds(
    Request,
    st.sampled_from(["healing", "energy", "allocation", "weather"]),
    st.dictionaries(KNOB, st.tuples(st.sampled_from([0.0, 1.0])), max_size=3),
    st.dictionaries(RESOURCE, st.sampled_from([-1, 1]), max_size=3),
    st.integers(1, 10),
    NUMBERS,
)


@given(st.lists(REQUEST, max_size=8))
def test_winners_do_not_conflict_and_every_loser_lost_to_a_winner(requests: list[Request]) -> None:
    winners, losers = resolve(requests)
    assert len(winners) + len(losers) == len(requests)
    for k, a in enumerate(winners):
        for b in winners[k + 1 :]:
            assert direct(a, b) is None
            assert a.loop == b.loop or indirect(a, b) is None
    for loser, conflict in losers:
        assert any(w.priority >= loser.priority for w in winners if w.loop == conflict.loops[0])
    if requests:
        assert max(r.priority for r in requests) == winners[0].priority


@given(REQUEST, REQUEST)
def test_conflicts_are_mutual(a: Request, b: Request) -> None:
    assert (direct(a, b) is None) == (direct(b, a) is None)
    assert (indirect(a, b) is None) == (indirect(b, a) is None)
    assert direct(a, a) is None
    assert indirect(a, a) is None


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from("ab"), st.sampled_from([0.0, 1.0, 2.0])), max_size=40))
def test_an_oscillation_has_come_back_twice_within_the_window(steps: list[tuple[int, str, float]]) -> None:
    watch, now, told = Oscillation(window=200, returns=2), 0, []
    history: list[tuple[int, float]] = []
    for later, loop, value in steps:
        now += later
        if not history or history[-1][1] != value:
            history.append((now, value))
        found = watch.set(now, loop, {("route", "1"): (value,)})
        recent = [v for t, v in history if t > now - 200][-32:]
        returns = sum(v in recent[:k] for k, v in enumerate(recent))
        assert bool(found) == (returns >= 2)
        told += found
    assert all(isinstance(conflict, Conflict) and conflict.kind == "implicit" for conflict in told)
