"""Conflicts between control loops that act on one network: healing, energy, allocation, weather.

==========  ==========================================================================================================
direct      two set one knob to different values
indirect    they set different knobs and get in each other's way: one loads what the other narrows, or moves it back;
            or, by a KPI model, both together are worth less than the better one alone
implicit    nobody declared anything, but it is observed: a knob goes back and forth between loops
==========  ==========================================================================================================

The three kinds are those of O-RAN (WG3, near-RT RIC architecture, conflict mitigation). Resolved by priority, then
score (`resolve`): the loser waits, it is not mixed with the winner. What counts as oscillation is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.functions.heal.actions import Actions, CompensateCell, FallBack, MoveService, Reroute, settings
from tiertwin.functions.heal.feasible import server_of

if TYPE_CHECKING:
    from tiertwin.functions.heal.actions import Knob, Value
    from tiertwin.functions.heal.scores import Evaluator
    from tiertwin.world import World

Resource = tuple[str, str, int]
"""Quantity and whose: ``("load", "link", 7)``, ``("capacity", "server", 2)``. Links are directed."""


@dataclass(frozen=True)
class Request:
    """What a loop wants, declared.

    Parameters
    ----------
    loop
        Its name.
    knobs
        What it sets, to what.
    moves
        Resource → +1 (more of it) or −1.
    priority, score
        By which conflicts are resolved; higher wins. A score that is no number counts as the lowest.
    actions
        For a KPI model; () where the loop's doing is not in its words.
    """

    loop: str
    knobs: Mapping[Knob, Value]
    moves: Mapping[Resource, int] = field(default_factory=dict)
    priority: int = 5
    score: float = 0.0
    actions: Actions = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two loops in each other's way.

    Parameters
    ----------
    kind
        ``direct``, ``indirect`` or ``implicit``.
    loops
        The two, as they came.
    about
        Knob, resource or KPI, in words.
    """

    kind: str
    loops: tuple[str, str]
    about: str


def declared(world: World, loop: str, actions: Actions, priority: int = 5, score: float = 0.0) -> Request:
    """Return the request of these actions, allowed in this world: their knobs, and what they load, free and narrow."""
    moves: dict[Resource, int] = {}
    routes = [*world.route_site_links, *world.route_fog_links]
    for action in actions:
        if isinstance(action, Reroute):
            old, new = set(routes[action.route].tolist()), set(action.links)
            moves |= {("load", "link", link): -1 for link in sorted(old - new)}
            moves |= {("load", "link", link): 1 for link in sorted(new - old)}
        elif isinstance(action, MoveService):
            for tier, way in ((action.source, -1), (action.target, 1)):
                server = server_of(world, action.site, tier)
                if server >= 0 and action.share > 0.0:
                    moves["load", "server", server] = way
        elif isinstance(action, FallBack):
            moves |= {("capacity", "link", 2 * action.link + k): -1 for k in (0, 1) if action.rate < 1.0}
        elif isinstance(action, CompensateCell):
            moves |= {("power", "cell", cell): 1 if action.gain_db >= 0.0 else -1 for cell in action.neighbours}
    return Request(loop, settings(actions), moves, priority, score, actions)


def direct(a: Request, b: Request) -> Conflict | None:
    """Return the direct conflict of two requests, if there is one: a knob they set differently."""
    for knob in a.knobs:
        if knob in b.knobs and b.knobs[knob] != a.knobs[knob]:
            return Conflict("direct", (a.loop, b.loop), " ".join(knob))
    return None


def indirect(a: Request, b: Request) -> Conflict | None:
    """Return their indirect conflict by what they declared, if there is one.

    Opposite ways on one quantity, or one loading what the other narrows. Both loading one link is none: whether there
    is room is for a KPI model (`together`).
    """
    for resource, way in a.moves.items():
        quantity, kind, number = resource
        if b.moves.get(resource, way) != way:
            return Conflict("indirect", (a.loop, b.loop), f"{quantity} of {kind} {number}")
        other = {"load": "capacity", "capacity": "load"}.get(quantity)
        if other is not None and way * b.moves.get((other, kind, number), way) < 0:
            narrowed = way < 0 if quantity == "capacity" else way > 0
            if narrowed:
                return Conflict("indirect", (a.loop, b.loop), f"load and capacity of {kind} {number}")
    return None


def together(a: Request, b: Request, model: Evaluator, least: float = 0.0) -> Conflict | None:
    """Return their indirect conflict by a KPI model: both together worth less than the better alone, by over `least`.

    Only for requests whose actions the model knows, with no knob in common; else None.
    """
    if not a.actions or not b.actions or direct(a, b) is not None:
        return None
    both = model.score((*a.actions, *b.actions)).mean
    if both < max(model.score(a.actions).mean, model.score(b.actions).mean) - least:
        return Conflict("indirect", (a.loop, b.loop), "the score of both together")
    return None


def resolve(
    requests: Sequence[Request], model: Evaluator | None = None, implicit: Iterable[Conflict] = ()
) -> tuple[list[Request], list[tuple[Request, Conflict]]]:
    """Return (requests that may go together, the others each with the conflict that stopped it).

    By priority, then score, then name of the loop and order of coming. Requests of one loop do not conflict with each
    other but directly. Loops in `implicit` conflict whatever they declare. Cost: pairs of winners and others; with a
    model three scores a pair.
    """
    order = sorted(range(len(requests)), key=lambda k: _rank(requests[k], k))
    known = {frozenset(conflict.loops): conflict for conflict in implicit}
    winners: list[Request] = []
    losers: list[tuple[Request, Conflict]] = []
    for request in (requests[k] for k in order):
        found = next((c for w in winners if (c := _between(w, request, model, known)) is not None), None)
        if found is None:
            winners.append(request)
        else:
            losers.append((request, found))
    return winners, losers


def _between(
    a: Request, b: Request, model: Evaluator | None, known: Mapping[frozenset[str], Conflict]
) -> Conflict | None:
    found = direct(a, b)
    if found is None and a.loop != b.loop:
        found = known.get(frozenset((a.loop, b.loop))) or indirect(a, b)
        if found is None and model is not None:
            found = together(a, b, model)
    return found


def _rank(request: Request, k: int) -> tuple[int, float, str, int]:
    score = request.score if np.isfinite(request.score) else -np.inf
    return -request.priority, -float(score), request.loop, k


class Oscillation:
    """Watches what loops really set, and says which ones fight over a knob.

    A knob oscillates when within `window` ns it came back at least `returns` times to a value it had left; the fight
    is between the loops that set it then, or of one loop with itself. Bounded memory: `most` settings of a knob,
    `knobs` knobs, those longest not set forgotten.
    """

    def __init__(self, window: int, returns: int = 2, most: int = 32, knobs: int = 4096) -> None:
        self._window, self._returns, self._most, self._knobs = window, returns, most, knobs
        self._history: dict[Knob, deque[tuple[int, str, Value]]] = {}

    def set(self, now: int, loop: str, knobs: Mapping[Knob, Value]) -> list[Conflict]:
        """Take in what a loop has set at `now`, ns; return the implicit conflicts seen by that."""
        found = []
        for knob, value in knobs.items():
            history = self._history.pop(knob, deque(maxlen=self._most))
            if not history or history[-1][2] != value:
                history.append((now, loop, value))
            self._history[knob] = history
            conflict = self._seen(knob, now)
            if conflict is not None and conflict not in found:
                found.append(conflict)
        while len(self._history) > self._knobs:
            del self._history[next(iter(self._history))]
        return found

    def _seen(self, knob: Knob, now: int) -> Conflict | None:
        recent = [entry for entry in self._history[knob] if entry[0] > now - self._window]
        earlier: list[Value] = []
        returns = 0
        for _, _, value in recent:
            returns += value in earlier
            earlier.append(value)
        if returns < self._returns:
            return None
        loops = sorted({loop for _, loop, _ in recent})
        return Conflict("implicit", (loops[0], loops[-1]), " ".join(knob))
