"""The performance model against the packet plant: short runs, so limits are wider than the benchmark's figures."""

from __future__ import annotations

import numpy as np
import pytest

from support.perf_scenes import changes, make, play
from tiertwin.functions.performance import Observed, PathFlows, on_off


@pytest.mark.parametrize(
    ("rule", "size", "load", "mean", "p99"),
    [
        ("each", "fixed", 0.8, 0.05, 0.10),
        ("each", "exponential", 0.6, 0.03, 0.08),
        ("each", "imix", 0.3, 0.01, 0.08),
        ("common", "exponential", 0.9, 0.03, 0.06),
    ],
)
def test_delays_on_abilene(rule: str, size: str, load: float, mean: float, p99: float) -> None:
    scene = make("sndlib/abilene", rule, size, load, 300)
    found, predicted = play(scene, 4e6, 1), scene.model().predict(*scene.told())
    assert np.mean(np.abs(predicted.mean / found.mean - 1)) < mean
    assert np.mean(np.abs(predicted.p99 / found.p99 - 1)) < p99


def test_losses_on_abilene() -> None:
    scene = make("sndlib/abilene", "each", "exponential", 0.9, 300, buffer=20)
    found, predicted = play(scene, 3e6, 2), scene.model().predict(*scene.told())
    assert found.loss.mean() > 0.01
    assert np.abs(predicted.loss - found.loss).mean() < 0.005
    np.testing.assert_allclose(
        predicted.throughput.sum(),
        (1 - found.loss) @ np.asarray(predicted.throughput / (1 - predicted.loss)),
        rtol=0.005,
    )


def test_a_rerouting_is_predicted_in_its_direction() -> None:
    before = make("sndlib/abilene", "each", "fixed", 0.6, 300)
    after = next(scene for name, scene in changes(before).items() if "around" in name)
    true = play(after, 2e6, 3).mean / play(before, 2e6, 3).mean - 1
    said = after.model().predict(*after.told()).mean / before.model().predict(*before.told()).mean - 1
    large = np.abs(true) > 0.04
    assert large.sum() > 10
    assert (np.sign(true[large]) == np.sign(said[large])).mean() > 0.9


def test_calibration_at_one_load_helps_at_another() -> None:
    # on-off sources, of which the model is told that they are Poisson
    def bursty(load: float):  # type: ignore[no-untyped-def]
        return make("sndlib/abilene", "each", "exponential", load, 300, arrival="on-off", on_s=0.05, off_s=0.05)

    here, there = bursty(0.6), bursty(0.5)
    model = here.model()
    window = play(here, 3e6, 4)
    model.calibrate(*here.told(), Observed(window.seconds, window.mean, window.received))
    found, nominal = play(there, 3e6, 5), there.model()
    before = np.mean(np.abs(nominal.predict(*there.told()).mean / found.mean - 1))
    after = np.mean(np.abs(model.predict(*there.told()).mean / found.mean - 1))
    assert after < 0.6 * before
    links, flows = there.told()
    known = PathFlows(flows.pps, flows.sizes, *on_off(flows.pps, 0.05, 0.05))
    said = nominal.predict(links, known)
    assert said.low_confidence.all()
    assert np.mean(np.abs(said.mean / found.mean - 1)) < before
