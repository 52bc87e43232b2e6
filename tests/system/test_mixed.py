"""A tree whose users move: it closes its loop, and its twins know of the plant what they are told and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from support.inprocess import MASTERS
from tiertwin.plant import SimulatedPlant
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.measure import Meter
from tiertwin.runtime.plan import RunPlan, make_plan
from tiertwin.runtime.southbound import Southbound
from tiertwin.twin.attributes import A
from tiertwin.twin.events import Sampled
from tiertwin.world import World, load, resolve
from tiertwin.world.mixedscenario import mixed_scenario

pytestmark = pytest.mark.system

EPOCHS = 5
Told = dict[int, list[tuple[str, Sampled]]]


@lru_cache
def world_of() -> tuple[RunPlan, World]:
    """A small city and its countryside: 17 sites, 37 cells, 1 100 users."""
    tier = {"report_ms": 250, "control_every": 1}
    data = mixed_scenario(1_000, 100) | {"tiers": dict.fromkeys(("device", "edge", "fog", "cloud"), tier)}
    plan = make_plan(load(data), EPOCHS, 7, ["hierarchical"])
    return plan, resolve(plan.scenario)


def started() -> InProcessRun:
    plan, world = world_of()
    return make_run(plan, world, "hierarchical", MASTERS)


def log_of(run: InProcessRun, epochs: int = EPOCHS) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for epoch in range(epochs):
        run.run_epoch(epoch)
        lines += run.take_records()
    return lines


class Recording:
    """A southbound that keeps what it tells; `until` ends it: nothing more is told."""

    def __init__(self, inner: Southbound, cut_from: int | None = None) -> None:
        self.inner, self.told, self.cut_from = inner, Told(), cut_from

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def telemetry(self, until: int, epoch: int) -> Iterator[tuple[str, Sampled]]:
        came = list(self.inner.telemetry(until, epoch))
        if self.cut_from is not None and epoch >= self.cut_from:
            return
        self.told[until] = came
        yield from came


class Replaying(Recording):
    """Another plant that tells what the first one told."""

    def __init__(self, inner: Southbound, told: Told) -> None:
        super().__init__(inner)
        self.told = told

    def telemetry(self, until: int, epoch: int) -> Iterator[tuple[str, Sampled]]:
        list(self.inner.telemetry(until, epoch))
        yield from self.told[until]


def behind(run: InProcessRun, southbound: Any) -> InProcessRun:
    run.host.southbound = southbound
    return run


def test_the_loop_closes_with_moving_users() -> None:
    run = started()
    meter = Meter(run.world)
    for epoch in range(EPOCHS):
        run.run_epoch(epoch)
        row = meter.epoch(run.observe(), *run.plant_books())
        assert row.kpis.total("generated") > 0
        assert row.values["lower_bound"] <= row.values["upper_bound"]
    assert row.kpis.radio is not None
    assert row.kpis.radio.handovers > 0
    southbound: Any = run.host.southbound
    truth = np.bincount(southbound.plant.truth_device_groups(), minlength=run.world.device_count)
    believed = np.concatenate([edge.view.crowd.users for edge in edges(run)])
    nominal = run.world.group_devices.ravel()
    assert np.abs(believed - truth).sum() < 0.5 * np.abs(nominal - truth).sum()  # they have learnt who is where


def edges(run: InProcessRun) -> list[Any]:
    return [run.twins[t.name].controller for t in run.world.twins if t.tier == 1]


def test_another_plant_with_the_same_telemetry_is_decided_on_alike() -> None:
    first = started()
    kept = Recording(first.host.southbound)  # type: ignore[arg-type]
    log = log_of(behind(first, kept))
    _, world = world_of()
    second = started()
    southbound: Any = second.host.southbound
    hidden = {"secrets": {"hidden_loss_db": 9.0, "hidden_azimuth": 20.0, "efficiency_low": 0.3, "unseen_share": 0.3}}
    southbound.plant = SimulatedPlant(world, 99, replace(southbound.plant.options, access=hidden))
    again = log_of(behind(second, Replaying(southbound, kept.told)))
    assert again == log
    true_a: Any = first.host.southbound
    a, b = true_a.plant.truth_cells(), southbound.plant.truth_cells()
    assert not np.array_equal(a["loss_db"], b["loss_db"])
    assert not np.array_equal(true_a.plant.truth_device_groups(), southbound.plant.truth_device_groups())


def test_different_secrets_tell_differently() -> None:
    _, world = world_of()
    one, other = started(), started()
    southbound: Any = other.host.southbound
    southbound.plant = SimulatedPlant(
        world, 7, replace(southbound.plant.options, access={"secrets": {"hidden_loss_db": 9.0}})
    )
    assert log_of(one, 3) != log_of(other, 3)


def test_without_telemetry_a_belief_ages_and_says_so() -> None:
    run = started()
    log = log_of(behind(run, Recording(run.host.southbound, cut_from=3)), 9)  # type: ignore[arg-type]
    said = [line for line in log if line["what"] == "blind"]
    assert {line["node"] for line in said} == {n.index for n in run.host.roster.nodes.values() if n.tier == 1}
    assert {line["epoch"] for line in said} <= {5, 6}
    assert all(line["age_ms"] > 2_500 for line in said)
    before = [edge.view.demand.copy() for edge in edges(run)]
    run.run_epoch(9)
    for edge, demand in zip(edges(run), before, strict=True):
        assert np.array_equal(edge.view.demand, demand)  # it does not move, and it goes on deciding
        assert edge.decided == 9


def test_users_are_counted_up_to_the_fogs() -> None:
    run = started()
    for epoch in range(EPOCHS):
        run.run_epoch(epoch)
    counted = 0.0
    for spec in run.world.twins:
        if spec.tier != 2:
            continue
        for child in run.twins[spec.name].children:
            assert child.table_in is not None
            counted += float(np.nansum(child.table_in.column(A.USERS_SUM)[: run.world.groups_per_site]))
    southbound: Any = run.host.southbound
    seen = int((~southbound.plant.truth_users()["unseen"].astype(bool)).sum())
    assert abs(counted - seen) < 0.05 * seen  # whoever moved between two reports is counted twice or not at all
