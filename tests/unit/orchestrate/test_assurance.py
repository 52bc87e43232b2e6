"""A fog that watches its domain: hand-made tables in; states, alarms, incidents and causes out."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.functions.assure.causes import Naming
from tiertwin.functions.assure.impact import Severities
from tiertwin.functions.assure.localiser import ALARM, MISSING, SILENT
from tiertwin.orchestrate.alarming import Alarming
from tiertwin.orchestrate.assurance import Assurance, Knowledge
from tiertwin.orchestrate.sight import Sight
from tiertwin.orchestrate.watchrules import AssuranceRules
from tiertwin.twin.attributes import COUNTERS, RESOURCES, SUMMARY, A, TableId, registry
from tiertwin.twin.layout import edge_layout
from tiertwin.world import load, resolve

SECOND = 1_000_000_000
FOG = 0


class Told:
    """What the edges of one fog tell: healthy, unless a test changes it; one sample a second."""

    def __init__(self, groups: dict[str, list[int]] | None = None) -> None:
        scenario = load("metro", assurance={"window_s": 2.0, "warm_s": 5.0, "hold_s": 1.0, "silent_s": 3.0})
        self.world = world = resolve(scenario)
        self.name = next(t.name for t in world.twins if t.tier == 2 and t.fog == FOG)
        self.sites = np.flatnonzero(world.site_fog == FOG).tolist()
        self.layouts = [edge_layout(world, site) for site in self.sites]
        rules = AssuranceRules.of(scenario, groups or {}, [])
        assert rules is not None
        self.rules = rules
        attributes = sorted({int(a) for a in (*SUMMARY, *RESOURCES, *COUNTERS, A.POWER_W)})
        self.tables = [_core.StateTable(registry(), TableId.SUMMARY, attributes, k.rows) for k in self.layouts]
        self.now = 0
        self.links = {"up": {}, "capacity": {}, "bad": {}}  # by undirected link
        self.servers: dict[str, dict[int, float]] = {"up": {}, "took": {}}
        self.sites_of: dict[str, dict[int, float]] = {"missed": {}, "power": {}, "rate": {}}
        self.silent: set[int] = set()
        self.idle: set[int] = set()  # servers that did no task: they say nothing of how fast they are

    def assurance(self, rules: AssuranceRules | None = None) -> Assurance:
        made = rules or self.rules
        return Assurance(self.world, self.name, self.layouts, self.sites, made, Knowledge.of(self.world, made))

    def alarming(self) -> tuple[Sight, Alarming]:
        sight = Sight(self.layouts, self.sites)
        return sight, Alarming(self.world, sight, self.rules)

    def tell(self) -> int:
        """Write a sample of everything that is heard at the next second; return the time."""
        self.now += SECOND
        for site, layout, table in zip(self.sites, self.layouts, self.tables, strict=True):
            if site in self.silent:
                continue
            self._members(table, layout, site)
            self._servers(table, layout, site)
            self._links(table, layout)
        return self.now

    def _set(self, table: Any, attribute: int, rows: Any, values: Any) -> None:
        table.set(int(attribute), np.asarray(rows, np.uint32), np.asarray(values, np.float64), self.now)

    def _members(self, table: Any, layout: Any, site: int) -> None:
        rows, count = np.arange(layout.members), layout.members
        rate = self.sites_of["rate"].get(site, 40.0) / count
        self._set(table, A.RATE_SUM, rows, np.full(count, rate))
        self._set(table, A.DEMAND, rows, np.full(count, rate))
        self._set(table, A.MISSED_SUM, rows, np.full(count, rate * self.sites_of["missed"].get(site, 0.05)))

    def _servers(self, table: Any, layout: Any, site: int) -> None:
        for server, row in zip(layout.servers.tolist(), layout.server_rows.tolist(), strict=True):
            self._set(table, A.UP, [row], [self.servers["up"].get(server, 1.0)])
            self._set(table, A.LOAD_GHZ, [row], [1.0 + 1e-3 * (self.now // SECOND)])
            if server not in self.idle:
                self._set(table, A.LEAST_RESPONSE, [row], [self.servers["took"].get(server, 1.05)])
            if server == site:
                self._set(table, A.POWER_W, [row], [self.sites_of["power"].get(site, 500.0)])

    def _links(self, table: Any, layout: Any) -> None:
        for directed, row in zip(layout.links.tolist(), layout.link_rows.tolist(), strict=True):
            link = directed // 2
            self._set(table, A.LOAD_MBPS, [row], [10.0])
            self._set(table, A.UP, [row], [self.links["up"].get(link, 1.0)])
            capacity = self.world.link_capacity_mbps[link] * self.links["capacity"].get(link, 1.0)
            self._set(table, A.CAPACITY_MBPS, [row], [capacity])
            self._set(table, A.FRAMES, [row], [1000.0])
            self._set(table, A.FRAME_ERRORS, [row], [1000.0 * self.links["bad"].get(link, 0.0)])


def watch(told: Told, seconds: int, watched: Assurance, live: bool = True) -> list[Any]:
    records = []
    for _ in range(seconds):
        now = told.tell()
        records += watched.handle(now, now // SECOND, told.tables, [live] * len(told.sites))
    return records


def inside(told: Told) -> int:
    """A link both of whose ends are in the fog's domain."""
    world = told.world
    fogs = (world.node_fog[world.link_tail] == FOG) & (world.node_fog[world.link_head] == FOG)
    return int(np.flatnonzero(fogs)[0])


def states(told: Told, seconds: int, change: Any = None) -> dict[str, int]:
    """Judge a healthy start, then so many seconds after a change; return the states by name."""
    sight, alarming = told.alarming()
    state = np.empty(0)
    for second in range(12 + seconds):
        if second == 12 and change is not None:
            change()
        sight.look(told.tables, told.tell() / SECOND)
        state = alarming.judge(sight, told.now / SECOND, np.ones(len(told.sites), dtype=bool))
    return dict(zip(alarming.names, state.tolist(), strict=True))


def raised(found: dict[str, int]) -> list[str]:
    return [name for name, state in found.items() if state == ALARM]


def test_a_server_without_tasks_is_not_called_fast_by_those_of_long_ago():
    told = Told()
    site = told.sites[0]
    found = states(told, 6, lambda: told.idle.add(site))  # as long as `response_s`, and one more
    slow = [f"{Naming(told.world).server(server)} slow" for server in (site, told.sites[1])]
    assert [found[name] for name in slow] == [MISSING, SILENT]


def test_the_first_slow_task_after_an_idle_while_is_an_alarm_at_once():
    told = Told()
    site = told.sites[0]
    sight, alarming = told.alarming()
    for second in range(19):
        told.idle = {site} if 12 <= second < 18 else set()
        told.servers["took"] = {site: 2.5} if second >= 12 else {}
        sight.look(told.tables, told.tell() / SECOND)
        state = alarming.judge(sight, told.now / SECOND, np.ones(len(told.sites), dtype=bool))
    assert raised(dict(zip(alarming.names, state.tolist(), strict=True))) == [f"{Naming(told.world).server(site)} slow"]


def test_a_healthy_domain_is_silent():
    found = states(Told(), 3)
    assert set(found.values()) == {SILENT}


def test_each_signal_has_its_threshold():
    told = Told()
    link, site = inside(told), told.sites[1]
    cases = [
        (told.links["up"], link, 0.0, "down"),
        (told.links["capacity"], link, 0.9, "errors"),
        (told.links["bad"], link, 0.01, "errors"),
        (told.servers["up"], site, 0.0, "down"),
        (told.servers["took"], site, 2.5, "slow"),
        (told.sites_of["missed"], site, 0.9, "late"),
        (told.sites_of["power"], site, 0.0, "rate"),
    ]
    for values, part, value, attribute in cases:
        fresh = Told()
        target = {id(told.links[k]): fresh.links[k] for k in told.links}
        target |= {id(told.servers[k]): fresh.servers[k] for k in told.servers}
        target |= {id(told.sites_of[k]): fresh.sites_of[k] for k in told.sites_of}
        mine = target[id(values)]
        (name,) = raised(states(fresh, 5, lambda mine=mine, part=part, value=value: mine.__setitem__(part, value)))
        assert name.endswith(attribute)
        assert raised(states(Told(), 5)) == []


@pytest.mark.parametrize(
    ("kind", "part", "value"),
    [
        ("bad", "link", 0.001),
        ("capacity", "link", 0.98),
        ("took", "site", 1.2),
        ("missed", "site", 0.1),
        ("power", "site", 300.0),
    ],
)
def test_below_its_threshold_nothing_is_an_alarm(kind, part, value):
    told = Told()
    where = inside(told) if part == "link" else told.sites[1]
    values = {**told.links, **told.servers, **told.sites_of}[kind]
    assert raised(states(told, 6, lambda: values.__setitem__(where, value))) == []


def test_a_node_of_which_nothing_is_heard_is_dark_and_its_parts_are_missing():
    told = Told()
    site = told.sites[1]
    found = states(told, 6, lambda: told.silent.add(site))
    assert [name for name in raised(found) if name.endswith("dark")] == raised(found)
    assert len(raised(found)) == 1
    slug = told.world.node_slugs[told.world.site_node[site]]
    assert found[f"server edge {slug} down"] == MISSING
    assert found[f"site {slug} late"] == MISSING


def test_a_child_without_a_session_says_nothing_of_its_node():
    told = Told()
    watched = told.assurance()
    watch(told, 12, watched)
    told.silent.update(told.sites)
    assert [r for r in watch(told, 8, watched, live=False) if r.what == "alarm" and r.fields["raised"]] == []


def test_links_with_adaptive_modulation_may_get_narrow():
    told = Told()
    link = inside(told)
    told.rules = replace(told.rules, modulated=(link,))
    told.links["capacity"][link] = 0.5
    assert raised(states(told, 3)) == []


def test_a_link_that_goes_down_is_an_alarm_an_incident_and_a_cause_and_is_over_again():
    told = Told()
    link, watched = inside(told), told.assurance()
    assert watch(told, 12, watched) == []
    told.links["up"][link] = 0.0
    records = watch(told, 3, watched)
    name = Naming(told.world).link(link)
    by = {r.what: r.fields for r in records}
    assert by["alarm"]["object"] == name
    assert by["alarm"]["cause"] == "LINK_FAILURE"
    assert by["incident"]["open"]
    assert by["incident"]["causes"][0][0] == name
    assert by["cause"]["cause"] == name
    assert by["cause"]["probability"] > 0.9
    assert by["cause"]["tasks_per_s"] >= 0.0
    assert list(watched.named) == [name]
    assert [i.alarms[0].probable_cause for i in watched.incidents()] == ["LINK_FAILURE"]
    told.links["up"].clear()
    records = watch(told, 40, watched)
    assert {"alarm": False, "cause": True}.items() <= {
        "alarm": next(r for r in records if r.what == "alarm").fields["raised"],
        "cause": next(r for r in records if r.what == "cause").fields["over"],
    }.items()
    closed = next(r for r in records if r.what == "incident").fields
    assert not closed["open"]
    assert closed["alarms"][0]["perceivedSeverity"] == "CLEARED"
    assert watched.named == {}
    assert watched.incidents() == []


def test_an_alarm_that_goes_on_is_told_once():
    told = Told()
    watched = told.assurance()
    watch(told, 12, watched)
    told.links["up"][inside(told)] = 0.0
    records = watch(told, 20, watched)
    assert sum(r.what == "alarm" for r in records) == 1
    assert sum(r.what == "incident" for r in records) == 1
    assert sum(r.what == "cause" for r in records) == 1


def test_links_of_a_group_are_one_cause():
    world = Told().world
    ends = (world.node_fog[world.link_tail] == FOG) & (world.node_fog[world.link_head] == FOG)
    links = np.flatnonzero(ends)[:3].tolist()
    told = Told({"duct": links})
    watched = told.assurance()
    watch(told, 12, watched)
    told.links["up"] |= dict.fromkeys(links, 0.0)
    watch(told, 3, watched)
    assert list(watched.named) == ["group duct"]


def test_every_cause_is_named_by_one_twin():
    told = Told()
    knowledge = Knowledge.of(told.world, told.rules)
    names = {twin.name for twin in told.world.twins if twin.tier >= 2}
    assert set(knowledge.owner) <= names
    for cause, owner in zip(knowledge.graph.causes, knowledge.owner, strict=True):
        if cause.links:
            assert owner == told.world.link_owner[cause.links[0]]


def test_what_is_told_may_be_missing_altogether():
    told = Told()
    watched = told.assurance()
    records = []
    for second in range(20):
        records += watched.handle(second * SECOND, second, [None] * len(told.sites), [False] * len(told.sites))
    assert records == []
    assert watched.posterior() == {}


def test_a_fork_watches_anew():
    told = Told()
    watched = told.assurance()
    told.links["up"][inside(told)] = 0.0
    watch(told, 5, watched)
    other = copy.deepcopy(watched)
    assert other.named == {}
    assert watched.named
    watch(told, 5, other)
    assert other.named.keys() == watched.named.keys()


def test_the_same_samples_give_the_same_records():
    def run() -> list[Any]:
        told = Told()
        watched = told.assurance()
        records = watch(told, 12, watched)
        told.silent.add(told.sites[1])
        told.links["bad"][inside(told)] = 0.02
        return records + watch(told, 10, watched)

    assert run() == run()


def test_how_bad_degraded_parts_are_is_what_was_told_of_them():
    told = Told()
    link, site, watched = inside(told), told.sites[1], told.assurance()
    watch(told, 12, watched)
    assert watched.severities() == Severities()
    told.links["capacity"][link], told.links["bad"][link] = 0.6, 0.03
    told.servers["took"][site] = 2.5
    watch(told, 8, watched)
    found = watched.severities()
    assert found.capacity == pytest.approx({link: 0.6})
    assert found.loss == pytest.approx({link: 0.03}, rel=0.05)
    assert found.speed == pytest.approx({site: 0.4})


def test_a_child_whose_clock_goes_backwards_is_heard_on():
    told = Told()
    watched = told.assurance()
    watch(told, 12, watched)
    told.tables = [_core.StateTable(registry(), TableId.SUMMARY, t.attributes, k.rows) for t, k in zip(
        told.tables, told.layouts, strict=True)]  # fmt: skip
    ahead, told.now = told.now, SECOND  # the children began anew, with clocks that are behind; ours goes on
    told.links["bad"][inside(told)] = 0.05
    records = []
    for second in range(8):
        now = told.tell()
        records += watched.handle(ahead + (second + 1) * SECOND, second, told.tables, [True] * len(told.sites))
    assert [(r.fields["observation"], r.fields["raised"]) for r in records if r.what == "alarm"] == [("errors", True)]
    assert now < ahead


def test_a_storm_of_flapping_alarms_keeps_the_memory_and_the_causes():
    told = Told()
    link, watched = inside(told), told.assurance()
    watch(told, 12, watched)
    held = []
    for turn in range(60):
        for part in range(told.world.link_count):
            told.links["up"][part] = float(turn % 2)
        watch(told, 4, watched)
        held.append(watched.log.memory_bytes())
    told.links["up"] = {link: 0.0}
    watch(told, 30, watched)
    assert max(held[10:]) <= max(held[:10]) + 10_000
    assert list(watched.named) == [Naming(told.world).link(link)]
    assert [i.alarms[0].object_instance for i in watched.incidents()] == [Naming(told.world).link(link)]


def test_a_part_that_tells_it_is_down_is_taken_at_its_word() -> None:
    told = Told()
    watched = told.assurance()
    watch(told, 8, watched)
    assert watched.told_down() == []
    server = told.sites[0]
    told.servers["up"][server] = 0.0
    watch(told, 2, watched)
    assert [cause.name for cause in watched.told_down()] == [Naming(told.world).server(server)]
    told.servers["up"][server] = 1.0
    watch(told, 4, watched)
    assert watched.told_down() == []
