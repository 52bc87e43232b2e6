"""A server that is down gets no tasks once telemetry has told it, and gets them again once it is back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.fork import DomainTwin
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.plan import make_plan
from tiertwin.world import load, resolve

pytestmark = pytest.mark.system

DOWN, BACK, EPOCHS = 4, 12, 17
FOLLOWED = 3  # epochs until plans have followed: a period of telemetry, an epoch of the fog, one of the edge


def run_with(tier: str, policy: str = HIERARCHICAL, **sections: Any) -> tuple[InProcessRun, int]:
    """A run of `metro` in which the first server of a tier is down for a while, and the site its node has."""
    world = resolve(load("metro"))
    node = {"edge": world.site_node[0], "fog": world.fog_node[0], "cloud": world.cloud_node}[tier]
    event = {"kind": "server", "at_s": DOWN, "for_s": BACK - DOWN, "node": world.node_names[int(node)], "tier": tier}
    plan = make_plan(load("metro", faults={"events": [event]}, **sections), EPOCHS, 7, [policy])
    run = make_run(plan, resolve(plan.scenario), policy, master_solver(plan.scenario.policy.master_solver))
    return run, int(np.flatnonzero(world.site_node == node)[0]) if tier == "edge" else 0


def planned(run: InProcessRun, tier: Tier, site: int) -> float:
    """Tasks/s sent to the server: of the one site, of the first fog's, or of all."""
    world, total = run.world, 0.0
    for twin in world.twins:
        mine = {Tier.EDGE: twin.site == site, Tier.FOG: twin.fog == 0, Tier.CLOUD: True}[tier]
        controller: Any = run.twins[twin.name].controller
        if twin.tier == Tier.EDGE and mine and controller.plan is not None:
            total += float(controller.plan.x[:, tier].sum())
    return total


@pytest.mark.parametrize("tier", ["edge", "fog", "cloud"])
def test_nothing_is_planned_for_it_while_it_is_down(tier: str) -> None:
    run, site = run_with(tier)
    level = Tier[tier.upper()]
    sent = []
    for epoch in range(EPOCHS):
        run.run_epoch(epoch)
        sent.append(planned(run, level, site))
    before = sent[DOWN - 1]
    assert before > 1.0
    assert max(sent[DOWN + FOLLOWED : BACK]) < 1e-3
    assert sent[-1] > 0.8 * before


def test_where_it_is_not_told_the_plan_goes_on() -> None:
    """What is not telemetry is not known: the twin reads no plant."""
    run, site = run_with("edge", attributes={"selection": "none", "bytes_share": 0.1})
    sent = []
    for epoch in range(BACK):
        run.run_epoch(epoch)
        sent.append(planned(run, Tier.EDGE, site))
    assert min(sent[DOWN:]) > 1.0


def test_a_fork_believes_what_its_twins_were_told() -> None:
    run, _ = run_with("fog")
    for epoch in range(BACK - 1):
        run.run_epoch(epoch)
    cloud = DomainTwin(run, "cloud-1")
    belief = cloud.belief()
    fog = run.world.site_count
    assert belief.server_ghz[fog] == 0.0
    assert (np.delete(belief.server_ghz, fog) > 0.0).all()
    for replan in ("none", "local", "tree"):
        expected = cloud.fork().expect(replan)
        assert all(np.isfinite(expected.value(kpi)) for kpi in expected.values)
