"""When a process is started again, and when no more: the policy alone, its clock in the test's hand."""

from __future__ import annotations

import itertools

import pytest

from tiertwin.runtime.supervisor import FIRST_PAUSE_S, LONGEST_PAUSE_S, RESTARTS, WITHIN_S, Supervisor


def supervisor(draw: float = 0.0) -> Supervisor:
    return Supervisor(["edges-1", "edges-2"], lambda: draw)


def restart(kept: Supervisor, now: float, name: str = "edges-1") -> tuple[float, float]:
    """Let a process end now and be started again; the pause, and when it was over."""
    pause = kept.ended(name, now)
    assert pause is not None
    assert kept.due(now + pause / 2) == []
    assert kept.due(now + pause) == [name]
    assert kept.due(now + 2 * pause) == []
    return pause, now + pause


def test_pauses_double_while_lives_are_short() -> None:
    kept, now, pauses = supervisor(), 100.0, []
    for _ in range(RESTARTS):
        pause, now = restart(kept, now)
        pauses.append(pause)
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6])


def test_no_pause_is_longer_than_the_longest() -> None:
    kept, now, pauses = supervisor(), 0.0, []
    for _ in range(40):
        pause, now = restart(kept, now)
        pauses.append(pause)
        now += WITHIN_S / 4  # short lives, but too few of them to give it up
    assert pauses[-1] == LONGEST_PAUSE_S
    assert pauses == sorted(pauses)
    assert kept.degraded == {}


def test_a_long_life_makes_the_pause_short_again() -> None:
    kept = supervisor()
    _, now = restart(kept, 0.0)
    second, now = restart(kept, now + 1.0)
    assert second == 2 * FIRST_PAUSE_S
    assert restart(kept, now + WITHIN_S)[0] == FIRST_PAUSE_S


def test_jitter_comes_after_the_cap() -> None:
    kept, now = supervisor(draw=0.5), 0.0
    for k in itertools.count():
        pause, now = restart(kept, now)
        now += WITHIN_S / 4
        if k == 0:
            assert pause == pytest.approx(1.25 * FIRST_PAUSE_S)
        if k == 10:
            assert pause == pytest.approx(1.25 * LONGEST_PAUSE_S)
            break


def test_the_sixth_end_within_a_minute_is_the_last() -> None:
    kept, now = supervisor(), 0.0
    for _ in range(RESTARTS):
        _, now = restart(kept, now)
    assert now < WITHIN_S
    assert kept.ended("edges-1", now) is None
    assert kept.degraded == {"edges-1": "it was started again 5 times within 60 s and ended each time"}
    assert kept.starting == {}
    assert kept.due(now + 1e6) == []


def test_restarts_of_more_than_a_minute_ago_do_not_count() -> None:
    kept, now = supervisor(), 0.0
    first = restart(kept, now)[1]
    now = first
    for _ in range(RESTARTS - 1):
        _, now = restart(kept, now)
    assert kept.ended("edges-1", first + WITHIN_S) is not None


def test_one_for_one() -> None:
    kept, now = supervisor(), 0.0
    for _ in range(RESTARTS):
        _, now = restart(kept, now)
    assert kept.ended("edges-1", now) is None
    assert kept.ended("edges-2", now) == FIRST_PAUSE_S
    assert kept.due(now + 1.0) == ["edges-2"]


def test_who_is_there_is_neither_starting_nor_late() -> None:
    kept = supervisor()
    _, now = restart(kept, 0.0)
    assert kept.overdue(now + 31.0, 30.0) == ["edges-1"]
    assert kept.overdue(now + 29.0, 30.0) == []
    assert kept.here("edges-1") == 1
    assert kept.overdue(now + 31.0, 30.0) == []


def test_who_is_given_up_waits_for_nothing() -> None:
    kept = supervisor()
    kept.ended("edges-1", 0.0)
    kept.give_up("edges-1", "its place is taken")
    assert kept.due(1e6) == []
    assert kept.degraded == {"edges-1": "its place is taken"}


def test_strangers_are_not_kept() -> None:
    assert "edges-1" in supervisor()
    assert "plant" not in supervisor()
