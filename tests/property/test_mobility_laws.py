"""Models of movement: everybody stays where they may be, moves as fast as they may, and for themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin import _core

STILL, GAUSS_MARKOV, WAYPOINT, MANHATTAN, TRAIN, UAV = range(6)
TRACK = [(0.0, 0.0, 2.0), (3_000.0, 0.0, 2.0), (3_000.0, 4_000.0, 12.0)]
AREA = {"width_m": 1_050.0, "height_m": 820.0}


def users(*walks: int, seed: int = 7, **rules: Any) -> _core.Mobility:
    kinds = np.array(walks, dtype=np.uint8)
    return _core.Mobility(seed, kinds, np.zeros(len(kinds), np.uint32), TRACK, {**AREA, **rules})


def trace(mobility: _core.Mobility, steps: int, seconds: float) -> np.ndarray:
    """Positions, [steps + 1, users, 3]."""
    found = [mobility.positions()]
    for _ in range(steps):
        mobility.step(seconds)
        found.append(mobility.positions())
    return np.stack(found)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    seconds=st.sampled_from([0.1, 1.0, 7.3, 60.0]),
    walk=st.sampled_from([STILL, GAUSS_MARKOV, WAYPOINT, MANHATTAN, TRAIN, UAV]),
)
def test_nobody_leaves_the_area_or_outruns_the_fastest(seed: int, seconds: float, walk: int) -> None:
    at = trace(users(*[walk] * 30, seed=seed), 60, seconds)
    moved = np.linalg.norm(np.diff(at, axis=0), axis=2)
    if walk == TRAIN:
        assert (at[..., 0] >= -1e-9).all()
        assert (at[..., 0] <= 3_000 + 1e-9).all()
        assert moved.max() <= 139.0 * seconds + 1e-6
        return
    assert (at[..., :2] >= -1e-9).all()
    assert (at[..., 0] <= AREA["width_m"] + 1e-9).all()
    assert (at[..., 1] <= AREA["height_m"] + 1e-9).all()
    low, high = (30.0, 120.0) if walk == UAV else (1.5, 1.5)
    assert (at[..., 2] >= low - 1e-9).all()
    assert (at[..., 2] <= high + 1e-9).all()
    fastest = {STILL: 0.0, GAUSS_MARKOV: 1.4 + 8 * 0.3, WAYPOINT: 2.0, MANHATTAN: 14.0, UAV: 20.0}[walk]
    assert moved.max() <= fastest * seconds + 1e-6


@pytest.mark.parametrize("walk", [GAUSS_MARKOV, WAYPOINT, MANHATTAN, TRAIN, UAV])
def test_a_user_moves_the_same_whoever_else_is_there(walk: int) -> None:
    alone = trace(users(walk), 50, 1.0)[:, 0]
    among = trace(users(walk, MANHATTAN, UAV, walk, GAUSS_MARKOV), 50, 1.0)[:, 0]
    np.testing.assert_array_equal(alone, among)
    other = trace(users(walk, seed=8), 50, 1.0)[:, 0]
    assert not np.array_equal(alone, other)


@pytest.mark.parametrize("walk", [WAYPOINT, MANHATTAN, TRAIN, UAV])
def test_short_steps_lead_where_long_ones_do(walk: int) -> None:
    long, short = users(*[walk] * 20), users(*[walk] * 20)
    np.testing.assert_allclose(trace(long, 40, 2.0), trace(short, 800, 0.1)[::20], atol=1e-6)


def test_manhattan_users_stay_on_streets_and_turn_as_often_as_the_report_says() -> None:
    """A block a step: each step passes one crossing, and who turned there has moved in both directions."""
    rules = {"block_m": 100.0, "width_m": 100_000.0, "height_m": 100_000.0, "street_low": 10.0, "street_high": 10.0}
    at = trace(users(*[MANHATTAN] * 1_000, **rules), 40, 10.0)[..., :2]
    off = np.abs(at / 100.0 - np.round(at / 100.0)).min(axis=2)
    assert off.max() < 1e-6
    moved = np.abs(np.diff(at, axis=0))
    np.testing.assert_allclose(moved.sum(axis=2), 100.0, atol=1e-6)
    turned = (moved > 1e-6).all(axis=2)
    assert turned.mean() == pytest.approx(0.5, abs=0.01)  # 40 000 crossings: 0.0025


def test_gauss_markov_keeps_its_mean_speed_and_its_time_constant() -> None:
    rules = {"width_m": 1e7, "height_m": 1e7, "mean_speed": 10.0, "sigma_speed": 1.0, "memory": 0.8}
    for seconds in (0.5, 1.0, 2.0):
        mobility = users(*[GAUSS_MARKOV] * 4_000, **rules)
        speeds = []
        for _ in range(60):
            mobility.step(seconds)
            speeds.append(np.linalg.norm(mobility.velocities(), axis=1))
        late = np.stack(speeds[20:])
        assert late.mean() == pytest.approx(10.0, abs=0.05)
        assert late.std() == pytest.approx(1.0, abs=0.03)
        lag = late - 10.0
        assert (lag[1:] * lag[:-1]).mean() / lag.var() == pytest.approx(0.8**seconds, abs=0.02)


def test_waypoint_speeds_do_not_decay() -> None:
    at = trace(users(*[WAYPOINT] * 500, low_speed=1.0, high_speed=2.0, pause_s=0.0), 3_000, 1.0)
    speed = np.linalg.norm(np.diff(at, axis=0), axis=2)
    harmonic = 1.0 / np.log(2.0)  # the mean over time of a speed drawn uniformly a leg: 1/E[1/v]
    assert speed[-500:].mean() == pytest.approx(harmonic, rel=0.02)


def test_a_train_keeps_its_users_together() -> None:
    kinds, trains = np.full(40, TRAIN, np.uint8), np.repeat([0, 1], 20).astype(np.uint32)
    mobility = _core.Mobility(3, kinds, trains, TRACK)
    for _ in range(300):
        mobility.step(1.0)
        at = mobility.positions()
        for part in (at[:20], at[20:]):
            assert np.linalg.norm(part - part[0], axis=1).max() <= 200.0 + 1e-6
    speed = np.linalg.norm(mobility.velocities(), axis=1)
    assert (speed > 96).all()
    assert (speed < 140).all()
    assert len(np.unique(speed.round(6))) == 2


def test_velocities_say_where_users_go() -> None:
    mobility = users(WAYPOINT, UAV, TRAIN, MANHATTAN, pause_s=0.0)
    for _ in range(50):
        before, velocity = mobility.positions(), mobility.velocities()
        mobility.step(1e-3)
        moved = (mobility.positions() - before) / 1e-3
        same = np.linalg.norm(moved - velocity, axis=1) < 1e-3 * np.linalg.norm(velocity, axis=1) + 1e-6
        assert same.sum() >= 3  # one of them may just have turned
        mobility.step(5.0)


@pytest.mark.parametrize(
    ("rules", "error", "said"),
    [
        ({"width_m": 0.0}, ValueError, "wider than 0 m"),
        ({"low_speed": 0.0}, ValueError, "above 0 m/s"),
        ({"high_speed": 0.1}, ValueError, "not below the lowest"),
        ({"memory": 1.0}, ValueError, r"memory in \[0, 1\)"),
        ({"block_m": 2_000.0}, ValueError, "fits into the area"),
        ({"uav_ceiling_m": 10.0}, ValueError, "above the floor"),
        ({"pause_s": float("nan")}, ValueError, "pause of 0 s"),
        ({"speed": 1.0}, TypeError, "there is no rule 'speed'"),
        ({"memory": "much"}, TypeError, "expected a number for 'memory'"),
    ],
)
def test_rules_that_cannot_be_are_refused(rules: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        users(GAUSS_MARKOV, **rules)


def test_users_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="0 to 5"):
        users(6)
    with pytest.raises(ValueError, match="track has no length"):
        _core.Mobility(1, np.array([TRAIN], np.uint8), np.zeros(1, np.uint32))
    with pytest.raises(ValueError, match="a train number a user"):
        _core.Mobility(1, np.array([STILL], np.uint8), np.zeros(2, np.uint32))
    mobility = users(STILL)
    for seconds in (0.0, -1.0, 61.0, float("nan")):
        with pytest.raises(ValueError, match="at most 60 s"):
            mobility.step(seconds)
