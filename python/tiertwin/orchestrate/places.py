"""Names of a domain's parts, looked up for interventions: nodes, sites, links, servers, areas."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tiertwin.errors import InputError
from tiertwin.model.tiers import Tier
from tiertwin.world import places

if TYPE_CHECKING:
    from tiertwin.world import World


class Places:
    """Where things are in a domain; errors name the option that asked.

    Parameters
    ----------
    world
        The resolved world.
    top
        The twin at the top of the domain that is looked at.
    """

    def __init__(self, world: World, top: str) -> None:
        self.world, self.top = world, top
        self._everywhere = places.Places(world)

    @cached_property
    def _site_at(self) -> dict[int, int]:
        return {int(node): site for site, node in enumerate(self.world.site_node)}

    @cached_property
    def sites(self) -> list[int]:
        """Sites of the domain, ascending."""
        return self._everywhere.below(self.top)

    def node(self, option: str, name: str) -> int:
        """Return a node by name."""
        return self._everywhere.node(name, option)

    def link(self, option: str, a: str, b: str) -> int:
        """Return the link between two nodes; the first of several."""
        return self._everywhere.links(a, b, option)[0]

    def links_at(self, node: int) -> list[int]:
        """Return the links of a node."""
        return self._everywhere.links_at(node)

    def site(self, option: str, name: str) -> int:
        """Return the site at a node of the domain (by the node's or the edge twin's name)."""
        number = self._everywhere.twins.get(name)
        if number is not None and self.world.twins[number].tier == Tier.EDGE:
            site = self.world.twins[number].site
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
        number = self._everywhere.twins.get(name)
        if number is not None:
            twin = self.world.twins[number]
            if twin.tier == Tier.CLOUD:
                return self.world.site_count + self.world.fog_count
            if twin.tier == Tier.FOG:
                return self.world.site_count + twin.fog
        return self.site(option, name)

    def area(self, option: str, name: str | None) -> list[int]:
        """Return the sites of an area: a node or site, or a twin and all below it; None is the whole domain."""
        if name is None:
            return self.sites
        if name in self._everywhere.nodes:
            return [self.site(option, name)]
        inside = [site for site in self._everywhere.sites(name, option).tolist() if site in set(self.sites)]
        if not inside:
            raise InputError(f"{option}: expected an area of the domain of {self.top}, got {name!r}: not in it")
        return inside
