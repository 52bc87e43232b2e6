"""Bytes that the nodes here sent to neighbours, as KPIs count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiertwin.runtime.observed import Observation
    from tiertwin.runtime.roster import Roster


class Traffic:
    """Bytes between neighbouring tiers, up and down, by tier of the lower end.

    Parameters
    ----------
    roster
        Every node of the tree.
    """

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._up: dict[int, int] = {}
        self._down: dict[int, int] = {}
        self._book: dict[tuple[str, str], tuple[dict[int, int], int] | None] = {}  # by pair, found once

    def count(self, sender: str, receiver: str, length: int) -> None:
        """Count a frame; the plant's own wires are no traffic of the twins."""
        pair = (sender, receiver)
        if pair not in self._book:
            self._book[pair] = self._book_of(*pair)
        found = self._book[pair]
        if found is not None:
            book, lower = found
            book[lower] = book.get(lower, 0) + length

    def _book_of(self, sender: str, receiver: str) -> tuple[dict[int, int], int] | None:
        own, other = self._roster.tier(sender), self._roster.tier(receiver)
        lower = min(own, other)
        if lower < 0:
            return None
        return (self._up if own < other else self._down), lower

    def tell(self, seen: Observation) -> None:
        """Put what was counted so far into an observation."""
        seen.traffic_up, seen.traffic_down = dict(self._up), dict(self._down)
