"""Handover: many users in the core against one user at a time, and what the rules must mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.handover import ATTACH, FAILURE, HANDOVER, User
from tiertwin import _core

OKAY = np.array([20.0])


def sample(*levels: float) -> tuple[np.ndarray, np.ndarray]:
    """Cells 0, 1, … of one user with their levels; NaN: not measured."""
    heard = ~np.isnan(levels)
    return np.where(heard, np.arange(len(levels)), -1).astype(np.int32)[None], np.where(heard, levels, 0.0)[None]


def moves(found: dict[str, np.ndarray]) -> list[tuple[int, int, int, bool]]:
    return [tuple(row) for row in zip(*(found[k].tolist() for k in ("move", "from", "to", "ping_pong")), strict=True)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    hysteresis=st.sampled_from([0.0, 1.0, 3.0]),
    offset=st.sampled_from([-1.0, 0.0, 2.0]),
    trigger=st.sampled_from([0.0, 100.0, 256.0, 640.0]),
    k=st.sampled_from([0.0, 4.0, 8.0]),
)
def test_many_users_at_once_move_as_each_alone(
    seed: int, hysteresis: float, offset: float, trigger: float, k: float
) -> None:
    rng = np.random.default_rng(seed)
    users, slots, cells = 7, 4, 6
    rules = {"hysteresis_db": hysteresis, "offset_db": offset, "trigger_ms": trigger, "filter_k": k}
    tracker = _core.HandoverTracker(users, slots, **rules)
    alone = [User(hysteresis=hysteresis, offset=offset, trigger=trigger, k=k) for _ in range(users)]
    level, time = rng.uniform(-100, -80, (users, cells)), 0.0
    for _ in range(60):
        level += rng.normal(0, 2.5, level.shape)
        time += float(rng.choice([40.0, 100.0, 200.0]))
        ids = np.stack([rng.permutation(cells)[:slots] for _ in range(users)]).astype(np.int32)
        ids[rng.random(ids.shape) < 0.15] = -1
        sinr = rng.choice([15.0, 0.0, -7.0, -12.0, np.nan], users, p=[0.3, 0.2, 0.1, 0.35, 0.05])
        heard = np.take_along_axis(level, np.maximum(ids, 0), 1)
        found = tracker.step(time, ids, heard, sinr)
        wanted = []
        for user, one in enumerate(alone):
            seen = {int(c): float(x) for c, x in zip(ids[user], heard[user], strict=True) if c >= 0}
            moved = one.step(time, seen, float(sinr[user]))
            if moved is not None:
                wanted.append((user, *moved))
        assert [(int(u), *row) for u, row in zip(found["user"], moves(found), strict=True)] == wanted
        assert tracker.serving().tolist() == [one.serving for one in alone]


def run(levels: list[tuple[float, ...]], step_ms: float = 100.0, sinr: float = 20.0, **rules: float) -> list[Any]:
    """Levels of one user's cells, a sample each 100 ms: (time, move, from, to, ping_pong)."""
    tracker = _core.HandoverTracker(1, len(levels[0]), filter_k=0.0, **rules)
    told = []
    for i, row in enumerate(levels):
        told += [(i * step_ms, *m) for m in moves(tracker.step(i * step_ms, *sample(*row), np.array([sinr])))]
    return told


def test_a_cell_must_be_better_during_the_whole_time_to_trigger() -> None:
    better, equal = (-90.0, -80.0), (-90.0, -88.0)
    assert run([better] * 1 + [(-70.0, -80.0)]) == [(0.0, ATTACH, -1, 1, False)]  # alone it takes the strongest
    start = [(-80.0, -90.0)]
    assert run(start + [better] * 3 + [equal] + [better] * 3) == [(0.0, ATTACH, -1, 0, False)]
    assert run(start + [better] * 4)[1:] == [(400.0, HANDOVER, 0, 1, False)]  # at 100, 200, 300 and 400: 256 ms


def test_back_within_a_second_is_a_ping_pong_and_later_is_none() -> None:
    left, right = (-80.0, -90.0), (-90.0, -80.0)
    quick = run([left] + [right] * 4 + [left] * 4)
    assert [row[1:] for row in quick[1:]] == [(HANDOVER, 0, 1, False), (HANDOVER, 1, 0, True)]
    slow = run([left] + [right] * 14 + [left] * 4)
    assert [row[1:] for row in slow[1:]] == [(HANDOVER, 0, 1, False), (HANDOVER, 1, 0, False)]


def test_a_link_fails_after_t310_unless_it_was_good_again() -> None:
    tracker = _core.HandoverTracker(1, 2, filter_k=0.0)
    cells = sample(-80.0, -81.0)
    told = []
    for i, sinr in enumerate([20.0, *[-9.0] * 5, -5.0, *[-9.0] * 5, *[-7.0] * 6]):  # -7: neither bad nor good
        told += [(i, *m) for m in moves(tracker.step(100.0 * i, *cells, np.array([sinr])))]
    assert told == [(0, ATTACH, -1, 0, False), (17, FAILURE, 0, 0, False)]  # bad since 7


def test_a_serving_cell_that_is_gone_fails_too() -> None:
    told = run([(-80.0, -90.0)] + [(np.nan, -90.0)] * 12)
    assert told == [(0.0, ATTACH, -1, 0, False), (1100.0, FAILURE, 0, 1, False)]
    nobody = run([(-80.0, -90.0)] + [(np.nan, np.nan)] * 12)
    assert nobody[1:] == [(1100.0, FAILURE, 0, -1, False)]


def test_the_filter_has_the_same_time_constant_at_every_spacing() -> None:
    """A step of 10 dB passes a hysteresis of 5 dB after as long, whether sampled each 20, 40 or 200 ms."""
    at = {}
    for spacing in (20.0, 40.0, 200.0):
        tracker = _core.HandoverTracker(1, 2, hysteresis_db=5.0, trigger_ms=0.0, filter_k=8.0)
        time = 0.0
        tracker.step(time, *sample(-80.0, -90.0), OKAY)
        while tracker.serving()[0] == 0:
            time += spacing
            tracker.step(time, *sample(-80.0, -70.0), OKAY)
        at[spacing] = time
    a = 2**-2
    exact = 200 * np.log(1 - 15 / 20) / np.log(1 - a)
    for spacing, time in at.items():
        assert exact < time <= exact + spacing


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"time_ms": 0.0}, "later than"),
        ({"time_ms": np.nan}, "later than"),
        ({"cells": np.array([[3, 3]], np.int32)}, "cell 3 is given twice"),
        ({"cells": np.array([[3, -2]], np.int32)}, "0 or more, or -1"),
        ({"rsrp_dbm": np.array([[-80.0, np.nan]])}, "finite level"),
        ({"sinr_db": np.array([np.inf])}, "finite SINRs"),
        ({"sinr_db": np.zeros(2)}, "expected 2 cells and levels and 1 SINRs"),
    ],
)
def test_a_sample_that_cannot_be_changes_nothing(change: dict[str, Any], said: str) -> None:
    tracker = _core.HandoverTracker(1, 2)
    good = {"cells": sample(-80.0, -90.0)[0], "rsrp_dbm": sample(-80.0, -90.0)[1], "sinr_db": OKAY}
    tracker.step(time_ms=0.0, **good)
    with pytest.raises(ValueError, match=said):
        tracker.step(**{"time_ms": 100.0, **good, **change})
    assert tracker.time_ms == 0.0
    assert tracker.serving().tolist() == [0]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"hysteresis_db": 16.0}, "0 to 15 dB"),
        ({"trigger_ms": -1.0}, "0 to 5120 ms"),
        ({"out_db": -5.0}, "Qout not above Qin"),
        ({"filter_k": np.nan}, "0 to 19"),
        ({"users": 0}, "users"),
        ({"slots": 65}, "1 to 64 slots"),
    ],
)
def test_rules_outside_the_standard_are_refused(rules: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        _core.HandoverTracker(**{"users": 1, "slots": 2, **rules})
