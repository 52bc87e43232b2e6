"""The border of session and peer: lifetimes, buffers, dtypes, read-only answers, and frames from hostile hands."""

from __future__ import annotations

import gc
import random

import numpy as np
import pytest

from support.peer_pair import BUDGET, LOAD, MS, QUERY, QUOTA, RATE, ROUND, STATE, TELEMETRY, Options, Pair, registry
from tiertwin import _core

CALM = Options(
    drop=0.0, repeat=0.0, delay_ms=(1.0, 1.0), reset_every_ms=0.0, replay=0.0, cut=0.0, credit_frames=64,
    frame_bytes=4096, rows=40, faults_ms=0,
)  # fmt: skip


def _attached() -> Pair:
    pair = Pair(1, CALM)
    pair.heal()
    pair.send(pair.child, pair.child.peer.connect(0))
    for _ in range(8):
        pair.beat()
    assert pair.child.peer.state == pair.parent.peer.state == STATE["live"]
    return pair


def test_numbers_of_events_states_and_effects_are_stable():
    assert _core.PEER_EVENTS == {
        "live": 1, "gapped": 2, "resyncing": 3, "lost": 4, "banned": 5, "suspect": 6, "well": 7, "swapped": 8,
        "alarm": 9, "term": 10, "barrier": 11, "bye": 12, "restarted": 13, "attached": 14,
    }  # fmt: skip
    assert _core.SESSION_STATES == {"new": 0, "live": 1, "gapped": 2, "resyncing": 3, "lost": 4, "banned": 5}
    assert sorted(_core.SESSION_INPUTS.values()) == list(range(19))
    assert sorted(_core.SESSION_EFFECTS.values()) == [1 << i for i in range(28)]


def test_a_peer_keeps_its_tables_and_registry_alive():
    peer = _core.Peer(registry(), is_child=True, incarnation=1, stream_id=3)
    table = _core.StateTable(registry(), TELEMETRY, [LOAD, RATE], 10)
    table.set(LOAD, np.array([1], np.uint32), np.array([2.0]), 0)
    peer.add_out(table)
    peer.add_in(_core.StateTable(registry(), TELEMETRY, [LOAD, RATE], 10))
    del table
    gc.collect()
    peer.add_unit_in(QUERY, [QUOTA, ROUND], 4)
    assert len(peer.connect(0)) == 1
    assert peer.out_digest == 0  # nothing numbered yet
    assert peer.in_digest == 0


def test_frames_come_from_any_buffer_and_none_is_kept():
    pair = _attached()
    pair.child.out.set(LOAD, np.array([1], np.uint32), np.array([4.5]), pair.now)
    frame = bytearray(pair.child.peer.publish(pair.now)[0])
    received = pair.parent.peer.receive(memoryview(frame), pair.now)
    frame[:] = bytes(len(frame))  # not exported any more, and not looked at
    assert (received.kind, received.table, received.count, received.accepted, received.reason) == (3, 1, 1, True, 0)
    assert pair.parent.into.column(LOAD)[1] == 4.5
    with pytest.raises(TypeError):
        pair.parent.peer.receive("text", pair.now)
    with pytest.raises(AttributeError):
        received.count = 7


def test_units_outlive_what_they_came_from():
    pair = _attached()
    rows, attrs = np.array([0, 1, 0, 1], np.uint32), np.array([QUOTA, QUOTA, ROUND, ROUND])
    frames = pair.parent.peer.send_unit(QUERY, attrs, rows, np.array([1.5, 2.5, 7.0, 7.0]), 3000, pair.now)
    received = pair.child.peer.receive(frames[0], pair.now)
    (unit,) = received.units()
    cells = received.unit()
    del received, pair
    gc.collect()
    assert (unit.table, unit.time_ns, unit.lease) == (QUERY, 3000, None)
    assert sorted(cells) == sorted(unit.cells) == [QUOTA, ROUND]
    at, values = cells[QUOTA]
    assert (at.dtype, values.dtype) == (np.uint32, np.float64)
    assert at.tolist() == [0, 1]
    assert values.tolist() == [1.5, 2.5]


def test_wrong_units_say_what_is_wrong_and_leave_nothing_behind():
    peer = _attached().parent.peer
    one, row, value = np.array([QUOTA]), np.array([0], np.uint32), np.array([1.0])
    with pytest.raises(TypeError):
        peer.send_unit(QUERY, one.astype(np.int32), row, value, 0, 0)
    with pytest.raises(TypeError):
        peer.send_unit(QUERY, one, row.astype(np.int64), value, 0, 0)
    with pytest.raises(ValueError, match="as many attributes as rows and values, got 1, 2 and 1"):
        peer.send_unit(QUERY, one, np.array([0, 1], np.uint32), value, 0, 0)
    with pytest.raises(ValueError, match="attribute ids in 0"):
        peer.send_unit(QUERY, np.array([70_000]), row, value, 0, 0)
    with pytest.raises(ValueError, match="budget needs its lease"):
        peer.send_unit(BUDGET, one, row, value, 0, 0)
    with pytest.raises(ValueError, match="Only a budget"):
        peer.send_unit(QUERY, one, row, value, 0, 0, (1, 1, 1, 1, 1))
    with pytest.raises(ValueError, match="at least one record"):
        peer.send_unit(QUERY, one[:0], row[:0], value[:0], 0, 0)
    with pytest.raises(ValueError, match="row below 8, got 8"):
        peer.send_unit(QUERY, one, np.array([8], np.uint32), value, 0, 0)
    with pytest.raises(ValueError, match="quota"):
        peer.send_unit(QUERY, one, row, np.array([np.nan]), 0, 0)
    with pytest.raises(KeyError, match="No unit table 4 goes to this peer"):
        peer.send_unit(4, one, row, value, 0, 0)
    assert peer.held_units == 0
    assert len(peer.send_unit(QUERY, one, row, value, 0, 0)) == 1


def test_a_peer_refuses_a_configuration_that_could_not_work():
    make = lambda **change: _core.Peer(  # noqa: E731
        registry(), **{"is_child": True, "incarnation": 1, "stream_id": 1, **change}
    )
    for change, message in (
        ({"stream_id": 0}, "stream id above 0"),
        ({"incarnation": 0}, "incarnation"),
        ({"heartbeat_ms": 900}, "heartbeat_ms in 1 … 500"),
        ({"max_frame_bytes": 2_000_000}, "frame_bytes in 256"),
    ):
        with pytest.raises(ValueError, match=message):
            make(**change)
    peer = make()
    peer.add_unit_out(QUERY, [QUOTA], 1)
    with pytest.raises(ValueError, match="already sent"):
        peer.add_unit_out(QUERY, [QUOTA], 1)
    with pytest.raises(ValueError, match="Only a child"):
        make(is_child=False).connect(0)
    with pytest.raises(ValueError, match="virtual clock only"):
        make().barrier(1, 0)
    with pytest.raises(ValueError, match="health"):
        make().health = 9


def test_heartbeats_carry_what_the_twin_says():
    pair = _attached()
    child, parent = pair.child.peer, pair.parent.peer
    child.epoch, child.age_ms, child.health = 17, 230, 2
    for _ in range(12):
        pair.beat()
    assert (parent.peer_epoch, parent.peer_age_ms, parent.peer_health) == (17, 230, 2)
    assert parent.peer_counter > 0
    assert 0 < parent.rtt_ns <= 300 * MS
    assert child.heartbeat_sent_ns(parent.peer_counter) <= pair.now
    assert child.heartbeat_sent_ns(10**6) == -1
    assert child.next_ns <= pair.now + 250 * MS
    received = parent.receive(child.barrier(5, pair.now)[0], pair.now)
    assert received.epoch == 5
    assert received.events == [_core.PEER_EVENTS["barrier"]]


def _sealed(frame: bytearray) -> bytes:
    """Make the checksum right again, so that the change reaches the checks behind it."""
    frame[16:20] = bytes(4)
    frame[16:20] = _core.crc32c(bytes(frame)).to_bytes(4, "little")
    return bytes(frame)


def test_changed_frames_never_raise_and_never_reach_a_table_half():
    """P11 and R36: every frame kind, bytes changed anywhere, the checksum made right again."""
    rng = random.Random(3)
    for _ in range(40):
        pair = _attached()
        wild = []
        for end in pair.ends.values():
            pair.write(end)
            wild += [(end, f) for f in end.peer.publish(pair.now)]
        pair.unit(pair.parent, QUERY, (QUOTA, ROUND), 1.0, [0, 1])
        wild += [(pair.ends["parent" if to == "child" else "child"], f) for _, _, to, f in pair._heap]
        for end in pair.ends.values():
            wild += [(end, f) for f in end.peer.tick(pair.now + 400 * MS).reply]
        for end, frame in wild:
            other = pair.child if end is pair.parent else pair.parent
            for _ in range(6):
                changed = bytearray(frame)
                for _ in range(rng.choice([1, 1, 2, 8])):
                    changed[rng.randrange(len(changed))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
                cut = rng.choice([len(changed)] * 5 + [rng.randrange(len(changed))])
                digest = other.into.digest()
                received = other.peer.receive(_sealed(changed[:cut]) if cut >= 20 else bytes(changed[:cut]), pair.now)
                if not received.accepted and _core.PEER_EVENTS["swapped"] not in received.events:
                    assert other.into.digest() == digest


def test_a_liar_is_banned_and_its_neighbour_is_not():
    pair, neighbour = _attached(), _attached()
    for _ in range(3):
        pair.parent.peer.receive(b"\x00" * 64, pair.now)
    assert pair.parent.peer.state == STATE["banned"]
    assert neighbour.parent.peer.state == STATE["live"]
    assert pair.parent.peer.counters()["refused.magic"] == 3


def test_tables_of_a_peer_outlive_the_name_it_had() -> None:
    known = _core.AttributeRegistry()
    known.add(1, "load", "1", "gauge", "f64", "sum", -1e9, 1e9, 2000)
    peer = _core.Peer(known, is_child=True, incarnation=1, stream_id=1, durable=True)
    table = _core.StateTable(known, 1, [1], 4)
    peer.add_out(table)
    peer.add_unit_out(4, [1], 2)
    peer.add_unit_in(17, [1], 3)
    samples, units = peer.out_tables
    (queries,) = peer.in_tables
    assert samples is table
    del peer, known
    gc.collect()
    assert (units.rows, queries.rows) == (2, 3)
    assert np.isnan(units.column(1)).all()


def test_frames_of_a_log_are_copied_and_exact() -> None:
    known = _core.AttributeRegistry()
    known.add(1, "load", "1", "gauge", "f64", "sum", -1e9, 1e9, 2000)
    peer = _core.Peer(known, is_child=True, incarnation=1, stream_id=1, durable=True)
    with pytest.raises(TypeError):
        peer.resume_out(1, ["no bytes"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="own DELTA frames"):
        peer.resume_out(1, [bytes(40)])
    frame = bytearray(_core.encode_hello(1, 1, 1, 1, 1, 0, 0, 0, 0, incarnation=1))
    with pytest.raises(ValueError, match="own DELTA frames"):
        peer.resume_out(1, [memoryview(frame)])
    frame += b"x"  # nobody holds it any more
