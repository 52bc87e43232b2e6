"""One run with faults under one way to heal: a worker of `study healing`.

``none``    nothing
``alarms``  no twin: a link whose alarm is raised is gone around by shortest paths at once, all routes; back when the
            alarm is cleared
``rules``   no twin, a book of rules: against a link or server that is told down, or a node that is dark, the first of
            `functions.heal.candidates`, untried and unguarded; taken back when the alarm is cleared
``twin``    causes as the domain's twins name them, or parts tell they are down; `orchestrate.healing.HealingLoop`,
            `plant.remedies`
``told``    the same, told the true causes a second after they have come

All act at the beginning of an epoch, as soon as fogs and cloud have looked at what they were told. What the guard
measures is what those are told of service (`orchestrate.service`). The plant's books are for the study's figures, and
nothing of them goes to a loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.candidates import candidates
from tiertwin.functions.heal.flowmodel import Belief, FlowModel
from tiertwin.orchestrate.guardwords import Apply, Audit, Confirmed, Effect, Undo
from tiertwin.orchestrate.healing import HealingLoop, Outlook
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.orchestrate.service import ToldUtility, told_together
from tiertwin.plant.faults import groups_of
from tiertwin.plant.remedies import Remedies
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.host import ORIGIN
from tiertwin.runtime.measure import plant_utility
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import serve
from tiertwin.study.faultruns import watches_of
from tiertwin.world import load, resolve
from tiertwin.world.rerouting import reroute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.orchestrate.assurance import Assurance
    from tiertwin.runtime.inprocess import InProcessRun
    from tiertwin.world import World

ARMS = ("none", "alarms", "rules", "twin", "told")
TOLD_AFTER_S = 1


def play(job: dict[str, Any]) -> dict[str, Any]:
    """Run a job and return what happened.

    Parameters
    ----------
    job
        ``scenario`` (as written), ``seed``, ``epochs``, ``arm``, and ``truth``: [name of a cause, start s, end s].

    Returns
    -------
    dict
        By epoch: ``offered`` and ``served`` tasks by site, ``utility``; ``alarms``: (epoch, object, observation,
        raised) and ``named``: (epoch, cause), as at its beginning; ``audits``: (time s, what, reason, text, gain);
        ``acted``: times s at which something was put in force.
    """
    scenario = load(job["scenario"])
    world = resolve(scenario)
    plan = make_plan(scenario, job["epochs"], job["seed"], [HIERARCHICAL])
    run = make_run(plan, world, HIERARCHICAL, master_solver(scenario.policy.master_solver))
    names = ("offered", "served", "utility", "alarms", "named", "audits", "acted")
    found: dict[str, list[Any]] = {name: [] for name in names}
    healer = healer_of(run, world, job)
    for epoch in range(job["epochs"]):

        def begun(epoch: int = epoch) -> None:
            lines = [line for line in run.take_records() if line["what"] == "alarm"]
            found["alarms"] += [[epoch, line["object"], line["observation"], line["raised"]] for line in lines]
            found["named"] += [[epoch, cause.name] for cause, _ in held(watches_of(run))]
            if healer is not None:
                healer.epoch(epoch, lines, found)

        run.run_epoch(epoch, begun)
        books, _ = run.plant_books()
        found["offered"].append(books.by_site_class("generated").sum(axis=1).tolist())
        found["served"].append(books.by_site_class("completed").sum(axis=1).tolist())
        found["utility"].append(plant_utility(world, books))
    return found


def held(watches: Sequence[Assurance]) -> list[tuple[Cause, float]]:
    """Return the causes that twins hold to be there, with probabilities: named, or told by the part itself."""
    found = {n.cause.name: (n.cause, n.probability) for watch in watches for n in watch.named.values()}
    for watch in watches:
        found |= {cause.name: (cause, 1.0) for cause in watch.told_down()}
    return list(found.values())


def answered(arm: str, run: dict[str, Any]) -> bool:
    """Say whether an arm would do anything at all, given the run in which nothing is done; what is told always would.

    `run`: as `play` returned it.
    """
    down = [(name, what) for _, name, what, raised in run["alarms"] if raised and what in ("down", "dark")]
    if arm == "alarms":
        return any(name.startswith("link ") and what == "down" for name, what in down)
    return {"none": False, "rules": bool(down), "twin": bool(run["named"])}.get(arm, True)


def healer_of(run: InProcessRun, world: World, job: dict[str, Any]) -> ByAlarms | ByRules | ByTwin | None:
    """Return what heals in a job's arm; None: nothing."""
    if job["arm"] in ("twin", "told"):
        period_s = float(job["scenario"]["telemetry"]["period_s"])
        return ByTwin(run, world, job["truth"] if job["arm"] == "told" else None, period_s)
    if job["arm"] == "alarms":
        return ByAlarms(run, world)
    return ByRules(run, world) if job["arm"] == "rules" else None


class ByAlarms:
    """An operator without a twin: shortest paths around links in alarm. `run`, `world`: the run, and its world."""

    def __init__(self, run: InProcessRun, world: World) -> None:
        self._run, self._world = run, world
        self._down: set[str] = set()

    def epoch(self, epoch: int, alarms: list[dict[str, Any]], found: dict[str, list[Any]]) -> None:
        """Answer the alarms of an epoch's beginning."""
        before = set(self._down)
        for line in alarms:
            if line["observation"] == "down" and line["object"].startswith("link "):
                (self._down.add if line["raised"] else self._down.discard)(line["object"])
        if self._down != before:
            failed = np.isin(np.arange(self._world.link_count), [int(name.split()[1]) for name in self._down])
            self._run.plant.reroute(reroute(self._world, failed))
        if self._down - before:
            found["acted"].append(float(epoch))


class ByRules:
    """An operator without a twin: a fixed answer to what is told down. `run`, `world`: the run, and its world."""

    def __init__(self, run: InProcessRun, world: World) -> None:
        self._world, self._remedies = world, Remedies(run.plant, world)
        self._causes = {cause.name: cause for cause in causes_of(world, {})}
        self._tickets = {name: ticket for ticket, name in enumerate(self._causes)}

    def epoch(self, epoch: int, alarms: list[dict[str, Any]], found: dict[str, list[Any]]) -> None:
        """Answer the alarms of an epoch's beginning."""
        for line in alarms:
            cause = self._causes.get(line["object"])
            if cause is None or line["observation"] not in ("down", "dark"):
                continue
            ticket = self._tickets[cause.name]
            if not line["raised"]:
                self._remedies.undo(ticket)
                continue
            answers = candidates(self._world, [(cause, 1.0)])[1:2]
            if answers and self._remedies.apply(ticket, answers[0].actions):
                found["acted"].append(float(epoch))


class ByTwin:
    """The healing loop around a run's plant.

    Parameters
    ----------
    run, world
        The run, and its world.
    truth
        [name of a cause, start s, end s] where it is told them; None: as the twins name them.
    period_s
        Between two reports.
    """

    def __init__(self, run: InProcessRun, world: World, truth: list[Any] | None, period_s: float = 1.0) -> None:
        self._run, self._world, self._truth = run, world, truth
        self._loop, self._remedies = HealingLoop(world), Remedies(run.plant, world)
        self._causes = {cause.name: cause for cause in causes_of(world, groups_of(world))}
        self._utility = ToldUtility(world, period_s)

    def epoch(self, epoch: int, alarms: list[dict[str, Any]], found: dict[str, list[Any]]) -> None:
        """Take in an epoch's beginning: what was told and named; carry out what the loop says."""
        now, watches = self._run.now, watches_of(self._run)
        named = self._named((now - ORIGIN) * 1e-9)
        broken = Broken.of(self._world, tuple(cause for cause, _ in named), Degradation())
        measured = self._utility.take(told_together([watch.told_service() for watch in watches]), epoch)
        outlook = Outlook(named, broken, measured, epoch)
        effects = self._loop.handle(now, outlook, lambda: self._model(broken))
        lines = [line for effect in effects for line in self._carry_out(effect, now)]
        found["audits"] += lines
        found["acted"] += [line[0] for line in lines if line[1] == "applied"]

    def _named(self, now_s: float) -> list[tuple[Cause, float]]:
        if self._truth is not None:
            told = [name for name, start, end in self._truth if start + TOLD_AFTER_S <= now_s < end + TOLD_AFTER_S]
            return [(self._causes[name], 1.0) for name in told]
        return held(watches_of(self._run))

    def _model(self, broken: Broken) -> FlowModel:
        """Return the twin's model: rates as told, set-points as they stand, background as planned."""
        world = self._world
        load = np.ones(world.site_count)
        for watch in watches_of(self._run):
            told = watch.told_load()
            load = np.where(told > 0.0, told, load)
        rates = world.group_devices * world.tasks_per_s[:, None] * load[:, None, None]
        return FlowModel(world, Belief(rates, self._shares(), broken))

    def _shares(self) -> Any:
        """Return the standing set-points by group, [S, C, R, 4]."""
        world = self._world
        shape = (*world.group_devices.shape, 4)
        group = (world.device_site * shape[1] + world.device_class) * shape[2] + world.device_ring
        total = np.zeros((int(np.prod(shape[:3])), 4))
        np.add.at(total, group, self._remedies.asked)
        count = np.maximum(np.bincount(group, minlength=len(total)), 1)[:, None]
        shares = total / count
        shares[np.bincount(group, minlength=len(total)) == 0, 0] = 1.0
        return shares.reshape(shape)

    def _carry_out(self, effect: Effect, now: int) -> list[list[Any]]:
        if isinstance(effect, Audit):
            gain = effect.numbers.get("gain", effect.numbers.get("measured", 0.0))
            return [[(effect.at - ORIGIN) * 1e-9, effect.what, effect.reason, effect.text[:200], gain]]
        if isinstance(effect, Apply):
            done = self._remedies.apply(effect.ticket, effect.actions)
            answers = self._loop.confirmed(Confirmed(effect.ticket, done), now)
        elif isinstance(effect, Undo):
            answers = self._loop.confirmed(Confirmed(effect.ticket, self._remedies.undo(effect.ticket), True), now)
        else:
            return []
        return [line for answer in answers for line in self._carry_out(answer, now)]


if __name__ == "__main__":
    serve(play)
