"""One run with faults under one way to heal: a worker of `study healing`.

``none``    nothing
``alarms``  no twin: a link whose alarm is raised is gone around by shortest paths at the end of that epoch, all routes;
            back when the alarm is cleared
``twin``    causes as the domain's twins name them, `orchestrate.healing.HealingLoop`, `plant.remedies`
``told``    the same, told the true causes at the end of the epoch in which they come

What the guard measures is the utility a task of each epoch, by the plant's books: exact, where an operator's is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.functions.assure.causes import Cause, causes_of
from tiertwin.functions.assure.impact import Broken, Degradation
from tiertwin.functions.heal.flowmodel import Belief, FlowModel
from tiertwin.orchestrate.guardwords import Apply, Audit, Confirmed, Effect, Measured, Undo
from tiertwin.orchestrate.healing import HealingLoop, Outlook
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.plant.faults import groups_of
from tiertwin.plant.remedies import Remedies
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.measure import plant_utility
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import serve
from tiertwin.study.faultruns import watches_of
from tiertwin.world import load, resolve
from tiertwin.world.rerouting import reroute

if TYPE_CHECKING:
    from tiertwin.runtime.inprocess import InProcessRun
    from tiertwin.world import World

ARMS = ("none", "alarms", "twin", "told")
RECENT = 5  # epochs whose spread is the error of a measurement


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
        raised); ``named``: (epoch, cause); ``audits``: (time s, what, reason, text, cause's gain).
    """
    scenario = load(job["scenario"])
    world = resolve(scenario)
    plan = make_plan(scenario, job["epochs"], job["seed"], [HIERARCHICAL])
    run = make_run(plan, world, HIERARCHICAL, master_solver(scenario.policy.master_solver))
    healer = _Healer(run, world, job) if job["arm"] in ("twin", "told") else None
    found: dict[str, list[Any]] = {name: [] for name in ("offered", "served", "utility", "alarms", "named", "audits")}
    down: set[str] = set()
    for epoch in range(job["epochs"]):
        run.run_epoch(epoch)
        books, _ = run.plant_books()
        found["offered"].append(books.by_site_class("generated").sum(axis=1).tolist())
        found["served"].append(books.by_site_class("completed").sum(axis=1).tolist())
        found["utility"].append(plant_utility(world, books))
        lines = [line for line in run.take_records() if line["what"] == "alarm"]
        found["alarms"] += [[epoch, line["object"], line["observation"], line["raised"]] for line in lines]
        for watch in watches_of(run):
            found["named"] += [[epoch, name] for name in watch.named]
        if job["arm"] == "alarms":
            _by_alarms(run, world, lines, down)
        if healer is not None:
            found["audits"] += healer.epoch(epoch, found["utility"])
    return found


def _by_alarms(run: InProcessRun, world: World, lines: list[dict[str, Any]], down: set[str]) -> None:
    """Lead all routes around links whose alarm `down` is raised, as soon as that changes."""
    before = set(down)
    for line in lines:
        if line["observation"] == "down" and line["object"].startswith("link "):
            (down.add if line["raised"] else down.discard)(line["object"])
    if down != before:
        failed = np.isin(np.arange(world.link_count), [int(name.split()[1]) for name in down])
        run.plant.reroute(reroute(world, failed))


class _Healer:
    """The healing loop around a run's plant."""

    def __init__(self, run: InProcessRun, world: World, job: dict[str, Any]) -> None:
        self._run, self._world = run, world
        self._loop, self._remedies = HealingLoop(world), Remedies(run.plant, world)
        self._truth = job["truth"] if job["arm"] == "told" else None
        self._causes = {cause.name: cause for cause in causes_of(world, groups_of(world))}

    def epoch(self, epoch: int, utility: list[float]) -> list[list[Any]]:
        """Take in the end of an epoch; return the guard's book of it."""
        start, end = (self._run.start_of(e) for e in (epoch, epoch + 1))
        named = self._named(end * 1e-9)
        broken = Broken.of(self._world, tuple(cause for cause, _ in named), Degradation())
        recent = utility[-RECENT:]
        error = float(np.std(recent, ddof=1)) if len(recent) > 1 else 0.0
        since = start if epoch else 0
        measured = Measured(utility[-1], error, since, end, epoch)
        outlook = Outlook(named, broken, measured, epoch, self._background(epoch))
        effects = self._loop.handle(end, outlook, lambda: self._model(broken, epoch))
        return [line for effect in effects for line in self._carry_out(effect, end)]

    def _named(self, now_s: float) -> list[tuple[Cause, float]]:
        if self._truth is not None:
            return [(self._causes[name], 1.0) for name, start, end in self._truth if start <= now_s < end]
        return [(n.cause, n.probability) for watch in watches_of(self._run) for n in watch.named.values()]

    def _background(self, epoch: int) -> float:
        profile = self._world.profile_background
        return float(profile[epoch % len(profile)])

    def _model(self, broken: Broken, epoch: int) -> FlowModel:
        """Return the twin's model: rates as told, set-points as they stand."""
        world = self._world
        load = np.ones(world.site_count)
        for watch in watches_of(self._run):
            told = watch.told_load()
            load = np.where(told > 0.0, told, load)
        rates = world.group_devices * world.tasks_per_s[:, None] * load[:, None, None]
        return FlowModel(world, Belief(rates, self._shares(), broken, self._background(epoch)))

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
            return [[effect.at * 1e-9, effect.what, effect.reason, effect.text[:200], gain]]
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
