"""Checks of failures, weather and base stations: names that must exist, laws that must say something."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tiertwin.errors import suggest
from tiertwin.model.scenario import Scenario
from tiertwin.model.surroundings import FailureLaw
from tiertwin.model.topology import Topology

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

_KINDS = ("links", "sites", "fogs", "cloud")
_MOST_ERRORS = 500.0  # mean of a count of errors: beyond it the core has no number for exp(-mean)


def law_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield laws that say nothing, or more than can be: no process, a maximum below idle, uncountable errors."""
    if scenario.failures is None:
        return
    for path, law in _laws(scenario):
        if law.weibull is None and law.degradation is None:
            yield path, "expected `weibull`, `degradation` or both, got neither; leave the law out where nothing fails"
        if law.heat.max_w < law.heat.idle_w:
            yield (*path, "heat", "max_w"), f"expected at least idle_w ({law.heat.idle_w:g}), got {law.heat.max_w:g}"
        limit = min(law.degradation.limit if law.degradation is not None else 0.0, 700.0)
        errors = law.signals.errors_per_s * scenario.failures.period_s * 2.718281828459045**limit
        if errors > _MOST_ERRORS:
            text = f"expected at most {_MOST_ERRORS:g} errors a measurement at the limit (errors_per_s · period_s ·"
            yield (*path, "signals", "errors_per_s"), f"{text} exp(limit)), got {errors:g}"
    for i, row in enumerate(scenario.failures.own):
        if (row.link is None) == (row.site is None):
            got = "neither" if row.link is None else "both"
            yield ("failures", "own", i), f"expected either `link` or `site`, got {got}"


def margin_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield microwave links that clear sky could not bring back to their densest step."""
    if scenario.weather is None:
        return
    least = scenario.weather.hysteresis_db
    for i, hop in enumerate(scenario.weather.microwave):
        if hop.margin_db < least:
            text = f"expected at least weather.hysteresis_db ({least:g}), so that clear sky brings the link back, got"
            yield ("weather", "microwave", i, "margin_db"), f"{text} {hop.margin_db:g}"


def _laws(scenario: Scenario) -> Iterable[tuple[Path, FailureLaw]]:
    assert scenario.failures is not None
    for kind in _KINDS:
        law = getattr(scenario.failures, kind)
        if law is not None:
            yield ("failures", kind), law
    for i, row in enumerate(scenario.failures.own):
        yield ("failures", "own", i, "law"), row.law


def map_problems(scenario: Scenario, topology: Topology) -> Iterable[Problem]:
    """Yield the nodes of the topology that rain and people could not find."""
    weather = scenario.weather
    lost = [node.name for node in topology.nodes if node.lon is None or node.lat is None]
    more = f" ({len(lost)} nodes)" if len(lost) > 1 else ""
    if lost and weather is not None and (weather.rain or weather.cells):
        text = f"expected lon and lat for every node, so that rain finds it, but {lost[0]!r} has none"
        yield ("weather",), text + more
    if lost and scenario.access is not None:
        text = f"expected lon and lat for every node, so that its cells stand somewhere, but {lost[0]!r} has none"
        yield ("access",), text + more


def element_problems(scenario: Scenario, names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[Problem]:
    """Return links and sites named in failures and weather that are none, or named twice.

    Parameters
    ----------
    names, pairs
        Nodes of the topology, and the nodes its links join.
    """
    near = neighbours(names, pairs)
    found: list[Problem] = []
    seen: set[tuple[str, frozenset[str]]] = set()

    def once(path: Path, kind: str, who: Sequence[str]) -> None:
        key = (kind, frozenset(who))
        if key in seen:
            found.append((path, f"expected every {kind} once, got {' – '.join(map(repr, who))} again"))
        seen.add(key)

    for i, row in enumerate(scenario.failures.own if scenario.failures is not None else ()):
        path: Path = ("failures", "own", i)
        if row.link is not None:
            found += link_problems((*path, "link"), (0, 1), row.link, near)
            once((*path, "link"), "link with a law of its own", row.link)
        if row.site is not None:
            if row.site not in near:
                found.append(((*path, "site"), unknown_node(row.site, names)))
            once((*path, "site"), "site with a law of its own", (row.site,))
    for i, hop in enumerate(scenario.weather.microwave if scenario.weather is not None else ()):
        found += link_problems(("weather", "microwave", i), ("a", "b"), (hop.a, hop.b), near)
        once(("weather", "microwave", i), "microwave link", (hop.a, hop.b))
    return found


def neighbours(names: Sequence[str], pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return, by node, those it has links to."""
    near: dict[str, list[str]] = {name: [] for name in names}
    for a, b in pairs:
        near.get(a, []).append(b)
        near.get(b, []).append(a)
    return near


def unknown_node(name: str, names: Sequence[str]) -> str:
    """Return what is wrong with a name that is no node."""
    return f"expected a node of the topology, got {name!r}{suggest(name, list(names))}"


def link_problems(
    path: Path, ends: tuple[str | int, str | int], link: Sequence[str], near: dict[str, list[str]]
) -> Iterable[Problem]:
    """Yield what is wrong with a pair of names that is no link; `near`: by node, those it has links to."""
    unknown = [(end, name) for end, name in zip(ends, link, strict=True) if name not in near]
    for end, name in unknown:
        yield (*path, end), unknown_node(name, list(near))
    a, b = link
    if not unknown and b not in near[a]:
        yield path, f"expected a link of the topology, got {a!r} – {b!r}; {a!r} has links{suggest(b, near[a])}"
