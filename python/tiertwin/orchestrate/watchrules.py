"""How fogs and cloud watch their domains: thresholds and times as plain values, for every process of a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tiertwin.model import Scenario


@dataclass(frozen=True)
class AssuranceRules:
    """How a domain is watched; plain values, so that they can be sent to another process.

    Parameters
    ----------
    window_s, silent_s, hold_s, warm_s, memory_s, incident_s, named
        See :class:`tiertwin.model.faults.Assurance`.
    error_ratio, capacity, response, response_s, late, sigmas, rate, power
        See :class:`tiertwin.model.faults.Thresholds`.
    period_s
        Between two reports.
    groups
        Shared-risk groups: name, undirected links.
    modulated
        Undirected links with adaptive modulation.
    """

    window_s: float
    silent_s: float
    hold_s: float
    warm_s: float
    memory_s: float
    incident_s: float
    named: float
    error_ratio: float
    capacity: float
    response: float
    response_s: float
    late: float
    sigmas: float
    rate: float
    power: float
    period_s: float
    groups: tuple[tuple[str, tuple[int, ...]], ...] = ()
    modulated: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, scenario: Scenario, groups: Mapping[str, Sequence[int]], modulated: Sequence[int]
    ) -> AssuranceRules | None:
        """Return the scenario's, None where nobody watches."""
        section = scenario.assurance
        if section is None or not section.enabled:
            return None
        limits = section.thresholds
        return cls(
            window_s=section.window_s,
            silent_s=section.silent_s,
            hold_s=section.hold_s,
            warm_s=section.warm_s,
            memory_s=section.memory_s,
            incident_s=section.incident_s,
            named=section.named,
            error_ratio=limits.error_ratio,
            capacity=limits.capacity,
            response=limits.response,
            response_s=limits.response_s,
            late=limits.late,
            sigmas=limits.sigmas,
            rate=limits.rate,
            power=limits.power,
            period_s=scenario.telemetry.period_s,
            groups=tuple((name, tuple(links)) for name, links in groups.items()),
            modulated=tuple(int(link) for link in modulated),
        )
