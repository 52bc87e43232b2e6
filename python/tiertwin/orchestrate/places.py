"""Names of a domain's parts, looked up for interventions: nodes, sites, links, servers, areas."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.model.tiers import Tier

if TYPE_CHECKING:
    from tiertwin.world import World


class Places:
    """Where things are in a world.

    Parameters
    ----------
    world
        The resolved world.
    top
        The twin at the top of the domain that is looked at.
    """

    def __init__(self, world: World, top: str) -> None:
        self.world, self.top = world, top

    @cached_property
    def _node(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.world.node_names)}

    @cached_property
    def _links(self) -> dict[frozenset[int], list[int]]:
        found: dict[frozenset[int], list[int]] = {}
        for link, ends in enumerate(zip(self.world.link_tail.tolist(), self.world.link_head.tolist(), strict=True)):
            found.setdefault(frozenset(ends), []).append(link)
        return found

    @cached_property
    def _site_at(self) -> dict[int, int]:
        return {int(node): site for site, node in enumerate(self.world.site_node)}

    @cached_property
    def _twin(self) -> dict[str, int]:
        return {twin.name: number for number, twin in enumerate(self.world.twins)}

    @cached_property
    def sites(self) -> list[int]:
        """Sites of the domain, ascending."""
        return self._below(self.top)

    def node(self, option: str, name: str) -> int:
        """Return a node by name."""
        if name not in self._node:
            known = list(self._node)
            raise UnknownNameError(f"{option}: expected a node, got {name!r}{suggest(name, known)}")
        return self._node[name]

    def link(self, option: str, a: str, b: str) -> int:
        """Return the link between two nodes; the first of several."""
        found = self._links.get(frozenset((self.node(option, a), self.node(option, b))))
        if found is None:
            here = self.node(option, a)
            near = sorted(self.world.node_names[n] for ends in self._links if here in ends for n in ends - {here})
            raise InputError(
                f"{option}: expected two neighbours, got {a!r} and {b!r}, which no link joins; {a!r} is joined to "
                f"{', '.join(near) or 'nothing'}"
            )
        return found[0]

    def links_at(self, node: int) -> list[int]:
        """Return the links of a node."""
        ends = (self.world.link_tail == node) | (self.world.link_head == node)
        return [int(link) for link in np.flatnonzero(ends)]

    def site(self, option: str, name: str) -> int:
        """Return the site at a node of the domain (by the node's or the edge twin's name)."""
        if name in self._twin and self.world.twins[self._twin[name]].tier == Tier.EDGE:
            site = self.world.twins[self._twin[name]].site
        else:
            node = self.node(option, name)
            if node not in self._site_at:
                raise InputError(f"{option}: expected a site, got the node {name!r}, at which none stands")
            site = self._site_at[node]
        if site not in set(self.sites):
            raise InputError(f"{option}: expected a site of the domain of {self.top}, got {name!r}, which is not in it")
        return site

    def server(self, option: str, name: str) -> int:
        """Return a server: that of a site, or by the name of a fog's or the cloud's twin."""
        if name in self._twin:
            twin = self.world.twins[self._twin[name]]
            if twin.tier == Tier.CLOUD:
                return self.world.site_count + self.world.fog_count
            if twin.tier == Tier.FOG:
                return self.world.site_count + twin.fog
        return self.site(option, name)

    def area(self, option: str, name: str | None) -> list[int]:
        """Return the sites of an area: a node or site, or a twin and all below it; None is the whole domain."""
        if name is None:
            return self.sites
        if name in self._twin:
            inside = [site for site in self._below(name) if site in set(self.sites)]
            if not inside:
                raise InputError(f"{option}: expected an area of the domain of {self.top}, got {name!r}: not in it")
            return inside
        if name not in self._node:
            known = [*self._node, *self._twin]
            raise UnknownNameError(f"{option}: expected a node or a twin, got {name!r}{suggest(name, known)}")
        return [self.site(option, name)]

    def _below(self, name: str) -> list[int]:
        twin = self.world.twins[self._twin[name]]
        if twin.tier == Tier.CLOUD:
            return list(range(self.world.site_count))
        if twin.tier == Tier.FOG:
            return [int(site) for site in np.flatnonzero(self.world.site_fog == twin.fog)]
        return [twin.site]
