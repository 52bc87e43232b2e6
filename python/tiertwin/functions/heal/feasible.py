"""Which actions make sense in a world: well formed, free of contradictions, and possible with what is left of it.

Proposals come from anybody; nothing in them is believed. The first thing wrong is the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.functions.heal.actions import (
    Action,
    Actions,
    CompensateCell,
    FallBack,
    MoveService,
    Nothing,
    Reroute,
    is_finite,
)
from tiertwin.model.tiers import Tier

if TYPE_CHECKING:
    from tiertwin.functions.assure.impact import Broken
    from tiertwin.world.world import I64, World

KINDS = (Nothing, Reroute, MoveService, CompensateCell, FallBack)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a proposal is not even tried.

    Parameters
    ----------
    reason
        ``malformed``, ``non_finite``, ``unknown``, ``contradictory`` or ``infeasible``.
    text
        What was expected, what came.
    """

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an action may go.

    Parameters
    ----------
    actions
        At most so many together.
    gain_db, tilt_deg
        Largest change of a cell, either way.
    rate
        Least share of its capacity to which a link falls back.
    """

    actions: int = 1024
    gain_db: float = 6.0
    tilt_deg: float = 6.0
    rate: float = 0.05


class Rules:
    """What may be done in one world. Read-only but for `broken`, which is what the twin believes of it now.

    Parameters
    ----------
    world
        Network, servers, and cells where it has a radio access.
    broken
        What is gone or worse (`functions.assure.impact.Broken`); None: all is well.
    limits
        How far an action may go.
    """

    def __init__(self, world: World, broken: Broken | None = None, limits: Limits | None = None) -> None:
        self.world, self.broken, self.limits = world, broken, limits or Limits()
        self._tail = np.stack([world.link_tail, world.link_head], axis=1).ravel()
        self._head = self._tail.reshape(-1, 2)[:, ::-1].ravel()
        self.starts: I64 = np.concatenate([world.site_node, world.fog_node])
        self.ends: I64 = np.concatenate([world.fog_node[world.site_fog], np.full(world.fog_count, world.cloud_node)])
        access = getattr(world, "access", None)
        self.cells = 0 if access is None else len(access.cells["cell_site"])

    def refusal(self, actions: Any) -> Refusal | None:
        """Return the first thing that is wrong with `actions`, whatever it is; None: they may be tried."""
        checks: tuple[Callable[[Any], Refusal | None], ...] = (self._form, self._numbers, self._contradiction)
        for check in checks:
            found = check(actions)
            if found is not None:
                return found
        return next((found for action in actions if (found := self._possible(action)) is not None), None)

    # -- form ----------------------------------------------------------------------------------------------------------
    def _form(self, actions: Any) -> Refusal | None:
        if not isinstance(actions, tuple):
            return Refusal("malformed", f"expected a tuple of actions, got {type(actions).__name__}")
        if not 1 <= len(actions) <= self.limits.actions:
            return Refusal("malformed", f"expected 1 … {self.limits.actions} actions, got {len(actions)}")
        for action in actions:
            if type(action) not in KINDS:
                return Refusal("malformed", f"expected an action of functions.heal, got {type(action).__name__}")
            if (wrong := _ill_typed(action)) is not None:
                return Refusal("malformed", wrong)
        return None

    @staticmethod
    def _numbers(actions: Actions) -> Refusal | None:
        return None if is_finite(actions) else Refusal("non_finite", "expected finite numbers, got NaN or infinity")

    @staticmethod
    def _contradiction(actions: Actions) -> Refusal | None:
        if len(actions) > 1 and any(isinstance(action, Nothing) for action in actions):
            return Refusal("contradictory", "doing nothing and something")
        seen: set[tuple[str, ...]] = set()
        for action in actions:
            for knob in action.settings():
                if knob in seen:
                    return Refusal("contradictory", f"{' '.join(knob)} is set twice")
                seen.add(knob)
        moves = {(a.site, a.service, a.source, a.target) for a in actions if isinstance(a, MoveService)}
        for site, service, source, target in sorted(moves):
            if (site, service, target, source) in moves:
                return Refusal("contradictory", f"class {service} of site {site} moves {source} → {target} and back")
        down = {a.cell for a in actions if isinstance(a, CompensateCell)}
        changed = {cell for a in actions if isinstance(a, CompensateCell) for cell in a.neighbours}
        if both := sorted(down & changed):
            return Refusal("contradictory", f"cell {both[0]} is to be stood in for, and to stand in")
        return None

    # -- possible here -------------------------------------------------------------------------------------------------
    def _possible(self, action: Action) -> Refusal | None:
        if isinstance(action, Reroute):
            return self._reroute(action)
        if isinstance(action, MoveService):
            return self._move(action)
        if isinstance(action, CompensateCell):
            return self._compensate(action)
        return None if isinstance(action, Nothing) else self._fall_back(action)

    def _reroute(self, action: Reroute) -> Refusal | None:
        if not 0 <= action.route < len(self.starts):
            return Refusal("unknown", f"expected a route 0 … {len(self.starts) - 1}, got {action.route}")
        if not action.links or not all(0 <= link < len(self._tail) for link in action.links):
            return Refusal("unknown", f"expected directed links 0 … {len(self._tail) - 1}, got {list(action.links)}")
        links = np.array(action.links)
        nodes = [int(self._tail[links[0]]), *self._head[links].tolist()]
        start, end = int(self.starts[action.route]), int(self.ends[action.route])
        if (self._tail[links[1:]] != self._head[links[:-1]]).any() or nodes[0] != start or nodes[-1] != end:
            return Refusal("infeasible", f"expected links from node {start} to {end}, got a way over nodes {nodes}")
        if len(set(nodes)) < len(nodes):
            return Refusal("infeasible", f"expected a way without a loop, got nodes {nodes}")
        if self.broken is not None and (self.broken.links[links // 2].any() or self.broken.nodes[nodes].any()):
            return Refusal("infeasible", f"expected links and nodes that are up, got {list(action.links)}")
        return None

    def _move(self, action: MoveService) -> Refusal | None:
        world = self.world
        if not (0 <= action.site < world.site_count and 0 <= action.service < len(world.class_names)):
            return Refusal(
                "unknown",
                f"expected a site below {world.site_count} and a class below {len(world.class_names)}, got "
                f"{action.site} and {action.service}",
            )
        if not {action.source, action.target} <= set(Tier):
            return Refusal("unknown", f"expected tiers 0 … 3, got {action.source} and {action.target}")
        if action.source == action.target:
            return Refusal("contradictory", f"expected two tiers, got {action.source} twice")
        if not 0.0 <= action.share <= 1.0:
            return Refusal("infeasible", f"expected a share 0 … 1, got {action.share:g}")
        server = server_of(world, action.site, action.target)
        if self.broken is not None and server >= 0 and self.broken.server_share[server] <= 0.0:
            return Refusal("infeasible", f"expected a server that is up, got server {server}")
        return None

    def _compensate(self, action: CompensateCell) -> Refusal | None:
        cells = (action.cell, *action.neighbours)
        if not action.neighbours or not all(0 <= cell < self.cells for cell in cells):
            return Refusal("unknown", f"expected neighbours among {self.cells} cells, got {list(cells)}")
        if len(set(action.neighbours)) < len(action.neighbours):
            return Refusal("contradictory", f"expected neighbours that differ, got {list(action.neighbours)}")
        limits = self.limits
        if abs(action.gain_db) > limits.gain_db or abs(action.tilt_deg) > limits.tilt_deg:
            return Refusal(
                "infeasible",
                f"expected at most {limits.gain_db:g} dB and {limits.tilt_deg:g}°, got {action.gain_db:g} and "
                f"{action.tilt_deg:g}",
            )
        return None

    def _fall_back(self, action: FallBack) -> Refusal | None:
        if not 0 <= action.link < self.world.link_count:
            return Refusal("unknown", f"expected a link 0 … {self.world.link_count - 1}, got {action.link}")
        if not self.limits.rate <= action.rate <= 1.0:
            return Refusal("infeasible", f"expected a rate {self.limits.rate:g} … 1, got {action.rate:g}")
        if self.broken is not None and self.broken.links[action.link]:
            return Refusal("infeasible", f"expected a link that is up, got link {action.link}")
        return None


def server_of(world: World, site: int, tier: int) -> int:
    """Return the server (sites, fogs, cloud) that serves a site at a tier; -1: the devices themselves."""
    if tier == Tier.DEVICE:
        return -1
    fog = world.site_count + int(world.site_fog[site])
    return {int(Tier.EDGE): site, int(Tier.FOG): fog}.get(int(tier), world.site_count + world.fog_count)


_WHOLE = {
    Nothing: (),
    Reroute: ("route",),
    MoveService: ("site", "service", "source", "target"),
    CompensateCell: ("cell",),
    FallBack: ("link",),
}
_REAL = {MoveService: ("share",), CompensateCell: ("gain_db", "tilt_deg"), FallBack: ("rate",)}
_MANY = {Reroute: "links", CompensateCell: "neighbours"}
_MOST = 4096  # links or cells in one action


def _ill_typed(action: Action) -> str | None:
    """Say which field is of another kind than it should be; dataclasses check nothing."""
    kind = type(action)
    for name in _WHOLE[kind]:
        if not _is_whole(value := getattr(action, name)):
            return f"{kind.__name__}.{name}: expected a whole number, got {value!r:.40}"
    for name in _REAL.get(kind, ()):
        value = getattr(action, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{kind.__name__}.{name}: expected a number, got {value!r:.40}"
    name = _MANY.get(kind, "")
    if name:
        value = getattr(action, name)
        if not isinstance(value, tuple) or len(value) > _MOST or not all(_is_whole(item) for item in value):
            return f"{kind.__name__}.{name}: expected a tuple of at most {_MOST} whole numbers, got {value!r:.40}"
    return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
