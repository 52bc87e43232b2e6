"""A policy on a tree of processes under the real clock: epochs end when they end, and who is missing is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tiertwin.errors import ProcessError
from tiertwin.runtime.control import Collected
from tiertwin.runtime.deployment import METRICS
from tiertwin.runtime.host import SECOND, in_log_order
from tiertwin.runtime.launcher import Launcher

if TYPE_CHECKING:
    from tiertwin.plant import PlantKpis
    from tiertwin.runtime.exposition import MetricsServer
    from tiertwin.runtime.launcher import TreePlan
    from tiertwin.runtime.observed import Observation
    from tiertwin.world import World

GRACE_S = 2.0  # how long after the end of an epoch its last report is waited for (timeout `epoch`)


class LiveRun:
    """One policy on one world, its nodes in many processes, the plant paced by the clock.

    Parameters
    ----------
    plan
        The tree to start; it runs until :meth:`close`.
    metrics
        Shows the tree as long as it runs; None: nobody does.
    """

    def __init__(self, plan: TreePlan, metrics: MetricsServer | None = None) -> None:
        self.world: World = plan.world
        self.rhythm = plan.settings.rhythm
        self.launcher = Launcher(plan).__enter__()
        self._parts = [process.name for process in plan.processes]
        self._collected: dict[str, Collected] = {}
        self._early: dict[int, dict[str, Collected]] = {}  # by epoch: some are ahead of the slowest
        self._seen: Observation | None = None
        self._told = 0
        self.news: list[str] = []
        self._metrics = metrics
        if metrics is not None:
            try:
                metrics.watch(plan.folder, self.launcher.keys.keys[METRICS], self.launcher.counted)
            except BaseException:
                self.close()
                raise
            self.news.append(f"metrics at {metrics.url}")

    def start_of(self, epoch: int) -> int:
        """Plant time at which `epoch` begins, ns."""
        return int(epoch * self.rhythm.base_epoch_s * SECOND)

    def run_epoch(self, epoch: int) -> None:
        """Wait until base epoch `epoch` is over and everybody alive has told what happened in it.

        Raises
        ------
        ProcessError
            The plant's process is gone: there is nothing to run on.
        """
        end = self.launcher.origin + self.start_of(epoch + 1)
        self._collected, self._seen = self._early.pop(epoch, {}), None
        until = end / 1e9 + GRACE_S
        while time.time() < until:
            self.launcher.turn(50.0)
            for name in self.launcher.kill_overdue_solvers():
                self.news.append(f"{name} did not answer in time and was killed")
            self._take(epoch)
            if all(name in self._collected for name in self._parts if name in self.launcher.children):
                break
        silent = [name for name in self._parts if name in self.launcher.children and name not in self._collected]
        if silent:
            self.news.append(f"timeout 'epoch': nothing of epoch {epoch} from {', '.join(silent)}")
        self.news += self._losses()
        self.news += self.launcher.lost[self._told :]
        self._told = len(self.launcher.lost)
        if not any(found.kpis is not None for found in self._collected.values()):
            raise ProcessError(f"epoch {epoch}: the plant said nothing" + "".join(f"\n{n}" for n in self.news))

    def _losses(self) -> list[str]:
        """Who lost whom in this epoch, a line for each one lost."""
        names, by_peer = self.launcher.plan.roster.names, dict[str, list[str]]()
        for line in (line for found in self._collected.values() for line in found.records):
            if line["what"] == "lost":
                by_peer.setdefault(line["peer"], []).append(names[line["node"]])
        return [f"silence 2 s or link down: {peer} is lost to {', '.join(who)}" for peer, who in by_peer.items()]

    def _take(self, epoch: int) -> None:
        for name in self._parts:
            child = self.launcher.children.get(name)
            while child is not None and child.messages:
                message = child.messages.popleft()
                if not isinstance(message, Collected):
                    continue
                if message.seen.epoch == epoch:
                    self._collected[name] = message
                elif message.seen.epoch > epoch:
                    self._early.setdefault(message.seen.epoch, {})[name] = message

    def observe(self) -> Observation:
        """What was seen of the twins that reported the last epoch."""
        if self._seen is None:
            seen: list[Observation] = [found.seen for found in self._collected.values()]
            self._seen = seen[0]
            for other in seen[1:]:
                self._seen.merge(other)
        return self._seen

    def plant_books(self) -> tuple[PlantKpis, Any]:
        """The plant's books of the last epoch, and every group's mean task rate at its end, tasks/s."""
        found = next(part for part in self._collected.values() if part.kpis is not None)
        return found.kpis, found.truth

    def take_news(self) -> list[str]:
        """Return what a person should know of the processes since the last call."""
        taken, self.news = self.news, []
        return taken

    def take_records(self) -> list[dict[str, Any]]:
        """The last epoch's log entries."""
        return in_log_order([line for found in self._collected.values() for line in found.records])

    @property
    def peak_mb(self) -> float:
        """Peak resident memory of all processes that host twins together, 10⁶ bytes."""
        return sum(found.peak_mb for found in self._collected.values())

    def close(self) -> list[str]:
        """End every process; return the names of those that had to be killed."""
        try:
            if self._metrics is not None:
                self._metrics.close()
        finally:  # whoever interrupts this leaves no process behind
            killed = self.launcher.close()
        return killed
