"""A process that hosts nodes of the tree in lockstep: sockets to nodes elsewhere, memory between those here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.errors import ProcessError
from tiertwin.runtime import logs
from tiertwin.runtime.childconfig import settings_from_plain
from tiertwin.runtime.control import BeginEpoch, Collect, Collected, Connect, Go, Linked, Open, Ready, Stop
from tiertwin.runtime.memory import high_water_mb
from tiertwin.runtime.part import LockstepPart
from tiertwin.runtime.poolclient import PoolClient
from tiertwin.runtime.roster import of_plant
from tiertwin.runtime.switchboard import Switchboard
from tiertwin.runtime.tree import make_host
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress
from tiertwin.world.stored import stored_world

if TYPE_CHECKING:
    from tiertwin.runtime.child import Pipe
    from tiertwin.runtime.childconfig import ChildConfig, Peer, TwinsConfig
    from tiertwin.runtime.host import Host
    from tiertwin.wire.endpoint import Buffer
    from tiertwin.wire.keys import KeyPair

LINK_S, SEND_S, FRAME_S = 15.0, 10.0, 60.0  # timeouts `link`, `send`, `frame`


def run_twins(config: ChildConfig, pipe: Pipe) -> None:
    """Bind, prove, connect; then do what the launcher's lockstep asks until it says stop."""
    twins = config.twins
    assert twins is not None
    access = Access.from_json(twins.access.encode())
    with WireContext(access, now_ns=time.monotonic_ns(), now_s=time.time()) as wire:
        _Process(twins, wire, pipe).run()


class _Process:
    """One run of this process."""

    def __init__(self, config: TwinsConfig, wire: WireContext, pipe: Pipe) -> None:
        self._config, self._pipe = config, pipe
        self._keys = {key.node: key.pair for key in config.keys}
        self._board = Switchboard(wire)
        for name in config.listening:
            self._board.listen(NodeEndpoint(wire, name, self._keys[name], bind=Bind(config.bind)))
        wire.poller.add_file(pipe.reader.fd, pipe)
        self._part: LockstepPart | None = None
        self._stopped = False

    def run(self) -> None:
        """Serve the launcher until it stops us or is gone."""
        board, config = self._board, self._config
        board.wire.prove(board.endpoints, time.monotonic_ns)
        self._part = LockstepPart(self._host(), Carrier(board))
        self._pipe.tell(Ready({name: board.port(name) for name in config.listening}))
        logs.info("ready", nodes=len(config.nodes), listening=len(config.listening))
        while not self._stopped:
            if self._pipe in board.turn(None) and not self._pipe.reader.fill():
                return
            while not self._stopped and (message := self._pipe.reader.take()) is not None:
                self._do(message)
        logs.info("stopped", peak_mb=round(high_water_mb(), 1), wire=board.counters())

    def _host(self) -> Host:
        """Build the nodes; they keep what they need of the world, the rest of it goes."""
        config = self._config
        world = stored_world(Path(config.world), access=of_plant(config.nodes))
        settings = settings_from_plain(config.settings)
        return make_host(world, settings, PoolClient(self._board), config.nodes)

    def _do(self, message: Any) -> None:
        assert self._part is not None
        if isinstance(message, Go):
            self._pipe.tell(self._part.go(message))
        elif isinstance(message, BeginEpoch):
            logs.began(message.epoch)
            self._pipe.tell(self._part.begin_epoch(message))
        elif isinstance(message, Collect):
            found = self._part.collect(message)
            self._pipe.tell(Collected(found.records, found.seen, found.kpis, found.truth, high_water_mb()))
        elif isinstance(message, Connect):
            self._connect(message)
            self._pipe.tell(Linked())
        elif isinstance(message, Open):
            self._pipe.tell(self._part.open(message))
        elif isinstance(message, Stop):
            self._stopped = True
        else:
            raise ProcessError(f"expected a message for a process of twins, got {type(message).__name__}")

    def _connect(self, message: Connect) -> None:
        board = self._board
        for k, (name, parent) in enumerate(self._config.parents.items()):
            board.connect(self._uplink(name, parent, message, k), parent.name)
        if self._config.pool is not None:
            for k, name in enumerate(self._config.solving):
                board.connect(self._uplink(name, self._config.pool, message, 1000 + k), self._config.pool.name)
        board.wait_for(lambda: not board.missing(), "link", LINK_S)

    def _uplink(self, name: str, parent: Peer, message: Connect, seed: int) -> NodeEndpoint:
        keys: KeyPair = self._keys[name]
        there = message.addresses[parent.name]
        address = ParentAddress(parent.name, f"tcp://{there.host}:{there.port}", parent.public.encode())
        endpoint = NodeEndpoint(self._board.wire, name, keys, parent=address, jitter_seed=seed)
        endpoint.open(time.monotonic_ns())
        return endpoint


class Carrier:
    """Carries frames of a lockstep part over sockets."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def send(self, sender: str, receiver: str, frame: Buffer) -> None:
        """Hand a frame over; while the peer takes nothing, the loop turns."""
        if not self._board.send(sender, receiver, frame):
            self._board.wait_for(lambda: self._board.send(sender, receiver, frame), "send", SEND_S)

    def receive(self) -> list[tuple[str, str, bytes]]:
        """Wait for frames."""
        board = self._board
        board.wait_for(lambda: bool(board.frames), "frame", FRAME_S)
        taken = []
        while board.frames:  # the buffer goes when its copy is made
            sender, receiver, frame = board.frames.popleft()
            taken.append((sender, receiver, bytes(frame)))
        return taken
