"""The twinning interval: how often telemetry tells the twins what is, against what decisions lose and what bytes cost.

    interval    period of every device's, server's and link's report (`telemetry.period_s`); gateways and twins pass on
                what changed at that pace too, but no more slowly than the scenario says (`tiers.*.report_ms`)
    decisions   "every epoch": as the scenario has them, on what is known; "follow": edge, fog and cloud decide once an
                interval, where that is longer than their own rhythm

A tree decides at most once a base epoch: intervals below it only make telemetry fresher (`faster_than_epoch`). Task
rates older than 2.5 s are not used by an edge that hears newer ones from nobody (`twin.ages`): it goes on with its
belief, so that long intervals are not merely late.

A report says what happened since the one before: short ones count few tasks, and an edge takes the newest of each
device. So the fastest interval need not be the best, and both comparisons are made.

One seed is one world for all intervals. Regret is the mean utility of a task in the plant that the fastest interval has
and this one has not, in percent of its size; `behind_best`: that the best interval has; `missed`: deadlines more often
missed than with the fastest, in points; bytes: on the wire, all tiers, both ways, and those of gateways alone.
Intervals of confidence: 95 %, Student's t, paired by seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.measure import Meter, summary
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import SideBySide, serve
from tiertwin.study.statistics import interval, paired
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from tiertwin.model import Scenario

INTERVALS_S = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
FOLLOW = "follow"
EVERY_EPOCH = "every epoch"
LEAST_S, MOST_S = 0.01, 3_600.0
TIERS = ("device", "edge", "fog", "cloud")


@dataclass(frozen=True)
class Arm:
    """One interval, s, and how decisions go with it."""

    interval_s: float
    decisions: str


@dataclass(frozen=True)
class Outcome:
    """One run: mean utility of a task, share of deadlines missed, 95 % latency, error of beliefs, bytes."""

    utility: float
    missed: float
    latency_p95_ms: float
    state_error: float
    bytes: int
    told: int


def interval_study(
    scenario: Scenario,
    seeds: Sequence[int],
    epochs: int,
    intervals_s: Sequence[float] = INTERVALS_S,
    decisions: Sequence[str] = (EVERY_EPOCH, FOLLOW),
    jobs: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Return ``rows``, one an arm, and ``base_epoch_s``; the shortest interval is what the others are compared with.

    Parameters
    ----------
    seeds, epochs
        Worlds, at least two, and base epochs of each run.
    intervals_s
        In [0.01, 3600] s, at least two, each once.
    decisions
        Among "every epoch" and "follow"; runs that are the same are made once.
    jobs
        Runs at a time, each in a process; by default as many as there are cores.

    Raises
    ------
    InputError
        Fewer than two seeds or intervals, an interval out of range or longer than the run, other decisions.
    """
    _check(scenario, seeds, epochs, intervals_s, decisions)
    ordered = sorted(intervals_s)
    arms = [
        Arm(each, how)
        for how in decisions
        for each in ordered
        if how == EVERY_EPOCH or changed(scenario, Arm(each, how)) != changed(scenario, Arm(each, EVERY_EPOCH))
    ]
    reference = Arm(ordered[0], EVERY_EPOCH)
    arms = [reference, *(arm for arm in arms if arm != reference)]
    plain = scenario.model_dump(mode="json")
    work: list[dict[str, Any]] = [
        {"scenario": plain, "arm": asdict(arm), "seed": seed, "epochs": epochs} for arm in arms for seed in seeds
    ]
    found: dict[Arm, list[Outcome]] = {arm: [] for arm in arms}
    with SideBySide("tiertwin.study.interval", jobs) as workers:
        for job, answer in zip(work, workers.run(work), strict=True):
            arm = Arm(**job["arm"])
            found[arm].append(Outcome(**answer))
            say(f"{arm.interval_s:g} s, {arm.decisions}, seed {job['seed']}: utility {found[arm][-1].utility:.4f}")
    best = max(found.values(), key=lambda mine: sum(one.utility for one in mine))
    rows = [_row(arm, mine, found[reference], best, scenario, epochs) for arm, mine in found.items()]
    return {"rows": rows, "base_epoch_s": scenario.base_epoch_s, "seeds": len(seeds), "epochs": epochs}


def _check(
    scenario: Scenario, seeds: Sequence[int], epochs: int, intervals_s: Sequence[float], decisions: Sequence[str]
) -> None:
    problems = []
    if len(seeds) < 2:
        problems.append(f"seeds: expected at least 2 (an interval needs two worlds), got {len(seeds)}")
    if len(set(intervals_s)) < 2 or len(set(intervals_s)) != len(intervals_s):
        problems.append(f"interval: expected at least two, each once, got {list(intervals_s)}")
    length = epochs * scenario.base_epoch_s
    for each in intervals_s:
        if not LEAST_S <= each <= MOST_S:
            problems.append(f"interval: expected {LEAST_S:g} … {MOST_S:g} s, got {each}")
        elif each > length:
            problems.append(f"interval: {each:g} s is longer than the run of {length:g} s: raise the epochs")
    unknown = [how for how in decisions if how not in (EVERY_EPOCH, FOLLOW)]
    if unknown or not decisions:
        problems.append(f"decisions: expected {EVERY_EPOCH!r} or {FOLLOW!r}, got {unknown or 'none'}")
    if problems:
        raise InputError(problems, "interval study")


def changed(scenario: Scenario, arm: Arm) -> Scenario:
    """Return the scenario with an arm's interval."""
    plain = scenario.model_dump(mode="json")
    plain["telemetry"]["period_s"] = arm.interval_s
    for tier in TIERS:
        rhythm = plain["tiers"][tier]
        rhythm["report_ms"] = max(1, min(rhythm["report_ms"], round(1e3 * arm.interval_s)))
        if arm.decisions == FOLLOW:
            rhythm["control_every"] = max(rhythm["control_every"], round(arm.interval_s / scenario.base_epoch_s))
    return load(plain)


def run_one(scenario: Scenario, arm: Arm, seed: int, epochs: int) -> Outcome:
    """Play one world with one arm."""
    plan = make_plan(changed(scenario, arm), epochs, seed, [HIERARCHICAL])
    run = make_run(plan, resolve(plan.scenario), HIERARCHICAL, master_solver(plan.scenario.policy.master_solver))
    meter = Meter(run.world)
    for epoch in range(epochs):
        run.run_epoch(epoch)
        meter.epoch(run.observe(), *run.plant_books())
    figures = summary(meter, run.observe(), 0.0, run.peak_mb)
    moved = figures["bytes"]
    return Outcome(
        utility=figures["utility_mean"],
        missed=figures["deadline_miss_ratio"],
        latency_p95_ms=figures["latency_p95_ms"],
        state_error=figures["state_error"],
        bytes=sum(way for pair in moved.values() for way in pair.values()),
        told=moved["device-edge"]["up"],
    )


def _row(
    arm: Arm, mine: list[Outcome], fastest: list[Outcome], best: list[Outcome], scenario: Scenario, epochs: int
) -> dict[str, Any]:
    size = abs(sum(one.utility for one in fastest) / len(fastest))
    regret, behind = (
        paired([one.utility for one in other], [one.utility for one in mine]) for other in (fastest, best)
    )
    missed = paired([one.missed for one in mine], [one.missed for one in fastest])
    error = interval([one.state_error for one in mine])
    each = len(mine) * epochs
    return {
        "interval_s": arm.interval_s,
        "decisions": arm.decisions,
        "faster_than_epoch": arm.interval_s < scenario.base_epoch_s,
        "regret_percent": 100.0 * regret.mean / size,
        "regret_half": 100.0 * regret.half / size,
        "behind_best_percent": 100.0 * behind.mean / size,
        "behind_best_half": 100.0 * behind.half / size,
        "missed_points": 100.0 * missed.mean,
        "missed_half": 100.0 * missed.half,
        "latency_p95_ms": interval([one.latency_p95_ms for one in mine]).mean,
        "state_error": error.mean,
        "state_error_half": error.half,
        "bytes_an_epoch": sum(one.bytes for one in mine) / each,
        "told_an_epoch": sum(one.told for one in mine) / each,
    }


def _work(plain: dict[str, Any]) -> dict[str, Any]:
    return asdict(run_one(load(plain["scenario"]), Arm(**plain["arm"]), plain["seed"], plain["epochs"]))


if __name__ == "__main__":
    serve(_work)
