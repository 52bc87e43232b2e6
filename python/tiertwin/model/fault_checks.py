"""Checks of faults and assurance: each fault says what it is about, names exist, ranges rise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiertwin.errors import suggest
from tiertwin.model.scenario import Scenario
from tiertwin.model.surrounding_checks import link_problems, unknown_node

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

NEEDS = {"link": "link", "degraded": "link", "group": "group"}
"""The key a kind of fault needs; the others need `node`."""


def fault_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield faults without what they are about, groups nobody knows or named twice, ranges that fall."""
    faults = scenario.faults
    if faults is None:
        return
    groups = [group.name for group in faults.groups]
    for i, name in enumerate(groups):
        if name in groups[:i]:
            yield ("faults", "groups", i, "name"), f"expected every group once, got {name!r} again"
    for i, fault in enumerate(faults.events):
        path: Path = ("faults", "events", i)
        need = NEEDS.get(fault.kind, "node")
        given = [key for key in ("link", "node", "group") if getattr(fault, key) is not None]
        if given != [need]:
            yield (
                path,
                f"expected `{need}` and no other place for a fault of kind {fault.kind!r}, got {given or 'none'}",
            )
        if fault.group is not None and fault.group not in groups:
            text = f"expected a group of faults.groups, got {fault.group!r}{suggest(fault.group, groups)}"
            yield (*path, "group"), text
    if faults.random is None:
        return
    for name in ("capacity", "loss", "speed"):
        low, high = getattr(faults.random, name)
        if low > high:
            yield ("faults", "random", name), f"expected the least first, got {low:g} and {high:g}"
    if faults.random.per_hour.group > 0 and not groups:
        yield ("faults", "random", "per_hour", "group"), "expected groups in faults.groups to draw from, got none"


def assurance_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield an assurance whose gateways would not tell what it watches."""
    if scenario.assurance is None or not scenario.assurance.enabled:
        return
    if scenario.attributes is not None:
        text = (
            "expected no `attributes` beside it: under a budget of bytes gateways do not tell the counters it watches"
        )
        yield ("assurance",), text
    if scenario.assurance.silent_s < 2.0 * scenario.telemetry.period_s:
        least = 2.0 * scenario.telemetry.period_s
        text = f"expected at least two periods of telemetry ({least:g} s), got {scenario.assurance.silent_s:g}"
        yield ("assurance", "silent_s"), text


def liar_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield liars given twice, times that fall, and strengths that mean nothing."""
    faults = scenario.faults
    if faults is None:
        return
    if faults.lying is not None and faults.lying.at_s[0] > faults.lying.at_s[1]:
        low, high = faults.lying.at_s
        yield ("faults", "lying", "at_s"), f"expected the earliest first, got {low:g} and {high:g}"
    seen: set[tuple[str, int | None]] = set()
    for i, liar in enumerate(faults.liars):
        if (liar.node, liar.device) in seen:
            yield ("faults", "liars", i), "expected every child once, got it again"
        seen.add((liar.node, liar.device))
        if liar.kind != "bias" and liar.strength <= 0.0:
            yield ("faults", "liars", i, "strength"), f"expected more than 0 but for a bias, got {liar.strength:g}"


def trust_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield a trust in devices of which nothing is told one by one, and assurance beside domains of others."""
    if scenario.trust is not None and scenario.trust.enabled and scenario.attributes is not None:
        yield (
            ("trust",),
            "expected no `attributes` beside it: under a budget of bytes no report of a device reaches its edge",
        )
    if scenario.privacy is not None and scenario.assurance is not None and scenario.assurance.enabled:
        yield (
            ("assurance",),
            "expected no `privacy` beside it: it watches links and servers, which are not told across borders",
        )


def fault_place_problems(scenario: Scenario, names: Sequence[str], near: dict[str, list[str]]) -> Iterable[Problem]:
    """Yield nodes and links named in faults that are none; `near`: by node, those it has links to."""
    faults = scenario.faults
    if faults is None:
        return
    for i, group in enumerate(faults.groups):
        for k, link in enumerate(group.links):
            yield from link_problems(("faults", "groups", i, "links", k), (0, 1), link, near)
    for i, liar in enumerate(faults.liars):
        if liar.node not in near:
            yield ("faults", "liars", i, "node"), unknown_node(liar.node, names)
    for i, fault in enumerate(faults.events):
        if fault.link is not None:
            yield from link_problems(("faults", "events", i, "link"), (0, 1), fault.link, near)
        if fault.node is not None and fault.node not in near:
            yield ("faults", "events", i, "node"), unknown_node(fault.node, names)
