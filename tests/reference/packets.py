"""A network of packets, naively: two events a hop as in ns-3, a queue and a state per device, one packet at a time.

`Network` takes the configuration of `tiertwin._core.PacketNetwork`, draws its packets and plays them, from scratch.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from reference.draws import exponential, philox, uniform

PACKET, PHASE, BURST = range(0x504C000A, 0x504C000D)
HORIZON = 2**53


def rounded(x: float) -> int:
    """Return the nearest whole number, halves up (x >= 0); times beyond the horizon are cut."""
    x = min(x, float(HORIZON))
    whole = math.floor(x)
    return whole + (x - whole >= 0.5)


def transmission_ns(size: int, rate_bps: int) -> int:
    """Return the transmission time, ns, halves up."""
    return (2 * size * 8_000_000_000 + rate_bps) // (2 * rate_bps)


def size_of(law: int, mean: int, high: int, low: int) -> int:
    """Return the bytes of a packet."""
    if law == 0:
        return mean
    if law == 1:
        return min(max(rounded(mean * exponential(high, low)), 31), 9000)
    return ([64] * 7 + [594] * 4 + [1518])[high * 12 >> 32]


def births(seed: int, c: dict[str, Any], f: int) -> Iterator[tuple[int, int]]:
    """Yield (time, bytes) of a flow's packets."""
    kind, stop = int(c["flow_arrival"][f]), c["stop_ns"]
    if kind == 3:
        mine = c["trace_flow"] == f
        times, sizes = c["trace_time_ns"][mine].tolist(), c["trace_bytes"][mine].tolist()
        yield from ((t, b) for t, b in zip(times, sizes, strict=True) if t < stop)
        return
    key, pps = int(c["flow_key"][f]), float(c["flow_pps"][f])
    if pps == 0:
        return
    gap, number = 1e9 / pps, 0
    phase = philox(seed, key, PHASE, 0)
    start = int(c["flow_phase_ns"][f])
    if start < 0:
        start = int(min(gap, 2.0**52) * uniform(*phase[:2]))
    on, off = float(c["flow_on_s"][f]) * 1e9, float(c["flow_off_s"][f]) * 1e9
    left, bursts, time = 0, 0, 0
    if kind == 2:
        gap *= on / (on + off)
        if uniform(*phase[:2]) * (on + off) < on:
            left = rounded(exponential(*phase[2:]) * on)
    while True:
        words = philox(seed, key, PACKET, number)
        step = rounded(exponential(*words[:2]) * gap)
        if kind == 1:
            time = start + rounded(number * gap)
        elif kind == 0:
            time += step
        else:
            while step >= left and time < stop:
                burst = philox(seed, key, BURST, bursts)
                bursts += 1
                step -= left
                time += left + rounded(exponential(*burst[:2]) * off)
                left = rounded(exponential(*burst[2:]) * on)
            left -= step
            time += step
        if time >= stop:
            return
        number += 1
        yield time, size_of(int(c["flow_size"][f]), int(c["flow_bytes"][f]), *words[2:])


@dataclass
class Packet:
    """A packet and where it is."""

    flow: int
    number: int
    born: int
    size: int
    hop: int = 0
    delay: int = -2


@dataclass
class Device:
    """A transmitter and its drop-tail queue."""

    rate: int
    delay: int
    buffer: int
    busy: bool = False
    queue: deque[Packet] = field(default_factory=deque)
    sending: list[tuple[int, int]] = field(default_factory=list)  # from, to
    dropped: int = 0
    peak: int = 0


class Simulator:
    """Events by time, then by the order in which they were scheduled."""

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self.scheduled, self.now = 0, 0

    def schedule(self, time: int, what: Callable[..., None], *arguments: Any) -> None:
        """Have it called then."""
        heapq.heappush(self.heap, (time, self.scheduled, what, arguments))
        self.scheduled += 1

    def run(self, before: int = 2**63) -> None:
        """Play what happens before then."""
        while self.heap and self.heap[0][0] < before:
            self.now, _, what, arguments = heapq.heappop(self.heap)
            what(*arguments)


class Network:
    """Devices, paths and sources as in an ns-3 program."""

    def __init__(self, seed: int, config: dict[str, Any]) -> None:
        c = self.config = config
        self.sim, self.packets = Simulator(), list[Packet]()
        links = zip(c["link_rate_bps"].tolist(), c["link_delay_ns"].tolist(), c["link_buffer"].tolist(), strict=True)
        self.devices = [Device(*link) for link in links]
        ptr = c["path_ptr"].tolist()
        self.paths = [c["path_links"][a:b].tolist() for a, b in pairwise(ptr)]
        self.sources = [births(seed, c, f) for f in range(len(self.paths))]
        self.made = [0] * len(self.paths)
        for f in range(len(self.paths)):
            self.plan(f)
        self.sim.run(before=config["warm_up_ns"])
        for device in self.devices:
            device.peak = len(device.queue)
        self.sim.run()

    def plan(self, f: int) -> None:
        """Schedule the flow's next packet."""
        following = next(self.sources[f], None)
        if following is not None:
            self.sim.schedule(following[0], self.fire, f, following[1])

    def fire(self, f: int, size: int) -> None:
        """Make a packet, then schedule the next one."""
        packet = Packet(f, self.made[f], self.sim.now, size)
        self.made[f] += 1
        self.packets.append(packet)
        self.send(packet)
        self.plan(f)

    def send(self, packet: Packet) -> None:
        """Give it to the device of its next link, or receive it."""
        path = self.paths[packet.flow]
        if packet.hop == len(path):
            packet.delay = self.sim.now - packet.born
            return
        device = self.devices[path[packet.hop]]
        if not device.busy:
            self.transmit(device, packet)
        elif len(device.queue) >= device.buffer:
            packet.delay = -1
            device.dropped += packet.born >= self.config["warm_up_ns"]
        else:
            device.queue.append(packet)
            device.peak = max(device.peak, len(device.queue))

    def transmit(self, device: Device, packet: Packet) -> None:
        """Begin a transmission: its end, then the arrival."""
        device.busy = True
        spent = transmission_ns(packet.size, device.rate)
        device.sending.append((self.sim.now, self.sim.now + spent))
        self.sim.schedule(self.sim.now + spent, self.complete, device)
        self.sim.schedule(self.sim.now + spent + device.delay, self.arrive, packet)

    def complete(self, device: Device) -> None:
        """End a transmission and take the next packet."""
        device.busy = False
        if device.queue:
            self.transmit(device, device.queue.popleft())

    def arrive(self, packet: Packet) -> None:
        """Go on to the next hop."""
        packet.hop += 1
        self.send(packet)

    def counted(self) -> list[Packet]:
        """Return the packets born after the warm-up, in order of birth."""
        return [p for p in self.packets if p.born >= self.config["warm_up_ns"]]

    def busy_ns(self) -> list[int]:
        """Return the time each device sent, after the warm-up."""
        warm = self.config["warm_up_ns"]
        return [sum(max(0, end - max(begin, warm)) for begin, end in d.sending) for d in self.devices]
