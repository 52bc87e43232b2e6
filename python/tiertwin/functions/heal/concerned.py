"""Whose service actions are about: the sites of the routes and services they change.

==============  ===============================================
action          sites
==============  ===============================================
reroute         the site; of a fog's route all sites of that fog
move a service  the site
slower link     those whose way to fog or cloud crosses it
cell            those of the cells
==============  ===============================================

Others may feel it too, where they share what is loaded more; they are watched apart (`orchestrate.guardlevels`). Ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.heal.actions import Actions, CompensateCell, FallBack, MoveService, Reroute

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
            crossed = [bool(np.isin(action.link, route // 2)) for route in world.route_fog_links]
            flags |= np.array(crossed)[world.site_fog]
            flags |= np.array([bool(np.isin(action.link, route // 2)) for route in world.route_site_links])
        elif isinstance(action, CompensateCell) and world.access is not None:
            flags[world.access.cells["cell_site"][[action.cell, *action.neighbours]]] = True
    return flags
