"""Telemetry from one process into the table of another: sessions over CURVE against numpy over pyzmq, and zenoh.

A frame holds 1 000 updates: 8 attributes of 125 rows of a table of 10 000.

- **Ours** sends from a `Peer` (numbers, credit, acknowledgements, heartbeats), writing and encoding as it goes, and
  receives by `NodeEndpoint` (admission of every frame) and `Peer.receive` (every check of the protocol, digest kept).
- **numpy over pyzmq** sends the same bytes, encoded beforehand, by PUSH; the consumer does last-number-wins on arrays
  and nothing else (`ingest.py`): no check, no acknowledgement, no digest.
- **zenoh** puts the same bytes (TCP between two peers, blocking congestion control) to the same numpy consumer; no
  encryption, so it is held against ours without.

Sockets without CURVE exist in this file alone: `PlainLink`. The product has no setting that leads to one.

`latency` is one way, from the first write of a frame to its last cell in the other table, of frames sent every 500 µs;
the figure is the 99th percentile. `one at a time` writes single cells (`StateTable.put`), publishes after 1 000 of
them and counts cells written; those overwritten before they left are coalesced.

    python benchmarks/sync.py [--quick] [--json]
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, Self

import numpy as np
import zmq
from ingest import ATTRIBUTES, BLOCK, HEADER, REGISTRY, Numpy

from support import Case, main
from tiertwin import _core
from tiertwin.wire.access import Access
from tiertwin.wire.context import WireContext
from tiertwin.wire.keys import KeyPair, KeySet, Member, make_keys
from tiertwin.wire.zeromq import Bind, NodeEndpoint, ParentAddress

ROWS, PART = 10_000, 125  # of the table; of a frame
UPDATES = PART * ATTRIBUTES  # of a frame
STRIDE = BLOCK + (4 * PART + 7) // 8 * 8 + 8 * PART  # bytes of one block of a frame
EVERY_NS = 500_000  # between frames, for latency
LIVE, LOST = 1, 4
PARENT, CHILD = "fog-1", "edge-a"
LINK_S, RUN_S = 15.0, 60.0  # timeouts


@dataclass(frozen=True)
class Run:
    """What one run gave: CPU seconds of the sender, one-way times (s) where asked for, digest of the sender's table."""

    cpu_s: float
    p99_s: float
    digest: int


# ------------------------------------------------------------------------------------------------------------- links
class Link(Protocol):
    """A connection of a node with one other; used by one thread."""

    def wait(self, timeout_ms: float) -> None:
        """Wait for a frame, or for something to read from `watch`ed descriptors."""
        ...

    def receive(self) -> list[Any]:
        """Return the frames that are there."""
        ...

    def send(self, frame: Any) -> bool:
        """Hand a frame over; False: not now."""
        ...

    def watch(self, fd: int) -> None:
        """Wake up for this descriptor too."""
        ...

    def close(self) -> None:
        """Release the sockets."""
        ...


class CurveLink:
    """What ships: `NodeEndpoint` with CURVE, door and start-up proof."""

    def __init__(self, keys: KeySet, name: str, other: str, address: str | None = None) -> None:
        self.wire = WireContext(keys.access, now_ns=time.monotonic_ns(), now_s=time.time())
        above = None
        if address is not None:
            public = keys.access.public_of(other)
            assert public is not None
            above = ParentAddress(other, address, public)
        pair, bind = keys.keys[name].pair, Bind() if address is None else None
        self.endpoint = NodeEndpoint(self.wire, name, pair, bind=bind, parent=above)
        self.wire.prove([self.endpoint], time.monotonic_ns)
        self.address, self.other, self.up = self.endpoint.address, other, False

    def wait(self, timeout_ms: float) -> None:
        self.wire.tick(time.monotonic_ns(), time.time())
        self.wire.wait(timeout_ms)
        if self.endpoint.next_ns <= time.monotonic_ns():
            self.endpoint.tick(time.monotonic_ns())
        self.up = self.up or any(event.kind == "up" for event in self.endpoint.link_events())

    def receive(self) -> list[Any]:
        return [frame for _, frame in self.endpoint.receive()]

    def send(self, frame: Any) -> bool:
        return self.endpoint.send(self.other, frame)

    def watch(self, fd: int) -> None:
        self.wire.poller.add_file(fd, fd)

    def close(self) -> None:
        self.wire.close()


class PlainLink:
    """The same sockets without CURVE and without a door; to be found nowhere else."""

    def __init__(self, address: str | None = None) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER if address is None else zmq.DEALER)
        self.socket.setsockopt(zmq.SNDHWM, 256)
        self.socket.setsockopt(zmq.RCVHWM, 256)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.to: list[bytes] = []
        if address is None:
            port: int = self.socket.bind_to_random_port("tcp://127.0.0.1")
            address = f"tcp://127.0.0.1:{port}"
        else:
            self.socket.connect(address)
        self.address, self.up = address, True
        self.poller = zmq.Poller()
        self.poller.register(self.socket, zmq.POLLIN)

    def wait(self, timeout_ms: float) -> None:
        self.poller.poll(int(timeout_ms))

    def receive(self) -> list[Any]:
        frames: list[Any] = []
        while len(frames) < 64:
            try:
                part = self.socket.recv(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                break
            if self.socket.type == zmq.ROUTER:
                self.to = [part.bytes]
                part = self.socket.recv(zmq.DONTWAIT, copy=False)
            frames.append(part.buffer)
        return frames

    def send(self, frame: Any) -> bool:
        try:
            self.socket.send_multipart([*self.to, frame], zmq.DONTWAIT)
        except zmq.Again:
            return False
        return True

    def watch(self, fd: int) -> None:
        self.poller.register(fd, zmq.POLLIN)

    def close(self) -> None:
        self.socket.close(0)


# ------------------------------------------------------------------------------------------------------------ senders
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


class ByteSender:
    """The same frames as bytes, made beforehand."""

    def __init__(self, put: Callable[[bytes], Any]) -> None:
        self.put = put
        self.number = 1
        self.made: list[bytes] = []
        self.table = _core.StateTable(REGISTRY, 1, list(range(1, ATTRIBUTES + 1)), ROWS)
        self.values = np.random.default_rng(7).normal(0.0, 100.0, (64, ATTRIBUTES, PART))

    def prepare(self, count: int) -> None:
        """Encode the next frames; not timed."""
        self.made = []
        for k in range(count):
            at = k * PART % ROWS
            rows = np.arange(at, at + PART, dtype=np.uint32)
            for attribute in range(ATTRIBUTES):
                self.table.set(attribute + 1, rows, self.values[k % 64, attribute], 1_000_000 * k)
            (frame,) = _core.encode_delta(self.table, self.number, 1)
            self.number += UPDATES
            self.made.append(frame)

    def frames(self, count: int) -> None:
        for frame in self.made[:count]:
            self.put(frame)

    def paced(self, count: int) -> None:
        for k in pace(count):
            frame = bytearray(self.made[k])
            now = time.monotonic_ns() // 1000 * 1000
            for block in range(ATTRIBUTES):
                struct.pack_into("<q", frame, HEADER + block * STRIDE + 8, now)
            self.put(bytes(frame))

    def serve(self) -> None:
        """Do what standard input says."""
        while True:
            order(self.__getattribute__, lambda: (self.number - 1, self.table.digest()))


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


def until(done: Callable[[], bool], turn: Callable[[], object], what: str, timeout_s: float = LINK_S) -> None:
    """Repeat `turn` until `done`."""
    end = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"no {what} within {timeout_s:g} s")
        turn()


# ---------------------------------------------------------------------------------------------------------- receivers
class Receiver:
    """The other process, and how it is told what to do."""

    def __init__(self, setting: dict[str, Any]) -> None:
        command = [sys.executable, __file__, "--sender", json.dumps(setting)]
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
        super().__init__({"kind": "ours", "address": link.address, "keys": None if keys is None else _plain(keys)})
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


class NumpyReceiver(Receiver):
    """Arrays behind a pyzmq PULL socket."""

    def __init__(self, keys: KeySet | None) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PULL)
        if keys is not None:
            self.socket.setsockopt(zmq.CURVE_SERVER, 1)
            self.socket.setsockopt(zmq.CURVE_SECRETKEY, keys.keys[PARENT].pair.secret)
        port: int = self.socket.bind_to_random_port("tcp://127.0.0.1")
        address = f"tcp://127.0.0.1:{port}"
        super().__init__({"kind": "numpy", "address": address, "keys": None if keys is None else _plain(keys)})
        self.arrays = Numpy(ROWS)

    def close(self) -> None:
        self.socket.close(0)

    def prepare(self, count: int) -> None:
        self.tell("prepare", count)
        self.answer()

    def run(self, what: str, count: int) -> Run:
        timing = what == "paced"
        self.tell(what, count)
        for _ in range(count):
            frame = self.socket.recv(copy=False).buffer
            self.arrays.ingest(frame)
            if timing:
                self.note(frame)
        spent, _, digest = self.answer()
        return Run(spent, self.p99(), digest)


class ZenohReceiver(NumpyReceiver):
    """The same arrays behind a zenoh subscriber."""

    def __init__(self) -> None:
        import zenoh

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = zenoh.Config()
        config.insert_json5("mode", '"peer"')
        config.insert_json5("listen/endpoints", f'["tcp/127.0.0.1:{port}"]')
        config.insert_json5("scouting/multicast/enabled", "false")
        self.session: Any = zenoh.open(config)
        self.arrays = Numpy(ROWS)
        self.left, self.came, self.timing_now = 0, threading.Event(), False
        self.subscriber = self.session.declare_subscriber("bench/frames", self._take)
        Receiver.__init__(self, {"kind": "zenoh", "address": f"tcp/127.0.0.1:{port}", "keys": None})

    def close(self) -> None:
        self.session.close()

    def _take(self, sample: Any) -> None:
        frame = sample.payload.to_bytes()
        self.arrays.ingest(frame)
        if self.timing_now:
            self.note(frame)
        self.left -= 1
        if self.left == 0:
            self.came.set()

    def run(self, what: str, count: int) -> Run:
        self.left, self.timing_now = count, what == "paced"
        self.came.clear()
        self.tell(what, count)
        if not self.came.wait(RUN_S):
            raise TimeoutError(f"{self.left} frames did not come")
        spent, _, digest = self.answer()
        return Run(spent, self.p99(), digest)


def sender(setting: dict[str, Any]) -> None:
    """Run the other process."""
    keys = None if setting["keys"] is None else _keys(setting["keys"])
    address = setting["address"]
    if setting["kind"] == "ours":
        OurSender(PlainLink(address) if keys is None else CurveLink(keys, CHILD, PARENT, address)).serve()
    elif setting["kind"] == "numpy":
        push: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PUSH)
        if keys is not None:
            public = keys.access.public_of(PARENT)
            assert public is not None
            mine = KeyPair.fresh()
            push.setsockopt(zmq.CURVE_PUBLICKEY, mine.public)
            push.setsockopt(zmq.CURVE_SECRETKEY, mine.secret)
            push.setsockopt(zmq.CURVE_SERVERKEY, public)
        push.connect(address)
        ByteSender(push.send).serve()
    else:
        import zenoh

        config = zenoh.Config()
        config.insert_json5("mode", '"peer"')
        config.insert_json5("connect/endpoints", f'["{address}"]')
        config.insert_json5("scouting/multicast/enabled", "false")
        session: Any = zenoh.open(config)
        block = zenoh.CongestionControl.BLOCK
        publisher = session.declare_publisher("bench/frames", congestion_control=block)
        until(lambda: bool(publisher.matching_status.matching), lambda: time.sleep(0.02), "subscriber")
        ByteSender(publisher.put).serve()


def _plain(keys: KeySet) -> dict[str, Any]:
    """Return throw-away keys as JSON values, for the other process."""
    rows = {name: [key.role, key.public, key.secret, key.not_after.timestamp()] for name, key in keys.keys.items()}
    return {"keys": rows, "access": keys.access.to_json().decode()}


def _keys(plain: dict[str, Any]) -> KeySet:
    from tiertwin.wire.keys import NodeKey

    keys = {
        name: NodeKey(node=name, role=role, public=public, secret=secret, not_after=datetime.fromtimestamp(end, UTC))
        for name, (role, public, secret, end) in plain["keys"].items()
    }
    return KeySet(keys, Access.from_json(plain["access"].encode()))


# -------------------------------------------------------------------------------------------------------------- cases
class Pair:
    """Ours and a peer on the same work."""

    def __init__(self, ours: OurReceiver, peer: NumpyReceiver | None, what: str, count: int) -> None:
        self.ours, self.peer, self.what, self.count = ours, peer, what, count

    def setup(self) -> None:
        self.ours.keep()
        if self.peer is not None:
            self.peer.prepare(self.count)

    def run_ours(self, _: None) -> Run:
        return self.ours.run(self.what, self.count)

    def run_peer(self, _: None) -> Run:
        assert self.peer is not None
        return self.peer.run(self.what, self.count)

    def check(self, ours: Run, peer: Run | None) -> None:
        table = self.ours.table
        assert table.digest() == ours.digest, "our table differs from the sender's"
        if self.peer is not None and peer is not None:
            for attribute in range(ATTRIBUTES):
                rows, theirs = min(self.count * PART, ROWS), self.peer.arrays.value[attribute]
                np.testing.assert_array_equal(table.column(attribute + 1)[:rows], theirs[:rows])


class OnOff(Pair):
    """Ours with CURVE against ours without."""

    def __init__(self, curve: OurReceiver, plain: OurReceiver, count: int) -> None:
        super().__init__(curve, None, "frames", count)
        self.plain = plain

    def setup(self) -> None:
        self.ours.keep()
        self.plain.keep()

    def run_peer(self, _: None) -> Run:
        return self.plain.run(self.what, self.count)

    def check(self, ours: Run, peer: Run | None) -> None:
        assert peer is not None
        assert self.ours.table.digest() == ours.digest, "our table differs from the sender's"
        assert self.plain.table.digest() == peer.digest, "the table without CURVE differs from the sender's"


def case(name: str, pair: Pair, peer_name: str, *, target: float | None = None) -> Case:
    """Return the case of a pair."""
    latency = pair.what == "paced"
    return Case(
        f"sync/{name}",
        pair.run_ours,
        None if target is not None else pair.run_peer,
        peer_name,
        pair.check,
        "s" if latency else "updates/s",
        float(pair.count * (1 if pair.what == "singles" else UPDATES)),
        pair.setup,
        target,
        figure=(lambda run: run.p99_s) if latency else None,
        cpu=lambda run: run.cpu_s,
    )


def cases(quick: bool) -> Iterable[Case]:
    """Yield the cases; each has processes and sessions of its own."""
    count, few, many = (800, 400, 200_000) if quick else (2000, 1000, 500_000)
    keys = make_keys([Member(PARENT, "fog"), Member(CHILD, "edge", (PARENT,))], time.time())
    over = "numpy over pyzmq, last-number-wins only"
    for what, amount, name in (("frames", count, "throughput"), ("paced", few, "latency p99")):
        for used, word in ((keys, "curve"), (None, "plain")):
            with NumpyReceiver(used) as peer, OurReceiver(used) as ours:
                yield case(f"{name}/{word}", Pair(ours, peer, what, amount), over)
    with OurReceiver(keys) as curve, OurReceiver(None) as plain:
        yield case("throughput/curve of plain", OnOff(curve, plain, count), "ours without CURVE")
    with OurReceiver(keys) as ours:
        yield case("one at a time/curve", Pair(ours, None, "singles", many), "target", target=1e6)
    try:
        import zenoh  # noqa: F401
    except ImportError:
        print('zenoh is not installed, its cases are left out: pip install "tiertwin[bench]"', file=sys.stderr)
        return
    for what, amount, name in (("frames", count, "throughput"), ("paced", few, "latency p99")):
        with ZenohReceiver() as peer, OurReceiver(None) as ours:
            yield case(f"{name}/plain, zenoh", Pair(ours, peer, what, amount), "eclipse-zenoh into numpy")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--sender"]:
        sender(json.loads(sys.argv[2]))
    else:
        main(__doc__, cases)
