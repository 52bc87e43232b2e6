"""Target areas: who enters and leaves, what is wrong there, whom it touches; forecasts; worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.errors import InputError
from tiertwin.functions.areas import CLASSES, ChangeFlag, Limits, TargetAreas, closure, influence, judge
from tiertwin.functions.predictors import Ar1, Ewma, Predictor, Ridge

SEEDS = st.integers(0, 2**32 - 1)


def limits() -> Limits:
    """Load high, coverage low, and fault, in three classes."""
    return Limits(
        theta=np.array([0.8, -100.0, 0.5]), scale=np.array([0.1, 10.0, 0.5]), weight=np.array([1.0, 1.0, 0.5]),
        low_is_bad=np.array([False, True, False]), kind=np.array([0, 1, 5]),
    )  # fmt: skip


def test_violations_and_labels() -> None:
    predicted = np.array([[0.9, -90.0, 0.0], [0.7, -120.0, 1.0], [np.nan, -100.0, 0.5], [0.85, -105.0, 1.5]])
    parts = limits().violation(predicted)
    np.testing.assert_allclose(parts, [[1.0, 0, 0], [0, 2.0, 0.5], [0, 0, 0], [0.5, 0.5, 1.0]])
    labels = limits().label(parts)
    assert [CLASSES[k] if k >= 0 else None for k in labels] == ["overload", "coverage", None, "fault"]


def test_limits_are_checked() -> None:
    good = vars(limits())
    for wrong, message in (
        ({"theta": np.ones(2)}, "expected shape"),
        ({"scale": np.zeros(3)}, "scale > 0"),
        ({"kind": np.array([0, 1, 6])}, "kind: expected"),
    ):
        with pytest.raises(InputError, match=message):
            Limits(**good | wrong)


def test_areas_enter_high_leave_low_and_the_largest_are_kept() -> None:
    areas = TargetAreas(4, theta_hi=1.0, theta_lo=0.5, most=2)
    assert areas.update(np.array([0.7, 1.1, 0.0, 0.0])).tolist() == [False, True, False, False]
    assert areas.update(np.array([0.7, 0.6, 0.0, 0.0])).tolist() == [False, True, False, False]
    assert areas.update(np.array([1.2, 0.6, 1.3, 1.1])).tolist() == [True, False, True, False]
    assert areas.update(np.array([0.4, 0.4, 0.4, 0.4])).tolist() == [False] * 4
    changed = np.array([False, False, False, True])
    assert areas.update(np.array([0.4, 0.4, 0.4, 0.0]), changed).tolist() == changed.tolist()


def test_areas_are_checked() -> None:
    with pytest.raises(InputError, match="theta_lo"):
        TargetAreas(3, theta_hi=0.0, theta_lo=1.0, most=1)
    with pytest.raises(InputError, match="expected 3 scores"):
        TargetAreas(3, theta_hi=1.0, theta_lo=0.0, most=1).update(np.array([1.0, np.nan, 0.0]))


@given(SEEDS)
@settings(max_examples=20)
def test_influence_is_the_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    power, gain, serving = rng.random(4), rng.random((4, 9)), rng.integers(-1, 4, 9)
    expected = np.zeros((4, 4))
    for k, i in enumerate(serving):
        for j in range(4):
            if i >= 0 and i != j:
                others = sum(power[b] * gain[b, k] for b in range(4) if b != i)
                expected[i, j] += power[j] * gain[j, k] / (others + 0.01)
    np.testing.assert_allclose(influence(power, gain, serving, 0.01), expected, rtol=1e-12)


@given(SEEDS, st.floats(0.0, 1.0))
@settings(max_examples=30)
def test_a_closure_is_closed_and_the_least(seed: int, eps: float) -> None:
    rng = np.random.default_rng(seed)
    strength, areas = rng.random((8, 8)), rng.random(8) < 0.2
    closed = closure(areas, strength, eps)
    assert (areas <= closed).all()
    assert not (strength[np.ix_(closed, ~closed)] > eps).any()
    np.testing.assert_array_equal(closure(closed, strength, eps), closed)
    once = closure(areas, strength, eps, steps=1)
    np.testing.assert_array_equal(once, areas | (strength[areas] > eps).any(axis=0))
    assert (once <= closed).all()
    assert (closure(areas, strength, eps + 0.1) <= closed).all()


def test_influence_and_closure_are_checked() -> None:
    with pytest.raises(InputError, match="expected gain"):
        influence(np.ones(2), np.ones((2, 3)), np.array([0, 1, 2]), 1.0)
    with pytest.raises(InputError, match="strength"):
        closure(np.ones(3, dtype=np.bool_), np.ones((2, 2)), 0.0)
    with pytest.raises(InputError, match="eps"):
        closure(np.ones(2, dtype=np.bool_), np.ones((2, 2)), -1.0)


def test_judgement() -> None:
    found, truth = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert (judge(found, truth).precision, judge(found, truth).recall, judge(found, truth).f1) == (0.5, 0.5, 0.5)
    assert judge(~found & found, truth & ~truth).f1 == 1.0
    assert judge(found, truth & ~truth) == judge(found & ~found, truth)
    with pytest.raises(InputError, match="truth"):
        judge(found, truth[:2])


def error(predictor: Predictor, series: np.ndarray, ahead: int) -> float:
    """Root mean square of forecasts of the second half."""
    forecasts = []
    for t in range(len(series) - ahead):
        predictor.update(series[t])
        forecasts.append(predictor.ahead(ahead))
    late = slice(len(series) // 2, None)
    return float(np.sqrt(np.mean((np.array(forecasts)[late] - series[ahead:][late]) ** 2)))


def test_each_predictor_is_best_where_its_model_holds() -> None:
    rng = np.random.default_rng(3)
    shape, ahead = (5, 4), 5
    noise = rng.normal(size=(600, *shape))
    reverting, swinging = np.zeros_like(noise), 10.0 * np.sin(np.arange(600) / 8.0)[:, None, None] + 0.1 * noise
    for t in range(1, 600):
        reverting[t] = 0.7 * reverting[t - 1] + noise[t]

    def all_on(series: np.ndarray) -> dict[str, float]:
        made = {"hold": Ewma(shape, 1.0), "ewma": Ewma(shape, 0.2), "ar1": Ar1(shape), "ridge": Ridge(shape, ahead)}
        return {name: error(predictor, series + 50.0, ahead) for name, predictor in made.items()}

    level, returning, wave = all_on(noise), all_on(reverting), all_on(swinging)
    assert level["ewma"] < 0.85 * level["hold"]
    assert level["ar1"] < 0.85 * level["hold"]
    assert returning["ar1"] < 0.85 * returning["hold"]
    assert returning["ar1"] < 1.1 * np.sqrt((1 - 0.7 ** (2 * ahead)) / (1 - 0.7**2))  # the least that is possible
    assert wave["ridge"] < 0.3 * wave["hold"]


@pytest.mark.parametrize("make", [Ewma, Ar1, lambda s: Ridge(s, 2)])
def test_forecasts_of_constants_gaps_and_nothing(make: object) -> None:
    predictor: Predictor = make((1, 3))  # type: ignore[operator]
    assert np.isnan(predictor.ahead(2)).all()
    for t in range(60):
        predictor.update(np.array([[4.0, np.nan, 1e6 if t % 3 else np.nan]]))
    result = predictor.ahead(2)
    np.testing.assert_allclose(result[0, [0, 2]], [4.0, 1e6])
    assert np.isnan(result[0, 1])
    with pytest.raises(InputError, match="values"):
        predictor.update(np.ones((1, 2)))
    with pytest.raises(InputError, match="steps"):
        predictor.ahead(-1)


def test_predictors_are_checked() -> None:
    for make in (
        lambda: Ewma((1, 1), 0.0),
        lambda: Ar1((1, 1), 1.0),
        lambda: Ridge((1, 1), 0),
        lambda: Ridge((1, 1), 1, 0),
    ):
        with pytest.raises(InputError, match="expected"):
            make()


def test_rising_zones_are_found_before_they_are_in_trouble() -> None:
    """40 zones; six rise into trouble, each at its own time; truth: load above 0.8 within the next H samples."""
    rng = np.random.default_rng(4)
    zones, samples, ahead = 40, 300, 10
    level = np.full((samples, zones), 0.5)
    for k, zone in enumerate(range(0, 30, 5)):
        start = 100 + 20 * k
        level[start:, zone] = 0.5 + 0.01 * np.arange(samples - start)
        level[start + 60 :, zone] = 0.5
    load = level + 0.01 * rng.normal(size=level.shape)
    watched = Limits(np.array([0.8]), np.array([0.1]), np.array([1.0]), np.array([False]), np.array([0]))
    truth = np.stack([(level[t : t + ahead + 1] > 0.8).any(axis=0) for t in range(samples - ahead)])
    figures = {}
    for name, predictor in (("ridge", Ridge((zones, 1), ahead)), ("hold", Ewma((zones, 1), 1.0))):
        areas, found = TargetAreas(zones, theta_hi=0.1, theta_lo=0.0, most=8), []
        for t in range(samples - ahead):
            predictor.update(load[t, :, None])
            found.append(areas.update(watched.violation(predictor.ahead(ahead)).sum(axis=1)))
        figures[name] = judge(np.array(found)[60:], truth[60:])
    assert figures["ridge"].recall > 0.85
    assert figures["ridge"].precision > 0.8
    assert figures["ridge"].f1 > figures["hold"].f1 + 0.05


def test_zones_that_change_are_flagged_and_others_seldom() -> None:
    """Two factors drive eight attributes; in three zones of 30 one attribute goes its own way from sample 300 on."""
    rng = np.random.default_rng(5)
    zones, samples = 30, 320
    mixing = rng.normal(size=(zones, 2, 8))
    values = np.einsum("tzk,zka->tza", rng.normal(size=(samples, zones, 2)), mixing)
    values += 0.1 * rng.normal(size=values.shape)
    changed = np.array([3, 11, 27])
    values[300:, changed, 0] += 3.0 * np.abs(mixing[changed, :, 0]).sum(axis=1)
    flag = ChangeFlag(zones, 8, 150, share=0.95, confirm=2, delay=20)
    flags = np.stack([flag.push(np.ascontiguousarray(row)) for row in values])
    assert not flags[:170].any()  # no model before the window is full
    assert flags[200:300].mean() < 0.01
    assert flags[301:310][:, changed].all()
    assert flag.excess.shape == (zones,)
    truth = np.zeros(zones, dtype=np.bool_)
    truth[changed] = True
    assert judge(flags[301:311], np.broadcast_to(truth, (10, zones))).f1 > 0.9
    with pytest.raises(InputError, match="confirm"):
        ChangeFlag(1, 1, 9, confirm=0)
