"""A twin and its log in one process: what goes in, what is told, what a next life finds, and a disk that is full."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from support.modeldisk import ModelCalls
from support.treelives import CUT, LOAD, ROWS, TELEMETRY, Carrying, registry
from tiertwin import _core
from tiertwin.runtime import durablenode, durablenodes, logs
from tiertwin.runtime.disk import DiskFullError, DiskLostError
from tiertwin.runtime.diskwork import REFUSED, carry_out
from tiertwin.runtime.durablelog import DurableLog
from tiertwin.runtime.durablenode import DEGRADED, OK, DurableNode
from tiertwin.runtime.durablenodes import DurableNodes
from tiertwin.runtime.filedisk import FileDisk
from tiertwin.twin.effects import Effect, Keep, Send
from tiertwin.twin.events import FrameReceived, LinkUp, Recovered, Reported, Synced
from tiertwin.twin.twin import NeighbourSpec, TableShape, Twin, TwinConfig

MS = 1_000_000
SECOND = 1000 * MS


class Child:
    """A device without a log: it says what it is asked for, and hears what is acknowledged."""

    def __init__(self, stream: int = 7, rows: int = ROWS) -> None:
        self.peer = _core.Peer(registry(), is_child=True, incarnation=1, stream_id=stream)
        self.table = _core.StateTable(registry(), TELEMETRY, [LOAD], rows)
        self.peer.add_out(self.table)
        self.number = 0

    def say(self) -> None:
        self.number += 1
        self.table.set(LOAD, np.array([self.number % ROWS], np.uint32), np.array([float(self.number)]), self.number)


class Edge:
    """A life of an edge between a device and nobody yet: twin, log, disk."""

    def __init__(self, calls: ModelCalls, incarnation: int = 1, rows: int = ROWS) -> None:
        self.calls = calls
        self.disk = FileDisk(Path("/log"), calls)
        self.log = DurableLog(self.disk, "edge", segment_bytes=16 << 20, floor_bytes=0)
        shape, cut = TableShape(TELEMETRY, [LOAD], rows), [TableShape(CUT, [2], 2)]
        neighbours = [
            NeighbourSpec("root", True, table_out=shape, units_out=cut),
            NeighbourSpec("device", False, table_in=shape),
        ]
        config = TwinConfig(
            "edge", 1, [self.log.stream, 99 + incarnation], neighbours, incarnation, virtual_clock=False, durable=True
        )
        self.twin = Twin(config, Carrying(), registry())
        self.node = DurableNode(self.twin, self.log, self.disk, lambda _name: 1)
        self.now = SECOND
        self.sent: list[Send] = []
        self.kept: list[Keep] = []

    def feed(self, event: object) -> None:
        self.carry_out(self.twin.handle(event, self.now))  # type: ignore[arg-type]

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Keep):
                self.kept.append(effect)
                self.node.keep(effect, self.now)
            elif isinstance(effect, Send):
                self.sent.append(effect)

    def exchange(self, child: Child, hello: bool = False) -> None:
        """Carry frames back and forth until nobody says anything more."""
        up = child.peer.connect(self.now) if hello else child.peer.publish(self.now)
        while up or any(send.peer == "device" for send in self.sent):
            for frame in up:
                self.feed(FrameReceived("device", frame))
            down = [send.frame for send in self.sent if send.peer == "device"]
            self.sent = [send for send in self.sent if send.peer != "device"]
            up = [reply for frame in down for reply in child.peer.receive(frame, self.now).reply]

    def sync(self) -> None:
        """Do all that is to be done on the disk, and tell the twin."""
        while (work := self.node.work(self.now)) is not None:
            carry_out(self.disk, work)
            if (synced := self.node.done(work, self.now)) is not None:
                self.feed(synced)

    def tick(self, child: Child) -> None:
        self.now += 50 * MS
        self.feed(Reported())
        self.exchange(child)


@pytest.fixture
def calls() -> ModelCalls:
    return ModelCalls(room=1 << 30)


@pytest.fixture
def edge(calls: ModelCalls) -> Edge:
    return Edge(calls)


def attached(edge: Edge, stream: int = 7) -> Child:
    """A device whose session is live and whose first table is on disk."""
    child = Child(stream)
    child.say()
    edge.exchange(child, hello=True)
    edge.sync()
    edge.tick(child)
    assert edge.twin.children[0].live
    return child


def test_an_acknowledgement_says_durable_when_the_group_is_synced_and_not_before(edge: Edge) -> None:
    child = attached(edge)
    child.say()
    edge.exchange(child)
    edge.tick(child)
    assert child.peer.acked == child.peer.last
    assert child.peer.durable_out == child.peer.last - 1
    edge.sync()
    edge.exchange(child)
    edge.tick(child)
    assert child.peer.durable_out == child.peer.last


def test_a_snapshot_goes_in_whole_or_not_at_all(edge: Edge) -> None:
    child = Child()
    for _ in range(ROWS):
        child.say()
    chunked = _core.Peer(registry(), is_child=True, incarnation=1, stream_id=7, max_frame_bytes=256)
    chunked.add_out(child.table)
    child.peer = chunked
    (hello,) = child.peer.connect(edge.now)
    edge.feed(FrameReceived("device", hello))
    frames = [f for s in edge.sent for f in child.peer.receive(s.frame, edge.now).reply if s.peer == "device"]
    chunks = [frame for frame in frames if frame[3] == 5]
    assert chunks
    for frame in frames:
        if frame is chunks[-1]:
            assert [keep.frame[3] for keep in edge.kept] == [1]
        edge.feed(FrameReceived("device", frame))
    assert [keep.frame[3] for keep in edge.kept] == [1] + [5] * len(chunks)
    assert edge.log.cursor(1) == child.peer.last


def test_own_records_leave_when_they_are_on_disk(edge: Edge) -> None:
    child = attached(edge)
    parent = edge.twin.parent
    assert parent is not None
    root = _core.Peer(registry(), is_child=False, incarnation=1, stream_id=3, durable=True)
    table = _core.StateTable(registry(), TELEMETRY, [LOAD], ROWS)
    root.add_in(table)
    root.add_unit_in(CUT, [2], 2)

    def to_root() -> None:
        while mine := [send for send in edge.sent if send.peer == "root"]:
            edge.sent = [send for send in edge.sent if send.peer != "root"]
            for send in mine:
                for reply in root.receive(send.frame, edge.now).reply:
                    edge.feed(FrameReceived("root", reply))

    edge.feed(LinkUp("root"))
    to_root()
    assert root.cursor == 0  # the snapshot waits
    edge.sync()
    to_root()
    assert root.cursor == parent.peer.last > 0
    child.say()
    edge.exchange(child)
    edge.tick(child)
    to_root()
    before = root.cursor
    assert parent.peer.last > before
    assert edge.log.cursor(0) == parent.peer.last
    edge.sync()
    to_root()
    assert root.cursor == parent.peer.last
    assert table.digest() == parent.peer.out_digest


def test_a_next_life_has_its_tables_and_goes_on_in_the_middle_of_the_stream(edge: Edge, calls: ModelCalls) -> None:
    child = attached(edge)
    for _ in range(20):
        child.say()
        edge.exchange(child)
    edge.sync()
    durable = edge.log.durable_cursor(1)
    child.say()
    edge.exchange(child)  # never synced
    calls.kill()
    calls.power_cut(__import__("random").Random(1))

    again = Edge(calls, incarnation=2)
    told = again.node.recover()
    assert isinstance(told, Recovered)
    assert told.streams == {"device": (7, durable)}
    again.feed(told)
    table = again.twin.children[0].table_in
    assert table is not None
    assert np.nanmax(table.column(LOAD)) == durable
    child.peer.lost(again.now)
    again.exchange(child, hello=True)
    again.exchange(child)
    again.tick(child)
    assert again.twin.children[0].peer.in_digest == child.peer.out_digest
    assert child.peer.counters()["snapshots"] == 1  # the one of the first life
    assert again.log.stream == edge.log.stream


def test_another_stream_is_never_acknowledged_by_what_was_synced_of_the_old_one(edge: Edge) -> None:
    child = attached(edge)
    for _ in range(30):
        child.say()
        edge.exchange(child)
    work = edge.node.work(edge.now)
    assert work is not None
    carry_out(edge.disk, work)
    other = Child(stream=8)  # a next life of the device, while the group is on its way
    other.say()
    other.peer = _core.Peer(registry(), is_child=True, incarnation=2, stream_id=8)
    other.peer.add_out(other.table)
    edge.exchange(other, hello=True)
    synced = edge.node.done(work, edge.now)
    assert synced == Synced({"device": (7, 31)}, edge.log.durable_cursor(0))
    edge.feed(synced)
    assert edge.twin.children[0].peer.durable_in == 0
    edge.sync()
    assert edge.twin.children[0].peer.durable_in == 1


def test_a_snapshot_of_the_log_and_what_came_behind_it_are_found_again(edge: Edge, calls: ModelCalls) -> None:
    child = attached(edge)
    for k in range(40):
        child.say()
        edge.exchange(child)
        edge.tick(child)
        if k in (10, 25):
            assert edge.node.snapshot(edge.now)
        edge.sync()
    calls.kill()
    again = Edge(calls, incarnation=2)
    told = again.node.recover()
    assert told is not None
    assert again.log.found.verdict.snapshot >= 0
    again.feed(told)
    parent = again.twin.parent
    assert parent is not None
    assert again.twin.children[0].peer.in_digest == child.peer.out_digest
    assert parent.peer.out_digest == edge.twin.parent.peer.out_digest  # type: ignore[union-attr]
    assert parent.peer.last == again.log.cursor(0)


def test_a_full_disk_is_told_decided_on_and_made_up_for(
    edge: Edge, calls: ModelCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = 20_000
    monkeypatch.setattr(durablenode, "HELD_BYTES", held)
    child = attached(edge)
    child.say()
    edge.exchange(child)
    calls.room = calls.room - calls.free_bytes(0)
    work = edge.node.work(edge.now)
    assert work is not None
    with pytest.raises(DiskFullError):
        carry_out(edge.disk, work)
    edge.node.without_room()
    peer = edge.twin.children[0].peer
    assert peer.health == DEGRADED
    before = peer.durable_in
    for _ in range(held // 90 + 10):
        child.say()
        edge.exchange(child)
    assert np.nanmax(edge.twin.children[0].table_in.column(LOAD)) == child.number  # type: ignore[union-attr]
    assert edge.node.counters["log_left_out"] > 0
    assert edge.log.waiting_bytes < 2 * held
    assert peer.durable_in == before
    calls.room = 1 << 30
    carry_out(edge.disk, work)
    synced = edge.node.done(work, edge.now)
    assert synced is not None
    edge.feed(synced)
    edge.sync()
    assert peer.health == OK
    assert peer.durable_in == peer.cursor == child.number
    child.say()
    edge.exchange(child)
    edge.sync()
    calls.kill()
    again = Edge(calls, incarnation=2)
    told = again.node.recover()
    assert told is not None
    assert told.streams == {"device": (7, child.number)}
    again.feed(told)
    assert again.twin.children[0].peer.in_digest == child.peer.out_digest


def test_a_log_of_other_tables_is_put_aside_at_the_next_start(edge: Edge, calls: ModelCalls) -> None:
    attached(edge)
    calls.kill()
    other = Edge(calls, incarnation=2, rows=ROWS + 1)
    with pytest.raises(DiskLostError, match="put aside"):
        other.node.recover()
    assert REFUSED in calls.seen
    calls.kill()
    third = Edge(calls, incarnation=3, rows=ROWS + 1)
    assert third.node.recover() is None
    assert third.log.stream != edge.log.stream


def test_the_root_is_known_to_have_what_was_in_the_records_that_it_has(edge: Edge) -> None:
    child = attached(edge)
    parent = edge.twin.parent
    assert parent is not None
    edge.sync()
    edge.feed(Synced({"device": (7, child.peer.last)}, 0))
    edge.tick(child)
    assert child.peer.at_root_out == 0  # nobody said so yet


class Stuck:
    """A disk whose syncs wait until they are let go."""

    def __init__(self, disk: FileDisk) -> None:
        self._disk = disk
        self.go = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._disk, name)

    def sync(self, name: str) -> None:
        assert self.go.wait(60)
        self._disk.sync(name)


@pytest.mark.parametrize("stuck", [True, False])
def test_the_end_does_not_wait_for_ever_for_a_disk(monkeypatch: pytest.MonkeyPatch, stuck: bool) -> None:
    edge, told = Edge(ModelCalls()), list[dict[str, Any]]()
    monkeypatch.setattr(durablenodes, "DISK_S", 0.05 if stuck else 60.0)
    monkeypatch.setattr(logs, "error", lambda event, **fields: told.append({"event": event, **fields}))
    disk: Any = Stuck(edge.disk)
    states: Any = {"edge": SimpleNamespace(slot=lambda _name: 1)}
    nodes = DurableNodes({"edge": (edge.log, disk)}, {"edge": edge.twin}, states, lambda error: None)
    edge.node = nodes.nodes["edge"]
    child = Child()
    child.say()
    edge.exchange(child, hello=True)
    nodes.submit(edge.now)
    if not stuck:
        disk.go.set()
    nodes.close(edge.now)
    assert [line["event"] for line in told] == (["disk silent"] if stuck else [])
    disk.go.set()
    nodes._thread.close()
