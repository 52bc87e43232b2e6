"""Peers at the door of a `ZeroMqFabric`: stock ZeroMQ sockets of every kind, and raw ones in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import zmq
from zmq.utils.monitor import parse_monitor_message

from support.fabrics import PATIENCE_S, ZeroMqFabric, hello
from tiertwin.wire.keys import KeyPair

Result = TypeVar("Result")
OVER = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_AUTH
OVER |= zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


def plain(sock: zmq.Socket[bytes]) -> None:
    """Ask for PLAIN."""
    sock.plain_username, sock.plain_password = b"a", b"b"


def curve(keys: KeyPair, server_public: bytes) -> Callable[[zmq.Socket[bytes]], None]:
    """Ask for CURVE with these keys."""

    def prepare(sock: zmq.Socket[bytes]) -> None:
        sock.curve_publickey, sock.curve_secretkey, sock.curve_serverkey = keys.public, keys.secret, server_public

    return prepare


def knock(
    fabric: ZeroMqFabric, prepare: Callable[[zmq.Socket[bytes]], None], identity: bytes = b"", node: str = "fog-1"
) -> tuple[str, list[tuple[str, bytes]]]:
    """Connect to a node with a stock DEALER that sends one HELLO as soon as it can.

    Returns what its monitor said of the handshake ("in", "refused", "cut"), and the frames that reached the node.
    """
    before = len(fabric.frames.setdefault(node, []))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    sock = context.socket(zmq.DEALER)
    sock.linger, sock.immediate, sock.handshake_ivl, sock.reconnect_ivl = 0, 1, 2000, -1  # it knocks once
    if identity:
        sock.routing_id = identity
    prepare(sock)
    heard = sock.get_monitor_socket(OVER)
    sock.connect(fabric.nodes[node].address)
    told, said, extra, end = "", False, 30, time.monotonic() + PATIENCE_S
    while extra and time.monotonic() < end:
        fabric.turn()
        while heard.poll(0):
            event = parse_monitor_message(heard.recv_multipart())["event"]
            told = told or {zmq.EVENT_HANDSHAKE_SUCCEEDED: "in", zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused"}.get(
                zmq.Event(event), "cut"
            )
        if not said and sock.poll(0, zmq.POLLOUT):
            sock.send(hello(), zmq.DONTWAIT)
            said = True
        if told:  # a few more turns, in which a frame could arrive
            extra = 0 if len(fabric.frames[node]) > before else extra - 1
    sock.monitor(None, 0)
    heard.close()
    sock.close()
    context.term()
    return told, fabric.frames[node][before:]


def during(fabric: ZeroMqFabric, attack: Callable[[], Result], *, served: bool = True) -> tuple[Result, int]:
    """Run `attack` in a thread while the loop turns and (`served`) `edge-a` has its frames echoed by `fog-1`.

    Returns what the attack returned, and how many echoes came back meanwhile.
    """
    result: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            result.append(attack())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    echoes = 0
    try:
        while thread.is_alive():
            if served:
                echoes += echo(fabric, thread.is_alive)
            else:
                fabric.turn()
    finally:
        thread.join()
    if errors:
        raise errors[0]
    return result[0], echoes


def echo(fabric: ZeroMqFabric, going: Callable[[], bool] = lambda: True) -> bool:
    """One round trip of edge-a and fog-1; False when `going` ended first."""
    child, parent = fabric.nodes["edge-a"], fabric.nodes["fog-1"]
    sent = b"echo".ljust(64, b".")
    out, back = fabric.frames["fog-1"], fabric.frames["edge-a"]
    mark, end = len(back), time.monotonic() + PATIENCE_S
    pending, seen = True, len(out)
    while len(back) == mark:
        if not going():
            return False
        assert time.monotonic() < end, f"no echo; {fabric.events}, {parent.counters()}"
        pending = pending and not child.send("fog-1", sent)
        fabric.turn()
        for peer, frame in out[seen:]:
            if peer == "edge-a":
                parent.send("edge-a", frame)
        seen = len(out)
    assert back[-1] == ("fog-1", sent)
    return True
