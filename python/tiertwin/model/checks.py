"""Checks between the parts of a scenario: names that must exist, shares that must add up, sizes that must fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tiertwin.errors import suggest
from tiertwin.model.access_checks import access_problems, mast_problems
from tiertwin.model.attribute_checks import attribute_problems
from tiertwin.model.fault_checks import (
    assurance_problems,
    fault_place_problems,
    fault_problems,
    liar_problems,
    trust_problems,
)
from tiertwin.model.scenario import Scenario
from tiertwin.model.services import MAX_TASKS_PER_S, Trace
from tiertwin.model.surrounding_checks import element_problems, law_problems, map_problems, margin_problems, neighbours
from tiertwin.model.topology import Topology

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

BYTES_PER_DEVICE = 512
"""Estimate: row of the world 32 B, plant state and queued events ~ 200 B, attribute cells ~ 200 B, set-points 80 B."""
MEMORY_BYTES = 2 * 2**30
DEVICES_PER_SITE = 400
SHARE_TOLERANCE = 1e-6


def cross_problems(scenario: Scenario, bad: frozenset[Path] = frozenset()) -> list[Problem]:
    """Return the problems between sections.

    Parameters
    ----------
    bad
        Paths of values that were refused already and hold something harmless in `scenario`: checks that need one of
        them are left out, and nothing is said about them again.
    """
    checks: list[tuple[Callable[[Scenario], Iterable[Problem]], tuple[str, ...]]] = [
        (_source, ("topology.nodes", "topology.topohub", "topology.builtin", "topology.links", "topology.demands")),
        (_class_names, ("classes.*.name",)),
        (_class_shares, ("classes.*.share",)),
        (_arrivals, ("classes.*.arrival", "classes.*.trace.file", "classes.*.trace.times_s.*")),
        (_ring_count, ("radio.ring_rates_mbps", "radio.ring_shares")),
        (_ring_shares, ("radio.ring_shares.*",)),
        (_device_memory, ("devices.count", "devices.placed.*.count", "topology.nodes")),
        (_device_clocks, ("devices.ghz.*",)),
        (_placed_services, ("classes.*.name",)),
        (_placed_rings, ("radio.ring_rates_mbps",)),
        (_dimensioning, ("dimensioning.mean_load", "dimensioning.peak_load")),
        (_telemetry, ("telemetry.delay_ms.*",)),
        (_day, ("day.urban.*", "day.rural.*", "day.background.*")),
        (law_problems, ("failures",)),
        (margin_problems, ("weather",)),
        (fault_problems, ("faults",)),
        (liar_problems, ("faults",)),
        (assurance_problems, ("assurance", "attributes", "telemetry")),
        (trust_problems, ("trust", "attributes", "privacy", "assurance")),
        (attribute_problems, ("attributes",)),
        (access_problems, ("access", "classes.*.name", "devices", "base_stations")),
    ]
    found = [problem for check, needs in checks if not _touched(bad, *needs) for problem in check(scenario)]
    if scenario.topology.inline and scenario.topology.nodes and not _touched(bad, "topology.nodes"):
        found += topology_problems(scenario.topology, bad)
        names = [node.name for node in scenario.topology.nodes]
        found += place_problems(scenario, names, bad)
        if not _touched(bad, "topology.nodes.*.name", "topology.links.*.a", "topology.links.*.b"):
            found += map_problems(scenario, scenario.topology)
            found += named_problems(scenario, scenario.topology)
    return [problem for problem in found if not any(problem[0][: len(path)] == path for path in bad)]


def _touched(bad: frozenset[Path], *needs: str) -> bool:
    """Whether a value at one of the paths (``classes.*.name``), or what holds it, was refused."""
    routes = [need.split(".") for need in needs]
    return any(
        len(path) <= len(route) and all(part in ("*", have) for part, have in zip(route, path, strict=False))
        for path in bad
        for route in routes
    )


def named_problems(scenario: Scenario, topology: Topology) -> list[Problem]:
    """Return links and nodes named in failures, weather and faults that the topology does not have."""
    names, pairs = [node.name for node in topology.nodes], [(link.a, link.b) for link in topology.links]
    found = element_problems(scenario, names, pairs)
    return [*found, *fault_place_problems(scenario, names, neighbours(names, pairs))]


def topology_problems(topology: Topology, bad: frozenset[Path] = frozenset()) -> list[Problem]:
    """Return what is wrong with an inline topology: names, links, connectivity; `bad` as in `cross_problems`."""
    found: list[Problem] = []
    if not _touched(bad, "topology.nodes.*.lon", "topology.nodes.*.lat"):
        for i, node in enumerate(topology.nodes):
            if (node.lon is None) != (node.lat is None):
                text = f"expected both lon and lat or neither for node {node.name!r}"
                found.append((("topology", "nodes", i), text))
    if _touched(bad, "topology.nodes.*.name"):
        return found
    names = [node.name for node in topology.nodes]
    found += _repeated(names, ("topology", "nodes"), "node")
    found += _ends("links", [(row.a, row.b) for row in topology.links], names)
    found += _ends("demands", [(row.a, row.b) for row in topology.demands], names)
    if found or _touched(bad, "topology.links.*.a", "topology.links.*.b"):
        return found
    index = {name: i for i, name in enumerate(names)}
    pairs: dict[tuple[int, int], int] = {}
    for i, link in enumerate(topology.links):
        a, b = sorted((index[link.a], index[link.b]))
        first = pairs.setdefault((a, b), i)
        if first != i:
            text = f"expected one link a pair, but links[{first}] joins {link.a!r} and {link.b!r} too"
            found.append((("topology", "links", i), text))
    return found + _disconnected(names, list(pairs))


def _ends(kind: str, rows: Sequence[tuple[str, str]], names: Sequence[str]) -> list[Problem]:
    """Return the ends of links or demands that are no node, and rows whose two ends are one."""
    known = set(names)
    found: list[Problem] = []
    for i, (a, b) in enumerate(rows):
        for end, name in (("a", a), ("b", b)):
            if name not in known:
                text = f"expected a node of the topology, got {name!r}{suggest(name, names)}"
                found.append((("topology", kind, i, end), text))
        if a == b and a in known:
            found.append((("topology", kind, i), f"expected two different nodes, got {a!r} twice"))
    return found


def place_problems(scenario: Scenario, names: Sequence[str], bad: frozenset[Path] = frozenset()) -> list[Problem]:
    """Return what is wrong with places named in a scenario, given the node names of its topology."""
    found: list[Problem] = [] if _touched(bad, "topology.nodes.*.name") else _unknown_places(scenario, names)
    count, gateways = scenario.fogs.count, scenario.fogs.gateways
    if not _touched(bad, "fogs.count"):
        if count is not None and count > len(names):
            found.append((("fogs", "count"), f"expected at most one fog a node ({len(names)}), got {count}"))
        if gateways and count not in (None, len(gateways)):
            found.append((("fogs", "gateways"), f"expected {count} gateways (fogs.count), got {len(gateways)}"))
    if not _touched(bad, "fogs.gateways.*"):
        found += _repeated(gateways, ("fogs", "gateways"), "gateway")
    if not _touched(bad, "topology.nodes.*.name", "access.masts.*.at", "access.masts.*.kind"):
        found += mast_problems(scenario, names)
    if not _touched(bad, "devices.count", "devices.placed.*.count", "access.crowds.*.count"):
        found += _memory(scenario, len(names))
    return found


def _unknown_places(scenario: Scenario, names: Sequence[str]) -> list[Problem]:
    known = set(names)
    places: list[tuple[Path, str]] = []
    if scenario.cloud.at is not None:
        places.append((("cloud", "at"), scenario.cloud.at))
    places += [(("fogs", "gateways", i), name) for i, name in enumerate(scenario.fogs.gateways)]
    places += [(("devices", "placed", i, "site"), row.site) for i, row in enumerate(scenario.devices.placed)]
    return [
        (path, f"expected a node of the topology, got {name!r}{suggest(name, list(names))}")
        for path, name in places
        if name not in known
    ]


def _memory(scenario: Scenario, sites: int) -> list[Problem]:
    count = DEVICES_PER_SITE * sites if scenario.devices.count is None else scenario.devices.count
    total = count + sum(row.count for row in scenario.devices.placed)
    if scenario.access is not None:
        total = sum(row.count for row in scenario.access.crowds)
    if total == 0:
        return [(("devices", "count"), "expected at least one device, got 0 and none placed")]
    need = total * BYTES_PER_DEVICE
    if need <= MEMORY_BYTES:
        return []
    text = (
        f"{total} devices would need about {need / 2**30:.0f} GiB ({BYTES_PER_DEVICE} B a device in plant, tables and "
        f"set-points), expected at most {MEMORY_BYTES // BYTES_PER_DEVICE} devices ({MEMORY_BYTES / 2**30:.0f} GiB)"
    )
    return [(("devices", "count"), text)]


def _device_memory(scenario: Scenario) -> list[Problem]:
    """Return the memory problem where the number of sites is not known here, for a stated count."""
    if scenario.topology.inline and scenario.topology.nodes:
        return []  # place_problems counts with the sites
    return _memory(scenario, 1)


def _device_clocks(scenario: Scenario) -> Iterable[Problem]:
    low, high = scenario.devices.ghz
    if low > high:
        yield ("devices", "ghz"), f"expected slowest then fastest clock, got {low:g} and {high:g}"


def _source(scenario: Scenario) -> Iterable[Problem]:
    topology = scenario.topology
    given = [name for name in ("nodes", "topohub", "builtin") if getattr(topology, name)]
    if len(given) != 1:
        got = " and ".join(given) if given else "none"
        yield ("topology",), f"expected exactly one of nodes (with links), topohub or builtin, got {got}"
    elif given[0] != "nodes" and (topology.links or topology.demands):
        yield ("topology",), f"expected links and demands only with nodes, got them beside {given[0]}"


def _class_names(scenario: Scenario) -> Iterable[Problem]:
    return _repeated([row.name for row in scenario.classes], ("classes",), "class")


def _class_shares(scenario: Scenario) -> Iterable[Problem]:
    total = sum(row.share for row in scenario.classes)
    if abs(total - 1.0) > SHARE_TOLERANCE:
        yield ("classes",), f"expected shares that add up to 1, got {total:g}"


def _arrivals(scenario: Scenario) -> Iterable[Problem]:
    """Yield what is wrong between `arrival`, `tasks_per_s` and `trace` of each class."""
    for i, row in enumerate(scenario.classes):
        at = ("classes", i)
        if row.arrival != "trace":
            if row.tasks_per_s is None:
                yield (*at, "tasks_per_s"), "required, but missing"
            if row.trace is not None:
                yield (*at, "trace"), f"expected only with arrival: trace, got it with arrival: {row.arrival}"
        elif row.trace is None:
            yield (*at, "trace"), "required with arrival: trace, but missing"
        else:
            if row.tasks_per_s is not None:
                text = f"expected none with arrival: trace, whose mean rate counts, got {row.tasks_per_s:g}"
                yield (*at, "tasks_per_s"), text
            yield from (((*at, "trace", *path), text) for path, text in _trace(row.trace))


def _trace(trace: Trace) -> Iterable[Problem]:
    times, repeat = trace.times_s, trace.repeat_s
    if (trace.file is None) == (not times):
        yield (), f"expected exactly one of file or times_s, got {'both' if times else 'neither'}"
    elif trace.file is not None:
        yield ("file",), "expected its times; a scenario with a file is read by tiertwin.load"
    for k in range(1, len(times)):
        if times[k] < times[k - 1]:
            yield ("times_s", k), f"expected ascending times, got {times[k]:g} after {times[k - 1]:g}"
            return
    if times and repeat is not None and times[-1] > repeat:
        yield ("repeat_s",), f"expected at least the last time of the trace, {times[-1]:g} s, got {repeat:g}"
    elif repeat is not None and len(times) > MAX_TASKS_PER_S * repeat:
        yield ("repeat_s",), f"expected at most {MAX_TASKS_PER_S:g} tasks/s, got {len(times)} in {repeat:g} s"


def _ring_count(scenario: Scenario) -> Iterable[Problem]:
    rates, shares = scenario.radio.ring_rates_mbps, scenario.radio.ring_shares
    if len(rates) != len(shares):
        yield ("radio", "ring_shares"), f"expected {len(rates)} shares (one a ring rate), got {len(shares)}"


def _ring_shares(scenario: Scenario) -> Iterable[Problem]:
    shares = scenario.radio.ring_shares
    if len(shares) == len(scenario.radio.ring_rates_mbps) and abs(sum(shares) - 1.0) > SHARE_TOLERANCE:
        yield ("radio", "ring_shares"), f"expected shares that add up to 1, got {sum(shares):g}"


def _placed_services(scenario: Scenario) -> Iterable[Problem]:
    known = [row.name for row in scenario.classes]
    for i, row in enumerate(scenario.devices.placed):
        if row.service not in known:
            text = f"expected a service class, got {row.service!r}{suggest(row.service, known)}"
            yield ("devices", "placed", i, "service"), text


def _placed_rings(scenario: Scenario) -> Iterable[Problem]:
    rings = len(scenario.radio.ring_rates_mbps)
    for i, row in enumerate(scenario.devices.placed):
        if row.ring is not None and row.ring >= rings:
            yield ("devices", "placed", i, "ring"), f"expected a ring 0 … {rings - 1}, got {row.ring}"


def _dimensioning(scenario: Scenario) -> Iterable[Problem]:
    rule = scenario.dimensioning
    if rule.peak_load < rule.mean_load:
        text = f"expected at least mean_load ({rule.mean_load:g}), got {rule.peak_load:g}"
        yield ("dimensioning", "peak_load"), text


def _telemetry(scenario: Scenario) -> Iterable[Problem]:
    least, most = scenario.telemetry.delay_ms
    if least > most:
        yield ("telemetry", "delay_ms"), f"expected least then most delay, got {least:g} and {most:g}"


def _day(scenario: Scenario) -> Iterable[Problem]:
    for name in ("urban", "rural", "background"):
        if sum(getattr(scenario.day, name)) <= 0:
            yield ("day", name), "expected a shape with something above 0, got only zeros"


def _repeated(names: Sequence[str], path: tuple[str, ...], what: str) -> list[Problem]:
    counts = Counter(names)
    seen: set[str] = set()
    found: list[Problem] = []
    for i, name in enumerate(names):
        if counts[name] > 1 and name in seen:
            found.append(((*path, i), f"expected every {what} once, got {name!r} {counts[name]} times"))
        seen.add(name)
    return found


def _disconnected(names: Sequence[str], pairs: Sequence[tuple[int, int]]) -> list[Problem]:
    near: list[list[int]] = [[] for _ in names]
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    reached = {0}
    queue = [0]
    while queue:
        for other in near[queue.pop()]:
            if other not in reached:
                reached.add(other)
                queue.append(other)
    if len(reached) == len(names):
        return []
    cut = [name for i, name in enumerate(names) if i not in reached]
    shown = ", ".join(repr(name) for name in cut[:5]) + (", …" if len(cut) > 5 else "")
    lost = f"{len(cut)} of {len(names)} nodes cannot be reached from {names[0]!r}"
    text = f"expected a connected network, but {lost}: {shown}"
    return [(("topology", "links"), text)]
