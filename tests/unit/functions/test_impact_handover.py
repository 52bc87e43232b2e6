"""Users of a site that is not heard: lost, or served by the nearest site that is."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from tiertwin.functions.assure.causes import Cause
from tiertwin.functions.assure.impact import ImpactModel
from tiertwin.world import load, resolve
from tiertwin.world.handover import nearest_heard


@lru_cache
def world() -> Any:
    return resolve(load("metro"))


def access(site: int) -> Cause:
    return Cause(f"access {site}", "access", site=site)


def test_without_handover_all_of_them_are_lost():
    lost = ImpactModel(world()).impact(access(1)).lost
    assert lost[1] > 0.9
    assert np.count_nonzero(lost) == 1


def test_with_it_they_are_served_where_there_is_room():
    roomy = replace(world(), site_cores=world().site_cores + 1000)
    assert ImpactModel(roomy, handover=True).impact(access(1)).lost.max() == pytest.approx(0.0, abs=1e-12)


def test_where_there_is_none_everybody_there_is_served_less():
    tight = replace(
        world(), site_cores=np.ones_like(world().site_cores), uplink_site_mbps=np.full(world().site_count, 1e-6)
    )
    unheard = np.arange(tight.site_count) == 1
    there = int(nearest_heard(tight, unheard)[1])
    model = ImpactModel(tight, handover=True)
    before, _, _ = model.state()
    after, _, _ = model.state(access(1))
    assert after[1] == after[there] < before[there]


def test_the_nearest_is_by_distance_and_never_one_that_is_not_heard():
    lon, lat = world().lon[world().site_node], world().lat[world().site_node]
    unheard = np.zeros(world().site_count, dtype=bool)
    unheard[[0, 2]] = True
    found = nearest_heard(world(), unheard)
    assert found[~unheard].tolist() == np.flatnonzero(~unheard).tolist()
    for site in (0, 2):
        away = np.hypot((lon - lon[site]) * np.cos(np.radians(lat.mean())), lat - lat[site])
        away[unheard] = np.inf
        assert found[site] == int(np.argmin(away))


def test_when_nobody_is_heard_all_is_lost():
    causes = [access(site) for site in range(world().site_count)]
    assert ImpactModel(world(), handover=True).state(*causes)[0].tolist() == [0.0] * world().site_count


def test_devices_take_what_nobody_else_does_up_to_their_clocks():
    bare = replace(
        world(), site_cores=np.zeros_like(world().site_cores), uplink_site_mbps=np.full(world().site_count, 1e-9)
    )
    assert ImpactModel(bare).state()[0].max() < 1e-6
    own = (bare.group_devices * bare.group_ghz).sum(axis=(1, 2))
    work = bare.group_devices.sum(axis=-1) @ (bare.tasks_per_s * bare.gcycles)
    served = ImpactModel(bare, 50.0, devices=True).state()[0]
    np.testing.assert_allclose(served, np.minimum(own / (50.0 * work), 1.0), rtol=1e-6)
