"""Signals and thresholds: windows, what is usual, states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiertwin.errors import InputError
from tiertwin.functions.assure.localiser import ALARM, MISSING, SILENT
from tiertwin.functions.assure.signals import Least, States, Usual, Window

ALL = np.array([True])


def test_a_window_is_a_ratio_of_sums_that_fade():
    window = Window(1, 5.0)
    counts = [(0.0, 1.0, 10.0), (1.0, 0.0, 10.0), (2.5, 5.0, 20.0)]
    for at, num, den in counts:
        window.add(np.array([at]), np.array([num]), np.array([den]), ALL)
    weight = [np.exp(-(2.5 - at) / 5.0) for at, _, _ in counts]
    num = sum(w * c[1] for w, c in zip(weight, counts, strict=True))
    den = sum(w * c[2] for w, c in zip(weight, counts, strict=True))
    assert window.ratio(1.0)[0] == pytest.approx(num / den)
    assert np.isnan(window.ratio(den + 1.0)[0])


def test_a_window_takes_only_what_was_told():
    window = Window(3, 5.0)
    ones = np.ones(3)
    window.add(ones, ones, ones, np.array([True, False, True]))
    window.add(2 * ones, np.array([np.nan, 1.0, 1.0]), ones, np.array([True, False, True]))
    assert window.sums[:, 1].tolist() == [0.0, 0.0]
    assert window.sums[0, 0] == 1.0
    assert window.sums[0, 2] > 1.0
    window.forget(np.array([True, False, False]))
    assert window.sums[:, 0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_window_needs_seconds(seconds):
    with pytest.raises(InputError, match="window_s"):
        Window(1, seconds)


def test_what_is_usual_is_learnt_first_and_stands_still_during_an_alarm():
    usual = Usual(1, warm_s=10.0, memory_s=20.0)
    for second in range(10):
        usual.learn(float(second), np.array([4.0 + second % 2]), ALL)
        assert not usual.known[0]
    usual.learn(10.0, np.array([4.0]), ALL)
    assert usual.known[0]
    level = usual.level[0]
    assert level == pytest.approx(4.5, abs=0.3)
    for second in range(11, 100):
        usual.learn(float(second), np.array([100.0]), ~ALL)
    assert usual.level[0] == level
    for second in range(100, 300):
        usual.learn(float(second), np.array([9.0]), ALL)
    assert usual.level[0] == pytest.approx(9.0, abs=0.01)


def test_what_is_not_told_teaches_nothing():
    usual = Usual(2, warm_s=1.0, memory_s=5.0)
    for second in range(5):
        usual.learn(float(second), np.array([1.0, np.nan]), np.array([True, True]))
    assert usual.known.tolist() == [True, False]
    assert np.isnan(usual.level[1])


def test_an_alarm_is_held_until_it_was_quiet_for_long_enough():
    states = States(1, hold_s=2.0)
    assert states.state.tolist() == [MISSING]
    seen = []
    for second, over in enumerate([False, True, False, False, True, False, False, False, False]):
        seen.append(int(states.judge(float(second), np.array([over]), ALL)[0]))
    assert seen == [SILENT, ALARM, ALARM, ALARM, ALARM, ALARM, ALARM, SILENT, SILENT]
    assert states.judge(9.0, ALL, ~ALL).tolist() == [MISSING]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40), st.floats(0.0, 5.0))
def test_states_are_missing_exactly_where_nothing_is_told(told, hold_s):
    states = States(1, hold_s)
    for second, (over, there) in enumerate(told):
        state = states.judge(float(second), np.array([over]), np.array([there]))[0]
        assert (state == MISSING) == (not there)
        if there and over:
            assert state == ALARM


def test_the_least_of_a_window_forgets_what_is_old():
    least = Least(2, 3.0)
    for now, values in enumerate([[1.0, np.nan], [5.0, np.nan], [4.0, 2.0], [6.0, np.nan]]):
        least.add(float(now), np.array(values))
    assert least.value().tolist() == [4.0, 2.0]
    least.forget(np.array([False, True]))
    assert least.value()[0] == 4.0
    assert np.isnan(least.value()[1])


def test_nothing_was_told_is_no_least():
    assert np.isnan(Least(1, 3.0).value()[0])
