"""A node's endpoint over ZeroMQ: a ROUTER for its children, a DEALER to its parent, CURVE on both, always.

    wire = WireContext(access, now_ns=…, now_s=…)
    fog = NodeEndpoint(wire, "fog-1", keys, bind=Bind())                       # fog.port is known at once
    edge = NodeEndpoint(wire, "edge-a", keys, parent=ParentAddress("fog-1", f"tcp://127.0.0.1:{fog.port}", public))
    wire.prove([fog, edge], time.monotonic_ns)                                 # or open(), then tick() until `proven`

In a turn of the loop: take `link_events` first, then `receive`. A link event never overtakes the frames before it, nor
a frame the event before it, if all events are taken before the next `receive`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tiertwin.wire.access import Grant
from tiertwin.wire.context import WireContext
from tiertwin.wire.downlink import Downlink
from tiertwin.wire.endpoint import NEVER_NS, RECEIVE_LIMIT, Buffer, LinkEvent, check_length
from tiertwin.wire.keys import KeyPair
from tiertwin.wire.side import Seat
from tiertwin.wire.sockets import Bind
from tiertwin.wire.uplink import ParentAddress, Uplink

__all__ = ["Bind", "NodeEndpoint", "ParentAddress"]

PROOF_STEP_NS = 20_000_000


class NodeEndpoint:
    """One node's mouth and ear (the `Endpoint` protocol).

    Parameters
    ----------
    wire
        Of this process.
    name, keys
        Of this node. The children pin `keys.public`.
    bind
        Where children connect; None: it has none.
    parent
        Where to connect to; None: it has none.
    jitter_seed
        Of the pauses between attempts; different in each node.
    incarnation
        Of this node; stands in the BYE that a refused connection gets.

    Raises
    ------
    WireError
        The port is in use, the address not of this host.
    """

    def __init__(
        self,
        wire: WireContext,
        name: str,
        keys: KeyPair,
        *,
        bind: Bind | None = None,
        parent: ParentAddress | None = None,
        jitter_seed: int = 0,
        incarnation: int = 1,
    ) -> None:
        wire.check_thread()
        self.name = name
        self._wire = wire
        self._events: list[LinkEvent] = []
        self._counted: Counter[str] = Counter()
        self._is_open = True
        self._begun = False
        seat = Seat(wire, name, keys, self, self._emit, self._counted)
        self._down = Downlink(seat, bind, incarnation) if bind is not None else None
        self._up = Uplink(seat, parent, jitter_seed) if parent is not None else None
        wire.joined(self)

    @property
    def port(self) -> int:
        """The port for children; 0 without."""
        return self._down.port if self._down is not None else 0

    @property
    def address(self) -> str:
        """Where children connect from this host; empty without."""
        return self._down.address if self._down is not None else ""

    @property
    def proven(self) -> bool:
        """Whether the start-up proof is done (R28): before, no frame is read and no parent sought."""
        return self._begun and (self._down is None or self._down.proven)

    @property
    def next_ns(self) -> int:
        """When `tick` has something to do by itself."""
        if self._begun and not self.proven:
            return self._wire.now_ns + PROOF_STEP_NS
        return self._up.next_ns if self._up is not None else NEVER_NS

    def open(self, now_ns: int) -> None:
        """Begin the start-up proof; when it is done, serve children and connect to the parent. Never waits."""
        self._begun = True
        if self._down is not None:
            self._down.open(now_ns)
        self.tick(now_ns)

    def reopen(self, now_ns: int) -> None:
        """Give the connection to the parent up, as after 2 s of silence, and make a new one after a pause."""
        if self._up is not None:
            self._up.reopen(now_ns)

    def rekey(self, keys: KeyPair, now_ns: int) -> None:
        """Go on with another key of this node: the door opens anew, the connection to the parent is made anew."""
        if self._down is not None:
            self._down.rebind(keys, now_ns)
        if self._up is not None:
            self._up.rekey(keys, now_ns)

    def trust(self, servers: Sequence[bytes]) -> None:
        """Take these public keys, newest first, for those of the parent from the next connection on."""
        if self._up is not None:
            self._up.trust(servers)

    def tick(self, now_ns: int) -> None:
        """Let time pass.

        Raises
        ------
        WireError
            The start-up proof failed: this node must not run.
        """
        self._wire.check_thread()
        if not self._begun or not self._is_open:
            return
        if self._down is not None and not self._down.proven:
            self._down.tick(now_ns)
        if self._up is not None and self.proven:
            self._up.open(now_ns)
            self._up.tick(now_ns)

    # -- frames --------------------------------------------------------------------------------------------------------
    def send(self, peer: str, frame: Buffer) -> bool:
        """Hand over a frame; False: back-pressure, or no link to `peer`. See :class:`Endpoint`."""
        self._wire.check_thread()
        if not self._is_open:
            raise ValueError(f"Expected an open endpoint, got {self.name!r}, which is closed.")
        check_length(frame)
        if self._up is not None and peer == self._up.parent.name:
            return self._up.send(frame)
        if self._down is not None:
            return self._down.send(peer, frame)
        self._counted["R25 no link"] += 1
        return False

    def receive(self, limit: int = RECEIVE_LIMIT) -> list[tuple[str, Buffer]]:
        """Return at most `limit` frames; the parent's first, but never more than half where there are children."""
        self._wire.check_thread()
        if not self._is_open:
            return []
        frames: list[tuple[str, Buffer]] = []
        if self._up is not None:
            frames += self._up.receive(limit if self._down is None else max(1, limit // 2))
        if self._down is not None:
            frames += self._down.receive(limit - len(frames))
        return frames

    # -- links ---------------------------------------------------------------------------------------------------------
    def _emit(self, event: LinkEvent) -> None:
        self._events.append(event)
        self._wire.eventful(self, some=True)

    def link_events(self) -> list[LinkEvent]:
        """Return what happened to the links since the last call, in order."""
        taken, self._events = self._events, []
        self._wire.eventful(self, some=False)
        return taken

    def counters(self) -> dict[str, int]:
        """Return what was dropped or refused, by rule and reason."""
        return dict(self._counted)

    def grant(self, peer: str) -> Grant | None:
        """Return what a connected child may do (role, rights); None: not connected."""
        return self._down.grant(peer) if self._down is not None else None

    def peers(self) -> list[str]:
        """Return who has a connection: the parent first."""
        up = [self._up.parent.name] if self._up is not None and self._up.state == "up" else []
        return up + (self._down.peers() if self._down is not None else [])

    def ban(self, peer: str, for_ns: int) -> None:
        """Refuse the frames and handshakes of a child for a while, as its session does (R41)."""
        if self._down is not None:
            self._down.ban(peer, for_ns)

    def close(self) -> None:
        """Release everything; calling it twice is harmless."""
        if not self._is_open:
            return
        self._wire.check_thread()
        self._is_open = False
        self._events.clear()
        for side in (self._up, self._down):
            if side is not None:
                side.close()
        self._wire.left(self)
