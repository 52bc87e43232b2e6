"""What `sync.py` compares with: the same updates into numpy arrays, over pyzmq and zenoh; unchecked, unacknowledged.

`frames` and `paced` are our own frames, encoded beforehand. `batch` is the peer's best form of the same updates, made
and read within the time: rows once and values as one matrix, as numpy has them in memory, taken in by four operations.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import zmq
from ingest import ATTRIBUTES, HEADER, REGISTRY, Numpy
from sync_ends import PART, ROWS, RUN_S, STRIDE, UPDATES, Receiver, Run, order, pace
from sync_links import PARENT, plain_keys

from tiertwin import _core
from tiertwin.wire.keys import KeySet

PREFIX = struct.Struct("<Qq")  # of a batch: first number, time


class Arrays(Numpy):
    """Last number wins, of batches too."""

    within = np.arange(UPDATES, dtype=np.uint64).reshape(ATTRIBUTES, PART)

    def take(self, message: Any) -> None:
        """Take a batch in."""
        number, time_ns = PREFIX.unpack_from(message)
        rows = np.frombuffer(message, np.uint32, PART, PREFIX.size)
        values = np.frombuffer(message, np.float64, UPDATES, PREFIX.size + 4 * PART + 4 * (PART % 2))
        numbers = self.within + np.uint64(number)
        if (numbers > self.number[:, rows]).all():
            self.value[:, rows] = values.reshape(ATTRIBUTES, PART)
            self.time[:, rows] = time_ns
            self.number[:, rows] = numbers
            return
        for attribute in range(ATTRIBUTES):
            some = slice(attribute * PART, (attribute + 1) * PART)
            self.apply(attribute, rows, values[some], time_ns, numbers[attribute])


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

    def batch(self, count: int) -> None:
        rows = [np.arange(at, at + PART, dtype=np.uint32) for at in range(0, ROWS, PART)]
        padding = bytes(4 * (PART % 2))
        for k in range(count):
            prefix = PREFIX.pack(self.number, time.monotonic_ns())
            self.put(b"".join((prefix, rows[k % len(rows)].tobytes(), padding, self.values[k % 64].tobytes())))
            self.number += UPDATES

    def serve(self) -> None:
        """Do what standard input says."""
        while True:
            order(self.__getattribute__, lambda: (self.number - 1, self.table.digest()))


class NumpyReceiver(Receiver):
    """Arrays behind a pyzmq PULL socket."""

    def __init__(self, keys: KeySet | None) -> None:
        self.socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.PULL)
        if keys is not None:
            self.socket.setsockopt(zmq.CURVE_SERVER, 1)
            self.socket.setsockopt(zmq.CURVE_SECRETKEY, keys.keys[PARENT].pair.secret)
        port: int = self.socket.bind_to_random_port("tcp://127.0.0.1")
        address = f"tcp://127.0.0.1:{port}"
        super().__init__({"kind": "numpy", "address": address, "keys": None if keys is None else plain_keys(keys)})
        self.arrays = Arrays(ROWS)

    def close(self) -> None:
        self.socket.close(0)

    def prepare(self, count: int) -> None:
        self.tell("prepare", count)
        self.answer()

    def run(self, what: str, count: int) -> Run:
        timing, take = what == "paced", self.arrays.take if what == "batch" else self.arrays.ingest
        self.tell(what, count)
        for _ in range(count):
            frame = self.socket.recv(copy=False).buffer
            take(frame)
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
        self.arrays = Arrays(ROWS)
        self.taking: Callable[[bytes], None] = self.arrays.ingest
        self.left, self.came, self.timing_now = 0, threading.Event(), False
        self.subscriber = self.session.declare_subscriber("bench/frames", self._take)
        Receiver.__init__(self, {"kind": "zenoh", "address": f"tcp/127.0.0.1:{port}", "keys": None})

    def close(self) -> None:
        self.session.close()

    def _take(self, sample: Any) -> None:
        frame = sample.payload.to_bytes()
        self.taking(frame)
        if self.timing_now:
            self.note(frame)
        self.left -= 1
        if self.left == 0:
            self.came.set()

    def run(self, what: str, count: int) -> Run:
        self.left, self.timing_now = count, what == "paced"
        self.taking = self.arrays.take if what == "batch" else self.arrays.ingest
        self.came.clear()
        self.tell(what, count)
        if not self.came.wait(RUN_S):
            raise TimeoutError(f"{self.left} frames did not come")
        spent, _, digest = self.answer()
        return Run(spent, self.p99(), digest)
