"""Telling under a budget, at the border: what moved, what comes first, what is refused."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin import _core

CELL, BLOCK, FRAME = 16.0, 16.0, 40.0
ROWS = 5


def table() -> _core.StateTable:
    known = _core.AttributeRegistry()
    for attribute in (1, 2):
        known.add(attribute, f"load.{attribute}", "tasks/s", "rate", "f64", "sum", -1e6, 1e6, 2000)
    return _core.StateTable(known, 1, [1, 2], ROWS)


def teller(band: float = 0.0, share: float = 0.0, prior: float = 0.0) -> _core.Teller:
    """All cells of the table: attribute 1 by row, then attribute 2 by row."""
    row = np.tile(np.arange(ROWS, dtype=np.uint32), 2)
    attribute = np.repeat(np.array([1, 2], dtype=np.int64), ROWS)
    n = len(row)
    return _core.Teller(attribute, row, row, np.full(n, band), np.full(n, share), np.full(n, prior))


def write(target: _core.StateTable, values: np.ndarray, time: int) -> None:
    for attribute, column in zip((1, 2), values.reshape(2, ROWS), strict=True):
        target.set(attribute, np.arange(ROWS, dtype=np.uint32), np.ascontiguousarray(column), time)


def naive(
    worth: np.ndarray,
    now: np.ndarray,
    told: np.ndarray,
    moves: tuple[float, float, float],
    budget: float,
    price: float,
) -> tuple[set[int], int, float, float]:
    """The rule written out, `moves` = (band, share, prior): (cells told, cells left waiting, bytes, their worth)."""
    band, share, prior = moves
    before = np.where(np.isnan(told), prior, told)
    apart = np.abs(now - before)
    gain = worth * apart * apart
    moved = [i for i in range(len(now)) if worth[i] > 0 and apart[i] > band + share * abs(before[i])]
    chosen: list[int] = []
    spent, total, waiting = 0.0, 0.0, 0
    for i in sorted(moved, key=lambda i: (-gain[i], i)):
        own = CELL + (0.0 if any(j // ROWS == i // ROWS for j in chosen) else BLOCK)
        cost = own + (0.0 if chosen else FRAME)
        if spent + cost > budget or gain[i] < price * own:
            waiting += 1
            continue
        spent, total = spent + cost, total + gain[i]
        chosen.append(i)
    if total < price * spent:
        return set(), waiting + len(chosen), 0.0, 0.0
    return set(chosen), waiting, spent, total


number = st.floats(-100, 100, allow_nan=False).map(lambda x: round(x, 2))
column = st.lists(number, min_size=2 * ROWS, max_size=2 * ROWS).map(np.array)


@settings(max_examples=80, deadline=None)
@given(
    first=column,
    then=column,
    worth=st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.0]), min_size=2 * ROWS, max_size=2 * ROWS).map(np.array),
    band=st.sampled_from([0.0, 3.0]),
    share=st.sampled_from([0.0, 0.1]),
    prior=st.sampled_from([0.0, 10.0]),
    budget=st.floats(0, 300),
    price=st.sampled_from([0.0, 0.0, 1.0, 40.0]),
)
def test_it_tells_what_the_rule_says(first, then, worth, band, share, prior, budget, price):
    source, target, telling = table(), table(), teller(band, share, prior)
    telling.want(worth)
    told = np.full(2 * ROWS, np.nan)
    for time, now in ((1000, first), (2000, then)):
        write(source, now, time)
        chosen, waiting, spent, total = naive(worth, now, told, (band, share, prior), budget, price)
        assert telling.tell(source, target, budget, price) == (len(chosen), waiting, spent, total)
        for i in chosen:
            told[i] = now[i]
        seen = np.concatenate([target.column(1), target.column(2)])
        assert np.array_equal(seen, told, equal_nan=True)


def test_a_cell_that_did_not_fit_is_told_later_as_it_is_then():
    source, target, telling = table(), table(), teller()
    telling.want(np.ones(2 * ROWS))
    write(source, np.arange(1.0, 2 * ROWS + 1), 1000)
    enough_for_one = FRAME + BLOCK + CELL
    assert telling.tell(source, target, enough_for_one)[0] == 1
    assert target.column(2)[ROWS - 1] == 10.0  # the largest first
    write(source, np.full(2 * ROWS, 3.0), 2000)
    telling.tell(source, target, float("inf"))
    assert np.array_equal(target.column(1), np.full(ROWS, 3.0))


def test_what_is_not_later_or_not_wanted_or_no_number_stays_untold():
    source, target, telling = table(), table(), teller()
    telling.want(np.r_[np.ones(ROWS), np.zeros(ROWS)])
    write(source, np.full(2 * ROWS, 4.0), 1000)
    assert telling.tell(source, target, float("inf"))[0] == ROWS
    source.put(1, 0, 9.0, 1000)  # not later
    assert telling.tell(source, target, float("inf"))[0] == 0
    assert np.isnan(target.column(2)).all()


def test_copies_are_apart():
    one = teller()
    one.want(np.ones(2 * ROWS))
    other = copy.deepcopy(one)
    other.want(np.zeros(2 * ROWS))
    assert one.wanted.sum() == 2 * ROWS
    assert other.wanted.sum() == 0
    assert len(copy.copy(one)) == 2 * ROWS


@pytest.mark.parametrize("worth", [[-1.0], [float("nan")]])
def test_a_worth_is_not_negative(worth):
    wrong = np.r_[worth, np.ones(2 * ROWS - 1)]
    with pytest.raises(ValueError, match="Cell 0: expected a worth >= 0"):
        teller().want(wrong)


def test_mistakes_are_named():
    rows = np.zeros(1, dtype=np.uint32)
    one, none = np.ones(1, dtype=np.int64), np.zeros(1)
    with pytest.raises(ValueError, match="band"):
        _core.Teller(one, rows, rows, np.array([-1.0]), none, none)
    with pytest.raises(ValueError, match="same length"):
        _core.Teller(one, rows, np.zeros(2, dtype=np.uint32), none, none, none)
    with pytest.raises(ValueError, match="finite prior"):
        _core.Teller(one, rows, rows, none, none, np.array([np.nan]))
    with pytest.raises(ValueError, match="price"):
        teller().tell(table(), table(), 1.0, -1.0)
    with pytest.raises(ValueError, match="one a cell"):
        teller().want(np.ones(3))
    with pytest.raises(ValueError, match="budget"):
        teller().tell(table(), table(), float("nan"))
    far = _core.Teller(one, np.array([99], dtype=np.uint32), rows, none, none, none)
    far.want(np.ones(1))
    with pytest.raises(ValueError, match="row below 5"):
        far.tell(table(), table(), 100.0)
    unknown = _core.Teller(9 * one, rows, rows, none, none, none)
    unknown.want(np.ones(1))
    with pytest.raises(KeyError, match="attribute 9"):
        unknown.tell(table(), table(), 100.0)
