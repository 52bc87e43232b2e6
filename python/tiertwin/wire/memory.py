"""The in-memory network: the same frames as on a socket, in virtual time, with the faults a network has.

Delay, loss, duplication and reordering are drawn from Philox keyed by (seed, directed pair, frame number), so that
adding a node changes no other pair's luck. Delivery is ordered by (time, sender, number): never by a dictionary.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from dataclasses import dataclass

from tiertwin import _core
from tiertwin.wire.endpoint import HIGH_WATER, NEVER_NS, RECEIVE_LIMIT, Buffer, LinkEvent, check_length

_PURPOSE_FATE = 0x77697265  # "wire"
_DRAWS = 256
_PAUSE_NS = 100_000_000


@dataclass(frozen=True, slots=True)
class Faults:
    """How a directed pair behaves. Times in ns, the rest are probabilities a frame in [0, 1]."""

    delay: int = 1_000_000
    jitter: int = 0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0  # chance of an extra delay of three jitters (at least 3 ms)

    @property
    def is_random(self) -> bool:
        return self.jitter > 0 or self.loss > 0 or self.duplicate > 0 or self.reorder > 0


class MemoryNetwork:
    """All endpoints of one process and the frames under way between them.

    Parameters
    ----------
    seed
        Key of every draw.
    faults
        Behaviour of a pair that has none of its own (:meth:`set_faults`).
    """

    def __init__(self, seed: int = 0, faults: Faults | None = None) -> None:
        self._seed = seed
        self._default = faults or Faults()
        self._faults: dict[tuple[str, str], Faults] = {}
        self._index: dict[str, int] = {}
        self._endpoints: dict[str, MemoryEndpoint] = {}
        self._under_way: list[tuple[int, int, int, str, str, Buffer]] = []
        self._sent: dict[tuple[str, str], int] = {}
        self._luck: dict[tuple[str, str], tuple[int, list[float]]] = {}
        self._cut: set[tuple[str, str]] = set()
        self._flying: Counter[tuple[str, str]] = Counter()
        self._number = 0
        self.dropped = 0

    def endpoint(self, name: str, parent: str | None = None) -> MemoryEndpoint:
        """Register `name` and return its endpoint. Order of registration breaks ties of delivery.

        Who carries frames itself (`send`, `pop`) needs no endpoint opened.
        """
        if name in self._index:
            raise ValueError(f"Expected a new endpoint name, got {name!r}, which is registered already.")
        self._index[name] = len(self._index)
        made = self._endpoints[name] = MemoryEndpoint(self, name, parent)
        return made

    def at(self, name: str) -> MemoryEndpoint | None:
        """Return the endpoint of a name."""
        return self._endpoints.get(name)

    def deliver(self, now: int) -> None:
        """Hand everything that is due to the endpoints."""
        while self._under_way and self._under_way[0][0] <= now:
            _, sender, receiver, frame = self.pop()
            self._endpoints[receiver].deliver(sender, frame)

    def forget(self, one: str, other: str) -> None:
        """Lose what is under way between two, as when a connection ends."""
        kept = [item for item in self._under_way if {item[3], item[4]} != {one, other}]
        self.dropped += len(self._under_way) - len(kept)
        self._under_way = kept
        heapq.heapify(kept)
        del self._flying[one, other], self._flying[other, one]

    def waiting(self, sender: str, receiver: str) -> int:
        """Return how many frames are under way from one to another."""
        return self._flying[sender, receiver]

    def set_faults(self, sender: str, receiver: str, faults: Faults) -> None:
        """Give one directed pair its own behaviour."""
        self._faults[sender, receiver] = faults

    def cut(self, sender: str, receiver: str) -> None:
        """Drop everything from `sender` to `receiver` until :meth:`heal`."""
        self._cut.add((sender, receiver))

    def heal(self, sender: str, receiver: str) -> None:
        """End a :meth:`cut`."""
        self._cut.discard((sender, receiver))

    def send(self, sender: str, receiver: str, frame: Buffer, now: int) -> None:
        """Put a frame on its way at virtual time `now`."""
        pair = (sender, receiver)
        if pair in self._cut:
            self.dropped += 1
            return
        faults = self._faults.get(pair, self._default)
        if not faults.is_random:
            self._push(now + faults.delay, pair, frame)
            return
        count = self._sent.get(pair, 0)
        self._sent[pair] = count + 1
        lost, late, twice, overtaken = self._draw(pair, count)
        if lost < faults.loss:
            self.dropped += 1
            return
        at = now + faults.delay + int(late * faults.jitter)
        if overtaken < faults.reorder:
            at += 3 * max(faults.jitter, 1_000_000)
        self._push(at, pair, frame)
        if twice < faults.duplicate:
            self._push(at + 1 + faults.jitter, pair, frame)

    def bring(self, at: int, sender: str, receiver: str, frame: bytes) -> None:
        """Take a frame that another process sent: it is delivered at virtual time `at`, behind those brought before."""
        self._push(at, (sender, receiver), frame)

    def _draw(self, pair: tuple[str, str], count: int) -> list[float]:
        block, offset = divmod(count, _DRAWS)
        held = self._luck.get(pair)
        if held is None or held[0] != block:
            entity = self._index.get(pair[0], 0) << 32 | self._index.get(pair[1], 0)
            drawn = _core.philox(self._seed, entity, _PURPOSE_FATE + block, 4 * _DRAWS).tolist()
            held = (block, drawn)
            self._luck[pair] = held
        return held[1][4 * offset : 4 * offset + 4]

    def _push(self, at: int, pair: tuple[str, str], frame: Buffer) -> None:
        self._number += 1
        self._flying[pair] += 1
        heapq.heappush(self._under_way, (at, self._index.get(pair[0], -1), self._number, pair[0], pair[1], frame))

    def next_time(self) -> int | None:
        """Time of the next delivery, None when nothing is under way."""
        return self._under_way[0][0] if self._under_way else None

    def pop(self) -> tuple[int, str, str, Buffer]:
        """Take the next delivery: (time, sender, receiver, frame)."""
        at, _, _, sender, receiver, frame = heapq.heappop(self._under_way)
        self._flying[sender, receiver] -= 1
        return at, sender, receiver, frame


class MemoryEndpoint:
    """One node's endpoint in a :class:`MemoryNetwork` (the `Endpoint` protocol); `tick` tells it the time.

    The link to the parent comes up when both are open, and behaves like a connection: what is under way when it ends
    is lost.
    """

    def __init__(self, network: MemoryNetwork, name: str, parent: str | None = None) -> None:
        self._network = network
        self.name = name
        self.parent = parent
        self.now = 0
        self.next_ns = NEVER_NS
        self._inbox: deque[tuple[str, Buffer]] = deque()
        self._waiting: Counter[str] = Counter()  # of the inbox, by sender
        self._events: list[LinkEvent] = []
        self._counted: Counter[str] = Counter()
        self._linked: dict[str, bool] = {}  # peer → did it say something yet?
        self._is_open = True
        self._told_unreachable = False
        self.begun = False

    def open(self, now_ns: int) -> None:
        """Begin; see :class:`~tiertwin.wire.endpoint.Endpoint`."""
        self.begun = self._is_open
        self.next_ns = now_ns if self.parent is not None else NEVER_NS
        self.tick(now_ns)

    def tick(self, now_ns: int) -> None:
        """Let time pass; link up with the parent when it is there."""
        self.now = now_ns
        if self.parent is None or not self.begun or now_ns < self.next_ns:
            return
        parent = self._network.at(self.parent)
        if parent is not None and parent.begun:
            self.next_ns = NEVER_NS
            self._told_unreachable = False
            self._linked[self.parent] = parent._linked[self.name] = False
            self._events.append(LinkEvent(self.parent, "up"))
        else:
            if not self._told_unreachable:
                self._told_unreachable = True
                self._events.append(LinkEvent(self.parent, "unreachable", f"{self.parent!r} is not open"))
            self.next_ns = now_ns + _PAUSE_NS

    def reopen(self, now_ns: int) -> None:
        """End the link to the parent; another one comes after a pause."""
        if self.parent is not None and self.begun:
            self._end(self.parent, tell_self=False)
            self.next_ns = now_ns + _PAUSE_NS

    def _end(self, peer: str, *, tell_self: bool) -> None:
        """End the link with `peer` on both sides, and lose what is under way."""
        if peer not in self._linked:
            return
        other = self._network.at(peer)
        assert other is not None
        self._network.forget(self.name, peer)
        for one, name, told in ((self, peer, tell_self), (other, self.name, True)):
            del one._linked[name]
            one._inbox = deque(item for item in one._inbox if item[0] != name)
            del one._waiting[name]
            if told:
                one._events.append(LinkEvent(name, "down", "disconnected"))
            if one.parent == name:
                one.next_ns = one.now + _PAUSE_NS

    def send(self, peer: str, frame: Buffer) -> bool:
        """Hand over a frame; False: back-pressure, or no link to `peer`."""
        if not self._is_open:
            raise ValueError(f"Expected an open endpoint, got {self.name!r}, which is closed.")
        check_length(frame)
        other = self._network.at(peer)
        if other is None or not (self._linked.get(peer) or (peer == self.parent and peer in self._linked)):
            self._counted["R25 no link"] += 1
            return False
        if self._network.waiting(self.name, peer) + other._waiting[self.name] >= HIGH_WATER:
            self._counted["R25 back-pressure"] += 1
            return False
        self._network.send(self.name, peer, frame, self.now)
        return True

    def deliver(self, peer: str, frame: Buffer) -> None:
        """Take a frame of `peer` that is due."""
        if not self._linked.get(peer, True):
            self._linked[peer] = True
            if peer != self.parent:
                self._events.append(LinkEvent(peer, "up"))
        self._inbox.append((peer, frame))
        self._waiting[peer] += 1

    def receive(self, limit: int = RECEIVE_LIMIT) -> list[tuple[str, Buffer]]:
        """Return at most `limit` frames, in order of arrival."""
        ready = [self._inbox.popleft() for _ in range(min(limit, len(self._inbox)))]
        self._waiting.subtract(peer for peer, _ in ready)
        return ready

    def link_events(self) -> list[LinkEvent]:
        """Return what happened to the links since the last call."""
        taken, self._events = self._events, []
        return taken

    def counters(self) -> dict[str, int]:
        """Return what was dropped or refused, by rule and reason."""
        return dict(self._counted)

    def close(self) -> None:
        """End all links."""
        for peer in list(self._linked):
            self._end(peer, tell_self=False)
        self._is_open = self.begun = False
        self._inbox.clear()
        self._events.clear()
        self.next_ns = NEVER_NS
