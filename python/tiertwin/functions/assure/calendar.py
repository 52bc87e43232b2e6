"""What kind of slot a slot is: hour of the day, day of the week, working day or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    I64 = NDArray[np.int64]

DAYS = 7


@dataclass(frozen=True)
class Calendar:
    """Slots of a day, and where slot 0 stands in the week.

    Parameters
    ----------
    per_day
        Slots a day, at least 2 (24: hours).
    first_day
        Day of the week on which slot 0 begins, 0 Monday … 6 Sunday. Slot 0 is the first of its day.
    kinds
        Kind of each day of the week, Monday first: days of one kind have profiles that resemble each other more.
    """

    per_day: int = 24
    first_day: int = 0
    kinds: tuple[int, ...] = (0, 0, 0, 0, 0, 1, 2)

    def __post_init__(self) -> None:
        problems = []
        if self.per_day < 2:
            problems.append(f"per_day: expected at least 2 slots, got {self.per_day}")
        if not 0 <= self.first_day < DAYS:
            problems.append(f"first_day: expected 0 (Monday) … 6 (Sunday), got {self.first_day}")
        if len(self.kinds) != DAYS:
            problems.append(f"kinds: expected 7, one a day of the week from Monday on, got {len(self.kinds)}")
        if problems:
            raise InputError(problems, "Calendar")

    @property
    def per_week(self) -> int:
        """Slots a week."""
        return DAYS * self.per_day

    def slot_of_day(self, slots: ArrayLike) -> I64:
        """Return 0 … per_day − 1."""
        return np.asarray(slots, dtype=np.int64) % self.per_day

    def slot_of_week(self, slots: ArrayLike) -> I64:
        """Return 0 … per_week − 1; 0 is the first of Monday."""
        result: I64 = (np.asarray(slots, dtype=np.int64) + self.first_day * self.per_day) % self.per_week
        return result

    def kind(self, slots: ArrayLike) -> I64:
        """Return the kind of the day in which each slot lies."""
        return np.array(self.kinds, dtype=np.int64)[self.slot_of_week(slots) // self.per_day]
