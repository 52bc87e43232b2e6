"""Checks of radio access: names that must exist, rectangles with an inside, rules that must not contradict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tiertwin.errors import suggest
from tiertwin.model.access import Access, Area, CellKind, Crowd
from tiertwin.model.scenario import Scenario

Path = tuple[str | int, ...]
Problem = tuple[Path, str]

BLOCK_MHZ = 0.18


def access_problems(scenario: Scenario) -> Iterable[Problem]:
    """Yield what is wrong within the section, and with others beside it."""
    access = scenario.access
    if access is None:
        return
    yield from _beside(scenario)
    for name in ("kinds", "areas"):
        yield from _repeated([row.name for row in getattr(access, name)], ("access", name), name)
    for i, kind in enumerate(access.kinds):
        yield from (((*("access", "kinds", i), *path), text) for path, text in _kind(kind))
    for i, area in enumerate(access.areas):
        yield from (((*("access", "areas", i), *path), text) for path, text in _area(area))
    yield from _names(scenario, access)
    low, high = access.secrets.efficiency
    if low > high:
        yield ("access", "secrets", "efficiency"), f"expected least then most, got {low:g} and {high:g}"


def mast_problems(scenario: Scenario, nodes: Sequence[str]) -> Iterable[Problem]:
    """Yield masts at places that are no node of the topology, or of one kind twice."""
    if scenario.access is None:
        return
    seen: set[tuple[str, str]] = set()
    for i, mast in enumerate(scenario.access.masts):
        if mast.at not in nodes:
            text = f"expected a node of the topology, got {mast.at!r}{suggest(mast.at, list(nodes))}"
            yield ("access", "masts", i, "at"), text
        if (mast.at, mast.kind) in seen:
            yield ("access", "masts", i), f"expected one mast of kind {mast.kind!r} at {mast.at!r}, got another"
        seen.add((mast.at, mast.kind))


def _beside(scenario: Scenario) -> Iterable[Problem]:
    if scenario.devices.count is not None:
        text = "expected none beside `access`, whose crowds are the devices, got"
        yield ("devices", "count"), f"{text} {scenario.devices.count}"
    if scenario.devices.placed:
        yield ("devices", "placed"), "expected none beside `access`, whose crowds are the devices"
    if scenario.base_stations is not None:
        text = "expected none beside `access`, whose kinds of cells have their own power, and `air` their sleep"
        yield ("base_stations",), text


def _kind(kind: CellKind) -> Iterable[Problem]:
    if kind.every_way and len(kind.azimuths_deg) != 1:
        yield ("azimuths_deg",), f"expected one azimuth with every_way, got {len(kind.azimuths_deg)}"
    if kind.blocks * BLOCK_MHZ > kind.bandwidth_mhz * (1.0 + 1e-9):
        most = int(kind.bandwidth_mhz / BLOCK_MHZ)
        yield ("blocks",), f"expected at most {most} blocks of 180 kHz in {kind.bandwidth_mhz:g} MHz, got {kind.blocks}"


def _area(area: Area) -> Iterable[Problem]:
    for low, high in (("west", "east"), ("south", "north")):
        if not getattr(area, low) < getattr(area, high):
            text = f"expected more than {low} ({getattr(area, low):g}), got {getattr(area, high):g}"
            yield (high,), text
    for name in ("street_m_s", "train_m_s"):
        slowest, fastest = getattr(area, name)
        if slowest > fastest:
            yield (name,), f"expected slowest then fastest, got {slowest:g} and {fastest:g}"
    if area.walk_m_s[2] > area.walk_m_s[3]:
        text = "expected mean, deviation, slowest, fastest with slowest <= fastest, got"
        yield ("walk_m_s",), f"{text} {area.walk_m_s[2]:g} and {area.walk_m_s[3]:g}"
    for k, (lon, lat) in enumerate(area.track):
        if not (area.west <= lon <= area.east and area.south <= lat <= area.north):
            yield ("track", k), f"expected a place in the area, got ({lon:g}, {lat:g})"
    if len(area.track) == 1:
        yield ("track",), "expected at least two points, got one"


def _names(scenario: Scenario, access: Access) -> Iterable[Problem]:
    kinds = [row.name for row in access.kinds]
    areas = {row.name: row for row in access.areas}
    services = [row.name for row in scenario.classes]
    for i, mast in enumerate(access.masts):
        yield from _known(("access", "masts", i, "kind"), "a kind of cells", mast.kind, kinds)
    for i, crowd in enumerate(access.crowds):
        yield from _known(("access", "crowds", i, "area"), "an area", crowd.area, list(areas))
        yield from _known(("access", "crowds", i, "service"), "a service class", crowd.service, services)
        area = areas.get(crowd.area)
        yield from _trace(("access", "crowds", i), crowd)
        if crowd.moves == "train" and area is not None and not area.track:
            yield ("access", "crowds", i, "moves"), f"expected an area with a track, got {crowd.area!r} without one"
    for i, down in enumerate(access.downlink):
        yield from _known(("access", "downlink", i, "service"), "a service class", down.service, services)
    yield from _repeated([row.service for row in access.downlink], ("access", "downlink"), "downlink", "service")


def _trace(path: Path, crowd: Crowd) -> Iterable[Problem]:
    trace = crowd.trace
    if (crowd.moves == "trace") != (trace is not None):
        text = "required with moves: trace, but missing" if trace is None else "expected only with moves: trace"
        yield (*path, "trace"), text
    if trace is not None and trace.degrees != (trace.lon is None and trace.lat is None):
        text = "expected lon and lat of its (0, 0), as its positions are metres"
        yield (*path, "trace"), "expected no lon and lat, as its positions are degrees" if trace.degrees else text


def _known(path: Path, what: str, name: str, names: Sequence[str]) -> Iterable[Problem]:
    if name not in names:
        yield path, f"expected {what}, got {name!r}{suggest(name, list(names))}"


def _repeated(names: Sequence[str], path: Path, what: str, key: str = "name") -> Iterable[Problem]:
    counts = Counter(names)
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield (*path, i, key), f"expected every name among {what} once, got {name!r} {counts[name]} times"
        seen.add(name)
