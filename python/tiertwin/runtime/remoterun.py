"""What a run in lockstep and one under the real clock have in common: processes, and what those told of an epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiertwin.errors import ProcessError
from tiertwin.runtime.host import in_log_order
from tiertwin.runtime.launcher import Launcher

if TYPE_CHECKING:
    from tiertwin.plant import PlantKpis
    from tiertwin.runtime.control import Collected
    from tiertwin.runtime.launcher import TreePlan
    from tiertwin.runtime.observed import Observation
    from tiertwin.world import World


class RemoteRun:
    """One policy on one world, its nodes in many processes; who derives from it runs the epochs.

    Parameters
    ----------
    plan
        The tree to start; it runs until :meth:`close`.
    """

    def __init__(self, plan: TreePlan) -> None:
        self.world: World = plan.world
        self.rhythm = plan.settings.rhythm
        self.launcher = Launcher(plan).__enter__()
        self._parts = [process.name for process in plan.processes]
        self._collected: dict[str, Collected] = {}  # of the last epoch, by process
        self._seen: Observation | None = None

    @property
    def wall_s(self) -> float | None:
        """None: whoever runs the epochs has the time."""
        return None

    def start_of(self, epoch: int) -> int:
        """Plant time at which `epoch` begins, ns."""
        return self.rhythm.start_of(epoch)

    def observe(self) -> Observation:
        """What was seen of the twins whose processes told of the last epoch; of an earlier one when none did."""
        if self._seen is None:
            if not self._collected:
                raise ProcessError("nothing was seen of any twin yet: let an epoch go by first (`run_epoch`)")
            first, *others = (found.seen for found in self._collected.values())
            for other in others:
                first.merge(other)
            self._seen = first
        return self._seen

    def plant_books(self) -> tuple[PlantKpis, Any] | None:
        """The plant's books of the last epoch, and every group's mean task rate at its end, tasks/s; None: it slept."""
        found = [part for part in self._collected.values() if part.kpis is not None]
        return (found[0].kpis, found[0].truth) if found else None

    def take_news(self) -> list[str]:
        """What a person should know of the processes since the last call, and is not in the log."""
        return []

    def take_records(self) -> list[dict[str, Any]]:
        """The last epoch's log entries in the log's order."""
        return in_log_order([line for found in self._collected.values() for line in found.records])

    @property
    def peak_mb(self) -> float:
        """Peak resident memory of all processes that host twins together, 10⁶ bytes."""
        return sum(found.peak_mb for found in self._collected.values())

    def close(self) -> list[str]:
        """End every process; return the names of those that had to be killed."""
        return self.launcher.close()
