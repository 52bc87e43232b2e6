"""Users of groups and their rates, as telemetry tells them."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.functions.crowd import EMPTY, RATE_GAIN, WITHIN, Crowd


def made() -> Crowd:
    return Crowd(np.array([5.0, 0.0, 2.0]), np.array([60.0, 40.0, 25.0]))


def test_begins_as_planned_and_never_with_nobody() -> None:
    crowd = made()
    assert crowd.users.tolist() == [5.0, EMPTY, 2.0]
    assert crowd.radio_mbps.tolist() == [60.0, 40.0, 25.0]


def test_follows_who_reported_and_keeps_the_others() -> None:
    crowd = made()
    crowd.update(np.array([7.0, 3.0, 0.0]), np.array([60.0, np.nan, 20.0]), np.array([True, False, True]))
    assert crowd.users.tolist() == [7.0, EMPTY, EMPTY]
    assert crowd.radio_mbps[1] == 40.0
    assert 1.0 / crowd.radio_mbps[2] == pytest.approx(1 / 25 + RATE_GAIN * (1 / 20 - 1 / 25))


def test_users_are_those_lately_there() -> None:
    crowd = made()
    everybody, rates = np.ones(3, dtype=bool), np.full(3, np.nan)
    for reported in (10.0, 20.0):
        crowd.update(np.full(3, reported), rates, everybody)
    assert crowd.users.tolist() == [15.0, 15.0, 15.0]  # the mean of few
    for _ in range(100):
        crowd.update(np.full(3, 4.0), rates, everybody)
    assert crowd.users == pytest.approx(4.0, abs=1e-3)
    crowd.update(np.full(3, 14.0), rates, everybody)
    assert crowd.users == pytest.approx(5.0, abs=1e-3)  # a tenth of the way


def test_nothing_reported_changes_nothing() -> None:
    crowd = made()
    crowd.update(np.full(3, np.nan), np.full(3, np.nan), np.array([True, True, False]))
    assert crowd.users.tolist() == [5.0, EMPTY, 2.0]
    assert crowd.radio_mbps.tolist() == [60.0, 40.0, 25.0]


def test_one_wild_rate_moves_it_by_no_more_than_the_bound() -> None:
    crowd = made()
    for wild in (0.0, -3.0, 1e-9, 1e9):
        crowd = made()
        crowd.update(np.ones(3), np.array([wild, 40.0, 25.0]), np.ones(3, dtype=bool))
        slow = 1 / 60 + RATE_GAIN * ((1 / 60) * (WITHIN if wild < 1 else 1 / WITHIN) - 1 / 60)
        assert 1.0 / crowd.radio_mbps[0] == pytest.approx(slow)


def test_a_site_is_as_even_as_its_cells_were_loaded() -> None:
    crowd = made()
    assert crowd.evenness == 1.0
    for _ in range(200):
        crowd.weigh(0.2, 0.5)
    assert crowd.evenness == pytest.approx(0.4, rel=1e-6)
    for mean, peak in ((np.nan, 0.5), (0.5, np.nan), (0.6, 0.5), (-0.1, 0.2), (0.1, np.inf)):
        before = crowd.evenness
        crowd.weigh(mean, peak)
        assert crowd.evenness == before
    for _ in range(200):
        crowd.weigh(0.0, 0.0)
    assert 0.0 < crowd.evenness <= 1.0  # nothing sent teaches nothing


def test_a_quiet_hour_weighs_little() -> None:
    crowd = made()
    for _ in range(50):
        crowd.weigh(0.4, 0.8)
    for _ in range(3):
        crowd.weigh(0.001, 0.003)
    assert crowd.evenness == pytest.approx(0.5, rel=0.02)
