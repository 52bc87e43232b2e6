"""The certificate against the monolithic optimum on the national network."""

from __future__ import annotations

import pytest

from support.inprocess import MASTERS, plan_of, world_of
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.measure import Meter, decision_tree
from tiertwin.runtime.references import REFERENCE_TOLERANCE, References

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_every_reference_lies_between_the_bounds(seed: int) -> None:
    world = world_of("germany50")
    run = make_run(plan_of("germany50", seed=seed), world, "hierarchical", MASTERS)
    meter, references = Meter(world), References()
    gaps = []
    for epoch in range(3):
        run.run_epoch(epoch)
        seen = run.observe()
        row = meter.epoch(seen, *run.plant_books())
        references.add(decision_tree(world, seen), row)
        gaps.append(row.values["certified_gap"])
        low, high, slack = (
            row.values["lower_bound"],
            row.values["upper_bound"],
            REFERENCE_TOLERANCE * row.values["scale"],
        )
        assert low - slack <= references.values[epoch] <= high + slack
    assert references.outside == []
    assert references.rejected == []
    root = run.twins[world.twins[0].name].controller
    cold = [r.bounds.gap for r in root.rounds if r.epoch == 0]  # type: ignore[attr-defined]
    assert min(cold[:4]) <= 0.01
    assert min(cold[:6]) <= 0.001
    warm = [r.bounds.gap for r in root.rounds if r.epoch > 0 and r.round == 1]  # type: ignore[attr-defined]
    assert max(warm[1:]) <= 0.01
