"""The parent's side of a node: one DEALER a session (R24).

      open                     handshake done               disconnected, reopen()
    ────────► connecting ──────────────────────► up ──────────────────────────────┐
                  ▲  │ handshake failed                                           │
                  │  └───────────────────────► waiting 0.1 → 5 s + jitter ◄───────┘
                  └───────────────────────────────┘

While nobody listens, libzmq itself tries again (0.1 → 2 s). After that a connection is never reused: what its queue
holds belongs to a session that is over. The pause doubles until a frame of the parent comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import zmq

from tiertwin import _core
from tiertwin.wire.endpoint import FRAME_BYTES, NEVER_NS, Buffer, LinkEvent
from tiertwin.wire.keys import KeyPair
from tiertwin.wire.side import Seat, Side, next_event
from tiertwin.wire.sockets import HANDSHAKE_MS, Socket, close_watched, make_dealer, send_now

FIRST_PAUSE_NS, LONGEST_PAUSE_NS = 100_000_000, 5_000_000_000
_SILENCE_NS = HANDSHAKE_MS * 900_000  # of a handshake: it ran out of time
_PURPOSE_JITTER = 0x6A697474  # "jitt"


@dataclass(frozen=True, slots=True)
class ParentAddress:
    """Where the parent listens, and its public key, pinned."""

    name: str
    address: str  # tcp://host:port
    server_public: bytes


class Uplink(Side):
    """The link to one parent; used by :class:`~tiertwin.wire.zeromq.NodeEndpoint` alone."""

    def __init__(self, seat: Seat, parent: ParentAddress, jitter_seed: int) -> None:
        super().__init__(seat)
        self.parent = parent
        self._seed = jitter_seed
        self.state: Literal["closed", "connecting", "up", "waiting"] = "closed"
        self._dealer: Socket | None = None
        self._monitor: Socket | None = None
        self.next_ns = NEVER_NS
        self._attempt = 0  # of jitter draws
        self._failures = 0  # since the parent last said something
        self._connected_ns = 0
        self._told_unreachable = False
        self._servers = [parent.server_public]  # keys that the parent may show; two while it changes them
        self._server = 0

    def open(self, now_ns: int) -> None:
        """Connect, unless it is connected or pausing."""
        if self.state == "closed":
            self._connect()

    def tick(self, now_ns: int) -> None:
        """End the pause when it is over."""
        if self.state == "waiting" and now_ns >= self.next_ns:
            self._connect()

    def reopen(self, now_ns: int) -> None:
        """Close and pause, whatever the state."""
        if self.state in ("connecting", "up"):
            self._pause(now_ns)

    def trust(self, servers: Sequence[bytes]) -> None:
        """Take these public keys for those of the parent, newest first, from the next connection on."""
        if servers and list(servers) != self._servers:
            self._servers, self._server = list(servers), 0

    def rekey(self, keys: KeyPair, now_ns: int) -> None:
        """Connect anew with another key of this node."""
        self._keys = keys
        self.reopen(now_ns)

    def _connect(self) -> None:
        self._attempt += 1
        self.next_ns = NEVER_NS
        self.state = "connecting"
        reconnect_ms = 100 + int(50 * self._draw())
        self._dealer, self._monitor = make_dealer(
            self._wire.context, self._keys, self.parent.address, self._servers[self._server], reconnect_ms
        )
        self._wire.poller.add(self._dealer, self._owner)
        self._wire.poller.add(self._monitor, self._owner)

    def _pause(self, now_ns: int) -> None:
        self._release()
        pause = min(FIRST_PAUSE_NS << min(self._failures, 16), LONGEST_PAUSE_NS)
        self._failures += 1
        self.next_ns = now_ns + pause + int(pause * self._draw() / 2)  # jitter after the cap, or it is cut off
        self.state = "waiting"

    def _draw(self) -> float:
        """Return the next number in [0, 1): own jitter, for libzmq's comes from an unseeded source."""
        self._attempt += 1
        return float(_core.philox(self._seed, self._attempt, _PURPOSE_JITTER, 1)[0])

    def _release(self) -> None:
        if self._dealer is not None and self._monitor is not None:
            self._wire.poller.remove(self._dealer)
            self._wire.poller.remove(self._monitor)
            close_watched(self._dealer, self._monitor)
        self._dealer = self._monitor = None
        self._draining = False

    # -- frames --------------------------------------------------------------------------------------------------------
    def send(self, frame: Buffer) -> bool:
        """Hand a frame to the parent."""
        if self._dealer is None or self.state != "up":
            self._counted["R25 no link"] += 1
            return False
        sent = send_now(self._dealer, frame)
        self._wire.poller.used(self._dealer)
        self._counted["R25 back-pressure"] += not sent
        return sent

    def receive(self, limit: int) -> list[tuple[str, Buffer]]:
        """Read at most `limit` messages, then what happened to the connection."""
        frames: list[tuple[str, Buffer]] = []
        if self._dealer is None:
            return frames
        try:
            for _ in range(limit):
                part = self._dealer.recv(zmq.DONTWAIT, copy=False)
                if self._passes(part):
                    frames.append((self.parent.name, part.buffer))
                if self._draining and not self._throw_parts_away(self._dealer):
                    break
        except zmq.Again:
            pass
        self._wire.poller.used(self._dealer)
        if frames:
            self._failures = 0
        self._read_monitor()
        return frames

    def _passes(self, part: zmq.Frame) -> bool:
        if part.more or self._draining:
            self._counted["R32 more than one part"] += not self._draining
            self._draining = bool(part.more)
            return False
        if len(part) > FRAME_BYTES:
            self._counted["R36 frame too long"] += 1
            return False
        return True

    # -- connection ----------------------------------------------------------------------------------------------------
    def _read_monitor(self) -> None:
        """Take what the monitor tells, until the connection is given up."""
        while self._monitor is not None:
            if (event := next_event(self._monitor)) is None:
                self._wire.poller.used(self._monitor)
                return
            self._happened(*event)

    def _happened(self, event: int, value: int) -> None:
        address, name, now_ns = self.parent.address, self.parent.name, self._wire.now_ns
        if event == zmq.EVENT_CONNECTED:  # TCP; nothing is said yet
            self._connected_ns = now_ns
        elif event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.state = "up"
            self._told_unreachable = False
            self._emit(LinkEvent(name, "up"))
        elif event == zmq.EVENT_CONNECT_RETRIED:
            self._unreachable(f"nothing answers at {address}; is {name!r} running?")
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            self._failed(
                f"{address} refused the key of {self._node!r} ({value}): it is not in the access table there, expired, "
                "banned, or came too often"
            )
        elif event == zmq.EVENT_DISCONNECTED and self.state == "up":
            self._pause(now_ns)
            self._emit(LinkEvent(name, "down", "disconnected"))
        elif now_ns - self._connected_ns >= _SILENCE_NS:
            self._pause(now_ns)
            self._unreachable(f"{address} takes the connection and says nothing; is {name!r} stopped, or very busy?")
        else:  # disconnected or failed within the handshake
            self._server = (self._server + 1) % len(self._servers)
            self._failed(
                f"{address} cut the connection in the handshake: is the public key of {name!r} the right one, and does "
                "a node listen there?"
            )

    def _unreachable(self, reason: str) -> None:
        """Say so once, until it was reached."""
        if not self._told_unreachable:
            self._told_unreachable = True
            self._emit(LinkEvent(self.parent.name, "unreachable", reason))

    def _failed(self, reason: str) -> None:
        self._counted["R24 handshake failed"] += 1
        self._pause(self._wire.now_ns)
        self._emit(LinkEvent(self.parent.name, "auth_failed", reason))

    def close(self) -> None:
        """Release the sockets; nothing is made anew."""
        self._release()
        self.state = "closed"
        self.next_ns = NEVER_NS
