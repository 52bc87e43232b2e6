"""Whole trees in memory under the virtual clock."""

from __future__ import annotations

import numpy as np
import pytest

import tiertwin as tt
from support.inprocess import cut_off, plan_of, started, world_of
from tiertwin.allocate import masterkernel
from tiertwin.allocate.master import Masters
from tiertwin.allocate.trees import evaluate
from tiertwin.errors import PeerError
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.gateway import GatewayController
from tiertwin.orchestrate.inner import InnerController
from tiertwin.orchestrate.units import cut_attributes
from tiertwin.runtime.execute import execute
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.measure import Meter, decision_tree
from tiertwin.twin.attributes import A, TableId
from tiertwin.twin.effects import Ban, Record
from tiertwin.twin.events import FrameReceived
from tiertwin.twin.lease import Lease
from tiertwin.twin.twin import Unit
from tiertwin.wire.memory import Faults

pytestmark = pytest.mark.system


def edges(run: InProcessRun) -> dict[str, EdgeController]:
    return {n: t.controller for n, t in run.twins.items() if isinstance(t.controller, EdgeController)}


def test_the_loop_closes_with_a_certificate_every_epoch() -> None:
    run = started()
    meter = Meter(run.world)
    for epoch in range(6):
        run.run_epoch(epoch)
        row = meter.epoch(run.observe(), *run.plant_books())
        assert row.values["lower_bound"] <= row.values["upper_bound"]
        assert 0 <= row.values["certified_gap"] <= 0.01
        assert row.kpis.total("generated") > 0
    for name, edge in edges(run).items():
        assert edge.lease.epoch == 5, name
        assert not edge.local_policy
    gateways = [t.controller for t in run.twins.values() if isinstance(t.controller, GatewayController)]
    assert all(g.lease.epoch == 5 and not g.local_policy for g in gateways)


def test_the_committed_plan_is_feasible_and_worth_the_lower_bound() -> None:
    run = started()
    for epoch in range(4):
        run.run_epoch(epoch)
        root = run.twins[run.world.twins[0].name].controller
        assert isinstance(root, InnerController)
        assert root.last_bounds is not None
        worth = evaluate(decision_tree(run.world, run.observe()), run.observe().plans())
        assert worth.violation <= 1e-6
        assert worth.value >= root.last_bounds.lb - 1e-6 * root.last_bounds.scale
        assert worth.value <= root.last_bounds.ub + 1e-6 * root.last_bounds.scale


def test_same_seed_same_log_other_seed_other_log() -> None:
    def log_hash(seed: int) -> str:
        return execute(plan_of("metro", epochs=3, seed=seed), world_of("metro"), None).log_hash

    assert log_hash(7) == log_hash(7)
    assert log_hash(7) != log_hash(8)


def test_what_the_twin_believes_is_late_and_noisy() -> None:
    run = started()
    meter = Meter(run.world)
    for epoch in range(4):
        run.run_epoch(epoch)
        row = meter.epoch(run.observe(), *run.plant_books())
    assert row.values["state_error"] > 0
    assert row.values["aoi_p99_ms"] > 20


def test_parent_silence_leads_to_local_policy_and_back() -> None:
    """P5 in short: 30 s without the parent; no period without a decision; obeys again after the heal."""
    run = started()
    fog = next(t for t in run.world.twins if t.tier == 2)
    below = [t.name for t in run.world.twins if t.parent == fog.name]
    for epoch in range(3):
        run.run_epoch(epoch)
    for name in below:
        cut_off(run, name)
    for epoch in range(3, 34):
        run.run_epoch(epoch)
        assert all(e.decided == epoch for e in edges(run).values())
    alone = [edges(run)[name] for name in below]
    assert all(e.local_policy for e in alone)
    assert all(e.plan is not None and not e.plan.use.any() for e in alone), (
        "nothing beyond the own site without a lease"
    )
    assert not any(e.local_policy for n, e in edges(run).items() if n not in below)
    for name in below:
        cut_off(run, name, heal=True)
    for epoch in range(34, 40):
        run.run_epoch(epoch)
    assert not any(e.local_policy for e in alone)
    assert all(e.lease.epoch == 39 for e in alone)
    records = [line for line in run.take_records() if line["what"] in ("local_policy", "under_lease", "lost")]
    assert {line["what"] for line in records} == {"local_policy", "under_lease", "lost"}


def test_a_gateway_without_an_edge_falls_back_to_its_devices() -> None:
    run = started()
    gateway = next(t for t in run.world.twins if t.tier == 0)
    for epoch in range(2):
        run.run_epoch(epoch)
    cut_off(run, gateway.name)
    for epoch in range(2, 8):
        run.run_epoch(epoch)
    controller = run.twins[gateway.name].controller
    assert isinstance(controller, GatewayController)
    assert controller.local_policy
    cut_off(run, gateway.name, heal=True)
    for epoch in range(8, 14):
        run.run_epoch(epoch)
    assert not controller.local_policy


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_tree_decides_over_a_bad_network(seed: int) -> None:
    """Loss, duplicates and reordering on every link: every edge decides every epoch, bounds stay in order."""
    run = started(seed=seed)
    bad = Faults(delay=3_000_000, jitter=4_000_000, loss=0.05, duplicate=0.1, reorder=0.1)
    for twin in run.world.twins:
        if twin.parent is not None:
            run.network.set_faults(twin.name, twin.parent, bad)
            run.network.set_faults(twin.parent, twin.name, bad)
    obeyed = 0
    for epoch in range(8):
        run.run_epoch(epoch)
        for edge in edges(run).values():
            assert edge.decided == epoch
            obeyed += edge.lease.epoch == epoch
        root = run.twins[run.world.twins[0].name].controller
        assert isinstance(root, InnerController)
        if root.last_bounds is not None:
            assert root.last_bounds.lb <= root.last_bounds.ub + 1e-9 * root.last_bounds.scale
    assert run.network.dropped > 0
    assert obeyed > 0


def test_slower_upper_tiers_leave_their_children_deciding() -> None:
    scenario = tt.load("metro", tiers__cloud__control_every=4, tiers__fog__control_every=2)
    result = tt.run(scenario, epochs=9, seed=3)
    rounds = [row for row in result.kpis() if row["kpi"] == "rounds"]
    assert [row["epoch"] for row in rounds] == [0, 4, 8]
    assert result.to_json()["policies"]["hierarchical"]["deadline_miss_ratio"] < 1


def test_a_paused_fog_is_told_in_the_log_and_others_go_on() -> None:
    run = started()
    fog = next(t.name for t in run.world.twins if t.tier == 2)
    for epoch in range(2):
        run.run_epoch(epoch)
    run.take_records()
    run.paused.add(fog)
    for epoch in range(2, 6):
        run.run_epoch(epoch)
    missing = [r for r in run.take_records() if r["what"] == "timeout" and r.get("name") == "gather"]
    assert any(fog in r["missing"] for r in missing)
    assert all(e.decided == 5 for e in edges(run).values())


@pytest.mark.parametrize("leaf_solver", ["kernel", "cvxpy"])
def test_kernel_and_cvxpy_decide_alike(leaf_solver: str) -> None:
    result = tt.run(tt.load("metro", policy__leaf_solver=leaf_solver, devices__count=300), epochs=1, seed=7)
    kpis = result.to_json()["policies"]["hierarchical"]
    reference = tt.run(tt.load("metro", devices__count=300), epochs=1, seed=7).to_json()["policies"]["hierarchical"]
    assert abs(kpis["objective"] - reference["objective"]) <= 1e-3 * reference["scale"]
    assert np.isfinite(kpis["certified_gap_median"])


@pytest.mark.parametrize("behind", ["cvxpy", "nobody"])
def test_a_run_goes_on_when_the_master_kernels_lie(behind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernel → cvxpy (S3) → the node's own steps: bounds hold on every rung, and the plan stays a plan."""
    scenario = tt.load("metro", devices__count=300)
    expected = tt.run(scenario, epochs=2, seed=7).to_json()["policies"]["hierarchical"]
    monkeypatch.setattr(masterkernel, "settle", lambda *_, **__: None)
    if behind == "nobody":
        monkeypatch.setattr(Masters, "solve", lambda *_: None)
    kpis = tt.run(scenario, epochs=2, seed=7).to_json()["policies"]["hierarchical"]
    steps = kpis["solver_step_counts"]
    assert expected["solver_step_counts"].keys() == {"S2"}
    assert steps["S3" if behind == "cvxpy" else "S6"] > 0
    assert kpis["lower_bound"] <= expected["upper_bound"]
    assert expected["lower_bound"] <= kpis["upper_bound"]
    assert kpis["local_policy_epochs"] == 0
    if behind == "cvxpy":
        assert kpis["upper_bound"] - kpis["lower_bound"] <= 6e-3 * kpis["scale"]


def test_cvxpy_masters_are_one_word_away() -> None:
    """They decide like the kernels, to what both promise: each plan is below the other's bound."""
    scenario = tt.load("metro", devices__count=300)
    runs = [tt.run(tt.load(scenario, policy__master_solver=name), epochs=2, seed=7) for name in ("kernel", "cvxpy")]
    ours, theirs = (run.to_json()["policies"]["hierarchical"] for run in runs)
    assert abs(ours["objective"] - theirs["objective"]) <= 6e-3 * theirs["scale"]
    assert ours["lower_bound"] <= theirs["upper_bound"]
    assert theirs["lower_bound"] <= ours["upper_bound"]


def test_a_child_that_names_a_later_epoch_stops_nobody() -> None:
    """Found by review: a unit stamped with a far epoch reopened the parent's gathering and its proposal was missed."""
    run = started()
    for epoch in range(2):
        run.run_epoch(epoch)
    fog = next(t.name for t in run.world.twins if t.tier == 2)
    twin = run.twins[fog]
    liar = twin.children[0].name
    controller = twin.controller
    assert isinstance(controller, InnerController)
    held = controller.gathering
    for named in (3, 4, 1_000):
        cells = {int(a): (np.zeros(1, dtype=np.uint32), np.array([float(named)])) for a in cut_attributes(3)}
        cells[int(A.CUT_ROUND)] = (np.zeros(1, dtype=np.uint32), np.zeros(1))
        assert controller.told(twin, Unit(liar, TableId.CUT, cells, None), run.now) == []
        assert controller.gathering is held
    run.run_epoch(2)
    assert not [r for r in run.take_records() if r["what"] == "timeout" and r["epoch"] == 2]
    root = run.twins[run.world.twins[0].name].controller
    assert isinstance(root, InnerController)
    assert root.last_bounds is not None
    assert root.last_bounds.stale == 0


def test_a_malformed_budget_is_logged_and_not_obeyed() -> None:
    run = started()
    run.run_epoch(0)
    name = next(iter(edges(run)))
    twin, edge = run.twins[name], edges(run)[name]
    before = edge.lease
    lease = Lease(epoch=9, term=before.term, basis=1, until=run.now + 10**9)
    with pytest.raises(PeerError, match="budget"):
        twin.controller.told(twin, Unit("fog", TableId.BUDGET, {}, lease), run.now)
    assert edge.lease == before


def test_a_peer_that_sends_nonsense_three_times_is_banned_and_told() -> None:
    run = started()
    run.run_epoch(0)
    gateway = run.twins[next(t.name for t in run.world.twins if t.tier == 0)]
    child = gateway.children[0].name
    effects = [effect for _ in range(3) for effect in gateway.handle(FrameReceived(child, b"nonsense" * 9), run.now)]
    assert [e.peer for e in effects if isinstance(e, Ban)] == [child]
    assert [e.what for e in effects if isinstance(e, Record)] == ["banned"]
    assert not gateway.children[0].live
    assert sum(gateway.counters.refused.values()) == 3
