"""Links over ZeroMQ beyond the shared suite: why a connection failed, pauses, connections that replace each other."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from support import raw_peer
from support.fabrics import ZeroMqFabric, hello, kinds, until
from support.strangers import curve, during, knock
from tiertwin import _core
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.endpoint import NEVER_NS, LinkEvent
from tiertwin.wire.keys import KeyPair, Member, make_keys
from tiertwin.wire.uplink import FIRST_PAUSE_NS, LONGEST_PAUSE_NS
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress

TREE: dict[str, str | None] = {"fog-1": None, "edge-a": "fog-1"}
SECOND_NS = 10**9


@pytest.fixture
def fabric() -> Iterator[ZeroMqFabric]:
    made = ZeroMqFabric(TREE)
    yield made
    made.close()


def joined(fabric: ZeroMqFabric) -> None:
    until(fabric, lambda: fabric.nodes["edge-a"].peers() == ["fog-1"])
    seen = len(fabric.frames["fog-1"])
    assert fabric.endpoints["edge-a"].send("fog-1", hello())
    until(fabric, lambda: len(fabric.frames["fog-1"]) == seen + 1)


def first_event(address: str, server_public: bytes, wire: WireContext, keys: KeyPair) -> LinkEvent:
    node = NodeEndpoint(wire, "edge-z", keys, parent=ParentAddress("fog-1", address, server_public))
    node.open(time.monotonic_ns())
    end = time.monotonic() + 20
    try:
        while time.monotonic() < end:
            wire.tick(time.monotonic_ns(), time.time())
            wire.wait(50)
            for endpoint in (*wire._endpoints,):
                endpoint.receive()
            events = node.link_events()
            if events:
                return events[0]
    finally:
        node.close()
    raise AssertionError("nothing happened")


def test_why_it_does_not_connect_is_told_apart(fabric: ZeroMqFabric) -> None:
    fog = fabric.nodes["fog-1"]
    public = fabric.keys.keys["fog-1"].pair.public
    mine = fabric.keys.keys["edge-a"].pair
    fabric.nodes["edge-a"].close()

    unlisted = first_event(fog.address, public, fabric.wire, KeyPair.fresh())
    assert unlisted.kind == "auth_failed"
    assert "refused the key of 'edge-z' (400): it is not in the access table there" in unlisted.reason

    other_key = first_event(fog.address, KeyPair.fresh().public, fabric.wire, mine)
    assert other_key.kind == "auth_failed"
    assert "cut the connection in the handshake: is the public key of 'fog-1' the right one" in other_key.reason

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    nobody = first_event(f"tcp://127.0.0.1:{port}", public, fabric.wire, mine)
    assert nobody == LinkEvent(
        "fog-1", "unreachable", f"nothing answers at tcp://127.0.0.1:{port}; is 'fog-1' running?"
    )


def test_a_parent_that_takes_connections_and_says_nothing(fabric: ZeroMqFabric) -> None:
    """As a stopped process does: its kernel still accepts."""
    with socket.socket() as stopped:
        stopped.bind(("127.0.0.1", 0))
        stopped.listen()
        address = f"tcp://127.0.0.1:{stopped.getsockname()[1]}"
        public, mine = fabric.keys.keys["fog-1"].pair.public, fabric.keys.keys["edge-a"].pair
        event = first_event(address, public, fabric.wire, mine)
    assert event == LinkEvent(
        "fog-1", "unreachable",
        f"{address} takes the connection and says nothing; is 'fog-1' stopped, or very busy?",
    )  # fmt: skip


def test_pauses_double_to_five_seconds_and_each_node_has_its_own() -> None:
    keys = make_keys([Member("fog-1", "fog"), Member("edge-a", "edge", ("fog-1",))], time.time())
    with WireContext(keys.access, now_ns=0, now_s=time.time()) as wire:
        pauses: dict[int, list[int]] = {}
        for seed in (1, 2):
            parent = ParentAddress("fog-1", "tcp://127.0.0.1:1", KeyPair.fresh().public)
            node = NodeEndpoint(wire, "edge-a", keys.keys["edge-a"].pair, parent=parent, jitter_seed=seed)
            now = 0
            node.open(now)
            assert node.next_ns == NEVER_NS  # libzmq tries by itself
            for _ in range(9):
                node.reopen(now)
                pauses.setdefault(seed, []).append(node.next_ns - now)
                node.reopen(now + 1)  # changes nothing
                now = node.next_ns
                node.tick(now)
                assert node.next_ns == NEVER_NS
            node.close()
        expected = [min(FIRST_PAUSE_NS << k, LONGEST_PAUSE_NS) for k in range(9)]
        for found in pauses.values():
            assert all(base <= pause <= 1.5 * base for base, pause in zip(expected, found, strict=True))
        assert pauses[1] != pauses[2]


def test_a_frame_of_the_parent_makes_the_next_pause_short_again(fabric: ZeroMqFabric) -> None:
    child = fabric.nodes["edge-a"]
    for _ in range(2):
        joined(fabric)
        child.reopen(fabric.wire.now_ns)
        assert child.next_ns - fabric.wire.now_ns >= FIRST_PAUSE_NS
    assert child.next_ns - fabric.wire.now_ns >= 2 * FIRST_PAUSE_NS
    joined(fabric)
    assert fabric.endpoints["fog-1"].send("edge-a", b"welcome")
    until(fabric, lambda: fabric.frames["edge-a"] == [("fog-1", b"welcome")])
    child.reopen(fabric.wire.now_ns)
    assert child.next_ns - fabric.wire.now_ns <= 1.5 * FIRST_PAUSE_NS


def test_the_end_of_an_old_connection_leaves_the_new_one(fabric: ZeroMqFabric) -> None:
    """T30 in short: thirty reconnects, each answered over the newest connection."""
    joined(fabric)
    child, parent = fabric.nodes["edge-a"], fabric.nodes["fog-1"]
    for k in range(30):
        for n in range(3):
            assert child.send("fog-1", b"old %d %d" % (k, n))
        assert child._up is not None
        child._up._failures = 0
        child.reopen(time.monotonic_ns() - SECOND_NS)  # the pause is over already
        joined(fabric)
        assert parent.send("edge-a", b"answer %d" % k)
        until(fabric, lambda k=k: ("fog-1", b"answer %d" % k) in fabric.frames["edge-a"])  # type: ignore[misc]
    assert fabric.frames["edge-a"] == [("fog-1", b"answer %d" % k) for k in range(30)]
    assert parent.peers() == ["edge-a"]
    assert parent._down is not None
    assert len(parent._down._by_descriptor) == 1
    events = kinds(fabric, "fog-1", "edge-a")
    assert events.count("up") == 31
    assert events.count("up") - events.count("down") == 1 + parent.counters().get("R22 connection replaced", 0)


def two_connections(fabric: ZeroMqFabric, port: int, first: int, second: int) -> tuple[int, list[int]]:
    """Two raw connections of edge-a's key that say HELLO with these incarnations, then a frame on the first."""
    pair, public = fabric.keys.keys["edge-a"].pair, fabric.keys.keys["fog-1"].pair.public
    peers = []
    for incarnation in (first, second):
        peers.append(raw_peer.CurvePeer(port, pair, public))
        peers[-1].send(hello(incarnation))
        time.sleep(0.1)  # so that the HELLOs come in this order; nothing is measured
    peers[0].send(b"on the first".ljust(40))
    peers[1].send(b"on the second".ljust(40))
    counters = fabric.nodes["fog-1"].counters
    while len(fabric.frames["fog-1"]) + sum(n for reason, n in counters().items() if "replaced" not in reason) < 4:
        time.sleep(0.005)
    for peer in peers:
        peer.close()
    return first, [second]


@pytest.mark.parametrize(
    ("incarnations", "passed", "dropped"),
    [
        ((1, 1), [b"on the second"], {"R22 connection replaced": 1, "R22 frame of an old connection": 1}),
        ((1, 2), [b"on the second"], {"R22 connection replaced": 1, "R22 frame of an old connection": 1}),
        ((2, 1), [b"on the first"], {"R22 HELLO of an earlier life": 1, "R22 no HELLO on a new connection": 1}),
    ],
)
def test_hello_on_a_new_connection_takes_over_unless_of_an_earlier_life(
    fabric: ZeroMqFabric, incarnations: tuple[int, int], passed: list[bytes], dropped: dict[str, int]
) -> None:
    fabric.endpoints.pop("edge-a").close()
    port = fabric.nodes["fog-1"].port
    fabric.frames["fog-1"] = []
    during(fabric, lambda: two_connections(fabric, port, *incarnations), served=False)
    frames = [frame.strip() for _, frame in fabric.frames["fog-1"] if not frame.startswith(b"TW")]
    assert frames == passed
    assert fabric.nodes["fog-1"].counters() == dropped


def test_who_may_not_attach_here_is_told_so() -> None:
    fabric = ZeroMqFabric({"fog-1": None, "fog-2": None, "edge-a": "fog-1", "edge-b": "fog-2"}, absent=["edge-b"])
    wrong = ParentAddress("fog-1", fabric.nodes["fog-1"].address, fabric.keys.keys["fog-1"].pair.public)
    child = NodeEndpoint(fabric.wire, "edge-b", fabric.keys.keys["edge-b"].pair, parent=wrong)
    child.open(time.monotonic_ns())
    fabric.endpoints["edge-b"] = child
    until(fabric, lambda: "up" in kinds(fabric, "edge-b", "fog-1"))
    assert child.send("fog-1", hello())
    until(fabric, lambda: bool(fabric.frames["edge-b"]))
    ((_, bye),) = fabric.frames["edge-b"]
    assert _core.decode_bye(bye) == (2, "fog-1 is no parent of edge-b")
    fabric.close()


def test_a_banned_child_is_silent_until_the_ban_ends(fabric: ZeroMqFabric) -> None:
    joined(fabric)
    fog = fabric.nodes["fog-1"]
    fog.ban("edge-a", 3600 * SECOND_NS)
    assert fabric.endpoints["edge-a"].send("fog-1", b"unheard")
    until(fabric, lambda: fog.counters().get("R41 banned") == 1)
    fabric.wire.admission._records.clear()  # as if an hour had gone by
    assert fabric.endpoints["edge-a"].send("fog-1", b"heard")
    until(fabric, lambda: fabric.frames["fog-1"][-1] == ("edge-a", b"heard"))
    assert ("edge-a", b"unheard") not in fabric.frames["fog-1"]


def test_what_a_peer_may_do_comes_from_its_key(fabric: ZeroMqFabric) -> None:
    joined(fabric)
    grant = fabric.nodes["fog-1"].grant("edge-a")
    assert grant is not None
    assert (grant.role, grant.rights) == ("edge", ("report", "obey"))
    assert fabric.nodes["edge-a"].grant("fog-1") is None


def test_two_keys_of_a_node_while_they_are_changed(fabric: ZeroMqFabric) -> None:
    fabric.endpoints.pop("edge-a").close()
    fresh = make_keys([Member("edge-a", "edge", ("fog-1",))], time.time(), days=60)
    fabric.wire.swap(Access([*fabric.keys.access.grants, *fresh.access.grants]))
    public = fabric.keys.keys["fog-1"].pair.public
    for keys in (fabric.keys.keys["edge-a"].pair, fresh.keys["edge-a"].pair):
        assert knock(fabric, curve(keys, public)) == ("in", [("edge-a", hello())])


def test_a_node_with_parent_and_children_serves_both() -> None:
    fabric = ZeroMqFabric({"cloud-1": None, "fog-1": "cloud-1", "edge-a": "fog-1"})
    for child, parent in (("edge-a", "fog-1"), ("fog-1", "cloud-1")):
        until(fabric, lambda child=child, parent=parent: "up" in kinds(fabric, child, parent))  # type: ignore[misc]
        assert fabric.endpoints[child].send(parent, hello())
    until(fabric, lambda: bool(fabric.frames["fog-1"]) and bool(fabric.frames["cloud-1"]))
    assert fabric.nodes["fog-1"].peers() == ["cloud-1", "edge-a"]
    fabric.close()


def test_ipv6_and_a_fixed_port() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")
    keys = make_keys([Member("fog-1", "fog")], time.time())
    with WireContext(keys.access, now_ns=time.monotonic_ns(), now_s=time.time()) as wire:
        node = NodeEndpoint(wire, "fog-1", keys.keys["fog-1"].pair, bind=Bind("::1", port))
        wire.prove([node], time.monotonic_ns)
        assert node.address == f"tcp://[::1]:{port}"


def test_a_descriptor_beside_the_sockets_wakes_the_loop(fabric: ZeroMqFabric) -> None:
    import os

    out, into = os.pipe()
    fabric.wire.poller.add_file(out, "pipe")
    os.write(into, b"x")
    assert "pipe" in fabric.wire.wait(1000)
    fabric.wire.poller.remove_file(out)
    os.close(out)
    os.close(into)


@pytest.mark.parametrize(("kind", "passes"), [(3, False), (5, False), (17, False), (7, True)])
def test_rights_are_looked_at_on_every_frame(fabric: ZeroMqFabric, kind: int, passes: bool) -> None:
    """DELTA, SNAPSHOT and SOLVED need a right; a key narrowed while the session runs loses it with the next frame."""
    joined(fabric)
    fog, edge = fabric.nodes["fog-1"], fabric.endpoints["edge-a"]
    narrowed = [replace(g, narrowed=("obey",)) if g.node == "edge-a" else g for g in fabric.keys.access.grants]
    fabric.wire.swap(Access(narrowed))
    frame = b"TW\x01" + bytes([kind]) + bytes(60)
    seen = len(fabric.frames["fog-1"])
    assert edge.send("fog-1", frame)
    refused = "R29 without the right to it"
    until(fabric, lambda: fog.counters().get(refused, 0) == 1 or len(fabric.frames["fog-1"]) > seen)
    assert (fog.counters().get(refused, 0) == 0) == passes
    assert (fabric.frames["fog-1"][-1] == ("edge-a", frame)) == passes


def test_who_may_report_may_send_tables(fabric: ZeroMqFabric) -> None:
    joined(fabric)
    frame = b"TW\x01\x03" + bytes(60)
    assert fabric.endpoints["edge-a"].send("fog-1", frame)
    until(fabric, lambda: fabric.frames["fog-1"][-1] == ("edge-a", frame))
