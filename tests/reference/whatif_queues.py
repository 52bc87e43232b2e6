"""The second half of the naive what-if engine: what plans put on every resource, and what comes of it."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from reference.alloc import utility
from tiertwin.allocate.leaf import LeafProblem

HEADROOM, LIMIT = 0.02, 0.98


def erlang_c(servers: int, offered: float) -> float:
    """Erlang C by its sum, in logarithms: a cloud has hundreds of cores."""
    if offered <= 0.0:
        return 0.0
    terms = [k * math.log(offered) - math.lgamma(k + 1) for k in range(servers + 1)]
    last = terms[-1] + math.log(servers / (servers - offered))
    most = max(*terms, last)
    below = sum(math.exp(term - most) for term in terms[:-1])
    return math.exp(last - most) / (below + math.exp(last - most))


def passing(limit: float, load: float) -> float:
    return 1.0 if load <= limit else limit / load


class Judged:
    """Loads, delays and KPIs of plans in a situation."""

    def __init__(self, of: Any, state: Any, ways: Any, problems: list[LeafProblem], plans: list[np.ndarray]) -> None:
        self.of, self.b, self.state, self.ways, self.problems = of, of.b, state, ways, problems
        self.loads(plans)
        self.wanted = max(
            [
                (ways.background[d] + self.link[d]) / ways.capacity[d]
                for d in range(len(ways.capacity))
                if ways.capacity[d] > 0
            ],
            default=0.0,
        )
        self.uplink = max(
            [
                self.route[int(s)] / problems[d].capacity[2]
                for d, s in enumerate(self.b["home"])
                if ways.reaches[int(s)]
            ],
            default=0.0,
        )
        self.carried = [self.carry(d, x) for d, x in enumerate(plans)]
        self.loads(self.carried)

    def at(self, d: int) -> tuple[int, int]:
        site = int(self.b["home"][d])
        return site, self.of.sites + int(self.b["site_fog"][site])

    def loads(self, plans: list[np.ndarray]) -> None:
        b, of = self.b, self.of
        self.device = np.zeros((len(plans), of.groups))
        self.radio, self.server = [0.0] * of.sites, [0.0] * len(b["server_ghz"])
        self.route, self.link = [0.0] * (of.sites + of.fogs), [0.0] * len(self.ways.capacity)
        ghz, airtime = b["device_ghz"].reshape(-1, of.groups), b["airtime"].reshape(-1, of.groups)
        for d, x in enumerate(plans):
            s, f = self.at(d)
            for g in range(of.groups):
                cores = self.state.users[d, g] * ghz[d, g]
                if x[g, 0] > 0:
                    self.device[d, g] = x[g, 0] * b["gcycles"][g] / cores if cores > 0 else math.inf
                self.radio[s] += x[g, 1:].sum() * airtime[d, g]
                self.server[s] += x[g, 1] * b["gcycles"][g]
                self.server[f] += x[g, 2] * b["gcycles"][g]
                self.server[-1] += x[g, 3] * b["gcycles"][g]
                self.route[s] += (x[g, 2] + x[g, 3]) * b["megabits"][g]
                self.route[f] += x[g, 3] * b["megabits"][g]
        for r, load in enumerate(self.route):
            for link in self.ways.route[r]:
                self.link[link] += load

    def open(self, r: int) -> float:
        if not self.ways.reaches[r]:
            return 0.0
        free = [(1 - HEADROOM) * self.ways.capacity[d] - self.ways.background[d] for d in self.ways.route[r]]
        return min([passing(max(f, 0.0), self.link[d]) for f, d in zip(free, self.ways.route[r], strict=True)] + [1.0])

    def carry(self, d: int, x: np.ndarray) -> np.ndarray:
        s, f = self.at(d)
        radio = passing(LIMIT * self.problems[d].capacity[0], self.radio[s])
        server = [passing(LIMIT * self.state.ghz[k], self.server[k]) for k in (s, f, -1)]
        y = x.copy()
        for g in range(self.of.groups):
            y[g, 0] *= passing(LIMIT, self.device[d, g])
            y[g, 1] *= min(radio, server[0])
            y[g, 2] *= min(radio, self.open(s), server[1])
            y[g, 3] *= min(radio, self.open(s), self.open(f), server[2])
        return y

    def stretch(self, server: int) -> float:
        ghz = self.state.ghz[server]
        rho = self.server[server] / ghz if ghz > 0 else 0.0
        cores = max(math.floor(ghz / self.b["core_ghz"] + 0.5), 1)
        return erlang_c(cores, cores * rho) / (cores * (1 - rho)) if rho > 0 else 0.0

    def delays(self, d: int, g: int) -> list[tuple[float, float]]:
        b, (s, f) = self.b, self.at(d)
        own = b["gcycles"][g] / b["device_ghz"].reshape(-1, self.of.groups)[d, g]
        rho = min(self.device[d, g], LIMIT)
        air, mb = b["airtime"].reshape(-1, self.of.groups)[d, g], b["megabits"][g]
        cells = self.problems[d].capacity[0]
        sent = air * self.radio[s] / (cells - self.radio[s]) if self.radio[s] > 0 else 0.0
        work = b["gcycles"][g] / b["core_ghz"]
        fixed, waits = [own, air + work], [own * rho / (1 - rho), sent + work * self.stretch(s)]
        far_fixed, far_wait = air + work, sent
        for r, server in ((s, f), (f, -1)):
            km, per_mb = self.ways.length(b, r)
            far_fixed += 2 * km + mb * per_mb
            for link in self.ways.route[r]:
                c = self.ways.capacity[link]
                if c > 0:
                    left = max(c - self.ways.background[link] - self.link[link], HEADROOM * c)
                    far_wait += mb * (1 / left - 1 / c)
            fixed.append(far_fixed)
            waits.append(far_wait + work * self.stretch(server))
        return list(zip(fixed, waits, strict=True))

    def kpis(self) -> np.ndarray:
        b, of = self.b, self.of
        offered = served = local = volume = good = in_time = seconds = watts = users = covered = value = 0.0
        parts: list[tuple[float, float]] = []
        for d, y in enumerate(self.carried):
            problem = self.problems[d]
            for g in range(of.groups):
                for t, (fixed, wait) in enumerate(self.delays(d, g)):
                    if y[g, t] <= 0:
                        continue
                    room = b["deadline_s"][g] - fixed
                    within = 0.0 if room < 0 else 1 - math.exp(-room / wait) if wait > 0 else 1.0
                    in_time += y[g, t] * within
                    good += y[g, t] * within * b["megabits"][g]
                    seconds += y[g, t] * (fixed + wait)
                    watts += y[g, t] * b["energy_j"].reshape(-1, of.groups, 2)[d, g, int(t > 0)]
                    value -= problem.cost[g, t] * y[g, t]
                    points = [-math.log1p(-(k + 0.5) / 8) for k in range(8)] if wait > 0 else [0.0]
                    parts += [(fixed + wait * point, y[g, t] / len(points)) for point in points]
                demand = problem.demand[g]
                offered, served, local = offered + demand, served + y[g].sum(), local + y[g, 0]
                volume += y[g].sum() * b["megabits"][g]
                users += self.state.users[d, g]
                covered += self.state.users[d, g] * self.covered(d)
                if demand > 0 and b["weight"][g] > 0:
                    q = min(max(y[g].sum() / demand, 0.01), 1.0)
                    value += demand * b["weight"][g] * utility(q, float(b["alpha"][g]))
        sites = [self.at(d)[0] for d in range(len(self.carried))]
        ghz = sum(self.state.ghz[s] for s in sites)
        return np.array(
            [
                offered,
                served,
                volume,
                good,
                1e3 * seconds / served if served > 0 else 0.0,
                1e3 * quantile(parts, served),
                max(1 - served / offered, 0.0) if offered > 0 else 0.0,
                max(1 - in_time / offered, 0.0) if offered > 0 else 0.0,
                covered / users if users > 0 else 1.0,
                local / offered if offered > 0 else 0.0,
                sum(self.server[s] for s in sites) / ghz if ghz > 0 else 0.0,
                self.uplink,
                self.wanted,
                self.ways.lost,
                watts,
                value - self.delay_terms(),
            ]
        )

    def covered(self, d: int) -> bool:
        s, f = self.at(d)
        if self.problems[d].capacity[0] <= 0:
            return False
        above = self.state.ghz[f] > 0 or (self.ways.reaches[f] and self.state.ghz[-1] > 0)
        return self.state.ghz[s] > 0 or (self.ways.reaches[s] and above)

    def delay_terms(self) -> float:
        def term(load: float, capacity: float, kappa: float) -> float:
            load = min(load, LIMIT * capacity)
            return kappa * load / (capacity - load) if load > 0 else 0.0

        total = 0.0
        for d, problem in enumerate(self.problems):
            s, _ = self.at(d)
            for load, capacity, kappa in zip(
                (self.radio[s], self.server[s], self.route[s]), problem.capacity, problem.kappa, strict=True
            ):
                total += term(load, float(capacity), float(kappa))
        for f in range(self.of.fogs):
            r = self.of.sites + f
            uplink = max(self.of.moved(float(self.b["uplink_fog_mbps"][f]), self.ways, r), 1e-6)
            total += term(self.route[r], uplink, self.b["kappa0_link"] * uplink)
        for server in range(self.of.sites, len(self.server)):
            ghz = self.state.ghz[server]
            if self.server[server] > 0:
                total += term(self.server[server], ghz, self.of.kappa(ghz))
        return total


def quantile(parts: list[tuple[float, float]], served: float) -> float:
    """The 95 % quantile in buckets of 1/64 octave, even within one."""
    buckets: dict[int, float] = {}
    first = struct.unpack("<Q", struct.pack("<d", 2.0**-40))[0] >> 46
    for delay, rate in parts:
        bucket = max((struct.unpack("<Q", struct.pack("<d", delay))[0] >> 46) - first, 0)
        buckets[bucket] = buckets.get(bucket, 0.0) + rate
    seen = 0.0
    for bucket in sorted(buckets):
        if seen + buckets[bucket] >= 0.95 * served:
            low, high = (struct.unpack("<d", struct.pack("<Q", (first + k) << 46))[0] for k in (bucket, bucket + 1))
            return float(low + (high - low) * (0.95 * served - seen) / buckets[bucket])
        seen += buckets[bucket]
    return 0.0
