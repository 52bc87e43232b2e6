"""How a cause propagates, as a graph: cause → parts that fail → routes → sites, and the alarms it explains.

Five roles, one a column: `cause`, `part` (link, node, server, access), `route` (cut or detoured), `site` (loses
service, or goes on another way) and `alarm`. Edges run from what fails to what suffers or shows it.
`tiertwin.report.propagation` draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.functions.assure.causes import Cause, Naming
from tiertwin.functions.assure.dependencies import Dependencies
from tiertwin.functions.assure.reach import Reach

if TYPE_CHECKING:
    from tiertwin.functions.assure.impact import Impact
    from tiertwin.world.world import World

ROLES = ("cause", "part", "route", "site", "alarm")


@dataclass
class Propagation:
    """Nodes and edges in the order of drawing.

    Parameters
    ----------
    nodes
        Each with `id`, `role` (one of `ROLES`), `text`, and `state` (`down`, `degraded`, `detour`, `lost`,
        `alone` (cut off, and serves itself), `alarm`).
    edges
        (id, id).
    """

    nodes: list[dict[str, Any]] = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def node(self, role: str, text: str, state: str, *after: str) -> str:
        """Add a node once, and the edges into it; return its id."""
        identity = f"{role}:{text}"
        if identity not in self._known:
            self._known.add(identity)
            self.nodes.append({"id": identity, "role": role, "text": text, "state": state})
        self.edges += [(one, identity) for one in after if (one, identity) not in self.edges]
        return identity

    def plain(self) -> dict[str, Any]:
        """Return lists and strings alone, for JSON."""
        return {"nodes": self.nodes, "edges": [list(edge) for edge in self.edges]}


def propagation(
    world: World, graph: Dependencies, cause: Cause, impact: Impact, alarms: Sequence[str] = ()
) -> Propagation:
    """Return how a cause propagates; `alarms` are those observed, of which the ones it explains are shown."""
    names, reach = Naming(world), Reach(world, [cause])
    shown = Propagation()
    state = "down" if cause.kind not in ("degraded", "slow") else "degraded"
    root = shown.node("cause", cause.name, state)
    parts = [(shown.node("part", text, state, root), alone) for text, alone in _parts(names, cause)]
    routes, cut = reach.touched(cause), reach.cut(0)
    for route in np.flatnonzero(routes).tolist():
        at_site = route < world.site_count
        text = names.site(route) if at_site else names.fog(route - world.site_count)
        how = "down" if cut[route] else "degraded" if cause.kind == "degraded" else "detour"
        behind = [part for part, alone in parts if reach.touched(alone)[route]]
        via = shown.node("route", f"route of {text}", how, *behind)
        below = [route] if at_site else np.flatnonzero(world.site_fog == route - world.site_count).tolist()
        for site in below:
            _site(shown, names, impact, site, via, always=at_site)
    for site in np.flatnonzero(impact.lost > 0.0).tolist():
        direct = [] if _reached(shown, names, site) else [part for part, _ in parts]
        _site(shown, names, impact, site, *direct, always=True)
    _alarms(shown, graph, cause, alarms)
    return shown


def _parts(names: Naming, cause: Cause) -> list[tuple[str, Cause]]:
    """Return what fails, each with the cause that would be that part alone."""
    found = [(names.link(link), replace(cause, links=(link,), nodes=())) for link in cause.links]
    found += [(f"node {names.nodes[node]}", replace(cause, links=(), nodes=(node,))) for node in cause.nodes]
    if cause.server >= 0:
        found.append((names.server(cause.server), cause))
    if cause.site >= 0:
        found.append((f"radio of {names.site(cause.site)}", cause))
    return found


def _reached(shown: Propagation, names: Naming, site: int) -> bool:
    return any(target == f"site:{names.site(site)}" for _, target in shown.edges)


def _site(shown: Propagation, names: Naming, impact: Impact, site: int, *after: str, always: bool) -> None:
    lost = float(impact.lost[site])
    if lost > 0.0 or always:
        alone = "alone" if names.site(site) in impact.cut_off else "detour"
        shown.node("site", names.site(site), "lost" if lost > 0.0 else alone, *after)


def _alarms(shown: Propagation, graph: Dependencies, cause: Cause, alarms: Sequence[str]) -> None:
    """Add the alarms a cause explains, each behind the node it speaks of."""
    c = [one.name for one in graph.causes].index(cause.name)
    mine = graph.rows.observation[graph.rows.start[c] : graph.rows.start[c + 1]]
    heard = set(alarms)
    for number in mine:
        observation = graph.observations[number]
        if observation in heard:
            entity = observation.rsplit(" ", 1)[0]
            near = [n["id"] for n in shown.nodes if n["text"] in (entity, f"route of {entity}", f"radio of {entity}")]
            shown.node("alarm", observation, "alarm", near[-1] if near else shown.nodes[0]["id"])
