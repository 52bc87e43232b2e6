"""A parent's twin and many children over real sockets, in one process: who owes whom a snapshot after a restart."""

from __future__ import annotations

import gc
import time

import numpy as np

from support.treelives import LOAD, REGISTRY, TELEMETRY, Carrying
from tiertwin import _core
from tiertwin.twin.effects import Send
from tiertwin.twin.events import FrameReceived, LinkDown, Reported
from tiertwin.twin.twin import Neighbour, NeighbourSpec, TableShape, Twin, TwinConfig
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import Member, make_keys
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress

PATIENCE_S = 120.0
REPORT_NS = 50_000_000


class Herd:
    """`count` children with `rows` rows in each direction; the parent has no log."""

    def __init__(self, count: int, rows: int = 100) -> None:
        self.rows, self.most = rows, 0
        self.names = [f"edge-{k}" for k in range(count)]
        members = [Member("fog-0", "fog"), *(Member(name, "edge", ("fog-0",)) for name in self.names)]
        self.keys = make_keys(members, time.time())
        self._life = self._port = 0
        self._start_parent()
        self.below = WireContext(Access(()), now_ns=time.monotonic_ns(), now_s=time.time())
        address = ParentAddress("fog-0", self.fog.address, self.keys.keys["fog-0"].pair.public)
        self.children: dict[NodeEndpoint, tuple[str, _core.Peer, _core.StateTable, _core.StateTable]] = {}
        for k, name in enumerate(self.names):
            node = NodeEndpoint(self.below, name, self.keys.keys[name].pair, parent=address, jitter_seed=k)
            node.open(time.monotonic_ns())
            self.children[node] = (name, *self._session(k))
        self._report_at = 0

    def _session(self, k: int) -> tuple[_core.Peer, _core.StateTable, _core.StateTable]:
        peer = _core.Peer(REGISTRY, is_child=True, incarnation=1, stream_id=1000 + k)
        told, heard = (_core.StateTable(REGISTRY, TELEMETRY, [LOAD], self.rows) for _ in range(2))
        peer.add_out(told)
        peer.add_in(heard)
        rows = np.arange(self.rows, dtype=np.uint32)
        told.set(LOAD, rows, rows + float(k), 1)
        return peer, told, heard

    def _start_parent(self) -> None:
        self._life += 1
        self.above = WireContext(
            self.keys.access, now_ns=time.monotonic_ns(), now_s=time.time(), handshakes_a_minute=10**6
        )
        self.fog = NodeEndpoint(self.above, "fog-0", self.keys.keys["fog-0"].pair, bind=Bind("127.0.0.1", self._port))
        self._port = self.fog.port
        self.above.prove([self.fog], time.monotonic_ns)
        shape = TableShape(TELEMETRY, [LOAD], self.rows)
        specs = [NeighbourSpec(name, False, table_in=shape, table_out=shape) for name in self.names]
        streams = [self._life * 10_000 + k for k in range(len(self.names))]
        config = TwinConfig("fog-0", "fog", streams, specs, incarnation=self._life, virtual_clock=False)
        self.twin = Twin(config, Carrying(), REGISTRY)
        rows = np.arange(self.rows, dtype=np.uint32)
        for neighbour in self.twin.children:
            assert neighbour.table_out is not None
            neighbour.table_out.set(LOAD, rows, rows + 1.0, 1)

    def restart_parent(self) -> None:
        """End it without a word; its next life knows nothing."""
        self.above.close()
        gc.collect()
        self._start_parent()

    def same(self) -> int:
        """How many children and the parent hold what the other told."""
        tables = {name: (told.digest(), heard.digest()) for name, _, told, heard in self.children.values()}
        return sum(n.live and 0 not in tables[n.name] and tables[n.name] == self._held(n) for n in self.twin.children)

    @staticmethod
    def _held(child: Neighbour) -> tuple[int, int]:
        assert child.table_in is not None
        assert child.table_out is not None
        return child.table_in.digest(), child.table_out.digest()

    def until_all_hold_the_same(self) -> float:
        """Turn until they do; how long that took, s."""
        began = time.monotonic()
        while self.same() < len(self.names):
            if time.monotonic() > began + PATIENCE_S:
                raise TimeoutError(f"{self.same()} of {len(self.names)} hold the same after {PATIENCE_S:g} s")
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                self.turn()
        return round(time.monotonic() - began, 3)

    def idle_share(self, seconds: float) -> float:
        """Share of a processor that all of them take when nothing happens."""
        spent, until = time.process_time(), time.monotonic() + seconds
        while time.monotonic() < until:
            self.turn()
        return round((time.process_time() - spent) / seconds, 3)

    def turn(self) -> None:
        """What arrived is handled, what is due is sent."""
        now = time.monotonic_ns()
        report = now >= self._report_at
        if report:
            self._report_at = now + REPORT_NS
            self._send_down(self.twin.handle(Reported(), now))
        for node, (_, peer, _told, _heard) in self.children.items():
            node.tick(now)
            if report:
                self._send_up(node, peer.publish(now))
            if now >= peer.next_ns:
                self._send_up(node, peer.tick(now).reply)
        self.most = max(self.most, sum(child.peer.snapshot_leaving for child in self.twin.children))
        for wire in (self.above, self.below):
            wire.tick(now, time.time())
            for node in wire.wait(5):
                assert isinstance(node, NodeEndpoint)
                if node is self.fog:
                    self._at_parent(time.monotonic_ns())
                else:
                    self._at_child(node, time.monotonic_ns())

    def _at_parent(self, now: int) -> None:
        for event in self.fog.link_events():
            if event.kind == "down":
                self._send_down(self.twin.handle(LinkDown(event.peer), now))
        for name, frame in self.fog.receive():
            self._send_down(self.twin.handle(FrameReceived(name, bytes(frame)), now))

    def _at_child(self, node: NodeEndpoint, now: int) -> None:
        _, peer, _, _ = self.children[node]
        for event in node.link_events():
            self._send_up(node, peer.connect(now) if event.kind == "up" else peer.lost(now).reply)
        for _, frame in node.receive():
            self._send_up(node, peer.receive(bytes(frame), now).reply)

    def _send_down(self, effects: list[object]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self.fog.send(effect.peer, effect.frame)

    def _send_up(self, node: NodeEndpoint, frames: list[bytes]) -> None:
        for frame in frames:
            node.send("fog-0", frame)

    def close(self) -> None:
        """Close every socket."""
        self.above.close()
        self.below.close()
