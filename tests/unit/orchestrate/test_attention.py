"""Where trouble is coming gets more of the bytes, and all together get what they got."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.orchestrate.attention import LEAST, Attention

GCYCLES = np.array([0.1, 0.4])
GHZ = np.array([64.0, 64.0, 16.0, 16.0, 64.0, 64.0])
BUDGET = np.array([100.0, 300.0, 50.0, 60.0, 120.0, 90.0])


def demand(load: float, busy: dict[int, float]) -> np.ndarray:
    """Demand that loads every site's compute by `load`, and those of `busy` by their own."""
    share = np.full(len(GHZ), load)
    for site, own in busy.items():
        share[site] = own
    return (share * GHZ)[:, None] * np.array([0.5, 0.5]) / GCYCLES


def test_a_busy_site_becomes_an_area_and_goes_on_being_one_for_a_while():
    attention = Attention(GCYCLES, GHZ, BUDGET, 3.0)
    for _ in range(20):
        assert not len(attention.look(demand(0.4, {})))
    moved: set[int] = set()
    for _ in range(20):
        moved |= set(attention.look(demand(0.4, {2: 1.3})).tolist())
    assert attention.areas.tolist() == [False, False, True, False, False, False]
    assert moved == set(range(6))
    assert attention.factor[2] == pytest.approx(3.0)
    assert (attention.factor[[0, 1, 3, 4, 5]] < 1.0).all()
    for _ in range(60):
        attention.look(demand(0.4, {}))
    assert not attention.areas.any()
    assert np.array_equal(attention.factor, np.ones(6))


@settings(max_examples=40, deadline=None)
@given(
    loads=st.lists(st.floats(0.0, 3.0), min_size=6, max_size=6),
    focus=st.floats(1.0, 16.0),
)
def test_all_sites_together_get_what_they_got_and_none_is_silenced(loads, focus):
    attention = Attention(GCYCLES, GHZ, BUDGET, focus)
    for _ in range(12):
        attention.look(demand(0.0, dict(enumerate(loads))))
        assert float(attention.factor @ BUDGET) == pytest.approx(float(BUDGET.sum()))
        assert (attention.factor >= LEAST - 1e-12).all()
        assert attention.areas.sum() <= 2


def test_a_copy_is_apart():
    attention = Attention(GCYCLES, GHZ, BUDGET, 3.0)
    for _ in range(10):
        attention.look(demand(0.4, {}))
    other = copy.deepcopy(attention)
    for _ in range(20):
        other.look(demand(0.4, {0: 2.0}))
    assert other.areas.any()
    assert not attention.areas.any()
