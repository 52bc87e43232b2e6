"""The certificate: how near the committed plans are to the optimum, epoch by epoch."""

from __future__ import annotations

from statistics import median

from tiertwin.model.kpis import format_value
from tiertwin.model.kpis import kpi as find_kpi
from tiertwin.report import charts
from tiertwin.report.figures import Figures
from tiertwin.report.markup import Markup, minus, tag
from tiertwin.report.tables import UNSPOKEN


def certificate(figures: Figures) -> Markup:
    """Return how near the committed plan is to the optimum, by bounds that hold whatever a solver returned."""
    gap = figures.series("certified_gap")
    if not gap:
        return tag("p", "No bounds in this run: no policy that certifies its plan finished an epoch.", class_="absent")
    policy = next(iter(gap))
    values = [value for value in gap[policy] if value is not None]
    improvement = [value for value in figures.series("gap_of_improvement").get(policy, []) if value is not None]
    reference = _references(figures, policy)
    cards_held = [
        ("First epoch, cold", "certified_gap", values[0]),
        ("Median", "certified_gap", median(values)),
        ("Worst epoch", "certified_gap", max(values)),
        ("Gap of improvement, median", "gap_of_improvement", median(improvement) if improvement else None),
    ]
    shown = [
        tag("div", tag("h3", title), tag("p", format_value(name, value), class_="value"), class_="card")
        for title, name, value in cards_held
        if value is not None
    ]
    charts_made = [_bracket(figures, gap[policy], reference), _bounds(figures, policy)]
    words = (
        "In every epoch the root brackets the optimum: a feasible plan from below, cuts from above. The certified gap "
        "is their distance divided by S, the worth of serving everybody 100 % more: at 1 % no allocation is worth more "
        "than about 1 % more rate for all. The gap of improvement divides by what cooperation can win over the "
        "fallback instead, and is stricter."
    )
    return tag(
        "div",
        tag("p", words, class_="hint wide"),
        tag("div", *shown, class_="cards four"),
        tag("div", *charts_made, class_="grid2"),
        _bound_table(figures, policy),
    )


def _references(figures: Figures, policy: str) -> list[float | None]:
    """Where the monolithic value lies: (reference − lower bound) / scale by epoch drawn."""
    low, scale = figures.series("lower_bound").get(policy), figures.series("scale").get(policy)
    held = figures.series("reference")
    values = held.get(policy) or next(iter(held.values()), None)
    if not (low and scale and values):
        return [None] * len(figures.epochs)
    return [
        (v - b) / s if v is not None and b is not None and s else None
        for v, b, s in zip(values, low, scale, strict=True)
    ]


def _bracket(figures: Figures, gap: list[float | None], reference: list[float | None]) -> Markup:
    inside = [value for value in (*gap, *reference) if value is not None]
    marks = charts.ticks(min(0.0, *inside), max(inside))
    bottom, top = marks[0], marks[-1]

    def height(value: float) -> float:
        return (value - bottom) / (top - bottom)

    scaled = [None if value is None else height(value) for value in gap]
    grid = [charts.grid(height(mark)) for mark in marks]
    svg = tag(
        "svg",
        *grid,
        tag("path", d=charts.area(scaled), class_="fill c0"),
        tag("path", d=charts.path(scaled), class_="line c0"),
        viewBox=f"0 0 {charts.WIDTH:.0f} {charts.HEIGHT:.0f}",
        preserveAspectRatio="none",
        role="img",
        aria_label="Upper bound and monolithic reference above the lower bound, by epoch",
    )
    last = max(len(figures.epochs) - 1, 1)
    dots = [
        tag(
            "i",
            class_="dot",
            style=f"left:{100 * at / last:.2f}%;bottom:{100 * height(value):.2f}%",
            title=f"epoch {figures.epochs[at]}: reference {100 * value:.4f} % of S above the lower bound",
        )
        for at, value in enumerate(reference)
        if value is not None
    ]
    caption = tag(
        "figcaption",
        tag("b", "Above the lower bound [% of S]"),
        tag("span", "band: to the upper bound; dots: monolithic" if dots else "band: to the upper bound; no reference"),
    )
    axis = [(height(mark), minus(f"{100 * mark:.3g} %")) for mark in marks]
    return tag("figure", caption, charts.plot(svg, axis, figures.epochs, *dots), class_="chart")


def _bounds(figures: Figures, policy: str) -> Markup | None:
    rounds = figures.series("rounds")
    if policy not in rounds:
        return None
    caption = tag(
        "figcaption", tag("b", "Rounds used"), tag("span", "quotas down and cuts up; the first epoch is cold")
    )
    chart = charts.line_chart(
        {policy: rounds[policy]},
        figures.epochs,
        colours={policy: 0},
        show=lambda v: f"{v:.4g}",
        name="Rounds",
        fill=True,
    )
    return tag("figure", caption, chart, class_="chart")


def _bound_table(figures: Figures, policy: str) -> Markup | None:
    names = ("lower_bound", "reference", "upper_bound", "scale", "certified_gap", "gap_of_improvement", "rounds")
    columns = {name: figures.series(name).get(policy) for name in names}
    gaps = columns["certified_gap"] or []
    solved = [at for at, value in enumerate(columns["reference"] or []) if value is not None]
    worst = max((value, -at) for at, value in enumerate(gaps) if value is not None)[1] * -1
    chosen = sorted({0, worst, len(gaps) - 1, *solved[:12]})
    head = [tag("th", "Epoch", scope="col"), *(_bound_head(name) for name in names)]
    body = []
    for at in chosen:
        cells = [_bound_cell(name, (columns[name] or [None] * len(gaps))[at]) for name in names]
        mark = " (worst)" if at == worst else ""
        body.append(tag("tr", tag("th", f"{figures.epochs[at]}{mark}", scope="row"), *cells))
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *body), class_="kpis")
    return tag("div", table, class_="scroll", tabindex=0)


def _bound_head(name: str) -> Markup:
    known = find_kpi(name)
    return tag("th", known.title, None if known.unit in UNSPOKEN else tag("small", known.unit), scope="col")


def _bound_cell(name: str, value: float | None) -> Markup:
    if value is None:
        return tag("td", "no reference" if name == "reference" else "–", class_="none")
    # bounds differ in the fifth digit: they are printed with more of them than other figures
    return tag(
        "td",
        minus(f"{value:.7g}" if name in {"lower_bound", "upper_bound", "reference"} else format_value(name, value)),
    )
