"""The closed loop against faults of the running plant: how soon service is back, and what was lost meanwhile.

A seed draws faults, one after the other, the kinds in turn; every way to heal (`healingruns.ARMS`) meets the same ones,
and a run without faults says what would have been. What is counted: `healingfigures`. Paired by seed, 95 % intervals
(Student's t).

Twins decide every `DECIDE_EVERY` base epochs and look at every one: deciding is half of a run's time, and what heals is
not the allocation. Runs are the same to the bit up to what is done in them. So where the run without healing raised no
alarm that a way without a twin answers, or no cause was named in it for the twin, that run stands for that way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.plant.faults import groups_of
from tiertwin.runtime.sidebyside import SideBySide
from tiertwin.study.faultruns import event_of
from tiertwin.study.healingfigures import FIGURES, FOR_S, REST_S, STAGES, Fault, judged
from tiertwin.study.healingruns import ARMS, answered
from tiertwin.study.kept import Kept
from tiertwin.study.localise import WARM_S, draw, prepared
from tiertwin.study.statistics import interval, paired
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from tiertwin.functions.assure.dependencies import Dependencies
    from tiertwin.model import Scenario
    from tiertwin.world import World

    Run = dict[str, Any]

KINDS = ("link", "server", "group", "slow", "node", "degraded")
SEVERITY = {"capacity": 0.5, "loss": 0.02, "speed": 0.4}
CLAIMS = {"restoration_s": -25.0, "outages": -30.0}  # %, of the survey, which names no source and no baseline
BASES = ("none", "alarms", "rules")
DUCTS_SEED = 1
DECIDE_EVERY = 4


def healing_study(
    scenario: Scenario,
    seeds: Sequence[int],
    faults: int = 1,
    loss: float = 0.1,
    jobs: int | None = None,
    keep: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Play every seed under every way to heal.

    Parameters
    ----------
    scenario
        Its day is made flat, and it is watched, as in `study.localise`.
    seeds
        Two at least.
    faults
        Of a seed.
    loss
        Share of telemetry lost.
    jobs
        Runs at a time.
    keep
        File to which what a seed came to is written, a line a seed; seeds that are in it are not played again.
    say
        Called with a line now and then.

    Raises
    ------
    InputError
        Fewer than two seeds, no fault, a loss out of range, or a file of another study.
    """
    if len(seeds) < 2 or faults < 1 or not 0.0 <= loss < 1.0:
        raise InputError(
            f"expected two seeds, a fault and a loss of 0 … 1, got {len(seeds)}, {faults}, {loss}", "healing"
        )
    what = {
        "scenario": scenario.name,
        "faults": faults,
        "loss": loss,
        "for_s": FOR_S,
        "rest_s": REST_S,
        "decide_every": DECIDE_EVERY,
    }
    known = Kept(keep, what)
    every = {f"tiers__{tier}__control_every": DECIDE_EVERY for tier in ("edge", "fog", "cloud")}
    watched = load(prepared(scenario, loss, DUCTS_SEED), **every)
    world = resolve(watched)
    graph = dependencies(world, groups_of(world))
    told = []
    with SideBySide("tiertwin.study.healingruns", jobs) as workers:
        for seed in seeds:
            if seed not in known:
                known.add(seed, _played(workers, watched, world, seed, plan_of(graph, seed, faults)))
            told.append(known[seed])
            say(f"seed {seed}: " + ", ".join(row["cause"] for row in known[seed]["faults"]))
    by_arm = [{arm: [row["arms"][arm] for row in seed["faults"]] for arm in ARMS} for seed in told]
    return {
        "rows": [_row(arm, by_arm) for arm in ARMS],
        "differences": [_difference(arm, base, by_arm) for arm in ("twin", "told") for base in BASES],
        "faults": [{"seed": seed, **row} for seed, one in zip(seeds, told, strict=True) for row in one["faults"]],
        "guard": dict(sorted(sum((Counter(one["guard"]) for one in told), Counter()).items())),
        "seeds": list(seeds),
        "loss": loss,
    }


def plan_of(graph: Dependencies, seed: int, faults: int) -> list[Fault]:
    """Draw a seed's faults: kinds in turn, where by chance."""
    random = np.random.default_rng(seed)
    drawn = [draw(random, graph, [(KINDS[(seed + k) % len(KINDS)],)], 1)[0][0] for k in range(faults)]
    return [Fault(cause, WARM_S + k * (FOR_S + REST_S)) for k, cause in enumerate(drawn)]


def _played(workers: SideBySide, scenario: Scenario, world: World, seed: int, plan: list[Fault]) -> dict[str, Any]:
    """Play a seed under every way to heal; return the figures of its faults, and the guard's book."""

    def played(arms: Sequence[str]) -> dict[str, Run]:
        return dict(zip(arms, workers.run([_job(scenario, world, seed, plan, arm) for arm in arms]), strict=True))

    runs = played(("clean", "none"))
    others = [arm for arm in ARMS if arm != "none" and answered(arm, runs["none"])]
    runs |= {arm: runs["none"] for arm in ARMS if arm not in others} | played(others)
    causes = [
        {"cause": fault.cause.name, "kind": fault.cause.kind, "arms": {arm: judged(fault, runs, arm) for arm in ARMS}}
        for fault in plan
    ]
    return {"faults": causes, "guard": _guarded(runs["twin"]["audits"])}


def _job(scenario: Scenario, world: World, seed: int, faults: list[Fault], arm: str) -> dict[str, Any]:
    """Return a run of a seed."""
    events = [event_of(world, fault.cause, fault.start_s, FOR_S, SEVERITY) for fault in faults if arm != "clean"]
    return {
        "scenario": load(scenario, faults={"events": events}).model_dump(mode="json"),
        "seed": seed,
        "epochs": faults[-1].end_s + REST_S,
        "arm": "none" if arm == "clean" else arm,
        "truth": [[fault.cause.name, fault.start_s, fault.end_s] for fault in faults],
    }


# -- all of them -------------------------------------------------------------------------------------------------------


def _of_seed(told: dict[str, list[dict[str, float]]], arm: str, figure: str) -> float:
    values = np.array([row[figure] for row in told[arm]])
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")


def _row(arm: str, told: list[dict[str, list[dict[str, float]]]]) -> dict[str, Any]:
    """Return the figures of a way to heal: means over seeds with half of their interval."""
    row: dict[str, Any] = {"healing": arm}
    for figure in (*FIGURES, *STAGES):
        values = [v for v in (_of_seed(seed, arm, figure) for seed in told) if np.isfinite(v)]
        found = interval(values)
        row |= {figure: found.mean, f"{figure}_half": found.half}
    return row


def _difference(arm: str, base: str, told: list[dict[str, list[dict[str, float]]]]) -> dict[str, Any]:
    """Return an arm less a baseline, paired by seed, and in percent of the baseline beside the claim."""
    row: dict[str, Any] = {"healing": arm, "less": base}
    for figure in FIGURES:
        pairs = [(_of_seed(seed, arm, figure), _of_seed(seed, base, figure)) for seed in told]
        pairs = [pair for pair in pairs if np.isfinite(pair).all()]
        found = paired([a for a, _ in pairs], [b for _, b in pairs])
        mean = float(np.mean([b for _, b in pairs])) if pairs else float("nan")
        row |= {figure: found.mean, f"{figure}_half": found.half}
        if figure in CLAIMS:
            row |= {
                f"{figure}_percent": 100.0 * found.mean / mean if mean else float("nan"),
                f"{figure}_claimed": CLAIMS[figure],
            }
    return row


def _guarded(book: list[list[Any]]) -> dict[str, int]:
    """Return how often the guard said what, and why."""
    return dict(Counter(f"{line[1]} {line[2]}".strip() for line in book))
