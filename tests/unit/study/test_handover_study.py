"""The replay of drives: what is learned comes from the training drives, and the figures are those of the definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.data import data_file
from support.drives import town
from tiertwin.errors import InputError
from tiertwin.study.drives import Drive, load_drives, moments
from tiertwin.study.handover import (
    a3_time,
    counts,
    half_time,
    handover_study,
    logistic,
    ours_more,
    probability,
    scores,
)
from tiertwin.study.nextcell import Handovers, Votes, gauss_markov_m, handovers, markov2, strongest


def write(folder: Path, text: str) -> Path:
    path = folder / "ucc5g_traces.csv"
    path.write_text(text)
    return path


def drive(cells: list[int], times: list[float] | None = None, **columns: list[float]) -> Drive:
    k = len(cells)
    zero = np.zeros(k)
    given = {name: np.array(column, dtype=float) for name, column in columns.items()}
    return Drive(
        "d",
        np.array(times if times is not None else range(k), dtype=float),
        given.get("x_m", zero),
        zero,
        given.get("speed_mps", zero),
        np.array(cells),
        np.zeros(k, dtype=bool),
        given.get("serving_dbm", zero - 80),
        given.get("neighbour_dbm", zero - 90),
        zero,
        zero,
    )


def test_what_a_sample_knows_and_what_comes() -> None:
    m = moments(drive([1, 1, 1, 2, 2, 1, 1]))
    assert m.until_s.tolist() == [3, 2, 1, 2, 1, np.inf, np.inf]
    assert m.next_cell.tolist() == [2, 2, 2, 1, 1, -1, -1]
    assert m.previous.tolist() == [-1, -1, -1, 1, 1, 2, 2]
    assert m.dwell_s.tolist() == [0, 1, 2, 0, 1, 0, 1]
    assert m.seen_s.tolist() == [6, 5, 4, 3, 2, 1, 0]


def test_a_gap_hides_what_comes_after_it() -> None:
    m = moments(drive([1, 1, 2, 2, 3], [0, 1, 50, 51, 52]))
    assert m.until_s.tolist() == [np.inf, np.inf, 2, 1, np.inf]
    assert m.previous.tolist() == [-1, -1, -1, -1, 2]
    assert m.seen_s.tolist() == [1, 0, 2, 1, 0]


def test_trends_are_slopes_within_one_cell_and_of_the_past() -> None:
    level = [-80.0, -82, -84, -70, -73, -76, -79]
    m = moments(drive([1, 1, 1, 2, 2, 2, 2], serving_dbm=level))
    assert m.serving[0].tolist() == level
    assert m.serving[1].tolist() == pytest.approx([0, -2, -2, 0, -3, -3, -3])
    altered = moments(drive([1, 1, 1, 2, 2, 9, 9], serving_dbm=[*level[:5], 0, 0]))
    for then, now in zip((*altered.serving, altered.dwell_s), (*m.serving, m.dwell_s), strict=True):
        assert then[:5].tolist() == now[:5].tolist()


def test_a3_fires_when_the_extrapolated_margin_was_there_for_the_trigger() -> None:
    level = {"serving_dbm": [-80.0, -81, -82, -83], "neighbour_dbm": [-90.0, -89, -88, -87]}
    m = moments(drive([1] * 4, **level))
    assert a3_time(m, 0.0, 0.0).tolist() == pytest.approx([np.inf, 4, 3, 2])
    assert a3_time(m, 3.0, 0.5).tolist() == pytest.approx([np.inf, 6, 5, 4])
    falling = moments(drive([1] * 3, serving_dbm=[-80.0, -80, -80], neighbour_dbm=[-74.0, -76, -78]))
    assert a3_time(falling, 0.0, 1.0)[2] == 1.0  # 2 dB above, falling 2 dB/s: stays for the whole trigger
    assert a3_time(falling, 0.0, 1.1)[2] == np.inf
    assert np.isinf(a3_time(moments(drive([1] * 3, neighbour_dbm=[np.nan] * 3)), 0.0, 0.0)).all()


def test_alarms_are_counted_where_the_truth_is_known() -> None:
    m = moments(drive([1, 1, 1, 1, 2, 2, 2]))
    alarm = np.array([np.inf, 1.0, np.inf, 1.0, 1.0, np.inf, 0.5])
    found = counts(m, alarm, 2.0)
    assert found.tolist() == [1, 2, 1, 0.0, 2]  # of the last two samples nobody knows what came within 2 s
    values = scores(found[None])
    assert values["precision"] == pytest.approx(1 / 3)
    assert values["recall"] == 0.5
    assert values["time_error_s"] == 0.0  # "never" counts as 2 s, and so it was
    assert counts(m, alarm, 2.0, np.full(7, 1.0))[3] == 1.0


def test_half_of_the_probability() -> None:
    within = np.array([[0.1, 0.2, 0.6], [0.5, 0.6, 0.6], [0.0, 0.0, 0.2]])
    assert half_time(within, 3).tolist() == [3, 1, 3]
    assert half_time(within, 2).tolist() == [1, 1, 1]


def test_logistic_regression_finds_the_probabilities_that_made_the_data() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(size=(20_000, 2)), np.ones((20_000, 1))], axis=1)
    true = np.array([1.0, -0.5, -2.0])
    found = logistic(x, rng.random(20_000) < probability(x, true))
    np.testing.assert_allclose(found, true, atol=0.08)


def test_speed_comes_back_to_its_mean() -> None:
    speed, mean = np.array([20.0]), np.array([10.0])
    middle = (np.arange(100_000) + 0.5) * 5e-5
    way = float((10 + 10 * 0.85**middle).sum() * 5e-5)
    assert gauss_markov_m(speed, mean, 5.0)[0] == pytest.approx(way, rel=1e-8)


def test_the_street_is_learned_and_its_direction_matters(tmp_path: Path) -> None:
    drives, report = load_drives(write(tmp_path, town(8)))
    assert report["repeated_or_bad_rows"] == report["gaps"] == 0
    told = [moments(d) for d in drives]
    known, asked = handovers(drives[:6], told[:6], 2.0), handovers(drives[6:], told[6:], 2.0)
    assert len(asked) == 10
    votes = Votes(known)
    assert votes.training_hits > 0.9
    assert (votes.predict(asked) == asked.truth).mean() == 1.0
    met = asked.previous >= 0  # a first cell has no cell before it, and both ways lead out of it
    assert (markov2(known, asked) == asked.truth)[met].all()


def test_nothing_of_the_reported_drives_is_learned(tmp_path: Path) -> None:
    """A stranger cell in the last drive changes its figures and nothing that was chosen."""
    plain = handover_study(write(tmp_path, town(8)), [1, 5], 0.75, 20)
    altered = handover_study(write(tmp_path, town(8, last_cell=1)), [1, 5], 0.75, 20)
    assert (
        plain["training_drives"] == altered["training_drives"] == [f"B_2020.01.{d:02d}_12.00.00" for d in range(1, 7)]
    )
    assert [row["chosen"] for row in plain["alarms"]] == [row["chosen"] for row in altered["alarms"]]
    assert plain["next_cell"][0]["chosen"] == altered["next_cell"][0]["chosen"]
    assert plain["next_cell"][0]["hit_rate"]["value"] > altered["next_cell"][0]["hit_rate"]["value"]
    last = next(row for row in plain["alarms"] if row["method"] == "last value")
    assert last["recall"]["value"] == 0.0
    assert np.isnan(last["precision"]["value"])


@pytest.mark.parametrize(
    ("horizons", "train", "message"),
    [
        ([0], 0.5, "horizon: expected whole seconds from 1 to 10, got 0"),
        ([], 0.5, "horizon: expected whole seconds from 1 to 10, got none"),
        ([1], 1.5, "train: expected a share between 0 and 1, got 1.5"),
        ([1], 0.1, "train: expected at least 2 of 8 drives on either side, got 1"),
    ],
)
def test_settings_are_checked(tmp_path: Path, horizons: list[int], train: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        handover_study(write(tmp_path, town(8)), horizons, train)


def test_too_few_drives_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected at least 4 drives, got 2"):
        handover_study(write(tmp_path, town(2)), [1], 0.5)


def test_the_drives_of_cork_beat_the_baselines() -> None:
    found = handover_study(data_file("ucc5g_traces.csv.gz"), [5], 0.667, 100)
    assert len(found["training_drives"]) + len(found["reported_drives"]) == 37
    alarm = {row["method"]: row for row in found["alarms"]}
    assert all(row["ours_more"]["low"] > 0.0 for method, row in alarm.items() if method != "ours")
    cell = {row["method"]: row for row in found["next_cell"]}
    assert all(row["ours_more"]["low"] > 0.05 for method, row in cell.items() if method != "ours")
    assert cell["last value"]["hit_rate"]["value"] == 0.0


def test_differences_are_paired_by_drive() -> None:
    rng = np.random.default_rng(8)
    easy = rng.uniform(0.2, 0.8, 30)[:, None]  # drives differ much, the methods little
    other = np.concatenate([np.full((30, 1), 100.0), 100.0 * easy, np.zeros((30, 5))], axis=1)
    ours = other + np.array([0.0, 5.0, 0, 0, 0, 0, 0])

    def rate(sums: np.ndarray) -> dict[str, float]:
        return {"rate": float(sums[:, 1].sum() / sums[:, 0].sum())}

    found = ours_more(ours, other, rate, "rate", 200)["ours_more"]
    assert found["low"] == pytest.approx(0.05)
    assert found["high"] == pytest.approx(0.05)


def test_the_strongest_cell_is_near_and_of_the_same_generations() -> None:
    here = drive([1, 2, 3, 4], serving_dbm=[-90.0, -80, -70, -50], x_m=[0.0, 10, 20, 500])
    here.slow[2] = True
    asked = Handovers(*(np.array([v]) for v in (0, 1, -1, False, 5.0, 0.0, 2, False)))
    assert strongest([here], asked).tolist() == [2]
    assert strongest([here], Handovers(*(np.array([v]) for v in (0, 4, -1, False, 900.0, 0.0, 2, False)))).tolist() == [
        -1
    ]
