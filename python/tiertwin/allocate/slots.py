"""A fixed number of slots for cuts or points: which one a new one takes, and what the solver sees.

Rules: an empty slot first; among equal slopes one slot only, with the better level *within a version* (a new version
replaces); else the slot longest without dual weight. Dropping only loosens a bound, so it is always valid. The zero
point is pinned: it makes the lower model feasible for every quota.
"""

from __future__ import annotations

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
        if not (np.isfinite(level) and np.isfinite(slope).all()):
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
        if not (np.isfinite(level) and np.isfinite(slope).all()):
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

    def renew(self, slot: int, level: float, spare: float = 0.0, scale: float = 0.0) -> None:
        """Say a slot anew for new data: its slope stays, and how long it has been idle."""
        idle = self._idle[slot]
        self.put(slot, level, self.slope[slot].copy(), spare, scale)
        self._idle[slot] = idle

    def note_used(self, mask: int) -> None:
        """Age all slots by one query; those in the bit mask carried dual weight and are young again."""
        self._idle += 1
        for slot in range(len(self._idle)):
            if mask >> slot & 1:
                self._idle[slot] = 0

    def clear(self, *, keep_pinned: bool = False) -> None:
        """Forget everything (a hello follows), or everything but the pinned slot."""
        pinned = keep_pinned and self._pinned >= 0 and bool(self.filled[self._pinned])
        self.filled[:] = False
        self._idle[:] = 0
        if pinned:
            self.filled[self._pinned] = True

    def dense(self, values: Array) -> Array:
        """Return `values` with every empty slot repeating the first one in use (solvers see fixed slots)."""
        if self.filled.all():
            return values.copy()
        out = values.copy()
        out[~self.filled] = values[int(np.argmax(self.filled))]
        return out

    def _equal(self, slope: Array) -> int:
        size = np.abs(self.slope).max(axis=1, initial=0.0)
        near = np.abs(self.slope - slope).max(axis=1, initial=0.0) <= EQUAL * np.maximum(
            size, np.abs(slope).max(initial=0.0)
        )
        same = np.flatnonzero(self.filled & near)
        return int(same[0]) if same.size else -1

    def _free(self) -> int:
        empty = np.flatnonzero(~self.filled)
        if empty.size:
            return int(empty[0])
        idle = self._idle.copy()
        if self._pinned >= 0:
            idle[self._pinned] = -1
        return int(np.argmax(idle))  # ties go to the lowest slot
