"""A parent that comes back without its tables owes every child a snapshot, and sends four at once (R16)."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from support.treelives import LOAD, MS, QUERY, QUOTA, REGISTRY, TELEMETRY, Carrying
from tiertwin import _core
from tiertwin.twin.effects import Effect, Send
from tiertwin.twin.events import FrameReceived, LinkDown, Reported
from tiertwin.twin.snapshotgate import AT_ONCE, SLOT_NS
from tiertwin.twin.twin import NeighbourSpec, TableShape, Twin, TwinConfig

SNAPSHOT, ACK = 5, 4
ROWS = 40


class Herd:
    """A parent with many children, whose acknowledgements may be kept back."""

    def __init__(self, count: int) -> None:
        names = [f"child-{k}" for k in range(count)]
        shape = TableShape(TELEMETRY, [LOAD], ROWS)
        specs = [
            NeighbourSpec(name, False, table_in=shape, table_out=shape, units_out=[TableShape(QUERY, [QUOTA], 1)])
            for name in names
        ]
        self.parent = Twin(TwinConfig("root", "cloud", [10 + k for k in range(count)], specs), Carrying(), REGISTRY)
        rows = np.arange(ROWS, dtype=np.uint32)
        for neighbour in self.parent.neighbours.values():
            assert neighbour.table_out is not None
            neighbour.table_out.set(LOAD, rows, rows + 1.0, 1)
        self.children = {name: self._child(k) for k, name in enumerate(names)}
        self.dead, self.now, self.begun = set[str](), 0, list[str]()
        self._kept: deque[tuple[str, bytes]] = deque()

    def _child(self, k: int) -> tuple[_core.Peer, _core.StateTable, _core.StateTable]:
        peer = _core.Peer(REGISTRY, is_child=True, incarnation=1, stream_id=1000 + k)
        told, heard = (_core.StateTable(REGISTRY, TELEMETRY, [LOAD], ROWS) for _ in range(2))
        peer.add_out(told)
        peer.add_in(heard)
        peer.add_unit_in(QUERY, [QUOTA], 1)
        return peer, told, heard

    def up(self, name: str, frames: list[bytes], keep: bool) -> None:
        """Frames to the parent, and what it answers; with `keep`, no acknowledgement reaches it."""
        for frame in frames:
            if keep and frame[3] == ACK:
                self._kept.append((name, frame))
            else:
                self.down(self.parent.handle(FrameReceived(name, frame), self.now), keep)

    def down(self, effects: list[Effect], keep: bool) -> None:
        for effect in effects:
            if isinstance(effect, Send) and effect.peer not in self.dead:
                if effect.frame[3] == SNAPSHOT and effect.peer not in self.begun:
                    self.begun.append(effect.peer)
                self.up(effect.peer, list(self.children[effect.peer][0].receive(effect.frame, self.now).reply), keep)

    def run(self, ms: int, keep: bool) -> None:
        while self._kept and not keep:
            name, frame = self._kept.popleft()
            self.down(self.parent.handle(FrameReceived(name, frame), self.now), keep)
        for _ in range(ms // 50):
            self.now += 50 * MS
            self.down(self.parent.handle(Reported(), self.now), keep)
            for name, (peer, *_) in self.children.items():
                if name not in self.dead:
                    self.up(name, list(peer.tick(self.now).reply), keep)

    def connect(self, keep: bool) -> None:
        for name, (peer, *_) in self.children.items():
            self.up(name, list(peer.connect(self.now)), keep)

    def complete(self) -> set[str]:
        """Children that hold what the parent holds for them."""
        out: dict[str, Any] = {name: n.table_out for name, n in self.parent.neighbours.items()}
        return {name for name, (_, _, heard) in self.children.items() if heard.digest() == out[name].digest()}


def test_four_are_sent_at_once_and_all_in_the_end() -> None:
    herd = Herd(30)
    herd.connect(keep=True)
    herd.run(1000, keep=True)
    assert len(herd.begun) == AT_ONCE
    herd.run(0, keep=False)  # those whose turn it is begin with the acknowledgement that makes room, not a report later
    assert len(herd.begun) == 30
    assert herd.complete() == set(herd.children)


def test_who_is_lost_makes_room() -> None:
    herd = Herd(6)
    herd.connect(keep=True)
    assert len(herd.begun) == AT_ONCE
    for name in herd.begun[:2]:
        herd.dead.add(name)
        herd.parent.handle(LinkDown(name), herd.now)
    herd.run(500, keep=True)
    assert len(herd.begun) == 6


def test_who_never_acknowledges_keeps_others_waiting_for_so_long_only() -> None:
    herd = Herd(6)
    herd.connect(keep=True)
    herd.run(SLOT_NS // MS - 100, keep=True)
    assert len(herd.begun) == AT_ONCE
    herd.run(200, keep=True)
    assert len(herd.begun) == 6
