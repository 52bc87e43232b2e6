"""What may be wrong in a world, what may be seen of it, how surely, and how all of it is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from tiertwin.world.world import World

KINDS = ("link", "degraded", "node", "server", "slow", "access", "group")


@dataclass(frozen=True)
class Certainties:
    """q of each kind of influence, leak of each kind of observation, prior of each kind of cause; all probabilities.

    Parameters
    ----------
    own
        A hard fault in the alarm of what failed.
    own_weak
        A degradation in the error counter or response time of what degraded.
    cut
        A hard fault in the loss of a route that has no other way.
    rerouted_loss, rerouted_delay, longer_delay
        The same where there is another way; where that is longer by `LONGER` or more.
    full_loss, full_delay
        A hard fault in the routes over links that traffic fills up when it goes around.
    weak_loss, weak_delay
        A degraded link in the loss and delay of routes over it.
    late, late_weak
        A server that is down, or slow, in the lateness of tasks of any of the sites it serves.
    leak
        By attribute: an alarm of nothing we know. A state that is told (`down`, `dark`) is seldom wrong, a threshold
        on something measured more often.
    prior
        By kind of cause; P(it is there now).
    """

    own: float = 0.95
    own_weak: float = 0.85
    cut: float = 0.95
    rerouted_loss: float = 0.3
    rerouted_delay: float = 0.2
    longer_delay: float = 0.8
    full_loss: float = 0.3
    full_delay: float = 0.6
    weak_loss: float = 0.4
    weak_delay: float = 0.4
    late: float = 0.6
    late_weak: float = 0.5
    leak: Mapping[str, float] = field(
        default_factory=lambda: {
            "down": 1e-4,
            "dark": 1e-4,
            "errors": 5e-3,
            "loss": 5e-3,
            "delay": 1e-2,
            "slow": 1e-2,
            "late": 1e-2,
            "rate": 5e-3,
        }
    )
    prior: Mapping[str, float] = field(
        default_factory=lambda: {
            "link": 1e-3,
            "degraded": 2e-3,
            "node": 3e-4,
            "server": 1e-3,
            "slow": 2e-3,
            "access": 5e-4,
            "group": 2e-4,
        }
    )


@dataclass(frozen=True)
class Cause:
    """What may be wrong, and where.

    Parameters
    ----------
    name
        Unique, to read.
    kind
        One of `KINDS`.
    links, nodes
        Undirected links and nodes it takes along (a degraded link: the one).
    server
        Number of a server: sites first, then fogs, then the cloud; -1: none.
    site
        Site whose access fails; -1: none.
    """

    name: str
    kind: str
    links: tuple[int, ...] = ()
    nodes: tuple[int, ...] = ()
    server: int = -1
    site: int = -1

    @property
    def hard(self) -> bool:
        """Whether links or nodes are gone, rather than worse."""
        return self.kind in ("link", "group", "node")


def causes_of(world: World, groups: Mapping[str, Sequence[int]]) -> Iterator[Cause]:
    """Yield all single causes of a world, and its shared-risk groups."""
    names = Naming(world)
    for link in range(world.link_count):
        yield Cause(names.link(link), "link", (link,))
    for link in range(world.link_count):
        yield Cause(f"{names.link(link)} degraded", "degraded", (link,))
    for node in range(world.node_count):
        yield Cause(f"node {names.nodes[node]}", "node", (), (node,))
    for server in range(len(names.servers)):
        yield Cause(names.server(server), "server", server=server)
    for server in range(len(names.servers)):
        yield Cause(f"{names.server(server)} slow", "slow", server=server)
    for site in range(world.site_count):
        yield Cause(f"access of {names.site(site)}", "access", site=site)
    for name, links in groups.items():
        wrong = [link for link in links if not 0 <= link < world.link_count]
        if wrong or not len(links):
            raise InputError(
                f"group {name!r}: expected links 0 … {world.link_count - 1}, at least one, got {list(links)}", "groups"
            )
        yield Cause(f"group {name}", "group", tuple(sorted({int(link) for link in links})))


class Naming:
    """Names of a world's parts, as causes and observations have them."""

    def __init__(self, world: World) -> None:
        self.world, self.nodes = world, world.node_slugs
        servers = [world.site_node, world.fog_node, np.array([world.cloud_node])]
        kinds = ["edge"] * world.site_count + ["fog"] * world.fog_count + ["cloud"]
        self.server_node = np.concatenate(servers)
        self.servers = [f"{kind} {self.nodes[n]}" for kind, n in zip(kinds, self.server_node, strict=True)]

    def link(self, link: int) -> str:
        a, b = self.nodes[self.world.link_tail[link]], self.nodes[self.world.link_head[link]]
        return f"link {link} {a}–{b}"

    def server(self, server: int) -> str:
        return f"server {self.servers[server]}"

    def site(self, site: int) -> str:
        return f"site {self.nodes[self.world.site_node[site]]}"

    def fog(self, fog: int) -> str:
        return f"fog {self.nodes[self.world.fog_node[fog]]}"

    def observations(self) -> list[str]:
        """All observations of a world, in their order."""
        world = self.world
        return [
            *(f"{self.link(link)} {what}" for link in range(world.link_count) for what in ("down", "errors")),
            *(f"node {name} dark" for name in self.nodes),
            *(f"{self.server(k)} {what}" for k in range(len(self.servers)) for what in ("down", "slow")),
            *(f"{self.site(s)} {what}" for s in range(world.site_count) for what in ("loss", "delay", "late", "rate")),
            *(f"{self.fog(f)} {what}" for f in range(world.fog_count) for what in ("loss", "delay")),
        ]
