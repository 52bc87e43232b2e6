"""What the twins noticed: incidents and causes as they were told, and how the first causes propagate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tiertwin.errors import TiertwinError
from tiertwin.report.markup import Markup, number, tag
from tiertwin.report.propagation import propagation_picture

if TYPE_CHECKING:
    from tiertwin.report.figures import Figures
    from tiertwin.store import StoredRun

MOST_ROWS, MOST_PICTURES = 40, 3
_KINDS = (b'"what":"alarm"', b'"what":"cause"', b'"what":"incident"')


def watched(figures: Figures) -> Markup | None:
    """Return the section's content for the policy of interest; None where nobody watched or nothing was noticed."""
    events = [event for event in noticed(figures.run) if event.get("policy") == figures.first]
    told = [event for event in events if event["what"] == "cause" or (event["what"] == "incident" and event["open"])]
    if not events:
        return None
    rows = [_row(event) for event in told[:MOST_ROWS]]
    more = tag("p", f"and {len(told) - MOST_ROWS} more", class_="hint") if len(told) > MOST_ROWS else None
    alarms = sum(event["what"] == "alarm" and event["raised"] for event in events)
    head = tag("tr", *(tag("th", text) for text in ("Epoch", "What", "Which", "Probability", "Tasks/s", "Gb/s")))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag("div", tag("p", f"{alarms} alarms were raised."), table, more, *_pictures(figures.run, events))


def noticed(run: StoredRun) -> Iterator[dict[str, Any]]:
    """Yield the alarms, causes and incidents of a run's log, in its order."""
    for line in run.lines():
        if any(kind in line for kind in _KINDS):
            event = json.loads(line)
            if event["what"] in ("alarm", "cause", "incident"):
                yield event


def _row(event: Mapping[str, Any]) -> Markup:
    if event["what"] == "incident":
        likely = ", ".join(name for name, _ in event["causes"][:3]) or "nothing explains it yet"
        cells = [f"incident {event['incident']} opens, {event['severity'].lower()}", likely, "", "", ""]
    elif "over" in event:
        cells = ["is over", event["cause"], "", "", ""]
    else:
        cost = [number(event[key]) if key in event else "–" for key in ("tasks_per_s", "gbps")]
        cells = ["cause", event["cause"], f"{event['probability']:.3f}", *cost]
    return tag("tr", tag("td", event["epoch"]), *(tag("td", cell) for cell in cells))


def _pictures(run: StoredRun, events: list[dict[str, Any]]) -> list[Markup]:
    """Return how the first causes propagate; nothing where the world cannot be made again."""
    named: dict[str, set[str]] = {}
    raised: set[str] = set()
    for event in events:
        if event["what"] == "alarm":
            (raised.add if event["raised"] else raised.discard)(f"{event['object']} {event['observation']}")
        elif event["what"] == "cause" and "over" not in event and len(named) < MOST_PICTURES:
            named.setdefault(event["cause"], set()).update(raised)
    if not named:
        return []
    from tiertwin.functions.assure.dependencies import dependencies  # noqa: PLC0415  few pages need them
    from tiertwin.functions.assure.impact import ImpactModel  # noqa: PLC0415
    from tiertwin.functions.assure.propagation import propagation  # noqa: PLC0415
    from tiertwin.world import load, resolve  # noqa: PLC0415

    try:
        world = resolve(load({key: value for key, value in run.scenario.items() if key != "world"}))
        groups = _groups(run.scenario, world)
        graph, model = dependencies(world, groups), ImpactModel(world)
        found = []
        for name, alarms in named.items():
            cause = graph.cause(name)
            shown = propagation(world, graph, cause, model.impact(cause), sorted(alarms))
            found.append(propagation_picture(shown.plain(), name))
    except TiertwinError:  # a run of another version: the table stands without pictures
        return []
    return found


def _groups(scenario: Mapping[str, Any], world: Any) -> dict[str, list[int]]:
    """Return the shared-risk groups of a stored scenario: name, undirected links."""
    pairs = {
        frozenset((world.node_names[a], world.node_names[b])): link
        for link, (a, b) in enumerate(zip(world.link_tail, world.link_head, strict=True))
    }
    rows = (scenario.get("faults") or {}).get("groups", ())
    return {row["name"]: [pairs[frozenset(pair)] for pair in row["links"]] for row in rows}
