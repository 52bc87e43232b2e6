"""What might be done about what is wrong: a bounded, ordered list of proposals to try in the twin.

================  ==================================================================================================
cause             proposed
================  ==================================================================================================
link, group,      every route over it to its k-th way around, all at once; routes without one: services to tiers that
node              need no route; that for all routes over it; routes to their first way, one at a time
link, degraded    the same ways around; the link at lower rates
server            services it has to each other tier, all of them
server, slow      the same, half of them as well
access            neighbours of the site's cells at +3 dB, or tilted up
================  ==================================================================================================

The order: doing nothing first, then causes by probability; of one cause as in the table, ways with more to spare
first among those of one kind. Whether any of it helps is for the twin to say. Ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.causes import KINDS
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.actions import Actions, CompensateCell, FallBack, MoveService, Reroute, text
from tiertwin.functions.heal.feasible import Rules, server_of
from tiertwin.functions.heal.ways import Way, Ways
from tiertwin.model.tiers import Tier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.causes import Cause
    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many candidates there may be.

    Parameters
    ----------
    ways
        Ways around for each route.
    neighbours
        Cells that stand in for one.
    causes
        Causes looked at, the likeliest.
    least
        Probability below which a cause is not looked at.
    total
        Candidates in all, doing nothing included.
    """

    ways: int = 3
    neighbours: int = 4
    causes: int = 4
    least: float = 0.05
    total: int = 32


@dataclass(frozen=True, slots=True)
class Candidate:
    """Actions to try together.

    Parameters
    ----------
    actions
        () is doing nothing.
    cause
        Name of what they are against; empty: nothing.
    probability
        Of that cause.
    """

    actions: Actions
    cause: str = ""
    probability: float = 1.0

    def text(self) -> str:
        """Say it in words."""
        against = f" (against {self.cause}, {self.probability:.0%})" if self.cause else ""
        return text(self.actions) + against


FALL_BACK_RATES = (0.75, 0.5, 0.25)
GAIN_DB = 3.0
TILT_DEG = -2.0


def candidates(
    world: World,
    causes: Sequence[tuple[Cause, float]],
    *,
    bounds: Bounds | None = None,
    degradation: Degradation | None = None,
    background: float = 1.0,
) -> tuple[Candidate, ...]:
    """Return what might be done about `causes`, doing nothing first.

    Parameters
    ----------
    world
        The network as routed now.
    causes
        Located causes with their probabilities, 0 … 1, in any order.
    bounds, degradation
        How many; what degradations leave.
    background
        Multiplier of the background now.

    Returns
    -------
    tuple
        At most ``bounds.total``, each different, all allowed by `feasible.Rules`; the same for the same causes.

    Raises
    ------
    InputError
        A probability outside 0 … 1, or a kind of cause that is not known.
    """
    bounds = bounds or Bounds()
    for cause, probability in causes:
        if not 0.0 <= probability <= 1.0:
            raise InputError(f"{cause.name}: expected a probability 0 … 1, got {probability}", "candidates")
        if cause.kind not in KINDS:
            raise InputError(f"{cause.name}: expected a kind of {', '.join(KINDS)}, got {cause.kind!r}", "candidates")
    likely = sorted((c for c in causes if c[1] >= bounds.least), key=lambda c: (-c[1], c[0].name))[: bounds.causes]
    broken = Broken.of(world, tuple(cause for cause, _ in likely), degradation or Degradation())
    makers = _Makers(world, broken, bounds, background)
    rules = Rules(world, broken)
    found: dict[Actions, Candidate] = {(): Candidate(())}
    for cause, probability in likely:
        for actions in makers.against(cause):
            if actions and actions not in found and rules.refusal(actions) is None:
                found[actions] = Candidate(actions, cause.name, probability)
    return tuple(found.values())[: bounds.total]


class _Makers:
    """Actions against one cause while several are there."""

    def __init__(self, world: World, broken: Broken, bounds: Bounds, background: float) -> None:
        self._world, self._broken, self._bounds, self._background = world, broken, bounds, background
        self._rules = Rules(world, broken)
        self._routes = [*world.route_site_links, *world.route_fog_links]

    def against(self, cause: Cause) -> Iterator[Actions]:
        if cause.hard or cause.kind == "degraded":
            yield from self._around(cause)
        if cause.kind == "degraded":
            yield from ((FallBack(cause.links[0], rate),) for rate in FALL_BACK_RATES)
        if cause.server >= 0:
            yield from self._elsewhere(cause.server, (1.0,) if cause.kind == "server" else (1.0, 0.5))
        for node in cause.nodes:
            for server in np.flatnonzero(self._servers() == node).tolist():
                yield from self._elsewhere(server, (1.0,))
        if cause.kind == "access":
            yield from self._neighbours(cause.site)

    # -- routes --------------------------------------------------------------------------------------------------------
    def _around(self, cause: Cause) -> Iterator[Actions]:
        """All routes over the cause to their first, second, … way around, then those of them one at a time."""
        hit = [route for route in range(len(self._routes)) if self._crosses(route, cause)]
        avoided = np.zeros(self._world.link_count, dtype=bool)
        avoided[list(cause.links)] = True
        ways = Ways(self._world, self._broken, avoided, self._background)
        found: dict[int, list[Way]] = {}
        for route in hit:
            ends = int(self._rules.starts[route]), int(self._rules.ends[route])
            found[route] = ways.between(*ends, self._bounds.ways)
        stuck = [route for route in hit if not found[route]]
        moved = self._without_route(stuck)
        most = max((len(w) for w in found.values()), default=0)
        for rank in range(most):
            turned = tuple(
                Reroute(route, found[route][min(rank, len(found[route]) - 1)].links) for route in hit if found[route]
            )
            yield turned + moved
        yield self._without_route(hit)
        if len(hit) > 1:
            yield from ((Reroute(route, way.links),) for route in hit for way in found[route][:1])

    def _crosses(self, route: int, cause: Cause) -> bool:
        links = self._routes[route]
        if np.isin(links // 2, cause.links).any():
            return True
        ends = np.stack([self._world.link_tail, self._world.link_head])[:, links // 2]
        return bool(np.isin(ends, cause.nodes).any())

    def _without_route(self, routes: list[int]) -> Actions:
        """Services of sites that cannot be reached any more, to their own servers."""
        sites = [route for route in routes if route < self._world.site_count]
        fogs = [route - self._world.site_count for route in routes if route >= self._world.site_count]
        below = [s for s in range(self._world.site_count) if int(self._world.site_fog[s]) in fogs and s not in sites]
        lost = [(s, tier, Tier.EDGE) for s in sites for tier in (Tier.FOG, Tier.CLOUD)]
        lost += [(s, Tier.CLOUD, Tier.FOG) for s in below]
        classes = range(len(self._world.class_names))
        return tuple(MoveService(s, c, int(source), int(target)) for s, source, target in lost for c in classes)

    # -- servers -------------------------------------------------------------------------------------------------------
    def _servers(self) -> NDArray[np.int64]:
        world = self._world
        return np.concatenate([world.site_node, world.fog_node, [world.cloud_node]])

    def _elsewhere(self, server: int, shares: tuple[float, ...]) -> Iterator[Actions]:
        world = self._world
        tiers = [(s, t) for s in range(world.site_count) for t in (Tier.EDGE, Tier.FOG, Tier.CLOUD)]
        served = [(s, t) for s, t in tiers if server_of(world, s, t) == server]
        if not served:
            return
        source = served[0][1]
        nearest = sorted((t for t in Tier if t != source), key=lambda t: (abs(int(t) - int(source)), -int(t)))
        for share in shares:
            for target in nearest:
                yield tuple(
                    MoveService(s, c, int(source), int(target), share)
                    for s, _ in served
                    for c in range(len(world.class_names))
                )

    # -- cells ---------------------------------------------------------------------------------------------------------
    def _neighbours(self, site: int) -> Iterator[Actions]:
        access = self._world.access
        if access is None:
            return
        cells = access.cells
        x, y, owner = cells["cell_x"], cells["cell_y"], cells["cell_site"]
        down = np.flatnonzero(owner == site)
        others = np.flatnonzero(owner != site)
        if not (len(down) and len(others)):
            return
        away = np.hypot(x[down, None] - x[others], y[down, None] - y[others])
        for gain, tilt in ((GAIN_DB, 0.0), (0.0, TILT_DEG), (GAIN_DB, TILT_DEG)):
            yield self._stand_in(down, others, away, gain, tilt)

    def _stand_in(self, down: I64, others: I64, away: F64, gain: float, tilt: float) -> Actions:
        """Each neighbour stands in once, for the cell of the site to which it is nearest."""
        taken: dict[int, list[int]] = {}
        for k in np.argsort(away.min(axis=0), kind="stable")[: self._bounds.neighbours].tolist():
            taken.setdefault(int(down[np.argmin(away[:, k])]), []).append(int(others[k]))
        return tuple(CompensateCell(cell, tuple(near), gain, tilt) for cell, near in sorted(taken.items()))
