"""Tasks a second through one and the same queueing network: ours against simpy, one core; latencies must agree.

* fifo: radio, links and servers first in first out; simpy does it with its Resources, a process a task.
* ps: airtime and servers shared; simpy has no such station, so it gets the virtual-time one below (a heap of tags).
* germany50: the built-in world with its 20 000 devices in a busy epoch, set-points, KPIs and all telemetry, one report
  a device and second; no peer, tasks and reports a second against a stated target.

Both sides play the same seconds of the same configuration; each draws its own random numbers, so answers agree in
distribution: completed tasks and mean latencies by tier within the sampling error.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Generator, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from support import Case, main
from tiertwin.plant import PlantOptions, SimulatedPlant

SECOND = 1_000_000_000
SITES, DEVICES_A_SITE, TASKS_PER_S = 4, 25, 10.0
SHARES = (0.2, 0.4, 0.2, 0.2)
MEGABITS, GCYCLES, RATE_MBPS = 0.1, 0.02, 50.0
CORES = {"edge": 4, "fog": 8, "cloud": 8}
LINK_MBPS, PROPAGATION_S = 100.0, 0.001


def world() -> SimpleNamespace:
    """Four sites in a star around one fog, the cloud behind it; every station busy to between 0.4 and 0.65."""
    count = SITES * DEVICES_A_SITE
    return SimpleNamespace(
        link_tail=np.arange(SITES + 1),
        link_head=np.array([SITES] * SITES + [SITES + 1]),
        link_km=np.full(SITES + 1, PROPAGATION_S / 5e-6),
        link_capacity_mbps=np.full(SITES + 1, LINK_MBPS),
        background_mbps=np.zeros(2 * SITES + 2),
        profile_urban=np.ones(1),
        profile_rural=np.ones(1),
        profile_background=np.ones(1),
        site_node=np.arange(SITES),
        site_fog=np.zeros(SITES, dtype=np.int64),
        site_urban=np.ones(SITES, dtype=bool),
        site_cores=np.full(SITES, CORES["edge"]),
        site_cells=np.ones(SITES),
        fog_node=np.array([SITES]),
        fog_cores=np.array([CORES["fog"]]),
        cloud_node=SITES + 1,
        cloud_cores=CORES["cloud"],
        core_ghz=1.0,
        route_site_links=tuple(np.array([2 * s]) for s in range(SITES)),
        route_fog_links=(np.array([2 * SITES]),),
        tasks_per_s=np.array([TASKS_PER_S]),
        megabits=np.array([MEGABITS]),
        gcycles=np.array([GCYCLES]),
        deadline_s=np.array([0.1]),
        transmit_w=np.array([0.5]),
        arrival=np.array([0]),
        on_s=np.zeros(1),
        off_s=np.zeros(1),
        ring_rate_mbps=np.array([RATE_MBPS]),
        device_site=np.repeat(np.arange(SITES), DEVICES_A_SITE),
        device_class=np.zeros(count, dtype=np.int64),
        device_ring=np.zeros(count, dtype=np.int64),
        device_ghz=np.ones(count),
        objective=SimpleNamespace(device_j_per_gcycle_ghz2=1.0, server_j_per_gcycle=0.4),
    )


class SharedStation:
    """Processor sharing in simpy: tags of virtual time in a heap, one timeout for the next departure."""

    def __init__(self, env: Any, servers: int, speed: float) -> None:
        self.env, self.servers, self.speed = env, servers, speed
        self.virtual, self.last, self.version = 0.0, 0.0, 0
        self.heap: list[tuple[float, int, Any]] = []
        self.order = 0

    def serve(self, work: float) -> Generator[Any, Any, None]:
        """Wait until the work is done."""
        self._advance()
        self.order += 1
        done = self.env.event()
        heapq.heappush(self.heap, (self.virtual + work, self.order, done))
        self._plan()
        yield done

    def _rate(self) -> float:
        return self.speed * min(1.0, self.servers / len(self.heap))

    def _advance(self) -> None:
        if self.heap:
            self.virtual += self._rate() * (self.env.now - self.last)
        self.last = self.env.now

    def _plan(self) -> None:
        self.version += 1
        if self.heap:
            timeout = self.env.timeout(max(0.0, self.heap[0][0] - self.virtual) / self._rate(), self.version)
            timeout.callbacks.append(self._leave)

    def _leave(self, timeout: Any) -> None:
        if timeout.value == self.version:
            self._advance()
            heapq.heappop(self.heap)[2].succeed()
            self._plan()


class FifoStation:
    """First in first out: a simpy Resource."""

    def __init__(self, env: Any, servers: int, speed: float) -> None:
        from simpy import Resource

        self.env, self.speed, self.resource = env, speed, Resource(env, servers)

    def serve(self, work: float) -> Generator[Any, Any, None]:
        """Wait for a turn and be served."""
        with self.resource.request() as turn:
            yield turn
            yield self.env.timeout(work / self.speed)


def simpy_plant(seconds: float, station: type[Any], seed: int = 1) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Play the network in simpy; return completed tasks and mean latency by tier."""
    from simpy import Environment

    env, rng = Environment(), random.Random(seed)
    cells = [station(env, 1, 1.0) for _ in range(SITES)]
    links = [FifoStation(env, 1, LINK_MBPS) for _ in range(SITES + 1)]
    edges = [station(env, CORES["edge"], 1.0) for _ in range(SITES)]
    fog, cloud = station(env, CORES["fog"], 1.0), station(env, CORES["cloud"], 1.0)
    count, total = np.zeros(4), np.zeros(4)

    def task(site: int, cpu: Any, tier: int) -> Generator[Any, Any, None]:
        born, back = env.now, 0.0
        megabits, gcycles = rng.expovariate(1 / MEGABITS), rng.expovariate(1 / GCYCLES)
        if tier == 0:
            yield from cpu.serve(gcycles)
        else:
            yield from cells[site].serve(megabits / RATE_MBPS)
            for link in [[], [links[site]], [links[site], links[SITES]]][tier - 1]:
                yield from link.serve(megabits)
                yield env.timeout(PROPAGATION_S)
                back += PROPAGATION_S
            yield from (edges[site], fog, cloud)[tier - 1].serve(gcycles)
        count[tier] += 1
        total[tier] += env.now + back - born

    def source(site: int) -> Generator[Any, Any, None]:
        cpu = FifoStation(env, 1, 1.0)
        while True:
            yield env.timeout(rng.expovariate(TASKS_PER_S))
            env.process(task(site, cpu, rng.choices(range(4), SHARES)[0]))

    for device in range(SITES * DEVICES_A_SITE):
        env.process(source(device // DEVICES_A_SITE))
    env.run(seconds)
    return count, total / count


def our_plant(seconds: int, discipline: Any) -> tuple[np.ndarray[Any, Any], float, float]:
    """Play it in ours; return completed tasks by tier, their mean latency, and how many were made."""
    options = PlantOptions(
        report_s=0.0,
        radio=discipline,
        servers=discipline,
        links="fifo",
        buffer_s=float("inf"),
        radio_factor=(1.0,),
        exponential_sizes=True,
    )
    plant = SimulatedPlant(world(), 1, options)
    count = SITES * DEVICES_A_SITE
    plant.actuate(np.arange(count), np.tile(SHARES, (count, 1)))
    plant.advance(seconds * SECOND, 0)
    kpis = plant.kpis()
    return kpis.executed.sum(axis=0), kpis.latency_mean_s, kpis.total("generated")


def agree(ours: Any, peer: Any) -> None:
    """Counts within five standard errors, the mean latency within 3 %."""
    (done, latency_s, _), (count, by_tier) = ours, peer
    assert np.all(np.abs(done - count) < 5 * np.sqrt(2 * count)), f"completed by tier: ours {done}, simpy {count}"
    expected = float((count * by_tier).sum() / count.sum())
    assert abs(latency_s / expected - 1) < 0.03, f"mean latency: ours {latency_s:.6f} s, simpy {expected:.6f} s"


def germany(seconds: int) -> Case:
    """The built-in national world: 20 000 devices, everything reports."""
    from tiertwin.world import load, resolve

    national = resolve(load("germany50"))
    devices = national.device_count
    shares = np.tile((0.3, 0.3, 0.2, 0.2), (devices, 1))
    reports: list[int] = []

    def warm() -> SimulatedPlant:
        plant = SimulatedPlant(national, 7)
        plant.actuate(np.arange(devices), shares)
        plant.advance(2 * SECOND, 36)
        plant.telemetry(2 * SECOND)
        plant.kpis()
        return plant

    def play(plant: SimulatedPlant) -> Any:
        for second in range(2, 2 + seconds):
            plant.advance((second + 1) * SECOND, 36)
            reports.append(len(plant.telemetry((second + 1) * SECOND).devices))
        return plant.kpis()

    def check(kpis: Any, _: Any) -> None:
        expected = seconds * plant.truth_group_rates().sum()
        assert abs(kpis.total("generated") - expected) < 5 * np.sqrt(expected)
        assert kpis.total("completed") > 0.8 * kpis.total("generated")
        assert reports[-1] > 0.98 * devices

    plant = warm()
    amount = play(plant).total("generated") + sum(reports)
    return Case(f"plant/germany50/{devices}", play, None, "target", check, "tasks and reports/s", amount, warm, 1e6)


def cases(quick: bool) -> Iterator[Case]:
    seconds = 40 if quick else 300
    for discipline, station in (("fifo", FifoStation), ("ps", SharedStation)):
        tasks = our_plant(seconds, discipline)[2]

        def ours(d: str = discipline) -> Any:
            return our_plant(seconds, d)

        def peer(s: type[Any] = station) -> Any:
            return simpy_plant(seconds, s)

        yield Case(f"plant/{discipline}/{int(tasks)}", ours, peer, "simpy", agree, "tasks/s", tasks)
    yield germany(3 if quick else 10)


if __name__ == "__main__":
    main(__doc__ or "", cases)
