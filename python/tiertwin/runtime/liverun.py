"""A policy on a tree of processes under the real clock: epochs end when they end, and who is missing is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.errors import ProcessError
from tiertwin.runtime.clock import RealClock
from tiertwin.runtime.control import Collected
from tiertwin.runtime.host import SECOND
from tiertwin.runtime.remoterun import RemoteRun
from tiertwin.wire.keys import METRICS

if TYPE_CHECKING:
    from tiertwin.runtime.exposition import MetricsServer
    from tiertwin.runtime.launcher import TreePlan

GRACE_S = 2.0  # how long after the end of an epoch its last report is waited for (timeout `epoch`)
PLANT_S = 30.0  # and the plant's books of it, as long as the plant's process lives (timeout `plant`)


class LiveRun(RemoteRun):
    """One policy on one world, its nodes in many processes, the plant paced by the clock.

    Parameters
    ----------
    plan
        The tree to start; it runs until :meth:`close`.
    metrics
        Shows the tree as long as it runs; None: nobody does.
    """

    def __init__(self, plan: TreePlan, metrics: MetricsServer | None = None) -> None:
        super().__init__(plan)
        self._plant = {p.name for p in plan.processes if any(plan.roster.is_plant(name) for name in p.nodes)}
        self._clock = RealClock()
        self._early: dict[int, dict[str, Collected]] = {}  # by epoch: some are ahead of the slowest
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

    def run_epoch(self, epoch: int) -> None:
        """Wait until base epoch `epoch` is over and everybody alive has told what happened in it.

        A process that has told of a later epoch slept through this one: it is not waited for, nor is one that came back
        meanwhile. The plant is waited for longer than the others, as nothing can be measured without its books; where
        it slept, there are none.

        Raises
        ------
        ProcessError
            The plant's process is gone, or silent (timeout `plant`): there is nothing to run on.
        """
        began, end = (self.launcher.origin + self.start_of(e) for e in (epoch, epoch + 1))
        self._collected = self._early.pop(epoch, {})
        while (missing := self._missing(began)) and self._waits(missing, (self._clock.now() - end) / SECOND):
            self.launcher.turn(50.0)
            for name in self.launcher.kill_overdue():
                self.news.append(f"{name} did not answer in time and was killed")
            self._take(epoch)
        for k, found in enumerate(self._collected.values()):
            if k == 0 or self._seen is None:
                self._seen = found.seen
            else:
                self._seen.merge(found.seen)
        if silent := sorted(name for name in self._parts if name in missing):
            self.news.append(f"timeout 'epoch': nothing of epoch {epoch} from {', '.join(silent)}")
        self.news += self._losses()
        self.news += self.launcher.news[self._told :]
        self._told = len(self.launcher.news)
        if self.plant_books() is None:
            if not self._plant & self._ahead():
                why = f"timeout 'plant': nothing for {PLANT_S:g} s" if self._plant & missing else "its process is gone"
                raise ProcessError(
                    f"epoch {epoch}: the plant said nothing ({why})" + "".join(f"\n{n}" for n in self.news)
                )
            self.news.append(f"epoch {epoch}: the plant slept through it; what happened is in a later epoch's books")

    def _ahead(self) -> set[str]:
        """Who has told of a later epoch than this one."""
        return {name for found in self._early.values() for name in found}

    def _missing(self, began: int) -> set[str]:
        """Who lives, was there when the epoch began, and has yet to tell of it."""
        there = {n for n in self._parts if n in self.launcher.children and self.launcher.was_there(n, began)}
        return there - self._collected.keys() - self._ahead()

    def _waits(self, missing: set[str], late_s: float) -> bool:
        """Whether to wait on, `late_s` after the end of the epoch."""
        return late_s < (PLANT_S if missing & self._plant else GRACE_S)

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

    def take_news(self) -> list[str]:
        """Return what a person should know of the processes since the last call."""
        taken, self.news = self.news, []
        return taken

    def close(self) -> list[str]:
        """End every process, and who shows them; return the names of those that had to be killed."""
        try:
            if self._metrics is not None:
                self._metrics.close()
        finally:  # whoever interrupts this leaves no process behind
            killed = super().close()
        return killed
