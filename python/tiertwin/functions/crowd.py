"""How many users a group of a site has, and how fast they are: what changes where people move.

Base stations report both each period. Between two reports a group keeps what it was last told to have. Someone may come
to a group that is empty now: it counts as `EMPTY` users, so that a plan says what is to be done with their tasks.

    users    u_g <- u_g + γ (reported − u_g), at least `EMPTY`; γ = 1/n at the n-th report, at least 0.1. Who is there
             now has moved on before a plan made for them is in force for long; a plan for the number lately usual is
             wrong less often
    rate     1/r_g <- 1/r_g + γ (1/measured − 1/r_g)      of the cell, while one user of the group holds it; γ = 0.3
    even     e = Σ mean / Σ peak      of the shares of blocks that the site's cells use, mean and busiest; forgetting by
             0.9. A site is full when its busiest cell is, so of C cells it has C·e while users stand as they do
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    F64 = npt.NDArray[np.float64]

EMPTY = 0.02  # users
USERS_GAIN = 0.1  # of a report, when there have been many
RATE_GAIN = 0.3
LOADS_KEPT = 0.9  # of what is known of the cells' loads, a report
FIRST_LOAD = 0.1  # of all cells alike, as if it had been seen before the first report
WITHIN = 4.0  # a measured rate is believed up to this factor away from the planned one of its ring


class Crowd:
    """Follows users and radio rates of one site's groups.

    Parameters
    ----------
    users
        Planned users of each group, [G].
    ring_mbps
        Planned rate of each group's ring, Mb/s, [G].
    """

    def __init__(self, users: F64, ring_mbps: F64) -> None:
        self.users: F64 = np.maximum(np.asarray(users, dtype=np.float64), EMPTY)
        self._reports = np.zeros(len(self.users), dtype=np.int64)
        self.radio_mbps: F64 = np.array(ring_mbps, dtype=np.float64)
        self._ring = self.radio_mbps.copy()
        self._mean_load = self._peak_load = FIRST_LOAD

    @property
    def evenness(self) -> float:
        """Mean load of the site's cells over that of its busiest, (0, 1]."""
        return min(self._mean_load / self._peak_load, 1.0)

    def infer(self, users: F64, where: npt.NDArray[np.bool_]) -> None:
        """Take users [G] that were worked out from their tasks, `where` they were not reported."""
        self.users = np.where(where, np.maximum(users, EMPTY), self.users)

    @property
    def peak_load(self) -> float:
        """Share of blocks that the busiest cell uses, lately, (0, 1]."""
        return self._share(self._peak_load)

    @property
    def mean_load(self) -> float:
        """Share of blocks that all cells together use, lately, (0, 1]."""
        return self._share(self._mean_load)

    @staticmethod
    def _share(kept: float) -> float:
        return min(max(kept * (1.0 - LOADS_KEPT), 1e-3), 1.0)

    def weigh(self, mean: float, peak: float) -> None:
        """Take the share of blocks used by all cells together and by the busiest; what is no number is not taken."""
        if not (0.0 <= mean <= peak < np.inf):
            return
        self._mean_load = LOADS_KEPT * self._mean_load + mean
        self._peak_load = LOADS_KEPT * self._peak_load + peak

    def set_rates(self, radio_mbps: F64) -> None:
        """Take radio rates [G] that were smoothed already; NaN: as before."""
        self.radio_mbps = np.where(np.isfinite(radio_mbps) & (radio_mbps > 0.0), radio_mbps, self.radio_mbps)

    def set_loads(self, mean: float, peak: float) -> None:
        """Take loads that were smoothed already, in the place of all that was known."""
        if 0.0 <= mean <= peak < np.inf and peak > 0.0:
            kept = 1.0 / (1.0 - LOADS_KEPT)
            self._mean_load, self._peak_load = kept * mean, kept * peak

    def update(self, users: F64, radio_mbps: F64, heard: npt.NDArray[np.bool_]) -> None:
        """Take what was reported, [G]; groups that were not `heard` keep what they had, NaN is nothing reported."""
        known = heard & np.isfinite(users)
        self._reports[known] += 1
        before, gain = self.users[known], np.maximum(USERS_GAIN, 1.0 / self._reports[known])
        self.users[known] = np.maximum(before + gain * (users[known] - before), EMPTY)
        rated = heard & np.isfinite(radio_mbps)
        measured = np.clip(radio_mbps[rated], self._ring[rated] / WITHIN, self._ring[rated] * WITHIN)
        slowness = 1.0 / self.radio_mbps[rated]
        self.radio_mbps[rated] = 1.0 / (slowness + RATE_GAIN * (1.0 / measured - slowness))
