"""A process that hosts nodes of the tree under the real clock; with a launcher at its pipe, or by itself."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.runtime import logs
from tiertwin.runtime.audit import Audit
from tiertwin.runtime.ceiling import ALLOWED_MB, MEMORY_EXIT, Ceiling
from tiertwin.runtime.childconfig import settings_from_plain
from tiertwin.runtime.clock import EpochClock, RealClock
from tiertwin.runtime.control import Address, Collected, Connect, Linked, Ready, Stop, encode
from tiertwin.runtime.durablenodes import DurableNodes, open_logs
from tiertwin.runtime.host import entry
from tiertwin.runtime.keywatch import KeyWatch
from tiertwin.runtime.livehost import MILLISECOND, LiveHost
from tiertwin.runtime.livepool import LivePool
from tiertwin.runtime.memory import high_water_mb
from tiertwin.runtime.nodestate import NodeLock, StateFile
from tiertwin.runtime.roster import Roster, of_plant, tier_word
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.runtime.tree import Life, make_southbound, make_twins
from tiertwin.runtime.vitals import Systemd, Vitals, systemd
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress
from tiertwin.world.stored import stored_world

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tiertwin.runtime.child import Pipe
    from tiertwin.runtime.childconfig import ChildConfig, Peer, TwinsConfig
    from tiertwin.runtime.control import Message
    from tiertwin.runtime.disk import Disk, DiskLostError
    from tiertwin.runtime.durablelog import DurableLog
    from tiertwin.twin.effects import Record
    from tiertwin.wire.admission import Admission

SIGNALLED = 128  # plus the signal: exit code of a process that a signal ended; the alarm's when it did not end in time
DOOR_NS = 1_000_000_000
ADDRESS_S, END_S = 60.0, 2.0  # timeouts `address` (of the launcher) and `end` (after SIGTERM)
DEADLINE_MS = 250  # of a solve; half a control period where that is less
DISK_LOST = 74  # exit code: what the disk holds is unknown, the next life looks (R47)
BACKLOG_BYTES = 16 << 20  # of reports that a launcher does not read; more are dropped and counted


def run_live(config: ChildConfig, pipe: Pipe | None, vitals: Vitals | None = None) -> None:
    """Host the nodes until told to stop, by the launcher or by SIGTERM; the launcher's end is not ours.

    `vitals`: where the loop says that it comes round, for whoever asks.
    """
    twins = config.twins
    assert twins is not None
    assert twins.live is not None
    ending = Ending(by_hand=pipe is None)
    access = Access.from_json(twins.access.encode())
    locks = [NodeLock(Path(twins.live.state), name) for name in twins.nodes]
    try:
        with WireContext(access, now_ns=time.monotonic_ns(), now_s=time.time()) as wire:
            vitals = vitals or Vitals(config.process, len(twins.nodes))
            process = _Process(config.process, twins, wire, Launcher(pipe), ending, vitals)
            process.run()
    finally:
        for lock in locks:
            lock.close()
    ending.over()


class Ending:
    """SIGTERM asks for an orderly end; what is not over in 2 s, or is asked a second time, ends at once.

    Parameters
    ----------
    by_hand
        Nobody but a person ends this process: Ctrl-C asks too.
    """

    def __init__(self, *, by_hand: bool = False) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)
        if by_hand:
            signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGALRM, lambda number, _: os._exit(SIGNALLED + number))

    def _ask(self, number: int, _: object) -> None:
        if self.asked:
            os._exit(SIGNALLED + number)
        self.asked = True
        signal.setitimer(signal.ITIMER_REAL, END_S)

    def over(self) -> None:
        """Everything is closed in time."""
        signal.setitimer(signal.ITIMER_REAL, 0)


class Door:
    """Tells the log who was refused: at most once a second, however many knock."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._told = 0
        self._next = 0

    def look(self, now: int) -> None:
        """Log what is new since the last look."""
        refused = self._admission.refused
        total = sum(refused.values())
        if total == self._told or now < self._next:
            return
        newest = self._admission.latest[-1]
        logs.warning("refused", who=newest.who, address=newest.address, reason=newest.reason, counted=dict(refused))
        self._told, self._next = total, now + DOOR_NS


class Launcher:
    """The launcher's end of our pipe: told what it wants to hear as long as it listens, never waited for."""

    def __init__(self, pipe: Pipe | None) -> None:
        self.pipe = pipe
        self._unsent = bytearray()
        self.dropped = 0
        if pipe is not None:
            os.set_blocking(pipe.out, False)

    def tell(self, message: Message) -> None:
        """Send a message, or keep it until the pipe takes it."""
        if self.pipe is None:
            return
        if len(self._unsent) > BACKLOG_BYTES:
            self.dropped += 1
            return
        self._unsent += encode(message)
        self.flush()

    def flush(self) -> None:
        """Send what is left."""
        while self.pipe is not None and self._unsent:
            try:
                sent = os.write(self.pipe.out, self._unsent)
            except BlockingIOError:
                return
            except BrokenPipeError:
                self.gone()
                return
            del self._unsent[:sent]

    def gone(self) -> None:
        """The launcher ended: go on without."""
        self.pipe = None
        self._unsent.clear()


class _Process:
    """One life of this process."""

    def __init__(
        self, name: str, config: TwinsConfig, wire: WireContext, launcher: Launcher, ending: Ending, vitals: Vitals
    ) -> None:
        assert config.live is not None
        self._ceiling = Ceiling()
        self._vitals, self._systemd = vitals, Systemd({}) if launcher.pipe is not None else systemd()
        state = Path(config.live.state)
        self._config, self._live, self._launcher, self._ending = config, config.live, launcher, ending
        self._clock = RealClock()
        self._keys = {key.node: key.pair for key in config.keys}
        self._states = {name: StateFile(Path(config.live.state), name) for name in config.nodes}
        self._board = Switchboard(wire)
        self._audit = Audit(state / f"{name}.audit.jsonl", name)
        self._watch = self._watched()
        for node in config.listening:
            bind = Bind(config.bind, self._live.ports.get(node, 0), public=self._live.public)
            incarnation = self._states[node].state.incarnation
            self._board.listen(NodeEndpoint(wire, node, self._keys[node], bind=bind, incarnation=incarnation))

    def _watched(self) -> KeyWatch | None:
        """What looks at the key folder; it lists no more guests than the table we began with."""
        if not self._live.keys:
            return None
        guests = {grant.node for grant in self._board.wire.admission.access.grants}
        above = {peer.name for peer in self._config.parents.values()}
        return KeyWatch(Path(self._live.keys), self._keys, guests, above)

    def run(self) -> None:
        """Bind, prove, connect, live, leave."""
        board, config = self._board, self._config
        world = stored_world(Path(config.world), access=of_plant(config.nodes))
        settings = settings_from_plain(config.settings)
        board.wire.prove(board.endpoints, time.monotonic_ns)
        roster = Roster(world)
        kept = [name for name in config.nodes if self._live.durable and not roster.is_plant(name)]
        opened = open_logs(Path(self._live.state), kept)
        twins = make_twins(world, roster, settings, config.nodes, self._lives(opened))
        where = self._addresses()
        if where is None:
            return
        for k, (name, parent) in enumerate(config.parents.items()):
            self._connect(name, parent, where, k)
        if config.pool is not None:
            for k, name in enumerate(config.solving):
                self._connect(name, config.pool, where, 1000 + k)
        origin = self._live.origin
        period_ms = 1000 * settings.rhythm.base_epoch_s
        pool = LivePool(board.send, int(min(DEADLINE_MS, period_ms / 2)))
        self._southbound = make_southbound(world, roster, settings, config.nodes, origin)
        del world  # the nodes have what they need of it
        host = LiveHost(
            roster,
            twins,
            board,
            pool,
            EpochClock(origin, settings.rhythm.base_epoch_s),
            settings.report_ms,
            self._states,
            self._southbound,
            origin,
            DurableNodes(opened, twins, self._states, _disk_lost) if opened else None,
        )
        logs.info("live", nodes=len(config.nodes), ports={n: board.port(n) for n in config.listening})
        self._loop(host)
        self._systemd.ending()
        host.leave(self._clock.now())
        logs.info(
            "stopped",
            refused={n: t.counters.refused for n, t in twins.items() if t.counters.refused},
            peak_mb=round(high_water_mb(), 1),
            wire=board.counters(),
            audit=self._audit.chain,
            pool=pool.counters,
            sessions=host.sessions(),
        )

    def _lives(self, opened: Mapping[str, tuple[DurableLog, Disk]]) -> dict[str, Life]:
        streams = {name: log.stream for name, (log, _) in opened.items()}
        return {
            name: Life(
                int.from_bytes(os.urandom(8)) >> 1, file.state.incarnation, file.state.terms, streams.get(name, 0)
            )
            for name, file in self._states.items()
        }

    def _addresses(self) -> Mapping[str, Address] | None:
        """Where the others listen: told by the launcher, or in the configuration; None when we are to end."""
        pipe = self._launcher.pipe
        if pipe is None:
            return self._live.addresses
        self._launcher.tell(Ready({name: self._board.port(name) for name in self._config.listening}))
        until = time.monotonic() + ADDRESS_S
        while time.monotonic() < until and not self._ending.asked:
            message = pipe.reader.wait()
            if isinstance(message, Connect):
                self._live = self._live.at(message.origin)
                self._launcher.tell(Linked())
                return message.addresses
            return None
        return None

    def _connect(self, name: str, parent: Peer, where: Mapping[str, Address], seed: int) -> None:
        there = where[parent.name]
        address = ParentAddress(parent.name, f"tcp://{there.host}:{there.port}", parent.public.encode())
        incarnation = self._states[name].state.incarnation
        endpoint = NodeEndpoint(
            self._board.wire, name, self._keys[name], parent=address, jitter_seed=seed, incarnation=incarnation
        )
        endpoint.open(time.monotonic_ns())
        self._board.connect(endpoint, parent.name)

    def _loop(self, host: LiveHost) -> None:
        board, clock, launcher = self._board, self._clock, self._launcher
        if launcher.pipe is not None:
            board.wire.poller.add_file(launcher.pipe.reader.fd, launcher)
        if host.durable is not None:
            board.wire.poller.add_file(host.durable.fd, host.durable)
        host.start(clock.now())
        self._ceiling.begin()
        door = Door(board.wire.admission)
        stopped = False
        while not stopped and not self._ending.asked:
            wait_ms = max(0.0, (host.next_ns() - clock.now()) / MILLISECOND)
            if launcher in board.turn(wait_ms):
                stopped = self._heard()
            now = clock.now()
            door.look(now)
            self._look_after_keys()
            ended = host.turn(now)
            if ended is not None:
                self._collect(host, ended, now)
            launcher.flush()
            self._say_how_it_is(host)

    def _say_how_it_is(self, host: LiveHost) -> None:
        """Let whoever asks know that the loop comes round, and what still waits."""
        now_s = time.monotonic()
        if self._vitals.due(now_s):
            self._vitals.beat(now_s, host.epochs.epoch, host.orphans())
            self._systemd.look(self._vitals.health(now_s))
            if over := self._ceiling.exceeded():
                _too_large(over, self._ceiling.began_mb)

    def _look_after_keys(self) -> None:
        """Take other keys and tables as they come, and write down who came in."""
        wire, now_ns, now_s = self._board.wire, time.monotonic_ns(), time.time()
        changed = None if self._watch is None else self._watch.look(now_ns, now_s)
        if changed is not None:
            if changed.access is not None and changed.access.grants != wire.admission.access.grants:
                logs.info("access table changed", keys=len(changed.access))
                wire.swap(changed.access)
            for name, peer in self._config.parents.items():
                self._board.trust(name, peer.name, changed.servers.get(peer.name, []))
            for name, pair in changed.keys.items():
                logs.info("key changed", node=name, public=f"{pair.public.decode()[:8]}…")
                self._board.rekey(name, pair, now_ns)
        self._audit.look(wire.admission, now_ns, now_s)

    def _heard(self) -> bool:
        """Read what the launcher says; True: stop."""
        pipe = self._launcher.pipe
        if pipe is None:
            return False
        if not pipe.reader.fill():
            self._board.wire.poller.remove_file(pipe.reader.fd)
            self._launcher.gone()
            logs.warning("launcher gone", then="going on without it")
            return False
        message: Any = pipe.reader.take()
        return isinstance(message, Stop)

    def _collect(self, host: LiveHost, epoch: int, now: int) -> None:
        kpis = truth = None
        if self._southbound is not None:
            kpis, truth = self._southbound.books(max(now - self._live.origin, 0), epoch)
        records = [host_line(host.roster, name, record) for name, record in host.records]
        host.records.clear()
        self._launcher.tell(Collected(records, host.observe(epoch, now), kpis, truth, high_water_mb()))
        host.counters["reports dropped"] = self._launcher.dropped
        for line in records:
            logs.info("twin", **log_fields(host, line))


def _too_large(resident_mb: float, began_mb: float) -> None:
    """End at once: whatever fills our memory does not wait for an orderly end (R42). The next life begins small."""
    logs.error("memory ceiling", resident_mb=round(resident_mb), began_mb=round(began_mb), allowed_mb=ALLOWED_MB)
    os._exit(MEMORY_EXIT)


def _disk_lost(fault: DiskLostError) -> None:
    """End at once: nothing more is acknowledged, sent or written (R47). The keeper starts the process again."""
    logs.error("disk lost", reason=str(fault))
    os._exit(DISK_LOST)


def log_fields(host: LiveHost, line: dict[str, Any]) -> dict[str, Any]:
    """A log entry of a node with names instead of numbers, as lines of a process's log have them."""
    names = {"tier": tier_word(line["tier"]), "node": line["twin"]}
    return {**{key: value for key, value in line.items() if key != "twin"}, **names}


def host_line(roster: Roster, name: str, record: Record) -> dict[str, Any]:
    """A log entry of a node."""
    return entry(roster, name, record, twin=name)
