"""Many solves in one crossing give what the single calls give, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from support.leaves import random_leaf
from tiertwin.allocate import registry
from tiertwin.allocate.ladder import LeafLadder


@pytest.mark.parametrize("seed", range(6))
def test_solve_all_equals_single_calls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_leaf(rng, 12)
    quotas = rng.uniform(0, 1.2, (4, problem.quotas)) * problem.quota_max
    quotas[0] = 0.0
    prices = rng.uniform(0, 1, (3, problem.quotas)) * problem.cost.max()
    ladder, alone = LeafLadder(registry.get("kernel")), LeafLadder(registry.get("kernel"))
    many = ladder.solve_all(problem, quotas, prices)
    single = [*(alone.solve_quota(problem, q) for q in quotas), *(alone.solve_price(problem, p) for p in prices)]
    assert len(many) == 7
    for a, b in zip(many, single, strict=True):
        for name in ("x", "use", "own_load", "own_price", "quota_price"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name
        assert (a.value, a.scale) == (b.value, b.scale)
        assert a.phi == pytest.approx(b.phi, rel=1e-12)
    assert ladder.counts == alone.counts
