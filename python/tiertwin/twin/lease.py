"""A decision is a lease: epoch, basis version, validity. Older ones are refused, lapsed ones no longer obeyed."""

from __future__ import annotations

from dataclasses import dataclass

from tiertwin.twin.ages import UNKNOWN_AGE_MS

SECOND = 1_000_000_000
MARGIN_MS = 1_000


def validity_ms(control_period_s: float) -> int:
    """Validity of a lease: two control periods and one second, so that one lost decision is survived (R17)."""
    return int(2_000 * control_period_s) + MARGIN_MS


@dataclass(frozen=True, slots=True)
class Lease:
    """What a child holds of its parent: valid until `until` (ns on the child's own clock).

    `age_ms` is the age that the oldest input of the decision had when it was sent (R17).
    """

    epoch: int
    term: int
    basis: int
    until: int
    age_ms: int = UNKNOWN_AGE_MS

    def holds(self, now: int) -> bool:
        """Say whether the lease may still be obeyed."""
        return now < self.until

    def is_newer_than(self, other: Lease | None) -> bool:
        """Order by (term, epoch): a term fences, the epoch orders (R18)."""
        return other is None or (self.term, self.epoch) > (other.term, other.epoch)

    def is_older_than(self, other: Lease) -> bool:
        """Say whether `other` fences this one off; of two decisions of one epoch, the later sent replaces the other."""
        return (self.term, self.epoch) < (other.term, other.epoch)


NO_LEASE = Lease(epoch=-1, term=0, basis=0, until=-1)
