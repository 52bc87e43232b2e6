"""Actions that heal, put in force in the simulated plant and taken back, one on top of the other.

==============  ======================================================================================================
action          in the plant
==============  ======================================================================================================
reroute         the route's links, for tasks that set out from now on (`SimulatedPlant.reroute`'s rule)
move a service  every set-point that comes while it is in force: of what it sends to `source`, `share` goes to `target`
slower link     capacity above `rate` is taken off what background leaves, both ways: no C++ knob, the same for tasks
cell            not possible: the plant has no set-point for a cell's power or tilt
==============  ======================================================================================================

With nothing in force every call goes through unchanged. A loop proposes to `orchestrate.guard.Guard`; whoever carries
out its effects calls `apply` and `undo` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.heal.actions import Actions, CompensateCell, FallBack, MoveService, Reroute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.plant.simulated import SimulatedPlant
    from tiertwin.world.world import World

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]


ROUNDING = 1e-15


class Remedies:
    """A plant and what healing has changed of it. One owner: that of the plant.

    Parameters
    ----------
    plant
        The plant; its routes are those of the world.
    world
        Its world.

    Made before the first set-point: from then on the plant's `actuate` goes through it.
    """

    def __init__(self, plant: SimulatedPlant, world: World) -> None:
        self.plant = plant
        self._world = world
        self._in_force: dict[int, Actions] = {}
        self._asked = np.zeros((len(world.device_site), 4))
        self._asked[:, 0] = 1.0  # as devices start
        self._group_of = np.asarray(world.device_site), np.asarray(world.device_class)
        plant.before_actuate = self._asked_for

    @property
    def in_force(self) -> Mapping[int, Actions]:
        """Actions in force by ticket, in the order they came."""
        return self._in_force

    @property
    def asked(self) -> F64:
        """Set-points as they came last, before services moved, [N, 4]."""
        return self._asked

    def _asked_for(self, device: I64, shares: F64) -> F64:
        """Remember set-points that come, and return them with services moved as is in force."""
        self._asked[device] = shares
        return self._moved(device) if self._in_force else shares

    def apply(self, ticket: int, actions: Actions) -> bool:
        """Put actions in force; False, and nothing changed, where one of them is not possible here."""
        if any(isinstance(action, CompensateCell) for action in actions) or ticket in self._in_force:
            return False
        self._in_force[ticket] = actions
        self._carry_out(actions)
        return True

    def undo(self, ticket: int) -> bool:
        """Take a ticket's actions back: what came before and after it stays. True also where none are in force."""
        actions = self._in_force.pop(ticket, None)
        if actions is not None:
            self._carry_out(actions)
        return True

    def _carry_out(self, touched: Actions) -> None:
        """Bring the plant's knobs of these kinds to what is in force now."""
        if any(isinstance(action, Reroute) for action in touched):
            turned = {a.route: a.links for a in self._all() if isinstance(a, Reroute)}
            self.plant.turn_routes({route: np.array(links, np.int64) for route, links in turned.items()})
        if any(isinstance(action, FallBack) for action in touched):
            rate = np.ones(self._world.link_count)
            for action in self._all():
                if isinstance(action, FallBack):
                    rate[action.link] = action.rate
            self.plant.narrow_links(rate)
        sites = sorted({action.site for action in touched if isinstance(action, MoveService)})
        if sites:
            device = np.flatnonzero(np.isin(self._world.device_site, sites)).astype(np.int64)
            self.plant.actuate(device, self._asked[device])

    def _all(self) -> Actions:
        return tuple(action for actions in self._in_force.values() for action in actions)

    def _moved(self, device: I64) -> F64:
        """Return the set-points of devices with services moved, [k, 4]."""
        moves = [action for action in self._all() if isinstance(action, MoveService)]
        asked = self._asked[device]
        result = asked.copy()
        site, kind = self._group_of[0][device], self._group_of[1][device]
        for move in moves:
            rows = (site == move.site) & (kind == move.service)
            part = move.share * asked[rows, move.source]
            result[rows, move.source] -= part
            result[rows, move.target] += part
        result = np.clip(result, 0.0, 1.0)
        over = result.sum(axis=1) > 1.0  # by the last bit of an addition; the plant takes no more than all
        result[over] *= ((1.0 - ROUNDING) / result[over].sum(axis=1))[:, None]
        return np.ascontiguousarray(result)
