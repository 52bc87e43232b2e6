"""The judgement at the door, without a door: listed, in time, not banned, not too often; and bans that grow."""

from __future__ import annotations

import pytest

from tiertwin.wire.access import Access, Grant
from tiertwin.wire.admission import FIRST_BAN_NS, LONGEST_BAN_NS, MINUTE_NS, SECOND_NS, Admission

KEY = "k" * 40


@pytest.fixture
def door() -> Admission:
    made = Admission(Access([Grant(KEY, "edge-a", "edge", ("fog-1",), not_after_s=100)]), handshakes_a_minute=5)
    made.now_s = 50.0
    return made


def test_the_listed_key_comes_in_and_no_other(door: Admission) -> None:
    found = door.knock(KEY, "127.0.0.1")
    assert found is not None
    assert found.node == "edge-a"
    assert door.knock("s" * 40, "127.0.0.1") is None
    assert door.refused == {"R29 unknown key": 1}
    assert door.latest[-1].who == "key ssssssss…"


def test_at_its_last_second_a_key_ends(door: Admission) -> None:
    door.now_s = 99.9
    assert door.knock(KEY, "") is not None
    assert door.valid(KEY) is not None
    door.now_s = 100.0
    assert door.knock(KEY, "") is None
    assert door.valid(KEY) is None
    assert door.refused == {"R29 expired key": 1}


def test_handshakes_are_counted_in_a_sliding_minute(door: Admission) -> None:
    for second in range(5):
        door.now_ns = second * SECOND_NS
        assert door.knock(KEY, "") is not None
    assert door.knock(KEY, "") is None
    door.now_ns = MINUTE_NS - 1
    assert door.knock(KEY, "") is None
    door.now_ns = MINUTE_NS  # the first is a minute ago
    assert door.knock(KEY, "") is not None
    assert door.knock(KEY, "") is None
    assert door.refused == {"R29 too many handshakes": 3}


def test_a_key_for_every_node_may_knock_so_often_at_each_door() -> None:
    made = Admission(Access([Grant(KEY, "observer", "observer", ("*",), not_after_s=100)]), handshakes_a_minute=5)
    made.doors = 3
    assert [made.knock(KEY, "") is not None for _ in range(16)] == [True] * 15 + [False]


def test_the_third_bad_frame_in_a_minute_bans_ever_longer(door: Admission) -> None:
    lengths = []
    for _ in range(9):
        assert [door.bad_frame(KEY) for _ in range(3)] == [False, False, True]
        began = door.now_ns
        assert door.knock(KEY, "") is None
        while door.is_banned(KEY):
            door.now_ns += SECOND_NS
        lengths.append(door.now_ns - began)
        assert door.knock(KEY, "") is not None
        door.now_ns += MINUTE_NS
    assert lengths == [min(FIRST_BAN_NS << k, LONGEST_BAN_NS) for k in range(9)]


def test_two_bad_frames_a_minute_are_borne(door: Admission) -> None:
    for _ in range(10):
        assert not door.bad_frame(KEY)
        assert not door.bad_frame(KEY)
        door.now_ns += MINUTE_NS


def test_another_table_takes_effect_at_once_and_forgets_who_left(door: Admission) -> None:
    door.ban(KEY, 10 * MINUTE_NS)
    door.swap(door.access)
    assert door.is_banned(KEY)
    door.swap(Access())
    assert door.valid(KEY) is None
    assert not door.is_banned(KEY)


def test_memory_is_bounded_by_the_table(door: Admission) -> None:
    for k in range(10_000):
        door.knock(f"{k:040d}", "198.51.100.1")
    assert len(door.latest) == 32
    assert door._records == {}
    assert door.refused == {"R29 unknown key": 10_000}


def test_a_proof_key_is_refused_and_seen(door: Admission) -> None:
    door.proofs["p" * 40] = False
    assert door.knock("p" * 40, "") is None
    assert door.proofs == {"p" * 40: True}
    assert door.refused == {}
