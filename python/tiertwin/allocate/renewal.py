"""What a child says anew when its data moved: where it worked last, how far its data went, which slots still count.

Levels alone are not enough after a steep change. When demand falls to a half, marginal prices fall to a sixth: the
kept cuts and points stand where nobody will trade. A child knows its own old and new data, so it moves its questions
with them. Put to work at quota r and price p, it asks itself at r and p times powers of τ, the growth of the most it
could use, component by component. For quotas between 0, "everybody grew like me" (capacities stay, so does r), and 1,
"only I grew". Prices of the built-in worlds moved with the whole demand to the power 2.3 to 2.7, and a child's own
growth is a noisy measure of the whole: so powers on both sides of it, and 0 in case nobody else grew. Every answer is a
cut or a point of the new data, true wherever it was asked: a bad guess costs a slot, never truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tiertwin.allocate.leaf import Array
from tiertwin.allocate.messages import Slots
from tiertwin.allocate.slots import SlotTable

MOVED = 0.05  # growth of data (as a logarithm) from which new levels alone are too little
MOST_GROWTH = 8.0  # one step is counted as at most this factor either way: beyond it, it says nothing of prices


@dataclass(frozen=True)
class Powers:
    """Powers of the growth τ by which questions move from where a child worked."""

    quota: tuple[float, ...]
    price: tuple[float, ...]


LEAF = Powers(quota=(0.5, 1.0), price=(0.0, 0.75, 1.75, 2.75))  # six, half of the slots; found by trying (ADR 16)
NODE = Powers(quota=(0.5,), price=(0.0, 2.0))  # two solves of 2 ms each a question, where a leaf needs 0.1 ms


def growth(before: Array, now: Array) -> Array:
    """Return τ ``[J]``, by how much the most a subtree could use of each component has grown; 1 where nothing is."""
    known = (before > 0) & (now > 0)
    ratio = np.divide(now, before, out=np.ones_like(before), where=known)
    return np.clip(ratio, 1 / MOST_GROWTH, MOST_GROWTH)


def has_moved(by: Array) -> bool:
    """Say whether any component grew or shrank by more than `MOVED`."""
    return bool(np.abs(np.log(by)).max(initial=0.0) > MOVED)


@dataclass(frozen=True, eq=False)
class Worked:
    """Where a child was put to work by its last commit.

    Parameters
    ----------
    quota, price
        ``[J]`` what it was granted, and its own marginal prices there.
    most
        ``[J]`` the most it could use then.
    powers
        How far its questions move.
    """

    quota: Array
    price: Array
    most: Array
    powers: Powers

    def questions(self, most: Array) -> tuple[Array, Array]:
        """Return quotas ``[n, J]`` and prices ``[m, J]`` to ask oneself now that the most is `most`; none when calm."""
        by = growth(self.most, most)
        if not has_moved(by):
            return np.zeros((0, by.size)), np.zeros((0, by.size))
        quotas = np.stack([self.quota * by**power for power in self.powers.quota])
        return quotas, np.stack([self.price * by**power for power in self.powers.price])


def note_support(cuts: SlotTable, points: SlotTable) -> None:
    """Age the slots that hold up nothing: cuts that are least at no kept point, points that are best at no kept price.

    Between queries nobody else tells a child which of its slots carry weight. O(K² J).
    """
    c, p = cuts.taken, points.taken
    if not (c.size and p.size):
        return
    traded = cuts.slope[c] @ points.slope[p].T
    above = cuts.level[c][:, None] + traded
    below = points.level[p][None, :] - traded
    cuts.note_used(_mask(c[above.argmin(axis=0)]))
    points.note_used(_mask(p[below.argmax(axis=1)]))


def _mask(slots: Slots) -> int:
    return int(np.bitwise_or.reduce(1 << slots, initial=0))
