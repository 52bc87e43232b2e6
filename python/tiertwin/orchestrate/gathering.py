"""What the children have said for one (epoch, round): collected by name, read in roster order, open until closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tiertwin.orchestrate.units import Stamp
from tiertwin.twin.attributes import TableId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tiertwin.twin.twin import Unit

NEVER = Stamp(-1, 0)


@dataclass
class Gathering:
    """One call for cuts and points.

    Parameters
    ----------
    children
        Names in roster order.
    stamp
        The epoch and round asked for; anything else is not taken.
    cuts, points
        Cells of what came, by child.
    done
        Closed: complete, or no longer waited for.
    """

    children: Sequence[str]
    stamp: Stamp = NEVER
    cuts: dict[str, Any] = field(default_factory=dict)
    points: dict[str, Any] = field(default_factory=dict)
    done: bool = False

    def take(self, unit: Unit, stamp: Stamp) -> bool:
        """Take a unit if it answers this call and the call is open."""
        if stamp != self.stamp or self.done:
            return False
        (self.cuts if unit.table == TableId.CUT else self.points)[unit.peer] = unit.cells
        return True

    @property
    def complete(self) -> bool:
        """Whether every child has said both."""
        return len(self.cuts) == len(self.points) == len(self.children)

    @property
    def missing(self) -> list[str]:
        """Children that have not said both, in roster order."""
        return [child for child in self.children if child not in self.cuts or child not in self.points]

    def close(self) -> Iterator[tuple[int, str, Any, Any]]:
        """Close the call; yield (index, name, cuts, points) of who said both, in roster order and never in that of
        arrival."""
        self.done = True
        for index, child in enumerate(self.children):
            if child in self.cuts and child in self.points:
                yield index, child, self.cuts[child], self.points[child]


class Early:
    """Units of the epoch to come, from children that began it before us."""

    def __init__(self) -> None:
        self._held: list[tuple[Unit, Stamp]] = []

    def hold(self, unit: Unit, stamp: Stamp) -> None:
        """Keep a unit until its epoch begins."""
        self._held.append((unit, stamp))

    def give(self, gathering: Gathering) -> None:
        """Hand over what belongs to a call that has just been opened, and forget the rest."""
        held, self._held = self._held, []
        for unit, stamp in held:
            gathering.take(unit, stamp)
