"""The textbook formulas of the study against the naive ones, and the gamma quantile against scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import gammaincinv

from reference import textbook as naive
from tiertwin import _core
from tiertwin.functions.performance import PathFlows, PathLinks, PerformanceModel, Sizes
from tiertwin.study.fidelity import model_of
from tiertwin.study.scenes import scene
from tiertwin.study.textbook import FORMULAS, Textbook


@pytest.mark.parametrize("rule", ["common", "each"])
@pytest.mark.parametrize("size", ["fixed", "exponential", "imix"])
@pytest.mark.parametrize("load", [0.3, 0.9])
def test_the_formulas_are_the_naive_ones(rule: str, size: str, load: float) -> None:
    network = scene("sndlib/abilene", rule, size, load=load, flows=60, seed=3)
    model, links, flows = model_of(network)
    ptr, hops = model.pointers()
    law = flows.sizes
    moments = tuple(float(np.max(moment)) for moment in (law.mean, law.second, law.third))
    delay = np.asarray(links.delay_ns) * 1e-9
    expected: Any = naive.Textbook(links.rate_bps, delay, ptr, hops, flows.pps, moments)  # type: ignore[arg-type]
    book = Textbook(model, links, flows)
    assert naive.MODELS == FORMULAS
    for formula in FORMULAS:
        found = book.answer(formula)
        used = expected.lam > 0
        np.testing.assert_allclose(book.waits(formula)[used], expected.waits(formula)[used], rtol=1e-9)
        np.testing.assert_allclose(found.mean, expected.means(formula), rtol=1e-9)
        np.testing.assert_allclose(found.p99, expected.p99(formula), rtol=1e-8)


def test_one_queue_of_each_kind() -> None:
    """One link alone: M/M/1 and M/D/1 exactly, load a half, and no flow over a full link."""
    model = PerformanceModel(2, [[0], [1]])
    flows = PathFlows([500.0, 2000.0], Sizes.fixed(1000.0))
    book = Textbook(model, PathLinks(8e6), flows)  # 1 ms a packet: loads 0.5 and 2
    assert book.answer("mm1").wait[0] == pytest.approx(1e-3)
    assert book.answer("mg1").wait[0] == book.answer("gg1").wait[0] == pytest.approx(0.5e-3)
    for answer in book.answers().values():
        assert np.isinf([answer.mean[1], answer.wait[1], answer.p99[1]]).all()
    with pytest.raises(ValueError, match="expected mm1, mg1, gg1, got 'md1'"):
        book.answer("md1")


def test_steady_arrivals_wait_less_and_bursts_more() -> None:
    model = PerformanceModel(1, [[0]])
    waits = [
        float(Textbook(model, PathLinks(8e6), PathFlows(700.0, Sizes.exponential(1000.0), ca2)).answer("gg1").wait[0])
        for ca2 in (0.0, 1.0, 4.0)
    ]
    assert waits[0] < waits[1] < waits[2]


def test_gamma_quantiles_are_those_of_scipy() -> None:
    shape = np.concatenate([np.geomspace(0.05, 1e6, 60), [1.0, 29.999, 30.0]])
    for q in (0.05, 0.5, 0.99):
        np.testing.assert_allclose(_core.gamma_quantile(shape, np.full(1, q)), gammaincinv(shape, q), rtol=1e-10)


@pytest.mark.parametrize(("shape", "q"), [(0.0, 0.5), (-1.0, 0.5), (float("nan"), 0.5), (2.0, 0.0), (2.0, 1.0)])
def test_what_has_no_quantile_is_said(shape: float, q: float) -> None:
    with pytest.raises(ValueError, match=r"at index 0: (shape|q) is .*; expected a number"):
        _core.gamma_quantile(np.array([shape]), np.array([q]))
