"""The border of watches and incidents: dtypes, shapes, values, clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.assure.alarms import AlarmRecord, ProbableCause, Severity, date_time
from tiertwin.functions.assure.incidents import Incidents
from tiertwin.functions.assure.streams import Mixes, Season, StreamOptions, Streams, judge_series
from tiertwin.functions.assure.watches import Changes, Shifts, Subspace

ONE = np.array([1], dtype=np.int64)


def watches() -> list[Any]:
    return [Shifts(3), Subspace(3), Changes(3)]


def test_another_dtype_or_order_is_a_type_error() -> None:
    for wrong in (np.zeros((2, 3), np.float32), np.zeros((2, 3), np.int64), np.zeros((3, 2)).T):
        with pytest.raises(TypeError, match="incompatible"):
            Streams(3).push(wrong, np.zeros(2))
        for watch in watches():
            with pytest.raises(TypeError, match="incompatible"):
                watch.push(wrong)
    log = Incidents(["a"])
    with pytest.raises(TypeError, match="incompatible"):
        log.push(ONE.astype(np.int32), ONE, ONE, ONE)


def test_shapes_are_named() -> None:
    for watch in watches():
        with pytest.raises(ValueError, match=r"values: expected shape \(rows, 3\), got \(3, 2\)"):
            watch.push(np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"times_s: expected one a row, 2, got 3"):
        Streams(3).push(np.zeros((2, 3)), np.zeros(3))
    with pytest.raises(InputError, match="expected one dimension"):
        judge_series(np.zeros((2, 3)), np.zeros(2))


def test_an_infinite_value_is_refused_and_nothing_taken() -> None:
    bad = np.zeros((2, 3))
    bad[1, 2] = -np.inf
    for watch in watches():
        with pytest.raises(ValueError, match="got -inf"):
            watch.push(bad)
    streams = Streams(3)
    with pytest.raises(ValueError, match="in row 1, attribute 2; nothing of this call was taken"):
        streams.push(bad, np.array([5.0, 6.0]))
    streams.push(np.zeros((1, 3)), np.array([1.0]))  # the clock was not moved either


@pytest.mark.parametrize("times", [[3.0, 2.0], [np.nan, 1.0], [1.0, np.inf]])
def test_a_clock_that_goes_backwards_is_refused(times: list[float]) -> None:
    streams = Streams(1)
    with pytest.raises(ValueError, match="do not go backwards.*sort the samples"):
        streams.push(np.zeros((2, 1)), np.array(times))
    streams.push(np.zeros((1, 1)), np.array([9.0]))
    streams.push(np.zeros((1, 1)), np.array([9.0]))  # standing still is allowed
    with pytest.raises(ValueError, match=r"got 8.0+ s in row 0 after 9.0+ s"):
        streams.push(np.zeros((1, 1)), np.array([8.0]))


def test_no_rows_are_no_news() -> None:
    assert [a.shape for a in Streams(2).push(np.zeros((0, 2)), np.zeros(0))] == [(0, 2)] * 2
    assert Shifts(2).push(np.zeros((0, 2))).shape == (0, 2)
    log = Incidents(["a"])
    log.push(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
    assert log.open() == log.take() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gains": (), "seasons": ()}, "at least one gain or profile"),
        ({"gains": (1.5,)}, "gains: expected"),
        ({"seasons": (Season(period_s=0.0),)}, "period_s: expected"),
        ({"seasons": (Season(slots=1),)}, "slots: expected"),
        ({"seasons": (Season(value=False, mean=False),)}, "got neither"),
        ({"quantile": 1.0}, "quantile: expected"),
        ({"heaviest": 0.5}, "heaviest: expected"),
        ({"mixes": Mixes(bins=4)}, "bins: expected an odd number, got 4"),
        ({"mixes": Mixes(warm=51)}, "warm: expected at least 52"),
        ({"mixes": Mixes(level=0.0)}, "level: expected"),
        ({"hold": -1}, "hold: expected"),
        ({"again": float("nan")}, "again: expected"),
        ({"recur_slots": 2}, "recur_slots: expected"),
    ],
)
def test_options_are_checked(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Streams(1, StreamOptions(**options))


def test_options_of_learners_are_checked() -> None:
    with pytest.raises(ValueError, match="clean: expected"):
        Shifts(1, clean=27)
    with pytest.raises(ValueError, match="factor: expected"):
        Shifts(1, factor=0.0)
    with pytest.raises(ValueError, match="attributes: expected"):
        Subspace(1)
    with pytest.raises(ValueError, match="lambda: expected"):
        Changes(1, expected=1.0)
    with pytest.raises(ValueError, match="most: expected"):
        Changes(1, most=6, delay=5)
    with pytest.raises(KeyError, match="attribute: expected 0 … 0"):
        Shifts(1).limit(1)
    assert np.isnan(Shifts(1).limit(0))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((5, 2, 0, 1), r"object: expected 0 … 1, got 2 in event 0"),
        ((5, -1, 0, 1), r"object: expected 0 … 1, got -1"),
        ((5, 0, 99, 1), r"cause: expected 0 … 7, got 99"),
        ((5, 0, 0, 6), r"severity: expected 0 … 5, got 6"),
        ((-5, 0, 0, 1), r"time: expected events in order of time, got -5"),
    ],
)
def test_bad_events_are_refused_whole(row: tuple[int, ...], message: str) -> None:
    log = Incidents(["a", "b"])
    with pytest.raises(ValueError, match=message):
        log.push(*(np.array([value], dtype=np.int64) for value in row))
    with pytest.raises(ValueError, match="after 7 ns; sort them"):
        log.push(np.array([7, 6]), np.array([0, 0]), np.array([0, 0]), np.array([1, 1]))
    with pytest.raises(ValueError, match="columns of one length"):
        log.push(ONE, ONE, ONE, np.array([1, 1]))
    assert log.totals()["events"] == 0


def test_names_are_checked() -> None:
    with pytest.raises(InputError, match="names that differ"):
        Incidents(["a", "a"])
    with pytest.raises(InputError, match="got 'x'"):
        Incidents(["a"], [("a", "x")])
    with pytest.raises(InputError, match="window_s"):
        Incidents(["a"], window_s=0.0)
    with pytest.raises(InputError, match="with its zone"):
        Incidents(["a"], epoch=datetime(2026, 1, 1))
    log = Incidents(["a"])
    with pytest.raises(InputError, match="object: expected one of the 1 objects"):
        log.tell(1.0, "b", "CONGESTION", Severity.MAJOR)
    with pytest.raises(InputError, match="cause: expected one of LINK_FAILURE"):
        log.tell(1.0, "a", "FLU", Severity.MAJOR)
    with pytest.raises(InputError, match="alarm_type: expected"):
        ProbableCause("X", "Y")
    for start, related in (([0], []), ([0, 2, 1], [0]), ([0, 1, 1], [5])):
        with pytest.raises(ValueError, match="expected a CSR of 2 rows"):
            _core.IncidentLog(
                2, 1, np.array(start, dtype=np.int64), np.array(related, dtype=np.int64), window_ns=1, keep=1
            )


def test_an_alarm_in_the_words_of_the_standard() -> None:
    epoch = datetime(2026, 3, 1, 12, tzinfo=UTC)
    log = Incidents(["link-1", "node-1"], [("link-1", "node-1")], window_s=60.0, epoch=epoch)
    log.tell(1.0, "link-1", "LINK_FAILURE", Severity.CRITICAL)
    log.tell(2.5, "node-1", "CONGESTION", Severity.MINOR)
    log.tell(3.0, "node-1", "CONGESTION", Severity.MAJOR)
    (incident,) = log.open()
    assert incident.severity is Severity.CRITICAL
    root, other = incident.alarms
    root.acknowledge("operator", 4 * 10**9, epoch)
    root.acknowledge("somebody else", 5 * 10**9, epoch)
    assert root.to_dict() == {
        "alarmId": "0",
        "objectInstance": "link-1",
        "notificationId": 0,
        "alarmType": "COMMUNICATIONS_ALARM",
        "probableCause": "LINK_FAILURE",
        "perceivedSeverity": "CRITICAL",
        "alarmRaisedTime": "2026-03-01T12:00:01.000000Z",
        "correlatedNotifications": [{"sourceObjectInstance": "node-1", "notificationIds": [1]}],
        "rootCauseIndicator": True,
        "additionalInformation": {"events": 1, "incident": 0, "worstSeverity": "CRITICAL"},
        "ackState": "ACKNOWLEDGED",
        "ackTime": "2026-03-01T12:00:04.000000Z",
        "ackUserId": "operator",
    }
    assert other.alarm_changed_time == date_time(3 * 10**9, epoch)
    assert other.correlated_notifications == [{"sourceObjectInstance": "link-1", "notificationIds": [0]}]
    assert '"perceivedSeverity": "MAJOR"' in other.to_json()
    with pytest.raises(InputError, match="user: expected a name"):
        other.acknowledge("", 0, epoch)


def test_an_incident_closes_when_cleared_and_quiet_and_comes_once() -> None:
    log = Incidents(["a", "b"], [("a", "b")], window_s=10.0)
    log.tell(0.0, "a", "CONGESTION", Severity.MAJOR)
    log.tell(1.0, "b", "CONGESTION", Severity.MINOR)
    log.tell(2.0, "a", "CONGESTION", Severity.CLEARED)
    log.advance(100.0)
    assert len(log.open()) == 1
    assert not log.take()
    log.tell(101.0, "b", "CONGESTION", Severity.CLEARED)
    log.tell(101.0, "b", "CONGESTION", Severity.CLEARED)
    log.advance(112.0)
    (closed,) = log.take()
    assert [a.perceived_severity for a in closed.alarms] == [Severity.CLEARED] * 2
    assert closed.alarms[0].additional_information["worstSeverity"] == "MAJOR"
    assert log.take() == log.open() == []
    assert log.totals()["strays"] == 1
    with pytest.raises(ValueError, match="now: expected at least"):
        log.advance(1.0)
    assert isinstance(closed.root, AlarmRecord)


def test_closed_incidents_that_nobody_takes_fall_out() -> None:
    log = Incidents(["a"], window_s=1.0, keep=3)
    for k in range(10):
        log.tell(10.0 * k, "a", "CONGESTION", Severity.MAJOR)
        log.tell(10.0 * k + 1, "a", "CONGESTION", Severity.CLEARED)
    log.advance(1000.0)
    assert log.totals()["dropped"] == 7
    assert [incident.number for incident in log.take()] == [7, 8, 9]
