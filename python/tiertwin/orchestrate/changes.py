"""From interventions to the engine's changes: names looked up, contradictions told, what is down already remembered.

A ledger holds what has been done so far, so that a link that failed cannot fail again, nor one that is up be repaired.
Changes are (kind, part, other part, value) as in ``cpp/whatif/situation.hpp``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.model.interventions import (
    AddCapacity,
    AddSite,
    DegradeLink,
    FailGroup,
    FailLink,
    FailNode,
    FailSite,
    Intervention,
    MoveDemand,
    Rain,
    RepairLink,
    ScaleDemand,
    SetParameter,
    Storm,
)
from tiertwin.orchestrate.rainfade import microwave_shares
from tiertwin.world.handover import moved, slower_ring

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from tiertwin.orchestrate.belief import Belief
    from tiertwin.orchestrate.places import Places
    from tiertwin.world import World

    Flags = npt.NDArray[np.bool_]
    I64 = npt.NDArray[np.int64]
    F64 = npt.NDArray[np.float64]

HANDOVERS_PER_USER_S = 1.0 / 60.0  # usual; an assumption, where the scenario has no users who move
INTERRUPTION_S = 0.04  # of the air interface at a handover; an assumption, else the scenario's
CONTROL_MEGABITS = 0.01  # that a handover sends up; an assumption
MOST_INTERRUPTED = 0.95  # of a user's time


class Change(IntEnum):
    """Kinds of changes of the engine."""

    LINK_SHARE = 0
    LINK_TIMES = 1
    LINK_ADD = 2
    SERVER_TIMES = 3
    SERVER_ADD = 4
    NODE_DOWN = 5
    RADIO_TIMES = 6
    CONTROL_ADD = 7
    DEMAND_TIMES = 8
    MOVE = 9
    MOVE_GROUP = 10


Row = tuple[int, int, int, float]


@dataclass
class Ledger:
    """What has been done to a domain, in order.

    Parameters
    ----------
    places
        Names of the domain's parts.
    belief
        As it was when nothing had been done.
    """

    places: Places
    belief: Belief
    rows: list[Row] = field(default_factory=list)
    done: tuple[Intervention, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    down: dict[int, str] = field(default_factory=dict)  # link → by what
    degraded: dict[int, float] = field(default_factory=dict)
    faded: dict[int, float] = field(default_factory=dict)  # by rain
    nodes: dict[int, str] = field(default_factory=dict)
    sites: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, places: Places, belief: Belief) -> Ledger:
        """Open the ledger of a belief: links it takes for down are down already."""
        down = {int(link): "as believed" for link in np.flatnonzero(~belief.link_up)}
        return cls(places, belief, down=down)

    def copy(self) -> Ledger:
        """Return an independent ledger of the same."""
        return Ledger(
            self.places,
            self.belief,
            list(self.rows),
            self.done,
            dict(self.parameters),
            dict(self.down),
            dict(self.degraded),
            dict(self.faded),
            dict(self.nodes),
            dict(self.sites),
        )

    def apply(self, given: Iterable[Intervention]) -> None:
        """Do interventions in order.

        Raises
        ------
        UnknownNameError
            A name nobody knows, with the nearest.
        InputError
            One that contradicts what has been done: says which two. What came before it stays done.
        """
        for one in given:
            self._do(one)
            self.done = (*self.done, one)

    @singledispatchmethod
    def _do(self, given: Intervention) -> None:
        raise InputError(f"{given.option or type(given).__name__}: expected an intervention the twin's model knows")

    # -- links ---------------------------------------------------------------------------------------------------------
    @_do.register
    def _(self, given: FailLink) -> None:
        self._fail(self.places.link(given.option, given.a, given.b), given)

    @_do.register
    def _(self, given: FailGroup) -> None:
        for link in [self.places.link(given.option, a, b) for a, b in given.links]:
            self._fail(link, given)

    def _fail(self, link: int, given: Intervention) -> None:
        said = _said(given)
        if link in self.down:
            raise InputError(f"{said}: {self._link_name(link)} is down already ({self.down[link]}); fail it once")
        if link in self.degraded:
            raise InputError(
                f"{said}: {self._link_name(link)} is degraded to {self.degraded[link]:g} of its capacity; fail or "
                "degrade it, not both"
            )
        self.down[link] = said
        self._put(Change.LINK_SHARE, link, 0.0)

    @_do.register
    def _(self, given: DegradeLink) -> None:
        link = self.places.link(given.option, given.a, given.b)
        if link in self.down:
            raise InputError(
                f"{_said(given)}: {self._link_name(link)} is down ({self.down[link]}); fail or degrade it, not both"
            )
        if link in self.degraded:
            raise InputError(
                f"{_said(given)}: {self._link_name(link)} is degraded already, to {self.degraded[link]:g}; degrade it "
                "once"
            )
        self.degraded[link] = given.share
        self._put(Change.LINK_SHARE, link, given.share * self.faded.get(link, 1.0))

    @_do.register
    def _(self, given: RepairLink) -> None:
        link = self.places.link(given.option, given.a, given.b)
        for node in (int(self.belief.world.link_tail[link]), int(self.belief.world.link_head[link])):
            if node in self.nodes:
                raise InputError(
                    f"{_said(given)}: the node {self.belief.world.node_names[node]!r} is down ({self.nodes[node]}), so "
                    "its links cannot be up"
                )
        if self.down.pop(link, None) is None and self.degraded.pop(link, None) is None:
            raise InputError(f"{_said(given)}: {self._link_name(link)} is up and whole; there is nothing to repair")
        self._put(Change.LINK_SHARE, link, self.faded.get(link, 1.0))

    @_do.register
    def _(self, given: Rain) -> None:
        for link, share in microwave_shares(self.places, given).items():
            self.faded[link] = min(share, self.faded.get(link, 1.0))
            if link not in self.down:
                self._put(Change.LINK_SHARE, link, self.degraded.get(link, 1.0) * self.faded[link])

    def _link_name(self, link: int) -> str:
        world = self.belief.world
        ends = int(world.link_tail[link]), int(world.link_head[link])
        return f"the link {' – '.join(world.node_names[node] for node in ends)}"

    # -- nodes, sites, capacity ----------------------------------------------------------------------------------------
    @_do.register
    def _(self, given: FailNode) -> None:
        node = self.places.node(given.option, given.node)
        if node in self.nodes:
            raise InputError(f"{_said(given)}: the node {given.node!r} is down already; fail it once")
        self.nodes[node] = _said(given)
        for link in self.places.links_at(node):
            self.down.setdefault(link, _said(given))
        self._put(Change.NODE_DOWN, node, 0.0)
        self._hand_over(self.belief.world.site_node == node)

    @_do.register
    def _(self, given: FailSite) -> None:
        site = self.places.site(given.option, given.site)
        self._require_site_up(given, site)
        self.sites[site] = _said(given)
        self._put(Change.SERVER_TIMES, site, 0.0)
        self._put(Change.RADIO_TIMES, site, 0.0)
        self._hand_over(np.arange(self.belief.world.site_count) == site)

    def _hand_over(self, whose: Flags) -> None:
        """Users of sites that fell silent just now are heard by those that are left; without radio access by nobody."""
        world = self.belief.world
        if not world.grouped or not whose.any():
            return
        silent = np.isin(world.site_node, list(self.nodes))
        silent[list(self.sites)] = True
        self.rows += handed_over(world, silent, whose)

    def _require_site_up(self, given: Intervention, site: int) -> None:
        node = int(self.belief.world.site_node[site])
        by = self.sites.get(site, self.nodes.get(node))
        if by is not None:
            name = self.belief.world.node_names[node]
            raise InputError(f"{_said(given)}: the site {name!r} is down already ({by})")

    @_do.register
    def _(self, given: AddCapacity) -> None:
        if isinstance(given.place, tuple):
            part = self.places.link(given.option, *given.place)
            if part in self.down:
                raise InputError(f"{_said(given)}: {self._link_name(part)} is down ({self.down[part]})")
            times, add = Change.LINK_TIMES, Change.LINK_ADD
        else:
            part = self.places.server(given.option, given.place)
            if part < self.belief.world.site_count:
                self._require_site_up(given, part)
            times, add = Change.SERVER_TIMES, Change.SERVER_ADD
        if given.factor is not None:
            self._put(times, part, given.factor)
        elif given.amount is not None:
            self._put(add, part, given.amount)

    @_do.register
    def _(self, given: AddSite) -> None:
        site = self.places.site(given.option, given.node)
        self._require_site_up(given, site)
        has = float(self.belief.server_ghz[site])
        if has > 0.0 or (int(Change.SERVER_ADD), site) in {row[:2] for row in self.rows}:
            raise InputError(
                f"{_said(given)}: expected a site without a server, but {given.node!r} has one ({has:g} GHz as "
                "believed); add-capacity makes it larger"
            )
        self._put(Change.SERVER_ADD, site, given.ghz)

    # -- demand, users, parameters -------------------------------------------------------------------------------------
    @_do.register
    def _(self, given: ScaleDemand) -> None:
        for site in self.places.area(given.option, given.area):
            self._put(Change.DEMAND_TIMES, site, given.factor)

    @_do.register
    def _(self, given: MoveDemand) -> None:
        source, target = (self.places.site(given.option, name) for name in (given.source, given.target))
        if source == target:
            raise InputError(f"{_said(given)}: {given.source!r} and {given.target!r} are the same site")
        self.rows.append((int(Change.MOVE), source, target, float(given.share)))

    @_do.register
    def _(self, given: Storm) -> None:
        rate = (given.factor - 1.0) * HANDOVERS_PER_USER_S
        pause = _interruption_s(self.belief)
        kept = max(1.0 - rate * pause, 1.0 - MOST_INTERRUPTED)
        for site in self.places.area(given.option, given.area):
            users = float(self.belief.edges[self.belief.home[site]].users.sum())
            self._put(Change.RADIO_TIMES, site, kept)
            self._put(Change.CONTROL_ADD, site, users * rate * CONTROL_MEGABITS)

    @_do.register
    def _(self, given: SetParameter) -> None:
        if given.key in self.parameters:
            raise InputError(f"{_said(given)}: {given.key} is set already, to {self.parameters[given.key]!r}")
        self.parameters[given.key] = given.value

    def _put(self, change: Change, part: int, value: float) -> None:
        self.rows.append((int(change), int(part), 0, float(value)))


@dataclass(frozen=True, eq=False)
class Batch:
    """Changes of many situations as the engine takes them; situation s has rows start[s] .. start[s + 1] − 1."""

    start: I64
    change: I64
    part: I64
    other: I64
    value: F64

    @classmethod
    def of(cls, situations: Sequence[Sequence[Row]]) -> Batch:
        """Lay situations out one after the other."""
        rows = [row for rows in situations for row in rows]
        start = np.zeros(len(situations) + 1, dtype=np.int64)
        np.cumsum([len(rows) for rows in situations], out=start[1:])
        change, part, other = (np.array([row[k] for row in rows], dtype=np.int64) for k in range(3))
        return cls(start, change, part, other, np.array([row[3] for row in rows], dtype=np.float64))

    def arrays(self) -> tuple[I64, I64, I64, I64, F64]:
        """Return them in the engine's order."""
        return self.start, self.change, self.part, self.other, self.value


def handed_over(world: World, silent: Flags, whose: Flags | None = None) -> list[Row]:
    """Return the changes that put users of silent sites where they are heard (`world.handover`), a ring slower.

    Parameters
    ----------
    world
        With radio access, else users of a silent site are lost.
    silent
        Sites that are not heard, [S].
    whose
        Those of them whose users are put elsewhere, [S]; None: all.
    """
    gone, slower = moved(world, silent), slower_ring(world)
    classes, rings = world.group_devices.shape[1:]
    rows, left = list[Row](), dict[int, float]()
    for site, other, share in zip(gone.site.tolist(), gone.other.tolist(), gone.share.tolist(), strict=True):
        if whose is not None and not whose[site]:
            continue
        of_rest = min(share / max(left.get(site, 1.0), 1e-12), 1.0)
        left[site] = left.get(site, 1.0) - share
        for c in range(classes):
            here, there = ((s * classes + c) * rings for s in (site, other))
            rows += [(int(Change.MOVE_GROUP), here + r, there + int(slower[r]), of_rest) for r in range(rings)]
    return rows


def _said(given: Intervention) -> str:
    return f"{given.option} {given.text()}"


def _interruption_s(belief: Belief) -> float:
    scenario = belief.world.scenario
    access = None if scenario is None else scenario.access
    return INTERRUPTION_S if access is None else access.air.interruption_ms / 1e3
