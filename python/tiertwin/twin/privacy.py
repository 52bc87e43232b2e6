"""Which attributes may cross the border of a domain: a class for each, and what of a table is left at a border.

    public    crosses
    domain    of one link, server or sensor: stays in the domain of its owner; sums over enough members are public
    private   of one device or user: the same, and no border can be opened for it

A *domain* is a subtree with an owner; a link of the tree is its border where the two ends have different owners. Both
ends leave the columns that may not cross out of their tables (the schema), and both seal what is left
(`cpp/state/table.hpp`): the encoder has nothing to leak, and a frame that brings such an attribute all the same is
refused (`privacy`). An attribute that nobody here knows is private unless the scenario declares it.

The classes below stand in a registry (and so in fingerprints) only where a tree has domains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from tiertwin.twin.attributes import (
    BASE_STATION,
    COUNTERS,
    CROWD,
    KNOWN,
    LINK,
    SENSORS,
    SERVER,
    TELEMETRY,
    WEATHER,
    A,
)


class Privacy(IntEnum):
    """Class of an attribute; the number stands in its definition."""

    PUBLIC = 0
    DOMAIN = 1
    PRIVATE = 2


PRIVACY: dict[A, Privacy] = {
    **dict.fromkeys((*SERVER, *LINK, *SENSORS, *WEATHER, *BASE_STATION, *COUNTERS), Privacy.DOMAIN),
    **dict.fromkeys((*TELEMETRY, *CROWD), Privacy.PRIVATE),
}
"""Of what is measured. All others are sums over members, or what twins say to each other to decide: public."""

_BY_ID = {int(attribute): privacy for attribute, privacy in PRIVACY.items()}
Border = tuple[int, list[int]]  # highest class that crosses; unknown attributes that do


@dataclass(frozen=True)
class PrivacyRules:
    """A scenario's domains as plain values, so that they can be sent to another process.

    Parameters
    ----------
    owners
        ``(twin, owner)``: the subtree below a twin is its owner's, but for subtrees named themselves.
    most
        Highest class that crosses a border, at most `Privacy.DOMAIN`.
    classes
        ``(attribute, class)`` where it is not that of `PRIVACY`.
    declared
        ``(attribute, class)`` of attributes that are not ours.
    least
        Members that a sum must be over to cross.
    """

    owners: tuple[tuple[str, str], ...]
    most: int = int(Privacy.PUBLIC)
    classes: tuple[tuple[int, int], ...] = ()
    declared: tuple[tuple[int, int], ...] = ()
    least: int = 5

    def class_of(self, attribute: int) -> Privacy:
        """Return the class of an attribute; private where nobody knows it."""
        given = dict((*self.classes, *self.declared))
        if attribute in given:
            return Privacy(given[attribute])
        if attribute not in KNOWN:
            return Privacy.PRIVATE
        return _BY_ID.get(attribute, Privacy.PUBLIC)

    def owner_of(self, name: str, parents: Mapping[str, str | None]) -> str:
        """Return whose domain a twin is in: that of the nearest named twin from it upwards; empty: nobody's."""
        owners, at = dict(self.owners), name
        while at not in owners:
            above = parents.get(at)
            if above is None:
                return ""
            at = above
        return owners[at]

    def border(self, child: str, parent: str, parents: Mapping[str, str | None]) -> Border | None:
        """Return what may cross between two neighbours; None: it is no border, all may."""
        if self.owner_of(child, parents) == self.owner_of(parent, parents):
            return None
        return self.most, sorted(a for a, privacy in self.declared if privacy <= self.most)

    def crossing(self, attributes: Iterable[int]) -> list[int]:
        """Return those of some attributes that may cross a border, in their order."""
        return [a for a in attributes if self.class_of(a) <= self.most]
