"""A fixed number of slots for cuts or points: which one a new one takes, and what the solver sees.

Rules: an empty slot first; among equal slopes one slot only, with the better level *within a version* (a new version
replaces); else the slot longest without dual weight. Dropping only loosens a bound, so it is always valid. The zero
point is pinned: it makes the lower model feasible for every quota.
"""

from __future__ import annotations

import math

import numpy as np

from tiertwin.allocate.leaf import Array
from tiertwin.allocate.messages import Slots

EQUAL = 1e-9  # relative distance at which two slopes are the same


class SlotTable:
    """K slots of (level, slope, spare, scale): (φ, g, drift, –) of cuts or (v, u, v_low, S) of points.

    Not thread-safe; one owner.

    Parameters
    ----------
    slots
        K, at most 16 so that the used slots of cuts and points travel as one exact number.
    components
        J, length of a slope.
    smaller_is_better
        True for cuts (a smaller φ is tighter), False for points (a larger v is).
    pinned
        A slot that is never dropped, or −1.
    """

    def __init__(self, slots: int, components: int, *, smaller_is_better: bool, pinned: int = -1) -> None:
        if not 2 <= slots <= 16:
            raise ValueError(f"slots: expected 2 to 16, got {slots}")
        self.level = np.zeros(slots)
        self.slope = np.zeros((slots, components))
        self.spare = np.zeros(slots)
        self.scale = np.zeros(slots)
        self.filled = np.zeros(slots, dtype=bool)
        self._idle = np.zeros(slots, dtype=np.int64)
        self._sign = 1.0 if smaller_is_better else -1.0
        self._pinned = pinned

    @property
    def taken(self) -> Slots:
        """Slot numbers in use, ascending."""
        return np.flatnonzero(self.filled).astype(np.int64)

    def place(self, level: float, slope: Array, spare: float = 0.0, scale: float = 0.0) -> tuple[int, bool]:
        """Give a new cut or point of the present version a slot.

        Returns
        -------
        The slot, and whether it was written: not when an equal slope stands there with a level at least as good.
        """
        if not _finite(level, slope):
            return -1, False  # at extreme prices a solver may end nowhere: that is no news
        slot = self._equal(slope)
        if slot < 0:
            slot = self._free()
        elif self._sign * (level - self.level[slot]) >= 0:
            self._idle[slot] = 0
            return slot, False
        self.put(slot, level, slope, spare, scale)
        return slot, True

    def put(self, slot: int, level: float, slope: Array, spare: float = 0.0, scale: float = 0.0) -> None:
        """Write a slot, whatever it held; what is not finite empties it (a pinned slot keeps what it had)."""
        if not _finite(level, slope):
            self.filled[slot] = self.filled[slot] and slot == self._pinned
            return
        self.level[slot], self.slope[slot], self.spare[slot], self.scale[slot] = level, slope, spare, scale
        self.filled[slot] = True
        self._idle[slot] = 0

    def put_all(self, slots: Slots, level: Array, slope: Array, spare: Array, scale: Array | None = None) -> None:
        """Write several distinct slots, each as `put` would: ``[n]``, ``[n, J]``, ``[n]``, ``[n]``."""
        good = np.isfinite(level) & np.isfinite(slope).all(axis=1)
        if not good.all():
            bad = slots[~good]
            self.filled[bad] &= bad == self._pinned
            slots, level, slope, spare = slots[good], level[good], slope[good], spare[good]
            scale = None if scale is None else scale[good]
        self.level[slots], self.slope[slots], self.spare[slots] = level, slope, spare
        self.scale[slots] = 0.0 if scale is None else scale
        self.filled[slots] = True
        self._idle[slots] = 0

    def renew(self, slots: Slots, level: Array, spare: Array, scale: Array | None = None) -> None:
        """Say slots anew for new data: their slopes stay, and how long they have been idle."""
        idle = self._idle.copy()
        self.put_all(slots, level, self.slope[slots], spare, scale)
        self._idle[slots] = idle[slots]

    def refill(self, level: Array, slope: Array, spare: Array, scale: Array) -> Slots:
        """Put these in place of all but the pinned slot: in their order, one of equal slopes, while there is room.

        Returns
        -------
        The slot of each row, −1 where it was not taken.
        """
        pinned = self._pinned >= 0 and bool(self.filled[self._pinned])
        self.clear()
        if pinned:
            self.filled[self._pinned] = True
        known = np.concatenate([self.slope[self.filled], slope])
        size = np.abs(known).max(axis=1, initial=0.0)
        apart = np.abs(known[:, None] - known).max(axis=2, initial=0.0)
        equal = np.tril(apart <= EQUAL * np.maximum(size[:, None], size), k=-1).any(axis=1)[int(pinned) :]
        wanted = np.flatnonzero(~equal & np.isfinite(level) & np.isfinite(slope).all(axis=1))
        free = np.flatnonzero(~self.filled)
        taken = min(len(wanted), len(free))
        wanted, free = wanted[:taken], free[:taken]
        self.put_all(free, level[wanted], slope[wanted], spare[wanted], scale[wanted])
        slots = np.full(len(level), -1, dtype=np.int64)
        slots[wanted] = free
        return slots

    def note_used(self, mask: int) -> None:
        """Age all slots by one query; those in the bit mask carried dual weight and are young again."""
        self._idle += 1
        for slot in range(len(self._idle)):
            if mask >> slot & 1:
                self._idle[slot] = 0

    def clear(self) -> None:
        """Forget everything (a hello follows)."""
        self.filled[:] = False
        self._idle[:] = 0

    def dense(self, values: Array) -> Array:
        """Return `values` with every empty slot repeating the first one in use (solvers see fixed slots)."""
        if self.filled.all():
            return values.copy()
        out = values.copy()
        out[~self.filled] = values[int(np.argmax(self.filled))]
        return out

    def _equal(self, slope: Array) -> int:
        size = np.abs(self.slope).max(axis=1, initial=0.0)
        apart = np.abs(self.slope - slope).max(axis=1, initial=0.0)
        same = self.filled & (apart <= EQUAL * np.maximum(size, max(map(abs, slope.tolist()), default=0.0)))
        first = int(same.argmax())
        return first if same[first] else -1

    def _free(self) -> int:
        empty = np.flatnonzero(~self.filled)
        if empty.size:
            return int(empty[0])
        idle = self._idle.copy()
        if self._pinned >= 0:
            idle[self._pinned] = -1
        return int(np.argmax(idle))  # ties go to the lowest slot


def _finite(level: float, slope: Array) -> bool:
    """A handful of numbers: plain Python is several times faster than an array operation."""
    return math.isfinite(level) and all(map(math.isfinite, slope.tolist()))
