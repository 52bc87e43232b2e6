"""Carries a plan out: one world, one seed, every policy in turn; writes the run directory while it goes."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import ProcessError
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.faultbooks import FaultBooks
from tiertwin.runtime.host import ORIGIN, SolveHere
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.measure import EpochRow, Meter, decision_tree, summary, traffic_by_pair
from tiertwin.runtime.plan import MONOLITHIC, RunPlan, rhythm_of, settings_of
from tiertwin.runtime.poolclient import POOL
from tiertwin.runtime.processes import lay_out, place
from tiertwin.runtime.references import REFERENCE_EVERY, References, pair_with_references, reference_row
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.tree import make_host, master_shapes
from tiertwin.store import EventLog

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tiertwin.allocate.nodeside import MasterSolver
    from tiertwin.runtime.exposition import MetricsServer
    from tiertwin.runtime.host import Host, Solver
    from tiertwin.runtime.liverun import LiveRun
    from tiertwin.runtime.observed import Observation
    from tiertwin.runtime.policyruns import PolicyRun, PolicyRuns
    from tiertwin.runtime.storeproxy import StoreProxy
    from tiertwin.runtime.treerun import TreeRun
    from tiertwin.store import RunWriter
    from tiertwin.world import World

    Writer = RunWriter | StoreProxy
    Run = InProcessRun | TreeRun | LiveRun | PolicyRun

EDGE = 1  # tier number


class Watcher(Protocol):
    """Somebody who wants to see a run go by (progress, live view)."""

    def policy_began(self, policy: str, epochs: int) -> None:
        """A policy starts."""
        ...

    def epoch_ended(self, policy: str, row: EpochRow, seen: Observation, world: World) -> None:
        """An epoch of a policy is over."""
        ...

    def policy_ended(self, policy: str, row: dict[str, Any]) -> None:
        """A policy is done."""
        ...

    def told(self, news: str) -> None:
        """Something happened that a person should know: a process is gone, or silent."""
        ...


class Silent:
    """Watches nothing."""

    def policy_began(self, policy: str, epochs: int) -> None:
        """Nothing."""

    def epoch_ended(self, policy: str, row: EpochRow, seen: Observation, world: World) -> None:
        """Nothing."""

    def policy_ended(self, policy: str, row: dict[str, Any]) -> None:
        """Nothing."""

    def told(self, news: str) -> None:
        """Nothing."""


@dataclass
class Executed:
    """Everything a run leaves behind in memory.

    `kept` are the twins of the policy of interest, if they ran here; `broken` says why a run under the real clock ended
    before its time.
    """

    plan: RunPlan
    world: World
    kept: InProcessRun | None = None
    meters: dict[str, Meter] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    references: References = field(default_factory=References)
    log_hash: str = ""
    wall_s: float = 0.0
    broken: str = ""


@dataclass(frozen=True)
class TreeOptions:
    """How `hierarchical` runs in processes of its own, and the other policies each in one.

    Parameters
    ----------
    processes
        As :func:`tiertwin.runtime.processes.lay_out` takes them.
    solvers
        Workers of the solver pool.
    folder
        For the logs of the processes.
    real_clock
        Under the real clock instead of in lockstep.
    hosts
        Address by tier or process, as :func:`tiertwin.runtime.processes.place` takes them.
    first_port
        Fixed ports from here on, 0: the system chooses.
    metrics
        Endpoint that shows the tree while it runs, under the real clock.
    jobs
        How many of the other policies run at a time, each in a process; 1: one after the other in this one.
    durable
        Twins keep logs, under the real clock.
    """

    folder: Path
    processes: Mapping[str, int] | str | None = None
    solvers: int = 2
    real_clock: bool = False
    hosts: Mapping[str, str] = field(default_factory=dict)
    first_port: int = 0
    metrics: MetricsServer | None = None
    jobs: int = 1
    durable: bool = False


def execute(
    plan: RunPlan,
    world: World,
    writer: Writer | None,
    log: Any = None,
    watcher: Watcher | None = None,
    tree: TreeOptions | None = None,
) -> Executed:
    """Run every policy of `plan` on `world`.

    Parameters
    ----------
    plan, world
        What to run, and its resolved world.
    writer
        Run directory, None to keep everything in memory.
    log
        Where event lines go besides (``write(line)``), e.g. a replay's comparison.
    watcher
        Told about progress.
    tree
        Runs `hierarchical` as a tree of processes, the others in processes; None: everything in this process.
    """
    with _others(plan, world, tree) as others:
        return _execute(plan, world, _Sinks(writer, EventLog(None), log), watcher or Silent(), tree, others)


def _others(plan: RunPlan, world: World, tree: TreeOptions | None) -> PolicyRuns | nullcontext[None]:
    """Return the processes of the policies without a tree; nothing where there is no use for them."""
    policies = [policy for policy in plan.executed if policy != HIERARCHICAL]
    if tree is None or min(tree.jobs, len(policies)) < 2:
        return nullcontext()
    from tiertwin.runtime.policyruns import PolicyRuns  # noqa: PLC0415

    return PolicyRuns(plan, world, policies, tree.jobs, tree.folder)


def _execute(
    plan: RunPlan, world: World, sinks: _Sinks, watch: Watcher, tree: TreeOptions | None, others: PolicyRuns | None
) -> Executed:
    began = time.monotonic()
    done = Executed(plan, world)
    for policy in plan.executed:
        run: Run
        run = _make(plan, world, policy, tree) if others is None or policy == HIERARCHICAL else others.take(policy)
        try:
            _one_policy(plan, run, policy, sinks, watch, done)
        finally:
            run.close()
        if isinstance(run, InProcessRun) and (policy == HIERARCHICAL or done.kept is None):
            done.kept = run
        for row in done.references.solve():
            if sinks.writer is not None:
                sinks.writer.kpis(policy, row.epoch, {"reference": row.values["reference"]})
                sinks.writer.commit()
    if plan.runs_monolithic:
        pair_with_references(done.meters, done.rows, done.references)
        done.rows[MONOLITHIC] = reference_row(done.rows[HIERARCHICAL], done.meters[HIERARCHICAL], done.references)
        watch.policy_ended(MONOLITHIC, done.rows[MONOLITHIC])
    done.log_hash = sinks.lines.log_hash
    done.wall_s = time.monotonic() - began
    return done


def _make(plan: RunPlan, world: World, policy: str, tree: TreeOptions | None) -> Run:
    if tree is None or policy != HIERARCHICAL:
        chosen = plan.scenario.policy.master_solver
        shapes = master_shapes(Roster(world)) if policy == HIERARCHICAL and chosen == "cvxpy" else []
        return make_run(plan, world, policy, master_solver(chosen, shapes, linear=False))
    from tiertwin.runtime.launcher import TreePlan  # noqa: PLC0415  brings sockets
    from tiertwin.runtime.liverun import LiveRun  # noqa: PLC0415
    from tiertwin.runtime.treerun import TreeRun  # noqa: PLC0415

    roster = Roster(world)
    settings = settings_of(plan, world, policy)
    processes, pool = place(lay_out(roster, tree.processes), roster, tree.hosts, POOL)
    wanted = TreePlan(
        world,
        roster,
        settings,
        processes,
        tree.solvers,
        tree.folder,
        tree.real_clock,
        pool,
        tree.first_port,
        tree.durable,
    )
    return LiveRun(wanted, tree.metrics) if tree.real_clock else TreeRun(wanted)


@dataclass
class _Sinks:
    writer: Any
    lines: Any
    log: Any

    def event(self, line: dict[str, Any]) -> None:
        self.lines.write(line)
        if self.writer is not None:
            self.writer.event(line)
        if self.log is not None:
            self.log.write(line)


def make_run(plan: RunPlan, world: World, policy: str, masters: MasterSolver) -> InProcessRun:
    """A policy's twins, network and plant in this process, before the first epoch."""
    return InProcessRun(host_of(plan, world, policy, SolveHere(masters)), world, rhythm_of(plan.scenario))


def host_of(plan: RunPlan, world: World, policy: str, solver: Solver, names: Sequence[str] | None = None) -> Host:
    """A host of the nodes called `names` (all by default), with the plant if its sides are among them."""
    return make_host(world, settings_of(plan, world, policy), solver, names)


def _one_policy(plan: RunPlan, run: Run, policy: str, sinks: _Sinks, watch: Watcher, done: Executed) -> None:
    watch.policy_began(policy, plan.epochs)
    began = time.monotonic()
    world = run.world
    meter, faults = Meter(world), FaultBooks()
    for epoch in range(plan.epochs):
        try:
            run.run_epoch(epoch)
        except ProcessError as error:
            if not (meter.rows and isinstance(run, _live())):
                raise
            done.broken = str(error)  # what was measured until then is kept
            break
        for news in run.take_news():
            watch.told(news)
        books = run.plant_books()
        if books is None:  # nothing to measure this epoch by
            for line in run.take_records():
                sinks.event({"policy": policy, **line})
            continue
        seen = run.observe()
        row = meter.epoch(seen, *books)
        complete = all(twin.name in seen.edges for twin in world.twins if twin.tier == EDGE)
        if policy == HIERARCHICAL and plan.runs_monolithic and epoch % REFERENCE_EVERY == 0 and complete:
            done.references.pending.append((decision_tree(world, seen), row))
        lines = run.take_records()
        row.values |= faults.add(row.kpis, lines, run.start_of(epoch) * 1e-9)
        for line in lines:
            sinks.event({"policy": policy, **line})
        if sinks.writer is not None:
            _write(sinks.writer, policy, row, seen, run.start_of(epoch), world)
        watch.epoch_ended(policy, row, seen, world)
    if not meter.rows:
        raise ProcessError(f"{policy}: the plant slept through all of {plan.epochs} epochs; nothing could be measured")
    wall = time.monotonic() - began if run.wall_s is None else run.wall_s
    done.meters[policy] = meter
    done.rows[policy] = summary(meter, run.observe(), wall, run.peak_mb) | faults.summary()
    watch.policy_ended(policy, done.rows[policy])


def _live() -> type:
    from tiertwin.runtime.liverun import LiveRun  # noqa: PLC0415  brings sockets

    return LiveRun


def _write(
    writer: RunWriter | StoreProxy, policy: str, row: EpochRow, seen: Observation, known: int, world: World
) -> None:
    epoch = row.epoch
    writer.kpis(policy, epoch, row.values)
    seconds = (row.kpis.to_ns - row.kpis.from_ns) / 1e9
    offered = row.kpis.by_site_class("generated").reshape(world.site_count, -1).sum(axis=1) / max(seconds, 1e-9)
    edges = [t.name for t in world.twins if t.tier == 1]
    fogs = [t.name for t in world.twins if t.tier == 2]
    sites = world.site_count
    writer.twin_kpis(policy, epoch, "offered_tasks_per_s", "edge", edges, offered.astype(np.float64))
    busy = row.kpis.server_utilisation
    writer.twin_kpis(policy, epoch, "utilisation", "edge", edges, busy[:sites])
    writer.twin_kpis(policy, epoch, "utilisation", "fog", fogs, busy[sites : sites + len(fogs)])
    writer.twin_kpis(policy, epoch, "utilisation", "cloud", [world.twins[0].name], busy[sites + len(fogs) :])
    capacity = np.repeat(world.link_capacity_mbps, 2)
    writer.links(policy, epoch, row.kpis.link_utilisation * capacity, capacity)
    for pair, moved in traffic_by_pair(seen).items():
        writer.kpis(policy, epoch, {"bytes_up": moved["up"], "bytes_down": moved["down"]}, tier=pair.split("-")[0])
    _write_beliefs(writer, policy, seen, known, world)
    writer.commit()


def _write_beliefs(writer: Writer, policy: str, seen: Observation, known: int, world: World) -> None:
    """What each deciding twin came to believe in this epoch (at `known`, its beginning), and what the root decided."""
    names = group_names(world)
    classes = np.array(world.class_names, dtype=object)
    epoch, root = seen.epoch, world.twins[0].name
    for twin in world.twins:
        edge, inner = seen.edges.get(twin.name), seen.inners.get(twin.name)
        if edge is not None and edge.under_tree and edge.x is not None:
            sampled = np.minimum(edge.sampled - ORIGIN, known)
            writer.belief(policy, epoch, twin.name, known, names, "demand", edge.demand, sampled)
        elif inner is not None:
            writer.belief(policy, epoch, twin.name, known, classes, "demand", inner.demand_by_class, known)
            if twin.name == root and inner.quota_compute is not None:
                writer.decision(policy, epoch, root, inner.children, "quota_compute", inner.quota_compute, unit="GHz")


def group_names(world: World) -> Any:
    """Names of a site's groups: class and ring."""
    rings = len(world.ring_rate_mbps)
    return np.array([f"{name}/ring-{r + 1}" for name in world.class_names for r in range(rings)], dtype=object)
