"""Names of a world's parts, looked up: nodes, links, twins and the sites below them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.model.tiers import Tier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    I64 = NDArray[np.int64]


class Places:
    """Where things are in a world; UnknownNameError and InputError begin with `option`, whatever asked for the name.

    Parameters
    ----------
    world
        The resolved world.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    @cached_property
    def nodes(self) -> dict[str, int]:
        """Number of each node, by name."""
        return {name: number for number, name in enumerate(self.world.node_names)}

    @cached_property
    def twins(self) -> dict[str, int]:
        """Number of each twin, by name."""
        return {twin.name: number for number, twin in enumerate(self.world.twins)}

    @cached_property
    def _links(self) -> dict[frozenset[int], list[int]]:
        found: dict[frozenset[int], list[int]] = {}
        for link, ends in enumerate(zip(self.world.link_tail.tolist(), self.world.link_head.tolist(), strict=True)):
            found.setdefault(frozenset(ends), []).append(link)
        return found

    def node(self, name: str, option: str = "") -> int:
        """Return the number of a node."""
        if name not in self.nodes:
            raise UnknownNameError(f"{_of(option)}expected a node, got {name!r}{suggest(name, list(self.nodes))}")
        return self.nodes[name]

    def joined(self, a: str, b: str) -> bool:
        """Say whether a link joins two nodes."""
        return frozenset((self.node(a), self.node(b))) in self._links

    def links(self, a: str, b: str, option: str = "") -> list[int]:
        """Return the links between two nodes, at least one."""
        here = self.node(a, option)
        found = self._links.get(frozenset((here, self.node(b, option))))
        if found is None:
            near = sorted(self.world.node_names[n] for ends in self._links if here in ends for n in ends - {here})
            raise InputError(
                f"{_of(option)}expected two neighbours, got {a!r} and {b!r}, which no link joins; {a!r} is joined to "
                f"{', '.join(near) or 'nothing'}"
            )
        return found

    def links_at(self, node: int) -> list[int]:
        """Return the links of a node."""
        ends = (self.world.link_tail == node) | (self.world.link_head == node)
        return [int(link) for link in np.flatnonzero(ends)]

    def below(self, twin: str) -> list[int]:
        """Return the sites below a twin that is there, ascending."""
        found = self.world.twins[self.twins[twin]]
        if found.tier == Tier.CLOUD:
            return list(range(self.world.site_count))
        if found.tier == Tier.FOG:
            return [int(site) for site in np.flatnonzero(self.world.site_fog == found.fog)]
        return [found.site]

    def sites(self, area: str | None, option: str = "") -> I64:
        """Return the sites of an area: at a node, below a twin, or (None) everywhere."""
        if area is None:
            return np.arange(self.world.site_count)
        if area in self.nodes:
            return np.flatnonzero(self.world.site_node == self.nodes[area])
        if area in self.twins:
            return np.array(self.below(area), dtype=np.int64)
        known = [*self.nodes, *(twin.name for twin in self.world.twins if twin.tier != Tier.DEVICE)]
        raise UnknownNameError(f"{_of(option)}expected a node or a twin, got {area!r}{suggest(area, known)}")


def _of(option: str) -> str:
    return f"{option}: " if option else ""
