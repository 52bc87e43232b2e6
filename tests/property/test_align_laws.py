"""Laws of alignment: clocks, ages, what holding and predicting cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiertwin.errors import InputError
from tiertwin.functions.align import METHODS, Aligner
from tiertwin.functions.clocks import fit_clocks, two_way
from tiertwin.functions.seasonal import SeasonalAligner

quarters = st.integers(-(10**6), 10**6).map(lambda k: k / 4)  # exact in binary
delays = st.integers(0, 4000).map(lambda k: k / 4)


@given(offset=quarters, way=delays, think=delays, start=quarters)
def test_the_offset_is_exact_when_both_ways_take_as_long(offset: float, way: float, think: float, start: float) -> None:
    t2 = start + offset + way
    t3 = t2 + think
    found, delay = two_way([start], [t2], [t3], [t3 - offset + way])
    assert found[0] == offset
    assert delay[0] == way


@given(offset=quarters, there=delays, back=delays)
def test_the_offset_is_never_wrong_by_more_than_the_delay(offset: float, there: float, back: float) -> None:
    t2 = 5.0 + offset + there
    found, delay = two_way([5.0], [t2], [t2], [t2 - offset + back])
    assert abs(found[0] - offset) == abs(there - back) / 2
    assert abs(found[0] - offset) <= delay[0]


@given(
    offsets=st.lists(st.floats(-100, 100), min_size=1, max_size=5),
    ppm=st.floats(-200, 200),
    count=st.integers(2, 9),
)
def test_offset_and_skew_come_out_of_symmetric_exchanges(offsets: list[float], ppm: float, count: int) -> None:
    there = 60.0 * np.arange(count)[:, None] + np.zeros(len(offsets))
    skew = ppm * 1e-6

    def here(time: np.ndarray) -> np.ndarray:
        return time + offsets + skew * time

    way = 0.01 + 0.02 * (np.arange(count)[:, None] % 3)
    t2 = here(there) + way
    t4 = (t2 + way - offsets) / (1 + skew)
    clocks = fit_clocks(there, t2, t2, t4, share=1.0)
    later = np.full(len(offsets), 60.0 * count)
    np.testing.assert_allclose(clocks.here(later), here(later), rtol=0, atol=2e-4)  # both ways alike but for the skew
    np.testing.assert_allclose(clocks.skew, skew, rtol=0, atol=2e-6)


def test_the_exchanges_with_the_least_delay_count() -> None:
    there = 60.0 * np.arange(10)[:, None]
    queue = np.where(np.arange(10) % 2, 3.0, 0.0)[:, None]  # every other one waits on its way there
    t2 = there + 7.0 + 0.1 + queue
    good = fit_clocks(there, t2, t2, t2 - 7.0 + 0.1)
    all_of_them = fit_clocks(there, t2, t2, t2 - 7.0 + 0.1, share=1.0)
    assert good.offset_s[0] == pytest.approx(7.0)
    assert all_of_them.offset_s[0] > 7.5


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (([0.0], [1.0], [3.0], [1.5]), "exchange 0: expected finite times and t4 − t1 not below t3 − t2"),
        (([0.0], [np.nan], [3.0], [1.5]), "exchange 0: expected finite times"),
        (([0.0, 1.0], [1.0], [1.0], [2.0]), "expected four arrays of one shape"),
    ],
)
def test_exchanges_that_cannot_be(times: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        two_way(*times)


def test_fits_that_cannot_be() -> None:
    ones = np.ones((2, 1))
    with pytest.raises(InputError, match=r"share: expected a number in \(0, 1\], got 0"):
        fit_clocks(ones, ones, ones, ones, share=0.0)
    with pytest.raises(InputError, match=r"expected arrays \(exchanges, peers\), got shape \(2,\)"):
        fit_clocks(*[np.ones(2)] * 4)
    assert fit_clocks(ones[:1], ones[:1], ones[:1], ones[:1]).skew.tolist() == [0.0]


def walk(rows: int, steps: int, seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0.0, 1.0, (steps, rows)), axis=0)


@pytest.mark.parametrize("age", [1, 3, 9])
def test_holding_a_random_walk_costs_its_variance_rate_times_the_age(age: int) -> None:
    rows, steps = 4000, 60
    path = 2.0 * walk(rows, steps, age)
    aligner = Aligner(rows, "hold")
    for k in range(steps - age):
        aligner.observe(np.arange(rows), path[k], np.full(rows, float(k)))
    now = float(steps - 1)
    mse = np.mean((aligner.at(now) - path[-1]) ** 2)
    spread = 4.0 * age * np.sqrt(2.0 / rows)  # of a mean of squares of normals
    assert np.all(aligner.age(now) == age)
    assert abs(mse - 4.0 * age) < 4 * spread
    assert aligner.variance(now).mean() == pytest.approx(4.0 * age, rel=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_exact_but_the_sample_and_the_line_between(method: str) -> None:
    aligner = Aligner(3, method)
    assert np.isnan(aligner.at(0.0)).all()
    path = walk(3, 40, 5)
    for k in range(40):
        aligner.observe(np.arange(3), path[k], np.full(3, 2.0 * k))
        np.testing.assert_array_equal(aligner.at(2.0 * k), path[k])
        if k:
            np.testing.assert_array_equal(aligner.at(2.0 * k - 2.0), path[k - 1])
            np.testing.assert_allclose(aligner.at(2.0 * k - 0.5), path[k - 1] + 0.75 * (path[k] - path[k - 1]))
            assert np.isnan(aligner.at(2.0 * k - 2.1)).all()


def test_a_line_is_continued_and_a_constant_kept() -> None:
    aligner = Aligner(2, horizon_s=3.0)
    for k in range(200):
        aligner.observe(np.arange(2), [5.0 + 0.5 * k, 7.0], [float(k), float(k)])
    assert aligner.chosen() == ["trend 0.05", "hold"]
    assert aligner.at(202.0)[0] == pytest.approx(106.0, abs=0.1)  # faded by 1/40 a spacing
    assert aligner.at(1e9)[1] == 7.0
    assert abs(aligner.at(1e9)[0]) < 130.0  # a trend fades


def test_what_reverts_is_predicted_to_revert() -> None:
    rng = np.random.default_rng(3)
    rows, kept = 300, 0.7
    value = np.zeros(rows)
    aligner = Aligner(rows, "best", horizon_s=4.0)
    for k in range(300):
        value = kept * value + rng.normal(0.0, 1.0, rows)
        aligner.observe(np.arange(rows), 100.0 + value, np.full(rows, float(k)))
    assert aligner.chosen().count("revert") > 0.9 * rows
    expected = 100.0 + value * kept**4
    assert np.sqrt(np.mean((aligner.at(303.0) - expected) ** 2)) < 0.35  # of a deviation of 1.4


@given(st.permutations(range(6)))
def test_rows_do_not_know_each_other(order: list[int]) -> None:
    path = walk(6, 30, 9)
    together, apart = Aligner(6), Aligner(6)
    for k in range(30):
        together.observe(np.arange(6), path[k], np.full(6, float(k)))
        for r in order:
            apart.observe(np.array([r]), path[k, r : r + 1], [float(k)])
    np.testing.assert_array_equal(together.at(33.0), apart.at(33.0))


def test_late_samples_are_counted_and_change_nothing() -> None:
    aligner = Aligner(2)
    aligner.observe(np.arange(2), [1.0, 2.0], [10.0, 10.0])
    assert aligner.observe(np.arange(2), [9.0, 3.0], [10.0, 11.0]) == 1
    assert aligner.late == 1
    assert aligner.at(11.0).tolist() == [1.0, 3.0]


BAD = [
    (([2], [1.0], [0.0]), r"expected rows 0 … 1, got 2"),
    (([-1], [1.0], [0.0]), r"expected rows 0 … 1, got -1"),
    (([0, 0], [1.0, 1.0], [0.0, 1.0]), "expected each row once a call, got row 0 again"),
    (([1], [np.nan], [0.0]), "observe, row 1: expected finite values and times, got nan at 0.0 s"),
    (([1], [1.0], [np.inf]), "got 1.0 at inf s"),
    (([0, 1], [1.0], [0.0]), "expected rows, values and times of one length"),
]


@pytest.mark.parametrize(("sample", "message"), BAD)
def test_samples_that_cannot_be_change_nothing(sample: tuple[list[float], ...], message: str) -> None:
    for aligner in (Aligner(2), SeasonalAligner(2, 24.0, 24)):
        aligner.observe(np.arange(2), [1.0, 2.0], [0.0, 0.0])
        with pytest.raises(InputError, match=message):
            aligner.observe(np.array(sample[0]), *sample[1:])
        assert aligner.at(5.0).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Aligner(0), "rows: expected at least 1, got 0"),
        (lambda: Aligner(1, "magic"), "method: expected one of hold, trend, revert, best, got 'magic'"),
        (lambda: Aligner(1, memory=1), "memory: expected a finite number of samples, at least 2, got 1"),
        (lambda: Aligner(1, horizon_s=-1.0), "horizon_s: expected a finite time of at least 0 s, got -1"),
        (lambda: SeasonalAligner(1, 0.0, 5), "period_s: expected a positive, finite number, got 0"),
        (lambda: SeasonalAligner(1, 1.0, 1), "slots: expected at least 2, got 1"),
        (lambda: Aligner(1).at(np.nan), "time_s: expected a finite time, got nan"),
    ],
)
def test_settings_that_cannot_be(make: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_a_day_that_returns_is_foreseen_and_one_that_does_not_is_left_alone() -> None:
    hours = np.arange(24 * 10)
    day = 100.0 + 50.0 * np.sin(2 * np.pi * hours / 24) * (1 + np.sin(2 * np.pi * hours / 8))
    path = np.stack([day, walk(1, len(hours), 4)[:, 0] * 20 + 500], axis=1)
    seasonal = SeasonalAligner(2, 24.0, 24, horizon_s=6.0)
    for k in hours[:-6]:
        seasonal.observe(np.arange(2), path[k], np.full(2, k + 0.5))
    assert seasonal.seasonal().tolist() == [True, False]
    when = float(hours[-1]) + 0.5
    assert seasonal.at(when)[0] == pytest.approx(day[-1], abs=1.0)
    assert seasonal.at(when)[1] == seasonal.plain.at(when)[1]
    assert seasonal.age(when).tolist() == [6.0, 6.0]
