"""What acting on late samples loses: the regret is one, and prediction wins where there is something to predict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from support.data import data_file
from tiertwin.errors import InputError
from tiertwin.study import datafolder
from tiertwin.study.alignment import alignment_study, play, regret, shared, synthetic, utility
from tiertwin.study.datafolder import DataMissingError
from tiertwin.study.milan import milan_study, milan_world

amounts = st.lists(st.floats(0.1, 100.0), min_size=2, max_size=6)
alphas = st.sampled_from([0.5, 1.0, 2.0, 3.0])


@given(amounts, st.data(), alphas)
def test_knowing_costs_nothing_and_not_knowing_never_pays(
    demand: list[float], data: st.DataObject, alpha: float
) -> None:
    n = len(demand)
    truth = np.array(demand)
    belief = np.array(data.draw(st.lists(st.floats(0.1, 100.0), min_size=n, max_size=n)))
    value = np.array(data.draw(st.lists(st.sampled_from([1.0, 2.0, 4.0]), min_size=n, max_size=n)))
    assert shared(truth, value, alpha).sum() == pytest.approx(1.0)
    assert regret(truth, truth, value, alpha) == (0.0, 0.0)
    lost, worth = regret(belief, truth, value, alpha)
    assert lost >= -1e-12 * max(1.0, abs(utility(shared(truth, value, alpha), truth, value, alpha)))
    assert -1e-12 <= worth < 1.0


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_closed_form_is_the_optimum(alpha: float) -> None:
    demand, value = np.array([3.0, 10.0, 25.0]), np.array([4.0, 1.0, 2.0])
    found = minimize(
        lambda x: -utility(x, demand, value, alpha),
        np.full(3, 1 / 3),
        bounds=[(1e-6, 1)] * 3,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(shared(demand, value, alpha), found.x, atol=1e-4)


def test_worth_is_the_capacity_that_could_be_given_away() -> None:
    demand, belief, value = np.array([3.0, 10.0]), np.array([6.0, 8.0]), np.array([1.0, 2.0])
    for alpha in (0.5, 1.0, 2.0):
        _, worth = regret(belief, demand, value, alpha)
        less = utility((1 - worth) * shared(demand, value, alpha), demand, value, alpha)
        assert less == pytest.approx(float(utility(shared(belief, value, alpha), demand, value, alpha)))


def won(kind: str) -> tuple[dict[str, float], dict[str, dict[str, np.ndarray]]]:
    found = play(synthetic(kind, range(4), 12, 3.0), 1200, 1.0)
    base = found["newest value"]["regret"]
    return {name: float(1 - figures["regret"].mean() / base.mean()) for name, figures in found.items()}, found


def test_a_day_is_predicted_and_of_a_walk_there_is_little_to_lose(monkeypatch) -> None:
    monkeypatch.setattr("tiertwin.study.alignment.WARM_UP_S", 300.0)
    monkeypatch.setattr("tiertwin.study.alignment.LENGTH_S", 200.0)
    day, figures = won("day")
    assert day["best"] > 0.7
    assert (figures["best"]["regret"] < figures["newest value"]["regret"]).all()
    assert (figures["best"]["error"] < figures["newest value"]["error"]).all()
    assert day["best, raw clocks"] < day["best"]
    walk, _ = won("walk")
    assert -0.1 < walk["best"] < 0.1


def test_ages_are_what_periods_and_delays_make_them(monkeypatch) -> None:
    monkeypatch.setattr("tiertwin.study.alignment.WARM_UP_S", 100.0)
    monkeypatch.setattr("tiertwin.study.alignment.LENGTH_S", 100.0)
    world = synthetic("walk", range(2), 60, 1.0)
    found = play(world, 400, 1.0)
    lead = (world.lead + world.term / 2) * world.step_s
    expected = ((world.period - 1) / 2 + world.delay - 0.5).mean() * world.step_s + lead
    assert found["best"]["clock_s"].max() < 0.02
    assert found["best, raw clocks"]["clock_s"].min() > 1.0
    assert found["best"]["age_s"].mean() == pytest.approx(expected, abs=0.15)  # clocks are right to 10 ms


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (([1], 5, [1.0], 1.0), "seeds: expected at least 2"),
        ((range(2), 1, [1.0], 1.0), "rows: expected at least 2 to share between, got 1"),
        ((range(2), 5, [1.0], 0.0), "alpha: expected a positive number, got 0"),
        ((range(2), 5, [-1.0], 1.0), "delay: expected 0 … 90 s, got -1"),
    ],
)
def test_settings_are_checked(options: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        alignment_study(*options)


def test_a_missing_folder_or_file_is_told_with_what_to_set(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv(datafolder.VARIABLE, raising=False)
    with pytest.raises(DataMissingError, match=r"Set TIERTWIN_DATA to the folder with milan_hourly\.npz: `export"):
        milan_study([0], 1.0)
    monkeypatch.setenv(datafolder.VARIABLE, str(tmp_path))
    with pytest.raises(DataMissingError, match=r"No milan_hourly\.npz in .*, the folder that TIERTWIN_DATA names"):
        milan_study([0], 1.0)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"other": np.zeros(3)}, "expected arrays with 'activity'"),
        ({"activity": np.zeros((3, 2000))}, "expected activity of 20 cells and 674 hours or more, got"),
        ({"activity": np.full((20, 2000), -1)}, "expected finite activity of at least 0"),
    ],
)
def test_a_file_that_is_not_milans(tmp_path, arrays: dict, message: str) -> None:
    np.savez(tmp_path / "milan_hourly.npz", **arrays)
    with pytest.raises(InputError, match=message):
        milan_world(tmp_path / "milan_hourly.npz", 0)


def test_milan_is_foreseen_by_its_week() -> None:
    data_file("milan_hourly.npz")
    rows = {row["belief"]: row for row in milan_study([1], 1.0)}
    assert rows["best + profile"]["won"] > rows["best + profile"]["won_half"] > 0.0
    assert rows["best + profile"]["won_percent"] > 50.0
    assert rows["best + profile"]["error_percent"] < 0.6 * rows["newest value"]["error_percent"]
