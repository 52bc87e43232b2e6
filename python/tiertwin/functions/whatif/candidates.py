"""What might be built: edge servers, links, more capacity; how people write it; and the world with some of it.

=====================  ==========================  ====================================================
word                   spelling                    meaning
=====================  ==========================  ====================================================
``add-site``           ``A,64``                    an edge server of so many GHz, or so many more, at a site
``add-capacity``       ``A,x2`` ``A,B,+1000``      as in a what-if (`tiertwin.model.interventions`)
``new-link``           ``A,B,10000``               a link of so many Mb/s each way where none is
=====================  ==========================  ====================================================

A cost follows a colon: ``new-link Ulm,Bremen,10000: 3.5``; without one it is 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tiertwin.errors import InputError
from tiertwin.model.interventions import AddCapacity, AddSite, FailLink
from tiertwin.model.spelling import NotThatError, fields, number, real, row
from tiertwin.model.whatif import parse_intervention
from tiertwin.world.places import Places
from tiertwin.world.rerouting import reroute

if TYPE_CHECKING:
    from tiertwin.world.world import World

EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link of `mbps` each way between two nodes that no link joins; `km`: the great circle without it."""

    option: ClassVar[str] = "new-link"
    a: str
    b: str
    mbps: float
    km: float | None = None

    def __post_init__(self) -> None:
        FailLink(self.a, self.b)  # two different names
        if not (np.isfinite(self.mbps) and self.mbps > 0.0):
            raise InputError(f"new link: expected finite Mb/s > 0, got {self.mbps}")
        if self.km is not None and not (np.isfinite(self.km) and self.km >= 0.0):
            raise InputError(f"new link: expected a finite length of at least 0 km, got {self.km}")

    def text(self) -> str:
        """Return ``A,B,mbps``."""
        return row(self.a, self.b, number(self.mbps))


Addition = AddSite | AddCapacity | NewLink


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may be built, at a cost of at least 0 in any one unit; one name each."""

    name: str
    adds: Addition
    cost: float = 1.0

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("candidate: expected a name")
        if not isinstance(self.adds, AddSite | AddCapacity | NewLink):
            raise InputError(f"candidate {self.name!r}: expected a site, a link or capacity, got {self.adds!r}")
        if not (np.isfinite(self.cost) and self.cost >= 0.0):
            raise InputError(f"candidate {self.name!r}: expected a finite cost of at least 0, got {self.cost}")


WORDS = ("add-site", "add-capacity", "new-link")


def parse_candidate(text: str) -> Candidate:
    """Read a candidate from what people write; its name is that without the cost.

    Raises
    ------
    InputError
        Another word, or not its spelling: says what was expected.
    """
    what, colon, cost = text.rpartition(":")
    try:
        price = real(cost) if colon else 1.0
    except NotThatError:
        what, colon, price = text, "", 1.0  # a colon of a name
    name = (what if colon else text).strip()
    word, _, spelling = name.partition(" ")
    if word not in WORDS:
        raise InputError(f"candidate: expected {', '.join(WORDS)} and a spelling, got {text!r}")
    if word != "new-link":
        adds = parse_intervention(word, spelling.strip())
        assert isinstance(adds, AddSite | AddCapacity)
        return Candidate(name, adds, price)
    try:
        a, b, mbps = fields(spelling, 3)
        return Candidate(name, NewLink(a, b, real(mbps)), price)
    except NotThatError:
        raise InputError(f"new-link: expected A,B,MBPS, got {spelling!r}") from None


def misfit(world: World, candidate: Candidate) -> str | None:
    """Return why a candidate cannot be built in a world; None if it can."""
    places, adds = Places(world), candidate.adds
    try:
        if isinstance(adds, NewLink):
            if places.joined(adds.a, adds.b):
                return f"a link joins {adds.a} and {adds.b} already: widen it (add-capacity)"
        elif isinstance(adds, AddCapacity) and not isinstance(adds.place, str):
            places.links(*adds.place)
        else:
            places.node(adds.node if isinstance(adds, AddSite) else str(adds.place))
    except InputError as error:
        return str(error)
    return None


def with_built(world: World, built: Sequence[Candidate]) -> World:
    """Return the world with candidates built: routes, background and uplinks are those of the larger network.

    GHz become whole cores, at least one; InputError: a candidate that does not fit.
    """
    for candidate in built:
        wrong = misfit(world, candidate)
        if wrong:
            raise InputError(wrong, f"candidate {candidate.name!r}")
    for candidate in built:
        adds = candidate.adds
        if isinstance(adds, NewLink):
            world = _linked(world, adds)
        elif isinstance(adds, AddCapacity) and not isinstance(adds.place, str):
            mbps = world.link_capacity_mbps.copy()
            mbps[Places(world).links(*adds.place)] += added_mbps(world, adds)
            world = replace(world, link_capacity_mbps=mbps)
        else:
            cores = world.site_cores.copy()
            name = adds.node if isinstance(adds, AddSite) else str(adds.place)
            cores[Places(world).sites(name)] += max(round(added_ghz(world, adds) / world.core_ghz), 1)
            world = replace(world, site_cores=cores)
    return reroute(world, np.zeros(world.link_count, dtype=bool))


def added_ghz(world: World, adds: AddSite | AddCapacity) -> float:
    """Return the GHz that a site gets."""
    if isinstance(adds, AddSite):
        return adds.ghz
    site = Places(world).sites(str(adds.place))
    return adds.amount or float(world.site_cores[site[0]]) * world.core_ghz * ((adds.factor or 1.0) - 1.0)


def added_mbps(world: World, adds: AddCapacity) -> float:
    """Return the Mb/s each way that a link gets."""
    links = Places(world).links(*adds.place)
    return adds.amount or float(world.link_capacity_mbps[links[0]]) * ((adds.factor or 1.0) - 1.0)


def _linked(world: World, new: NewLink) -> World:
    places = Places(world)
    a, b = places.node(new.a), places.node(new.b)
    km = _great_circle_km(world, a, b) if new.km is None else new.km
    same = world.node_fog[a] == world.node_fog[b]
    return replace(
        world,
        link_tail=np.append(world.link_tail, a),
        link_head=np.append(world.link_head, b),
        link_km=np.append(world.link_km, km),
        link_capacity_mbps=np.append(world.link_capacity_mbps, new.mbps),
        link_owner=(*world.link_owner, f"fog-{world.node_fog[a] + 1}" if same else world.twins[0].name),
        background_mbps=np.append(world.background_mbps, [0.0, 0.0]),
    )


def _great_circle_km(world: World, a: int, b: int) -> float:
    lon, lat = np.radians(world.lon[[a, b]]), np.radians(world.lat[[a, b]])
    h = np.sin((lat[1] - lat[0]) / 2) ** 2 + np.cos(lat[0]) * np.cos(lat[1]) * np.sin((lon[1] - lon[0]) / 2) ** 2
    return float(2.0 * EARTH_KM * np.arcsin(np.sqrt(min(1.0, float(h)))))


def read_candidates(path: Path) -> list[Candidate]:
    """Read candidates from a file, one a line; ``#`` begins a comment. InputError: with the file and every bad line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"expected a text file of candidates, got {error}", str(path)) from None
    found, problems = [], []
    for k, line in enumerate(lines, 1):
        text = line.split("#", 1)[0].strip()
        if text:
            try:
                found.append(parse_candidate(text))
            except InputError as error:
                problems.append(f"line {k}: {error}")
    if problems:
        raise InputError(problems, str(path))
    return found


def every_candidate(world: World, site_ghz: float | None = None, link_factor: float | None = None) -> list[Candidate]:
    """Return more GHz at every site (cost 1 for each 32), and every link times a factor (cost 1 for each 100 km)."""
    found = []
    if site_ghz is not None:
        names = [world.node_names[node] for node in world.site_node]
        adds = [AddSite(name, site_ghz) for name in names]
        found += [Candidate(f"add-site {one.text()}", one, site_ghz / 32.0) for one in adds]
    if link_factor is not None:
        for tail, head, km in zip(world.link_tail, world.link_head, world.link_km.tolist(), strict=True):
            more = AddCapacity((world.node_names[tail], world.node_names[head]), factor=link_factor)
            found.append(Candidate(f"add-capacity {more.text()}", more, max(km, 1.0) / 100.0))
    return list({one.name: one for one in found}.values())  # parallel links are widened together
