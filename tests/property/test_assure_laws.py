"""Laws of detectors and incidents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.functions.assure.incidents import Incidents
from tiertwin.functions.assure.streams import StreamOptions, Streams
from tiertwin.functions.assure.watches import Changes, Shifts, Subspace

SEEDS = st.integers(0, 2**32 - 1)
LOW = StreamOptions(least=1.0)


def noisy(seed: int, rows: int = 700, series: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, series))
    x[rows // 2] += 12.0
    return x, np.arange(rows) * 900.0


def everything(x: np.ndarray, times: np.ndarray) -> list[np.ndarray]:
    options = {"clean": 200, "mean": 5}
    s = x.shape[1]
    return [
        *Streams(s, LOW).push(x, times),
        Shifts(s, **options).push(x),  # type: ignore[arg-type]
        *Subspace(s, **options).push(x),  # type: ignore[arg-type]
        *Changes(s).push(x)[1:],
    ]


@given(SEEDS, st.integers(-30, 30))
@settings(max_examples=15)
def test_a_power_of_two_as_unit_changes_nothing(seed: int, power: int) -> None:
    x, times = noisy(seed)
    for before, after in zip(everything(x, times), everything(x * 2.0**power, times), strict=True):
        np.testing.assert_array_equal(before, after)  # exact in floating point


@given(SEEDS, st.floats(0.01, 100.0), st.floats(-100.0, 100.0), st.sampled_from([-1.0, 1.0]))
@settings(max_examples=15)
def test_unit_and_zero_change_nothing(seed: int, scale: float, zero: float, sign: float) -> None:
    x, times = noisy(seed)
    for before, after in zip(everything(x, times), everything(sign * scale * x + zero, times), strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-5)


@given(st.floats(-1e12, 1e12), st.integers(0, 3))
@settings(max_examples=25)
def test_a_constant_never_alarms(value: float, missing: int) -> None:
    x = np.full((600, 2), value)
    x[:: missing + 2][: missing * 100] = np.nan
    score, alarm, shifted, t2, q, recent, _ = everything(x, np.arange(600) * 60.0)
    for found in (score, alarm, shifted, t2, q, recent):
        assert not found.any()


def test_an_all_missing_series_never_alarms_and_leaves_the_others_alone() -> None:
    x, times = noisy(1)
    with_silent = np.column_stack([x[:, 0], np.full(len(x), np.nan)])
    both, alone = Streams(2, LOW).push(with_silent, times), Streams(1, LOW).push(x[:, :1].copy(), times)
    for many, one in zip(both, alone, strict=True):
        np.testing.assert_array_equal(many[:, 0], one[:, 0])
        assert not many[:, 1].any()
    assert not Shifts(2, clean=200).push(with_silent)[:, 1].any()


@given(SEEDS, st.lists(st.integers(1, 690), max_size=6))
@settings(max_examples=15)
def test_how_rows_are_split_into_calls_changes_nothing(seed: int, cuts: list[int]) -> None:
    x, times = noisy(seed)
    streams, shifts, subspace, changes = Streams(2, LOW), Shifts(2, clean=200), Subspace(2, clean=200), Changes(2)
    parts: list[list[np.ndarray]] = []
    for part in np.split(np.arange(len(x)), sorted(set(cuts))):
        rows = np.ascontiguousarray(x[part])
        parts.append([*streams.push(rows, times[part]), shifts.push(rows), *subspace.push(rows), changes.push(rows)[1]])
    whole = [
        *Streams(2, LOW).push(x, times),
        Shifts(2, clean=200).push(x),
        *Subspace(2, clean=200).push(x),
        Changes(2).push(x)[1],
    ]
    for k, expected in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[k] for part in parts]), expected)


def test_memory_does_not_grow() -> None:
    x, times = noisy(2, 3000)
    watches = [Streams(2), Changes(2)]
    before = [w.memory_bytes() for w in watches]
    watches[0].push(x, times)  # type: ignore[call-arg]
    watches[1].push(x)  # type: ignore[call-arg,arg-type]
    assert [w.memory_bytes() for w in watches] == before
    for learner in (Shifts(2), Subspace(2)):
        learner.push(x[:400].copy())
        learnt = learner.memory_bytes()
        learner.push(x[400:].copy())
        assert learner.memory_bytes() == learnt


def test_what_is_plain_is_told() -> None:
    """A spike, a shift and a change of spread, each by the watch made for it, at once."""
    x, times = noisy(3)
    _, alarm = Streams(2).push(x, times)
    assert (alarm[350] > 0).all()
    x[500:, 0] += 4.0
    told = Shifts(2, clean=200).push(x) > 1
    assert told[510:, 0].mean() > 0.99
    assert told[510:, 1].mean() < 0.1
    y = np.random.default_rng(5).normal(size=(600, 1)) * np.where(np.arange(600) < 300, 1.0, 6.0)[:, None]
    assert Changes(1).push(y)[0][300:315].any()


def test_a_peak_at_the_same_time_every_day_becomes_normal() -> None:
    rng = np.random.default_rng(6)
    times = np.arange(96 * 20) * 900.0
    x = rng.normal(size=times.size)
    x[40::96] += 8.0
    alarm = Streams(1, StreamOptions(seasons=(), least=3.0)).push(x[:, None], times)[1][:, 0]
    days = (alarm > 0).reshape(20, 96)[:, 38:43].any(axis=1)
    assert days[:3].any()
    assert not days[-6:].any()
    once = Streams(1, StreamOptions(seasons=(), recur=0.0, least=3.0)).push(x[:, None], times)[1][:, 0]
    assert (once > 0).sum() > (alarm > 0).sum()


def test_a_gap_is_no_anomaly_though_the_day_went_on() -> None:
    rng = np.random.default_rng(8)
    times = np.arange(288 * 21) * 300.0
    x = 40.0 + 25.0 * np.sin(2 * np.pi * times / 86_400.0) + rng.normal(0.0, 2.0, times.size)
    x[5000:5040] = np.nan
    alarm = Streams(1, StreamOptions(least=4.0)).push(x[:, None], times)[1][:, 0]
    assert not alarm[5000:5100].any()


@given(SEEDS, st.integers(2, 40))
@settings(max_examples=20, deadline=None)
def test_incidents_are_components(seed: int, sites: int) -> None:
    """Bursts at sites that are not related: one incident a burst, whatever the order within it."""
    rng = np.random.default_rng(seed)
    names = [f"s{site}-{k}" for site in range(sites) for k in range(4)]
    related = [(f"s{site}-0", f"s{site}-{k}") for site in range(sites) for k in range(1, 4)]
    log = Incidents(names, related, window_s=10.0)
    rows = [
        (int(rng.integers(0, 5 * 10**9)), 4 * site + k, c)
        for site in range(sites)
        for k in range(4)
        for c in rng.permutation(3)
    ]
    time, obj, cause = (np.array(column, dtype=np.int64) for column in zip(*sorted(rows), strict=True))
    log.push(time, obj, cause, np.full(time.size, 4))
    found = log.open()
    assert len(found) == sites
    for incident in found:
        assert len({alarm.object_instance.split("-")[0] for alarm in incident.alarms}) == 1
        assert len(incident.alarms) == 12
        assert incident.root.root_cause_indicator
    assert log.totals()["raised"] == 12 * sites


@pytest.mark.parametrize("objects", [2000])
def test_a_storm_keeps_its_memory_and_its_incidents(objects: int) -> None:
    """10⁶ events of 40 faults: as many incidents as faults, each with its objects, memory as at the start."""
    rng = np.random.default_rng(7)
    faults, count = 40, 1_000_000
    names = [f"n{k}" for k in range(objects)]
    size = objects // faults
    related = [(names[k], names[k - 1]) for k in range(objects) if k % size]
    log = Incidents(names, related, window_s=5.0)
    before = log.memory_bytes()
    obj = rng.integers(0, objects, count)
    time = np.sort(rng.integers(0, 3 * 10**9, count))
    log.push(time, obj, rng.integers(0, len(log.causes), count), rng.integers(1, 6, count))
    found = log.open()
    assert len(found) == faults
    assert {len({alarm.object_instance for alarm in incident.alarms}) for incident in found} == {size}
    assert log.totals()["repeats"] == count - log.totals()["alarms"] > 0
    assert log.memory_bytes() < before + 200_000  # the incidents, none an event
