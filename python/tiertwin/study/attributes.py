"""What telling less costs: bytes against regret, for several ways to choose what is told, in a running tree.

    all        every attribute of every device, server and link, beyond its dead-band: the reference
    worth      what an error would cost the decision, cell by cell (`orchestrate/asking.py`)
    oracle     the same, asked anew each epoch and asking unpaid: what better or fresher worths could win
    fixed      the catalogue's order, what decisions read first; random: some order, another one at each site
    variance   what varies most comes first
    none       prices and plans only

One seed is one world for all arms, dead-bands are on in all of them, and every arm has the same budget of bytes, asking
included. Worlds have all sensors but those of rain, which a scenario has or has not: counters of frames, wear of
servers and links (`SENSORS`). So there is more to tell than decisions read. Regret is the mean utility of a task in the
plant that `all` has and the arm has not, in percent of the size of that of `all`. Intervals: 95 %, Student's t, paired
by seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.orchestrate.economy import Economy
from tiertwin.orchestrate.gateway import GatewayController
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.runtime.execute import make_run
from tiertwin.runtime.measure import Meter, summary
from tiertwin.runtime.plan import make_plan
from tiertwin.runtime.sidebyside import SideBySide, serve
from tiertwin.study.kept import Kept
from tiertwin.study.statistics import interval, paired
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from tiertwin.model import Scenario
    from tiertwin.runtime.inprocess import InProcessRun

ALL, NONE, WORTH, ORACLE = "all", "none", "worth", "oracle"
BUDGETED = (WORTH, ORACLE, "fixed", "random", "variance")
SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
SECOND = 1_000_000_000
HOT = {"idle_w": 120.0, "max_w": 350.0, "k_per_w": 0.08, "wear_k": 10.0}
SENSORS: dict[str, Any] = {
    "faults": {},
    "failures": {
        "links": {"degradation": {"drift_per_s": 1e-8, "sigma": 1e-5}},
        "sites": {"degradation": {"drift_per_s": 1e-8, "sigma": 1e-5}, "heat": HOT},
    },
}
"""Sections a world gets that has none: counters of frames, and parts that last three years, with their sensors."""


@dataclass(frozen=True)
class Arm:
    """One way to choose, at one share of the bytes of `all`."""

    selection: str
    share: float


@dataclass(frozen=True)
class _Job:
    arm: Arm
    budget: float  # as the scenario counts it: a share of telling everything each period
    seed: int
    epochs: int


@dataclass(frozen=True)
class Outcome:
    """One run: bytes told and asked, mean utility of a task, share of deadlines missed, subscriptions sent."""

    told: int
    asked: int
    utility: float
    missed: float
    subscriptions: int


def attribute_study(
    scenario: Scenario,
    seeds: Sequence[int],
    epochs: int,
    shares: Sequence[float] = SHARES,
    selections: Sequence[str] = BUDGETED,
    jobs: int | None = None,
    keep: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Return ``rows``, one an arm, and ``attributes``, how many of the catalogue the scenario measures.

    Parameters
    ----------
    shares
        Of the bytes that `all` takes, in (0, 1].
    selections
        Among `BUDGETED`; `all` and `none` always take part.
    jobs
        Runs at a time, each in a process; by default as many as there are cores.
    keep
        File to which every run is written; runs that are in it are not played again.

    Raises
    ------
    InputError
        Fewer than two seeds, a share out of range, or a file of another scenario.
    UnknownNameError
        A selection nobody knows.
    """
    _check(seeds, shares, selections)
    scenario = sensed(scenario)
    arms = [Arm(NONE, 0.0), *(Arm(selection, share) for share in shares for selection in selections)]
    found: dict[Arm, list[Outcome]] = {}
    plain = scenario.model_dump(mode="json")
    known = Kept(keep, {"attributes": plain})
    with SideBySide("tiertwin.study.attributes", jobs) as workers:
        reference = [_Job(Arm(ALL, 1.0), 1.0, seed, epochs) for seed in seeds]
        found[Arm(ALL, 1.0)] = _all(workers, plain, known, reference, say)
        full = sum(outcome.told for outcome in found[Arm(ALL, 1.0)]) / len(seeds)
        per_share = full / _nominal(scenario, epochs)
        wanted = [_Job(arm, arm.share * per_share, seed, epochs) for arm in arms for seed in seeds]
        outcomes = _all(workers, plain, known, wanted, say)
    for place, arm in enumerate(arms):
        found[arm] = outcomes[place * len(seeds) : (place + 1) * len(seeds)]
    return {"rows": _rows(found, epochs), "attributes": _measured(scenario), "seeds": len(seeds), "epochs": epochs}


def sensed(scenario: Scenario) -> Scenario:
    """Return the scenario with those of the sections of `SENSORS` that it has not."""
    return load(scenario, **{name: section for name, section in SENSORS.items() if getattr(scenario, name) is None})


def _check(seeds: Sequence[int], shares: Sequence[float], selections: Sequence[str]) -> None:
    if len(seeds) < 2:
        raise InputError(f"seeds: expected at least 2 (an interval needs two worlds), got {len(seeds)}")
    for share in shares:
        if not 0.0 < share <= 1.0:
            raise InputError(f"share: expected a part of the bytes in (0, 1], got {share}")
    for name in selections:
        if name not in BUDGETED:
            raise UnknownNameError(f"selection: nobody knows {name!r}{suggest(name, BUDGETED)}")


def _all(
    workers: SideBySide, plain: dict[str, Any], known: Kept, jobs: Sequence[_Job], say: Callable[[str], None]
) -> list[Outcome]:
    """Play what is not known; return what all of them came to."""
    missing = [asdict(job) for job in jobs if asdict(job) not in known]
    for job, answer in zip(missing, workers.run([{"scenario": plain, **job} for job in missing]), strict=True):
        known.add(job, answer)
        arm = job["arm"]
        say(f"{arm['selection']} {100 * arm['share']:g} %, seed {job['seed']}: utility {answer['utility']:.4f}")
    return [Outcome(**known[asdict(job)]) for job in jobs]


def run_one(scenario: Scenario, job: _Job) -> Outcome:
    """Play one world with one arm."""
    selection = WORTH if job.arm.selection == ORACLE else job.arm.selection
    share = min(max(job.budget, 1e-6), 1.0)
    written = {**_written(scenario), "selection": selection, "bytes_share": share}
    if job.arm.selection == ORACLE:
        written["review_epochs"] = 1
    plan = make_plan(load(scenario, attributes=written), job.epochs, job.seed, [HIERARCHICAL])
    run = make_run(plan, resolve(plan.scenario), HIERARCHICAL, master_solver(plan.scenario.policy.master_solver))
    if job.arm.selection == ORACLE:
        _unpaid(run)
    meter = Meter(run.world)
    for epoch in range(job.epochs):
        run.run_epoch(epoch)
        meter.epoch(run.observe(), *run.plant_books())
    figures = summary(meter, run.observe(), 0.0, run.peak_mb)
    told, asked, subscriptions = traffic(run)
    paid = 0 if job.arm.selection == ORACLE else asked
    return Outcome(told, paid, figures["utility_mean"], figures["deadline_miss_ratio"], subscriptions)


def traffic(run: InProcessRun) -> tuple[int, int, int]:
    """Bytes that gateways told, bytes that edges asked with, and how often they asked."""
    told = asked = subscriptions = 0
    for twin in run.twins.values():
        controller: Any = twin.controller
        if isinstance(controller, GatewayController):
            assert twin.parent is not None
            told += twin.parent.told_bytes
        elif getattr(controller, "asking", None) is not None:
            asked += controller.asking.bytes
            subscriptions += controller.asking.subscriptions
    return told, asked, subscriptions


def _written(scenario: Scenario) -> dict[str, Any]:
    return {} if scenario.attributes is None else scenario.attributes.model_dump()


def _unpaid(run: InProcessRun) -> None:
    for twin in run.twins.values():
        if isinstance(twin.controller, GatewayController) and twin.controller.telling is not None:
            twin.controller.telling.asking_paid = False


def _nominal(scenario: Scenario, epochs: int) -> float:
    """Bytes of telling everything each period, over a run."""
    economy, world = _economy(scenario, "fixed")
    return sum(economy.bytes_per_s(world, site) for site in range(world.site_count)) * epochs * scenario.base_epoch_s


def _economy(scenario: Scenario, selection: str) -> tuple[Economy, Any]:
    made = load(scenario, attributes={**_written(scenario), "selection": selection, "bytes_share": 1.0})
    economy = Economy.of(made)
    assert economy is not None
    return replace(economy, bytes_share=1.0), resolve(made)


def _measured(scenario: Scenario) -> int:
    """Lines of the catalogue that this scenario measures."""
    economy, world = _economy(scenario, WORTH)
    sections = (scenario.failures, scenario.weather, scenario.faults)
    return economy.lines_measured(world, *(section is not None for section in sections))


def _rows(found: dict[Arm, list[Outcome]], epochs: int) -> list[dict[str, Any]]:
    full = found[Arm(ALL, 1.0)]
    best = [outcome.utility for outcome in full]
    size = abs(sum(best) / len(best))
    return [_row(arm, found, full, best, size, epochs) for arm in found]


def _row(
    arm: Arm,
    found: dict[Arm, list[Outcome]],
    full: list[Outcome],
    best: list[float],
    size: float,
    epochs: int,
) -> dict[str, Any]:
    mine = found[arm]
    regret = paired(best, [outcome.utility for outcome in mine])
    missed = paired([outcome.missed for outcome in mine], [outcome.missed for outcome in full])
    spent = interval([(o.told + o.asked) / f.told for o, f in zip(mine, full, strict=True)])
    row: dict[str, Any] = {
        "selection": arm.selection,
        "budget_percent": 100 * arm.share,
        "bytes_percent": 100 * spent.mean,
        "bytes_an_epoch": sum(o.told + o.asked for o in mine) / len(mine) / epochs,
        "regret_percent": 100 * regret.mean / size,
        "regret_half": 100 * regret.half / size,
        "missed_points": 100 * missed.mean,
        "missed_half": 100 * missed.half,
        "subscriptions_an_epoch": sum(o.subscriptions for o in mine) / len(mine) / epochs,
    }
    ours = found.get(Arm(WORTH, arm.share))
    if ours is not None and arm.selection != WORTH:
        more = paired([o.utility for o in ours], [o.utility for o in mine])
        row |= {"worth_ahead_percent": 100 * more.mean / size, "worth_ahead_half": 100 * more.half / size}
    return row


def _work(plain: dict[str, Any]) -> dict[str, Any]:
    job = _Job(Arm(**plain["arm"]), plain["budget"], plain["seed"], plain["epochs"])
    return asdict(run_one(load(plain["scenario"]), job))


if __name__ == "__main__":
    serve(_work)
