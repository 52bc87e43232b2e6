"""A policy on a tree of processes in lockstep; to whoever measures it, the same as a run in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiertwin.runtime.control import BeginEpoch, Collect, Collected, Open
from tiertwin.runtime.host import ORIGIN, SECOND, in_log_order
from tiertwin.runtime.launcher import ANSWER_S, Launcher, RemotePart
from tiertwin.runtime.lockstep import Lockstep

if TYPE_CHECKING:
    from tiertwin.plant import PlantKpis
    from tiertwin.runtime.launcher import TreePlan
    from tiertwin.runtime.observed import Observation
    from tiertwin.world import World


class TreeRun:
    """One policy on one world, its nodes in many processes.

    Parameters
    ----------
    plan
        The tree to start; it runs until :meth:`close`.
    """

    def __init__(self, plan: TreePlan) -> None:
        self.world: World = plan.world
        self.rhythm = plan.settings.rhythm
        self.launcher = Launcher(plan).__enter__()
        parts = {p.name: RemotePart(self.launcher, self.launcher.children[p.name]) for p in plan.processes}
        self._parts = list(parts)
        self._step = Lockstep(parts, self.launcher.home)
        self._collected: list[Collected] = []
        self._seen: Observation | None = None
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

    def start_of(self, epoch: int) -> int:
        """Plant time at which `epoch` begins, ns."""
        return int(epoch * self.rhythm.base_epoch_s * SECOND)

    def run_epoch(self, epoch: int) -> None:
        """Run base epoch `epoch`; call with 0, 1, 2, …"""
        start, end = ORIGIN + self.start_of(epoch), ORIGIN + self.start_of(epoch + 1)
        self._step.tell_all(BeginEpoch(epoch, start, end))
        self._step.run_until(end)
        children = [self.launcher.children[name] for name in self._parts]
        for child in children:
            child.tell(Collect(end))
        self._collected = [self.launcher.expect(child, Collected, "answer", ANSWER_S) for child in children]
        self._seen = None

    def observe(self) -> Observation:
        """What was seen of all twins at the end of the last epoch."""
        if self._seen is None:
            seen: list[Observation] = [found.seen for found in self._collected]
            self._seen = seen[0]
            for other in seen[1:]:
                self._seen.merge(other)
        return self._seen

    def plant_books(self) -> tuple[PlantKpis, Any]:
        """The plant's books of the last epoch, and every group's mean task rate at its end, tasks/s."""
        found = next(part for part in self._collected if part.kpis is not None)
        return found.kpis, found.truth

    def take_news(self) -> list[str]:
        """Nothing happens here that is not in the log."""
        return []

    def take_records(self) -> list[dict[str, Any]]:
        """The last epoch's log entries in the log's order."""
        return in_log_order([line for found in self._collected for line in found.records])

    @property
    def peak_mb(self) -> float:
        """Peak resident memory of all processes that host twins together, 10⁶ bytes."""
        return sum(found.peak_mb for found in self._collected)

    def close(self) -> list[str]:
        """End every process; return the names of those that had to be killed."""
        return self.launcher.close()
