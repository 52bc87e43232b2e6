"""Keys that change while links stand: the child's, the parent's, and a door that is closed and opened again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.fabrics import ZeroMqFabric, hello, until
from tiertwin.wire.access import Access, Grant
from tiertwin.wire.downlink import FLOOD_FRAMES, FLOOD_S, SECOND_NS, Flood
from tiertwin.wire.keys import KeyPair

TREE: dict[str, str | None] = {"fog-1": None, "edge-a": "fog-1"}


@pytest.fixture
def fabric() -> Iterator[ZeroMqFabric]:
    made = ZeroMqFabric(TREE)
    yield made
    made.close()


def joined(fabric: ZeroMqFabric) -> None:
    """The edge is connected, and the fog takes its frames."""
    until(fabric, lambda: fabric.nodes["edge-a"].peers() == ["fog-1"] and fabric.nodes["fog-1"].proven)
    seen = len(fabric.frames["fog-1"])
    assert fabric.endpoints["edge-a"].send("fog-1", hello())
    until(fabric, lambda: len(fabric.frames["fog-1"]) == seen + 1)


def with_another_key(fabric: ZeroMqFabric, node: str) -> tuple[KeyPair, str]:
    """List a second key of a node; return it, and the first."""
    access, pair = fabric.wire.admission.access, KeyPair.fresh()
    (old,) = [grant for grant in access.grants if grant.node == node]
    new = Grant(pair.public.decode(), node, old.role, old.parents, old.not_after_s + 1)
    fabric.wire.swap(Access([*access.grants, new]))
    return pair, old.public


def without(fabric: ZeroMqFabric, public: str) -> None:
    fabric.wire.swap(Access(grant for grant in fabric.wire.admission.access.grants if grant.public != public))


def test_a_child_goes_on_with_another_key_and_the_old_one_opens_no_more(fabric: ZeroMqFabric) -> None:
    joined(fabric)
    pair, old = with_another_key(fabric, "edge-a")
    fabric.nodes["edge-a"].rekey(pair, fabric.wire.now_ns)
    joined(fabric)
    grant = fabric.nodes["fog-1"].grant("edge-a")
    assert grant is not None
    assert grant.public == pair.public.decode()
    without(fabric, old)
    assert fabric.endpoints["edge-a"].send("fog-1", b"still here")
    until(fabric, lambda: fabric.frames["fog-1"][-1] == ("edge-a", b"still here"))


def test_a_parent_with_another_key_is_found_by_who_knows_both(fabric: ZeroMqFabric) -> None:
    joined(fabric)
    fog, edge = fabric.nodes["fog-1"], fabric.nodes["edge-a"]
    port, (pair, old) = fog.port, with_another_key(fabric, "fog-1")
    edge.trust([pair.public, old.encode()])
    edge.reopen(fabric.wire.now_ns)  # the parent has its old key still: the newest does not open, the other does
    joined(fabric)
    fog.rekey(pair, fabric.wire.now_ns)
    assert not fog.proven
    joined(fabric)
    assert fog.port == port
    assert fog.counters()["R30 listened anew"] == 1


def test_who_knows_only_the_old_key_of_a_parent_stays_out(fabric: ZeroMqFabric) -> None:
    joined(fabric)
    pair, _ = with_another_key(fabric, "fog-1")
    fabric.nodes["fog-1"].rekey(pair, fabric.wire.now_ns)
    until(fabric, lambda: any(event.kind == "auth_failed" for event in fabric.events["edge-a"]))


def test_frames_of_a_key_that_was_taken_out_close_the_door_when_they_do_not_end(fabric: ZeroMqFabric) -> None:
    joined(fabric)
    fog, edge, wire = fabric.nodes["fog-1"], fabric.nodes["edge-a"], fabric.wire
    assert fog._down is not None
    assert edge._up is not None
    without(fabric, fabric.keys.keys["edge-a"].public)
    flood, began = fog._down._flood, wire.now_ns // SECOND_NS
    for second in range(FLOOD_S):  # as if they had come: no test waits for seconds
        for _ in range(FLOOD_FRAMES + 1):
            flood.note((began - FLOOD_S + second) * SECOND_NS)
    assert not flood.lasts
    assert edge.send("fog-1", b"once more")
    until(fabric, lambda: fog.counters().get("R30 listened anew", 0) == 1)
    until(fabric, lambda: fog.proven and any(event.kind == "auth_failed" for event in fabric.events["edge-a"]))


def test_a_flood_is_so_many_frames_in_each_of_so_many_seconds() -> None:
    def lasts(frames: list[int]) -> bool:
        flood = Flood()
        for second, count in enumerate([*frames, 1]):
            for _ in range(count):
                flood.note(second * SECOND_NS + 1)
        return flood.lasts

    full = FLOOD_FRAMES + 1
    assert lasts([full] * FLOOD_S)
    assert not lasts([full] * (FLOOD_S - 1))
    assert not lasts([full] * (FLOOD_S - 1) + [FLOOD_FRAMES])
    assert not lasts([full, full, 0, full, full, full])
