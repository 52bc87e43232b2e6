"""Whose service actions are about: the sites of the routes and services they change.

==============  ===============================================
action          sites
==============  ===============================================
reroute         the site; of a fog's route all sites of that fog
move a service  the site
slower link     those whose way to fog or cloud crosses it
cell            those of the cells
==============  ===============================================

Others may feel it too, where they share what is loaded more: servers that services move to, links that a route takes.
They are watched apart (`orchestrate.guardlevels`). Who shares nothing of it is not: what happens there is something
else, another part of the same fault as like as not. Ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.heal.actions import Actions, CompensateCell, FallBack, MoveService, Reroute
from tiertwin.model.tiers import Tier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World


def concerned(world: World, actions: Actions) -> NDArray[np.bool_]:
    """Return which sites the actions are about, [S]; actions that `feasible.Rules` allow."""
    flags = np.zeros(world.site_count, dtype=bool)
    for action in actions:
        if isinstance(action, MoveService):
            flags[action.site] = True
        elif isinstance(action, Reroute) and action.route < world.site_count:
            flags[action.route] = True
        elif isinstance(action, Reroute):
            flags |= world.site_fog == action.route - world.site_count
        elif isinstance(action, FallBack):
            flags |= _over(world, (action.link,))
        elif isinstance(action, CompensateCell) and world.access is not None:
            flags[world.access.cells["cell_site"][[action.cell, *action.neighbours]]] = True
    return flags


def sharing(world: World, actions: Actions) -> NDArray[np.bool_]:
    """Return which other sites share what the actions load more, [S]; actions that `feasible.Rules` allow."""
    flags = np.zeros(world.site_count, dtype=bool)
    for action in actions:
        if isinstance(action, MoveService) and action.target == Tier.CLOUD:
            flags[:] = True
        elif isinstance(action, MoveService) and action.target == Tier.FOG:
            flags |= world.site_fog == world.site_fog[action.site]
        elif isinstance(action, Reroute):
            flags |= _over(world, tuple(link // 2 for link in action.links))
    return flags & ~concerned(world, actions)


def _over(world: World, links: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the sites whose way to fog or cloud crosses one of these undirected links, [S]."""
    to_fog, to_cloud = (
        np.array([bool(np.isin(route // 2, links).any()) for route in routes], dtype=bool)
        for routes in (world.route_site_links, world.route_fog_links)
    )
    flags: NDArray[np.bool_] = to_fog | to_cloud[world.site_fog]
    return flags
