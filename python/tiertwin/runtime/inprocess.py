"""One process, virtual clock: every twin of the tree, the network between them and the plant, turned by one loop.

Sessions open one second before the first epoch; plant time 0 is the beginning of epoch 0. A frame takes the delay of
its link, a solve a modelled time: nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.runtime.schedule import ANSWER, DELIVERY, EPOCH, REPORT, TIMER, Schedule
from tiertwin.runtime.tree import TreeBuilder
from tiertwin.twin.attributes import LINK, SERVER, TELEMETRY
from tiertwin.twin.effects import Actuate, Effect, Record, Send, SetTimer, StartSolve
from tiertwin.twin.events import EpochBegan, FrameReceived, Reported, Sampled, Solved, Started, TimerFired
from tiertwin.twin.layout import gateway_layout
from tiertwin.wire.memory import Faults, MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.orchestrate.rhythm import Rhythm
    from tiertwin.plant import SimulatedPlant
    from tiertwin.twin.twin import Twin
    from tiertwin.world import World

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
ORIGIN = SECOND  # twins' clock when the plant's is 0
MODELLED_SOLVE = 3 * MILLISECOND  # virtual time one master problem takes
LINK_DELAY = {1: 1 * MILLISECOND, 2: 3 * MILLISECOND, 3: 5 * MILLISECOND}  # by the tier of the upper end
CONTROL_KINDS = frozenset({1, 2, 4, 6, 7, 8, 9})  # hello … heartbeat: no payload of the twin


@dataclass
class Traffic:
    """Bytes between neighbouring tiers, by tier of the lower end: up and down."""

    up: dict[int, int] = field(default_factory=dict)
    down: dict[int, int] = field(default_factory=dict)


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
        self._report = report_ms * MILLISECOND
        self._masters = masters
        self.network = MemoryNetwork(seed)
        self.schedule = Schedule(self.network)
        self.twins: dict[str, Twin] = TreeBuilder(world, policy, rhythm, solver, seed).build()
        self._index = {name: k for k, name in enumerate(self.twins)}
        self._upward = sorted(self.twins, key=lambda n: (self.twins[n].tier, self._index[n]))
        self.gateways = {t.site: t.name for t in world.twins if t.tier == 0}
        self._layouts = {s: gateway_layout(world, s) for s in self.gateways}
        self.traffic = Traffic()
        self.records: list[tuple[int, int, int, Record]] = []
        self.now = 0
        self.epoch = -1
        self.twin_cpu_s = 0.0
        self.paused: set[str] = set()
        self._tier = {t.name: t.tier for t in world.twins}
        for name in self.twins:
            self.network.endpoint(name)
        self._set_delays(faults)
        self._open()

    def _set_delays(self, faults: Callable[[str, str], Faults | None] | None) -> None:
        for twin in self.world.twins:
            if twin.parent is None:
                continue
            plain = Faults(delay=LINK_DELAY[self._tier[twin.parent]])
            for pair in ((twin.name, twin.parent), (twin.parent, twin.name)):
                self.network.set_faults(*pair, (faults and faults(*pair)) or plain)

    def _open(self) -> None:
        for name in self.twins:
            self._feed(name, Started())
        at = 0
        while at < ORIGIN:  # sessions and first heartbeats
            self.schedule.add(at, REPORT, None)
            at += self._report
        self._run_until(ORIGIN)

    # -- one epoch -----------------------------------------------------------------------------------------------------
    def run_epoch(self, epoch: int) -> None:
        """Run base epoch `epoch`; call with 0, 1, 2, …"""
        start = ORIGIN + int(epoch * self.rhythm.base_epoch_s * SECOND)
        end = ORIGIN + int((epoch + 1) * self.rhythm.base_epoch_s * SECOND)
        self.epoch = epoch
        self.schedule.add(start, EPOCH, epoch)
        at = start
        while at < end:
            self.schedule.add(at, REPORT, None)
            at += self._report
        self._run_until(end)
        self.now = end
        self.plant.advance(end - ORIGIN, epoch)

    def _run_until(self, end: int) -> None:
        began = time.process_time()
        plant = 0.0
        while (item := self.schedule.pop(end)) is not None:
            self.now, kind, what = item
            if kind == DELIVERY:
                sender, receiver, frame = what
                self._feed(receiver, FrameReceived(sender, frame))
            elif kind == REPORT:
                plant += self._report_all()
            elif kind == EPOCH:
                for name in self.twins:
                    self._feed(name, EpochBegan(what))
            elif kind in (ANSWER, TIMER):
                name, event = what
                self._feed(name, event)
        self.twin_cpu_s += time.process_time() - began - plant

    def _report_all(self) -> float:
        """Let the plant catch up, deliver its telemetry, let every twin report, lowest tier first."""
        plant = 0.0
        if self.now >= ORIGIN:
            began = time.process_time()
            self.plant.advance(self.now - ORIGIN, max(self.epoch, 0))
            telemetry = self.plant.telemetry(self.now - ORIGIN)
            plant = time.process_time() - began
            self._deliver(telemetry)
        for name in self._upward:
            self._feed(name, Reported())
        return plant

    def _deliver(self, telemetry: Any) -> None:
        for site, name in self.gateways.items():
            layout = self._layouts[site]
            first = int(self.world.device_rows[site])
            self._sample(name, telemetry.devices.of_site(site), TELEMETRY, _rows_from(first))
            self._sample(name, telemetry.servers.of_site(site), SERVER, _rows_by(layout.servers, layout.server_rows))
            self._sample(name, telemetry.links.of_site(site), LINK, _rows_by(layout.links, layout.link_rows))

    def _sample(self, name: str, reports: Any, attributes: list[Any], rows_of: Callable[[Any], Any]) -> None:
        if not len(reports.id):
            return
        rows = rows_of(reports.id)
        known = rows >= 0
        event = Sampled(
            rows[known].astype(np.uint32),
            reports.time_ns[known] + ORIGIN,
            [int(a) for a in attributes],
            reports.values[known],
        )
        self._feed(name, event)

    # -- effects -------------------------------------------------------------------------------------------------------
    def _feed(self, name: str, event: Any) -> None:
        if name in self.paused:
            return
        twin = self.twins[name]
        for effect in twin.handle(event, self.now):
            self._carry_out(name, effect)

    def _carry_out(self, name: str, effect: Effect) -> None:
        if isinstance(effect, Send):
            self._count(name, effect)
            self.network.send(name, effect.peer, effect.frame, self.now)
        elif isinstance(effect, Record):
            self.records.append((effect.epoch, self._tier[name], self._index[name], effect))
        elif isinstance(effect, SetTimer):
            self.schedule.add(effect.at, TIMER, (name, TimerFired(effect.name, effect.epoch)))
        elif isinstance(effect, StartSolve):
            answers = self._masters.solve_all(list(effect.requests))
            at = self.now + MODELLED_SOLVE * len(effect.requests)
            self.schedule.add(at, ANSWER, (name, Solved(effect.ticket, answers)))
        elif isinstance(effect, Actuate):
            self.plant.advance(self.now - ORIGIN, max(self.epoch, 0))
            self.plant.actuate(effect.device, effect.shares)
            self.plant.set_site_shares(effect.site, effect.cpu, effect.uplink)

    def _count(self, name: str, effect: Send) -> None:
        own, other = self._tier[name], self._tier[effect.peer]
        book = self.traffic.up if own < other else self.traffic.down
        lower = min(own, other)
        book[lower] = book.get(lower, 0) + len(effect.frame)

    def take_records(self) -> list[dict[str, Any]]:
        """Return this epoch's log entries, ordered by (epoch, tier, node, number), digests of all tables last."""
        taken, self.records = self.records, []
        lines = []
        order = sorted(range(len(taken)), key=lambda k: (taken[k][1], taken[k][2], k))
        for number, k in enumerate(order):
            _, tier, index, record = taken[k]
            lines.append(
                {"epoch": record.epoch, "tier": tier, "node": index, "n": number, "what": record.what, **record.fields}
            )
        for name in self._upward:
            twin = self.twins[name]
            digests = {key: f"{value:016x}" for key, value in twin.digests().items()}
            lines.append(
                {"epoch": self.epoch, "tier": twin.tier, "node": self._index[name], "what": "tables", "digest": digests}
            )
        return lines


def _rows_from(first: int) -> Callable[[Any], Any]:
    return lambda wanted: wanted - first


def _rows_by(ids: Any, rows: Any) -> Callable[[Any], Any]:
    def find(wanted: Any) -> Any:
        if not len(ids):
            return np.full(len(wanted), -1)
        at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        return np.where(ids[at] == wanted, rows[at], -1)

    return find
