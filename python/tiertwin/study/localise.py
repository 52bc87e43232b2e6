"""How well twins find faults in the running plant: faults injected into runs, and what fogs and cloud say of them.

    case        the faults of a mix at once, drawn: kinds, places, severities; `FOR_S` long, `REST_S` until the next
    found       posteriors as stated by each cause's own twin `LOOK_S` after the start; top-1: the f true causes are the
                first f; top-3: among the first max(3, f + 1). Ties count as the last of their places
    delay       from the start to the first alarm in which a true cause can show
    impact      what is lost while the faults last, as foretold and as it was: `faultcosts`
    false       alarms of the runs without faults, a day, and what a day may have at most (95 %)

Mixes marked *kept out* were not looked at while thresholds and leaks were chosen (docs/assurance-localisation.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.functions.assure.causes import Naming
from tiertwin.functions.assure.dependencies import Dependencies, dependencies
from tiertwin.functions.assure.reach import Reach
from tiertwin.plant.faults import groups_of
from tiertwin.runtime.sidebyside import SideBySide
from tiertwin.study.faultcosts import impact_rows, lost, rate
from tiertwin.study.faultruns import event_of
from tiertwin.study.statistics import most_events, wilson
from tiertwin.world import load, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tiertwin.functions.assure.causes import Cause
    from tiertwin.model import Scenario
    from tiertwin.world import World

HARD, SOFT = ("link", "node", "server", "access"), ("degraded", "slow")
MIXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "hard": (HARD,),
    "degradation": (SOFT,),
    "shared risk": (("group",),),
    "two at once": (HARD + SOFT, HARD + SOFT),
    "kept out: shared risk + degradation": (("group",), SOFT),
    "kept out: two degradations": (SOFT, SOFT),
}
WARM_S, FOR_S, REST_S, LOOK_S, CALM_S = 25, 12, 10, 10, 5
A_RUN = 10  # cases of a run at most
DECIDE_EVERY = 2  # base epochs
DUCT_TRIES = 100
DUCTS, DUCT_LINKS = 6, 3  # shared-risk groups where the scenario has none, and links of each
FLAT = {"urban": [1.0, 1.0], "rural": [1.0, 1.0], "background": [1.0, 1.0], "background_peak": 1.0}
DAY_S = 86_400.0
SIGNALS = ("down", "errors", "dark", "slow", "late", "rate")


@dataclass(frozen=True)
class Case:
    """Faults that come at once, and when."""

    causes: tuple[Cause, ...]
    start_s: int


def localise_study(
    scenario: Scenario,
    cases: int,
    seed: int = 1,
    loss: float = 0.1,
    mixes: Sequence[str] = tuple(MIXES),
    jobs: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Return ``rows``, one a mix, ``impact``, one an answer, and ``quiet``: alarms of the runs without faults.

    Parameters
    ----------
    scenario
        Its day is made flat at the daily mean, so that what is usual does not move within a minute.
    cases
        Of each mix, ≥ 1.
    seed
        Of the first `A_RUN` cases of each mix, their places, severities, shared risks and runs; the next have the next.
    loss
        Share of telemetry lost, 0 … 1.
    mixes
        Among `MIXES`.
    jobs
        Runs at a time, each in a process; by default as many as there are cores.

    Raises
    ------
    InputError
        No case, or a loss out of range.
    UnknownNameError
        A mix nobody knows.
    """
    if cases < 1 or not 0.0 <= loss < 1.0:
        raise InputError(f"expected at least one case and a loss of 0 … 1, got {cases} and {loss}", "localise_study")
    for name in mixes:
        if name not in MIXES:
            raise UnknownNameError(f"mix: nobody knows {name!r}{suggest(name, list(MIXES))}")
    sizes = [min(A_RUN, cases - done) for done in range(0, cases, A_RUN)]
    blocks = [_block(scenario, size, seed + k, loss, mixes) for k, size in enumerate(sizes)]
    wanted = [job for block in blocks for job in block.jobs()]
    with SideBySide("tiertwin.study.faultruns", jobs) as workers:
        answers = []
        for number, answer in enumerate(workers.run(wanted)):
            answers.append(answer)
            say(f"run {number + 1} of {len(wanted)}: {len(answer['alarms'])} alarms raised and cleared")
    outcomes: dict[str, list[dict[str, Any]]] = {mix: [] for mix in mixes}
    quiet = []
    for block in blocks:
        own, answers = answers[: 1 + len(mixes)], answers[1 + len(mixes) :]
        quiet.append(own[0])
        for mix, answer in zip(mixes, own[1:], strict=True):
            outcomes[mix] += [judged(block.world, block.graph, case, answer, own[0]) for case in block.cases[mix]]
    every = [case for mix in mixes for case in outcomes[mix]]
    return {
        "rows": [row_of(mix, outcomes[mix]) for mix in mixes] + [row_of("all", every)],
        "cases": {mix: outcomes[mix] for mix in mixes},
        "impact": impact_rows(blocks[0].world, every),
        "quiet": quiet_figures(quiet),
        "of_each_mix": cases,
        "seed": seed,
        "loss": loss,
    }


@dataclass(frozen=True, eq=False)
class _Block:
    """Up to `A_RUN` cases of each mix over one seed and its shared risks: a run a mix, and one without faults."""

    scenario: Scenario
    world: World
    graph: Dependencies
    cases: dict[str, list[Case]]
    seed: int

    def jobs(self) -> list[dict[str, Any]]:
        """Return the runs for workers: without faults, then mix by mix."""
        first = next(iter(self.cases.values()))
        jobs = [_job(self.scenario, first, self.seed, [], [])]
        for mix, cases in self.cases.items():
            severity = np.random.default_rng([self.seed, list(MIXES).index(mix), 1])
            jobs.append(_job(self.scenario, cases, self.seed, _events(severity, self.world, cases), _looks(cases)))
        return jobs


def _block(scenario: Scenario, cases: int, seed: int, loss: float, mixes: Sequence[str]) -> _Block:
    watched = prepared(scenario, loss, seed)
    world = resolve(watched)
    graph = dependencies(world, groups_of(world))
    places = {mix: np.random.default_rng([seed, list(MIXES).index(mix), 0]) for mix in mixes}
    drawn = {mix: _timed(draw(rng, graph, MIXES[mix], cases)) for mix, rng in places.items()}
    return _Block(watched, world, graph, drawn, seed)


def prepared(scenario: Scenario, loss: float, seed: int, decide_every: int = DECIDE_EVERY) -> Scenario:
    """Return the scenario as the study runs it: watched, with its loss of telemetry, a flat day, and ducts.

    Twins decide every `decide_every` base epochs only: what is looked at is what they see, and deciding is half of the
    time of a run.
    """
    sections: dict[str, Any] = {"assurance": {}, "telemetry__loss": loss, "day": FLAT}
    sections |= {f"tiers__{tier}__control_every": decide_every for tier in ("edge", "fog", "cloud")}
    if scenario.faults is None or not scenario.faults.groups:
        sections["faults"] = {"groups": ducts(resolve(scenario), seed)}
    return load(scenario, **sections)


def ducts(world: World, seed: int) -> list[dict[str, Any]]:
    """Return shared-risk groups: a few links that leave one node, drawn, no two alike; fewer where there are few."""
    rng, names = np.random.default_rng(seed), world.node_names
    at = [np.flatnonzero((world.link_tail == n) | (world.link_head == n)) for n in range(world.node_count)]
    nodes = [n for n in range(world.node_count) if len(at[n]) > DUCT_LINKS]
    drawn: list[list[int]] = []  # two of the same links are one risk: nobody could tell which of them it was
    for _ in range(DUCT_TRIES if nodes else 0):
        links = sorted(rng.choice(at[int(rng.choice(nodes))], DUCT_LINKS, replace=False).tolist())
        if links not in drawn:
            drawn.append(links)
        if len(drawn) == DUCTS:
            break
    ends = [[[names[world.link_tail[link]], names[world.link_head[link]]] for link in links] for links in drawn]
    return [{"name": f"duct-{k + 1}", "links": pairs} for k, pairs in enumerate(ends)]


def draw(
    rng: np.random.Generator, graph: Dependencies, kinds: Sequence[Sequence[str]], cases: int
) -> list[tuple[Cause, ...]]:
    """Draw the causes of so many cases: of each entry of `kinds` a kind, and of that a cause, no cause twice."""
    found = []
    for _ in range(cases):
        there: list[Cause] = []
        for choice in kinds:
            kind = choice[int(rng.integers(len(choice)))]
            of_kind = [cause for cause in graph.causes if cause.kind == kind and cause not in there]
            there.append(of_kind[int(rng.integers(len(of_kind)))])
        found.append(tuple(there))
    return found


def _timed(cases: Sequence[tuple[Cause, ...]]) -> list[Case]:
    """Return cases one after the other in a run."""
    return [Case(causes, WARM_S + n * (FOR_S + REST_S)) for n, causes in enumerate(cases)]


def _events(rng: np.random.Generator, world: World, cases: Sequence[Case]) -> list[dict[str, Any]]:
    events = []
    for case in cases:
        for cause in case.causes:
            low, high = np.array([0.3, 0.005, 0.25]), np.array([0.9, 0.08, 0.6])
            drawn = (low + (high - low) * rng.random(3)).tolist()
            severity = dict(zip(("capacity", "loss", "speed"), drawn, strict=True))
            events.append(event_of(world, cause, float(case.start_s), float(FOR_S), severity))
    return events


def _job(
    scenario: Scenario, cases: Sequence[Case], seed: int, events: list[dict[str, Any]], looks: list[Any]
) -> dict[str, Any]:
    written = load(scenario, faults={"events": events}).model_dump(mode="json")
    epochs = cases[-1].start_s + FOR_S + REST_S
    return {"scenario": written, "seed": seed, "epochs": epochs, "for_s": FOR_S, "looks": looks}


def _looks(cases: Sequence[Case]) -> list[Any]:
    return [[case.start_s, case.start_s + LOOK_S, [cause.name for cause in case.causes]] for case in cases]


def judged(
    world: World, graph: Dependencies, case: Case, answer: dict[str, Any], quiet: dict[str, Any]
) -> dict[str, Any]:
    """Return what became of a case: places of its causes, delay, what was lost and what was foretold."""
    look = answer["looks"][str(case.start_s + LOOK_S)]
    stated: dict[str, float] = look["stated"]
    places = [_place(stated, cause.name, len(graph.causes)) for cause in case.causes]
    faults = len(case.causes)
    span = slice(case.start_s, case.start_s + FOR_S)
    after = slice(case.start_s + FOR_S + REST_S - CALM_S, case.start_s + FOR_S + REST_S)
    touched = _touched(world, case.causes)
    return {
        "causes": [cause.name for cause in case.causes],
        "places": places,
        "first": max(stated, key=lambda name: stated[name], default=None),
        "top1": max(places) <= faults,
        "top3": max(places) <= max(3, faults + 1),
        "named": all(cause.name in look["likely"] for cause in case.causes),
        "exact": set(look["likely"]) == {cause.name for cause in case.causes},
        "likely": look["likely"],
        "alarms": look["alarms"],
        "hidden": hidden(world, case.causes),
        "delay_s": _delay(graph, case, answer["alarms"]),
        "lost": lost(quiet, answer, span).tolist(),
        "by_chance": float(lost(quiet, answer, after).sum()),
        "offered": rate(quiet["offered"], span).sum(axis=0).tolist(),
        "costs": {name: cost["tasks"] for name, cost in look["costs"].items()}
        | {"nothing": [0.0] * len(world.class_names)}
        | {"all": (rate(quiet["offered"], span) - rate(quiet["undone"], span))[touched].sum(axis=0).tolist()},
    }


def hidden(world: World, causes: Sequence[Cause]) -> bool:
    """Say whether one of several faults changes nothing in the plant because of another, so that nobody can see it."""
    ends = np.stack([world.link_tail, world.link_head], axis=1)
    server_node = Naming(world).server_node
    return any(_behind(world, ends, server_node, one, other) for one in causes for other in causes if one is not other)


def _behind(world: World, ends: NDArray[np.int64], server_node: NDArray[np.int64], one: Cause, other: Cause) -> bool:
    """Say whether all that `one` does to the plant, `other` does as well."""
    at = other.nodes
    if one.links:
        gone = other.links if other.hard else ()
        return all(link in gone or bool(np.isin(ends[link], at).any()) for link in one.links)
    if one.server >= 0:
        dark, same = int(server_node[one.server]) in at, one.server == other.server
        idle = one.server == other.site  # an edge server does the tasks of its own site
        return dark or (one.kind == "slow" and (same or idle))
    return one.site >= 0 and int(world.site_node[one.site]) in at


def _place(stated: dict[str, float], cause: str, causes: int) -> int:
    own = stated.get(cause)
    return causes if own is None else sum(p >= own for p in stated.values())


def _touched(world: World, causes: Sequence[Cause]) -> NDArray[np.int64]:
    """Return the sites that the causes can touch: those below their links and nodes, at their servers and cells."""
    reach = Reach(world, causes)
    flags = np.zeros(world.site_count, dtype=bool)
    for cause in causes:
        routes = reach.touched(cause)
        flags |= routes[: world.site_count] | routes[world.site_count :][world.site_fog]
        flags |= np.isin(world.site_node, cause.nodes)
        if cause.site >= 0:
            flags[cause.site] = True
        if 0 <= cause.server < world.site_count:
            flags[cause.server] = True
        elif cause.server >= 0:
            fog = cause.server - world.site_count
            flags |= (world.site_fog == fog) | (fog == world.fog_count)
    return np.flatnonzero(flags)


def _delay(graph: Dependencies, case: Case, alarms: Sequence[Sequence[Any]]) -> float | None:
    """Return the time from the start to the first alarm in which a cause can show; None: there was none."""
    names = [cause.name for cause in graph.causes]
    shows: set[str] = set()
    for cause in case.causes:
        c = names.index(cause.name)
        numbers = graph.rows.observation[graph.rows.start[c] : graph.rows.start[c + 1]]
        shows |= {graph.observations[n] for n in numbers.tolist()}
    times = [
        epoch - case.start_s
        for epoch, name, up in alarms
        if up and name in shows and case.start_s <= epoch <= case.start_s + FOR_S
    ]
    return float(min(times)) if times else None


def row_of(mix: str, cases: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of a mix: shares of its cases with 95 % intervals (Wilson); `seen_`: of those not hidden."""
    seen = [case for case in cases if not case["hidden"]]
    delays = [case["delay_s"] for case in cases if case["delay_s"] is not None]
    row: dict[str, Any] = {"mix": mix, "cases": len(cases)}
    for name in ("top1", "top3", "named", "exact"):
        hits = sum(case[name] for case in cases)
        row |= {name: hits / len(cases)} | dict(
            zip((f"{name}_low", f"{name}_high"), wilson(hits, len(cases)), strict=True)
        )
    row |= {"hidden": len(cases) - len(seen)}
    row |= {f"seen_{name}": sum(case[name] for case in seen) / len(seen) if seen else None for name in ("top1", "top3")}
    return row | {"detected": len(delays) / len(cases), "delay_s": float(np.mean(delays)) if delays else None}


def quiet_figures(answers: Sequence[dict[str, Any]], period_s: float = 1.0) -> dict[str, Any]:
    """Return the alarms of runs without faults after they are warm, a day and by what they are about.

    Parameters
    ----------
    answers
        As `faultruns.play` returns them.
    period_s
        Of an epoch.
    """
    seconds = sum(len(answer["offered"]) - WARM_S for answer in answers) * period_s
    raised = [name for answer in answers for epoch, name, up in answer["alarms"] if up and epoch >= WARM_S]
    about = Counter(name.rsplit(" ", 1)[1] for name in raised)
    a_day = DAY_S / max(seconds, 1)
    named = sum(epoch >= WARM_S for answer in answers for epoch, _ in answer["named"])
    return {
        "seconds": seconds,
        "named": named,
        "named_per_day": named * a_day,
        "named_at_most_per_day": most_events(named) * a_day,
        "alarms": len(raised),
        "false_alarms_per_day": len(raised) * a_day,
        "at_most_per_day": most_events(len(raised)) * a_day,
        "by_signal": {
            name: {"alarms": about[name], "a_day": about[name] * a_day, "at_most": most_events(about[name]) * a_day}
            for name in SIGNALS
        },
    }
