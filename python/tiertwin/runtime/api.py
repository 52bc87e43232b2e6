"""The Python front door: ``load``, ``run``, ``replay`` and what they return."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.errors import InputError, ProcessError, UnknownNameError, suggest
from tiertwin.runtime.plan import MONOLITHIC, RunPlan, make_plan, stored_scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import networkx as nx

    from tiertwin.model import Scenario
    from tiertwin.model.deployment import Deployment
    from tiertwin.runtime.execute import Executed, Watcher
    from tiertwin.runtime.fork import DomainTwin
    from tiertwin.store import ReplayReport, StoredRun, Table
    from tiertwin.world import World


def load(source: str | Path | nx.Graph[Any] | Scenario, **overrides: Any) -> Scenario:
    """Return a validated scenario.

    Parameters
    ----------
    source
        A built-in name (``germany50``, ``metro``), a YAML file, a topohub name (``sndlib/germany50``), a networkx graph
        or a scenario.
    overrides
        Fields to change, by path with ``__`` for a dot: ``devices__count=1000``.

    Raises
    ------
    InputError, UnknownNameError
        What is wrong, all of it at once, each with its path.
    """
    from tiertwin.world import load as load_scenario  # noqa: PLC0415

    loaded: Scenario = load_scenario(source, **overrides)
    return loaded


@dataclass(frozen=True)
class Tree:
    """A tree of processes to run the twins in.

    Parameters
    ----------
    processes
        How many processes each tier gets (``{"device": 2, "edge": 3, "fog": 3, "cloud": 1}``), ``"node"`` for one a
        node, None for the default.
    solvers
        Workers of the solver pool, ≥ 1.
    real_clock
        Under the real clock (an epoch takes as long as it says) instead of in lockstep under the virtual one.
    hosts
        Address by tier (``"edge"``) or process (``"edges-2"``); 127.0.0.1 else.
    first_port
        Fixed ports under the real clock, one a node from here on; 0: the system chooses.
    metrics
        Port on loopback for Prometheus (``/metrics``), under the real clock; 0: the system chooses, None: none.
    jobs
        How many policies other than `hierarchical` run at a time, each in a process of its own; 1: one after the other
        in this process, None: as many as there are CPU cores.
    durable
        Twins keep logs: what they acknowledge survives kill -9 and power loss; under the real clock.
    """

    processes: Mapping[str, int] | str | None = None
    solvers: int = 2
    real_clock: bool = False
    hosts: Mapping[str, str] = field(default_factory=dict)
    first_port: int = 0
    metrics: int | None = None
    jobs: int | None = None
    durable: bool = False

    @classmethod
    def of(cls, deployment: Deployment, real_clock: bool = False) -> Tree:
        """Return the tree that the `deployment` section of a scenario asks for."""
        counts, port = deployment.processes.counts(), deployment.first_port or 0
        durable = deployment.durable and real_clock
        return cls(counts, deployment.solvers, real_clock, deployment.hosts, port, durable=durable)


class Result:
    """What a run found: KPIs, certificate, twins to fork.

    Not made by hand; :func:`run` returns it.
    """

    def __init__(self, done: Executed, folder: Path | None) -> None:
        self._done = done
        self.folder = folder
        self.log_hash = done.log_hash

    @property
    def scenario(self) -> Scenario:
        """The scenario that ran."""
        return self._done.plan.scenario

    @property
    def world(self) -> World:
        """The resolved world: network, roster, devices."""
        return self._done.world

    def kpis(self, policy: str | None = None) -> Table:
        """Return the epoch KPIs, tidy: policy, epoch, tier, twin, kpi, value, unit."""
        from tiertwin.model.kpis import kpi as find_kpi  # noqa: PLC0415
        from tiertwin.store import Table  # noqa: PLC0415

        rows: dict[str, list[Any]] = {k: [] for k in ("policy", "epoch", "tier", "twin", "kpi", "value", "unit")}
        for name, meter in self._done.meters.items():
            if policy is not None and name != policy:
                continue
            for row in meter.rows:
                for key, value in row.values.items():
                    for column, item in zip(
                        rows, (name, row.epoch, "network", "", key, value, find_kpi(key).unit), strict=True
                    ):
                        rows[column].append(item)
        return Table(rows)

    def twin(self, name: str) -> DomainTwin:
        """Return a twin by name as it stood at the end of the run (the hierarchical one, if it ran), to fork it."""
        from tiertwin.runtime.fork import DomainTwin  # noqa: PLC0415

        names = [t.name for t in self._done.world.twins]
        if name not in names:
            raise UnknownNameError(f"twin: expected a twin of this run, got {name!r}{suggest(name, names)}")
        if self._done.kept is None:
            raise InputError(
                "twin: the twins of this run lived in processes of their own; run in this process to fork one"
            )
        from tiertwin.runtime.faithful import play  # noqa: PLC0415

        return DomainTwin(self._done.kept, name, partial(play, self._done.plan, self.world, self._done.plan.epochs))

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``tiertwin run --json`` prints; a stable interface."""
        plan = self._done.plan
        return {
            "log_hash": self.log_hash,
            "scenario": plan.scenario.name,
            "seed": plan.seed,
            "epochs": plan.epochs,
            "policies": self._done.rows,
            "run": None if self.folder is None else str(self.folder),
            "wall_s": self._done.wall_s,
        }


def run(
    scenario: str | Path | nx.Graph[Any] | Scenario,
    epochs: int = 60,
    seed: int | None = None,
    policies: Sequence[str] | None = ("hierarchical",),
    out: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Result:
    """Run a scenario in this process under the virtual clock.

    Parameters
    ----------
    scenario
        Anything :func:`load` takes.
    epochs
        Base epochs, ≥ 1.
    seed
        Same seed and scenario give the same event log; None takes the scenario's.
    policies
        Names to run on the same world in turn; None runs all of them and the monolithic reference.
    out
        Run directory to write; None writes nothing.
    watcher
        Told about progress.

    Returns
    -------
    Result
        KPIs, certificate and twins.

    Raises
    ------
    InputError, UnknownNameError, OutputError
        Wrong scenario, option or policy; a run directory that cannot be written.
    """
    from tiertwin.runtime.execute import execute  # noqa: PLC0415
    from tiertwin.world import resolve  # noqa: PLC0415

    plan = make_plan(load(scenario), epochs, seed, policies)
    world = resolve(plan.scenario)
    if out is None:
        return Result(execute(plan, world, None, watcher=watcher), None)
    return _run_into(plan, world, Path(out), watcher)


def run_stored(
    scenario: str | Path | nx.Graph[Any] | Scenario,
    epochs: int = 60,
    seed: int | None = None,
    policies: Sequence[str] | None = None,
    out: str | Path | None = None,
    watcher: Watcher | None = None,
    tree: Tree | None = None,
) -> Result:
    """Run as :func:`run` does and always write a run directory; by default ``runs/<name>-s<seed>-NNN``.

    With `tree`, the twins of `hierarchical` run as a tree of processes and another one writes the run directory; the
    event log is the same. The other policies run afterwards, each in one process, as many at a time as it says.
    """
    from tiertwin.store import new_run_folder  # noqa: PLC0415
    from tiertwin.world import resolve  # noqa: PLC0415

    plan = make_plan(load(scenario), epochs, seed, policies)
    world = resolve(plan.scenario)
    folder = Path(out) if out is not None else new_run_folder(plan.scenario.name, plan.seed)
    return _run_into(plan, world, folder, watcher) if tree is None else _run_tree(plan, world, folder, watcher, tree)


def _run_tree(plan: RunPlan, world: Any, folder: Path, watcher: Watcher | None, tree: Tree) -> Result:
    from tiertwin.runtime.execute import TreeOptions, execute  # noqa: PLC0415
    from tiertwin.runtime.metrics import open_metrics  # noqa: PLC0415
    from tiertwin.runtime.storeproxy import StoreProxy  # noqa: PLC0415  another process imports duckdb

    settings = {"epochs": plan.epochs, "policies": list(plan.policies)}
    with (
        open_metrics(tree.metrics) as metrics,
        StoreProxy(folder, stored_scenario(plan, world), plan.seed, plan.policies, settings) as writer,
    ):
        jobs = len(os.sched_getaffinity(0)) if tree.jobs is None else tree.jobs
        options = TreeOptions(
            folder,
            tree.processes,
            tree.solvers,
            tree.real_clock,
            tree.hosts,
            tree.first_port,
            metrics,
            jobs,
            tree.durable,
        )
        done = execute(plan, world, writer, watcher=watcher, tree=options)
        result = Result(done, folder)
        writer.finish(result.to_json())
    if done.broken:
        kept = f"{folder} holds the epochs before that: `tiertwin report {folder}` makes a page of them"
        raise ProcessError(f"{done.broken}\n{kept}")
    return result


def _run_into(plan: RunPlan, world: Any, folder: Path, watcher: Watcher | None) -> Result:
    from tiertwin.runtime.execute import execute  # noqa: PLC0415
    from tiertwin.store import RunWriter  # noqa: PLC0415

    settings = {"epochs": plan.epochs, "policies": list(plan.policies)}
    with RunWriter(folder, stored_scenario(plan, world), plan.seed, plan.policies, settings=settings) as writer:
        result = Result(execute(plan, world, writer, watcher=watcher), folder)
        writer.finish(result.to_json())
    return result


def replay(folder: str | Path) -> ReplayReport:
    """Run a stored run again and compare event by event.

    Raises
    ------
    InputError
        The folder is not a run, or it was written by a version whose scenario this one cannot read.
    """
    from tiertwin.runtime.execute import execute  # noqa: PLC0415
    from tiertwin.store import ReplayCheck, open_run  # noqa: PLC0415
    from tiertwin.world import resolve  # noqa: PLC0415

    with open_run(folder) as stored:
        plan = _plan_of(stored)
        check = ReplayCheck(stored)
        execute(plan, resolve(plan.scenario), None, log=check)
        return check.report()


def _plan_of(stored: StoredRun) -> RunPlan:
    from tiertwin.model.parse import parse_scenario  # noqa: PLC0415

    fields = {k: v for k, v in stored.scenario.items() if k != "world"}
    settings = stored.settings
    if "epochs" not in settings or "policies" not in settings:
        raise InputError("run.json: expected epochs and policies, so that the run can be repeated", str(stored.folder))
    scenario = parse_scenario(fields, where=str(stored.folder))
    policies = [p for p in settings["policies"] if p != MONOLITHIC]
    return make_plan(scenario, int(settings["epochs"]), stored.seed, policies)


def now_s() -> float:
    """Monotonic seconds, for progress displays above the runtime."""
    return time.monotonic()
