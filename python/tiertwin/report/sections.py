"""The sections of the page, top to bottom: each a function from the figures of a run to HTML."""

from __future__ import annotations

from collections.abc import Callable

from tiertwin.model.kpis import TIE, human_bytes, tied
from tiertwin.model.kpis import kpi as find_kpi
from tiertwin.report import charts, network
from tiertwin.report.figures import Figures, Series
from tiertwin.report.markup import Markup, data, minus, number, tag
from tiertwin.report.tables import GROUPS, REFERENCES, UNSPOKEN, direction, label, winners
from tiertwin.report.tables import cell as plain_cell
from tiertwin.report.tables import number as as_number

CARDS = (
    "deadline_miss_ratio",
    "utility_mean",
    "latency_p95_ms",
    "goodput_mbps",
    "energy_per_task_j",
    "certified_gap_median",
    "aoi_p99_ms",
    "wall_s_per_epoch",
)
COMPARED = (
    "objective",
    "utility_mean",
    "deadline_miss_ratio",
    "latency_mean_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "goodput_mbps",
    "energy_per_task_j",
    "jain",
)
BARS = ("objective", "utility_mean", "deadline_miss_ratio", "latency_p95_ms", "goodput_mbps", "energy_per_task_j")
LINES = (
    "objective",
    "latency_p95_ms",
    "deadline_miss_ratio",
    "utilisation",
    "goodput_mbps",
    "energy_per_task_j",
    "state_error",
)


def cell(name: str, value: float | None) -> str:
    """Return one value as the page writes it."""
    return minus(plain_cell(name, value))


def section(title: str, *children: object, identity: str, lead: str = "") -> Markup:
    """Return one section with its heading and an introductory sentence."""
    intro = tag("p", lead, class_="lead") if lead else None
    return tag("section", tag("h2", title), intro, *children, id=identity)


# -- header ----------------------------------------------------------------------------------------------------------


def header(figures: Figures) -> Markup:
    """Return what the run was: scenario, seed, how it ended, its hash and the versions that made it."""
    run = figures.run
    epochs = run.result.get("epochs") if run.result else _of(figures.epoch_count, figures.wanted)
    world = run.scenario.get("world", {})
    facts = [
        ("Seed", run.seed),
        ("Epochs", epochs),
        ("Nodes", len(world.get("nodes", []))),
        ("Links", len(world.get("links", []))),
        ("Twins", len(world.get("twins", []))),
        ("Policies", len(figures.policies)),
    ]
    listed = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]
    versions = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in run.versions.items()]
    return tag(
        "header",
        tag("p", "tiertwin", tag("span", "run report"), class_="brand"),
        tag("h1", run.scenario.get("name", "unnamed scenario"), tag("em", run.status, class_=f"pill {run.status}")),
        tag("p", run.scenario["about"], class_="lead") if run.scenario.get("about") else None,
        tag("dl", *listed, class_="facts"),
        tag("p", tag("span", "Log hash"), tag("code", run.log_hash), f" over {run.event_count} events", class_="hash"),
        _banner(figures),
        tag("details", tag("summary", "Versions and machine"), tag("table", *versions, class_="plain"))
        if versions
        else None,
    )


def _of(count: int, wanted: int | None) -> str:
    return f"{count} of {wanted}" if wanted else str(count)


def _finished(figures: Figures) -> str:
    """How far each policy of an interrupted run came."""
    parts = [f"{policy} {_of(count, figures.wanted)}" for policy, count in figures.finished.items()]
    return ", ".join(parts)


def _banner(figures: Figures) -> Markup | None:
    run = figures.run
    notes = list(run.warnings)
    if run.result is None and figures.epoch_count:
        notes.append(
            f"Figures below cover the epochs that were finished: {_finished(figures)}. Where policies came differently "
            "far, their columns do not compare. Percentiles of the run are means of percentiles of epochs."
        )
    elif run.result is None:
        notes.append("No epoch was finished: there are no figures to show.")
    if run.recorded_hash not in (None, run.log_hash):
        notes.append(f"The result names another log hash ({run.recorded_hash}): events.jsonl was changed afterwards.")
    if figures.thinned:
        notes.append(f"Charts show every {figures.thinned}th epoch.")
    return tag("ul", *(tag("li", note) for note in notes), class_="banner", role="note") if notes else None


# -- cards and claims ------------------------------------------------------------------------------------------------


def cards(figures: Figures) -> Markup:
    """Return the main figures of the policy of interest, each beside the best of the others."""
    made = [_card(figures, name) for name in CARDS]
    held = [card for card in made if card is not None]
    if not held:
        return tag("p", "This run holds no figures yet.", class_="absent")
    return tag("div", *held, class_="cards")


def _card(figures: Figures, name: str) -> Markup | None:
    value = as_number(name, figures.values.get(figures.first, {}))
    if value is None:
        return None
    known = find_kpi(name)
    unit = None if known.unit in UNSPOKEN else tag("small", f" {known.unit}")
    rival = _best_other(figures, name)
    if rival is None or not known.better:
        below = tag("p", direction(name) or "no better direction", class_="beside-text")
    else:
        who, other = rival
        state, change = _verdict(name, value, other)
        said = f"{change} against {who}, the best other ({cell(name, other)})"
        below = tag("p", said, class_=f"beside-text {state}")
    return tag("div", tag("h3", known.title), tag("p", cell(name, value), unit, class_="value"), below, class_="card")


def _best_other(figures: Figures, name: str) -> tuple[str, float] | None:
    """The policy nearest to beating the first one, yardsticks aside; None for what only the first one has."""
    known = find_kpi(name)
    held = [
        (value, policy)
        for policy in figures.policies
        if policy != figures.first and policy not in REFERENCES
        if (value := as_number(name, figures.values.get(policy, {}))) is not None
    ]
    if not held or name in {"wall_s_per_epoch", "aoi_p99_ms"}:
        return None
    value, policy = max(held) if known.better == "higher" else min(held)
    return policy, value


def _verdict(name: str, value: float, other: float) -> tuple[str, str]:
    """(ahead | behind | even, change): by how much `value` is better or worse than `other`.

    Worth in utils has no zero of its own (it depends on the constant of the utility), so its change is no percentage.
    """
    known = find_kpi(name)
    if known.unit.startswith("utils") or not other:
        unit = "" if known.unit in UNSPOKEN else f" {known.unit}"
        change = f"{'+' if value >= other else '−'}{cell(name, abs(value - other))}{unit}"
    else:
        change = minus(f"{100 * (value - other) / abs(other):+z.1f} %").replace("+0.0", "0.0")
    if tied(value, other):
        return "even", change
    return ("ahead" if (value > other) == (known.better == "higher") else "behind"), change


def claims(figures: Figures) -> Markup | None:
    """Return in words where the policy of interest is ahead of all others and where it is not."""
    lines = []
    ahead = 0
    for name in COMPARED:
        value = as_number(name, figures.values.get(figures.first, {}))
        rival = _best_other(figures, name)
        if value is None or rival is None:
            continue
        who, other = rival
        state, change = _verdict(name, value, other)
        ahead += state == "ahead"
        unit = "" if find_kpi(name).unit in UNSPOKEN else f" {find_kpi(name).unit}"
        text = f": {cell(name, value)}{unit} against {cell(name, other)} of {who} ({change})"
        lines.append(tag("li", tag("b", state.capitalize()), " ", find_kpi(name).title, text, class_=state))
    if not lines:
        return None
    head = f"{figures.first} is ahead of every other policy in {ahead} of {len(lines)} figures"
    head += f" (less than {100 * TIE:g} % apart counts as even)."
    note = (
        "One run, one seed: differences may be chance. ",
        tag("code", "tiertwin study"),
        " repeats it over seeds with intervals.",
    )
    return tag("div", tag("p", tag("b", head)), tag("ul", *lines), tag("p", *note, class_="hint"), class_="claims")


# -- comparison ------------------------------------------------------------------------------------------------------


def comparison(figures: Figures) -> Markup:
    """Return all KPIs of all policies, and bars of the main ones."""
    if not figures.values:
        return tag("p", "No policy finished an epoch.", class_="absent")
    rows = []
    for group, names in GROUPS:
        held = [n for n in names if any(as_number(n, figures.values.get(p, {})) is not None for p in figures.policies)]
        if held:
            rows.append(
                tag("tr", tag("th", group, colspan=len(figures.policies) + 1, scope="colgroup"), class_="group")
            )
        rows += [_row(figures, name) for name in held]
    heads = [tag("th", "KPI", scope="col"), *(_head(policy) for policy in figures.policies)]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="kpis")
    yardsticks = [policy for policy in figures.policies if policy in REFERENCES]
    note = (
        f"● best of the policies compared, within {100 * TIE:g} %; none where all are even or no direction is better."
    )
    if yardsticks:
        note += f" {', '.join(yardsticks)} is a yardstick, solved in some epochs only, and takes no part."
    return tag("div", tag("div", table, class_="scroll", tabindex=0), tag("p", note, class_="hint"), _bars(figures))


def _head(policy: str) -> Markup:
    return tag("th", policy, tag("small", "yardstick") if policy in REFERENCES else None, scope="col")


def _row(figures: Figures, name: str) -> Markup:
    ahead = winners(name, figures.values)
    cells = []
    for policy in figures.policies:
        text = cell(name, as_number(name, figures.values.get(policy, {})))
        won = policy in ahead
        cells.append(tag("td", text, tag("i", "●", title="best") if won else None, class_="best" if won else None))
    title = tag("th", label(name), scope="row", title=find_kpi(name).definition)
    return tag("tr", title, *cells)


def _bars(figures: Figures) -> Markup:
    made = []
    for name in BARS:
        ahead = winners(name, figures.values)
        rows = []
        for policy in figures.policies:
            value = as_number(name, figures.values.get(policy, {}))
            if value is not None and policy not in REFERENCES:
                rows.append((policy, value, cell(name, value), "best" if policy in ahead else ""))
        if len(rows) > 1:
            caption = tag("figcaption", tag("b", label(name)), tag("span", direction(name)))
            made.append(tag("figure", caption, charts.bars(rows), class_="chart"))
    return tag("div", *made, class_="grid3")


# -- time series -----------------------------------------------------------------------------------------------------


def time_series(figures: Figures) -> Markup:
    """Return offered load and the main KPIs by epoch, a line a policy."""
    colours = {policy: index for index, policy in enumerate(figures.policies)}
    made, held = [], {}
    load = figures.series("offered_tasks_per_s")
    if load:
        first = dict([next(iter(load.items()))])  # one world: every policy sees the same load
        made.append(
            _figure("offered_tasks_per_s", first, figures, colours, fill=True, note="the same for all policies")
        )
        held["offered_tasks_per_s"] = first
    for name in LINES:
        series = figures.series(name)
        series = {policy: values for policy, values in series.items() if policy not in REFERENCES}
        if series:
            made.append(_figure(name, series, figures, colours))
            held[name] = series
    if not made:
        return tag("p", "No KPIs by epoch in this run.", class_="absent")
    buttons = [
        tag("button", tag("i", class_=f"c{colours[p]}"), p, type="button", data_toggle=p, aria_pressed="true")
        for p in figures.policies
        if any(p in series for series in held.values())
    ]
    known = {
        "epochs": figures.epochs,
        "colours": colours,
        "percent": [name for name in held if find_kpi(name).unit == "ratio"],
        "charts": {name: {p: [_short(v) for v in values] for p, values in s.items()} for name, s in held.items()},
    }
    return tag("div", tag("div", *buttons, class_="keys"), tag("div", *made, class_="grid2"), data("series", known))


def _figure(
    name: str, series: Series, figures: Figures, colours: dict[str, int], *, fill: bool = False, note: str = ""
) -> Markup:
    show = _tick(name)
    marks = charts.axis_of(series)
    without = f"axis from {show(marks[0])} to {show(marks[-1])}, without 0" if not marks[0] <= 0.0 <= marks[-1] else ""
    said = ", ".join(text for text in (note or direction(name), without) if text)
    caption = tag("figcaption", tag("b", label(name)), tag("span", said))
    chart = charts.line_chart(series, figures.epochs, colours=colours, show=show, name=find_kpi(name).title, fill=fill)
    return tag("figure", caption, chart, class_="chart", data_chart=name)


def _tick(name: str) -> Callable[[float], str]:
    if find_kpi(name).unit == "ratio":
        return lambda value: minus(f"{100 * value:.4g} %")
    return _plain_tick


def _plain_tick(value: float) -> str:
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= 10 * size:
            return minus(f"{value / size:.4g} {unit}")
    return minus(f"{value:.4g}")


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


# -- network and bytes -----------------------------------------------------------------------------------------------


def topology(figures: Figures) -> Markup:
    """Return the map of the network."""
    return network.network_map(figures)


def twins(figures: Figures) -> Markup:
    """Return the tree of twins."""
    return network.tree(figures)


def wire(figures: Figures) -> Markup:
    """Return bytes by tier pair and direction."""
    pairs = figures.bytes_by_pair()
    if not pairs:
        return tag("p", "Bytes by tier pair are not in this run.", class_="absent")
    epochs = max(figures.run.result.get("epochs", 0) if figures.run.result else figures.epoch_count, 1)
    rows = []
    for pair, ways in pairs.items():
        below, _, above = pair.partition("-")
        for way, text in (("up", f"{below} → {above}"), ("down", f"{above} → {below}")):
            if (count := ways.get(way)) is not None:
                rows.append((text, count, f"{human_bytes(count)} ({human_bytes(count / epochs)}/epoch)", way))
    caption = tag("figcaption", tag("b", f"Bytes of frames, {figures.first}"), tag("span", "whole run, and per epoch"))
    first = [sum(ways.values()) for ways in pairs.values()]
    said = None
    if len(first) > 1 and first[-1] > 0:
        said = tag(
            "p",
            f"The highest pair carries {number(100 * first[-1] / first[0])} % of the bytes of the lowest.",
            class_="hint",
        )
    return tag("div", tag("figure", caption, charts.bars(rows), class_="chart wire"), said)
