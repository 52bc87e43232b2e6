"""C++ watches and incidents against the formulas written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import assure as naive
from tiertwin.functions.assure.alarms import ProbableCause
from tiertwin.functions.assure.incidents import Incidents
from tiertwin.functions.assure.streams import WEEK, Mixes, Season, StreamOptions, Streams
from tiertwin.functions.assure.watches import Changes, Shifts, Subspace

NONE = Mixes(window=0)


def daily(seed: int, rows: int, missing: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Series with a day in them: one plain, one with bursts and a shift, one of few values."""
    rng = np.random.default_rng(seed)
    times = np.arange(rows) * 1800.0
    x = 5.0 + np.sin(2 * np.pi * times / 86_400.0)[:, None] + 0.2 * rng.standard_t(3, size=(rows, 3))
    x[rows // 2 :, 1] += 2.0
    x[rng.random(rows) < 0.01, 1] += 9.0
    x[:, 2] = np.round(x[:, 2])
    x[rng.random(x.shape) < missing] = np.nan
    x[400:440, 1] = np.nan if missing else x[400:440, 1]
    return x, times


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize(
    "options",
    [
        StreamOptions(least=1.0),
        StreamOptions(mixes=Mixes(window=12, bins=7, most=4, warm=30, level=0.01, cap=9.0), recur=0.0),
        StreamOptions(
            gains=(1.0, 0.3, 0.0), seasons=(), recur=0.0, hold=0, least=0.0, again=1.0, heaviest=0.0, mixes=NONE
        ),
        StreamOptions(gains=(), seasons=(Season(slots=5, visits=1), WEEK), recur=1.0, keep=0.0, warm=5, quantile=0.9),
    ],
)
def test_streams(options: StreamOptions, missing: float) -> None:
    x, times = daily(1, 900, missing)
    score, alarm = Streams(3, options).push(x, times)
    assert (alarm[:, 0] > 0).sum() < (alarm[:, 1:] > 0).sum()
    for j in range(1, 3):
        expected = naive.stream(x[:, j], times, options)
        np.testing.assert_allclose(score[:, j], expected[0], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(alarm[:, j], expected[1], rtol=1e-8, atol=1e-9)
    assert (alarm > 0).sum() > 3


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_shifts(missing: float) -> None:
    x, _ = daily(2, 900, missing)
    options: dict[str, Any] = {"clean": 200, "mean": 7, "gain": 0.05, "quantile": 0.97, "factor": 1.2}
    ours = Shifts(3, **options).push(x) * 1.2
    for j in range(3):
        np.testing.assert_allclose(ours[:, j], naive.shifts(x[:, j], **options), rtol=1e-9, atol=1e-12)
    assert (ours > 1.2).sum() > 50


@pytest.mark.parametrize("share", [0.0, 0.6, 0.95, 1.0])
def test_subspace(share: float) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 6)) + 0.3 * rng.normal(size=(500, 6))
    x[:, 5] = 4.0
    x[300:, 0] += 3.0
    options: dict[str, Any] = {"clean": 200, "mean": 5, "share": share, "quantile": 0.98}
    ours = Subspace(6, **options).push(x)
    for mine, expected in zip(ours, naive.subspace(x, **options), strict=True):
        np.testing.assert_allclose(mine[200:], expected[200:], rtol=1e-6, atol=1e-6)
    assert not np.array(ours)[:, :200].any()


def test_change_points() -> None:
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.normal(3, 1, 150), rng.normal(8, 1, 100), rng.normal(8, 4, 100)])
    changed, recent, length = Changes(1, expected=100.0, most=1000, warm=40, delay=5).push(x[:, None])
    expected, longest = naive.changes(x, expected=100.0, warm=40, delay=5)
    np.testing.assert_allclose(recent[:, 0], expected, rtol=1e-7, atol=1e-12)
    np.testing.assert_array_equal(length[:, 0], longest)
    assert changed[150:158].any()
    assert not changed[60:150].any()


@pytest.mark.parametrize("seed", range(12))
def test_incidents(seed: int) -> None:
    """Random events over a small network: the same incidents as without any cleverness."""
    rng = np.random.default_rng(seed)
    objects, window, count = 12, 10, 260
    related = {(int(a), int(b)) for a, b in rng.integers(0, objects, (int(rng.integers(0, 14)), 2))}
    times = np.cumsum(rng.choice([0, 1, 2, 30], count, p=[0.4, 0.3, 0.25, 0.05]))
    events = np.stack([times, rng.integers(0, objects, count), rng.integers(0, 3, count), rng.integers(0, 3, count)])
    names = [f"o{k}" for k in range(objects)]
    causes = [ProbableCause(f"c{k}", "OTHER") for k in range(3)]
    log = Incidents(names, [(names[a], names[b]) for a, b in related], causes=causes, window_s=window * 1e-9)
    for part in np.array_split(events.astype(np.int64), 5, axis=1):
        log.push(*(np.ascontiguousarray(column) for column in part))
    ours: dict[int, set[tuple[str, str]]] = {}
    for incident in log.take() + log.open():
        for alarm in incident.alarms:
            key = (alarm.object_instance, alarm.probable_cause)
            if "raisedAgain" not in alarm.additional_information:
                ours.setdefault(incident.number, set()).add(key)
    expected = naive.incidents([tuple(map(int, e)) for e in events.T], related, window)  # type: ignore[misc]
    members = [sorted((f"o{o}", f"c{c}") for o, c, _ in found) for found, _ in expected]
    assert sorted(map(sorted, ours.values())) == sorted(filter(None, members))
    assert log.totals()["alarms"] == sum(len(found) + left for found, left in expected)
