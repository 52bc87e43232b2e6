"""Laws of made-up situations: probabilities add up, horizons agree, correlations are such, margins keep order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reference.failures_by_state import states
from tiertwin.functions.whatif import normal
from tiertwin.functions.whatif.columns import Column
from tiertwin.functions.whatif.copula import GaussianCopula, conditional
from tiertwin.functions.whatif.correlation import nearest_correlation, rank_correlation, shrunk
from tiertwin.functions.whatif.failures import drawn, enumerated
from tiertwin.functions.whatif.marginals import Continuous
from tiertwin.functions.whatif.risks import Risk, common_cause
from tiertwin.model.interventions import FailLink

times = st.floats(0.0, 1e4)
risks_of = st.builds(
    lambda scale, shape, age, repair: (scale, shape, age, repair),
    st.floats(10.0, 1e6),
    st.floats(0.3, 4.0),
    st.floats(0.0, 1e4),
    st.one_of(st.just(math.inf), st.floats(1.0, 1e5)),
)


def risk(k: int, law: tuple[float, float, float, float]) -> Risk:
    scale, shape, age, repair = law
    return Risk(f"r{k}", (FailLink(f"a{k}", f"b{k}"),), scale, shape, age, repair)


@given(risks_of, times, times)
def test_horizons_agree(law: tuple[float, float, float, float], one: float, other: float) -> None:
    first, last = sorted((one, other))
    r = risk(0, law)
    assert 1.0 - r.within(last) == pytest.approx((1.0 - r.within(first)) * (1.0 - r.within(last, first)), abs=1e-9)
    assert r.within(first) <= r.within(last) + 1e-12
    assert -1e-12 <= r.down(last) <= r.within(last) + 1e-9  # who is down has failed


@given(st.lists(risks_of, min_size=1, max_size=6), st.integers(0, 2), st.booleans())
def test_enumerated_states_have_the_probabilities_of_the_definition(
    laws: list[tuple[float, float, float, float]], order: int, ever: bool
) -> None:
    risks = [risk(k, law) for k, law in enumerate(laws)]
    p = [r.within(100.0) if ever else r.down(100.0) for r in risks]
    assume(max(p) < 0.999)
    expected = states(p, order)
    found = enumerated(risks, 100.0, order, ever=ever)
    by_links = {frozenset(one.interventions): one.probability for one in found.situations}
    for struck, probability in expected.items():
        key = frozenset(i for r in struck for i in risks[r].interventions)
        assert by_links.get(key, 0.0) == pytest.approx(probability, rel=1e-9, abs=1e-15)
    assert found.covered + found.left_out == pytest.approx(1.0)
    assert found.covered == pytest.approx(sum(expected.values()))
    order_of = [one.probability for one in found.situations]
    assert order_of == sorted(order_of, reverse=True)


@given(st.lists(risks_of, min_size=3, max_size=6), st.floats(0.1, 0.999))
def test_pruning_keeps_the_likeliest_and_says_what_is_left(
    laws: list[tuple[float, float, float, float]], mass: float
) -> None:
    risks = [risk(k, law) for k, law in enumerate(laws)]
    assume(max(r.down(50.0) for r in risks) < 0.99)
    whole, part = enumerated(risks, 50.0), enumerated(risks, 50.0, mass=mass)
    assert part.situations == whole.situations[: len(part.situations)]
    assert part.covered >= min(mass, whole.covered) - 1e-12
    if len(part.situations) > 1:
        assert part.covered - part.situations[-1].probability < mass


@given(st.lists(risks_of, min_size=1, max_size=4), st.integers(0, 9))
def test_what_has_failed_by_a_time_has_failed_later_and_others_change_nothing(
    laws: list[tuple[float, float, float, float]], seed: int
) -> None:
    risks = [risk(k, law) for k, law in enumerate(laws)]
    assume(all(r.scale_s > 100.0 and r.repair_s > 50.0 for r in risks))
    short, long = drawn(risks, 300.0, 40, seed), drawn(risks, 900.0, 40, seed)
    assert (short.failed(250.0) == long.failed(250.0)).all()
    assert (short.down(250.0) == long.down(250.0)).all()
    assert (long.failed(250.0) <= long.failed(800.0)).all()
    assert (long.down(250.0) <= long.failed(250.0)).all()
    alone = drawn(risks[:1], 900.0, 40, seed)
    assert (alone.down(400.0)[:, 0] == long.down(400.0)[:, 0]).all()


@given(st.floats(0.0, 0.9), st.floats(100.0, 1e4))
def test_splitting_off_a_shared_cause_keeps_each_link_as_likely_down(share: float, scale: float) -> None:
    risks = [risk(k, (scale, 1.0, 0.0, math.inf)) for k in range(3)]
    split = common_cause(risks, {"duct": ["r0", "r1", "r2"]}, share)
    group = [r for r in split if r.name == "duct"]
    for own, old in zip(split[:3], risks, strict=True):
        up = 1.0 - own.within(50.0)
        for shared in group:
            up *= 1.0 - shared.within(50.0)
        assert up == pytest.approx(1.0 - old.within(50.0), rel=1e-9)


@given(st.integers(2, 12), st.integers(0, 10_000))
def test_the_nearest_correlation_is_one_and_a_correlation_stays(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wild = np.clip(rng.normal(0.0, 0.8, (size, size)), -1.0, 1.0)
    wild = np.triu(wild, 1) + np.triu(wild, 1).T + np.eye(size)
    found = nearest_correlation(wild)
    assert np.linalg.eigvalsh(found)[0] > 0.0
    assert np.allclose(np.diag(found), 1.0)
    assert (found == found.T).all()
    assert np.abs(found).max() <= 1.0 + 1e-9
    again = nearest_correlation(found)
    assert np.abs(again - found).max() < 1e-4


@given(st.integers(2, 6), st.integers(0, 1_000))
def test_no_correlation_is_nearer_than_the_nearest(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wild = np.clip(rng.normal(0.0, 0.9, (size, size)), -1.0, 1.0)
    wild = np.triu(wild, 1) + np.triu(wild, 1).T + np.eye(size)
    away = np.linalg.norm(nearest_correlation(wild) - wild)
    for _ in range(20):
        root = rng.normal(size=(size, size))
        other = root @ root.T
        other = other / np.sqrt(np.outer(np.diag(other), np.diag(other)))
        assert np.linalg.norm(other - wild) >= away - 1e-3


@given(st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=60), st.integers(0, 99))
def test_a_margin_keeps_the_order_and_reaches_beyond(values: list[float], seed: int) -> None:
    known = np.array(values)
    assume(known.max() - known.min() > 1e-6)
    margin = Continuous.fit(known)
    u = np.concatenate([[1e-12, 1e-6], np.linspace(0.001, 0.999, 200), [1 - 1e-6, 1 - 1e-12]])
    back = margin.value(u)
    assert (np.diff(back) >= -1e-9).all()
    assert back[0] <= known.min()
    assert back[-1] >= known.max()
    x = np.sort(np.random.default_rng(seed).uniform(known.min() - 10, known.max() + 10, 100))
    share = margin.uniform(x, np.full(len(x), 0.5))
    assert (np.diff(share) >= -1e-12).all()
    assert ((share > 0.0) & (share < 1.0)).all()


@given(st.integers(3, 7), st.integers(0, 1_000), st.data())
def test_conditioning_is_that_of_the_normal_law(size: int, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, 2 * size))
    law = root @ root.T
    law = law / np.sqrt(np.outer(np.diag(law), np.diag(law)))
    here = tuple(sorted(data.draw(st.sets(st.integers(0, size - 1), max_size=size - 1))))
    rest = [k for k in range(size) if k not in here]
    pull, left = conditional(law, here)
    precision = np.linalg.inv(law)  # the covariance left is the inverse of the precision's block
    assert np.allclose(left @ left.T, np.linalg.inv(precision[np.ix_(rest, rest)]), atol=1e-7)
    expected = -np.linalg.inv(precision[np.ix_(rest, rest)]) @ precision[np.ix_(rest, list(here))]
    assert np.allclose(pull, expected, atol=1e-6)


@given(st.floats(1e-12, 1.0 - 1e-12))
def test_quantile_and_cumulative_undo_each_other(u: float) -> None:
    assert float(normal.cumulative(normal.quantile(np.array([u])))[0]) == pytest.approx(u, rel=1e-9)


@given(st.integers(0, 200))
def test_a_copula_gives_back_the_correlation_it_learnt(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rho = rng.uniform(-0.8, 0.8)
    z = rng.normal(size=(400, 2))
    z[:, 1] = rho * z[:, 0] + math.sqrt(1.0 - rho**2) * z[:, 1]
    rows = np.column_stack([np.exp(z[:, 0]), z[:, 1] ** 3])
    model = GaussianCopula().fit(rows, [Column("a", low=0.0, scale="log"), Column("b")])
    made = model.sample(4_000, seed=seed)
    learnt = shrunk(rank_correlation(rows), len(rows))[0, 1]
    assert rank_correlation(made)[0, 1] == pytest.approx(learnt, abs=0.06)
    assert (made[:, 0] > 0.0).all()
