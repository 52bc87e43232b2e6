"""Sessions over real sockets: two `Peer`s on a pair of endpoints go live, resume after a cut, and hear no old frame."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from support.fabrics import ZeroMqFabric, until
from support.peer_pair import LOAD, RATE, STATE, TELEMETRY, registry
from tiertwin import _core

ROWS = 200
TREE: dict[str, str | None] = {"fog-1": None, "edge-a": "fog-1"}


class Side:
    """A peer, its tables and its endpoint; does what a runtime does."""

    def __init__(self, fabric: ZeroMqFabric, node: str, other: str, *, is_child: bool, stream: int) -> None:
        self.fabric, self.node, self.other = fabric, node, other
        known = registry()
        self.peer = _core.Peer(known, is_child=is_child, incarnation=1, stream_id=stream, heartbeat_ms=250)
        self.out = _core.StateTable(known, TELEMETRY, [LOAD, RATE], ROWS)
        self.into = _core.StateTable(known, TELEMETRY, [LOAD, RATE], ROWS)
        self.peer.add_out(self.out)
        self.peer.add_in(self.into)
        self.taken = 0
        self.events_taken = 0
        self.refused: list[int] = []

    @property
    def endpoint(self) -> object:
        return self.fabric.endpoints[self.node]

    def send(self, frames: list[bytes]) -> None:
        for frame in frames:
            self.fabric.endpoints[self.node].send(self.other, frame)

    def step(self) -> None:
        """Link events, frames, timers, publication."""
        now = time.monotonic_ns()
        events = self.fabric.events.get(self.node, [])
        for event in events[self.events_taken :]:
            if event.kind == "up" and self.peer.is_child:
                self.send(self.peer.connect(now))
            elif event.kind in ("down", "unreachable"):
                self.send(self.peer.lost(now).reply)
        self.events_taken = len(events)
        frames = self.fabric.frames.get(self.node, [])
        for _, frame in frames[self.taken :]:
            received = self.peer.receive(frame, now)
            if received.reason:
                self.refused.append(received.reason)
            self.send(received.reply)
        self.taken = len(frames)
        self.send(self.peer.tick(now).reply)
        self.send(self.peer.publish(now))

    def write(self, value: float) -> None:
        rows = np.arange(ROWS, dtype=np.uint32)
        self.out.set(LOAD, rows, np.full(ROWS, value), time.monotonic_ns() // 1000 * 1000)


class Both:
    """The child, the parent, and the network between them."""

    def __init__(self, fabric: ZeroMqFabric) -> None:
        self.fabric = fabric
        self.child = Side(fabric, "edge-a", "fog-1", is_child=True, stream=1)
        self.parent = Side(fabric, "fog-1", "edge-a", is_child=False, stream=2)

    def settled(self) -> bool:
        self.child.step()
        self.parent.step()
        return (
            all(
                side.peer.state == STATE["live"]
                and side.peer.attached
                and side.peer.acked == side.peer.last
                and side.out.dirty_count == 0
                and not side.peer.snapshot_active
                for side in (self.child, self.parent)
            )
            and self.child.into.digest() == self.parent.out.digest()
            and self.parent.into.digest() == self.child.out.digest()
        )

    def settle(self) -> None:
        until(self.fabric, self.settled)


@pytest.fixture
def both() -> Iterator[Both]:
    fabric = ZeroMqFabric(TREE)
    made = Both(fabric)
    made.child.write(1.0)
    made.parent.write(2.0)
    made.settle()
    yield made
    fabric.close()


def test_sessions_go_live_and_tables_are_equal(both: Both) -> None:
    for k in range(5):
        both.child.write(10.0 + k)
        both.parent.write(20.0 + k)
        both.settle()
    assert both.parent.into.column(LOAD)[0] == 14.0
    assert both.child.into.column(LOAD)[0] == 24.0
    assert both.child.refused == both.parent.refused == []


def test_a_new_connection_resumes_from_memory(both: Both) -> None:
    swaps = both.parent.peer.counters().get("swaps", 0), both.child.peer.counters().get("swaps", 0)
    for k in range(10):
        both.child.write(100.0 + k)
        both.child.endpoint.reopen(time.monotonic_ns())  # type: ignore[attr-defined]
        both.parent.write(200.0 + k)
        ups = [event.kind for event in both.fabric.events["edge-a"]].count("up")
        until(
            both.fabric,
            lambda ups=ups: both.settled() and [e.kind for e in both.fabric.events["edge-a"]].count("up") > ups,  # type: ignore[misc]
        )
    after = both.parent.peer.counters().get("swaps", 0), both.child.peer.counters().get("swaps", 0)
    assert after == swaps  # no snapshot was needed
    assert both.parent.peer.counters().get("banned", 0) == 0
    assert both.parent.into.column(LOAD)[0] == 109.0


def test_the_parents_restart_is_healed_by_a_snapshot(both: Both) -> None:
    """The port is the same, the process state is not: a new ROUTER, a new Peer, a higher incarnation."""
    fabric, port = both.fabric, both.fabric.nodes["fog-1"].port
    fabric.endpoints.pop("fog-1").close()
    until(fabric, lambda: [event.kind for event in fabric.events["edge-a"]][-1] in ("down", "unreachable"))
    from tiertwin.wire.zeromq import Bind, NodeEndpoint

    keys = fabric.keys.keys["fog-1"].pair
    again = NodeEndpoint(fabric.wire, "fog-1", keys, bind=Bind(port=port), incarnation=2)
    fabric.wire.prove([again], time.monotonic_ns)
    fabric.endpoints["fog-1"] = fabric.nodes["fog-1"] = again
    both.child.step()
    fresh = Side(fabric, "fog-1", "edge-a", is_child=False, stream=3)
    fresh.peer = _core.Peer(registry(), is_child=False, incarnation=2, stream_id=3)
    fresh.peer.add_out(fresh.out)
    fresh.peer.add_in(fresh.into)
    fresh.taken, fresh.events_taken = both.parent.taken, both.parent.events_taken
    fresh.write(7.0)
    both.parent = fresh
    both.settle()
    assert both.child.into.column(LOAD)[0] == 7.0
    assert fresh.into.column(LOAD)[0] == 1.0
