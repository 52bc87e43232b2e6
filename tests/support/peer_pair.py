"""Two peers joined by a faulty channel in memory: virtual nanoseconds, one heap, one seeded generator.

The channel loses, repeats, delays and thereby reorders frames, cuts one way, and resets the session, dropping what is
in flight or replaying it later. `heal()` ends all faults. Every option is drawn from the seed and kept in `options`.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

import numpy as np

from tiertwin import _core

MS = 1_000_000
EVENT = _core.PEER_EVENTS
STATE = _core.SESSION_STATES
TELEMETRY, CUT, BUDGET, QUERY = 1, 4, 16, 17
LOAD, RATE, QUOTA, PRICE, ROUND = 1, 2, 3, 4, 5


def registry() -> _core.AttributeRegistry:
    """Five attributes: two of samples, three of units."""
    found = _core.AttributeRegistry()
    for number, name in ((LOAD, "load"), (RATE, "rate"), (QUOTA, "quota"), (PRICE, "price")):
        found.add(number, name, "1", "gauge", "f64", "sum", -1e12, 1e12, 1000)
    found.add(ROUND, "round", "1", "gauge", "u32", "max", 0, 4e9, 1000)
    return found


@dataclass
class Options:
    """What may go wrong, drawn once a seed."""

    drop: float
    repeat: float
    delay_ms: tuple[float, float]
    reset_every_ms: float
    replay: float
    cut: float
    credit_frames: int
    frame_bytes: int
    rows: int
    faults_ms: int

    @classmethod
    def draw(cls, rng: random.Random) -> Options:
        """Draw a world; about a third of the fault classes are off in each."""
        some = lambda value: value if rng.random() < 0.66 else 0.0  # noqa: E731
        low = rng.choice([0.0, 1.0, 20.0])
        return cls(
            drop=some(rng.choice([0.01, 0.1, 0.3])),
            repeat=some(rng.choice([0.01, 0.1, 0.3])),
            delay_ms=(low, low + some(rng.choice([5.0, 60.0, 200.0]))),
            reset_every_ms=some(rng.choice([150.0, 800.0])),
            replay=some(0.5),
            cut=some(0.02),
            credit_frames=rng.choice([1, 2, 8, 64]),
            frame_bytes=rng.choice([256, 400, 4096, 262144]),
            rows=rng.choice([1, 7, 60, 300]),
            faults_ms=rng.choice([500, 1500, 3000]),
        )


@dataclass
class End:
    """One side: its peer, its tables, and what it was handed."""

    name: str
    peer: _core.Peer
    out: _core.StateTable
    into: _core.StateTable
    handed: list[tuple[int, dict[int, tuple[np.ndarray, np.ndarray]], _core.Lease | None]] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    connect_at: int = -1
    cursors: list[tuple[int, int]] = field(default_factory=list)


class Pair:
    """A child and its parent, and the channel between them."""

    def __init__(self, seed: int, options: Options | None = None) -> None:
        self.rng = random.Random(seed)
        self.options = options or Options.draw(self.rng)
        self.registry = registry()
        self.now = 0
        self.faulty = True
        self._heap: list[tuple[int, int, str, bytes]] = []
        self._count = 0
        self._cut: dict[str, int] = {"child": 0, "parent": 0}  # no frame reaches this side before then
        self.child = self._make("child", True, 1, 1)
        self.parent = self._make("parent", False, 1, 2)
        self.ends = {"child": self.child, "parent": self.parent}

    def _make(self, name: str, is_child: bool, incarnation: int, stream: int) -> End:
        o = self.options
        peer = _core.Peer(
            self.registry, is_child=is_child, incarnation=incarnation, stream_id=stream, credit_frames=o.credit_frames,
            max_frame_bytes=o.frame_bytes, snapshot_every_ms=500, virtual_clock=True,
        )  # fmt: skip
        table = lambda: _core.StateTable(self.registry, TELEMETRY, [LOAD, RATE], o.rows)  # noqa: E731
        end = End(name, peer, table(), table())
        peer.add_out(end.out)
        peer.add_in(end.into)
        ways = {True: ((CUT, [QUOTA, ROUND]),), False: ((BUDGET, [QUOTA, PRICE]), (QUERY, [QUOTA, ROUND]))}
        for table_id, attributes in ways[is_child]:
            peer.add_unit_out(table_id, attributes, 8)
        for table_id, attributes in ways[not is_child]:
            peer.add_unit_in(table_id, attributes, 8)
        return end

    def restart(self, name: str) -> End:
        """Make one side anew, as after a crash: next incarnation, new stream, empty tables.

        The channel knows no connections: what flew towards it reaches its next life.
        """
        old = self.ends[name]
        fresh = self._make(name, name == "child", old.peer.incarnation + 1, self.rng.getrandbits(63) + 1)
        self.ends[name] = fresh
        setattr(self, name, fresh)
        if name == "child":
            fresh.connect_at = self.now + 10 * MS
        return fresh

    def heal(self) -> None:
        """End all faults; what is in flight still arrives."""
        self.faulty = False
        self._cut = {"child": 0, "parent": 0}

    def send(self, end: End, frames: list[bytes]) -> None:
        """Put frames on the channel towards the other side."""
        o, rng = self.options, self.rng
        to = "parent" if end.name == "child" else "child"
        for frame in frames:
            if not self.faulty:
                self._post(MS, to, frame)
                continue
            if rng.random() < o.drop:
                continue
            for _ in range(2 if rng.random() < o.repeat else 1):
                self._post(int(rng.uniform(*o.delay_ms) * MS), to, frame)

    def _post(self, delay: int, to: str, frame: bytes) -> None:
        self._count += 1
        heapq.heappush(self._heap, (self.now + delay, self._count, to, frame))

    def reset(self) -> None:
        """The connection breaks: both sides learn of it; what was in flight is lost or comes again much later."""
        flying, self._heap = self._heap, []
        for _, _, to, frame in flying:
            if self.rng.random() < self.options.replay:
                self._post(int(self.rng.uniform(1, 400) * MS), to, frame)
        for end in self.ends.values():
            self.carry(end, end.peer.lost(self.now))

    def carry(self, end: End, received: _core.Received) -> None:
        """Do what a runtime does with the outcome of a call."""
        self.send(end, received.reply)
        end.events += received.events
        for unit in received.units():
            assert unit.lease is None or unit.lease.term == end.peer.term  # nothing of a lower term is obeyed (P6)
            end.handed.append((unit.table, unit.cells, unit.lease))
        end.cursors.append((end.peer.peer_stream_id, end.peer.cursor))
        if end.peer.is_child and {EVENT["lost"], EVENT["banned"]} & set(received.events):
            end.connect_at = self.now + int(self.rng.uniform(5, 100) * MS)

    def step(self, until_ns: int) -> None:
        """Deliver what arrives up to `until_ns`, then move there."""
        while self._heap and self._heap[0][0] <= until_ns:
            at, _, to, frame = heapq.heappop(self._heap)
            self.now = max(self.now, at)
            if self.faulty and self.now < self._cut[to]:
                continue
            self.carry(self.ends[to], self.ends[to].peer.receive(frame, self.now))
        self.now = until_ns

    def beat(self, period_ms: int = 25) -> None:
        """One period: deliver, reconnect, tick, publish; faults strike while they last."""
        self.step(self.now + period_ms * MS)
        o, rng = self.options, self.rng
        if self.faulty and o.reset_every_ms and rng.random() < period_ms / o.reset_every_ms:
            self.reset()
        if self.faulty and rng.random() < o.cut:
            self._cut[rng.choice(["child", "parent"])] = self.now + int(rng.uniform(50, 1500) * MS)
        for end in self.ends.values():
            if end.connect_at >= 0 and self.now >= end.connect_at:
                hello = end.peer.connect(self.now)  # nothing while banned
                end.connect_at = -1 if hello else self.now + 1000 * MS
                self.send(end, hello)
            self.carry(end, end.peer.tick(self.now))
            self.send(end, end.peer.publish(self.now))

    def write(self, end: End) -> None:
        """Change some samples of one side."""
        rows = np.unique(np.array([self.rng.randrange(self.options.rows) for _ in range(5)], np.uint32))
        values = np.array([self.rng.uniform(-9, 9) for _ in rows])
        end.out.set(self.rng.choice([LOAD, RATE]), rows, values, self.now)

    def unit(
        self,
        end: End,
        table: int,
        attributes: tuple[int, ...],
        value: float,
        rows: list[int],
        *,
        lease: tuple[int, int, int, int, int] | None = None,
    ) -> None:
        """Send a unit that gives every attribute of every row the same value."""
        k = len(rows)
        attrs = np.repeat(np.array(attributes, np.int64), k)
        values = np.full(len(attributes) * k, float(value))
        at = np.array(rows * len(attributes), np.uint32)
        self.send(end, end.peer.send_unit(table, attrs, at, values, self.now, self.now, lease))

    def settled(self) -> bool:
        """Both live, nothing waiting, nothing unacknowledged (heartbeats may be on their way)."""
        return all(
            e.peer.state == STATE["live"] and e.peer.acked == e.peer.last and e.out.dirty_count == 0
            and e.peer.held_units == 0 and not e.peer.snapshot_active
            for e in self.ends.values()
        )  # fmt: skip
