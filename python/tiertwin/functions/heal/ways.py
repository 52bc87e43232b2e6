"""Other ways for a route: link-disjoint paths first, then the k shortest, each with what it has to spare.

Paths by km over what the twin believes is up. Disjoint: successive shortest augmenting paths (J. W. Suurballe,
Networks 4, 1974; `cpp/graph`); k shortest loopless: J. Y. Yen, Management Science 17, 1971.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin import _core
from tiertwin.world.paths import Net

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.impact import Broken
    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Way:
    """A path for a route.

    Parameters
    ----------
    links
        Directed links in travel order.
    km
        Their length.
    spare_mbps
        What the narrowest of them has left besides background.
    """

    links: tuple[int, ...]
    km: float
    spare_mbps: float


class Ways:
    """Paths over what is left of a world; the graph is built once.

    Parameters
    ----------
    world
        Network and background.
    broken
        What is gone or narrower.
    avoided
        Undirected links no way may use though they are up (a degraded link), [m].
    background
        Multiplier of the background.
    """

    def __init__(
        self, world: World, broken: Broken, avoided: NDArray[np.bool_] | None = None, background: float = 1.0
    ) -> None:
        gone = broken.links | broken.nodes[world.link_tail] | broken.nodes[world.link_head]
        if avoided is not None:
            gone = gone | avoided
        self._net = Net(world.node_count, world.link_tail, world.link_head, world.link_km, ~gone)
        self._km = world.link_km
        capacity = np.repeat(world.link_capacity_mbps * broken.link_share, 2)
        self.spare: F64 = np.maximum(capacity - background * world.background_mbps, 0.0)

    def between(self, start: int, end: int, count: int) -> list[Way]:
        """Return up to `count` ways with something to spare: disjoint ones by km, then others by km. None if start=end.

        Cost: two searches of at most `count` shortest paths.
        """
        if start == end or count < 1:
            return []
        graph, own = self._net.graph, self._net.links
        disjoint = [own[path] for path in _core.disjoint_paths(graph, start, end, count)]
        shortest = [own[path] for path in graph.k_shortest(start, end, count)]
        ways = [*sorted(map(self.way, disjoint), key=_by_km), *sorted(map(self.way, shortest), key=_by_km)]
        return [way for way in dict.fromkeys(ways) if way.spare_mbps > 0.0][:count]

    def way(self, links: I64) -> Way:
        """Return the way over these directed links."""
        km = float(self._km[links // 2].sum())
        return Way(tuple(links.tolist()), km, float(self.spare[links].min(initial=np.inf)))


def _by_km(way: Way) -> tuple[float, tuple[int, ...]]:
    return way.km, way.links
