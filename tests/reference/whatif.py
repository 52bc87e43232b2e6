"""The what-if engine, naively: everything searched and summed anew for each situation, one flow after the other.

Only the plan of a site that plans anew comes from the leaf kernel, which has its own reference.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from reference.graph import Network, distances_from, ecmp_loads, via_links
from reference.whatif_queues import HEADROOM, Judged, erlang_c
from tiertwin.allocate import kernel
from tiertwin.allocate.leaf import LeafProblem

KM, DESIGN = 5e-6, 0.8
Row = tuple[int, int, int, float]


class State:
    """What is left of every part, one change after the other."""

    def __init__(self, b: dict[str, Any], rows: list[Row]) -> None:
        sites, groups = len(b["site_node"]), len(b["weight"])
        self.share, self.mbps = b["link_share"].tolist(), b["link_mbps"].tolist()
        self.ghz = b["server_ghz"].tolist()
        self.radio, self.control = [1.0] * sites, [0.0] * sites
        self.demand = b["demand"].reshape(-1, groups).copy()
        self.users = b["users"].reshape(-1, groups).copy()
        self.down: set[int] = set()
        home = {int(site): d for d, site in enumerate(b["home"])}
        single = {1: self.mbps, 3: self.ghz, 6: self.radio}, {2: self.mbps, 4: self.ghz, 7: self.control}
        for kind, part, other, value in rows:
            if kind in single[0]:
                single[0][kind][part] *= value
            elif kind in single[1]:
                single[1][kind][part] += value
            elif kind == 0:
                self.share[part] = value
            elif kind == 5:
                self.down.add(part)
            elif kind == 10:
                here, there = (divmod(cell, groups) for cell in (part, other))
                if here[0] in home:
                    self._group((home[here[0]], here[1]), (home.get(there[0]), there[1]), value)
            elif part in home:
                self._people(kind, home[part], home.get(other), value)
        self._take_down(b, sites)

    def _people(self, kind: int, here: int, there: int | None, value: float) -> None:
        if kind == 8:
            self.demand[here] *= value
            return
        for table in (self.demand, self.users):
            gone = value * table[here]
            table[here] -= gone
            if there is not None:
                table[there] += gone

    def _group(self, here: tuple[int, int], there: tuple[int | None, int], value: float) -> None:
        for table in (self.demand, self.users):
            gone = value * table[here]
            table[here] -= gone
            if there[0] is not None:
                table[there] += gone

    def _take_down(self, b: dict[str, Any], sites: int) -> None:
        for link, ends in enumerate(zip(b["link_tail"], b["link_head"], strict=True)):
            if self.down & {int(end) for end in ends}:
                self.share[link] = 0.0
        for site, node in enumerate(b["site_node"]):
            if int(node) in self.down:
                self.ghz[site] = self.radio[site] = 0.0
        for fog, node in enumerate(b["fog_node"]):
            if int(node) in self.down:
                self.ghz[sites + fog] = 0.0
        if int(b["cloud_node"]) in self.down:
            self.ghz[-1] = 0.0


class Ways:
    """Routes, background, shares."""

    def __init__(self, b: dict[str, Any], state: State) -> None:
        sites, fogs, links = len(b["site_node"]), len(b["fog_node"]), len(b["link_km"])
        ends = []
        for tail, head, km in zip(b["link_tail"], b["link_head"], b["link_km"], strict=True):
            length = max(float(km), 1e-3)
            ends += [(int(tail), int(head), length), (int(head), int(tail), length)]
        self.ends = ends
        gone = {d for d in range(2 * links) if state.share[d // 2] <= 0.0}
        whole = Network(b["nodes"], ends, gone)
        self.route: list[list[int]] = []
        self.reaches: list[bool] = []
        fog_of = b["node_fog"]
        for site in range(sites):
            fog = int(b["site_fog"][site])
            outside = {d for d, (a, c, _) in enumerate(ends) if fog_of[a] != fog or fog_of[c] != fog}
            inside = Network(b["nodes"], ends, gone | outside)
            gateway, node = int(b["fog_node"][fog]), int(b["site_node"][site])
            found = inside if math.isfinite(distances_from(inside, gateway)[node]) else whole
            self._add(found, gateway, node, state)
        for fog in range(fogs):
            self._add(whole, int(b["cloud_node"]), int(b["fog_node"][fog]), state)
        now, lost = self._background(b, whole)
        believed = Network(b["nodes"], ends, {d for d in range(2 * links) if b["link_share"][d // 2] <= 0.0})
        before, _ = self._background(b, believed)
        self.lost = sum(lost)
        self.capacity = [state.mbps[d // 2] * state.share[d // 2] for d in range(2 * links)]
        self.background = [
            0.0 if d in gone else max(float(b["background_mbps"][d]) + now[d] - before[d], 0.0)
            for d in range(2 * links)
        ]
        for site in range(sites):
            for d in self.route[site]:
                self.background[d] += state.control[site]
        weight = [*b["site_weight"].tolist(), *b["fog_weight"].tolist()]
        claimed = [0.0] * (2 * links)
        for r, route in enumerate(self.route):
            for d in route:
                claimed[d] += weight[r]
        self.share = []
        for r, route in enumerate(self.route):
            free = [max((1 - HEADROOM) * self.capacity[d] - self.background[d], 0.0) for d in route]
            least = [f * weight[r] / claimed[d] if claimed[d] > 0 else 0.0 for f, d in zip(free, route, strict=True)]
            self.share.append(0.0 if not self.reaches[r] else min(least) if route else b["lan_mbps"])

    def _add(self, net: Network, root: int, node: int, state: State) -> None:
        via, at, route = via_links(net, root), node, []
        while via[at] >= 0:
            route.append(via[at] ^ 1)
            at = self.ends[via[at]][0]
        self.route.append(route)
        self.reaches.append(at == root and not state.down & {root, node})

    @staticmethod
    def _background(b: dict[str, Any], net: Network) -> tuple[list[float], list[float]]:
        demands = zip(b["demand_tail"].tolist(), b["demand_head"].tolist(), b["demand_mbps"].tolist(), strict=True)
        return ecmp_loads(net.by_hops(), list(demands))

    def length(self, b: dict[str, Any], r: int) -> tuple[float, float]:
        """(5 us/km, s a megabit) of a route."""
        km = sum(KM * float(b["link_km"][d // 2]) for d in self.route[r])
        return km, sum(1.0 / self.capacity[d] for d in self.route[r] if self.capacity[d] > 0)


class Reference:
    """A belief, as the engine takes it."""

    def __init__(self, belief: dict[str, Any]) -> None:
        self.b = belief
        self.sites, self.fogs, self.groups = (len(belief[k]) for k in ("site_node", "fog_node", "weight"))
        self.base = State(belief, [])
        self.believed = Ways(belief, self.base)

    # -- the problem of a site ---------------------------------------------------------------------------------------
    def queueing(self, ghz: float) -> float:
        cores = math.floor(ghz / self.b["core_ghz"] + 0.5)
        return self.b["lost_mean"] * erlang_c(cores, DESIGN * cores) if cores > 0 else 0.0

    def kappa(self, ghz: float) -> float:
        return float(self.b["kappa0_compute"] * ghz + self.queueing(ghz))

    def idle(self, ghz: float) -> float:
        return self.queueing(ghz) / ghz if ghz > 0 else 0.0

    def moved(self, believed: float, ways: Ways, r: int) -> float:
        now, before = ways.share[r], self.believed.share[r]
        return believed * now / before if before > 0 else now if now != before else believed

    def problem(self, d: int, state: State, ways: Ways) -> tuple[LeafProblem, np.ndarray]:
        b, groups = self.b, self.groups
        site = int(b["home"][d])
        fog = int(b["site_fog"][site])
        capacity, kappa = (b[k].reshape(-1, 3)[d].copy() for k in ("capacity", "kappa"))
        quota = b["quota"].reshape(-1, 3)[d].copy()
        capacity[0], kappa[0] = capacity[0] * state.radio[site], kappa[0] * state.radio[site]
        capacity[1] = state.ghz[site]
        if state.ghz[site] != b["server_ghz"][site]:
            kappa[1] = self.kappa(state.ghz[site])
        capacity[2] = max(self.moved(capacity[2], ways, site), 1e-6)
        if ways.share[site] != self.believed.share[site]:
            kappa[2] = b["kappa0_link"] * capacity[2]
        route = self.sites + fog
        servers = [site, route, self.sites + self.fogs]
        uplink = float(b["uplink_fog_mbps"][fog])
        for j, (now, before) in enumerate(
            [
                (state.ghz[route], float(b["server_ghz"][route])),
                (self.moved(uplink, ways, route), uplink),
                (state.ghz[-1], float(b["server_ghz"][-1])),
            ]
        ):
            quota[j] *= now / before if before > 0 else 1.0
        cost = b["cost"].reshape(-1, groups, 4)[d].copy()
        seconds = b["seconds"].reshape(-1, groups, 4)[d]
        to_fog = np.subtract(ways.length(b, site), self.believed.length(b, site))
        to_cloud = to_fog + np.subtract(ways.length(b, route), self.believed.length(b, route))
        for t, (km, per_mb) in enumerate([(0.0, 0.0), to_fog, to_cloud], start=1):
            price = self.idle(float(b["server_ghz"][servers[t - 1]])) - self.idle(state.ghz[servers[t - 1]])
            for g in range(groups):
                more = b["lost_per_s"][g] * (2 * km + b["megabits"][g] * per_mb) + b["gcycles"][g] * price
                if more != 0:
                    cost[g, t] += max(seconds[g, t] + more, 0.0) - max(seconds[g, t], 0.0)
        own, use = np.zeros((3, groups, 4)), np.zeros((3, groups, 4))
        own[0, :, 1:] = b["airtime"].reshape(-1, groups)[d][:, None]
        own[1, :, 1], own[2, :, 2:] = b["gcycles"], b["megabits"][:, None]
        use[0, :, 2], use[1, :, 3], use[2, :, 3] = b["gcycles"], b["megabits"], b["gcycles"]
        problem = LeafProblem(
            state.demand[d], b["weight"], b["alpha"], np.maximum(cost, 0.0), own, capacity, kappa, use
        )
        return problem, quota

    def plan(self, d: int, problem: LeafProblem, quota: np.ndarray, replan: str) -> np.ndarray:
        if replan == "local":
            return kernel.KernelAllocator().allocate(problem, quota=quota).x
        b = self.b
        standing = b["plan"].reshape(-1, self.groups, 4)[d]
        before = b["demand"].reshape(-1, self.groups)[d]
        x = np.zeros_like(standing)
        for g in range(self.groups):
            if before[g] > 0:
                x[g] = standing[g] / before[g] * problem.demand[g]
            else:
                x[g] = standing[g] if problem.demand[g] == 0 else [problem.demand[g], 0, 0, 0]
        return x

    # -- what comes of it --------------------------------------------------------------------------------------------
    def expect(self, rows: list[Row], replan: str) -> np.ndarray:
        """KPIs of one situation, in the engine's order."""
        b = self.b
        state = State(b, rows)
        ways = Ways(b, state)
        problems = [self.problem(d, state, ways) for d in range(len(b["home"]))]
        plans = [self.plan(d, *problem, replan) for d, problem in enumerate(problems)]
        return Judged(self, state, ways, [p for p, _ in problems], plans).kpis()
