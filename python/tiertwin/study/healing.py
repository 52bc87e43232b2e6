"""The closed loop against faults of the running plant: how soon service is back, and what was lost meanwhile.

A seed draws faults, one after the other; every way to heal (`healingruns.ARMS`) meets the same ones, and a run without
faults says what would have been. Of each fault:

    hit          sites that serve less than `HIT` of what they do in the run without faults, while nothing heals; those
                 of fewer than `FEW` tasks a second are left out. A fault that hits none is harmless: no restoration
    deficit      tasks served by the run without faults less those served, in an epoch; of the sites hit
    depth        largest deficit of the first three epochs where nothing heals
    restored     start of the first epoch from which the deficit stays, for `STAYS` epochs, at most `BACK` of the depth;
                 at the latest the fault's own end: it is repaired then
    detect       to the first alarm; localise: to a true cause being named; decide: to something being put in force;
                 apply: to service being back. Stages a way to heal has not got are left out
    lost         deficit of all sites from its start to `REST_S` after its end, of what was offered
    outages      sites that serve less than half of what they do without faults for `OUTAGE_S` in a row; and seconds
    cost         utility a task of the run without faults less that measured, over the same time; by the plant's books

Paired by seed, 95 % intervals (Student's t).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError
from tiertwin.functions.assure.dependencies import dependencies
from tiertwin.plant.faults import groups_of
from tiertwin.runtime.sidebyside import SideBySide
from tiertwin.study.faultruns import event_of
from tiertwin.study.healingruns import ARMS, TOLD_AFTER_S
from tiertwin.study.localise import WARM_S, draw, prepared
from tiertwin.study.statistics import interval, paired
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.causes import Cause
    from tiertwin.model import Scenario
    from tiertwin.world import World

    F64 = NDArray[np.float64]

KINDS = ("link", "node", "server", "degraded", "slow", "group")
FOR_S, REST_S = 30, 15
HIT, FEW, BACK, STAYS = 0.9, 10.0, 0.2, 3
OUTAGE_S = 5
SEVERITY = {"capacity": 0.5, "loss": 0.02, "speed": 0.4}
CLAIMS = {"restoration_s": -25.0, "outages": -30.0}  # %, of the survey, which names no source and no baseline
FIGURES = ("restoration_s", "lost_percent", "outages", "outage_s", "availability_percent", "cost", "actions")
BASES = ("none", "alarms", "rules")
STAGES = ("detect_s", "localise_s", "decide_s", "apply_s")


@dataclass(frozen=True)
class Fault:
    """One fault of a seed."""

    cause: Cause
    start_s: int

    @property
    def end_s(self) -> int:
        """When it is repaired."""
        return self.start_s + FOR_S


def healing_study(
    scenario: Scenario,
    seeds: range,
    faults: int = 3,
    loss: float = 0.1,
    jobs: int | None = None,
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
    say
        Called with a line now and then.

    Raises
    ------
    InputError
        Fewer than two seeds, no fault, or a loss out of range.
    """
    if len(seeds) < 2 or faults < 1 or not 0.0 <= loss < 1.0:
        raise InputError(
            f"expected two seeds, a fault and a loss of 0 … 1, got {len(seeds)}, {faults}, {loss}", "healing"
        )
    watched = prepared(scenario, loss, seeds[0])
    world = resolve(watched)
    graph = dependencies(world, groups_of(world))
    plans = {}
    for seed in seeds:
        drawn = draw(np.random.default_rng(seed), graph, [KINDS], faults)
        plans[seed] = [Fault(causes[0], WARM_S + k * (FOR_S + REST_S)) for k, causes in enumerate(drawn)]
    wanted = [_job(watched, world, seed, plans[seed], arm) for seed in seeds for arm in ("clean", *ARMS)]
    with SideBySide("tiertwin.study.healingruns", jobs) as workers:
        answers = []
        for number, answer in enumerate(workers.run(wanted)):
            answers.append(answer)
            say(f"run {number + 1} of {len(wanted)}")
    by_seed = [dict(zip(("clean", *ARMS), answers[k : k + 1 + len(ARMS)], strict=True)) for k in _starts(answers)]
    told = [
        {arm: [judged(fault, runs, arm) for fault in plans[seed]] for arm in ARMS}
        for seed, runs in zip(seeds, by_seed, strict=True)
    ]
    return {
        "rows": [_row(arm, told) for arm in ARMS],
        "differences": [_difference(arm, base, told) for arm in ("twin", "told") for base in BASES],
        "faults": [
            {"seed": seed, "cause": fault.cause.name, "arm": arm} | told[k][arm][n]
            for k, seed in enumerate(seeds)
            for n, fault in enumerate(plans[seed])
            for arm in ARMS
        ],
        "guard": _guarded([runs["twin"]["audits"] for runs in by_seed]),
        "seeds": list(seeds),
        "loss": loss,
    }


def _starts(answers: list[Any]) -> range:
    return range(0, len(answers), 1 + len(ARMS))


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


# -- one fault ---------------------------------------------------------------------------------------------------------


def judged(fault: Fault, runs: dict[str, dict[str, Any]], arm: str) -> dict[str, float]:
    """Return the figures of a fault under one way to heal; NaN where there is none. Epochs are seconds."""
    good, none, served = (np.array(runs[name]["served"], dtype=np.float64) for name in ("clean", "none", arm))
    offered = np.array(runs["clean"]["offered"], dtype=np.float64)
    during, after = slice(fault.start_s, fault.end_s), slice(fault.start_s, fault.end_s + REST_S)
    hit = hit_sites(good[during], none[during])
    out = (served[during] < 0.5 * good[during]) & (good[during].mean(axis=0) >= FEW)
    cost = np.subtract(runs["clean"]["utility"][after], runs[arm]["utility"][after])
    figures = {
        "lost_percent": 100.0 * float((good - served)[after].sum() / offered[after].sum()),
        "availability_percent": 100.0 * float(np.minimum(served[during].sum() / max(good[during].sum(), 1.0), 1.0)),
        "outages": float(sum(longest(column) >= OUTAGE_S for column in out.T)),
        "outage_s": float(out.sum()),
        "cost": float(np.mean(cost)),
        "actions": float(sum(fault.start_s < t <= fault.end_s for t in runs[arm]["acted"])),
        "restoration_s": restored(
            (good - served)[during][:, hit].sum(axis=1), (good - none)[during][:, hit].sum(axis=1)
        ),
    }
    return figures | _stages(fault, runs[arm], figures["restoration_s"], arm)


def hit_sites(good: F64, none: F64) -> NDArray[np.bool_]:
    """Return the sites that a fault hits, [S], of tasks served without it and where nothing heals, [E, S]."""
    hit: NDArray[np.bool_] = (none.mean(axis=0) < HIT * good.mean(axis=0)) & (good.mean(axis=0) >= FEW)
    return hit


def longest(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of true ones."""
    best = now = 0
    for flag in flags.tolist():
        now = now + 1 if flag else 0
        best = max(best, now)
    return best


def restored(deficit: F64, worst: F64) -> float:
    """Return seconds to service being back; NaN where nothing was missing.

    Parameters
    ----------
    deficit, worst
        Tasks of each epoch of the fault, and where nothing heals, [E].
    """
    depth = float(worst[:3].max(initial=0.0))
    if depth <= 0.0:
        return float("nan")
    back = deficit <= BACK * depth
    for epoch in range(len(back) - STAYS + 1):
        if back[epoch : epoch + STAYS].all():
            return float(epoch)
    return float(len(deficit))


def _stages(fault: Fault, run: dict[str, Any], restoration: float, arm: str) -> dict[str, float]:
    """Return the stages of restoration, s from one to the next."""
    alarm = _first([e for e, _, _, raised in run["alarms"] if raised], fault)
    named = _first([e for e, name in run["named"] if name == fault.cause.name], fault)
    applied = _first(run["acted"], fault)
    if arm == "told":
        alarm = named = float(fault.start_s + TOLD_AFTER_S)
    elif arm != "twin":
        named = alarm  # nobody looks for the cause
    back = fault.start_s + restoration
    return {
        "detect_s": alarm - fault.start_s,
        "localise_s": named - alarm,
        "decide_s": applied - named,
        "apply_s": max(back - applied, 0.0) if back < fault.end_s else float("nan"),
    }


def _first(times: list[float], fault: Fault) -> float:
    return min((t for t in times if fault.start_s < t <= fault.end_s), default=float("nan"))


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


def _guarded(books: list[list[list[Any]]]) -> dict[str, int]:
    """Return how often the guard said what, and why."""
    counts: dict[str, int] = {}
    for line in (line for book in books for line in book):
        what = f"{line[1]} {line[2]}".strip()
        counts[what] = counts.get(what, 0) + 1
    return dict(sorted(counts.items()))
