"""The age of what a twin knows: told as a duration and counted on by the own clock, whatever the clocks say."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.twin.ages import OLDEST_SAMPLE, UNKNOWN_AGE_MS, TableAges
from tiertwin.twin.attributes import SUMMARY, TELEMETRY, A, TableId, registry

MS = 1_000_000
ROWS = np.arange(3, dtype=np.uint32)
REGISTRY = registry()


def summary() -> _core.StateTable:
    return _core.StateTable(REGISTRY, TableId.SUMMARY, [int(a) for a in SUMMARY], 4)


def samples() -> _core.StateTable:
    return _core.StateTable(REGISTRY, TableId.TELEMETRY, [int(a) for a in TELEMETRY], 4)


@pytest.mark.parametrize("child_clock", [0, 5_000_000 * MS, -3 * 10**15])
def test_an_age_is_what_the_child_told_and_the_time_since_whatever_its_clock_says(child_clock: int) -> None:
    table, ages = summary(), None
    ages = TableAges(table)
    assert np.isnan(ages.of_rows(0)).all()
    table.set(A.OLDEST, ROWS, np.array([10.0, 20.0, 30.0]), child_clock)
    assert ages.note(1_000 * MS)
    assert ages.of_rows(1_000 * MS)[:3].tolist() == [10, 20, 30]
    assert np.isnan(ages.of_rows(1_000 * MS)[3])  # never told
    assert ages.of_rows(1_040 * MS)[:3].tolist() == [50, 60, 70]


def test_a_row_that_is_not_told_again_goes_on_ageing() -> None:
    table = summary()
    ages = TableAges(table)
    table.set(A.OLDEST, ROWS, np.array([10.0, 20.0, 30.0]), 7_000 * MS)
    ages.note(100 * MS)
    table.set(A.OLDEST, ROWS[:1], np.array([5.0]), 7_050 * MS)
    ages.note(152 * MS)  # 2 ms longer under way: counted to nobody's credit
    assert ages.of_rows(152 * MS)[:3].tolist() == [5, 70, 80]


def test_records_that_tell_no_newer_age_renew_nothing() -> None:
    table = summary()
    ages = TableAges(table)
    table.set(A.OLDEST, ROWS, np.array([10.0, 20.0, 30.0]), 7_000 * MS)
    ages.note(100 * MS)
    table.set(A.DEMAND, ROWS, np.array([1.0, 2.0, 3.0]), 9_000 * MS)
    assert not ages.note(2_000 * MS)
    assert ages.of_rows(2_000 * MS)[:3].tolist() == [1910, 1920, 1930]


def test_samples_too_old_to_be_used_are_no_inputs() -> None:
    table = samples()
    ages = TableAges(table)
    assert np.isnan(ages.in_use(0))
    now = 10 * OLDEST_SAMPLE
    times = np.array([now - OLDEST_SAMPLE - MS, now - 900 * MS, now + 40 * MS])  # the last one's clock is ahead
    table.set(A.TASK_RATE, ROWS, np.ones(3), times)
    assert ages.in_use(now) == 900
    assert ages.of_rows(now)[0] == OLDEST_SAMPLE / MS + 1


def test_a_peer_tells_no_age_before_its_first_heartbeat() -> None:
    peer = _core.Peer(REGISTRY, is_child=True, incarnation=1, stream_id=1)
    assert peer.peer_age(10**12) == UNKNOWN_AGE_MS
