"""The one place where sockets are made, with every option that keeps strangers out and memory bounded (R23).

Without CURVE_SERVER, ZAP_DOMAIN *and* ZAP_ENFORCE_DOMAIN a ROUTER admits anybody when no responder answers; without
MAXMSGSIZE it reads a stranger's frame of 8 GiB; without HANDSHAKE_IVL half-open connections hold descriptors for 30 s.
`tests/unit/wire/test_socket_factory.py` fails on ``.socket(`` anywhere else.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import resource
import struct
from dataclasses import dataclass
from typing import TypeAlias

import zmq

from tiertwin.errors import WireError
from tiertwin.wire.endpoint import LOCALHOST
from tiertwin.wire.keys import KeyPair

Socket: TypeAlias = "zmq.Socket[bytes]"
Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"

ZAP_ADDRESS = "inproc://zeromq.zap.01"  # fixed by RFC 27
ZAP_DOMAIN = "tiertwin"
MESSAGE_BYTES = 1 << 20  # of one ZeroMQ frame; CURVE leaves 1 048 543 for ours
QUEUE_FRAMES = 256
HANDSHAKE_MS = 1000
OPEN_FILES = 8192  # at the limit the I/O thread spins and serves nobody
EVERYWHERE = ("*", "0.0.0.0", "::", "[::]")  # noqa: S104  named in order to be refused

_monitors = itertools.count()


@dataclass(frozen=True, slots=True)
class Bind:
    """Where a node listens. Port 0 takes a free one; `public` allows an address that means all interfaces."""

    host: str = LOCALHOST
    port: int = 0
    public: bool = False


def make_context() -> Context:
    """Return the context of a process, or say which library is missing."""
    if zmq.zmq_version_info() < (4, 3, 5) or not zmq.has("curve"):
        curve = "with" if zmq.has("curve") else "without"
        raise WireError(
            f"Expected libzmq 4.3.5 or newer with CURVE, got {zmq.zmq_version()} {curve} CURVE (pyzmq "
            f"{zmq.__version__}). Older ones have known holes; `pip install -U pyzmq` brings a wheel that has it."
        )
    _raise_open_files()
    context: Context = zmq.Context()
    # `set`, not `setsockopt`, which only notes a default for the sockets to be made and changes nothing here
    context.set(zmq.BLOCKY, 0)  # closing must not wait for what a peer did not read
    context.set(zmq.MAX_SOCKETS, 4096)
    return context


def _raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def make_router(context: Context, keys: KeyPair, bind: Bind, node: str) -> tuple[Socket, int]:
    """Return a parent's listening socket and its port.

    Raises
    ------
    WireError
        The port is in use, the address is not one of this host, or means all interfaces without `Bind.public`.
    """
    if bind.host in EVERYWHERE and not bind.public:
        raise WireError(
            f"Node {node!r} would listen on all interfaces ({bind.host!r}). Name one address of this host, or say "
            "explicitly that it shall be public."
        )
    _seed_library_random()
    socket = context.socket(zmq.ROUTER)
    _limit(socket)
    for option, value in (
        (zmq.ROUTER_MANDATORY, 1),  # a dead or full peer is an error, not a silent drop
        (zmq.ROUTER_HANDOVER, 0),  # a routing id is never taken over
        (zmq.BACKLOG, 1024),
        (zmq.CURVE_SERVER, 1),
        (zmq.CURVE_SECRETKEY, keys.secret),
        (zmq.ZAP_DOMAIN, ZAP_DOMAIN.encode()),
        (zmq.ZAP_ENFORCE_DOMAIN, 1),  # no responder: nobody comes in
        (zmq.IPV6, int(":" in bind.host)),
    ):
        socket.setsockopt(option, value)
    host = f"[{bind.host}]" if ":" in bind.host and not bind.host.startswith("[") else bind.host
    address = f"tcp://{host}:{bind.port or '*'}"
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        socket.close(0)
        raise WireError(_why_not(node, address, bind.port, error)) from None
    return socket, int(socket.getsockopt_string(zmq.LAST_ENDPOINT).rsplit(":", 1)[1])


def _why_not(node: str, address: str, port: int, error: zmq.ZMQError) -> str:
    where = f"Node {node!r} could not listen on {address}: "
    if error.errno == errno.EADDRINUSE:
        return (
            f"{where}the port is in use by another process (`ss -ltnp 'sport = :{port}'` names it). "
            "Stop that one, or choose another port; 0 takes a free one."
        )
    if error.errno in (errno.EADDRNOTAVAIL, errno.ENODEV, errno.EINVAL):
        return f"{where}this host has no such address. `ip -brief address` lists those it has."
    return f"{where}{error}."


def _seed_library_random() -> None:
    """Make the routing ids that a ROUTER generates unpredictable (R33).

    libzmq never seeds `rand()`, so the first id would be 00 6b 8b 45 67 in every process; an admitted peer that claims
    an id before it is generated aborts the ROUTER's process on an assertion.
    """
    ctypes.CDLL(None).srand(struct.unpack("I", os.urandom(4))[0])


def make_dealer(
    context: Context, keys: KeyPair, address: str, server_public: bytes, reconnect_ms: int = 100
) -> tuple[Socket, Socket]:
    """Return a child's connecting socket and its monitor. One a session (R24)."""
    socket = context.socket(zmq.DEALER)
    _limit(socket)
    for option, value in (
        (zmq.IMMEDIATE, 1),  # queue nothing for a connection that does not exist
        (zmq.RECONNECT_IVL, reconnect_ms),
        (zmq.RECONNECT_IVL_MAX, 2000),
        (zmq.CURVE_PUBLICKEY, keys.public),
        (zmq.CURVE_SECRETKEY, keys.secret),
        (zmq.CURVE_SERVERKEY, server_public),
        (zmq.IPV6, int("[" in address)),
    ):
        socket.setsockopt(option, value)
    watched = monitor(
        context,
        socket,
        zmq.EVENT_CONNECTED
        | zmq.EVENT_CONNECT_RETRIED
        | zmq.EVENT_DISCONNECTED
        | zmq.EVENT_HANDSHAKE_SUCCEEDED
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
    )
    try:
        socket.connect(address)
    except zmq.ZMQError as error:
        close_watched(socket, watched)
        raise WireError(f"Expected an address like tcp://127.0.0.1:5557, got {address!r}: {error}.") from None
    return socket, watched


def monitor(context: Context, socket: Socket, events: int) -> Socket:
    """Return a socket that tells what happens to the connections of `socket`; end both by `close_watched`."""
    address = f"inproc://monitor-{next(_monitors)}"
    socket.monitor(address, events)
    pair = context.socket(zmq.PAIR)
    pair.setsockopt(zmq.LINGER, 0)
    pair.setsockopt(zmq.RCVHWM, 0)  # at a limit the I/O thread would block in its send
    pair.connect(address)
    return pair


def close_watched(socket: Socket, watched: Socket) -> None:
    """Close a socket and its monitor, in the one order that is safe.

    The I/O thread tells its events by a blocking send: with the monitor's other end gone first, it blocks for ever, and
    with it every connection of the process. So the telling ends before that.
    """
    if not socket.closed:
        socket.monitor(None, 0)
    watched.close(0)
    socket.close(0)


def make_zap(context: Context) -> Socket:
    """Return the socket on which libzmq asks who may come in; bound before any ROUTER (R27)."""
    socket = context.socket(zmq.ROUTER)  # not REP: one lost or malformed request cannot block the next
    socket.setsockopt(zmq.LINGER, 0)
    try:
        socket.bind(ZAP_ADDRESS)
    except zmq.ZMQError:
        socket.close(0)
        raise WireError("This context has a ZAP responder already; a process has one WireContext.") from None
    return socket


def _limit(socket: Socket) -> None:
    for option, value in (
        (zmq.LINGER, 0),
        (zmq.MAXMSGSIZE, MESSAGE_BYTES),
        (zmq.SNDHWM, QUEUE_FRAMES),
        (zmq.RCVHWM, QUEUE_FRAMES),
        (zmq.HANDSHAKE_IVL, HANDSHAKE_MS),
        (zmq.CONNECT_TIMEOUT, 1000),
        (zmq.HEARTBEAT_IVL, 500),
        (zmq.HEARTBEAT_TIMEOUT, 2000),
        (zmq.HEARTBEAT_TTL, 2000),  # must stay below 65 s
        (zmq.TCP_KEEPALIVE, 1),
        (zmq.TCP_KEEPALIVE_IDLE, 10),
        (zmq.TCP_KEEPALIVE_INTVL, 5),
        (zmq.TCP_KEEPALIVE_CNT, 3),
    ):
        socket.setsockopt(option, value)


def is_readable(socket: Socket) -> bool:
    """Whether something waits in `socket`; takes its signals in."""
    return bool(int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)


def send_now(socket: Socket, part: bytes | memoryview, flags: int = 0) -> bool:
    """Send without waiting; False: not now.

    libzmq looks for news of its own I/O thread (a new connection, room in a queue) at most about once a millisecond
    when it sends, so a refusal counts only when it is up to date.
    """
    try:
        socket.send(part, flags | zmq.DONTWAIT)
    except zmq.Again:
        if not int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLOUT:
            return False
        try:
            socket.send(part, flags | zmq.DONTWAIT)
        except zmq.Again:
            return False
    return True
