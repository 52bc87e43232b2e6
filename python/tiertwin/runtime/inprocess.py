"""One process, virtual clock: every node of the tree and the plant in one host, an epoch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tiertwin.runtime.host import ORIGIN, SECOND, Host, SolveHere, in_log_order
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.southbound import Southbound
from tiertwin.runtime.tree import TreeBuilder
from tiertwin.wire.memory import Faults, MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.orchestrate.rhythm import Rhythm
    from tiertwin.plant import PlantKpis, SimulatedPlant
    from tiertwin.runtime.observed import Observation
    from tiertwin.twin.twin import Twin
    from tiertwin.world import World


class InProcessRun:
    """One policy on one world.

    Parameters
    ----------
    world, plant
        Inventory for the twins, and the physical side behind its southbound interface.
    policy
        Name of the policy.
    rhythm, report_ms
        When to decide and when to report.
    solver, masters
        Maker of leaf solvers, and the server of master problems (``solve_all(requests)``).
    seed
        Of stream ids and of the network's faults.
    faults
        Extra behaviour of every link, for tests.
    """

    def __init__(
        self,
        world: World,
        plant: SimulatedPlant,
        policy: str,
        rhythm: Rhythm,
        report_ms: int,
        solver: Callable[[], Any],
        masters: Any,
        seed: int,
        faults: Callable[[str, str], Faults | None] | None = None,
    ) -> None:
        self.world, self.plant, self.policy, self.rhythm = world, plant, policy, rhythm
        roster = Roster(world)
        self.network = MemoryNetwork(seed)
        twins = TreeBuilder(world, roster, policy, rhythm, solver, seed).build()
        self._southbound = Southbound(world, roster, plant, ORIGIN)
        self.host = Host(roster, twins, self.network, SolveHere(masters), report_ms, self._southbound, faults)
        self.host.open()
        self.host.run_until(ORIGIN)

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

    def start_of(self, epoch: int) -> int:
        """Plant time at which `epoch` begins, ns."""
        return int(epoch * self.rhythm.base_epoch_s * SECOND)

    def run_epoch(self, epoch: int) -> None:
        """Run base epoch `epoch`; call with 0, 1, 2, …"""
        end = ORIGIN + self.start_of(epoch + 1)
        self.host.begin_epoch(epoch, ORIGIN + self.start_of(epoch), end)
        self.host.run_until(end)
        self.host.now = end

    def observe(self) -> Observation:
        """Look at all twins, now."""
        return self.host.observe()

    def plant_books(self) -> tuple[PlantKpis, Any]:
        """The plant's books since the last call, and its mean task rate of every group now, tasks/s."""
        return self._southbound.books(self.host.now - ORIGIN, max(self.host.epoch, 0))

    def take_records(self) -> list[dict[str, Any]]:
        """Return this epoch's log entries in the log's order."""
        return in_log_order(self.host.take_records())
