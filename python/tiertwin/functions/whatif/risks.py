"""What may fail, and how likely it is by when.

A risk is what fails at one blow: a link, a node, an edge server, links in one duct. Its hazard is a Weibull law's,
H(t) = (t/scale)^shape, from its age on (R. E. Barlow, F. Proschan, Mathematical Theory of Reliability, 1965):

    P(fails in (a, b] | up at a) = 1 − exp(H(age + a) − H(age + b))

Survival over (0, b] is that over (0, a] times that over (a, b]: horizons agree with each other. With repairs, a risk is
down at t with the probability of a two-state chain at the mean hazard λ of (0, t] and the repair rate μ:

    P(down at t) = λ/(λ + μ) · (1 − e^(−(λ + μ)t))
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.model.interventions import FailGroup, FailLink, FailNode, FailSite, Intervention

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.world.world import World

    F64 = NDArray[np.float64]

YEAR_S, HOUR_S = 365.25 * 86_400.0, 3_600.0
CUTS_PER_1000_KM_YEAR = 2.73
"""4.39 a year and 1 000 sheath miles: D. E. Crawford, Fiber optic cable dig-ups, FCC Network Reliability, 1993."""


@dataclass(frozen=True)
class Risk:
    """What fails at one blow.

    Parameters
    ----------
    name
        Unique within a study; it keys the draws.
    interventions
        What the failure does.
    scale_s
        Of the Weibull law, s, above 0; inf: never fails.
    shape
        Above 0; 1 has no memory.
    age_s
        At the beginning, s, at least 0.
    repair_s
        Mean time down, s, above 0; inf: it stays down. After a repair it is as new.
    """

    name: str
    interventions: tuple[Intervention, ...]
    scale_s: float
    shape: float = 1.0
    age_s: float = 0.0
    repair_s: float = math.inf

    def __post_init__(self) -> None:
        problems = []
        if not self.interventions:
            problems.append("interventions: expected at least one")
        if not self.scale_s > 0.0:
            problems.append(f"scale_s: expected more than 0, got {self.scale_s}")
        if not (self.shape > 0.0 and math.isfinite(self.shape)):
            problems.append(f"shape: expected a finite number above 0, got {self.shape}")
        if not (self.age_s >= 0.0 and math.isfinite(self.age_s)):
            problems.append(f"age_s: expected a finite number of at least 0, got {self.age_s}")
        if not self.repair_s > 0.0:
            problems.append(f"repair_s: expected more than 0, got {self.repair_s}")
        if problems:
            raise InputError(problems, f"risk {self.name!r}")

    def hazard(self, from_s: float, to_s: float) -> float:
        """Return H(age + to) − H(age + from)."""
        first, last = ((self.age_s + t) / self.scale_s for t in (from_s, to_s))
        return float(last**self.shape - first**self.shape)

    def within(self, to_s: float, from_s: float = 0.0) -> float:
        """Return P(fails in (from, to] | up at from)."""
        _require_span(from_s, to_s)
        return -math.expm1(-self.hazard(from_s, to_s))

    def down(self, at_s: float) -> float:
        """Return P(down at a time | up at the beginning)."""
        _require_span(0.0, at_s)
        if math.isinf(self.repair_s) or at_s == 0.0:
            return self.within(at_s)
        rate, repair = self.hazard(0.0, at_s) / at_s, 1.0 / self.repair_s
        return rate / (rate + repair) * -math.expm1(-(rate + repair) * at_s)


def _require_span(from_s: float, to_s: float) -> None:
    if not 0.0 <= from_s <= to_s < math.inf:
        raise InputError(f"expected times 0 ≤ from ≤ to < inf, got {from_s} … {to_s} s", "risk")


def require_different(risks: Sequence[Risk]) -> None:
    """Raise InputError where two risks have one name, or there are none."""
    names = [risk.name for risk in risks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not risks:
        text = f"got {', '.join(twice)} more than once" if twice else "got none"
        raise InputError(f"expected at least one risk, each with a name of its own, {text}", "risks")


def link_risks(
    world: World, cuts_per_1000_km_year: float = CUTS_PER_1000_KM_YEAR, repair_s: float = 12.0 * HOUR_S
) -> list[Risk]:
    """Return the risk of each link: cuts in proportion to its length (at least 1 km of it), without memory."""
    found: list[Risk] = []
    for tail, head, km in zip(world.link_tail, world.link_head, world.link_km.tolist(), strict=True):
        a, b = world.node_names[tail], world.node_names[head]
        rate = cuts_per_1000_km_year * max(km, 1.0) / 1000.0 / YEAR_S
        scale = 1.0 / rate if rate > 0.0 else math.inf
        name = FailLink(a, b).text()
        taken = sum(risk.name.split("#")[0] == name for risk in found)
        found.append(Risk(f"{name}#{taken + 1}" if taken else name, (FailLink(a, b),), scale, repair_s=repair_s))
    return found


def node_risks(world: World, mean_s: float = 5.0 * YEAR_S, repair_s: float = 4.0 * HOUR_S) -> list[Risk]:
    """Return the risk of each node: it goes down with its links and servers, once in `mean_s` (an assumption)."""
    return [Risk(f"node {name}", (FailNode(name),), mean_s, repair_s=repair_s) for name in world.node_names]


def site_risks(world: World, mean_s: float = 2.0 * YEAR_S, repair_s: float = 4.0 * HOUR_S) -> list[Risk]:
    """Return the risk of each edge server, once in `mean_s` (an assumption); its links stay up."""
    names = [world.node_names[node] for node in world.site_node]
    return [Risk(f"site {name}", (FailSite(name),), mean_s, repair_s=repair_s) for name in names]


def common_cause(risks: Sequence[Risk], groups: Mapping[str, Sequence[str]], share: float) -> list[Risk]:
    """Return the risks with shared ones split off: `share` of each member's hazard strikes its whole group.

    This is the β-factor model (K. N. Fleming, A reliability model for common mode failures, 1975). A group strikes at
    the members' mean hazard as it is now, without memory, and is repaired as slowly as its slowest member.

    Parameters
    ----------
    groups
        Name → names of link risks that share a duct, a power feed.
    share
        β, in [0, 1).

    Raises
    ------
    InputError, UnknownNameError
        A share out of range, a group of other things than links, a member nobody knows.
    """
    require_different(risks)
    if not 0.0 <= share < 1.0:
        raise InputError(f"share: expected a part of the hazard in [0, 1), got {share}", "common_cause")
    by_name = {risk.name: risk for risk in risks}
    found = dict(by_name)
    shared = []
    for group, members in groups.items():
        links = []
        for name in members:
            if name not in by_name:
                raise UnknownNameError(f"group {group!r}: no risk {name!r}{suggest(name, list(by_name))}")
            links += [(one.a, one.b) for one in by_name[name].interventions if isinstance(one, FailLink)]
        if len(links) != len(members) or not links:
            raise InputError(f"group {group!r}: expected risks of one link each, got {', '.join(members) or 'none'}")
        rate = share * float(np.mean([_rate_now(by_name[name]) for name in members]))
        repair = max(by_name[name].repair_s for name in members)
        if rate > 0.0:
            shared.append(Risk(group, (FailGroup(group, tuple(links)),), 1.0 / rate, repair_s=repair))
        for name in members:
            own = found[name]
            found[name] = replace(own, scale_s=own.scale_s * (1.0 - share) ** (-1.0 / own.shape))
    return [*found.values(), *shared]


def _rate_now(risk: Risk) -> float:
    step = 1e-3 * risk.scale_s
    return risk.hazard(0.0, step) / step if math.isfinite(step) else 0.0
