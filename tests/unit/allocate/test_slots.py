"""Slots of cuts and points: what is not finite empties one, and many at once do what one at a time would."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.allocate.slots import SlotTable


def filled(pinned: int = -1) -> SlotTable:
    table = SlotTable(6, 2, smaller_is_better=pinned < 0, pinned=pinned)
    for k in range(4):
        table.place(float(k), np.array([float(k), 2.0 * k]), 0.1 * k, 10.0 * k)
    return table


@pytest.mark.parametrize("level", [np.nan, np.inf, -np.inf])
def test_non_finite_cuts_empty_a_slot(level: float) -> None:
    table = filled()
    table.put(2, level, np.ones(2))
    assert table.taken.tolist() == [0, 1, 3]
    table.put(1, 1.0, np.array([np.nan, 0.0]))
    assert table.taken.tolist() == [0, 3]
    table.renew(np.array([0, 3]), np.array([5.0, level]), np.zeros(2))
    assert table.taken.tolist() == [0]
    assert table.level[0] == 5.0


def test_an_empty_slot_is_filled_before_any_other_is_dropped() -> None:
    table = filled()
    table.put(2, np.nan, np.ones(2))
    assert table.place(7.0, np.array([9.0, 9.0])) == (2, True)


def test_a_pinned_slot_keeps_what_it_had() -> None:
    table = filled(pinned=0)
    table.put(0, np.nan, np.zeros(2))
    assert 0 in table.taken
    assert table.level[0] == 0.0
    table.put_all(np.array([0, 1]), np.array([np.nan, np.nan]), np.zeros((2, 2)), np.zeros(2))
    assert table.taken.tolist() == [0, 2, 3]


def test_what_is_not_finite_is_no_news() -> None:
    assert filled().place(np.inf, np.ones(2)) == (-1, False)


def test_many_at_once_are_as_one_at_a_time() -> None:
    one, many = filled(), filled()
    slots, level, slope = np.array([5, 1, 2]), np.array([4.0, np.nan, 6.0]), np.arange(6.0).reshape(3, 2)
    spare, scale = np.array([0.1, 0.2, 0.3]), np.array([1.0, 2.0, 3.0])
    for k, slot in enumerate(slots):
        one.put(int(slot), level[k], slope[k], spare[k], scale[k])
    many.put_all(slots, level, slope, spare, scale)
    assert many.taken.tolist() == one.taken.tolist() == [0, 2, 3, 5]
    for name in ("level", "slope", "spare", "scale"):
        assert np.array_equal(getattr(many, name)[many.taken], getattr(one, name)[one.taken])


def test_renewing_changes_neither_slope_nor_age() -> None:
    table = filled()
    table.place(4.0, np.array([7.0, 7.0]))
    table.place(5.0, np.array([8.0, 8.0]))
    table.note_used(0b111011)  # slot 2 has been idle for a query
    table.renew(table.taken, table.level + 1, table.spare, table.scale)
    assert table.slope[2].tolist() == [2.0, 4.0]
    assert table.place(0.0, np.array([9.0, 9.0])) == (2, True)


def test_a_refill_keeps_the_pinned_slot_and_one_of_equal_slopes() -> None:
    table = filled(pinned=0)
    slope = np.array([[0.0, 0.0], [3.0, 1.0], [3.0, 1.0], [5.0, 5.0], [6.0, np.nan], [7.0, 7.0]])
    level = np.arange(6.0)
    slots = table.refill(level, slope, np.zeros(6), np.ones(6))
    assert slots.tolist() == [-1, 1, -1, 2, -1, 3]
    assert table.taken.tolist() == [0, 1, 2, 3]
    assert table.slope[table.taken].tolist() == [[0.0, 0.0], [3.0, 1.0], [5.0, 5.0], [7.0, 7.0]]


def test_a_refill_takes_what_there_is_room_for() -> None:
    table = filled(pinned=0)
    slots = table.refill(np.zeros(9), np.arange(1.0, 19.0).reshape(9, 2), np.zeros(9), np.zeros(9))
    assert slots.tolist() == [1, 2, 3, 4, 5, -1, -1, -1, -1]
