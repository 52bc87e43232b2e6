"""The endpoints of one process, turned by its one loop thread."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import TYPE_CHECKING

from tiertwin.errors import ProcessError
from tiertwin.wire.zeromq import NodeEndpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tiertwin.wire.context import WireContext
    from tiertwin.wire.endpoint import Buffer, LinkEvent
    from tiertwin.wire.keys import KeyPair

PAUSE_MS = 20  # longest wait of a turn while something is waited for


class Switchboard:
    """Frames in, frames out, links up and down.

    A node listens by one endpoint and has one for each neighbour that it connects to: its parent, the solver pool.

    Parameters
    ----------
    wire
        Context, door and poller of this process.
    """

    def __init__(self, wire: WireContext) -> None:
        self.wire = wire
        self.endpoints: list[NodeEndpoint] = []
        self._listening: dict[str, NodeEndpoint] = {}
        self._towards: dict[tuple[str, str], NodeEndpoint] = {}
        self._up: set[tuple[str, str]] = set()
        self.frames: deque[tuple[str, str, Buffer]] = deque()  # (sender, receiver, frame)
        self.events: deque[tuple[str, LinkEvent]] = deque()  # (node here, what happened)
        self._apart: dict[str, deque[tuple[str, Buffer]]] = {}  # by sender

    def listen(self, endpoint: NodeEndpoint) -> None:
        """Serve the children of a node here."""
        self.endpoints.append(endpoint)
        self._listening[endpoint.name] = endpoint

    def connect(self, endpoint: NodeEndpoint, peer: str) -> None:
        """Speak to a node elsewhere for a node here."""
        self.endpoints.append(endpoint)
        self._towards[endpoint.name, peer] = endpoint

    def apart(self, sender: str) -> deque[tuple[str, Buffer]]:
        """Return where frames of this sender go from now on, as (receiver, frame), instead of into `frames`.

        For who waits for somebody in particular while others wait for the rest: none takes what the other needs.
        """
        return self._apart.setdefault(sender, deque())

    def port(self, name: str) -> int:
        """Port that a node here listens on."""
        return self._listening[name].port

    def missing(self) -> list[tuple[str, str]]:
        """Return links that do not stand, as (node here, peer)."""
        return [pair for pair in self._towards if pair not in self._up]

    def counters(self) -> dict[str, int]:
        """What was refused or dropped in this process, by rule and reason."""
        total = Counter(self.wire.counters())
        for endpoint in self.endpoints:
            total.update(endpoint.counters())
        return dict(total)

    def counters_of(self, name: str) -> Counter[str]:
        """What the endpoints of one node here refused or dropped, by rule and reason."""
        total: Counter[str] = Counter()
        for endpoint in self.endpoints:
            if endpoint.name == name:
                total.update(endpoint.counters())
        return total

    def turn(self, timeout_ms: float | None) -> list[object]:
        """Wait for something to happen, take what came; return owners of descriptors that are ready."""
        self.wire.tick(time.monotonic_ns(), time.time())
        others = []
        for owner in self.wire.wait(timeout_ms):
            if isinstance(owner, NodeEndpoint):
                self._take(owner)
            else:
                others.append(owner)
        now = time.monotonic_ns()
        for endpoint in self.endpoints:
            if endpoint.next_ns <= now or not endpoint.proven:  # a door that opens again proves itself turn by turn
                endpoint.tick(now)
        return others

    def _take(self, endpoint: NodeEndpoint) -> None:
        for event in endpoint.link_events():
            if event.kind == "up":
                self._up.add((endpoint.name, event.peer))
            else:
                self._up.discard((endpoint.name, event.peer))
            self.events.append((endpoint.name, event))
        for peer, frame in endpoint.receive():
            if peer in self._apart:
                self._apart[peer].append((endpoint.name, frame))
            else:
                self.frames.append((peer, endpoint.name, frame))

    def send(self, sender: str, receiver: str, frame: Buffer) -> bool:
        """Hand a frame over; False: back-pressure or no link."""
        endpoint = self._towards.get((sender, receiver)) or self._listening.get(sender)
        return endpoint is not None and endpoint.send(receiver, frame)

    def role(self, name: str, peer: str) -> str:
        """Role of a peer that is connected to a node here, by its key; empty: not connected, or above us."""
        listening = self._listening.get(name)
        grant = listening.grant(peer) if listening is not None else None
        return "" if grant is None else grant.role

    def reopen(self, name: str, peer: str) -> None:
        """Give a connection to a peer up and make a new one after a pause."""
        endpoint = self._towards.get((name, peer))
        if endpoint is not None:
            self._up.discard((name, peer))
            endpoint.reopen(time.monotonic_ns())

    def rekey(self, name: str, keys: KeyPair, now_ns: int) -> None:
        """Go on with another key of a node here, at all its endpoints."""
        for endpoint in self.endpoints:
            if endpoint.name == name:
                endpoint.rekey(keys, now_ns)

    def trust(self, name: str, peer: str, servers: Sequence[bytes]) -> None:
        """Take these public keys, newest first, for those of a peer elsewhere that a node here connects to."""
        endpoint = self._towards.get((name, peer))
        if endpoint is not None and servers:
            endpoint.trust(servers)

    def ban(self, name: str, peer: str, for_ns: int) -> None:
        """Refuse a child of a node here at the door for a while."""
        endpoint = self._listening.get(name)
        if endpoint is not None:
            endpoint.ban(peer, for_ns)

    def wait_for(self, done: Callable[[], bool], what: str, timeout_s: float) -> None:
        """Turn until `done`; ProcessError names what was waited for when the time is over."""
        until = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > until:
                missing = ", ".join(f"{node} to {peer}" for node, peer in self.missing()[:5])
                open_links = f"; no link from {missing}" if missing else ""
                raise ProcessError(f"timeout {what!r}: nothing came within {timeout_s:g} s{open_links}")
            self.turn(PAUSE_MS)
