"""Laws of the performance model of packets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.functions.performance import (
    UNLIMITED,
    Observed,
    PathFlows,
    PathLinks,
    PerformanceModel,
    PerformanceState,
    Sizes,
    on_off,
)

LINKS = 6
SIZES = [Sizes.fixed(1000), Sizes.exponential(900.0), Sizes.imix()]


@st.composite
def networks(draw: st.DrawFn, most: float = 0.95) -> tuple[PerformanceModel, PathLinks, PathFlows]:
    """Loop-free paths, every used link loaded to at most `most`."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    paths = [rng.permutation(LINKS)[: rng.integers(1, LINKS + 1)] for _ in range(draw(st.integers(1, 12)))]
    sizes = SIZES[draw(st.integers(0, 2))]
    rate, pps = rng.uniform(1e6, 1e7, LINKS), rng.uniform(0.1, 1, len(paths))
    load = np.zeros(LINKS)
    for f, path in enumerate(paths):
        load[path] += pps[f] * 8 * float(np.asarray(sizes.mean)) / rate[path]
    pps *= draw(st.floats(0.05, most)) / load.max()
    return PerformanceModel(LINKS, paths), PathLinks(rate, rng.uniform(0, 1e7, LINKS)), PathFlows(pps, sizes)


def scaled(flows: PathFlows, by: float) -> PathFlows:
    return PathFlows(np.asarray(flows.pps) * by, flows.sizes)


@given(networks())
@settings(max_examples=60, deadline=None)
def test_an_empty_network_takes_transmission_and_propagation(
    network: tuple[PerformanceModel, PathLinks, PathFlows],
) -> None:
    model, links, flows = network
    found = model.predict(links, scaled(flows, 0.0))
    for f, path in enumerate(model.paths):
        rate, delay = np.asarray(links.rate_bps)[path], np.asarray(links.delay_ns)[path]
        alone = float(np.asarray(flows.sizes.mean)) * 8 * (1 / rate).sum() + delay.sum() * 1e-9
        assert found.mean[f] == pytest.approx(alone, rel=1e-12)
        assert found.wait[f] == 0
    assert not found.loss.any()
    assert not found.low_confidence.any()


@given(networks(), st.floats(0.1, 0.99))
@settings(max_examples=60, deadline=None)
def test_more_load_never_shortens_the_sum_of_waits(
    network: tuple[PerformanceModel, PathLinks, PathFlows], share: float
) -> None:
    # by flow there is no such law: more load may smooth what arrives; over a network, weighted by packets, there is
    model, links, flows = network
    pps = np.asarray(flows.pps)
    less, more = model.predict(links, scaled(flows, share)), model.predict(links, flows)
    assert pps @ less.wait <= pps @ more.wait * (1 + 1e-9)
    assert (less.utilisation <= more.utilisation + 1e-12).all()


@given(networks(), st.floats(0.01, 100))
@settings(max_examples=40, deadline=None)
def test_faster_by_a_factor_is_shorter_by_it(network: tuple[PerformanceModel, PathLinks, PathFlows], by: float) -> None:
    model, links, flows = network
    slow = model.predict(PathLinks(links.rate_bps, np.asarray(links.delay_ns)), flows)
    fast = model.predict(PathLinks(np.asarray(links.rate_bps) * by, np.asarray(links.delay_ns) / by), scaled(flows, by))
    for name in ("mean", "wait", "sd", "p95", "p99", "mean_low", "mean_high", "p99_high"):
        np.testing.assert_allclose(getattr(fast, name) * by, getattr(slow, name), rtol=1e-7, atol=1e-15)


@given(networks(1.6), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_finite_buffers_lose_shares_and_conserve_packets(
    network: tuple[PerformanceModel, PathLinks, PathFlows], buffer: int
) -> None:
    model, links, flows = network
    found = model.predict(PathLinks(links.rate_bps, links.delay_ns, buffer), flows)
    assert ((found.loss >= 0) & (found.loss <= 1)).all()
    assert ((found.link_loss >= 0) & (found.link_loss < 1)).all()
    np.testing.assert_allclose(found.throughput, np.asarray(flows.pps) * (1 - found.loss), rtol=1e-9)
    work = np.zeros(LINKS)
    for f, path in enumerate(model.paths):
        rate = float(np.asarray(flows.pps)[f])
        for link in path:
            rate *= 1 - found.link_loss[link]
            work[link] += rate * 8 * float(np.asarray(flows.sizes.mean)) / np.asarray(links.rate_bps)[link]
    np.testing.assert_allclose(found.utilisation, work, rtol=1e-8, atol=1e-12)
    assert np.isfinite(found.mean).all()


@given(networks(1.2))
@settings(max_examples=60, deadline=None)
def test_intervals_hold_what_they_are_about(network: tuple[PerformanceModel, PathLinks, PathFlows]) -> None:
    model, links, flows = network
    for told in (links, PathLinks(links.rate_bps, links.delay_ns, 10)):
        p = model.predict(told, flows)
        assert ((p.mean_low <= p.mean) & (p.mean <= p.mean_high)).all()
        assert ((p.p99_low <= p.p99) & (p.p99 <= p.p99_high)).all()
        assert ((p.loss_low <= p.loss) & (p.loss <= p.loss_high)).all()
        assert ((p.mean <= p.p99) & (p.p95 <= p.p99 * (1 + 1e-12))).all()


@given(st.floats(0.1, 0.7), st.integers(0, 2), st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_what_forgets_soon_does_not_smooth_a_bottleneck(load: float, law: int, sources: int) -> None:
    """R goes to 1 with the load of a link alone: over the times of its queue, those before have forgotten."""
    mean, second = float(np.asarray(SIZES[law].mean)), float(np.asarray(SIZES[law].second))
    model = PerformanceModel(sources + 1, [[k, sources] for k in range(sources)])
    off = []
    for full in (0.99, 0.9999):
        rate = np.append(np.full(sources, 8e6), sources * load * 8e6 / full)
        alone = full * second / mean / (rate[-1] / 8) / (2 * (1 - full))
        found = model.predict(PathLinks(rate), PathFlows(load * 1e6 / mean, SIZES[law]))
        off.append(abs(float(found.link_wait[-1]) / alone - 1))
    assert off[1] < min(off[0], 0.03)


@given(st.floats(0.05, 0.95), st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_one_link_is_pollaczek_and_khinchine(load: float, law: int) -> None:
    sizes = SIZES[law]
    mean, second = float(np.asarray(sizes.mean)), float(np.asarray(sizes.second))
    found = PerformanceModel(1, [[0], [0]]).predict(PathLinks(8e6), PathFlows(load * 5e5 / mean, sizes))
    assert found.wait == pytest.approx(load / mean * second / (2 * (1 - load)) * 1e-6, rel=1e-12)


@given(st.floats(0.05, 0.98), st.integers(2, 6))
@settings(max_examples=30, deadline=None)
def test_constant_sizes_in_a_tandem_of_equal_links_wait_once(load: float, length: int) -> None:
    model = PerformanceModel(length, [np.arange(length)])
    found = model.predict(PathLinks(8e6), PathFlows(load * 1000, Sizes.fixed(1000)))
    assert found.hop_wait[0] > 0
    assert np.abs(found.hop_wait[1:]).max() <= 1e-12 * found.hop_wait[0]


def test_an_overloaded_link_is_said_to_be_one() -> None:
    model = PerformanceModel(2, [[0, 1], [1]])
    found = model.predict(PathLinks([8e6, 1e9]), PathFlows([2000.0, 10.0], Sizes.fixed(1000)))
    assert np.isinf([found.mean[0], found.p99[0], found.mean_high[0]]).all()
    assert np.isfinite(found.mean[1])
    assert found.low_confidence[0]
    assert found.throughput[0] == pytest.approx(1000)  # what the link carries
    assert found.utilisation[0] == 1
    assert found.loss[0] == 0


def test_known_stations() -> None:
    exponential = Sizes(1000.0, 2e6, 6e9)
    one = PerformanceModel(1, [[0]])
    found = one.predict(PathLinks(8e6, buffer=20), PathFlows(900.0, exponential))
    assert found.loss[0] == pytest.approx(0.1 * 0.9**21 / (1 - 0.9**22), rel=1e-9)  # M/M/1/K, 21 places
    shared = one.predict(PathLinks(8e6, kind="sharing"), PathFlows(900.0, exponential))
    assert shared.mean[0] == pytest.approx(0.01)  # E[S]/(1 - rho)
    two = PerformanceModel(1, [[0], [0]])
    first = two.predict(PathLinks(8e6, kind="priority"), PathFlows(450.0, exponential, priority=[0, 1]))
    residual = 900 * 2e-6 / 2
    assert first.wait == pytest.approx([residual / 0.55, residual / (0.55 * 0.1)])
    power = one.predict(PathLinks(8e6, idle_w=10.0, full_w=30.0), PathFlows(500.0, exponential)).power
    assert power[0] == pytest.approx(20.0)


def test_bursts_lengthen_waits_and_lower_confidence() -> None:
    model = PerformanceModel(1, [[0]] * 20)
    sizes = Sizes.fixed(1000)
    calm = model.predict(PathLinks(8e6), PathFlows(40.0, sizes))
    ca2, burst = on_off(40.0, 0.1, 0.1)
    wild = model.predict(PathLinks(8e6), PathFlows(40.0, sizes, ca2, burst))
    smooth = model.predict(PathLinks(8e6), PathFlows(40.0, sizes, 0.0))
    assert (smooth.wait < calm.wait).all()
    assert (wild.wait > 1.5 * calm.wait).all()
    assert not calm.low_confidence.any()
    assert wild.low_confidence.all()
    width = wild.mean_high - wild.mean_low
    assert (width / wild.wait > 2 * (calm.mean_high - calm.mean_low) / calm.wait).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_calibration_finds_the_factors_behind_exact_telemetry(seed: int) -> None:
    rng = np.random.default_rng(seed)
    paths = [[k] for k in range(LINKS)] + [rng.permutation(LINKS)[:3] for _ in range(20)]
    links, flows = PathLinks(1e7), PathFlows(rng.uniform(20, 60, len(paths)), Sizes.fixed(1000))
    truth = PerformanceModel(LINKS, paths)
    truth.state = PerformanceState(rng.normal(0, 0.3, LINKS), np.zeros(LINKS))
    seen = truth.predict(links, flows)
    model = PerformanceModel(LINKS, paths)
    assert model.state is not None
    fork = model.fork()
    for _ in range(6):
        model.calibrate(links, flows, Observed(1e7, seen.mean, 1e9))
    np.testing.assert_allclose(model.predict(links, flows).mean, seen.mean, rtol=2e-3)
    np.testing.assert_allclose(model.state.log_factor, truth.state.log_factor, atol=0.05)
    assert fork.state is not None
    assert not fork.state.log_factor.any()  # a fork learns on its own


def test_what_is_not_confirmed_fades() -> None:
    model = PerformanceModel(2, [[0], [1]])
    prior = PerformanceState.nominal(2)
    model.state = PerformanceState(np.array([0.5, 0.5]), np.zeros(2))
    links, flows = PathLinks(8e6), PathFlows(500.0, Sizes.fixed(1000))
    for _ in range(200):
        model.calibrate(links, flows, Observed(1.0), forget=0.95)
    assert model.state.log_factor == pytest.approx([0, 0], abs=1e-3)
    assert model.state.variance == pytest.approx(prior.variance, rel=1e-3)


def test_a_short_noisy_window_moves_little_and_links_may_be_observed() -> None:
    links, flows = PathLinks(8e6), PathFlows(500.0, Sizes.fixed(1000))
    wait = PerformanceModel(1, [[0]]).predict(links, flows).link_wait
    moved = []
    for seconds in (0.02, 2000.0):
        model = PerformanceModel(1, [[0]])
        model.calibrate(links, flows, Observed(seconds, link_wait=1.05 * wait, link_packets=500 * seconds))
        assert model.state is not None
        moved.append(float(model.state.log_factor[0]))
        assert (model.state.variance <= PerformanceState.nominal(1).variance + 0.05**2).all()
    assert 0 <= moved[0] < 0.1 * moved[1]
    assert moved[1] == pytest.approx(np.log(1.05), rel=0.2)


def test_unlimited_is_the_limit_of_large_buffers() -> None:
    model = PerformanceModel(3, [[0, 1], [1, 2], [0, 1, 2]])
    flows = PathFlows(200.0, Sizes(1000.0, 2e6, 6e9))
    large, none = (model.predict(PathLinks(8e6, buffer=b), flows) for b in (20_000, UNLIMITED))
    np.testing.assert_allclose(large.mean, none.mean, rtol=1e-9)
    assert large.loss.max() < 1e-12
