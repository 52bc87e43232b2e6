"""A fog that is cut off from the cloud goes on serving its sites: its own servers are still there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.model.tiers import Tier
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.fork import DomainTwin
from tiertwin.runtime.plan import make_plan
from tiertwin.world import load, resolve

pytestmark = pytest.mark.system

DOWN, EPOCHS = 4, 10
FOLLOWED = 3  # epochs until plans have followed: a period of telemetry, an epoch of the cloud, one of the fog


def test_a_fog_without_an_uplink_still_deals_out_its_own_servers() -> None:
    """With a capacity of nothing the models of that fog had no point to mix: its sites were granted nothing of it."""
    world = resolve(load("mixed"))
    fog, (link,) = next((f, links) for f, links in enumerate(world.route_fog_links) if len(links))
    ends = [world.node_names[int(end[int(link) // 2])] for end in (world.link_tail, world.link_head)]
    event = {"kind": "link", "at_s": DOWN, "for_s": EPOCHS, "link": ends}
    rhythm = {f"tiers__{tier}__control_every": 1 for tier in ("edge", "fog", "cloud")}
    plan = make_plan(load("mixed", faults={"events": [event]}, **rhythm), EPOCHS, 7, [HIERARCHICAL])
    run = make_run(plan, resolve(plan.scenario), HIERARCHICAL, master_solver(plan.scenario.policy.master_solver))
    before = np.zeros(len(Tier))
    for epoch in range(EPOCHS):
        run.run_epoch(epoch)
        before = _sent(run, fog) if epoch == DOWN - 1 else before
    after = _sent(run, fog)
    assert DomainTwin(run, world.twins[0].name).down() == ([int(link) // 2], [])
    assert before[Tier.CLOUD] > 1.0
    assert after[Tier.CLOUD] < 1e-3 * before[Tier.CLOUD]
    assert after[Tier.FOG] > 0.8 * before[Tier.FOG]
    cloud: Any = run.twins["cloud-1"].controller
    assert cloud.last_bounds.gap < 0.02


def _sent(run: Any, fog: int) -> np.ndarray:
    """Tasks/s that the sites of a fog plan for each tier."""
    sent = np.zeros(len(Tier))
    for twin in run.world.twins:
        controller = run.twins[twin.name].controller
        if twin.tier == Tier.EDGE and twin.fog == fog:
            sent += controller.plan.x.sum(axis=0)
    return sent
