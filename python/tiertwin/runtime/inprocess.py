"""One process, virtual clock: every node of the tree and the plant in one host, an epoch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiertwin.runtime.host import ORIGIN, in_log_order
from tiertwin.runtime.memory import PeakMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.orchestrate.rhythm import Rhythm
    from tiertwin.plant import PlantKpis
    from tiertwin.runtime.host import Host
    from tiertwin.runtime.observed import Observation
    from tiertwin.twin.twin import Twin
    from tiertwin.world import World


class InProcessRun:
    """One policy on one world.

    Parameters
    ----------
    host
        Every node of the tree, and the plant.
    world, rhythm
        Inventory, and when to decide.
    """

    def __init__(self, host: Host, world: World, rhythm: Rhythm) -> None:
        assert host.southbound is not None, "a run by itself needs its plant"
        self.host, self.world, self.rhythm = host, world, rhythm
        self.network, self.plant = host.network, host.southbound.plant
        self._southbound = host.southbound
        self._peak = PeakMemory()
        host.open()
        host.run_until(ORIGIN)

    @property
    def wall_s(self) -> float | None:
        """None: whoever runs the epochs has the time."""
        return None

    @property
    def twins(self) -> dict[str, Twin]:
        """Every node by name, in roster order; the plant's sides last."""
        return self.host.twins

    @property
    def paused(self) -> set[str]:
        """Nodes that nothing happens to, for tests."""
        return self.host.paused

    @property
    def now(self) -> int:
        """Time on the twins' clock, ns."""
        return self.host.now

    @property
    def peak_mb(self) -> float:
        """Peak resident memory of this process since the run was made, 10⁶ bytes."""
        return self._peak.mb()

    def close(self) -> None:
        """Nothing is open: the twins stay and can be looked at."""

    def start_of(self, epoch: int) -> int:
        """Plant time at which `epoch` begins, ns."""
        return self.rhythm.start_of(epoch)

    def run_epoch(self, epoch: int, begun: Callable[[], None] | None = None) -> None:
        """Run base epoch `epoch`; call with 0, 1, 2, …

        `begun` is called when everything has happened that is due at its beginning: what studies do with what twins
        have just seen.
        """
        start, end = ORIGIN + self.start_of(epoch), ORIGIN + self.start_of(epoch + 1)
        self.host.begin_epoch(epoch, start, end)
        if begun is not None:
            self.host.run_until(start + 1)
            begun()
        self.host.run_until(end)
        self.host.now = end

    def observe(self) -> Observation:
        """Look at all twins, now."""
        return self.host.observe()

    def plant_books(self) -> tuple[PlantKpis, Any]:
        """The plant's books since the last call, and its mean task rate of every group now, tasks/s."""
        return self._southbound.books(self.host.now - ORIGIN, max(self.host.epoch, 0))

    def take_news(self) -> list[str]:
        """Nothing happens here that is not in the log."""
        return []

    def take_records(self) -> list[dict[str, Any]]:
        """Return this epoch's log entries in the log's order."""
        return in_log_order(self.host.take_records())
