"""Faults on a simulated plant: who comes when, drawn or given, and what is told to the core.

`faults_of` turns a scenario's sections into plain numbers (options travel to the plant's process as JSON);
`FaultPlayer` plays them. What is active at a time makes one state of the network, so overlapping faults need no order:

    a link is down when any of them takes it down; of several degradations the worst counts
    a node that is dark takes its links, servers and cells along, and nothing that stands there is heard

Random faults of a kind are a Poisson process of its own, drawn by (seed, kind, number): the same for every policy, and
however the time is cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.plant.liars import liars_of

KINDS = ("link", "degraded", "node", "server", "slow", "access", "group")
SECOND = 1_000_000_000
NEVER = 2**62
_PURPOSE = 0x6661756C  # "faul"
_BAD = ("capacity", "loss", "speed")
_DRAWS = 8  # a fault: gap, which, capacity, loss, speed, two of the repair, one to spare


@dataclass(frozen=True, slots=True)
class Episode:
    """One fault while it lasts.

    Parameters
    ----------
    start_ns, end_ns
        Plant time; `NEVER`: to the end.
    kind
        One of `KINDS`.
    links
        Undirected links that are down or degraded (of a node: those that end there are added).
    node, server, site
        What else it is about; -1: nothing.
    capacity, loss, speed
        What a degraded link keeps and loses, and what a slow server keeps; shares.
    """

    start_ns: int
    end_ns: int
    kind: str
    links: tuple[int, ...] = ()
    node: int = -1
    server: int = -1
    site: int = -1
    capacity: float = 1.0
    loss: float = 0.0
    speed: float = 1.0


def faults_of(world: Any) -> dict[str, Any] | None:
    """Return the scenario's faults as plain values; None where there are none and nobody watches.

    Raises
    ------
    InputError
        A server where none of that tier stands.
    """
    scenario = getattr(world, "scenario", None)
    section, watched = getattr(scenario, "faults", None), getattr(scenario, "assurance", None)
    if section is None:
        return {"groups": [], "events": [], "random": None} if watched is not None and watched.enabled else None
    groups = groups_of(world)
    return {
        "groups": list(groups.values()),
        "events": [_event(world, groups, i, fault) for i, fault in enumerate(section.events)],
        "random": None if section.random is None else section.random.model_dump(mode="json"),
        **liars_of(world),
    }


def groups_of(world: Any) -> dict[str, list[int]]:
    """Return the shared-risk groups of a world's scenario: name, and undirected links."""
    section = getattr(getattr(world, "scenario", None), "faults", None)
    rows = () if section is None else section.groups
    return {group.name: sorted({_link(world, *pair) for pair in group.links}) for group in rows}


def _event(world: Any, groups: Mapping[str, list[int]], place: int, fault: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "start_s": fault.at_s,
        "end_s": None if fault.for_s is None else fault.at_s + fault.for_s,
        "kind": fault.kind,
    }
    if fault.kind == "degraded":
        row |= {"capacity": fault.capacity, "loss": fault.loss}
    if fault.kind == "slow":
        row["speed"] = fault.speed
    if fault.link is not None:
        return row | {"which": _link(world, *fault.link)}
    if fault.group is not None:
        return row | {"which": list(groups).index(fault.group)}
    node = world.node_names.index(fault.node)
    if fault.kind == "node":
        return row | {"which": node}
    tier = "edge" if fault.kind == "access" else fault.tier
    stands = {"edge": world.site_node, "fog": world.fog_node, "cloud": [world.cloud_node]}[tier]
    at = np.flatnonzero(np.asarray(stands) == node)
    if not len(at):
        there = ", ".join(world.node_names[n] for n in np.asarray(stands)[:5])
        raise InputError(
            f"faults.events[{place}].node: expected a node with a server of tier {tier!r} ({there}, …), "
            f"got {fault.node!r}",
            str(world.name),
        )
    before = {"edge": 0, "fog": len(world.site_node), "cloud": len(world.site_node) + len(world.fog_node)}[tier]
    return row | {"which": before + int(at[0])}


def _link(world: Any, a: str, b: str) -> int:
    ends = sorted((world.node_names.index(a), world.node_names.index(b)))
    joined = np.sort(np.stack([world.link_tail, world.link_head], axis=1), axis=1)
    return int(np.flatnonzero((joined == ends).all(axis=1))[0])


class _Drawn:
    """The random faults of one kind, one after the other."""

    def __init__(self, kind: str, seed: int, rules: Mapping[str, Any], count: int) -> None:
        self.kind, self._seed, self._rules, self._count = kind, seed, rules, count
        self._rate = float(rules["per_hour"][kind]) / 3600.0
        self._number, self._at_s = 0, float(rules["from_s"])
        self.next: dict[str, Any] | None = None
        self.draw()

    def draw(self) -> None:
        """Go on to the next one; None where there is none ever."""
        if self._rate <= 0.0 or not self._count:
            return
        u = _core.philox(self._seed, (KINDS.index(self.kind) << 32) + self._number, _PURPOSE, _DRAWS).tolist()
        self._number += 1
        self._at_s += -math.log(1.0 - u[0]) / self._rate
        rules = self._rules
        between = [low + v * (high - low) for (low, high), v in zip((rules[k] for k in _BAD), u[2:5], strict=True)]
        self.next = {
            "start_s": self._at_s,
            "end_s": self._at_s + _repair_s(rules["repair"], u[5], u[6]),
            "kind": self.kind,
            "which": min(int(u[1] * self._count), self._count - 1),
            **dict(zip(_BAD, between, strict=True)),
        }


def _repair_s(rule: Mapping[str, Any], first: float, second: float) -> float:
    """Draw a repair of the stated mean from two uniforms."""
    mean = float(rule["mean_s"])
    if rule["law"] == "exponential":
        return max(-math.log(1.0 - first) * mean, 1e-3)
    sigma = float(rule["sigma"])
    normal = math.sqrt(-2.0 * math.log(1.0 - first)) * math.cos(2.0 * math.pi * second)
    return max(mean * math.exp(sigma * normal - 0.5 * sigma**2), 1e-3)


class FaultPlayer:
    """Plays faults on a core.

    Parameters
    ----------
    world
        The network.
    plain
        As `faults_of` returns them.
    seed
        Of the random ones.
    """

    def __init__(self, world: Any, plain: Mapping[str, Any], seed: int) -> None:
        self._parts = _Parts(world)
        self._groups = [tuple(group) for group in plain["groups"]]
        self._given = sorted(plain["events"], key=lambda row: float(row["start_s"]))
        nodes = 1 + int(max(np.max(world.link_tail), np.max(world.link_head)))
        counts = {"link": len(world.link_tail), "node": nodes, "access": len(world.site_node)}
        counts |= {"degraded": counts["link"], "group": len(self._groups), "server": self._parts.servers}
        counts["slow"] = counts["server"]
        rules = plain["random"]
        self._drawn = [] if rules is None else [_Drawn(kind, seed, rules, counts[kind]) for kind in KINDS]
        self._next = 0
        self.active: list[Episode] = []
        self.past: list[Episode] = []

    @property
    def next_ns(self) -> int:
        """When something changes next, ns; `NEVER`: nothing will."""
        starts = [_ns(row["start_s"]) for row in self._given[self._next : self._next + 1]]
        starts += [_ns(drawn.next["start_s"]) for drawn in self._drawn if drawn.next is not None]
        return min([*starts, *(episode.end_ns for episode in self.active)], default=NEVER)

    def step(self, core: _core.Plant, now_ns: int) -> None:
        """Let come and go what is due by `now_ns`, and tell the core what ails it now."""
        while self._next < len(self._given) and _ns(self._given[self._next]["start_s"]) <= now_ns:
            self._begin(self._given[self._next])
            self._next += 1
        for drawn in self._drawn:
            while drawn.next is not None and _ns(drawn.next["start_s"]) <= now_ns:
                self._begin(drawn.next)
                drawn.draw()
        self.past += [episode for episode in self.active if episode.end_ns <= now_ns]
        self.active = [episode for episode in self.active if episode.end_ns > now_ns]
        self._parts.tell(core, self.active)

    def spans(self, since_ns: int) -> NDArray[np.float64]:
        """Return start and end, s, of the faults that lasted after `since_ns`, [k, 2]."""
        rows = [(e.start_ns, e.end_ns) for e in (*self.past, *self.active) if e.end_ns > since_ns]
        return np.array([(a / SECOND, math.inf if b >= NEVER else b / SECOND) for a, b in rows]).reshape(-1, 2)

    def _begin(self, row: Mapping[str, Any]) -> None:
        kind, which = row["kind"], int(row["which"])
        end = NEVER if row["end_s"] is None else max(_ns(row["end_s"]), _ns(row["start_s"]) + 1)
        links = (which,) if kind in ("link", "degraded") else self._groups[which] if kind == "group" else ()
        degraded, slow = kind == "degraded", kind == "slow"
        self.active.append(
            Episode(
                _ns(row["start_s"]),
                end,
                kind,
                links,
                node=which if kind == "node" else -1,
                server=which if kind in ("server", "slow") else -1,
                site=which if kind == "access" else -1,
                capacity=float(row["capacity"]) if degraded else 1.0,
                loss=float(row["loss"]) if degraded else 0.0,
                speed=float(row["speed"]) if slow else 1.0,
            )
        )


def _ns(seconds: float) -> int:
    return round(float(seconds) * SECOND)


class _Parts:
    """What the core was told of each part, and what stands where."""

    def __init__(self, world: Any) -> None:
        self._tail, self._head = np.asarray(world.link_tail), np.asarray(world.link_head)
        self._node = np.concatenate([world.site_node, world.fog_node, [world.cloud_node]]).astype(np.int64)
        self._site_node = np.asarray(world.site_node)
        access = getattr(world, "access", None)
        self._cell_site = None if access is None else np.asarray(access.cells["cell_site"])
        self.servers = len(self._node)
        self._told = self._state([])

    def _state(self, active: Sequence[Episode]) -> dict[str, NDArray[Any]]:
        """What ails each link [m, 3], server [Q, 2], site [S] and, in its place, cell."""
        link = np.tile([0.0, 1.0, 0.0], (len(self._tail), 1))
        server = np.tile([0.0, 1.0], (self.servers, 1))
        dark, deaf = np.zeros(len(self._site_node), bool), np.zeros(len(self._site_node), bool)
        for episode in active:
            at = list(episode.links)
            if episode.kind == "degraded":
                link[at, 1] = np.minimum(link[at, 1], episode.capacity)
                link[at, 2] = np.maximum(link[at, 2], episode.loss)
            elif at:
                link[at, 0] = 1.0
            if episode.node >= 0:
                link[(self._tail == episode.node) | (self._head == episode.node), 0] = 1.0
                server[self._node == episode.node, 0] = 1.0
                dark |= self._site_node == episode.node
            if episode.server >= 0:
                column = 1 if episode.kind == "slow" else 0
                server[episode.server, column] = min(server[episode.server, 1], episode.speed) if column else 1.0
            if episode.site >= 0:
                deaf[episode.site] = True
        deaf |= dark
        cell = deaf if self._cell_site is None else deaf[self._cell_site]
        return {"link": link, "server": server, "dark": dark, "deaf": cell}

    def tell(self, core: _core.Plant, active: Sequence[Episode]) -> None:
        """Tell the core what changed."""
        now, told = self._state(active), self._told
        for link in np.flatnonzero((now["link"] != told["link"]).any(axis=1)).tolist():
            down, capacity, loss = now["link"][link].tolist()
            for directed in (2 * link, 2 * link + 1):
                core.set_link_fault(directed, bool(down), capacity, loss)
        for server in np.flatnonzero((now["server"] != told["server"]).any(axis=1)).tolist():
            down, speed = now["server"][server].tolist()
            core.set_server_fault(server, bool(down), speed)
        if self._cell_site is None:
            changed = (now["dark"] != told["dark"]) | (now["deaf"] != told["deaf"])
            for site in np.flatnonzero(changed).tolist():
                core.set_site_fault(site, bool(now["dark"][site]), bool(now["deaf"][site]))
        else:
            for site in np.flatnonzero(now["dark"] != told["dark"]).tolist():
                core.set_site_fault(site, bool(now["dark"][site]), False)
            for down in (True, False):
                cells = np.flatnonzero((now["deaf"] != told["deaf"]) & (now["deaf"] == down))
                if len(cells):
                    core.set_cells_down(cells.astype(np.int64), down)
        self._told = now
