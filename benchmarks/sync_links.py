"""Connections of `sync.py`: what ships, and the same sockets without CURVE."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import zmq

from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import KeySet, NodeKey
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress

PARENT, CHILD = "fog-1", "edge-a"
LINK_S = 15.0  # timeout


class Link(Protocol):
    """A connection of a node with one other; used by one thread."""

    def wait(self, timeout_ms: float) -> None:
        """Wait for a frame, or for something to read from `watch`ed descriptors."""
        ...

    def receive(self) -> list[Any]:
        """Return the frames that are there."""
        ...

    def send(self, frame: Any) -> bool:
        """Hand a frame over; False: not now."""
        ...

    def watch(self, fd: int) -> None:
        """Wake up for this descriptor too."""
        ...

    def close(self) -> None:
        """Release the sockets."""
        ...


class CurveLink:
    """What ships: `NodeEndpoint` with CURVE, door and start-up proof."""

    def __init__(self, keys: KeySet, name: str, other: str, address: str | None = None) -> None:
        self.wire = WireContext(keys.access, now_ns=time.monotonic_ns(), now_s=time.time())
        above = None
        if address is not None:
            public = keys.access.public_of(other)
            assert public is not None
            above = ParentAddress(other, address, public)
        pair, bind = keys.keys[name].pair, Bind() if address is None else None
        self.endpoint = NodeEndpoint(self.wire, name, pair, bind=bind, parent=above)
        self.wire.prove([self.endpoint], time.monotonic_ns)
        self.address, self.other, self.up = self.endpoint.address, other, False

    def wait(self, timeout_ms: float) -> None:
        self.wire.tick(time.monotonic_ns(), time.time())
        self.wire.wait(timeout_ms)
        if self.endpoint.next_ns <= time.monotonic_ns():
            self.endpoint.tick(time.monotonic_ns())
        self.up = self.up or any(event.kind == "up" for event in self.endpoint.link_events())

    def receive(self) -> list[Any]:
        return [frame for _, frame in self.endpoint.receive()]

    def send(self, frame: Any) -> bool:
        return self.endpoint.send(self.other, frame)

    def watch(self, fd: int) -> None:
        self.wire.poller.add_file(fd, fd)

    def close(self) -> None:
        self.wire.close()


class PlainLink:
    """The same sockets without CURVE and without a door; to be found nowhere else."""

    def __init__(self, address: str | None = None) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER if address is None else zmq.DEALER)
        self.socket.setsockopt(zmq.SNDHWM, 256)
        self.socket.setsockopt(zmq.RCVHWM, 256)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.to: list[bytes] = []
        if address is None:
            port: int = self.socket.bind_to_random_port("tcp://127.0.0.1")
            address = f"tcp://127.0.0.1:{port}"
        else:
            self.socket.connect(address)
        self.address, self.up = address, True
        self.poller = zmq.Poller()
        self.poller.register(self.socket, zmq.POLLIN)

    def wait(self, timeout_ms: float) -> None:
        self.poller.poll(int(timeout_ms))

    def receive(self) -> list[Any]:
        frames: list[Any] = []
        while len(frames) < 64:
            try:
                part = self.socket.recv(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                break
            if self.socket.type == zmq.ROUTER:
                self.to = [part.bytes]
                part = self.socket.recv(zmq.DONTWAIT, copy=False)
            frames.append(part.buffer)
        return frames

    def send(self, frame: Any) -> bool:
        try:
            self.socket.send_multipart([*self.to, frame], zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def watch(self, fd: int) -> None:
        self.poller.register(fd, zmq.POLLIN)

    def close(self) -> None:
        self.socket.close(0)


def until(done: Callable[[], bool], turn: Callable[[], object], what: str, timeout_s: float = LINK_S) -> None:
    """Repeat `turn` until `done`."""
    end = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} within {timeout_s:g} s")
        turn()


def plain_keys(keys: KeySet) -> dict[str, Any]:
    """Return throw-away keys as JSON values, for the other process."""
    rows = {name: [key.role, key.public, key.secret, key.not_after.timestamp()] for name, key in keys.keys.items()}
    return {"keys": rows, "access": keys.access.to_json().decode()}


def keys_of(plain: dict[str, Any]) -> KeySet:
    """Return them as the other process was told them."""
    keys = {
        name: NodeKey(node=name, role=role, public=public, secret=secret, not_after=datetime.fromtimestamp(end, UTC))
        for name, (role, public, secret, end) in plain["keys"].items()
    }
    return KeySet(keys, Access.from_json(plain["access"].encode()))
