"""A policy on a tree of processes in lockstep; to whoever measures it, the same as a run in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.runtime.control import BeginEpoch, Collect, Collected, Open
from tiertwin.runtime.host import ORIGIN
from tiertwin.runtime.launcher import ANSWER_S, RemotePart
from tiertwin.runtime.lockstep import Lockstep
from tiertwin.runtime.remoterun import RemoteRun

if TYPE_CHECKING:
    from tiertwin.runtime.launcher import TreePlan


class TreeRun(RemoteRun):
    """One policy on one world, its nodes in many processes that advance together.

    Parameters
    ----------
    plan
        The tree to start; it runs until :meth:`close`.
    """

    def __init__(self, plan: TreePlan) -> None:
        super().__init__(plan)
        parts = {name: RemotePart(self.launcher, self.launcher.children[name]) for name in self._parts}
        self._step = Lockstep(parts, self.launcher.home)
        try:
            self._step.tell_all(Open())
            self._step.run_until(ORIGIN)
        except BaseException:
            self.close()
            raise

    @property
    def windows(self) -> int:
        """How often the processes were synchronised so far."""
        return self._step.windows

    def run_epoch(self, epoch: int) -> None:
        """Run base epoch `epoch`; call with 0, 1, 2, …"""
        start, end = ORIGIN + self.start_of(epoch), ORIGIN + self.start_of(epoch + 1)
        self._step.tell_all(BeginEpoch(epoch, start, end))
        self._step.run_until(end)
        children = [self.launcher.children[name] for name in self._parts]
        for child in children:
            child.tell(Collect(end))
        self._collected = {c.name: self.launcher.expect(c, Collected, "answer", ANSWER_S) for c in children}
        self._seen = None
