"""Children that lie, in the running plant: who is found out, how soon, and what their lies cost decisions.

    liars     a share of the children, drawn by the seed, begin to lie between `FROM_S` and `UNTIL_S`, and go on
    positive  a liar that told at least one report that differs from the truth (an idle meter times three does not)
    found     in quarantine at any time after its first false report. Of honest children any quarantine is a false one,
              and of a liar one before it lied
    epochs    the same counted by child and epoch, so that it says how long liars are believed and honest ones are not
    loss      mean utility of a task in the plant that the same seed without liars and without a defence has and this
              run has not, over the epochs from `FROM_S` on, in percent of its size

Arms: no defence, static bounds, medians of groups, evidence with quarantine (`trust` of a scenario); each against every
kind of lie alone and against all of them at once; and the defences without any liar. Twins never see who lies.
Intervals of confidence: 95 %, Student's t over seeds, losses paired by seed. Limits were chosen on seed 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.plant.liars import KINDS
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.measure import Meter, plant_utility
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import SideBySide, serve
from tiertwin.study.kept import Kept
from tiertwin.study.statistics import interval, paired
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from tiertwin.model import Scenario
    from tiertwin.plant.liars import LiarState
    from tiertwin.world import World

FROM_S, UNTIL_S = 10.0, 20.0
NONE = "none"
DEFENCES = (NONE, "bounds", "median", "evidence")
ALL = "all"
CLEAN = "clean"
Child = tuple[int, int]  # site, device of the site; -1: its gateway


def poison_study(
    scenario: Scenario,
    seeds: Sequence[int],
    epochs: int = 120,
    share: float = 0.1,
    strength: float = 2.0,
    of: str = "device",
    kinds: Sequence[str] = (*KINDS, ALL),
    defences: Sequence[str] = DEFENCES,
    jobs: int | None = None,
    keep: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Return ``rows``, one a kind of lie and defence, and ``by_kind``: liars found where all kinds lie at once.

    Parameters
    ----------
    seeds, epochs
        Worlds, at least two, and base epochs of each run, longer than `UNTIL_S`.
    share, strength, of
        Of the liars: see :class:`tiertwin.model.faults.Lying`.
    kinds
        Among the four and ``all``.
    defences
        Among `DEFENCES`; `none` is always there.
    jobs
        Runs at a time, each in a process; by default as many as there are cores.
    keep
        A file of runs that are done, a line each: what it has is not run again.

    Raises
    ------
    InputError
        Fewer than two seeds, a run that ends before all lie, a share, kind or defence out of range; `keep` is of
        another study.
    """
    _check(scenario, seeds, epochs, share, kinds, defences)
    defences = (NONE, *(d for d in DEFENCES if d in defences and d != NONE))
    arms = [(CLEAN, defence) for defence in defences] + [(kind, defence) for kind in kinds for defence in defences]
    known = Kept(keep, {"poison": scenario.model_dump(mode="json"), "lying": [share, strength, of], "epochs": epochs})
    wanted = [(*arm, seed) for arm in arms for seed in seeds if (*arm, seed) not in known]
    work = []
    for lie, defence, seed in wanted:
        plain = armed(scenario, lie, defence, share, strength, of).model_dump(mode="json")
        work.append({"scenario": plain, "seed": seed, "epochs": epochs})
    with SideBySide("tiertwin.study.poison", jobs) as workers:
        for part, answer in zip(wanted, workers.run(work), strict=True):
            known.add(part, answer)
            say(f"{part[0]}, defence {part[1]}, seed {part[2]}: utility {answer['utility']:.4f}")
    found = {arm: [known[(*arm, seed)] for seed in seeds] for arm in arms}
    clean = [run["utility"] for run in found[CLEAN, NONE]]
    rows = [_row(arm, runs, clean) for arm, runs in found.items()]
    by_kind = _by_kind(found[ALL, "evidence"]) if (ALL, "evidence") in found else []
    return {"rows": rows, "by_kind": by_kind, "seeds": len(seeds), "epochs": epochs, "share": share, "of": of}


def _check(
    scenario: Scenario,
    seeds: Sequence[int],
    epochs: int,
    share: float,
    kinds: Sequence[str],
    defences: Sequence[str],
) -> None:
    problems = []
    if len(seeds) < 2:
        problems.append(f"seeds: expected at least 2 (an interval needs two worlds), got {len(seeds)}")
    if epochs * scenario.base_epoch_s <= UNTIL_S:
        problems.append(f"epochs: expected more than {UNTIL_S:g} s, when all lie, got {epochs * scenario.base_epoch_s}")
    if not 0.0 < share < 1.0:
        problems.append(f"share: expected 0 … 1, got {share}")
    problems += [f"lie: expected one of {', '.join((*KINDS, ALL))}, got {k!r}" for k in kinds if k not in (*KINDS, ALL)]
    problems += [f"defence: expected one of {', '.join(DEFENCES)}, got {d!r}" for d in defences if d not in DEFENCES]
    if problems:
        raise InputError(problems, "poison study")


def armed(scenario: Scenario, lie: str, defence: str, share: float, strength: float, of: str) -> Scenario:
    """Return the scenario with its liars and its defence; all have the section `faults`, so that all tell the same."""
    faults: dict[str, Any] = {}
    if lie != CLEAN:
        kinds = list(KINDS) if lie == ALL else [lie]
        rule = {"share": share, "strength": strength, "of": of, "kinds": kinds, "at_s": [FROM_S, UNTIL_S]}
        faults = {"lying": rule}
    trust = None if defence == NONE else {"method": defence}
    return load(scenario, faults=faults, trust=trust)


# -- one run -----------------------------------------------------------------------------------------------------------


def play(job: dict[str, Any]) -> dict[str, Any]:
    """Run a job: ``scenario`` as written, ``seed``, ``epochs``; return its utility and who was found when."""
    scenario = load(job["scenario"])
    plan = make_plan(scenario, job["epochs"], job["seed"], [HIERARCHICAL])
    run = make_run(plan, resolve(scenario), HIERARCHICAL, master_solver(scenario.policy.master_solver))
    meter, watch = Meter(run.world), _Watch()
    first = int(FROM_S / scenario.base_epoch_s)
    for epoch in range(job["epochs"]):
        run.run_epoch(epoch)
        books = run.plant_books()
        watch.take(epoch, run.take_records())
        if epoch >= first:
            meter.epoch(run.observe(), *books)
    scale = scenario.base_epoch_s
    liars = [_told(run.world, state, watch, job["epochs"], scale) for state in run.plant.truth_liars() if state.false]
    ever = {_child(run.world, state) for state in run.plant.truth_liars()}
    honest = [child for child in watch.epochs if child not in ever]
    return {
        "utility": plant_utility(run.world, meter.merged()),
        "liars": liars,
        "false": len(honest),
        "false_epochs": sum(len(watch.epochs[child]) for child in honest),
        "reasons": [watch.reasons[child] for child in honest],
    }


class _Watch:
    """Who was in quarantine in which epochs, by whichever twin."""

    def __init__(self) -> None:
        self.epochs: dict[Child, list[int]] = {}
        self.reasons: dict[Child, str] = {}
        self._out: dict[Child, set[int]] = {}

    def take(self, epoch: int, records: Sequence[dict[str, Any]]) -> None:
        """Take an epoch's records."""
        for line in records:
            if line["what"] != "quarantine":
                continue
            child = (int(line["site"]), int(line.get("device", -1)))
            by = self._out.setdefault(child, set())
            if line.get("over"):
                by.discard(int(line["node"]))
            else:
                by.add(int(line["node"]))
                self.reasons.setdefault(child, line["reason"])
        for child, by in self._out.items():
            if by:
                self.epochs.setdefault(child, []).append(epoch)


def _child(world: World, state: LiarState) -> Child:
    lie = state.lie
    return lie.site, -1 if lie.device < 0 else lie.device - int(world.device_rows[lie.site])


def _told(world: World, state: LiarState, watch: _Watch, epochs: int, epoch_s: float) -> dict[str, Any]:
    """What became of one liar: when it was found after its first false report, s, and epochs in and out of it."""
    child, first = _child(world, state), state.first_ns * 1e-9 / epoch_s
    since = int(first)
    held = watch.epochs.get(child, [])
    found = next((epoch for epoch in held if epoch >= since), None)
    out = sum(epoch >= since for epoch in held)
    return {
        "kind": state.lie.kind,
        "delay_s": None if found is None else max(found - first, 0.0) * epoch_s,
        "early": any(epoch < since for epoch in held),
        "caught_epochs": out,
        "missed_epochs": epochs - since - out,
        "false_reports": state.false,
        "class": int(world.device_class[state.lie.device]) if state.lie.device >= 0 else -1,
    }


# -- many runs ---------------------------------------------------------------------------------------------------------


def _row(arm: tuple[str, str], runs: list[dict[str, Any]], clean: list[float]) -> dict[str, Any]:
    size = abs(float(np.mean(clean)))
    loss = paired(clean, [run["utility"] for run in runs])
    row: dict[str, Any] = {
        "lie": arm[0],
        "defence": arm[1],
        "loss_percent": 100.0 * loss.mean / size,
        "loss_half": 100.0 * loss.half / size,
        "false_a_run": float(np.mean([run["false"] + sum(liar["early"] for liar in run["liars"]) for run in runs])),
    }
    if arm[1] != "evidence" or arm[0] == CLEAN:
        return row
    return row | scores(runs)


def scores(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return precision, recall and F1 over all runs, by children and by epochs, and the delay of those found."""
    liars = [liar for run in runs for liar in run["liars"]]
    caught = sum(liar["delay_s"] is not None for liar in liars)
    false = sum(run["false"] + sum(liar["early"] for liar in run["liars"]) for run in runs)
    delays = [liar["delay_s"] for liar in liars if liar["delay_s"] is not None]
    out, missed = (sum(liar[key] for liar in liars) for key in ("caught_epochs", "missed_epochs"))
    wrong = sum(run["false_epochs"] for run in runs)
    each = [_f1([run]) for run in runs if run["liars"]]
    return {
        "liars": len(liars),
        "precision": caught / max(caught + false, 1),
        "recall": caught / max(len(liars), 1),
        "f1": _f1(runs),
        "f1_half": interval(each).half,
        "f1_epochs": 2.0 * out / max(2.0 * out + missed + wrong, 1e-12),
        "delay_s": float(np.mean(delays)) if delays else None,
        "delay_90_s": float(np.quantile(delays, 0.9)) if delays else None,
    }


def _f1(runs: Sequence[dict[str, Any]]) -> float:
    liars = [liar for run in runs for liar in run["liars"]]
    caught = sum(liar["delay_s"] is not None for liar in liars)
    false = sum(int(run["false"]) + sum(liar["early"] for liar in run["liars"]) for run in runs)
    return float(2.0 * caught / max(caught + false + len(liars), 1))


def _by_kind(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for kind in KINDS:
        liars = [liar for run in runs for liar in run["liars"] if liar["kind"] == kind]
        delays = [liar["delay_s"] for liar in liars if liar["delay_s"] is not None]
        rows.append(
            {
                "lie": kind,
                "liars": len(liars),
                "recall": len(delays) / max(len(liars), 1),
                "delay_s": float(np.mean(delays)) if delays else None,
                "delay_90_s": float(np.quantile(delays, 0.9)) if delays else None,
            }
        )
    return rows


if __name__ == "__main__":
    serve(play)
