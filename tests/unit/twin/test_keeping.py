"""Which numbers of children the root is known to have, by the numbers of our own that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from tiertwin.twin.keeping import MARKS, RootMarks


@dataclass
class Peer:
    peer_stream_id: int
    cursor: int


@dataclass
class Child:
    name: str
    peer: Peer


def children(**cursors: int) -> list[Any]:
    return [Child(name, Peer(7, cursor)) for name, cursor in cursors.items()]


def noted(marks: RootMarks, last: int, **cursors: int) -> None:
    marks.note(last, cast("Any", children(**cursors)))


def test_nothing_is_known_before_the_root_has_something() -> None:
    marks = RootMarks()
    assert marks.reached(0) == {}
    noted(marks, 5, a=10)
    assert marks.reached(4) == {}
    assert marks.reached(5) == {"a": (7, 10)}


def test_the_newest_report_that_the_root_has_counts() -> None:
    marks = RootMarks()
    for last in range(1, 10):
        noted(marks, 10 * last, a=last, b=2 * last)
    assert marks.reached(34) == {"a": (7, 3), "b": (7, 6)}
    assert marks.reached(34) == {"a": (7, 3), "b": (7, 6)}
    assert marks.reached(1000) == {"a": (7, 9), "b": (7, 18)}


def test_records_that_change_nothing_above_are_there_with_the_number_before() -> None:
    marks = RootMarks()
    noted(marks, 5, a=10)
    noted(marks, 5, a=12)
    assert marks.reached(5) == {"a": (7, 12)}


def test_a_root_that_is_far_behind_costs_no_memory_and_is_never_said_to_be_ahead() -> None:
    marks = RootMarks()
    for last in range(1, 4 * MARKS):
        noted(marks, last, a=last)
    assert len(marks._marks) <= MARKS + 1
    for number in (1, 100, 3 * MARKS):
        found = marks.reached(number)
        assert not found or found["a"][1] <= number
