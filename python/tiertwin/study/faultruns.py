"""One run with faults, one after the other, and what the twins made of each: a worker of `study localise`.

Faults come at fixed times and are over before the next ones; between them everything settles. Twins know nothing of
that. Beside what they believed stands what the plant served, epoch by epoch, to be held against a run of the same seed
without faults; and what they foretell of the causes they hold to be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.leafsolver import leaf_solver
from tiertwin.allocate.mastersolver import master_solver
from tiertwin.functions.assure.causes import Cause, Naming, causes_of
from tiertwin.functions.assure.impact import Broken, Degradation, ImpactModel, Severities
from tiertwin.model.scenario import Policy
from tiertwin.orchestrate.foresight import Followed, Foresight
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.plant.faults import groups_of
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.fork import DomainTwin
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import serve
from tiertwin.world import load, resolve
from tiertwin.world.handover import moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tiertwin.orchestrate.assurance import Assurance
    from tiertwin.orchestrate.belief import Belief
    from tiertwin.orchestrate.service import Service
    from tiertwin.runtime.inprocess import InProcessRun
    from tiertwin.world import World

    F64 = NDArray[np.float64]

HEARD_AFTER = 2  # epochs until twins hear of what nobody tells as such: of a node, an access, a degradation
TOLD_AFTER = 2  # epochs until what is told of the service is of a period: it is late (`orchestrate.service`)
SETTLE_S = 0.2  # until set-points are in force and what was sent before has come through; seen on seeds 11 and 12
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
    start = 0
    offered = Offered(world)
    heard, whole = Heard(), DomainTwin(run, world.twins[0].name)
    for epoch in range(job["epochs"]):
        run.run_epoch(epoch)
        heard.look(epoch, *whole.down())
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
            start = epoch + 1
            before, offered = whole.belief(), Offered(world)
        elif before is not None and epoch >= start + TOLD_AFTER:
            offered.take(watch.told_service() for watch in watches)
        if epoch in looks and before is not None:
            true = looks[epoch][2]
            span = Span(start, job["for_s"], scenario.tiers.edge.control_every, heard)
            found["looks"][epoch] = _look(watches, causes, Since(before, offered), true, span)
            before = None
    found["faults"] = [[e.start_ns * 1e-9, e.end_ns * 1e-9] for e in run.plant.truth_faults()]
    return found


def watches_of(run: InProcessRun) -> list[Assurance]:
    """Return what watches in a run, in roster order."""
    controllers: Iterable[Any] = (twin.controller for twin in run.twins.values())
    return [c.assurance for c in controllers if getattr(c, "assurance", None) is not None]


class Heard:
    """Since which epoch twins plan without links and servers that they were told are down."""

    def __init__(self) -> None:
        self.links: dict[int, int] = {}
        self.servers: dict[int, int] = {}

    def look(self, epoch: int, links: Sequence[int], servers: Sequence[int]) -> None:
        """Take what is planned without at the end of an epoch."""
        self.links = {link: self.links.get(link, epoch) for link in links}
        self.servers = {server: self.servers.get(server, epoch) for server in servers}


class Offered:
    """Tasks that were offered since causes came, as sites told it."""

    def __init__(self, world: World) -> None:
        self._sum = np.zeros((world.site_count, len(world.class_names)))
        self._times = np.zeros(world.site_count, dtype=np.int64)

    def take(self, services: Iterable[Service]) -> None:
        """Take what watchers were told of a period, each of its own sites."""
        for service in services:
            self._sum[service.told] += service.offered[service.told]
            self._times += service.told

    def a_period(self) -> F64:
        """Return tasks a period of each site and class, [S, C]; NaN of sites that told nothing."""
        seen: F64 = self._sum / np.where(self._times > 0, self._times, np.nan)[:, None]
        return seen


@dataclass(frozen=True, eq=False)
class Since:
    """What was believed before causes came, and what was offered since; periods are of 1 s."""

    before: Belief
    offered: Offered

    def belief(self, causes: Sequence[Cause]) -> Belief:
        """Return the belief of before at the load told since.

        Of sites that users left, and those they went to, at that of all of them: whose users they are is not told.
        """
        world = self.before.world
        classes = len(world.class_names)
        known = np.zeros((world.site_count, classes))
        for edge in self.before.edges:
            known[edge.site] = edge.problem.demand.reshape(classes, -1).sum(axis=1)
        told = self.offered.a_period()
        grown = told / np.maximum(known, 1e-12)
        mixed = self._mixed(causes)
        if mixed.any():
            heard = np.isfinite(told).all(axis=1) & mixed
            grown[mixed] = told[heard].sum(axis=0) / np.maximum(known[mixed].sum(axis=0), 1e-12)
        return self.before.at(
            {
                edge.name: (edge.problem.demand.reshape(classes, -1) * grown[edge.site][:, None]).ravel()
                for edge in self.before.edges
                if np.isfinite(grown[edge.site]).all()
            }
        )

    def _mixed(self, causes: Sequence[Cause]) -> NDArray[np.bool_]:
        """Return the sites among whom users moved, [S]."""
        world = self.before.world
        silent = Broken.of(world, tuple(causes), Degradation()).unheard
        mixed = np.zeros(world.site_count, dtype=bool)
        if world.grouped:
            gone = moved(world, silent)
            mixed[gone.site] = mixed[gone.other] = True
        return mixed


@dataclass(frozen=True, eq=False)
class Span:
    """When causes came, how long they last, and since when plans follow them.

    Parameters
    ----------
    start, for_s, every
        First epoch; how long, s; epochs between two decisions.
    heard
        Asked at the look.
    """

    start: int
    for_s: float
    every: int
    heard: Heard

    def followed(self, world: World, cause: Cause) -> list[Followed]:
        """Return the parts of a cause, and when plans follow them: as its twins heard of it, be it late or never.

        A server is left in the epoch in which it is heard of. A link is shared out anew then, and what is granted is
        in force with the decision after that.
        """
        if cause.kind in ("link", "group"):
            heard, late, parts = self.heard.links, self.every, [_link(world, link) for link in cause.links]
            return [Followed(part, self._after(heard.get(part.links[0]), late)) for part in parts]
        if cause.kind == "server":
            return [Followed(cause, self._after(self.heard.servers.get(cause.server), 0))]
        return [Followed(cause, followed_s(self.start, self.every))]

    def _after(self, epoch: int | None, late: int) -> float:
        known = epoch is not None and epoch >= self.start
        return epoch + late - self.start + SETTLE_S if known and epoch is not None else self.for_s


def _link(world: World, link: int) -> Cause:
    return Cause(Naming(world).link(link), "link", links=(link,))


def followed_s(start: int, every: int) -> float:
    """Return the seconds after epoch `start` until plans take what nobody tells as such into account."""
    heard = start + HEARD_AFTER
    return float(heard + -heard % every + every - start)


def _look(
    watches: Sequence[Assurance],
    causes: dict[str, Cause],
    since: Since,
    true: Sequence[str],
    span: Span,
) -> dict[str, Any]:
    """Return what is held now, and what it is foretold to cost: by three answers, each of the causes named likely.

    ``foreseen``: `orchestrate.foresight` on what was believed before, at the demand told since; ``told``: the same of
    the true causes; ``rules``: `functions.assure.impact` at the load told. Each: tasks/s by class.
    """
    stated: dict[str, float] = {}
    for watch in watches:
        stated |= watch.posterior()
    world = since.before.world
    likely = [causes[name] for name, p in stated.items() if p >= NAMED]
    severities = Severities.worst(watch.severities() for watch in watches)
    rules = ImpactModel(world, _load(world, watches), devices=True, handover=world.grouped).impact(*likely)
    each = world.tasks_per_s
    return {
        "stated": {name: p for name, p in stated.items() if p > 1e-9},
        "likely": [cause.name for cause in likely],
        "alarms": [alarm for watch in watches for alarm in watch.alarms()],
        "costs": {
            "foreseen": _cost(since, likely, severities, span),
            "told": _cost(since, [causes[name] for name in true], severities, span),
            "rules": {"tasks": [rules.by_class[name] * r for name, r in zip(world.class_names, each, strict=True)]},
        },
    }


def _cost(since: Since, causes: Sequence[Cause], severities: Severities, span: Span) -> dict[str, Any]:
    """Return what causes cost while they last, tasks/s by class, and when plans followed."""
    belief = since.belief(causes)
    policy = Policy() if belief.world.scenario is None else belief.world.scenario.policy
    solvers = leaf_solver(policy.leaf_solver), master_solver(policy.master_solver)
    foresight = Foresight(belief, *solvers, replan="tree")  # the cloud decides every epoch in which edges do
    followed = [part for cause in causes for part in span.followed(belief.world, cause)]
    whole = foresight.lost(*causes, severities=severities)
    parts = {"at_once": whole.at_once, "later": whole.later}
    parts["tasks"] = foresight.mean(causes, followed, span.for_s, severities)
    costs: dict[str, Any] = {name: part.sum(axis=0).tolist() for name, part in parts.items()}
    return costs | {"followed": [[part.cause.name, part.after_s] for part in followed]}


def _load(world: World, watches: Sequence[Assurance]) -> Any:
    """Return the multiplier of each site's task rates that the fogs were told, [S]."""
    load = np.ones(world.site_count)
    for watch in watches:
        load = np.where(watch.told_load() > 0.0, watch.told_load(), load)
    return load


if __name__ == "__main__":
    serve(play)
