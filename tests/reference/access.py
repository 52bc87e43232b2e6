"""Naive radio access: one station slot by slot, blocks dealt one by one; SINR and power by their formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

SLOT = 1_000_000  # ns


@dataclass
class Packet:
    flow: int
    born: int
    bits: int
    left: int
    received: int = -2  # -1: lost, -2: waits


@dataclass
class Station:
    """One direction of one cell. `in_order`: who waits longest takes what it needs; else blocks go round."""

    prbs: int
    in_order: bool
    buffer: list[int]
    prb_bits: list[int]
    most_prbs: list[int]
    queues: list[list[Packet]] = field(default_factory=list)
    turn: list[int] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)
    used: int = 0

    def __post_init__(self) -> None:
        self.queues = [[] for _ in self.buffer]

    def need(self, flow: int) -> int:
        """Blocks that would carry all that waits, as far as the power lasts."""
        if self.prb_bits[flow] == 0:
            return 0
        bits = sum(packet.left for packet in self.queues[flow])
        return min(-(-bits // self.prb_bits[flow]), self.most_prbs[flow])

    def deal(self) -> dict[int, int]:
        """Blocks of a slot, one at a time."""
        need = {flow: self.need(flow) for flow in self.turn}
        given = dict.fromkeys(self.turn, 0)
        left = self.prbs
        if self.in_order:
            for flow in self.turn:
                given[flow] = min(need[flow], left)
                left -= given[flow]
            return given
        while left and any(given[flow] < need[flow] for flow in self.turn):
            for flow in self.turn:
                if left and given[flow] < need[flow]:
                    given[flow] += 1
                    left -= 1
        return given

    def enter(self, time: int, flow: int, count: int, bits: int) -> None:
        """Let packets in, as far as there is room."""
        for _ in range(count):
            packet = Packet(flow, time, bits, bits)
            self.packets.append(packet)
            if len(self.queues[flow]) >= self.buffer[flow]:
                packet.received = -1
                continue
            self.queues[flow].append(packet)
            if flow not in self.turn:
                self.turn.append(flow)

    def slot(self, start: int) -> None:
        """Send for 1 ms."""
        first = self.turn[0]
        for flow, blocks in self.deal().items():
            self.used += blocks
            bits = blocks * self.prb_bits[flow]
            queue = self.queues[flow]
            while queue and bits:
                sent = min(bits, queue[0].left)
                queue[0].left -= sent
                bits -= sent
                if queue[0].left == 0:
                    queue.pop(0).received = start + SLOT
            if not queue:
                self.turn.remove(flow)
        if not self.in_order and self.turn and self.turn[0] == first:
            self.turn.append(self.turn.pop(0))

    def play(self, arrivals: list[tuple[int, int, int, int]], until: int) -> None:
        """Everything before `until`; arrivals are (time, flow, packets, bits)."""
        waiting = sorted(arrivals, key=lambda arrival: arrival[:2])
        for start in range(0, until, SLOT):
            while waiting and waiting[0][0] <= start:
                self.enter(*waiting.pop(0))
            if self.turn:
                self.slot(start)
        for arrival in waiting:
            if arrival[0] < until:
                self.enter(*arrival)


def sinr_down(
    own: int,
    carrier: list[int],
    cells: list[int],
    received_mw: list[float],
    load: list[float],
    noise_mw: float,
    beam: float,
) -> float:
    """Signal over what other cells of the carrier radiate, and noise."""
    signal = sum(power for cell, power in zip(cells, received_mw, strict=True) if cell == own)
    disturbed = sum(
        load[cell] * power
        for cell, power in zip(cells, received_mw, strict=True)
        if cell not in (own, -1) and carrier[cell] == carrier[own]
    )
    return signal * beam / (disturbed + noise_mw)


def block_power_mw(p0_dbm: float, alpha: float, most_dbm: float, gain: float) -> tuple[float, int]:
    """Power of one block by open loop, and for how many blocks it lasts (TS 38.213 7.1.1)."""
    wanted_dbm = p0_dbm - alpha * 10 * math.log10(gain)
    power = min(most_dbm, wanted_dbm)
    return 10 ** (power / 10), max(1, math.floor(10 ** ((most_dbm - power) / 10) * (1 + 1e-12)))


def prb_bits(sinr: float, efficiency: float, cap: float = 7.4) -> int:
    """Whole bits of a block in a slot."""
    if sinr < 0.1:
        return 0
    return math.floor(180 * min(efficiency * math.log2(1 + sinr), cap))


def earth_w(
    chains: int, idle_w: float, slope: float, sleep_w: float, radiated_w: float, load: float, asleep: bool
) -> float:
    """Power of a cell."""
    if asleep:
        return chains * sleep_w
    return chains * (idle_w + slope * radiated_w / chains * load)
