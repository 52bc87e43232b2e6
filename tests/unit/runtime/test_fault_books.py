"""Figures of a run's alarms against the faults that were injected."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tiertwin.runtime.faultbooks import DAY_S, SETTLE_S, FaultBooks


def epoch(books: FaultBooks, start: float, faults: list[tuple[float, float]] | None, *raised: bool) -> dict[str, float]:
    spans = None if faults is None else np.array(faults, dtype=float).reshape(-1, 2)
    kpis: Any = SimpleNamespace(to_ns=int((start + 1.0) * 1e9), faults=spans)
    return books.add(kpis, [{"what": "alarm", "raised": up} for up in raised], start)


def test_without_faults_in_the_plant_there_are_no_figures():
    books = FaultBooks()
    assert epoch(books, 0.0, None) == {}
    assert books.summary() == {}


def test_a_delay_runs_from_the_fault_to_the_first_alarm_while_it_lasts():
    books = FaultBooks()
    fault = (10.25, 20.0)
    for second in range(30):
        now = [fault] if second + 1 > fault[0] and second < fault[1] else []
        epoch(books, float(second), now, *([True] if second in (12, 15) else []), *([False] if second == 21 else []))
    found = books.summary()
    assert found["faults"] == found["faults_detected"] == 1
    assert found["detection_delay_s"] == pytest.approx(1.75)
    assert found["alarms"] == 2
    assert found["false_alarms_per_day"] == 0.0


def test_alarms_long_after_a_fault_are_false_ones():
    books = FaultBooks()
    for second in range(100):
        epoch(
            books,
            float(second),
            [(10.0, 20.0)] if 10 <= second < 20 else [],
            *([True] if second in (5, 40, 60) else []),
        )
    found = books.summary()
    assert found["detection_delay_s"] is None
    assert found["faults_detected"] == 0
    quiet_s = 100.0 - 10.0 - SETTLE_S
    assert found["false_alarms_per_day"] == pytest.approx(2 * DAY_S / quiet_s)


def test_faults_that_overlap_take_their_time_once_and_one_without_end_all():
    books = FaultBooks()
    for second in range(100):
        epoch(books, float(second), [(0.0, 10.0), (5.0, 15.0)])
    assert books._quiet() == (100.0 - 15.0 - SETTLE_S, 0)
    epoch(books, 100.0, [(0.0, math.inf)])
    assert books.summary()["false_alarms_per_day"] is None


def test_faults_that_last_are_counted_by_epoch():
    books = FaultBooks()
    assert epoch(books, 4.0, [(3.0, 6.0), (4.5, 5.0)], True, False)["faults"] == 1.0
    assert epoch(books, 5.0, [(3.0, 6.0)], True, True) == {"faults": 1.0, "alarms": 2.0, "incidents": 0.0}
