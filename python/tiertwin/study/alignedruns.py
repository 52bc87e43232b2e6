"""What alignment is worth in a running tree: the same world decided on demand as measured, as predicted, and as it is.

    hold       demand as telemetry told it (`policy.alignment: hold`)
    forecast   predicted to the middle of the time for which it is decided (the default)
    known      every group's mean rate of the coming epoch, by the scenario's day: no twin has it. The difference to it
               is the regret that better prediction could win back; what chance makes of the rates nobody knows

One seed is one world for all three; differences are paired by seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.allocate.nodeside import MasterSolver
from tiertwin.errors import InputError
from tiertwin.orchestrate.edge import EdgeController
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.measure import Meter, summary
from tiertwin.runtime.plan import make_plan
from tiertwin.study.statistics import interval, paired
from tiertwin.world import load, offered_tasks, resolve

if TYPE_CHECKING:
    from tiertwin.model import Scenario
    from tiertwin.runtime.inprocess import InProcessRun
    from tiertwin.world import World

ARMS = ("hold", "forecast", "known")
FIGURES = ("utility_mean", "deadline_miss_ratio", "latency_p95_ms", "state_error")


def aligned_runs(
    scenario: Scenario, seeds: Sequence[int], epochs: int, say: Callable[[str], None] = lambda text: None
) -> list[dict[str, Any]]:
    """Return a row an arm and KPI: mean over seeds, and the difference to ``known``, with 95 % intervals.

    Raises
    ------
    InputError
        Users of the scenario move (nobody's rate is known beforehand), or fewer than two seeds.
    """
    if scenario.access is not None:
        raise InputError(
            "expected devices that stay, got `access`: where users will be is not in the scenario", "known"
        )
    if len(seeds) < 2:
        raise InputError(f"expected at least 2 seeds (an interval needs two worlds), got {len(seeds)}", "seeds")
    masters = master_solver(scenario.policy.master_solver)
    found: dict[str, dict[str, list[float]]] = {arm: {name: [] for name in FIGURES} for arm in ARMS}
    for seed in seeds:
        for arm in ARMS:
            row = _one(scenario, seed, epochs, arm, masters)
            say(f"seed {seed}, {arm}: utility {row['utility_mean']:.4f}")
            for name in FIGURES:
                found[arm][name].append(float(row[name]))
    return [_row(found, arm, name) for name in FIGURES for arm in ARMS]


def _row(found: dict[str, dict[str, list[float]]], arm: str, name: str) -> dict[str, Any]:
    mean = interval(found[arm][name])
    row: dict[str, Any] = {"kpi": name, "demand": arm, "mean": mean.mean, "half": mean.half}
    for other in ("known", "hold"):
        if arm in (other, "known"):
            continue
        apart = paired(found[arm][name], found[other][name])
        row |= {f"to_{other}": apart.mean, f"to_{other}_half": apart.half}
    return row


def _one(scenario: Scenario, seed: int, epochs: int, arm: str, masters: MasterSolver) -> dict[str, Any]:
    alignment = "hold" if arm == "hold" else "forecast"
    plan = make_plan(load(scenario, policy__alignment=alignment), epochs, seed, [HIERARCHICAL])
    run = make_run(plan, resolve(plan.scenario), HIERARCHICAL, masters)
    if arm == "known":
        _know(run)
    meter = Meter(run.world)
    for epoch in range(epochs):
        run.run_epoch(epoch)
        meter.epoch(run.observe(), *run.plant_books())
    return summary(meter, run.observe(), 0.0, run.peak_mb)


def _know(run: InProcessRun) -> None:
    """Give every edge the rates of the epoch that begins in the place of its estimate."""
    for twin in run.twins.values():
        if isinstance(twin.controller, EdgeController):
            view = twin.controller.view
            view.estimator = _Known(run.world, view.site, view.estimator.nominal)  # type: ignore[assignment]


class _Known:
    """In the place of a demand estimator: the day of the scenario, epoch by epoch from 1 on."""

    def __init__(self, world: World, site: int, nominal: Any) -> None:
        self._world, self._site, self.nominal = world, site, nominal
        self._epoch = 0

    def update(self, measured: Any, covered: Any) -> None:
        self._epoch += 1

    def predict(self, ahead: float) -> Any:
        return offered_tasks(self._world, self._epoch)[self._site].ravel()
