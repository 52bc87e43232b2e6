"""Where users are heard once sites are silent: whoever is left hears all of them, and those nearby first."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiertwin.world import load, resolve
from tiertwin.world.handover import moved, nearest_heard, slower_ring
from tiertwin.world.planning import planned_cells


@lru_cache
def world(name: str) -> Any:
    return resolve(load(name))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["metro", "mixed"]), st.data())
def test_everybody_is_heard_once_and_by_a_site_that_is_left(name: str, data: Any) -> None:
    sites = world(name).site_count
    silent = np.array(data.draw(st.lists(st.booleans(), min_size=sites, max_size=sites)))
    found = moved(world(name), silent)
    table = found.by_site(sites)
    if silent.all():
        assert len(found.site) == 0
        return
    assert sorted(set(found.site.tolist())) == np.flatnonzero(silent).tolist()
    assert not silent[found.other].any()
    assert found.share.min(initial=1.0) > 0.0
    np.testing.assert_allclose(table.sum(axis=1), 1.0, rtol=1e-12)
    assert np.array_equal(table[~silent], np.eye(sites)[~silent])


def test_the_next_cell_is_what_planning_finds_without_the_silent_ones() -> None:
    mixed = world("mixed")
    access, silent = mixed.access, np.zeros(mixed.site_count, dtype=bool)
    silent[[2, 7]] = True
    left = ~silent[access.cells["cell_site"]]
    cells = {name: column[left] for name, column in access.cells.items()}
    found = moved(mixed, silent).by_site(mixed.site_count)
    for site in (2, 7):
        users = access.site == site
        cell, _ = planned_cells(cells, access.x_m[users], access.y_m[users], access.indoors[users])
        expected = np.bincount(cells["cell_site"][cell], minlength=mixed.site_count) / users.sum()
        assert 0.5 * np.abs(found[site] - expected).sum() < 0.15  # share of them who go elsewhere: other shadows


def test_without_a_planning_map_the_nearest_hears_them() -> None:
    metro = world("metro")
    silent = np.arange(metro.site_count) == 1
    found = moved(metro, silent)
    assert found.other.tolist() == [int(nearest_heard(metro, silent)[1])]
    assert found.share.tolist() == [1.0]


@pytest.mark.parametrize("name", ["metro", "mixed"])
def test_rings_slow_down_by_one_and_the_slowest_stays(name: str) -> None:
    rates = world(name).ring_rate_mbps
    then = slower_ring(world(name))
    assert (rates[then] <= rates).all()
    assert np.count_nonzero(then == np.arange(len(rates))) == 1
    assert len(set(then.tolist())) == max(len(rates) - 1, 1)
