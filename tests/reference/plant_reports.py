"""What the naive plant reports: rates, levels and counts of devices, servers and links, noisy, late and lossy."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from reference.draws import (
    DEVICE,
    DEVICE_REPORT,
    LINK,
    LINK_REPORT,
    SERVER,
    SERVER_REPORT,
    exponential,
    philox,
    uniform,
)

REPORT = 3  # kind of an event: after departures, flips and arrivals of the same time


class Reports:
    """The part of :class:`reference.plant.Plant` that reports."""

    def _start_reports(self) -> None:
        period = math.ceil(self.c["report_s"] * 1e9)
        if period == 0:
            return
        senders = [(0, d, self._key(d), DEVICE) for d in range(len(self.gap))]
        senders += [(1, q, q, SERVER) for q in range(len(self.c["server_cores"]))]
        senders += [(2, i, i, LINK) for i in range(len(self.link_free))]
        for kind, who, key, purpose in senders:
            words = philox(self.seed, key, purpose, 0)
            phase = 1 + int(uniform(words[0], words[1]) * period)
            number = 1 if 2 * phase < period else 0
            self._push(phase + number * period, REPORT, (kind, who), number)

    def _blur(self, a: float, b: float, draw: tuple[int, int, int]) -> tuple[float, float]:
        words = philox(self.seed, *draw)
        radius, angle = math.sqrt(2 * exponential(words[0], words[1])), 2 * math.pi * uniform(words[2], words[3])
        noise = self.c["noise"]
        return max(0.0, a * (1 + noise * radius * math.cos(angle))), max(
            0.0, b * (1 + noise * radius * math.sin(angle))
        )

    def _report(self, who: tuple[int, int], number: int) -> None:
        kind, i = who
        self._push(self.now + math.ceil(self.c["report_s"] * 1e9), REPORT, who, number + 1)
        key, purpose = (self._key(i), DEVICE_REPORT) if kind == 0 else (i, (SERVER_REPORT, LINK_REPORT)[kind - 1])
        before, level = self.reported[who]
        elapsed = (self.now - before) * 1e-9
        clock, site, values, level = (self._device, self._server, self._link)[kind](i, elapsed, level, key, number)
        self.reported[who] = (self.now, level)
        words = philox(self.seed, key, purpose, 4 * number)
        low, high = self.c["delay_low_s"], self.c["delay_high_s"]
        delay = math.ceil((low + uniform(words[0], words[1]) * (high - low)) * 1e9)
        if uniform(words[2], words[3]) >= self.c["loss"]:
            self.reports[kind].append((site, self.now + delay, i, clock, values))

    def _device(self, d: int, elapsed: float, level: float, key: int, number: int) -> Any:
        since, site = self.since[d], int(self.c["device_site"][d])
        words = philox(self.seed, key, DEVICE, 0)
        offset = (2.0 * uniform(words[2], words[3]) - 1.0) * self.c["clock_offset_s"]
        busy = self.cpu_assigned[d] - max(0, self.cpu_free[d] - self.now)
        radio = float(self.c["ring_rate_mbps"][self.c["device_ring"][d]]) * self.cell[site][2]
        rate, radio = self._blur(since["generated"] / elapsed, radio, (key, DEVICE_REPORT, 4 * number + 1))
        done = since["completed"]
        latency, energy = self._blur(
            since["latency_s"] * 1e3 / done if done else 0.0, since["energy"], (key, DEVICE_REPORT, 4 * number + 2)
        )
        values = [rate, radio, (busy - level) * 1e-9 / elapsed, self.cpu_tasks[d], latency if done else math.nan]
        values += [done, since["missed"], energy]
        self.since[d] = defaultdict(float)
        return self.now + round(offset * 1e9), site, values, busy

    def _server(self, q: int, elapsed: float, level: float, key: int, number: int) -> Any:
        queue = self.queues[2, q]
        queue.advance(self.now)
        load, _ = self._blur((queue.busy_s - level) * queue.speed / elapsed, 0, (key, SERVER_REPORT, 4 * number + 1))
        values = [load, max(0.0, len(queue.tasks) - queue.servers), float(queue.up)]
        return self.now, int(self.c["server_site"][q]), values, queue.busy_s

    def _link(self, i: int, elapsed: float, level: float, key: int, number: int) -> Any:
        load, background = self._blur(
            (self.carried[i] - level) / elapsed + self.background[i],
            self.background[i],
            (key, LINK_REPORT, 4 * number + 1),
        )
        values = [load, float(self.c["link_capacity_mbps"][i]), float(self.link_up[i]), background]
        return self.now, int(self.c["link_site"][i]), values, self.carried[i]
