"""The guard: what is applied, what is refused and why, what is taken back; a thousand adversarial proposals."""

from __future__ import annotations

import numpy as np
import pytest

from support.guarding import MOVE, MS, OTHER, Bench, better, good, reasons
from support.healing import cause_of, crafted, model_of, random_action, world_of
from tiertwin.errors import InputError
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.actions import Actions, FallBack, MoveService, Nothing
from tiertwin.functions.heal.actions import settings as settings_of
from tiertwin.functions.heal.candidates import candidates
from tiertwin.functions.heal.feasible import Rules
from tiertwin.functions.heal.scores import Predicted
from tiertwin.orchestrate.guard import Guard
from tiertwin.orchestrate.guardbook import Calibration, Memory, Outcome
from tiertwin.orchestrate.guardwords import (
    SECOND,
    Apply,
    Confirmed,
    Fired,
    GuardSettings,
    Measured,
    Proposed,
    Reason,
    State,
    Try,
    Undo,
    Wake,
)

# -- the straight way --------------------------------------------------------------------------------------------------


def test_what_is_better_is_applied_watched_and_kept() -> None:
    bench = Bench.of(better)
    bench.measure(5.0)
    bench.propose(MOVE)
    assert bench.state is State.PROPOSED
    bench.wait(20 * MS)
    assert bench.state is State.WATCHED
    assert list(bench.in_force.values()) == [(MOVE,)]
    for _ in range(5):
        bench.measure(6.0)
    assert bench.state is State.IDLE
    assert [audit.what for audit in bench.audits[:4]] == ["proposed", "applied", "confirmed", "measured"]
    assert bench.said("kept")
    assert bench.in_force
    applied = bench.said("applied")[0]
    assert applied.numbers == {"nothing": 0.0, "after": 1.0, "gain": 1.0, "worse": 0.0, "inflation": 1.0}
    assert applied.text == "100% of class 0 of site 0 from edge to fog"
    assert bench.guard.calibration.outcomes[0].realised == pytest.approx(1.0)


def test_the_undo_leaves_with_the_measurement_that_disagrees() -> None:
    bench = Bench.of(better)
    bench.measure(5.0)
    bench.propose(MOVE)
    bench.wait(20 * MS)
    bench.confirms = False
    applied_at = bench.now
    bench.measure(4.9)  # less than before, where 1 more was promised without any doubt
    undo = [effect for effect in bench.log if isinstance(effect, Undo)]
    assert [u.actions for u in undo] == [(MOVE,)]
    assert bench.now - applied_at <= SECOND  # one edge period after it was put in force
    assert bench.state is State.ROLLED_BACK
    told = bench.said("rolled_back")[0]
    assert told.reason == Reason.DISAGREES
    assert told.numbers == {"measured": pytest.approx(4.9), "bound": 5.0, "measurements": 1.0}
    bench.tell(Confirmed(undo[0].ticket, True, undo=True))
    assert bench.state is State.HELD_OFF
    assert not bench.in_force


def test_what_helps_less_than_promised_stays() -> None:
    bench = Bench.of(better)
    bench.measure(5.0)
    bench.propose(MOVE)
    bench.wait(20 * MS)
    for _ in range(5):
        bench.measure(5.1)
    assert bench.said("kept")
    assert not bench.said("rolled_back")


def test_the_bound_is_what_was_measured_plus_the_gain_minus_the_interval_or_what_was_measured() -> None:
    def doubtful(actions: Actions) -> Predicted:
        return good(float(bool(actions)), spread if actions else 0.0)

    for spread, error in ((0.3, 0.3), (0.4, 0.4)):
        bench = Bench.of(doubtful)
        bench.measure(5.0, error=error)
        bench.propose(MOVE)
        bench.wait(20 * MS)
        bench.measure(6.0, error=0.2)
        expected = 5.0 + 1.0 - 2.0 * np.sqrt(spread**2 + error**2 + 0.2**2)
        assert bench.said("measured")[-1].numbers["bound"] == pytest.approx(min(expected, 5.0))
    assert expected < 5.0


def test_without_a_measurement_before_the_score_itself_is_expected() -> None:
    bench = Bench.of(lambda actions: good(7.0 + bool(actions)))
    bench.propose(MOVE)
    bench.wait(20 * MS)
    bench.measure(7.9)
    assert bench.said("rolled_back")[0].numbers["bound"] == 8.0


def test_a_measurement_begun_before_it_was_in_force_says_nothing() -> None:
    bench = Bench.of(better, now=10 * SECOND)
    bench.propose(MOVE)
    bench.wait(20 * MS)
    bench.tell(Measured(-9.0, 0.0, bench.now - 1, bench.now, 0))
    assert bench.state is State.WATCHED


# -- refused -----------------------------------------------------------------------------------------------------------


def test_what_is_not_better_by_the_margin_or_not_surely_is_refused() -> None:
    table = {MOVE.site: good(0.004), OTHER.site: good(0.1, 0.1)}
    bench = Bench.of(lambda actions: table[actions[0].site] if actions else good(0.0))  # type: ignore[union-attr]
    bench.propose(MOVE)
    bench.propose(OTHER)
    bench.wait(20 * MS)
    assert reasons(bench) == [Reason.NOT_BETTER, Reason.UNSURE]
    assert bench.state is State.IDLE
    assert not bench.in_force
    assert bench.said("refused")[1].numbers["worse"] == pytest.approx(0.158655, abs=1e-6)  # Φ(−1)


def test_a_better_mean_with_a_worse_tail_is_refused() -> None:
    bench = Bench.of(lambda actions: Predicted(1.0, -1.0, 0.0) if actions else good(0.0))
    bench.propose(MOVE)
    bench.wait(20 * MS)
    assert reasons(bench) == [Reason.TAIL]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_predictions_that_are_no_numbers_apply_nothing(number: float) -> None:
    bench = Bench.of(lambda actions: good(number) if actions else good(0.0))
    bench.propose(MOVE)
    bench.wait(20 * MS)
    assert reasons(bench) == [Reason.NON_FINITE]
    bench = Bench.of(lambda actions: good(1.0) if actions else good(number))
    bench.propose(MOVE)
    bench.wait(20 * MS)
    assert reasons(bench) == [Reason.UNTRIED]


def test_stale_and_future_proposals_are_refused() -> None:
    bench = Bench.of(better)
    bench.guard.believe(10)
    bench.propose(MOVE, version=8)
    bench.propose(MOVE, version=11)
    assert reasons(bench) == [Reason.STALE, Reason.FUTURE]
    bench.propose(MOVE, version=9)
    assert bench.state is State.PROPOSED
    bench.guard.believe(11)  # while it waits
    bench.wait(20 * MS)
    assert reasons(bench)[-1] == Reason.STALE
    assert not bench.in_force


def test_what_breaks_while_it_is_tried_is_refused() -> None:
    bench = Bench.of(better)
    bench.propose(MoveService(0, 0, 2, 1))
    metro = world_of("metro")
    bench.guard.rules = Rules(metro, Broken.of(metro, (cause_of("metro", "server edge centre"),), Degradation()))
    bench.wait(20 * MS)
    assert reasons(bench) == [Reason.INFEASIBLE]


def test_one_at_a_time_the_best_first_the_rest_with_a_reason() -> None:
    table = {0: 1.0, 1: 3.0, 2: 2.0, 3: 0.5}
    bench = Bench.of(lambda actions: good(table[actions[0].site] if actions else 0.0))  # type: ignore[union-attr]
    for site in (0, 1, 2):
        bench.propose(MoveService(site, 0, 1, 2))
    bench.propose(MoveService(0, 0, 1, 2))
    bench.propose(MoveService(3, 0, 1, 2), priority=9, loop="weather")
    assert reasons(bench) == [Reason.DUPLICATE]
    bench.wait(20 * MS)
    assert [a.site for a in next(iter(bench.in_force.values()))] == [3]  # type: ignore[union-attr]
    assert reasons(bench)[1:] == [Reason.OUTRANKED] * 3
    bench.propose(OTHER)
    assert reasons(bench)[-1] == Reason.BUSY


def test_another_value_for_the_same_knob_is_a_conflict() -> None:
    bench = Bench.of(lambda actions: good(sum(a.rate for a in actions if isinstance(a, FallBack))))
    bench.propose(FallBack(1, 0.5))
    bench.propose(FallBack(1, 0.75), loop="weather")
    bench.wait(20 * MS)
    assert list(bench.in_force.values()) == [(FallBack(1, 0.75),)]
    assert reasons(bench) == [Reason.CONFLICT]


def test_no_more_actions_an_hour_than_the_budget() -> None:
    bench = Bench.of(better, settings=GuardSettings(per_hour=2, hysteresis=1.0))
    for site in range(3):
        bench.propose(MoveService(site, 0, 1, 2))
        bench.wait(20 * MS)
        bench.measure(1.0)
        bench.wait(6 * SECOND)
    assert len(bench.said("applied")) == 2
    assert reasons(bench) == [Reason.BUDGET]
    bench.wait(3600 * SECOND)
    bench.propose(MoveService(2, 0, 1, 2))
    assert bench.state is State.PROPOSED


def test_turning_back_soon_takes_a_larger_gain() -> None:
    gain = [0.01]
    bench = Bench.of(lambda actions: good(gain[0] * bool(actions)))
    bench.propose(FallBack(1, 0.5))
    bench.wait(20 * MS)
    bench.measure(1.0)
    bench.wait(5 * SECOND)
    bench.propose(FallBack(1, 0.5))
    bench.propose(FallBack(1, 1.0))
    bench.wait(20 * MS)
    assert reasons(bench) == [Reason.STANDING, Reason.NOT_BETTER]
    gain[0] = 0.016
    bench.propose(FallBack(1, 1.0))
    bench.wait(20 * MS)
    assert len(bench.said("applied")) == 2


def test_a_knob_rolled_back_is_held_off_twice_as_long_each_time() -> None:
    bench = Bench.of(better, settings=GuardSettings(per_hour=1000))
    waits = []
    for _ in range(4):
        bench.propose(MOVE)
        bench.wait(20 * MS)
        bench.measure(-100.0)
        assert bench.state is State.HELD_OFF
        since = bench.now
        while True:
            bench.wait(SECOND)
            bench.propose(MOVE)
            if bench.state is State.PROPOSED:
                break
        waits.append((bench.now - since) // SECOND)
        bench.wait(300 * MS)
        bench.guard.handle(Measured(-100.0, 0.0, bench.now - 100 * MS, bench.now, 0), bench.now)
        bench = _settled(bench)
    assert waits == sorted(waits)
    assert waits[1] >= 2 * waits[0] - 1


def _settled(bench: Bench) -> Bench:
    """Wait until the guard is idle and nothing is held."""
    bench.wait(700 * SECOND)
    assert bench.state is State.IDLE
    return bench


# -- adversarial -------------------------------------------------------------------------------------------------------


def test_of_a_thousand_adversarial_proposals_none_that_is_predicted_worse_is_applied() -> None:
    metro = world_of("metro")
    cause = cause_of("metro", "link 3 centre–harbour")
    model = model_of(metro, cause)
    random = np.random.default_rng(6)
    known: dict[Actions, Predicted] = {}

    def score(actions: Actions) -> Predicted:
        return known.setdefault(actions, model.score(actions))

    settings = GuardSettings(per_hour=10_000, hold_off=1, hold_off_most=1, dwell=1)
    bench = Bench.of(score, settings=settings)
    bench.guard.rules = Rules(metro, Broken.of(metro, (cause,), Degradation()))
    useful = [c.actions for c in candidates(metro, [(cause, 1.0)])[1:]]
    hostile = crafted(metro)
    for k in range(1000):
        bench.guard.believe(k // 50)
        version = bench.guard.version - int(random.choice([0, 0, 0, 1, 2, 40, -3]))
        if k % 4 == 0:
            actions = hostile[(k // 4) % len(hostile)]
        elif k % 10 == 3:
            actions = useful[int(random.integers(len(useful)))]
            bench.guard.memory.forget(settings_of(actions))
        else:
            actions = tuple(random_action(metro, random) for _ in range(int(random.integers(1, 4))))
        before = len(bench.said("refused")) + len(bench.said("proposed"))
        if isinstance(actions, tuple):
            bench.propose(*actions, version=max(version, 0), loop=str(random.choice(["healing", "energy"])))
        else:
            bench.tell(Proposed(actions))
        assert len(bench.said("refused")) + len(bench.said("proposed")) == before + 1
        if k % 3 == 0:
            bench.wait(20 * MS)
            for _ in range(2):
                bench.measure(float(random.normal(0.0, 1.0)), 0.1, 100 * MS)
            bench.wait(6 * SECOND)
    applied = [effect for effect in bench.log if isinstance(effect, Apply)]
    nothing = score(())
    assert len(applied) >= 25
    for effect in applied:
        assert score(effect.actions).mean > nothing.mean + settings.margin
    for audit in bench.said("applied"):
        assert audit.numbers["gain"] > settings.margin
        assert audit.numbers["worse"] <= settings.worse_at_most
    seen = {Reason(audit.reason) for audit in bench.said("refused")}
    assert {
        Reason.MALFORMED,
        Reason.NON_FINITE,
        Reason.UNKNOWN,
        Reason.CONTRADICTORY,
        Reason.INFEASIBLE,
        Reason.STALE,
        Reason.FUTURE,
        Reason.NOT_BETTER,
    } <= seen
    for audit in bench.said("refused"):
        assert audit.detail
    assert bench.said("rolled_back")


def test_doing_nothing_is_no_proposal() -> None:
    bench = Bench.of(better)
    bench.propose(Nothing())
    assert reasons(bench) == [Reason.MALFORMED]


# -- book --------------------------------------------------------------------------------------------------------------


def test_a_twin_that_was_wrong_is_believed_less_for_a_while() -> None:
    calibration = Calibration()
    assert calibration.inflation(0) == 1.0
    for error in (3.0, -3.0) * 10:
        calibration.add(Outcome(0.01, 1.0, 1.0, 1.0 + error))
    assert calibration.inflation(0) == pytest.approx(np.sqrt((20 + 180) / 40))
    assert calibration.inflation(3600 * SECOND) == pytest.approx(np.sqrt((20 + 90) / 30))  # half of it an hour later
    calibration.age(3600 * SECOND)
    assert calibration.inflation(0) == pytest.approx(np.sqrt((20 + 90) / 30))
    assert calibration.brier() == pytest.approx(0.5 * 0.01**2 + 0.5 * 0.99**2)
    assert calibration.table() == [
        {"from": 0.01, "to": 0.02, "applied": 20.0, "predicted": pytest.approx(0.01), "worse": 0.5}
    ]


def test_a_twin_better_than_it_says_gains_no_trust_and_one_wild_error_does_not_end_it() -> None:
    calibration = Calibration(most=10)
    for _ in range(30):
        calibration.add(Outcome(0.0, 1.0, 1.0, 1.0))
    assert calibration.inflation(0) == 1.0
    assert len(calibration.outcomes) == 10
    wild = Calibration()
    wild.add(Outcome(0.0, 1.0, 1e-6, 50.0))
    assert wild.inflation(0) == pytest.approx(np.sqrt(45 / 21))
    assert np.isnan(Calibration().brier())


def test_memory_is_bounded() -> None:
    memory = Memory(most=3)
    for k in range(10):
        memory.keep({("rate", str(k)): (0.5,)}, k)
        memory.hold_off({("rate", str(100 + k)): (0.5,)}, k, 10, 100)
    assert memory.stands({("rate", "9"): (0.5,)})
    assert not memory.stands({("rate", "0"): (0.5,)})
    assert memory.held({("rate", "109"): (0.5,)}, 10) == ("rate", "109")
    memory.forget({("rate", "9"): (0.5,)})
    assert not memory.stands({("rate", "9"): (0.5,)})


def test_settings_that_make_no_sense_are_told_together() -> None:
    with pytest.raises(InputError) as error:
        GuardSettings(margin=-1.0, worse_at_most=0.6, watch=0, hysteresis=0.5, correlation=2.0)
    assert len(error.value.problems) == 5
    assert Guard(Rules(world_of("metro"))).handle(Fired("gather", 0), 5) == []
    assert not isinstance(Wake("gather", 1, 2), Try)
