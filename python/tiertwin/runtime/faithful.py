"""Interventions played in the plant: the same seeds with and without them, twins and all, and what the difference is.

Both runs of a seed are the same to the last bit until the interventions; then they act on one of them:

=========================================  ===========================================================================
intervention                               in the plant
=========================================  ===========================================================================
fail-link, fail-group, repair-link         links go down or come back; routes and background go round them at once
fail-node                                  its links and servers go down, and its cells where there is a radio access
fail-site                                  its edge server, and its cells where there is a radio access
demand, move                               factors on the task rates of sites; a move scales both sites by their tasks
degrade-link                               less capacity in the plant from the start; the twins are not told
add-capacity, add-site                     another inventory from the start, for plant and twins
rain                                       a cell of rain that rises before and covers all of the time compared
set                                        another scenario from the start
storm                                      none: no plant has one
=========================================  ===========================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from tiertwin.allocate.mastersolver import master_solver
from tiertwin.errors import InputError
from tiertwin.functions.intervals import Interval, interval, paired
from tiertwin.model.interventions import (
    AddCapacity,
    AddSite,
    DegradeLink,
    FailGroup,
    FailLink,
    FailNode,
    FailSite,
    Intervention,
    MoveDemand,
    Rain,
    RepairLink,
    ScaleDemand,
    SetParameter,
    Storm,
)
from tiertwin.orchestrate.places import Places
from tiertwin.orchestrate.policies import HIERARCHICAL
from tiertwin.plant import SimulatedPlant
from tiertwin.runtime.host import ORIGIN, Host, SolveHere
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.measure import jain, plant_utility
from tiertwin.runtime.plan import rhythm_of, settings_of
from tiertwin.runtime.roster import Roster
from tiertwin.runtime.southbound import Southbound
from tiertwin.runtime.tree import make_twins
from tiertwin.wire.memory import MemoryNetwork
from tiertwin.world import load, reroute, resolve
from tiertwin.world.rerouting import with_uplinks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tiertwin.plant import PlantKpis
    from tiertwin.runtime.plan import RunPlan
    from tiertwin.world import World

UNITS = {
    "utility_mean": "utils",
    "goodput_mbps": "Mb/s",
    "latency_mean_ms": "ms",
    "latency_p95_ms": "ms",
    "deadline_miss_ratio": "1",
    "loss_share": "1",
    "energy_per_task_j": "J",
    "jain": "1",
}
EVERYWHERE_KM = 1e3  # radius of rain that is everywhere


@dataclass(frozen=True)
class Played:
    """What happened in the plant, without and with the interventions.

    Parameters
    ----------
    seeds
        In order.
    epochs
        Compared, after `at` epochs that both runs share.
    without, treated
        KPI → value a seed.
    notes
        What the plant could not take, in words.
    """

    seeds: tuple[int, ...]
    at: int
    epochs: int
    without: Mapping[str, list[float]]
    treated: Mapping[str, list[float]]
    notes: tuple[str, ...] = ()

    def change(self, kpi: str) -> Interval:
        """Return the paired difference of a KPI with its 95 % interval."""
        return paired(self.treated[kpi], self.without[kpi])

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a KPI: kpi, before, after, change, half (of the 95 % interval), unit."""
        lines = []
        for kpi, unit in UNITS.items():
            change = self.change(kpi)
            before, after = interval(self.without[kpi]).mean, interval(self.treated[kpi]).mean
            line = {"kpi": kpi, "before": before, "after": after, "change": change.mean, "half": change.half}
            lines.append({**line, "unit": unit})
        return lines

    def table(self) -> str:
        """Plain text, one line a KPI."""
        lines = [f"{'kpi in the plant':24} {'without':>12} {'with':>12} {'change':>12} {'± 95 %':>12}  unit"]
        for row in self.rows():
            numbers = " ".join(f"{row[k]:12.4g}" for k in ("before", "after", "change", "half"))
            lines.append(f"{row['kpi']:24} {numbers}  {row['unit']}")
        seeds = f"{len(self.seeds)} seeds, {self.epochs} epochs after {self.at}"
        return "\n".join([*lines, f"{seeds}; paired differences", *self.notes])


def play(
    plan: RunPlan, world: World, at: int, interventions: Sequence[Intervention], seeds: Sequence[int], epochs: int
) -> Played:
    """Play interventions in the plant.

    Parameters
    ----------
    plan, world
        The run that was forked, and its world.
    at
        Epochs before the interventions, ≥ 1.
    interventions
        In order; names are those of the world.
    seeds
        At least one; two or more give intervals.
    epochs
        To compare, ≥ 1.

    Raises
    ------
    InputError
        Something no plant can do (a storm of handovers), or a wrong number.
    """
    if not seeds or epochs < 1 or len(set(seeds)) < len(seeds):
        raise InputError(f"play: expected seeds, each once, and at least 1 epoch, got {list(seeds)} and {epochs}")
    staged = _Staged.of(plan, world, at, epochs, interventions)
    without, treated = [], []
    for seed in seeds:
        without.append(_figures(_Staged(plan, world, world), seed, at, epochs))
        treated.append(_figures(staged, seed, at, epochs))
    names = list(UNITS)
    return Played(
        tuple(seeds),
        at,
        epochs,
        {kpi: [row[kpi] for row in without] for kpi in names},
        {kpi: [row[kpi] for row in treated] for kpi in names},
        staged.notes,
    )


@dataclass(frozen=True, eq=False)
class _Staged:
    """A run with its interventions: what is different from the start, and what is done when their time has come."""

    plan: RunPlan
    world: World  # as the twins have it
    plant_world: World
    down: tuple[int, ...] = ()  # links
    up: tuple[int, ...] = ()
    servers: tuple[int, ...] = ()
    cells_at: tuple[int, ...] = ()  # sites whose cells go down
    factor: Any = None  # [S] on task rates
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, plan: RunPlan, world: World, at: int, epochs: int, interventions: Sequence[Intervention]) -> _Staged:
        scenario = _scenario(plan.scenario, world, (at, epochs), interventions)
        if scenario is not plan.scenario:
            plan, world = replace(plan, scenario=scenario), resolve(scenario)
        places = Places(world, world.twins[0].name)
        world = _larger(world, places, interventions)
        found = cls(plan, world, _degraded(world, places, interventions), factor=np.ones(world.site_count))
        for given in interventions:
            found = _act(given, found, places)
        return found


def _scenario(scenario: Any, world: World, span: tuple[int, int], interventions: Sequence[Intervention]) -> Any:
    """Return the scenario with other parameters and with rain; the same object if there are none."""
    changes: dict[str, Any] = {}
    for given in interventions:
        if isinstance(given, SetParameter):
            changes[given.key.replace(".", "__")] = given.value
    cells = [_cell(scenario, world, span, given) for given in interventions if isinstance(given, Rain)]
    if cells:
        if scenario.weather is None or not scenario.weather.microwave:
            raise InputError(f"rain: expected a scenario with microwave links, but {scenario.name!r} has none")
        kept = [cell.model_dump(mode="json") for cell in scenario.weather.cells]
        changes["weather__cells"] = [*kept, *cells]
    return load(scenario, **changes) if changes else scenario


def _cell(scenario: Any, world: World, span: tuple[int, int], rain: Rain) -> dict[str, float]:
    """A cell that is at its peak in the middle of what is compared, and within 4 % of it all of that time."""
    places = Places(world, world.twins[0].name)
    lon, lat, radius = rain.lon, rain.lat, rain.radius_km
    if lon is None or lat is None:
        everywhere = rain.area is None
        nodes = list(range(world.node_count)) if everywhere else _nodes(places, str(rain.area))
        lon, lat = float(world.lon[nodes].mean()), float(world.lat[nodes].mean())
        radius = EVERYWHERE_KM if everywhere else radius
    at, epochs = (part * scenario.base_epoch_s for part in span)
    life = 8.0 * epochs
    born = at + epochs / 2.0 - life / 2.0
    return {"lon": lon, "lat": lat, "at_s": born, "life_s": life, "radius_km": radius, "peak_mm_h": rain.mm_h}


def _nodes(places: Places, area: str) -> list[int]:
    if area in places.world.node_names:
        return [places.node("rain", area)]
    return [int(places.world.site_node[site]) for site in places.area("rain", area)]


def _larger(world: World, places: Places, interventions: Sequence[Intervention]) -> World:
    """Return the inventory with more capacity, whole cores."""
    sites, fogs = world.site_count, world.fog_count
    cores = np.concatenate([world.site_cores, world.fog_cores, [world.cloud_cores]]).astype(np.float64)
    mbps = np.array(world.link_capacity_mbps)
    for given in interventions:
        if isinstance(given, AddSite):
            cores[places.site(given.option, given.node)] += given.ghz / world.core_ghz
        elif isinstance(given, AddCapacity):
            link = None if isinstance(given.place, str) else places.link(given.option, *given.place)
            table = cores if link is None else mbps
            part = places.server(given.option, str(given.place)) if link is None else link
            more = 0.0 if given.amount is None else given.amount / (world.core_ghz if link is None else 1.0)
            table[part] = table[part] * (1.0 if given.factor is None else given.factor) + more
    whole = np.rint(cores).astype(np.int64)
    if not any(isinstance(given, AddSite | AddCapacity) for given in interventions):
        return world
    changed = replace(
        world,
        link_capacity_mbps=mbps,
        site_cores=whole[:sites],
        fog_cores=whole[sites : sites + fogs],
        cloud_cores=int(whole[-1]),
    )
    return with_uplinks(changed, np.zeros(world.link_count, dtype=bool))


def _degraded(world: World, places: Places, interventions: Sequence[Intervention]) -> World:
    mbps = np.array(world.link_capacity_mbps)
    for given in interventions:
        if isinstance(given, DegradeLink):
            mbps[places.link(given.option, given.a, given.b)] *= max(given.share, 1e-3)
    return world if np.array_equal(mbps, world.link_capacity_mbps) else replace(world, link_capacity_mbps=mbps)


@singledispatch
def _act(given: Intervention, staged: _Staged, places: Places) -> _Staged:
    """Add what is done when the interventions' time has come; most kinds were dealt with at the start."""
    return staged


@_act.register
def _(given: Storm, staged: _Staged, places: Places) -> _Staged:
    raise InputError("storm: no plant has a storm of handovers; the twin's model does (without --faithful)")


@_act.register
def _(given: FailLink, staged: _Staged, places: Places) -> _Staged:
    return replace(staged, down=(*staged.down, places.link(given.option, given.a, given.b)))


@_act.register
def _(given: FailGroup, staged: _Staged, places: Places) -> _Staged:
    links = [places.link(given.option, a, b) for a, b in given.links]
    return replace(staged, down=(*staged.down, *links))


@_act.register
def _(given: RepairLink, staged: _Staged, places: Places) -> _Staged:
    link = places.link(given.option, given.a, given.b)
    return replace(staged, down=tuple(k for k in staged.down if k != link), up=(*staged.up, link))


@_act.register
def _(given: FailNode, staged: _Staged, places: Places) -> _Staged:
    world, node = staged.world, places.node(given.option, given.node)
    at = np.concatenate([world.site_node, world.fog_node, [world.cloud_node]])
    servers = [int(server) for server in np.flatnonzero(at == node)]
    staged = replace(staged, down=(*staged.down, *places.links_at(node)), servers=(*staged.servers, *servers))
    return _without_cells(staged, [s for s in servers if s < world.site_count])


@_act.register
def _(given: FailSite, staged: _Staged, places: Places) -> _Staged:
    site = places.site(given.option, given.site)
    return _without_cells(replace(staged, servers=(*staged.servers, site)), [site])


@_act.register
def _(given: ScaleDemand, staged: _Staged, places: Places) -> _Staged:
    factor = staged.factor.copy()
    factor[places.area(given.option, given.area)] *= given.factor
    return replace(staged, factor=factor)


@_act.register
def _(given: MoveDemand, staged: _Staged, places: Places) -> _Staged:
    world = staged.world
    source, target = (places.site(given.option, name) for name in (given.source, given.target))
    tasks = (world.group_devices * world.tasks_per_s[:, None]).reshape(world.site_count, -1).sum(axis=1)
    factor = staged.factor.copy()
    moved = given.share * factor[source] * tasks[source]
    factor[source] *= 1.0 - given.share
    factor[target] += moved / max(float(tasks[target]), 1e-9)
    note = "In the plant a move scales the task rates of both sites: classes and rings keep their mix."
    return replace(staged, factor=factor, notes=tuple(dict.fromkeys((*staged.notes, note))))


def _without_cells(staged: _Staged, sites: Sequence[int]) -> _Staged:
    if staged.world.access is not None:
        return replace(staged, cells_at=(*staged.cells_at, *sites))
    note = "Without a radio access the plant has no cells to fail: servers alone go down at a site."
    return replace(staged, notes=tuple(dict.fromkeys((*staged.notes, note))))


def _figures(staged: _Staged, seed: int, at: int, epochs: int) -> dict[str, float]:
    run = _run(staged, seed)
    for epoch in range(at):
        run.run_epoch(epoch)
    run.plant_books()
    _put_in_force(staged, run.plant)
    books = []
    for epoch in range(at, at + epochs):
        run.run_epoch(epoch)
        books.append(run.plant_books()[0])
    return _kpis(staged.world, type(books[0]).merge(books))


def _run(staged: _Staged, seed: int) -> InProcessRun:
    plan, world = replace(staged.plan, seed=seed), staged.world
    settings, roster = settings_of(plan, world, HIERARCHICAL), Roster(world)
    plant = SimulatedPlant(staged.plant_world, seed, settings.plant)
    southbound = Southbound(world, roster, set(roster.names), plant, ORIGIN)
    twins = make_twins(world, roster, settings, roster.names)
    solver = SolveHere(master_solver(settings.master_solver))
    host = Host(roster, twins, MemoryNetwork(seed), solver, settings.report_ms, southbound)
    return InProcessRun(host, world, rhythm_of(plan.scenario))


def _put_in_force(staged: _Staged, plant: SimulatedPlant) -> None:
    for link in dict.fromkeys(staged.down):
        plant.fail_link(link)
    for link in dict.fromkeys(staged.up):
        plant.repair_link(link)
    for server in dict.fromkeys(staged.servers):
        plant.fail_server(server)
    access = staged.world.access
    if staged.cells_at and access is not None:
        plant.fail_cells(np.flatnonzero(np.isin(access.cells["cell_site"], staged.cells_at)).astype(np.int64))
    if staged.down:
        failed = np.zeros(staged.world.link_count, dtype=bool)
        failed[list(staged.down)] = True
        plant.reroute(reroute(staged.plant_world, failed))
    if staged.factor is not None and not np.all(staged.factor == 1.0):
        plant.scale_load(staged.factor)


def _kpis(world: World, books: PlantKpis) -> dict[str, float]:
    made = max(float(books.total("generated")), 1.0)
    return {
        "utility_mean": plant_utility(world, books),
        "goodput_mbps": books.goodput_mbps,
        "latency_mean_ms": 1e3 * books.latency_mean_s,
        "latency_p95_ms": 1e3 * books.latency_quantile_s(0.95),
        "deadline_miss_ratio": books.deadline_miss_ratio,
        "loss_share": float(books.total("shed") + books.total("lost")) / made,
        "energy_per_task_j": books.energy_per_task_j,
        "jain": jain(world, books),
    }
