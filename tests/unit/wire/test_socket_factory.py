"""One factory makes all sockets, with every option of the protocol's table, on addresses that were meant."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

import pytest
import zmq

from tiertwin.errors import WireError
from tiertwin.wire import sockets
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import KeyPair
from tiertwin.wire.sockets import Bind, close_watched, make_context, make_dealer, make_router, make_zap
from tiertwin.wire.zeromq import NodeEndpoint

PACKAGE = Path(__file__).resolve().parents[3] / "python" / "tiertwin"
COMMON = {
    zmq.LINGER: 0,
    zmq.MAXMSGSIZE: 1 << 20,
    zmq.SNDHWM: 256,
    zmq.RCVHWM: 256,
    zmq.HANDSHAKE_IVL: 1000,
    zmq.CONNECT_TIMEOUT: 1000,
    zmq.HEARTBEAT_IVL: 500,
    zmq.HEARTBEAT_TIMEOUT: 2000,
    zmq.HEARTBEAT_TTL: 2000,
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 10,
    zmq.TCP_KEEPALIVE_INTVL: 5,
    zmq.TCP_KEEPALIVE_CNT: 3,
}


def test_sockets_are_made_nowhere_else() -> None:
    made = re.compile(r"\.socket\(|zmq\.Context\(|\.instance\(\)")
    found = [
        f"{path.relative_to(PACKAGE)}:{number}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "wire" / "sockets.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if made.search(line.replace("self.socket(", "").replace("socket.socket(socket.AF_UNIX", ""))  # of systemd
    ]
    assert found == []


def test_no_code_from_bytes() -> None:
    """R38."""
    forbidden = re.compile(r"recv_pyobj|send_pyobj|recv_json|\bpickle\b|\beval\(|\bexec\(|yaml\.load\(")
    for path in sorted((PACKAGE / "wire").rglob("*.py")):
        assert not forbidden.search(path.read_text()), path


def test_options_of_the_router() -> None:
    with make_context() as context:
        assert context.get(zmq.MAX_SOCKETS) == 4096  # `getsockopt` would repeat what `setsockopt` only noted
        assert context.get(zmq.BLOCKY) == 0
        socket, port = make_router(context, KeyPair.fresh(), Bind(), "fog-1")
        expected = COMMON | {zmq.BACKLOG: 1024, zmq.CURVE_SERVER: 1, zmq.MECHANISM: zmq.CURVE}
        assert {option: socket.getsockopt(option) for option in expected} == expected
        assert socket.getsockopt(zmq.ZAP_DOMAIN).rstrip(b"\0") == b"tiertwin"
        assert socket.getsockopt(zmq.ZAP_ENFORCE_DOMAIN) == 1
        assert socket.getsockopt_string(zmq.LAST_ENDPOINT) == f"tcp://127.0.0.1:{port}"
        with pytest.raises(zmq.ZMQError) as caught:  # ROUTER_MANDATORY cannot be read, but shows
            socket.send_multipart([b"nobody", b"x"], zmq.DONTWAIT)
        assert caught.value.errno == zmq.EHOSTUNREACH
        socket.close()


def test_options_of_the_dealer() -> None:
    with make_context() as context:
        keys, server = KeyPair.fresh(), KeyPair.fresh()
        socket, watched = make_dealer(context, keys, "tcp://127.0.0.1:1", server.public, 120)
        expected = COMMON | {zmq.IMMEDIATE: 1, zmq.RECONNECT_IVL: 120, zmq.RECONNECT_IVL_MAX: 2000}
        assert {option: socket.getsockopt(option) for option in expected} == expected
        assert socket.getsockopt(zmq.MECHANISM) == zmq.CURVE
        assert watched.getsockopt(zmq.RCVHWM) == 0
        close_watched(socket, watched)
        close_watched(socket, watched)  # harmless


def test_the_process_may_open_enough_files() -> None:
    make_context().term()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft >= min(sockets.OPEN_FILES, hard)


@pytest.mark.parametrize("host", ["*", "0.0.0.0", "::"])
def test_all_interfaces_only_when_said_explicitly(host: str) -> None:
    with make_context() as context:
        with pytest.raises(WireError, match=r"'fog-1' would listen on all interfaces.*Name one address"):
            make_router(context, KeyPair.fresh(), Bind(host), "fog-1")
        if host != "::":
            make_router(context, KeyPair.fresh(), Bind(host, public=True), "fog-1")[0].close()


def test_a_port_in_use_and_an_address_of_another_host() -> None:
    with make_context() as context:
        socket, port = make_router(context, KeyPair.fresh(), Bind(), "fog-1")
        expected = (
            rf"'fog-2' could not listen on tcp://127.0.0.1:{port}: the port is in use.*sport = :{port}.*0 takes a"
        )
        with pytest.raises(WireError, match=expected):
            make_router(context, KeyPair.fresh(), Bind(port=port), "fog-2")
        with pytest.raises(WireError, match=r"tcp://192.0.2.1:\*: this host has no such address"):
            make_router(context, KeyPair.fresh(), Bind("192.0.2.1"), "fog-2")
        with pytest.raises(WireError, match=r"Expected an address like tcp://.*got 'nonsense'"):
            make_dealer(context, KeyPair.fresh(), "nonsense", KeyPair.fresh().public)
        socket.close()


def test_libraries_that_are_too_old_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zmq, "zmq_version_info", lambda: (4, 3, 4))
    with pytest.raises(WireError, match=r"libzmq 4\.3\.5 or newer with CURVE.*pip install -U pyzmq"):
        make_context()
    monkeypatch.undo()
    monkeypatch.setattr(zmq, "has", lambda what: False)
    with pytest.raises(WireError, match="without CURVE"):
        make_context()


def test_one_door_a_context() -> None:
    with make_context() as context:
        zap = make_zap(context)
        with pytest.raises(WireError, match="has a ZAP responder already"):
            make_zap(context)
        zap.close()


def test_sockets_belong_to_one_thread() -> None:
    import threading

    wire = WireContext(Access(), now_ns=0, now_s=time.time())
    node = NodeEndpoint(wire, "fog-1", KeyPair.fresh(), bind=Bind())
    errors: list[AssertionError] = []

    def other() -> None:
        for use in (node.receive, lambda: node.send("x", b""), lambda: wire.wait(0), node.close):
            try:
                use()
            except AssertionError as error:
                errors.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert len(errors) == 4
    wire.close()
    wire.close()
