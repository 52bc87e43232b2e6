"""Line charts and bars. Curves are SVG stretched to its box; letters and dots are HTML, so they stay sharp on a phone.

A chart scales its own axis: values to 0…1 of the height, a few round ticks. No script is needed to read it; it only
adds a cursor with the values of one epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from tiertwin.report.figures import Series
from tiertwin.report.markup import Markup, number, tag

WIDTH, HEIGHT = 1000.0, 300.0


def ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Return about `wanted` round numbers from at or below `low` to at or above `high`."""
    if not high > low:
        high = low + (abs(low) or 1.0)
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def line_chart(
    series: Series,
    epochs: Sequence[int],
    *,
    colours: Mapping[str, int],
    show: Callable[[float], str],
    name: str,
    fill: bool = False,
    from_zero: bool = True,
) -> Markup:
    """Return a chart of one line a policy over epochs; `colours` numbers the policies, `show` writes a tick."""
    marks = axis_of(series, from_zero=from_zero)
    held = [value for values in series.values() for value in values if value is not None]
    bottom, top = marks[0], marks[-1]
    lines = [grid((mark - bottom) / (top - bottom), bold=mark == 0.0 and bottom < 0.0) for mark in marks]
    for policy, values in reversed(series.items()):  # the policy of interest is drawn last, on top
        scaled = [None if value is None else (value - bottom) / (top - bottom) for value in values]
        if fill:
            lines.append(tag("path", d=area(scaled), class_=f"fill c{colours[policy]}", data_p=policy))
        lines.append(tag("path", d=path(scaled), class_=f"line c{colours[policy]}", data_p=policy))
    svg = tag(
        "svg",
        *lines,
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{name} by epoch, {show(min(held))} to {show(max(held))}",
    )
    return plot(svg, [((mark - bottom) / (top - bottom), show(mark)) for mark in marks], epochs)


def axis_of(series: Series, *, from_zero: bool = True) -> list[float]:
    """Return the ticks of the axis of `line_chart`; values that are all positive have it begin at zero."""
    held = [value for values in series.values() for value in values if value is not None]
    return ticks(0.0 if from_zero and min(held) >= 0 else min(held), max(held))


def plot(svg: Markup, marks: Sequence[tuple[float, str]], epochs: Sequence[int], *over: Markup) -> Markup:
    """Return a plot area with its axes: `marks` are (height 0…1, text), `over` lies on top of the curve."""
    left = tag("div", *(tag("span", text, style=f"bottom:{100 * at:.2f}%") for at, text in marks), class_="ys")
    inside = tag("div", svg, *over, class_="area")
    return tag("div", left, inside, _epoch_axis(epochs), class_="plot")


def _epoch_axis(epochs: Sequence[int]) -> Markup:
    last = len(epochs) - 1
    if last <= 0:
        return tag("div", tag("span", f"epoch {epochs[0] if epochs else '–'}", style="left:50%"), class_="xs")
    shown = [mark for mark in ticks(epochs[0], epochs[-1], 6) if epochs[0] <= mark <= epochs[-1] and mark == int(mark)]
    spans = [
        tag("span", int(mark), style=f"left:{100 * (mark - epochs[0]) / (epochs[-1] - epochs[0]):.2f}%")
        for mark in shown
    ]
    return tag("div", *spans, class_="xs")


def _points(values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    """Runs of consecutive points, in units of the view box; a missing value ends a run."""
    runs: list[list[tuple[float, float]]] = [[]]
    last = max(len(values) - 1, 1)
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((WIDTH * index / last, HEIGHT * (1.0 - value)))
    return [run for run in runs if run]


def path(values: Sequence[float | None]) -> str:
    """Return the line through heights 0…1, broken where a value is missing."""
    parts = []
    for run in _points(values):
        first, *rest = run
        parts.append(f"M{number(first[0])} {number(first[1])}")
        # a single point is drawn as a short dash: a path of one point would be invisible
        parts.extend(f"L{number(x)} {number(y)}" for x, y in rest or [(first[0] + 6, first[1])])
    return "".join(parts)


def area(values: Sequence[float | None]) -> str:
    """Return the area under the same line."""
    parts = []
    for run in _points(values):
        body = "".join(f"L{number(x)} {number(y)}" for x, y in run)
        parts.append(f"M{number(run[0][0])} {HEIGHT:.0f}{body}L{number(run[-1][0])} {HEIGHT:.0f}Z")
    return "".join(parts)


def grid(height: float, *, bold: bool = False) -> Markup:
    """Return a horizontal line at a height of 0…1; `bold` for a zero that is not the bottom."""
    y = number(HEIGHT * (1.0 - height))
    return tag("line", x1=0, x2=f"{WIDTH:.0f}", y1=y, y2=y, class_="grid zero" if bold else "grid")


def bars(rows: Sequence[tuple[str, float | None, str, str]]) -> Markup:
    """Return horizontal bars: (label, value, text, class) each; a missing value has no bar.

    All start at one zero: at the left, or where negative values leave it, and then it is drawn.
    """
    held = [value for _, value, _, _ in rows if value is not None]
    low, high = min(0.0, *held, 0.0), max(0.0, *held, 0.0)
    span = (high - low) or 1.0
    zero = 100.0 * abs(low) / span
    axis = [tag("u", style=f"left:{zero:.1f}%")] if low < 0.0 else []
    lines = []
    for label, value, text, kind in rows:
        width = 0.0 if value is None else 100.0 * abs(value) / span
        start = zero - width if value is not None and value < 0.0 else zero
        bar = [] if value is None else [tag("i", style=f"left:{start:.1f}%;width:{width:.1f}%")]
        lines.append(
            tag("div", tag("span", label), tag("div", *bar, *axis), tag("b", text), class_=f"bar {kind}".strip())
        )
    return tag("div", *lines, class_="bars")
