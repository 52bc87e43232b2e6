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
server              `down` and `slow` of the server, `late` of any site it serves
server, slow        `slow` of the server, `late` of any site it serves
access              `rate` of the site: its devices are not heard any more
==================  ================================================================================================

How surely is `Certainties` (in `causes`), ours: orders of magnitude an operator would give, from no data of ours or
anybody's. A posterior is as good as they are; `docs/assurance-localisation.md` shows how much wrong ones cost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.causes import Cause, Certainties, Naming, causes_of
from tiertwin.functions.assure.influences import Names, Rows
from tiertwin.functions.assure.localiser import Localiser
from tiertwin.functions.assure.reach import Reach

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    Cut = NDArray[np.bool_]


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
    shows = sure.late if hard else sure.late_weak
    each = 1.0 - (1.0 - shows) ** (1.0 / max(len(served), 1))  # so surely in any of them: they are late together or not
    for site in served:
        yield f"{names.site(int(site))} late", each


def _routes_show(names: Naming, routes: Cut, loss: float, delay: float) -> Iterator[tuple[str, float]]:
    sites = names.world.site_count
    for route in np.flatnonzero(routes):
        end = names.site(int(route)) if route < sites else names.fog(int(route) - sites)
        yield f"{end} loss", loss
        if delay > 0.0:
            yield f"{end} delay", delay
