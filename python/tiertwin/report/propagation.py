"""The picture of how a cause propagates: columns from cause to alarms, as SVG by hand; no script, no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tiertwin.report.markup import Markup, number, tag

COLUMNS = ("cause", "part", "route", "site", "alarm")
TITLES = ("Cause", "Fails", "Routes", "Sites", "Alarms explained")
COLOURS = {
    "down": "#b3261e",
    "lost": "#b3261e",
    "degraded": "#b26a00",
    "detour": "#5b6b7a",
    "alarm": "#6a3d9a",
    "alone": "#b26a00",
}
WORDS = {
    "down": "down",
    "lost": "loses service",
    "degraded": "degraded",
    "detour": "goes on another way",
    "alarm": "alarm",
    "alone": "cut off, serves itself",
}
_WIDTH, _ROW, _BOX, _TOP, _MOST = 220.0, 34.0, 190.0, 30.0, 14
_LETTERS = 30


def propagation_picture(graph: Mapping[str, Any], title: str) -> Markup:
    """Return the graph (``Propagation.plain()``) as a figure with its table of words for who cannot see it.

    At most 14 boxes a column; what is left out is counted in its last box.
    """
    shown, hidden = _columns(graph["nodes"])
    used = [k for k, column in enumerate(shown) if column]
    at = {
        node["id"]: (place * _WIDTH, _TOP + row * _ROW)
        for place, k in enumerate(used)
        for row, node in enumerate(shown[k])
    }
    height = _TOP + _ROW * max(len(shown[k]) + bool(hidden[k]) for k in used)
    boxes = [_box(node, *at[node["id"]]) for k in used for node in shown[k]]
    more = [
        _text(f"and {hidden[k]} more", place * _WIDTH, _TOP + len(shown[k]) * _ROW + 16)
        for place, k in enumerate(used)
        if hidden[k]
    ]
    heads = [_text(TITLES[k], place * _WIDTH, 16.0, weight="bold") for place, k in enumerate(used)]
    lines = [_line(at[a], at[b]) for a, b in graph["edges"] if a in at and b in at]
    svg = tag(
        "svg",
        *lines,
        *boxes,
        *heads,
        *more,
        viewBox=f"0 0 {number(len(used) * _WIDTH - _WIDTH + _BOX + 2)} {number(height)}",
        role="img",
        aria_label=f"{title}: {len(graph['nodes'])} parts, {len(graph['edges'])} dependencies",
        class_="propagation",
    )
    return tag("figure", svg, tag("figcaption", title))


def _columns(nodes: Sequence[Mapping[str, Any]]) -> tuple[list[list[Mapping[str, Any]]], list[int]]:
    columns = [[node for node in nodes if node["role"] == role] for role in COLUMNS]
    return [column[:_MOST] for column in columns], [max(len(column) - _MOST, 0) for column in columns]


def _box(node: Mapping[str, Any], x: float, y: float) -> Markup:
    text = node["text"]
    short = text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"
    colour = COLOURS[node["state"]]
    return tag(
        "g",
        tag("title", f"{text}: {WORDS[node['state']]}"),
        tag(
            "rect", x=number(x + 1), y=number(y), width=number(_BOX), height="24", rx="4", fill="Canvas", stroke=colour
        ),
        _text(short, x + 8, y + 16),
    )


def _text(text: str, x: float, y: float, weight: str | None = None) -> Markup:
    return tag("text", text, x=number(x), y=number(y), font_size="11", font_weight=weight, fill="currentColor")


def _line(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    x0, y0, x1, y1 = start[0] + _BOX, start[1] + 12, end[0], end[1] + 12
    bend = (x1 - x0) / 2
    points = [(x0 + bend, y0), (x1 - bend, y1), (x1, y1)]
    path = f"M{number(x0)} {number(y0)}C" + " ".join(f"{number(x)} {number(y)}" for x, y in points)
    return tag("path", d=path, fill="none", stroke="#8a949e")
