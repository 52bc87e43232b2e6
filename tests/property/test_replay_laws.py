"""Laws of replay: exact at samples, a straight line between them, nothing beyond; a stream gives what memory gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.data import data_file
from support.trace_files import GeneratedFile, fcd, named
from tiertwin.errors import InputError
from tiertwin.plant.traces import CsvColumns, CsvTrace, Replay, StreamReplay, SumoTrace, TraceMobility, ucc_drives

times = st.lists(st.integers(0, 400), min_size=1, max_size=12, unique=True)
walks = st.lists(times, min_size=1, max_size=4)
PLANE = CsvColumns(x="x", y="y")


def place(user: int, time: float) -> tuple[float, float]:
    return float(np.sin(0.7 * time + user) * 100), float(user * 7 + time**1.5)


def written(users: list[list[int]]) -> str:
    """A table in order of time, tenths of seconds."""
    rows = sorted((t / 10, u) for u, ts in enumerate(users) for t in ts)
    return "time,id,x,y\n" + "".join(f"{t!r},u{u},{place(u, t)[0]!r},{place(u, t)[1]!r}\n" for t, u in rows)


def expected(times_s: np.ndarray, user: int, t: float, gap: float) -> tuple[float, float]:
    """One user at one time, the slow way."""
    times_s = np.sort(times_s)
    if t in times_s:
        return place(user, t)
    before, after = times_s[times_s < t], times_s[times_s > t]
    if not len(before) or not len(after) or after[0] - before[-1] > gap:
        return np.nan, np.nan
    (x0, y0), (x1, y1) = place(user, before[-1]), place(user, after[0])
    share = (t - before[-1]) / (after[0] - before[-1])
    return x0 + share * (x1 - x0), y0 + share * (y1 - y0)


@settings(max_examples=60)
@given(users=walks, gap=st.sampled_from([0.1, 1.0, 5.0, 100.0]), asked=st.lists(st.integers(-5, 405), max_size=8))
def test_replay_is_the_definition_read_aloud(users: list[list[int]], gap: float, asked: list[int]) -> None:
    replay = Replay(CsvTrace(named(written(users)), PLANE), max_gap_s=gap)
    stream = StreamReplay(CsvTrace(named(written(users)), PLANE, batch_rows=2), max_gap_s=gap)
    for t in sorted({k / 10 for k in asked} | {users[0][0] / 10}):
        x, y = replay.at(t)
        sx, sy = stream.at(t)
        for name, row in zip(replay.users, range(len(users)), strict=True):
            u = int(name[1:])
            ex, ey = expected(np.array(users[u]) / 10, u, t, gap)
            if t in np.array(users[u]) / 10:
                assert (x[row], y[row]) == (ex, ey)  # exactly
            np.testing.assert_allclose([x[row], y[row]], [ex, ey], rtol=1e-12, atol=1e-12)
        np.testing.assert_array_equal(sx, x[: len(sx)])
        np.testing.assert_array_equal(sy, y[: len(sy)])
        assert np.isnan(x[len(sx) :]).all()  # users the stream has not met are not there yet


def test_a_stream_holds_what_lies_within_the_gap() -> None:
    replay = StreamReplay(SumoTrace(GeneratedFile(fcd(2000, 20)), batch_rows=500), max_gap_s=2.0)
    most = 0
    for t in np.arange(0.0, 1990.0, 7.25):
        x, _ = replay.at(t)
        np.testing.assert_allclose(x, 10 * np.arange(20) + t)
        most = max(most, replay.held)
    assert most < 4000  # of 40 000


def test_what_replay_refuses() -> None:
    text = written([[0, 10], [5, 20]])
    with pytest.raises(InputError, match="max_gap_s: expected a positive, finite number of seconds, got inf"):
        Replay(CsvTrace(named(text), PLANE), max_gap_s=np.inf)
    with pytest.raises(InputError, match="time_s: expected a finite time, got nan"):
        Replay(CsvTrace(named(text), PLANE), max_gap_s=1.0).at(np.nan)
    with pytest.raises(InputError, match="trace: expected at least one position, got none"):
        Replay(CsvTrace(named("time,id,x,y\n"), PLANE), max_gap_s=1.0)
    stream = StreamReplay(CsvTrace(named(text), PLANE), max_gap_s=1.0)
    stream.at(1.0)
    with pytest.raises(InputError, match=r"expected a finite time not before 1 s, got 0\.5\. Use Replay"):
        stream.at(0.5)
    unsorted = "time,id,x,y\n5,a,0,0\n6,a,0,0\n1,b,0,0\n"
    with pytest.raises(InputError, match="trace, line 4: expected rows in order of time, got 1 s after 6 s"):
        StreamReplay(CsvTrace(named(unsorted), PLANE), max_gap_s=1.0).at(0.0)
    assert Replay(CsvTrace(named(unsorted), PLANE), max_gap_s=1.0).at(1.0)[0].tolist()[1] == 0


def test_own_clocks_put_drives_side_by_side() -> None:
    text = "time,id,x,y\n100,a,0,0\n104,a,4,0\n900,b,7,0\n902,b,9,0\n"
    x, _ = Replay(CsvTrace(named(text), PLANE), max_gap_s=5.0, own_clock=True).at(1.0)
    assert x.tolist() == [1.0, 8.0]


@given(users=walks, asked=st.lists(st.integers(0, 4000), min_size=1, max_size=6))
def test_velocities_are_the_slopes_of_positions(users: list[list[int]], asked: list[int]) -> None:
    replay = Replay(CsvTrace(named(written(users)), PLANE), max_gap_s=5.0)
    moment = 2.0**-20
    for t in [k / 100 + 0.003 for k in asked]:  # never at a sample
        (x0, y0), (x1, y1), (vx, vy) = replay.at(t), replay.at(t + moment), replay.velocity(t)
        np.testing.assert_array_equal(np.isnan(vx), np.isnan(x0))
        np.testing.assert_allclose(vx * moment, x1 - x0, rtol=1e-3, atol=1e-9)
        np.testing.assert_allclose(vy * moment, y1 - y0, rtol=1e-3, atol=1e-9)


def test_velocities_at_samples_look_ahead_then_back() -> None:
    text = "time,id,x,y\n0,a,0,0\n1,a,2,0\n2,a,5,1\n50,a,9,9\n"
    replay = Replay(CsvTrace(named(text), PLANE), max_gap_s=5.0)
    assert [replay.velocity(t)[0][0] for t in (0.0, 1.0, 2.0, 50.0)] == [2.0, 3.0, 3.0, 0.0]
    assert np.isnan([replay.velocity(t)[0][0] for t in (-1.0, 3.0, 51.0)]).all()


def test_a_trace_moves_users_as_mobility_does() -> None:
    text = "time,id,x,y\n100,a,0,0\n104,a,4,8\n100,b,7,0\n"
    mobility = TraceMobility(Replay(CsvTrace(named(text), PLANE), max_gap_s=5.0), height_m=1.5)
    assert mobility.positions().tolist() == [[0, 0, 1.5], [7, 0, 1.5]]
    mobility.step(1.0)
    mobility.step(2.0)
    assert mobility.time_s == 3.0
    np.testing.assert_array_equal(mobility.positions(), [[3, 6, 1.5], [np.nan] * 3])
    np.testing.assert_array_equal(mobility.velocities(), [[1, 2, 0], [np.nan] * 3])
    with pytest.raises(InputError, match="seconds: expected a finite time of at least 0 s, got -1"):
        mobility.step(-1.0)
    with pytest.raises(InputError, match="height_m: expected a finite height of at least 0 m, got nan"):
        TraceMobility(Replay(CsvTrace(named(text), PLANE), max_gap_s=5.0), height_m=np.nan)


def test_the_drives_of_cork_replay_through_the_same_interface() -> None:
    replay = Replay(ucc_drives(data_file("ucc5g_traces.csv.gz")), max_gap_s=10.0, own_clock=True)
    assert len(replay.users) == 50
    x, y = replay.at(60.0)
    assert np.isfinite(x).all()
    assert (np.hypot(x, y) < 12_000).all()  # a town
