"""P14 over a whole tree, virtual clock: ages reach the root, and every decision says how old its oldest input was."""

from __future__ import annotations

import numpy as np
import pytest

from support.inprocess import MASTERS, reporting_world, started
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.plan import make_plan
from tiertwin.twin.ages import OLDEST_SAMPLE, UNKNOWN_AGE_MS, input_age_ms

REPORT_MS = 50


@pytest.fixture(scope="module")
def quick() -> InProcessRun:
    """What devices say is 20 ms under way at most."""
    world = reporting_world(REPORT_MS, (0.0, 20.0))
    run = make_run(make_plan(world.scenario, 5, 7, ["hierarchical"]), world, "hierarchical", MASTERS)
    for epoch in range(4):
        run.run_epoch(epoch)
    return run


def test_the_root_knows_devices_within_three_reports_and_a_tenth_of_a_second(quick: InProcessRun) -> None:
    twins, now = quick.host.twins, quick.host.now
    ages = np.concatenate([child.ages.of_rows(now) for child in twins["cloud-1"].children])
    ages = ages[~np.isnan(ages)]
    assert len(ages) >= 3 * len(quick.world.class_names)  # every class below every fog
    assert np.percentile(ages, 99) <= 3 * REPORT_MS + 100


def test_no_twin_thinks_its_inputs_younger_than_those_of_its_children(quick: InProcessRun) -> None:
    twins, now = quick.host.twins, quick.host.now
    for twin in twins.values():
        for child in twin.children:
            if child.ages is None or child.ages.sampled:
                continue
            below = twins[child.name].children
            youngest = min(np.nanmin(c.ages.of_rows(now)) for c in below)
            assert np.nanmin(child.ages.of_rows(now)) >= youngest
            assert child.peer.peer_age(now) >= youngest


def test_every_lease_says_how_old_its_oldest_input_was(quick: InProcessRun) -> None:
    leases = [
        twin.controller.lease
        for twin in quick.host.twins.values()
        if twin.tier < 3  # the root obeys nobody
    ]
    assert len(leases) > 40
    assert all(0 < lease.age_ms < OLDEST_SAMPLE // 1_000_000 + 1_000 for lease in leases)


def test_silent_devices_are_no_input_after_a_while() -> None:
    run = started()
    edge = next(twin for name, twin in run.host.twins.items() if name.startswith("edge-"))
    gateway = edge.children[0].name
    assert input_age_ms(edge, run.host.now) == UNKNOWN_AGE_MS
    for epoch in range(3):
        run.run_epoch(epoch)
    before = input_age_ms(edge, run.host.now)
    assert before < OLDEST_SAMPLE // 1_000_000
    run.network.cut(gateway, edge.name)
    for epoch in range(3, 7):
        run.run_epoch(epoch)
    assert input_age_ms(edge, run.host.now) == UNKNOWN_AGE_MS
    fog = run.host.twins[edge.parent.name]
    assert input_age_ms(fog, run.host.now) == UNKNOWN_AGE_MS  # one of its children decides without inputs
