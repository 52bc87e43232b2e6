"""Bytes saved and their price: never more than came in, dear while the purse is low, free while it is full."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tiertwin.orchestrate.purse import FIRST_S, SAVED_S, SECOND, Purse

RATE, LEAST = 100.0, 150.0


def made(rate: float = RATE, priced: bool = True) -> Purse:
    return Purse(rate, LEAST, priced=priced)


def test_no_more_is_spent_than_comes_in_and_was_there() -> None:
    purse, sent, rng = made(), 0, np.random.default_rng(1)
    for second in range(200):
        purse.earn(second * SECOND, sent)
        if purse.open and rng.random() < 0.5:
            spent = int(rng.uniform(0.0, purse.saved))
            purse.scarce(1.0, spent)
            sent += spent
        assert sent <= RATE * (second + FIRST_S) + 1e-9
        assert purse.saved <= SAVED_S * RATE


def test_a_byte_grows_dearer_while_all_is_spent_and_cheaper_while_nothing_is() -> None:
    purse = made()
    purse.earn(0, 0)
    assert purse.price == 0.0  # nobody knows yet
    purse.scarce(10.0, 100.0)
    sent, before = 0, purse.price
    for second in range(1, 20):
        sent += int(RATE)
        purse.earn(second * SECOND, sent)
    dear = purse.price
    assert dear > before
    for second in range(20, 60):
        purse.earn(second * SECOND, sent)
    assert purse.price == 0.0  # full
    assert purse.saved == SAVED_S * RATE


def test_without_a_price_only_the_least_frame_counts() -> None:
    purse = made(priced=False)
    purse.scarce(10.0, 100.0)
    assert purse.price == 0.0
    purse.take(purse.saved)
    assert not purse.open
    purse.earn(0, 0)
    purse.earn(2 * SECOND, 0)
    assert purse.open


def test_times_the_usual_rate() -> None:
    purse = made()
    purse.take(purse.saved)
    purse.factor = 2.0
    purse.earn(0, 0)
    purse.earn(SECOND, 0)
    assert purse.saved == pytest.approx(2.0 * RATE)


def test_a_boundless_purse_is_always_open_and_free() -> None:
    purse = made(math.inf)
    purse.earn(SECOND, 10**9)
    purse.scarce(1.0, 100.0)
    assert purse.boundless
    assert purse.open
    assert purse.price == 0.0
