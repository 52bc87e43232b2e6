"""The children's side of a node: one ROUTER, and who is behind each of its connections.

A peer is (routing id, key): the key comes from the handshake (`User-Id`) with every frame and names the node; the
routing id says over which of its connections the frame came. A node has one *current* connection. HELLO on a newer one
takes over; what still comes over the old one is dropped, and its end concerns nobody (R22).

Order of reads in one turn: handshakes (`WireContext.wait`), monitor, frames. A descriptor number is used again only
after a handshake that we answered, so a disconnect in the monitor never hits its successor.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import zmq

from tiertwin import _core
from tiertwin.errors import WireError
from tiertwin.wire.endpoint import FRAME_BYTES, LOCALHOST, Buffer, LinkEvent
from tiertwin.wire.side import Seat, Side, next_event
from tiertwin.wire.sockets import EVERYWHERE, Bind, close_watched, make_router, monitor, send_now
from tiertwin.wire.zap import Proof

if TYPE_CHECKING:
    from tiertwin.wire.access import Grant, Right
    from tiertwin.wire.keys import KeyPair

OLD_CONNECTIONS = 64  # remembered a node
SECOND_NS = 1_000_000_000
BYE_EVERY_NS = SECOND_NS
FLOOD_FRAMES, FLOOD_S = 1_000, 5
REBIND_NS = 2 * SECOND_NS  # timeout `rebind`
BYE_UNKNOWN, BYE_FENCED, BYE_BANNED = 2, 3, 5
HELLO = 1
HEADER_BYTES = 40
NEEDED: dict[int, Right] = {3: "report", 5: "report", 17: "solve"}
"""Right that a child's frame needs, by kind: DELTA, SNAPSHOT, SOLVED. The others keep a session up and need none."""


class Flood:
    """Frames of keys that may not come in any more: more than `FLOOD_FRAMES` in each of `FLOOD_S` seconds on end."""

    def __init__(self) -> None:
        self._second, self._frames, self._full = -1, 0, 0

    def note(self, now_ns: int) -> None:
        """Count a frame."""
        second = now_ns // SECOND_NS
        if second != self._second:
            self._full = self._full + 1 if self._frames > FLOOD_FRAMES and second == self._second + 1 else 0
            self._second, self._frames = second, 0
        self._frames += 1

    @property
    def lasts(self) -> bool:
        """Whether so many seconds were full."""
        return self._full >= FLOOD_S


@dataclass(slots=True, eq=False)
class Connection:
    """One connection of a child; compared by identity."""

    routing_id: bytes
    grant: Grant
    descriptor: int
    incarnation: int
    gone: bool = False  # disconnected; frames that came before may still be read


class Downlink(Side):
    """A ROUTER and the children behind it; used by :class:`~tiertwin.wire.zeromq.NodeEndpoint` alone."""

    def __init__(self, seat: Seat, bind: Bind, incarnation: int) -> None:
        super().__init__(seat)
        self._incarnation = incarnation
        self._listen(bind)
        self._bind = replace(bind, port=self.port)
        host = LOCALHOST if bind.host in EVERYWHERE else bind.host
        self.address = f"tcp://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._wire.admission.doors += 1
        self._proof: Proof | None = None
        self.proven = False
        self._rebinding: int | None = None  # until when, ns
        self._flood = Flood()
        self._current: dict[str, Connection] = {}
        self._by_descriptor: dict[int, Connection] = {}
        self._gone: list[Connection] = []
        self._old: dict[str, OrderedDict[bytes, None]] = {}
        self._said_bye: dict[str, int] = {}

    # -- start ---------------------------------------------------------------------------------------------------------
    def _listen(self, bind: Bind) -> None:
        context = self._wire.context
        self.socket, self.port = make_router(context, self._keys, bind, self._node)
        self._monitor = monitor(context, self.socket, zmq.EVENT_DISCONNECTED)

    def open(self, now_ns: int) -> None:
        """Begin the start-up proof."""
        if not self.proven and self._proof is None and self._rebinding is None:
            context, admission = self._wire.context, self._wire.admission
            self._proof = Proof(context, admission, self.address, self._keys.public, self._node, now_ns)
            self._wire.poller.add(self._proof.monitor, self._owner)

    def rebind(self, keys: KeyPair, now_ns: int) -> None:
        """Close the ROUTER and listen anew on the same port with these keys; everybody has to come in again (R30).

        The port is free when libzmq has let go of it: `tick` tries until then, for `REBIND_NS` at most.
        """
        if self._rebinding is not None:
            self._keys = keys
            return
        for connection in list(self._current.values()):
            self._forget(connection)
            self._emit(LinkEvent(connection.grant.node, "down", "the door was closed and opened again"))
        self._release()
        self._by_descriptor.clear()
        self._gone.clear()
        self._old.clear()
        self._keys, self.proven, self._draining = keys, False, False
        self._flood = Flood()
        self._rebinding = now_ns + REBIND_NS
        self._counted["R30 listened anew"] += 1

    def _listen_again(self, now_ns: int) -> None:
        assert self._rebinding is not None
        try:
            self._listen(self._bind)
        except WireError:
            if now_ns >= self._rebinding:
                raise
            return
        self._rebinding = None
        self.open(now_ns)

    def tick(self, now_ns: int) -> None:
        """Carry the proof on; when it is done, serve."""
        if self._rebinding is not None:
            self._listen_again(now_ns)
        if self._proof is not None and self._proof.step(now_ns):
            self._end_proof()
            self.proven = True
            self._wire.poller.add(self.socket, self._owner)
            self._wire.poller.add(self._monitor, self._owner)
        elif self._proof is not None:
            self._wire.poller.used(self._proof.monitor)

    def _end_proof(self) -> None:
        if self._proof is not None:
            self._wire.poller.remove(self._proof.monitor)
            self._proof.close()
            self._proof = None

    # -- frames in -----------------------------------------------------------------------------------------------------
    def receive(self, limit: int) -> list[tuple[str, Buffer]]:
        """Read at most `limit` messages, and return those that pass."""
        if not self.proven:
            return []
        self._read_monitor()
        frames: list[tuple[str, Buffer]] = []
        drained = False
        for _ in range(limit):
            if self._draining and not self._throw_parts_away(self.socket):
                break
            try:
                routing_id = self.socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                drained = True
                break
            part = self.socket.recv(zmq.DONTWAIT, copy=False)
            peer = self._admit(routing_id, part)
            if peer is not None:
                frames.append((peer, part.buffer))
        self._wire.poller.used(self.socket)
        if drained and self._gone:
            self._bury()
        if self._flood.lasts:  # at connections that were let in once, libzmq asks nobody again
            self.rebind(self._keys, self._wire.now_ns)
        return frames

    def _admit(self, routing_id: bytes, part: zmq.Frame) -> str | None:
        """Return whose frame it is, None when it is dropped (counted). Checks in the order of R35."""
        if part.more:
            self._draining = True
        public = _identity(part)
        admission = self._wire.admission
        grant = admission.valid(public)
        if grant is None:
            self._flood.note(self._wire.now_ns)
            return self._drop("R30 key revoked or expired")
        if admission.is_banned(public):
            return self._drop("R41 banned")
        if problem := _malformed(routing_id, part) or _beyond(grant, part.buffer):
            return self._bad(grant, problem)
        if not grant.may_attach_to(self._node):
            self._say_bye(routing_id, public, BYE_UNKNOWN, f"{self._node} is no parent of {grant.node}")
            return self._drop("R29 not among its parents")
        connection = self._current.get(grant.node)
        if connection is None or connection.routing_id != routing_id:
            return self._other_connection(routing_id, part, grant, connection)
        if connection.incarnation == 0:  # it began without HELLO
            connection.incarnation = _hello_of(part.buffer) or 0
        return grant.node if connection.grant.public == public else self._bad(grant, "R37 key of another")

    def _other_connection(
        self, routing_id: bytes, part: zmq.Frame, grant: Grant, connection: Connection | None
    ) -> str | None:
        """Take over by HELLO, adopt where there is none, else drop."""
        incarnation = _hello_of(part.buffer)
        if routing_id in self._old.get(grant.node, ()):
            return self._drop("R22 frame of an old connection")
        if connection is not None:
            if incarnation is None:
                return self._drop("R22 no HELLO on a new connection")
            if incarnation < connection.incarnation:
                self._say_bye(routing_id, grant.public, BYE_FENCED, "a later life of this node is connected")
                return self._drop("R22 HELLO of an earlier life")
            self._forget(connection)
            self._counted["R22 connection replaced"] += 1
        made = Connection(routing_id, grant, int(part.get(zmq.SRCFD) or -1), incarnation or 0)
        self._current[grant.node] = self._by_descriptor[made.descriptor] = made
        self._emit(LinkEvent(grant.node, "up"))
        return grant.node

    def _drop(self, reason: str) -> str | None:
        """Count a frame that goes no further."""
        self._counted[reason] += 1
        return None

    def _bad(self, grant: Grant, reason: str) -> str | None:
        """Count a malformed message; the third in a minute bans (R41)."""
        if self._wire.admission.bad_frame(grant.public):
            connection = self._current.get(grant.node)
            if connection is not None and connection.grant.public == grant.public:
                self._send(connection.routing_id, _core.encode_bye(BYE_BANNED, "malformed messages", self._incarnation))
                self._emit(LinkEvent(grant.node, "down", f"banned: {reason[4:]}, three times in a minute"))
        return self._drop(reason)

    def _say_bye(self, routing_id: bytes, public: str, reason: int, text: str) -> None:
        """Tell a connection that it has no session here; at most one a second and key (R21)."""
        now = self._wire.now_ns
        if now >= self._said_bye.get(public, -BYE_EVERY_NS) + BYE_EVERY_NS:
            self._said_bye[public] = now
            self._send(routing_id, _core.encode_bye(reason, text, self._incarnation))

    # -- connections that end ------------------------------------------------------------------------------------------
    def _read_monitor(self) -> None:
        while (event := next_event(self._monitor)) is not None:
            connection = self._by_descriptor.pop(event[1], None)
            if connection is not None:
                connection.gone = True
                self._gone.append(connection)
        self._wire.poller.used(self._monitor)

    def _bury(self) -> None:
        """Everything that came over the connections that ended is read: tell of those nobody replaced."""
        for connection in self._gone:
            if self._current.get(connection.grant.node) is connection:
                self._forget(connection)
                self._emit(LinkEvent(connection.grant.node, "down", "disconnected"))
        self._gone.clear()

    def _forget(self, connection: Connection) -> None:
        """Remove this connection, and no other, whatever its name (R22)."""
        node = connection.grant.node
        if self._current.get(node) is connection:
            del self._current[node]
        if self._by_descriptor.get(connection.descriptor) is connection:
            del self._by_descriptor[connection.descriptor]
        old = self._old.setdefault(node, OrderedDict())
        old[connection.routing_id] = None
        while len(old) > OLD_CONNECTIONS:
            old.popitem(last=False)

    # -- frames out ----------------------------------------------------------------------------------------------------
    def send(self, peer: str, frame: Buffer) -> bool:
        """Hand over a frame to a child's current connection."""
        connection = self._current.get(peer)
        if connection is None:
            self._counted["R25 no link"] += 1
            return False
        error = self._send(connection.routing_id, frame)
        if error == zmq.EHOSTUNREACH:
            self._counted["R25 peer gone"] += 1
            self._forget(connection)
            self._emit(LinkEvent(peer, "unreachable", "its connection is gone"))
        elif error:
            self._counted["R25 back-pressure"] += 1
        return not error

    def _send(self, routing_id: bytes, frame: Buffer) -> int:
        """Return 0, or the error's number."""
        try:
            if not send_now(self.socket, routing_id, zmq.SNDMORE):
                return zmq.EAGAIN
            self.socket.send(frame, zmq.DONTWAIT)
        except zmq.ZMQError as error:
            return error.errno or zmq.EHOSTUNREACH
        finally:
            self._wire.poller.used(self.socket)
        return 0

    # -- looks ---------------------------------------------------------------------------------------------------------
    def grant(self, peer: str) -> Grant | None:
        """Return what a connected child may do."""
        connection = self._current.get(peer)
        return connection.grant if connection is not None else None

    def peers(self) -> list[str]:
        """Return the children that have a connection."""
        return list(self._current)

    def ban(self, peer: str, for_ns: int) -> None:
        """Refuse a child's frames and handshakes for a while."""
        connection = self._current.get(peer)
        if connection is not None:
            self._wire.admission.ban(connection.grant.public, for_ns)

    def close(self) -> None:
        """Release the sockets."""
        self._wire.admission.doors -= 1
        if self._rebinding is None:
            self._release()
        self._current.clear()

    def _release(self) -> None:
        self._end_proof()
        self._wire.poller.remove(self.socket)
        self._wire.poller.remove(self._monitor)
        close_watched(self.socket, self._monitor)


def _identity(part: zmq.Frame) -> str:
    """Return the key that the handshake proved; empty, which is nobody, for a frame that passed no door of ours."""
    try:
        return str(part.get("User-Id"))
    except zmq.ZMQError:
        return ""


def _malformed(routing_id: bytes, part: zmq.Frame) -> str:
    """Return what no frame of ours would be; empty: nothing."""
    if part.more:
        return "R32 more than one part"
    if len(routing_id) != 5 or routing_id[0] != 0:
        return "R33 chosen routing id"
    return "R36 frame too long" if len(part) > FRAME_BYTES else ""


def _beyond(grant: Grant, frame: Buffer) -> str:
    """Return what a frame is that its sender's key may not send; empty: it may, or the session will refuse it."""
    if len(frame) < HEADER_BYTES or bytes(frame[:2]) != b"TW":
        return ""
    needed = NEEDED.get(frame[3])
    return "R29 without the right to it" if needed is not None and needed not in grant.rights else ""


def _hello_of(frame: Buffer) -> int | None:
    """Return the incarnation in a frame that looks like HELLO, None for another; the session checks it in full."""
    if len(frame) < HEADER_BYTES or bytes(frame[:2]) != b"TW" or frame[3] != HELLO:
        return None
    return int.from_bytes(frame[20:24], "little")
