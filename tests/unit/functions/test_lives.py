"""Lives: values of textbooks, fits against scipy, policies, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from support.assurance_data import machines
from tiertwin.errors import InputError, UnknownNameError
from tiertwin.functions.assure.calibrate import Isotonic, Platt, brier, reliability
from tiertwin.functions.assure.regression import KernelRidge
from tiertwin.functions.assure.remaining import RemainingLife
from tiertwin.functions.assure.replacement import age_replacement, go_now
from tiertwin.functions.assure.runs import Sensors, lives
from tiertwin.functions.assure.wear import Wiener, arrhenius, fit_wiener, log_tail
from tiertwin.functions.assure.weibull import Weibull, fit_hazard, fit_weibull


def test_ten_degrees_more_age_two_and_a_half_times_as_fast() -> None:
    assert arrhenius(35.0) == pytest.approx(2.42, abs=0.005)
    assert arrhenius(25.0) == 1.0
    with pytest.raises(InputError, match="above −273.15"):
        arrhenius([20.0, -300.0])


def test_the_age_that_costs_least() -> None:
    """k = 2, η = 1000, C_p = 1, C_f = 5: replaced at 511 for 0.00409 a unit of time; run to failure 0.00564."""
    found = age_replacement(Weibull(2.0, 1000.0), 1.0, 5.0)
    assert found.age == pytest.approx(511.0, abs=1.0)
    assert found.cost_rate == pytest.approx(0.00409, abs=5e-6)
    assert found.run_to_failure == pytest.approx(0.00564, abs=5e-6)
    assert found.run_to_failure == pytest.approx(5.0 / (1000.0 * math.gamma(1.5)))
    never = age_replacement(Weibull(2.0, 1000.0), 6.0, 5.0)
    assert (never.age, never.cost_rate) == (math.inf, found.run_to_failure)


@pytest.mark.parametrize(("shape", "planned"), [(0.8, 1.0), (1.0, 1.0), (3.0, 5.0)])
def test_what_does_not_wear_out_or_costs_the_same_is_run_to_failure(shape: float, planned: float) -> None:
    assert age_replacement(Weibull(shape, 10.0), planned, 5.0).age == math.inf


def test_the_policy_is_the_least_of_its_cost_by_scipy() -> None:
    law, planned, failed = Weibull(3.2, 40.0), 2.0, 17.0

    def rate(age: float) -> float:
        alive = float(law.survival(age))
        return (planned * alive + failed * (1 - alive)) / integrate.quad(lambda u: float(law.survival(u)), 0, age)[0]

    expected = optimize.minimize_scalar(rate, bounds=(1.0, 80.0), method="bounded", options={"xatol": 1e-9})
    found = age_replacement(law, planned, failed)
    assert found.age == pytest.approx(expected.x, rel=1e-5)
    assert found.cost_rate == pytest.approx(expected.fun, rel=1e-9)
    with pytest.raises(InputError, match="positive, finite costs"):
        age_replacement(law, 0.0, 1.0)


@pytest.mark.parametrize("wrong", [(0.0, 1.0, 1.0, 1.0), (1.0, math.nan, 1.0, 1.0), (1.0, 1.0, -1.0, 1.0)])
def test_age_replacement_wants_positive_numbers(wrong: tuple[float, float, float, float]) -> None:
    shape, scale, planned, failed = wrong
    with pytest.raises(InputError, match="expected (a )?positive"):
        age_replacement(Weibull(shape, scale), planned, failed)


def test_the_twin_goes_when_failing_would_cost_more() -> None:
    np.testing.assert_array_equal(go_now([0.1, 0.3], 1.0, 5.0), [False, True])


@pytest.mark.parametrize("seed", range(3))
def test_the_likeliest_law_is_that_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    life, limit = 30.0 * rng.weibull(2.3, 60), rng.uniform(10.0, 60.0, 60)
    times, ended = np.minimum(life, limit), life <= limit
    data = stats.CensoredData.right_censored(times, ~ended)
    shape, _, scale = stats.weibull_min.fit(data, floc=0)
    found = fit_weibull(times, ended)
    assert found.shape == pytest.approx(shape, rel=1e-3)
    assert found.scale == pytest.approx(scale, rel=1e-3)


def test_means_of_lives_are_integrals() -> None:
    law = Weibull(1.7, 20.0)
    assert law.mean == pytest.approx(integrate.quad(lambda u: float(law.survival(u)), 0, np.inf)[0], rel=1e-9)
    assert law.mean_until(7.0) == pytest.approx(integrate.quad(lambda u: float(law.survival(u)), 0, 7)[0], rel=1e-9)
    left = integrate.quad(lambda u: float(law.survival(u) / law.survival(15.0)), 15.0, 15.0 + 9.0)[0]
    assert law.remaining(15.0, 9.0) == pytest.approx(left, rel=1e-8)
    assert float(law.hazard(5.0)) == pytest.approx(stats.weibull_min.pdf(5, 1.7, scale=20) / float(law.survival(5.0)))


def test_slopes_of_the_hazard_are_found_again() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(3000, 2)) * [1.0, 5.0] + [20.0, 0.0]
    life = 50.0 * (rng.exponential(size=3000) / np.exp(0.7 * (x[:, 0] - 20.0) - 0.1 * x[:, 1])) ** (1 / 2.0)
    ended = life < 80.0
    found = fit_hazard(np.minimum(life, 80.0), ended, x)
    assert found.law.shape == pytest.approx(2.0, rel=0.05)
    np.testing.assert_allclose(found.slopes, [0.7, -0.1], rtol=0.1)
    hot, cool = found.failure(10.0, 5.0, [[22.0, 0.0], [18.0, 0.0]])
    assert hot > 5.0 * cool


def test_a_hazard_without_slopes_is_the_law_itself() -> None:
    rng = np.random.default_rng(1)
    times = rng.weibull(1.5, 400) + 1e-3
    found = fit_hazard(times, None, rng.normal(size=(400, 1)))
    alone = fit_weibull(times)
    assert abs(found.slopes[0]) < 0.15
    assert found.law.shape == pytest.approx(alone.shape, rel=0.02)


def test_lives_that_tell_nothing_are_refused() -> None:
    for times, ended, words in (
        ([], None, "not empty"),
        ([1.0, -2.0], None, r"times\[1\]: expected a positive"),
        ([1.0, np.nan], None, r"times\[1\]"),
        ([1.0, 2.0], [False, False], "at least one life that ended"),
        ([3.0, 3.0], None, "lives that differ"),
    ):
        with pytest.raises(InputError, match=words):
            fit_weibull(times, ended)
    with pytest.raises(InputError, match=r"columns \[1\] are constant"):
        fit_hazard([1.0, 2.0], None, [[1.0, 3.0], [2.0, 3.0]])
    with pytest.raises(InputError, match="positive shape"):
        Weibull(0.0, 1.0)


def test_first_passage_is_the_inverse_gaussian_law_of_scipy() -> None:
    law, distance = Wiener(0.4, 0.9), 5.0
    mean, shape = distance / law.drift, (distance / law.diffusion) ** 2
    times = np.array([0.5, 3.0, 10.0, 30.0, 200.0])
    expected = stats.invgauss.cdf(times, mean / shape, scale=shape)
    np.testing.assert_allclose(law.passed(distance, times), expected, rtol=1e-9)
    np.testing.assert_allclose(law.passed(distance, times / 2.0, 2.0), expected, rtol=1e-9)
    assert law.mean(distance) == pytest.approx(mean)


def test_first_passage_counts_paths() -> None:
    rng = np.random.default_rng(0)
    law, dt = Wiener(1.0, 0.5), 0.005
    paths = np.cumsum(law.drift * dt + law.diffusion * math.sqrt(dt) * rng.normal(size=(2000, 400)), axis=1)
    shift = 0.5826 * law.diffusion * math.sqrt(dt)  # paths seen at steps: Broadie, Glasserman, Kou (1997)
    share = (paths.max(axis=1) >= 1.0).mean()
    assert share == pytest.approx(float(law.passed(1.0 + shift, 2.0)), abs=0.03)


def test_the_tail_of_the_normal_law_is_that_of_scipy() -> None:
    z = np.concatenate([np.linspace(-6.0, 30.0, 100), [60.0, 200.0]])
    np.testing.assert_allclose(log_tail(z), stats.norm.logsf(z), rtol=1e-7, atol=1e-300)


def test_wear_is_learned_from_its_path() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.5, 1.5, 4000))
    heat = arrhenius(rng.uniform(20.0, 40.0, 3999))
    run = np.diff(times) * heat
    wear = np.concatenate([[0.0], np.cumsum(0.02 * run + 0.05 * np.sqrt(run) * rng.normal(size=3999))])
    found = fit_wiener(wear, times, heat)
    assert found.drift == pytest.approx(0.02, rel=0.15)
    assert found.diffusion == pytest.approx(0.05, rel=0.05)


def test_paths_that_tell_nothing_are_refused() -> None:
    for wear, times, words in (
        ([1.0, 2.0], [0.0, 1.0], "at least 3"),
        ([0.0, 1.0, 3.0], [0.0, 2.0, 1.0], "the clock went backwards"),
        ([0.0, np.nan, 3.0], [0.0, 1.0, 2.0], "finite values"),
        ([1.0, 1.0, 1.0], [0.0, 1.0, 2.0], "a path that grows"),
        ([3.0, 1.0, 0.0], [0.0, 1.0, 2.0], "a path that grows"),
    ):
        with pytest.raises(InputError, match=words):
            fit_wiener(wear, times)
    with pytest.raises(InputError, match="acceleration"):
        fit_wiener([0.0, 1.0, 3.0], [0.0, 1.0, 2.0], -1.0)


def test_scores_become_probabilities() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=4000)
    real = 1 / (1 + np.exp(-(1.5 * scores - 1.0)))
    happened = rng.random(4000) < real
    platt, iso = Platt.fit(scores, happened), Isotonic.fit(scores, happened)
    assert platt.slope == pytest.approx(1.5, rel=0.1)
    assert platt.offset == pytest.approx(-1.0, rel=0.15)
    for curve in (platt, iso):
        assert np.abs(curve(scores) - real).mean() < 0.03
    for said, seen, count in reliability(platt(scores), happened):
        assert abs(said - seen) < 4 * math.sqrt(0.25 / count)
    assert brier([0.5, 1.0], [True, True]) == 0.125
    assert Platt.fit([0.0, 1.0, 2.0, 3.0], [1, 1, 0, 0]).slope == 0.0
    for method in (Isotonic, Platt):
        with pytest.raises(InputError, match="outcomes 0 or 1"):
            method.fit([0.0, 1.0], [0.5, 1.0])
    with pytest.raises(InputError, match="values that differ"):
        Platt.fit([1.0, 1.0], [0, 1])


def test_kernel_ridge_is_its_formula() -> None:
    rng = np.random.default_rng(0)
    rows, y, asked = rng.normal(size=(20, 3)), rng.normal(size=20), rng.normal(size=(4, 3))
    model = KernelRidge(0.7, 0.3, 0.4).fit(rows, y)
    u, v = ((a - rows.mean(axis=0)) / rows.std(axis=0) for a in (rows, asked))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return math.exp(-0.7 * float(((a - b) ** 2).sum()) / 3) + 0.4 * float(a @ b) / 3

    gram = np.array([[kernel(a, b) for b in u] for a in u]) + 0.3 * np.eye(20)
    weights = np.linalg.solve(gram, y - y.mean())
    expected = [y.mean() + sum(w * kernel(a, b) for w, b in zip(weights, u, strict=True)) for a in v]
    np.testing.assert_allclose(model.predict(asked), expected, rtol=1e-10)


def test_remaining_life_of_machines_never_seen() -> None:
    model = RemainingLife(cap=60.0, least_cycles=10).fit(machines(24, seed=1))
    held = machines(30, seed=2)
    so_far = [run[:cut] for run in held for cut in (20, len(run) // 2, len(run) - 8)]
    truth = np.array([min(len(run) - cut, 60.0) for run in held for cut in (20, len(run) // 2, len(run) - 8)])
    found = model.predict(so_far)
    assert math.sqrt(((found.mean - truth) ** 2).mean()) < 0.6 * truth.std()
    assert ((truth >= found.lower) & (truth <= found.upper)).mean() > 0.75
    likely = model.failure(so_far, 15.0)
    assert brier(likely, truth <= 15.0) < 0.7 * brier(np.full(len(truth), (truth <= 15.0).mean()), truth <= 15.0)


def test_features_know_nothing_of_later_cycles_and_nothing_of_constant_sensors() -> None:
    runs = machines()
    sensors = Sensors.fit(runs, 60.0)
    assert sensors.moving.tolist() == [False, True, True, True]
    np.testing.assert_array_equal(sensors.features([runs[0]])[:25], sensors.features([runs[0][:25]]))
    np.testing.assert_array_equal(lives([np.zeros((3, 1)), np.zeros((2, 1))], 1.0), [1, 1, 0, 1, 0])


def test_remaining_life_refuses_what_it_cannot_learn_from() -> None:
    runs = machines()
    holed = [run.copy() for run in runs]
    holed[3][5, 2] = np.nan
    for given, words in (
        ([], "at least one history"),
        (runs[:5], "at least 8 machines that failed, got 5"),
        (holed, r"runs\[3\]: expected finite values, got nan at cycle 5, sensor 2"),
        ([*runs, np.zeros((9, 2))], r"runs\[12\]: expected values \[cycles, 4\]"),
        ([np.ones((80, 2))] * 9, "all are constant"),
        ([run[:5] for run in runs], "lower least_cycles"),
    ):
        with pytest.raises(InputError, match=words):
            RemainingLife().fit(given)
    with pytest.raises(InputError, match=r"expected fit\(runs\) before"):
        RemainingLife().predict(runs)
    with pytest.raises(UnknownNameError, match="Did you mean 'kernel'"):
        RemainingLife("kernell")
    with pytest.raises(InputError, match="cap > 0"):
        RemainingLife(cap=0.0)
    model = RemainingLife(least_cycles=10).fit(runs)
    with pytest.raises(InputError, match="expected at least 10 cycles, got 4"):
        model.predict([runs[0][:4]])
    with pytest.raises(InputError, match="below the cap"):
        model.failure(runs, 125.0)
