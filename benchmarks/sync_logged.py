"""Both ends of `sync.py` as the product runs them with `--durable`: twins, their logs, a thread for the disk of each.

What the child numbers goes into its log, and leaves when it is on disk; what the parent took goes into its own, and is
acknowledged as durable when it is on disk. A run ends when the last record is durable at both.
"""

from __future__ import annotations

import select
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ingest import ATTRIBUTES, REGISTRY
from sync_ends import PART, ROWS, RUN_S, Receiver, Run, order
from sync_links import CHILD, PARENT, CurveLink, plain_keys, until

from tiertwin.runtime.diskthread import DiskThread
from tiertwin.runtime.durablelog import DurableLog
from tiertwin.runtime.durablenode import DurableNode
from tiertwin.runtime.durablenodes import SEGMENT_BYTES
from tiertwin.runtime.filedisk import FileDisk
from tiertwin.twin.effects import Effect, Keep, Reconnect, Send
from tiertwin.twin.events import FrameReceived, LinkUp, Reported
from tiertwin.twin.twin import NeighbourSpec, TableShape, Twin, TwinConfig
from tiertwin.wire.keys import KeySet

SHAPE = TableShape(1, tuple(range(1, ATTRIBUTES + 1)), ROWS)
LEAST_FREE = 64 << 20


class Quiet:
    """A policy that decides nothing: the table is written from outside."""

    def summarise(self, twin: Twin, now: int) -> None:
        """Nothing to sum."""

    def told(self, *_: object) -> list[Effect]:
        return []

    began = solved = timed_out = told

    def fork(self) -> Quiet:
        return self


class Logged:
    """A twin with one neighbour over CURVE, and its log."""

    def __init__(self, link: CurveLink, name: str, other: str, folder: Path) -> None:
        self.link, self.other = link, other
        disk = FileDisk(folder / name)
        self.log = DurableLog(disk, name, segment_bytes=SEGMENT_BYTES, floor_bytes=LEAST_FREE)
        above = other == PARENT
        into, out = (None, SHAPE) if above else (SHAPE, None)
        spec = NeighbourSpec(other, above, table_in=into, table_out=out)
        config = TwinConfig(name, 1, [self.log.stream], [spec], virtual_clock=False, durable=True)
        self.twin = Twin(config, Quiet(), REGISTRY)
        self.node = DurableNode(self.twin, self.log, disk, lambda _: 1)
        self.thread, self.peer = DiskThread(), self.twin.neighbours[other].peer
        self.disk, self.busy = disk, False
        self.refused = 0
        link.watch(self.thread.fd)

    def feed(self, event: Any) -> None:
        """Have the twin hear of something, and do what it wants."""
        now = time.monotonic_ns()
        for effect in self.twin.handle(event, now):
            if isinstance(effect, Send):
                while not self.link.send(effect.frame):
                    self.link.wait(1)
            elif isinstance(effect, Keep):
                self.node.keep(effect, now)
            elif isinstance(effect, Reconnect):
                self.feed(LinkUp(self.other))

    def turn(self, timeout_ms: float) -> None:
        """Wait, take frames and what the disk has done, and give it what is next."""
        self.link.wait(timeout_ms)
        for frame in self.link.receive():
            self.feed(FrameReceived(self.other, frame))
        if time.monotonic_ns() >= self.peer.next_ns:
            self.feed(Reported())
        self.write()

    def write(self) -> None:
        """What `DurableNodes` does for many."""
        now = time.monotonic_ns()
        for _, done, fault in self.thread.collect():
            if fault is not None:
                raise fault
            self.busy = False
            if (synced := self.node.done(done, now)) is not None:
                self.feed(synced)
        if self.busy:
            return
        self.node.note_settled()
        if (work := self.node.work(now)) is not None:
            self.busy = True
            self.thread.submit(self.log, self.disk, work)

    def close(self) -> None:
        """End the thread, once what it has is done."""
        while self.busy:
            select.select([self.thread.fd], [], [], 1.0)
            self.write()
        self.thread.close()
        self.disk.close()
        self.link.close()


class LoggedSender:
    """A child with a table to tell, and a log."""

    def __init__(self, link: CurveLink, folder: str) -> None:
        self.end = Logged(link, CHILD, PARENT, Path(folder))
        table = self.end.twin.neighbours[PARENT].table_out
        assert table is not None
        self.table, self.link = table, link
        self.values = np.random.default_rng(7).normal(0.0, 100.0, (64, ATTRIBUTES, PART))
        self.rows = [np.arange(at, at + PART, dtype=np.uint32) for at in range(0, ROWS, PART)]
        link.watch(0)
        until(lambda: link.up, lambda: self.end.turn(20), "link")
        self.end.feed(LinkUp(PARENT))
        until(lambda: self.end.peer.attached, lambda: self.end.turn(20), "session")

    def frames(self, count: int) -> None:
        """Write, number, keep and send so many frames; those behind the credit wait."""
        for k in range(count):
            now, rows, values = time.monotonic_ns(), self.rows[k % len(self.rows)], self.values[k % 64]
            for attribute in range(ATTRIBUTES):
                self.table.set(attribute + 1, rows, values[attribute], now)
            self.end.feed(Reported())
            while self.table.dirty_count:  # coalesced otherwise: every update is to be a record
                self.end.turn(5)
                self.end.feed(Reported())
            if k % 16 == 0:
                self.end.turn(0)

    def serve(self) -> None:
        """Do what standard input says."""
        while True:
            self.end.turn(50)
            if select.select([0], [], [], 0)[0]:
                order(self.__getattribute__, lambda: (self.end.peer.last, self.table.digest()))


class LoggedReceiver(Receiver):
    """A parent with a log."""

    def __init__(self, keys: KeySet, folder: Path) -> None:
        link = CurveLink(keys, PARENT, CHILD)
        self.folder = Path(tempfile.mkdtemp(dir=folder, prefix="sync-"))
        super().__init__(
            {"kind": "logged", "address": link.address, "keys": plain_keys(keys), "folder": str(self.folder)}
        )
        self.end = Logged(link, PARENT, CHILD, self.folder)
        table = self.end.twin.neighbours[CHILD].table_in
        assert table is not None
        self.table = table
        link.watch(self.answers.fileno())
        until(lambda: self.end.peer.attached, lambda: self.end.turn(20), "session")

    def close(self) -> None:
        self.end.close()
        shutil.rmtree(self.folder)

    def keep(self) -> None:
        """Have a session, after others were measured."""
        asked = time.monotonic_ns()
        until(lambda: self.end.peer.attached and self.end.peer.heard_ns > asked, lambda: self.end.turn(2), "life")

    def run(self, what: str, count: int) -> Run:
        self.tell(what, count)
        until(self.answered, lambda: self.end.turn(100), "answer", RUN_S)
        spent, last, digest = self.answer()
        until(lambda: self.end.log.durable_cursor(1) >= last, lambda: self.end.turn(5), "last record", RUN_S)
        assert not self.end.twin.counters.refused, f"frames were refused: {self.end.twin.counters.refused}"
        return Run(spent, float("nan"), digest)
