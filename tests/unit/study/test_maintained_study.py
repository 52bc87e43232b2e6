"""A year of maintenance: counted by hand on a few lives; levels that cost least; what makes no study."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.errors import InputError
from tiertwin.functions.assure.remaining import RemainingLife
from tiertwin.study.maintained import (
    FAILED,
    HORIZON_DAYS,
    PLANNED,
    PLANNED_S,
    Year,
    _difference,
    best_level,
    maintained_study,
    years,
)
from tiertwin.study.partlife import DAY_S, LAW, PERIOD_S, Life


def life(days: float, born: float = 0.0) -> Life:
    """A life whose only signal, vibration, is its age in days."""
    times = born + np.arange(PERIOD_S, days * DAY_S + 1.0, PERIOD_S)
    age = (times - born) / DAY_S
    return Life(age / days, np.column_stack([age, age, age]), times, born, born + days * DAY_S)


def age(one: Life) -> np.ndarray:
    return (one.times - one.born) / DAY_S


def test_failures_and_replacements_of_a_year_by_hand() -> None:
    row = [life(100.0)]
    nobody = years([row], age, np.inf)
    assert (nobody.unplanned, nobody.planned) == (3.0, 0.0)
    assert nobody.cost == 3.0 * FAILED
    assert nobody.availability_percent == pytest.approx(100.0 * (1.0 - 3.0 * LAW["repair_s"] / (HORIZON_DAYS * DAY_S)))
    early = years([row], age, 80.0)
    assert (early.unplanned, early.planned) == (0.0, 4.0)
    assert early.cost == 4.0 * PLANNED
    assert early.availability_percent == pytest.approx(100.0 * (1.0 - 4.0 * PLANNED_S / (HORIZON_DAYS * DAY_S)))


def test_lives_differ_and_parts_are_means() -> None:
    found = years([[life(50.0), life(200.0)], [life(400.0)]], age, 100.0)
    assert found.unplanned == pytest.approx((3.0 + 0.0) / 2.0)  # 50, 100, 50, 100, 50, …
    assert found.planned == pytest.approx((2.0 + 3.0) / 2.0)


def test_the_level_that_costs_least_is_before_all_lives_end_or_never() -> None:
    alike = [[life(100.0)] for _ in range(3)]
    level = best_level(alike, age)
    assert 85.0 < level <= 100.0
    nothing_told = best_level([[life(d) for d in (20.0, 90.0, 300.0)]], lambda one: np.zeros(len(one.times)))
    assert nothing_told == np.inf


def test_differences_stand_beside_the_claim() -> None:
    ways = {"predicted": 1.0, "periodic": 2.0, "failure": 4.0}
    told = [
        {way: Year(u + k, 0.0 if way == "failure" else 3.0, 99.0, u + k) for way, u in ways.items()} for k in (0, 1)
    ]
    row = _difference("periodic", told)
    assert row["unplanned"] == pytest.approx(-1.0)
    assert row["unplanned_percent"] == pytest.approx(-40.0)
    assert row["claimed_percent"] == -30.0
    nobody = _difference("failure", told)
    assert nobody["planned"] == 3.0
    assert np.isnan(nobody["planned_percent"])  # of nothing


def test_what_makes_no_study_is_told() -> None:
    for seeds, parts in ((range(1, 2), 60), (range(1, 3), 29)):
        with pytest.raises(InputError, match="expected two seeds and 30 parts"):
            maintained_study(seeds, parts)


def test_what_is_left_along_a_run_is_what_is_predicted_of_its_beginnings() -> None:
    random = np.random.default_rng(1)
    runs = [np.cumsum(random.random((n, 2)), axis=0) for n in range(40, 60)]
    model = RemainingLife(least_cycles=30).fit(runs)
    along = model.along(runs[:2])
    assert [len(part) for part in along] == [40, 41]
    assert np.isinf(along[0][:29]).all()
    for cycle in (30, 35, 40):
        assert along[0][cycle - 1] == pytest.approx(float(model.predict([runs[0][:cycle]]).mean[0]))
    with pytest.raises(InputError, match="expected fit"):
        RemainingLife().along(runs)
