"""Intervals of shares and of rates of rare events, against what defines them."""

from __future__ import annotations

from math import comb, exp, factorial

import pytest

from tiertwin.errors import InputError
from tiertwin.functions.intervals import most_events, wilson


@pytest.mark.parametrize(("hits", "cases"), [(0, 7), (3, 7), (24, 26), (50, 50), (290, 300)])
def test_wilson_solves_its_quadratic(hits: int, cases: int) -> None:
    low, high = wilson(hits, cases)
    share = hits / cases
    assert 0.0 <= low <= share <= high <= 1.0
    for bound in (low, high):
        if 0.0 < bound < 1.0:
            assert abs(share - bound) == pytest.approx(1.96 * (bound * (1.0 - bound) / cases) ** 0.5, rel=1e-9)


def test_wilson_holds_the_share_about_as_often_as_it_says() -> None:
    cases, share = 60, 0.9
    held = sum(
        comb(cases, k) * share**k * (1 - share) ** (cases - k)
        for k in range(cases + 1)
        if wilson(k, cases)[0] <= share <= wilson(k, cases)[1]
    )
    assert 0.93 <= held <= 0.98


@pytest.mark.parametrize("events", [0, 1, 2, 7, 30])
def test_so_few_events_come_in_one_case_of_twenty(events: int) -> None:
    mean = most_events(events)
    assert sum(exp(-mean) * mean**k / factorial(k) for k in range(events + 1)) == pytest.approx(0.05, rel=1e-6)


def test_of_no_event_the_rule_of_three_and_of_many_no_overflow() -> None:
    assert most_events(0) == pytest.approx(2.9957, abs=1e-4)
    assert most_events(5_000) == pytest.approx(5_000 + 1.645 * 5_000**0.5, rel=2e-3)


def test_wrong_counts_are_told() -> None:
    for hits, cases in ((1, 0), (3, 2), (-1, 5)):
        with pytest.raises(InputError, match="hits of at least one case"):
            wilson(hits, cases)
    with pytest.raises(InputError, match="at least 0"):
        most_events(-1)
