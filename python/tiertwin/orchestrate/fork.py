"""Trying things out on a copy of a live domain: what happens if a link fails, demand doubles, it rains?

A fork holds what the twins of a domain believed when it was made (references, and copies of their tables that share
their blocks with the live ones until somebody writes), and a list of interventions. Nothing done to a fork reaches the
twins or the plant. What it expects is the twin's own model (``cpp/whatif``), under one of three rules for plans:

=========  ============================================================================================================
``none``   set-points stay: every group's tasks go to the tiers in the same shares as now
``local``  every edge decides anew inside the quotas it was granted, scaled with what is left of the resources: what
           happens within an edge period, before fogs and cloud have met
``tree``   the whole hierarchy decides anew: what happens once all have met; one situation takes as long as a decision
=========  ============================================================================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tiertwin.allocate.solvetree import TreeResult, solve_tree
from tiertwin.errors import InputError, suggest
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
    Situation,
    Storm,
    named,
)
from tiertwin.orchestrate.changes import Batch, Change, Ledger, Row
from tiertwin.orchestrate.forktree import tree_of
from tiertwin.orchestrate.outcomes import CERTIFIED_GAP, KPIS, Comparison, Expectation, Score, Sweep
from tiertwin.orchestrate.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from tiertwin import _core
    from tiertwin.orchestrate.belief import Belief

    F64 = npt.NDArray[np.float64]

REPLANS = {"none": 0, "local": 1}
TREE = "tree"
MOST_THREADS = 256
LEAST_ERRORS = 8  # demand predictions that came due, over the domain, before an interval is told
DRAWS = 200  # of the bootstrap


class Faithful(Protocol):
    """Who plays interventions in the plant."""

    def __call__(self, interventions: Sequence[Intervention], seeds: Sequence[int], epochs: int) -> Any:
        """Return the differences with intervals."""
        ...


class Fork:
    """An independent copy of one domain; interventions change it in place and return it, so that they chain.

    Parameters
    ----------
    belief
        What the twins believed.
    tables
        Copy-on-write copies of the domain's state tables, by twin.
    solver, masters
        What solves leaves and masters of ``replan="tree"``.
    faithful
        What plays interventions in the plant; without it `play` cannot.
    """

    def __init__(
        self,
        belief: Belief,
        tables: Mapping[str, _core.StateTable],
        solver: Any,
        masters: Any,
        faithful: Faithful | None = None,
    ) -> None:
        self.belief = belief
        self.tables = dict(tables)
        self._solver, self._masters, self._faithful = solver, masters, faithful
        self._ledger = Ledger.of(Places(belief.world, belief.name), belief)
        self._others: dict[str, Belief] = {}  # beliefs under other parameters, by their spelling

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """What has been done to this fork, in order."""
        return self._ledger.done

    def fork(self) -> Fork:
        """Fork the fork: same starting point for comparisons, independent changes."""
        tables = {name: table.fork() for name, table in self.tables.items()}
        copy = Fork(self.belief, tables, self._solver, self._masters, self._faithful)
        copy._ledger, copy._others = self._ledger.copy(), self._others
        return copy

    # -- interventions -------------------------------------------------------------------------------------------------
    def apply(self, what: Situation | Intervention | Iterable[Intervention]) -> Fork:
        """Do a situation, one intervention or several, in order; all of them or, if one is refused, none.

        Raises
        ------
        UnknownNameError
            A name nobody knows, with the nearest.
        InputError
            An intervention that contradicts what was done before; says which.
        """
        if isinstance(what, Situation):
            what = what.interventions
        ledger = self._ledger.copy()
        ledger.apply((what,) if isinstance(what, Intervention) else what)
        self._ledger = ledger
        return self

    def allows(self, situation: Situation) -> bool:
        """Say whether a situation contradicts nothing that was done to this fork."""
        try:
            self._ledger.copy().apply(situation.interventions)
        except InputError:
            return False
        return True

    def fail_link(self, a: str, b: str) -> Fork:
        """Fail the link between two nodes: routes go round it, its capacity is gone, uplinks shrink accordingly."""
        return self.apply(FailLink(a, b))

    def degrade_link(self, a: str, b: str, share: float) -> Fork:
        """Leave a link `share` (0 … 1) of its capacity; routes stay."""
        return self.apply(DegradeLink(a, b, share))

    def repair_link(self, a: str, b: str) -> Fork:
        """Repair a link that failed or was degraded, here or as believed."""
        return self.apply(RepairLink(a, b))

    def fail_node(self, node: str) -> Fork:
        """Fail a node: its links, the servers and cells there."""
        return self.apply(FailNode(node))

    def fail_site(self, site: str) -> Fork:
        """Fail the edge server and the cells of a site."""
        return self.apply(FailSite(site))

    def fail_group(self, name: str, links: Iterable[tuple[str, str]]) -> Fork:
        """Fail links that share a risk."""
        return self.apply(FailGroup(name, tuple(links)))

    def scale_demand(self, factor: float, twin: str | None = None) -> Fork:
        """Multiply the demand of the domain, or of one area in it (site, node or twin), by `factor` ≥ 0."""
        return self.apply(ScaleDemand(factor, twin))

    def move_demand(self, source: str, target: str, share: float) -> Fork:
        """Let `share` of the users at a site, and their demand, be at another site."""
        return self.apply(MoveDemand(source, target, share))

    def add_capacity(
        self, place: str | tuple[str, str], *, factor: float | None = None, amount: float | None = None
    ) -> Fork:
        """Give a site's, fog's or cloud's server (GHz) or a link (two nodes; Mb/s) more."""
        return self.apply(AddCapacity(place, factor, amount))

    def add_site(self, node: str, ghz: float) -> Fork:
        """Put an edge server at a site that has none."""
        return self.apply(AddSite(node, ghz))

    def rain(
        self,
        mm_h: float,
        area: str | None = None,
        *,
        lon: float | None = None,
        lat: float | None = None,
        radius_km: float = 25.0,
    ) -> Fork:
        """Let it rain on microwave links: everywhere, around a node or twin, or around a place."""
        return self.apply(Rain(mm_h, area, lon, lat, radius_km))

    def storm(self, area: str, factor: float) -> Fork:
        """Let users of an area change cells `factor` times as often as usual."""
        return self.apply(Storm(area, factor))

    def set_parameter(self, key: str, value: Any) -> Fork:
        """Give a key of the scenario another value."""
        return self.apply(SetParameter(key, value))

    # -- evaluation ----------------------------------------------------------------------------------------------------
    def expect(self, replan: str = TREE) -> Expectation:
        """What the twin expects of the domain as it stands in this fork; `replan` as in the module's table."""
        return self._expect(self._ledger, replan)

    def compare(self, replan: str = TREE, intervals: bool = True) -> Comparison:
        """Compare the domain as it was when it was forked with this fork, both planned by the same rule.

        With `intervals`, changes get a 95 % interval of the twin's own uncertainty: whole errors of its earlier
        predictions of demand are drawn again, site by site, and both sides evaluated under each draw (plans by
        ``local`` where `replan` is ``tree``). Where too few predictions came due there are none, and the note says so.
        """
        live = Ledger.of(self._ledger.places, self.belief)
        before, after = self._expect(live, replan), self._expect(self._ledger, replan)
        if not intervals:
            return Comparison(before, after)
        found, note = self._intervals(live, "local" if replan == TREE else replan)
        return Comparison(before, after, found, note)

    def sweep(
        self,
        situations: Iterable[Situation | Sequence[Intervention]],
        threads: int = 2,
        replan: str = "local",
        score: Score | None = None,
    ) -> Sweep:
        """Evaluate many situations, each on top of what this fork is now; the answers do not depend on `threads`.

        Parameters
        ----------
        situations
            Each with its interventions in order; a bare sequence of interventions is a situation too.
        threads
            1 … 256.
        replan
            ``none`` or ``local``; ``tree`` is for one situation at a time (`compare`).
        score
            With fixed bounds; without it those around the live domain (`Score.around`).

        Raises
        ------
        UnknownNameError, InputError
            As `apply`, naming the situation.
        """
        if replan not in REPLANS:
            raise InputError(
                f"sweep: expected a replan of none or local, got {replan!r}{suggest(replan, list(REPLANS))}"
            )
        if not 1 <= threads <= MOST_THREADS:
            raise InputError(f"sweep: expected 1 … {MOST_THREADS} threads, got {threads}")
        given = named(situations)
        ledgers = [self._after(situation) for situation in given]
        kpis = np.zeros((len(given), len(KPIS)))
        for key in dict.fromkeys(_key(ledger) for ledger in ledgers):
            rows = [i for i, ledger in enumerate(ledgers) if _key(ledger) == key]
            engine = self._belief(ledgers[rows[0]]).engine
            batch = Batch.of([ledgers[i].rows for i in rows])
            kpis[rows] = engine.sweep(*batch.arrays(), REPLANS[replan], threads)
        base = self.belief.engine.sweep(*Batch.of([()]).arrays(), REPLANS[replan], 1)[0]
        return Sweep(given, kpis, base, Score.around(base) if score is None else score)

    def play(self, seeds: Sequence[int] = range(1, 6), epochs: int = 10) -> Any:
        """Play the plant with and without the interventions, seed by seed, twins and all, and compare what happened.

        Returns
        -------
        A `tiertwin.runtime.faithful.Played`: paired differences with 95 % intervals.
        """
        if self._faithful is None:
            raise InputError("play: this fork has no plant to play (it was made from a stored run)")
        return self._faithful(self.interventions, list(seeds), epochs)

    # -- inside --------------------------------------------------------------------------------------------------------
    def _after(self, situation: Situation) -> Ledger:
        ledger = self._ledger.copy()
        try:
            ledger.apply(situation.interventions)
        except InputError as error:
            if len(situation.interventions) < 2 and situation.name == situation.text():
                raise
            raise type(error)(error.problems, f"situation {situation.name!r}") from error
        return ledger

    def _belief(self, ledger: Ledger) -> Belief:
        if not ledger.parameters:
            return self.belief
        key = _key(ledger)
        if key not in self._others:
            self._others[key] = self.belief.under(_other_world(self.belief, ledger.parameters))
        return self._others[key]

    def _expect(self, ledger: Ledger, replan: str) -> Expectation:
        belief, batch = self._belief(ledger), Batch.of([ledger.rows])
        if replan == TREE:
            solved = self._solved(belief, batch)
            plan = np.concatenate([solved.allocation[edge.name].ravel() for edge in belief.edges])
            row = belief.engine.judge(*batch.arrays(), np.ascontiguousarray(plan))
            objective = (float(solved.evaluation.value), KPIS["objective"])
            return Expectation.of(row, objective=objective, **{CERTIFIED_GAP: (float(solved.rounds[-1].gap), "1")})
        if replan not in REPLANS:
            known = [*REPLANS, TREE]
            raise InputError(f"replan: expected none, local or tree, got {replan!r}{suggest(replan, known)}")
        return Expectation.of(belief.engine.sweep(*batch.arrays(), REPLANS[replan], 1)[0])

    def _solved(self, belief: Belief, batch: Batch) -> TreeResult:
        scenario = belief.world.scenario
        gap, rounds = (1e-3, 6) if scenario is None else (scenario.policy.target_gap, scenario.policy.max_rounds)
        tree = tree_of(belief, belief.engine.enter(*batch.arrays()))
        return solve_tree(tree, target_gap=gap, max_rounds=rounds, solver=self._solver, masters=self._masters)

    def _intervals(self, live: Ledger, replan: str) -> tuple[dict[str, tuple[float, float]], str]:
        edges = self.belief.edges
        known = sum(len(edge.errors) for edge in edges)
        if known < LEAST_ERRORS:
            return {}, (
                f"No intervals: only {known} of the twins' predictions of demand have come due (expected at least "
                f"{LEAST_ERRORS}); run more epochs before forking."
            )
        draws = np.random.default_rng(1)
        errors = [np.array(edge.errors) if edge.errors else np.zeros(1) for edge in edges]
        factors = 1.0 + np.stack([draws.choice(own, DRAWS) for own in errors], axis=1)
        extra = [[_scaled(edge.site, max(f, 0.0)) for edge, f in zip(edges, row, strict=True)] for row in factors]
        sides = []
        for ledger in (live, self._ledger):
            batch = Batch.of([[*rows, *ledger.rows] for rows in extra])
            sides.append(self._belief(ledger).engine.sweep(*batch.arrays(), REPLANS[replan], 1))
        low, high = np.quantile(sides[1] - sides[0], [0.025, 0.975], axis=0)
        note = f"95 % intervals: {known} errors of the twins' own demand predictions drawn again, {DRAWS} times"
        return {kpi: (float(low[k]), float(high[k])) for k, kpi in enumerate(KPIS)}, note


def _scaled(site: int, factor: float) -> Row:
    return int(Change.DEMAND_TIMES), site, 0, float(factor)


def _key(ledger: Ledger) -> str:
    return repr(sorted(ledger.parameters.items(), key=lambda item: item[0]))


def _other_world(belief: Belief, parameters: Mapping[str, Any]) -> Any:
    """Resolve the scenario with other parameters; InputError where that is another network."""
    from tiertwin.world import load, resolve  # noqa: PLC0415  brings pydantic: only where a parameter changes

    world = belief.world
    if world.scenario is None:
        raise InputError("set: expected a domain with its scenario; this one came without")
    changed = load(world.scenario, **{key.replace(".", "__"): value for key, value in parameters.items()})
    other = resolve(changed)
    same = (
        other.node_names == world.node_names
        and other.group_ghz.shape == world.group_ghz.shape
        and other.link_count == world.link_count
        and np.array_equal(other.site_fog, world.site_fog)
        and np.array_equal(other.site_cores, world.site_cores)
        and np.array_equal(other.link_capacity_mbps, world.link_capacity_mbps)
    )
    if not same:
        keys = ", ".join(parameters)
        raise InputError(
            f"set: expected a key that leaves nodes, links, servers and groups as they are, but {keys} changes them; "
            "make it a scenario of its own"
        )
    return replace(other, name=world.name)
