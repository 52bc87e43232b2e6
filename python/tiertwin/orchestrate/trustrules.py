"""How twins judge what their children tell: plain values, for every process of a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiertwin.model import Scenario


@dataclass(frozen=True)
class TrustRules:
    """See :class:`tiertwin.model.faults.Trust`; plain values, so that they can be sent to another process.

    Parameters
    ----------
    limit, hold_s, warm_s, tolerance, site_tolerance, liars
        Of the section.
    period_s
        Between two reports.
    noise
        Relative error of what is measured.
    method
        See the section.
    """

    limit: float
    hold_s: float
    warm_s: float
    tolerance: float
    site_tolerance: float
    liars: float
    period_s: float
    noise: float
    method: str = "evidence"

    @classmethod
    def of(cls, scenario: Scenario) -> TrustRules | None:
        """Return the scenario's, None where everybody is believed."""
        section = scenario.trust
        if section is None or not section.enabled:
            return None
        return cls(
            limit=section.limit,
            hold_s=section.hold_s,
            warm_s=section.warm_s,
            tolerance=section.tolerance,
            site_tolerance=section.site_tolerance,
            liars=section.liars,
            period_s=scenario.telemetry.period_s,
            noise=scenario.telemetry.noise,
            method=section.method,
        )

    def reports(self, seconds: float) -> int:
        """Return how many reports come in so many seconds, at least one."""
        return max(1, round(seconds / self.period_s))
