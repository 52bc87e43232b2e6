"""The tree that faults are played on: its processes, its loop, and what it tells."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from tiertwin.errors import ProcessError
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.chaos.ledger import Ledger
from tiertwin.runtime.chaos.network import Cable, Namespaces, inside, namespaces
from tiertwin.runtime.chaos.plan import CABLE, POOL, Target
from tiertwin.runtime.launcher import Launcher, TreePlan
from tiertwin.runtime.plan import make_plan, settings_of
from tiertwin.runtime.processes import TIERS, lay_out
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.treefile import stat_of
from tiertwin.world import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tiertwin.model import Scenario

READ_S = 0.25  # between two looks at what was told
TURN_MS = 50.0
READY_S = 60.0  # timeout `ready`: from the start until every link is live
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Wanted:
    """What tree to start.

    Parameters
    ----------
    processes
        How many processes each tier gets; None: as the scenario says.
    durable
        Twins keep logs.
    network
        Plant, gateways and edges live in a namespace of their own, fogs and cloud in another.
    """

    scenario: Scenario
    seed: int | None = None
    processes: Mapping[str, int] | str | None = None
    durable: bool = True
    network: bool = False


class ChaosTree:
    """A tree under the real clock whose processes are watched; a context manager that leaves none behind.

    Parameters
    ----------
    wanted
        Which.
    folder
        For logs, state, and what is told.
    """

    def __init__(self, wanted: Wanted, folder: Path) -> None:
        self.wanted, self.folder = wanted, folder
        self.watched = folder / "watched"
        self.cable: Cable | None = None
        self.each_turn: Callable[[ChaosTree], None] | None = None  # called whenever the loop comes round
        self.killed: list[str] = []  # at the end: who did not end by itself
        self._stack = ExitStack()
        self._next_read = 0.0
        self._overdue: list[str] = []

    def __enter__(self) -> Self:
        self.watched.mkdir(parents=True, exist_ok=True)
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        wanted = self.wanted
        plan = make_plan(wanted.scenario, 1, wanted.seed, [HIERARCHICAL])
        world = resolve(plan.scenario)
        roster, deployment = Roster(world), plan.scenario.deployment
        counts = wanted.processes
        if counts is None and deployment is not None:
            counts = deployment.processes.counts()
        layout = lay_out(roster, counts)
        command: tuple[str, ...] = (sys.executable, "-P", "-m", "tiertwin.runtime.chaos.child", str(self.watched))
        if wanted.network:
            pair = self._stack.enter_context(namespaces("chaos"))
            self._stack.enter_context(inside(pair.near))
            self.cable = Cable(pair.far, pair.device, pair.near_address)
            far = {p.name for p in layout if roster.tier(p.nodes[0]) <= 1}
            hosts = {p.name: pair.far_address if p.name in far else Namespaces.near_address for p in layout}
            layout = [replace(p, host=hosts[p.name]) for p in layout]
            command = (*command, pair.far, ",".join(sorted(far)))
        solvers = 2 if deployment is None else deployment.solvers
        settings = settings_of(plan, world, HIERARCHICAL)
        tree = TreePlan(
            world, roster, settings, layout, solvers, self.folder, True, durable=wanted.durable, command=command
        )
        self.roster, self.layout, self.solvers = roster, layout, [f"solver-{k + 1}" for k in range(solvers)]
        self.period_s = settings.rhythm.base_epoch_s
        self.control_every = plan.scenario.tiers.edge.control_every
        self.launcher = Launcher(tree).__enter__()
        self._stack.callback(self._close)
        home = self.launcher.home
        pairs = [(name, roster.parent(name) or "") for name in roster.names if roster.parent(name)]
        links = [(child, parent) for child, parent in pairs if home[child] != home[parent]]
        self.ledger = Ledger(links, self.watched, self.folder / "logs")
        self.ledger.look_from(1)
        if not self.until(lambda: self.ledger.agreed_at() is not None, READY_S):
            raise ProcessError(f"timeout 'ready': not every link is live: {'; '.join(self.ledger.apart()[:5])}")

    def _close(self) -> None:
        self.killed = self.launcher.close()
        self.ledger.read()

    # -- who is there --------------------------------------------------------------------------------------------------
    def targets(self) -> dict[str, list[Target]]:
        """Whom faults may hit, by tier, :data:`POOL` and :data:`CABLE`."""
        found: dict[str, list[Target]] = {tier: [] for tier in TIERS}
        for process in self.layout:
            tier = self.roster.tier(process.nodes[0])
            if tier >= 0:
                found[TIERS[tier]].append(Target(process.name, process.nodes))
        found[POOL] = [Target(name) for name in self.solvers]
        found[CABLE] = [Target("cable")] if self.cable is not None else []
        return found

    def nodes_of(self, process: str) -> tuple[str, ...]:
        """Nodes of a process."""
        return next((p.nodes for p in self.layout if p.name == process), ())

    def pid(self, process: str) -> int:
        """Its number now; 0: it is not there."""
        child = self.launcher.children.get(process)
        return 0 if child is None else child.pid

    def up(self, process: str) -> bool:
        """Whether it is there and has said so."""
        return process in self.launcher.children and self.launcher.was_there(process, time.time_ns())

    def signal(self, process: str, number: int) -> int:
        """Send a signal to a process of this tree; returns its pid."""
        pid = self.pid(process)
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    # -- time ----------------------------------------------------------------------------------------------------------
    def turn(self) -> None:
        """Let the launcher do its work, and take in what was told.

        Raises
        ------
        ProcessError
            The plant is gone: there is nothing to run on.
        """
        self.launcher.turn(TURN_MS)
        self._overdue += self.launcher.kill_overdue()
        for child in self.launcher.children.values():
            child.messages.clear()
        if "plant" not in self.launcher.children:
            raise ProcessError("the plant's process is gone; there is nothing to run on:\n" + self.launcher.news[-1])
        if time.monotonic() >= self._next_read:
            self.ledger.read()
            self._next_read = time.monotonic() + READ_S
        if self.each_turn is not None:
            self.each_turn(self)

    def run_for(self, seconds: float) -> None:
        """Turn for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.turn()

    def until(self, condition: Callable[[], object], seconds: float) -> bool:
        """Turn until something holds; False when it does not within so many seconds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= end:
                return False
            self.turn()
        return True

    def epoch_of(self, at: int) -> int:
        """Base epoch at a time, ns since 1970."""
        return int((at - self.launcher.origin) // (self.period_s * SECOND))


def gone(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    return stat_of(pid)[0] in ("", "Z", "X")


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait for the end of a process while nobody turns; False when it lives on."""
    end = time.monotonic() + seconds
    while not gone(pid):
        if time.monotonic() >= end:
            return False
        time.sleep(0.005)
    return True
