"""Rows made up from history: what is given is kept, what cannot be is refused, and what is odd in a history is told."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tiertwin.errors import InputError, MissingExtraError, UnknownNameError
from tiertwin.functions.whatif import quality
from tiertwin.functions.whatif.boosted import BoostedSequence
from tiertwin.functions.whatif.columns import Column
from tiertwin.functions.whatif.copula import GaussianCopula
from tiertwin.functions.whatif.generators import Generator, Independent, Perturbation, Replay
from tiertwin.functions.whatif.maker import ScenarioMaker, demand_situations
from tiertwin.functions.whatif.plausible import Plausibility
from tiertwin.model.interventions import ScaleDemand

COLUMNS = [
    Column("hour", "context"),
    Column("load", low=0.0, scale="root"),
    Column("neighbour", low=0.0, scale="root"),
    Column("failed", "discrete", low=0.0),
    Column("fixed"),
]
KINDS = [Replay, Perturbation, Independent, GaussianCopula]


def history(days: int = 60, holes: bool = True, seed: int = 0) -> np.ndarray:
    """Hours with two loads that go together and a failure that comes with high load."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 6) % 6
    common = rng.normal(size=len(hour))
    load = (10 + 3 * np.sin(hour) + common + 0.3 * rng.normal(size=len(hour))) ** 2
    neighbour = (6 + np.cos(hour) + 0.8 * common + 0.3 * rng.normal(size=len(hour))) ** 2
    failed = (common + 0.5 * rng.normal(size=len(hour)) > 1.0).astype(float)
    rows = np.column_stack([hour, load, neighbour, failed, np.full(len(hour), 7.0)])
    if holes:
        rows[rng.random(len(rows)) < 0.1, 1] = np.nan
    return rows


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_given_is_kept_and_a_seed_repeats(kind: type[Generator]) -> None:
    model = kind().fit(history(), COLUMNS)
    made = model.sample(50, {"hour": 3, "neighbour": 49.0}, seed=4)
    assert made.shape == (50, 5)
    assert np.isfinite(made).all()
    assert (made[:, 0] == 3).all()
    assert (made[:, 2] == 49.0).all()
    assert (made[:, 4] == 7.0).all()  # constant, carried
    assert set(made[:, 3]) <= {0.0, 1.0}
    assert (made == model.sample(50, {"hour": 3, "neighbour": 49.0}, seed=4)).all()
    assert (made != model.sample(50, {"hour": 3, "neighbour": 49.0}, seed=5)).any()
    assert model.sample(0).shape == (0, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_a_row_is_taken_row_by_row(kind: type[Generator]) -> None:
    model = kind().fit(history(), COLUMNS)
    hours = np.arange(30) % 6
    made = model.sample(30, {"hour": hours, "neighbour": np.linspace(30.0, 60.0, 30)})
    assert (made[:, 0] == hours).all()
    assert np.allclose(made[:, 2], np.linspace(30.0, 60.0, 30))


def test_the_copula_knows_what_goes_with_what() -> None:
    rows = history(200, holes=False)
    model = GaussianCopula().fit(rows, COLUMNS)
    low = model.sample(2_000, {"hour": 2, "neighbour": 20.0}, seed=1)
    high = model.sample(2_000, {"hour": 2, "neighbour": 50.0}, seed=1)
    assert high[:, 1].mean() > 1.3 * low[:, 1].mean()
    assert high[:, 3].mean() > low[:, 3].mean() + 0.2
    failing = model.sample(2_000, {"hour": 2, "failed": 1.0}, seed=1)
    real = rows[(rows[:, 0] == 2) & (rows[:, 3] == 1.0), 1]
    usual = rows[(rows[:, 0] == 2) & (rows[:, 3] == 0.0), 1]
    assert abs(failing[:, 1].mean() - real.mean()) < 0.5 * (real.mean() - usual.mean())
    assert (
        Independent().fit(rows, COLUMNS).sample(2_000, {"hour": 2, "neighbour": 50.0})[:, 1].mean() < high[:, 1].mean()
    )


def test_contexts_are_kept_apart_and_mixed_as_in_history() -> None:
    rows = history(300, holes=False)
    made = GaussianCopula().fit(rows, COLUMNS).sample(12_000, seed=2)
    for hour in range(6):
        ours, theirs = made[made[:, 0] == hour], rows[rows[:, 0] == hour]
        assert ours[:, 1].mean() == pytest.approx(theirs[:, 1].mean(), rel=0.05)
        assert ours[:, 1].std() == pytest.approx(theirs[:, 1].std(), rel=0.2)
        assert len(ours) / len(made) == pytest.approx(1 / 6, abs=0.02)


def test_replay_copies_and_perturbation_moves() -> None:
    rows = history(holes=False)
    copied = Replay().fit(rows, COLUMNS).sample(40, seed=3)
    assert all((rows == row).all(axis=1).any() for row in copied)
    assert (quality.novelty(copied, rows, COLUMNS) < 1e-6).all()
    still = Perturbation(0.0).fit(rows, COLUMNS).sample(40, seed=3)
    assert np.allclose(still, copied)
    moved = Perturbation(1.0).fit(rows, COLUMNS).sample(40, seed=3)
    assert np.median(quality.novelty(moved, rows, COLUMNS)) > 0.5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r[:0], "at least 8 rows"),
        (lambda r: r[:3], "at least 8 rows"),
        (lambda r: r[:, :3], "5 columns"),
        (lambda r: np.where(np.arange(5) == 1, np.nan, r), "load: expected values, all 360 are missing"),
        (lambda r: np.where(np.arange(5) == 1, np.inf, r), "load: expected finite values"),
        (lambda r: np.where(np.arange(5) == 2, -r, r), "neighbour: expected values in"),
        (lambda r: np.where((np.arange(5) == 0) & (r == 3), np.nan, r), "hour: expected the context of every row"),
    ],
)
def test_odd_histories_are_told(change: object, told: str) -> None:
    assert callable(change)
    with pytest.raises(InputError, match=told):
        GaussianCopula().fit(change(history(holes=False)), COLUMNS)


def test_columns_are_checked() -> None:
    with pytest.raises(InputError, match="more than once"):
        Replay().fit(np.zeros((9, 2)), [Column("a"), Column("a")])
    with pytest.raises(InputError, match="no context"):
        Replay().fit(np.zeros((9, 1)), [Column("a", "context")])
    with pytest.raises(InputError, match="have a log"):
        Replay().fit(np.zeros((9, 1)), [Column("a", scale="log")])


def test_what_cannot_be_given_is_told() -> None:
    model = GaussianCopula().fit(history(), COLUMNS)
    with pytest.raises(UnknownNameError, match="Did you mean 'neighbour'"):
        model.sample(1, {"neighbours": 3.0})
    with pytest.raises(InputError, match="no row with {'hour': 9.0}; known values"):
        model.sample(1, {"hour": 9})
    with pytest.raises(InputError, match="fixed was 7 in all of history"):
        model.sample(1, {"fixed": 8.0})
    with pytest.raises(InputError, match="one finite value of load, or 2"):
        model.sample(2, {"load": [1.0, 2.0, 3.0]})
    with pytest.raises(InputError, match="finite"):
        model.sample(2, {"load": np.nan})
    with pytest.raises(InputError, match="fit"):
        GaussianCopula().sample(1)


def test_all_columns_constant_is_a_history_of_one_row() -> None:
    rows = np.column_stack([np.arange(10) % 2, np.full(10, 3.0)])
    columns = [Column("hour", "context"), Column("load")]
    for kind in KINDS:
        made = kind().fit(rows, columns).sample(5, {"hour": 1})
        assert (made == [1.0, 3.0]).all()
    assert np.isnan(quality.novelty(rows, rows, columns)).all()


def test_the_maker_counts_what_it_rejects() -> None:
    model = Independent().fit(history(200, holes=False), COLUMNS)
    made = ScenarioMaker(model).make(200, {"hour": 2}, seed=1)
    assert made.rows.shape == (200, 5)
    assert made.rejected["too far from history"] > 0
    assert made.drawn - made.rejected["too far from history"] >= 200
    assert ScenarioMaker(model).bounds.judge(made.rows).allowed.all()
    assert len(made.novelty) == 200
    assert (made.column("hour") == 2).all()
    with pytest.raises(KeyError, match="No column 'x'"):
        made.column("x")


def test_physical_bounds_hold_for_what_is_given_and_made() -> None:
    rows = history(holes=False)
    tight = [*COLUMNS[:1], Column("load", low=0.0, high=float(rows[:, 1].max()), scale="root"), *COLUMNS[2:]]
    model = GaussianCopula().fit(rows, tight)
    maker = ScenarioMaker(model, Plausibility(model.history, reach=np.inf))
    with pytest.raises(InputError, match="physically in"):
        maker.make(5, {"load": -1.0})
    made = maker.make(3_000, seed=1)
    assert made.rows[:, 1].max() <= rows[:, 1].max()
    assert any("load above" in reason for reason in made.rejected)


def test_what_is_asked_for_is_not_held_against_a_row() -> None:
    model = GaussianCopula().fit(history(200, holes=False), COLUMNS)
    asked = {"hour": 2.0, "load": 900.0, "neighbour": 20.0}  # never seen together
    made = ScenarioMaker(model).make(20, asked, seed=1)
    assert len(made.rows) == 20
    bounds = Plausibility(model.history)
    assert not bounds.judge(made.rows).allowed.any()  # nobody asked: too far


def test_nothing_plausible_is_an_error_with_counts() -> None:
    model = Perturbation(50.0).fit(history(100, holes=False), COLUMNS)
    with pytest.raises(InputError, match="none of 10 rows drawn is plausible: {.*'too far from history': 10"):
        ScenarioMaker(model, attempts=2).make(5, seed=1)


def test_bounds_hold_what_they_say_of_days_to_come() -> None:
    rows = history(400, holes=False, seed=3)
    bounds = Plausibility(GaussianCopula().fit(rows[:1200], COLUMNS).history, level=0.95)
    share = bounds.judge(rows[1200:]).allowed.mean()
    assert 0.92 < share < 0.98


def test_rows_become_situations_of_demand() -> None:
    model = GaussianCopula().fit(history(holes=False), COLUMNS)
    made = ScenarioMaker(model).make(4, {"hour": 2}, seed=1)
    found = demand_situations(made, {"load": "Ulm", "neighbour": None}, {"load": 50.0})
    assert [one.probability for one in found] == [0.25] * 4
    for k, one in enumerate(found):
        first, second = one.interventions
        assert first == ScaleDemand(made.column("load")[k] / 50.0, "Ulm")
        assert second == ScaleDemand(made.column("neighbour")[k] / made.column("neighbour").mean(), None)
    for areas, usual in (({}, {}), ({"lode": None}, {}), ({"load": None}, {"load": 0.0})):
        with pytest.raises(InputError):
            demand_situations(made, areas, usual)


def test_scores_of_quality() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(200, 2))
    assert quality.kolmogorov(real, real).max() == 0.0
    assert quality.kolmogorov(real + 100.0, real).min() == 1.0
    assert quality.correlation_error(real, real) == 0.0
    sure = np.repeat(real[:, None], 10, axis=1)
    assert np.abs(quality.crps(sure, real)).max() < 1e-12  # all mass on the truth
    members = rng.normal(size=(4_000, 50, 1))
    found = quality.crps(members, rng.normal(size=(4_000, 1))).mean()
    assert found == pytest.approx(1.0 / np.sqrt(np.pi), rel=0.03)  # of a normal law that is right
    x = np.abs(rng.normal(10.0, 1.0, (300, 3)))
    x[:, 2] = x[:, 0] + x[:, 1]
    assert quality.learned(x[:200], x[200:], [2]) < 0.01


def test_boosted_quantiles_follow_what_is_given() -> None:
    pytest.importorskip("sklearn")
    model = BoostedSequence().fit(history(100), COLUMNS)
    low = model.sample(300, {"hour": 2, "neighbour": 25.0}, seed=1)
    high = model.sample(300, {"hour": 2, "neighbour": 50.0}, seed=1)
    assert high[:, 1].mean() > 1.2 * low[:, 1].mean()
    assert set(high[:, 3]) <= {0.0, 1.0}
    assert (low == model.sample(300, {"hour": 2, "neighbour": 25.0}, seed=1)).all()


def test_boosted_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(MissingExtraError, match=r'pip install "tiertwin\[ml\]"'):
        BoostedSequence().fit(history(), COLUMNS)
