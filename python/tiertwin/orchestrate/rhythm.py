"""When a tier decides and how long it waits: numbers every controller shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tiertwin.twin.ages import input_age_ms
from tiertwin.twin.lease import validity_ms

if TYPE_CHECKING:
    from tiertwin.twin.twin import Twin

MILLISECOND = 1_000_000
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Rhythm:
    """Control rhythm of a tree.

    Parameters
    ----------
    control_every
        Base epochs between decisions, by tier number (1 edge, 2 fog, 3 cloud).
    base_epoch_s
        Length of a base epoch, s.
    target_gap
        Certified gap at which the root stops asking in its first decision, in units of S.
    warm_target_gap
        The same in later decisions, where the refresh alone mostly suffices.
    max_rounds_cold, max_rounds_warm
        Rounds at most in the first decision and in later ones; the unsolicited first push counts.
    gather_ms
        How long a parent waits for all children before it goes on with the last they said (timeout ``gather``).
    budget_ms
        How long after an epoch began a child waits for its budget before it decides alone (timeout ``budget``).
    sample_s
        Time over which a device's report counts, s: its middle lies half of this before the report.
    lead_ms
        What passes from an epoch's beginning until set-points are in force, about.
    align
        Predict demand over the time from measuring it to the middle of the decision's; else take it as measured.
    """

    control_every: Mapping[int, int] = field(default_factory=lambda: {1: 1, 2: 1, 3: 1})
    base_epoch_s: float = 1.0
    target_gap: float = 1e-3
    warm_target_gap: float = 3e-3
    max_rounds_cold: int = 6
    max_rounds_warm: int = 3
    gather_ms: int = 250
    budget_ms: int = 700
    sample_s: float = 1.0
    lead_ms: int = 50
    align: bool = True

    def decides(self, tier: int, epoch: int) -> bool:
        """Say whether `tier` decides in `epoch` (divisible by its ``control_every``)."""
        return epoch % self.control_every.get(tier, 1) == 0

    def period_s(self, tier: int) -> float:
        """Control period of a tier, s."""
        return self.control_every.get(tier, 1) * self.base_epoch_s

    def ahead(self, tier: int, sampled_ns: float, now: int) -> float:
        """Return how many periods of `tier` lie between what was sampled and the middle of what is decided now.

        Parameters
        ----------
        sampled_ns
            Mean time of the reports, on the twin's clock.
        now
            Beginning of the epoch, on the twin's clock.
        """
        period = self.period_s(tier)
        past = (now - sampled_ns) / SECOND + self.sample_s / 2
        return float((past + self.lead_ms / 1e3 + period / 2) / period)

    def start_of(self, epoch: int) -> int:
        """Return the plant's time at which base epoch `epoch` begins, ns."""
        return int(epoch * self.base_epoch_s * SECOND)

    def lease_terms(
        self, twin: Twin, basis: int, epoch: int, now: int, step: int = 0
    ) -> tuple[int, int, int, int, int]:
        """Terms of what `twin` decides now (R17): epoch, basis, validity ms, age of the oldest input ms, step."""
        return epoch, basis, validity_ms(self.period_s(twin.tier)), input_age_ms(twin, now), step
