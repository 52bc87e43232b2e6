"""The guard waits for nothing for ever, and what comes late, twice or broken changes nothing."""

from __future__ import annotations

import pytest

from support.guarding import MOVE, MS, Bench, better, good
from tiertwin.orchestrate.guardwords import (
    SECOND,
    TIMEOUTS,
    Apply,
    Confirmed,
    Fired,
    GuardSettings,
    Measured,
    Proposed,
    Reason,
    Scored,
    State,
    Undo,
)


def test_every_waiting_state_has_a_timeout() -> None:
    assert set(TIMEOUTS) == set(State) - {State.IDLE}
    for name, _ in TIMEOUTS.values():
        assert getattr(GuardSettings(), name) > 0


def drive_to(state: State) -> Bench:
    """Bring a guard into a state by hand."""
    bench = Bench.of(better, confirms=False)
    guard = bench.guard
    bench.propose(MOVE)
    if state is State.PROPOSED:
        return bench
    ticket = 1
    guard.handle(Fired("gather", guard._serial), 20 * MS)
    if state is State.TRIAL:
        return bench
    guard.handle(Scored(ticket, good(0.0), (good(1.0),)), 21 * MS)
    if state is State.APPLIED:
        return bench
    guard.handle(Confirmed(ticket, state in (State.WATCHED, State.HELD_OFF)), 22 * MS)
    if state is State.HELD_OFF:
        guard.handle(Measured(-9.0, 0.0, 22 * MS, 30 * MS, 0), 30 * MS)
        guard.handle(Confirmed(ticket, True, undo=True), 31 * MS)
    return bench


@pytest.mark.parametrize("state", list(TIMEOUTS))
def test_each_state_ends_by_itself(state: State) -> None:
    bench = drive_to(state)
    assert bench.state is state
    guard, seen = bench.guard, []
    for _ in range(12):
        if guard.state is State.IDLE:
            break
        if not seen or seen[-1] is not guard.state:
            seen.append(guard.state)
        guard.handle(Fired(TIMEOUTS[guard.state][0], guard._serial), guard._deadline)
    assert guard.state is State.IDLE
    expected = {
        State.PROPOSED: [State.PROPOSED, State.TRIAL],
        State.TRIAL: [State.TRIAL],
        State.APPLIED: [State.APPLIED, State.ROLLED_BACK, State.HELD_OFF],
        State.WATCHED: [State.WATCHED, State.ROLLED_BACK, State.HELD_OFF],  # nothing was measured
        State.ROLLED_BACK: [State.ROLLED_BACK, State.HELD_OFF],
        State.HELD_OFF: [State.HELD_OFF],
    }
    assert seen == expected[state]


def test_a_lost_timer_is_made_up_for_at_the_next_event() -> None:
    bench = drive_to(State.TRIAL)
    effects = bench.guard.handle(Proposed(None), 10 * SECOND)
    assert bench.state is State.IDLE
    assert [e.reason for e in effects if hasattr(e, "reason") and e.what == "refused"] == [
        Reason.UNTRIED,
        Reason.MALFORMED,
    ]


def test_an_undo_nobody_confirms_is_said_three_times() -> None:
    bench = drive_to(State.ROLLED_BACK)
    said = 0
    while bench.state is State.ROLLED_BACK:
        effects = bench.guard.handle(Fired("undo", bench.guard._serial), bench.guard._deadline)
        said += sum(isinstance(effect, Undo) for effect in effects)
    assert said == 2  # and once when it was rolled back
    assert bench.state is State.HELD_OFF


def test_answers_of_other_tickets_and_old_timers_change_nothing() -> None:
    for state in TIMEOUTS:
        bench = drive_to(state)
        for event in (
            Scored(7, good(0.0), (good(1.0),)),
            Confirmed(7, True),
            Confirmed(7, False),
            Confirmed(1, True, undo=state is not State.ROLLED_BACK),
            Fired("watch", -1),
        ):
            if state in (State.APPLIED,) and isinstance(event, Confirmed) and event.ticket == 1 and not event.undo:
                continue
            assert bench.guard.handle(event, 19 * MS) == []
        assert bench.state is state


def test_answers_of_the_wrong_length_apply_nothing() -> None:
    bench = drive_to(State.TRIAL)
    effects = bench.guard.handle(Scored(1, good(0.0), (good(1.0), good(2.0))), 21 * MS)
    assert not any(isinstance(effect, Apply) for effect in effects)
    assert bench.state is State.IDLE


def test_measurements_that_are_no_numbers_or_of_the_future_are_told_and_left_out() -> None:
    bench = drive_to(State.WATCHED)
    for event in (Measured(float("nan"), 0.0, 23 * MS, 24 * MS, 0), Measured(1.0, -1.0, 23 * MS, 24 * MS, 0)):
        assert bench.guard.handle(event, 25 * MS)[0].reason == Reason.NON_FINITE  # type: ignore[union-attr]
    effects = bench.guard.handle(Measured(-9.0, 0.0, 23 * MS, 24 * SECOND, 0), 25 * MS)
    assert effects[0].reason == Reason.FUTURE  # type: ignore[union-attr]
    assert bench.state is State.WATCHED
