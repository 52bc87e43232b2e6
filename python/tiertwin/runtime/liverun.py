"""A policy on a tree of processes under the real clock: epochs end when they end, and who is missing is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tiertwin.errors import ProcessError
from tiertwin.runtime.control import Collected
from tiertwin.runtime.remoterun import RemoteRun

if TYPE_CHECKING:
    from tiertwin.runtime.launcher import TreePlan

GRACE_S = 2.0  # how long after the end of an epoch its last report is waited for (timeout `epoch`)


class LiveRun(RemoteRun):
    """One policy on one world, its nodes in many processes, the plant paced by the clock.

    Parameters
    ----------
    plan
        The tree to start; it runs until :meth:`close`.
    """

    def __init__(self, plan: TreePlan) -> None:
        super().__init__(plan)
        self._early: dict[int, dict[str, Collected]] = {}  # by epoch: some are ahead of the slowest
        self._told = 0
        self.news: list[str] = []

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

    def take_news(self) -> list[str]:
        """Return what a person should know of the processes since the last call."""
        taken, self.news = self.news, []
        return taken
