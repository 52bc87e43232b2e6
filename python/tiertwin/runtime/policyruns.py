"""Policies that need no tree, some at a time, each in a process of its own; what they found is taken one by one.

They share nothing but the world's file, so what a policy finds does not depend on who runs beside it. Whoever measures
takes one policy after the other, in the plan's order; the processes meanwhile run ahead, by `MOST_HELD` epochs at most.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tiertwin.errors import ProcessError
from tiertwin.runtime.childconfig import ChildConfig, PolicyConfig, settings_to_plain
from tiertwin.runtime.children import Child, end_all
from tiertwin.runtime.control import Collected
from tiertwin.runtime.deployment import WORLD_FILE
from tiertwin.runtime.plan import rhythm_of, settings_of
from tiertwin.world.stored import store_world

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from tiertwin.orchestrate.rhythm import Rhythm
    from tiertwin.plant import PlantKpis
    from tiertwin.runtime.observed import Observation
    from tiertwin.runtime.plan import RunPlan
    from tiertwin.world import World

EPOCH_S = 600.0  # timeout `epoch`: of one epoch of a policy, its start included
MOST_HELD = 64  # epochs that wait to be taken; then the process waits


class PolicyRuns:
    """The processes of policies; a context manager that leaves none behind.

    Parameters
    ----------
    plan, world, policies
        What to run, in the order in which it will be taken.
    jobs
        How many at a time, ≥ 1.
    folder
        Run directory: for the world's file and the processes' logs.
    """

    def __init__(self, plan: RunPlan, world: World, policies: Sequence[str], jobs: int, folder: Path) -> None:
        self._plan, self._world, self._jobs = plan, world, jobs
        self._file, self._logs = folder / WORLD_FILE, folder / "logs"
        self._stored = False
        self._waiting = list(policies)
        self._working: dict[str, _Working] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, policy: str) -> PolicyRun:
        """Return the run of a policy; the first one starts the processes."""
        if not self._stored:
            self._logs.mkdir(parents=True, exist_ok=True)
            store_world(self._world, self._file)  # even where a file is: whose world it holds, nobody knows
            self._stored = True
        self._start_more()
        return PolicyRun(self, policy, self._world, rhythm_of(self._plan.scenario))

    def wait(self, policy: str) -> Collected:
        """Return the next epoch of a policy.

        Raises
        ------
        ProcessError
            Its process failed, or said nothing in time.
        """
        until = time.monotonic() + EPOCH_S
        child = self._working[policy].child
        while not child.messages:
            left = until - time.monotonic()
            if left <= 0:
                raise ProcessError(
                    f"timeout 'epoch': process {child.name} (pid {child.pid}) said nothing for {EPOCH_S:g} s"
                )
            self._turn(policy, left)
        message = child.messages.popleft()
        if not isinstance(message, Collected):
            raise ProcessError(f"process {child.name}: expected Collected, got {type(message).__name__}")
        return message

    def end(self, policy: str) -> None:
        """End a policy's process; at once, if it has not told of all its epochs."""
        working = self._working.pop(policy, None)
        if working is not None:
            self._end([working])

    def close(self) -> None:
        """End every process."""
        working = list(self._working.values())
        self._working.clear()
        self._waiting.clear()
        self._end(working)

    def _end(self, ending: Sequence[_Working]) -> None:
        for working in ending:
            if working.told < self._plan.epochs:
                working.child.kill()
        end_all([working.child for working in ending])

    def _turn(self, wanted: str, timeout_s: float) -> None:
        """Read what the processes say; where one is through, begin with the next policy."""
        readable = [
            name
            for name, working in self._working.items()
            if name == wanted or (working.told < self._plan.epochs and len(working.child.messages) < MOST_HELD)
        ]
        fds = [self._working[name].child.fd for name in readable]
        ready = select.select(fds, [], [], timeout_s)[0]
        for name in readable:
            working = self._working[name]
            if working.child.fd in ready:
                before = len(working.child.messages)
                working.child.read()
                working.told += len(working.child.messages) - before
        self._start_more()

    def _start_more(self) -> None:
        busy = sum(working.told < self._plan.epochs for working in self._working.values())
        while self._waiting and busy < self._jobs:
            policy = self._waiting.pop(0)
            settings = settings_to_plain(settings_of(self._plan, self._world, policy))
            config = PolicyConfig(str(self._file), settings, self._plan.epochs)
            child = Child(ChildConfig(policy, policy=config), self._logs / f"{policy}.log")
            self._working[policy] = _Working(child)
            busy += 1


@dataclass
class _Working:
    """A process, and of how many epochs it has told."""

    child: Child
    told: int = 0


class PolicyRun:
    """One policy in its process; to whoever measures it, the same as a run in this one."""

    def __init__(self, runs: PolicyRuns, policy: str, world: World, rhythm: Rhythm) -> None:
        self._runs, self._policy, self._rhythm = runs, policy, rhythm
        self.world = world
        self._seconds = 0.0
        self._found: Collected | None = None

    @property
    def wall_s(self) -> float | None:
        """Wall time of the epochs taken so far, as the process measured it, s."""
        return self._seconds

    @property
    def peak_mb(self) -> float:
        """Peak resident memory of the process, 10⁶ bytes."""
        return self._last.peak_mb

    @property
    def _last(self) -> Collected:
        if self._found is None:
            raise ProcessError(f"{self._policy}: no epoch was run yet; begin with `run_epoch(0)`")
        return self._found

    def start_of(self, epoch: int) -> int:
        """Plant time at which `epoch` begins, ns."""
        return self._rhythm.start_of(epoch)

    def run_epoch(self, epoch: int) -> None:
        """Take the next epoch; call with 0, 1, 2, …"""
        self._found = self._runs.wait(self._policy)
        self._seconds += self._found.seconds

    def observe(self) -> Observation:
        """What was seen of all twins at the end of the epoch."""
        seen: Observation = self._last.seen
        return seen

    def plant_books(self) -> tuple[PlantKpis, Any] | None:
        """The plant's books of the epoch, and its mean task rate of every group at the end, tasks/s."""
        return self._last.kpis, self._last.truth

    def take_news(self) -> list[str]:
        """Nothing happens there that is not in the log."""
        return []

    def take_records(self) -> list[dict[str, Any]]:
        """Return the epoch's log entries in the log's order."""
        return self._last.records

    def close(self) -> None:
        """End the process."""
        self._runs.end(self._policy)
