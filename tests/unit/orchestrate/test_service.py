"""What a domain is told of service: sums over a site's groups, who was heard, what it was worth, how it varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.healing import world_of
from tiertwin import _core
from tiertwin.orchestrate.guardwords import SECOND
from tiertwin.orchestrate.service import Service, ServiceSight, ToldUtility, told_together, told_utility
from tiertwin.twin.attributes import RESOURCES, SUMMARY, A, TableId, registry
from tiertwin.twin.layout import edge_layout
from tiertwin.world.utility import utility_a_task

METRO = world_of("metro")
SITES = list(range(METRO.site_count))
CLASSES, RINGS = METRO.group_devices.shape[1:]


class Edges:
    """Tables of all edges: 2 tasks/s a group of which `served` are done, each in 100 ms, with 0.5 J."""

    def __init__(self, sites: list[int] | None = None) -> None:
        self.sites = SITES if sites is None else sites
        layouts = [edge_layout(METRO, site) for site in self.sites]
        attributes = sorted({int(a) for a in (*SUMMARY, *RESOURCES)})
        self.tables = [_core.StateTable(registry(), TableId.SUMMARY, attributes, one.rows) for one in layouts]
        self.sight = ServiceSight(METRO, layouts, self.sites, 1.0)
        self.served = dict.fromkeys(self.sites, 1.5)
        self.age_ms = dict.fromkeys(self.sites, 400.0)
        self.silent: set[int] = set()
        self.now = 10 * SECOND

    def look(self) -> Service:
        self.now += SECOND
        for site, table in zip(self.sites, self.tables, strict=True):
            if site not in self.silent:
                told = {A.RATE_SUM: 2.0, A.COMPLETED_SUM: self.served[site], A.LATENCY_SUM: 300.0, A.LATENCY_COUNT: 3.0}
                self._set(table, told | {A.ENERGY_SUM: 0.5, A.OLDEST: self.age_ms[site]})
        self.sight.look(self.tables, self.now)
        return self.sight.service()

    def _set(self, table: Any, told: dict[A, float]) -> None:
        rows = np.arange(CLASSES * RINGS, dtype=np.uint32)
        for attribute, value in told.items():
            table.set(int(attribute), rows, np.full(len(rows), value), self.now - SECOND // 4)


def test_a_sites_classes_are_sums_over_its_groups_of_the_period_before_the_last() -> None:
    edges = Edges()
    service = edges.look()
    shape = len(SITES), CLASSES
    assert service.told.all()
    np.testing.assert_allclose(service.offered, np.full(shape, 2.0 * RINGS))
    np.testing.assert_allclose(service.done, np.full(shape, 1.5 * RINGS))
    np.testing.assert_allclose(service.latency_s, np.full(shape, 1.5 * 0.1 * RINGS))
    np.testing.assert_allclose(service.energy_j, np.full(shape, 0.5 * RINGS))
    assert (service.since, service.until) == (edges.now - 2 * SECOND, edges.now - SECOND)
    whole = utility_a_task(METRO, service.offered, service.done, service.latency_s, service.energy_j)
    assert told_utility(METRO, service, 1.0).sum() == pytest.approx(float(whole))


def test_of_who_is_silent_or_tells_old_reports_nothing_is_said() -> None:
    edges = Edges()
    edges.look()
    edges.silent, edges.age_ms[1] = {0}, 2_600.0
    service = edges.look()
    assert np.flatnonzero(~service.told).tolist() == [0, 1]
    assert not service.offered[:2].any()
    parts = told_utility(METRO, service, 1.0)
    assert np.isnan(parts[:2]).all()
    assert np.isfinite(parts[2:]).all()
    edges.silent.clear()
    assert edges.look().told[0]


def test_domains_put_together_are_one() -> None:
    half = len(SITES) // 2
    parts = [Edges(SITES[:half]).look(), Edges(SITES[half:]).look()]
    together, whole = told_together(parts), Edges().look()
    assert together is not None
    for name in ("offered", "done", "latency_s", "energy_j", "told"):
        np.testing.assert_array_equal(getattr(together, name), getattr(whole, name))
    nobody = Edges()
    nobody.silent = set(SITES)
    assert told_together([nobody.look()]) is None


def test_a_measurement_says_what_each_site_is_worth_and_how_much_it_varies() -> None:
    edges, utility = Edges(), ToldUtility(METRO, 1.0)
    assert utility.take(None, 0) is None
    random = np.random.default_rng(1)
    for epoch in range(12):
        edges.served[3] = 1.5 + 0.2 * random.standard_normal()  # no other site varies
        measured = utility.take(edges.look(), epoch)
    assert measured is not None
    assert measured.is_sound
    assert measured.value == pytest.approx(sum(measured.by_site))
    errors = np.array(measured.errors)
    assert errors[3] > 0.0
    assert np.delete(errors, 3).max() < 1e-3 * errors[3]
    assert measured.error == pytest.approx(float(np.sqrt((errors**2).sum())))


def test_a_level_that_shifts_once_hardly_counts_as_an_error() -> None:
    edges, utility = Edges(), ToldUtility(METRO, 1.0)
    for epoch in range(20):
        edges.served[0] = 1.5 if epoch < 10 else 0.2
        measured = utility.take(edges.look(), epoch)
    assert measured is not None
    parts = np.array(utility._parts)[:, 0]
    assert measured.errors[0] < 0.4 * float(np.std(parts))
