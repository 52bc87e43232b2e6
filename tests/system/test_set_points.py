"""What the plant is told: shares of devices and of service classes, as the plans in force have them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from support.inprocess import cut_off, started
from tiertwin.allocate.trees import Tree
from tiertwin.orchestrate.alone import AloneController
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.gateway import GatewayController
from tiertwin.orchestrate.policies import Nearest, SiteInputs
from tiertwin.runtime.fork import DomainTwin
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.measure import decision_tree
from tiertwin.wire.memory import Faults

pytestmark = pytest.mark.system


@dataclass
class Told:
    """Everything a plant was told, last of each site and all in order."""

    cpu: dict[int, np.ndarray] = field(default_factory=dict)
    uplink: dict[int, np.ndarray] = field(default_factory=dict)
    calls: list[tuple[int, int]] = field(default_factory=list)  # (time, site)


def listening(run: InProcessRun) -> Told:
    """Note what the plant of a run is told, and let it hear it."""
    told = Told()
    real = run.plant.set_site_shares

    def heard(site: int, cpu: np.ndarray, uplink: np.ndarray) -> None:
        told.cpu[site], told.uplink[site] = cpu, uplink
        told.calls.append((run.now, site))
        real(site, cpu, uplink)

    run.plant.set_site_shares = heard  # type: ignore[method-assign]
    return told


def edges(run: InProcessRun) -> dict[int, Any]:
    kinds = (EdgeController, AloneController)
    return {t.controller.view.site: t.controller for t in run.twins.values() if isinstance(t.controller, kinds)}


def gateways(run: InProcessRun) -> list[GatewayController]:
    return [t.controller for t in run.twins.values() if isinstance(t.controller, GatewayController)]


def check_within(run: InProcessRun, told: Told) -> None:
    """Sums over sites and classes stay within every server and every uplink."""
    world, tree = run.world, decision_tree(run.world, run.observe())
    most = 1 + 1e-6
    for site, edge in edges(run).items():
        assert told.cpu[site][0].sum() <= world.site_cores[site] * world.core_ghz * most
        assert told.uplink[site][0].sum() <= edge.problem.capacity[2] * most
    for number, fog in enumerate(tree.children):
        assert isinstance(fog, Tree)
        assert fog.uplink is not None
        sites = np.flatnonzero(world.site_fog == number)
        assert sum(told.cpu[s][1].sum() for s in sites) <= fog.compute[0] * most
        assert sum(told.uplink[s][1].sum() for s in sites) <= fog.uplink[0] * most
    assert sum(cpu[2].sum() for cpu in told.cpu.values()) <= tree.compute[0] * most


@pytest.mark.parametrize("name", ["metro", "germany50"])
def test_the_plant_gets_the_split_of_the_plans_in_force(name: str) -> None:
    run = started(name)
    told = listening(run)
    for epoch in range(3):
        run.run_epoch(epoch)
        check_within(run, told)
        for site, edge in edges(run).items():
            split = edge.view.split(edge.problem, edge.plan.x, edge.quota)
            assert told.cpu[site] == pytest.approx(split.cpu, rel=1e-12)
            assert told.uplink[site] == pytest.approx(split.uplink, rel=1e-12)
            quota = np.concatenate([told.cpu[site][1:].sum(axis=1), told.uplink[site][1:].sum(axis=1)])
            assert (quota <= edge.quota[[0, 2, 1]] * (1 + 1e-9)).all()
            check_covered(edge, split)
    assert {site for _, site in told.calls} == set(range(run.world.site_count))
    assert not any(g.clipped for g in gateways(run))


def check_covered(edge: EdgeController, split: Any) -> None:
    """Each class may use at least what the plan puts there."""
    assert edge.problem is not None
    assert edge.plan is not None
    problem, x = edge.problem, edge.plan.x
    uses = [problem.use_own[1], problem.use_quota[0], problem.use_quota[2], problem.use_own[2], problem.use_quota[1]]
    for use, share in zip(uses, [*split.cpu, *split.uplink], strict=True):
        load = np.bincount(edge.view.class_of, (use * x).sum(axis=1))
        assert (share >= load * (1 - 1e-6) - 1e-9).all()


@pytest.mark.parametrize("policy", ["edge-only", "cloud-only"])
def test_edge_only_and_cloud_only_split_their_fixed_shares_alike(policy: str) -> None:
    run = started(policy=policy)
    told = listening(run)
    for epoch in range(2):
        run.run_epoch(epoch)
    for site, edge in edges(run).items():
        split = edge.view.split(edge.problem, edge.plan.x, edge._share)
        assert told.cpu[site] == pytest.approx(split.cpu, rel=1e-12)
        assert told.uplink[site] == pytest.approx(split.uplink, rel=1e-12)
    check_within(run, told)
    upper = sum(float(cpu[1:].sum()) for cpu in told.cpu.values())
    assert (upper > 0) == (policy != "edge-only")
    assert not any(g.clipped for g in gateways(run))


@pytest.mark.parametrize("policy", ["nearest", "static"])
def test_nearest_and_static_grant_all_classes_the_same(policy: str) -> None:
    run = started(policy=policy)
    told = listening(run)
    for epoch in range(2):
        run.run_epoch(epoch)
    assert set(told.cpu) == set(edges(run))
    assert not any(cpu.any() for cpu in told.cpu.values())
    assert not any(uplink.any() for uplink in told.uplink.values())
    assert {cpu.shape for cpu in told.cpu.values()} == {(3, len(run.world.class_names))}
    assert {uplink.shape for uplink in told.uplink.values()} == {(2, len(run.world.class_names))}
    assert not any(g.clipped for g in gateways(run))


def test_an_own_policy_is_split_unless_it_says_otherwise() -> None:
    whole, split = Own(), Own()
    whole.splits = False  # type: ignore[attr-defined]
    for policy in (whole, split):
        run = started(policy="nearest")
        for edge in edges(run).values():
            edge._policy = policy
        told = listening(run)
        run.run_epoch(0)
        assert any(cpu.any() for cpu in told.cpu.values()) == (policy is split)


class Own:
    """A user's policy without an opinion on classes."""

    name = "own"

    def plan(self, site: SiteInputs) -> np.ndarray:
        return Nearest().plan(site)


def test_a_gateway_that_is_cut_off_resets_its_class_shares() -> None:
    run = started()
    told = listening(run)
    name = next(t.name for t in run.world.twins if t.tier == 0)
    site = next(t.site for t in run.world.twins if t.name == name)
    for epoch in range(2):
        run.run_epoch(epoch)
    assert told.cpu[site].any()
    cut_off(run, name)
    for epoch in range(2, 7):
        run.run_epoch(epoch)
    assert not told.cpu[site].any()
    assert not told.uplink[site].any()
    cut_off(run, name, heal=True)
    for epoch in range(7, 12):
        run.run_epoch(epoch)
    assert told.cpu[site].any()


def test_an_edge_without_a_lease_splits_its_own_resources_alone() -> None:
    run = started()
    told = listening(run)
    run.run_epoch(0)
    fog = next(t for t in run.world.twins if t.tier == 2)
    below = [t for t in run.world.twins if t.parent == fog.name]
    for twin in below:
        cut_off(run, twin.name)
    for epoch in range(1, 6):
        run.run_epoch(epoch)
    for twin in below:
        assert told.cpu[twin.site][0].any()
        assert not told.cpu[twin.site][1:].any()
        assert not told.uplink[twin.site].any()


def test_duplicates_and_late_frames_put_nothing_in_force_twice() -> None:
    """The gateways' link repeats and reorders everything: each decision acts once, the newest last."""
    run = started()
    bad = Faults(delay=1_000_000, jitter=3_000_000, duplicate=1.0, reorder=0.3)
    for twin in run.world.twins:
        if twin.tier == 0 and twin.parent is not None:
            run.network.set_faults(twin.parent, twin.name, bad)
    told = listening(run)
    for epoch in range(4):
        run.run_epoch(epoch)
    sites = run.world.site_count
    assert len(told.calls) <= 5 * sites  # one an epoch, and in the first without and with a lease from above
    for site, edge in edges(run).items():
        split = edge.view.split(edge.problem, edge.plan.x, edge.quota)
        assert told.cpu[site] == pytest.approx(split.cpu, rel=1e-12)


def test_forking_a_gateway_or_a_domain_puts_nothing_in_force() -> None:
    run = started()
    for epoch in range(2):
        run.run_epoch(epoch)
    told = listening(run)
    gateway = gateways(run)[0]
    copy = gateway.fork()
    assert (copy.lease, copy.local_policy) == (gateway.lease, gateway.local_policy)
    edge = next(t for t in run.twins.values() if isinstance(t.controller, EdgeController))
    DomainTwin(run, edge.name).fork().scale_demand(2.0).compare()
    assert told.calls == []
