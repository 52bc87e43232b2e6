"""The guard in the plant: a handful of faults, what was applied and what it was worth."""

from __future__ import annotations

import numpy as np
import pytest

from support.healing import world_of
from tiertwin.errors import InputError
from tiertwin.plant import SimulatedPlant
from tiertwin.study.guard import case_of, fail, guard_study

METRO = world_of("metro")


def test_cases_are_drawn_by_seed_and_some_are_mistaken() -> None:
    cases = [case_of(METRO, seed, 0.5) for seed in range(40)]
    assert cases == [case_of(METRO, seed, 0.5) for seed in range(40)]
    assert {len(case.causes) for case in cases} == {1, 2}
    assert 8 <= sum(case.mistaken for case in cases) <= 32
    assert not any(case_of(METRO, seed, 0.0).mistaken for seed in range(40))
    for case in cases:
        if case.mistaken:
            assert case.believed[0].kind == case.causes[0].kind


def test_a_fault_takes_down_what_its_cause_does() -> None:
    case = next(c for c in (case_of(METRO, seed, 0.0) for seed in range(40)) if c.causes[0].kind == "node")
    plant = SimulatedPlant(METRO, 1)
    shares = np.tile([0.0, 0.5, 0.5, 0.0], (METRO.device_count, 1))
    plant.actuate(np.arange(METRO.device_count, dtype=np.int64), shares)
    fail(plant, METRO, case.causes)
    plant.advance(500_000_000, 0)
    assert plant.kpis().lost.sum() > 0


def test_the_study_tells_what_was_applied_and_whether_it_helped() -> None:
    found = guard_study(METRO, cases=8, first_seed=30, mistaken=0.0)
    again = guard_study(METRO, cases=8, first_seed=30, mistaken=0.0)
    assert str(found) == str(again)
    assert found["cases"] == 8 == len(found["rows"])
    applied = [row for row in found["rows"] if row["applied"]]
    assert found["applied"] == len(applied) >= 3
    for row in applied:
        assert row["predicted_gain"] > 0.0
        assert row["predicted_worse"] <= 0.1
        assert row["kept"] != row["rolled_back"]
        if row["rolled_back"]:
            assert row["undone_after_s"] <= 5.0
            assert np.isfinite(row["left_gain"])
    assert found["gain_mean"] > 0.0
    assert sum(row["applied"] for row in found["calibration"]) == len(applied)
    assert found["refused"]


def test_what_cannot_be_played_is_told() -> None:
    with pytest.raises(InputError, match="cases ≥ 1"):
        guard_study(METRO, cases=0)
    with pytest.raises(InputError, match="without a radio access"):
        guard_study(world_of("mixed"), cases=1)
