"""Laws of the watch over children: an honest one is left alone, order means nothing, a liar is let in again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiertwin.functions.assure.lying import LieOptions, LieWatch, Neighbours


def honest(rng: np.random.Generator, planned: np.ndarray, factor: float = 1.0) -> tuple[np.ndarray, ...]:
    made = rng.poisson(planned * factor).astype(float)
    n = len(planned)
    told = made * (1.0 + 0.03 * rng.standard_normal(n))
    measured = rng.normal(1.0, 0.1, (n, 2))
    return (np.ones(n, dtype=bool), told, made, np.zeros(n), 0.7 * planned, 1.3 * planned, np.zeros(n), measured)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 20.0))
def test_honest_children_stay_out_of_quarantine(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    planned = np.full(20, rate)
    watch = LieWatch(20, LieOptions(limit=16.0))
    for _ in range(60):
        watch.push(*honest(rng, planned))
    assert not watch.out.any()


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_children_means_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    planned = rng.uniform(0.1, 5.0, 10)
    order = rng.permutation(10)
    one, other = LieWatch(10, LieOptions(most_share=1.0)), LieWatch(10, LieOptions(most_share=1.0))
    for _ in range(40):
        row = honest(rng, planned, 3.0)
        one.push(*row)
        other.push(*(part[order] for part in row))
    np.testing.assert_array_equal(one.out[order], other.out)
    np.testing.assert_allclose(one.evidence[order], other.evidence)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_no_more_than_the_stated_share_is_in_quarantine(seed: int, liars: int) -> None:
    rng = np.random.default_rng(seed)
    planned = np.full(10, 4.0)
    watch = LieWatch(10, LieOptions(most_share=0.3))
    for _ in range(40):
        row = list(honest(rng, planned))
        row[1][:liars] *= 10.0
        watch.push(*row)
        assert watch.out.sum() <= 3
    assert watch.out[:liars].sum() == min(liars, 3)
    assert watch.suspected >= liars / 10


@pytest.mark.parametrize("lie", ["more", "frozen"])
def test_who_stops_lying_is_believed_again_after_hold(lie: str) -> None:
    rng = np.random.default_rng(1)
    planned = np.full(10, 4.0)
    watch = LieWatch(10, LieOptions(hold=5, decays=(0.0, 0.75)))
    kept = honest(rng, planned)
    for t in range(120):
        row = list(honest(rng, planned))
        if 20 <= t < 60:
            if lie == "more":  # and all of it done: what is made and not done is another reason
                row[1][0] *= 5.0
                row[2][0] *= 5.0
            else:
                row[7][0] = kept[7][0]
        watch.push(*row)
        if t == 59:
            assert watch.reason(0) == lie
    assert not watch.out.any()


def test_what_is_told_moves_the_load_by_no_more_than_a_cap() -> None:
    n = 100
    them = Neighbours(np.full(n, 2.0), np.ones(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool))
    made = np.full(n, 2.0)
    made[0] = 1e12
    _, most = them.expected(1.0, 0.3)
    told = them.load(them.capped(made, most), np.ones(n, dtype=bool))
    assert told is not None
    assert 1.0 <= told < 1.05


def test_what_is_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="decays: expected them in rising order"):
        LieWatch(3, LieOptions(decays=(0.9, 0.5)))
    with pytest.raises(ValueError, match="children: expected at least 1"):
        LieWatch(0, LieOptions())
    watch, two = LieWatch(3, LieOptions()), np.ones(2)
    with pytest.raises(ValueError, match="fresh: expected 3 numbers"):
        watch.push(np.ones(2, dtype=bool), two, two, two, two, two, two, np.ones((3, 2)))
