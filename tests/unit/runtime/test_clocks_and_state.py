"""Epochs of the real clock, and what a node keeps on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiertwin.errors import InputError, OutputError
from tiertwin.runtime.clock import SECOND, EpochClock, RealClock
from tiertwin.runtime.nodestate import StateFile


def test_epochs_begin_on_time_and_once() -> None:
    clock = EpochClock(10 * SECOND, 1.0)
    assert clock.begun(10 * SECOND - 1) is None
    assert clock.begun(10 * SECOND) == 0
    assert clock.begun(10 * SECOND) is None
    assert clock.next_ns() == 11 * SECOND
    assert clock.begun(15 * SECOND + 5) == 5, "those slept through are left out"


def test_a_parent_ahead_is_followed_at_once_and_one_behind_never() -> None:
    clock = EpochClock(0, 1.0)
    assert clock.begun(2 * SECOND) == 2
    clock.follow(1, 2 * SECOND + 1)
    assert clock.next_ns() == 3 * SECOND
    clock.follow(7, 2 * SECOND + 1)
    assert clock.begun(2 * SECOND + 1) == 7
    assert clock.next_ns() == 3 * SECOND + 1


def test_epoch_zero_is_not_begun_early_by_a_parent_that_says_zero() -> None:
    """Found in a run: heartbeats say epoch 0 before it begins, and everybody began with the first session."""
    clock = EpochClock(5 * SECOND, 1.0)
    clock.follow(0, SECOND)
    assert clock.begun(SECOND) is None
    assert clock.next_ns() == 5 * SECOND


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(1, 3 * SECOND)), max_size=40))
def test_epochs_never_go_back(steps: list[tuple[bool, int, int]]) -> None:
    clock, now, last = EpochClock(SECOND, 1.0), 0, -1
    for follows, epoch, elapsed in steps:
        now += elapsed
        if follows:
            clock.follow(epoch, now)
        begun = clock.begun(now)
        assert begun is None or begun > last
        last = last if begun is None else begun
        assert clock.next_ns() > now


def test_the_real_clock_counts_on() -> None:
    clock = RealClock()
    readings = [clock.now() for _ in range(100)]
    assert readings == sorted(readings)


def test_every_life_has_a_higher_incarnation_and_terms_stay(tmp_path: Path) -> None:
    first = StateFile(tmp_path / "state", "fog-1")
    assert first.state.incarnation == 1
    first.raise_term("cloud-1", 3)
    first.raise_term("cloud-1", 2)
    first.note_epoch(9)
    first.close()
    second = StateFile(tmp_path / "state", "fog-1")
    assert (second.state.incarnation, second.state.terms, second.state.epoch) == (2, {"cloud-1": 3}, 9)
    assert [p.name for p in (tmp_path / "state").iterdir()] == ["fog-1.state"]


def test_a_term_is_on_disk_before_the_call_returns(tmp_path: Path) -> None:
    file = StateFile(tmp_path, "edge-a")
    file.raise_term("fog-1", 7)
    assert json.loads((tmp_path / "edge-a.state").read_text())["terms"] == {"fog-1": 7}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format":"other","node":"edge-a","incarnation":1}',
        b'{"format":"tiertwin-node-1","node":"edge-a","incarnation":-1}',
        b'{"format":"tiertwin-node-1","node":"edge-a","incarnation":1,"more":0}',
        b'{"format":"tiertwin-node-1","node":"edge-b","incarnation":1}',
    ],
)
def test_what_is_no_state_of_this_node_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "edge-a.state").write_bytes(content)
    with pytest.raises(InputError, match=r"edge-a\.state"):
        StateFile(tmp_path, "edge-a")
    assert (tmp_path / "edge-a.state").read_bytes() == content, "nothing is overwritten"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((OutputError, InputError), match="file"):
        StateFile(tmp_path / "file", "edge-a")
