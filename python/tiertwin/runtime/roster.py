"""Who is in a tree: every node with its place, the plant's side included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiertwin.model.tiers import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiertwin.world import World

PLANT = -1  # tier of the plant's side: below the devices' gateway
PLANT_PREFIX = "plant-"


@dataclass(frozen=True, slots=True)
class Node:
    """One node: a twin, or the plant's side of a site; `devices` are those of its site, 0 above the edges."""

    name: str
    index: int
    tier: int
    parent: str | None
    site: int
    devices: int


class Roster:
    """The nodes of a world: its twins in roster order, then the plant's side of each site.

    Parameters
    ----------
    world
        Inventory.
    """

    def __init__(self, world: World) -> None:
        devices = [int(n) for n in world.device_rows[1:] - world.device_rows[:-1]]
        nodes = [
            Node(t.name, k, t.tier, t.parent, t.site, devices[t.site] if t.site >= 0 else 0)
            for k, t in enumerate(world.twins)
        ]
        nodes += [
            Node(plant_name(gateway.name), len(nodes) + k, PLANT, gateway.name, gateway.site, gateway.devices)
            for k, gateway in enumerate(node for node in nodes if node.tier == 0)
        ]
        self.nodes = {node.name: node for node in nodes}
        self.names = list(self.nodes)

    def index(self, name: str) -> int:
        """Number of a node: ties are broken by it, never by a name."""
        return self.nodes[name].index

    def tier(self, name: str) -> int:
        """Tier number; -1 for the plant's side."""
        return self.nodes[name].tier

    def parent(self, name: str) -> str | None:
        """Name of the parent, None at the root."""
        return self.nodes[name].parent

    def is_plant(self, name: str) -> bool:
        """Whether the node is the plant's side of a site."""
        return self.nodes[name].tier == PLANT

    def children(self, name: str) -> list[Node]:
        """Children in roster order."""
        return [node for node in self.nodes.values() if node.parent == name]


def tier_word(tier: int) -> str:
    """Name of a tier, as in logs, tables and metrics; that of the plant's side is ``plant``."""
    return "plant" if tier == PLANT else Tier(tier).label


def tiers_of(names: Iterable[str]) -> list[str]:
    """Tiers of nodes by their names, which begin with them; each once, from the plant's side up."""
    words = {name.split("-", 1)[0] for name in names}
    return [word for word in map(tier_word, range(PLANT, len(Tier))) if word in words]


def plant_name(gateway: str) -> str:
    """Name of the plant's side below a device gateway."""
    return PLANT_PREFIX + gateway.removeprefix("device-")


def of_plant(names: Iterable[str]) -> bool:
    """Say whether any of the nodes is the plant's side of a site, by their names alone."""
    return any(name.startswith(PLANT_PREFIX) for name in names)
