"""One node with a log over a model of a disk: a device sends, it acknowledges what is durable, forwards it, and dies.

Every choice is drawn from the seed; `history(seed)` returns what went wrong, or None. `planted` names a bug that is put
in, so that it can be shown that the checks see it.

Checked after every death: what was acknowledged as durable is there, and the table is what the records up to the cursor
make of it; the parent has no own number that the node would give again; damage is never taken for a healthy log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np

from support.modeldisk import FOLDER, Killed, ModelCalls
from tiertwin import _core
from tiertwin.runtime.disk import DiskLostError
from tiertwin.runtime.diskwork import Drop, KeepSnapshot, Work, carry_out, segment_name
from tiertwin.runtime.durablelog import DurableLog
from tiertwin.runtime.filedisk import FileDisk

ROWS = 6
DEVICE = 1
SEGMENT_BYTES = 4096
PLANTED = (
    "ack_before_sync",
    "forward_unsynced",
    "cursor_apart",
    "no_folder_sync",
    "rename_before_sync",
    "sync_again",
    "truncate_early",
    "keep_early",
    "no_sync_at_start",
    "no_rewrite_at_start",
)


def registry() -> _core.AttributeRegistry:
    """One attribute."""
    made = _core.AttributeRegistry()
    made.add(1, "load", "1", "gauge", "f64", "sum", -1e9, 1e9, 2000)
    return made


def table() -> _core.StateTable:
    """A table of telemetry."""
    return _core.StateTable(registry(), 1, [1], ROWS)


def hello(stream: int) -> bytes:
    """Return the frame that names a stream."""
    return _core.encode_hello(1, 1, 1, stream, 1, 0, 0, 0, 0, incarnation=1)


@dataclass
class Stream:
    """All records that a writer numbered, and the frames in which they are: what must be found again."""

    table: _core.StateTable = field(default_factory=table)
    frames: list[bytes] = field(default_factory=list)  # record i + 1 each
    digests: list[int] = field(default_factory=lambda: [table().digest()])  # after so many records

    def say(self, random: Random) -> None:
        """Number one record more."""
        number = len(self.frames) + 1
        row = np.array([random.randrange(ROWS)], dtype=np.uint32)
        self.table.set(1, row, np.array([float(number)]), 1000 * number)
        self.frames += _core.encode_delta(self.table, number, 1)
        self.digests.append(self.table.digest())


class BuggyCalls(ModelCalls):
    """The model with a system that does less than it says."""

    planted = ""

    def sync(self, descriptor: int) -> None:
        if self.planted == "no_folder_sync" and descriptor == FOLDER:
            return
        if self.planted == "rename_before_sync" and descriptor != FOLDER:
            return
        super().sync(descriptor)

    def sync_data(self, descriptor: int) -> None:
        if self.planted == "no_sync_at_start" and self.starting:
            return
        try:
            super().sync_data(descriptor)
        except OSError:
            if self.planted != "sync_again":
                raise
            super().sync_data(descriptor)

    starting = False


class BuggyDisk(FileDisk):
    """Does not write the last group again."""

    planted = ""
    starting = False

    def write(self, name: str, offset: int, content: memoryview | bytes) -> None:
        if self.starting and self.planted == "no_rewrite_at_start":
            kept = len(bytes(content).rstrip(b"\0"))
            offset, content = offset + kept, bytes(content)[kept:]
        super().write(name, offset, content)


class Node:
    """What a life of the node holds in memory."""

    def __init__(self, calls: BuggyCalls, random: Random, planted: str) -> None:
        self.planted = planted
        calls.starting = True
        self.calls = calls
        self.disk = BuggyDisk(Path("/log"), calls)
        self.disk.planted, self.disk.starting = planted, True
        self.log = DurableLog(self.disk, "edge-a", draw=random.getrandbits, segment_bytes=SEGMENT_BYTES, floor_bytes=0)
        calls.starting = self.disk.starting = False
        self.table = table()
        if self.log.resumed:
            self.cursor = self.log.found.load(DEVICE, [self.table])
            assert self.cursor == self.log.cursor(DEVICE)
        else:
            self.cursor = 0
        if planted == "cursor_apart":
            self.cursor = max(self.cursor, self._cursor_file())
        self.known = self.log.peer_stream(DEVICE) != 0

    def _cursor_file(self) -> int:
        return int(self.disk.read("cursor") or b"0") if "cursor" in self.disk.names() else 0

    def take(self, frame: bytes, number: int, stream: int) -> None:
        """A record of the device."""
        if number != self.cursor + 1:
            return
        if not self.known:
            self.log.append(DEVICE, hello(stream))
            self.known = True
        _core.ingest(self.table, frame, self.cursor)
        self.cursor = number
        if self.planted != "cursor_apart" or number == self.log.cursor(DEVICE) + 1:
            self.log.append(DEVICE, frame)

    def carry_out(self, work: Work) -> None:
        """As the disk's thread would."""
        if self.planted == "cursor_apart":
            cursor = str(self.cursor).encode()
            self.disk.create("cursor", cursor, len(cursor))
        carry_out(self.disk, work)
        self.log.done(work)


class History:
    """All that happens of one seed."""

    def __init__(self, seed: int, planted: str = "", flips: bool = False) -> None:
        self.random = Random(seed)
        self.planted = planted
        self.flips = flips
        self.calls = BuggyCalls()
        self.calls.planted = planted
        self.device, self.own = Stream(), Stream()
        self.acked = 0  # of the device's records: acknowledged as durable
        self.parent_has = 0  # of the node's own records
        self.power = self.random.random() < 0.7
        self.fail_sync = self.random.random() < 0.2
        self.die_in_calls = self.random.random() < 0.5
        self.flipped = False

    def run(self) -> str | None:
        """Return what went wrong, or None."""
        for _ in range(1 + self.random.randrange(6)):
            try:
                node = self._start()
                if isinstance(node, str):
                    return node
                for _ in range(self.random.randrange(60)):
                    self._step(node)
            except (Killed, DiskLostError):
                pass
            self._die()
        self.calls.before = lambda _call: None  # type: ignore[method-assign]
        node = self._start()
        return node if isinstance(node, str) else None

    def _start(self) -> Node | str:
        node = Node(self.calls, self.random, self.planted)
        if wrong := self._wrong(node):
            return wrong
        self.acked = max(self.acked, node.log.durable_cursor(DEVICE))  # the device hears of the cursor
        self.own.frames = self.own.frames[: node.log.cursor(0)]
        self.own.digests = self.own.digests[: node.log.cursor(0) + 1]
        return node

    def _wrong(self, node: Node) -> str | None:
        if self.flipped:
            self.flipped = False
            return self._wrong_after_damage(node)
        verdict, wrong = node.log.found.verdict, None
        if verdict.action == "restart":
            wrong = f"a healthy log was refused: {verdict.why}"
        elif node.cursor < self.acked:
            wrong = f"acknowledged {self.acked}, recovered {node.cursor}"
        elif node.log.cursor(0) < self.parent_has:
            wrong = f"the parent has own number {self.parent_has}, the node goes on with {node.log.cursor(0) + 1}"
        elif node.cursor > len(self.device.frames):
            wrong = f"recovered {node.cursor} of {len(self.device.frames)} records"
        elif node.table.digest() != self.device.digests[node.cursor]:
            wrong = f"the table is not what {node.cursor} records make of it"
        return wrong

    def _wrong_after_damage(self, node: Node) -> str | None:
        """What is lost must be told; then neighbours send snapshots, or what the cursor lacks."""
        action = node.log.found.verdict.action
        lost = node.cursor < self.acked or node.log.cursor(0) < self.parent_has
        if action == "restart":
            self._begin_anew(node)
        elif lost and not node.log.found.news:
            return f"damage lost {self.acked - node.cursor} records without a word"
        elif node.table.digest() != self.device.digests[node.cursor]:
            return f"the table is not what {node.cursor} records make of it"
        self.acked, self.parent_has = min(self.acked, node.cursor), min(self.parent_has, node.log.cursor(0))
        return None

    def _begin_anew(self, node: Node) -> None:
        """Neighbours send snapshots: here the device begins a stream of its own again."""
        self.device, self.own = Stream(), Stream()
        self.acked = self.parent_has = 0
        node.table, node.cursor, node.known = table(), 0, False

    def _step(self, node: Node) -> None:
        choice = self.random.randrange(12)
        if choice < 4:
            for _ in range(1 + self.random.randrange(4)):
                self.device.say(self.random)
        if choice < 7:
            self._deliver(node)
        elif choice == 7:
            self.own.say(self.random)
            node.log.append(0, self.own.frames[-1])
            if self.planted == "forward_unsynced":
                self.parent_has = len(self.own.frames)
        elif choice == 8 and node.cursor == node.log.cursor(DEVICE) > 0 and self.random.random() < 0.4:
            node.log.snapshot([(DEVICE, f) for f in _core.encode_snapshot([node.table], node.cursor, 1)])
            if self.planted == "keep_early":
                self._keep_early(node)
        elif choice == 9:
            node.log.acknowledged(self.parent_has)
        elif choice == 10 and self.random.random() < 0.2:
            node.log.idle()
        else:
            self._work(node)
        if self.planted == "ack_before_sync":
            self.acked = node.log.cursor(DEVICE)

    def _deliver(self, node: Node) -> None:
        for number in range(node.cursor + 1, len(self.device.frames) + 1):
            node.take(self.device.frames[number - 1], number, 0xD0)

    def _work(self, node: Node) -> None:
        if self.die_in_calls and self.random.random() < 0.1:
            self.calls.die_in(self.random.randrange(8))
        if self.fail_sync and self.random.random() < 0.1:
            self.calls.fail_sync_once = True
        while (work := node.log.work()) is not None:
            node.carry_out(work)
            if isinstance(work, KeepSnapshot) and self.planted == "truncate_early":
                self._truncate_early(node)
            if isinstance(work, Drop):
                continue
            self.acked = max(self.acked, node.log.durable_cursor(DEVICE))
            if self.random.random() < 0.7:
                self.parent_has = max(self.parent_has, node.log.durable_cursor(0))

    def _keep_early(self, node: Node) -> None:
        due = node.log._due
        if due is not None:
            node.disk.create(due.name, due.content, len(due.content))

    def _truncate_early(self, node: Node) -> None:
        """Behind the newest snapshot, and never mind what the parent has."""
        starts = [*node.log._starts, *node.log._writer.segments]
        for sequence, *_ in starts[:-1]:
            node.disk.remove(segment_name(sequence))

    def _die(self) -> None:
        self.calls.before = lambda _call: None  # type: ignore[method-assign]
        self.calls.fail_sync_once = False
        if self.power and self.random.random() < 0.7:
            self.calls.power_cut(self.random)
        else:
            self.calls.kill()
        if self.flips and self.random.random() < 0.3:
            self.flipped = self.calls.flip(self.random) is not None


def history(seed: int, planted: str = "", flips: bool = False) -> str | None:
    """Return what went wrong in the history of a seed, or None."""
    return History(seed, planted, flips).run()


def seeds_that_show(planted: str, seeds: range) -> list[int]:
    """Return the seeds in which a planted bug is seen."""
    return [seed for seed in seeds if history(seed, planted) is not None]
