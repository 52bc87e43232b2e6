"""Observers of a node: they get its table, write nothing, are few, and cost nothing when they stop reading."""

from __future__ import annotations

import numpy as np
import pytest

from support.inprocess import played
from tiertwin import _core
from tiertwin.runtime.countertable import counter_table, read_counts
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.livepool import LivePool
from tiertwin.runtime.observers import EVERY_NS, MOST, Observers
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.status import NodeStatus, read_status, status_table
from tiertwin.twin.attributes import A, registry
from tiertwin.twin.effects import Record

NODE = "edge-centre"
MILLISECOND = 1_000_000


@pytest.fixture(scope="module")
def run() -> InProcessRun:
    return played("metro", 1)


class Watcher:
    """The other end, as `lookout` has it."""

    def __init__(self, order: list[str], name: str, stream: int) -> None:
        self.name, self.order = name, order
        known = registry()
        self.table = status_table(known, len(order))
        self.peer = _core.Peer(known, is_child=True, incarnation=1, stream_id=stream)
        self.counts = counter_table(known)
        self.peer.add_in(self.table)
        self.peer.add_in(self.counts)

    @property
    def status(self) -> NodeStatus | None:
        return read_status(self.table, NODE, self.order)


class Wire:
    """Carries frames between the observers of a node and the watchers; counts what is sent."""

    def __init__(self, run: InProcessRun) -> None:
        roster = Roster(run.world)
        self.now = run.now
        self.mail: dict[str, list[bytes]] = {}
        self.sent = 0
        self.banned: list[tuple[str, str, int]] = []
        pool = LivePool(lambda *_: False, 250)
        self.observers = Observers(roster, run.twins, pool, self._send, lambda *who: self.banned.append(who))
        self.order = sorted(run.twins[NODE].neighbours, key=roster.index)

    def _send(self, node: str, observer: str, frame: object) -> bool:
        assert node == NODE
        self.sent += 1
        self.mail.setdefault(observer, []).append(bytes(frame))  # type: ignore[call-overload]
        return True

    def watcher(self, name: str, stream: int = 1) -> Watcher:
        made = Watcher(self.order, name, stream)
        self._post(made, made.peer.connect(self.now))
        return made

    def _post(self, watcher: Watcher, frames: list[bytes]) -> None:
        for frame in frames:
            self.observers.take(NODE, watcher.name, frame, self.now)

    def turn(self, *watchers: Watcher, ms: int = 50) -> None:
        self.now += ms * MILLISECOND
        self.observers.report(self.now)
        for watcher in watchers:
            for frame in self.mail.pop(watcher.name, []):
                self._post(watcher, watcher.peer.receive(frame, self.now).reply)
            if self.now >= watcher.peer.next_ns:
                self._post(watcher, watcher.peer.tick(self.now).reply)


def test_an_observer_gets_the_table_and_its_news(run: InProcessRun) -> None:
    wire = Wire(run)
    watcher = wire.watcher("observer")
    for _ in range(6):
        wire.turn(watcher)
    status = watcher.status
    assert status is not None
    assert (status.epoch, status.alone) == (0, 0)
    assert [link.peer for link in status.links] == ["fog-1", "device-centre"]
    wire.observers.came(NODE, "fog-1", b"x" * 77, wire.now)
    for _ in range(2 * EVERY_NS // (50 * MILLISECOND)):
        wire.turn(watcher)
    status = watcher.status
    assert status is not None
    assert status.links[0].bytes_in == 77
    assert read_counts(watcher.counts)["observers_admitted"] == 1


def test_an_observer_gets_what_was_counted_since(run: InProcessRun) -> None:
    wire = Wire(run)
    watcher = wire.watcher("observer")
    for _ in range(6):
        wire.turn(watcher)
    assert "leases_refused" not in read_counts(watcher.counts)
    wire.observers.books[NODE].logged(Record("refused", 1, {}))
    for _ in range(2 * EVERY_NS // (50 * MILLISECOND)):
        wire.turn(watcher)
    assert read_counts(watcher.counts)["leases_refused"] == 1


def test_an_observer_writes_nothing(run: InProcessRun) -> None:
    wire = Wire(run)
    before = {name: twin.digests() for name, twin in run.twins.items()}
    watcher = wire.watcher("observer")
    out = status_table(registry(), len(wire.order))
    watcher.peer.add_out(out)
    for _ in range(4):
        wire.turn(watcher)
    out.set(A.STATUS_EPOCH, np.zeros(1, dtype=np.uint32), np.array([99.0]), wire.now)
    wire._post(watcher, watcher.peer.publish(wire.now))
    assert wire.observers.counters["refused frames of observers"] > 0
    assert {name: twin.digests() for name, twin in run.twins.items()} == before
    assert watcher.status is not None
    assert watcher.status.epoch == 0


def test_who_sends_nonsense_is_banned_at_the_door(run: InProcessRun) -> None:
    wire = Wire(run)
    watcher = wire.watcher("observer")
    for _ in range(3):
        wire._post(watcher, [b"TW" + bytes(60)])
    assert [(node, who) for node, who, _ in wire.banned] == [(NODE, "observer")]


def test_the_oldest_has_to_leave_for_one_too_many(run: InProcessRun) -> None:
    wire = Wire(run)
    watchers = [wire.watcher(f"observer-{k}", k + 1) for k in range(MOST)]
    for _ in range(4):
        wire.turn(*watchers)
    assert all(w.status is not None for w in watchers)
    late = wire.watcher("observer-late", 99)
    for _ in range(4):
        wire.turn(late, *watchers)
    assert late.status is not None
    assert wire.observers.counters["observers refused"] == 1
    states = [w.peer.state for w in watchers]
    assert states[0] == _core.SESSION_STATES["lost"]
    assert set(states[1:]) == {_core.SESSION_STATES["live"]}


def test_who_stops_reading_is_forgotten_and_costs_no_frames(run: InProcessRun) -> None:
    wire = Wire(run)
    watcher = wire.watcher("observer")
    for _ in range(4):
        wire.turn(watcher)
    wire.sent = 0
    for _ in range(80):  # 4 s in which it says nothing
        wire.turn()
    assert wire.sent < 80
    stopped = wire.sent
    for _ in range(80):
        wire.turn()
    assert wire.sent == stopped


def test_a_new_life_of_an_observer_begins_anew(run: InProcessRun) -> None:
    wire = Wire(run)
    first = wire.watcher("observer")
    for _ in range(4):
        wire.turn(first)
    second = wire.watcher("observer", stream=2)
    for _ in range(20):
        wire.turn(second)
    assert second.status is not None
    wire.observers.gone(NODE, "observer")
    third = wire.watcher("observer", stream=3)
    for _ in range(6):
        wire.turn(third)
    assert third.status is not None
