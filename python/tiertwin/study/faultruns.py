"""One run with faults, one after the other, and what the twins made of each: a worker of `study localise`.

Faults come at fixed times and are over before the next ones; between them everything settles. Twins know nothing of
that. Beside what they believed stands what the plant served, epoch by epoch, to be held against a run of the same seed
without faults; and what they foretell of the causes they hold to be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import ImpactModel, Severities
from tiertwin.model.scenario import Policy
from tiertwin.orchestrate.foresight import Foreseen, Foresight
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.plant.faults import groups_of
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.fork import DomainTwin
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import serve
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tiertwin.orchestrate.assurance import Assurance
    from tiertwin.orchestrate.belief import Belief
    from tiertwin.runtime.inprocess import InProcessRun
    from tiertwin.world import World

HEARD_AFTER = 2  # epochs until the owner of a link hears that it is down
NAMED = 0.5  # probability from which on a cause is taken to be there


def event_of(world: World, cause: Cause, start_s: float, for_s: float, severity: dict[str, float]) -> dict[str, Any]:
    """Return a cause as a line of the scenario's `faults.events`."""
    names = world.node_names
    row: dict[str, Any] = {"kind": cause.kind, "at_s": start_s, "for_s": for_s}
    if cause.kind in ("link", "degraded"):
        link = cause.links[0]
        row["link"] = [names[world.link_tail[link]], names[world.link_head[link]]]
    if cause.kind == "degraded":
        row |= {"capacity": severity["capacity"], "loss": severity["loss"]}
    if cause.kind == "slow":
        row["speed"] = severity["speed"]
    if cause.kind == "group":
        row["group"] = cause.name.removeprefix("group ")
    if cause.kind == "node":
        row["node"] = names[cause.nodes[0]]
    if cause.kind == "access":
        row["node"] = names[world.site_node[cause.site]]
    if cause.server >= 0:
        fog = cause.server - world.site_count
        if fog < 0:
            return row | {"node": names[world.site_node[cause.server]], "tier": "edge"}
        if fog < world.fog_count:
            return row | {"node": names[world.fog_node[fog]], "tier": "fog"}
        return row | {"node": names[world.cloud_node], "tier": "cloud"}
    return row


def play(job: dict[str, Any]) -> dict[str, Any]:
    """Run a job and return what happened.

    Parameters
    ----------
    job
        ``scenario`` (as written), ``seed``, ``epochs``, ``for_s``: how long faults last, and ``looks``: (start, look,
        names of the true causes). What twins believed before epoch `start` is kept; after epoch `look` they are asked.

    Returns
    -------
    dict
        ``alarms``: (epoch, observation, raised) as they were told; ``named``: (epoch, cause) likewise; ``looks``: by
        epoch what `_look` found; ``undone`` (shed or lost), ``offered``: tasks by epoch, site and class, [E][S][C];
        ``faults``: the plant's truth, (start, end) in s.
    """
    scenario = load(job["scenario"])
    run = make_run(
        make_plan(scenario, job["epochs"], job["seed"], [HIERARCHICAL]),
        world := resolve(scenario),
        HIERARCHICAL,
        master_solver(scenario.policy.master_solver),
    )
    causes = {cause.name: cause for cause in causes_of(world, groups_of(world))}
    watches = watches_of(run)
    starts, looks = ({row[k]: row for row in job["looks"]} for k in (0, 1))
    found: dict[str, Any] = {"alarms": [], "named": [], "looks": {}, "undone": [], "offered": []}
    before: Belief | None = None
    for epoch in range(job["epochs"]):
        run.run_epoch(epoch)
        books, _ = run.plant_books()
        found["undone"].append((books.by_site_class("shed") + books.by_site_class("lost")).tolist())
        found["offered"].append(books.by_site_class("generated").tolist())
        lines = run.take_records()
        found["alarms"] += [
            [line["epoch"], f"{line['object']} {line['observation']}", line["raised"]]
            for line in lines
            if line["what"] == "alarm"
        ]
        named = [line for line in lines if line["what"] == "cause" and not line.get("over")]
        found["named"] += [[line["epoch"], line["cause"]] for line in named]
        if epoch + 1 in starts:
            before = DomainTwin(run, world.twins[0].name).belief()
        if epoch in looks and before is not None:
            start, _, true = looks[epoch]
            span = job["for_s"], followed_s(start, scenario.tiers.edge.control_every)
            found["looks"][epoch] = _look(watches, causes, before, true, span)
    found["faults"] = [[e.start_ns * 1e-9, e.end_ns * 1e-9] for e in run.plant.truth_faults()]
    return found


def watches_of(run: InProcessRun) -> list[Assurance]:
    """Return what watches in a run, in roster order."""
    controllers: Iterable[Any] = (twin.controller for twin in run.twins.values())
    return [c.assurance for c in controllers if getattr(c, "assurance", None) is not None]


def followed_s(start: int, every: int) -> float:
    """Return the seconds after epoch `start` until plans take a link that went down into account.

    Its owner hears of it in the second epoch after, shares it out anew when it decides next, and what it grants is in
    force with the decision after that.
    """
    heard = start + HEARD_AFTER
    return float(heard + -heard % every + every - start)


def _look(
    watches: Sequence[Assurance],
    causes: dict[str, Cause],
    before: Belief,
    true: Sequence[str],
    span: tuple[float, float],
) -> dict[str, Any]:
    """Return what is held now, and what it is foretold to cost: by three answers, each of the causes named likely.

    `span`: how long the causes last, and until plans follow, s.

    ``foreseen``: `orchestrate.foresight` on what was believed before; ``told``: the same of the true causes;
    ``rules``: `functions.assure.impact` at the load told. Each: tasks/s by class, Gb/s.
    """
    stated: dict[str, float] = {}
    for watch in watches:
        stated |= watch.posterior()
    world = before.world
    likely = [causes[name] for name, p in stated.items() if p >= NAMED]
    policy = Policy() if world.scenario is None else world.scenario.policy
    foresight = Foresight(before, leaf_solver(policy.leaf_solver), master_solver(policy.master_solver))
    severities = Severities.worst(watch.severities() for watch in watches)
    rules = ImpactModel(world, _load(world, watches), devices=True, handover=world.grouped).impact(*likely)
    each = world.tasks_per_s
    return {
        "stated": {name: p for name, p in stated.items() if p > 1e-9},
        "likely": [cause.name for cause in likely],
        "alarms": [alarm for watch in watches for alarm in watch.alarms()],
        "costs": {
            "foreseen": _cost(foresight.lost(*likely, severities=severities), span),
            "told": _cost(foresight.lost(*(causes[name] for name in true), severities=severities), span),
            "rules": {"tasks": [rules.by_class[name] * r for name, r in zip(world.class_names, each, strict=True)]},
        },
    }


def _cost(foreseen: Foreseen, span: tuple[float, float]) -> dict[str, Any]:
    parts = {"at_once": foreseen.at_once, "later": foreseen.later, "tasks": foreseen.tasks(*span)}
    return {name: part.sum(axis=0).tolist() for name, part in parts.items()}


def _load(world: World, watches: Sequence[Assurance]) -> Any:
    """Return the multiplier of each site's task rates that the fogs were told, [S]."""
    load = np.ones(world.site_count)
    for watch in watches:
        load = np.where(watch.told_load() > 0.0, watch.told_load(), load)
    return load


if __name__ == "__main__":
    serve(play)
