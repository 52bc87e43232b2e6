"""The demand estimator follows level and trend, ignores silence and does not run away."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin.functions.estimate import DemandEstimator

NOMINAL = np.array([10.0, 40.0, 1.0, 0.0])
ALL = np.ones(4)


def test_it_starts_at_nominal() -> None:
    assert DemandEstimator(NOMINAL).predict().tolist() == NOMINAL.tolist()


def test_one_measurement_moves_the_whole_site_at_once() -> None:
    estimator = DemandEstimator(NOMINAL)
    estimator.update(0.5 * NOMINAL, ALL)
    assert np.allclose(estimator.predict(), 0.5 * NOMINAL, rtol=1e-9)


def test_a_steady_ramp_is_followed_without_lag() -> None:
    estimator = DemandEstimator(NOMINAL)
    for t in range(60):
        estimator.update((1.0 + 0.02 * t) * NOMINAL, ALL)
    ahead = 1.0 + 0.02 * 60
    assert abs(estimator.predict()[1] / NOMINAL[1] - ahead) < 0.03 * ahead


def test_noise_of_small_groups_is_averaged_away() -> None:
    rng = np.random.default_rng(1)
    estimator = DemandEstimator(NOMINAL)
    found = []
    for _ in range(200):
        estimator.update(rng.poisson(NOMINAL).astype(float), ALL)
        found.append(estimator.predict()[0])
    assert np.std(found[50:]) < 0.6 * np.sqrt(NOMINAL[0])
    assert abs(np.mean(found[50:]) - NOMINAL[0]) < 0.5


def test_devices_that_did_not_report_are_not_taken_for_silent_ones() -> None:
    estimator = DemandEstimator(NOMINAL)
    estimator.update(0.25 * NOMINAL, np.full(4, 0.25))
    assert np.allclose(estimator.predict(), NOMINAL)


def test_no_report_at_all_changes_nothing() -> None:
    estimator = DemandEstimator(NOMINAL)
    estimator.update(2.0 * NOMINAL, ALL)
    before = estimator.predict()
    estimator.update(np.zeros(4), np.zeros(4))
    assert np.array_equal(estimator.predict(), before)


def test_negative_noise_and_zero_load_stay_above_zero() -> None:
    estimator = DemandEstimator(NOMINAL)
    for _ in range(20):
        estimator.update(-0.01 * NOMINAL, ALL)
    assert (estimator.predict()[:3] > 0).all()


def test_errors_are_what_came_less_what_was_told() -> None:
    estimator = DemandEstimator(NOMINAL)
    told = []
    for load in (1.0, 1.2, 1.4, 1.3, 1.1, 1.5):
        estimator.update(load * NOMINAL, ALL)
        told.append(float(estimator.predict(1.0).sum() / NOMINAL.sum()))
    # the first prediction had no trend to tell; each later one came due an epoch after
    measured = [1.4, 1.3, 1.1, 1.5]
    expected = [came - said for came, said in zip(measured, told[1:-1], strict=True)]
    assert estimator.errors == pytest.approx(expected, abs=5e-2)
    assert DemandEstimator(NOMINAL).errors == ()
