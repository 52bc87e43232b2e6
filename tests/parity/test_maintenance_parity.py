"""The maintenance schedule is the cheapest there is, or there is none."""

from __future__ import annotations

import numpy as np
import pytest

from reference.maintenance import cheapest, cost
from support.maintenance import drawn
from tiertwin.allocate.maintenance import UNDONE, worth
from tiertwin.allocate.maintenance_milp import schedule


@pytest.mark.parametrize("seed", range(30))
def test_schedule_is_the_cheapest_of_all(seed: int) -> None:
    problem = drawn(np.random.default_rng(seed))
    best, found = cheapest(problem), schedule(problem)
    if best is None:
        assert (found.status, found.start.tolist()) == ("infeasible", [UNDONE] * 4)
        assert found.reasons
        assert all("job" in reason for reason in found.reasons)
        return
    assert found.status == "optimal"
    assert found.worth.broken == ()
    assert found.worth.cost == pytest.approx(best, rel=1e-6, abs=1e-9)
    assert found.bound <= best + 1e-7
    assert found.gap <= 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_worth_is_that_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    problem = drawn(rng)
    start = rng.integers(-1, 6, 4)
    expected = cost(problem, [None if t == UNDONE else int(t) for t in start])
    found = worth(problem, start)
    assert (expected is None) == bool(found.broken)
    if expected is not None:
        assert found.cost == pytest.approx(expected)
