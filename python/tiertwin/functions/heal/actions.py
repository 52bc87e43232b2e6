"""What healing may do. An action sets *knobs* to values; what is not named stays as it is.

Routes are numbered as everywhere: sites, then fogs (a site's route runs to its fog, a fog's to the cloud). Directed
links are ``2*l`` and ``2*l + 1``, servers sites, fogs, cloud. Whether an action fits a world is `feasible.Rules`' to
say: an action alone only says what it means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tiertwin.model.tiers import Tier

Knob = tuple[str, ...]
"""What is set, as words: ``("route", "3")``."""
Value = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Leave everything as it is: what every action is compared with."""

    def text(self) -> str:
        """Say it in words."""
        return "nothing"

    def settings(self) -> dict[Knob, Value]:
        """Return the knobs it sets, with their values."""
        return {}


@dataclass(frozen=True, slots=True)
class Reroute:
    """Lead a route over other links.

    Parameters
    ----------
    route
        Site s: s; fog f: S + f.
    links
        Directed links in travel order.
    """

    route: int
    links: tuple[int, ...]

    def text(self) -> str:
        """Say it in words."""
        return f"route {self.route} over links {' '.join(str(link) for link in self.links)}"

    def settings(self) -> dict[Knob, Value]:
        """Return the knobs it sets, with their values."""
        return {("route", str(self.route)): tuple(float(link) for link in self.links)}


@dataclass(frozen=True, slots=True)
class MoveService:
    """Serve a share of what a tier does for a service class of a site at another tier.

    It changes what the allocation decided, task by task: of the tasks that the set-points send to `source`, `share` go
    to `target`. Moving to the servers of another site is not an action: the plant knows no such route.

    Parameters
    ----------
    site, service
        Site, and index of the service class.
    source, target
        Tiers.
    share
        Of the tasks at `source`, 0 … 1.
    """

    site: int
    service: int
    source: int
    target: int
    share: float = 1.0

    def text(self) -> str:
        """Say it in words."""
        names = [Tier(tier).name.lower() if tier in list(Tier) else str(tier) for tier in (self.source, self.target)]
        return f"{self.share:.0%} of class {self.service} of site {self.site} from {names[0]} to {names[1]}"

    def settings(self) -> dict[Knob, Value]:
        """Return the knobs it sets, with their values."""
        knob = ("move", str(self.site), str(self.service), str(self.source))
        return {knob: (float(self.target), float(self.share))}


@dataclass(frozen=True, slots=True)
class CompensateCell:
    """Let neighbours of a cell that is down reach into its area.

    Parameters
    ----------
    cell
        The cell that is down.
    neighbours
        Cells that change.
    gain_db
        Added to their power.
    tilt_deg
        Added to their tilt; negative looks farther.
    """

    cell: int
    neighbours: tuple[int, ...]
    gain_db: float = 3.0
    tilt_deg: float = 0.0

    def text(self) -> str:
        """Say it in words."""
        cells = " ".join(str(cell) for cell in self.neighbours)
        return f"cells {cells} for cell {self.cell}: {self.gain_db:+g} dB, {self.tilt_deg:+g}° of tilt"

    def settings(self) -> dict[Knob, Value]:
        """Return the knobs it sets, with their values."""
        return {("cell", str(cell)): (float(self.gain_db), float(self.tilt_deg)) for cell in self.neighbours}


@dataclass(frozen=True, slots=True)
class FallBack:
    """Let a link that loses frames go slower and lose fewer.

    Parameters
    ----------
    link
        Undirected link.
    rate
        Share of its capacity that is left, above 0, at most 1.
    """

    link: int
    rate: float

    def text(self) -> str:
        """Say it in words."""
        return f"link {self.link} at {self.rate:.0%} of its rate"

    def settings(self) -> dict[Knob, Value]:
        """Return the knobs it sets, with their values."""
        return {("rate", str(self.link)): (float(self.rate),)}


Action = Nothing | Reroute | MoveService | CompensateCell | FallBack
Actions = tuple[Action, ...]
"""What is done together; () is doing nothing."""


def settings(actions: Actions) -> dict[Knob, Value]:
    """Return all knobs and values; of a knob set twice the last value (`feasible.Rules` refuses such)."""
    return {knob: value for action in actions for knob, value in action.settings().items()}


def text(actions: Actions) -> str:
    """Say them in words."""
    return "; ".join(action.text() for action in actions) or Nothing().text()


def is_finite(actions: Actions) -> bool:
    """Say whether all numbers in them are finite."""
    return all(math.isfinite(number) for action in actions for value in action.settings().values() for number in value)
