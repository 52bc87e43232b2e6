"""Who depends on whom: from a world's routes to the q matrix of a noisy-OR model.

Devices reach the access node of their site over radio, the site its fog gateway over `route_site_links`, the fog the
cloud over `route_fog_links`; servers stand at sites, gateways and the cloud. A cause shows in what it is part of:

==================  ================================================================================================
cause               shows in
==================  ================================================================================================
link, risk group    `down` of the link; `loss` of the routes it cuts off; `loss` (briefly) and `delay` of those that
                    find another way, `delay` all the more where that is longer; `loss` and `delay` of those over
                    links that what moved fills up
link, degraded      `errors` of the link; `loss` and `delay` of the routes over it
node                `dark` of the node, `down` of its links and of the servers there, and its routes as for links
server              `down` and `slow` of the server, `late` of the sites it serves
server, slow        `slow` of the server, `late` of the sites it serves
access              `rate` of the site: its devices are not heard any more
==================  ================================================================================================

How surely is `Certainties`, ours: orders of magnitude an operator would give, from no data of ours or anybody's. A
posterior is as good as they are; `docs/assurance-localisation.md` shows how much wrong ones cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.functions.assure.influences import Names, Rows
from tiertwin.functions.assure.localiser import Localiser
from tiertwin.world.rerouting import reroute

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    Cut = NDArray[np.bool_]

LONGER = 1.3
FULL = 0.85  # of a link by background alone; tasks come on top
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
        A server that is down, or slow, in the lateness of tasks of a site it serves.
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


@dataclass(frozen=True, eq=False)
class Dependencies:
    """The dependency graph of a world.

    Parameters
    ----------
    causes
        What may be wrong.
    observations
        Names, ``<entity> <attribute>``.
    rows
        q, causes by observations.
    leak, prior
        One an observation, one a cause.
    """

    causes: tuple[Cause, ...]
    observations: tuple[str, ...]
    rows: Rows
    leak: F64
    prior: F64

    def localiser(self, prior: F64 | None = None) -> Localiser:
        """Return a localiser; `prior`, one a cause: the twin's hazards in place of the kinds'."""
        names = [cause.name for cause in self.causes]
        return Localiser(names, self.observations, self.rows, self.leak, self.prior if prior is None else prior)

    def priors(self, link_down: ArrayLike | None = None, server_down: ArrayLike | None = None) -> F64:
        """Return priors of the causes from the twin's own belief of its parts; those of their kind for all others.

        Parameters
        ----------
        link_down, server_down
            P(down now) of each undirected link, of each server (sites, fogs, cloud): `prior_of_hazard` of their
            hazards and repairs. A part thought k times as likely down as its kind is k times as likely degraded.
        """
        result = self.prior.copy()
        kinds = np.array([cause.kind for cause in self.causes])
        for hard, soft, down in (("link", "degraded", link_down), ("server", "slow", server_down)):
            if down is None:
                continue
            given, at = np.asarray(down, dtype=np.float64), np.flatnonzero(kinds == hard)
            if given.shape != at.shape or not ((given > 0.0) & (given < 1.0)).all():
                raise InputError(f"expected {len(at)} probabilities between 0 and 1, got {given}", f"{hard}_down")
            usual = result[at]
            result[at] = given
            weak = np.flatnonzero(kinds == soft)
            result[weak] = np.clip(result[weak] * given / usual, 1e-12, 0.5)
        return result

    def cause(self, name: str) -> Cause:
        """Return a cause by name."""
        return self.causes[Names("cause", [cause.name for cause in self.causes]).number(name)]


def dependencies(
    world: World, groups: Mapping[str, Sequence[int]] | None = None, certainties: Certainties | None = None
) -> Dependencies:
    """Return the dependency graph of a world.

    Parameters
    ----------
    world
        The resolved world.
    groups
        Shared-risk groups: name, and undirected links that fail together (a duct, a power feed).
    certainties
        How surely; the default is an order of magnitude.

    Raises
    ------
    InputError
        A group of no links, or of links that do not exist.
    """
    sure = certainties or Certainties()
    names = Naming(world)
    causes = tuple(causes_of(world, groups or {}))
    number = {name: k for k, name in enumerate(names.observations())}
    reach = Reach(world, causes)
    triples = [
        (c, number[name], q) for c, cause in enumerate(causes) for name, q in _shows(names, reach, sure, c, cause)
    ]
    cause, observation, q = (np.array(part) for part in zip(*triples, strict=True))
    return Dependencies(
        causes,
        tuple(number),
        Rows.of_triples(len(causes), cause, observation, q),
        np.array([sure.leak[name.rsplit(" ", 1)[1]] for name in number]),
        np.array([sure.prior[cause.kind] for cause in causes]),
    )


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


class Reach:
    """Which routes a cause touches, and which of those it cuts off.

    A route runs from a site to its fog gateway, or from a fog to the cloud: routes are sites, then fogs.
    """

    def __init__(self, world: World, causes: Sequence[Cause]) -> None:
        self.world = world
        self.ends = np.concatenate([world.site_node, world.fog_node])
        self.roots = np.concatenate([world.fog_node[world.site_fog], np.full(world.fog_count, world.cloud_node)])
        routes = [*world.route_site_links, *world.route_fog_links]
        crossed = np.concatenate([np.unique(route // 2) for route in routes]) if routes else np.empty(0, np.int64)
        self.over = np.zeros((len(routes), world.link_count), dtype=bool)
        self.over[np.repeat(np.arange(len(routes)), [len(np.unique(r // 2)) for r in routes]), crossed] = True
        self._cut = self._cuts(causes)

    def touched(self, cause: Cause) -> Cut:
        """Flags of the routes that run over a cause's links or nodes, [routes]."""
        world, links = self.world, list(cause.links)
        if cause.nodes:
            at = np.isin(world.link_tail, cause.nodes) | np.isin(world.link_head, cause.nodes)
            links += np.flatnonzero(at).tolist()
        gone = np.isin(self.ends, cause.nodes) | np.isin(self.roots, cause.nodes)
        over: Cut = self.over[:, links].any(axis=1) | gone
        return over

    def cut(self, cause: int) -> Cut:
        """Flags of the routes without any other way, [routes]; all False for causes that take nothing down."""
        flags: Cut = self._cut[cause]
        return flags

    def after(self, links: set[int]) -> tuple[Cut, Cut]:
        """Return flags of the routes that run over links which fill up once `links` are down, and that are longer."""
        world, failed = self.world, np.isin(np.arange(self.world.link_count), list(links))
        changed = reroute(world, failed)
        capacity = np.repeat(world.link_capacity_mbps, 2)
        use, before = changed.background_mbps / capacity, world.background_mbps / capacity
        fills = (use >= FULL) & (use > before + 0.01)
        routes = [*changed.route_site_links, *changed.route_fog_links]
        km = np.concatenate([changed.route_site_km, changed.route_fog_km])
        usual = np.concatenate([world.route_site_km, world.route_fog_km])
        return np.array([bool(fills[route].any()) for route in routes]), km >= LONGER * usual + 1e-9

    def _cuts(self, causes: Sequence[Cause]) -> Cut:
        """Sweep all hard causes once for each root: what does not reach it any more."""
        world = self.world
        pairs = np.stack([world.link_tail, world.link_head], axis=1)
        graph = _core.Graph(
            world.node_count, pairs.ravel(), pairs[:, ::-1].ravel().copy(), np.ones(2 * world.link_count)
        )
        cables = _core.Cables(graph, np.repeat(np.arange(world.link_count), 2))
        hard = [c for c, cause in enumerate(causes) if cause.hard]
        elements = [[*causes[c].links, *(world.link_count + n for n in causes[c].nodes)] for c in hard]
        start = np.concatenate([[0], np.cumsum([len(e) for e in elements])]).astype(np.int64)
        element = np.array([e for row in elements for e in row], dtype=np.int64)
        found = np.zeros((len(causes), len(self.ends)), dtype=bool)
        all_links, all_nodes = np.arange(world.link_count), np.arange(world.node_count)
        for root in np.unique(self.roots):
            routes = np.flatnonzero(self.roots == root)
            weights = np.zeros((world.node_count, len(routes)))
            weights[self.ends[routes], np.arange(len(routes))] = 1.0
            core = _core.FailureCore(cables, np.array([root]), weights, all_links, all_nodes)
            found[np.ix_(np.array(hard, np.int64), routes)] = core.scenarios(start, element) > 0.5
        return found


def _shows(names: Naming, reach: Reach, sure: Certainties, c: int, cause: Cause) -> Iterator[tuple[str, float]]:
    """Yield the observations in which a cause shows, and how surely."""
    world = names.world
    if cause.kind == "access":
        yield f"{names.site(cause.site)} rate", sure.own
    if cause.server >= 0:
        yield from _server_shows(names, sure, cause)
    if cause.kind == "degraded":
        yield f"{names.link(cause.links[0])} errors", sure.own_weak
        yield from _routes_show(names, reach.touched(cause), sure.weak_loss, sure.weak_delay)
    if cause.hard:
        links = set(cause.links)
        for node in cause.nodes:
            yield f"node {names.nodes[node]} dark", sure.own
            links |= set(np.flatnonzero((world.link_tail == node) | (world.link_head == node)).tolist())
            for server in np.flatnonzero(names.server_node == node):
                yield f"{names.server(int(server))} down", sure.own
        for link in sorted(links):
            yield f"{names.link(link)} down", sure.own
        cut = reach.cut(c)
        yield from _routes_show(names, cut, sure.cut, 0.0)
        moved, (full, longer) = reach.touched(cause) & ~cut, reach.after(links)
        yield from _routes_show(names, moved & ~longer, sure.rerouted_loss, sure.rerouted_delay)
        yield from _routes_show(names, moved & longer, sure.rerouted_loss, sure.longer_delay)
        yield from _routes_show(names, full & ~cut, sure.full_loss, sure.full_delay)


def _server_shows(names: Naming, sure: Certainties, cause: Cause) -> Iterator[tuple[str, float]]:
    world, server, hard = names.world, cause.server, cause.kind == "server"
    if hard:
        yield f"{names.server(server)} down", sure.own
    yield f"{names.server(server)} slow", sure.own_weak
    fog = server - world.site_count
    served = [server] if fog < 0 else np.flatnonzero(world.site_fog == fog) if fog < world.fog_count else []
    for site in served:
        yield f"{names.site(int(site))} late", sure.late if hard else sure.late_weak


def _routes_show(names: Naming, routes: Cut, loss: float, delay: float) -> Iterator[tuple[str, float]]:
    sites = names.world.site_count
    for route in np.flatnonzero(routes):
        end = names.site(int(route)) if route < sites else names.fog(int(route) - sites)
        yield f"{end} loss", loss
        if delay > 0.0:
            yield f"{end} delay", delay
