"""One run with faults, one after the other, and what the twins made of each: a worker of `study localise`.

Faults come at fixed times and are over before the next ones; between them everything settles. Twins know nothing of
that. Beside what they believed stands what the plant served, epoch by epoch, to be held against a run of the same seed
without faults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import ImpactModel
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.plant.faults import groups_of
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import serve
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tiertwin.orchestrate.assurance import Assurance
    from tiertwin.runtime.inprocess import InProcessRun
    from tiertwin.world import World

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
        ``scenario`` (as written), ``seed``, ``epochs``, and ``looks``: epochs after which beliefs are asked for.

    Returns
    -------
    dict
        ``alarms``: (epoch, observation, raised) as they were told; ``looks``: by epoch the probability of every cause
        whose twin sees an alarm, and the impact that is predicted of those that are likely; ``served``, ``offered``:
        tasks by epoch and site, [E][S]; ``faults``: the plant's truth, (start, end) in s.
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
    alarms, looks, served, offered = [], {}, [], []
    for epoch in range(job["epochs"]):
        run.run_epoch(epoch)
        books, _ = run.plant_books()
        served.append(books.by_site_class("completed").sum(axis=1).tolist())
        offered.append(books.by_site_class("generated").sum(axis=1).tolist())
        alarms += [
            [line["epoch"], f"{line['object']} {line['observation']}", line["raised"]]
            for line in run.take_records()
            if line["what"] == "alarm"
        ]
        if epoch in job["looks"]:
            looks[epoch] = _look(world, watches, causes)
    truth = [[e.start_ns * 1e-9, e.end_ns * 1e-9] for e in run.plant.truth_faults()]
    return {"alarms": alarms, "looks": looks, "served": served, "offered": offered, "faults": truth}


def watches_of(run: InProcessRun) -> list[Assurance]:
    """Return what watches in a run, in roster order."""
    controllers: Iterable[Any] = (twin.controller for twin in run.twins.values())
    return [c.assurance for c in controllers if getattr(c, "assurance", None) is not None]


def _look(world: World, watches: Sequence[Assurance], causes: dict[str, Cause]) -> dict[str, Any]:
    stated: dict[str, float] = {}
    for watch in watches:
        stated |= watch.posterior()
    likely = [causes[name] for name, p in stated.items() if p >= NAMED]
    model = ImpactModel(world, _load(world, watches), devices=True, handover=world.grouped)
    lost = model.impact(*likely).lost if likely else np.zeros(world.site_count)
    return {
        "stated": {name: p for name, p in stated.items() if p > 1e-9},
        "likely": [cause.name for cause in likely],
        "lost": lost.tolist(),
        "alarms": [alarm for watch in watches for alarm in watch.alarms()],
    }


def _load(world: World, watches: Sequence[Assurance]) -> Any:
    """Return the multiplier of each site's task rates that the fogs were told, [S]."""
    load = np.ones(world.site_count)
    for watch in watches:
        load = np.where(watch.told_load() > 0.0, watch.told_load(), load)
    return load


if __name__ == "__main__":
    serve(play)
