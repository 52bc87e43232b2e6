"""Faults played on a world, and thresholds on what is then measured: alarms that know nothing of any localiser.

One window of `WINDOW_S`. Routing goes around what is down (`tiertwin.world.reroute`); a route without another way loses
everything, one that moves loses what it loses until it has converged. Links are M/M/1 queues of their load, servers of
their work; degraded links lose frames and capacity, slow servers capacity. Probes, error counters, response times,
late tasks and task counts are drawn; each alarm is a threshold on one of them. Nodes and servers are heard over a
management network, what a site measures itself comes over its route: cut off, it is missing.
"""

from __future__ import annotations

import numpy as np

from tiertwin.functions.assure.causes import Naming
from tiertwin.world import reroute

WINDOW_S = 10.0
PROBES = 200
FRAME_BITS = 12_000.0
FRAMES = 20_000  # looked at for errors in a window


class FaultyWorld:
    """One world; `measure` plays faults on it."""

    def __init__(self, world) -> None:
        self.world, self.names = world, Naming(world)
        users = world.group_devices.sum(axis=-1)
        self.rate = users @ world.tasks_per_s
        self.work = users @ (world.tasks_per_s * world.gcycles)
        self.bits = users @ (world.tasks_per_s * world.megabits)
        self.cores = np.concatenate([world.site_cores, world.fog_cores, [world.cloud_cores]]) * world.core_ghz
        edge = np.minimum(self.work, 0.6 * self.cores[: world.site_count])  # what the edge keeps
        cap = world.uplink_site_mbps  # twins send no more than the share of the links
        most = np.divide(0.9 * cap, self.bits, out=np.ones_like(cap), where=self.bits > 0)
        up = np.minimum(self.work - edge, most * self.work)
        fog = np.bincount(world.site_fog, up, world.fog_count)
        capacity = self.cores[world.site_count : -1]
        kept = np.minimum(fog, 0.7 * capacity)
        self.load = np.concatenate([edge, kept, [(fog - kept).sum()]])
        self.share_up = np.divide(up, self.work, out=np.zeros_like(up), where=self.work > 0)
        self.healthy = self._delays(world, np.zeros(world.link_count, bool), np.ones(world.link_count))

    def measure(self, rng, faults, telemetry_loss=0.1, windows=1):
        """Return (alarms, silent) names after the causes `faults` came about: the newest sample that got through."""
        there = [self._severity(rng, fault) for fault in faults]
        newest = {}
        for _ in range(windows):
            newest |= {n: v for n, v in self._window(rng, there).items() if rng.random() >= telemetry_loss}
        return [n for n, v in newest.items() if v], [n for n, v in newest.items() if not v]

    @staticmethod
    def _severity(rng, fault):
        ranges = {"degraded": (0.005, 0.08), "access": (0.0, 0.2), "slow": (0.25, 0.6)}
        return fault, rng.uniform(*ranges.get(fault.kind, (0.0, 0.0))), rng.uniform(0.3, 0.9)

    def _window(self, rng, there):
        world, names = self.world, self.names
        failed, nodes = np.zeros(world.link_count, bool), np.zeros(world.node_count, bool)
        loss, width = np.zeros(world.link_count), np.ones(world.link_count)
        speed = np.ones(len(self.cores))
        heard = np.ones(world.site_count)
        for fault, severity, capacity in there:
            if fault.hard:
                failed[list(fault.links)] = True
                nodes[list(fault.nodes)] = True
            elif fault.kind == "degraded":
                loss[fault.links[0]], width[fault.links[0]] = severity, capacity
            elif fault.kind == "access":
                heard[fault.site] = severity
            else:
                speed[fault.server] = 0.0 if fault.kind == "server" else severity
        failed |= nodes[world.link_tail] | nodes[world.link_head]
        speed[nodes[names.server_node]] = 0.0
        seen = {}
        self._links(rng, seen, failed, loss, nodes)
        for node, name in enumerate(names.nodes):
            seen[f"node {name} dark"] = bool(nodes[node])
        cut = self._routes(rng, seen, failed, nodes, loss, width)
        self._servers(rng, seen, speed)
        self._sites(rng, seen, speed, heard, cut)
        return {name: value for name, value in seen.items() if value is not None}

    def _links(self, rng, seen, failed, loss, nodes) -> None:
        world = self.world
        for link in range(world.link_count):
            name = self.names.link(link)
            blind = nodes[world.link_tail[link]] and nodes[world.link_head[link]]
            seen[f"{name} down"] = None if blind else bool(failed[link])
            seen[f"{name} errors"] = None if failed[link] else bool(rng.poisson(2.0 + FRAMES * loss[link]) > 10)

    def _delays(self, world, failed, width):
        """Delay of every route, s (NaN: no way), and its links."""
        changed = reroute(world, failed)
        bits = np.zeros(2 * world.link_count)
        routes = [*changed.route_site_links, *changed.route_fog_links]
        for site, route in enumerate(changed.route_site_links):
            bits[route] += self.bits[site] * self.share_up[site]
        capacity = np.repeat(world.link_capacity_mbps * width, 2)
        load = np.minimum((changed.background_mbps + bits) / capacity, 0.98)
        delay = FRAME_BITS / (capacity * 1e6) / (1.0 - load) + np.repeat(world.link_km, 2) * 5e-6
        drop = np.maximum((changed.background_mbps + bits) / capacity - 1.0, 0.0)
        return [(float(delay[route].sum()), drop[route].max(initial=0.0), route) for route in routes]

    def _routes(self, rng, seen, failed, nodes, loss, width):
        world, names = self.world, self.names
        now = self._delays(world, failed, width)
        ends = np.concatenate([world.site_node, world.fog_node])
        roots = np.concatenate([world.fog_node[world.site_fog], np.full(world.fog_count, world.cloud_node)])
        cut = np.zeros(len(now), bool)
        for r, ((delay, drop, route), (before, _, old)) in enumerate(zip(now, self.healthy, strict=True)):
            name = names.site(r) if r < world.site_count else names.fog(r - world.site_count)
            cut[r] = bool(nodes[ends[r]] or nodes[roots[r]]) or (len(route) == 0 and ends[r] != roots[r])
            moved = 1.0 - rng.uniform(0.0, 0.3) if failed[old // 2].any() else 1.0
            kept = 0.0 if cut[r] else moved * np.prod(1.0 - loss[route // 2]) * (1.0 - min(drop, 1.0))
            seen[f"{name} loss"] = bool(rng.binomial(PROBES, 1.0 - kept) > 0.02 * PROBES)
            measured = delay * rng.lognormal(0.0, 0.05)
            seen[f"{name} delay"] = None if cut[r] else bool(measured > 1.3 * before + 1e-4)
        return cut

    def _slowness(self, speed):
        """Response time over service time at full speed; inf where a server is down or full."""
        with np.errstate(divide="ignore", invalid="ignore"):
            busy = self.load / (self.cores * speed)
            return np.where((speed > 0) & (busy < 1.0), 1.0 / speed / np.maximum(1.0 - busy, 1e-3), np.inf)

    def _servers(self, rng, seen, speed) -> None:
        usual, now = self._slowness(np.ones(len(speed))), self._slowness(speed)
        for k in range(len(speed)):
            name = self.names.server(k)
            seen[f"{name} down"] = bool(speed[k] == 0.0)
            slow = now[k] * rng.lognormal(0.0, 0.1) > 1.5 * usual[k]
            seen[f"{name} slow"] = None if speed[k] == 0.0 else bool(slow)

    def _sites(self, rng, seen, speed, heard, cut) -> None:
        world, now = self.world, self._slowness(speed)
        usual = self._slowness(np.ones(len(speed)))
        for s in range(world.site_count):
            name, fog = self.names.site(s), world.site_count + int(world.site_fog[s])
            away = cut[s] or (speed[s] == 0.0 and cut[world.site_count + int(world.site_fog[s])])
            tasks = rng.poisson(self.rate[s] * heard[s] * WINDOW_S)
            # a task is late when it takes three times the usual: exponential response times
            late = [np.exp(-3.0 * usual[k] / now[k]) if np.isfinite(now[k]) else 1.0 for k in (s, fog)]
            chance = (1.0 - self.share_up[s]) * late[0] + self.share_up[s] * late[1]
            seen[f"{name} late"] = None if away or tasks < 10 else bool(rng.binomial(tasks, chance) > 0.12 * tasks)
            seen[f"{name} rate"] = None if away else bool(tasks < 0.5 * self.rate[s] * WINDOW_S)
