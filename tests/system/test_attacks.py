"""Short forms of the attacks (T9, T22): a raw peer against a bound port, while a listed child goes on being served.

Each asserts what reached the node, that the connection was ended, and that the descriptors are back to where they were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from support import raw_peer
from support.fabrics import ZeroMqFabric, hello, kinds, until
from support.raw_peer import CurvePeer
from support.strangers import during, echo
from tiertwin.wire.access import Access, Grant
from tiertwin.wire.endpoint import FRAME_BYTES
from tiertwin.wire.keys import KeyPair

TREE: dict[str, str | None] = {"fog-1": None, "edge-a": "fog-1", "edge-b": "fog-1"}
CURVE_ROOM = 1_048_543  # what MAXMSGSIZE of 1 MiB leaves under CURVE


@pytest.fixture
def fabric() -> Iterator[ZeroMqFabric]:
    made = ZeroMqFabric(TREE, absent=["edge-b"])  # its key is in hostile hands
    until(made, lambda: "up" in kinds(made, "edge-a", "fog-1"))
    assert made.endpoints["edge-a"].send("fog-1", hello())
    until(made, lambda: len(made.frames["fog-1"]) == 1)
    yield made
    made.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def others(fabric: ZeroMqFabric) -> list[tuple[str, bytes]]:
    """What reached fog-1 from anybody but edge-a."""
    return [frame for frame in fabric.frames["fog-1"] if frame[0] != "edge-a"]


def attacked(fabric: ZeroMqFabric, attack: Callable[[int], object]) -> object:
    """Run an attack on fog-1's port; edge-a is served during it and after it, and nothing stays open."""
    before = descriptors()
    result, _ = during(fabric, partial(attack, fabric.nodes["fog-1"].port))
    assert echo(fabric)
    until(fabric, lambda: descriptors() <= before)
    return result


def curve_peer(fabric: ZeroMqFabric, port: int, keys: KeyPair | None = None, identity: bytes = b"") -> CurvePeer:
    pair = keys or fabric.keys.keys["edge-b"].pair
    return CurvePeer(port, pair, fabric.keys.keys["fog-1"].pair.public, identity)


# ------------------------------------------------------------------------------------------------------------ strangers
def test_garbage(fabric: ZeroMqFabric) -> None:
    assert attacked(fabric, partial(raw_peer.garbage, connections=300)) != 0
    assert others(fabric) == []
    assert fabric.wire.counters() == {"admitted": fabric.wire.admission.admitted}  # none got as far as the door


def test_half_open_connections_are_cut(fabric: ZeroMqFabric) -> None:
    assert attacked(fabric, partial(raw_peer.half_open, connections=150)) == 150
    assert others(fabric) == []


@pytest.mark.parametrize("opening", raw_peer.OPENINGS)
def test_openings_that_are_not_ours_are_cut(fabric: ZeroMqFabric, opening: str) -> None:
    assert attacked(fabric, partial(raw_peer.opening_is_cut, opening=raw_peer.OPENINGS[opening])) is True
    assert others(fabric) == []


def test_a_frame_of_8_gib_is_not_read(fabric: ZeroMqFabric) -> None:
    taken, cut = attacked(fabric, partial(raw_peer.huge_frame, mebibytes=64))  # type: ignore[misc]
    assert cut
    assert taken < 32  # what the kernel buffered
    assert others(fabric) == []


@pytest.mark.parametrize(("change", "reason"), [("expired", "R29 expired key"), ("revoked", "R29 unknown key")])
def test_raw_handshakes_with_keys_that_are_good_no_more(fabric: ZeroMqFabric, change: str, reason: str) -> None:
    grants = [grant for grant in fabric.keys.access.grants if grant.node != "edge-b"]
    if change == "expired":
        public = fabric.keys.keys["edge-b"].public
        grants.append(Grant(public, "edge-b", "edge", ("fog-1",), int(time.time()) - 1))
    fabric.wire.swap(Access(grants))

    def attack(port: int) -> str:
        with pytest.raises(PermissionError):
            curve_peer(fabric, port)
        return "refused"

    assert attacked(fabric, attack) == "refused"
    assert others(fabric) == []
    assert fabric.wire.counters()[reason] == 1


def test_raw_handshakes_with_unknown_and_wrong_keys(fabric: ZeroMqFabric) -> None:
    def attack(port: int) -> int:
        refused = 0
        for server in (fabric.keys.keys["fog-1"].pair.public, KeyPair.fresh().public):
            with pytest.raises(PermissionError):
                CurvePeer(port, KeyPair.fresh(), server)
            refused += 1
        return refused

    assert attacked(fabric, attack) == 2
    assert others(fabric) == []
    assert fabric.wire.counters()["R29 unknown key"] == 1


# ----------------------------------------------------------------------------------------------- a key in hostile hands
def test_the_raw_peer_can_say_hello(fabric: ZeroMqFabric) -> None:
    """Else the tests below would show nothing."""

    def attack(port: int) -> None:
        peer = curve_peer(fabric, port)
        peer.send(hello())
        until_seen(fabric, 1)
        peer.close()

    attacked(fabric, attack)
    assert others(fabric) == [("edge-b", hello())]


def until_seen(fabric: ZeroMqFabric, count: int) -> None:
    """Wait in the attacker's thread until the loop's thread has collected so many frames."""
    while len(others(fabric)) < count:
        time.sleep(0.005)


def test_one_byte_more_than_a_mebibyte_cuts_the_connection(fabric: ZeroMqFabric) -> None:
    def attack(port: int) -> bool:
        peer = curve_peer(fabric, port)
        try:
            peer.sock.sendall(peer.part(bytes(CURVE_ROOM + 1)))
        except OSError:
            return True
        finally:
            cut = raw_peer.is_cut(peer.sock)
            peer.close()
        return cut

    assert attacked(fabric, attack) is True
    assert others(fabric) == []


def test_between_our_limit_and_a_mebibyte_it_is_a_bad_frame(fabric: ZeroMqFabric) -> None:
    def attack(port: int) -> None:
        peer = curve_peer(fabric, port)
        peer.send(hello().ljust(FRAME_BYTES + 1, b"\0"))
        peer.send(hello())
        until_seen(fabric, 1)
        peer.close()

    attacked(fabric, attack)
    assert others(fabric) == [("edge-b", hello())]
    assert fabric.nodes["fog-1"].counters()["R36 frame too long"] == 1


def test_a_message_of_a_hundred_thousand_parts_is_thrown_away(fabric: ZeroMqFabric) -> None:
    def attack(port: int) -> None:
        peer = curve_peer(fabric, port)
        peer.send_parts(100_000)
        peer.send(hello())
        until_seen(fabric, 1)
        peer.close()

    attacked(fabric, attack)
    assert others(fabric) == [("edge-b", hello())]
    assert fabric.nodes["fog-1"].counters()["R32 more than one part"] == 1


def test_three_messages_of_two_parts_ban_the_key(fabric: ZeroMqFabric) -> None:
    def attack(port: int) -> str:
        peer = curve_peer(fabric, port)
        peer.send(hello())
        for _ in range(5):
            peer.sock.sendall(peer.part(b"a", more=True) + peer.part(b"b"))
        until_down(fabric)
        peer.close()
        with pytest.raises(PermissionError):
            curve_peer(fabric, port)
        return "refused"

    assert attacked(fabric, attack) == "refused"
    assert others(fabric) == [("edge-b", hello())]
    assert fabric.nodes["fog-1"].counters()["R32 more than one part"] == 3
    assert fabric.wire.counters()["R41 banned key"] == 1
    down = next(event for event in fabric.events["fog-1"] if event.kind == "down")
    assert (down.peer, down.reason) == ("edge-b", "banned: more than one part, three times in a minute")


def until_down(fabric: ZeroMqFabric) -> None:
    while not any(event.kind == "down" for event in fabric.events["fog-1"]):
        time.sleep(0.005)


def test_the_routing_id_of_another_gives_neither_its_name_nor_its_frames(fabric: ZeroMqFabric) -> None:
    (victim,) = fabric.nodes["fog-1"]._down._current.values()  # type: ignore[union-attr]

    def attack(port: int) -> bool:
        peer = curve_peer(fabric, port, identity=victim.routing_id)
        peer.send(hello())
        cut = raw_peer.is_cut(peer.sock)  # it answers no heartbeat
        peer.close()
        return cut

    assert attacked(fabric, attack) is True
    assert others(fabric) == []
    assert kinds(fabric, "fog-1", "edge-a") == ["up"]


def test_a_flood_of_one_child_leaves_the_other_served() -> None:
    fabric = ZeroMqFabric(TREE)
    for child in ("edge-a", "edge-b"):
        until(fabric, lambda child=child: "up" in kinds(fabric, child, "fog-1"))  # type: ignore[misc]
        assert fabric.endpoints[child].send("fog-1", hello())
    until(fabric, lambda: len(fabric.frames["fog-1"]) == 2)
    sent, flooder = 0, fabric.nodes["edge-b"]
    for k in range(20):
        while flooder.send("fog-1", sent.to_bytes(4, "little") + bytes(1000)):
            sent += 1
        assert fabric.nodes["edge-a"].send("fog-1", b"%d" % k)
        until(fabric, lambda k=k: ("edge-a", b"%d" % k) in fabric.frames["fog-1"], limit=16)  # type: ignore[misc]
    waiting = sent + 1 - len(others(fabric))
    assert waiting > 200  # it was heard before the flooder's queue was empty
    until(fabric, lambda: len(others(fabric)) == sent + 1)
    assert [int.from_bytes(frame[:4], "little") for _, frame in others(fabric)[1:]] == list(range(sent))
    fabric.close()
