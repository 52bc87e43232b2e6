"""What to build in a network: the placement problem made from a world, its answer, and what the twin thinks of it.

A user row is a service class at a site in a situation, demand the day's mean there. It is served on its devices, at the
edge, fog or cloud server of its domain (`tiertwin.world.objective` has the latencies, without waiting), over the cells
of its site and the links of its route, all of them loaded to `Aim.load` at most. Routes go around what is down; a new
link offers the route that it would make, beside the one there is. A task is worth the weight b of its class times

    coverage · [latency ≤ deadline] + latency · max(0, 1 − latency/deadline) + capacity

Situations count by their probability, shares of their sum. Links are taken for what background leaves of them, shared
as suits the plan best, while the twins that own them split them by fixed weights: the plan is an upper estimate there,
which is why the twin has the last word (`score`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.allocate.placement import NONE, PlacementProblem
from tiertwin.errors import InputError
from tiertwin.functions.whatif.candidates import (
    Candidate,
    NewLink,
    added_ghz,
    added_mbps,
    misfit,
    with_built,
)
from tiertwin.functions.whatif.states import State, state_of
from tiertwin.model.interventions import AddCapacity, AddSite, Situation
from tiertwin.model.tiers import Tier
from tiertwin.world.objective import LOCAL_LOAD_AT_MOST, tier_latencies
from tiertwin.world.places import Places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Aim:
    """What a served task is worth, and how full things may be.

    Parameters
    ----------
    coverage, latency, capacity
        Weights of being in time, of being early, of being served at all; at least 0, some above.
    load
        Largest load of servers, cells and links, (0, 1].
    """

    coverage: float = 0.5
    latency: float = 0.3
    capacity: float = 0.2
    load: float = 0.8

    def __post_init__(self) -> None:
        weights = (self.coverage, self.latency, self.capacity)
        if not (np.isfinite(weights).all() and min(weights) >= 0.0 and max(weights) > 0.0):
            raise InputError(f"aim: expected weights of at least 0, some above, got {weights}")
        if not 0.0 < self.load <= 1.0:
            raise InputError(f"aim: expected a load in (0, 1], got {self.load}")


@dataclass
class _Rows:
    """Rows of the problem as they are collected."""

    demand: list[float] = field(default_factory=list)
    situation: list[int] = field(default_factory=list)
    capacity: list[float] = field(default_factory=list)
    options: list[tuple[int, float, int, float, bool]] = field(default_factory=list)
    uses: list[tuple[int, int, float]] = field(default_factory=list)
    adds: list[tuple[int, int, float]] = field(default_factory=list)

    def resource(self, capacity: float) -> int:
        self.capacity.append(capacity)
        return len(self.capacity) - 1


def placement_problem(
    world: World,
    candidates: Sequence[Candidate],
    situations: Sequence[Situation],
    most: int,
    budget: float = np.inf,
    aim: Aim | None = None,
) -> PlacementProblem:
    """Return the problem of what to build.

    Parameters
    ----------
    candidates
        That fit the world (`candidates.misfit`), each with a name of its own.
    situations
        With probabilities; those without weight are left out.
    most, budget
        How many may be built, and for how much.

    Raises
    ------
    InputError
        A candidate that does not fit, no situation of any weight, or one that a planner does not know.
    """
    weights = np.array([one.probability for one in situations])
    if not weights.sum() > 0.0:
        raise InputError(f"expected situations with probabilities above 0, got {len(situations)} without", "plan")
    for candidate in candidates:
        wrong = misfit(world, candidate)
        if wrong:
            raise InputError(wrong, f"candidate {candidate.name!r}")
    heavy = [one for one in situations if one.probability > 0.0]
    rows, builder = _Rows(), _Builder(world, candidates, Aim() if aim is None else aim)
    for s, situation in enumerate(heavy):
        builder.add(rows, s, situation)
    return _assembled(rows, candidates, heavy, most, budget)


def _assembled(
    rows: _Rows, candidates: Sequence[Candidate], situations: Sequence[Situation], most: int, budget: float
) -> PlacementProblem:
    weight = np.array([one.probability for one in situations])
    user, gain, needs, latency, in_time = (
        np.array(one) for one in (zip(*rows.options, strict=True) if rows.options else ([], [], [], [], []))
    )
    use, add = (np.array(one, dtype=np.float64).reshape(-1, 3) for one in (rows.uses, rows.adds))
    cost = np.array([candidate.cost for candidate in candidates], dtype=np.float64)
    return PlacementProblem(
        names=tuple(candidate.name for candidate in candidates),
        cost=cost,
        budget=float(min(budget, cost.sum())) if not np.isnan(budget) else budget,
        most=most,
        situations=tuple(one.name for one in situations),
        weight=weight / weight.sum(),
        demand=np.array(rows.demand),
        situation=np.array(rows.situation, dtype=np.int64),
        user=user.astype(np.int64),
        gain=gain.astype(np.float64),
        needs=needs.astype(np.int64),
        capacity=np.array(rows.capacity),
        use_option=use[:, 0].astype(np.int64),
        use_row=use[:, 1].astype(np.int64),
        use=use[:, 2],
        add_row=add[:, 0].astype(np.int64),
        add_candidate=add[:, 1].astype(np.int64),
        add=add[:, 2],
        latency_s=latency.astype(np.float64),
        in_time=in_time.astype(bool),
    ).checked()


class _Builder:
    """Adds the rows of one situation after the other."""

    def __init__(self, world: World, candidates: Sequence[Candidate], aim: Aim) -> None:
        self._world, self._candidates, self._aim, self._places = world, candidates, aim, Places(world)
        self._larger = {i: with_built(world, [c]) for i, c in enumerate(candidates) if isinstance(c.adds, NewLink)}

    def add(self, rows: _Rows, s: int, situation: Situation) -> None:
        state = state_of(self._world, situation)
        scene = _Scene(rows, s, state, self._aim)
        for i, candidate in enumerate(self._candidates):
            adds = candidate.adds
            if isinstance(adds, AddCapacity) and not isinstance(adds.place, str):
                scene.widen(self._places.links(*adds.place), i, added_mbps(self._world, adds))
            elif not isinstance(adds, NewLink):
                name = adds.node if isinstance(adds, AddSite) else str(adds.place)
                scene.strengthen(self._places.sites(name), i, added_ghz(self._world, adds))
        scene.offer()
        for i, larger in self._larger.items():
            scene.offer_over(i, state_of(larger, situation))


class _Scene:
    """Users, resources and options of one situation."""

    def __init__(self, rows: _Rows, s: int, state: State, aim: Aim) -> None:
        world, load = state.world, aim.load
        self._rows, self._state, self._aim = rows, state, aim
        total = state.demand.sum(axis=2)
        self._users = [(int(site), int(kind)) for site, kind in zip(*np.nonzero(total > 0.0), strict=True)]
        self._first = len(rows.demand)
        rows.demand += [float(total[user]) for user in self._users]
        rows.situation += [s] * len(self._users)
        self._radio = [rows.resource(load * cells) for cells in state.cells.tolist()]
        self._edge = [rows.resource(load * ghz) for ghz in state.site_ghz.tolist()]
        self._fog = [rows.resource(load * ghz) for ghz in state.fog_ghz.tolist()]
        self._cloud = rows.resource(load * state.cloud_ghz)
        devices = (world.group_devices * world.group_ghz).sum(axis=2)
        self._device = [rows.resource(LOCAL_LOAD_AT_MOST * float(devices[user])) for user in self._users]
        self._link: dict[tuple[int, int], int] = {}

    def strengthen(self, sites: I64, candidate: int, ghz: float) -> None:
        """Let a candidate add to the servers of sites that are not down."""
        for site in sites.tolist():
            if self._state.cells[site] > 0.0:
                self._rows.adds.append((self._edge[site], candidate, self._aim.load * ghz))

    def widen(self, links: list[int], candidate: int, mbps: float) -> None:
        """Let a candidate add to links that are up."""
        for link in links:
            if self._state.link_mbps[link] > 0.0:
                for way in (2 * link, 2 * link + 1):
                    self._rows.adds.append((self._way(way), candidate, self._aim.load * mbps))

    def offer(self) -> None:
        """Add the options of the network as it is."""
        latency = self._means(self._state)
        for k, (site, _) in enumerate(self._users):
            for tier in Tier:
                route = _route(self._state.world, site, tier)
                if route is not None:
                    self._option(k, tier, float(latency[k, tier]), [self._way(way) for way in route], NONE)

    def offer_over(self, candidate: int, larger: State) -> None:
        """Add the options whose route a new link, the last of the `larger` network, changes."""
        world = larger.world
        new = world.link_count - 1
        if larger.link_mbps[new] <= 0.0:
            return
        for way in (2 * new, 2 * new + 1):
            free = max(float(larger.link_mbps[new]) - float(world.background_mbps[way]), 0.0)
            row = self._link[candidate, way] = self._rows.resource(0.0)
            self._rows.adds.append((row, candidate, self._aim.load * free))
        latency = self._means(larger)
        for k, (site, _) in enumerate(self._users):
            for tier in (Tier.FOG, Tier.CLOUD):
                route = _route(world, site, tier)
                if route is not None and any(way // 2 == new for way in route):
                    ways = [self._link[candidate, way] if way // 2 == new else self._way(way) for way in route]
                    self._option(k, tier, float(latency[k, tier]), ways, candidate)

    def _means(self, state: State) -> F64:
        """Return latencies of user rows at tiers, [U, 4]: means over rings by demand."""
        share = state.demand / np.maximum(state.demand.sum(axis=2, keepdims=True), 1e-300)
        mean = (tier_latencies(state.world) * share[..., None]).sum(axis=2)
        found: F64 = np.array([mean[user] for user in self._users]).reshape(-1, len(Tier))
        return found

    def _option(self, k: int, tier: Tier, latency_s: float, ways: list[int], needs: int) -> None:
        world, aim, (site, kind) = self._state.world, self._aim, self._users[k]
        deadline = float(world.deadline_s[kind])
        in_time = latency_s <= deadline
        gain = aim.coverage * in_time + aim.latency * max(0.0, 1.0 - latency_s / deadline) + aim.capacity
        option = len(self._rows.options)
        self._rows.options.append((self._first + k, float(world.b[kind]) * gain, needs, latency_s, in_time))
        gcycles, megabits = float(world.gcycles[kind]), float(world.megabits[kind])
        if tier == Tier.DEVICE:
            self._rows.uses.append((option, self._device[k], gcycles))
            return
        share = self._state.demand[site, kind] / self._state.demand[site, kind].sum()
        airtime = float((share * megabits / world.ring_rate_mbps).sum())
        server = {Tier.EDGE: self._edge[site], Tier.FOG: self._fog[int(world.site_fog[site])], Tier.CLOUD: self._cloud}
        self._rows.uses += [(option, self._radio[site], airtime), (option, server[tier], gcycles)]
        self._rows.uses += [(option, way, megabits) for way in ways]

    def _way(self, way: int) -> int:
        """Return the resource row of a directed link: what background leaves of it."""
        if (NONE, way) not in self._link:
            free = max(float(self._state.link_mbps[way // 2]) - float(self._state.world.background_mbps[way]), 0.0)
            self._link[NONE, way] = self._rows.resource(self._aim.load * free)
        return self._link[NONE, way]


def _route(world: World, site: int, tier: Tier) -> list[int] | None:
    """Return the directed links from a site to a tier; None where there is no way."""
    if tier <= Tier.EDGE:
        return []
    fog = int(world.site_fog[site])
    up, gateway = world.route_site_links[site].tolist(), int(world.fog_node[fog])
    if not up and int(world.site_node[site]) != gateway:
        return None
    if tier == Tier.FOG:
        return list(up)
    on = world.route_fog_links[fog].tolist()
    return None if not on and gateway != world.cloud_node else up + on
