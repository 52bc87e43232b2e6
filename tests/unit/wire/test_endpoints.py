"""One suite for every transport: what the `Endpoint` protocol promises, in memory and over ZeroMQ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.fabrics import Fabric, MemoryFabric, ZeroMqFabric, hello, kinds, until
from tiertwin.wire.endpoint import FRAME_BYTES, HIGH_WATER

TREE: dict[str, str | None] = {"fog-1": None, "edge-a": "fog-1", "edge-b": "fog-1"}


@pytest.fixture(params=["memory", "zeromq"])
def fabric(request: pytest.FixtureRequest) -> Iterator[Fabric]:
    made: Fabric = MemoryFabric(TREE) if request.param == "memory" else ZeroMqFabric(TREE)
    yield made
    made.close()


@pytest.fixture
def joined(fabric: Fabric) -> Fabric:
    """Both children have said HELLO."""
    for child in ("edge-a", "edge-b"):
        until(fabric, lambda child=child: "up" in kinds(fabric, child, "fog-1"))  # type: ignore[misc]
        assert fabric.endpoints[child].send("fog-1", hello())
    until(fabric, lambda: len(fabric.frames["fog-1"]) == 2)
    until(fabric, lambda: len(fabric.events["fog-1"]) == 2)
    fabric.frames["fog-1"].clear()
    return fabric


def test_both_sides_hear_that_the_link_is_up(joined: Fabric) -> None:
    assert sorted(event.peer for event in joined.events["fog-1"]) == ["edge-a", "edge-b"]
    assert {event.kind for event in joined.events["fog-1"]} == {"up"}
    assert kinds(joined, "edge-a", "fog-1") == ["up"]


def test_frames_pass_both_ways_and_the_receiver_knows_from_whom(joined: Fabric) -> None:
    assert joined.endpoints["edge-a"].send("fog-1", b"a" * 40)
    assert joined.endpoints["edge-b"].send("fog-1", memoryview(b"b" * 40))
    assert joined.endpoints["fog-1"].send("edge-b", b"to b" * 10)
    until(joined, lambda: len(joined.frames["fog-1"]) == 2 and len(joined.frames["edge-b"]) == 1)
    assert sorted(joined.frames["fog-1"]) == [("edge-a", b"a" * 40), ("edge-b", b"b" * 40)]
    assert joined.frames["edge-b"] == [("fog-1", b"to b" * 10)]
    assert joined.frames["edge-a"] == []


def test_frames_of_one_peer_keep_their_order(joined: Fabric) -> None:
    numbered = {child: [b"%s %03d" % (child.encode(), k) for k in range(200)] for child in ("edge-a", "edge-b")}
    for a, b in zip(numbered["edge-a"], numbered["edge-b"], strict=True):
        assert joined.endpoints["edge-a"].send("fog-1", a)
        assert joined.endpoints["edge-b"].send("fog-1", b)
    until(joined, lambda: len(joined.frames["fog-1"]) == 400)
    for child, sent in numbered.items():
        assert [frame for peer, frame in joined.frames["fog-1"] if peer == child] == sent


def test_receiving_is_bounded(joined: Fabric) -> None:
    for k in range(20):
        assert joined.endpoints["edge-a"].send("fog-1", bytes([k]) * 8)
    until(joined, lambda: len(joined.frames["fog-1"]) == 20, limit=3)  # no call returned more than three
    assert [frame[0] for _, frame in joined.frames["fog-1"]] == list(range(20))


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_full_peer_pushes_back_and_nothing_accepted_is_lost(joined: Fabric, way: str) -> None:
    sender, receiver = ("edge-a", "fog-1") if way == "up" else ("fog-1", "edge-a")
    others = [name for name in TREE if name != receiver]
    accepted, refused = 0, 0
    while refused < 50:  # the kernel's buffers fill up too
        if joined.endpoints[sender].send(receiver, accepted.to_bytes(4, "little") + bytes(32_768)):
            accepted += 1
            refused = 0
        else:
            refused += 1
            joined.turn(others)
        assert accepted < 10_000, "took everything"
    assert accepted >= HIGH_WATER - 1  # HELLO may still be among those that wait
    assert any("back-pressure" in reason for reason in joined.endpoints[sender].counters())
    until(joined, lambda: len(joined.frames[receiver]) == accepted)
    assert [int.from_bytes(frame[:4], "little") for _, frame in joined.frames[receiver]] == list(range(accepted))
    assert joined.endpoints[sender].send(receiver, b"again")


def test_nobody_by_that_name(joined: Fabric) -> None:
    assert not joined.endpoints["fog-1"].send("edge-z", b"x")
    assert not joined.endpoints["edge-a"].send("edge-b", b"siblings have no link")
    assert joined.endpoints["fog-1"].counters() == {"R25 no link": 1}


def test_before_it_is_opened_there_is_no_link(fabric: Fabric) -> None:
    assert not fabric.endpoints["fog-1"].send("edge-a", b"too early")


@pytest.mark.parametrize("size", [262_144, FRAME_BYTES])
def test_large_frames_pass(joined: Fabric, size: int) -> None:
    frame = bytes(range(256)) * (size // 256 + 1)
    assert joined.endpoints["edge-a"].send("fog-1", frame[:size])
    assert joined.endpoints["fog-1"].send("edge-a", frame[:size])
    until(joined, lambda: len(joined.frames["fog-1"]) == 1 and len(joined.frames["edge-a"]) == 1)
    assert joined.frames["fog-1"] == [("edge-a", frame[:size])]
    assert joined.frames["edge-a"] == [("fog-1", frame[:size])]


def test_a_frame_over_the_limit_is_refused_at_the_sender(joined: Fabric) -> None:
    with pytest.raises(ValueError, match=r"at most 1000000 bytes, got 1000001.*in several"):
        joined.endpoints["edge-a"].send("fog-1", bytes(FRAME_BYTES + 1))
    assert joined.endpoints["edge-a"].send("fog-1", b"and the link lives on")
    until(joined, lambda: len(joined.frames["fog-1"]) == 1)


def test_nothing_comes_or_goes_after_close(joined: Fabric) -> None:
    parent = joined.endpoints["fog-1"]
    assert joined.endpoints["edge-a"].send("fog-1", b"under way")
    joined.turn(["edge-b"])
    parent.close()
    parent.close()
    assert parent.receive() == []
    assert parent.link_events() == []
    with pytest.raises(ValueError, match="'fog-1', which is closed"):
        parent.send("edge-a", b"x")
    parent.tick(2**62)
    parent.reopen(2**62)
    joined.turn()
    assert joined.frames["fog-1"] == []


def test_a_child_hears_that_its_parent_went_and_looks_for_it(joined: Fabric) -> None:
    joined.endpoints["fog-1"].close()
    until(joined, lambda: kinds(joined, "edge-a", "fog-1")[-1] == "unreachable")
    assert kinds(joined, "edge-a", "fog-1") == ["up", "down", "unreachable"]
    assert not joined.endpoints["edge-a"].send("fog-1", b"x")


def test_a_parent_hears_that_its_child_went(joined: Fabric) -> None:
    assert joined.endpoints["edge-a"].send("fog-1", b"last words")
    until(joined, lambda: len(joined.frames["fog-1"]) == 1)
    joined.endpoints.pop("edge-a").close()
    until(joined, lambda: kinds(joined, "fog-1", "edge-a")[-1] == "down")
    assert not joined.endpoints["fog-1"].send("edge-a", b"x")
    assert joined.endpoints["fog-1"].send("edge-b", b"the other one is still there")


def test_reopen_gives_a_new_connection_without_anything_of_the_old(joined: Fabric) -> None:
    child, parent = joined.endpoints["edge-a"], joined.endpoints["fog-1"]
    for k in range(5):
        assert parent.send("edge-a", b"old %d" % k)
    child.reopen(joined.now if isinstance(joined, MemoryFabric) else joined.wire.now_ns)
    assert not child.send("fog-1", b"not connected")
    until(joined, lambda: kinds(joined, "edge-a", "fog-1").count("up") == 2)
    assert child.send("fog-1", hello())
    until(joined, lambda: len(joined.frames["fog-1"]) == 1)
    until(joined, lambda: kinds(joined, "fog-1", "edge-a").count("up") == 2)
    assert parent.send("edge-a", b"new")
    until(joined, lambda: bool(joined.frames["edge-a"]))
    assert joined.frames["edge-a"] == [("fog-1", b"new")]
    assert kinds(joined, "fog-1", "edge-b") == ["up"]
