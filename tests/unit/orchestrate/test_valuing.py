"""What an error of a cell costs, worked out by the gateway: it follows the loads, and every rule has its cells."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.allocate.errorcost import BEND_LIMIT
from tiertwin.orchestrate.economy import CellList, Economy, priors
from tiertwin.orchestrate.telling import Telling
from tiertwin.twin.attributes import RESOURCES, A, TableId, registry
from tiertwin.world import load, resolve
from tiertwin.world.mixedscenario import mixed_scenario

SECOND = 1_000_000_000


def world_of(name):
    source = mixed_scenario(1_000, 100) if name == "mixed" else name
    made = load(source, attributes={"bytes_share": 0.1})
    return Economy.of(made), resolve(made)


def telling_of(name, site=0):
    economy, world = world_of(name)
    attributes = sorted({*economy.member_attributes(world), *map(int, RESOURCES), int(A.PRB_UP), int(A.PRB_UP_PEAK)})
    telling = Telling(world, site, economy, attributes)
    layout = economy.layout(world, site)
    told, heard = (_core.StateTable(registry(), TableId.TELEMETRY, attributes, layout.rows) for _ in (0, 1))
    telling.obeyed(np.full((len(telling._valuing._view.group_of), 4), 0.25))
    return telling, heard, told


@pytest.mark.parametrize("name", ["metro", "mixed"])
def test_before_a_plan_nothing_can_be_said_and_after_it_all_that_is_read_is_worth_something(name):
    telling, heard, told = telling_of(name)
    valuing, cells = telling._valuing, telling.cells
    valuing._shares, shares = None, valuing._shares
    assert valuing.worth(heard, told) is None
    valuing._shares = shares
    links = cells.row[(cells.kind == 2) & (cells.attribute == A.CAPACITY_MBPS)]
    for attribute, value in ((A.CAPACITY_MBPS, 100.0), (A.BACKGROUND_MBPS, 20.0), (A.LOAD_MBPS, 60.0)):
        heard.set(int(attribute), links, np.full(len(links), value), SECOND)
    worth = valuing.worth(heard, told)
    assert np.isfinite(worth).all()
    assert (worth >= 0.0).all()
    for attribute in (A.TASK_RATE, A.UP, *((A.RADIO_MBPS, A.PRB_UP, A.PRB_UP_PEAK) if name == "mixed" else ())):
        assert worth[cells.attribute == attribute].max() > 0.0
    of_link = worth[(cells.kind == 2) & (cells.attribute == A.BACKGROUND_MBPS)]
    kappa = valuing._kappa_link
    assert of_link == pytest.approx(kappa * 40.0**2 / 40.0**3)


def test_a_link_beyond_its_capacity_is_worth_much_and_not_everything():
    telling, heard, told = telling_of("metro")
    cells = telling.cells
    mine = (cells.kind == 2) & (cells.attribute == A.BACKGROUND_MBPS)
    links = cells.row[mine]
    worths = []
    for load_mbps in (30.0, 60.0, 95.0, 500.0):
        for attribute, value in ((A.CAPACITY_MBPS, 100.0), (A.BACKGROUND_MBPS, 20.0), (A.LOAD_MBPS, load_mbps)):
            heard.set(int(attribute), links, np.full(len(links), value), int(load_mbps) * SECOND)
        worths.append(telling._valuing.worth(heard, told)[mine].max())
    assert worths == sorted(worths)
    most = BEND_LIMIT * 80.0
    assert worths[-1] == pytest.approx(telling._valuing._kappa_link * most**2 / (80.0 - most) ** 3)


def test_prices_and_uplink_are_what_only_the_edge_knows():
    telling, heard, told = telling_of("metro")
    cells, valuing = telling.cells, telling._valuing
    groups = (cells.kind == 0) & (cells.attribute == A.TASK_RATE)
    before = valuing.worth(heard, told)[groups]
    valuing.priced(valuing._view.uplink, np.array([5.0, 5.0, 5.0]))
    dear = valuing.worth(heard, told)[groups]
    assert (dear > before).all()
    valuing.priced(valuing._view.uplink, np.ones(2))  # not of this problem: not taken
    assert np.array_equal(valuing.worth(heard, told)[groups], before)


@pytest.mark.parametrize("name", ["metro", "mixed"])
def test_before_anything_is_told_the_plan_is_believed(name):
    economy, world = world_of(name)
    attributes = {*economy.member_attributes(world), *map(int, RESOURCES)}
    cells = CellList.of(economy, world, 0, attributes)
    believed = priors(world, 0, economy.layout(world, 0), cells)
    groups = (cells.kind == 0) & (cells.attribute == A.TASK_RATE)
    site = (cells.kind == 1) & (cells.attribute == A.TASK_RATE)
    assert believed[groups].sum() == pytest.approx(believed[site].sum())
    assert (believed[cells.attribute == A.UP] == 1.0).all()
    assert (believed[cells.attribute == A.CAPACITY_MBPS] > 0.0).all()
