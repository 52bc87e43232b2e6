"""The in-memory network: the same frames as on a socket, in virtual time, with the faults a network has.

Delay, loss, duplication and reordering are drawn from Philox keyed by (seed, directed pair, frame number), so that
adding a node changes no other pair's luck. Delivery is ordered by (time, sender, number): never by a dictionary.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

from tiertwin import _core

_PURPOSE_FATE = 0x77697265  # "wire"
_DRAWS = 256


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
        self._under_way: list[tuple[int, int, int, str, str, bytes]] = []
        self._sent: dict[tuple[str, str], int] = {}
        self._luck: dict[tuple[str, str], tuple[int, list[float]]] = {}
        self._cut: set[tuple[str, str]] = set()
        self._number = 0
        self.dropped = 0

    def endpoint(self, name: str) -> MemoryEndpoint:
        """Register `name` and return its endpoint. Order of registration breaks ties of delivery."""
        if name in self._index:
            raise ValueError(f"Expected a new endpoint name, got {name!r}, which is registered already.")
        self._index[name] = len(self._index)
        return MemoryEndpoint(self, name)

    def set_faults(self, sender: str, receiver: str, faults: Faults) -> None:
        """Give one directed pair its own behaviour."""
        self._faults[sender, receiver] = faults

    def cut(self, sender: str, receiver: str) -> None:
        """Drop everything from `sender` to `receiver` until :meth:`heal`."""
        self._cut.add((sender, receiver))

    def heal(self, sender: str, receiver: str) -> None:
        """End a :meth:`cut`."""
        self._cut.discard((sender, receiver))

    def send(self, sender: str, receiver: str, frame: bytes, now: int) -> None:
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

    def _push(self, at: int, pair: tuple[str, str], frame: bytes) -> None:
        self._number += 1
        heapq.heappush(self._under_way, (at, self._index.get(pair[0], -1), self._number, pair[0], pair[1], frame))

    def next_time(self) -> int | None:
        """Time of the next delivery, None when nothing is under way."""
        return self._under_way[0][0] if self._under_way else None

    def pop(self) -> tuple[int, str, str, bytes]:
        """Take the next delivery: (time, sender, receiver, frame)."""
        at, _, _, sender, receiver, frame = heapq.heappop(self._under_way)
        return at, sender, receiver, frame


class MemoryEndpoint:
    """One node's endpoint in a :class:`MemoryNetwork`; `now` is set by whoever turns the clock."""

    def __init__(self, network: MemoryNetwork, name: str) -> None:
        self._network = network
        self.name = name
        self.now = 0
        self._inbox: list[tuple[str, bytes]] = []
        self._open = True

    def send(self, peer: str, frame: bytes) -> bool:
        if not self._open:
            raise ValueError(f"Expected an open endpoint, got {self.name!r}, which is closed.")
        self._network.send(self.name, peer, frame, self.now)
        return True

    def deliver(self, peer: str, frame: bytes) -> None:
        """Called by the loop when a frame of `peer` is due."""
        self._inbox.append((peer, frame))

    def receive(self) -> list[tuple[str, bytes]]:
        ready, self._inbox = self._inbox, []
        return ready

    def close(self) -> None:
        self._open = False
        self._inbox.clear()
