"""Builders of whole trees in memory, shared by the system tests."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.model.scenario import Scenario
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.plan import RunPlan, make_plan
from tiertwin.world import World, load, resolve

MASTERS = master_solver("kernel")  # as runs have it; a solve does not depend on earlier ones


@lru_cache
def world_of(name: str) -> World:
    """Resolve a scenario once for all tests."""
    return resolve(load(name))


@lru_cache
def reporting_world(report_ms: int, delay_ms: tuple[float, float]) -> World:
    """Metro, where devices report as often as twins do, by a right clock, and no report is lost.

    `delay_ms`: least and most that a device's report is under way.
    """
    data = world_of("metro").scenario.model_dump()
    told = {"period_s": report_ms / 1e3, "delay_ms": list(delay_ms), "loss": 0.0, "noise": 0.0, "clock_offset_ms": 0.0}
    data["telemetry"] |= told
    for tier in data["tiers"].values():
        tier["report_ms"] = report_ms
    return resolve(Scenario.model_validate(data))


def plan_of(name: str, epochs: int = 5, seed: int = 7, policy: str = "hierarchical") -> RunPlan:
    """A plan of one policy on a built-in scenario."""
    return make_plan(world_of(name).scenario, epochs, seed, [policy])


def started(name: str = "metro", seed: int = 7, policy: str = "hierarchical", **changes: Any) -> InProcessRun:
    """A run before its first epoch."""
    run = make_run(plan_of(name, seed=seed, policy=policy), world_of(name), policy, MASTERS)
    for key, value in changes.items():
        setattr(run, key, value)
    return run


def played(name: str, epochs: int) -> InProcessRun:
    """A run after so many epochs."""
    run = started(name)
    for epoch in range(epochs):
        run.run_epoch(epoch)
    return run


def cut_off(run: InProcessRun, name: str, *, heal: bool = False) -> None:
    """Cut (or heal) every link between a twin and its parent."""
    parent = next(t.parent for t in run.world.twins if t.name == name)
    assert parent is not None
    act = run.network.heal if heal else run.network.cut
    act(name, parent)
    act(parent, name)
