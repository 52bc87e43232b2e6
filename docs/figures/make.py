"""Draw the figures of the documents from a run directory: ``python docs/figures/make.py RUN``.

RUN is what ``tiertwin run --seed 7 --out RUN`` wrote (germany50, 60 epochs, all policies). Writes tree.svg, day.svg and
gap.svg beside this file, with the drawing code of the report page; no extra is needed. The same run gives the same
bytes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tiertwin.report import charts, network
from tiertwin.report.figures import Figures, Series
from tiertwin.report.markup import Markup, join, tag
from tiertwin.store import open_run

HERE = Path(__file__).parent
COLOURS = ("#0b66c3", "#e07b00", "#0f9a7c", "#b0468f", "#7a6ff0", "#6b7785")
LOADS = ("#b9c7d6", "#7fb2d6", "#3f8fb5", "#e3a32b", "#e0662f", "#b3162b")
LEFT, RIGHT, TOP, BOTTOM, GAP = 90.0, 20.0, 44.0, 40.0, 84.0

STYLE = "".join(
    [
        "text{font:20px system-ui,sans-serif;fill:#5b6875}.title{font-weight:600;fill:#16202b}",
        ".grid{stroke:#e8ecf0}.line{fill:none;stroke-width:2.5;stroke-linejoin:round}",
        *(f".line.c{k}{{stroke:{c}}}.key.c{k}{{fill:{c}}}" for k, c in enumerate(COLOURS)),
        ".line.c0{stroke-width:4}",
    ]
)
TREE_STYLE = "".join(
    [
        "text{font:11px system-ui,sans-serif;fill:#16202b}.inner{font-weight:600;font-size:10px}",
        ".branches path{fill:none;stroke:#c6ced6}circle{stroke:#fff;stroke-width:1.5;fill:#b9c7d6}",
        *(f".u{k}{{fill:{c}}}" for k, c in enumerate(LOADS)),
        ".legend text{font-size:12px;fill:#5b6875}",
    ]
)


def document(width: float, height: float, style: str, *parts: object, box: str | None = None) -> str:
    """Return one SVG file on white."""
    view = box or f"0 0 {width:.0f} {height:.0f}"
    x, y, wide, tall = view.split()
    paper = tag("rect", x=x, y=y, width=wide, height=tall, fill="#fff")
    body = tag("svg", tag("style", Markup(style)), paper, *parts, xmlns="http://www.w3.org/2000/svg", viewBox=view)
    return f"{body}\n"


def panel(
    title: str, series: Series, colours: Mapping[str, int], epochs: Sequence[int], show: Callable[[float], str]
) -> Markup:
    """Return one chart with its axes; its box has charts.WIDTH × charts.HEIGHT with the origin at the upper left."""
    held = [value for values in series.values() for value in values if value is not None]
    marks = charts.ticks(0.0, max(held))
    top = marks[-1]
    parts: list[Markup] = [tag("text", title, x=0, y=-16, class_="title")]
    for mark in marks:
        parts.append(charts.grid(mark / top))
        at = charts.HEIGHT * (1 - mark / top) + 7
        parts.append(tag("text", show(mark), x=-12, y=f"{at:.0f}", text_anchor="end"))
    for policy, values in reversed(series.items()):
        scaled = [None if value is None else value / top for value in values]
        parts.append(tag("path", d=charts.path(scaled), class_=f"line c{colours[policy]}"))
    last = max(len(epochs) - 1, 1)
    for at in range(0, len(epochs), 10):
        x = charts.WIDTH * at / last
        parts.append(tag("text", epochs[at], x=f"{x:.0f}", y=charts.HEIGHT + 28, text_anchor="middle"))
    parts.append(tag("text", "epoch", x=charts.WIDTH, y=charts.HEIGHT + 28, text_anchor="end"))
    return join(*parts)


def keys(policies: Sequence[str], colours: Mapping[str, int]) -> Markup:
    """Return a line of names with their colours."""
    parts, x = [], 0.0
    for policy in policies:
        box = tag("rect", x=f"{x:.0f}", y=-9, width=26, height=6, class_=f"key c{colours[policy]}")
        parts += [box, tag("text", policy, x=f"{x + 34:.0f}", y=0)]
        x += 70 + 11 * len(policy)
    return join(*parts)


def stacked(panels: Sequence[Markup], key: Markup | None) -> str:
    """Return panels one below the other, with a line of keys at the foot."""
    step = charts.HEIGHT + GAP
    parts = [tag("g", part, transform=f"translate({LEFT:.0f} {TOP + k * step:.0f})") for k, part in enumerate(panels)]
    height = TOP + len(panels) * step - GAP + BOTTOM
    if key is not None:
        height += 40
        parts.append(tag("g", key, transform=f"translate({LEFT:.0f} {height - 18:.0f})"))
    return document(LEFT + charts.WIDTH + RIGHT, height, STYLE, *parts)


def day(figures: Figures) -> str:
    """Offered load and deadline misses of every policy over the day."""
    misses = figures.series("deadline_miss_ratio")
    colours = {policy: k for k, policy in enumerate(misses)}
    offered = figures.series("offered_tasks_per_s")
    first = next(iter(offered))
    load = panel(
        "Offered load, thousand tasks/s",
        {first: offered[first]},
        {first: 5},
        figures.epochs,
        lambda v: f"{v / 1000:.4g}",
    )
    missed = panel("Deadline misses", misses, colours, figures.epochs, lambda v: f"{100 * v:.0f} %")
    return stacked([load, missed], keys(list(misses), colours))


def gap(figures: Figures) -> str:
    """Certified gap of each epoch."""
    held = figures.series("certified_gap")
    chart = panel("Certified gap, % of S", held, dict.fromkeys(held, 0), figures.epochs, lambda v: f"{100 * v:.3g}")
    return stacked([chart], None)


def tree(figures: Figures) -> str:
    """The tree of twins at the busiest epoch, coloured by the use of their compute."""
    found = re.search(r"<svg[^>]*>(.*?)</svg>", network.tree(figures), re.DOTALL)
    if found is None:
        raise SystemExit("this run lists no twins")
    limits = ["0", *map(str, network.STEPS)]
    legend = [
        join(
            tag("rect", x=-320 + 106 * k, y=372, width=16, height=16, class_=f"u{k}"),
            tag("text", f"from {low} %", x=-298 + 106 * k, y=385),
        )
        for k, low in enumerate(limits)
    ]
    caption = tag("text", "compute used at the busiest epoch:", x=-320, y=364)
    parts = (Markup(found[1]), tag("g", caption, *legend, class_="legend"))
    return document(700, 750, TREE_STYLE, *parts, box="-350 -350 700 750")


def main() -> None:
    """Draw every figure of the run named on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    with open_run(sys.argv[1]) as run:
        figures = Figures(run)
        for name, draw in (("tree", tree), ("day", day), ("gap", gap)):
            (HERE / f"{name}.svg").write_text(draw(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
