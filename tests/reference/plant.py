"""The plant, naively: one heap of events, every task touched at every change. Oracle of `tiertwin._core.Plant`.

Takes the configuration dictionary of the core. Processor sharing counts down the work left of each task; queues are
lists; every arrival, departure, toggle and report is an event of its own.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from typing import Any

from reference.draws import ARRIVAL, DEVICE, MASK, ONOFF, SIZE, exponential, philox, uniform
from reference.flows import FlowQueue
from reference.plant_reports import Reports
from reference.stations import NEVER, Queue

_DEPART, _FLIP, _MAKE = range(3)  # order of events at equal times; REPORT is the last


class Plant(Reports):
    """The whole network; see `cpp/plant/plant.hpp` for the rules."""

    def __init__(self, seed: int, config: dict[str, Any]) -> None:
        self.seed, self.c = seed, config
        self.sites, self.classes = len(config["site_cells"]), len(config["class_tasks_per_s"])
        self.rings, self.fogs = len(config["ring_rate_mbps"]), len(config["route_fog_ptr"]) - 1
        buffer_s = config["buffer_s"]
        radio = "fifo" if config["radio_fifo"] else "ps"
        self.queues: dict[tuple[int, int], Queue | FlowQueue] = {}  # 0 cells, 2 servers, 4 transmitters of links
        for s, cells in enumerate(config["site_cells"]):
            self.queues[0, s] = Queue(radio, cells, 1.0, buffer_s)
        for q, (cores, ghz, discipline) in enumerate(
            zip(config["server_cores"], config["server_core_ghz"], config["server_discipline"], strict=True)
        ):
            if discipline == 2:
                flows = [(s, c) for s in range(self.sites) for c in range(self.classes) if q in self._servers(s)]
                self.queues[2, q] = FlowQueue("ps", cores, ghz, buffer_s, flows)
            else:
                self.queues[2, q] = Queue(("ps", "fifo")[discipline], cores, ghz, buffer_s)
        if not config["link_fifo"]:
            for i, capacity in enumerate(config["link_capacity_mbps"]):
                flows = [(s, part, c) for s, part, hop in self._hops() if hop == i for c in range(self.classes)]
                self.queues[4, i] = FlowQueue("fifo", 1, capacity, buffer_s, flows)
        self.link_free = [0] * len(config["link_capacity_mbps"])
        self.link_tasks: list[list[Any]] = [[] for _ in self.link_free]
        self.link_up = [True] * len(self.link_free)
        self.carried = [0.0] * len(self.link_free)
        self.cell = [[0, 0.0, float(config["radio_factor"][0])] for _ in range(self.sites)]
        count = len(config["device_site"])
        self.shares = [[1.0, 0.0, 0.0, 0.0] for _ in range(count)]
        self.cpu_free, self.cpu_assigned = [0] * count, [0] * count
        self.cpu_tasks = [0] * count
        self.made = [0] * count
        self.since: list[dict[str, float]] = [defaultdict(float) for _ in range(count)]
        self.sums: list[dict[str, float]] = [defaultdict(float) for _ in range(self.sites * self.classes * self.rings)]
        self.latencies: list[list[int]] = [[] for _ in range(self.classes)]
        self.in_flight, self.now, self.sequence = 0, 0, 0
        self.heap: list[tuple[int, int, tuple[int, int], int, Any]] = []
        self.set_background(config["link_background_mbps"])
        self.load = [1.0] * self.sites
        self.version = [0] * count
        self.gap, self.on, self.gap_since = [0.0] * count, [True] * count, [0] * count
        self.toggle, self.toggles, self.played, self.drawn = [NEVER] * count, [0] * count, [0] * count, [0] * count
        self.reported: dict[tuple[int, int], tuple[int, float]] = defaultdict(lambda: (0, 0.0))
        self.reports: dict[int, list[tuple[int, int, int, int, list[float]]]] = {0: [], 1: [], 2: []}
        for d in range(count):
            self._start(d)
        self._start_reports()

    # -- arrivals ----------------------------------------------------------------------------------------------------

    def _class(self, d: int, field: str) -> Any:
        return self.c[field][self.c["device_class"][d]]

    def _key(self, d: int) -> int:
        return int(self.c["device_key"][d])

    def _start(self, d: int) -> None:
        words = philox(self.seed, self._key(d), DEVICE, 1)
        kind = self._class(d, "class_arrival")
        if kind == 2:
            self.phase_ns = int(uniform(words[0], words[1]) * self._class(d, "trace_repeat_s") * 1e9)
            c = self.c["device_class"][d]
            times = self.c["trace_s"][self.c["trace_ptr"][c] : self.c["trace_ptr"][c + 1]]
            repeat = self.c["trace_repeat_s"][c]
            for round_ in range(200 if repeat > 0 else 1):
                for t in times:
                    at = round((t + round_ * repeat) * 1e9) - self.phase_ns
                    if 0 <= at < 60_000_000_000:
                        self._push(at, _MAKE, (d, 0), ("trace", 0))
            return
        first = philox(self.seed, self._key(d), ARRIVAL, MASK)
        self.gap[d] = exponential(first[0], first[1])
        if kind == 1:
            on_s, off_s = self._class(d, "class_on_s"), self._class(d, "class_off_s")
            self.on[d] = uniform(words[2], words[3]) * (on_s + off_s) < on_s
            self._draw_toggle(d, 0)
        self._schedule(d)

    def _draw_toggle(self, d: int, now: int) -> None:
        words = philox(self.seed, self._key(d), ONOFF, self.toggles[d])
        self.toggles[d] += 1
        mean_s = self._class(d, "class_on_s" if self.on[d] else "class_off_s")
        self.toggle[d] = now + round(exponential(words[0], words[1]) * mean_s * 1e9)
        self._push(self.toggle[d], _FLIP, (d, 0), None)

    def _rate(self, d: int) -> float:
        rate = self._class(d, "class_tasks_per_s") * self.load[self.c["device_site"][d]]
        if self._class(d, "class_arrival") == 1:
            on_s, off_s = self._class(d, "class_on_s"), self._class(d, "class_off_s")
            rate *= (on_s + off_s) / on_s
        return float(rate)

    def _consume(self, d: int, now: int) -> None:
        """Use up the part of the running gap that lies before `now`."""
        if self.on[d]:
            self.gap[d] = max(0.0, self.gap[d] - (now - self.gap_since[d]) * 1e-9 * self._rate(d))
        self.gap_since[d] = now

    def _schedule(self, d: int) -> None:
        self.version[d] += 1
        if self.on[d] and self._rate(d) > 0:
            at = self.gap_since[d] + round(self.gap[d] / self._rate(d) * 1e9)
            self._push(at, _MAKE, (d, 0), ("gap", self.version[d]))

    def set_load(self, multiplier: Any) -> None:
        """Change the load of every site."""
        for d in range(len(self.gap)):
            if self._class(d, "class_arrival") != 2:
                self._consume(d, self.now)
        self.load = [float(m) for m in multiplier]
        for d in range(len(self.gap)):
            if self._class(d, "class_arrival") != 2:
                self._schedule(d)

    # -- the loop ----------------------------------------------------------------------------------------------------

    def _push(self, time: int, kind: int, who: tuple[int, int], what: Any) -> None:
        self.sequence += 1
        heapq.heappush(self.heap, (time, kind, who, self.sequence, what))

    def run_until(self, until: int) -> None:
        """Play every event up to and including `until`."""
        while self.heap and self.heap[0][0] <= until:
            self.now, kind, who, _, what = heapq.heappop(self.heap)
            if kind == _DEPART:
                self._depart(who, what)
            elif kind == _FLIP:
                d = who[0]
                self._consume(d, self.now)
                self.on[d] = not self.on[d]
                self._draw_toggle(d, self.now)
                self._schedule(d)
            elif kind == _MAKE:
                self._make(who[0], what)
            else:
                self._report(who, what)
        self.now = until

    def _group(self, d: int) -> int:
        site, kind, ring = (self.c[f][d] for f in ("device_site", "device_class", "device_ring"))
        return int((site * self.classes + kind) * self.rings + ring)

    def _make(self, d: int, why: tuple[str, int]) -> None:
        if why[0] == "gap" and why[1] != self.version[d]:
            return
        number = self.made[d]
        self.made[d] += 1
        words = philox(self.seed, self._key(d), ARRIVAL, number)
        if why[0] == "gap":
            self.gap[d], self.gap_since[d] = exponential(words[0], words[1]), self.now
            self._schedule(d)
        self.since[d]["generated"] += 1
        sums = self.sums[self._group(d)]
        sums["generated"] += 1
        edge, tier = 0.0, 4
        for t, share in enumerate(self.shares[d]):
            edge = min(1.0, edge + share)
            if words[2] < round(edge * 2.0**32):
                tier = t
                break
        if tier == 4:
            sums["shed"] += 1
            self.since[d]["missed"] += 1
            return
        scale_mb = scale_gc = 1.0
        if self._class(d, "class_exponential"):
            size = philox(self.seed, self._key(d), SIZE, number)
            scale_mb, scale_gc = exponential(size[0], size[1]), exponential(size[2], size[3])
        task = {
            "device": d,
            "tier": tier,
            "born": self.now,
            "mb": self._class(d, "class_megabits") * scale_mb,
            "gc": self._class(d, "class_gcycles") * scale_gc,
            "j": 0.0,
            "hops": [],
        }
        self.in_flight += 1
        self._local(task) if tier == 0 else self._radio(task)

    def _local(self, task: dict[str, Any]) -> None:
        d, ghz = task["device"], self.c["device_ghz"][task["device"]]
        start = max(self.now, self.cpu_free[d])
        if (start - self.now) * 1e-9 > self.c["buffer_s"]:
            self._lose(task)
            return
        service = math.ceil(task["gc"] / ghz * 1e9)
        self.cpu_free[d] = start + service
        self.cpu_assigned[d] += service
        self.cpu_tasks[d] += 1
        task["j"] = self.c["device_j_per_gcycle_ghz2"] * ghz**2 * task["gc"]
        self._push(self.cpu_free[d], _DEPART, (3, d), task)

    def _radio(self, task: dict[str, Any]) -> None:
        d = task["device"]
        s = int(self.c["device_site"][d])
        queue, cell = self.queues[0, s], self.cell[s]
        queue.advance(self.now)
        elapsed = (self.now - cell[0]) * 1e-9
        if elapsed >= self.c["radio_window_s"]:
            load = (queue.busy_s - cell[1]) / (elapsed * queue.servers)
            bins = len(self.c["radio_factor"])
            cell[:] = [self.now, queue.busy_s, float(self.c["radio_factor"][min(bins - 1, int(load * bins))])]
        airtime = task["mb"] / (self.c["ring_rate_mbps"][self.c["device_ring"][d]] * cell[2])
        if not queue.join(self.now, task, airtime, None):
            self._lose(task)
            return
        task["j"] = self._class(d, "class_transmit_w") * airtime
        self.since[d]["energy"] += task["j"]
        self._announce((0, s))

    def _announce(self, who: tuple[int, int]) -> None:
        """Put the next departure of a station into the heap; it may be out of date when its turn comes."""
        queue = self.queues[who]
        queue.announced += 1
        if queue.tasks:
            self._push(queue.next(), _DEPART, who, queue.announced)

    def _depart(self, who: tuple[int, int], task: Any) -> None:
        if who[0] == 3:
            self.cpu_tasks[who[1]] -= 1
            self.since[who[1]]["energy"] += task["j"]
            self._complete(task, self.now)
        elif who[0] == 1:
            if task in self.link_tasks[who[1]]:
                self.link_tasks[who[1]].remove(task)
                self.carried[who[1]] += task["mb"]
                task["j"] += self.c["link_j_per_mb"] * task["mb"]
                self._forward(task)
        elif task == self.queues[who].announced:
            task = self.queues[who].depart(self.now)
            self._announce(who)
            if who[0] == 4:
                self._propagate(who[1], task, self.now)
            elif who[0] == 0:
                task["hops"] = self._route(task)
                self._forward(task)
            else:
                back = sum(math.ceil(self.c["link_propagation_s"][hop] * 1e9) for hop in self._route(task))
                self._complete(task, self.now + back)

    def _servers(self, site: int) -> list[int]:
        """Return the edge, fog and cloud server of a site."""
        return [site, self.sites + int(self.c["site_fog"][site]), self.sites + self.fogs]

    def _part(self, site: int, part: int) -> list[int]:
        """Return the links from a site to its fog (0) or from there to the cloud (1)."""
        row, name = (site, "site") if part == 0 else (int(self.c["site_fog"][site]), "fog")
        ptr = self.c[f"route_{name}_ptr"]
        return [int(hop) for hop in self.c[f"route_{name}_links"][ptr[row] : ptr[row + 1]]]

    def _hops(self) -> list[tuple[int, int, int]]:
        """Return (site, part, link) for every link of every route."""
        return [(s, part, hop) for s in range(self.sites) for part in (0, 1) for hop in self._part(s, part)]

    def _route(self, task: dict[str, Any]) -> list[int]:
        s = int(self.c["device_site"][task["device"]])
        return [hop for part in range(task["tier"] - 1) for hop in self._part(s, part)]

    def _forward(self, task: dict[str, Any]) -> None:
        d = task["device"]
        s, c = int(self.c["device_site"][d]), int(self.c["device_class"][d])
        if not task["hops"]:
            q = self._servers(s)[task["tier"] - 1]
            queue = self.queues[2, q]
            if not queue.join(self.now, task, task["gc"], (s, c)):
                self._lose(task)
                return
            idle = self.c["server_idle_w"][q] / (queue.servers * queue.speed)
            task["j"] += task["gc"] * (self.c["server_j_per_gcycle"][q] + idle)
            self._announce((2, q))
            return
        part = 1 if task["tier"] == 3 and len(task["hops"]) <= len(self._part(s, 1)) else 0
        hop = task["hops"].pop(0)
        if (4, hop) in self.queues:
            if self.link_up[hop] and self.queues[4, hop].join(self.now, task, task["mb"], (s, part, c)):
                self._announce((4, hop))
            else:
                self._lose(task)
            return
        start = max(self.now, self.link_free[hop])
        if not self.link_up[hop] or (start - self.now) * 1e-9 > self.c["buffer_s"]:
            self._lose(task)
            return
        rate = self.c["link_capacity_mbps"][hop] - self.background[hop]
        self.link_free[hop] = start + math.ceil(task["mb"] * (1.0 / rate) * 1e9)
        self._propagate(hop, task, self.link_free[hop])

    def _propagate(self, hop: int, task: dict[str, Any], left: int) -> None:
        self.link_tasks[hop].append(task)
        self._push(left + math.ceil(self.c["link_propagation_s"][hop] * 1e9), _DEPART, (1, hop), task)

    def _complete(self, task: dict[str, Any], done: int) -> None:
        d = task["device"]
        sums, latency = self.sums[self._group(d)], done - task["born"]
        late = latency > self._class(d, "class_deadline_s") * 1e9
        sums["late" if late else "in_time"] += 1
        sums["latency_s"] += latency * 1e-9
        sums["energy_j"] += task["j"]
        sums[f"tier {task['tier']}"] += 1
        if not late:
            sums["in_time_latency_s"] += latency * 1e-9
            sums["goodput_mb"] += task["mb"]
        self.since[d]["missed"] += late
        self.since[d]["completed"] += 1
        self.since[d]["latency_s"] += latency * 1e-9
        self.latencies[self.c["device_class"][d]].append(latency)
        self.in_flight -= 1

    def _lose(self, task: dict[str, Any]) -> None:
        sums = self.sums[self._group(task["device"])]
        sums["lost"] += 1
        sums["energy_j"] += task["j"]
        self.since[task["device"]]["missed"] += 1
        self.in_flight -= 1

    # -- settings ----------------------------------------------------------------------------------------------------

    def set_shares(self, device: Any, shares: Any) -> None:
        """Set the shares of the tiers."""
        for d, row in zip(device, shares, strict=True):
            self.shares[d] = [float(share) for share in row]

    def set_background(self, mbps: Any) -> None:
        """Set the background of every link."""
        capacity = self.c["link_capacity_mbps"]
        self.background = [min(float(b), 0.99 * float(c)) for b, c in zip(mbps, capacity, strict=True)]

        for i, background in enumerate(self.background):
            if (4, i) in self.queues:
                self.queues[4, i].set_speed(self.now, capacity[i] - background)
                self._announce((4, i))

    def set_site_shares(self, site: int, cpu: Any, uplink: Any) -> None:
        """Grant compute and uplink capacity to the classes of a site."""
        grants = [((2, q), {(site, c): x for c, x in enumerate(cpu[t])}) for t, q in enumerate(self._servers(site))]
        for s, part, hop in self._hops():
            if s == site:
                grants.append(((4, hop), {(s, part, c): x for c, x in enumerate(uplink[part])}))
        for who, shares in grants:
            queue = self.queues.get(who)
            if isinstance(queue, FlowQueue):
                queue.grant(self.now, shares)
                self._announce(who)

    def fail_link(self, link: int) -> None:
        """Take a link down."""
        if (4, link) in self.queues:
            self.link_tasks[link] += self.queues[4, link].evict(self.now)
            self._announce((4, link))
        for task in self.link_tasks[link]:
            self._lose(task)
        self.link_tasks[link].clear()
        self.link_up[link], self.link_free[link] = False, self.now

    def fail_server(self, server: int) -> None:
        """Take a server down."""
        queue = self.queues[2, server]
        for task in queue.evict(self.now):
            self._lose(task)
        queue.up = False
        self._announce((2, server))

    def repair_server(self, server: int) -> None:
        """Bring a server back."""
        self.queues[2, server].up = True

    def repair_link(self, link: int) -> None:
        """Bring a link back."""
        self.link_up[link] = True
