"""The two ends of `sync.py` that are ours: a child with a table to tell, and its parent, in a process each."""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from ingest import ATTRIBUTES, BLOCK, HEADER, REGISTRY
from sync_links import CHILD, PARENT, CurveLink, Link, PlainLink, plain_keys, until

from tiertwin import _core
from tiertwin.wire.keys import KeySet

ROWS, PART = 10_000, 125  # of the table; of a frame
UPDATES = PART * ATTRIBUTES  # of a frame
STRIDE = BLOCK + (4 * PART + 7) // 8 * 8 + 8 * PART  # bytes of one block of a frame
EVERY_NS = 500_000  # between frames, for latency
LOST = 4
RUN_S = 60.0  # timeout


@dataclass(frozen=True)
class Run:
    """What one run gave: CPU seconds of the sender, one-way times (s) where asked for, digest of the sender's table."""

    cpu_s: float
    p99_s: float
    digest: int


class OurSender:
    """A child with a table to tell."""

    def __init__(self, link: CurveLink | PlainLink) -> None:
        self.link: Link = link
        self.peer = _core.Peer(REGISTRY, is_child=True, incarnation=1, stream_id=7)
        self.table = _core.StateTable(REGISTRY, 1, list(range(1, ATTRIBUTES + 1)), ROWS)
        self.peer.add_out(self.table)
        self.random = np.random.default_rng(7)
        self.values = self.random.normal(0.0, 100.0, (64, ATTRIBUTES, PART))
        self.rows = [np.arange(at, at + PART, dtype=np.uint32) for at in range(0, ROWS, PART)]
        link.watch(0)
        until(lambda: link.up, lambda: self._turn(20), "link")
        self._send(self.peer.connect(time.monotonic_ns()))
        until(lambda: self.peer.attached, lambda: self._turn(20), "session")

    def _turn(self, timeout_ms: float) -> None:
        self.link.wait(timeout_ms)
        self._take()

    def _take(self) -> None:
        now = time.monotonic_ns()
        for frame in self.link.receive():
            self._react(self.peer.receive(frame, now), now)
        if now >= self.peer.next_ns:
            self._react(self.peer.tick(now), now)

    def _react(self, received: _core.Received, now: int) -> None:
        self._send(received.reply)
        if LOST in received.events:
            self._send(self.peer.connect(now))

    def _send(self, frames: list[bytes]) -> None:
        for frame in frames:
            while not self.link.send(frame):
                self.link.wait(1)

    def _flush(self) -> None:
        """Let everything go that waits; the credit is the receiver's."""
        while self.table.dirty_count:
            frames = self.peer.publish(time.monotonic_ns())
            self._send(frames)
            if not frames:
                self._turn(5)

    def _write(self, k: int) -> None:
        now = time.monotonic_ns()
        rows, values = self.rows[k % len(self.rows)], self.values[k % 64]
        for attribute in range(ATTRIBUTES):
            self.table.set(attribute + 1, rows, values[attribute], now)

    def frames(self, count: int) -> None:
        for k in range(count):
            self._write(k)
            self._flush()
            if k % 16 == 0:
                self._take()

    def paced(self, count: int) -> None:
        for k in pace(count):
            self._take()
            self._write(k)
            self._flush()

    def singles(self, count: int) -> None:
        rows = self.random.integers(0, ROWS, count).tolist()
        values = self.random.normal(0.0, 100.0, count).tolist()
        put, now = self.table.put, time.monotonic_ns()
        for k, (row, value) in enumerate(zip(rows, values, strict=True)):
            put(1, row, value, now)
            if k % 1000 == 999:
                now = time.monotonic_ns()
                self._send(self.peer.publish(now))
                self._take()
        self._flush()

    def serve(self) -> None:
        """Do what standard input says."""
        while True:
            self._turn(50)
            if select.select([0], [], [], 0)[0]:
                order(self.__getattribute__, lambda: (self.peer.last, self.table.digest()))


def pace(count: int) -> Iterator[int]:
    """Yield 0, 1, … at `EVERY_NS`."""
    start = time.monotonic_ns()
    for k in range(count):
        while (left := start + k * EVERY_NS - time.monotonic_ns()) > 0:
            time.sleep(left / 1e9)
        yield k


def order(method: Callable[[str], Any], state: Callable[[], tuple[int, int]]) -> None:
    """Carry out one line and answer it: CPU seconds, last number sent, digest."""
    line = os.read(0, 100).decode().split()
    if not line:
        os._exit(0)
    began = time.process_time()
    method(line[0])(int(line[1]))
    spent = time.process_time() - began
    last, digest = state()
    print(json.dumps([spent, last, digest]), flush=True)


class Receiver:
    """The other process, and how it is told what to do."""

    def __init__(self, setting: dict[str, Any]) -> None:
        command = [sys.executable, str(Path(__file__).with_name("sync.py")), "--sender", json.dumps(setting)]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.to, self.answers = self.child.stdin, self.child.stdout
        self.times: list[float] = []
        self.timing = False

    def tell(self, what: str, count: int) -> None:
        self.to.write(f"{what} {count}\n".encode())
        self.to.flush()

    def answered(self) -> bool:
        return bool(select.select([self.answers], [], [], 0)[0])

    def answer(self) -> tuple[float, int, int]:
        line = self.answers.readline()
        if not line:
            raise RuntimeError("the sender ended; see above")
        spent, last, digest = json.loads(line)
        return spent, last, digest

    def note(self, frame: Any) -> None:
        """Take the one-way time of a frame that was just taken in."""
        (sent,) = struct.unpack_from("<q", frame, HEADER + 8)
        self.times.append((time.monotonic_ns() - sent) / 1e9)

    def p99(self) -> float:
        times, self.times = self.times, []
        return float(np.percentile(times, 99)) if times else float("nan")

    def keep(self) -> None:
        """Between runs."""

    def prepare(self, count: int) -> None:
        """Have the sender ready for `count` frames."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.wait()
        self.close()

    def close(self) -> None:
        """Release the sockets."""


class OurReceiver(Receiver):
    """A parent: session, checks, table."""

    def __init__(self, keys: KeySet | None) -> None:
        link = PlainLink() if keys is None else CurveLink(keys, PARENT, CHILD)
        super().__init__({"kind": "ours", "address": link.address, "keys": None if keys is None else plain_keys(keys)})
        self.link: Link = link
        self.peer = _core.Peer(REGISTRY, is_child=False, incarnation=1, stream_id=8)
        self.table = _core.StateTable(REGISTRY, 1, list(range(1, ATTRIBUTES + 1)), ROWS)
        self.refused: list[int] = []
        self.lost = False  # something happened to the session
        self.peer.add_in(self.table)
        link.watch(self.answers.fileno())
        until(lambda: self.peer.attached, lambda: self._turn(20), "session")

    def _turn(self, timeout_ms: float) -> None:
        self.link.wait(timeout_ms)
        now = time.monotonic_ns()
        for frame in self.link.receive():
            received = self.peer.receive(frame, now)
            self.lost = self.lost or bool(received.events)
            if received.reason:
                self.refused.append(received.reason)
            if self.timing and received.count:
                self.note(frame)
            self._send(received.reply)
        if now >= self.peer.next_ns:
            told = self.peer.tick(now)
            self.lost = self.lost or bool(told.events)
            self._send(told.reply)

    def _send(self, frames: list[bytes]) -> None:
        for frame in frames:
            while not self.link.send(frame):
                self.link.wait(1)

    def close(self) -> None:
        self.link.close()

    def keep(self) -> None:
        """Have a session, after others were measured: the silence of 2 s ends one, and the child comes back."""
        asked, self.lost = time.monotonic_ns(), False
        until(lambda: self.peer.attached and self.peer.heard_ns > asked, lambda: self._turn(2), "life")
        settled = time.monotonic_ns() + 10**9
        until(lambda: not self.lost or time.monotonic_ns() > settled, lambda: self._turn(2), "life")
        self.refused.clear()

    def run(self, what: str, count: int) -> Run:
        self.timing = what == "paced"
        self.tell(what, count)
        until(self.answered, lambda: self._turn(100), "answer", RUN_S)
        spent, last, digest = self.answer()
        until(lambda: self.peer.cursor >= last, lambda: self._turn(5), "last record", RUN_S)
        assert not self.refused, f"frames were refused for reasons {sorted(set(self.refused))}"
        return Run(spent, self.p99(), digest)
