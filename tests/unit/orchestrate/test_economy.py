"""Catalogues, budgets and the list of cells; settings with an economy survive the way into another process."""

from __future__ import annotations

import numpy as np
import pytest

from tiertwin import _core
from tiertwin.errors import InputError
from tiertwin.orchestrate.economy import CellList, Economy
from tiertwin.orchestrate.precedence import Order
from tiertwin.runtime.childconfig import settings_from_plain, settings_to_plain
from tiertwin.runtime.plan import make_plan, settings_of
from tiertwin.twin.attributes import RESOURCES, A, TableId, registry
from tiertwin.world import load, resolve


def economy_of(**written):
    made = load("metro", attributes=written)
    found = Economy.of(made)
    assert found is not None
    return found, resolve(made)


def test_a_scenario_without_the_section_has_none():
    assert Economy.of(load("metro")) is None


def test_settings_come_back_as_they_went():
    plan = make_plan(load("metro", attributes={"bytes_share": 0.3, "focus": 2.0}), 2, 7, ["hierarchical"])
    settings = settings_of(plan, resolve(plan.scenario), "hierarchical")
    assert settings_from_plain(settings_to_plain(settings)).economy == settings.economy


def test_the_list_has_what_the_table_has():
    economy, world = economy_of()
    attributes = {*economy.member_attributes(world), *map(int, RESOURCES)}
    cells = CellList.of(economy, world, 0, attributes)
    layout = economy.layout(world, 0)
    assert int(cells.row.max()) < layout.rows
    assert len({(int(a), int(r)) for a, r in zip(cells.attribute, cells.row, strict=True)}) == len(cells)
    groups = cells.kind == 0
    assert set(cells.row[groups].tolist()) == set(range(layout.members))
    assert int(A.LATENCY_SUM) in set(cells.attribute[groups].tolist())
    assert int(A.USERS) not in set(cells.attribute.tolist())  # nobody counts users where none move
    assert ((cells.kind == 1) & (cells.attribute == A.TASK_RATE)).sum() == 1
    assert economy.lines_measured(world, wear=False, weather=False) == 16
    assert economy.lines_measured(world, wear=True, weather=True) == 24
    assert economy.lines_measured(world, wear=True, weather=True, counters=True) == 27


def test_budgets_are_a_share_of_telling_everything():
    economy, world = economy_of(bytes_share=0.5)
    whole, _ = economy_of(bytes_share=1.0)
    assert economy.bytes_per_s(world, 0) == pytest.approx(0.5 * whole.bytes_per_s(world, 0))
    every, _ = economy_of(selection="all")
    assert every.bytes_per_s(world, 0) == float("inf")
    assert not every.by_group(world)


@pytest.mark.parametrize(
    ("written", "where"),
    [
        ({"bytes_share": 0.0}, "attributes.bytes_share"),
        ({"bytes_share": 2.0}, "attributes.bytes_share"),
        ({"selection": "best"}, "attributes.selection"),
        ({"focus": 0.5}, "attributes.focus"),
        ({"catalogue": []}, "attributes.catalogue"),
        ({"catalogue": [{"name": "task_rate", "of": "nobody"}]}, "attributes.catalogue"),
        ({"catalogue": [{"name": "task_rat", "of": "group"}]}, "attributes.catalogue"),
        ({"catalogue": [{"name": "power_w", "of": "link"}]}, "attributes.catalogue"),
        ({"catalogue": [{"name": "up", "of": "link"}, {"name": "up", "of": "link"}]}, "attributes.catalogue"),
    ],
)
def test_mistakes_are_named_with_their_path(written, where):
    with pytest.raises(InputError) as caught:
        load("metro", attributes=written)
    assert where in str(caught.value)


def test_what_varies_most_comes_first():
    economy, world = economy_of(selection="variance", review_epochs=1)
    attributes = sorted({*economy.member_attributes(world), *map(int, RESOURCES)})
    cells = CellList.of(economy, world, 0, set(attributes))
    order = Order(economy, 0, cells)
    table = _core.StateTable(registry(), TableId.TELEMETRY, attributes, economy.layout(world, 0).rows)
    rng = np.random.default_rng(3)
    for second in range(1, 12):
        for attribute in np.unique(cells.attribute):
            rows = np.unique(cells.row[cells.attribute == attribute])
            values = np.full(len(rows), 0.5)
            if attribute == A.QUEUE_TASKS:
                values = rng.uniform(0.0, 10.0, len(rows))
            table.set(int(attribute), rows, values, second * 1_000_000_000)
        worth = order.worth(table, second * 1_000_000_000)
    assert worth is not None
    size = np.where(cells.attribute == A.QUEUE_TASKS, np.nan, 0.5)
    queue = cells.attribute == A.QUEUE_TASKS
    assert worth[queue].min() * 100.0 > np.nanmax((worth * size**2)[~queue])
