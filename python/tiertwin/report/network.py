"""The two pictures of the network: its map (links by utilisation, sites by load) and the tree of its twins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from tiertwin.report.figures import Figures
from tiertwin.report.markup import Markup, data, number, tag

STEPS = (20, 40, 60, 80, 95)  # percent: limits between the colours of utilisation
_MAP_WIDTH, _MARGIN, _SIDE = 640.0, 30.0, 62.0
_LABELS, _NODES_OF_TREE, _UNNAMED = 90, 1_200, 12


def step(percent: float) -> int:
    """Return the colour number of a utilisation, 0 (idle) to 5 (full)."""
    return sum(percent >= limit for limit in STEPS)


def legend() -> Markup:
    """Return the colours of utilisation with their limits."""
    limits = [f"< {STEPS[0]} %", *(f"{a}–{b} %" for a, b in pairwise(STEPS)), f"≥ {STEPS[-1]} %"]
    return tag(
        "div",
        *(tag("span", tag("i", class_=f"u{index}"), text) for index, text in enumerate(limits)),
        class_="legend",
    )


# -- map -------------------------------------------------------------------------------------------------------------


def network_map(figures: Figures) -> Markup:
    """Return the map with its legend, and the slider's data where the run holds loads."""
    nodes = figures.run.world("nodes")
    if not nodes or any(node.get("lon") is None or node.get("lat") is None for node in nodes):
        return tag("p", "No map: the scenario of this run gives no coordinates.", class_="absent")
    places, width, height = _project(nodes)
    links, sites = figures.link_frames, figures.site_frames
    used = links.values.get(figures.first)
    load = sites.values.get(figures.first)
    when = figures.busiest
    lines = _links(figures, places, used[when] if used else None)
    circles = _sites(figures, places, load[when] if load else None)
    labels, named = _labels(nodes, places, width, height)
    svg = tag(
        "svg",
        tag("g", *lines),
        tag("g", *circles),
        tag("g", *labels, class_="labels"),
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_label=f"Map of {len(nodes)} nodes and {len(figures.run.world('links'))} links",
        class_="map",
        id="map",
    )
    return tag(
        "div", svg, tag("div", *_beside(figures, bool(used), bool(load), named), class_="beside"), class_="mapbox"
    )


def _beside(figures: Figures, has_links: bool, has_sites: bool, named: set[int]) -> list[Markup | None]:
    parts: list[Markup | None] = []
    if has_links or has_sites:
        parts.append(_controls(figures))
    if has_links:
        parts += [tag("h3", "Utilisation of links, busier direction"), legend()]
    parts += [tag("h3", "Nodes"), _node_legend(has_sites), _unnamed(figures.run.world("nodes"), named)]
    drawn, count = len(figures.drawn_links), len(figures.run.world("links"))
    if drawn < count:
        parts.append(tag("p", f"{drawn} of {count} links are drawn: the fullest ones.", class_="absent"))
    parts += [tag("p", f"Not in this run: {what}.", class_="absent") for what in figures.missing]
    return parts


def _controls(figures: Figures) -> Markup:
    last = len(figures.epochs) - 1
    policies = list(figures.link_frames.values or figures.site_frames.values)
    options = [tag("option", policy, value=policy) for policy in policies]
    held = {
        "epochs": figures.epochs,
        "links": figures.link_frames.values,
        "drawn": figures.drawn_links,
        "sites": figures.site_frames.values,
        "steps": STEPS,
    }
    slider = tag("input", type="range", min=0, max=last, value=figures.busiest, id="when", aria_label="Epoch")
    return tag(
        "div",
        tag("label", "Policy ", tag("select", *options, id="whose")),
        tag("label", tag("span", "Epoch ", tag("output", figures.epochs[figures.busiest], id="epoch")), slider),
        tag("p", "It opens at the epoch with the highest offered load.", class_="hint"),
        data("frames", held),
        class_="controls",
    )


def _node_legend(has_sites: bool) -> Markup:
    size = "area: offered load" if has_sites else "size: all alike, the load of sites is not in this run"
    marks = (
        ("site urban", f"high demand density ({size})"),
        ("site rural", "low demand density"),
        ("ring fog", "fog stands here"),
        ("ring cloud", "cloud stands here"),
    )
    spans = []
    for kind, text in marks:
        mark = tag("circle", cx=9, cy=9, r=7 if kind.startswith("ring") else 5, class_=kind)
        spans.append(tag("span", tag("svg", mark, viewBox="0 0 18 18", class_="mark", aria_hidden="true"), text))
    return tag("div", *spans, class_="legend column")


def _unnamed(nodes: Sequence[Mapping[str, Any]], named: set[int]) -> Markup | None:
    """Say which seats of cloud and fogs have no name on the map: there is no room beside them."""
    seats = [
        node["name"] + (f" (fog-{node['fog']})" if isinstance(node.get("fog"), int) else "")
        for at, node in enumerate(nodes)
        if node.get("role") in {"cloud", "fog"} and at not in named
    ]
    if not seats:
        return None
    shown = ", ".join(seats[:_UNNAMED]) + (f" and {len(seats) - _UNNAMED} more" if len(seats) > _UNNAMED else "")
    return tag("p", f"Ringed without a name, for want of room: {shown}.", class_="hint")


def _project(nodes: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[float, float]], float, float]:
    """Places in the view box: longitudes shrunk by the cosine of the middle latitude, so that shapes look right."""
    lons, lats = [node["lon"] for node in nodes], [node["lat"] for node in nodes]
    shrink = math.cos(math.radians((min(lats) + max(lats)) / 2))
    wide = max((max(lons) - min(lons)) * shrink, 1e-9)
    tall = max(max(lats) - min(lats), 1e-9)
    scale = min((_MAP_WIDTH - 2 * _SIDE) / wide, 1.1 * _MAP_WIDTH / tall)
    places = [
        (_SIDE + (lon - min(lons)) * shrink * scale, _MARGIN + (max(lats) - lat) * scale)
        for lon, lat in zip(lons, lats, strict=True)
    ]
    return places, wide * scale + 2 * _SIDE, tall * scale + 2 * _MARGIN


def _links(figures: Figures, places: list[tuple[float, float]], used: list[int] | None) -> list[Markup]:
    index = {node["name"]: place for node, place in zip(figures.run.world("nodes"), places, strict=True)}
    links = figures.run.world("links")
    lines = []
    for at in figures.drawn_links:
        link = links[at]
        (x1, y1), (x2, y2) = index[link["a"]], index[link["b"]]
        text = f"{link['a']} – {link['b']}: {_capacity(link.get('capacity_mbps'))}, {_km(link.get('km'))}"
        text += f", owner {link['owner']}" if link.get("owner") else ""
        kind = f"link u{step(used[at])}" if used else "link"
        title = tag("title", text + (f", {used[at]} % used" if used else ""), data_t=text)
        lines.append(tag("line", title, x1=number(x1), y1=number(y1), x2=number(x2), y2=number(y2), class_=kind))
    return lines


def _sites(figures: Figures, places: list[tuple[float, float]], load: list[int] | None) -> list[Markup]:
    made = []
    for at, (node, (x, y)) in enumerate(zip(figures.run.world("nodes"), places, strict=True)):
        radius = 2.5 + 9.5 * math.sqrt(load[at] / 100.0) if load else 6.0
        kind, density = ("urban", "high") if node.get("urban") else ("rural", "low")
        role = node.get("role", "")
        text = f"{node['name']}: {density} demand density" + (
            f", {role} stands here" if role in {"fog", "cloud"} else ""
        )
        text += f", fog domain {node['fog']}" if isinstance(node.get("fog"), int) else ""
        centre = {"cx": number(x), "cy": number(y)}
        if role in {"fog", "cloud"}:
            made.append(tag("circle", **centre, r=16, class_=f"ring {role}"))
        made.append(tag("circle", tag("title", text), **centre, r=number(radius), class_=f"site {kind}", data_s=at))
    return made


def _labels(
    nodes: Sequence[Mapping[str, Any]], places: list[tuple[float, float]], width: float, height: float
) -> tuple[list[Markup], set[int]]:
    """Names where they overlap neither a site nor another name, and the nodes that got one.

    The seats of cloud and fogs come first, then the order of nodes.
    """
    rank = {"cloud": 0, "fog": 1}
    order = sorted(range(len(nodes)), key=lambda at: (rank.get(nodes[at].get("role", ""), 2), at))
    sizes = [17 if node.get("role") in rank else 10 for node in nodes]
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(places, sizes, strict=True)]
    made, named = [], set()
    for at in order[:_LABELS] if len(nodes) > _LABELS else order:
        big = nodes[at].get("role") in rank
        if len(nodes) > _LABELS and not big:
            continue
        x, y = places[at]
        wide, tall, off = (9.4 if big else 6.7) * len(nodes[at]["name"]), (14.0 if big else 11.0), (23 if big else 12)
        boxes = (
            ("start", x + off, y, (x + off, y - tall / 2, x + off + wide, y + tall / 2)),
            ("end", x - off, y, (x - off - wide, y - tall / 2, x - off, y + tall / 2)),
            ("middle", x, y - off - 2, (x - wide / 2, y - off - tall, x + wide / 2, y - off + 2)),
            ("middle", x, y + off + 4, (x - wide / 2, y + off - 4, x + wide / 2, y + off + tall)),
        )
        for anchor, at_x, at_y, box in boxes:
            # on a phone the large names are half as large again: they must fit then, too
            spare = wide / 2 if big else 0.0
            over_left = box[0] - (0.0 if anchor == "start" else spare) < 0
            over_right = box[2] + (0.0 if anchor == "end" else spare) > width
            inside = not over_left and not over_right and box[1] >= 0 and box[3] <= height
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                named.add(at)
                name = nodes[at]["name"]
                made.append(
                    tag(
                        "text",
                        name,
                        x=number(at_x),
                        y=number(at_y),
                        text_anchor=anchor,
                        class_="big" if big else "small",
                    )
                )
                break
    return made, named


def _overlap(one: tuple[float, ...], two: tuple[float, ...]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _capacity(mbps: float | None) -> str:
    if mbps is None:
        return "capacity unknown"
    return f"{mbps / 1000:.3g} Gb/s" if mbps >= 1000 else f"{mbps:.3g} Mb/s"


def _km(km: float | None) -> str:
    return "length unknown" if km is None else f"{km:.0f} km"


# -- tree ------------------------------------------------------------------------------------------------------------

_RADII = {"cloud": 0.0, "fog": 118.0, "edge": 216.0, "device": 252.0}
_SIZES = {"cloud": 25.0, "fog": 17.0, "edge": 7.0, "device": 3.0}


def tree(figures: Figures) -> Markup:
    """Return the tree of twins as rings: cloud in the middle, fogs, edges, and the devices' twins outside."""
    twins = figures.run.world("twins")
    if not twins:
        return tag("p", "No tree: the scenario of this run lists no twins.", class_="absent")
    count = len(twins)
    if count > _NODES_OF_TREE:  # the outermost tier would be a grey band
        twins = [twin for twin in twins if twin["tier"] in {"cloud", "fog"}]
    used = figures.twin_utilisation()
    spots = _spots(twins)
    lines, marks, texts = [], [], []
    sites = sum(twin["tier"] == "edge" for twin in twins)
    for twin in twins:
        x, y, angle = spots[twin["name"]]
        if twin["parent"] in spots:
            lines.append(_branch(spots[twin["parent"]], (x, y, angle)))
        share = used.get(twin["name"])
        says = "" if share is None else f", {100 * share:.0f} % of its compute used"
        kind = f"t-{twin['tier']} " + (f"u{step(100 * share)}" if share is not None else "none")
        size = number(_SIZES.get(twin["tier"], 5.0))
        marks.append(tag("circle", tag("title", twin["name"] + says), cx=number(x), cy=number(y), r=size, class_=kind))
        if twin["tier"] in {"cloud", "fog"}:
            texts.append(tag("text", twin["name"], x=number(x), y=number(y + 4), text_anchor="middle", class_="inner"))
        elif twin["tier"] == "edge" and sites <= _LABELS:
            texts.append(_outward(twin["name"].removeprefix("edge-"), angle))
    svg = tag(
        "svg",
        tag("g", *lines, class_="branches"),
        tag("g", *marks),
        tag("g", *texts),
        viewBox="-350 -350 700 700",
        role="img",
        aria_label=f"Tree of {count} twins",
        class_="tree",
    )
    tiers = [f"{sum(twin['tier'] == tier for twin in figures.run.world('twins'))} {tier}" for tier in _RADII]
    note = "" if len(twins) == count else " Edges and devices are left out of the picture."
    colours = legend() if used else tag("p", "Utilisation of twins is not in this run.", class_="absent")
    said = f"{count} twins: {', '.join(tiers)}. Summaries travel inwards, leased budgets outwards.{note}"
    return tag("div", svg, tag("p", said, class_="hint"), colours, class_="treebox")


def _spots(twins: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float, float]]:
    """Place (x, y, angle) of each twin: leaves spread evenly around, a parent in the middle of its children."""
    children: dict[str | None, list[str]] = {}
    names = {twin["name"] for twin in twins}
    tier = {twin["name"]: twin["tier"] for twin in twins}
    for twin in twins:
        parent = twin["parent"] if twin["parent"] in names else None
        children.setdefault(parent, []).append(twin["name"])
    leaves = sum(twin["name"] not in children for twin in twins)
    turn = 2.0 * math.pi / max(leaves, 1)
    spots: dict[str, tuple[float, float, float]] = {}
    done = 0

    def place(name: str) -> float:
        nonlocal done
        below = [place(child) for child in children.get(name, [])]
        if below:
            angle = (below[0] + below[-1]) / 2.0
        else:
            angle = -math.pi / 2.0 + done * turn
            done += 1
        radius = _RADII.get(tier[name], 0.0)
        if radius == 0.0 and len(children.get(None, [])) > 1:
            radius = 36.0  # several clouds share the middle
        spots[name] = (radius * math.cos(angle), radius * math.sin(angle), angle)
        return angle

    for root in children.get(None, []):
        place(root)
    return spots


def _branch(parent: tuple[float, float, float], child: tuple[float, float, float]) -> Markup:
    """A curve that leaves the parent towards the middle radius and arrives along the child's ray."""
    x1, y1, _ = parent
    x2, y2, angle = child
    radius = math.hypot(x2, y2) * 0.78
    bend = f"{number(radius * math.cos(angle))} {number(radius * math.sin(angle))}"
    return tag("path", d=f"M{number(x1)} {number(y1)}Q{bend} {number(x2)} {number(y2)}")


def _outward(text: str, angle: float) -> Markup:
    degrees = math.degrees(angle)
    flip = math.cos(angle) < 0
    radius = _RADII["device"] + 12.0
    x, y = radius * math.cos(angle), radius * math.sin(angle)
    turn = degrees + 180.0 if flip else degrees
    return tag(
        "text",
        text,
        transform=f"translate({number(x)} {number(y)}) rotate({number(turn)})",
        text_anchor="end" if flip else "start",
        dominant_baseline="middle",
        class_="small",
    )
