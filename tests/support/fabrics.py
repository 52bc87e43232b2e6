"""The two transports behind one face, for tests that hold for both: a tree of endpoints and a turn of the loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from tiertwin.wire.context import WireContext
from tiertwin.wire.endpoint import Buffer, Endpoint, LinkEvent
from tiertwin.wire.keys import KeySet, Member, make_keys
from tiertwin.wire.memory import MemoryNetwork
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress

MS = 1_000_000
PATIENCE_S = 20.0  # until a test gives up; no test measures it
HELLO_SIZE = 96


def hello(incarnation: int = 1, tail: bytes = b"") -> bytes:
    """Bytes that look like HELLO to a transport, which looks no further than magic, kind and incarnation."""
    header = b"TW\x01\x01" + bytes(16) + incarnation.to_bytes(4, "little") + bytes(16)
    return (header + bytes(56) + tail).ljust(HELLO_SIZE, b"\0")


class Fabric(Protocol):
    """What a test needs of a transport."""

    endpoints: dict[str, Endpoint]
    events: dict[str, list[LinkEvent]]
    frames: dict[str, list[tuple[str, bytes]]]

    def turn(self, receiving: Iterable[str] | None = None, limit: int = 64) -> None:
        """Let a little time pass; the nodes named (None: all) take link events and receive."""
        ...

    def close(self) -> None: ...


class _Collected:
    """Keeps what nodes were given."""

    endpoints: dict[str, Endpoint]

    def __init__(self) -> None:
        self.events: dict[str, list[LinkEvent]] = {}
        self.frames: dict[str, list[tuple[str, bytes]]] = {}

    def take(self, names: Iterable[str] | None, limit: int) -> None:
        for name, endpoint in self.endpoints.items():
            if names is None or name in names:
                self.events.setdefault(name, []).extend(endpoint.link_events())
                got: list[tuple[str, Buffer]] = endpoint.receive(limit)
                assert len(got) <= limit
                self.frames.setdefault(name, []).extend((peer, bytes(frame)) for peer, frame in got)


class MemoryFabric(_Collected):
    """Endpoints in virtual time, a millisecond a turn."""

    def __init__(self, parents: dict[str, str | None]) -> None:
        super().__init__()
        self.network = MemoryNetwork()
        self.now = 0
        self.endpoints = {name: self.network.endpoint(name, parent) for name, parent in parents.items()}
        for endpoint in self.endpoints.values():
            endpoint.open(0)

    def turn(self, receiving: Iterable[str] | None = None, limit: int = 64) -> None:
        self.now += MS
        for endpoint in self.endpoints.values():
            endpoint.tick(self.now)
        self.network.deliver(self.now)
        self.take(receiving, limit)

    def close(self) -> None:
        for endpoint in self.endpoints.values():
            endpoint.close()


class ZeroMqFabric(_Collected):
    """Endpoints on loopback, with keys, door and start-up proof as shipped; the `absent` have a key, no endpoint."""

    def __init__(
        self, parents: dict[str, str | None], *, handshakes_a_minute: int = 10_000, absent: Iterable[str] = ()
    ) -> None:
        super().__init__()
        roots = {name for name in parents.values() if name}
        members = [
            Member(name, "fog" if name in roots else "edge", (parent,) if parent else ())
            for name, parent in parents.items()
        ]
        self.keys: KeySet = make_keys(members, time.time())
        self.wire = WireContext(
            self.keys.access, now_ns=time.monotonic_ns(), now_s=time.time(), handshakes_a_minute=handshakes_a_minute
        )
        self.nodes: dict[str, NodeEndpoint] = {}
        try:
            for name, parent in sorted(parents.items(), key=lambda item: item[0] not in roots):
                if name not in absent:
                    self.nodes[name] = self.make(name, parent, listens=name in roots)
            self.wire.prove(self.nodes.values(), time.monotonic_ns)
        except BaseException:
            self.wire.close()
            raise
        self.endpoints = dict(self.nodes)

    def make(self, name: str, parent: str | None, *, listens: bool = False) -> NodeEndpoint:
        """Make one more endpoint of a listed name."""
        above = None
        if parent is not None:
            public = self.keys.access.public_of(parent)
            assert public is not None
            above = ParentAddress(parent, self.nodes[parent].address, public)
        return NodeEndpoint(
            self.wire, name, self.keys.keys[name].pair, bind=Bind() if listens else None, parent=above,
            jitter_seed=len(self.nodes),
        )  # fmt: skip

    def turn(self, receiving: Iterable[str] | None = None, limit: int = 64) -> None:
        self.wire.tick(time.monotonic_ns(), time.time())
        self.wire.wait(2)
        for endpoint in self.endpoints.values():
            endpoint.tick(time.monotonic_ns())
        self.take(receiving, limit)

    def close(self) -> None:
        self.wire.close()


def until(
    fabric: Fabric, condition: Callable[[], bool], receiving: Iterable[str] | None = None, limit: int = 64
) -> None:
    """Turn until `condition` holds; fail when it never does."""
    names = None if receiving is None else list(receiving)
    end, turns = time.monotonic() + PATIENCE_S, 0
    while not condition():
        assert max(turns / 20_000, time.monotonic() / end) < 1, f"waited in vain; events {fabric.events}"
        fabric.turn(names, limit)
        turns += 1


def kinds(fabric: Fabric, node: str, peer: str) -> list[str]:
    """The link events of a node with a peer, in order."""
    return [event.kind for event in fabric.events.get(node, []) if event.peer == peer]
