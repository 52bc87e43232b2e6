"""The compiled performance model against the naive one, on generated networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reference import perf as naive
from tiertwin import _core
from tiertwin.functions.performance import UNLIMITED, PathFlows, PathLinks, PerformanceModel, PerformanceState, Sizes

LINKS, FLOWS = 9, 14
SIZES = [
    Sizes.fixed(1000),
    Sizes.exponential(700.0),
    Sizes.imix(),
    Sizes(500.0, 5e5, 7.5e8),
    Sizes.of([60, 1500], [1, 1]),
]


def network(seed: int, kind: str) -> tuple[PerformanceModel, PathLinks, PathFlows]:
    """Random paths (loops of links allowed, links once a path) and one of the model's features."""
    rng = np.random.default_rng(seed)
    # chains of near numbers, so that histories of every length are shared
    paths = [np.arange(a, min(a + n + 1, LINKS)) for a, n in rng.integers(0, 6, (FLOWS, 2))]
    paths[0], paths[1] = np.array([3, 0, 5]), np.array([5, 6, 3])
    sizes = [SIZES[k] for k in rng.integers(0, len(SIZES), FLOWS)]
    law = Sizes(*(np.array([float(np.asarray(getattr(s, n))) for s in sizes]) for n in vars(SIZES[0])))
    rate = rng.uniform(4e6, 1.2e7, LINKS)
    used = np.bincount(np.concatenate(paths), minlength=LINKS)
    pps = rng.uniform(0.3, 1.0, FLOWS) * 4e6 * (6.0 if kind == "overfull" else 0.9) / (8 * 1000 * used.max())
    more: dict[str, Any] = {}
    if kind in ("finite", "overfull"):
        more["buffer"] = rng.integers(0, 30, LINKS)
    if kind == "sharing":
        more["kind"] = ["sharing" if k % 3 == 0 else "fifo" for k in range(LINKS)]
    if kind == "priority":
        more["kind"] = ["priority" if k % 2 == 0 else "fifo" for k in range(LINKS)]
    flows = PathFlows(pps, law, priority=rng.integers(0, 3, FLOWS))
    if kind == "bursty":
        flows = PathFlows(pps, law, rng.choice([0.0, 1.0, 20.0], FLOWS), rng.choice([0.0, 0.03], FLOWS))
    model = PerformanceModel(LINKS, paths)
    model.state = PerformanceState(rng.normal(0, 0.2, LINKS), np.full(LINKS, 0.01))
    return model, PathLinks(rate, rng.uniform(0, 1e6, LINKS), **more), flows


@pytest.mark.parametrize("kind", ["plain", "finite", "overfull", "sharing", "priority", "bursty"])
@pytest.mark.parametrize("seed", range(4))
def test_the_model_is_the_naive_one(seed: int, kind: str) -> None:
    model, links, flows = network(seed, kind)
    assert model.state is not None
    found = model.predict(links, flows)
    paths = [list(map(int, path)) for path in model.paths]
    expected = naive.Network(paths, LINKS, model.traffic(links, flows), model.coefficients, model.state.log_factor)
    by_flow = [expected.flow(f) for f in range(FLOWS)]
    for name in by_flow[0]:
        want = np.array([flow[name] for flow in by_flow])
        scale = np.abs(want) if name not in ("loss",) else np.maximum(np.abs(want), 1e-3)
        np.testing.assert_array_less(np.abs(getattr(found, name) - want), 1e-9 * scale + 1e-15, err_msg=name)
    for link in range(LINKS):
        rho = expected.rho(link) * expected.served[link]
        assert found.utilisation[link] == pytest.approx(min(rho, 1.0), rel=1e-9, abs=1e-12)
    if kind == "overfull":
        assert found.loss.max() > 0.1


def test_the_coefficients_have_their_names() -> None:
    assert len(_core.perf_coefficients()) == naive.BURST_SD + 1
    assert UNLIMITED == naive.UNLIMITED
